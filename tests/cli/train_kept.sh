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

# A training of the same name is begun anew: the one that was there gets a number, and is a training of that name
all() { (cd "$out" && cksum -- * | sort -k3); }
sums() { (cd "$out" && cksum -- $1 | cut -d' ' -f1 | sort); }
check 'meta train trains' train "$a" -valid_every 0
mkdir "$a/first"
cp "$out"/* "$a/first"
check 'a first run says nothing of an earlier one' sh -c "! grep -q 'is kept' '$a/out'"
check 'a one-iteration try of the same name trains' train "$a" -valid_every 0 -max_batches 1
check 'a second run says where the earlier one is kept' grep -qx "The training of this name that was there, at iteration 12, is kept as $out/toy.1" "$a/out"
kept() { local file; for file in .state .backup _final.weights .csv; do same "$a/$1/toy$file" "$out/toy.$2$file" || { echo "$file"; return 1; }; done; same "$a/$1/chart_toy.png" "$out/chart_toy.$2.png"; }
check 'a second run keeps all files of the earlier one' kept first 1
mkdir "$a/second"
cp "$out"/*toy.state "$out"/toy.backup "$out"/toy_final.weights "$out"/toy.csv "$out"/chart_toy.png "$a/second"
check 'a third run of the same name trains' train "$a" -valid_every 0 -max_batches 3
check 'a third run keeps the second' kept second 2
check 'a third run leaves the first as it was kept' kept first 1
resumed() { on -resume -name toy.1 -max_batches 14 >"$a/out"; }
check 'a kept run is resumed under the name that it got' resumed
check 'a kept run is resumed from where it ended' grep -qx "Resuming $out/toy.1.state at iteration 12" "$a/out"
check 'a kept run goes on with its log' test "$(wc -l <"$out/toy.1.csv")" -eq 15
check 'resuming keeps nothing' test ! -e "$out/toy.3.state"
rm "$out"/*toy.[0-9]*
check 'meta train -overwrite trains' train "$a" -valid_every 0 -overwrite -max_batches 2
check 'meta train -overwrite drops the run that was there' test "$(cd "$out" && ls *toy* | tr '\n' ' ')" = 'chart_toy.png toy.backup toy.csv toy.state toy_final.weights '
expect_error '^darknet: -resume goes on with what is there: it takes no -overwrite$' on -resume -overwrite
expect_error '^darknet: -name a/b: must be the name of a training' on -name a/b

# Each seed has a name of its own, and -name gives any
rm "$out"/*
for seed in 1 2 3; do check "seed $seed trains" on -seed $seed -max_batches 2; done
check 'seeds beside each other all leave their files' test "$(cd "$out" && ls *.state *_final.weights | tr '\n' ' ')" \
    = 'toy-seed2.state toy-seed2_final.weights toy-seed3.state toy-seed3_final.weights toy.state toy_final.weights '
check 'a run of another -name trains' on -name other -max_batches 2
check 'a run of another -name touches no other' test "$(ls "$out" | wc -l)" -eq 20 -a -s "$out/other_final.weights"
check '-resume takes the name of its seed' sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$a/toy.cfg' -valid_every 0 -seed 2 -resume -max_batches 3 | grep -qx 'Resuming $out/toy-seed2.state at iteration 2'"
# Weights that have seen images begin a log of their own, whatever training, of whatever kind, has been there
log_of() { cut -d, -f1 "$out/$1.csv" | tr '\n' ' '; }
check 'weights that have seen images train under the name of another training' on -seed 2 -max_batches 4 "$out/toy_final.weights"
check 'the log of a training from weights has no row of that one' test "$(log_of toy-seed2)" = 'iteration 3 4 '
check 'which keeps its own' test "$(log_of toy-seed2.1)" = 'iteration 1 2 3 '
sed -i '1s/.*/iteration,loss,accuracy,rate,seconds,waited,valid_loss,valid_accuracy,valid_low,valid_high/' "$out/toy-seed3.csv" # as meta pretrain leaves it
check 'so they do under the name of a pretraining' on -seed 3 -max_batches 4 "$out/toy_final.weights"
check 'whose log is kept' test "$(log_of toy-seed3) $(log_of toy-seed3.1)" = 'iteration 3 4  iteration 1 2 '
# Another .cfg of the same name
mkdir "$a/elsewhere"
sed 's/^filters=4/filters=5/' "$a/toy.cfg" >"$a/elsewhere/toy.cfg"
before=$(sums 'toy.state toy_final.weights toy.csv')
check 'a run of another .cfg of the same name trains' darknet meta train "$a/toy.data" "$a/elsewhere/toy.cfg" -valid_every 0 -max_batches 2
check 'a run of another .cfg of the same name keeps the first' test "$(sums 'toy.1.state toy.1_final.weights toy.1.csv')" = "$before"
# Weights with a number belong to their run; what a run starts from stays where its command line says
: >"$out/toy_1000.weights"
: >"$out/chart_toy_1000.weights"
cp "$out/toy_final.weights" "$a/start.weights"
"$DARKNET_BIN" meta train "$a/toy.data" "$a/elsewhere/toy.cfg" "$out/toy_final.weights" -clear -valid_every 0 -max_batches 1000000 -backup_every 2 >"$a/out" & pid=$!
while kill -0 $pid && [ "$(grep -c meta-loss "$a/out")" -lt 3 ]; do sleep .05; done
check 'weights with a number are kept with their run' test -e "$out/toy.2_1000.weights" -a ! -e "$out/toy_1000.weights"
check 'those of a training chart_toy are left alone' test -e "$out/chart_toy_1000.weights"
rm "$out/chart_toy_1000.weights"
for end in before sent; do expect_error "-name toy_$end: must not end in _$end, as files of the training toy do$" on -name toy_$end -max_batches 1; done
check 'what a run starts from is kept' same "$a/start.weights" "$out/toy.2_final.weights"
check 'what a run starts from stays where its command line says' same "$a/start.weights" "$out/toy_final.weights"
kill -TERM $pid
wait $pid
rm "$out"/*
on >"$a/out"

# A file of that name that no training has written
cp "$out/toy.csv" "$a/own.csv"
printf 'image,group\nc0_0,1\n' >"$out/toy.csv"
cp "$out/toy.csv" "$a/groups.csv"
expect_error "toy.csv:1: is not the header of a training's log: move the file away, or give the training another -name" on -max_batches 2
check 'a file that is not a log is left as it is' same "$a/groups.csv" "$out/toy.csv"
cp "$a/own.csv" "$out/toy.csv"
mkdir "$a/alone"
mv "$out/toy.state" "$a/alone"
check 'a run trains beside a log whose checkpoint was removed' on -max_batches 2
check 'a log whose checkpoint was removed is kept' same "$a/own.csv" "$out/toy.1.csv"
rm "$out"/*toy.1*
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
check 'a run trains with a seed that a double does not hold' on -name toy -seed 9007199254740993 -max_batches 2
expect_error 'toy.state: can.t resume: -seed is 9007199254740992, but was 9007199254740993 in the checkpoint' on -name toy -seed 9007199254740992 -resume -max_batches 3
export META_MAX_ISA=base
check '-resume runs with other instructions' sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$a/toy.cfg' -valid_every 0 -name toy -seed 9007199254740993 -resume -max_batches 3 >'$a/out'"
if ! grep -q ' avx2 ' /proc/cpuinfo; then skip '-resume says that the instructions are others' 'this processor has none but the base'
else
    check '-resume says that the instructions are others' grep -Eq '^Its iterations were made by [a-z0-9]+ instructions, the next ones by base: equal to an unbroken run to rounding, not bit for bit$' "$a/out"
fi
