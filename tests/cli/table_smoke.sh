#!/bin/bash
# The smoke table from end to end: every method and every option of the ablations, stopped on the
# way and gone on with, and its report
. tests/lib.sh
set -u
t=$TMP_TEST
smoke=data/tables/smoke.table
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$t/out" 2>"$t/err"; }
if ! quiet scripts/fashion-mnist.sh "$t/fashion" 40; then test_failed 'scripts/fashion-mnist.sh makes the images' "$t/err"; exit 1; fi
data=$t/fashion/fashion.data

# The row of MAML gets a training long enough to be stopped, and two rows that share its beginnings
# are added; the rest is the smoke table.
sed 's/^max_batches=.*/max_batches=90/' cfg/smoke/maml.cfg >"$t/maml.cfg"
sed "s#^cfg=cfg/smoke/maml.cfg#cfg=$t/maml.cfg#" $smoke >"$t/smoke.table"
for start in 46 60; do
    sed "s/^max_batches=.*/max_batches=90/; s/^start=.*/start=$start/" cfg/smoke/daml.cfg >"$t/daml-from-$start.cfg"
    printf '\n[row]\nlabel=DAML from %d\ncfg=%s\nshots=5\n' $start "$t/daml-from-$start.cfg" >>"$t/smoke.table"
done
table() { darknet meta table "$t/smoke.table" -out "$1" -data "$data" "${@:2}"; }
say() { [ "$(cat "$t/out")" = "$1" ] || { cat "$t/out"; return 1; }; }
ranks() { tr -d ' \t\n' <"$1" | grep -o '{"run":[^}]*}'; }
same_tasks() { [ -n "$(ranks "$1")" ] && [ "$(ranks "$1")" = "$(ranks "$2")" ]; }
json() { tr -d ' \t\n' <"$1"; }
rows_of() { cat "$1"/trainings/$2-*/maml.csv 2>/dev/null | grep -c '^[0-9]'; }      # of MAML's trainings that match $2

# -dry does nothing
check 'meta table -dry reads the smoke table' quiet table "$t/a" -dry
check '-dry prints every cell' test "$(grep -cE '^(Features|Finetune|Relation|MAML|Task|DAML|Residual|eta).* (5|1) ' "$t/out")" -eq 18
check '-dry marks the trainings that rows share' test "$(grep -c 'the same as above' "$t/out")" -eq 4
check '-dry prints the expected hours' grep -Eq '^Expected on [0-9]+ threads?: .* \([0-9.]+ hours\)$' "$t/out"
check '-dry prints where the expected hours come from' grep -Eq '^arithmetic: counted, at 90% of the [0-9.]+ GFLOP/s' "$t/out"
check '-dry writes nothing' test ! -e "$t/a"

# One row alone, unbroken: the whole table has to give the same result.
check 'meta table -only MAML runs' quiet table "$t/one" -only MAML
check '-only MAML writes the result of its cell' test -s "$t/one/smoke-maml-5.json"
check '-only MAML writes no other result' test "$(ls "$t"/one/smoke-*.json | wc -l)" -eq 1
check 'meta table leaves no file that is half written' test -z "$(find "$t/one" -name '*.part' -o -name '*.tmp.*')"
check 'each training has its files in a folder of its own' test "$(ls "$t/fashion/backup" | wc -l):$(ls -d "$t"/one/trainings/maml-* | wc -l)" = 0:1
check 'meta report runs on a table of which one row is done' quiet darknet meta report "$t/one" -out "$t/one.html"
check 'the report says which cells are not yet run' test "$(grep -o 'not yet run' "$t/one.html" | wc -l)" -ge 15
[ "$TEST_VARIANT" = release ] || exit 0

# The table is stopped in a training. SIGINT is handed on, and the training saves; after kill -9 the
# training saves as well, as it has lost its parent.
started()                 # maml or beginning-of-maml, ROWS: until that training has so many
{
    "$DARKNET_BIN" meta table "$t/smoke.table" -out "$t/a" -data "$data" >"$t/run" 2>"$t/err" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(rows_of "$t/a" "$1")" -lt "$2" ]; do sleep .005; done
}
set -m
interrupted()
{
    local status
    started "$1" "$2"
    kill -INT $pid
    wait $pid
    status=$?
    echo "status $status"; cat "$t/run" "$t/err"
    [ $status -eq 130 ] && tail -n 1 "$t/run" | grep -q '^Stopped by signal 2 at MAML, 5 shots: the same command goes on$' && [ ! -s "$t/err" ] &&
        [ -s "$(echo "$t"/a/trainings/$1-*/maml.state)" ] && ! ls "$t"/a/trainings/$1-*/maml_final.weights 2>/dev/null
}
killed()
{
    started "$1" $(($(rows_of "$t/a" "$1") + $2))
    kill -9 $pid
    wait $pid
    [ $? -eq 137 ] && ! [ -e "$t/a/smoke-maml-5.json" ] && ! ls "$t"/a/trainings/$1-*/maml_final.weights 2>/dev/null
}
check 'meta table saves and stops at SIGINT in a beginning' interrupted beginning-of-maml 3
check 'meta table is stopped by kill -9 in the same beginning' killed beginning-of-maml 3
check 'meta table saves and stops at SIGINT in a training that goes on from there' interrupted maml 62
check 'meta table is stopped by kill -9 in the same training' killed maml 3
set +m
check 'meta table goes on to the end after SIGINT and kill -9' quiet table "$t/a"
check 'meta table goes on without an error after SIGINT and kill -9' test ! -s "$t/err"
check 'every cell of the smoke table has its result' test "$(tail -n 1 "$t/out")" = "18 of 18 cells have their results in $t/a"
check 'cells that are done are not run again' test "$(grep -c 'Features + KNN' "$t/out")" -eq 0
check 'the training that was stopped is resumed' grep -q '^Resuming .*maml.state at iteration' "$t"/a/trainings/maml-*/log.txt
check 'the beginning that was stopped is resumed' grep -q '^Resuming .*maml.state at iteration' "$t"/a/trainings/beginning-of-maml-*/log.txt
goes_on() { grep -qh "^Forking .*/beginning-of-maml-.*maml.state at iteration $2\$" "$t"/a/trainings/$1-*/log.txt; }
check 'DAML from 46 forks the beginning of MAML at iteration 45' goes_on daml-from-46 45
check 'the longer beginning of MAML forks the shorter one at iteration 45' goes_on beginning-of-maml 45
check 'DAML from 60 forks the beginning of MAML at iteration 59' goes_on daml-from-60 59
check 'MAML, which weighs no task, forks its beginning at iteration 59' goes_on maml 59
check 'each training of the smoke table is made once' test "$(ls -d "$t"/a/trainings/* | grep -vc beginning-of)" -eq 14

# The trainings of DAML and of the rows of eta are one before start=12.
begun=("$t"/a/trainings/beginning-of-[!m]*)
check 'the beginning that DAML and rows of eta share is trained once' test ${#begun[@]} -eq 1 -a "$(grep -h '^[0-9]*:' "$begun/log.txt" | tail -n 1 | cut -d: -f1)" = 11
check 'four trainings fork the beginning that DAML and rows of eta share' test "$(grep -l "^Forking $begun/.*state at iteration 11" "$t"/a/trainings/*/log.txt | wc -l)" -eq 4
daml=$(dirname "$(grep -l '^Forking' "$t"/a/trainings/daml-????????/log.txt)")
alone()                   # FOLDER NAME: that training, without what it shares
{
    mkdir -p "$t/alone" && sed "s#^backup = .*#backup = $t/alone#" "$1/$2.data" >"$t/alone.data" &&
        quiet darknet meta train "$t/alone.data" "$1/$2.cfg" -seed 1 -valid_every 0
}
for name in daml daml-from-46 daml-from-60 maml; do
    folder=$daml
    [ $name = daml ] || folder=$(echo "$t"/a/trainings/$name-????????)
    check "$name trains alone" alone "$folder" $name
    check "$name has the same weights forked as alone" cmp "$t/alone/${name}_final.weights" "$folder/${name}_final.weights"
    check "$name has the same log forked as alone, but for seconds" cmp <(cut -d, -f1-5 "$t/alone/$name.csv") <(cut -d, -f1-5 "$folder/$name.csv")
done
for k in 1 5; do check "DAML is trained for $k shots" grep -qx "shots=$k" "$t"/a/trainings/daml-*/daml.cfg; done
check "MAML has the same results after SIGINT and kill -9 as unbroken" same_tasks "$t/a/smoke-maml-5.json" "$t/one/smoke-maml-5.json"
check 'the row eta=5 has the results of DAML' same_tasks "$t/a/smoke-eta-5-5.json" "$t/a/smoke-daml-5.json"
other_seed() { ! same_tasks "$t/a/smoke-daml-seed-2-5.json" "$t/a/smoke-daml-5.json"; }
check 'DAML with another seed has other results' other_seed
images() { ranks "$1" | grep -o '"images":"[^"]*"'; }
check 'every cell is tested on the same tasks' test "$(for f in "$t"/a/smoke-*-5.json; do images "$f" | md5sum; done | sort -u | wc -l)" -eq 1
for what in sampler=curriculum eta=1 eta=3 eta=7 type=mean '\[shortcut\]' '\[relation\]'; do
    check "a row is trained with $what" grep -q "^$what" "$t"/a/trainings/*/*.cfg
done

# The figures of a result
first_mean() { ranks "$1" | head -n 30 | sed 's/.*"auc_after":\([^,]*\),.*/\1/' | awk '{ s += $1 } END { printf "%.2f", 100 * s / NR }'; }
reported_first() { "$DARKNET_BIN" meta report "$t/a" -markdown | awk -F'|' -v row="$1" '$2 == " " row " " && $3 == 5 { split($6, w, " "); print w[1] }'; }
check 'the report has the mean of the first 30 tasks' test "$(first_mean "$t/a/smoke-daml-5.json")" = "$(reported_first DAML)"
check 'meta compare compares two cells' quiet darknet meta compare "$t/a/smoke-daml-5.json" "$t/a/smoke-relation-net-5.json"
difference() { json "$1" | grep -o '"difference":{[^{}]*' | grep -o "\"$2\":[^,}]*" | sed 's/.*://'; }
differs_as() { local d; d=$(difference "$1" mean) && grep -q "^B - A  $(awk "BEGIN { printf \"%+.4f\", $d }"), 95% interval $(awk "BEGIN { printf \"%+.4f to %+.4f\", $(difference "$1" low), $(difference "$1" high) }")" "$t/out"; }
check 'the paired difference of a cell is that of meta compare' differs_as "$t/a/smoke-relation-net-5.json"
check 'the paired difference of a cell has its plain word' test "$(difference "$t/a/smoke-relation-net-5.json" word)" = '"worse"'
by_group() { grep -q "^   of other groups: $(json "$1" | sed 's/.*"difference":{[^{}]*"other_groups":{"redrawn":"[^"]*","low":\([^,]*\),"high":\([^,]*\),.*/\1 \2/' | awk '{ printf "%+.4f to %+.4f", $1, $2 }') (the [0-9]* groups of" "$t/out"; }
check 'the difference of a cell over other groups is that of meta compare' by_group "$t/a/smoke-relation-net-5.json"
check 'the reference has no paired difference' test -z "$(difference "$t/a/smoke-daml-5.json" mean)"
check 'a result has the time and memory of its test' grep -Eq '"test_seconds":[0-9.]+,"test_memory_mb":[0-9.]+' <(json "$t/a/smoke-daml-5.json")

# A finished table has nothing to do. A changed .cfg makes its row run again, and -dry says why.
before=$(cat "$t"/a/*.json | md5sum)
check 'meta table runs where every cell is done' quiet table "$t/a"
check 'meta table changes nothing where every cell is done' test "$(cat "$t"/a/*.json | md5sum)" = "$before" -a "$(wc -l <"$t/out")" -eq 2
sed -i 's/^learning_rate=0.003/learning_rate=0.004/' "$t/maml.cfg"
check 'meta table -dry runs after a .cfg is changed' quiet table "$t/a" -dry
check '-dry says what has changed in the .cfg' test "$(grep -c 'again: .net. learning_rate .section 1. is 0.004, but was 0.003$' "$t/out")" -eq 1
check '-dry expects the hours of a changed row from logs of others' grep -q 'logs of others' "$t/out"
check 'meta report still writes a page of the old plan' quiet darknet meta report "$t/a" -out "$t/a.html"

# The report in a browser
for text in 'Smoke: Fashion-MNIST' 'Paired with DAML' 'no difference seen' 'Features + SVM' 'first 30 tasks' 'other groups:' 'paper 81.20' 'The difficulty-aware loss DA(L)' 'Fine-tuning: test AUC by epoch' 'ROC at 5 shots' \
    'Pair of classes by pair' 'sneaker &ndash; bag' 'Time and memory' 'Settings and seeds' 'iteration' 'prefers-color-scheme:dark' '@media print'; do
    check "the report has: $text" grep -qF "$text" "$t/a.html"
done
check 'the report has eleven figures' test "$(grep -c '^<figure' "$t/a.html")" -eq 11
needs_nothing() { ! grep -Eqi '(src|href)="?(http|//|[a-z])|@import|url\(|<script' "$t/a.html"; }
check 'the report needs no other file, and has no script' needs_nothing
browser() { timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --user-data-dir="$t/profile" --enable-logging=stderr --window-size="$2",800 --dump-dom "file://$1" >"$t/dom" 2>"$t/console"; }
if command -v chromium >/dev/null; then
    # A script that the test adds writes into the page's title what the page looks like.
    sed 's#</body>#<script>var n = 0; document.querySelectorAll("svg").forEach(function (s) { if (s.getBoundingClientRect().width > 200 \&\& s.querySelectorAll("path").length > 9) n++ });\
        document.title = "drawn " + n + ", tables " + document.querySelectorAll("table").length + ", too wide by " + Math.max(0, document.documentElement.scrollWidth - innerWidth)</script></body>#' \
        "$t/a.html" >"$t/measured.html"
    check 'chromium opens the report, as wide as a tablet' browser "$t/measured.html" 800
    check 'nothing of the report is too wide for a tablet' grep -q 'too wide by 0</title>' "$t/dom"
    check 'chromium opens the report, as wide as a phone' browser "$t/measured.html" 390
    check 'chromium draws every figure and table of the report, nothing too wide' grep -q '<title>drawn 9, tables 7, too wide by 0</title>' "$t/dom"
    no_errors() { ! grep -E 'CONSOLE|Uncaught' "$t/console"; }
    check 'the report writes nothing on the console of chromium' no_errors
else
    skip 'the report in a browser' 'chromium is not installed'
fi
