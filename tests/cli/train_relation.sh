#!/bin/bash
# Relation Net: trained and tested by the program as any other network, the same from any number of threads and from parts.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
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

[relation]

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

[dropout]
probability=.05

[connected]
output=8
activation=leaky

[connected]
output=1
activation=logistic

[cost]

[inner_loop]
steps=0
test_steps=0
order=1

[meta_loss]
type=mean
END_OF_LAYERS
sed -i -e '/^\[convolutional\]/,$d; s/^learning_rate=.*/learning_rate=0.003/; s/^shots=2/shots=4/; s/^queries=3/queries=6/; s/^policy=.*/policy=constant/; /^steps=\|^scales=\|^burn_in=/d' "$a/toy.cfg"
cat "$TMP_TEST/layers" >>"$a/toy.cfg"
toy_twin "$a" "$whole"
iterations=24
flags=(-seed 5 -backup_every 4 -valid_every 10 -valid_runs 6 -max_batches $iterations)
check 'meta train trains a Relation Net' train "$whole" "${flags[@]}" -threads 1
for threads in 2 3; do
    check "a Relation Net trains on $threads threads" train "$a" "${flags[@]}" -threads $threads
    check "a Relation Net on $threads threads gets the same weights and state" same_end "$a" "$whole"
done
rm "$a"/backup/*
for part in 1 7 $iterations; do
    [ $part -eq 1 ] && resume= || resume=-resume
    check "a Relation Net trains the part up to iteration $part" train "$a" "${flags[@]/$iterations/$part}" -threads $((part % 3 + 1)) $resume
done
check 'a Relation Net in parts ends as an unbroken run' same_end "$a" "$whole"

# A Relation Net learns: on classes that it never saw, its AUC is far above that of a network that
# is not trained.
weights=$TMP_TEST/trained.weights
cp "$a/backup/toy_final.weights" "$weights"
auc() { "$DARKNET_BIN" meta test "$whole/toy.data" "$whole/toy.cfg" "$whole/backup/toy_final.weights" -runs 200 | awk '$1 == "AUC" { print $3; exit }'; }
if [ "$TEST_VARIANT" = release ]; then
    check 'a Relation Net trains for one iteration' train "$whole" -max_batches 1 -valid_every 0
    untrained=$(auc)
    check 'a Relation Net trains for 800 iterations' train "$whole" -max_batches 800 -valid_every 0
    trained=$(auc)
    check "a Relation Net's AUC of unseen classes rises from $untrained to $trained" \
        awk "BEGIN { exit !($trained > .9 && $untrained < .7) }"
fi
test_it() { "$DARKNET_BIN" meta test "$whole/toy.data" "$whole/toy.cfg" "$weights" -runs 12 "$@"; }
for threads in 1 3; do test_it -threads $threads -out "$TMP_TEST/$threads.json" >"$TMP_TEST/$threads.out"; done
check 'the test of a Relation Net does not depend on threads' cmp "$TMP_TEST/1.json" "$TMP_TEST/3.json"
check 'a Relation Net is tested with other shots than it was trained with' test_it -shots 1
test_it -backend reference -out "$TMP_TEST/reference.json" >"$TMP_TEST/out"
close() { "$DARKNET_BIN" meta compare "$TMP_TEST/1.json" "$TMP_TEST/reference.json" | grep -Eq -- '-?0\.00[0-9]+'; }
check 'the reference backend finds the same AUC of a Relation Net' close
expect_error '-steps 2: must be 0: \[relation\] takes no steps in a task$' test_it -steps 2
expect_error ': \[convolutional\] of line [0-9]+ is normalised behind the layer that pairs, .*: it has no statistics of the support set alone, as -bn support wants them$' test_it -bn support

# One task's gradient, on both backends
{
    for k in 0 1; do
        printf "support $k $a/images/c${k}_%d.pgm\n" 0 1 2 3
        printf "query $k $a/images/c${k}_%d.pgm\n" 4 5
    done
} >"$TMP_TEST/episode"
grad() { "$DARKNET_BIN" meta grad "$a/toy.data" "$a/toy.cfg" "$weights" -episode "$TMP_TEST/episode" -out "$TMP_TEST/$1.weights" -backend $1; }
expect_output '^\{"support_loss": \[\], "query_loss": 0\.[0-9]+, "meta_loss": 0\.[0-9]+, "weight": 1\}$' grad reference
check 'meta grad of a Relation Net runs on onednn' grad onednn

# The loss of squares of one is none of two, which is a mean of probabilities; all else of two times the same weights is as of one
has() { python3 - "$1" "$2" <<'END'
import json, math, sys
one, two = (json.load(open(p)) for p in sys.argv[1:])
assert 0 < one["query_loss"]["mean"] < 1 and (two.get("query_loss") or {"mean": None})["mean"] is None, two.get("query_loss")
for k in "auc_after", "nll", "brier":
    assert math.isclose(one[k]["mean"], two[k]["mean"], rel_tol=1e-6), k
END
}
check 'meta test writes the loss of one' test_it -out "$TMP_TEST/one.json"
two() { "$DARKNET_BIN" meta test "$whole/toy.data" "$whole/toy.cfg" -weights "$weights,$weights" -runs 12 -out "$TMP_TEST/two.json"; }
check 'and answers of two' two
check 'without a loss' has "$TMP_TEST/one.json" "$TMP_TEST/two.json"
