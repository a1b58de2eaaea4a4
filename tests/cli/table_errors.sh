#!/bin/bash
# What `darknet meta table` and `report` refuse, each in one line; and the tables of data/tables
. tests/lib.sh
. tests/toy.sh
set -u
t=$TMP_TEST/t
toy "$t"
sed -i 's/^filters=4/filters=16/; s/^max_batches=12/max_batches=2/' "$t/toy.cfg"
darknet() { "$DARKNET_BIN" "$@"; }
good()
{
    cat >"$t/x.table" <<END
[table]
name=A table    # of the test
data=$t/toy.data
runs=4
first=2
reference=One

[row]
label=One
cfg=$t/toy.cfg
shots=2,1
paper=50,60.5

[row]
label=Two <b>&amp;"'
cfg=$t/toy.cfg
shots=2
seed=7
END
}
good
table() { darknet meta table "$t/x.table" -out "$t/out" "$@"; }
dry() { table -dry >"$t/said" 2>&1 || { cat "$t/said"; return 1; }; }
check 'meta table -dry reads a table' dry
check 'the name of a table keeps its blanks and loses its comment' grep -q '^A table (.*): 3 cells, 2 rows, 3 trainings; 4 tasks a cell, seed 1$' "$t/said"
wrong() { expect_error "$1" table -dry; good; }      # REGEX, after a change
change() { sed -i "$1" "$t/x.table"; }
change 's/^\[table\]/[tabel]/'; wrong 'x.table: must begin with \[table\]'
change '/^name/d'; wrong 'x.table:1: \[table\] name: must be there'
change 's/^runs=4/runs=1/'; wrong 'x.table:4: \[table\] runs=1: must be 2 to 10000000'
change 's/^first=2/first=5/'; wrong 'x.table:1: \[table\] first=5: must be 2 to runs=4'
change 's/^reference=.*/reference=Three/'; wrong 'x.table:1: \[table\] reference=Three: no row has that label'
change 's/^runs/turns/'; wrong 'x.table:4: \[table\] turns: unknown option; allowed: name data list seed runs first reference needs place caption authors groups valid_every'
change '0,/^\[row\]/s//[cell]/'; wrong 'x.table:8: \[cell\]: must be \[row\]'
change '/^label=One/d'; wrong 'x.table:8: \[row\] label: must be there'
change '0,/^cfg/{/^cfg/d}'; wrong 'x.table:8: \[row\] cfg: must be there'
change '0,/^shots/{/^shots/d}'; wrong 'x.table:8: \[row\] shots: must be there'
change 's/^paper=.*/paper=50/'; wrong 'x.table:8: \[row\] paper: must have a figure for each of shots'
change 's/^paper=.*/paper=50,601/'; wrong 'x.table:12: \[row\] paper=50,601: must be numbers, 0 to 100'
change 's/^shots=2,1/shots=2,2/'; wrong 'x.table:8: \[row\] shots: has a number twice'
change 's/^seed=7/train=none/'; wrong 'x.table:14: \[row\] train=none: needs weights'
change 's/^seed=7/weights=x.weights/'; wrong 'x.table:14: \[row\] weights: only with train=none'
change 's/^seed=7/epochs=7/'; wrong 'x.table:14: \[row\] epochs: only with method=finetune'
change 's/^seed=7/each=0\ntrain=pretrain/'; wrong 'x.table:14: \[row\] each: only with train=train'
change 's/^seed=7/seed=7\ntrain=none\nweights=x.weights/'; wrong 'x.table:14: \[row\] seed: is of a training, and train=none has none'
sed 's/^queries=3/queries=4/' "$t/toy.cfg" >"$t/other.cfg"
change "\$,/^label/!s#^cfg=.*#cfg=$t/other.cfg#"; change "0,/^cfg/s#^cfg=.*#cfg=$t/toy.cfg#"
wrong 'x.table:14: \[row\] cfg=.*other.cfg: its tasks have ways=2 and queries=4, those of line 8 2 and 3: must be equal'
change 's/^seed=7/method=magic/'; wrong 'x.table:18: \[row\] method=magic: must be maml, finetune, knn, svm, colour, relation or prototype'
change 's/^label=Two.*/label=One/'; wrong 'x.table:14: \[row\] label=One: repeated; first on line 8'
change 's/^label=Two.*/label=one!/'; wrong "x.table:14: \[row\] label=one!: as a file's name it is the same as One"
change 's/^seed=7/method=relation/'; wrong 'x.table:14: \[row\] method=relation: .*toy.cfg: has no \[relation\], which -method relation needs'
change "\$,/^label/!s#^cfg=.*#cfg=cfg/densenet.cfg#; s/^seed=7/train=pretrain/; 0,/^cfg/s#^cfg=.*#cfg=cfg/densenet.cfg#"
sed -i '0,/^shots=2,1/s//shots=2,1\ntrain=pretrain\nmethod=knn/' "$t/x.table"
wrong 'x.table:16: \[row\] method=maml: cfg/densenet.cfg:[0-9]*: \[softmax\]: gives 4 probabilities, but \[episode\] has ways=2: must be equal'
change "s#^cfg=.*#cfg=$t/none.cfg#"; wrong 'none.cfg: No such file'
change 's/^data=.*/data=none.data/'; wrong "x.table: data=none.data: can't be read, and needs= doesn't say what it is"
sed 's/^learning_rate=0.1/learning_rate=-1/' "$t/toy.cfg" >"$t/bad.cfg"
change "s#^cfg=.*#cfg=$t/bad.cfg#"; wrong 'bad.cfg:[0-9]*: \[inner_loop\] learning_rate=-1'
expect_error 'table: needs -out DIR' darknet meta table "$t/x.table"
expect_error '-only Three: must be a row.s label: One, Two' table -only Three
expect_error '-shots 3: must be a column of the table: 1, 2' table -shots 3
two='Two <b>&amp;"'"'"
expect_error '-shots 1: must be a column of that row: 2' table -only "$two" -shots 1
cells() { table -dry "$@" >"$t/said" && grep -cE '^(One|Two)' "$t/said"; }
check '-shots and -only choose cells of a table' test "$(cells -shots 1) $(cells -shots 2) $(cells -shots 2 -only One)" = '1 2 1'
expect_error "x.table/where: can't make the folder: Not a directory" darknet meta table "$t/x.table" -out "$t/x.table/where"
change 's/^seed=7/each=0/; s/^shots=2$/shots=1,2/'
check 'meta table -dry reads a row with each=0' dry
check 'a row with each=0 has the training of a row of as many shots' grep -q '^A table (.*): 4 cells, 2 rows, 2 trainings; ' "$t/said"
good

# A cell that fails does not keep the others from being run, and says why
check 'refused tables and -dry write nothing' test ! -e "$t/out"
change 's/^shots=2,1/shots=20,1/'
table >"$t/said" 2>"$t/err"
check 'meta table exits with 1 where a cell fails' test $? -eq 1
check 'meta table says which cell fails and why' grep -Eq "^darknet: One, 20 shots: .*has 16 images.*[(]status 1; $t/out/trainings/toy-" "$t/err" || cat "$t/err"
check 'meta table runs the other cells where one fails' test -s "$t/out/x-two-b-amp-2.json"
good
check 'meta table runs a table' table
expect_output '3 of 3 cells' table
check 'meta table prints two lines where all cells are done' test "$(table | wc -l)" -eq 2

# A classifier is trained without a valid list of other classes, unless the table asks for one.
sed '/^\[inner_loop\]/,$d; s/^output=2/output=4/' "$t/toy.cfg" >"$t/classifier.cfg"
{ sed '/^$/,$d' "$t/x.table"; printf '\n[row]\nlabel=One\ncfg=%s\ntrain=pretrain\nmethod=knn\nshots=2\n' "$t/classifier.cfg"; } >"$t/classifier.table"
check 'meta table trains a classifier beside a valid list of other classes' darknet meta table "$t/classifier.table" -out "$t/classifier"
sed -i 's/^runs=4/runs=4\nvalid_every=1/; s/^label=One/label=One\nseed=2/' "$t/classifier.table"
expect_error 'One, 2 shots: .*valid.list: has no image of the classes' darknet meta table "$t/classifier.table" -out "$t/classifier"

# Text of the file is text in the page
check 'meta report writes a page' darknet meta report "$t/out" -out "$t/x.html"
check 'the page escapes labels' grep -qF 'Two &lt;b&gt;&amp;amp;&quot;&#39;' "$t/x.html"
unescaped() { ! grep -q 'Two <b>' "$t/x.html"; }
check 'the page has no label that is not escaped' unescaped
check 'the page has the figure of the paper beside ours' grep -Eq 'paper 60.50: ours [+-][0-9.]+ <span class="interval">[+-][0-9.]+ to [+-][0-9.]+</span>, (above|below|no difference seen)</small>' "$t/x.html"
(cd "$t" && darknet meta report out -markdown) >"$t/x.md" 2>&1
estimate='-?[0-9.]+ \(-?[0-9.]+ to -?[0-9.]+\)' signed='[+-][0-9.]+ \([+-][0-9.]+ to [+-][0-9.]+\)' other='(-|-?[0-9.]+ to -?[0-9.]+)'
other_difference='(-|[+-][0-9.]+ to [+-][0-9.]+, (better|worse|no difference seen))'
check 'the Markdown has the figure of the paper, and no pair for the reference' grep -Eq "^\| One \| 1 \| $estimate \| $other \| $estimate \| 60\.50 \| $signed, (above|below|no difference seen) \| - \| - \| $estimate \|$" "$t/x.md"
check 'the Markdown escapes labels and pairs a row with the reference' grep -Eq "^\| Two \\\\<b\\\\>.* \| 2 \| $estimate \| $other \| $estimate \| \| \| $signed, (better|worse|no difference seen) \| $other_difference \| $estimate \|$" "$t/x.md"
check 'meta report -markdown writes no page' test ! -e "$t/report.html"
expect_error '-markdown writes no page: it takes no -out' darknet meta report "$t/out" -markdown -out "$t/y.html"
expect_error 'none: No such file' darknet meta report "$t/none"
mkdir "$t/empty"
expect_error 'empty: holds no table: `darknet meta table FILE -out .*empty` makes one' darknet meta report "$t/empty"
cp -r "$t/out" "$t/damaged"
head -c 100 "$t/out/x-one-2.json" >"$t/damaged/x-one-2.json"
expect_error 'damaged/x-one-2.json:[0-9]+: is not JSON' darknet meta report "$t/damaged"
expect_error 'x.html: is not a regular file|no-folder' darknet meta report "$t/out" -out "$t/no-folder/x.html"
if [ "$TEST_VARIANT" = release ]; then
    mkdir "$t/path"; for tool in bash env; do ln -s "$(command -v $tool)" "$t/path/$tool"; done
    without() { env PATH="$t/path" "$DARKNET_BIN" meta report "$t/out" -out "$t/y.html" 2>"$t/err"; }
    check 'meta report writes its page where gnuplot is not installed' without
    check 'meta report says in one line that the page has no curves' test "$(cat "$t/err")" = "darknet: $t/y.html: is written without curves: gnuplot is not installed"
fi
# gnuplot draws by our environment, whatever the user's is, and a gnuplot that fails takes figures alone away
figures() { grep -c '<svg ' "$1"; }
count=$(figures "$t/x.html")
check 'the page has figures' test "$count" -gt 3
check 'GNUTERM and a decimal comma change nothing of the page' sh -c "GNUTERM=qt GNUPLOT_LIB=/nowhere LC_ALL=de_DE.UTF-8 '$DARKNET_BIN' meta report '$t/out' -out '$t/z.html' && cmp '$t/x.html' '$t/z.html'"
mkdir "$t/broken"; printf '#!/bin/sh\nexit 1\n' >"$t/broken/gnuplot"; chmod +x "$t/broken/gnuplot"
broken() { PATH=$t/broken:$PATH "$DARKNET_BIN" meta report "$t/out" -out "$t/z.html" 2>"$t/err"; }
check 'meta report writes its page where gnuplot fails' broken
check 'meta report says in one line that gnuplot failed' test "$(cat "$t/err")" = "darknet: $t/z.html: is written without curves: gnuplot failed"
check 'the page says once why it has no curves' test "$(grep -c 'not drawn: gnuplot failed' "$t/z.html")" -eq 1
check 'a page without curves has all tables of one with them' test "$(grep -c '<td' "$t/z.html")" -eq "$(grep -c '<td' "$t/x.html")"
# What changes of a table do to results that are there
sed 's/^first=2/first=3/' "$t/x.table" >"$t/first.table"
cp -r "$t/out" "$t/other"
mv "$t/first.table" "$t/x.table"
other() { darknet meta table "$t/x.table" -out "$t/other" >/dev/null && darknet meta report "$t/other" -markdown >"$t/x.md"; }
means() { tr -d ' \t\n' <"$t/other/x-one-2.json" | grep -o '{"run":[^}]*}' | head -n "$1" | sed 's/.*"auc_after":\([^,]*\),.*/\1/' | awk '{ s += $1 } END { printf "%.2f", 100 * s / NR }'; }
first_of() { grep '^| One | 2 ' "$t/x.md" | cut -d'|' -f6 | awk '{ print $1 }'; }
check 'meta table and meta report run after first= is changed' other
check 'a changed first= applies to results that are there' test "$(means 3)" = "$(first_of)" -a "$(grep -c ' first 3 ' "$t/x.md")" -eq 1
good
change "s/^reference=.*/reference=Two <b>\&amp;\"'/"
check 'meta table and meta report run after reference= is changed' other
check 'results that are there are paired with a changed reference=' grep -Eq "^\| One \| 2 .*\| $signed, (better|worse|no difference seen) \| $other_difference \| $estimate \|$" "$t/x.md"
check 'a changed reference= is paired with nothing in the report' grep -Eq "^\| Two .*\| - \| - \| $estimate \|$" "$t/x.md"
check 'a changed reference= has no difference in its file' test "$(cat "$t"/other/x-two*.json | grep -c '"difference"')-$(grep -c '"difference"' "$t/other/x-one-2.json")" = 0-1
check 'meta report writes a page after reference= is changed' darknet meta report "$t/other" -out "$t/y.html"
check 'the page says where there is no reference of as many shots' test "$(grep -o 'no reference of as many shots</td>' "$t/y.html" | wc -l)" -eq 2
sed -i 's/"check":[^,]*,/"check": 5,/' "$t/other/x-one-2.json"
check 'meta table and meta report run with a difference of other AUCs' other
check 'a difference to a reference of other AUCs is made anew' test "$(grep -c '"check":.5,' "$t/other/x-one-2.json")" -eq 0
good
sed -i 's/^learning_rate=0.1/learning_rate=0.2/' "$t/toy.cfg"
darknet meta table "$t/x.table" -out "$t/other" -only "$two" >/dev/null
darknet meta report "$t/other" -markdown >"$t/x.md"
check 'the report has no difference to a reference whose settings have changed' grep -Eq "^\| Two .*\| the reference is to be run \| - \| $estimate \|$" "$t/x.md"
check 'the report says that the settings of the reference have changed' grep -Eq '^\| One \| 2 \| its settings have changed' "$t/x.md"
sed -i 's/^learning_rate=0.2/learning_rate=0.1/' "$t/toy.cfg"
cp -r "$t/out" "$t/kept"
mv "$t/toy.data" "$t/away.data"
sed -i 's/^first=2/first=2\nneeds=the toy/' "$t/x.table"
expect_error 'toy.data: isn.t there: needs the toy' darknet meta table "$t/x.table" -out "$t/kept"
check 'without the data an earlier plan of meta table stays as it is' cmp "$t/kept/x.json" "$t/out/x.json"
mv "$t/away.data" "$t/toy.data"
good

# A .cfg that is changed while the table runs
sed -i 's/^max_batches=2/max_batches=400/' "$t/toy.cfg"
darknet meta table "$t/x.table" -out "$t/changed" >"$t/said" 2>"$t/err" &
while kill -0 $! 2>/dev/null && ! grep -qs '^3,' "$t"/changed/trainings/*/toy.csv; do sleep .01; done
sed -i 's/^max_batches=400/max_batches=2/; s/^learning_rate=0.1/learning_rate=0.2/' "$t/toy.cfg"
wait $!
check 'meta table exits with 1 where a .cfg is changed while it runs' test $? -eq 1
check 'meta table says that a .cfg was changed while it ran' grep -q 'toy.cfg, the lists or the images have been changed since this table was begun: run it again' "$t/err"
check 'meta table keeps no result of a .cfg that was changed while it ran' test -z "$(ls "$t"/changed/x-two*.json 2>/dev/null)"
sed -i 's/^learning_rate=0.2/learning_rate=0.1/' "$t/toy.cfg"

# A folder of results belongs to one table and one set of images.
mkdir "$t/sub"
sed "s/^name=A table/name=Another/" "$t/x.table" >"$t/sub/x.table"
expect_error 'out/x.json: is of another table, .*/t/x.table: take another -out' darknet meta table "$t/sub/x.table" -out "$t/out" -dry
cp "$t/x.table" "$t/sub/x.table"
check 'meta table -dry reads a table that was moved' darknet meta table "$t/sub/x.table" -out "$t/out" -dry
image=$(head -n 1 "$t/test.list")
cp "$image" "$t/image"
printf x >>"$image"
expect_error 'toy.data: the images of its test list are not those that the results in .*/out are of: bring them back, or take another -out' table
expect_error 'toy.data: the images of its test list are not those' table -dry
cp "$t/image" "$image"
check 'meta table runs once the images are the same again' table

# The lock
exec 9>"$t/out/.lock"; flock 9; echo $$ >&9
expect_error '.lock: a table is being run in that folder' table
exec 9>&-

# The tables of data/tables
for file in data/tables/*.table; do
    name=$(basename "$file" .table)
    sed 's#^data=.*#data=/nowhere/x.data#' "$file" >"$t/$name.table"
    darknet meta table "$t/$name.table" -out "$t/none" -dry >"$t/said"
    check "$name.table: without its data each cell says what it needs" test "$(grep -c '  needs ' "$t/said")" -eq "$(sed -n '1s/.*: \([0-9]*\) cells.*/\1/p' "$t/said")"
done
expect_error '/nowhere/x.data: isn.t there: needs the Dermofit library' darknet meta table "$t/table3.table" -out "$t/none"
check 'meta report writes a page of a table whose data is missing' darknet meta report "$t/none" -out "$t/none.html"
check 'the page says of each cell that it needs the Dermofit library' test "$(grep -o '"none" data-column="[135] shots*">needs the Dermofit library' "$t/none.html" | wc -l)" -eq 9
figures() { awk -F= '/^paper=/ { print $2 }' "$1" | tr ',' '\n' | sort -n | tr '\n' ' '; }
check "table1.table has the paper's 24 figures" test "$(figures data/tables/table1.table)" = "50.00 56.07 58.49 58.57 59.97 61.46 61.68 62.69 62.87 63.77 64.21 67.33 67.44 68.05 68.13 72.40 73.65 75.90 77.98 78.40 79.60 81.20 82.05 83.30 "
check "table2.table has the paper's seven figures" test "$(figures data/tables/table2.table)" = "75.8 79.3 81.2 81.7 82.4 83.1 83.3 "
check "table3.table has the paper's nine figures" test "$(figures data/tables/table3.table)" = "63.00 63.20 63.33 74.03 76.10 77.15 80.70 81.80 82.76 "
check "scripts/smoke.sh runs" scripts/smoke.sh "$t/smoke"
check "cfg/smoke is what scripts/smoke.sh writes" test -z "$(for f in "$t"/smoke/*.cfg; do cmp -s "$f" "cfg/smoke/$(basename "$f")" || echo "$f"; done)" -a "$(ls "$t/smoke" | wc -l)" -eq 7
