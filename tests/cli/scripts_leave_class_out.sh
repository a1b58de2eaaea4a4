#!/bin/bash
# scripts/leave_class_out.py: trainings that lack a class, tested on tasks that have it.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a out=$TMP_TEST/out
toy "$a"
sed -i 's/^shots=2/shots=1/; s/^queries=3/queries=2/' "$a/toy.cfg"
# Classes 1, 2, 4 and 6, with a valid list of their own: the last six images of each. Two images of a class are a group.
data=$a/common.data
for k in 1 2 4 6; do ls "$a"/images/c${k}_[0-9].pgm; done >"$a/few.list"
for k in 1 2 4 6; do ls "$a"/images/c${k}_1[0-5].pgm; done >"$a/held.list"
{ echo 'group;image'; sed 's#.*/\(c._\)\(.*\)\.pgm#\1\2#' "$a/few.list" "$a/held.list" | awk -F_ '{ print $1 "p" int($2 / 2) ";" $0 }'; } >"$a/groups.csv"
sed "s#^train=.*#train=$a/few.list#; s#^valid=.*#valid=$a/held.list#" "$a/toy.data" | { cat; printf 'decode=full\ngroups=%s' "$a/groups.csv"; } >"$data"
leave() { scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --shots 2 --runs 12 "$@" >"$TMP_TEST/said" 2>&1; }
runs() { grep -c '^\$ ' "$TMP_TEST/said"; }
check 'scripts/leave_class_out.py leaves out one class' leave --only c2_
check 'by one training and one test' test "$(runs)" -eq 2
check 'whose images are not in its list' test "$(grep -c c2_ "$out/without-c2_/train.list") $(wc -l <"$out/without-c2_/train.list")" = '0 30'
says() { python3 - "$out/without-c2_/toy-1-2-shots-12.json" "$TMP_TEST/said" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
aucs = [100 * t["auc_after"] for t in d["tasks"] if 2 in t["classes"]]
assert 0 < len(aucs) < len(d["tasks"]) == 12, len(aucs)
assert d["settings"]["list"] == "valid" and d["settings"]["shots"] == 2
mean = "%.2f" % (sum(aucs) / len(aucs))
assert "| toy | %s | %s | - |" % (mean, mean) in open(sys.argv[2]).read(), mean
PY
}
check 'it tells the mean over the tasks that have the class' says
rm "$out/without-c2_"/toy-1_final.weights "$out/without-c2_"/toy-1-2-shots-12.json
check 'a training that was stopped goes on' leave --only c2_
check 'from its checkpoint' grep -q -- '-resume' "$TMP_TEST/said"
check 'all classes are left out in turn' leave --seeds 1,2
check 'and what is there is not run again' test "$(runs)" -eq 14
check 'the table has a column each' grep -q '^| recipe | new: c1_ | new: c2_ | new: c4_ | new: c6_ | mean | less toy, over classes |$' "$TMP_TEST/said"
check 'all of it is there' leave --seeds 1,2
check 'so that nothing is run' test "$(runs)" -eq 0
check 'other numbers of tasks are asked' leave --seeds 1,2 --only c2_ --runs 13
check 'of the same trainings' test "$(runs)" -eq 2
sed 's/^learning_rate=0.01/learning_rate=0.02/' "$a/toy.cfg" >"$a/other.cfg"
sed -i.kept 's/^learning_rate=0.01/learning_rate=0.02/' "$a/toy.cfg"
expect_error '^scripts/leave_class_out\.py: .*toy-1\.made_of\.json: is of another \.cfg: must be another OUT$' scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --only c2_
mv "$a/toy.cfg.kept" "$a/toy.cfg"
sed 1,1d "$a/held.list" >"$a/fewer.list"
sed "s#^valid=.*#valid=$a/fewer.list#" "$data" >"$a/fewer.data"
expect_error '^scripts/leave_class_out\.py: .*toy-1-2-shots-12\.made_of\.json: is of another valid list: must be another OUT$' scripts/leave_class_out.py "$a/fewer.data" "$out" "$a/toy.cfg" --only c2_ --shots 2 --runs 12
grep -v c4_ "$a/few.list" >"$a/fewer.list"
sed "s#^train=.*#train=$a/fewer.list#" "$data" >"$a/fewer.data"
cp "$out/without-c2_/train.list" "$a/kept.list"
expect_error '^scripts/leave_class_out\.py: .*without-c2_/made_of\.json: is of another train list: must be another OUT$' scripts/leave_class_out.py "$a/fewer.data" "$out" "$a/toy.cfg" --only c2_
check 'whose lists are left alone' cmp "$out/without-c2_/train.list" "$a/kept.list"
# Student's t over the classes of differences 1, 2, 4 and 5: 3 -+ 3.182 * 1.8257 / 2
interval() { python3 -c "import sys; sys.path.insert(0, 'scripts'); import leave_class_out as l; assert l.mean_interval([1, 2, 4, 5]) == '3.00 (0.10 to 5.90)', l.mean_interval([1, 2, 4, 5])
l.report({'a': {'x': [1, 3], 'y': [4, 4]}, 'b': {'x': [3, 3], 'y': [8, 6]}}, ['x', 'y'])" >"$TMP_TEST/said"; }
check 'an interval is that of Student' interval
check 'seeds are one value of their class' grep -qxF '| b | 3.00 | 7.00 | 5.00 | 2.00 (-10.71 to 14.71) |' "$TMP_TEST/said"
if python3 -c 'import numpy, sklearn' 2>/dev/null; then
    check 'classes are split by what a training sees in them' leave --only c2_ --subclasses 2 --least 2
    check 'by features, lists, a training and a test' test "$(runs)" -eq 4
    split=$out/without-c2_/toy-2-subclasses
    rows() { tail -n +2 "$split/subclasses.csv" | tr -d '\r'; }
    sizes() { rows | cut -d, -f2,3 | sort -u | cut -d, -f1 | uniq -c | awk '{ n++; few += $1 < 2 } END { exit !(n > 3 && n <= 6 && !few) }'; }
    check 'some in two, each of two groups or more' sizes
    check 'each group in one' test "$(rows | cut -d, -f3 | sort -u | wc -l) $(rows | cut -d, -f2,3 | sort -u | wc -l)" = '15 15'
    check 'no image is lost, none has a known class of another' test "$(rows | awk -F, '{ c = $2; sub(/-.*/, "", c); if ($1 ~ c) n++ } END { print n, NR }')" = '30 30'
    check 'its .data file reads images as DATA does' grep -q '^decode = full$' "$split/sub/sub.data"
    check 'the table has a row of them' grep -Eq '^\| toy-2-subclasses \| [0-9.]+ \| [0-9.]+ \| -?[0-9.]+ \|$' "$TMP_TEST/said"
    expect_error '^scripts/leave_class_out\.py: .*toy-2-subclasses/made_of\.json: is of another --least: must be another OUT$' scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --only c2_ --subclasses 2 --least 3 --runs 12 --shots 2
    out=$TMP_TEST/large
    check 'a class too small is not split' leave --only c2_ --subclasses 2
    check 'which is told' grep -q '^c1_: 10 images of 5 groups in 1 class$' "$TMP_TEST/said"
else skip 'classes that are split' 'python3-sklearn is not there'; fi
expect_error '^scripts/leave_class_out\.py: --only c9_: must be one of c1_, c2_, c4_, c6_$' scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" --only c9_
sed '/^valid/d' "$data" >"$a/none.data"
expect_error '^scripts/leave_class_out\.py: .*none\.data: valid= is missing$' scripts/leave_class_out.py "$a/none.data" "$out" "$a/toy.cfg"
sed "s#^valid=.*#valid=$a/few4.list#" "$data" >"$a/none.data"
grep -v c6_ "$a/held.list" >"$a/few4.list"
expect_error '^scripts/leave_class_out\.py: .*few4\.list: has no image of c6_: the class can.t be asked$' scripts/leave_class_out.py "$a/none.data" "$out" "$a/toy.cfg"
expect_error '^scripts/leave_class_out\.py: that ended with an error: darknet: .*none\.cfg: No such file or directory$|^scripts/leave_class_out\.py: .*none\.cfg: No such file or directory$' scripts/leave_class_out.py "$data" "$out" "$a/none.cfg"
mkdir "$a/b"; cp "$a/toy.cfg" "$a/b"
expect_error '^scripts/leave_class_out\.py: two \.cfg files have one name' scripts/leave_class_out.py "$data" "$out" "$a/toy.cfg" "$a/b/toy.cfg"
