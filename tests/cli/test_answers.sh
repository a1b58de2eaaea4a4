#!/bin/bash
# meta test -csv writes the answers to the query images, and -with averages those of other tests of
# the same tasks with a method's own.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
no_charts
toy "$a"
toy_supervised "$a"
data=$a/toy.data
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
check 'meta pretrain makes a classifier' pretrain "$a" -max_batches 60 -valid_every 0
mv "$a/toy.cfg" "$a/known.cfg"
mv "$a/backup/toy_final.weights" "$a/known.weights"
toy "$a"
cfg=$a/toy.cfg
for seed in 1 2; do
    check "meta train makes network $seed" train "$a" -max_batches 30 -valid_every 0 -seed $seed -overwrite
    mv "$a/backup/toy_final.weights" "$a/$seed.weights"
done
one() { local name=$1 weights=$2; shift 2; quiet darknet meta test "$data" "$cfg" "$weights" -csv "$a/$name.csv" -out "$a/$name.json" "$@"; }
tune() { local name=$1; shift; quiet darknet meta test "$data" "$a/known.cfg" "$a/known.weights" -method finetune -epochs 4 -csv "$a/$name.csv" -out "$a/$name.json" "$@"; }
check 'meta test -csv runs on network 1' one 1 "$a/1.weights"
check 'it writes nothing to standard error' test ! -s "$a/err"
check 'meta test -csv runs on network 2' one 2 "$a/2.weights"
check 'meta test -csv runs on a fine-tuned network of another .cfg' tune tuned

# The figures of the JSON from the answers alone: AUC of class 1, accuracy, NLL, the digests of the
# tasks, and that the two classes of a task have each other's negative log-odds.
cat >"$a/from_csv.py" <<'END'
import csv, json, math, sys
rows, j = list(csv.DictReader(open(sys.argv[1]))), json.load(open(sys.argv[2]))
names, tasks = j["classes"], j["tasks"]
assert list(rows[0]) == ["task", "images", "image", "xxh3_128", "class", "asked", "log_odds"], list(rows[0])
each = len(rows) // len(tasks)
assert each == 2 * 2 * j["settings"]["queries"] and len(rows) == each * len(tasks)
for t, task in enumerate(tasks):
    own = rows[t * each:(t + 1) * each]
    assert all(r["task"] == str(t) and r["images"] == task["images"] for r in own)
    first, second = (names[k] for k in task["classes"])
    z = {}
    for r in own:
        z.setdefault(r["image"], (r["class"], {}))[1][r["asked"]] = float(r["log_odds"])
    assert len(z) == each // 2 and all(set(o) == {first, second} and o[first] == -o[second] for c, o in z.values())
    of = {c: [o[second] for k, o in z.values() if k == c] for c in (first, second)}
    auc = sum((p > n) + (p == n) / 2 for p in of[second] for n in of[first]) / len(of[first]) / len(of[second])
    right = sum((o[second] > 0) == (c == second) for c, o in z.values())
    nll = sum(math.log1p(math.exp(-o[c])) for c, o in z.values()) / len(z)
    assert abs(auc - task["auc_after"]) < 1e-12, (t, auc, task["auc_after"])
    assert abs(right / len(z) - task["accuracy_after"]) < 1e-12 and abs(nll - task["nll"]) < 1e-9, t
END
for name in 1 tuned; do
    check "every task's figures follow from $name.csv" python3 "$a/from_csv.py" "$a/$name.csv" "$a/$name.json"
done
check 'the head of what is printed names the answers that are averaged with' quiet darknet meta test "$data" "$cfg" "$a/1.weights" -with "$a/2.csv"
check 'behind the settings' grep -q "seed 1, averaged with $a/2.csv\$" "$a/out"
check 'a fine-tuned network has a curve' test "$(grep -c '"curve"' "$a/tuned.json")" -eq 1
check 'meta test -csv runs on three threads' one 1-3 "$a/1.weights" -threads 3
check 'it writes the same answers' same "$a/1.csv" "$a/1-3.csv"
check 'meta test -csv writes over a file of its own' one 1-3 "$a/1.weights" -threads 1

check 'meta test -weights 1,2 -csv runs' quiet darknet meta test "$data" "$cfg" -weights "$a/1.weights,$a/2.weights" -csv "$a/12.csv" -out "$a/12.json"
check 'meta test of 1 -with 2.csv runs' one 1with2 "$a/1.weights" -with "$a/2.csv"
check 'it gives the answers of -weights 1,2' same "$a/12.csv" "$a/1with2.csv"
after() { grep -E '^(AUC after|  other groups|accuracy after|NLL|Brier|ECE)' "$a/out"; }
after >"$a/with"
check 'no figure stands before adaptation, of which the files know nothing' test "$(grep -c 'before\|gain' "$a/out")" -eq 0
quiet darknet meta test "$data" "$cfg" -weights "$a/1.weights,$a/2.weights"
after >"$a/weights"
check 'it prints the figures of -weights 1,2' same "$a/weights" "$a/with"
check 'meta test of 1 -with 1.csv runs' one 1with1 "$a/1.weights" -with "$a/1.csv"
check 'the mean with itself ranks as it does' test "$(grep -o '"auc_after":.*' "$a/1.json" | tail -n 30)" = "$(grep -o '"auc_after":.*' "$a/1with1.json" | tail -n 30)"
check 'meta test of 1 with a fine-tuned one runs' one mean "$a/1.weights" -with "$a/tuned.csv"
check 'meta test of the fine-tuned one with 1 runs' tune turned -with "$a/1.csv"
check 'meta test of 1 with two others runs' one three "$a/1.weights" -with "$a/2.csv,$a/tuned.csv"
mean()
{
    python3 - "$@" <<'END'
import csv, math, sys
# FILE or, at a temperature, FILE:T
p = [[1 / (1 + math.exp(-float(r["log_odds"]) / float(t or 1))) for r in csv.DictReader(open(f))] for f, _, t in (w.partition(":") for w in sys.argv[1:])]
off = max(abs(whole - sum(parts) / len(parts)) for whole, *parts in zip(*p))
assert len(p[0]) > 100 and off < 1e-12, off
END
}
check 'its probabilities are the mean of both' mean "$a/mean.csv" "$a/1.csv" "$a/tuned.csv"
check 'either way around they are the same' mean "$a/turned.csv" "$a/1.csv" "$a/tuned.csv"
check 'a mean has no curve' test "$(grep -c '"curve"' "$a/turned.json")" -eq 0
check 'of three they are the mean of three' mean "$a/three.csv" "$a/1.csv" "$a/2.csv" "$a/tuned.csv"
# Each answer at a temperature of its own
check 'meta test of 1 with two others at temperatures runs' one cooler "$a/1.weights" -with "$a/2.csv,$a/tuned.csv" -temper 2,1,0.5
check 'its head tells them' grep -q "averaged with $a/2.csv,$a/tuned.csv, temperatures 2,1,0.5\$" "$a/out"
check 'its probabilities are the mean of those at the temperatures' mean "$a/cooler.csv" "$a/1.csv:2" "$a/2.csv:1" "$a/tuned.csv:0.5"
check 'which is another than without' sh -c "! cmp -s '$a/cooler.csv' '$a/three.csv'"
check 'the figures follow from it' python3 "$a/from_csv.py" "$a/cooler.csv" "$a/cooler.json"
check 'temperatures of 1 change nothing' one ones "$a/1.weights" -with "$a/2.csv,$a/tuned.csv" -temper 1,1,1
check 'of the mean' mean "$a/ones.csv" "$a/1.csv" "$a/2.csv" "$a/tuned.csv"
check 'the result has the temperatures' test "$(tr -d ' \t\n' <"$a/cooler.json" | grep -o '"temper":[^]]*')" = '"temper":[2,1,0.5'
check 'meta compare runs on it' quiet darknet meta compare "$a/three.json" "$a/cooler.json"
check 'and tells them' grep -q '^B .*, averaged with 2 other tests at temperatures 2, 1, 0.5$' "$a/out"

files=$(printf "$a/2.csv,%.0s" 1 2 3 4 5 6 7 8 9 10 11)
check 'meta test with eleven files runs' one eleven "$a/1.weights" -with "${files%,}" -temper .25,.25,.25,.25,.25,.25,.25,.25,.25,.25,.25,.25
check 'meta compare runs on it' quiet darknet meta compare "$a/three.json" "$a/eleven.json"
check 'and tells whole temperatures, and that there are more' grep -Eq 'averaged with 11 other tests at temperatures (0\.25, )+\.\.\.$' "$a/out"

check 'the figures follow from the mean' python3 "$a/from_csv.py" "$a/mean.csv" "$a/mean.json"
check 'the result names the file that was averaged with' python3 - "$a/three.json" "$a/2.csv" "$a/tuned.csv" <<'END'
import json, sys, zlib
j = json.load(open(sys.argv[1]))
assert j["settings"]["with"] == 2
for k, path in enumerate(sys.argv[2:], 1):
    f = j["files"]["with_%d" % k]
    assert f["path"] == path and int(f["crc32"], 16) == zlib.crc32(open(path, "rb").read())
END
check 'meta compare pairs it with one alone' quiet darknet meta compare "$a/1.json" "$a/mean.json"
check 'and says what it is averaged with' test "$(grep -c '^B .*1.weights, averaged with 1 other test$' "$a/out"),$(grep -c '^A .*averaged' "$a/out")" = 1,0
check 'the first tasks of more answers are taken' one few "$a/1.weights" -runs 10 -with "$a/2.csv"
check 'they are those of all' same "$a/few.csv" <(head -n "$(wc -l <"$a/few.csv")" "$a/12.csv")

# other paths of the same images
sed "s#^#$PWD/#; s#^$PWD//#/#" "$a/test.list" | sed 's#/images/#/images/../images/#' >"$a/elsewhere.list"
sed "s#^test=.*#test=$a/elsewhere.list#" "$data" >"$a/elsewhere.data"
check 'answers to the same files by other paths are taken' quiet darknet meta test "$a/elsewhere.data" "$cfg" "$a/1.weights" -with "$a/2.csv"
{ printf '\357\273\277'; tr ',' ';' <"$a/2.csv"; } >"$a/semicolons.csv"
check 'so are those that a spreadsheet has saved with semicolons and a byte order mark' one 1with2 "$a/1.weights" -with "$a/semicolons.csv"
check 'and give the same' same "$a/12.csv" "$a/1with2.csv"

cp "$a/2.csv" "$a/kept.csv"
say() { expect_error "$1" darknet meta test "$data" "$cfg" "$a/1.weights" "${@:2}"; }
say '2.csv:2: images [0-9a-f]+: must be [0-9a-f]+: the answers must be to the same tasks' -with "$a/2.csv" -seed 2
say '2.csv:2: images ' -with "$a/2.csv" -shots 1
say '2.csv:2: images ' -with "$a/2.csv" -list valid
say '2.csv:[0-9]+: ends before task 30 of 31: ' -with "$a/2.csv" -runs 31
head -n 1 "$a/2.csv" >"$a/head.csv"
say 'head.csv:[0-9]+: ends before task 0 of 30' -with "$a/head.csv"
sed '2s/[^,]*$/high/' "$a/2.csv" >"$a/word.csv"
say 'word.csv:2: log_odds high: must be a number, or nan' -with "$a/word.csv"
sed '2s/,[^,]*$//' "$a/2.csv" >"$a/six.csv"
say 'six.csv:2: has 6 fields: must be 7, task,images,image' -with "$a/six.csv"
{ head -n 1 "$a/2.csv"; sed -n '4,5p' "$a/2.csv"; sed -n '2,3p' "$a/2.csv"; tail -n +6 "$a/2.csv"; } >"$a/moved.csv"
say 'moved.csv:2: xxh3_128 [0-9a-f]+: must be [0-9a-f]+: ' -with "$a/moved.csv"
sed '3d' "$a/2.csv" >"$a/lost.csv"
say 'lost.csv:3: (xxh3_128|asked) .*: must be ' -with "$a/lost.csv"
say "toy.cfg:1: must be task,images,image,xxh3_128,class,asked,log_odds" -with "$cfg"
say 'none.csv: No such file' -with "$a/none.csv"
say '-with .*,: has an empty word' -with "$a/2.csv,"
say '-temperature: is of one file of weights, not of a mean of answers' -with "$a/2.csv" -temperature on
say "-csv $a/2.csv: would be written over $a/2.csv, which is read" -with "$a/2.csv" -csv "$a/2.csv"
say "-out $a/2.csv: would be written over $a/2.csv, which is read" -with "$a/2.csv" -out "$a/2.csv"
cp "$cfg" "$a/another.cfg"
cp "$a/1.weights" "$a/kept.weights"
say "-csv $a/1.weights: is there and is not of meta test -csv: must be another name" -csv "$a/1.weights"
check 'the weights that -csv names are left' same "$a/kept.weights" "$a/1.weights"
say "-csv $a/another.cfg: is there and is not of meta test -csv: must be another name" -csv "$a/another.cfg"
say "$a/both: must be one of -csv and -out" -csv "$a/both" -out "$a/both"
say "$a/both: must be one of -csv and -out" -csv "$a/both" -out "$a/../a/./both"
say "none/x.csv: can.t write there" -csv "$a/none/x.csv"
say '-temper: is of a mean: only with -with' -temper 1
say "-temper 1: must be 2 numbers, the test.s own first" -with "$a/2.csv" -temper 1
say "-temper 1,2,3: must be 2 numbers" -with "$a/2.csv" -temper 1,2,3
say "-temper 1,: has an empty word" -with "$a/2.csv" -temper 1,
say '-temper 0: must be 0.01 to 100' -with "$a/2.csv" -temper 1,0
say '-temper x: must be ' -with "$a/2.csv" -temper x,1
say '-fit_temperature: is of common classes that training does not see: must be with -list valid' -fit_temperature
say '-fit_temperature: .* must be with -list valid' -fit_temperature -list train
for flag in -csv -with; do
    expect_error "$flag: the answers of -method knn are no probabilities" darknet meta test "$data" "$a/known.cfg" "$a/known.weights" -method knn $flag "$a/2.csv"
done
check 'none of these has changed the answers' same "$a/kept.csv" "$a/2.csv"

# A task whose outputs are no numbers has no mean.
sed '2,13s/[^,]*$/nan/' "$a/2.csv" >"$a/nan.csv"
check 'meta test with answers that are no numbers runs' one lost "$a/1.weights" -with "$a/nan.csv"
check 'it says which tasks have none' grep -q '^1 of the tasks diverged' "$a/out"
check 'and writes nan for them' test "$(sed -n '2,13p' "$a/lost.csv" | grep -c 'nan$')" -eq 12

# A class whose name ends in a blank, and the temperature of weights, which the answers are without
sed "s#^labels=.*#labels=$a/labels\nnames=$a/blank.names#" "$data" >"$a/blank.data"
sed 's/_$/ ill /' "$a/labels" >"$a/blank.names"
check 'meta test -csv runs with names that end in blanks' quiet darknet meta test "$a/blank.data" "$cfg" "$a/2.weights" -csv "$a/blank.csv"
check 'and -with takes what it has written' quiet darknet meta test "$a/blank.data" "$cfg" "$a/1.weights" -with "$a/blank.csv"
quiet darknet meta calibrate "$data" "$cfg" "$a/1.weights" -runs 40 -shots 2 -bn batch
check 'meta calibrate makes a temperature' test -s "$a/1.temperature"
check 'meta test -csv runs with it' one tempered "$a/1.weights"
check 'which is taken' grep -q ', temperature ' "$a/out"
check 'the answers are without it' same "$a/1.csv" "$a/tempered.csv"

# The temperature of any answers to common classes: of one network's that of meta calibrate, by hand, and of answers that have it 1
fitted() { sed -n 's/^temperature \([0-9.]*\)[ ,].*/\1/p' "$a/out"; }
check 'meta test -fit_temperature runs' quiet darknet meta test "$data" "$cfg" "$a/1.weights" -list valid -runs 40 -shots 2 -fit_temperature -csv "$a/valid.csv"
check 'its temperature is that of meta calibrate' test "$(fitted)" = "$(awk '$1 == "batch" { printf "%.4f", $3 }' "$a/1.temperature")"
check 'with an interval, and the losses' grep -Eq '^temperature [0-9.]+ \([0-9.]+ to [0-9.]+\), NLL [0-9.]+ without it and [0-9.]+ with it$' "$a/out"
with=$(fitted)
check 'meta test -fit_temperature of a mean with itself at that temperature runs' quiet darknet meta test "$data" "$cfg" "$a/1.weights" -list valid -runs 40 -shots 2 -fit_temperature -with "$a/valid.csv" -temper "$with,$with"
check 'which has a temperature of 1' test "$(printf %.3f "$(fitted)")" = 1.000
check 'meta test -fit_temperature runs on a fine-tuned network' quiet darknet meta test "$data" "$a/known.cfg" "$a/known.weights" -method finetune -epochs 4 -list valid -runs 20 -fit_temperature -csv "$a/valid.csv"
check 'its temperature has the least loss' python3 - "$a/valid.csv" "$a/out" <<'END'
import csv, math, re, sys
z = [float(r["log_odds"]) for r in csv.DictReader(open(sys.argv[1])) if r["class"] == r["asked"]]
t, low, high, without, least = map(float, re.search(r"^temperature ([\d.]+) \(([\d.]+) to ([\d.]+)\), NLL ([\d.]+) without it and ([\d.]+)", open(sys.argv[2]).read(), re.M).groups())
loss = lambda t: sum(math.log1p(math.exp(-x / t)) for x in z) / len(z)
assert low < t < high and abs(loss(1) - without) < 1e-4 and abs(loss(t) - least) < 1e-4, (loss(1), loss(t))
assert all(loss(t) <= loss(t * f) for f in (.8, .95, 1.05, 1.2)) and abs(t - 1) > .01, t
END
unwritten() { bash -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' - "$DARKNET_BIN" meta test "$data" "$cfg" "$a/1.weights" -list valid -runs 40 -shots 2 -fit_temperature -out "$a/unwritten.json" 2>&1 | cat >"$a/out"; grep -q 'unwritten.json: .*File too large' "$a/out" && [ "$(fitted)" = "$with" ] && [ ! -e "$a/unwritten.json" ]; }
check 'a result that can not be written takes no temperature with it' unwritten
expect_error '-fit_temperature: the answers of -method knn are no probabilities' darknet meta test "$data" "$a/known.cfg" "$a/known.weights" -method knn -list valid -fit_temperature
sed "s#^valid=.*#valid=$a/test.list#" "$data" >"$a/tuned.data"
expect_error 'test.list is the test list: must be common classes' darknet meta test "$a/tuned.data" "$cfg" "$a/1.weights" -list valid -fit_temperature
{ cat "$a/valid.list"; head -n 1 "$a/test.list"; } >"$a/some.list"
sed "s#^valid=.*#valid=$a/some.list#" "$data" >"$a/tuned.data"
expect_error 'some.list:[0-9]*: .*: is in the test list, too' darknet meta test "$a/tuned.data" "$cfg" "$a/1.weights" -list valid -fit_temperature
