# Plugins whose tables can't be right, and files that are no plugins: each is refused in one line, before any of it is used.
. tests/lib.sh

p=$TMP_TEST/p
mkdir "$p"
export DARKNET_PLUGIN_PATH=$p

# The parts that a plugin of the cases below has where its own text says nothing else
cat >"$TMP_TEST/parts.h" <<'END_C'
#include <limits.h>
#include <math.h>
#include "plugin.h"
struct settings { int a, b; double real; char *note; struct meta_list list; };
#define AT(field) offsetof(struct settings, field)
#define END { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
static int check(void *settings, struct meta_error *error) { return 0; }
static int shape(const void *s, struct meta_shape in, struct meta_shape *out, struct meta_error *error) { *out = in; return 0; }
static void forward(const void *s, const struct meta_call *c) {}
static void backward(const void *s, const struct meta_call *c) {}
static const struct meta_layer_functions layer = { shape, forward, backward, NULL, NULL };
static double loss_value(const void *s, double loss, long iteration) { return loss; }
#define PLUGIN(...) const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI, .size = sizeof(struct meta_plugin), .name = "mine", \
    .role = META_ROLE_LAYER, .settings_size = sizeof(struct settings), .options = options, .layer = &layer, ##__VA_ARGS__ };
#define OPTIONS(...) static const struct meta_option options[] = { __VA_ARGS__ };
END_C
# built TEXT: makes $p/a.so of the C text
built()
{
    printf '#include "parts.h"\n%s\n' "$1" >"$TMP_TEST/a.c"
    gcc -std=gnu11 -w -fPIC -shared -Iplugins -I"$TMP_TEST" -o "$p/a.so" "$TMP_TEST/a.c" || test_failed "the plugin is built: $1"
}
exactly() { printf '^darknet: %s$' "$(printf %s "$1" | sed 's/[][\.*^$|(){}+?]/\\&/g')"; }
# bad MESSAGE TEXT: a plugin of that text is refused with PATH: MESSAGE. `meta help` loads every plugin.
bad()
{
    built "$2"
    expect_error "$(exactly "$p/a.so: $1")" "$DARKNET_BIN" meta help
}
# option MESSAGE ROW: likewise, for a table of one option, `a`
option() { bad "plugin [mine]: option a: $1" "OPTIONS($2, END) PLUGIN()"; }
# good TITLE TEXT: a plugin of that text is taken
good()
{
    built "$2"
    check "a plugin is taken: $1" sh -c "'$DARKNET_BIN' meta help mine >/dev/null"
}

# Rows of the table of options
option 'it lies outside its settings' '{ "a", META_INT, 1, 0, 9, NULL, (size_t)-4, "" }'
option 'it lies outside its settings' '{ "a", META_REAL, 1, 0, 9, NULL, (size_t)-8, "" }'
option 'it lies outside its settings' '{ "a", META_TEXT, 0, 0, 0, NULL, sizeof(struct settings), "" }'
option 'it lies outside its settings' '{ "a", META_INTS, 0, 0, 9, NULL, sizeof(struct settings) - 8, "" }'
option 'its place in the settings is not aligned' '{ "a", META_INT, 1, 0, 9, NULL, 2, "" }'
option 'its place in the settings is not aligned' '{ "a", META_REAL, 1, 0, 9, NULL, 4, "" }'
option 'its place in the settings is not aligned' '{ "a", META_TEXT, 0, 0, 0, NULL, 12, "" }'
option 'its type is unknown' '{ "a", 6, 1, 0, 9, NULL, 0, "" }'
option 'its type is unknown' '{ "a", -1, 1, 0, 9, NULL, 0, "" }'
option 'its help must be one line' '{ "a", META_INT, 1, 0, 9, NULL, 0, NULL }'
option 'its help must be one line' '{ "a", META_INT, 1, 0, 9, NULL, 0, "one\ntwo" }'
option 'its help must be one line' '{ "a", META_INT, 1, 0, 9, NULL, 0, "\033[2J" }'
option 'its least value is above its most' '{ "a", META_INT, 1, 9, 0, NULL, 0, "" }'
option 'its least value is above its most' '{ "a", META_REAL, 1, NAN, 9, NULL, AT(real), "" }'
option 'its least value is above its most' '{ "a", META_REALS, 0, 0, NAN, NULL, AT(list), "" }'
option 'its default and bounds must be numbers of an int' '{ "a", META_INT, 1, 0, INFINITY, NULL, 0, "" }'
option 'its default and bounds must be numbers of an int' '{ "a", META_INT, NAN, 0, 9, NULL, 0, "" }'
option 'its default and bounds must be numbers of an int' '{ "a", META_INT, 3e9, 0, 9, NULL, 0, "" }'
option 'its default is not a number' '{ "a", META_REAL, NAN, 0, 9, NULL, AT(real), "" }'
option 'its default is out of its bounds, and the plugin has no check to replace it' '{ "a", META_INT, 10, 0, 9, NULL, 0, "" }'
option 'its default is out of its bounds, and the plugin has no check to replace it' '{ "a", META_REAL, INFINITY, 0, 9, NULL, AT(real), "" }'
option 'its choices must be words with | between them' '{ "a", META_CHOICE, 0, 0, 0, NULL, 0, "" }'
option 'its choices must be words with | between them' '{ "a", META_CHOICE, 0, 0, 0, "", 0, "" }'
option 'its choices must be words with | between them' '{ "a", META_CHOICE, 0, 0, 0, "one||two", 0, "" }'
option 'its choices must be words with | between them' '{ "a", META_CHOICE, 0, 0, 0, "one|t wo", 0, "" }'
option 'its default is none of its choices' '{ "a", META_CHOICE, 2, 0, 0, "one|two", 0, "" }'
option 'its default is none of its choices' '{ "a", META_CHOICE, -1, 0, 0, "one|two", 0, "" }'
option 'its default is none of its choices' '{ "a", META_CHOICE, NAN, 0, 0, "one|two", 0, "" }'
A='{ "a", META_INT, 1, 0, 9, NULL, AT(a), "" }'
bad 'plugin [mine]: option a: another option has the same name' "OPTIONS($A, $A, END) PLUGIN()"
bad 'plugin [mine]: option b: another option lies in the same place of the settings' \
    "OPTIONS($A, { \"b\", META_TEXT, 0, 0, 0, NULL, 0, \"\" }, END) PLUGIN()"
for name in '""' '"a b"' '"a=1"' '"[a]"' '"a\n"' "\"$(printf %065d 0)\""; do
    bad 'plugin [mine]: the name of option 1 is not one: must be letters, digits, _ . and -' "OPTIONS({ $name, META_INT, 1, 0, 9, NULL, 0, \"\" }, END) PLUGIN()"
done
bad 'plugin [mine] has no table of options' 'OPTIONS(END) PLUGIN(.options = NULL)'
rows=$(for ((i = 0; i < 300; i++)); do printf '{ "o%d", META_INT, 1, 0, 9, NULL, %d, "" }, ' $i $((4 * i)); done)
bad 'plugin [mine]: its table of options has no end: must be at most 256 rows and one whose name is NULL' \
    "OPTIONS($rows) PLUGIN(.settings_size = 4000)"
bad 'plugin [mine]: settings of 18446744073709551615 bytes: must be at most 1048576' 'OPTIONS(END) PLUGIN(.settings_size = (size_t)-1)'
bad 'plugin [mine]: settings of 4294967296 bytes: must be at most 1048576' 'OPTIONS(END) PLUGIN(.settings_size = 1ul << 32)'

# The plugin's own texts and functions
for name in '""' '"my[layer]"' '"my layer"' '"mine\n"' "\"$(printf %065d 0)\""; do
    bad "the plugin's name is not one: must be lower-case letters, digits, _ and -" "OPTIONS(END) PLUGIN(.name = $name)"
done
bad 'plugin [mine]: its summary must be one line of at most 1000 bytes' 'OPTIONS(END) PLUGIN(.summary = "one\ntwo")'
bad 'plugin [mine]: its summary must be one line of at most 1000 bytes' \
    'OPTIONS(END) static char rows[5000] = { [0 ... 4998] = 120 }; PLUGIN(.summary = rows)'
bad 'plugin [mine] has role -1: this program knows 0 to 4' 'OPTIONS(END) PLUGIN(.role = -1)'
bad 'plugin [mine] must have forward and backward' 'OPTIONS(END) static const struct meta_layer_functions empty; PLUGIN(.layer = &empty)'
bad 'plugin [mine] must have shape, forward and backward' 'OPTIONS(END) PLUGIN(.role = META_ROLE_PAIRING)'
bad 'plugin [mine] must have value and weight' \
    'OPTIONS(END) static const struct meta_loss_functions half = { loss_value, NULL }; PLUGIN(.role = META_ROLE_META_LOSS, .loss = &half)'
bad 'plugin [mine] must have settings that begin with struct meta_episode_settings' \
    'OPTIONS(END) PLUGIN(.role = META_ROLE_EPISODE, .settings_size = 8)'
bad 'plugin [mine] must have settings that begin with struct meta_inner_settings' \
    'OPTIONS(END) PLUGIN(.role = META_ROLE_INNER_LOOP, .settings_size = 8)'

# The symbol, and the file that it is in
bad 'plugin ABI 2: this program speaks 5' 'OPTIONS(END) PLUGIN(.abi = 2)'
bad 'plugin ABI 4: this program speaks 5' 'OPTIONS(END) PLUGIN(.abi = 4)'
bad 'plugin ABI 0: this program speaks 5' 'OPTIONS(END) PLUGIN(.abi = 0)'
printf 'int meta_plugin(void) { return 4; }\n' >"$TMP_TEST/raw.c"
raw() { gcc -w -fPIC -shared -o "$p/a.so" "$TMP_TEST/raw.c"; expect_error "$(exactly "$p/a.so: $1")" "$DARKNET_BIN" meta help; }
raw 'is not a plugin: its meta_plugin is not a struct meta_plugin'
printf 'const char meta_plugin[2] = { 4 };\n' >"$TMP_TEST/raw.c"
raw 'is not a plugin: its meta_plugin is not a struct meta_plugin'
printf 'const int meta_plugin[2] = { 5 };\n' >"$TMP_TEST/raw.c"
raw "struct meta_plugin of 8 bytes: this program's has 96"
printf '_Thread_local int meta_plugin[30] = { 4 };\n' >"$TMP_TEST/raw.c"
raw 'is not a plugin: its meta_plugin is not a struct meta_plugin'
printf 'int missing(void); const int meta_plugin[22] = { 4 }; int call(void) { return missing(); }\n' >"$TMP_TEST/raw.c"
raw "can't load the plugin: undefined symbol: missing"
built "OPTIONS($A, END) PLUGIN()"
mv "$p/a.so" "$TMP_TEST/whole.so"
size=$(stat -c %s "$TMP_TEST/whole.so")
for cut in 1 1000 4096 8192 12288; do
    [ $cut -lt "$size" ] || continue
    head -c $cut "$TMP_TEST/whole.so" >"$p/a.so"
    expect_error "^darknet: $p/a.so: (is cut short: $cut bytes, and its header names more|can't load the plugin: file too short)\$" "$DARKNET_BIN" meta help
done
: >"$p/a.so"
expect_error "$(exactly "$p/a.so: can't load the plugin: file too short")" "$DARKNET_BIN" meta help
rm "$p/a.so"
mkfifo "$p/a.so"
expect_error "$(exactly "$p/a.so: is not a file: must be a shared object")" timeout 10 "$DARKNET_BIN" meta help
rm "$p/a.so"
mkdir "$p/a.so"
expect_error "$(exactly "$p/a.so: is not a file: must be a shared object")" "$DARKNET_BIN" meta help
rmdir "$p/a.so"
ln -s /nowhere "$p/a.so"
expect_error "$(exactly "$p/a.so: can't load the plugin: cannot open shared object file: No such file or directory")" "$DARKNET_BIN" meta help
rm "$p/a.so"
{ printf '\177ELF\001'; head -c 4000 /dev/zero; } >"$p/a.so"
expect_error "^darknet: $p/a.so: can't load the plugin: wrong ELF class: ELFCLASS32\$" "$DARKNET_BIN" meta help
rm "$p/a.so"

# What is unusual but right
good 'a default that its check works out' 'OPTIONS({ "a", META_INT, -1, 0, 9, NULL, AT(a), "" }, END) PLUGIN(.check = check)'
good 'no options and no settings' 'OPTIONS(END) PLUGIN(.settings_size = 0)'
good 'all types, unbounded numbers, no summary' 'OPTIONS({ "a", META_INT, 0, INT_MIN, INT_MAX, NULL, AT(a), "" },
    { "b", META_CHOICE, 1, 0, 0, "one|two", AT(b), "" }, { "real", META_REAL, 0, -INFINITY, INFINITY, NULL, AT(real), "" },
    { "note", META_TEXT, 0, 0, 0, NULL, AT(note), "é" }, { "list", META_REALS, 0, 0, INFINITY, NULL, AT(list), "" }, END) PLUGIN()'
