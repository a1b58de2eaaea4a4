#!/bin/bash
# meta train and meta pretrain start from the first layers of another network, as darknet partial
# writes them; the other layers are drawn. All else needs whole weights.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
no_charts
check 'meta train runs' train "$a" -seed 3 -valid_every 0
final=$a/backup/toy_final.weights part=$a/toy.conv.1
cp "$final" "$a/whole.weights"
sed '/^\[episode\]/,/^$/d; /^\[inner_loop\]/,$d' "$a/toy.cfg" >"$a/stock.cfg"
check 'darknet partial writes the first layer' sh -c "'$DARKNET_BIN' partial '$a/stock.cfg' '$a/whole.weights' '$part' 1 >/dev/null 2>&1"

# At a rate of 1e-9 a step leaves every number but the rolling statistics where it was.
sed 's/^learning_rate=0.01/learning_rate=1e-9/; s/^burn_in=.*//' "$a/toy.cfg" >"$a/still.cfg"
still() { "$DARKNET_BIN" meta train "$a/toy.data" "$a/still.cfg" "$@" -max_batches 1 -valid_every 0; }
still -seed 9 >/dev/null 2>&1
cp "$a/backup/still-seed9_final.weights" "$a/drawn.weights"
expect_output '^It has the weights of 1 layer, up to layer 0, \[convolutional\]; those of 1 layer, from layer 3, \[connected\], on are drawn$' still "$part" -seed 9
# numbers FILE: its biases, scales and weights in the file's order, those of the convolution on one line
# and those of [connected] on the next
numbers()
{
    /usr/bin/python3 -c 'import struct, sys
x = [v[0] for v in struct.iter_unpack("<f", open(sys.argv[1], "rb").read()[20:])]
print(*("%.5f" % v for v in x[:8] + x[16:52]))
print(*("%.5f" % v for v in x[52:]))' "$1"
}
check 'the layer of the file is what the training starts from' test "$(numbers "$a/backup/still-seed9_final.weights" | sed -n 1p)" = "$(numbers "$part" | sed -n 1p)"
check 'the other layer is drawn as without the file' test "$(numbers "$a/backup/still-seed9_final.weights" | sed -n 2p)" = "$(numbers "$a/drawn.weights" | sed -n 2p)"
check 'it is not that of the training the file is from' test "$(numbers "$a/whole.weights" | sed -n 2p)" != "$(numbers "$a/drawn.weights" | sed -n 2p)"
rm -f "$a"/backup/still*
expect_output 'at iteration 0$' still "$a/whole.weights" -clear
check 'nothing is said of layers when the file has all' sh -c "! grep -q 'are drawn' '$test_log/out'"
# A header of version 0.1.0 has four bytes of seen.
{ printf '\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0'; tail -c +21 "$part"; } >"$a/old.conv.1"
rm -f "$a"/backup/still*
expect_output '^It has the weights of 1 layer, ' still "$a/old.conv.1"

# One number in the header says how young all rolling statistics are, so that those of the file begin
# anew when another normalised layer is drawn. They are settled, 0, when it is not.
sed 's/^\[connected\]/[convolutional]\nbatch_normalize=1\nfilters=3\nactivation=leaky\n\n[connected]/' "$a/still.cfg" >"$a/more.cfg"
expect_output '; those of 2 layers, from layer 3, \[convolutional\], on are drawn$' \
    "$DARKNET_BIN" meta train "$a/toy.data" "$a/more.cfg" "$part" -max_batches 1 -valid_every 0
revision() { od -An -j8 -N4 -t u4 "$a/backup/$1_final.weights" | tr -d ' '; }
check 'rolling statistics are as young as those of the layers that are drawn' test "$(($(revision more) & 0xffff0000)) $(revision still)" = "$((0x4d4c0000)) 0"

toy_twin "$a" "$TMP_TEST/b"
toy_supervised "$TMP_TEST/b"
sed -i 's/^filters=16/filters=4/' "$TMP_TEST/b/toy.cfg"
rm -f "$TMP_TEST"/b/backup/*
expect_output '^It has the weights of 1 layer, ' "$DARKNET_BIN" meta pretrain "$TMP_TEST/b/toy.data" "$TMP_TEST/b/toy.cfg" "$part" -max_batches 2 -valid_every 0

head -c $(($(wc -c <"$part") - 4)) "$part" >"$a/cut"
rm -f "$a"/backup/still*
expect_error 'cut: [0-9]* bytes: does not fit this network, whose .weights file has .* bytes, nor does it end behind one of its layers$' still "$a/cut"
check 'nothing is written when the weights do not fit' test ! -e "$a/backup/still.state"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/few.labels" "$a/few.labels" "$a/few.list" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/few.labels"
ls "$a"/images/c[67]_[0-4].pgm >"$a/few.list"
expect_error 'conv.1: [0-9]* bytes: does not fit this network, whose .weights file has [0-9]* bytes$' \
    "$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$part" -out "$a/adapted"
expect_error 'conv.1: [0-9]* bytes: does not fit this network, whose .weights file has [0-9]* bytes$' "$DARKNET_BIN" meta test "$a/toy.data" "$a/toy.cfg" "$part"
