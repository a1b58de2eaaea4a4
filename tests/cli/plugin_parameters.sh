# Plugins' layers that have parameters: trained, resumed, stored, tested; what may be wrong with their arrays; and what reads no such file.
. tests/lib.sh
. tests/toy.sh

t=$TMP_TEST/t
toy "$t"
layers='/^\[dropout\]/i [affine]\nscale=.9\n\n[prelu]\nslope=.2\n\n[film]\ncontext=3\n'
sed "$layers" "$t/toy.cfg" >"$t/net.cfg"
darknet() { "$DARKNET_BIN" meta "$@"; }

check 'meta check passes [affine], [prelu] and [film]' sh -c "'$DARKNET_BIN' meta check '$t/net.cfg' >'$t/table'"
check 'each of the three layers has its rows in meta check' test "$(grep -cE '^ +[234] +(affine|prelu|film) +.* ok$' "$t/table")" -eq 12
check 'one of them says that it is exported as what it is' test "$(grep -cE '^ +[234] +(affine|prelu|film) +exported as stock sections = the layer .* ok$' "$t/table")" -eq 3
check 'meta help explains [affine], [prelu] and [film]' sh -c "'$DARKNET_BIN' meta help affine prelu film | grep -cE '^    (scale|slope|shared|context) ' | grep -qx 4"

# 4*1*9+4*3 numbers of [convolutional] and 16 of its statistics... then 4+4, 4, 3+8*3, and 2+2*144 of [connected]
check 'a network with them is trained' darknet train "$t/toy.data" "$t/net.cfg" -seed 3
check 'its .weights have the arrays behind those of the layer before' test "$(stat -c %s "$t/backup/net-seed3_final.weights")" -eq \
    $((20 + 4 * (4 * 4 + 36 + 8 + 4 + 27 + 2 + 2 * 4 * 36)))
# part FILE FROM COUNT: numbers of a .weights file
part() { tail -c +$((21 + 4 * $2)) "$1" | head -c $((4 * $3)) | od -An -v -tf4 -w4; }
f=$t/backup/net-seed3_final.weights
check 'the scales of [affine] have moved from where they began, .9' sh -c "[ \"$(part "$f" 52 4 | awk '{ s += ($1 != .9 && $1 > .7 && $1 < 1.1) } END { print s }')\" = 4 ]"
check 'the slopes of [prelu] have moved from where they began, .2' sh -c "[ \"$(part "$f" 60 4 | awk '{ s += ($1 != .2 && $1 > 0 && $1 < .4) } END { print s }')\" = 4 ]"

# A run that stops and goes on has the same bits.
toy_twin "$t" "$TMP_TEST/twin"
check 'a training stops after 5 iterations' darknet train "$TMP_TEST/twin/toy.data" "$t/net.cfg" -seed 3 -max_batches 5
check 'and goes on' darknet train "$TMP_TEST/twin/toy.data" "$t/net.cfg" -seed 3 -resume
check 'a training that goes on has the same bits' cmp "$f" "$TMP_TEST/twin/backup/net-seed3_final.weights"
check 'meta test runs with them' darknet test "$t/toy.data" "$t/net.cfg" "$f" -runs 3 -out "$t/a.json"

# The inner steps leave held arrays as they are: Reptile would never learn them.
sed 's/^order=2/order=0/' "$t/net.cfg" >"$t/x.cfg"
expect_error "x.cfg:[0-9]+: \[film\]: inner steps leave its weights as they are, and with order=0 they would never learn; allowed: order=1, order=2$" \
    "$DARKNET_BIN" meta check "$t/x.cfg"
for how in rates=layer rates=parameter adapt=head order=1; do
    sed "s/^order=2/order=2\n$how/; /^order=2/{N; s/order=2\norder/order/}" "$t/net.cfg" >"$t/x.cfg"
    check "meta check passes them with $how" sh -c "'$DARKNET_BIN' meta check '$t/x.cfg' >'$t/table' || { cat '$t/table'; false; }"
done

# Exported as Darknet's own sections, in place of what no Darknet knows
grep 'c[67]_[0-3].pgm' "$t/test.list" >"$t/few.list"
grep 'c[67]_' "$t/test.list" >"$t/all.list"
printf 'c6_\nc7_\n' >"$t/few.labels"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\nvalid=%s\n' "$t/few.labels" "$t/few.labels" "$t/few.list" "$t/all.list" >"$t/few.data"
adapt() { "$DARKNET_BIN" meta adapt "$t/few.data" "$1" "$2" -out "$t/$3" "${@:4}"; }
# near A B: lines of two probabilities that differ by at most 1e-5
near() { paste -d ' ' "$1" "$2" | awk 'NF != 4 { bad = 1 } { for (k = 1; k <= 2; k++) { d = $k - $(k + 2); if (d < -1e-5 || d > 1e-5) bad = 1 } }
    END { exit bad || NR != 32 }'; }
answers() { darknet predict "$1" "$2" "$t/few.data" "$t/all.list" -csv "${@:3}" | tail -n +2 | awk -F, '{ print $3, $4 }'; }
check 'a network with [affine], [prelu] and [film] is adapted and exported' adapt "$t/net.cfg" "$f" out
check 'nothing of a plugin is in the exported .cfg' test "$(grep -cE 'affine|prelu|film|episode' "$t/out.cfg")" = 0
answers "$t/out.cfg" "$t/out.weights" >"$t/ours"
"$DARKNET_BIN" classifier valid "$t/few.data" "$t/out.cfg" "$t/out.weights" 2>/dev/null | awk -F', *' -v of="$t" 'index($0, of) == 1 { print $3, $4 }' >"$t/theirs"
check 'the stock program gives the probabilities that meta predict gives for it' near "$t/ours" "$t/theirs"
check 'and answers differ from image to image' test "$(sort -u "$t/ours" | wc -l)" -gt 20
check 'a network is exported as it is' adapt "$t/net.cfg" "$f" same -steps 0 -bn running
answers "$t/net.cfg" "$f" -raw >"$t/ours"
answers "$t/same.cfg" "$t/same.weights" >"$t/theirs"
check 'the exported network gives the probabilities of the one with [affine], [prelu] and [film]' near "$t/ours" "$t/theirs"
# As the first layer, where no [route] reaches the input itself
sed '0,/^\[convolutional\]/s//[prelu]\nslope=.2\n\n&/' "$t/toy.cfg" >"$t/first.cfg"
f=$t/backup/first-seed3_final.weights
check 'a network that begins with [prelu] is trained' darknet train "$t/toy.data" "$t/first.cfg" -seed 3 -max_batches 3
check 'and exported as it is' adapt "$t/first.cfg" "$f" begin -steps 0 -bn running
answers "$t/first.cfg" "$f" -raw >"$t/ours"
answers "$t/begin.cfg" "$t/begin.weights" >"$t/theirs"
check 'the exported network gives the probabilities of the one that begins with [prelu]' near "$t/ours" "$t/theirs"

# A layer of a plugin that has no such form is refused before anything is learned, in one line.
cp -r plugins/template "$TMP_TEST/swish"
check 'the template plugin is built' make -s -C "$TMP_TEST/swish" PLUGIN_H="$PWD/plugins"
sed '/^\[dropout\]/i [swish]\n' "$t/toy.cfg" >"$t/swish.cfg"
export DARKNET_PLUGIN_PATH=$TMP_TEST/swish
check 'a network with the template is trained' darknet train "$t/toy.data" "$t/swish.cfg" -seed 3 -max_batches 1
expect_error "swish.cfg:[0-9]+: \[swish\]: has no form in Darknet's own sections: can't be exported$" \
    "$DARKNET_BIN" meta adapt "$t/few.data" "$t/swish.cfg" "$t/backup/swish-seed3_final.weights" -out "$t/none"
check 'nothing was printed before, nor written' test ! -e "$t/none.cfg" -a ! -e "$t/none.weights" -a \
    -z "$("$DARKNET_BIN" meta adapt "$t/few.data" "$t/swish.cfg" "$t/backup/swish-seed3_final.weights" -out "$t/none" 2>/dev/null)"
# exported_by BODY: builds the template with a function `stock` of that body
exported_by()
{
    rm -rf "$TMP_TEST/swish"
    cp -r plugins/template "$TMP_TEST/swish"
    sed -i "s|^static const struct meta_layer_functions|static int stock(const void *settings, struct meta_shape in, const double *theta, struct meta_writer *w, struct meta_error *error) { $1 }\n&|
        s|^    .arrays = arrays,|&\n    .stock = stock,|" "$TMP_TEST/swish/template.c"
    make -s -C "$TMP_TEST/swish" PLUGIN_H="$PWD/plugins" || test_failed "the plugin is built: $1"
}
# stock MESSAGE BODY: an export by that body is refused
stock()
{
    exported_by "$2"
    expect_error "swish.cfg:[0-9]+: \[$1$" "$DARKNET_BIN" meta adapt "$t/few.data" "$t/swish.cfg" "$t/backup/swish-seed3_final.weights" -out "$t/none"
}
# told MESSAGE BODY: what meta check says of it
told()
{
    exported_by "$2"
    "$DARKNET_BIN" meta check "$t/swish.cfg" >"$t/table" 2>"$t/err"
    echo $? >"$t/status"
    check "meta check: $1" grep -qE "$1" "$t/table" || cat "$t/table" "$t/err"
}
ones='for (int k = 0; k < in.c; k++) w->scratch[k] = 1;'
told ' 2  swish +exported as stock sections = the layer  .*FAILED$' "$ones return w->affine(w, w->scratch, NULL, \"linear\", error);"
check 'meta check of a plugin that is exported as another layer ends with 1, and says how many do not hold' \
    sh -c "test \$(cat '$t/status') -eq 1 && grep -q 'swish.cfg: 1 of [0-9]* identities do not hold' '$t/err'"
told 'identities hold$' 'return meta_fail(error, \"no form for so few images\");'
check 'meta check says nothing of the export of one that refuses it' sh -c "test \$(cat '$t/status') -eq 0 && ! grep -q 'exported as' '$t/table'"
stock 'swish\]: no form for so few images' 'return meta_fail(error, "no form for so few images");'
stock 'swish\]: the plugin refuses to be exported and does not say why' 'return -1;'
stock 'swish\]: its sections give 6x6x4: must be 6x6x4, by at least one section' 'return 0;'
stock 'swish\]: writes \[yolo\]: must be a layer of Darknet.s own' 'return w->section(w, "yolo", "", NULL, 0, error);'
stock 'swish\]: writes \[maxpool\] with "size": must be options with blanks between them' 'return w->section(w, "maxpool", "size", NULL, 0, error);'
stock 'maxpool\] size=0: must be 1 to .*' 'return w->section(w, "maxpool", "size=0", NULL, 0, error);'
stock 'swish\]: its sections give 3x3x4: must be 6x6x4, by at least one section' 'return w->section(w, "maxpool", "size=2 stride=2 padding=0", NULL, 0, error);'
stock 'swish\]: writes \[convolutional\] with 2 numbers: must be 20' \
    'const float x[2] = { 0 }; return w->section(w, "convolutional", "filters=4 size=1", x, 2, error);'
unset DARKNET_PLUGIN_PATH

# Arrays that can't be right
p=$TMP_TEST/p
mkdir "$p"
# arrays MESSAGE TEXT [MEMBERS]: a layer whose arrays are those of the text, and has these members more, is refused
arrays()
{
    cat >"$TMP_TEST/a.c" <<END_C
#include <math.h>
#include "plugin.h"
static const struct meta_option options[] = { { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };
static int shape(const void *s, struct meta_shape in, struct meta_shape *out, struct meta_error *error) { *out = in; return 0; }
static void pass(const void *s, const struct meta_call *c) {}
static int arrays(const void *s, struct meta_shape in, struct meta_array *a, struct meta_error *error) { $2 }
static const struct meta_layer_functions layer = { .shape = shape, .forward = pass, .backward = pass, .arrays = arrays $3 };
const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI, .size = sizeof(struct meta_plugin), .name = "mine", .role = META_ROLE_LAYER,
    .options = options, .layer = &layer };
END_C
    gcc -std=gnu11 -w -fPIC -shared -Iplugins -o "$p/a.so" "$TMP_TEST/a.c" || test_failed "the plugin is built: $2"
    expect_error "x.cfg:[0-9]+: \[mine\]: $1$" env DARKNET_PLUGIN_PATH="$p" "$DARKNET_BIN" meta check "$t/x.cfg"
}
sed '/^\[dropout\]/i [mine]\n' "$t/toy.cfg" | sed 's/^order=2/order=1/' >"$t/x.cfg"
one='a[0] = (struct meta_array){ "a", 1 };'
# A number of multiply-adds that is none
adds() { arrays "the plugin's multiply-adds are $1: must be a number from 0" "a[0] = (struct meta_array){ \"a\", 1 }; return 1; } static double adds(const void *s, struct meta_shape in) { return $2;" ", .multiply_adds = adds"; }
adds -?nan NAN
adds inf INFINITY
adds -1 -1
arrays 'no such input' 'return meta_fail(error, "no such input");'
arrays 'the plugin refuses its input and does not say why' 'return -1;'
arrays 'the plugin has 9 arrays of parameters: must be at most 8' 'return 9;'
arrays "the plugin's array 1 of parameters: its name must be lower-case letters, digits, _ and -" 'return 1;'
arrays "the plugin's array 2 of parameters: another array has the same name" "$one a[1] = a[0]; return 2;"
arrays "the plugin's array 1 of parameters: it is empty" "$one a[0].count = 0; return 1;"
arrays "the plugin's array 2 of parameters: the arrays have too many numbers" "$one a[1] = (struct meta_array){ \"b\", (size_t)-1 }; return 2;"
arrays "the plugin's array 1 of parameters: its begin is unknown" "$one a[0].begin = 9; return 1;"
arrays "the plugin's array 1 of parameters: the value that it begins with is no number of a float" "$one a[0].value = 1e39; return 1;"
arrays "the plugin's array 1 of parameters: the value that it begins with is no number of a float" "$one a[0].value = NAN; return 1;"
