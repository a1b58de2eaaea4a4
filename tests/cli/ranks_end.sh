#!/bin/bash
# Ranks that are killed, stopped or fail: all end, with one line that says why and a whole checkpoint, from which the training goes on to the
# bytes of one process. `make ranks` breaks more of them, at other moments.
. tests/lib.sh
. tests/toy.sh
. tests/mpirun.sh

# These wait for up to 20 seconds, while the others run
begins() { said '^MPI has not begun after 20 seconds: another rank, its machine or the network is down' 1 2 1 early 1; }
begins >"$TMP_TEST/early" 2>&1 &
early=$!
ranks 2 "$BUILD/tests/ranks" 6 wake 1 >"$TMP_TEST/woken" 2>&1 &
woken=$!
check 'a rank that fails on its own tells the others' said '^its disk is full' 1 3 20 fail 1
# Rank 2, which hears rank 1, tells and ends all; on a busy machine that takes longer than the half second after which rank 0 tells, too
check 'a rank that is stopped is given up and named' said 'rank 1 (.*) has been silent for 1 seconds' 1-2 3 1 stop 1
check 'a rank that is stopped at its very end is given up' said '^MPI has not ended after 1 seconds: another rank, its machine or the network is down' 1 2 1 late 1

breaks() { python3 tests/faults/ranks.py --moments 2 --seed "$RANDOM" --kinds "$1"; }
check 'trainings of which a rank is killed end, and go on to the bytes of one process' breaks kill
check 'trainings of which a rank is stopped end, name it, and go on to the bytes of one process' breaks stop

a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^tasks=3/tasks=4/' "$a/toy.cfg"
toy_twin "$a" "$whole"
long=(-seed 5 -backup_every 7 -valid_every 0)
fields=1-5 # of the log: all but times
# A signal to mpirun, which hands it on to the ranks: there is no other checkpoint than the one that they save then. mpirun reads no more
# of what they print, and kills what has not ended a second later, which on a busy machine is too soon
stopped()
{
    local job status=0
    mpirun --mca odls_base_sigkill_timeout 20 -n 2 "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -threads 1 -seed 5 -backup_every 100000 -valid_every 0 -max_batches 100000 >"$a/out" 2>&1 &
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

check 'SIGTERM to mpirun saves and stops a training' stopped
check 'a training that mpirun stopped goes on to the bytes of one process' goes_on
# Asked to end in the midst of the last iteration, whose valid list is then not watched: all ranks end as they are asked
sed -i 's/^tasks=4/tasks=100/; s/^steps=2/steps=90/' "$a/toy.cfg"
asked_last()
{
    local job status=0
    rm -f "$a"/backup/*
    mpirun -n 2 "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -threads 1 -valid_every 100 -valid_runs 10 -max_batches 2 >"$a/out" 2>&1 &
    job=$!
    until grep -q '^1: ' "$a/out"; do sleep .01; kill -0 $job || return; done
    pkill -TERM -f "^$DARKNET_BIN meta train $a/toy.data"
    wait $job || status=$?
    [ $status -eq 143 ] || { tail -n 5 "$a/out"; return 1; }
}
check 'ranks that are asked to end in their last iteration all do' asked_last
# A disk that takes three seconds to give a checkpoint its name: who has saved before, or has nothing to save, does not end the others
cat >"$TMP_TEST/slow.c" <<'END_C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    if (strstr(to, "toy.state")) sleep(3);
    return real(from, to);
}
END_C
check 'a slow disk is compiled' gcc -shared -fPIC -o "$TMP_TEST/slow.so" "$TMP_TEST/slow.c" -ldl
sed -i 's/^steps=90/steps=900/' "$a/toy.cfg"
slow=(env "LD_PRELOAD=$TMP_TEST/slow.so" "$DARKNET_BIN" meta train)
long=(-name toy -threads 1 -valid_every 0 -max_batches 9 -backup_every 100)
# saves FILE: two ranks, whose words are $first and $second, are asked to end in the second iteration; then FILE is there
saves()
{
    local job
    mpirun -n 1 "${first[@]}" "${long[@]}" : -n 1 "${second[@]}" "${long[@]}" >"$a/out" 2>&1 &
    job=$!
    until grep -q '^1: ' "$a/out"; do sleep .01; kill -0 $job || { cat "$a/out"; return 1; }; done
    kill -TERM $(pgrep -f "^$DARKNET_BIN meta train $a/")
    wait $job
    [ -e "$1" ] || { tail -n 5 "$a/out"; return 1; }
}
rm -f "$a"/backup/*
first=("${slow[@]}" "$a/toy.data" "$a/toy.cfg") second=("$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg")
check 'a rank without files waits until the first has saved' saves "$a/backup/toy.state"
cp -r "$a" "$TMP_TEST/site"
mv "$TMP_TEST/site" "$a"
sed -i "s#^backup=.*#backup=$a/site/backup#" "$a/site/toy.data"
rm -f "$a/site"/backup/*
first=("$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -federated gradients) second=("${slow[@]}" "$a/site/toy.data" "$a/toy.cfg" -federated gradients)
check 'a site waits until another has saved' saves "$a/site/backup/toy.state"
ends_well() { wait $woken && [ ! -s "$TMP_TEST/woken" ] || { cat "$TMP_TEST/woken"; return 1; }; }
check 'a rank that is stopped as it ends, and woken, ends well' ends_well
begun() { wait $early || { cat "$TMP_TEST/early"; return 1; }; }
check 'a rank that is stopped before MPI has begun is given up' begun
