#!/bin/bash
# A row with several seeds: a training for each, paired with the reference's of the same seed, and
# estimates over trainings
. tests/lib.sh
. tests/toy.sh
. tests/table.sh
set -u
t=$TMP_TEST/t
toy "$t"
sed -i 's/^filters=4/filters=16/; s/^max_batches=12/max_batches=4/' "$t/toy.cfg"
eta_cfg
cat >"$t/x.table" <<END
[table]
name=Seeds
data=$t/toy.data
seed=1
runs=40
first=2
reference=Mean

[row]
label=Mean
cfg=$t/toy.cfg
seed=4,1,9
shots=2,1

[row]
label=Eta
cfg=$t/eta.cfg
seed=9,1
shots=2

[row]
label=Alone
cfg=$t/eta.cfg
shots=2
END
json() { tr -d ' \t\n' <"$1"; }

change 's/^seed=9,1/seed=9,9/'; wrong 'x.table:15: \[row\] seed: has a number twice'
change 's/^seed=9,1/seed=9,-1/'; wrong 'x.table:18: \[row\] seed=9,-1: must be whole numbers, at least 0, separated by commas'
change 's/^label=Alone/label=Eta/'; wrong 'x.table:21: \[row\] label=Eta: repeated; first on line 15'
change 's/^label=Alone/label=Eta, seed 9/'; wrong 'x.table:21: \[row\] label=Eta, seed 9: repeated; first on line 15'
change 's/^reference=.*/reference=Mean, seed 3/'; wrong 'reference=Mean, seed 3: no row has that label'

# Cells of a column are run seed by seed; the last row shares the training of another row.
check 'meta table -dry reads rows with several seeds' quiet table -dry
cells() { sed -n 's/^\([A-Z][a-z]*\(, seed [0-9]\)\{0,1\}\)  *\([12]\)  .*/\1: \3/p' "$t/said" | tr '\n' ';'; }
check 'cells of several seeds are run seed by seed in a column' test "$(cells)" = 'Mean, seed 4: 2;Eta, seed 9: 2;Alone: 2;Mean, seed 1: 2;Eta, seed 1: 2;Mean, seed 9: 2;Mean, seed 4: 1;Mean, seed 1: 1;Mean, seed 9: 1;'
check '-dry marks a training that rows share' grep -q '^Eta, seed 1 .*the same as above' "$t/said"
check 'meta table -only reads a row with several seeds' quiet table -only Eta -dry
check '-only chooses all seeds of a row' test "$(cells)" = 'Eta, seed 9: 2;Eta, seed 1: 2;'
expect_error '-only None: must be a row.s label: Mean, Eta, Alone' table -only None
expect_error '-shots 1: must be a column of that row: 2' table -only Eta -shots 1

check 'meta table runs the reference at one seed' quiet table -only 'Mean, seed 9'
check 'meta table runs another row at both its seeds' quiet table -only Eta
paired() { json "$t/out/x-$1-2.json" | grep -o '"reference":"[^"]*"'; }
check 'a result is paired with the reference of its seed' test "$(paired eta-seed-9)" = '"reference":"Mean,seed9"'
check 'a result is not paired before the reference of its seed is run' test -z "$(paired eta-seed-1)"
check 'meta report writes a page of an unfinished table' quiet darknet meta report "$t/out" -out "$t/x.html"
check 'the page says how many trainings of a row are done' grep -q '1 of 3 trainings' "$t/x.html"
check 'meta report -markdown runs with an unfinished table' quiet darknet meta report "$t/out" -markdown
check 'the Markdown lists no training of several seeds that is to come' test "$(grep -cE '^\| (Mean|Eta), seed [0-9]+ \| [12] \| [0-9]' "$t/said"),$(grep -c 'not yet run' "$t/said")" = 4,0
check 'and counts them' grep -q '^| Mean | 2 | 1 of 3 |' "$t/said"
check 'meta table runs the rest of the table' quiet table
check 'a result is paired once the reference of its seed is run' test "$(paired eta-seed-1)" = '"reference":"Mean,seed1"'
check 'a row of one seed is paired with the reference of its seed' test "$(paired alone)" = '"reference":"Mean,seed1"'
check 'the reference is paired with nothing' test -z "$(paired mean-seed-4)"

# Figures over trainings: means over the cells' own means, with Student's t
mean() { json "$t/out/x-$1.json" | grep -o '"auc_after":{"mean":[^,]*' | head -n 1 | sed 's/.*://'; }
difference() { json "$t/out/x-$1.json" | sed 's/.*"difference":{[^{}]*"mean":\([^,]*\),.*/\1/'; }
estimate()                # FORMAT T NUMBER...: mean and interval, in percent
{
    printf '%s\n' "${@:3}" | awk -v format="$1" -v t="$2" '{ s += $1; x[NR] = $1 } END { m = s / NR; for (i in x) q += (x[i] - m) ^ 2; e = t * sqrt(q / (NR - 1) / NR)
        printf format " (" format " to " format ")", 100 * m, 100 * (m - e), 100 * (m + e) }'
}
check 'meta report -markdown runs with several seeds' quiet darknet meta report "$t/out" -markdown
families() { sed -n '/over trainings/,$p' "$t/said" | sed '1,2d'; }
check 'the Markdown has a row for each family and column' test "$(families | wc -l)" -eq 3
says() { families | grep -qF "$1" || { families; echo "not there: $1"; return 1; }; }
check "three trainings of the reference give a mean with Student's t" says "| Mean | 2 | 3 of 3 | $(estimate %.2f 4.302653 "$(mean mean-seed-4-2)" "$(mean mean-seed-1-2)" "$(mean mean-seed-9-2)") |"
check 'the reference has an estimate over trainings in its other column' says "| Mean | 1 | 3 of 3 | $(estimate %.2f 4.302653 "$(mean mean-seed-4-1)" "$(mean mean-seed-1-1)" "$(mean mean-seed-9-1)") |"
check "two trainings of a row give a mean with Student's t" says "| Eta | 2 | 2 of 2 | $(estimate %.2f 12.706205 "$(mean eta-seed-9-2)" "$(mean eta-seed-1-2)") |"
check "differences of two trainings to the reference give a mean with Student's t" says "| $(estimate %+.2f 12.706205 "$(difference eta-seed-9-2)" "$(difference eta-seed-1-2)"), no difference seen |"
less() { awk "BEGIN { d = $(mean eta-seed-9-2) - $(mean mean-seed-9-2) - $(difference eta-seed-9-2); exit !(d * d < 1e-18) }"; }
check 'a difference is between trainings of the same seed' less
check 'meta report writes a page of rows with several seeds' quiet darknet meta report "$t/out" -out "$t/x.html"
for text in '<h3>Paired with Mean, seed by seed</h3>' '<h3>Over trainings</h3>' '3 of 3 trainings, deviation' 'less Mean (2 pairs): ' 'Eta, seed 9'; do check "the page of rows with several seeds has: $text" grep -qF "$text" "$t/x.html"; done
check 'a row of one seed is not in the table over trainings' test "$(sed -n '/<h3>Over trainings/,/<\/table>/p' "$t/x.html" | grep -c 'scope="row"')" -eq 2

# Differences to one and the same training have its luck in common, so that they have no interval.
change 's/^reference=.*/reference=Mean, seed 1/'
check 'meta table runs with one training as the reference of all' quiet table
check 'meta report -markdown runs with one training as the reference of all' quiet darknet meta report "$t/out" -markdown
check "a row's mean has its interval where one training is the reference" says "| Eta | 2 | 2 of 2 | $(estimate %.2f 12.706205 "$(mean eta-seed-9-2)" "$(mean eta-seed-1-2)") |"
check 'differences to one training have a mean, no interval, and say why' test "$(families | grep -c '| [+-][0-9.]*, of one training of it: no interval | [^|]* |$')" -eq 3
check 'meta report writes a page with one training as the reference of all' quiet darknet meta report "$t/out" -out "$t/x.html"
check 'the page says why differences to one training have no interval' grep -Eq 'less Mean, seed 1 \(2 pairs\): [+-][0-9.]+, of one training of it: no interval<' "$t/x.html"
sed -i 's/"format":[[:space:]]*2/"format": 1/' "$t/out/x.json"
expect_error 'x.json: is not a plan of `darknet meta table`, format 2: that command writes it anew' darknet meta report "$t/out"
