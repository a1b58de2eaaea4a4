#!/bin/bash
# meta check passes sound networks, and finds each derivative that a plugin gets wrong.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a/plugins"
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
row() { grep -E "^ *($1) +$2" "$a/out"; }        # row LAYER TYPE: its lines of the table

cat >"$a/net.cfg" <<'END'
[net]
width=9
height=8
channels=3
max_batches=20

[episode]

[convolutional]
batch_normalize=1
filters=5
size=3
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
filters=17
size=3
stride=2
activation=logistic

[dropout]
probability=.3

[connected]
output=2
activation=linear

[softmax]

[inner_loop]
steps=3
order=2

[meta_loss]
eta=3
END
check 'meta check passes with order=2' quiet darknet meta check "$a/net.cfg"
check 'meta check writes nothing to standard error' test ! -s "$a/err"
check 'meta check prints layer, type, identity, error and limit' grep -Eq '^layer +type +identity +error +limit' "$a/out"
for layer in '0 convolutional' '0 batch_normalize\+leaky\+maxpool' '2 convolutional' '2 bias\+logistic' '3 dropout' '4 connected' '5 softmax'; do
    check "meta check has rows of layer $layer" row ${layer% *} "${layer#* }"
done
for text in '<u, forward_tangent\(v\)> = <backward\(u\), v>' 'forward_tangent = differences of forward' 'backward_tangent = differences of backward' \
            '<gradient, v> = differences of the loss' 'u\.Hv = v\.Hu' 'Hv = differences of the gradient' \
            '<meta-gradient, v> = differences of the meta-loss' 'weight = differences of the value' \
            "onednn +gradient = the reference's" "onednn +Hv = the reference's"; do
    check "meta check has $text" grep -Eq "$text" "$a/out"
done
check 'every row of meta check is ok' test "$(grep -c ' ok$' "$a/out")" -eq $(($(wc -l <"$a/out") - 2))
check 'meta check counts the identities that hold' grep -q "^$(grep -c ' ok$' "$a/out") identities hold$" "$a/out"
cp "$a/out" "$a/first"
check 'meta check passes a second time' quiet darknet meta check "$a/net.cfg"
check 'meta check prints the same figures a second time' cmp "$a/first" "$a/out"
check 'meta check passes with another seed' quiet darknet meta check "$a/net.cfg" -seed 7
check 'meta check prints other figures with another seed' test "$(cmp -s "$a/first" "$a/out"; echo $?)" -eq 1

sed 's/^order=2/order=1/' "$a/net.cfg" >"$a/first.cfg"
check 'meta check passes with order=1' quiet darknet meta check "$a/first.cfg"
check 'meta check holds the meta-gradient of order=1 against its definition' grep -q 'meta-gradient = w grad L_query(phi_S) .* ok$' "$a/out"
for order in 1 2; do
    sed "s/^order=2/order=$order\nadapt=head/" "$a/net.cfg" >"$a/head.cfg"
    check "meta check passes with adapt=head and order=$order" quiet darknet meta check "$a/head.cfg"
done
for order in 1 2; do
    sed "s/^order=2/order=$order\nmulti_step=100\nrates=layer/" "$a/net.cfg" >"$a/multi.cfg"
    check "meta check passes with multi_step and order=$order" quiet darknet meta check "$a/multi.cfg"
done
check 'meta check holds multi_step with order=2 against differences' grep -q '<meta-gradient, v> = differences of the meta-loss .* ok$' "$a/out"
sed 's/^order=2/order=0/' "$a/net.cfg" >"$a/reptile.cfg"
check 'meta check passes with order=0' quiet darknet meta check "$a/reptile.cfg"
check "meta check holds Reptile against the steps' gradients" grep -q "meta-gradient = w sum of the steps' gradients .* ok$" "$a/out"
for rates in layer parameter; do
    for order in 1 2; do
        sed "s/^order=2/order=$order\nrates=$rates/" "$a/net.cfg" >"$a/rates.cfg"
        sed "s/^order=2/order=$order\nrates=$rates\nhead=imprinted/" "$a/net.cfg" >"$a/imprinted.cfg"
        check "meta check passes with rates=$rates and order=$order from an imprinted head, which rates matter little to" quiet darknet meta check "$a/imprinted.cfg" -seed 7
        check "meta check passes with rates=$rates and order=$order" quiet darknet meta check "$a/rates.cfg"
        check "meta check has a row of rates=$rates and order=$order" grep -Eq '^ +rates +.* ok$' "$a/out"
    done
done
sed 's/^steps=3/steps=0/' "$a/net.cfg" >"$a/steps0.cfg"
check 'meta check passes with steps=0' quiet darknet meta check "$a/steps0.cfg"

expect_error 'usage: darknet meta check CFG' darknet meta check
expect_error 'nosuch\.cfg: ' darknet meta check "$a/nosuch.cfg"
expect_error '^darknet: -seed x: must be a whole number' darknet meta check "$a/net.cfg" -seed x
expect_error '^darknet: -threads: unknown flag; allowed: -seed -supervised -h' darknet meta check "$a/net.cfg" -threads 1

# ---- a classifier, which has no tasks ---------------------------------------------------------------

# The network is deep and normalises few numbers, so that rounding to float grows. What the
# reference backend makes of moved parameters says how far it may grow.
{
    printf '[net]\nbatch=4\nwidth=2\nheight=2\nchannels=3\n\n'
    for layer in 1 2 3 4 5 6 7 8 9 10 11 12; do
        printf '[convolutional]\nbatch_normalize=1\nfilters=8\nsize=1\nactivation=leaky\n\n'
        [ $layer -gt 1 ] || printf '[maxpool]\nsize=2\nstride=2\n\n'
    done
    printf '[connected]\noutput=4\nactivation=linear\n\n[softmax]\n'
} >"$a/classifier.cfg"
check 'meta check passes a .cfg without [episode], which has as many ways as outputs' quiet darknet meta check "$a/classifier.cfg"
check 'meta check -supervised passes a classifier' quiet darknet meta check "$a/classifier.cfg" -supervised
check 'meta check -supervised has no rows of tasks' test -z "$(grep 'meta-\|meta_loss' "$a/out")"
gradient() { awk "/onednn +gradient = the reference's/ { print (\$(NF-2) $1) }" "$a/out"; }
check 'the gradient of a deep classifier in float is more than 1e-4 from double' test "$(gradient '> 1e-4')" = 1
check 'the gradient of a deep classifier is within what rounded parameters do' test "$(gradient '<= $(NF-1)')" = 1
expect_error 'net\.cfg:[0-9]+: \[inner_loop\]: supervised training has no tasks: leave it out' darknet meta check "$a/net.cfg" -supervised

# ---- a plugin's layer, right and wrong ------------------------------------------------------------

# plugin [SED]: builds the template, changed by SED, as $a/plugins/swish.so
plugin()
{
    sed "${1:-}" plugins/template/template.c >"$a/swish.c"
    if [ -n "${1:-}" ] && cmp -s "$a/swish.c" plugins/template/template.c; then echo "not changed: $1"; return 1; fi
    ${CC:-cc} -shared -fPIC -O1 -Iplugins -o "$a/plugins/swish.so" "$a/swish.c" -lm
}
DARKNET_PLUGIN_PATH=$a/plugins${DARKNET_PLUGIN_PATH:+:$DARKNET_PLUGIN_PATH}
export DARKNET_PLUGIN_PATH
sed 's/^\[dropout\]/[swish]\nbeta=.8\n\n&/' "$a/net.cfg" >"$a/swish.cfg"

check 'the template plugin builds' plugin
check 'meta check passes the template plugin' quiet darknet meta check "$a/swish.cfg"
check 'meta check has three rows of the template plugin' test "$(row 3 swish | wc -l)" -eq 3

# broken WHAT SED ROWS...: checks that the plugin changed by SED fails, and fails in these rows
broken()
{
    local what=$1
    check "$what: the plugin builds" plugin "$2"
    expect_error 'swish\.cfg: [0-9]+ of [0-9]+ identities do not hold$' darknet meta check "$a/swish.cfg"
    darknet meta check "$a/swish.cfg" >"$a/out" 2>/dev/null
    shift 2
    for text; do check "$what: meta check fails in $text" grep -Eq "^ *3 +swish +$text.* FAILED$" "$a/out"; done
    check "$what: no other layer fails" test -z "$(grep 'FAILED$' "$a/out" | grep -E '^ *[0-9]' | grep -v swish)"
}
broken 'a wrong backward' 's/xbar\[i\] = ybar\[i\] \* f\.x;/xbar[i] = ybar[i] * (f.x + 1e-4);/' \
    '<u, forward_tangent\(v\)> = <backward\(u\), v>'
check 'a wrong backward: the gradient of the network fails' grep -Eq '^ *network +<gradient, v> = differences of the loss .* FAILED$' "$a/out"
check 'a wrong backward: the meta-gradient fails' grep -Eq '^ *meta-gradient .* FAILED$' "$a/out"
broken 'a wrong forward_tangent' 's/y\.dot\[i\] = f\.x/y.dot[i] = 1.0001 * f.x/' \
    '<u, forward_tangent\(v\)> = <backward\(u\), v>' 'forward_tangent = differences of forward'
broken 'a wrong backward_tangent' 's/(f\.x_x \* xdot/(1.01 * f.x_x * xdot/' 'backward_tangent = differences of backward'
check 'a wrong backward_tangent: Hv fails' grep -Eq '^ *network +Hv = differences of the gradient .* FAILED$' "$a/out"
check 'a wrong backward_tangent: the symmetry of Hv, which does not show it, holds' grep -Eq '^ *network +u\.Hv = v\.Hu .* ok$' "$a/out"
broken 'a backward that gives NaN' 's/xbar\[i\] = ybar\[i\] \* f\.x;/xbar[i] = NAN;/' '<u, forward_tangent\(v\)> = <backward\(u\), v>'

# A plugin without tangents serves order 1 alone, and its backward is held against differences of
# forward.
none='/^    \.\(forward\|backward\)_tangent = /d'
check 'no tangents: the plugin builds' plugin "$none"
expect_error 'swish\.cfg:[0-9]+: \[swish\]: .*tangents.*order=2' darknet meta check "$a/swish.cfg"
sed 's/^order=2/order=1/' "$a/swish.cfg" >"$a/swish1.cfg"
check 'no tangents: meta check passes with order=1' quiet darknet meta check "$a/swish1.cfg"
check 'no tangents: backward is held against differences of forward' row 3 'swish +<u, differences of forward> = <backward\(u\), v>'
check 'no tangents: there is no row of Hv' test -z "$(grep 'Hv' "$a/out")"
check 'no tangents: a plugin with a wrong backward builds' plugin "$none; s/xbar\[i\] = ybar\[i\] /&* 1.0001 /"
expect_error 'swish1\.cfg: [0-9]+ of [0-9]+ identities do not hold$' darknet meta check "$a/swish1.cfg"
