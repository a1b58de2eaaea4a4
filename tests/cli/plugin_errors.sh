# Plugins that are refused, by name and reason, and the few that are not.
. tests/lib.sh

p=$TMP_TEST/p
mkdir "$p"
export DARKNET_PLUGIN_PATH=$p

# plugin NAME [-D...]: builds $p/NAME.so from this source
cat >"$TMP_TEST/plugin.c" <<'END'
#include "plugin.h"
#ifndef ABI
#define ABI META_PLUGIN_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(struct meta_plugin)
#endif
#ifndef NAME
#define NAME "mine"
#endif
#ifndef ROLE
#define ROLE META_ROLE_LAYER
#endif
#ifndef BACKWARD
#define BACKWARD backward
#endif
#ifndef TANGENT
#define TANGENT NULL
#endif
#ifndef LAYER
#define LAYER &functions
#endif
#ifndef OFFSET
#define OFFSET offsetof(struct settings, most)
#endif
struct settings { int least, most; struct meta_list sizes; char *note; };
static const struct meta_option options[] = {
    { "least", META_INT, 0, 0, 9, NULL, offsetof(struct settings, least), "" },
    { "most", META_INT, 9, 0, 9, NULL, OFFSET, "" },
    { "sizes", META_INTS, 0, 0, 9, NULL, offsetof(struct settings, sizes), "" },
    { "note", META_TEXT, 0, 0, 0, NULL, offsetof(struct settings, note), "" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};
static int check(void *settings, struct meta_error *error)
{
    struct settings *s = settings;
    if (s->least <= s->most) return 0;
    return meta_fail(error, "least=%d is above most=%d", s->least, s->most);
}
static int shape(const void *settings, struct meta_shape in, struct meta_shape *out, struct meta_error *error)
{
    *out = in;
    if (in.c > 8) return meta_fail(error, "takes 8 channels at most, not %d", in.c);
    if (((const struct settings *)settings)->most == 7) out->c = 0;
    return 0;
}
static void twice(const struct meta_call *c, const double *from, double *to)
{
    for (int i = 0; i < c->batch * c->in.c * c->in.h * c->in.w; i++) to[i] = 2 * from[i];
}
static void forward(const void *settings, const struct meta_call *c) { twice(c, c->x.value, c->y.value); }
static void backward(const void *settings, const struct meta_call *c) { twice(c, c->y.bar, c->x.bar); }
__attribute__((unused)) static void tangent(const void *settings, const struct meta_call *c) { twice(c, c->x.dot, c->y.dot); }
static const struct meta_layer_functions functions = { shape, forward, BACKWARD, TANGENT, NULL };
#ifndef NONE
const struct meta_plugin meta_plugin = { ABI, SIZE, NAME, ROLE, "a test", sizeof(struct settings), options, check, LAYER, NULL };
#endif
END
plugin()
{
    local name=$1
    shift
    rm -f "$p"/*.so
    gcc -std=gnu11 -w -fPIC -shared -Iplugins "$@" -o "$p/$name.so" "$TMP_TEST/plugin.c" || test_failed "plugin $name is built"
}
exactly() { printf '^darknet: %s$' "$(printf %s "$1" | sed 's/[][\.*^$|(){}+?]/\\&/g')"; }
# refuses MESSAGE: checks that meta help, which loads every plugin, fails with MESSAGE
refuses() { expect_error "$(exactly "$1")" "$DARKNET_BIN" meta help; }

plugin a -DABI=7
refuses "$p/a.so: plugin ABI 7: this program speaks 5"
plugin a -DSIZE=8
refuses "$p/a.so: struct meta_plugin of 8 bytes: this program's has $(printf '#include "plugin.h"\nint main(void) { printf("%%zu", sizeof(struct meta_plugin)); }' >"$TMP_TEST/s.c"
    gcc -w -Iplugins -o "$TMP_TEST/s" "$TMP_TEST/s.c" && "$TMP_TEST/s")"
plugin a -DNONE
refuses "$p/a.so: is not a plugin: it does not define meta_plugin"
plugin a '-DNAME=NULL'
refuses "$p/a.so: the plugin's name is not one: must be lower-case letters, digits, _ and -"
plugin a '-DNAME="A b"'
refuses "$p/a.so: the plugin's name is not one: must be lower-case letters, digits, _ and -"
plugin a '-DNAME="yolo"'
refuses "$p/a.so: [yolo] is a section of Darknet's own: a plugin needs another name"
plugin a '-DNAME="max"'
refuses "$p/a.so: [max] is a section of Darknet's own: a plugin needs another name"
plugin a '-DNAME="episode"'
refuses "$p/a.so: [episode] is already the section of $(realpath "$DARKNET_DIR")/plugins/episode.so"
plugin a -DROLE=9
refuses "$p/a.so: plugin [mine] has role 9: this program knows 0 to 4"
plugin a -DBACKWARD=NULL
refuses "$p/a.so: plugin [mine] must have forward and backward"
plugin a -DLAYER=NULL
refuses "$p/a.so: plugin [mine] must have forward and backward"
plugin a -DTANGENT=tangent
refuses "$p/a.so: plugin [mine] must have both tangents or neither"
plugin a -DROLE=META_ROLE_META_LOSS
refuses "$p/a.so: plugin [mine] must have value and weight"
plugin a -DOFFSET=32
refuses "$p/a.so: plugin [mine]: option most: it lies outside its settings"
rm -f "$p"/*
printf 'not a shared object' >"$p/text.so"
expect_error "^darknet: $p/text.so: can't load the plugin: " "$DARKNET_BIN" meta help
rm "$p/text.so"
plugin b
mv "$p/b.so" "$TMP_TEST/b.so"
plugin a
mv "$TMP_TEST/b.so" "$p"
refuses "$p/b.so: [mine] is already the section of $p/a.so"
rm "$p/b.so"
DARKNET_PLUGIN_PATH=$p:/nowhere refuses 'DARKNET_PLUGIN_PATH: /nowhere: No such file or directory'
: >"$TMP_TEST/file"
DARKNET_PLUGIN_PATH=$TMP_TEST/file refuses "DARKNET_PLUGIN_PATH: $TMP_TEST/file: Not a directory"

# These are no errors: a folder named twice, empty parts of the path, and other files and hidden
# ones in the folder.
: >"$p/README"; : >"$p/.hidden.so"; : >"$p/x.so.old"
for path in "$p:$p" ":$p::" "$p:$TMP_TEST/../$(basename "$TMP_TEST")/p"; do
    expect_output '^\[mine\]  a test$' env DARKNET_PLUGIN_PATH="$path" "$DARKNET_BIN" meta help
done

# The program looks for plugins/ beside itself, not beside a link to it.
mkdir "$TMP_TEST/bin"
ln -s "$DARKNET_DIR/darknet" "$TMP_TEST/bin/darknet"
expect_output '^\[meta_loss\]' "$TMP_TEST/bin/darknet" meta help
mkdir "$TMP_TEST/bare"
cp -L "$DARKNET_DIR/darknet" "$TMP_TEST/bare/darknet"
printf '[net]\nwidth=6\nheight=6\nchannels=1\n[conn]\noutput=2\n[softmax]\n' >"$TMP_TEST/plain.cfg"
expect_error "$(exactly "$TMP_TEST/plain.cfg: has no [episode], and its plugin is not there: looked in $TMP_TEST/bare/plugins, $p")" \
    "$TMP_TEST/bare/darknet" meta check "$TMP_TEST/plain.cfg"

# Errors in a .cfg: those of the plugin's own checks, and an order that it can't serve
cfg=$TMP_TEST/x.cfg
write()
{
    printf '[net]\nwidth=6\nheight=6\nchannels=1\n[conv]\nfilters=%d\nsize=3\n[mine]\n%b[conn]\noutput=2\n[softmax]\n[inner_loop]\norder=%d\n' \
        "$1" "$2" "$3" >"$cfg"
}
write 2 '' 1
expect_output 'identities hold' "$DARKNET_BIN" meta check "$cfg"
write 2 'sizes=1,2,3\nnote=text\n' 1
expect_output 'identities hold' "$DARKNET_BIN" meta check "$cfg"
write 2 '' 2
expect_error "$(exactly "$cfg:8: [mine]: the plugin has no tangents, which order=2 needs; allowed: order=1")" "$DARKNET_BIN" meta check "$cfg"
write 2 'least=5\nmost=4\n' 1
expect_error "$(exactly "$cfg:9: [mine] least=5 is above most=4")" "$DARKNET_BIN" meta check "$cfg"
write 2 'sizes=1,x\n' 1
expect_error "$(exactly "$cfg:9: [mine] sizes=1,x: must be whole numbers, 0 to 9, separated by commas")" "$DARKNET_BIN" meta check "$cfg"
write 9 '' 1
expect_error "$(exactly "$cfg:8: [mine]: takes 8 channels at most, not 9")" "$DARKNET_BIN" meta check "$cfg"
write 2 'most=7\n' 1
expect_error "^darknet: $cfg:8: \[mine\]: the plugin's output is .*: empty$" "$DARKNET_BIN" meta check "$cfg"
