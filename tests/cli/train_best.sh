#!/bin/bash
# NAME_best.weights of a training that is resumed: figures of other tasks than before are not compared.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a out=$TMP_TEST/a/backup
toy "$a"
cp "$a/toy.cfg" "$a/first.cfg"
# part FLAGS: trains on, or from the start
part() { train "$a" -seed 5 -valid_every 2 "$@"; }
iteration() { echo $(($(od -An -j12 -N8 -t u8 "$out/toy_best.weights" | tr -d ' ') / 30)); }
of_the_log() { # FROM: the iteration of the highest AUC from there on, of equals the first
    awk -F, -v from="$1" 'NR > 1 && $1 >= from && $8 != "" && $8 > best { best = $8; at = $1 } END { print at }' "$out/toy.csv"
}
anew='the best is looked for anew$'
check 'a training watches few tasks' part -valid_runs 3 -max_batches 6
check 'its best is that of its log' test "$(iteration)" = "$(of_the_log 1)"
check 'it goes on' part -valid_runs 3 -max_batches 8 -resume
check 'without a word of that' bash -c "! grep -q anew '$a/out'"
check 'its best is still that of its log' test "$(iteration)" = "$(of_the_log 1)"
check 'a training may go on with more tasks' part -valid_runs 20 -max_batches 12 -resume
check 'which it says' grep -Eq "^The valid list's figures were of 3 tasks of 2 ways, .*, the next ones are of 20 tasks of 2 ways, .*: $anew" "$a/out"
check 'its best is that of the same tasks' test "$(iteration)" = "$(of_the_log 9)"
check 'it goes on with as many' part -valid_runs 20 -max_batches 14 -resume
check 'and says nothing of it' bash -c "! grep -q anew '$a/out'"
check 'its best is that since then' test "$(iteration)" = "$(of_the_log 9)"
check 'a part that does not watch' train "$a" -seed 5 -valid_every 0 -max_batches 15 -resume
check 'forgets nothing of that' part -valid_runs 20 -max_batches 16 -resume
check 'and says nothing' bash -c "! grep -q anew '$a/out'"
check 'its best is that since iteration 8' test "$(iteration)" = "$(of_the_log 9)"
sed -i 's/^test_steps=.*//; s/^\[inner_loop\]/&\ntest_steps=1/' "$a/toy.cfg"
check 'other test_steps' part -valid_runs 20 -max_batches 18 -resume
check 'are told' grep -Eq "^The valid list's figures were of .*, the next ones are of .* 1 steps; .*: $anew" "$a/out"
check 'and their figures not compared' test "$(iteration)" = 18
valid=$(sed -n 's/^valid *= *//p' "$a/toy.data")
sed -n '1!p' "$valid" >"$a/less.list"
sed -i "s#^valid.*#valid=$a/less.list#" "$a/toy.data"
check 'another valid list' part -valid_runs 20 -max_batches 20 -resume
check 'is told' grep -Eq "^The valid list's figures were of .*: $anew" "$a/out"
check 'and its figures not compared' test "$(iteration)" = 20
rm "$out/toy.csv"
check 'a training without its log' part -valid_runs 20 -max_batches 22 -resume
check 'says that it lacks the best' grep -Eq "^.*toy.csv lacks the figure of iteration 20, of .*toy_best.weights: how good that was is not known, $anew" "$a/out"
