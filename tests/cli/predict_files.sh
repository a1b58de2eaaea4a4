#!/bin/bash
# meta predict: networks that are not adapted, files of a folder that are not read, images unlike those that a network knows.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
train "$a" -max_batches 60 -valid_every 0 || test_failed 'meta train makes the network' "$a/err"
cfg=$a/toy.cfg weights=$a/backup/toy_final.weights
meta() { "$DARKNET_BIN" meta "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
printf 'c6_\nc7_\n' >"$a/two"
grep -E '_[0-4]\.pgm' "$a/test.list" >"$a/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two" "$a/few.list" >"$a/few.data"
few=$a/few.data
predict() { meta predict "$a/k.cfg" "$a/k.weights" "$few" "$@"; }
check 'meta adapt makes a classifier' quiet meta adapt "$few" "$cfg" "$weights" -out "$a/k"
check 'meta adapt finds the toy images like those of the meta-training' test ! -s "$a/err"

# Not adapted
expect_error 'toy.cfg:[0-9]+: \[episode\]: the network learns its 2 classes .*`meta adapt` makes a classifier of it; -raw' meta predict "$cfg" "$weights" "$few" "$a/images/c6_1.pgm"
check 'meta predict -raw predicts nevertheless' quiet meta predict "$cfg" "$weights" "$few" "$a/images/c6_1.pgm" -raw -csv
check 'what it predicts is that of no adaptation' bash -c "'$DARKNET_BIN' meta adapt '$few' '$cfg' '$weights' -out '$a/none' -steps 0 -bn running >/dev/null && '$DARKNET_BIN' meta predict '$a/none.cfg' '$a/none.weights' '$few' '$a/images/c6_1.pgm' -csv | paste -d, - '$a/out' |
    awk -F, 'NR == 2 { d = \$3 - \$7; exit !(d < 1e-5 && d > -1e-5) }'"
check 'a classifier that is adapted needs no -raw' quiet predict "$a/images/c6_1.pgm"
c=$TMP_TEST/c
toy "$c"
toy_supervised "$c"
pretrain "$c" -max_batches 3 -valid_every 0 || test_failed 'meta pretrain makes a network' "$c/err"
printf 'c0_\nc1_\nc2_\nc3_\n' >"$c/four"
printf 'classes=4\nlabels=%s\n' "$c/four" >"$c/four.data"
check 'a network of meta pretrain, whose outputs are classes, needs no -raw, with [episode] or not' quiet meta predict "$c/toy.cfg" "$c/backup/toy_final.weights" "$c/four.data" "$c/images/c0_1.pgm"

# Files of a folder
d=$a/folder
mkdir -p "$d/more"
cp "$a/images/"c6_[0-4].pgm "$d"
cp "$a/images/c6_9.pgm" "$d/c6_9.gif"
echo text >"$d/notes.doc"
echo hidden >"$d/.hidden"
check 'meta predict reads the images of a folder' quiet predict "$d" -csv
check 'it predicts the five images alone' test "$(wc -l <"$a/out")" -eq 6
check 'it names the files that it does not read, and counts them' bash -c "grep -q 'c6_9.gif: not read: its name ends in none of .jpg' '$a/err' && grep -q 'notes.doc: not read' '$a/err' && grep -q '^darknet: warning: 2 of 7 files were not read' '$a/err' && test \$(wc -l <'$a/err') -eq 3"
status=0; predict "$d" -strict >"$a/out" 2>"$a/err" || status=$?
check '-strict predicts all the same, and ends with 1' test $status -eq 1 -a "$(grep -c Predicted "$a/out")" -eq 5
rm "$d/c6_9.gif" "$d/notes.doc"
check '-strict ends with 0 where every file was read' quiet predict "$d" -strict
check 'and nothing is said' test ! -s "$a/err"
echo 'no image' >"$d/c6_5.pgm"
status=0; predict "$d" -csv >"$a/out" 2>"$a/err" || status=$?
check 'an image that is damaged makes the status 1, and is counted' bash -c "test $status -eq 1 && grep -q '1 of 6 files were not read' '$a/err'"
mkdir "$a/empty"
echo text >"$a/empty/x.doc"
expect_error 'empty: has no image' predict "$a/empty"

# Unlike images
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero; } >"$a/black.pgm"
check 'meta predict predicts an unlike image' quiet predict "$a/images/c6_1.pgm" "$a/black.pgm" "$a/images/c7_2.pgm" -csv
check 'it says so in the words of meta adapt, in one line' bash -c "test \$(wc -l <'$a/err') -eq 1 && grep -Eq '^darknet: warning: $a/black.pgm: unlike the images of $a/k.weights: its first statistics are [0-9.]+ nats from theirs, above 1.00' '$a/err'"
cp "$a/black.pgm" "$a/black2.pgm"
check 'meta predict predicts where all images are unlike' quiet predict "$a/black.pgm" "$a/black2.pgm"
check 'it says so in one line' bash -c "test \$(wc -l <'$a/err') -eq 1 && grep -Eq '^darknet: warning: all 2 images are unlike those of $a/k.weights: their first statistics are [0-9.]+ to [0-9.]+ nats from theirs' '$a/err'"
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero | tr '\0' '\10'; } >"$a/c6_dark.pgm"
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero | tr '\0' '\20'; } >"$a/c7_dark.pgm"
printf '%s\n' "$a/c6_dark.pgm" "$a/c7_dark.pgm" >"$a/dark.list"
sed "s#^train=.*#train=$a/dark.list#" "$few" >"$a/dark.data"
check 'meta adapt adapts to images that are all unlike' quiet meta adapt "$a/dark.data" "$cfg" "$weights" -out "$a/dark"
check 'meta adapt says so in one line' bash -c "test \$(wc -l <'$a/err') -eq 1 && grep -Eq '^darknet: warning: $a/dark.list: all 2 images are unlike those of the meta-training' '$a/err'"

# Damaged weights give no numbers: that is no answer.
check 'weights are damaged' python3 -c 'import struct, sys; b = open(sys.argv[1], "rb").read(); open(sys.argv[2], "wb").write(b[:-400] + struct.pack("<f", 3e38) * 100)' "$a/k.weights" "$a/none.weights"
sed -i "/^# weights /d" "$a/none.cfg" # which would tell that they are not its own
none='c6_1.pgm: the answer is no number$'
damaged() { meta predict "$a/k.cfg" "$a/none.weights" "$few" "$a/images/c6_1.pgm" "$@" >"$a/out" 2>"$a/err"; }
expect_error "^darknet: .*$none" meta predict "$a/k.cfg" "$a/none.weights" "$few" "$a/images/c6_1.pgm"
expect_error "^darknet: .*$none" meta predict "$a/k.cfg" "$few" "$a/images/c6_1.pgm" -weights "$a/k.weights,$a/none.weights"
damaged; check 'no class is named' test ! -s "$a/out"
status=0; damaged -csv -log_odds || status=$?
check 'in CSV the image has no line' test $status -eq 1 -a "$(wc -l <"$a/out")" -eq 1
status=0; damaged -json || status=$?
check 'in JSON it has the error' python3 -c 'import json, sys; [r] = json.load(open(sys.argv[1])); assert sys.argv[2] == "1" and r["error"].endswith("the answer is no number") and len(r) == 2' "$a/out" $status
