#!/bin/bash
# meta adapt and meta predict: what they print and write, that an image's answer is its own, and what they refuse. Also meta test -bn.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
data=$a/toy.data cfg=$a/toy.cfg weights=$a/backup/toy_final.weights few=$a/few.data
train "$a" -max_batches 150 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to adapt' "$a/err"

# few NAME FILE...: writes NAME.list and NAME.data of these images, which are of classes c6 and c7
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

check 'meta adapt adapts a network to ten images' quiet adapt "$few" "$cfg" "$weights" -out "$a/new" || cat "$a/err"
check 'meta adapt lowers the support loss' awk '/^support loss:/ { ok = $5 + 0 < $3 + 0 } END { exit !ok }' "$a/out"
check 'meta adapt prints the leave-one-out accuracy with its interval' grep -Eq '^leave-one-out: [0-9]+% right, the mean over 2 classes, [0-9]+ of 10 images: with so few .* from [0-9]+% to [0-9]+%; AUC [01]\.' "$a/out"
check 'meta adapt warns of nothing where the images are good' test ! -s "$a/err"
check 'the adapted .cfg has sections of stock Darknet alone' test "$(grep -c '^\[' "$a/new.cfg")" -eq 6 -a "$(grep -cE '^\[(episode|inner_loop|meta_loss)' "$a/new.cfg")" -eq 0
check 'the first line of the adapted .cfg names what it is made from' grep -q "^# $cfg and $weights, adapted to 10 images" "$a/new.cfg"
check 'meta adapt runs on one thread' quiet adapt "$few" "$cfg" "$weights" -out "$a/one" -threads 1
check 'adapted weights do not depend on the number of threads' same "$a/new.weights" "$a/one.weights"
check 'meta adapt -bn running runs' quiet adapt "$few" "$cfg" "$weights" -out "$a/running" -bn running
check 'meta adapt -bn running writes other weights than the default' differ "$a/new.weights" "$a/running.weights"
check 'meta adapt -steps 0 runs' quiet adapt "$few" "$cfg" "$weights" -out "$a/none" -steps 0 -bn running
check 'meta adapt -steps 0 keeps the support loss' awk '/^support loss:/ { ok = $5 == $3 } END { exit !ok }' "$a/out"

# Answers of meta predict
check 'meta predict -csv predicts a folder of images' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images" -csv
check 'meta predict -csv prints a header and a line an image' test "$(wc -l <"$a/out")" -eq 129
check 'the header of meta predict -csv quotes a name with a comma' grep -qx 'image,class,six,"seven, ""odd"""' "$a/out"
awk -F, 'NR > 1 && /c[67]_/ { n++; right += /c6_/ ? / *,six,/ : !/,six,/ } END { exit !(n == 32 && right > 20) }' "$a/out"
check 'meta predict is right for most images of the new classes' test $? -eq 0
cp "$a/out" "$a/all.csv"
ls "$a"/images/c7_*.pgm >"$a/seven.list"
check 'meta predict reads a list of images' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/seven.list" -csv
check 'an image of a list gets the same answer as in the folder' test "$(tail -n +2 "$a/out" | grep -cxFf "$a/all.csv")" -eq 16
check 'meta predict predicts one image' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_9.pgm"
check 'meta predict prints the classes of one image as stock does, the likelier first' awk 'NR == 1 { ok = /c6_9.pgm: Predicted in [0-9.]+ seconds\.$/ } NR > 1 { ok = ok && /^ ?[ 0-9][0-9.]*%: / && (NR == 2 || $1 + 0 <= last); last = $1 + 0 } END { exit !(ok && NR == 3) }' "$a/out"
status=0
predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$cfg" "$a/none.pgm" "$a/images/c6_2.pgm" -json >"$a/out" 2>"$a/err" || status=$?
check 'meta predict -json reports bad images and predicts the others' test $status -eq 1 -a "$(wc -l <"$a/err")" -eq 2 -a "$(grep -c '"class"' "$a/out")" -eq 2 -a "$(grep -c '"error"' "$a/out")" -eq 2
check 'meta predict -heat runs' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$a/images/c7_1.pgm" -heat "$a/heat"
check 'meta predict -heat writes a PNG for each image' test "$(head -qc 4 "$a"/heat/c6_1.png "$a"/heat/c7_1.png | tr -d '\211')" = PNGPNG
mkdir "$a/photos" && cp "$a/heat/c6_1.png" "$a/photos/eins.png" && cp "$a/photos/eins.png" "$a/eins.png"
expect_error '-heat .*/photos: would overwrite .*/photos/eins.png, which is one of the images: must be another folder' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/photos" -heat "$a/photos"
check 'a refused -heat leaves the image as it is' cmp "$a/eins.png" "$a/photos/eins.png"
check 'meta predict -heat writes beside images of other names' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" -heat "$a/photos"
undrawn() { (trap '' XFSZ; ulimit -f 0; predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" "$a/images/c7_1.pgm" -csv -heat "$a/undrawn") 2>&1 | cat >"$a/undrawn.out"; return "${PIPESTATUS[0]}"; }
status=0
undrawn || status=$?
check 'answers whose pictures can not be written are printed, and the exit status is 1' test $status -eq 1 -a "$(grep -c '/images/c[67]_1.pgm,' "$a/undrawn.out")" -eq 2 -a "$(grep -c '/undrawn/c[67]_1.png' "$a/undrawn.out")" -eq 2
check 'meta predict -heat writes over its own pictures' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/images/c6_1.pgm" -heat "$a/photos"

check 'a picture of the heat is a PNG that says who has written it' python3 - "$a/heat/c6_1.png" <<'END'
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
at, chunks = 8, []
while at < len(data):
    size, kind = struct.unpack(">I4s", data[at:at + 8])
    assert zlib.crc32(data[at + 4:at + 8 + size]) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0], kind
    chunks.append((kind, data[at + 8:at + 8 + size]))
    at += 12 + size
assert (b"tEXt", b"Software\0darknet meta predict -heat") in chunks and chunks[-1][0] == b"IEND", chunks
END
check 'it is read as the image that it is' quiet predict "$a/new.cfg" "$a/new.weights" "$few" "$a/heat/c6_1.png"
mkdir "$a/own" && cp "$a/images/c6_1.pgm" "$a/own" && cp tests/oracle/images/rgb_class0_00.png "$a/own/c6_1.png"
expect_error '-heat .*/own: would overwrite .*/own/c6_1.png, which is not of meta predict -heat: must be another folder$' predict "$a/new.cfg" "$a/new.weights" "$few" "$a/own/c6_1.pgm" -heat "$a/own"
check "a photo beside the image is left as it is" cmp tests/oracle/images/rgb_class0_00.png "$a/own/c6_1.png"

# A network that sees a part of the image: its picture is of that part
sed '0,/^\[convolutional\]/s//[crop]\ncrop_width=8\ncrop_height=6\n\n&/' "$cfg" >"$a/crop.cfg"
check 'meta train makes a network with [crop]' "$DARKNET_BIN" meta train "$a/toy.data" "$a/crop.cfg" -max_batches 4 -valid_every 0
check 'meta adapt adapts it' quiet adapt "$few" "$a/crop.cfg" "$a/backup/crop_final.weights" -out "$a/part"
check 'meta predict -heat runs with it' quiet predict "$a/part.cfg" "$a/part.weights" "$few" "$a/images/c6_1.pgm" -heat "$a/part"
sides() { od -An -tu1 -j16 -N8 "$1" | awk '{ print ($3 * 256 + $4), ($7 * 256 + $8) }'; }
check 'its picture is of the part that it sees' awk -v whole="$(sides "$a/heat/c6_1.png")" -v part="$(sides "$a/part/c6_1.png")" 'BEGIN { split(whole, w, " "); split(part, p, " "); exit !(p[1] * 12 == w[1] * 8 && p[2] * 12 == w[2] * 6) }'

# Fewer classes than outputs: a network of three outputs is adapted to two classes.
sed 's/^ways=2/ways=3/; s/^output=2/output=3/' "$cfg" >"$a/three.cfg"
check 'meta train makes a network of three outputs' "$DARKNET_BIN" meta train "$a/toy.data" "$a/three.cfg" -max_batches 4 -valid_every 0
check 'meta adapt adapts a network of three outputs to two classes' quiet adapt "$few" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/two"
check 'a network adapted to two classes has two outputs' grep -qx 'output=2' "$a/two.cfg"
printf 'c5_\nc6_\nc7_\n' >"$a/labels3"
few more "$a/images/c5_1.pgm" "${support[@]}"
sed -i "s#^classes=2#classes=3#; s#^labels.*#labels=$a/labels3#; /^names/d" "$a/more.data"
check 'meta adapt adapts a network of three outputs to three classes' quiet adapt "$a/more.data" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/all3"
check 'meta predict predicts three classes' quiet predict "$a/all3.cfg" "$a/all3.weights" "$a/more.data" "$a/images/c5_2.pgm"
check 'meta predict prints three classes of one image' test "$(wc -l <"$a/out")" -eq 4
check 'meta adapt runs where a class has one image' quiet adapt "$a/more.data" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/all3"
check 'leave-one-out leaves out no image that is alone in its class' grep -q '^leave-one-out: .*, [0-9]* of 10 images' "$a/out"
check 'leave-one-out names the class that it could not ask about, and tells the others one by one' \
    test "$(grep -cE '^    c5_: could not be asked about: it has one image$|^    c[67]_: [0-5] of 5 right, [0-9]+%$' "$a/out")" -eq 3
cp "$a/all3.weights" "$a/balanced.weights"
check 'meta adapt -balance none takes the mean over images' quiet adapt "$a/more.data" "$a/three.cfg" "$a/backup/three_final.weights" -out "$a/all3" -balance none
check 'meta adapt balances unequal classes unless asked not to' differ "$a/all3.weights" "$a/balanced.weights"
few even "${support[@]}"
check 'meta adapt adapts to equal classes' adapt "$a/even.data" "$cfg" "$weights" -out "$a/even"
check 'meta adapt -balance none adapts to equal classes' adapt "$a/even.data" "$cfg" "$weights" -out "$a/even2" -balance none
check '-balance makes no difference where classes have equally many images' same "$a/even.weights" "$a/even2.weights"
expect_error '-balance some: must be classes or none' adapt "$a/even.data" "$cfg" "$weights" -out "$a/x" -balance some
few lone "${support[0]}" "${support[1]}"
check 'meta adapt runs with one image a class' quiet adapt "$a/lone.data" "$cfg" "$weights" -out "$a/lone"
check 'leave-one-out says that it needs two images of a class' grep -q '^leave-one-out: needs two images of a class' "$a/out"
printf 'image,group\n' >"$a/groups"
for f in "${support[@]}"; do f=${f##*/}; echo "${f%.pgm},${f%_*}"; done >>"$a/groups"
{ cat "$few"; echo "groups=$a/groups"; } >"$a/grouped.data"
check 'meta adapt runs where each class is one group' quiet adapt "$a/grouped.data" "$cfg" "$weights" -out "$a/grouped"
check 'leave-one-out says that it needs two groups of a class' grep -q '^leave-one-out: needs two images of a class, of two groups' "$a/out"

# Images that are there twice, and an image unlike those of the meta-training
cp "${support[0]}" "$a/c6_copy.pgm"
cp "${support[0]}" "$a/c7_copy.pgm"
few twins "${support[@]}" "$a/c7_copy.pgm"
expect_error 'twins.list:11: .*c7_copy.pgm: is the same image as .*c6_0.pgm on line 1, which is of class six, not .*: must be in one class' adapt "$a/twins.data" "$cfg" "$weights" -out "$a/x"
few twice "${support[@]}" "$a/c6_copy.pgm"
check 'meta adapt runs where a class has the same image twice' quiet adapt "$a/twice.data" "$cfg" "$weights" -out "$a/x"
check 'meta adapt warns of an image that counts twice' grep -q 'warning: .*twice.list:11: .*: is the same image as line 1: counts twice' "$a/err"
check 'the warning of an image that counts twice is one line' test "$(wc -l <"$a/err")" -eq 1
{ printf 'P5 12 12 255\n'; head -c 144 /dev/zero; } >"$a/c6_black.pgm"
few strange "${support[@]}" "$a/c6_black.pgm"
check 'meta adapt runs with a black image' quiet adapt "$a/strange.data" "$cfg" "$weights" -out "$a/x"
check 'meta adapt warns that a black image is unlike those of the meta-training' grep -q 'warning: .*strange.list:11: .*c6_black.pgm: unlike the images of the meta-training' "$a/err"
check 'meta adapt warns of the black image alone' test "$(wc -l <"$a/err")" -eq 1

# The kinds of batch-normalisation statistics in meta test
for bn in batch support running; do
    check "meta test -bn $bn runs" quiet "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -bn $bn -out "$a/$bn.json"
    check "meta test -bn $bn prints which statistics it uses" grep -q ", $bn statistics, seed 1\$" "$a/out"
    check "the result of meta test -bn $bn names its statistics" grep -q "\"bn\":[[:space:]]*\"$bn\"" "$a/$bn.json"
done
check 'meta test runs without -bn' quiet "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -out "$a/plain.json"
check 'meta test uses -bn batch by default' same "$a/plain.json" "$a/batch.json"
check 'meta compare pairs results of -bn batch and -bn support' quiet "$DARKNET_BIN" meta compare "$a/batch.json" "$a/support.json"
check 'scores under -bn batch, support and running differ' sh -c '! cmp -s "$1" "$2" && ! cmp -s "$2" "$3"' - "$a/batch.json" "$a/support.json" "$a/running.json"

expect_error 'bn mean: must be batch, support or running' "$DARKNET_BIN" meta test "$a/toy.data" "$cfg" "$weights" -bn mean
expect_error 'out is missing' adapt "$few" "$cfg" "$weights"
expect_error "bn batch: a file can't hold it" adapt "$few" "$cfg" "$weights" -out "$a/x" -bn batch
expect_error 'would overwrite .*toy.cfg' adapt "$few" "$cfg" "$weights" -out "$a/toy"
expect_error 'would overwrite .*toy_final.weights' adapt "$few" "$cfg" "$weights" -out "$a/backup/toy_final"
expect_error 'toy.data: classes=8: must be 2' adapt "$a/toy.data" "$cfg" "$weights" -out "$a/x"
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

# Images of a group are not independent: the interval of leave-one-out is over groups.
for f in "${support[@]}"; do f=${f##*/}; i=${f#*_}; i=${i%.pgm}; echo "${f%.pgm},${f%_*}-$((i / 2))"; done | sed '1i image,group' >"$a/pairs"
{ cat "$few"; echo "groups=$a/pairs"; } >"$a/pairs.data"
check 'meta adapt runs with groups' quiet adapt "$a/pairs.data" "$cfg" "$weights" -out "$a/pairs"
check 'leave-one-out counts groups' grep -Eq '^leave-one-out: [0-9]+% right, the mean over 2 classes, [0-9]+ of 10 images of 6 groups: with so few the truth may be anything from [0-9]+% to [0-9]+%' "$a/out"
check 'its interval is that of the groups, which meta evaluate has' python3 - "$a/out" <<'END'
import math, re, sys
text = open(sys.argv[1]).read()
low, high = map(int, re.search(r"anything from (\d+)% to (\d+)%", text).groups())
right = [int(n) for n in re.findall(r"^    .*: (\d+) of 5 right", text, re.M)]
wrong = set(re.findall(r"/(c[67]_\d)\.pgm: .*, taken for", text))
squares, shares = 0, []
for c in "c6_", "c7_":
    share = 1 - sum(w.startswith(c) for w in wrong) / 5
    shares.append(share)
    for g in (0, 1), (2, 3), (4,):
        squares += (sum((c + str(i) not in wrong) - share for i in g) / 5) ** 2
assert [round(5 * s) for s in shares] == right
p, t = sum(shares) / 2, 4.302653  # Student's t of 2 degrees of freedom
variance = squares / 4 * 3 / 2  # of three groups a class
n = p * (1 - p) / variance * (1.959964 / t) ** 2 if 0 < p < 1 and variance else 3
z = 1.959964
middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
ours = [round(100 * (middle + s * half) / (1 + z * z / n)) for s in (-1, 1)]
assert abs(ours[0] - low) <= 1 and abs(ours[1] - high) <= 1, (ours, low, high)
END

# Images of a group each are as good as images without groups.
for f in "${support[@]}"; do f=${f##*/}; echo "${f%.pgm},${f%.pgm}"; done | sed '1i image,group' >"$a/single"
{ cat "$few"; echo "groups=$a/single"; } >"$a/single.data"
adapt "$few" "$cfg" "$weights" -out "$a/single" >"$a/out.none"
adapt "$a/single.data" "$cfg" "$weights" -out "$a/single" >"$a/out.single"
check 'with a group an image the interval is that of no groups' test "$(sed -n 's/ of 10 groups//; /^leave-one-out/p' "$a/out.single")" = "$(grep '^leave-one-out' "$a/out.none")"
