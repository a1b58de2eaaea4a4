#!/bin/bash
# meta calibrate: what it learns, from which list, and what meta test and meta adapt make of it
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
cfg=$a/toy.cfg weights=$a/backup/toy_final.weights file=$a/backup/toy_final.temperature data=$a/toy.data
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
train "$a" -max_batches 150 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to calibrate' "$a/err"
# Tasks of the training classes have a temperature near 1, and of the toy's two valid classes next to none: so the images of the
# train list are cut in two, one part to learn from and one to watch.
grep -E '_(1[0-5]|[0-4])\.pgm' "$a/train.list" >"$a/held.list"
sed "s#^valid=.*#valid=$a/held.list#; s#^train=.*#train=$a/valid.list#" "$data" >"$a/held.data"

check 'meta test runs before there is a temperature' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/before.json"
printf '[table]\nname=Kept\ndata=%s\nruns=4\nfirst=2\n\n[row]\nlabel=One\ncfg=%s\ntrain=none\nweights=%s\nshots=2\n' "$data" "$cfg" "$weights" >"$a/kept.table"
check 'meta table tests weights that have no temperature' quiet darknet meta table "$a/kept.table" -out "$a/tables"
check 'meta calibrate runs' quiet darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,2,5 -runs 60
cp "$a/out" "$a/calibrated"
check 'meta calibrate says what it takes' grep -q ', 3 steps at 0.1, seed 1$' "$a/out"
expect_output '^One .*again: check sum of the temperatures is .* and was not set' darknet meta table "$a/kept.table" -out "$a/tables" -dry
cp "$a/calibrated" "$a/out"
check 'meta calibrate prints a temperature for each number of shots and kind of statistics' test "$(grep -cE '^(batch|support) +[125] +[0-9.]+ +[0-9.]+ to [0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$' "$a/out")" -eq 6
check 'no temperature makes the likelihood of its own tasks worse' awk '/^(batch|support)/ { n++; bad += $8 > $7 } END { exit bad || n != 6 }' "$a/out"
check 'meta calibrate writes nothing to standard error' test ! -s "$a/err"
cp "$file" "$a/kept"
expect_error "^darknet: $file: is there already: -overwrite replaces it\$" darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,2,5 -runs 60
check 'meta calibrate -overwrite runs on one thread' quiet darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,2,5 -runs 60 -threads 1 -overwrite
check 'the temperatures do not depend on the number of threads' same "$a/kept" "$file"

# A cell that meta table has trained for is tested without a temperature, whoever calibrates the training meanwhile
sed 's/^max_batches=.*/max_batches=150/' "$cfg" >"$a/long.cfg"
printf '[table]\nname=Trained\ndata=%s\nruns=4\nfirst=2\nseed=3\nvalid_every=0\n\n[row]\nlabel=One\ncfg=%s\nshots=2\n\n[row]\nlabel=Two\ncfg=%s\nmethod=knn\nshots=2\n' "$data" "$a/long.cfg" "$a/long.cfg" >"$a/trained.table"
check 'meta table trains and tests' quiet darknet meta table "$a/trained.table" -out "$a/tables"
trained=$(find "$a/tables/trainings" -name '*_final.weights')
check 'its training is calibrated' quiet darknet meta calibrate "$a/held.data" "$a/long.cfg" "$trained" -runs 60
cell=$a/tables/trained-one-2.json
mv "$cell" "$a/uncalibrated.json"
check 'meta table tests a cell again' quiet darknet meta table "$a/trained.table" -out "$a/tables"
figures() { grep -vE '"[a-z_]*(seconds|memory_mb)":' "$1"; }
same_figures() { cmp <(figures "$1") <(figures "$2"); }
check 'a cell of a training that has a temperature is that without' same_figures "$cell" "$a/uncalibrated.json"

# meta test: the calibration figures change, the AUC does not
check 'meta test reads the temperature' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/after.json"
check 'meta test prints the temperature' grep -Eq ', seed 1, temperature [0-9.]+$' "$a/out"
expect_error "^darknet: -out $file: would be written over $file, which is read: must be another file$" darknet meta test "$data" "$cfg" "$weights" -out "$file"
check 'meta test -temperature off runs' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/off.json" -temperature off
check '-temperature off gives the result of before' same "$a/before.json" "$a/off.json"
check 'meta test -temperature on gives the same as the file being there' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/on.json" -temperature on
check '-temperature on is what a file beside the weights makes' same "$a/after.json" "$a/on.json"
check 'the temperature changes calibration figures, and no AUC' python3 - "$a/before.json" "$a/after.json" "$file" <<'END_OF_PYTHON'
import json, sys
a, b = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
row = [l.split() for l in open(sys.argv[3]) if l.startswith("batch 2 ")][0]
assert abs(b["settings"]["temperature"] - float(row[2])) < 1e-12 and b["files"]["temperature"]["path"] == sys.argv[3]
assert "temperature" not in a["settings"] and "temperature" not in a["files"]
assert a["nll"] != b["nll"] and a["brier"] != b["brier"] and a["ece"] != b["ece"]
for name in "auc_before", "auc_after", "accuracy_after", "query_loss", "pairs":
    assert a[name] == b[name], name
for s, t in zip(a["tasks"], b["tasks"]):
    assert s["auc_after"] == t["auc_after"] and s["ranks"] == t["ranks"] and s["nll"] != t["nll"]
END_OF_PYTHON
# On the tasks that it was learned on it is the best one: the file's two likelihoods are those of meta test.
check 'meta test runs on the tasks of the calibration' quiet darknet meta test "$a/held.data" "$cfg" "$weights" -list valid -runs 60 -bn support -shots 5 -out "$a/own.json"
check 'meta test runs there without the temperature' quiet darknet meta test "$a/held.data" "$cfg" "$weights" -list valid -runs 60 -bn support -shots 5 -temperature off -out "$a/own-off.json"
check 'the likelihoods of the file are those of meta test' python3 - "$a/own-off.json" "$a/own.json" "$file" <<'END_OF_PYTHON'
import json, sys
row = [l.split() for l in open(sys.argv[3]) if l.startswith("support 5 ")][0]
for name, text in zip(sys.argv[1:3], row[5:]):
    assert abs(json.load(open(name))["nll"]["mean"] - float(text)) < 1e-7, (name, text)
END_OF_PYTHON
check 'meta test runs with other steps than the temperature has' quiet darknet meta test "$data" "$cfg" "$weights" -steps 1 -out "$a/steps.json"
check 'meta test says that the temperature is of other steps' grep -qF "$file is not taken: it is of 3 steps at 0.1, not 1 at 0.1" "$a/out"
check 'the result with other steps has no temperature' sh -c "! grep -q temperature '$a/steps.json'"
expect_error "-temperature on: $file is of 3 steps at 0.1, not 1 at 0.1" darknet meta test "$data" "$cfg" "$weights" -steps 1 -temperature on
expect_error "-temperature on: $file is of other statistics than running" darknet meta test "$data" "$cfg" "$weights" -bn running -temperature on
# Other ways to learn a task from the same weights, by as many steps at the same rate
of="[inner_loop] on images of 12x12x1"
others() # NAME TEXT SED: meta test and meta adapt with a .cfg that SED has changed leave the temperature, and say that it is none of TEXT
{
    sed "$3" "$cfg" >"$a/$1.cfg"
    check "meta test runs with $2" quiet darknet meta test "$data" "$a/$1.cfg" "$weights" -out "$a/$1.json"
    check "meta test says that the temperature is not of $2" grep -qF "$file is not taken: it is of $of, not $2 on images of 12x12x1" "$a/out"
    check "the result with $2 has no temperature" sh -c "! grep -q temperature '$a/$1.json'"
    expect_error "-temperature on: $file is of \\[inner_loop\\] on images of 12x12x1, not " darknet meta test "$data" "$a/$1.cfg" "$weights" -temperature on
    check "meta adapt runs with $2" quiet darknet meta adapt "$a/few.data" "$a/$1.cfg" "$weights" -out "$a/$1.own"
    check "meta adapt says that the temperature is not of $2" grep -qF "$file is not taken: it is of $of, not $2 on images of 12x12x1" "$a/out"
}
printf 'c6_\nc7_\n' >"$a/few.labels"
ls "$a"/images/c[67]_[0-4].pgm >"$a/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/few.labels" "$a/few.list" >"$a/few.data"
others momentum '[momentum] momentum=0.5' 's/^\[inner_loop\]/[momentum]\nmomentum=.5/'
others only '[momentum] only=connected' 's/^\[inner_loop\]/[momentum]\nonly=connected/'
others imprinted '[inner_loop] head=imprinted' 's/^\[inner_loop\]/&\nhead=imprinted/'
others anil '[inner_loop] adapt=head' 's/^\[inner_loop\]/&\nadapt=head/'
sed 's/^order=2/order=1/; s/^steps=2/steps=4/; s/^tasks=3/tasks=2/' "$cfg" >"$a/training.cfg"
check 'meta test runs with what matters in training alone' quiet darknet meta test "$data" "$a/training.cfg" "$weights"
check 'the temperature is taken whatever the training was' grep -Eq ', seed 1, temperature [0-9.]+$' "$a/out"
cp "$file" "$a/whole.temperature"
early() # a file of before that line was there
{
    python3 - "$a/whole.temperature" "$file" <<'END_OF_PYTHON'
import sys, zlib
lines = [l for l in open(sys.argv[1], "rb").readlines() if not l.startswith((b"inner=", b"crc32="))]
open(sys.argv[2], "wb").write(b"".join(lines) + b"crc32=%08x\n" % zlib.crc32(b"".join(lines)))
END_OF_PYTHON
    quiet darknet meta test "$data" "$a/momentum.cfg" "$weights" && grep -Eq ', seed 1, temperature [0-9.]+$' "$a/out"
}
check 'a file that does not say how tasks were learned is taken as before' early
cp "$a/whole.temperature" "$file"
expect_error '-temperature warm: must be on or off' darknet meta test "$data" "$cfg" "$weights" -temperature warm
expect_error '-temperature: -method knn does not read it; allowed with maml' darknet meta test "$data" "$cfg" "$weights" -method knn -temperature off

# meta adapt: the exported network has the temperature, for every reader
check 'meta adapt runs with a temperature' quiet darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/warm"
check 'meta adapt says which temperature it folds in' grep -Eq "^temperature [0-9.]+ of $file: divides the weights and biases before \[softmax\]\$" "$a/out"
check 'the exported .cfg says the temperature in its head, and has none in [softmax]' sh -c "head -n 1 '$a/warm.cfg' | grep -q ', temperature [0-9.]*\$' && ! grep -q '^temperature' '$a/warm.cfg'"
check 'meta adapt -temperature off runs' quiet darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/cold" -temperature off
for kind in warm cold; do quiet darknet meta predict "$a/$kind.cfg" "$a/$kind.weights" "$a/few.data" "$a/images" -csv -log_odds; cp "$a/out" "$a/$kind.csv"; done
check 'the log-odds with the temperature are those without, divided by it' python3 - "$a/warm.csv" "$a/cold.csv" "$file" <<'END_OF_PYTHON'
import csv, sys
warm, cold = (list(csv.DictReader(open(f))) for f in sys.argv[1:3])
t = float([l.split() for l in open(sys.argv[3]) if l.startswith("support 5 ")][0][2])
assert len(warm) == len(cold) == 128 and abs(t - 1) > .01, t
for a, b in zip(warm, cold):
    x, y = float(a["c6_ log-odds"]), float(b["c6_ log-odds"])
    assert abs(x * t - y) < 2e-5 * (1 + abs(y)), (x, y, t)
END_OF_PYTHON
head -n 7 "$a/few.list" >"$a/seven.list"    # 5 of one class and 2 of the other: the temperature of 3.5 shots lies between
sed "s#few.list#seven.list#" "$a/few.data" >"$a/seven.data"
check 'meta adapt runs with other numbers of images than the temperatures have' quiet darknet meta adapt "$a/seven.data" "$cfg" "$weights" -out "$a/between"
check 'a temperature between two numbers of shots lies between theirs' python3 - "$a/out" "$file" <<'END_OF_PYTHON'
import math, re, sys
rows = {l.split()[1]: float(l.split()[2]) for l in open(sys.argv[2]) if l.startswith("support ")}
t = float(re.search(r"^temperature ([0-9.]+) of", open(sys.argv[1]).read(), re.M)[1])
part = math.log(3.5 / 2) / math.log(5 / 2)
expected = rows["2"] ** (1 - part) * rows["5"] ** part
assert abs(t / expected - 1) < 1e-3, (t, expected)
END_OF_PYTHON
check 'meta adapt -bn running runs beside a file without its temperature' quiet darknet meta adapt "$a/few.data" "$cfg" "$weights" -out "$a/running" -bn running
check 'meta adapt says that the file has no such temperature' grep -qF "$file is not taken: it is of other statistics than running" "$a/out"

# The library finds the temperature by itself, and saves what meta adapt writes.
cat >"$a/library.py" <<'END_OF_PYTHON'
import ctypes as c, sys
lib, cfg, weights, few, out = sys.argv[1:]
class Image(c.Structure): _fields_ = [("kind", c.c_int), ("width", c.c_int), ("height", c.c_int), ("channels", c.c_int), ("pixels", c.c_void_p)]
class Support(c.Structure): _fields_ = [("images", c.POINTER(Image)), ("labels", c.POINTER(c.c_int)), ("count", c.c_int), ("classes", c.c_int)]
paths = open(few).read().split()
pixels = [open(p, "rb").read()[-144:] for p in paths]
images = (Image * len(paths))(*[Image(0, 12, 12, 1, c.cast(c.c_char_p(p), c.c_void_p)) for p in pixels])
labels = (c.c_int * len(paths))(*["c7_" in p for p in paths])
l, why, model, classifier = c.CDLL(lib), c.create_string_buffer(480), c.c_void_p(), c.c_void_p()
def do(status):
    if status: sys.exit(why.value.decode())
do(l.darknet_meta_load(c.byref(model), cfg.encode(), weights.encode(), why))
do(l.darknet_meta_adapt(c.byref(classifier), model, c.byref(Support(images, labels, len(paths), 2)), -1, why))
odds = (c.c_double * (2 * len(paths)))()
do(l.darknet_meta_log_odds(classifier, images, len(paths), 0, odds, why))
print(*odds, sep="\n")
do(l.darknet_meta_save(classifier, out.encode(), 0, why))
END_OF_PYTHON
library() { /usr/bin/python3 "$a/library.py" "$DARKNET_DIR/libdarknet-meta.so" "$cfg" "$weights" "$a/few.list" "$a/$1"; }
if [ "$TEST_VARIANT" = release ]; then
    check 'the library adapts beside a temperature' quiet library lib
    check 'the library saves the weights that meta adapt writes with the temperature' same "$a/lib.weights" "$a/warm.weights"
    cp "$a/out" "$a/lib.odds"
    while read -r image; do grep -F "$image" "$a/warm.csv" | cut -d, -f5,6 | tr , '\n'; done <"$a/few.list" >"$a/cli.odds"
    check 'the library answers as the exported classifier does' awk 'NR == FNR { x[FNR] = $1; next } { d = x[FNR] - $1; if (d > 1e-5 || d < -1e-5) bad = 1; n++ } END { exit bad || n != 20 }' "$a/lib.odds" "$a/cli.odds"
    cfg=$a/imprinted.cfg
    check 'the library adapts by another inner loop beside a temperature' quiet library other
    check 'the library saves the weights of meta adapt, without the temperature' same "$a/other.weights" "$a/imprinted.own.weights"
    cfg=$a/toy.cfg
    mv "$file" "$a/away"
    check 'the library adapts without a temperature' quiet library lib
    check 'the library saves the weights of meta adapt -temperature off without the file' same "$a/lib.weights" "$a/cold.weights"
    head -c 100 "$a/away" >"$file"
    expect_error 'toy_final.temperature: is cut short' library lib
    mv "$a/away" "$file"
fi

# What it may be learned on
grep -v '^valid' "$a/held.data" >"$a/none.data"
expect_error 'none.data: has no valid=: must be a list of common classes that training does not see, never the test list' darknet meta calibrate "$a/none.data" "$cfg" "$weights" -overwrite
sed "s#^valid=.*#valid=$a/../a/test.list#" "$a/held.data" >"$a/test.data"
expect_error "test.data:[0-9]+: valid: .*/test.list is the test list: must be common classes" darknet meta calibrate "$a/test.data" "$cfg" "$weights" -overwrite
cp "$a/images/c6_3.pgm" "$a/images/c0_99.pgm"
{ cat "$a/held.list"; echo "$a/images/c0_99.pgm"; } >"$a/mixed.list"
sed "s#^valid=.*#valid=$a/mixed.list#" "$a/held.data" >"$a/mixed.data"
expect_error 'mixed.list:45: .*/c0_99.pgm: is in the test list, too \(line 4\), as 1 image is: must be other images' darknet meta calibrate "$a/mixed.data" "$cfg" "$weights" -overwrite
check 'meta calibrate runs on images of the train list' quiet darknet meta calibrate "$data" "$cfg" "$weights" -runs 3 -shots 1 -bn batch -overwrite || cat "$a/err"
sed "s#^valid=.*#valid=$a/train.list#" "$data" >"$a/seen.data"
quiet darknet meta calibrate "$a/seen.data" "$cfg" "$weights" -runs 20 -shots 2 -bn batch -overwrite
check 'meta calibrate warns of images that training has seen' grep -q 'warning: .* 64 .*' "$a/err"
expect_error '-shots 0: must be 1 to 1000' darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,0
expect_error '-shots: 2: given twice' darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 2,2
expect_error '-bn x: must be batch, support or running' darknet meta calibrate "$a/held.data" "$cfg" "$weights" -bn batch,x
expect_error '-bn: batch: given twice' darknet meta calibrate "$a/held.data" "$cfg" "$weights" -bn batch,batch

# What can't be learned costs nothing that can: all numbers of shots are looked at first, and a row without a temperature is left out
expect_error "^darknet: -shots 9: $a/held.list: class c[0-3]_ has 11 images: shots=9 and queries=3 need at least 12\$" darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,2,9 -runs 60 -overwrite
quiet darknet meta calibrate "$a/held.data" "$cfg" "$weights" -shots 1,2,9 -runs 60 -overwrite
check 'before the first task' test ! -s "$a/out"
mkdir "$a/still"
python3 - "$weights" "$a/still/toy_final.weights" <<'END_OF_PYTHON'
import struct, sys
bytes_ = bytearray(open(sys.argv[1], "rb").read())
at = 20 + 3 * 4 * 4  # the rolling variances of the first layer, which has four filters: they leave nothing of an image
bytes_[at:at + 16] = struct.pack("<4f", *[1e36] * 4)
open(sys.argv[2], "wb").write(bytes_)
END_OF_PYTHON
check 'the exit status says that a temperature is missing' test "$(quiet darknet meta calibrate "$a/held.data" "$cfg" "$a/still/toy_final.weights" -shots 1,2 -runs 60 -bn batch,running,support; echo $?)" -eq 1
check 'each that is missing is told, and that the file lacks them' test "$(sed 's/\(is left out\): the .*/\1/' "$a/err")" = "$(for k in '1 shot' '2 shots'; do echo "darknet: warning: $k, running statistics: is left out"; done; echo "darknet: $a/still/toy_final.temperature: lacks 2 of the 6 temperatures")"
check 'the others are written' test "$(grep -oE '^(batch|running|support) [12] ' "$a/still/toy_final.temperature" | tr -d '\n')" = 'batch 1 batch 2 support 1 support 2 '
check 'meta test takes one of them' quiet darknet meta test "$data" "$cfg" "$a/still/toy_final.weights" -runs 4 -temperature on
expect_error '-temperature on: .*toy_final.temperature is of other statistics than running' darknet meta test "$data" "$cfg" "$a/still/toy_final.weights" -runs 4 -bn running -temperature on
rm "$a/still/toy_final.temperature"
quiet darknet meta calibrate "$a/held.data" "$cfg" "$a/still/toy_final.weights" -shots 1 -runs 20 -bn running
check 'without any temperature nothing is written' test "$(tail -n 1 "$a/err")" = "darknet: $a/still/toy_final.temperature: is not written: there is no temperature" -a ! -e "$a/still/toy_final.temperature"

# Of other weights, cut
cp "$a/kept" "$file"
check 'the network is trained anew' train "$a" -max_batches 2 -valid_every 0
check 'the temperatures of the training before are kept beside its weights' same "$a/kept" "$a/backup/toy.1_final.temperature"
check 'the new weights have no temperatures' test ! -e "$file"
check 'meta test takes the kept temperatures for the kept weights' quiet darknet meta test "$data" "$cfg" "$a/backup/toy.1_final.weights" -temperature on
cp "$a/kept" "$file"
for verb in test adapt; do
    more=; [ $verb = test ] || more="-out $a/new"
    of=$data; [ $verb = test ] || of=$a/few.data
    expect_error "$file: is of other weights or learned rates than $weights: .meta calibrate -overwrite. makes it anew, or remove it" darknet meta $verb "$of" "$cfg" "$weights" $more
    check "meta $verb -temperature off does not look at it" quiet darknet meta $verb "$of" "$cfg" "$weights" $more -temperature off
done
head -c 200 "$a/kept" >"$file"
expect_error "$file: is cut short, changed or no file of temperatures" darknet meta test "$data" "$cfg" "$weights"
check 'meta train -overwrite trains' train "$a" -max_batches 2 -valid_every 0 -overwrite
check 'meta train -overwrite drops the temperatures of the weights that it drops' test ! -e "$file"

# A training that goes on leaves no temperatures of the weights that it replaces.
cp "$a/kept" "$file"
check 'a training goes on' train "$a" -max_batches 4 -valid_every 0 -resume
check 'the temperatures of the weights that it replaced are gone' test ! -e "$file"
check 'meta test runs on its weights' quiet darknet meta test "$data" "$cfg" "$weights" -runs 4
