# Every command but meta is the stock darknet's: arguments, output, exit status, signals.
. tests/lib.sh

stock=/usr/bin/darknet
library=$(libdarknet_of "$DARKNET_DIR/darknet")
[ ! -x "$(dirname "$library")/darknet" ] || stock=$(dirname "$library")/darknet

# A stand-in for the stock program that prints what it is given
cat >"$TMP_TEST/stand-in" <<'END'
#!/bin/bash
printf '<%s>' "$@"
printf 'to stderr %s\n' "$DARKNET_TEST" >&2
case ${1:-} in
    status) exit 37 ;;
    kill) kill -TERM $$ ;;
    read) cat ;;
esac
END
chmod +x "$TMP_TEST/stand-in"
ours=$DARKNET_BIN
real=$DARKNET_DIR/darknet           # without the wrapper of a checking tool, which has another argv[0]

handed() { DARKNET_STOCK=$TMP_TEST/stand-in "$ours" "$@"; }
check 'the stock program gets every argument as it is' test "$(handed a 'b  c' '' '*' -meta 'x"y' 2>/dev/null)" = '<a><b  c><><*><-meta><x"y>'
check 'the stock program gets meta as a later word' test "$(handed classifier meta 2>/dev/null)" = '<classifier><meta>'
check 'the stock program is run without an argument' test "$(handed 2>/dev/null)" = '<>'
check 'the stock program gets the environment and standard error' test "$(DARKNET_TEST='a b' handed x 2>&1 >/dev/null)" = 'to stderr a b'
check 'the stock program gets standard input' test "$(printf 'in\n' | handed read 2>/dev/null)" = '<read>in'
status=0; handed status >/dev/null 2>&1 || status=$?
check 'darknet ends with the exit status of the stock program' test $status -eq 37
status=0; ( handed kill >/dev/null 2>&1 ) 2>/dev/null || status=$?
check 'darknet dies by the signal of the stock program' test $status -eq 143

# The real stock program, word for word. argv[0] is part of what it prints.
if [ -x "$stock" ]; then
    printf '[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=4\nsize=3\n[avgpool]\n[softmax]\n' >"$TMP_TEST/x.cfg"
    same()
    {
        local expected=0 status=0
        (cd "$TMP_TEST" && mkdir -p a b && cd a && exec -a darknet "$stock" "$@") >"$TMP_TEST/out.a" 2>"$TMP_TEST/err.a" || expected=$?
        (cd "$TMP_TEST/b" && exec -a darknet "$real" "$@") >"$TMP_TEST/out.b" 2>"$TMP_TEST/err.b" || status=$?
        check "darknet $* prints what the stock program prints" cmp "$TMP_TEST/out.a" "$TMP_TEST/out.b"
        check "darknet $* writes to stderr what the stock program writes" cmp "$TMP_TEST/err.a" "$TMP_TEST/err.b"
        check "darknet $* exits with $expected and leaves files as the stock program does" \
            sh -c "[ $status -eq $expected ] && diff -r '$TMP_TEST/a' '$TMP_TEST/b'"
    }
    same
    same classifier
    same nosuchcommand
    same ops "$TMP_TEST/x.cfg"
    same partial "$TMP_TEST/x.cfg" "" out.weights 1
    same detector test nosuch.data nosuch.cfg
    check 'darknet partial writes its weights' test -s "$TMP_TEST/b/out.weights"

    # First in PATH and under the same name, our program still finds the stock one.
    ln -s "$real" "$TMP_TEST/darknet"
    check 'darknet finds the stock program when it is first in PATH itself' test "$(PATH=$TMP_TEST:$PATH darknet classifier 2>&1)" = "$(cd / && exec -a darknet "$stock" classifier 2>&1)"
else
    skip 'darknet beside the real stock program' "$stock is not there"
fi

# Our program never takes itself for the stock one, by whatever name.
ln -sf "$(readlink -f "$DARKNET_DIR/darknet")" "$TMP_TEST/link"
ln "$(readlink -f "$DARKNET_DIR/darknet")" "$TMP_TEST/hard" 2>/dev/null || ln -sf "$TMP_TEST/link" "$TMP_TEST/hard"
for name in link hard; do
    expect_error "^darknet: DARKNET_STOCK=$TMP_TEST/$name: must be the stock darknet$" \
        env DARKNET_STOCK="$TMP_TEST/$name" timeout 300 "$ours" classifier
done
expect_error '^darknet: DARKNET_STOCK=/nowhere: must be the stock darknet$' env DARKNET_STOCK=/nowhere "$ours" classifier
expect_error "^darknet: DARKNET_STOCK=$TMP_TEST: must be the stock darknet$" env DARKNET_STOCK="$TMP_TEST" "$ours" classifier
# A copy of our program hands over to itself no more than once.
cp "$(readlink -f "$DARKNET_DIR/darknet")" "$TMP_TEST/copy"
expect_error "^darknet: DARKNET_STOCK=$TMP_TEST/copy: must be the stock darknet$" \
    env DARKNET_STOCK="$TMP_TEST/copy" timeout 300 "$ours" classifier

# The verbs of meta
verbs='lists train pretrain test calibrate adapt predict evaluate features export compare table report grad check bench doctor stock version help'
expect_error "^darknet: meta: needs a verb: $verbs; -h explains them$" "$ours" meta
expect_error "^darknet: meta tarin: unknown verb; allowed: $verbs; -h explains them$" "$ours" meta tarin
expect_output '^usage: darknet meta VERB' "$ours" meta -h
[ "$TEST_VARIANT" = release ] || verbs='train help'                # the slow tools: one of each kind
for verb in $verbs; do
    expect_output "^usage: darknet meta $verb" "$ours" meta $verb -h
done
expect_output '^usage: darknet meta train' "$ours" meta train a b -seed 3 --help
expect_error '^darknet: usage: darknet meta train DATA CFG' "$ours" meta train only.data
expect_error '^darknet: usage: darknet meta train DATA CFG' "$ours" meta train a b c d
expect_error '^darknet: -sede: unknown flag; allowed: -seed -threads .* -h$' "$ours" meta train a b -sede 3
expect_error '^darknet: -seed: needs a value: -seed N$' "$ours" meta train a b -seed
expect_error '^darknet: -seed: given twice$' "$ours" meta train a b -seed 1 -seed 2
expect_error '^darknet: -clear: given twice$' "$ours" meta train a b -clear -clear
expect_error '^darknet: -seed 3x: must be a whole number, 0 to 18446744073709551615$' "$ours" meta train a b -seed 3x
expect_error '^darknet: -seed -1: must be a whole number, 0 to 18446744073709551615$' "$ours" meta train a b -seed -1
expect_error '^darknet: -seed 18446744073709551616: must be a whole number, 0 to 18446744073709551615$' "$ours" meta train a b -seed 18446744073709551616
expect_error '^darknet: a: No such file' "$ours" meta check a -seed 18446744073709551615
expect_error '^darknet: -threads 0: must be 1 to [0-9]+$' "$ours" meta train a -threads 0 b
expect_error '^darknet: -threads 99999999999999999999: must be 1 to [0-9]+$' "$ours" meta train a b -threads 99999999999999999999
expect_output '^    shots +whole +5 +1 +1000  support images a class' "$ours" meta help
expect_output '^    type +choice +difficulty .*difficulty\|mean' "$ours" meta options meta_loss
expect_error '^darknet: help yolo: is not a section' "$ours" meta help yolo
check 'meta help of one section prints that section alone' test "$("$ours" meta help soft | grep -c '^\[')" -eq 1
if [ -w /dev/full ]; then expect_error '^darknet: standard output: can.t write$' sh -c "'$ours' meta help >/dev/full"; fi
