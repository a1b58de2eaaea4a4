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
for bn in batch support running; do
    for copies in 1 8; do
        quiet darknet meta test "$data" "$a/sure.cfg" "$weights" -augment $copies -bn $bn -out "$a/up-$copies.json" || cat "$a/err"
        quiet darknet meta test "$t/toy.data" "$a/sure.cfg" "$weights" -augment $copies -bn $bn -out "$a/turned-$copies.json" || cat "$a/err"
    done
    check "eight copies answer alike of images that are turned by a quarter, with $bn statistics" python3 - "$a"/{up,turned}-{1,8}.json <<'END_OF_PYTHON'
import json, sys
one, eight, turned_one, turned_eight = ([t["nll"] for t in json.load(open(f))["tasks"]] for f in sys.argv[1:])
far = lambda a, b: max(abs(x - y) for x, y in zip(a, b))
assert far(eight, turned_eight) < 1e-4 and far(one, turned_one) > 1e-2, (far(eight, turned_eight), far(one, turned_one))
END_OF_PYTHON
done
expect_error '-augment 0: must be 1 to 64' darknet meta test "$data" "$cfg" "$weights" -augment 0
expect_error '-augment: -method knn does not read it; allowed with maml' darknet meta test "$data" "$cfg" "$weights" -method knn -augment 2
