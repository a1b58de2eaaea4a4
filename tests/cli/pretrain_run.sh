#!/bin/bash
# meta pretrain: its files and lines, that it learns, the same result from any number of threads and from parts, and what it refuses.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
toy_supervised "$a"
toy_twin "$a" "$whole"
data=$a/toy.data cfg=$a/toy.cfg out=$whole/backup
darknet() { "$DARKNET_BIN" "$@"; }

flags=(-seed 5 -backup_every 4 -valid_every 5)
check 'meta pretrain trains' pretrain "$whole" "${flags[@]}" -threads 1
check 'meta pretrain prints a line an iteration' test "$(grep -cE '^[0-9]+: [0-9.]+ loss, [0-9.]+% accuracy, [0-9.]+ rate, [0-9.]+ seconds, [0-9.]+ (s|min|h) left$' "$whole/out")" -eq 12
check 'meta pretrain prints the held-out accuracy every 5 iterations and at the end' \
    test "$(grep -cE '^(5|10|12): 0\.[0-9]+ valid accuracy, 95% interval -?[0-9.]+ to [0-9.]+, [0-9.]+ loss, 16 images' "$whole/out")" -eq 3
check 'meta pretrain writes nothing to standard error' test ! -s "$whole/err"
check 'meta pretrain writes weights, backup, state and chart' test -s "$out/toy_final.weights" -a -s "$out/toy.backup" -a -s "$out/toy.state" -a -s "$out/chart_toy.png"
check 'meta pretrain writes six files in all' test "$(ls "$out" | wc -l)" -eq 6
best=$(awk -F, 'NR > 1 && $8 != "" && (!i || $8 > high || ($8 == high && $7 < low)) { i = $1; high = $8; low = $7 } END { printf "%.4f, was at iteration %d", high, i }' "$out/toy.csv")
check 'meta pretrain ends with its best held-out accuracy' grep -qx "The best valid accuracy, $best: $out/toy_best.weights" "$whole/out"
check 'the best weights have seen that many images' \
    test "$(od -An -j12 -N8 -t u8 "$out/toy_best.weights" | tr -d ' ')" -eq $((${best##* } * 8))
check 'the log of meta pretrain has its columns' test "$(head -n 1 "$out/toy.csv")" = iteration,loss,accuracy,rate,seconds,waited,valid_loss,valid_accuracy,valid_low,valid_high
check 'the log of meta pretrain has a line an iteration' test "$(wc -l <"$out/toy.csv")" -eq 13
check 'the log of meta pretrain has held-out figures in their rows alone' test "$(awk -F, 'NR > 1 && $7 != "" && $8 != "" && $9 != "" { printf "%s ", $1 }' "$out/toy.csv")" = '5 10 12 '
check 'seen of the weights is iterations * batch' test "$(od -An -j12 -N8 -t u8 "$out/toy_final.weights" | tr -d ' ')" -eq $((12 * 8))

no_charts
columns() { cut -d, -f1-4,7-10 "$1/backup/toy.csv"; }
same_run() { same_end "$a" "$whole" && [ "$(columns "$a")" = "$(columns "$whole")" ]; }
check 'meta pretrain trains on 3 threads' pretrain "$a" "${flags[@]}" -threads 3
check 'meta pretrain on 3 threads gives the same weights, state and figures' same_run
check 'meta pretrain trains from another seed' pretrain "$a" -seed 6 -valid_every 0
check 'meta pretrain from another seed gives other weights' differ "$a/backup/toy_final.weights" "$out/toy_final.weights"
rm "$a"/backup/*
for part in 1 7 12; do
    [ $part -eq 1 ] && resume= || resume=-resume
    check "meta pretrain trains the part up to iteration $part" pretrain "$a" "${flags[@]}" -max_batches $part -threads $((part % 3 + 1)) $resume
done
# The last iteration of each part has valid figures as well, so that those columns are not compared.
same_parts() { same_end "$a" "$whole" && [ "$(cut -d, -f1-4 "$a/backup/toy.csv")" = "$(cut -d, -f1-4 "$out/toy.csv")" ]; }
check 'meta pretrain in parts ends as an unbroken run' same_parts

# SIGKILL from outside, at some iteration
long=(-seed 5 -backup_every 7 -valid_every 0 -max_batches 300)
check 'a longer unbroken run of meta pretrain trains' pretrain "$whole" "${long[@]}"
kills=0
rm "$a"/backup/*
for until in 5 10 20 1000; do
    killed_run pretrain "$a" $until "${long[@]}"
    [ $? -ne 137 ] || kills=$((kills + 1))
done
check "meta pretrain is killed $kills times" test $kills -ge 1
check 'meta pretrain killed and resumed ends as an unbroken run' same_run

# meta pretrain learns: by chance a quarter of the images of four classes are right.
sed -i 's/^policy=.*/policy=constant/; /^steps=6/d; /^scales=/d; /^burn_in/d' "$cfg"
check 'meta pretrain trains for 400 iterations' pretrain "$a" -seed 5 -max_batches 400 -valid_every 400
losses() { awk -F, 'NR > 1 && NR < 12 { first += $2 / 10 } NR > 391 { last += $2 / 10 } END { print first, last }' "$a/backup/toy.csv"; }
check "meta pretrain lowers the loss: $(losses)" awk -v losses="$(losses)" 'BEGIN { split(losses, l); exit !(l[2] < .6 * l[1]) }'
check "meta pretrain brings the held-out accuracy to $(tail -n 1 "$a/backup/toy.csv" | cut -d, -f8)" awk "BEGIN { exit !($(tail -n 1 "$a/backup/toy.csv" | cut -d, -f8) > .5) }"
sed 's/^adam=1/adam=0/; s/^learning_rate=.*/learning_rate=0.02/' "$cfg" >"$a/sgd.cfg"
sed 's/^adam=1/&\naverage=0.5/' "$cfg" >"$a/average.cfg"
check 'meta pretrain trains with average=0.5' darknet meta pretrain "$data" "$a/average.cfg" -name mean -max_batches 3 -valid_every 0
check 'meta pretrain writes the averaged weights' differ "$a/backup/mean_average.weights" "$a/backup/mean_final.weights"
check 'meta pretrain trains by gradient descent with momentum' darknet meta pretrain "$data" "$a/sgd.cfg" -max_batches 5
check 'meta pretrain starts from weights' darknet meta pretrain "$data" "$a/sgd.cfg" "$a/backup/toy_final.weights" -clear -max_batches 2

# What it refuses
expect_error "toy.state: can't resume: supervised training is 1 and was not set in the checkpoint" bash -c "
    . tests/toy.sh; toy '$TMP_TEST/two'; cd '$TMP_TEST/two'; sed -i '/^\[inner_loop\]/,\$d' toy.cfg
    grep -E 'c[01]_' train.list >two.list; sed -i 's#^train=.*#train=$TMP_TEST/two/two.list#' toy.data
    '$DARKNET_BIN' meta train toy.data toy.cfg -valid_every 0 -max_batches 1 >/dev/null && '$DARKNET_BIN' meta pretrain toy.data toy.cfg -valid_every 0 -resume"
sed 's/^subdivisions=2/subdivisions=3/' "$cfg" >"$a/x.cfg"
expect_error 'x.cfg:[0-9]+: \[net\] batch=8, subdivisions=3: must divide it' darknet meta pretrain "$data" "$a/x.cfg"
sed 's/^subdivisions=2/subdivisions=8/; s/^\[softmax\]/[connected]\noutput=4\nbatch_normalize=1\nactivation=linear\n\n&/' "$cfg" >"$a/one.cfg"
lone="one.cfg:$(grep -n '^\[connected\]' "$a/one.cfg" | tail -n 1 | cut -d: -f1): \[connected\] batch_normalize=1: 1 image a part \(\[net\] batch=8, subdivisions=8\) x a map of 1x1 = 1 value a channel"
expect_error "$lone" darknet meta pretrain "$data" "$a/one.cfg"
expect_error "$lone" darknet meta check "$a/one.cfg" -supervised
sed 's/^subdivisions=8/subdivisions=4/' "$a/one.cfg" >"$a/two.cfg"
two="two.cfg:$(grep -n '^\[connected\]' "$a/two.cfg" | tail -n 1 | cut -d: -f1): \[connected\] batch_normalize=1: 2 images a part x a map of 1x1 = 2 values a channel, \.7 and -\.7 once they are normalised together, however far apart they were: its weights and the layers before it hardly learn from them; from 3 values on they do$"
expect_output "$two" darknet meta pretrain "$data" "$a/two.cfg" -max_batches 1
expect_output "^warning +cfg +.*$two" darknet meta doctor pretrain "$data" "$a/two.cfg"
sed 's/^subdivisions=8/subdivisions=2/' "$a/one.cfg" >"$a/four.cfg"
check 'nothing is told of four values a channel' sh -c "'$DARKNET_BIN' meta pretrain '$data' '$a/four.cfg' -max_batches 1 >'$a/told' && ! grep 'values a channel' '$a/told'"
sed '/^\[connected\]/,/^activation/s/batch_normalize=1/batch_normalize=0/' "$a/one.cfg" >"$a/map.cfg"
check 'one image a part is enough where the maps are larger' darknet meta pretrain "$data" "$a/map.cfg" -max_batches 1
sed 's/^output=4/output=3/' "$cfg" >"$a/x.cfg"
{ sed 's/^adam=1/adam=0/' "$cfg"; printf '\n[cost]\ntype=sse\n'; } >"$a/cost.cfg"
expect_output 'cost.cfg:[0-9]+: \[cost\] is left out: in Darknet it adds the gradient of the \[softmax\] once more: twice the learning_rate and half the decay' darknet meta pretrain "$data" "$a/cost.cfg" -max_batches 1
expect_error 'x.cfg:[0-9]+: \[softmax\]: gives 3 probabilities, but .*/kept.list has images of 4 classes: must be equal' darknet meta pretrain "$data" "$a/x.cfg"
for section in inner_loop meta_loss; do
    { cat "$cfg"; echo "[$section]"; } >"$a/x.cfg"
    expect_error "x.cfg:[0-9]+: \[$section\]: supervised training has no tasks" darknet meta pretrain "$data" "$a/x.cfg"
done
sed '/^\[inner_loop\]/,$d' cfg/relation.cfg >"$a/x.cfg"
expect_error 'x.cfg:[0-9]+: \[relation\]: pairs the images of a task' darknet meta pretrain "$data" "$a/x.cfg"
expect_error 'valid_runs' darknet meta pretrain "$data" "$cfg" -valid_runs 3
sed "s#^valid=.*#valid=$a/test.list#" "$data" >"$a/other.data"
expect_error 'test.list: has no image of the classes of the training list' darknet meta pretrain "$a/other.data" "$cfg" -valid_every 5
expect_output 'test.list has none of the classes that are trained: it is not watched' darknet meta pretrain "$a/other.data" "$cfg" -max_batches 2
sed 's/^learning_rate=.*/learning_rate=1000/; s/^adam=1/adam=0/' "$cfg" >"$a/diverges.cfg"
expect_error 'iteration [0-9]+: (the gradient is|after the update at rate 1000 the rolling statistics of .* are) not finite' darknet meta pretrain "$data" "$a/diverges.cfg" -max_batches 60
