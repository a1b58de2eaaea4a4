# The template plugin, built out of tree by its own Makefile and used in a .cfg, as its numbered steps say.
. tests/lib.sh

cp -r plugins/template "$TMP_TEST/swish"
mkdir "$TMP_TEST/my plugins" && cp -r plugins/template "$TMP_TEST/my plugins/swish"
check 'it is built under a folder with a blank in its name' make -s -C "$TMP_TEST/my plugins/swish" PLUGIN_H="$PWD/plugins"
check 'under its own name' test -s "$TMP_TEST/my plugins/swish/swish.so"
check 'the template plugin is built out of tree' make -s -C "$TMP_TEST/swish" PLUGIN_H="$PWD/plugins" CFLAGS=-Werror
cfg=$TMP_TEST/x.cfg
cat >"$cfg" <<'END'
[net]
width=6
height=6
channels=1
[convolutional]
filters=2
size=3
activation=linear
[swish]
beta=1.5
[connected]
output=2
activation=linear
[softmax]
END
expect_error '^darknet: [^ ]*:9: \[swish\]: unknown section; known: ' "$DARKNET_BIN" meta check "$cfg"
export DARKNET_PLUGIN_PATH=$TMP_TEST/swish
check "meta check passes a .cfg with the template's layer" sh -c "'$DARKNET_BIN' meta check '$cfg' >'$TMP_TEST/table'"
check "all identities of a network with the template's layer hold" grep -q 'identities hold$' "$TMP_TEST/table"
check "meta check has a row of the template's layer" grep -Eq '^ +1 +swish +.* ok$' "$TMP_TEST/table"
check 'meta help explains the section of the template' sh -c "'$DARKNET_BIN' meta help swish >'$TMP_TEST/help'"
check "meta help has the header of the template's section" grep -q '^\[swish\]  x \* sigmoid(beta x), with a learned beta' "$TMP_TEST/help"
check "meta help has type and bounds of the template's option" grep -Eq '^    beta +number +1 +0 +100 ' "$TMP_TEST/help"
sed 's/beta=1.5/beta=101/' "$cfg" >"$TMP_TEST/bad.cfg"
expect_error '^darknet: [^ ]*:10: \[swish\] beta=101: must be 0 to 100$' "$DARKNET_BIN" meta check "$TMP_TEST/bad.cfg"
sed 's/beta=1.5/bete=1/' "$cfg" >"$TMP_TEST/bad.cfg"
expect_error '^darknet: [^ ]*:10: \[swish\] bete: unknown option; allowed: beta$' "$DARKNET_BIN" meta check "$TMP_TEST/bad.cfg"
sed '/softmax/d' "$cfg" >"$TMP_TEST/bad.cfg"
printf '[inner_loop]\n[swish]\n' >>"$TMP_TEST/bad.cfg"
expect_error ': \[swish\]: stands after \[inner_loop\] of line 14: must be between \[net\] and \[inner_loop\]$' \
    "$DARKNET_BIN" meta check "$TMP_TEST/bad.cfg"

# Step 9 finds a slip in any of the four functions. The slow tools run the first slip alone.
slip()
{
    [ "$TEST_VARIANT" = release ] || [ ! -d "$TMP_TEST/slip" ] || return 0
    rm -rf "$TMP_TEST/slip"
    cp -r plugins/template "$TMP_TEST/slip"
    sed -i "$2" "$TMP_TEST/slip/template.c"
    check "$1: the template is changed" sh -c "! cmp -s plugins/template/template.c '$TMP_TEST/slip/template.c'"
    check "$1: the changed template is built" make -s -C "$TMP_TEST/slip" PLUGIN_H="$PWD/plugins"
    expect_error 'identities do not hold$' env DARKNET_PLUGIN_PATH="$TMP_TEST/slip" "$DARKNET_BIN" meta check "$cfg"
}
slip 'a wrong slope' 's/s + z \* s1, x/s + .99 * z * s1, x/'
slip 'a wrong second derivative' 's/2 \* s1 + z \* s2/s1 + z * s2/'
slip 'a wrong backward' 's/xbar\[i\] = ybar\[i\] \* /xbar[i] = 1.01 * ybar[i] * /'
slip 'a forgotten term' 's/ + f.x_beta \* betadot);/);/'
slip 'a wrong derivative by the parameters' 's/betabar += ybar/betabar += 1.01 * ybar/'
slip 'a parameter that has no part in the tangent' 's/ + f\.beta \* betadot\[k\]//'
slip 'a second derivative by the parameters' 's/x \* x \* x \* s2/x * x * s2/'

# Results of a table are those of the plugin that is there
. tests/toy.sh
t=$TMP_TEST/t
toy "$t"
sed -i 's/^max_batches=12/max_batches=2/; s/^\[maxpool\]/[swish]\n\n&/' "$t/toy.cfg"
printf '[table]\nname=T\ndata=%s\nruns=6\nfirst=2\nvalid_every=0\n\n[row]\nlabel=One\ncfg=%s\nshots=2\n' "$t/toy.data" "$t/toy.cfg" >"$t/x.table"
table() { "$DARKNET_BIN" meta table "$t/x.table" -out "$t/out" "$@" >"$t/said"; }
DARKNET_PLUGIN_PATH=$TMP_TEST/swish
check "meta table trains with the template's layer" table
check 'the keys name its plugin, and none of the project' test "$(tr -d ' \t\n' <"$t/out/x-one-2.json" | grep -o 'plugin\[[a-z_]*\]' | sort -u)" = 'plugin[swish]'
check 'a second run has nothing to do' table
check 'that takes two lines' test "$(wc -l <"$t/said")" -eq 2
DARKNET_PLUGIN_PATH=$TMP_TEST/slip # of another digest
check 'meta table reads its results with a changed plugin' table -dry
check 'what was made with another plugin is run again' grep -Eq '^One .*again: plugin \[swish\] is [^ ]*, but was ' "$t/said"
