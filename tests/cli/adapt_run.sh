#!/bin/bash
# meta adapt and meta predict: what they print and write, that an image's answer is its own, and what they refuse. Also meta test -bn.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
data=$a/toy.data cfg=$a/toy.cfg weights=$a/backup/toy_final.weights few=$a/few.data
train "$a" -max_batches 150 -valid_every 0 -seed 3 || test_failed 'training' "$a/err"

# few NAME FILE...: those images, of classes c6 and c7
few()
{
    local name=$1
    shift
    printf '%s\n' "$@" >"$a/$name.list"
    printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/few.labels" "$a/few.names" "$a/$name.list" >"$a/$name.data"
}
printf 'c6_\nc7_\n' >"$a/few.labels"
printf 'six\nseven, "odd"\n' >"$a/few.names"
support=()
for k in 0 1 2 3 4; do support+=("$a/images/c6_$k.pgm" "$a/images/c7_$k.pgm"); done
few few "${support[@]}"
adapt() { "$DARKNET_BIN" meta adapt "$@"; }
predict() { "$DARKNET_BIN" meta predict "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }

check 'adapts' quiet adapt "$few" "$cfg" "$weights" -out "$a/new" || cat "$a/err"
check 'the support loss falls' awk '/^support loss:/ { ok = $5 + 0 < $3 + 0 } END { exit !ok }' "$a/out"
check 'leave-one-out, with what few images say' grep -Eq '^leave-one-out: [0-9]+ of 10 right, [0-9]+%: with so few .* from [0-9]+% to [0-9]+%; AUC [01]\.' "$a/out"
check 'no warning' test ! -s "$a/err"
check 'stock sections alone' test "$(grep -c '^\[' "$a/new.cfg")" -eq 6 -a "$(grep -cE '^\[(episode|inner_loop|meta_loss)' "$a/new.cfg")" -eq 0
check 'a head line that says of what' grep -q "^# $cfg and $weights, adapted to 10 images" "$a/new.cfg"
check 'the same on one thread' quiet adapt "$few" "$cfg" "$weights" -out "$a/one" -threads 1
check 'to the byte' same "$a/new.weights" "$a/one.weights"
check 'running statistics' quiet adapt "$few" "$cfg" "$weights" -out "$a/running" -bn running
check 'other statistics in the file' differ "$a/new.weights" "$a/running.weights"
check 'no steps' quiet adapt "$few" "$cfg" "$weights" -out "$a/none" -steps 0 -bn running
check 'keep the loss' awk '/^support loss:/ { ok = $5 == $3 } END { exit !ok }' "$a/out"

# What is predicted
check 'predicts a folder' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images" -csv
check 'a line an image' test "$(wc -l <"$a/out")" -eq 129
check 'a header, quoted where it must be' grep -qx 'image,class,six,"seven, ""odd"""' "$a/out"
awk -F, 'NR > 1 && /c[67]_/ { n++; right += /c6_/ ? / *,six,/ : !/,six,/ } END { exit !(n == 32 && right > 20) }' "$a/out"
check 'most of the new classes right' test $? -eq 0
cp "$a/out" "$a/all.csv"
ls "$a"/images/c7_*.pgm >"$a/seven.list"
check 'a list' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/seven.list" -csv
check 'each as in the folder' test "$(tail -n +2 "$a/out" | grep -cxFf "$a/all.csv")" -eq 16
check 'one image, as the stock program prints it' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_9.pgm"
check 'two classes, the likelier first' awk 'NR == 1 { ok = /c6_9.pgm: Predicted in [0-9.]+ seconds\.$/ } NR > 1 { ok = ok && /^ ?[ 0-9][0-9.]*%: / && (NR == 2 || $1 + 0 <= last); last = $1 + 0 } END { exit !(ok && NR == 3) }' "$a/out"
status=0
predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$cfg" "$a/none.pgm" "$a/images/c6_2.pgm" -json >"$a/out" 2>"$a/err" || status=$?
check 'a bad image is told and the rest goes on' test $status -eq 1 -a "$(wc -l <"$a/err")" -eq 2 -a "$(grep -c '"class"' "$a/out")" -eq 2 -a "$(grep -c '"error"' "$a/out")" -eq 2
check 'heat' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$a/images/c7_1.pgm" -heat "$a/heat"
check 'a PNG an image' test "$(head -qc 4 "$a"/heat/c6_1.png "$a"/heat/c7_1.png | tr -d '\211')" = PNGPNG
mkdir "$a/photos" && cp "$a/heat/c6_1.png" "$a/photos/eins.png" && cp "$a/photos/eins.png" "$a/eins.png"
expect_error '-heat .*/photos: would overwrite .*/photos/eins.png, which is one of the images: must be another folder' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/photos" -heat "$a/photos"
check 'nor does it' cmp "$a/eins.png" "$a/photos/eins.png"
check 'beside the images, under other names' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" -heat "$a/photos"
check 'and once more' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" -heat "$a/photos"

# Fewer classes than outputs: a network of three adapted to two
sed 's/^ways=2/ways=3/; s/^output=2/output=3/' "$cfg" >"$a/three.cfg"
check 'a network of three' "$DARKNET_BIN" meta train "$a/toy.data" "$a/three.cfg" -max_batches 4 -valid_every 0
check 'is adapted to two' quiet adapt "$few" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/two"
check 'and has two outputs then' grep -qx 'output=2' "$a/two.cfg"
printf 'c5_\nc6_\nc7_\n' >"$a/labels3"
few more "$a/images/c5_1.pgm" "${support[@]}"
sed -i "s#^classes=2#classes=3#; s#^labels.*#labels=$a/labels3#; /^names/d" "$a/more.data"
check 'and to three' quiet adapt "$a/more.data" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/all3"
check 'predicts three' quiet predict "$a/all3.cfg" "$a/all3.weights" "$a/more.data" "$a/images/c5_2.pgm"
check 'one more line' test "$(wc -l <"$a/out")" -eq 4
check 'the lone image is not left out' quiet adapt "$a/more.data" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/all3"
check 'the others are' grep -q '^leave-one-out: [0-9]* of 10 right' "$a/out"
few lone "${support[0]}" "${support[1]}"
check 'one image a class' quiet adapt "$a/lone.data" "$cfg" "$weights" -out "$a/lone"
check 'leave-one-out says why not' grep -q '^leave-one-out: needs two images of a class' "$a/out"
printf 'image,group\n' >"$a/groups"
for f in "${support[@]}"; do f=${f##*/}; echo "${f%.pgm},${f%_*}"; done >>"$a/groups"
{ cat "$few"; echo "groups=$a/groups"; } >"$a/grouped.data"
check 'a class of one group' quiet adapt "$a/grouped.data" "$cfg" "$weights" -out "$a/grouped"
check 'is left out whole: not at all' grep -q '^leave-one-out: needs two images of a class, of two groups' "$a/out"

# Copies and strangers
cp "${support[0]}" "$a/c6_copy.pgm"
cp "${support[0]}" "$a/c7_copy.pgm"
few twins "${support[@]}" "$a/c7_copy.pgm"
expect_error 'twins.list:11: .*c7_copy.pgm: is the same file as .*c6_0.pgm on line 1, which is of another class' adapt "$a/twins.data" "$cfg" "$weights" -out "$a/x"
few twice "${support[@]}" "$a/c6_copy.pgm"
check 'the same image twice in a class' quiet adapt "$a/twice.data" "$cfg" "$weights" -out "$a/x"
check 'is a warning' grep -q 'warning: .*twice.list:11: .*: is the same file as line 1: counts twice' "$a/err"
check 'of one line' test "$(wc -l <"$a/err")" -eq 1
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero; } >"$a/c6_black.pgm"
few strange "${support[@]}" "$a/c6_black.pgm"
check 'a black image' quiet adapt "$a/strange.data" "$cfg" "$weights" -out "$a/x"
check 'is unlike the rest' grep -q 'warning: .*strange.list:11: .*c6_black.pgm: unlike the images of the meta-training' "$a/err"
check 'and alone in it' test "$(wc -l <"$a/err")" -eq 1

# Kinds of statistics at test
for bn in batch support running; do
    check "tests with -bn $bn" quiet "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -bn $bn -out "$a/$bn.json"
    check "says so" grep -q ", $bn statistics, seed 1\$" "$a/out"
    check "in the file, too" grep -q "\"bn\":[[:space:]]*\"$bn\"" "$a/$bn.json"
done
check 'without -bn' quiet "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -out "$a/plain.json"
check 'it is the batch' same "$a/plain.json" "$a/batch.json"
check 'the tasks are the same' quiet "$DARKNET_BIN" meta compare "$a/batch.json" "$a/support.json"
check 'the scores are not' sh -c '! cmp -s "$1" "$2" && ! cmp -s "$2" "$3"' - "$a/batch.json" "$a/support.json" "$a/running.json"

expect_error 'bn mean: must be batch, support or running' "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -bn mean
expect_error 'out is missing' adapt "$few" "$cfg" "$weights"
expect_error "bn batch: a file can't hold it" adapt "$few" "$cfg" "$weights" -out "$a/x" -bn batch
expect_error 'would overwrite .*toy.cfg' adapt "$few" "$cfg" "$weights" -out "$a/toy"
expect_error 'would overwrite .*toy_final.weights' adapt "$few" "$cfg" "$weights" -out "$a/backup/toy_final"
expect_error 'toy.data: classes=8: must be 2 to 2' adapt "$a/toy.data" "$cfg" "$weights" -out "$a/x"
grep -v '^train' "$few" >"$a/none.data"
expect_error 'none.data: has no train=' adapt "$a/none.data" "$cfg" "$weights" -out "$a/x"
few half "$a/images/c6_0.pgm" "$a/images/c6_1.pgm"
expect_error 'half.list: has no image of seven, "odd": must have' adapt "$a/half.data" "$cfg" "$weights" -out "$a/x"
expect_error 'No such file' adapt "$few" "$cfg" "$weights" -out "$a/nowhere/x"
expect_error 'toy.data: classes=8: must be 2' predict "$a/new.cfg" "$a/new.weights" "$a/toy.data" "$a/images"
expect_error 'csv and -json' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images" -csv -json
mkdir "$a/empty"
expect_error 'empty: has no image' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/empty"
mkdir "$a/other" && cp "$a/images/c6_1.pgm" "$a/other"
expect_error 'would both be .*/c6_1.png' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$a/other/c6_1.pgm" -heat "$a/heat"
