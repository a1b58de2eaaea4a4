#!/bin/bash
# A row that is trained on the images of a .data file of its own, and tested on those of the table's
. tests/lib.sh
. tests/toy.sh
. tests/table.sh
set -u
t=$TMP_TEST/t
no_charts
toy "$t"
sed -i 's/^max_batches=12/max_batches=4/' "$t/toy.cfg"
# Two classes become four of eight images each: those of even and of odd number.
mkdir "$t/sub"
for k in 0 1; do
    for i in $(seq 0 15); do ln -s "$t/images/c${k}_$i.pgm" "$t/sub/s${k}$((i % 2))_$i.pgm"; done
done
ls "$t"/sub/*.pgm >"$t/sub.list"
printf '%s\n' s00_ s01_ s10_ s11_ >"$t/sub.labels"
printf 'classes=4\nlabels=%s\ntrain=%s\nbackup=%s\n' "$t/sub.labels" "$t/sub.list" "$t/backup" >"$t/sub.data"
cat >"$t/x.table" <<END
[table]
name=Subclasses
data=$t/toy.data
runs=20
first=2
valid_every=2
reference=One

[row]
label=One
cfg=$t/toy.cfg
seed=1,2
each=0
shots=2

[row]
label=Sub
cfg=$t/toy.cfg
train_data=$t/sub.data
seed=1,2
each=0
shots=2,1

[row]
label=Sub, both
cfg=$t/toy.cfg
train_data=$t/sub.data
seed=1,2
each=0
ensemble=1
shots=2

[row]
label=Said
cfg=$t/toy.cfg
train_data=$t/toy.data
each=0
shots=2
END
change '0,/^train_data/s/^label=Sub$/&\ntrain=none\nweights=x.weights/; /^seed/d; /^each/d; /^ensemble/d'; wrong 'x.table:14: \[row\] train_data: is of a training, and train=none has none'
change 's/sub\.data/none.data/'; wrong "x.table:16: \[row\] train_data=.*none.data: can't be read, and needs= doesn't say what it is"
change 's/sub\.data/none.data/; s/^first=2/first=2\nneeds=a split/'
check 'meta table -dry of a table that lacks the file of a row runs' quiet table -dry
check 'and says which rows need it' test "$(grep ' needs a split$' "$t/said" | sed 's/   *.*//' | sort -u | tr '\n' ';')" = 'Sub, both;Sub, seed 1;Sub, seed 2;'
check 'the rows that do not need it are run' sh -c "! '$DARKNET_BIN' meta table '$t/x.table' -out '$t/out' >'$t/said' 2>'$t/err'"
check 'those that do fail by its name' test "$(grep -c "^darknet: Sub.*: $t/none.data: isn't there: needs a split$" "$t/err") $(ls "$t"/out/*.json | grep -c 'x-[os]')" = '5 3'
sed -i 's/^runs=20/runs=21/' "$t/x.table"
check 'another setting is run of them, too' sh -c "! '$DARKNET_BIN' meta table '$t/x.table' -out '$t/out' >'$t/said' 2>'$t/err'"
check 'and is on the page' sh -c "'$DARKNET_BIN' meta report '$t/out' -markdown | grep -q '^| One, seed 2 | 2 | [0-9]'"
cp "$t/kept" "$t/x.table"; rm -rf "$t/out"
change ''
for k in $(seq 8); do
    cp "$t/sub.data" "$t/sub$k.data"
    printf '\n[row]\nlabel=More %s\ncfg=%s\ntrain_data=%s\nshots=2\n' "$k" "$t/toy.cfg" "$t/sub$k.data" >>"$t/x.table"
done
wrong 'x.table:76: \[row\] train_data=.*sub7.data: a table must name at most 8 .data files'
change "s#^train_data=$t/sub.data#train_data=$t/few.data#"
sed 's/^train=.*//' "$t/sub.data" >"$t/few.data"
wrong 'few.data: has no train='

# A classifier of other classes than its list has is refused before anything runs
sed '/^\[inner_loop\]/,$d; s/^output=2/output=4/' "$t/toy.cfg" >"$t/classifier.cfg"
printf '\n[row]\nlabel=Known\ncfg=%s\ntrain=pretrain\nmethod=knn\nshots=2\n' "$t/classifier.cfg" >"$t/known"
change ''; cat "$t/known" >>"$t/x.table"
check 'meta table -dry reads a classifier of the classes of the table' quiet table -dry
head -n 12 "$t/sub.list" >"$t/three.list"; sed "s#^train=.*#train=$t/three.list#" "$t/sub.data" >"$t/three.data"
echo "train_data=$t/three.data" >>"$t/x.table"
wrong 'x.table:40: \[row\] cfg=.*classifier.cfg: gives 4 probabilities, but the train list of .*three.data has images of 2 classes: must be equal'

check 'meta table -dry reads rows with train_data' quiet table -dry
check 'the table'"'"'s own file by name is the same training' grep -q ': 8 cells, 6 rows, 4 trainings; ' "$t/said"
check 'meta table runs them' quiet table
final() { grep -l "^train = $t/$1\$" "$t"/out/trainings/*/toy.data | sed 's/toy.data$/toy_final.weights/'; }
check 'two trainings read the file of their row, two that of the table' test "$(final sub.list | wc -l) $(final train.list | wc -l)" = '2 2'
check 'meta train by hand on the row'"'"'s file runs' quiet darknet meta train "$t/sub.data" "$t/toy.cfg" -seed 2 -name by-hand
by_hand() { for w in $(final sub.list); do cmp -s "$w" "$t/backup/by-hand_final.weights" && return; done; return 1; }
check 'and gives the weights of one of the two' by_hand
watched() { awk -F, 'NR > 1 && $8 != "" { n++ } END { print n + 0 }' "$(dirname "$1")/toy.csv"; }
each_watched() { for w in $(final "$1"); do watched "$w"; done | sort -u; }
check 'a training is watched on the valid list of its own file alone' test "$(each_watched sub.list) $(each_watched train.list)" = '0 2'
tasks() { tr -d ' \t\n' <"$1" | grep -o '{"run":[^}]*}'; }
check 'meta test by hand of the table'"'"'s file runs' quiet darknet meta test "$t/toy.data" "$t/toy.cfg" "$t/backup/by-hand_final.weights" -runs 20 -shots 2 -out "$t/hand.json"
check 'its tasks are those of the row' test "$(tasks "$t/hand.json")" = "$(tasks "$t/out/x-sub-seed-2-2.json")"
check 'which are not those of the same seed without' test "$(tasks "$t/hand.json")" != "$(tasks "$t/out/x-one-seed-2-2.json")"
check 'a row of the table'"'"'s own file has what the row without one has' test "$(tasks "$t/out/x-said-2.json")" = "$(tasks "$t/out/x-one-seed-1-2.json")"
check 'meta table runs again' quiet table
check 'and has nothing to do' test "$(wc -l <"$t/said")" -eq 2
check 'meta report writes a page' quiet darknet meta report "$t/out" -out "$t/x.html"
check 'the page says what a row is trained by' grep -q "<td data-column=\"training\">train on $t/sub.data</td>.*<td data-column=\"test\">maml, as one answer of seeds 1, 2</td>" "$t/x.html"

# The row's images are part of what its results depend on, the table's train list is not
sed -i 1d "$t/sub.list"
check 'meta table -dry of another list runs' quiet table -dry
check 'the rows of it are to be made again' test "$(grep 'again: ' "$t/said" | sed 's/  .*//' | sort -u | tr '\n' ';')" = 'Sub, both;Sub, seed 1;Sub, seed 2;'
ls "$t"/sub/*.pgm >"$t/sub.list"
sed -i '$d' "$t/train.list"
check 'meta table -dry of another train list of the table runs' quiet table -dry
check 'the rows without are' test "$(grep 'again: ' "$t/said" | sed 's/  .*//' | sort -u | tr '\n' ';')" = 'One, seed 1;One, seed 2;Said;'
mv "$t/images/c0_0.pgm" "$t/first.pgm"; cp "$t/images/c7_0.pgm" "$t/images/c0_0.pgm"
expect_error "sub.data: the images of its train list are not those that the results in $t/out are of" table

# A file that goes while the table runs is another row's concern
cp "$t/kept" "$t/x.table"; rm -rf "$t/out"; mv "$t/first.pgm" "$t/images/c0_0.pgm"
printf '#!/bin/sh\nrm -f "%s"\nexec "$@"\n' "$t/gone.data" >"$t/launcher"
chmod +x "$t/launcher"
cp "$t/sub.data" "$t/gone.data"
sed -i "s#^train_data=$t/sub.data#train_data=$t/gone.data#" "$t/x.table"
check 'meta table runs the rows that do not need a file that has gone' quiet table -only One -launcher "$t/launcher"
check 'and that of the other rows is not made' test ! -e "$t/gone.data" -a "$(ls "$t/out/trainings" | wc -l)" -eq 2

# What a row has learned from is told where it is tested on it
cp "$t/kept" "$t/x.table"; rm -rf "$t/out"
shared='darknet: warning: .*test.list: 1 of its 32 images is in .*sub.list, too'
check 'meta test without a common image runs' quiet darknet meta test "$t/toy.data" "$t/toy.cfg" "$t/backup/by-hand_final.weights" -runs 2 -train_data "$t/sub.data"
check 'and tells none' test "$(grep -c warning "$t/err")" -eq 0
ln -s "$t/images/c6_0.pgm" "$t/sub/s00_99.pgm"
ls "$t"/sub/*.pgm >"$t/sub.list"
check 'meta test -train_data tells which images the weights have learned from' sh -c "'$DARKNET_BIN' meta test '$t/toy.data' '$t/toy.cfg' '$t/backup/by-hand_final.weights' -runs 2 -train_data '$t/sub.data' 2>&1 >'$t/said' | grep -q '^$shared'"
expect_error 'none.data: No such file' darknet meta test "$t/toy.data" "$t/toy.cfg" "$t/backup/by-hand_final.weights" -runs 2 -train_data "$t/none.data"
check 'meta table runs such a row' quiet table -only Sub -shots 1
check 'and has its log say so' sh -c "grep -q '$shared' '$t'/out/logs/x-sub-seed-1-1.txt"
check 'and says so itself' test "$(grep -c "^$shared" "$t/err")" -eq 1
rm "$t/out/x-sub-seed-1-1.json"
check 'meta table tests it again, and its other cells' quiet table -only Sub
check 'it says the same once' test "$(grep -c "^$shared" "$t/err"),$(grep -c ' AUC ' "$t/said")" = 1,3
