#!/bin/bash
# Tasks of a test that diverge are counted wherever their AUC of 0.5 is part of a mean: in the result, by compare, table and report.
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a
toy "$a"
sed -i '/^valid=/d' "$a/toy.data"
darknet() { "$DARKNET_BIN" "$@"; }
check 'meta train trains' train "$a" -max_batches 2 -threads 1
w=$a/backup/toy_final.weights
sed 's/^batch_normalize=1/batch_normalize=0/; s/^activation=leaky/activation=linear/; s/^learning_rate=0.1/learning_rate=10/; s/^test_steps=.*/test_steps=200/' "$a/toy.cfg" >"$a/far.cfg"
sed -i '/^\[dropout\]/,/^probability/d' "$a/far.cfg"
check 'meta train trains without normalisation' darknet meta train "$a/toy.data" "$a/far.cfg" -max_batches 1 -threads 1
tested() { darknet meta test "$a/toy.data" "$1" "$2" -runs 5 -threads 1 -out "$3" >"$a/said" 2>"$a/err"; }
check 'meta test tests what diverges' tested "$a/far.cfg" "$a/backup/far_final.weights" "$a/far.json"
count=$(sed -n 's/^\([0-9]*\) of the tasks diverged: .*/\1/p' "$a/said")
check 'meta test says how many tasks diverged' test "${count:-0}" -gt 0
has() { python3 -c "
import json
r = json.load(open('$1'))
assert r.get('diverged', 0) == $2, r.get('diverged')
assert sum(t.get('diverged', False) for t in r['tasks']) == $2
assert all(t['auc_after'] == .5 for t in r['tasks'] if t.get('diverged'))"; }
check 'the result has the tasks that diverged, and how many they are' has "$a/far.json" "${count:-0}"
check 'meta test tests what does not diverge' tested "$a/toy.cfg" "$w" "$a/near.json"
check 'a result without such a task does not speak of them' sh -c "! grep -q diverged '$a/near.json'"
darknet meta compare "$a/near.json" "$a/far.json" >"$a/compared"
check 'meta compare says it of the one result alone' test "$(grep -B2 diverged "$a/compared" | head -1 | cut -c1) $(grep -cx "   ${count:-0} of its tasks diverged: their outputs are not numbers, their AUC counts as 0.5" "$a/compared")" = 'B 1'
printf '[table]\nname=T\ndata=%s\nruns=5\nfirst=2\n[row]\nlabel=Far\ncfg=%s\nweights=%s\nshots=2\ntrain=none\n' "$a/toy.data" "$a/far.cfg" "$a/backup/far_final.weights" >"$a/t.table"
expect_output "; ${count:-0} tasks diverged, their AUC counts as 0.5" darknet meta table "$a/t.table" -out "$a/table" -threads 1
expect_output "^Of ${count:-0} tasks that diverged the AUC counts as 0.5: Far, 2 shots[.]$" darknet meta report "$a/table" -markdown
check 'meta report writes a page' darknet meta report "$a/table" -out "$a/page.html"
check 'the page says it, too' grep -q "<p>Far, 2 shots: ${count:-0} of the tasks diverged" "$a/page.html"
