# What plugins' functions hand back, and can't be right: shapes, messages, settings, losses. One line each, which names the plugin's section.
. tests/lib.sh
. tests/toy.sh

p=$TMP_TEST/p
mkdir "$p"
export DARKNET_PLUGIN_PATH=$p
cat >"$TMP_TEST/parts.h" <<'END_C'
#include <math.h>
#include <string.h>
#include "plugin.h"
#define END { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
#define SHAPE(...) static int shape(const void *s, struct meta_shape in, struct meta_shape *out, struct meta_error *error) { __VA_ARGS__ }
#define CHECK(...) static int check(void *settings, struct meta_error *error) { __VA_ARGS__ }
#define NUMBERS(name, ...) static void name(const void *s, const struct meta_call *c) \
    { const double *x = c->x.value; for (int i = 0; i < c->batch * c->in.c * c->in.h * c->in.w; i++) c->y.value[i] = __VA_ARGS__; }
static void backward(const void *s, const struct meta_call *c)
{
    for (int i = 0; i < c->batch * c->in.c * c->in.h * c->in.w; i++) c->x.bar[i] = c->y.bar[i];
}
#define LAYER static const struct meta_option options[] = { END }; static const struct meta_layer_functions layer = { shape, forward, backward, NULL, NULL }; \
    PLUGIN(META_ROLE_LAYER, 0, .layer = &layer,
#define PLUGIN(a_role, bytes, ...) const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI, .size = sizeof(struct meta_plugin), .name = "mine", \
    .role = a_role, .settings_size = bytes, .options = options, __VA_ARGS__ };
#define SAME NUMBERS(forward, x[i])
END_C
built()
{
    printf '#include "parts.h"\n%s\n' "$1" >"$TMP_TEST/a.c"
    gcc -std=gnu11 -w -fPIC -shared -Iplugins -I"$TMP_TEST" -o "$p/a.so" "$TMP_TEST/a.c" || test_failed "the plugin is built: $1"
}
exactly() { printf '^darknet: %s$' "$(printf %s "$1" | sed 's/[][\.*^$|(){}+?]/\\&/g')"; }
cfg=$TMP_TEST/x.cfg
printf '[net]\nwidth=6\nheight=6\nchannels=1\n[conv]\nfilters=2\nsize=3\n[mine]\n[conn]\noutput=2\n[softmax]\n[inner_loop]\norder=1\n' >"$cfg"
# layer MESSAGE TEXT [REST]: a layer whose functions are those of TEXT is refused; REST are further members of its struct meta_plugin
layer()
{
    built "$2
LAYER ${3:-.check = NULL})"
    expect_error "$(exactly "$cfg:8: [mine]: $1")" "$DARKNET_BIN" meta check "$cfg"
}

# Shapes: 4 x 4 x 2 numbers come in
layer "the plugin's output is 65536x65536x1048576: must be at most 268435456 numbers" 'SAME SHAPE(*out = (struct meta_shape){ 1 << 20, 1 << 16, 1 << 16 }; return 0;)'
layer "the plugin's output is 131072x131072x1073741824: must be at most 268435456 numbers" 'SAME SHAPE(*out = (struct meta_shape){ 1 << 30, 1 << 17, 1 << 17 }; return 0;)'
layer "the plugin's output is 2147483647x2147483647x2147483647: must be at most 268435456 numbers" \
    'SAME SHAPE(*out = (struct meta_shape){ 2147483647, 2147483647, 2147483647 }; return 0;)'
layer "the plugin's output is 1x1x268435457: must be at most 268435456 numbers" 'SAME SHAPE(*out = (struct meta_shape){ (1 << 28) + 1, 1, 1 }; return 0;)'
layer "the plugin's output is 4x-4x2: empty" 'SAME SHAPE(*out = in; out->h = -4; return 0;)'
layer "the plugin's output is -2x-2x1: empty" 'SAME SHAPE(*out = (struct meta_shape){ 1, -2, -2 }; return 0;)'
layer "the plugin's output is 0x0x0: empty" 'SAME SHAPE(return 0;)'

# Messages
# endless BODY [CHECK]: a text without end is told; what a message leaves out of a long word is its middle.
endless()
{
    built "$1
LAYER ${2:-.check = NULL})"
    expect_error '\[mine\]: xxxx*\[\.\.\.\]xxxx*$' "$DARKNET_BIN" meta check "$cfg"
}
endless "SAME SHAPE(memset(error->text, 'x', sizeof error->text); return -1;)"
endless "SAME SHAPE(*out = in; return 0;) CHECK(memset(error->text, 'x', sizeof error->text); return -1;)" '.check = check'
layer 'one?two??[2Jthree?' 'SAME SHAPE(return meta_fail(error, "one\ntwo\r\033[2Jthree\177");)'
layer 'one??two é' 'SAME SHAPE(return meta_fail(error, "one\302\233two \303\251");)'
layer 'one?two' 'SAME SHAPE(*out = in; return 0;) CHECK(return meta_fail(error, "one\ntwo");)' '.check = check'
layer 'the plugin refuses its input and does not say why' 'SAME SHAPE(return -1;)'
layer 'the plugin refuses its input and does not say why' 'SAME SHAPE(error->text[0] = 0; return 7;)'
layer 'the plugin refuses its options and does not say why' 'SAME SHAPE(*out = in; return 0;) CHECK(return -1;)' '.check = check'

# Settings that the program itself reads, whatever the plugin's table allows
cfg=$TMP_TEST/role.cfg
role() # role SECTION-ROLE STRUCT MESSAGE MEMBER=VALUE
{
    built "static const struct meta_option options[] = { END };
CHECK(struct $2 *s = settings; $5; s->$4; return 0;) PLUGIN($1, sizeof(struct $2), .check = check)"
    expect_error "$(exactly "$cfg:$6: [mine]: the plugin sets $3")" "$DARKNET_BIN" meta check "$cfg"
}
head='[net]\nwidth=6\nheight=6\nchannels=1\n'
net='[conv]\nfilters=2\nsize=3\n[conn]\noutput=2\n[softmax]\n'
printf '%b[mine]\n%b' "$head" "$net" >"$cfg"
episode() { role META_ROLE_EPISODE meta_episode_settings "$1" "$2" 's->ways = 2, s->shots = s->queries = s->tasks = s->window = 1' 5; }
episode 'ways=1: must be 2 to 1000' 'ways = 1'
episode 'ways=-2147483648: must be 2 to 1000' 'ways = -2147483647 - 1'
episode 'shots=0: must be 1 to 1000' 'shots = 0'
episode 'queries=1000000: must be 1 to 1000' 'queries = 1000000'
episode 'tasks=0: must be 1 to 1000' 'tasks = 0'
episode 'sampler=2: must be 0 to 1' 'sampler = 2'
episode 'explore=nan: must be 0 to 1' 'explore = NAN'
printf '%b%b[mine]\n' "$head" "$net" >"$cfg"
inner() { role META_ROLE_INNER_LOOP meta_inner_settings "$1" "$2" 's->order = 1' 11; }
inner 'steps=-1: must be 0 to 1000' 'steps = -1'
inner 'test_steps=1000000: must be 0 to 1000' 'test_steps = 1000000'
inner 'learning_rate=nan: must be 0 to 10' 'learning_rate = NAN'
inner 'order=3: must be 0 to 2' 'order = 3'
inner 'adapt=2: must be 0 to 1' 'adapt = 2'
inner 'rates=7: must be 0 to 2' 'rates = 7'
inner 'multi_step=-1: must be 0 to 1000000000' 'multi_step = -1'
inner 'keep=-5: must be 0 to 1000' 'keep = -5'

# Numbers that are none, in a training
no_charts
toy "$TMP_TEST/t"
sed 's/^\[dropout\]/[mine]/; /^probability/d; s/^order=2/order=1/' "$TMP_TEST/t/toy.cfg" >"$TMP_TEST/t/layer.cfg"
sed 's/^\[meta_loss\]/[mine]/; /^type=/,$d' "$TMP_TEST/t/toy.cfg" >"$TMP_TEST/t/loss.cfg"
trains() { rm -rf "$TMP_TEST/t/backup"; expect_error "^darknet: $1\$" "$DARKNET_BIN" meta train "$TMP_TEST/t/toy.data" "$2" -valid_every 0 -max_batches 2; }
loss()
{
    built "static const struct meta_option options[] = { END };
static double value(const void *s, double loss, long iteration) { return $2; }
static double weight(const void *s, double loss, long iteration) { return $3; }
static const struct meta_loss_functions loss = { value, weight };
PLUGIN(META_ROLE_META_LOSS, 0, .loss = &loss)"
    trains "iteration 1: \[mine\]: its plugin makes of a query loss of [0-9.]* the meta-loss $1: both must be finite" "$TMP_TEST/t/loss.cfg"
}
loss '-?nan and the weight 1' NAN 1
loss '[0-9.]* and the weight -?nan' loss NAN
loss '[0-9.]* and the weight inf' loss INFINITY
loss '-inf and the weight 1' -INFINITY 1
built 'NUMBERS(forward, NAN) SHAPE(*out = in; return 0;)
LAYER .check = NULL)'
trains "iteration 1: the meta-gradient is not finite \(query loss nan\): .*; or \[mine\], a plugin's layer, is at fault: darknet meta check tests it" "$TMP_TEST/t/layer.cfg"

# The preloaded host refuses the same, before libdarknet has a layer of it
python=/usr/bin/python3
if [ "$TEST_VARIANT" != release ] || [ ! -x $python ]; then skip 'the preloaded host and such plugins' 'release builds with Python alone'; exit; fi
cfg=$TMP_TEST/h.cfg
printf '[net]\nwidth=6\nheight=6\nchannels=1\n[conv]\nfilters=2\nsize=3\n[mine]\n[conn]\noutput=2\n' >"$cfg"
hosted()
{
    built "$2
LAYER ${3:-.check = NULL})"
    LD_PRELOAD=$DARKNET_DIR/libdarknet-meta-host.so $python tests/host_predict.py "$(libdarknet_of "$DARKNET_DIR/darknet")" global "$cfg" - 36 2 >"$TMP_TEST/out" 2>"$TMP_TEST/err"
    check "the preloaded host exits with 1: $1" test $? -eq 1
    check "the preloaded host: $1" grep -Fqx "darknet: $cfg:8: [mine]: $1" "$TMP_TEST/err"
}
hosted "the plugin's output is 65536x65536x1048576: must be at most 2147483647 numbers" 'SAME SHAPE(*out = (struct meta_shape){ 1 << 20, 1 << 16, 1 << 16 }; return 0;)'
hosted "the plugin's output is 0x0x0: empty" 'SAME SHAPE(return 0;)'
hosted 'one?two' 'SAME SHAPE(return meta_fail(error, "one\ntwo");)'
hosted 'the plugin refuses its options and does not say why' 'SAME SHAPE(*out = in; return 0;) CHECK(return -1;)' '.check = check'
