#!/bin/bash
# What a training must not lose: an earlier training of its name, its own log, and its checkpoint
# when its reader goes away. And what it prints when it goes on with other instructions.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
no_charts
out=$a/backup
darknet() { "$DARKNET_BIN" "$@"; }
on() { darknet meta train "$a/toy.data" "$a/toy.cfg" -valid_every 0 -threads 1 "$@"; }

sed '/^max_batches/d' "$a/toy.cfg" >"$a/endless.cfg"
expect_error 'endless.cfg:[0-9]+: \[net\] max_batches: is 0 or not there: must be at least 1, here or as -max_batches$' darknet meta train "$a/toy.data" "$a/endless.cfg"
check 'a refused training leaves no file' test -z "$(ls "$out" 2>/dev/null)"
check '-max_batches replaces a missing max_batches' darknet meta train "$a/toy.data" "$a/endless.cfg" -max_batches 1

# A training of the same name is begun anew.
check 'meta train trains' train "$a" -valid_every 0
cp "$out/toy.state" "$a/first.state"
cp "$out/toy.csv" "$a/first.csv"
check 'a first run says nothing of an earlier one' sh -c "! grep -q 'is kept' '$a/out'"
check 'a second run of the same name trains' train "$a" -valid_every 0 -max_batches 2
check 'a second run says where the earlier one is kept' grep -qx "The run of this name that was there, at iteration 12, is kept: $out/toy.state.old" "$a/out"
check 'a second run keeps the checkpoint of the earlier one' same "$a/first.state" "$out/toy.state.old"
check 'a second run keeps the log of the earlier one' same "$a/first.csv" "$out/toy.csv.old"
check 'a third run of the same name trains' train "$a" -valid_every 0 -max_batches 3
check 'a third run leaves the longest run kept' same "$a/first.state" "$out/toy.state.old"
check 'a third run says nothing of the shorter second one' sh -c "! grep -q 'is kept' '$a/out'"
mv "$out/toy.state.old" "$out/toy.state" && mv "$out/toy.csv.old" "$out/toy.csv"
check 'a kept run is resumed under its own name' train "$a" -valid_every 0 -resume -max_batches 14
check 'a kept run is resumed from where it ended' grep -qx "Resuming $out/toy.state at iteration 12" "$a/out"
check 'a kept run goes on with its log' test "$(wc -l <"$out/toy.csv")" -eq 15
check 'resuming a kept run sets nothing aside' test ! -e "$out/toy.state.old"

# A file of that name that no training has written
cp "$out/toy.csv" "$a/own.csv"
printf 'image,group\nc0_0,1\n' >"$out/toy.csv"
cp "$out/toy.csv" "$a/groups.csv"
expect_error "toy.csv:1: is not the header of a training's log: move the file away, or give the .cfg another name" on -max_batches 2
check 'a file that is not a log is left as it is' same "$a/groups.csv" "$out/toy.csv"
cp "$a/own.csv" "$out/toy.csv"
mkdir "$a/alone"
mv "$out/toy.state" "$a/alone"
check 'a run trains beside a log whose checkpoint was removed' on -max_batches 2
check 'a log whose checkpoint was removed is kept' same "$a/own.csv" "$out/toy.csv.old"
check 'a run trains beside a kept log that is longer' on -max_batches 3
check 'a kept log that is longer than the next stays kept' same "$a/own.csv" "$out/toy.csv.old"
rm "$out/toy.csv.old"
cp "$a/own.csv" "$out/toy.csv"
mv "$a/alone/toy.state" "$out"
sed "s#^backup=.*#backup=$a/new/folder/for it#" "$a/toy.data" >"$a/deep.data"
check 'meta train runs with a backup folder whose parents are missing' darknet meta train "$a/deep.data" "$a/toy.cfg" -valid_every 0 -max_batches 1
check 'the backup folder is made with its parents' test -s "$a/new/folder/for it/toy_final.weights"

# A log that was edited
cp "$out/toy.csv" "$a/good.csv"
sed -i '5s/^4,/four,/' "$out/toy.csv"
cp "$out/toy.csv" "$a/edited.csv"
expect_error "toy.csv:5: is not the next row of this training's log: mend it, or move the file away to begin another" on -resume -max_batches 15
check 'a log that was edited is left as it is' same "$a/edited.csv" "$out/toy.csv"
sed 's/$/\r/' "$a/good.csv" >"$out/toy.csv"
check '-resume reads a log with CRLF' on -resume -max_batches 15
check '-resume loses no row of a log with CRLF' test "$(wc -l <"$out/toy.csv")" -eq 16

# What a killed run left
: >"$out/toy_1000.weights.tmp.999999"
: >"$out/toy_final.weights.tmp.999999"
check '-resume runs beside temporary files of a killed run' on -resume -max_batches 16
check 'temporary files of processes that are gone are removed' test -z "$(ls "$out" | grep tmp)"

# Streams
if [ "$TEST_VARIANT" = valgrind ]; then skip 'a closed standard output' "valgrind's own file takes its place"
else
    on -max_batches 3 >&- 2>"$a/err"
    check 'a closed standard output is an error' test $? -eq 1 -a "$(cat "$a/err")" = "darknet: standard output: can't write"
    check 'a closed standard output puts nothing but rows in the log' sh -c "! tail -n +2 '$out/toy.csv' | grep -qv '^[0-9]*,[0-9.,e+-]*\$'"
fi
rm -r "$out"
on -max_batches 100000 -backup_every 100000 | head -n 2 >/dev/null
statuses=("${PIPESTATUS[@]}")
check 'a run whose reader goes away ends by SIGPIPE' test "${statuses[0]}" -eq 141
check 'a run whose reader goes away saves its checkpoint' test -s "$out/toy.state"
done=$(tail -n 1 "$out/toy.csv" | cut -d, -f1)
on -resume -max_batches $((done + 1)) >"$a/out"
check 'a run whose reader goes away is resumed from its last iteration' grep -qx "Resuming $out/toy.state at iteration $done" "$a/out"

# Seeds that a double doesn't hold, and instructions that aren't the same
rm -r "$out"
check 'a run trains with a seed that a double does not hold' on -seed 9007199254740993 -max_batches 2
expect_error 'toy.state: can.t resume: -seed is 9007199254740992, but was 9007199254740993 in the checkpoint' on -seed 9007199254740992 -resume -max_batches 3
export META_MAX_ISA=base
check '-resume runs with other instructions' sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$a/toy.cfg' -valid_every 0 -seed 9007199254740993 -resume -max_batches 3 >'$a/out'"
if ! grep -q ' avx2 ' /proc/cpuinfo; then skip '-resume says that the instructions are others' 'this processor has none but the base'
else
    check '-resume says that the instructions are others' grep -Eq '^Its iterations were made by [a-z0-9]+ instructions, the next ones by base: equal to an unbroken run to rounding, not bit for bit$' "$a/out"
fi
