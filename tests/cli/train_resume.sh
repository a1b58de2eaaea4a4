#!/bin/bash
# -resume: a training that was killed at any moment ends bit for bit as an unbroken one.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
toy_twin "$a" "$whole"
flags=(-seed 5 -backup_every 4 -valid_every 0)
check 'an unbroken run trains' train "$whole" "${flags[@]}" -max_batches 16
expect_error "$a/backup/toy.state: No such file" "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy "${flags[@]}" -max_batches 16 -resume

same_run()
{
    same_end "$a" "$whole" && same "$a/backup/toy.backup" "$whole/backup/toy.backup" && [ "$(ls "$a/backup" | wc -l)" -eq 5 ] \
        && [ "$(cut -d, -f1-5 "$a/backup/toy.csv")" = "$(cut -d, -f1-5 "$whole/backup/toy.csv")" ]
}

# A training in parts, each on another number of threads and with a limit that is raised
check 'a run in parts trains its first part' train "$a" "${flags[@]}" -threads 1 -max_batches 5
check 'a run in parts trains its second part' train "$a" "${flags[@]}" -threads 2 -max_batches 11 -resume
check 'a run in parts trains its third part' train "$a" "${flags[@]}" -threads 1 -max_batches 16 -resume
check 'a run in parts ends bit for bit as an unbroken one' same_run
check '-resume of a finished run succeeds' train "$a" "${flags[@]}" -max_batches 16 -resume
check '-resume of a finished run changes nothing' same_run
check '-resume of a finished run prints no iteration' test "$(grep -c meta-loss "$a/out")" -eq 0

# SIGKILL at any moment of a checkpoint: before each fsync, before and after each rename. The preloaded library ends its process
# at the KILL_ATth of these.
cat >"$TMP_TEST/kill.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
static int left = -1;
static void moment(void)
{
    if (left < 0) left = getenv("KILL_AT") ? atoi(getenv("KILL_AT")) : 0;
    if (left && !--left) raise(SIGKILL);
}
int rename(const char *a, const char *b)
{
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    size_t length = strlen(b);
    int ours = length < 4 || strcmp(b + length - 4, ".png");       /* the chart's comes at any time */
    if (ours) moment();
    int status = real(a, b);
    if (ours) moment();
    return status;
}
int fsync(int fd)
{
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    moment();
    return real(fd);
}
END
killed_and_resumed()      # MOMENT...: killed at each in turn, then left to end
{
    local status
    rm -f "$a"/backup/*
    KILL_AT=$1 LD_PRELOAD=$TMP_TEST/kill.so train "$a" "${flags[@]}" -max_batches 16
    status=$?
    [ $status -eq 137 ] || { echo "status $status, not killed"; cat "$a/out" "$a/err"; return 1; }
    shift
    for moment; do
        [ ! -e "$a/backup/toy.state" ] && resume= || resume=-resume
        KILL_AT=$moment LD_PRELOAD=$TMP_TEST/kill.so train "$a" "${flags[@]}" -max_batches 16 $resume
        status=$?
        [ $status -eq 137 ] || { echo "status $status, not killed"; cat "$a/out" "$a/err"; return 1; }
    done
    [ ! -e "$a/backup/toy.state" ] && resume= || resume=-resume
    train "$a" "${flags[@]}" -max_batches 16 $resume && same_run
}
if [ "$TEST_VARIANT" != release ]; then
    skip 'resumes after kill -9 at every moment of a checkpoint' "a preloaded library and $TEST_VARIANT don't mix"
elif ${CC:-gcc} -shared -fPIC -o "$TMP_TEST/kill.so" "$TMP_TEST/kill.c" -ldl; then
    # A checkpoint is the state and the backup. Each has 4 moments, 8 in all: its fsync, before and
    # after its rename, and the fsync of the folder.
    for moment in 1 2 3 4 5 6 7 8; do check "resumes bit for bit after kill -9 at moment $moment of a checkpoint" killed_and_resumed $moment; done
    check 'resumes bit for bit after kill -9 again and again' killed_and_resumed 11 2 3 10 5 8
    # Kills after three checkpoints: in the last one and in the final weights
    check 'resumes bit for bit after kill -9 in the last checkpoint and final weights' killed_and_resumed $((8 * 3 + 2)) $((8 + 2)) 3 9
else
    test_failed 'the library that kills at a given moment is built'
fi

# SIGKILL at any moment of training: some iterations after it began, from outside
random_kills()
{
    local kills=0 try until status
    rm -f "$a"/backup/*
    for try in 1 2 3 4 5 6 7 8; do
        until=$((iterations * (try * 37 % 11 + 3) / 70))
        [ $try -lt 8 ] || until=$((iterations + 1))       # to its end
        killed_run train "$a" $until "${long[@]}" -backup_every 10
        status=$?
        [ $status -eq 137 ] || break
        kills=$((kills + 1))
    done
    echo "$kills kills, status $status"
    [ $status -eq 0 ] && [ $kills -ge 3 ] && same_run
}
iterations=300
[ "$TEST_VARIANT" = release ] || iterations=60
long=(-seed 5 -max_batches $iterations -valid_every 0)
check 'a longer unbroken run trains' train "$whole" "${long[@]}"
check 'resumes bit for bit after kill -9 at other moments of training' random_kills

# SIGINT and SIGTERM: the iteration is finished and saved
lines() { grep -c meta-loss "$a/out"; }
interrupted()
{
    local signal=$1 expected=$2 status
    rm -f "$a"/backup/*
    : >"$a/out"
    "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy "${long[@]}" -backup_every 100000 >"$a/out" 2>"$a/err" &
    local pid=$!
    while kill -0 $pid 2>/dev/null && [ "$(lines)" -lt 3 ]; do sleep .003; done
    kill -"$signal" $pid
    wait $pid
    status=$?
    echo "status $status"
    [ $status -eq "$expected" ] && grep -q "Stopped by signal $((expected - 128)) at iteration" "$a/out" && [ ! -s "$a/err" ] \
        && [ -s "$a/backup/toy.state" ] && [ ! -e "$a/backup/toy_final.weights" ] || return 1
    [ "$(tail -n 1 "$a/backup/toy.csv" | cut -d, -f1)" -lt $iterations ] || return 1
    train "$a" "${long[@]}" -resume && same_run
}
set -m                    # its own process group, and SIGINT as usual
check 'SIGTERM saves and stops, -resume goes on' interrupted TERM 143
check 'SIGINT saves and stops, -resume goes on' interrupted INT 130
check 'SIGHUP saves and stops, -resume goes on' interrupted HUP 129
set +m

# The error names what has changed.
train "$a" "${flags[@]}" -max_batches 6 >/dev/null
resume() { "$DARKNET_BIN" meta train "$1" "$2" -name toy "${flags[@]}" -resume "${@:3}"; }
changed() { sed "$1" "$a/toy.cfg" >"$a/changed/toy.cfg"; }
mkdir "$a/changed"
expect_error "toy.state: can't resume: -seed is 6, but was 5" "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -resume -seed 6 -max_batches 9
expect_error "can't resume: -backend is reference, but was onednn" resume "$a/toy.data" "$a/toy.cfg" -backend reference
changed 's/^learning_rate=0.1/learning_rate=0.2/'
expect_error "can't resume: \[inner_loop\] learning_rate .section 8. is 0.2, but was 0.1" resume "$a/toy.data" "$a/changed/toy.cfg"
changed 's/^filters=4/filters=5/'
expect_error "can't resume: \[convolutional\] filters .section 3. is 5, but was 4" resume "$a/toy.data" "$a/changed/toy.cfg"
changed 's/^exposure.*//'
expect_error "can't resume: \[net\] exposure .section 1. was 1.2 in the checkpoint and is not set now" resume "$a/toy.data" "$a/changed/toy.cfg"
changed 's/^test_steps=3/test_steps=4/; s/^max_batches=12/max_batches=99/; s/^eta=2/# the same\neta = 2.0/'
check '-resume allows changes that the weights do not depend on' resume "$a/toy.data" "$a/changed/toy.cfg" -max_batches 7
head -n 60 "$a/train.list" >"$a/changed/train.list"
sed "s#^train=.*#train=$a/changed/train.list#" "$a/toy.data" >"$a/changed.data"
expect_error "can't resume: images in the training list is 60, but was 64" resume "$a/changed.data" "$a/toy.cfg"
printf x | dd of="$a/images/c0_0.pgm" bs=1 seek=100 conv=notrunc 2>/dev/null
expect_error "can't resume: digest of the training images' files is" resume "$a/toy.data" "$a/toy.cfg"
toy "$a"
expect_error "toy.state: is at iteration 7, past max_batches=5" resume "$a/toy.data" "$a/toy.cfg" -max_batches 5
sed -i 's/^policy=.*/policy=poly\npower=2/; /^steps=6/d; /^scales/d' "$a/toy.cfg"
train "$a" "${flags[@]}" -max_batches 6
expect_error "can't resume: .net. max_batches, which its policy reads, is 9, but was 6" resume "$a/toy.data" "$a/toy.cfg" -max_batches 9
cp -r "$a" "$a.cosine"
sed -i 's/^policy=.*/policy=cosine/; /^power=/d; s/^burn_in.*//' "$a.cosine/toy.cfg"
sed -i "s#^backup=.*#backup=$a.cosine/backup#" "$a.cosine/toy.data"
train "$a.cosine" "${flags[@]}" -max_batches 6
check 'policy=cosine ends at a rate of 0, and was at half of it in the middle' test "$(cut -d, -f5 "$a.cosine/backup/toy.csv" | sed -n '4p;7p' | tr '\n' ' ')" = '0.00499999989 0 '
expect_error "can't resume: .net. max_batches, which its policy reads, is 9, but was 6" resume "$a.cosine/toy.data" "$a.cosine/toy.cfg" -max_batches 9
printf 'x' | dd of="$a/backup/toy.state" bs=1 seek=700 conv=notrunc 2>"$a/err"
expect_error 'toy.state: the checkpoint is damaged' resume "$a/toy.data" "$a/toy.cfg" -max_batches 6
