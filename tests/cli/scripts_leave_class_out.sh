#!/bin/bash
# scripts/leave_class_out.py: trainings that lack a class, tested on tasks that have it.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a out=$TMP_TEST/out
toy "$a"
sed -i "s/^shots=2/shots=1/; s/^queries=3/queries=2/" "$a/toy.cfg"
# Four classes with a valid list of their own: the last six images of each
data=$a/common.data
for k in 0 1 2 3; do ls "$a"/images/c${k}_[0-9].pgm; done >"$a/few.list"
for k in 0 1 2 3; do ls "$a"/images/c${k}_1[0-5].pgm; done >"$a/held.list"
sed "s#^train=.*#train=$a/few.list#; s#^valid=.*#valid=$a/held.list#" "$a/toy.data" >"$data"
leave() { scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --shots 2 --runs 12 "$@" >"$TMP_TEST/said" 2>&1; }
runs() { grep -c '^\$ ' "$TMP_TEST/said"; }
check 'scripts/leave_class_out.py leaves out one class' leave --only c1_
check 'by one training and one test' test "$(runs)" -eq 2
check 'whose images are not in its list' test "$(grep -c c1_ "$out/without-c1_/train.list") $(wc -l <"$out/without-c1_/train.list")" = '0 30'
says() { python3 - "$out/without-c1_/toy-1.json" "$TMP_TEST/said" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
aucs = [100 * t["auc_after"] for t in d["tasks"] if 1 in t["classes"]]
assert 0 < len(aucs) < len(d["tasks"]) == 12, len(aucs)
assert d["settings"]["list"] == "valid" and d["settings"]["shots"] == 2
mean = "%.2f" % (sum(aucs) / len(aucs))
assert "| toy | %s | %s | - |" % (mean, mean) in open(sys.argv[2]).read(), mean
PY
}
check 'it tells the mean over the tasks that have the class' says
check 'all classes are left out in turn' leave --seeds 1,2
check 'and what is there is not run again' test "$(runs)" -eq 14
check 'the table has a column each' grep -q '^| recipe | new: c0_ | new: c1_ | new: c2_ | new: c3_ | all | less toy, over trainings |$' "$TMP_TEST/said"
check 'all of it is there' leave --seeds 1,2
check 'so that nothing is run' test "$(runs)" -eq 0
if python3 -c 'import numpy, sklearn' 2>/dev/null; then
    check 'classes are split by what a training sees in them' leave --only c1_ --subclasses 2 --least 3
    check 'by features, lists, a training and a test' test "$(runs)" -eq 4
    split=$out/without-c1_/toy-2-subclasses
    check 'into two each, of three images or more' test "$(tail -n +2 "$split/subclasses.csv" | cut -d, -f2 | sort | uniq -c | awk '$1 >= 3' | wc -l)" -eq 6
    check 'no image is lost, none has a known class of another' test "$(tail -n +2 "$split/subclasses.csv" | tr -d '\r' | awk -F, '{ c = $2; sub(/-.*/, "", c); if ($1 ~ c) n++ } END { print n, NR }')" = '30 30'
    check 'the table has a row of them' grep -Eq '^\| toy-2-subclasses \| [0-9.]+ \| [0-9.]+ \| -?[0-9.]+ \|$' "$TMP_TEST/said"
    rm -r "$out"
    check 'a class too small is not split' leave --only c1_ --subclasses 2
    check 'which is told' grep -q '^c0_: 10 images of 10 groups in 1 classes$' "$TMP_TEST/said"
else skip 'classes that are split' 'python3-sklearn is not there'; fi
expect_error '^scripts/leave_class_out\.py: --only c9_: must be one of c0_, c1_, c2_, c3_$' scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --only c9_
sed '/^valid/d' "$data" >"$a/none.data"
expect_error '^scripts/leave_class_out\.py: .*none\.data: valid= is missing$' scripts/leave_class_out.py "$a/none.data" "$out" "$a/toy.cfg"
expect_error '^scripts/leave_class_out\.py: that ended with an error: darknet: .*none\.cfg: No such file or directory$' scripts/leave_class_out.py "$data" "$out" "$a/none.cfg"
