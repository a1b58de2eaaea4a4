#!/bin/bash
# Several ranks: the same bits whatever their number, and one line that says what differs between them. Those that end: ranks_end.sh.
. tests/lib.sh
. tests/toy.sh
. tests/mpirun.sh

# ---- what ranks do with each other ----------------------------------------------------------------

for n in 1 2 3 5; do
    all_well() { ranks $n "$BUILD/tests/ranks" 20 good >"$TMP_TEST/said" 2>&1 && [ "$(grep -c ': well' "$TMP_TEST/said")" -eq $n ] || { cat "$TMP_TEST/said"; return 1; }; }
    check "$n ranks gather and broadcast" all_well
done
check 'ranks that differ in a setting all end, with both values' said 'the answer differs: 42 on rank 0 (.*), 43 on rank 1 (' 1 3 20 agree
check 'the failure of one rank is the end of all' said '^a.jpg: is corrupt' 1 3 20 status
for bytes in 100 100000 10000000; do check "an exchange of $bytes bytes that is given up writes no memory any more" said '^well' 1 3 20 after $bytes; done

# ---- training -------------------------------------------------------------------------------------

a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^tasks=3/tasks=4/' "$a/toy.cfg"
toy_twin "$a" "$whole"
flags=(-seed 5 -backup_every 4 -valid_every 6 -valid_runs 7)
fields=1-5,8- # of the log: all but times
check 'one process trains' train "$whole" "${flags[@]}"
for n in 2 3 4; do
    rm -f "$a"/backup/*
    check "$n ranks train" train_ranks $n "$a" "${flags[@]}"
    check "$n ranks come to the bytes of one process" same_files
done
rm -f "$a"/backup/*
# The first training of a list decodes its images: by the first rank of a machine, whose cache the others take them from
opened() { rm -f "$a"/*.cache "$a"/backup/*; strace -f -qq -e trace=openat -o "$a/calls" "$@" && grep -c 'images/.*\.pgm' "$a/calls"; }
decode_once()
{
    local one two
    one=$(opened "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -threads 1 -max_batches 1 | tail -n 1) && two=$(opened timeout 120 mpirun -n 2 "$DARKNET_BIN" meta train \
        "$a/toy.data" "$a/toy.cfg" -name toy -threads 1 -max_batches 1 | tail -n 1) && echo "$one files opened by one process, $two by two ranks" && [ "$one" -ge 96 ] && [ "$two" -eq "$one" ]
}
if command -v strace >/dev/null; then check 'two ranks of a machine decode each image once' decode_once
else skip 'two ranks of a machine decode each image once' 'strace is not installed'; fi
rm -f "$a"/backup/*
check '2 ranks train a first part' train_ranks 2 "$a" "${flags[@]}" -max_batches 5
check '4 ranks go on with it' train_ranks 4 "$a" "${flags[@]}" -max_batches 9 -resume
check 'one process goes on with that' train "$a" "${flags[@]}" -resume
fields=1-5 # each part has watched the valid list at its end
check 'the parts come to the bytes of one process' same_files
rm -f "$a"/backup/*

# refuses REGEX: 2 ranks, the second with other words, fail before they have written anything, and one of them says why
refuses()
{
    local line=$1 status=0
    shift
    ranks 1 "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy : -n 1 "$@" >"$a/out" 2>&1 || status=$?
    [ $status -ne 0 ] && [ "$(grep -c darknet: "$a/out")" -eq 1 ] && grep -Eq -- "$line" "$a/out" && [ "$(ls "$a/backup" | wc -l)" -eq 0 ] || { cat "$a/out"; ls "$a/backup"; return 1; }
}
sed 's/^tasks=4/tasks=5/' "$a/toy.cfg" >"$a/other.cfg"
check 'another .cfg on one rank is told' refuses 'darknet: \[episode\] tasks \(section 2\) is 5 here, but 4 on rank 0' "$DARKNET_BIN" meta train "$a/toy.data" "$a/other.cfg" -name toy
sed "s#^valid=.*#valid=$a/test.list#" "$a/toy.data" >"$a/other.data"
check 'another valid list on one rank is told' refuses "darknet: .*the digest of the valid list's classes" "$DARKNET_BIN" meta train "$a/other.data" "$a/toy.cfg" -name toy
check 'a missing .cfg on one rank is told' refuses 'darknet: .*none.cfg: No such file' "$DARKNET_BIN" meta train "$a/toy.data" "$a/none.cfg" -name toy
check 'another seed on one rank is told' refuses 'darknet: -seed is 2 here, but 1 on rank 0' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -seed 2
check 'another backend on one rank is told' refuses 'darknet: -backend is reference here, but onednn on rank 0' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -backend reference
check 'another max_batches on one rank is told' refuses 'darknet: max_batches differs: 12 on rank 0 \(.*\), 13 on rank 1' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -max_batches 13
check 'another valid_every on one rank is told' refuses 'darknet: when the valid list is watched differs: every 250 iterations by 100 tasks on rank 0 \(.*\), every 5 iterations by 100 tasks on rank 1' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -valid_every 5
check 'a rank that does not watch the valid list is told' refuses 'darknet: when the valid list is watched differs: .* on rank 0 \(.*\), never on rank 1' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -valid_every 0
check 'weights on one rank alone are told' refuses 'darknet: what the training starts from differs: new weights on rank 0 \(.*\), WEIGHTS on rank 1' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" "$whole/backup/toy_final.weights" -name toy
sed '$d' "$a/train.list" >"$a/short.list"
sed "s|train.list|short.list|" "$a/toy.data" >"$a/short.data"
check 'another training list on one rank is told' refuses 'darknet: images in the training list is 63 here, but 64 on rank 0' "$DARKNET_BIN" meta train "$a/short.data" "$a/toy.cfg" -name toy
mkdir "$TMP_TEST/copy"
cp "$DARKNET_BIN" "$TMP_TEST/copy"
cp -r "$DARKNET_DIR/plugins" "$DARKNET_DIR"/libdarknet-meta-*.so "$TMP_TEST/copy"
echo >>"$TMP_TEST/copy/plugins/meta_loss.so"
check 'another build of a plugin on one rank is told' refuses 'darknet: the file of the plugin \[meta_loss\] differs: [0-9a-f]{32} on rank 0 \(.*\), [0-9a-f]{32} on rank 1' "$TMP_TEST/copy/darknet" meta train "$a/toy.data" "$a/toy.cfg" -name toy
too_many() { ! train_ranks 5 "$a" && grep -q 'darknet: 5 ranks for 4 tasks an iteration: must be at most as many' "$a/out" && [ "$(grep -c darknet: "$a/out")" -eq 1 ] || { cat "$a/out"; return 1; }; }
check 'more ranks than tasks are refused' too_many

# ---- tests ------------------------------------------------------------------------------------------

cp "$whole/backup/toy_final.weights" "$a/w.weights"
testing=("$DARKNET_BIN" meta test "$a/toy.data" "$a/toy.cfg" "$a/w.weights" -threads 1)
check 'one process tests' "${testing[@]}" -runs 20 -out "$a/1.json"
for n in 2 3; do
    test_ranks() { ranks $n "${testing[@]}" -runs 20 -out "$a/$n.json" >"$a/out" 2>&1 && cmp "$a/$n.json" "$a/1.json" && [ "$(grep -c 'tasks of 2 classes' "$a/out")" -eq 1 ]; }
    check "$n ranks come to the file of results of one process" test_ranks
done
# A second rank with other words; flags stand before the files, too
words=(meta test "$a/toy.data" "$a/toy.cfg" "$a/w.weights")
first=("$DARKNET_BIN" meta test -runs 20 -threads 1 "${words[@]:2}")
differs() { local line=$1; shift; ! ranks 1 "${first[@]}" : -n 1 "$DARKNET_BIN" "$@" >"$a/out" 2>&1 && [ "$(grep -c darknet: "$a/out")" -eq 1 ] && grep -Eq "darknet: $line" "$a/out" || { cat "$a/out"; return 1; }; }
check 'another number of tasks on one rank is told' differs 'runs is 21 here, but 20 on rank 0 \(' "${words[@]}" -threads 1 -runs 21
check 'another number of tasks before the files is told' differs 'runs is 21 here, but 20 on rank 0 \(' meta test -runs 21 -threads 1 "${words[@]:2}"
check 'another seed of a test before the files is told' differs 'seed is 2 here, but 1 on rank 0 \(' meta test -threads 1 -seed 2 -runs 20 "${words[@]:2}"
check 'other shots of a test are told' differs 'shots is 1 here, but 2 on rank 0 \(' meta test -threads 1 -shots 1 -runs 20 "${words[@]:2}"
check 'another method is told' differs 'method is finetune here, but maml on rank 0 \(' meta test -threads 1 -method finetune -runs 20 "${words[@]:2}"
check 'other statistics are told' differs 'bn is support here, but batch on rank 0 \(' meta test -threads 1 -bn support -runs 20 "${words[@]:2}"
check 'other steps are told' differs 'steps is 1 here, but 3 on rank 0 \(' meta test -threads 1 -steps 1 -runs 20 "${words[@]:2}"
check 'copies of images on one rank are told' differs 'augment is 2 here, but not set on rank 0 \(' meta test -threads 1 -augment 2 -runs 20 "${words[@]:2}"
check 'another list is told' differs 'list is train here, but test on rank 0 \(' meta test -threads 1 -list train -runs 20 "${words[@]:2}"
check 'other kernels are told' differs 'the instruction set differs: .* on rank 0 \(.*\), .*kernels onednn on rank 1' meta test -threads 1 -kernels onednn -runs 20 "${words[@]:2}"
threads_of() { ranks 1 "${first[@]}" -out "$a/threads.json" : -n 1 "$DARKNET_BIN" "${words[@]}" -threads 2 -runs 20 >"$a/out" 2>&1 && cmp "$a/threads.json" "$a/1.json" || { cat "$a/out"; return 1; }; }
check 'ranks may have other numbers of threads, and words in another order' threads_of

# Answers are written by rank 0, and averaged by one process
answers_of() { ranks 1 "${first[@]}" -csv "$a/two.csv" : -n 1 "$DARKNET_BIN" "${words[@]}" -runs 20 -threads 1 >"$a/out" 2>&1 || { cat "$a/out"; return 1; }; }
check 'a rank alone may write the answers' answers_of
check 'they are those of one process' sh -c "'$DARKNET_BIN' ${words[*]} -runs 20 -csv '$a/alone.csv' >/dev/null && cmp '$a/two.csv' '$a/alone.csv'"
both_answers() { ranks 2 "${first[@]}" -csv "$a/both.csv" >"$a/out" 2>&1 && cmp "$a/both.csv" "$a/alone.csv" || { cat "$a/out"; return 1; }; }
check 'or all of them' both_answers
averaged() { ! ranks 2 "${first[@]}" -with "$a/alone.csv" >"$a/out" 2>&1 && grep -q '^darknet: -with: answers are averaged by one process: must be without' "$a/out" || { cat "$a/out"; return 1; }; }
check 'answers of other tests are refused' averaged

# Temperatures lie beside the weights, of which each machine has a copy
warm=$TMP_TEST/warm
toy "$warm"
train "$warm" -max_batches 150 -valid_every 0 -seed 3
sed "s#^valid=.*#valid=$warm/held.list#; s#^train=.*#train=$warm/valid.list#" "$warm/toy.data" >"$warm/held.data"
grep -E '_(1[0-5]|[0-4])\.pgm' "$warm/train.list" >"$warm/held.list"
cp "$warm/backup/toy_final.weights" "$warm/w.weights"
first=("$DARKNET_BIN" meta test -runs 20 -threads 1 "$warm/toy.data" "$warm/toy.cfg" "$warm/w.weights")
words=(meta test -threads 1 -runs 20 "$warm/toy.data" "$warm/toy.cfg" "$warm/backup/toy_final.weights")
check 'weights of one rank are calibrated' "$DARKNET_BIN" meta calibrate "$warm/held.data" "$warm/toy.cfg" "$warm/backup/toy_final.weights" -shots 2 -runs 60
check 'a temperature on one rank alone is told' differs 'temperature is [0-9.]+ here, but not set on rank 0 \(' "${words[@]}"
check 'a temperature that a rank does not take is none that differs' ranks 1 "${first[@]}" : -n 1 "$DARKNET_BIN" "${words[@]}" -temperature off

# A JPEG of 32x32 is decoded at half its size, or in full
mkdir "$a/large"
base64 -d >"$a/large/c6_99.jpg" <<'END'
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAgACABAREA/8QA
FQABAQAAAAAAAAAAAAAAAAAABAX/xAAWEAADAAAAAAAAAAAAAAAAAAAAAgP/2gAIAQEAAD8AgTQVNBM0FTQkzQVNBM0FTQlTQTNBU0EzQlTQTNBU0EzQ/9k=
END
{ cat "$a/test.list"; echo "$a/large/c6_99.jpg"; } >"$a/large.list"
{ cat "$a/valid.list"; echo "$a/large/c4_99.jpg"; } >"$a/large_valid.list"
cp "$a/large/c6_99.jpg" "$a/large/c4_99.jpg"
sed "s#^test=.*#test=$a/large.list#; s#^valid=.*#valid=$a/large_valid.list#" "$a/toy.data" >"$a/large.data"
{ cat "$a/large.data"; echo decode=full; } >"$a/full.data"
first=("$DARKNET_BIN" meta test -threads 1 "$a/large.data" "$a/toy.cfg" "$a/w.weights")
check 'another decoding of the images of a test is told' differs 'decode is not set here, but scaled on rank 0 \(' meta test -threads 1 "$a/full.data" "$a/toy.cfg" "$a/w.weights"
first=("$DARKNET_BIN" meta train "$a/large.data" "$a/toy.cfg" -name toy -threads 1)
rm -f "$a"/backup/*
check 'another decoding of the valid list is told' differs "the decoding of the valid list's images differs: scaled on rank 0 \\(.*\\), full on rank 1" meta train "$a/full.data" "$a/toy.cfg" -name toy -threads 1

cat >"$TMP_TEST/toy.table" <<END2
[table]
name=Toy
data=$a/toy.data
runs=5
first=2
[row]
label=One
cfg=$a/toy.cfg
shots=2
END2
figures() { grep -vE '"[a-z_]*(seconds|memory_mb)":' "$1" | sed "s|$a/two|$a/one|"; }
table_ranks()
{
    local kind
    "$DARKNET_BIN" meta table "$TMP_TEST/toy.table" -out "$a/one" -threads 1 || return
    "$DARKNET_BIN" meta table "$TMP_TEST/toy.table" -out "$a/two" -threads 1 -launcher 'mpirun -n 2' || return
    for kind in toy toy-one-2; do cmp <(figures "$a/one/$kind.json") <(figures "$a/two/$kind.json") || return; done
}
check 'a table that is trained and tested by 2 ranks comes to the figures of one process' table_ranks
table_fails() { ! "$DARKNET_BIN" meta table "$TMP_TEST/toy.table" -out "$a/three" -threads 1 -launcher 'mpirun -n 9' 2>"$a/err" >/dev/null && grep -q '^darknet: One, 2 shots: 9 ranks for 4 tasks an iteration' "$a/err"; }
check "a table tells what the launcher's ranks complain of" table_fails

# ---- the benchmark ------------------------------------------------------------------------------------

# A rank's parts are those of its iteration, but for what lies between them; each prediction is the model's of the costs in the same file
of_bench()
{
    python3 - "$a/bench.json" "$1" <<'PY'
import json, sys
d, n = json.load(open(sys.argv[1])), int(sys.argv[2])
c, s = d["costs"], d["settings"]
assert s["ranks"] == len(d["ranks"]) == n and s["transport"] == "MPI" and s["tasks"] == 4 and s["gradient_bytes"] == 4 * s["parameters"]
for r in d["ranks"]:
    parts = [r[k + "_seconds"] for k in ("computing", "waiting", "exchange")]
    assert all(0 <= p["least"] <= p["median"] <= p["most"] for p in parts) and r["host"]
    assert max(p["least"] for p in parts) <= r["seconds"]["median"] and sum(p["least"] for p in parts) <= r["seconds"]["most"]
assert all(c[k] > 0 for k in c if k != "gap_seconds") and c["start_seconds"] >= c["latency_seconds"]
assert [p["ranks"] for p in d["predicted"]] == sorted({1, 2, 4, 8, 64, 512, n})
for p in d["predicted"]:
    k, t = p["ranks"], p["tasks"]
    assert t == max(4, k)
    most, least, g = -(-t // k), t // k, s["gradient_bytes"]
    def exchange(message, bytes):
        return (c["latency_seconds"] if message < 65536 else c["start_seconds"]) + (k - 2) * c["gap_seconds"] + bytes / c["bandwidth_bytes_a_second"]
    seconds = t * g * c["handling_seconds_a_byte"]
    if k > 1:
        seconds = (exchange(most * s["result_bytes"], (k - 1) * most * s["result_bytes"]) + exchange(most * g / k, max(most * (k - 1), t - least) * g / k)
                   + exchange(g / k, (k - 1) * g / k) + (most * g + t * g / k) * c["handling_seconds_a_byte"])
    whole = most * c["task_seconds"] + c["step_seconds"] + seconds
    assert abs(p["seconds"] - whole) < 1e-9 * whole, (k, p["seconds"], whole)
    assert abs(p["waiting_seconds"] - (most - least) * c["task_seconds"]) <= 1e-12
assert 1 <= d["best_ranks"] <= 4
PY
}
for n in 2 3; do
    bench_ranks() { ranks $n "$DARKNET_BIN" meta bench "$a/toy.cfg" -ranks -threads 1 -seconds .02 -out "$a/bench.json" >"$a/out" 2>&1; }
    check "meta bench -ranks measures $n ranks" bench_ranks
    check "meta bench -ranks tells the parts of an iteration on $n ranks, and predicts by its model" of_bench $n
done
check 'meta bench -ranks prints a row for each rank and for each prediction' test "$(grep -cE '^ +[0-9]+ ' "$a/out")" -eq $((3 + 7))
differs() { ! ranks 1 "$DARKNET_BIN" meta bench "$a/toy.cfg" -ranks : -n 1 "$DARKNET_BIN" meta bench "$a/other.cfg" -ranks >"$a/out" 2>&1 && grep -q 'darknet: .*toy.cfg differs: [0-9a-f]* on rank 0' "$a/out" || { cat "$a/out"; return 1; }; }
check 'meta bench -ranks refuses different .cfg files' differs

# ---- what is warned of ----------------------------------------------------------------------------

# Images in no group, and a valid list of images that are trained on, too
{ echo image,group; sed 1,4d "$a/train.list" | sed 's#.*#&,&#'; sed 1,4d "$a/test.list" | sed 's#.*#&,&#'; } >"$a/groups.csv"
{ head -n 24 "$a/train.list"; } >"$a/seen.list"
{ sed "s#^valid=.*#valid=$a/seen.list#; s#^backup=.*#backup=$a/warned#" "$a/toy.data"; echo "groups=$a/groups.csv"; } >"$a/warned.data"
warned() { ranks 2 "$DARKNET_BIN" meta "$1" "$a/warned.data" "$a/toy.cfg" "${@:3}" >"$a/out" 2>&1 && [ "$(grep -c 'darknet: warning:' "$a/out")" -eq "$2" ] || { cat "$a/out"; return 1; }; }
check 'two ranks that train warn once of each thing' warned train 2 -name toy -threads 1 -max_batches 1 -valid_runs 3
check 'two ranks that test, too' warned test 1 "$whole/backup/toy_final.weights" -threads 1 -runs 3
