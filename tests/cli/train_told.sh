#!/bin/bash
# Settings that do something else than they seem to are refused or told, in one line each; and the chart's scales.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
no_charts
darknet() { "$DARKNET_BIN" "$@"; }
x=$a/x.cfg
changed() { sed "$@" "$a/toy.cfg" >"$x"; }
on() { darknet meta train "$a/toy.data" "$x" -valid_every 0 -threads 1 -overwrite "$@"; }
said() { on >"$a/out" 2>&1 || { cat "$a/out"; return 1; }; grep -Eq -- "$1" "$a/out" && [ "$(grep -c "$x: \[" "$a/out")" -eq 1 ]; }
silent() { on >"$a/out" 2>&1 "$@" && ! grep -q "$x: \[" "$a/out"; }

# A blank inside a value is no comma
changed 's/^steps=6,9/steps=6 9/; s/^scales=.*/scales=.5/'
expect_error "^darknet: $x:[0-9]+: 'steps=6 9': has a blank inside a value: must have commas between values$" on
changed 's/^max_batches=.*/max_batches=1 2/'
expect_error "x.cfg:[0-9]+: 'max_batches=1 2': has a blank inside a value" on
changed 's/^activation=leaky/activation=lea ky/'
expect_error "x.cfg:[0-9]+: 'activation=lea ky': has a blank inside a value" on
changed 's/^steps=6,9/steps = 6 ,\t9   # two/; s/^width=.*/ width = 12 /'
check 'blanks around values, equals signs and commas are read' silent

# What is told at the start
cp "$a/toy.cfg" "$x"
check 'nothing is told of settings that do what they seem to' silent
# What begins after the end, be it that of -max_batches
short() { on >"$a/out" 2>&1 "$@" && grep "$x: \[" "$a/out"; }
check 'what begins past -max_batches is told' cmp <(short -max_batches 6) <(printf '%s\n' \
    "$x: [meta_loss] start=7 is past max_batches=6: tasks are never weighted: lower start, or raise max_batches" \
    "$x: [net] steps=9 is past max_batches=6: the rate is never lowered there: lower steps, or raise max_batches")
check 'what begins just before the end is not' silent -max_batches 10
check 'nor a step at the end' silent -max_batches 9
check 'which lowers the rate there' test "$(cut -d, -f5 "$a/backup/x.csv" | sed -n '9,10p' | tr '\n' ' ')" = '0.00499999989 0.00249999994 '
changed 's/^order=.*/order=2\nsecond_order_start=13/'
check 'an exact meta-gradient that never begins is told' said "^$x: \[inner_loop\] second_order_start=13 is past max_batches=12: the exact meta-gradient is never used: lower it, or write order=1$"
check 'it is not where it begins' silent -max_batches 13
# What the order, or the number of steps, leaves without effect
changed 's/^order=.*/order=1\nsecond_order_start=5\nkeep=1/'
check 'second_order_start and keep of order=1 are told' said "^$x: \[inner_loop\] second_order_start=5 has no effect with order=1: no meta-gradient is exact: order=2 makes those from there on exact$"
changed 's/^order=.*/order=1\nkeep=1/'
check 'keep of order=1 is told' said "^$x: \[inner_loop\] keep=1 has no effect with order=1: no steps are kept in memory$"
changed 's/^steps=2$/steps=1\nmulti_step=6/'
check 'multi_step of one step is told' said "^$x: \[inner_loop\] multi_step=6 has no effect with steps=1: there is no earlier step$"
changed 's/^steps=2$/steps=2\nmulti_step=6/'
check 'nothing is told of multi_step of two steps' silent
# What adapt=head moves
changed 's/^order=.*/&\nadapt=head/'
check 'nothing is told of a head that is [connected]' silent
changed 's/^order=.*/order=2\nkeep=1\nadapt=head/'
check 'keep of a head that moves alone is told' said "^$x: \[inner_loop\] keep=1 has no effect with adapt=head: the steps have one pass of the layers below in common, which alone is kept in memory$"
changed 's/^order=.*/order=2\nkeep=1\nadapt=head/; s/^\[maxpool\]/[dropout]\nprobability=.2\n\n[convolutional]\nfilters=4\nsize=1\n\n&/'
check 'not where dropout makes each step pass them anew' silent
changed 's/^order=.*/&\nadapt=head/; s/^\[softmax\]/[affine]\n\n&/'
check "a head that is a plugin's layer is told" sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$x' -valid_every 0 -max_batches 10 -overwrite | grep -qxE '$x:[0-9]+: \[affine\] is the last layer with parameters: adapt=head of \[inner_loop\] moves it, and no layer before it'"
changed 's/^policy=.*/policy=sigmoid\nstep=6/; /^steps=6/d; /^scales/d; /^burn_in/d'
check 'a sigmoid that is 0 at first is told' said "^$x: \[net\] policy=sigmoid: the rate is 0 before iteration step=6, as in Darknet: nothing is learned until then$"
check 'a sigmoid is 0 at first' test "$(cut -d, -f5 "$a/backup/x.csv" | sed -n 2,4p | sort -u)" = 0
check 'help tells that a sigmoid is 0 at first' sh -c "'$DARKNET_BIN' meta help net | grep -q '^    step .*before it the rate is 0'"
changed 's/^type=.*/type=mean/; /^start/d'
check 'an eta that no loss reads is told' said "^$x: \[meta_loss\] eta=2 has no effect: its type weighs all tasks alike$"
changed 's/^ways=2/&\nwindow=3/'
check 'a window without a curriculum is told' said "^$x: \[episode\] window=3 has no effect without sampler=curriculum$"
changed 's/^ways=2/&\nexplore=.5/'
check 'an explore without a curriculum is told' said "^$x: \[episode\] explore=0.5 has no effect without sampler=curriculum$"
changed 's/^ways=2/&\nexplore=.5\nsampler=curriculum/'
check 'not with one' silent
changed 's/^burn_in=.*/burn_in=50/'
check 'a burn_in past the end is told' said "^$x: \[net\] burn_in=50 is past max_batches=12: the rate never grows to learning_rate=0.01: lower burn_in, or raise max_batches$"
# A layer that normalises two values together, where something is learned from them
deep='s/^\[connected\]/[connected]\noutput=5\nbatch_normalize=1\nactivation=leaky\n\n&/'
told() { on >"$a/out" 2>&1 || { cat "$a/out"; return 1; }; test "$(grep -cE "^$x:[0-9]+: \[connected\] batch_normalize=1: 2 $1 images x a map of 1x1 = 2 values a channel, " "$a/out")" -eq 1; }
untold() { on >"$a/out" 2>&1 && ! grep 'values a channel' "$a/out"; }
changed "$deep; s/^shots=2/shots=1/"
check 'two support values that are normalised together are told' told support
expect_output "^warning +cfg +$x:[0-9]+: \[connected\] batch_normalize=1: 2 support images x a map of 1x1 = 2 values a channel, \.7 and -\.7 once they are normalised together, however far apart they were: its weights and the layers before it hardly learn from them; from 3 values on they do$" \
    sh -c "'$DARKNET_BIN' meta doctor '$a/toy.data' '$x' -seconds .01 | cat"
changed "$deep; s/^shots=2/shots=1/; s/^order=.*/order=1\nadapt=head/"
check 'not where the steps move the head behind them alone' untold
changed "$deep; s/^shots=2/shots=1/; s/^order=.*/order=2\nadapt=head/"
check 'but where the meta-gradient is exact' told support
changed "$deep; s/^queries=3/queries=1/"
check 'two query values are told' told query
changed "$deep; s/^queries=3/queries=1/; s/^order=.*/order=0/"
check 'not where query images are only scored' untold
changed "$deep"
check 'nothing is told of more values' untold
changed 's/^min_crop=12/min_crop=9/'
check 'a min_crop below the network is told' said "^$x: \[net\] min_crop=9 is less than the network's 12x12: images shrunk below that have black edges in training$"
changed 's/^ways=2/ways=3/; s/^output=2/output=3/; s/^start=.*/epsilon=0.001/; s/^eta=2/eta=5/'
check 'a loss that begins above its cap is told' said "^$x: \[meta_loss\] guessing among 3 ways has a loss of ln 3 = 1.10, above 1: there 1-L is taken as epsilon=0.001 and a task weighs 50.3; a larger epsilon lowers that$"
changed 's/^ways=2/ways=3/; s/^output=2/output=3/; s/^type=.*/type=mean/; /^eta/d; /^start/d'
check 'nothing is told of a mean over three ways' silent
changed 's/^type=.*/type=mean/; /^eta/d'
check 'a start that nothing reads is told' said "^$x: \[meta_loss\] start=7 has no effect: its type weighs all tasks alike from the beginning$"
changed 's/^type=.*/type=mean\nnormalise=1/; /^eta/d; /^start/d'
check 'a division of weights that are all 1 is told' said "^$x: \[meta_loss\] normalise=1 has no effect: its type weighs all tasks alike$"
changed 's/^tasks=3/tasks=1/; s/^type=.*/&\nnormalise=1/'
check 'a division of the only weight by itself is told' said "^$x: \[meta_loss\] normalise=1 with tasks=1 in \[episode\]: the weight of a task alone is 1, however hard it is$"
changed 's/^type=.*/&\nnormalise=1/'
check 'nothing is told of weights divided by their mean' silent
cp "$a/toy.cfg" "$x"
w=$a/backup/seen.weights
darknet meta train "$a/toy.data" "$x" -valid_every 0 -threads 1 -max_batches 2 -name seen >/dev/null
mv "$a/backup/seen_final.weights" "$w"
expect_output "^Starting from $w at iteration 2, by the images it has seen: the policy of the rate, start, second_order_start and multi_step count from there; with -clear from 0$" \
    on "$w"
expect_output "^Starting from $w at iteration 0$" on "$w" -clear

# The iterations' own time
check 'the seconds of an iteration leave out the valid AUC' sh -c "'$DARKNET_BIN' meta train '$a/toy.data' '$x' -threads 1 -max_batches 2 -overwrite -valid_every 1 -valid_runs 1500 | grep -E ' iterations in ' >'$a/out'
    python3 -c \"
import re
line = open('$a/out').read()
each = float(re.search('([0-9.]+) seconds an iteration', line)[1])
log = [float(row.split(',')[5]) for row in open('$a/backup/x.csv').read().split()[1:]]
total = re.search('iterations in ([0-9.]+) s', line)
assert 'the valid list took' in line and sum(log) <= 2 * each + .01 and (not total or 4 * each < float(total[1])), (line, log)\""

# The chart: one scale where both losses are seen on it, one curve where they are the same
curves() { on >/dev/null && [ "$(grep -c "title 'meta-loss" "$TMP_TEST/no_charts/script")" -eq "$1" ] && [ "$(grep -c x1y2 "$TMP_TEST/no_charts/script")" -eq "$2" ]; }
changed 's/^type=.*/type=mean/; /^eta/d; /^start/d'
check 'a chart of the mean has one curve and one scale' curves 0 0
changed 's/^eta=2/eta=1\nepsilon=.5/; s/^start=.*/start=0/'
check 'a chart of losses of one size has two curves on one scale' curves 1 0
changed 's/^eta=2/eta=12/; s/^start=.*/start=0/'
check 'a chart of a loss that would be flat has a scale of its own' curves 1 1
