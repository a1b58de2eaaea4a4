#!/bin/bash
# meta stock: a .cfg that stock Darknet's parser reads; and the flags that Darknet's users give to every command
. tests/lib.sh
. tests/toy.sh
cd "$TMP_TEST" || exit 1
python=/usr/bin/python3
stock=$(libdarknet_of "$DARKNET_DIR/darknet")
meta() { "$DARKNET_BIN" meta "$@"; }

# parse FILE...: whether stock's own parser reads the files, and says of nothing that it does not know it
cat >parse.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
lib.parse_network_cfg.restype = ctypes.POINTER(ctypes.c_int)
for path in sys.argv[2:]:
    print(path, file=sys.stderr, flush=True)
    print("layers", lib.parse_network_cfg(path.encode())[0])
END
parse()
{
    $python parse.py "$stock" "$@" >parsed 2>told || return 1
    ! grep -iE "unused|couldn't|not recognized|error" told && test "$(grep -c '^layers [1-9]' parsed)" -eq $#
}

cat >one.cfg <<'END'
# a network
[net]
width=12   # pixels
height=12 ; pixels
channels = 1
flip=0
average=0.9  # kept
policy=cosine
max_batches=10
orientation=stored

[episode]    # our own
ways=2
shots = 1
[conv]
filters=8
size=3
stride=1
pad=1#same
rotations=4
activation=leaky  # slope .1

[connected]
output=2
activation=linear
[softmax]
[inner_loop]
steps=1
[meta_loss]
type=mean
END
cat >expected.cfg <<'END'
# one.cfg as stock Darknet reads it: `darknet meta stock`
# a network
[net]
# pixels
width=12
; pixels
height=12
channels = 1
# not stock Darknet's: flip=0
# kept
# not stock Darknet's: average=0.9
# not stock Darknet's: policy=cosine
max_batches=10
# not stock Darknet's: orientation=stored

# our own
# [episode]
# ways=2
# shots = 1
[conv]
filters=8
size=3
stride=1
#same
pad=1
# not stock Darknet's: rotations=4
# slope .1
activation=leaky

[connected]
output=2
activation=linear
[softmax]
# [inner_loop]
# steps=1
# [meta_loss]
# type=mean
END
check 'meta stock writes to standard output' sh -c "'$DARKNET_BIN' meta stock one.cfg >got.cfg"
check 'comments get lines of their own, and what is ours becomes comments' diff expected.cfg got.cfg
sed 's/$/\r/' one.cfg >crlf.cfg
check 'meta stock reads CRLF' meta stock crlf.cfg -out lf.cfg
check 'meta stock writes LF' test "$(sed 1d lf.cfg)" = "$(sed 1d expected.cfg)"
check 'what meta stock writes is read by meta, too' meta stock got.cfg -out again.cfg
if [ "$TEST_VARIANT" = release ] && [ -x $python ]; then
    check "stock's parser does not know all of the .cfg before" sh -c "! $python parse.py '$stock' one.cfg >parsed 2>told || grep -iE \"unused|couldn't|not recognized\" told"
    check "stock's parser knows all of the .cfg written" parse got.cfg
    for cfg in "$OLDPWD"/cfg/*.cfg "$OLDPWD"/cfg/study/m*.cfg "$OLDPWD"/cfg/study/rotations.cfg; do
        case ${cfg##*/} in relation.cfg|prototype.cfg|densenet.cfg) continue ;; esac
        meta stock "$cfg" -out "all_${cfg##*/}" >/dev/null 2>&1 || echo "$cfg"
    done >failed
    check 'meta stock writes each .cfg of cfg/ whose layers stock has' test ! -s failed || cat failed
    check "stock's parser knows all of each .cfg that meta stock has written" parse all_*.cfg
else skip "stock's parser reads what meta stock writes" 'this is not the release build, or there is no /usr/bin/python3'; fi
expect_error 'relation.cfg:[0-9]*: \[relation\]: is a layer that stock Darknet does not have: `meta adapt`' meta stock "$OLDPWD/cfg/relation.cfg"
sed -i 's/^activation=leaky.*/activation=mish/' one.cfg
check 'meta stock writes a network with an activation of AlexeyAB' sh -c "'$DARKNET_BIN' meta stock one.cfg -out mish.cfg 2>said"
check 'an activation that stock takes for another is told' grep -q 'one.cfg: read otherwise by stock Darknet (layer 0, \[convolutional\]: its activation, which it takes for relu)' said
expect_error 'would be written over one.cfg, which is read' meta stock one.cfg -out one.cfg
expect_error 'none.cfg: No such file or directory' meta stock none.cfg
cp crlf.cfg kept.cfg
expect_error '^darknet: -out crlf.cfg: is there and is not of meta stock: must be another name$' meta stock one.cfg -out crlf.cfg
check 'a .cfg of something else is left as it is' cmp kept.cfg crlf.cfg
check 'meta stock writes over what it has written' meta stock one.cfg -out mish.cfg

# Darknet's flags
nothing='changes nothing: this build has no GPU part, everything runs on the CPU'
for words in '-i 0 meta version' 'meta version -i 1' 'meta -i 0 version' '-nogpu meta version' 'meta version -nogpu' 'meta version -gpus 0,1'; do
    # shellcheck disable=SC2086
    "$DARKNET_BIN" $words >out 2>err
    check "darknet $words prints the version, and what the flag does in one line" sh -c "test '$?' -eq 0 -a \"\$(wc -l <err)\" -eq 1 && grep -q '^darknet-meta ' out && grep -qF '$nothing' err"
done
"$DARKNET_BIN" -gpus 0,1 meta version -dont_show -i 2 >out 2>err
check 'several are one line' sh -c "grep -qx \"darknet: -gpus, -dont_show, -i: $nothing; no command opens a window\" err && test \"\$(wc -l <err)\" -eq 1"
"$DARKNET_BIN" meta version -dont_show >out 2>err
check '-dont_show alone says nothing of a GPU' grep -qx 'darknet: -dont_show: changes nothing: no command opens a window' err
expect_error '^darknet: -i: must be a whole number$' meta version -i
expect_error '^darknet: -i x: must be a whole number$' meta version -i x
expect_error '^darknet: -gpus a: must be numbers separated by commas$' meta version -gpus a
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >stock
chmod +x stock
check 'another command keeps these flags' test "$(DARKNET_STOCK=$PWD/stock "$DARKNET_BIN" -i 1 classifier -nogpu -gpus 0 | tr '\n' ' ')" = '-i 1 classifier -nogpu -gpus 0 '
