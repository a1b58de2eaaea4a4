#!/bin/bash
# -augment N: learning from copies of the support images, and averaging the answers of copies of the others
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cfg=$a/toy.cfg weights=$a/backup/toy_final.weights data=$a/toy.data
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
train "$a" -max_batches 150 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to test' "$a/err"
on() { local json=$1; shift; quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/$json.json" "$@"; }
check 'meta test runs without copies' on none
check 'meta test -augment 1 runs' on one -augment 1
check '-augment 1 is what there is without' same "$a/none.json" "$a/one.json"
check 'meta test -augment 8 runs' on eight -augment 8
check 'meta test prints the number of copies' grep -q ', batch statistics, 8 copies of each image, seed 1$' "$a/out"
check 'the result has the number of copies' grep -Eq '"augment":[[:space:]]*8,' "$a/eight.json"
check 'copies change the answers' python3 - "$a/none.json" "$a/eight.json" <<'END_OF_PYTHON'
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
assert a["nll"] != b["nll"] and [t["images"] for t in a["tasks"]] == [t["images"] for t in b["tasks"]]
assert abs(b["query_loss"]["mean"] - b["nll"]["mean"]) < 1e-12
END_OF_PYTHON
check 'meta test -augment 8 runs on one thread' on eight-1 -augment 8 -threads 1
check 'copies do not depend on the number of threads' same "$a/eight.json" "$a/eight-1.json"
check 'meta test -augment 11 runs, with three copies that [net] draws' on eleven -augment 11
check 'meta test -augment 11 runs again on one thread' on again -augment 11 -threads 1
check 'drawn copies are the same again' same "$a/eleven.json" "$a/again.json"
check 'drawn copies change the answers' differ "$a/eight.json" "$a/eleven.json"

# Fine-tuning learns from one of a support image's symmetries an epoch, and averages the answers of copies of a query image.
tune() { local json=$1; shift; quiet darknet meta test "$data" "$cfg" "$weights" -method finetune -epochs 12 -runs 40 -out "$a/$json.json" "$@"; }
check 'meta test -method finetune runs without copies' tune tuned
check 'meta test -method finetune -augment 1 runs' tune tuned-1 -augment 1
check '-augment 1 of fine-tuning is what there is without' same "$a/tuned.json" "$a/tuned-1.json"
check 'meta test -method finetune -augment 11 runs' tune tuned-11 -augment 11
check 'meta test prints what fine-tuning does with copies' grep -q 'fine-tuned for 12 epochs at 0.01, 11 copies of each image' "$a/out"
check 'meta test -method finetune -augment 11 runs on one thread' tune tuned-11-1 -augment 11 -threads 1
check 'copies of fine-tuning do not depend on the number of threads' same "$a/tuned-11.json" "$a/tuned-11-1.json"
check 'meta test -method finetune -augment 8 runs with a rate of 0' tune still-8 -augment 8 -rate 0
check 'meta test -method finetune runs with a rate of 0' tune still -rate 0
check 'the answers of fine-tuning are means over copies, and its curve is of the images as they are' python3 - "$a"/{tuned,tuned-11,still,still-8}.json <<'END_OF_PYTHON'
import json, sys
plain, copies, still, still_8 = (json.load(open(f)) for f in sys.argv[1:])
assert copies["settings"]["augment"] == 11 and "augment" not in plain["settings"]
assert plain["nll"] != copies["nll"] and [t["images"] for t in plain["tasks"]] == [t["images"] for t in copies["tasks"]]
assert abs(copies["query_loss"]["mean"] - copies["nll"]["mean"]) < 1e-12
auc = lambda j: [point["auc"]["mean"] for point in j["curve"]]
assert auc(copies)[0] == auc(plain)[0] and auc(copies)[-1] != auc(plain)[-1]
assert auc(still_8) == auc(still) and still_8["nll"]["mean"] < still["nll"]["mean"], (still_8["nll"], still["nll"])
END_OF_PYTHON

# Of images that are all turned by a quarter the eight copies are the same ones: so are the answers, but for the order of sums.
# Without copies they are others. The support loss has no dropout then, whose mask goes by the place in the batch.
sed '/^\[dropout\]/,/^$/d' "$cfg" >"$a/sure.cfg"
cp -r "$a" "$TMP_TEST/turned"
t=$TMP_TEST/turned
rm -f "$t"/*.cache
python3 - "$t" <<'END_OF_PYTHON'
import glob, sys
for name in glob.glob(sys.argv[1] + "/images/*.pgm"):
    b = open(name, "rb").read()
    head, p = b[:-144], b[-144:]
    open(name, "wb").write(head + bytes(p[12 * (11 - x) + y] for y in range(12) for x in range(12)))
END_OF_PYTHON
sed -i "s#$a/#$t/#g" "$t"/*.list "$t/toy.data"
# turned CFG WEIGHTS NAME: asks the network about both
turned()
{
    local bn copies
    for bn in batch support running; do
        for copies in 1 8; do
            quiet darknet meta test "$data" "$1" "$2" -augment $copies -bn $bn -out "$a/up-$copies.json" || cat "$a/err"
            quiet darknet meta test "$t/toy.data" "$1" "$2" -augment $copies -bn $bn -out "$a/turned-$copies.json" || cat "$a/err"
        done
        check "eight copies answer alike of images that are turned by a quarter, with $bn statistics and $3" python3 - "$a"/{up,turned}-{1,8}.json <<'END_OF_PYTHON'
import json, sys
one, eight, turned_one, turned_eight = ([t["nll"] for t in json.load(open(f))["tasks"]] for f in sys.argv[1:])
far = lambda a, b: max(abs(x - y) for x, y in zip(a, b))
assert far(eight, turned_eight) < 1e-4 and far(one, turned_one) > 1e-2, (far(eight, turned_eight), far(one, turned_one))
END_OF_PYTHON
    done
}
turned "$a/sure.cfg" "$weights" 'inner steps'
# A network that compares with class means has those of all copies.
sed '/^\[connected\]/,/^$/d; s/^\[softmax\]/[prototype]\n\n&/; /^\[inner_loop\]/,/^$/c [inner_loop]\nsteps=0\ntest_steps=0\norder=1\n' "$a/sure.cfg" >"$a/means.cfg"
check 'a network that compares with class means is trained' quiet darknet meta train "$data" "$a/means.cfg" -max_batches 20 -valid_every 0
turned "$a/means.cfg" "$a/backup/means_final.weights" 'class means'
check 'meta test -augment 8 tells what it does of class means' grep -q ', 8 copies of each image, seed 1$' "$a/out"
expect_error '-augment 0: must be 1 to 64' darknet meta test "$data" "$cfg" "$weights" -augment 0
expect_error '-augment: -method knn does not read it; allowed with maml, finetune, prototype' darknet meta test "$data" "$cfg" "$weights" -method knn -augment 2

# meta adapt learns from copies too, and meta predict averages.
printf 'c6_\nc7_\n' >"$a/few.labels"
ls "$a"/images/c[67]_[0-4].pgm >"$a/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/few.labels" "$a/few.list" >"$a/few.data"
sed "s#$a/#$t/#g" "$a/few.list" >"$t/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/few.labels" "$t/few.list" >"$t/few.data"
adapt() { quiet darknet meta adapt "$@"; }
check 'meta adapt runs without copies' adapt "$a/few.data" "$a/sure.cfg" "$weights" -out "$a/none"
check 'meta adapt -augment 1 runs' adapt "$a/few.data" "$a/sure.cfg" "$weights" -out "$a/one" -augment 1
check 'meta adapt -augment 1 writes what there is without' same "$a/none.weights" "$a/one.weights"
check 'meta adapt -augment 8 runs' adapt "$a/few.data" "$a/sure.cfg" "$weights" -out "$a/eight" -augment 8
check 'meta adapt says in one line that stock programs do not average' grep -qx '8 copies of each image, flips and quarter turns: stock programs answer to an image as it is, .meta predict -augment 8. averages' "$a/out"
check 'leave-one-out asks about each image once' grep -Eq 'of 10 images' "$a/out"
check 'the exported .cfg says the copies' grep -q 'support statistics, 8 copies of each (flips, quarter turns)$' "$a/eight.cfg"
check 'copies make other weights' differ "$a/none.weights" "$a/eight.weights"
check 'meta adapt -augment 8 runs on images that are turned by a quarter' adapt "$t/few.data" "$a/sure.cfg" "$weights" -out "$a/turned" -augment 8
# csv CLASSIFIER FOLDER FLAG...: its log-odds of the first class for the images of the folder
csv() { local name=$1 of=$2; shift 2; darknet meta predict "$a/$name.cfg" "$a/$name.weights" "$a/few.data" "$of/images" -csv -log_odds "$@" 2>>"$a/err" | cut -d, -f5; }
csv eight "$a" -augment 8 >"$a/p"; csv eight "$t" -augment 8 >"$a/q"; csv turned "$a" -augment 8 >"$a/r"; csv eight "$a" >"$a/s"; csv eight "$t" >"$a/t"
near() { paste "$1" "$2" | awk 'NR > 1 { d = $1 - $2; if (d < 0) d = -d; if (d > far) far = d; n++ } END { print "farthest " far " of " n; exit !(n == 128 && far < 1e-3) }'; }
far() { ! near "$@"; }
check 'averages of eight copies are the same of images that are turned' near "$a/p" "$a/q"
check 'eight copies of turned images make the same classifier' near "$a/p" "$a/r"
check 'without averaging, turned images get other answers' far "$a/s" "$a/t"
expect_error '-augment 9: must be 1 to 8, the flips and quarter turns of 12x12 pixels' darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/new" -augment 9
expect_error '-augment 9: must be 1 to 8, the flips and quarter turns of 12x12 pixels' darknet meta predict "$a/eight.cfg" "$a/eight.weights" "$a/few.data" "$a/images" -augment 9
sed 's/^width=.*/width=10/' "$a/sure.cfg" >"$a/oblong.cfg"
quiet darknet meta train "$data" "$a/oblong.cfg" -max_batches 1 -valid_every 0 -name oblong
expect_error '-augment 5: must be 1 to 4, the flips of 10x12 pixels' darknet meta adapt "$a/few.data" "$a/oblong.cfg" "$a/backup/oblong_final.weights" -out "$a/new" -augment 5
check 'meta test -augment 6 runs on an oblong network, whose last two copies [net] draws' quiet darknet meta test "$data" "$a/oblong.cfg" "$a/backup/oblong_final.weights" -runs 3 -augment 6

# Several networks as one answer
for name in none eight; do darknet meta predict "$a/$name.cfg" "$a/$name.weights" "$a/few.data" "$a/images" -csv | cut -d, -f3 >"$a/$name.p"; done
check 'meta predict -weights averages several networks' quiet darknet meta predict "$a/none.cfg" -weights "$a/none.weights,$a/eight.weights" "$a/few.data" "$a/images" -csv
cut -d, -f3 "$a/out" >"$a/both.p"
check 'the answer of two networks is the mean of their probabilities' sh -c "paste '$a/none.p' '$a/eight.p' '$a/both.p' | awk 'NR > 1 { d = (\$1 + \$2) / 2 - \$3; n++; if (d > 1e-9 || d < -1e-9) bad = 1 } END { exit bad || n != 128 }'"
check 'meta predict -weights of one network answers as it does alone' sh -c "'$DARKNET_BIN' meta predict '$a/none.cfg' -weights '$a/none.weights' '$a/few.data' '$a/images' -csv 2>'$a/err' | cut -d, -f3 | cmp - '$a/none.p'"
expect_error '-weights .*/none.weights,,x: has an empty word' darknet meta predict "$a/none.cfg" -weights "$a/none.weights,,x" "$a/few.data" "$a/images"
expect_error 'gone.weights: No such file' darknet meta predict "$a/none.cfg" -weights "$a/none.weights,$a/gone.weights" "$a/few.data" "$a/images"
expect_error '^darknet: usage: darknet meta predict CFG WEIGHTS DATA' darknet meta predict "$a/none.cfg" "$a/none.weights" "$a/few.data"

# meta test: each of several weights learns the task
cp "$weights" "$a/A.weights"
train "$a" -max_batches 150 -valid_every 0 -seed 4 -overwrite || test_failed 'meta train makes another network' "$a/err"
cp "$weights" "$a/B.weights"
several() { local json=$1 list=$2; shift 2; quiet darknet meta test "$data" "$cfg" -weights "$list" -out "$a/$json.json" "$@"; }
check 'meta test -weights of one file runs' several A "$a/A.weights"
check 'meta test runs on the same weights as WEIGHTS' quiet darknet meta test "$data" "$cfg" "$a/A.weights" -out "$a/word.json"
check '-weights of one file is WEIGHTS' same "$a/A.json" "$a/word.json"
check 'meta test -weights runs on the other' several B "$a/B.weights"
check 'meta test -weights A,B runs' several AB "$a/A.weights,$a/B.weights"
check 'meta test prints all weights' grep -q "^$a/A.weights,$a/B.weights on " "$a/out"
check 'meta test -weights A,B runs on one thread' several AB-1 "$a/A.weights,$a/B.weights" -threads 1
check 'the answer of two does not depend on the number of threads' same "$a/AB.json" "$a/AB-1.json"
check 'meta test -weights A,A runs' several AA "$a/A.weights,$a/A.weights"
check 'meta test -weights B,A runs' several BA "$a/B.weights,$a/A.weights"
check 'two networks are one answer: the same twice changes nothing, and the order does not count' python3 - "$a"/{A,B,AA,AB,BA}.json <<'END_OF_PYTHON'
import json, sys
one, two, twice, both, turned = (json.load(open(f)) for f in sys.argv[1:])
nll = lambda j: [t["nll"] for t in j["tasks"]]
far = lambda a, b: max(abs(x - y) for x, y in zip(nll(a), nll(b)))
assert far(one, twice) < 1e-12 and far(both, turned) < 1e-12 and far(one, both) > 1e-3
assert both["files"]["weights"]["path"].endswith("A.weights") and both["files"]["weights_2"]["path"].endswith("B.weights")
# -log of a mean is below the mean of -log (Jensen)
for x, y, z in zip(nll(one), nll(two), nll(both)): assert z <= (x + y) / 2 + 1e-12
END_OF_PYTHON
expect_error '-weights: stands in place of WEIGHTS, .*A.weights: must be one of them' darknet meta test "$data" "$cfg" "$a/A.weights" -weights "$a/B.weights"
expect_error '-weights: of -method knn there are no probabilities to average' darknet meta test "$data" "$cfg" -weights "$a/A.weights,$a/B.weights" -method knn
expect_error '-weights: each has running statistics of its own: -bn must be batch or support' darknet meta test "$data" "$cfg" -weights "$a/A.weights,$a/B.weights" -bn running
expect_error '-temperature: is of one file of weights, not of a mean of answers' darknet meta test "$data" "$cfg" -weights "$a/A.weights,$a/B.weights" -temperature on
expect_error 'C.weights: No such file' darknet meta test "$data" "$cfg" -weights "$a/A.weights,$a/C.weights"
expect_error '-weights: a .cfg of stock sections holds one network: adapt each by itself, and give what comes of them to .meta predict -weights.' darknet meta adapt "$a/few.data" "$cfg" -weights "$a/A.weights,$a/B.weights" -out "$a/new"
