#!/bin/bash
# Two runs never write the same files: the second says whose the lock is. What a run that was killed left, of locks and of temporary
# files, stops nobody and does not stay; what others do to the log of a training that runs does no harm.
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a out=$TMP_TEST/a/backup host=$(hostname)
toy "$a"
sed -i '/^valid=/d' "$a/toy.data"
darknet() { "$DARKNET_BIN" "$@"; }
on() { darknet meta train "$a/toy.data" "$a/toy.cfg" -threads 1 "$@"; }
# begin FLAG...: a training that goes on for long, up to its fourth iteration
begin()
{
    : >"$a/out"              # not the lines of the training before
    "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -threads 1 -max_batches 100000 -backup_every 2 "$@" >"$a/out" 2>"$a/err" &
    pid=$!
    for ((i = 0; i < 1000; i++)); do [ "$(grep -c ' left$' "$a/out")" -lt 4 ] && kill -0 $pid 2>/dev/null || break; sleep .02; done
}
rows() { tail -n 1 "$out/toy.csv" | cut -d, -f1; }
more() { local before i; before=$(rows); for ((i = 0; i < 500; i++)); do [ "$(rows)" -gt "$((before + 2))" ] 2>/dev/null && return; sleep .02; done; return 1; }
end() { kill "-$1" $pid; wait $pid 2>/dev/null; }
taken="^darknet: $out/toy.lock: another training of this name is running here: process PID on $host: wait for it, or give this one another -name\$"

begin
rm "$out/toy.csv"
expect_error "${taken/PID/$pid}" on
expect_error "${taken/PID/$pid}" on -resume
check 'a log that is removed while a training runs is written anew' more
check 'a log that was removed has all rows' test "$(wc -l <"$out/toy.csv")" -ge 6 -a "$(sed -n 2p "$out/toy.csv" | cut -d, -f1)" = 1
: >"$out/toy.csv"
sleep .2
more
check 'a log that is cut while a training runs is written anew' test "$(sed -n '2p' "$out/toy.csv" | cut -d, -f1)" = 1
check 'a training says that its log was changed' grep -qx "darknet: $out/toy.csv: was changed or removed by another program: it is written anew" "$a/err"
rm "$out/toy.lock"
sleep .2
expect_error "${taken/PID/$pid}" on
end TERM
check 'a training that SIGTERM ended leaves no lock' test ! -e "$out/toy.lock" -a -s "$out/toy.state"
check 'the log of a training that was asked to end has no gap' sh -c "tail -n +2 '$out/toy.csv' | cut -d, -f1 | awk '\$1 != NR { exit 1 }'"

# What was killed
rm "$out"/*
begin
end KILL
check 'a training that was killed leaves its lock' test -s "$out/toy.lock"
for file in toy.state toy.backup toy_final.weights toy_best.weights toy_1000.weights toy.csv chart_toy.png; do : >"$out/$file.tmp.1.3"; : >"$out/$file.tmp.$$"; done
: >"$out/toy.state.tmp.x"
: >"$out/toyother.state.tmp.1"
done=$(rows)
check 'a training goes on beside the lock of one that was killed' on -resume -max_batches $((done + 3))
check 'a training removes the temporary files of its own name, and no others' test "$(cd "$out" && ls | grep tmp | tr '\n' ' ')" = 'toy.state.tmp.x toyother.state.tmp.1 '
check 'a training that has ended leaves no lock' test ! -e "$out/toy.lock"
rm "$out"/*tmp*
printf 'process 12\nbegun 34\nhost ward-7\nboot 00000000-0000-0000-0000-000000000000\n' >"$out/toy.lock"
expect_error "toy.lock: another training of this name is running here: process 12 on ward-7, another machine, .* or remove this file if that process has ended" on
check 'the lock of another machine stays' grep -q ward-7 "$out/toy.lock"
sed -i "s/ward-7/$host/" "$out/toy.lock"
check 'the lock of this machine before it started again stops nobody' on -max_batches 2

# Final weights stand beside the checkpoint that they are of
check 'a training ends' on -max_batches 4 -overwrite
: >"$a/out"
"$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -threads 1 -max_batches 100000 -backup_every 2 -resume >"$a/out" 2>"$a/err" & pid=$!
for ((i = 0; i < 3000; i++)); do [ "$(grep -c ' left$' "$a/out")" -lt 4 ] || break; sleep .02; done
end KILL
check 'final weights do not stay beside a later checkpoint' test ! -e "$out/toy_final.weights" -a -s "$out/toy.state"
rm "$out"/*

# Killed while it keeps an earlier training: the next run finishes that
on -max_batches 2 >/dev/null
mkdir "$a/first"
cp "$out"/* "$a/first"
mv "$out/toy.state" "$out/toy.1.state"
mv "$out/toy.backup" "$out/toy.1.backup"
printf 'process 999999\nbegun 1\nhost %s\nboot x\nnote keeping 1\n' "$host" >"$out/toy.lock"
check 'a training begins where another was killed over keeping an earlier one' on -max_batches 3
kept() { local file; for file in .state .backup _final.weights .csv; do same "$a/first/toy$file" "$out/toy.1$file" || return 1; done; [ ! -e "$out/toy.2.csv" ]; }
check 'an earlier training that was half kept is kept whole' kept

# A limit on the size of files is a full disk
rm "$out"/*
limited() { (ulimit -c 0; ulimit -f 4; on -max_batches 4 >"$a/out" 2>"$a/err"); }
limited
check 'a limit on the size of files is told, not a signal' test $? -eq 1 -a "$(cat "$a/err")" = "darknet: $out/toy.state: can't write: File too large"
rm -f "$out"/*
on -max_batches 4 >/dev/null
cp "$out/toy.state" "$a/before.state"
(ulimit -c 0; ulimit -f 4; on -resume -max_batches 6 >"$a/out" 2>"$a/err")
check 'a checkpoint survives a limit on the size of files' same "$a/before.state" "$out/toy.state"
check 'a limit on the size of files leaves no temporary file and no lock' test -z "$(ls "$out" | grep -E 'tmp|lock')"

# A gnuplot that makes nothing, or half a picture, has made no chart
rm "$out"/*
for gnuplot in 'cat >/dev/null' "cat >/dev/null; head -c 50 '$TMP_TEST/no_charts/pixel.png'"; do
    printf '#!/bin/sh\n%s\n' "$gnuplot" >"$TMP_TEST/no_charts/gnuplot"
    on -max_batches 2 >"$a/out" 2>"$a/err"
    check 'a training without a whole chart says so' test $? -eq 0 -a "$(cat "$a/err")" = 'darknet: no chart: gnuplot made no whole picture: training goes on'
    check 'a picture that is not whole does not stay' test -z "$(ls "$out" | grep png)"
done
no_charts

# meta adapt
mv "$out/toy_final.weights" "$a/w.weights"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/two" "$a/few.list" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/two"
cp "$a/test.list" "$a/few.list"
adapt() { darknet meta adapt "$a/few.data" "$a/toy.cfg" "$a/w.weights" -out "$a/ad" -threads 1 "$@"; }
"$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$a/w.weights" -out "$a/ad" -threads 1 -steps 1000 >"$a/out" 2>"$a/err" & pid=$!
for ((i = 0; i < 500; i++)); do [ ! -s "$a/ad.lock" ] || break; sleep .01; done; sleep .03
kill -STOP $pid # it would soon be done
expect_error "^darknet: $a/ad.lock: another run of meta adapt writes these files: process $pid on $host: wait for it, or give this one another -out" adapt
kill -TERM $pid
end CONT
check 'meta adapt that SIGTERM ended leaves no lock' test ! -e "$a/ad.lock"
"$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$a/w.weights" -out "$a/ad" -threads 1 -steps 1000 >"$a/out" 2>"$a/err" & pid=$!
for ((i = 0; i < 500; i++)); do [ ! -s "$a/ad.lock" ] || break; sleep .01; done; sleep .03
end KILL
: >"$a/ad.cfg.tmp.1.0"
: >"$a/ad.weights.tmp.$$"
check 'meta adapt runs after one that was killed' adapt
check 'meta adapt removes what one that was killed left' test "$(cd "$a" && ls ad* | tr '\n' ' ')" = 'ad.cfg ad.weights '

# meta table
printf '[table]\nname=T\ndata=%s\nruns=3\nfirst=2\n[row]\nlabel=One\ncfg=%s\nshots=2\n' "$a/toy.data" "$a/toy.cfg" >"$a/t.table"
table() { darknet meta table "$a/t.table" -out "$a/table" -threads 1 "$@"; }
check 'meta table runs' table
files=$(cd "$a/table" && find . -type f | sort)
check 'meta table leaves no lock' test ! -e "$a/table/.lock"
training=$(dirname "$a"/table/trainings/*/usage.json)
for file in t-one-2.json t-one-2.json.part images.json t.json; do : >"$a/table/$file.tmp.7.1"; done
: >"$a/table/t-one-2.json.part"
: >"$training/usage.json.tmp.7.1"
: >"$training/toy.cfg.tmp.7.1"
check 'meta table runs beside what one that was killed left' table
check 'meta table removes what one that was killed left' test "$(cd "$a/table" && find . -type f | sort)" = "$files"
exec 9>"$a/table/.lock"
flock 9
printf 'process %s\nbegun 0\nhost %s\n' $$ "$host" >&9
expect_error "\.lock: a table is being run in that folder: process $$ on $host: wait for it, or take another -out" table
exec 9>&-

# Kills at random moments: `make kills` makes more of them
if [ "$TEST_VARIANT" != release ]; then skip 'runs that are killed at random end as unbroken ones' 'it takes a sanitizer too long'
else check 'runs that are killed at random end as unbroken ones' python3 tests/faults/kills.py --kills 12 --seed 1 --verbs train,again,adapt; fi
