# An inner loop whose steps are a plugin's: checked, trained and adapted by; a slip in its adjoint is found; and what is refused.
. tests/lib.sh
. tests/toy.sh

t=$TMP_TEST/t
toy "$t"
# momentum FILE [LINE...]: the toy's .cfg with [momentum] and these options in place of [inner_loop]
momentum() { local to=$1; shift; sed "s/^\[inner_loop\]/[momentum]\n$(printf '%s\\n' "$@")/" "$t/toy.cfg" >"$to"; }
darknet() { "$DARKNET_BIN" meta "$@"; }
holds() { darknet check "$1" >"$t/table" || { cat "$t/table"; false; }; }

momentum "$t/net.cfg" momentum=.8 decay=.05
check 'meta check passes [momentum]' holds "$t/net.cfg"
check 'meta check holds the meta-gradient against differences' grep -Eq '^ *meta-gradient .*differences.* ok$' "$t/table"
for how in order=1 keep=1 multi_step=5; do
    sed "s/^order=2/order=2\n$how/; /^order=2/{N; s/order=2\norder/order/}" "$t/net.cfg" >"$t/x.cfg"
    check "meta check passes [momentum] with $how" holds "$t/x.cfg"
done
sed '/^\[dropout\]/i [film]\ncontext=3\n' "$t/toy.cfg" | sed 's/^\[inner_loop\]/[momentum]\nonly=film/' >"$t/film.cfg"
check 'meta check passes [momentum] with only=film' holds "$t/film.cfg"
check 'meta help explains [momentum]' sh -c "'$DARKNET_BIN' meta help momentum | grep -cE '^    (momentum|decay|only) ' | grep -qx 3"

check 'a network is trained with [momentum]' darknet train "$t/toy.data" "$t/net.cfg" -seed 3
check 'a network is trained with [inner_loop]' darknet train "$t/toy.data" "$t/toy.cfg" -seed 3
a=$t/backup/net-seed3_final.weights
sed 's/^test_steps=3/test_steps=7/' "$t/net.cfg" >"$t/more.cfg"
check 'a training with [momentum] goes on with other test_steps' darknet train "$t/toy.data" "$t/more.cfg" -name net-seed3 -seed 3 -max_batches 13 -resume
check 'the two learn different weights' sh -c "! cmp -s '$a' '$t/backup/toy-seed3_final.weights'"
check 'meta test runs with [momentum]' darknet test "$t/toy.data" "$t/net.cfg" "$a" -runs 2 -out "$t/a.json"
grep 'c[67]_[0-3].pgm' "$t/test.list" >"$t/few.list"
printf 'c6_\nc7_\n' >"$t/few.labels"
printf 'classes=2\nlabels=%s\nnames=%s\ntrain=%s\n' "$t/few.labels" "$t/few.labels" "$t/few.list" >"$t/few.data"
momentum "$t/none.cfg" momentum=0
for cfg in net none toy; do
    check "$cfg.cfg: meta adapt runs" darknet adapt "$t/few.data" "$t/$cfg.cfg" "$a" -out "$t/$cfg-out"
done
largest() { od -An -v -tf4 -w4 -j20 "$1" >"$t/one"; od -An -v -tf4 -w4 -j20 "$2" | paste "$t/one" - | awk '{ d = $1 - $2; if (d < 0) d = -d; d /= 1 + ($1 < 0 ? -$1 : $1); if (d > most) most = d } END { print (most > 1e-4) }'; }
check 'meta adapt takes the steps of [momentum]' test "$(largest "$t/net-out.weights" "$t/none-out.weights")" = 1
check 'those of momentum=0 are the plain ones, up to rounding' test "$(largest "$t/none-out.weights" "$t/toy-out.weights")" = 0

momentum "$t/x.cfg"
sed -i 's/^order=2/order=0/' "$t/x.cfg"
expect_error 'x.cfg:[0-9]+: \[momentum\] order=0: must be 1 to 2$' "$DARKNET_BIN" meta check "$t/x.cfg"
momentum "$t/x.cfg" rates=layer
expect_error 'x.cfg:[0-9]+: \[momentum\] rates: unknown option; allowed: steps ' "$DARKNET_BIN" meta check "$t/x.cfg"

momentum "$t/x.cfg" only=film
expect_error '^darknet: \[momentum\] moves no array of this network: its options must leave some of \[convolutional\] \[connected\]$' "$DARKNET_BIN" meta train "$t/toy.data" "$t/x.cfg" -name x
expect_output '^wrong +training +.*\[momentum\] moves no array of this network: its options must leave some of \[convolutional\] \[connected\]$' sh -c "'$DARKNET_BIN' meta doctor '$t/toy.data' '$t/x.cfg' -seconds .01 | cat"

# A copy under another name, changed
p=$TMP_TEST/p
mkdir "$p"
export DARKNET_PLUGIN_PATH=$p
changed()
{
    sed "s/\.name = \"momentum\"/.name = \"heavy\"/; $1" plugins/momentum/momentum.c >"$TMP_TEST/heavy.c"
    gcc -std=gnu11 -w -fPIC -shared -Iplugins -o "$p/heavy.so" "$TMP_TEST/heavy.c" || test_failed "the plugin is built: $1"
}
sed 's/^\[momentum\]/[heavy]/' "$t/net.cfg" >"$t/heavy.cfg"
# slip WHAT SED: meta check finds it
slip()
{
    changed "$2"
    check "$1: the plugin is changed" sh -c "! cmp -s '$TMP_TEST/heavy.c' '$TMP_TEST/same.c'"
    expect_error 'identities do not hold$' "$DARKNET_BIN" meta check "$t/heavy.cfg"
}
changed ''
cp "$TMP_TEST/heavy.c" "$TMP_TEST/same.c"
check 'a copy under another name passes meta check' holds "$t/heavy.cfg"
slip 'a memory that is forgotten on the way back' 's/memorybar\[i\] = s->momentum \* m/memorybar[i] = 0/'
slip 'a wrong adjoint of the gradient' 's/gradientbar\[i\] = m/gradientbar[i] = 1.01 * m/'
slip 'a decay that is forgotten on the way back' 's/phibar\[i\] \*= .*/phibar[i] *= 1;/'
# Beside a layer without tangents, with order=1, the adjoint of the steps can't be held against differences: the program's way back is.
sed '/\.forward_tangent = /d; /\.backward_tangent = /d; s/\.name = "prelu"/.name = "bent"/' plugins/prelu/prelu.c >"$TMP_TEST/bent.c"
check 'a layer without tangents is built' gcc -std=gnu11 -w -fPIC -shared -Iplugins -o "$p/bent.so" "$TMP_TEST/bent.c"
changed ''
for how in '' '\nmulti_step=5' '\nsteps=5'; do
    sed "/^order=/d; /^steps=2/d; s/^\[heavy\]/&\norder=1$how/; s/^\[maxpool\]/[bent]\n\n&/" "$t/heavy.cfg" >"$t/bent.cfg"
    check "meta check passes a rule beside a layer without tangents:${how#??}" holds "$t/bent.cfg"
    check 'it says whose steps it went back through' grep -Eq "^ *meta-gradient +meta-gradient = w grad L_query, back by the rule .* ok\$" "$t/table"
done

changed 's/memories, moves, step, back/memories, moves, step, NULL/'
expect_error 'heavy.so: plugin \[heavy\] must have step and back$' "$DARKNET_BIN" meta help
changed 's/return 1;/return 9;/'
expect_error 'the rule of the inner steps wants 9 vectors of memory: must be 0 to 8$' "$DARKNET_BIN" meta check "$t/heavy.cfg"
changed 's/META_INT, 2, 1, 2, NULL, OF(inner.order)/META_INT, 2, 0, 2, NULL, OF(inner.order)/'
sed 's/^order=2/order=0/' "$t/heavy.cfg" >"$t/x.cfg"
expect_error "x.cfg:[0-9]+: \[heavy\] order=0: Reptile adds up the gradients of plain steps, and these are of a plugin.s: must be 1 or 2$" "$DARKNET_BIN" meta check "$t/x.cfg"
changed 's/{ "keep", META_INT/{ "rates", META_INT, 0, 0, 2, NULL, OF(inner.rates), "" },\n    &/'
sed 's/^order=2/&\nrates=2/' "$t/heavy.cfg" >"$t/x.cfg"
expect_error "x.cfg:[0-9]+: \[heavy\] rates=parameter: rates are learned of plain steps, and these are of a plugin.s: must be fixed$" "$DARKNET_BIN" meta check "$t/x.cfg"

# A training goes on with the code that it began with
changed ''
heavy() { darknet train "$t/toy.data" "$t/heavy.cfg" -valid_every 0 -threads 1 "$@"; }
check 'a network is trained with the copy' heavy -max_batches 2
check 'a training goes on with the same plugin' heavy -max_batches 3 -resume
changed 's/gradientbar\[i\] = m/gradientbar[i] = 1.01 * m/'
other='plugin \[heavy\] is xxh3-128:[0-9a-f]{32}, but was xxh3-128:[0-9a-f]{32} in the checkpoint$'
expect_error "heavy.state: can.t resume: $other" heavy -max_batches 4 -resume
expect_error "heavy.state: can.t fork: $other" heavy -name fork -max_batches 4 -fork "$t/backup/heavy.state"
