#!/bin/bash
# rotations=4: trained as any other network, its weights are read by an ordinary one, and what meta adapt makes of it does not see turns.
. tests/lib.sh
. tests/toy.sh
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$TMP_TEST/out" 2>"$TMP_TEST/err"; }
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^filters=4/filters=16\nrotations=4/; s/^output=2/output=2\nrotations=4/; s/^learning_rate=0.1/learning_rate=0.01/' "$a/toy.cfg"
toy_twin "$a" "$whole"
cfg=$a/toy.cfg weights=$whole/backup/toy_final.weights
flags=(-seed 5 -backup_every 4 -valid_every 0)
check 'a network with rotations=4 trains' train "$whole" "${flags[@]}" -threads 1
check 'a network with rotations=4 trains on 3 threads' train "$a" "${flags[@]}" -threads 3
check 'a network with rotations=4 on 3 threads gets the same weights and state' same_end "$a" "$whole"
rm "$a"/backup/*
check 'a network with rotations=4 trains up to iteration 7' train "$a" "${flags[@]}" -max_batches 7
check 'a network with rotations=4 goes on' train "$a" "${flags[@]}" -resume
check 'a network with rotations=4 in parts ends as an unbroken run' same_end "$a" "$whole"
check 'meta check holds rotations=4 to its identities' quiet darknet meta check "$cfg"

# An ordinary network of the same layers: the file has all that it wants, and the outputs are the same.
grep -v '^rotations=' "$cfg" >"$a/plain.cfg"
predicted() { darknet meta predict "$1" "$weights" "$a/two.data" -raw -csv "$a"/images/c[67]_*.pgm; }
printf '%s\n' classes=2 "labels=$a/two.labels" "train=$a/few.list" >"$a/two.data"
printf 'c6_\nc7_\n' >"$a/two.labels"
grep -E '/c[67]_[0-3]\.pgm' "$a/test.list" >"$a/few.list"
check 'meta predict reads the weights with rotations=4' eval 'predicted "$cfg" >"$a/tied.csv"'
check 'meta predict reads the weights as an ordinary network' eval 'predicted "$a/plain.cfg" >"$a/plain.csv"'
check 'both give the same' cmp "$a/tied.csv" "$a/plain.csv"
check 'meta train trains the ordinary network' quiet darknet meta train "$a/toy.data" "$a/plain.cfg" "$weights" -max_batches 14 -valid_every 0 -name plain
expect_error 'plain_final.weights: \[(convolutional|connected)\] of line [0-9]+: rotations=4: its filters are not the quarter turns of one another: must be as meta train writes them$' \
    darknet meta predict "$cfg" "$a/backup/plain_final.weights" "$a/two.data" -raw "$a/images/c6_0.pgm"
sed 's/^rotations=4/rotations=1/' "$cfg" >"$a/x.cfg"
expect_error 'can.t resume: \[convolutional\] rotations \(section 3\) is 1, but was 4 in the checkpoint$' darknet meta train "$a/toy.data" "$a/x.cfg" -name toy -resume -seed 5 -backup_every 4 -valid_every 0

# Adapted, a classifier of stock sections answers alike for an image and its turns.
check 'meta adapt adapts a network with rotations=4' quiet darknet meta adapt "$a/two.data" "$cfg" "$weights" -out "$a/few"
check 'the .cfg that it writes has no rotations' eval '! grep -q rotations "$a/few.cfg"'
mkdir "$a/turned"
python3 - "$a" <<'END_OF_PYTHON'
import sys
a = sys.argv[1]
for k in range(2):
    pixels = open("%s/images/c6_%d.pgm" % (a, 8 + k), "rb").read()
    head, rows = pixels[:-144], [pixels[-144:][12 * y:12 * y + 12] for y in range(12)]
    for turn in range(4):
        open("%s/turned/c6_%d_%d.pgm" % (a, k, turn), "wb").write(head + b"".join(rows))
        rows = [bytes(rows[x][11 - y] for x in range(12)) for y in range(12)]
END_OF_PYTHON
darknet meta predict "$a/few.cfg" "$a/few.weights" "$a/two.data" "$a"/turned/*.pgm -csv >"$a/turned.csv" 2>/dev/null
spread() { awk -F, -v k="$1" 'index($1, "/c6_" k "_") { n++; if (n == 1 || $3 > most) most = $3; if (n == 1 || $3 < least) least = $3 } END { print n == 4 ? most - least : 9 }' "$a/turned.csv"; }
for k in 0 1; do
    check "the four turns of image $k have the same probabilities" awk "BEGIN { exit !($(spread $k) < 1e-5) }"
done
check 'the two images have not' awk -F, 'NR > 1 { if (NR == 2 || $3 > most) most = $3; if (NR == 2 || $3 < least) least = $3 } END { exit !(most - least > 1e-3) }' "$a/turned.csv"
darknet meta predict "$a/few.cfg" "$a/few.weights" "$a/two.data" "$a"/turned/c6_0_0.pgm -heat "$a/heat" >/dev/null 2>&1
check 'meta predict -heat draws a map with rotations=4' eval 'darknet meta predict "$cfg" "$weights" "$a/two.data" -raw "$a"/turned/c6_0_0.pgm -heat "$a/raw" >/dev/null 2>"$a/err" && ls "$a"/raw/* >/dev/null'

# What makes the promise empty is told.
notice() { darknet meta train "$a/toy.data" "$1" -max_batches 1 -valid_every 0 -name x 2>&1 | grep -q "$2"; }
sed 's/^width=12/width=11/; s/^height=12/height=11/; s/^stride=2/stride=2\npadding=0/' "$cfg" >"$a/x.cfg"
check 'a pool that leaves out a last row is told' notice "$a/x.cfg" '\[maxpool\] covers one side of its 11x11 maps otherwise than the other: the outputs of a turned image differ'
awk '/^rotations=4/ && seen++ { next } { print }' "$cfg" >"$a/x.cfg"
check 'a last layer that sees turns is told' notice "$a/x.cfg" '\[connected\]: its outputs change when the image turns'
check 'nothing is told of a whole network with rotations=4' eval '! notice "$cfg" rotations'
