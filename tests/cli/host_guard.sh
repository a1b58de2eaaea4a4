# libdarknet-meta-host.so refuses what libdarknet's parser takes unchecked, in one line with file, line and section, before the library sees it.
. tests/lib.sh

python=/usr/bin/python3
host=$DARKNET_DIR/libdarknet-meta-host.so
stock=$(libdarknet_of "$DARKNET_DIR/darknet")
if [ ! -x $python ]; then skip 'the guard of the preloaded host' "no $python"; exit; fi
if [ "$TEST_VARIANT" != release ]; then skip 'the guard of the preloaded host' 'Python is run by release builds alone'; exit; fi
cfg=$TMP_TEST/x.cfg

# loads: loads the .cfg as Darknet's binding does, with the host preloaded, in a child of one process, which has the library already: its
# start takes longer than all else. Returns the child's status, 128 and the signal that ended it.
cat >"$TMP_TEST/load.py" <<'END_PY'
import ctypes
import os
import sys
library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
library.load_network.restype = ctypes.c_void_p
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.dup2(os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        os._exit(0 if library.load_network(line.rstrip("\n").encode(), None, 0) else 3)
    status = os.waitpid(child, 0)[1]
    print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status), flush=True)
END_PY
coproc LOADER { exec env LD_PRELOAD="$host" $python "$TMP_TEST/load.py" "$stock" "$TMP_TEST/err" 2>/dev/null; }
loads() { local status=125; echo "$cfg" >&"${LOADER[1]}" && read -r -t 60 status <&"${LOADER[0]}"; return "$status"; }
# refuses MESSAGE: checks that loading fails with that line alone, which begins with the file
refuses()
{
    local status=0
    loads || status=$?
    if [ $status -eq 1 ] && [ "$(grep -c '^darknet: ' "$TMP_TEST/err")" -eq 1 ] && grep -Fqx "darknet: $cfg:$1" "$TMP_TEST/err"; then
        test_passed "the host refuses: $1"
    else
        echo "exit status $status" >>"$TMP_TEST/err"
        test_failed "the host refuses: $1" "$TMP_TEST/err"
    fi
}
# both MESSAGE LINE...: of a .cfg of those lines behind [net], as it is and with sections of ours. A network of 16x16x3 comes in.
net='[net]
width=16
height=16
channels=3'
ours='[inner_loop]
steps=1'
both()
{
    local message=$1
    shift
    printf '%s\n' "$net" "$@" >"$cfg"
    refuses "$message"
    printf '%s\n' "$ours" >>"$cfg"
    refuses "$message"
}
# hosted: likewise, with sections of ours alone, where the input of each layer is known before the library makes it
hosted()
{
    local message=$1
    shift
    printf '%s\n' "$net" "$@" "$ours" >"$cfg"
    refuses "$message"
}

# [net]
conv='[conv]'
both '5: [net] policy=steps: scales is missing: must be numbers separated by commas' policy=steps steps=1,2 "$conv"
both '5: [net] policy=steps: steps is missing: must be numbers separated by commas' policy=steps scales=1,2 "$conv"
both '7: [net] scales=.1: has 1 numbers, but steps has 3: must be as many' policy=steps steps=1,2,3 scales=.1 "$conv"
both '5: [net] subdivisions=0: must be at least 1' subdivisions=0 "$conv"
both '5: [net] batch=-1: must be at least 1' batch=-1 "$conv"
both '5: [net] batch=many: must be at least 1' batch=many "$conv"
both '5: [net] time_steps=0: must be at least 1' time_steps=0 "$conv"
both '5: [net] inputs=7: must be width*height*channels=768' inputs=7 "$conv"
both '5: [net] batch=2147483647: has 768 numbers an image: must be at most 2147483647 in all' batch=2147483647 "$conv"
both '6: [net] subdivisions=8: must be at most batch=4' batch=4 subdivisions=8 "$conv"
both '5: [net] subdivisions=2: must be at most batch=1' subdivisions=2 "$conv"
whole=$net
net='[net]
width=-16
height=16
channels=3'
both '2: [net] width=-16: must be at least 0' "$conv"
net='[net]
height=16'
both '1: [net]: width, height and channels are not all there: must be at least 1, or inputs' "$conv"
net=$whole

# Options of layers, by themselves
both '6: [convolutional] stride=0: must be at least 1' '[convolutional]' stride=0
both '6: [conv] stride=0: must be at least 1' '[conv]' stride=0
both '6: [conv] stride=-2: must be at least 1' '[conv]' stride=-2
both '6: [conv] size=0: must be at least 1' '[conv]' size=0
both '6: [conv] filters=-4: must be at least 1' '[conv]' filters=-4
both '6: [conv] filters=99999999999999999999: must be at most 16777216' '[conv]' filters=99999999999999999999
both '6: [conv] padding=-1: must be at least 0' '[conv]' padding=-1
both '7: [conv] padding=1: must be 0 with size=1' '[conv]' size=1 padding=1
both '6: [conv] padding=2: must be 0 with size=1' '[conv]' padding=2
both '6: [conv] groups=0: must be at least 1' '[conv]' groups=0
both '6: [maxpool] stride=0: must be at least 1' '[maxpool]' stride=0
both '6: [maxpool] size=-1: must be at least 1' '[maxpool]' size=-1
both '6: [connected] output=0: must be at least 1' '[connected]' output=0
both '6: [local] stride=0: must be at least 1' '[local]' stride=0
both '6: [deconvolutional] size=0: must be at least 1' '[deconvolutional]' size=0
both '6: [reorg] stride=0: must be at least 1' '[reorg]' stride=0
both '6: [upsample] stride=0: must not be 0' '[upsample]' stride=0
both '6: [crop] crop_width=0: must be at least 1' '[crop]' crop_width=0
both '6: [softmax] groups=0: must be at least 1' '[softmax]' groups=0
both '6: [gru] output=-1: must be at least 1' '[gru]' output=-1
both '6: [normalization] size=0: must be at least 1' '[normalization]' size=0

# Lists and earlier layers
both '7: [shortcut] from=-2: -2 is not an earlier layer; allowed: -1 to 0' '[conv]' '[shortcut]' from=-2
both '7: [shortcut] from=1: 1 is not an earlier layer; allowed: -1 to 0' '[conv]' '[shortcut]' from=1
both '6: [shortcut]: from is missing: must be an earlier layer' '[conv]' '[shortcut]'
both '5: [shortcut]: there is no earlier layer' '[shortcut]' from=-1
both '6: [route]: layers is missing: must be numbers of earlier layers' '[conv]' '[route]'
both '7: [route] layers=-1,5: 5 is not an earlier layer; allowed: -1 to 0' '[conv]' '[route]' layers=-1,5
both '5: [dropout]: there is no earlier layer' '[dropout]'
both '7: [yolo] mask=0,3: has 3: must be 0 to 2' '[yolo]' num=3 mask=0,3
both '7: [region] anchors=1,2,3,4: has 4 numbers: must be at most 2*num=2' '[region]' num=1 anchors=1,2,3,4

# Options against the layer's input
hosted '6: [conv] groups=2: must divide its 3 input channels and filters=4' '[conv]' groups=2 filters=4
hosted '5: [conv]: its output is empty: its input is 16x16x3' '[conv]' size=99
hosted '5: [maxpool]: its output is empty: its input is 16x16x3' '[maxpool]' size=99 padding=0
hosted '5: [connected]: weights of 12884901888 numbers: must be at most 2147483647' '[connected]' output=16777216
hosted '8: [conv]: needs an image, and its input is 4 numbers' '[gru]' output=4 '[softmax]' '[conv]'
hosted '7: [crop] crop_height=17: must be at most its 16x16 input' '[crop]' crop_width=16 crop_height=17
hosted '6: [reorg] stride=17: does not fit its 16x16x3 input' '[reorg]' stride=17
hosted '5: [upsample]: its output is empty: its input is 16x16x3' '[upsample]' stride=-17
hosted '6: [reorg] stride=2: does not fit its 16x16x3 input' '[reorg]' stride=2
hosted '7: [maxpool] padding=6: windows of size=2 lie beside its 16x16 input' '[maxpool]' size=2 padding=6
hosted '6: [maxpool] padding=3: windows of size=1 lie beside its 16x16 input' '[maxpool]' padding=3
hosted '6: [softmax] groups=5: must divide its 768 inputs' '[softmax]' groups=5
hosted '5: [yolo]: its options make 6400 numbers an image, but 768 come in: must be equal' '[yolo]'
hosted '5: [region]: its options make 6400 numbers an image, but 768 come in: must be equal' '[region]'
hosted '5: [detection]: its options make 147 numbers an image, but 768 come in: must be equal' '[detection]'
hosted '10: [shortcut] from=0: gives 16x16, here is 5x16: one must be a whole multiple of the other, alike in width and height' \
    '[conv]' '[crop]' crop_width=5 crop_height=16 '[shortcut]' from=0

# Lines that end in CRLF are read where the file has sections of ours; the library's own parser can't read them.
printf '%s\r\n' '[net]' width=16 height=16 channels=3 '[conv]' >"$cfg"
refuses ' lines end in CRLF, which the library can'"'"'t read: must end in LF'
printf '[inner_loop]\r\nsteps=1\r\n' >>"$cfg"
check 'a .cfg with sections of ours may have lines that end in CRLF' loads

# What the library can do passes
passes()
{
    printf '%s\n' "$net" "$@" >"$cfg"
    check "the library gets: $*" loads
    printf '%s\n' "$ours" >>"$cfg"
    check "the library gets, beside sections of ours: $*" loads
}
passes policy=steps steps=1,2 scales=.1,.2,.3 '[conv]' filters=6 groups=3 '[maxpool]' size=2 stride=2 '[route]' layers=-1 '[shortcut]' from=-1 '[softmax]' groups=2
passes batch=8 subdivisions=8 '[conv]' size=1 pad=1 padding=3 filters=4 '[crop]' crop_width=8 crop_height=8 '[maxpool]' size=3 stride=2 padding=3 '[reorg]' stride=2 '[upsample]' stride=-2 '[dropout]' '[connected]' output=4
