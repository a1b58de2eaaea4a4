#!/bin/bash
# Every program that reads what meta adapt writes gives the same probabilities of the same 50
# images: meta predict, the stock classifier's predict and valid, OpenCV's DNN module, and
# libdarknet.so through Python. The other way, meta train starts from weights that the stock program
# has trained.
. tests/lib.sh
. tests/toy.sh
case $TEST_VARIANT in release) ;; *) skip 'networks of meta adapt in other programs' "other programs' own faults would show"; exit ;; esac
a=$TMP_TEST/a
toy "$a"
library=$(libdarknet_of "$DARKNET_DIR/darknet")
python=/usr/bin/python3 opencv=$BUILD/tests/opencv_predict
quiet() { "$@" >"$a/out" 2>"$a/err"; }

# Besides the plain network, one with every stock section that is exported: relu and leaky, a
# normalised [connected], and both kinds of padding
cat >"$a/rich.cfg" <<END
[net]
width=12
height=12
channels=1
adam=1
learning_rate=0.01
max_batches=6

[episode]
ways=2
shots=2
queries=3
tasks=2

[convolutional]
batch_normalize=1
filters=6
size=3
stride=1
pad=1
activation=relu

[maxpool]
size=2
stride=2
padding=0

[dropout]
probability=.1

[convolutional]
filters=4
size=3
stride=1
padding=1
activation=leaky

[route]
layers=-1,-3

[convolutional]
batch_normalize=1
filters=5
size=1
stride=1
activation=leaky

[maxpool]
size=3
stride=2

[connected]
batch_normalize=1
output=7
activation=leaky

[connected]
output=2
activation=linear

[softmax]

[inner_loop]
steps=2
test_steps=3
learning_rate=0.1
order=1
END
printf 'c6_\nc7_\n' >"$a/few.labels"
ls "$a"/images/c[67]_[0-4].pgm >"$a/few.list"
ls "$a"/images/c[0-7]_*.pgm | head -n 18 >"$a/fifty.list"
ls "$a"/images/c[67]_*.pgm >>"$a/fifty.list"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\nvalid=%s\ntop=2\n' "$a/few.labels" "$a/few.labels" "$a/few.list" "$a/fifty.list" >"$a/few.data"
mapfile -t fifty <"$a/fifty.list"
check 'the list has fifty images' test ${#fifty[@]} -eq 50

# near A B LIMIT: compares two files with two columns of probabilities line by line, and prints the
# largest difference
near()
{
    paste -d ' ' "$1" "$2" | awk -v limit="$3" '
        NF != 4 { bad = 1 }
        { for (k = 1; k <= 2; k++) { d = $k - $(k + 2); if (d < 0) d = -d; if (d > most) most = d } }
        END { printf "%d lines, largest difference %g\n", NR, most; exit !(!bad && NR == 50 && most <= limit) }'
}
ours() { "$DARKNET_BIN" meta predict "$1.cfg" "$1.weights" "$a/few.data" "$a/fifty.list" -csv | tail -n +2 | awk -F, '{ print $3, $4 }'; }
valid() { "$DARKNET_BIN" classifier valid "$a/few.data" "$1.cfg" "$1.weights" 2>/dev/null | awk -F', *' -v of="$a" 'index($0, of) == 1 { print $3, $4 }'; }
# stock_predict NET: prints the percentages of the stock program as fractions, in the order of the
# classes
stock_predict()
{
    for file in "${fifty[@]}"; do
        "$DARKNET_BIN" classifier predict "$a/few.data" "$1.cfg" "$1.weights" "$file" -t 2 2>/dev/null |
            awk '/%: c6_$/ { six = $1 / 100 } /%: c7_$/ { seven = $1 / 100 } END { print six, seven }'
    done
}

for cfg in toy rich; do
    train_cfg() { "$DARKNET_BIN" meta train "$a/toy.data" "$a/$1.cfg" -max_batches 40 -valid_every 0 -seed 3 -name "$1"; }
    check "$cfg.cfg: meta train runs" quiet train_cfg $cfg
    for bn in support running; do
        net=$a/$cfg-$bn
        check "$cfg.cfg, -bn $bn: meta adapt runs" quiet "$DARKNET_BIN" meta adapt "$a/few.data" "$a/$cfg.cfg" "$a/backup/${cfg}_final.weights" -out "$net" -bn $bn
        ours "$net" >"$a/ours"
        check "$cfg.cfg, -bn $bn: answers of meta predict differ from image to image" test "$(sort -u "$a/ours" | wc -l)" -gt 40
        valid "$net" >"$a/theirs"
        check "$cfg.cfg, -bn $bn: stock classifier valid gives the same probabilities" near "$a/ours" "$a/theirs" 1e-5
        "$opencv" "$net.cfg" "$net.weights" 1 "${fifty[@]}" >"$a/theirs" 2>"$a/err"
        check "$cfg.cfg, -bn $bn: OpenCV gives the same probabilities" near "$a/ours" "$a/theirs" 1e-5
        $python tests/binding_predict.py "$library" "$net.cfg" "$net.weights" 2 "${fifty[@]}" 2>/dev/null | grep -E '^[0-9.]+ [0-9.]+$' >"$a/theirs"
        check "$cfg.cfg, -bn $bn: the Python binding gives the same probabilities" near "$a/ours" "$a/theirs" 1e-5
    done
done
stock_predict "$a/toy-support" >"$a/theirs"
ours "$a/toy-support" >"$a/ours"
check 'stock classifier predict gives the same probabilities, to the digits it prints' near "$a/ours" "$a/theirs" 6e-5

# meta train starts from stock weights: the stock program trains the same network on two of the
# common classes. The network has three channels, as the stock loader of training images writes past
# its memory with one.
sed 's/^channels=1/channels=3/; s/^burn_in=.*//' "$a/toy.cfg" >"$a/start.cfg"
sed '/^\[episode\]/,/^$/d; /^\[inner_loop\]/,$d; s/^adam=1/batch=8/; s/^max_batches=.*/max_batches=4/' "$a/start.cfg" >"$a/stock.cfg"
grep 'c[01]_' "$a/train.list" >"$a/two.list"
printf 'c0_\nc1_\n' >"$a/two.labels"
printf 'classes=2\nlabels=%s\ntrain=%s\nvalid=%s\nbackup=%s\n' "$a/two.labels" "$a/two.list" "$a/two.list" "$a/backup" >"$a/two.data"
check 'the stock program trains a network' quiet "$DARKNET_BIN" classifier train "$a/two.data" "$a/stock.cfg"
sed -i 's/^learning_rate=0.01/learning_rate=1e-9/' "$a/start.cfg"
check 'meta train starts from weights of the stock program' quiet "$DARKNET_BIN" meta train "$a/toy.data" "$a/start.cfg" "$a/backup/stock.weights" -clear -max_batches 1 -valid_every 0
# After one step at a rate of 1e-9 only the eight rolling statistics have moved.
moved() { $python -c 'import struct, sys
a, b = ([x[0] for x in struct.iter_unpack("<f", open(f, "rb").read()[20:])] for f in sys.argv[1:3])
print(len(a), sum(abs(x - y) > 1e-6 for x, y in zip(a, b)) if len(a) == len(b) else "of another size")' "$@"; }
check 'one tiny step of meta train leaves the stock weights where they were' test "$(moved "$a/backup/stock.weights" "$a/backup/start_final.weights" | awk '{ print ($1 > 400 && $2 <= 8) }')" = 1
