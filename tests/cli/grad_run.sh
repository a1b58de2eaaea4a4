#!/bin/bash
# meta grad: what it writes and what it leaves alone. tests/unit/test_oracle_command.c checks the
# gradient itself.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a"
oracle=tests/oracle/order2 data=tests/oracle/oracle.data
gunzip -c $oracle/initial.weights.gz >"$a/w.weights"
grad() { "$DARKNET_BIN" meta grad $data "${cfg:-$oracle/net.cfg}" "$a/w.weights" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
field() { sed -n "s/.*\"$1\": \([^,}]*\).*/\1/p" "$a/out"; }

check 'meta grad writes a gradient' quiet grad -episode $oracle/episode.txt -out "$a/g.weights"
check 'meta grad prints one line' test "$(wc -l <"$a/out")" -eq 1
check 'meta grad writes nothing to standard error' test ! -s "$a/err"
check 'the gradient file is as large as the weights' test "$(stat -c %s "$a/g.weights")" -eq "$(stat -c %s "$a/w.weights")"
check 'the header of the gradient file is 0 2, a revision that says what it is, and 8 bytes of seen' test "$(od -An -tx1 -N20 "$a/g.weights" | tr -d ' \n')" = 00000000020000000000474d0000000000000000
check 'meta grad writes no other file' test "$(ls "$a" | tr '\n' ' ')" = 'err g.weights out w.weights '
cp "$a/out" "$a/first"

check 'meta grad runs a second time' quiet grad -episode $oracle/episode.txt -out "$a/again.weights"
check 'meta grad writes the same bytes a second time' cmp "$a/g.weights" "$a/again.weights"
check 'meta grad prints the same line a second time' cmp "$a/first" "$a/out"

# A gradient has the form of weights, and is taken for none
is='g.weights: is a gradient that .meta grad. wrote, no weights$'
expect_error "^darknet: .*/$is" "$DARKNET_BIN" meta grad $data $oracle/net.cfg "$a/g.weights" -episode $oracle/episode.txt -out "$a/refused.weights"
mkdir -p "$TMP_TEST/folder/one" "$TMP_TEST/folder/two"
cp tests/oracle/images/rgb_class0_00.png "$TMP_TEST/folder/one"
cp tests/oracle/images/rgb_class1_00.png "$TMP_TEST/folder/two"
expect_error "^darknet: .*/$is" "$DARKNET_BIN" meta adapt "$TMP_TEST/folder" $oracle/net.cfg "$a/g.weights" -out "$a/refused"
check 'of a refused gradient nothing is written' test "$(ls "$a" | grep -c '^refused')" -eq 0

# max_batches=300 is the default iteration
check 'meta grad -iteration 300 runs' quiet grad -episode $oracle/episode.txt -out "$a/again.weights" -iteration 300
check 'meta grad takes the iteration from max_batches by default' cmp "$a/first" "$a/out"
sed 's/^start=.*/start=200/' $oracle/net.cfg >"$a/start.cfg"
cfg=$a/start.cfg
check 'meta grad of an iteration before start runs' quiet grad -episode $oracle/episode.txt -out "$a/mean.weights" -iteration 199
check 'before start the weight is 1' test "$(field weight)" = 1
check 'before start the meta-loss is the query loss' test "$(field meta_loss)" = "$(field query_loss)"
check 'meta grad of iteration start runs' quiet grad -episode $oracle/episode.txt -out "$a/again.weights" -iteration 200
check 'from start on the losses are the difficulty-aware ones' cmp "$a/first" "$a/out"
check 'from start on the gradient is the difficulty-aware one' cmp "$a/g.weights" "$a/again.weights"
sed 's/^type=.*/&\nnormalise=1/' $oracle/net.cfg >"$a/normalise.cfg"
cfg=$a/normalise.cfg
check 'meta grad runs with normalise=1' quiet grad -episode $oracle/episode.txt -out "$a/again.weights"
check 'divided by its mean, the weight of a task alone is 1' test "$(field weight)" = 1
check 'and the meta-loss is the difficulty-aware one' test "$(field meta_loss)" = "$(sed -n 's/.*"meta_loss": \([^,}]*\).*/\1/p' "$a/first")"
check 'and the gradient is that of the query loss' cmp "$a/again.weights" "$a/mean.weights"
# With earlier steps in the loss it is that loss which is weighed
for how in start normalise; do sed 's/^order=.*/&\nmulti_step=1000/' "$a/$how.cfg" >"$a/steps-$how.cfg"; done
cfg=$a/steps-start.cfg
check 'meta grad runs with multi_step' quiet grad -episode $oracle/episode.txt -out "$a/again.weights" -iteration 250
weighed=$(field meta_loss)
cfg=$a/steps-normalise.cfg
check 'meta grad runs with multi_step and normalise=1' quiet grad -episode $oracle/episode.txt -out "$a/again.weights" -iteration 250
check 'normalise=1 changes no meta-loss with multi_step either' test "$(field meta_loss)" = "$weighed"
cfg=

# Blank lines, comments, CRLF, blanks around words, a last line without an end
{
    printf '# a task\r\n\r\n'
    sed 's/ / \t /g; s/$/  \r/' $oracle/episode.txt | sed '3s/.*/&\n   # between/'
} | head -c -2 >"$a/crlf.txt"
check 'meta grad runs a task file with CRLF, comments and blank lines' quiet grad -episode "$a/crlf.txt" -out "$a/again.weights"
check 'CRLF, comments and blank lines of a task file change nothing' cmp "$a/first" "$a/out"
{ grep query $oracle/episode.txt; grep support $oracle/episode.txt; } >"$a/order.txt"
check 'meta grad runs a task file with query before support' quiet grad -episode "$a/order.txt" -out "$a/again.weights"
check 'the order of support and query in a task file changes nothing' cmp "$a/first" "$a/out"
mkdir -p "$a/with space"
cp tests/oracle/images/rgb_class0_00.png "$a/with space/a # b.png"
{ echo "support 0 $a/with space/a # b.png"; sed 1d $oracle/episode.txt; } >"$a/space.txt"
check 'meta grad runs a task file with blanks and a # in a path' quiet grad -episode "$a/space.txt" -out "$a/again.weights"
check 'a path with blanks and a # in a task file is one path' cmp "$a/first" "$a/out"

# With one image on each side and no step, the gradient is that of one image's loss.
printf '%s\n' "support 0 tests/oracle/images/rgb_class0_00.png" "query 1 tests/oracle/images/rgb_class1_00.png" >"$a/two.txt"
sed 's/^steps=.*/steps=0/' $oracle/net.cfg >"$a/steps0.cfg"
cfg=$a/steps0.cfg
check 'meta grad runs with one image a side and no step' quiet grad -episode "$a/two.txt" -out "$a/two.weights"
check 'meta grad prints no support loss where there is no step' grep -q '^{"support_loss": \[\], "query_loss": [0-9.e+-]*, "meta_loss": [0-9.e+-]*, "weight": [0-9.e+-]*}$' "$a/out"
cfg=

# -backend onednn agrees with the default backend.
check 'meta grad -backend onednn runs' quiet grad -episode $oracle/episode.txt -out "$a/again.weights" -backend onednn
check 'the query loss of onednn is that of the default to some digits' test "$(field query_loss | cut -c1-6)" = "$(sed -n 's/.*"query_loss": \(......\).*/\1/p' "$a/first")"

# META_MAX_ISA holds oneDNN, too: with its own limit below it the bits are the same
limited() { META_MAX_ISA=base quiet grad -episode $oracle/episode.txt -backend onednn -kernels onednn -out "$a/$1.weights"; }
both() { DNNL_MAX_CPU_ISA=SSE41 limited both; }
check 'meta grad runs with META_MAX_ISA=base' limited limited
check 'and with a limit of oneDNN as low' both
check 'which changes no bit' cmp "$a/limited.weights" "$a/both.weights"

cp "$a/w.weights" "$a/other.weights"
expect_error '^darknet: -out .*/other.weights: is there and is not of meta grad: must be another name$' grad -episode $oracle/episode.txt -out "$a/other.weights"
check 'meta grad leaves weights of something else as they are' cmp "$a/w.weights" "$a/other.weights"
# meta grad does not open the lists of DATA, so that a missing one is no error.
{ cat $data; echo "train=$a/nosuch.list"; echo "test=$a/nosuch.list"; } >"$a/lists.data"
check 'meta grad does not open the lists of DATA' "$DARKNET_BIN" meta grad "$a/lists.data" $oracle/net.cfg "$a/w.weights" -episode $oracle/episode.txt -out "$a/again.weights"
check 'meta grad -h runs' quiet "$DARKNET_BIN" meta grad -h
check 'meta grad -h names every flag' test "$(grep -cE '^ +-(episode FILE|out FILE.weights|iteration N|backend NAME|h) ' "$a/out")" -eq 5
