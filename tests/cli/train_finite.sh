#!/bin/bash
# Weights that are not numbers are never saved, and never gone on from.
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a
toy "$a"
out=$a/backup
darknet() { "$DARKNET_BIN" "$@"; }
on() { darknet meta train "$a/toy.data" "$a/toy.cfg" -valid_every 0 -threads 1 "$@"; }
whole() { [ "$(ls "$out")" = toy.csv ]; }

# Without normalisation and with relu, some of the filters are dead on these images: their gradient is 0
cp "$a/toy.cfg" "$a/first.cfg"
sed -i 's/^batch_normalize=1/batch_normalize=0/; s/^filters=4/filters=32/; s/^activation=leaky/activation=relu/; s/^decay=.*/decay=0\neps=0/; /^probability/s/.1/0.5/' "$a/toy.cfg"
expect_error "^darknet: iteration 1: after the update at rate [0-9.e-]+ the parameters of \[convolutional\] \($a/toy.cfg:[0-9]+\) are not finite: \[net\] eps=0 divides by 0 where a gradient's square is 0: it must be above 0$" on
check 'weights that are not numbers are not written' whole
sed -i 's/^eps=0/eps=1e-8/' "$a/toy.cfg"
check 'a dead filter is trained with eps above 0' on
check 'eps above 0 ends in weights that can be tested' darknet meta test "$a/toy.data" "$a/toy.cfg" "$out/toy_final.weights" -runs 2

# Supervised training by the same update
s=$TMP_TEST/s
toy "$s"
toy_supervised "$s"
sed -i 's/^batch_normalize=1/batch_normalize=0/; s/^filters=16/filters=32/; s/^activation=leaky/activation=relu/; s/^decay=.*/decay=0\neps=0/; /^burn_in/d' "$s/toy.cfg"
expect_error "the parameters of \[convolutional\] .* are not finite: \[net\] eps=0 divides by 0" darknet meta pretrain "$s/toy.data" "$s/toy.cfg" -threads 1
check 'meta pretrain writes no weights that are not numbers' test "$(ls "$s/backup")" = toy.csv

# An update that overflows leaves the last good checkpoint
cp "$a/first.cfg" "$a/toy.cfg"
sed -i 's/^adam=1/adam=0\nmomentum=.99/; s/^learning_rate=0.01/learning_rate=1000/; /^burn_in/d; s/^order=2/order=1/' "$a/toy.cfg"
rm "$out"/*
overflows() { ! on -max_batches 100 -backup_every 1 >"$a/said" 2>"$a/err" && [ "$(wc -l <"$a/err")" -eq 1 ] && grep -q 'iteration [0-9]*: .*not finite' "$a/err"; }
check 'a training that overflows ends with one line' overflows
check 'the last good state of a training that overflows can be tested' darknet meta test "$a/toy.data" "$a/toy.cfg" "$out/toy.backup" -runs 2
goes_on() { on -resume -max_batches 100 -backup_every 1 2>"$a/err" | grep -q '^Resuming'; grep -q 'iteration [0-9]*: .*not finite' "$a/err"; }
check 'the last good state of a training that overflows can be resumed, to where it overflows' goes_on
check 'a training that overflows has no final weights' test ! -e "$out/toy_final.weights"

# A checkpoint that an earlier version poisoned
cp "$a/first.cfg" "$a/toy.cfg"
rm "$out"/*
on -max_batches 2 >"$a/said"
poison()      # OFFSET: puts a NaN at a float of the state, counted from its end where negative, and mends the check sum
{
    python3 - "$out/toy.state" "$1" <<'PY'
import struct, sys, zlib
path, at = sys.argv[1], int(sys.argv[2])
data = bytearray(open(path, "rb").read())
settings, = struct.unpack_from("<Q", data, 32)
begin = 64 + (settings + 15) // 16 * 16
place = (begin if at >= 0 else len(data)) + 4 * at
struct.pack_into("<f", data, place, float("nan"))
struct.pack_into("<I", data, 12, 0)
struct.pack_into("<I", data, 12, zlib.crc32(data))
open(path, "wb").write(data)
PY
}
cp "$out/toy.state" "$a/good.state"
poison 3
expect_error "toy.state: can't resume: the parameters of \[convolutional\] \($a/toy.cfg:[0-9]+\) are not finite: .*; its training diverged$" on -resume
cp "$a/good.state" "$out/toy.state"
poison -1
expect_error "toy.state: can't resume: the rolling statistics of \[convolutional\] .* are not finite" on -resume
cp "$a/good.state" "$out/toy.state"
check 'the checkpoint before it was poisoned is resumed' on -resume
