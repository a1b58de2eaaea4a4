#!/bin/bash
# A training run: its files, its lines, its seed and threads, and what it refuses.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a b=$TMP_TEST/b
toy "$a"
toy "$b"
data=$a/toy.data cfg=$a/toy.cfg out=$a/backup
darknet() { "$DARKNET_BIN" "$@"; }
ends_with() { [ "$(tail -c 1 "$1" | od -An -c | tr -d ' ')" = '\n' ]; }

check 'meta train trains' train "$a" -seed 3 -threads 1 -valid_every 5 -valid_runs 6
check 'meta train prints a line an iteration' test "$(grep -cE '^[0-9]+: -?[0-9.]+ meta-loss, [0-9.]+ query loss, [0-9.]+% accuracy, [0-9.]+ rate, [0-9.]+ seconds, [0-9.]+ (s|min|h) left$' "$a/out")" -eq 12
check 'meta train prints the valid AUC every 5 iterations and at the end' \
    test "$(grep -cE '^(5|10|12): 0?[01]?\.[0-9]+ valid AUC, 95% interval -?[0-9.]+ to [0-9.]+, 6 tasks' "$a/out")" -eq 3
check 'meta train prints its time and memory' grep -Eq '^12 iterations in .*: [0-9.]+ seconds an iteration, [0-9.]+% of the time waiting for images, [0-9]+ MB' "$a/out"
check 'meta train writes nothing to standard error' test ! -s "$a/err"
check 'meta train draws no progress bar where there is no terminal' sh -c "! grep -q \$'\\r' '$a/out'"
check 'meta train writes weights, backup, state and chart' test -s "$out/toy_final.weights" -a -s "$out/toy.backup" -a -s "$out/toy.state" -a -s "$out/chart_toy.png"
check 'meta train writes six files in all' test "$(ls "$out" | wc -l)" -eq 6
best=$(awk -F, 'NR > 1 && $8 != "" && (!i || $8 > high) { i = $1; high = $8 } END { printf "%.4f, was at iteration %d", high, i }' "$out/toy.csv")
check 'meta train ends with its best valid AUC' grep -qx "The best valid AUC, $best: $out/toy_best.weights" "$a/out"
check 'and says so where that was' test "$(grep ', the best so far$' "$a/out" | tail -n 1 | sed 's/:.*//')" = "${best##* }"
check 'the best weights have seen that many images' \
    test "$(od -An -j12 -N8 -t u8 "$out/toy_best.weights" | tr -d ' ')" -eq $((${best##* } * 3 * 2 * 5))
check 'the chart is a PNG' sh -c "head -c 8 '$out/chart_toy.png' | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a'"
check 'the log has a header and a line an iteration' test "$(wc -l <"$out/toy.csv")" -eq 13
check 'the log has the rates of burn-in, then of steps' test "$(awk -F, 'NR == 2 || NR == 4 || NR == 7 || NR == 10 { printf "%.7f ", $5 }' "$out/toy.csv")" \
    = '0.0001235 0.0100000 0.0050000 0.0025000 '
check 'the log has the valid AUC in its rows alone' test "$(awk -F, 'NR > 1 && $8 != "" { printf "%s ", $1 }' "$out/toy.csv")" = '5 10 12 '
check 'the last backup and the final weights are the same' same "$out/toy.backup" "$out/toy_final.weights"
check 'seen of the weights is iterations * tasks * ways * (shots + queries)' \
    test "$(od -An -j12 -N8 -t u8 "$out/toy_final.weights" | tr -d ' ')" -eq $((12 * 3 * 2 * 5))

check 'meta train trains on two threads' train "$b" -seed 3 -threads 2
check 'meta train gives the same weights on 2 threads as on 1' same "$out/toy_final.weights" "$b/backup/toy_final.weights"
for threads in 3 5; do
    check "meta train trains on $threads threads" train "$b" -seed 3 -threads $threads
    check "meta train gives the same weights on $threads threads as on 1" same "$out/toy_final.weights" "$b/backup/toy_final.weights"
done
check 'meta train trains from another seed' train "$b" -seed 4
check 'meta train from another seed gives other weights' differ "$out/toy_final.weights" "$b/backup/toy_final.weights"

# The stock way with WEIGHTS: their `seen` is where counting goes on; -clear starts at 0
check 'meta train goes on from WEIGHTS' sh -c "$(declare -f run_toy train); train '$b' '$out/toy_final.weights' -max_batches 15"
check 'training from WEIGHTS goes on at their iteration' test "$(grep -c meta-loss "$b/out")" -eq 3
check 'meta train -clear runs' sh -c "$(declare -f run_toy train); train '$b' '$out/toy_final.weights' -clear -max_batches 2"
check 'training from WEIGHTS with -clear starts anew' test "$(grep -c '^[12]: .*meta-loss' "$b/out")" -eq 2
expect_error "toy_final.weights: .*nothing is left to train; allowed: -clear" darknet meta train "$data" "$cfg" "$out/toy_final.weights"

# [net] average
sed 's/^decay=.*/&\naverage=0.9/' "$cfg" >"$a/average.cfg"
averaged() { darknet meta train "$data" "$a/average.cfg" -name mean -seed 3 -threads 2 -valid_every 5 -valid_runs 6 >"$a/said"; }
check 'meta train trains with average=0.9' averaged
check 'meta train ends with the average of all iterations' grep -qx "The average of 12 iterations: $out/mean_average.weights" "$a/said"
check 'averaging changes nothing of the training' same "$out/mean_final.weights" "$out/toy_final.weights"
check 'the averaged weights are others' differ "$out/mean_average.weights" "$out/toy_final.weights"
check 'meta test takes the averaged weights' darknet meta test "$data" "$a/average.cfg" "$out/mean_average.weights" -runs 2 -bn running
check 'help has average' sh -c "'$DARKNET_BIN' meta help net | grep -q '^    average '"

# Without valid= there is no valid AUC, and the test list is never opened.
grep -v '^valid\|^test' "$data" >"$a/plain.data"
echo "test=$a/does-not-exist" >>"$a/plain.data"
check 'meta train runs without valid= and never opens test=' darknet meta train "$a/plain.data" "$cfg" -max_batches 2
expect_error "plain.data: has no valid=" darknet meta train "$a/plain.data" "$cfg" -valid_every 5

sed 's/^learning_rate=0.01/learning_rate=1000/; s/^adam=1/adam=0/; s/^policy=.*/policy=constant/; /^steps=6/d; /^scales/d' "$cfg" >"$a/diverges.cfg"
check 'a run that diverges exits with 1' sh -c "'$DARKNET_BIN' meta train '$data' '$a/diverges.cfg' -backup_every 2 >/dev/null 2>'$a/err'; test \$? -eq 1"
check 'a run that diverges prints one line that says so' sh -c "test \$(wc -l <'$a/err') -eq 1 && grep -q 'iteration [0-9]*: .* not finite' '$a/err'"
check 'a run that diverges leaves its earlier checkpoint' "$DARKNET_BIN" meta test "$data" "$a/diverges.cfg" "$out/diverges.backup" -runs 2

# A chart needs gnuplot; training doesn't
mkdir "$TMP_TEST/empty"
check 'meta train runs without gnuplot' env "PATH=$TMP_TEST/empty" "$DARKNET_BIN" meta train "$b/toy.data" "$b/toy.cfg" -max_batches 2
check 'meta train says once that gnuplot is missing' test "$(env "PATH=$TMP_TEST/empty" "$DARKNET_BIN" meta train "$b/toy.data" "$b/toy.cfg" -max_batches 2 2>&1 >/dev/null | grep -c gnuplot)" -eq 1

# The user's environment and start-up file change nothing of a chart
mkdir "$TMP_TEST/home"
echo 'set terminal dumb; exit status 3' >"$TMP_TEST/home/.gnuplot"
for variable in GNUTERM=qt GNUTERM=nosuch LC_ALL=de_DE.UTF-8; do
    rm -rf "$b/backup"
    charted() { env "$variable" HOME="$TMP_TEST/home" DISPLAY=:99 TERM= "$DARKNET_BIN" meta train "$b/toy.data" "$b/toy.cfg" -max_batches 2 >/dev/null 2>"$b/err" && test ! -s "$b/err"; }
    check "meta train says nothing of charts under $variable" charted
    check "meta train under $variable draws the chart" sh -c "head -c 8 '$b/backup/chart_toy.png' | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a'"
done

# What a link in the chart's place leads to is drawn, and the link stays
rm -rf "$b/backup"
mkdir "$b/backup"
ln -s ../elsewhere.png "$b/backup/chart_toy.png"
linked() { "$DARKNET_BIN" meta train "$b/toy.data" "$b/toy.cfg" -max_batches 2 >/dev/null && [ -L "$b/backup/chart_toy.png" ] && head -c 8 "$b/elsewhere.png" | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a'; }
check 'a link to the chart stays one' linked

expect_error '-threads' darknet meta train "$data" "$cfg" -threads 0
expect_error '-seed' darknet meta train "$data" "$cfg" -seed x
expect_error '-max_batches' darknet meta train "$data" "$cfg" -max_batches 0
expect_error '-frobnicate' darknet meta train "$data" "$cfg" -frobnicate
expect_error 'backend x: must be onednn or reference' darknet meta train "$data" "$cfg" -backend x
expect_error 'none.weights: No such file' darknet meta train "$data" "$cfg" "$a/none.weights"
expect_error 'takes no WEIGHTS' darknet meta train "$data" "$cfg" "$out/toy_final.weights" -resume
expect_error 'none.cfg' darknet meta train "$data" "$a/none.cfg"
expect_error 'none.data' darknet meta train "$a/none.data" "$cfg"
size=$(stat -c %s "$out/toy_final.weights")
head -c $((size - 4)) "$out/toy_final.weights" >"$a/short.weights"
(cat "$out/toy_final.weights"; printf 'more') >"$a/long.weights"
head -c "$size" /dev/zero | tr '\0' 'g' >"$a/garbage.weights"
expect_error "short.weights: $((size - 4)) bytes.* $size bytes" darknet meta train "$data" "$cfg" "$a/short.weights"
expect_error "long.weights: $((size + 4)) bytes.* $size bytes" darknet meta train "$data" "$cfg" "$a/long.weights"
expect_error "garbage.weights: version .*$size bytes" darknet meta train "$data" "$cfg" "$a/garbage.weights"
sed "s#^backup=.*#backup=$a/toy.cfg#" "$data" >"$a/bad.data"
expect_error 'bad.data:6: backup: .*toy.cfg: is not a folder' darknet meta train "$a/bad.data" "$cfg"
sed "s#^backup=.*#backup=$a/new/#" "$data" >"$a/new.data"
check 'meta train makes the backup folder' darknet meta train "$a/new.data" "$cfg" -max_batches 1
check 'meta train writes to the backup folder that it makes' test -s "$a/new/toy_final.weights"
