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
p = [[1 / (1 + math.exp(-float(r["log_odds"]))) for r in csv.DictReader(open(f))] for f in sys.argv[1:]]
off = max(abs(whole - sum(parts) / len(parts)) for whole, *parts in zip(*p))
assert len(p[0]) > 100 and off < 1e-12, off
END
}
check 'its probabilities are the mean of both' mean "$a/mean.csv" "$a/1.csv" "$a/tuned.csv"
check 'either way around they are the same' mean "$a/turned.csv" "$a/1.csv" "$a/tuned.csv"
check 'a mean has no curve' test "$(grep -c '"curve"' "$a/turned.json")" -eq 0
check 'of three they are the mean of three' mean "$a/three.csv" "$a/1.csv" "$a/2.csv" "$a/tuned.csv"
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
