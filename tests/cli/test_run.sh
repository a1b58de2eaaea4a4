#!/bin/bash
# meta test and meta compare: figures, pairing, independence of threads, and what they refuse.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
data=$a/toy.data cfg=$a/toy.cfg
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
train "$a" -max_batches 150 -valid_every 0 -seed 3 || test_failed 'meta train makes the network to test' "$a/err"
weights=$a/backup/toy_final.weights

check 'meta test runs' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/30.json"
check 'meta test prints the AUC before, after and their difference, with intervals' \
    test "$(grep -cE '^AUC (before|after|gain) +-?[0-9.]+ +[0-9.]+ +-?[0-9.]+ to -?[0-9.]+$' "$a/out")" -eq 3
check 'meta test prints the interval of other groups' grep -Eq '^  other groups +[0-9.]+ +[0-9.]+ +-?[0-9.]+ to -?[0-9.]+$' "$a/out"
check 'meta test prints the accuracy' grep -Eq '^accuracy after +[0-9.]+' "$a/out"
check 'meta test prints the table of pairs of classes' grep -Eq '^c6_ - c7_ +30 +[0-9.]+ +[0-9.]+ +[0-9.]+ to' "$a/out"
check 'meta test writes nothing to standard error' test ! -s "$a/err"
check 'the result has thirty tasks' test "$(grep -c '"run":' "$a/30.json")" -eq 30
check 'meta test prints NLL, Brier score and ECE with intervals' test "$(grep -cE '^(NLL|Brier score|ECE) +[0-9.]+ +[0-9.]+ +[0-9.]+ to [0-9.]+$' "$a/out")" -eq 3
check 'the calibration figures follow from the tasks and bins of the result' python3 - "$a/30.json" "$a/out" <<'END_OF_PYTHON'
import json, sys
j = json.load(open(sys.argv[1]))
printed = {line[:11].strip(): float(line.split()[1 + line.startswith("Brier")]) for line in open(sys.argv[2]) if line.startswith(("NLL", "Brier", "ECE"))}
tasks, bins = j["tasks"], j["bins"]
mean = lambda name: sum(t[name] for t in tasks) / len(tasks)
n = sum(b["count"] for b in bins)
assert n == len(tasks) * 2 * j["settings"]["queries"] and len(bins) == 15
ece = sum(abs(b["confidence"] - b["correct"]) for b in bins) / n
assert abs(ece - j["ece"]["mean"]) < 1e-12 and abs(ece - printed["ECE"]) < 6e-5
assert abs(sum(b["correct"] for b in bins) / n - j["accuracy_after"]["mean"]) < 1e-12
for key, name in ("nll", "NLL"), ("brier", "Brier score"):
    assert abs(mean(key) - j[key]["mean"]) < 1e-12 and abs(mean(key) - printed[name]) < 6e-5
assert abs(j["nll"]["mean"] - j["query_loss"]["mean"]) < 1e-6
END_OF_PYTHON
figure() { awk -v what="$1" '$1 == "AUC" && $2 == what { print $3 }' "$a/out"; }
check 'adapting raises the AUC' awk "BEGIN { exit !($(figure after) > $(figure before) + .05) }"
mean_of_file() { tr -d ' \t' <"$1" | sed -n 's/^"auc_after":\([0-9.e-]*\),*$/\1/p' | awk '{ s += $1; n++ } END { printf "%.4f", s / n }'; }
check 'the printed AUC is the mean of the tasks in the result' test "$(mean_of_file "$a/30.json")" = "$(figure after)"
check 'the result has the check sums of four files' test "$(tr -d ' \t' <"$a/30.json" | grep -c '"crc32":"[0-9a-f]\{8\}"')" -eq 4

check 'meta test runs on one thread' quiet darknet meta test "$data" "$cfg" "$weights" -threads 1 -out "$a/one.json"
check 'meta test runs on three threads' quiet darknet meta test "$data" "$cfg" "$weights" -threads 3 -out "$a/three.json"
check 'meta test gives the same result on one thread' same "$a/30.json" "$a/one.json"
check 'meta test gives the same result on three threads' same "$a/30.json" "$a/three.json"
check 'meta test -runs 80 runs' quiet darknet meta test "$data" "$cfg" "$weights" -runs 80 -out "$a/80.json"
runs() { tr -d ' \t\n' <"$1" | grep -o '{"run":[^}]*}' | head -n 30; }
check 'the first 30 tasks of -runs 80 are those of -runs 30' test "$(runs "$a/30.json")" = "$(runs "$a/80.json")"
check 'meta test runs with another seed' quiet darknet meta test "$data" "$cfg" "$weights" -seed 2 -out "$a/seed.json"
check 'meta test with another seed has other tasks' test "$(runs "$a/30.json")" != "$(runs "$a/seed.json")"

check 'meta test -steps 0 runs' quiet darknet meta test "$data" "$cfg" "$weights" -steps 0 -out "$a/steps0.json"
check 'meta test -steps 0 gives the same AUC before and after' test "$(figure before)" = "$(figure after)" -a "$(figure gain)" = 0.0000
check 'meta test -shots 1 runs' quiet darknet meta test "$data" "$cfg" "$weights" -shots 1 -out "$a/shot1.json"
check 'meta test -shots 1 prints the number of shots' grep -q '1 shot,' "$a/out"
check 'meta test -list valid runs' quiet darknet meta test "$data" "$cfg" "$weights" -list valid
check 'meta test -list valid has the classes of the valid list' grep -q '^c4_ - c5_' "$a/out"
check 'meta test -list train runs' quiet darknet meta test "$data" "$cfg" "$weights" -list train -runs 60 -out "$a/list-train.json"
check 'meta test -list train has six pairs of classes' test "$(grep -c '^c[0-3]_ - c[0-3]_' "$a/out")" -eq 6
sed "s#^test=.*#test=$a/train.list#" "$data" >"$a/again.data"
check 'meta test runs with the training images as test=' quiet darknet meta test "$a/again.data" "$cfg" "$weights" -runs 60 -out "$a/list-test.json"
images() { tr -d ' \t\n' <"$1" | grep -o '"images":"[^"]*"' | sort -u; }
check '-list train draws none of the tasks of the same images as test=' test -z "$(comm -12 <(images "$a/list-train.json") <(images "$a/list-test.json"))"
check 'meta test looks for a place for the result before it tests' sh -c "! '$DARKNET_BIN' meta test '$data' '$cfg' '$weights' -out '$a/none/x.json' >'$a/out' 2>'$a/err' && ! grep -q tasks '$a/out' && grep -q 'none/x.json: can.t write there: No such file' '$a/err'"
check 'meta test -runs 1 runs' quiet darknet meta test "$data" "$cfg" "$weights" -runs 1
check 'meta test -runs 1 prints no interval' test "$(grep -cE '^AUC (before|after|gain) +-?[0-9.]+$' "$a/out")" -eq 3

# meta test gives the AUC that training has printed for the valid list.
check 'meta train runs with a valid AUC' train "$a" -max_batches 3 -valid_every 3 -valid_runs 25 -seed 9
check 'meta test -list valid runs on the weights of that training' quiet darknet meta test "$data" "$cfg" "$weights" -list valid -runs 25 -seed 9 -out "$a/valid.json"
check 'meta test gives the valid AUC that training has printed' test "$(tail -n 1 "$a/backup/toy.csv" | awk -F, '{ printf "%.4f", $8 }')" = "$(figure after)"

check 'meta test of two tasks runs' quiet darknet meta test "$data" "$cfg" "$weights" -runs 2 -seed 4 -out "$a/two.json"
awk '/ to / { n++; if ($(NF - 2) < ($0 ~ /^AUC gain/ ? -1 : 0) || ($NF > 1 && $0 !~ /^NLL/)) bad++ } END { exit !(n >= 8 && !bad) }' "$a/out"
check 'its intervals end where its figures do' test $? -eq 0 || cat "$a/out"
check 'so do those of its JSON' python3 - "$a/two.json" <<'END'
import json, sys
j = json.load(open(sys.argv[1]))
ends = [j[k] for k in ("auc_before", "auc_after", "accuracy_before", "accuracy_after", "brier")] + [p[k] for p in j["pairs"] for k in ("auc_before", "auc_after")]
ends = [e for e in ends if e["low"] is not None]
assert len(ends) >= 5 and all(0 <= e["low"] <= e["mean"] <= e["high"] <= 1 for e in ends), ends
END
check 'meta compare compares equal results' quiet darknet meta compare "$a/30.json" "$a/one.json"
check 'meta compare finds no difference between equal results' grep -q '^B - A  +0.0000, 95% interval +0.0000 to +0.0000 .*no clear difference' "$a/out"
check 'meta compare compares no adaptation with adaptation' quiet darknet meta compare "$a/steps0.json" "$a/30.json" || cat "$a/err"
check 'meta compare finds adaptation, which is B, better' grep -q 'B is better' "$a/out"
check 'meta compare compares adaptation with no adaptation' quiet darknet meta compare "$a/30.json" "$a/steps0.json"
check 'meta compare finds adaptation, which is A, better' grep -q 'A is better' "$a/out"
cp "$weights" "$a/kept.weights"
expect_error "^darknet: -out $weights: would be written over $weights, which is read: must be another file\$" darknet meta test "$data" "$cfg" "$weights" -runs 2 -out "$weights"
cp "$weights" "$TMP_TEST/second.weights"
expect_error "^darknet: -out $TMP_TEST/second.weights: would be written over $TMP_TEST/second.weights, which is read" \
    darknet meta test "$data" "$cfg" -weights "$weights,$TMP_TEST/second.weights" -runs 2 -out "$TMP_TEST/second.weights"
cp "$cfg" "$a/another.cfg"
expect_error "^darknet: -out $a/another.cfg: is there and is not of meta test: must be another name\$" darknet meta test "$data" "$cfg" "$weights" -runs 2 -out "$a/another.cfg"
check 'meta test leaves a file of something else as it is' same "$cfg" "$a/another.cfg"
check 'meta test leaves the weights that -out names' same "$a/kept.weights" "$weights"
expect_error "can't be paired: seed 1.* against seed 2" darknet meta compare "$a/30.json" "$a/seed.json"
expect_error "can't be paired: .*5? shots.* against" darknet meta compare "$a/30.json" "$a/shot1.json"
sed 's/"images":\(.*\)"[0-9a-f]*"/"images":\1"00000000000000000000000000000000"/' "$a/30.json" >"$a/other.json"
expect_error "can't be paired: task 0 has other images" darknet meta compare "$a/30.json" "$a/other.json"

# Images are told by what is in their files, whatever the files are called.
sed "s#^#$PWD/#; s#^$PWD//#/#" "$a/test.list" | sed 's#/images/#/images/../images/#' >"$a/elsewhere.list"
sed "s#^test=.*#test=$a/elsewhere.list#" "$data" >"$a/elsewhere.data"
quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/here.json"
check 'meta test runs on the same files by other paths' quiet darknet meta test "$a/elsewhere.data" "$cfg" "$weights" -out "$a/elsewhere.json"
check 'meta compare pairs results of the same files by other paths' quiet darknet meta compare "$a/here.json" "$a/elsewhere.json"
check 'the same files by other paths give the same AUC' grep -q '^B - A  +0.0000' "$a/out"
mkdir "$a/kept"; cp "$a"/images/c6_*.pgm "$a/kept"
for f in "$a"/images/c6_*.pgm; do # every pixel one brighter
    { head -c 13 "$f"; tail -c +14 "$f" | tr '\000-\377' '\001-\377\000'; } >"$a/other.pgm"
    cp "$a/other.pgm" "$f"
done
check 'meta test runs on other images under the same names' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/changed.json"
expect_error "can't be paired: task 0 has other images" darknet meta compare "$a/30.json" "$a/changed.json"
cp "$a"/kept/*.pgm "$a/images"

# Results of version 1.0 told images by path.
old() { sed 's/"format":\t2/"format":\t1/; s/\("images":\t"[0-9a-f]\{8\}\)[0-9a-f]*"/\1"/' "$1"; }
old "$a/30.json" >"$a/old30.json"; old "$a/steps0.json" >"$a/old0.json"
check 'meta compare pairs two results of version 1.0' quiet darknet meta compare "$a/old0.json" "$a/old30.json"
check 'meta compare says that they go by paths' grep -q '^both files tell images by their paths, as version 1.0 of this program did' "$a/out"
expect_error "old0.json and .*/30.json can't be paired: .*/old0.json tells images by their paths, as version 1.0" darknet meta compare "$a/old0.json" "$a/30.json"
expect_error "30.json and .*/old0.json can't be paired: .*/old0.json tells images by their paths" darknet meta compare "$a/30.json" "$a/old0.json"
expect_error 'toy.cfg:1: is not JSON' darknet meta compare "$a/30.json" "$cfg"
echo '{}' >"$a/empty.json"
expect_error 'empty.json: is not a result of' darknet meta compare "$a/30.json" "$a/empty.json"
# Images by group, from the file alone: error^2 is that of the tasks and the sum over groups of influence^2 G/(G-1), by products of parts or of query
# images alone, whichever is more
array() { tr -d ' \t\n' <"$1" | sed 's/.*"other_groups":{\(.*\)/\1/' | grep -o "\"$2\":\[[^]]*" | head -n 1 | sed 's/.*\[//' | tr , '\n'; }
error_of()
{
    python3 - "$1" "$2" <<'END_OF_PYTHON'
import json, sys
from collections import Counter
g, tasks = json.load(open(sys.argv[1]))["other_groups"], 30
number, both, query = Counter(g["class"]), 0, 0
for i, k in enumerate(g["class"]):
    part, more = [p[i] for p in g["parts"]], number[k] / (number[k] - 1)
    assert abs(sum(part) - g["whole_influence"][i]) < 1e-6
    both += (sum(part) ** 2 - sum(p * p for p in part)) * more * tasks ** 2 / (tasks ** 2 - 10 * 3 ** 2)
    query += g["influence"][i] ** 2 * more
print("%.4f" % (max(both, query) + float(sys.argv[2]) ** 2) ** .5)
END_OF_PYTHON
}
check 'groups of images in the result are of two classes' test "$(array "$a/30.json" class | sort -u | wc -l)" -eq 2
check 'groups of the result are asked as often as there are query images' test "$(array "$a/30.json" asked | awk '{ s += $1 } END { print s }')" -eq $((30 * 2 * $(tr -d ' \t' <"$a/30.json" | sed -n 's/^"queries":\([0-9]*\),/\1/p')))
check 'meta test runs on the weights of the last training' quiet darknet meta test "$data" "$cfg" "$weights" -out "$a/again.json"
printed() { awk -v what="$1" '$1 " " $2 == what { print $4 }' "$a/out"; }
near() { awk -v a="$1" -v b="$2" 'BEGIN { d = a - b; print "printed " a ", from the file " b; exit !(a > 0 && d < 1.5e-4 && d > -1.5e-4) }'; }
check 'the printed error over other groups follows from the result' near "$(printed 'other groups')" "$(error_of "$a/again.json" "$(printed 'AUC after')")"
check 'meta test prints how many groups of images there are' grep -q "^other groups: as if the $(array "$a/again.json" class | wc -l) groups of the images" "$a/out"
sed 's/"other_groups"/"no_groups"/' "$a/30.json" >"$a/old.json"
check 'meta compare reads a result from before there were groups' quiet darknet meta compare "$a/steps0.json" "$a/old.json"
check 'meta compare prints the tasks alone where a result has no groups' test "$(grep -c 'other groups' "$a/out")" -eq 0 -a "$(grep -c '^B - A .*B is better' "$a/out")" -eq 1
check 'meta compare compares two results with groups' quiet darknet meta compare "$a/steps0.json" "$a/30.json"
check 'meta compare prints other groups where both results have them' grep -Eq '^   of other groups: -0[.][0-9]+ to [+]0[.][0-9]+ \(the 32 groups of the images drawn anew, too\): no clear difference$' "$a/out"
sed 's/"redrawn"/"not"/' "$a/30.json" >"$a/alone.json"
expect_output '^   of other groups: not known: .*alone.json has the influence of query images alone' darknet meta compare "$a/steps0.json" "$a/alone.json"
sed '/"asked":/s/\[[0-9]*/[99/' "$a/30.json" >"$a/asked.json"
expect_error "can't be paired: their images are in other groups" darknet meta compare "$a/30.json" "$a/asked.json"
sed '/"influence":/s/\[[^,]*,/[/' "$a/30.json" >"$a/short.json"
expect_error 'short.json: other_groups: has arrays of several lengths' darknet meta compare "$a/30.json" "$a/short.json"
sed '/"class":/s/\[[0-9]*/[-1/' "$a/30.json" >"$a/class.json"
expect_error 'class.json: other_groups.class\[0\] is -1: must be a whole number, 0 to 999999' darknet meta compare "$a/30.json" "$a/class.json"
expect_error 'none.json: No such file' darknet meta compare "$a/30.json" "$a/none.json"
sed 's/"auc_after":\(.*\)[0-9],/"auc_after": null,/' "$a/30.json" >"$a/null.json"
expect_error 'null.json: task 0 has no auc' darknet meta compare "$a/30.json" "$a/null.json"

expect_error '-runs' darknet meta test "$data" "$cfg" "$weights" -runs 0
expect_error 'list x: must be test, valid or train' darknet meta test "$data" "$cfg" "$weights" -list x
grep -v '^test' "$data" >"$a/none.data"
expect_error 'none.data: has no test=' darknet meta test "$a/none.data" "$cfg" "$weights"
expect_error 'none.weights: No such file' darknet meta test "$data" "$cfg" "$a/none.weights"
expect_error 'c6_|c7_' darknet meta test "$data" "$cfg" "$weights" -shots 14
size=$(stat -c %s "$weights")
head -c $((size - 4)) "$weights" >"$a/short.weights"
expect_error "short.weights: $((size - 4)) bytes.* $size bytes" darknet meta test "$data" "$cfg" "$a/short.weights"
mkfifo "$a/pipe"
expect_error 'pipe: is not a regular file' darknet meta test "$data" "$cfg" "$weights" -runs 2 -out "$a/pipe"
check 'a refused -out leaves the pipe as it is' test -p "$a/pipe"
