# meta export: small networks of every kind of layer give the same probabilities as files of ONNX, in OpenCV 4.6, and in onnxruntime and OpenCV 5
# where META_NODE_MODULES names the folder that scripts/onnx_clients.sh has made; what can't be exported, and what is not overwritten.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a"
write() { "$DARKNET_BIN" meta export "$@"; }

# A copy of the program with its plugins, but without the object for ONNX
cp "$DARKNET_DIR/darknet" "$a"
cp -r "$DARKNET_DIR/plugins" "$a"
if [ "$TEST_VARIANT" = valgrind ]; then copy=("$(dirname "$DARKNET_BIN")/run" "$a/darknet"); else copy=("$a/darknet"); fi
alone="$a/libdarknet-meta-onnx.so: can't be loaded: .*: make builds it where the package libonnx-dev is installed$"
expect_error "^darknet: $alone" "${copy[@]}" meta export x.cfg x.weights -onnx "$a/x.onnx"
if [ ! -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ]; then
    skip 'networks are exported as ONNX' 'libonnx-dev is not installed'
    exit
fi
cc=${CC:-gcc}
echo 'int meta_nothing;' >"$a/nothing.c"
check 'an object of another build is compiled' $cc -shared -fPIC "$a/nothing.c" -o "$a/libdarknet-meta-onnx.so"
expect_error "^darknet: $a/libdarknet-meta-onnx.so: is of another build than this program$" "${copy[@]}" meta export x.cfg x.weights -onnx "$a/x.onnx"
rm "$a/libdarknet-meta-onnx.so"

# Two networks by hand: what the file says, and what is refused.
cat >"$a/make.py" <<END
import sys
sys.path.insert(0, "tests")
import exported_networks as e
layers = [e.conv(4, **e.PAD, **e.BN), e.connected(3), e.layer("softmax", temperature=2)]
e.write_cfg("$a/one.cfg", (9, 7, 3), layers, False)
e.write_cfg("$a/meta.cfg", (9, 7, 3), layers, True)
e.write_weights("$a/one.weights", (9, 7, 3), layers, 1)
END
check 'a network is made' /usr/bin/python3 "$a/make.py"
printf 'melanoma\ncheese\nvascular lesion\n' >"$a/names"
printf 'classes=3\nlabels=%s\nnames=%s\n' "$a/names" "$a/names" >"$a/one.data"
printf 'classes=2\nlabels=%s\nnames=%s\n' "$a/two" "$a/two" >"$a/two.data"
head -n 2 "$a/names" >"$a/two"
one=("$a/one.cfg" "$a/one.weights")
expect_output "^written: $a/one.onnx$" write "${one[@]}" "$a/one.data" -onnx "$a/one.onnx"
has() { tr '\n' '/' <"$a/one.onnx" | grep -aq "$1"; }
check 'the metadata has the names of the classes, a line each' has 'names.*melanoma/cheese/vascular lesion'
check 'the metadata says what the input is' has 'input.*RGB, 0 to 1, batch x channels x height x width'
check 'input and output have names' has 'data.*probabilities'
cp "$a/one.onnx" "$a/before.onnx"
expect_error "^darknet: -onnx $a/one.onnx: is there already: -overwrite replaces it$" write "${one[@]}" -onnx "$a/one.onnx"
check 'a file that is there is left alone' cmp "$a/before.onnx" "$a/one.onnx"
expect_output "^written: $a/one.onnx$" write "${one[@]}" "$a/one.data" -onnx "$a/one.onnx" -overwrite
check 'the same network gives the same bytes' cmp "$a/before.onnx" "$a/one.onnx"
expect_error '^darknet: -onnx is missing: must be the name of the file to write$' write "${one[@]}"
expect_error "^darknet: -onnx $a/one.weights: would be written over $a/one.weights, which is read: must be another file$" \
    write "${one[@]}" -onnx "$a/one.weights" -overwrite
expect_error "^darknet: $a/none/one.onnx: .*No such file or directory" write "${one[@]}" -onnx "$a/none/one.onnx"
expect_error "^darknet: $a/two.data: classes=2: must be 3, the probabilities that $a/one.cfg gives$" write "${one[@]}" "$a/two.data" -onnx "$a/new.onnx"
expect_error "^darknet: $a/meta.cfg:[0-9]*: .episode.: the network learns its 3 classes from images of each task, its outputs are none yet: .meta adapt. makes a classifier of it$" \
    write "$a/meta.cfg" "$a/one.weights" -onnx "$a/new.onnx"
sed '/^.episode.$/,/^.conv/{/^.conv/!d}' "$a/meta.cfg" >"$a/no_episode.cfg"
expect_error "^darknet: $a/no_episode.cfg:[0-9]*: .inner_loop.: the network learns its 3 classes from images of each task, its outputs are none yet" \
    write "$a/no_episode.cfg" "$a/one.weights" -onnx "$a/new.onnx"
# A variance below zero, of a damaged file, makes no file of NaN
/usr/bin/python3 - "$a/one.weights" "$a/bad.weights" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], 'rb').read())
struct.pack_into('<f', data, 20 + 4 * 3 * 4, -1)
open(sys.argv[2], 'wb').write(data)
END
expect_error "^darknet: $a/bad.onnx: the weights are not finite: nothing was written$" write "$a/one.cfg" "$a/bad.weights" -onnx "$a/bad.onnx"
check 'and none is written' test ! -e "$a/bad.onnx"
mkdir "$a/swish"
check 'the plugin [swish] is compiled' $cc -shared -fPIC -Iplugins plugins/template/*.c -o "$a/swish/swish.so" -lm
sed 's/^.softmax./[swish]\n&/' "$a/one.cfg" >"$a/plugin.cfg"
{ cat "$a/one.weights"; printf '\0\0\200?\0\0\200?\0\0\200?'; } >"$a/plugin.weights"      # beta: 1 for each of three numbers
expect_error "^darknet: $a/plugin.cfg:[0-9]*: .swish.: has no form in Darknet's own sections: can't be exported$" \
    env DARKNET_PLUGIN_PATH="$a/swish" "$DARKNET_BIN" meta export "$a/plugin.cfg" "$a/plugin.weights" -onnx "$a/new.onnx"
check 'nothing is left of what was refused' sh -c "! ls '$a' | grep -E 'new|tmp'"

# meta adapt -onnx, of a network whose filters are learned in four turns
. tests/toy.sh
toy "$a/toy"
sed -i 's/^filters=4/filters=16\nrotations=4/; s/^max_batches=.*/max_batches=2/; /^steps=6/d; /^scales=/d; s/^policy=steps/policy=constant/; /^burn_in/d' "$a/toy/toy.cfg"
t=("$a/toy/few.data" "$a/toy/toy.cfg" "$a/toy/backup/toy_final.weights")
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$a/toy/two" "$a/toy/two" "$a/toy/few.list" >"${t[0]}"
printf 'c6_\nc7_\n' >"$a/toy/two"
grep -E 'c[67]_[0-3]\.' "$a/toy/test.list" >"$a/toy/few.list"
check 'a network with rotations=4 is trained' "$DARKNET_BIN" meta train "$a/toy/toy.data" "${t[1]}" -valid_every 0 -threads 2
expect_error "^darknet: $alone" "${copy[@]}" meta adapt "${t[@]}" -out "$a/toy/alone" -onnx
check 'without the object for ONNX nothing is adapted' test ! -e "$a/toy/alone.cfg"
expect_output "^written: $a/toy/few.onnx$" "$DARKNET_BIN" meta adapt "${t[@]}" -out "$a/toy/few" -onnx
expect_output "^written: $a/toy/again.onnx$" write "$a/toy/few.cfg" "$a/toy/few.weights" -onnx "$a/toy/again.onnx"
names() { tr '\n' '/' <"$a/toy/few.onnx" | grep -aq 'names.*c6_/c7_'; }
check 'the file of meta adapt -onnx has the names of the classes' names
agree()
{
    /usr/bin/python3 -c "import array, random; array.array('f', [random.random() for _ in range(5 * 144)]).tofile(open('$a/floats', 'wb'))"
    for name in few again; do echo "$a/toy/$name.onnx $a/floats 5 1 12 12"; done | "$BUILD/tests/opencv_predict" |
        awk '{ for (k = 1; k <= NF; k++) if (NR == 1) first[k] = $k; else if ((d = $k - first[k]) > 1e-6 || d < -1e-6) exit 1 } END { if (NR != 2 || NF != 20) exit 1 }'
}
check 'what meta adapt -onnx writes is what meta export makes of its .cfg and .weights' agree

case $TEST_VARIANT in release) ;; *) skip 'files of ONNX in other programs' "other programs' own faults would show"; exit ;; esac
clients=("OpenCV=$BUILD/tests/opencv_predict")
modules=${META_NODE_MODULES:-}
if [ -n "$modules" ] && command -v node >/dev/null; then
    clients+=("onnxruntime=node tests/onnx_predict.js onnxruntime $modules" "OpenCV5=node tests/onnx_predict.js opencv $modules")
else
    for name in onnxruntime 'OpenCV 5'; do skip "files of ONNX in $name" "META_NODE_MODULES names no folder of scripts/onnx_clients.sh"; done
fi
check "more than 40 networks, of every kind of layer and activation, as ONNX: ${#clients[@]} clients agree to 1e-5 on 20 images" \
    /usr/bin/python3 tests/exported_onnx.py "$DARKNET_BIN" "$a/networks" -every 4 "${clients[@]}"
