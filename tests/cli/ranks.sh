#!/bin/bash
# Several ranks: the same bits whatever their number, whole checkpoints when one of them is killed, stopped or fails, and one line that
# says which.
. tests/lib.sh
. tests/toy.sh
if ! command -v mpirun >/dev/null || [ ! -e "$DARKNET_DIR/libdarknet-meta-mpi.so" ]; then
    skip 'several ranks train together' 'Open MPI is not installed (openmpi-bin, libopenmpi-dev)'
    exit 0
fi
if [ "$TEST_VARIANT" != release ]; then
    skip 'several ranks train together' "Open MPI does not run under $TEST_VARIANT"
    exit 0
fi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers do not let a process read another's memory
if ! timeout 60 mpirun -n 2 true >/dev/null 2>&1; then
    skip 'several ranks train together' 'mpirun -n 2 true fails here'
    exit 0
fi
ranks() { timeout 120 mpirun -n "$@"; }

# ---- what ranks do with each other ----------------------------------------------------------------

# said LINE COUNT N WORDS...: N ranks of the test program fail, and so many of them say LINE. The status is mpirun's, which may die itself
said()
{
    local line=$1 count=$2 n=$3 status=0
    shift 3
    ranks "$n" "$BUILD/tests/ranks" "$@" >"$TMP_TEST/said" 2>&1 || status=$?
    [ $status -ne 0 ] && [ "$(grep -c -- "$line" "$TMP_TEST/said")" -eq "$count" ] || { cat "$TMP_TEST/said"; return 1; }
}
for n in 1 2 3 5; do
    all_well() { ranks $n "$BUILD/tests/ranks" 20 good >"$TMP_TEST/said" 2>&1 && [ "$(grep -c ': well' "$TMP_TEST/said")" -eq $n ] || { cat "$TMP_TEST/said"; return 1; }; }
    check "$n ranks gather and broadcast" all_well
done
check 'ranks that differ in a setting all end, with both values' said 'the answer differs: 42 on rank 0 (.*), 43 on rank 1 (' 1 3 20 agree
check 'the failure of one rank is the end of all' said '^a.jpg: is corrupt' 1 3 20 status
check 'a rank that fails on its own tells the others' said '^its disk is full' 1 3 20 fail 1
check 'a rank that is stopped is given up and named' said 'rank 1 (.*) has been silent for 1 seconds' 1 3 1 stop 1

# ---- training -------------------------------------------------------------------------------------

a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^tasks=3/tasks=4/' "$a/toy.cfg"
toy_twin "$a" "$whole"
flags=(-seed 5 -backup_every 4 -valid_every 6 -valid_runs 7)
train_ranks() { local n=$1 at=$2; shift 2; ranks "$n" "$DARKNET_BIN" meta train "$at/toy.data" "$at/toy.cfg" -name toy -threads 1 "$@" >"$at/out" 2>&1; }
fields=1-5,8- # of the log: all but times
same_files()
{
    local file
    for file in toy.state toy.backup toy_final.weights; do
        cmp "$a/backup/$file" "$whole/backup/$file" || return 1
    done
    [ "$(cut -d, -f"$fields" "$a/backup/toy.csv")" = "$(cut -d, -f"$fields" "$whole/backup/toy.csv")" ] && [ "$(ls "$a/backup")" = "$(ls "$whole/backup")" ] || { ls "$a/backup"; return 1; }
}
check 'one process trains' train "$whole" "${flags[@]}"
for n in 2 3 4; do
    rm -f "$a"/backup/*
    check "$n ranks train" train_ranks $n "$a" "${flags[@]}"
    check "$n ranks come to the bytes of one process" same_files
done
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
check 'a missing .cfg on one rank is told' refuses 'darknet: .*none.cfg: No such file' "$DARKNET_BIN" meta train "$a/toy.data" "$a/none.cfg" -name toy
check 'another seed on one rank is told' refuses 'darknet: -seed is 2 here, but 1 on rank 0' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -seed 2
check 'another backend on one rank is told' refuses 'darknet: -backend is reference here, but onednn on rank 0' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -backend reference
check 'another max_batches on one rank is told' refuses 'darknet: max_batches differs: 12 on rank 0 \(.*\), 13 on rank 1' "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -max_batches 13
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
differs() { ! ranks 1 "${testing[@]}" -runs 20 : -n 1 "${testing[@]}" -runs 21 >"$a/out" 2>&1 && [ "$(grep -c darknet: "$a/out")" -eq 1 ] && grep -q 'darknet: the command differs: .* on rank 0 (.*), .* on rank 1 (' "$a/out" || { cat "$a/out"; return 1; }; }
check 'ranks that are to test different things are told' differs

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

# ---- ranks that end ---------------------------------------------------------------------------------

long=(-seed 5 -backup_every 7 -valid_every 0)
# The process of rank N
rank_pid()
{
    local pid
    for pid in $(pgrep -f "meta train $a/toy.data"); do
        tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$1" && echo "$pid" && return
    done
}
# after SIGNAL RANK SECONDS: a training of two ranks gets the signal after a while, and ends by itself, not with 0
after()
{
    local signal=$1 rank=$2 seconds=$3 began status=0 job victim
    train_ranks 2 "$a" "${long[@]}" -max_batches 100000 -patience 1 &
    job=$!
    until [ -e "$a/backup/toy.state" ]; do
        kill -0 $job 2>/dev/null || { cat "$a/out"; return 1; }
        sleep .02
    done
    sleep "$seconds"
    victim=$(rank_pid "$rank")
    began=$SECONDS
    [ -n "$victim" ] || { echo "rank $rank is not there any more"; wait $job; return 2; }
    kill -"$signal" "$victim"
    wait $job || status=$?
    [ $status -ne 0 ] && [ $((SECONDS - began)) -le 30 ] && [ -z "$(pgrep -f "meta train $a/toy.data")" ]
}
# A signal to mpirun, which hands it on to the ranks: there is no other checkpoint than the one that they save then. mpirun reads no more
# of what they print
stopped()
{
    local job status=0
    mpirun -n 2 "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -threads 1 -seed 5 -backup_every 100000 -valid_every 0 -max_batches 100000 >"$a/out" 2>&1 &
    job=$!
    until [ -e "$a/backup/toy.csv" ] && [ "$(wc -l <"$a/backup/toy.csv")" -gt 5 ]; do sleep .02; kill -0 $job || return; done
    kill -TERM $job
    wait $job || status=$?
    [ $status -ne 0 ] && [ -e "$a/backup/toy.state" ] && [ -z "$(pgrep -f "meta train $a/toy.data")" ] || { tail -n 3 "$a/out"; ls "$a/backup"; return 1; }
}
# Some iterations more, as many as one process makes in all; however fast the machine is, a training has not ended by itself before
goes_on()
{
    local last=$(($(tail -n 1 "$a/backup/toy.csv" | cut -d, -f1) + 20))
    rm -f "$whole"/backup/*
    train "$whole" "${long[@]}" -max_batches $last && train_ranks 2 "$a" "${long[@]}" -max_batches $last -resume && same_files
}

for i in 1 2 3; do
    rm -f "$a"/backup/*
    check "a training of which a rank is killed ends (run $i)" after KILL $((i % 2)) .$((RANDOM % 5))
    check "it goes on to the bytes of one process (run $i)" goes_on
done
for rank in 0 1; do
    rm -f "$a"/backup/*
    check "a training of which rank $rank is stopped ends" after STOP $rank .$((RANDOM % 5))
    check "rank $rank is named, once, with its host" test "$(grep -c "darknet: rank $rank (.*) has been silent for 1 seconds" "$a/out")" -eq 1
    check "it goes on to the bytes of one process (rank $rank)" goes_on
done
rm -f "$a"/backup/*
check 'SIGTERM to mpirun saves and stops a training' stopped
check 'a training that mpirun stopped goes on to the bytes of one process' goes_on
