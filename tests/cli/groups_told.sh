#!/bin/bash
# What is said of groups: a CSV that can't be read, or whose columns are others, images without a group, and columns that are not read.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cd "$a" || exit 1
train . -max_batches 20 -valid_every 0 || test_failed 'meta train makes the network to adapt' err
meta() { "$DARKNET_BIN" meta "$@"; }
quiet() { "$@" >out 2>err; }
mkdir -p few/six few/seven new/six new/seven
cp images/c6_[0-2].pgm few/six; cp images/c7_[0-2].pgm few/seven; cp images/c6_[3-9].pgm new/six; cp images/c7_[3-9].pgm new/seven
adapt() { meta adapt few toy.cfg backup/toy_final.weights -out k "$@"; }
check 'meta adapt makes a classifier' quiet adapt
evaluate() { meta evaluate k.cfg k.weights new "$@"; }

# A CSV that can't be read
for verb in evaluate adapt 'meta lists few lists'; do
    expect_error '^darknet: -groups nosuch.csv: No such file or directory$' $verb -groups nosuch.csv
    expect_error '^darknet: -groups few: is not a regular file$' $verb -groups few
    expect_error '^darknet: -groups /dev/null: is not a regular file$' $verb -groups /dev/null
    expect_error "^darknet: -groups '': is no file: must be a CSV, or folders\$" $verb -groups ''
done
meta doctor adapt few toy.cfg backup/toy_final.weights -groups nosuch.csv >out 2>&1
check 'the doctor names the flag, too' grep -Eq '^wrong +data +-groups nosuch.csv: No such file or directory$' out

