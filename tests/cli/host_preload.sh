# libdarknet-meta-host.so, preloaded into a program that uses libdarknet: Darknet's own Python binding, through ctypes.
. tests/lib.sh

python=/usr/bin/python3
host=$DARKNET_DIR/libdarknet-meta-host.so
stock=$(libdarknet_of "$DARKNET_DIR/darknet")
if [ ! -x $python ]; then skip 'the preloaded host' "no $python"; exit; fi
case $TEST_VARIANT in
    asan) host="$(gcc -print-file-name=libasan.so) $host"; export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" ;;
    tsan) skip 'the preloaded host' "Python itself is not built for ThreadSanitizer"; exit ;;
esac

# predict MODE CFG WEIGHTS: prints the outputs of the stock library; hosted predict...: those with
# the host preloaded
predict() { $python tests/host_predict.py "$stock" "$1" "$2" "$3" 768 2; }
hosted() { LD_PRELOAD=$host predict "$@"; }
outputs() { "$@" 2>/dev/null | cut -d' ' -f1,2; }

# network [SECTION]: prints a .cfg of Darknet's own sections, with SECTION before the connected
# layer; where EPISODE is set, with the new sections
network()
{
    printf '[net]\nwidth=16\nheight=16\nchannels=3\nbatch=1\n\n'
    [ -z "${EPISODE:-}" ] || printf '[episode]\nways=2 # classes\nshots=1\n\n'
    printf '[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=relu\n\n'
    printf '[maxpool]\nsize=2\nstride=2\npadding=0\n\n'
    printf '[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=leaky\n\n[route]\nlayers=-1,1\n\n%b' "${1:-}"
    printf '[connected]\noutput=2\nactivation=linear\n\n[softmax]\n'
    [ -z "${EPISODE:-}" ] || printf '\n[inner_loop]\nsteps=3\nlearning_rate=0.1\n\n[meta_loss]\ntype=difficulty\neta=5\nstart=10\n'
}

# weights SCALE FILE [BETA]: writes weights for that .cfg: conv 4 (biases, scales, mean, variance,
# 4*3*9 weights), conv 4 (4*4*9), with BETA as many for the 8 channels of [swish], connected 2
# (biases, 2*512 weights times SCALE)
weights()
{
    $python - "$1" ${3:-} >"$2" <<'END'
import struct, sys
state = 1
def draw(n, low, high):
    global state
    values = []
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(low + (high - low) * state / 2**31)
    return values
values = []
for weights in (108, 144):
    values += draw(4, -.2, .2) + draw(4, .5, 1.5) + draw(4, -.3, .3) + draw(4, .5, 2) + draw(weights, -.4, .4)
values += 8 * [float(beta) for beta in sys.argv[2:]]
values += draw(2, -.1, .1)
scale = float(sys.argv[1])
floats = struct.pack("<%df" % len(values), *values)
last = struct.unpack("<1024f", struct.pack("<1024f", *draw(1024, -.1, .1)))
sys.stdout.buffer.write(struct.pack("<iiiQ", 0, 2, 0, 640) + floats + struct.pack("<1024f", *[scale * w for w in last]))
END
}

network >"$TMP_TEST/stock.cfg"
EPISODE=1 network >"$TMP_TEST/meta.cfg"
weights 1 "$TMP_TEST/one.weights"
weights .5 "$TMP_TEST/half.weights"

outputs predict global "$TMP_TEST/stock.cfg" "$TMP_TEST/one.weights" >"$TMP_TEST/expected"
check 'the stock library alone gives five different predictions' test "$(sort -u "$TMP_TEST/expected" | wc -l)" -eq 5
for mode in global local; do
    outputs hosted $mode "$TMP_TEST/meta.cfg" "$TMP_TEST/one.weights" >"$TMP_TEST/got"
    check "the new sections change no output of the preloaded host ($mode)" cmp "$TMP_TEST/expected" "$TMP_TEST/got"
done
sed 's/^batch=1/&\npolicy=cosine\nmax_batches=9/' "$TMP_TEST/meta.cfg" >"$TMP_TEST/cosine.cfg"
outputs hosted global "$TMP_TEST/cosine.cfg" "$TMP_TEST/one.weights" >"$TMP_TEST/got"
check 'nor does a policy that the library does not know' cmp "$TMP_TEST/expected" "$TMP_TEST/got"
outputs hosted global "$TMP_TEST/meta.cfg" - >"$TMP_TEST/got"
check 'the preloaded host predicts without weights' test "$(wc -l <"$TMP_TEST/got")" -eq 5

# What is not ours stays as it was: every message, output and exit status
same()
{
    local what=$1 status=0 expected=0
    shift
    predict "$@" >"$TMP_TEST/a" 2>&1 || expected=$?
    hosted "$@" >"$TMP_TEST/b" 2>&1 || status=$?
    check "$what: the preloaded host prints what the stock library prints" cmp "$TMP_TEST/a" "$TMP_TEST/b"
    check "$what: the preloaded host exits with $expected as the stock library does" test $status -eq $expected
}
same "a stock .cfg" global "$TMP_TEST/stock.cfg" "$TMP_TEST/one.weights"
# Stock warns of a section that it does not know, and goes on: a layer without functions takes its place, so that the network is
# loaded and not run. The script that loads it is the binding's.
cat >"$TMP_TEST/load.py" <<'END'
import ctypes
import sys
library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
library.load_network.restype = ctypes.c_void_p
print("loaded" if library.load_network(sys.argv[2].encode(), None, 0) else "none")
END
loads() { "$@" $python "$TMP_TEST/load.py" "$stock" "$TMP_TEST/unknown.cfg"; }
{ cat "$TMP_TEST/stock.cfg"; printf '\n[sharpen]\namount=1\n'; } >"$TMP_TEST/unknown.cfg"
loads env >"$TMP_TEST/a" 2>&1
loads env LD_PRELOAD="$host" >"$TMP_TEST/b" 2>&1
check 'stock itself warns of an unknown section and goes on' grep -q 'Type not recognized: \[sharpen\]' "$TMP_TEST/a"
check 'the preloaded host warns of an unknown section as stock does, and goes on' cmp "$TMP_TEST/a" "$TMP_TEST/b"
check 'a network with an unknown section is loaded' grep -qx loaded "$TMP_TEST/b"

# A network is resized where it has no layer of a plugin
cat >"$TMP_TEST/resize.py" <<'END'
import ctypes
import sys
library = ctypes.CDLL(sys.argv[1], ctypes.RTLD_GLOBAL)
both = ctypes.CDLL(None)
both.load_network.restype = ctypes.c_void_p
print("resized" if both.resize_network(ctypes.c_void_p(both.load_network(sys.argv[2].encode(), None, 0)), 18, 18) == 0 else "not")
END
resize() { LD_PRELOAD=$host $python "$TMP_TEST/resize.py" "$stock" "$1"; }
flat() { printf '[net]\nwidth=16\nheight=16\nchannels=3\nbatch=1\n[convolutional]\nfilters=4\nsize=3\nstride=1\npad=1\nactivation=relu\n%b[avgpool]\n' "$1"; }
flat '' >"$TMP_TEST/flat.cfg"
expect_output '^resized$' resize "$TMP_TEST/flat.cfg"
flat '[affine]\n' >"$TMP_TEST/affine.cfg"
resize "$TMP_TEST/affine.cfg" >"$TMP_TEST/a" 2>"$TMP_TEST/b" && status=0 || status=$?
check 'a network with a plugin'"'"'s layer ends the process in one line, as stock does' test "$status" -eq 1 -a "$(tail -n 1 "$TMP_TEST/b")" = "darknet: layer 1, [affine]: a plugin's layer can't be resized to 18x18"

# In a .cfg of ours what is unknown is left out, with a warning, but for what may be a layer
goes_on()
{
    local warning=$1
    outputs hosted global "$TMP_TEST/x.cfg" "$TMP_TEST/one.weights" >"$TMP_TEST/got" 2>"$TMP_TEST/err"
    check "the preloaded host goes on: $warning" cmp "$TMP_TEST/expected" "$TMP_TEST/got"
    hosted global "$TMP_TEST/x.cfg" "$TMP_TEST/one.weights" 2>&1 >"$TMP_TEST/out" | grep -Fx "darknet: $TMP_TEST/x.cfg:$warning" >"$TMP_TEST/said"
    check "the preloaded host warns once: $warning" test "$(wc -l <"$TMP_TEST/said")" -eq 1
}
{ cat "$TMP_TEST/meta.cfg"; printf '\n[sharpen]\namount=1\n'; } >"$TMP_TEST/x.cfg"
goes_on "$(grep -n sharpen "$TMP_TEST/x.cfg" | cut -d: -f1): [sharpen]: unknown section: left out"
sed 's/^shots=1$/shots=1\nrounds=3/' "$TMP_TEST/meta.cfg" >"$TMP_TEST/x.cfg"
goes_on "$(grep -n rounds "$TMP_TEST/x.cfg" | cut -d: -f1): [episode] rounds: unknown option: left out"

same "a .cfg that is not there" global "$TMP_TEST/none.cfg" -

# A plugin's layer. With betas of 0 swish halves its input, which to the last bit is what halving the
# next layer's weights does. The betas are read from the .weights file, whatever they begin with.
cp -r plugins/template "$TMP_TEST/swish"
check 'the template plugin is built out of tree' make -s -C "$TMP_TEST/swish" PLUGIN_H="$PWD/plugins"
export DARKNET_PLUGIN_PATH=$TMP_TEST/swish
outputs predict global "$TMP_TEST/stock.cfg" "$TMP_TEST/half.weights" >"$TMP_TEST/expected"
EPISODE=1 network '[swish]\nbeta=1\n\n' >"$TMP_TEST/swish.cfg"
weights 1 "$TMP_TEST/zeros.weights" 0
for mode in global local; do
    outputs hosted $mode "$TMP_TEST/swish.cfg" "$TMP_TEST/zeros.weights" >"$TMP_TEST/got"
    check "the preloaded host computes a plugin's layer ($mode)" cmp "$TMP_TEST/expected" "$TMP_TEST/got"
done
weights 1 "$TMP_TEST/ones.weights" 1
outputs hosted global "$TMP_TEST/swish.cfg" "$TMP_TEST/ones.weights" >"$TMP_TEST/got"
check "the preloaded host reads the parameters of a plugin's layer" test "$(cat "$TMP_TEST/got")" != "$(cat "$TMP_TEST/expected")" -a "$(wc -l <"$TMP_TEST/got")" -eq 5

# Errors end the program, as the library's own do; what the layers print before them goes to stderr too
refuses()
{
    local message=$1 status=0
    shift
    hosted global "$@" - >"$TMP_TEST/out" 2>"$TMP_TEST/err" || status=$?
    if grep -Fqx "darknet: $message" "$TMP_TEST/err"; then test_passed "error: $message"
    else test_failed "error: $message" "$TMP_TEST/err"; fi
    check "the preloaded host exits with 1 after an error" test $status -eq 1
}
sed 's/shots=1/shots=0/' "$TMP_TEST/meta.cfg" >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg:9: [episode] shots=0: must be 1 to 1000" "$TMP_TEST/x.cfg"
sed 's/beta=1/beta=-1/' "$TMP_TEST/swish.cfg" >"$TMP_TEST/x.cfg"
line=$(grep -n 'beta=-1' "$TMP_TEST/x.cfg" | cut -d: -f1)
refuses "$TMP_TEST/x.cfg:$line: [swish] beta=-1: must be 0 to 100" "$TMP_TEST/x.cfg"
sed 's/\[swish\]/[swash]/' "$TMP_TEST/swish.cfg" >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg:$((line - 1)): [swash]: unknown section; known: Darknet's own and affine episode film inner_loop meta_loss momentum prelu prototype relation swish (plugins in \
$(realpath "$DARKNET_DIR")/plugins, $TMP_TEST/swish)" "$TMP_TEST/x.cfg"
printf '[net]\nwidth=8\nheight=8\nchannels=3\n[meta_loss]\n' >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg: the network has no layers" "$TMP_TEST/x.cfg"
printf '[net]\nwidth=8\nheight=8\nchannels=3\n[conv]\n[relation]\n' >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg:6: [relation]: works on the images of a whole task, which the library knows nothing of: only darknet meta can run it" \
    "$TMP_TEST/x.cfg"
printf '[episode]\n[net]\nwidth=8\n' >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg: the first section must be [net]" "$TMP_TEST/x.cfg"
printf '[net]\nwidth=8\nheight=8\nchannels=3\n[dropout]\n[swish]\n' >"$TMP_TEST/x.cfg"
refuses "$TMP_TEST/x.cfg:5: [dropout]: there is no earlier layer" "$TMP_TEST/x.cfg"

# A library with another struct layer: Darknet's own header, with GPU fields
include=$(sed -n 's/.* -I\([^ ]*\)\/include .*/\1\/include/p' "${BUILD:-build/release}/flags" 2>/dev/null | head -n 1)
[ -e "$include/darknet.h" ] || include=$(dirname "$stock")/include
mkdir "$TMP_TEST/gpu"
for header in cuda_runtime curand cublas_v2; do : >"$TMP_TEST/gpu/$header.h"; done
cat >"$TMP_TEST/gpu/fake.c" <<'END'
#include <darknet.h>
network *parse_network_cfg(char *path) { return NULL; }
network *load_network(char *cfg, char *weights, int clear) { return parse_network_cfg(cfg); }
layer get_network_output_layer(network *net)
{
    int i = net->n - 1;
    while (i > 0 && net->layers[i].type == COST) i--;
    return net->layers[i];
}
int gpu_index;
#define DEFINE(name) void name(void) {}
DEFINE(make_network) DEFINE(parse_net_options) DEFINE(make_list) DEFINE(option_insert)
DEFINE(option_find_float_quiet) DEFINE(option_unused)
float *network_predict(network *net, float *x) { return x; }
void free_network(network *net) {}
void free_list(list *l) {}
int option_find_int_quiet(list *l, char *key, int def) { return def; }
#ifndef LACKING
DEFINE(free_list_contents)
#endif
END
fake() { gcc "$@" -I"$include" -I"$TMP_TEST/gpu" -w -shared -fPIC -o "$TMP_TEST/gpu/libdarknet.so" "$TMP_TEST/gpu/fake.c"; }
refuses_library() { stock=$TMP_TEST/gpu/libdarknet.so refuses "$1" "$TMP_TEST/meta.cfg"; }
sizes=$(printf '#include <stdio.h>\n#include <darknet.h>\nint main(void) { printf("%%zu", sizeof(layer)); }\n' >"$TMP_TEST/gpu/size.c"
    for flag in -DGPU -UGPU; do
        gcc $flag -w -I"$include" -I"$TMP_TEST/gpu" -o "$TMP_TEST/gpu/size" "$TMP_TEST/gpu/size.c" && "$TMP_TEST/gpu/size" && echo
    done)
read -r -d '' theirs ours <<<"$sizes" || true
check 'a libdarknet with another struct layer is built' fake -DGPU
refuses_library "$TMP_TEST/gpu/libdarknet.so: its struct layer has $theirs bytes, that of this host $ours: build the host with make \
DARKNET=DIR against that library's darknet.h"
check 'a libdarknet that lacks a function is built' fake -DLACKING
refuses_library "$TMP_TEST/gpu/libdarknet.so: has no free_list_contents: must be libdarknet of the darknet.h this was compiled with"
