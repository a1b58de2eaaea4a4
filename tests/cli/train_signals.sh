#!/bin/bash
# A signal that asks for an end is heeded at once, whatever is being done: what there is to save is saved first.
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
toy_twin "$a" "$whole"
darknet() { "$DARKNET_BIN" "$@"; }
long=(-valid_every 6 -valid_runs 1000000 -backup_every 100000 -threads 1)     # hours of valid AUCs
short=(-valid_every 6 -valid_runs 4 -backup_every 100000 -threads 1)
check 'an unbroken run trains' train "$whole" "${short[@]}"

# ends PID STATUS: whether the process ends with that status long before what it does is done
ends()
{
    local i status
    for ((i = 0; i < 600; i++)); do kill -0 "$1" 2>/dev/null || break; sleep .05; done
    if [ $i -eq 600 ]; then kill -9 "$1"; wait "$1" 2>/dev/null; echo 'goes on'; return 1; fi
    wait "$1"
    status=$?
    echo "status $status"
    [ $status -eq "$2" ]
}
# begin UNTIL FLAG...: a training, up to the line of iteration UNTIL, behind which the valid AUC is taken
begin()
{
    local until=$1
    shift
    : >"$a/out"
    "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" "$@" >"$a/out" 2>"$a/err" &
    pid=$!
    for ((i = 0; i < 20000; i++)); do
        grep -q "^$until: .* left$" "$a/out" && break
        kill -0 $pid 2>/dev/null || break
        sleep .01
    done
    sleep .1
}
asked() { begin 6 "${long[@]}"; kill "-$1" $pid; ends $pid "$2" && grep -qx "Stopped by signal $(($2 - 128)) at iteration 6: $a/backup/toy.state is saved, -resume goes on" "$a/out" && [ ! -s "$a/err" ]; }
figures() { cut -d, -f1-5,8- "$1/backup/toy.csv"; }         # all but the seconds
same_run() { same_end "$a" "$whole" && same "$a/backup/toy_best.weights" "$whole/backup/toy_best.weights" && [ "$(figures "$a")" = "$(figures "$whole")" ]; }
set -m                    # SIGINT as usual
for signal in TERM INT HUP; do
    rm -rf "$a/backup"
    check "SIG$signal while the valid AUC is taken ends a training, saved" asked $signal $((128 + $(kill -l $signal)))
    check "a training that SIG$signal ended has the row of its iteration" test "$(tail -n 1 "$a/backup/toy.csv" | cut -d, -f1,8)" = 6,
    check "a training that SIG$signal ended is resumed" train "$a" "${short[@]}" -resume
    check "a training that SIG$signal ended takes the valid AUC it missed, and ends as an unbroken one" same_run
done
# The file is there before the training ends
written() { for ((i = 0; i < 6000; i++)); do [ -s "$1" ] && return; kill -0 $pid 2>/dev/null || return; sleep .01; done; }
killed() { begin 6 "${long[@]}"; written "$a/backup/toy.state"; kill -9 $pid; ends $pid 137; }
rm -rf "$a/backup"
check 'SIGKILL while the valid AUC is taken ends a training' killed
check 'a training is saved before it takes the valid AUC' train "$a" "${short[@]}" -resume
check 'a training that was killed over its valid AUC ends as an unbroken one' same_run
at_end() { begin 12 -valid_every 100 -valid_runs 1000000 -threads 1; kill -TERM $pid; ends $pid 143 && [ ! -e "$a/backup/toy_final.weights" ]; }
rm -rf "$a/backup"
check 'SIGTERM over the last valid AUC ends a training before its final weights' at_end
check 'a training ended over its last valid AUC is resumed' train "$a" "${short[@]}" -resume
check 'a training ended over its last valid AUC has the weights of an unbroken one' same_end "$a" "$whole"
check 'a training ended over its last valid AUC takes it when resumed' test "$(tail -n 1 "$a/backup/toy.csv" | cut -d, -f1,8-)" = "$(tail -n 1 "$whole/backup/toy.csv" | cut -d, -f1,8-)"
numbered() { begin 1000 -max_batches 1003 -valid_every 1000 -valid_runs 1000000 -backup_every 100000 -threads 1; written "$a/backup/toy.state"; kill -9 $pid; ends $pid 137; }
rm -rf "$a/backup"
check 'SIGKILL over the valid AUC of iteration 1000 ends a training' numbered
check 'the weights with a number are kept before the valid AUC is taken' test -s "$a/backup/toy_1000.weights" -a -s "$a/backup/toy.state"
set +m

# Standard output is a pipe that nobody empties
full_pipe()
{
    python3 - "$DARKNET_BIN" "$a" <<'PY'
import os, signal, subprocess, sys, time
program, place = sys.argv[1:]
p = subprocess.Popen([program, "meta", "train", place + "/toy.data", place + "/toy.cfg", "-max_batches", "100000", "-valid_every", "0",
                      "-backup_every", "100000", "-threads", "1"], stdout=subprocess.PIPE)
log, before = place + "/backup/toy.csv", -1
while True:                                   # until it stands still
    time.sleep(.3)
    now = os.path.getsize(log) if os.path.exists(log) else 0
    if now > 0 and now == before: break
    before = now
p.send_signal(signal.SIGTERM)
try: status = p.wait(30)
except subprocess.TimeoutExpired: p.kill(); sys.exit("goes on")
sys.exit(status != 143)
PY
}
rm -rf "$a/backup"
if [ "$TEST_VARIANT" = tsan ]; then
    skip 'SIGTERM ends a training whose output nobody reads' "ThreadSanitizer's _exit flushes standard output, and waits for whoever writes there"
else
    check 'SIGTERM ends a training whose output nobody reads' full_pipe
    check 'a training whose output nobody reads is saved' test -s "$a/backup/toy.state"
fi

# Other verbs have nothing to save, or have saved it
sed -i '/^valid=/d' "$a/toy.data"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two" "$a/few.list" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/two"
cp "$a/test.list" "$a/few.list"
background() { "$@" >"$a/out" 2>"$a/err" & pid=$!; }
left_out()
{
    background "$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$whole/backup/toy_final.weights" -out "$a/adapted" -steps 1000 -threads 1
    while kill -0 $pid 2>/dev/null && ! grep -q '^written: ' "$a/out"; do sleep .01; done
    kill -TERM $pid
    ends $pid 143 && ! grep -q 'leave-one-out' "$a/out" && [ -s "$a/adapted.cfg" ] && [ -s "$a/adapted.weights" ]
}
check 'meta adapt has written its files before it leaves images out' left_out
tested() { background "$DARKNET_BIN" meta test "$a/toy.data" "$a/toy.cfg" "$whole/backup/toy_final.weights" -runs 1000000 -threads 1; sleep .5; kill -TERM $pid; ends $pid 143; }
check 'SIGTERM ends a test' tested
