#!/bin/bash
# scripts/levers.sh: a table that tests on the held-out list alone, whose rows differ in [meta_loss] and the seed, and share their beginnings.
. tests/lib.sh
[ "$TEST_VARIANT" = release ] || { skip 'the table of levers' 'as in release'; exit; }
t=$TMP_TEST
quiet() { "$@" >/dev/null; }
check 'scripts/fashion-mnist.sh makes the images' quiet scripts/fashion-mnist.sh "$t/fashion" 20
data=$t/fashion/fashion.data
check 'scripts/levers.sh writes the table of levers' scripts/levers.sh "$data" "$t/out" 40 5 6
check 'the table of levers tests on the held-out list' test "$(sed -n 's/^test = //p' "$t/out/levers.data")" = "$(sed -n 's/^valid *= *//p' "$data")"
check 'the table of levers names no other list to test on' test "$(grep -c '^valid\|^test' "$t/out/levers.data")" -eq 1
differs() { for f in "$t"/out/*.cfg; do diff <(sed '1d; /^\[meta_loss\]/,$d' "$f") <(sed '1d; /^\[meta_loss\]/,$d' "$t/out/maml.cfg") || return 1; done; }
check 'rows of the table of levers differ in [meta_loss] alone' differs
starts() { grep -h '^start=' "$t"/out/*.cfg | sort | uniq -c | tr -s ' \n' ' '; }
check 'all rows of the table of levers but three weigh from the middle on' test "$(starts)" = ' 1 start=0 1 start=10 6 start=20 1 start=30 '
"$DARKNET_BIN" meta table "$t/out/levers.table" -out "$t/out" -dry >"$t/said" 2>&1
check 'meta table reads the table of levers' grep -q ': 20 cells, 20 rows, 20 trainings and 6 beginnings that some share; 400 tasks a cell' "$t/said"
# For each seed the first row begins anew, and so does start=0; start=10 goes on from 9, start=30
# from 29, the others from 19.
begins() { sed -n 's/.* 5 *\([0-9]*\) of *40 its.*/\1/p' "$t/said" | sort -n | uniq -c | tr -s ' \n' ' '; }
check 'rows of the table of levers go on from where they part' test "$(begins)" = ' 4 0 2 9 12 19 2 29 '
sed '/^valid/d' "$data" >"$t/none.data"
expect_error 'none.data: has no valid=, the held-out list' scripts/levers.sh "$t/none.data" "$t/none"
expect_error 'nowhere: no such file' scripts/levers.sh "$t/nowhere" "$t/none"
expect_error 'usage: scripts/levers.sh DATA OUT' scripts/levers.sh "$data"
