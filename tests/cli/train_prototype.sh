#!/bin/bash
# Prototypical networks: trained, tested, and adapted to a classifier that any Darknet reads.
. tests/lib.sh
. tests/toy.sh
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$TMP_TEST/out"; }
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i -e '/^\[dropout\]/,$d; s/^filters=4/filters=16/; s/^shots=2/shots=4/; s/^queries=3/queries=6/; s/^learning_rate=.*/learning_rate=0.003/; s/^policy=.*/policy=constant/; /^steps=\|^scales=\|^burn_in=/d' "$a/toy.cfg"
cat >"$TMP_TEST/layers" <<'END_OF_LAYERS'
[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=relu

[maxpool]
size=2
stride=2

[prototype]

[softmax]

[inner_loop]
steps=0
test_steps=0
order=1

[meta_loss]
type=mean
END_OF_LAYERS
cat "$TMP_TEST/layers" >>"$a/toy.cfg"
toy_twin "$a" "$whole"
cfg=$a/toy.cfg iterations=24
flags=(-seed 5 -backup_every 4 -valid_every 10 -valid_runs 6 -max_batches $iterations)
check 'meta train trains a prototypical network' train "$whole" "${flags[@]}" -threads 1
check 'a prototypical network trains on 3 threads' train "$a" "${flags[@]}" -threads 3
check 'a prototypical network on 3 threads gets the same weights and state' same_end "$a" "$whole"
rm "$a"/backup/*
check 'a prototypical network trains up to iteration 7' train "$a" "${flags[@]/$iterations/7}"
check 'a prototypical network goes on' train "$a" "${flags[@]}" -resume
check 'a prototypical network in parts ends as an unbroken run' same_end "$a" "$whole"
check 'meta check holds a prototypical network to its identities' quiet darknet meta check "$cfg"

weights=$TMP_TEST/trained.weights
cp "$a/backup/toy_final.weights" "$weights"
test_it() { darknet meta test "$a/toy.data" "$cfg" "$weights" -runs 12 "$@"; }
if [ "$TEST_VARIANT" = release ]; then
    auc() { darknet meta test "$a/toy.data" "$cfg" "$1" -runs 200 | awk '$1 == "AUC" { print $3; exit }'; }
    check 'a prototypical network trains for one iteration' train "$a" -max_batches 1 -valid_every 0
    trained=$(auc "$weights") untrained=$(auc "$a/backup/toy_final.weights")
    check "a prototypical network's AUC of unseen classes rises from $untrained to $trained" awk "BEGIN { exit !(1 - $trained < (1 - $untrained) / 3) }"
fi
check 'meta test tests a prototypical network' test_it -out "$a/a.json"
check '-method prototype is its default' test_it -method prototype -out "$a/b.json"
check 'both results are the same' cmp "$a/a.json" "$a/b.json"
check 'the result names the method' grep -q '"method":.*"prototype"' "$a/a.json"
check 'a prototypical network is tested with other shots' test_it -shots 1
check 'a prototypical network is tested with rolling statistics' test_it -bn running -out "$a/running.json"
check "a prototypical network is tested with the support set's statistics" test_it -bn support -out "$a/support.json"
check 'temperatures of a prototypical network are learned' quiet darknet meta calibrate "$a/toy.data" "$cfg" "$weights" -runs 20
check 'there is one for each kind of statistics' test "$(grep -Ec '^(batch|support) ' "$TMP_TEST/trained.temperature")" -eq 6
rm "$TMP_TEST/trained.temperature"
expect_error '-steps 2: must be 0: \[prototype\] takes no steps in a task$' test_it -steps 2
expect_error 'toy.cfg:[0-9]+: \[prototype\]: pairs the images of a task, which -method maml knows nothing of; allowed: -method prototype$' test_it -method maml
expect_error 'toy.cfg:[0-9]+: \[prototype\]: pairs the images of a task, which -method relation does otherwise; allowed: -method prototype$' test_it -method relation

# Three classes, though the tasks of the training had two: meta adapt writes a classifier of ordinary sections.
grep -E '/c[567]_[0-3]\.pgm' "$a/valid.list" "$a/test.list" -h >"$a/few.list"
grep -E '/c[567]_(4|5|6|7)\.pgm' "$a/valid.list" "$a/test.list" -h >"$a/asked.list"
printf 'c5_\nc6_\nc7_\n' >"$a/few.labels"
printf '%s\n' classes=3 "labels=$a/few.labels" "train=$a/few.list" >"$a/few.data"
for bn in support running; do
    check "meta adapt -bn $bn takes three classes" quiet darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/few-$bn" -bn $bn
    check "the .cfg of -bn $bn has no section of ours" test "$(grep -c '^\[prototype\]\|^\[inner_loop\]\|^\[episode\]\|^\[meta_loss\]' "$a/few-$bn.cfg")" = 0
    check "its last layer has three outputs" grep -qx 'output=3' "$a/few-$bn.cfg"
    # shellcheck disable=SC2046
    predict() { darknet meta predict "$a/few-$bn.cfg" "$a/few-$bn.weights" "$a/few.data" -csv $(cat "$a/asked.list"); }
    check "meta predict reads the classifier of -bn $bn" eval 'predict >"$a/answers-$bn.csv" 2>/dev/null'
    check "the classifier of -bn $bn is right more often than not" awk -F, 'NR > 1 { n++; right += index(part[split($1, part, "/")], $2) == 1 } END { exit !(n == 12 && right >= 7) }' "$a/answers-$bn.csv"
done
expect_error '3 steps: must be 0: \[prototype\] takes no steps in a task$' darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/x" -steps 3
expect_error 'toy.cfg:[0-9]+: \[prototype\]: the network learns its 2 classes from images of each task' darknet meta predict "$cfg" "$weights" "$a/few.data" "$a/images/c5_0.pgm"
