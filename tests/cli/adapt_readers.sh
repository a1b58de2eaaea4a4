#!/bin/bash
# Small networks of every kind of layer, as meta adapt writes them, give the same probabilities in the
# stock library, in OpenCV and here, or meta adapt has said that they do not. scripts/exports.sh tries
# all of the networks, and further Darknets.
. tests/lib.sh
case $TEST_VARIANT in release) ;; *) skip 'networks of meta adapt in other programs' "other programs' own faults would show"; exit ;; esac
a=$TMP_TEST/a
mkdir -p "$a"
compared() { /usr/bin/python3 tests/exported.py "$DARKNET_BIN" "$(libdarknet_of "$DARKNET_DIR/darknet")" "$BUILD/tests/opencv_predict" "$a" "$@"; }
said() { grep -h 'read otherwise' "$a"/*/ported.cfg; }

check 'other programs read every fifth network of exported_networks.py as it is meant' compared -every 5
check 'so they do with -no_fold' compared -every 16 -flags -no_fold
check 'so they do where layers were of plugins, written as sections of Darknet' compared -only plugin

# One network by hand: what the files say, and what -fold and -no_fold change.
n=$a/one
mkdir -p "$n"
cat >"$n/one.py" <<END
import sys
sys.path.insert(0, "tests")
import exported_networks as e
layers = e.residual(alpha=.5, activation="leaky") + [e.layer("maxpool", size=3, stride=1), e.connected(3, **e.BN), e.layer("softmax", temperature=2)]
e.write_cfg("$n/one.cfg", (20, 20, 1), layers, True)
e.write_weights("$n/one.weights", (20, 20, 1), layers, 1)
END
check 'a network is made' /usr/bin/python3 "$n/one.py"
for k in 0 1 2; do { printf 'P5 20 20 255\n'; head -c 400 /dev/zero | tr '\0' "\\$((k + 1))00"; } >"$n/k${k}_.pgm"; done
ls "$n"/k?_.pgm >"$n/few.list"
printf 'k0_\nk1_\nk2_\n' >"$n/few.labels"
printf 'classes=3\nlabels=%s\nnames=%s\ntrain=%s\n' "$n/few.labels" "$n/few.labels" "$n/few.list" >"$n/few.data"
adapt() { "$DARKNET_BIN" meta adapt "$n/few.data" "$n/one.cfg" "$n/one.weights" -steps 0 -bn running -out "$n/$@"; }
count() { grep -c "$1" "$n/$2.cfg"; }
line="read otherwise by AlexeyAB's Darknet .layer 4, .maxpool.: padding with stride=1, where built with AVX=1., hank-ai's Darknet .layer 4, .maxpool.: padding with stride=1.$"
expect_output "^$n/rest.cfg: $line" adapt rest
check 'the line on programs that read a network otherwise is in the .cfg too' grep -q "^# $line" "$n/rest.cfg"
expect_output "^$n/all.cfg: $line" adapt all -fold
expect_output "^$n/none.cfg: $line" adapt none -no_fold
check 'the first normalisation is kept, -fold folds it, -no_fold keeps those of convolutions' \
    test "$(count batch_normalize rest) $(count batch_normalize all) $(count batch_normalize none)" = '1 0 2'
check 'padding of half the size is written as pad=1' test "$(count pad=1 all) $(count padding=1 all)" = '2 0'
check 'no temperature, alpha or beta is written' test "$(count 'temperature\|alpha\|beta' all)" = 0
expect_error '^darknet: -fold and -no_fold: must be one of them$' adapt both -fold -no_fold
check 'nothing is written when two flags exclude each other' test ! -e "$n/both.cfg" -a ! -e "$n/both.weights"

# meta predict still tells a file's images from others by its first normalisation, and draws heat maps.
expect_output '^[ 0-9.]*%: k0_$' "$DARKNET_BIN" meta predict "$n/rest.cfg" "$n/rest.weights" "$n/few.data" "$n/k0_.pgm" -heat "$n/heat"
check 'a heat map of an exported network is drawn' test -s "$n/heat/k0_.png"
