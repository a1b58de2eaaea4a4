#!/bin/bash
# scripts/levers.sh: a table that tests on the held-out list alone, whose rows differ in [meta_loss] and the seed, and share their beginnings.
. tests/lib.sh
[ "$TEST_VARIANT" = release ] || { skip 'the table of levers' 'as in release'; exit; }
t=$TMP_TEST
quiet() { "$@" >/dev/null; }
check 'images' quiet scripts/fashion-mnist.sh "$t/fashion" 20
data=$t/fashion/fashion.data
check 'the table' scripts/levers.sh "$data" "$t/out" 40 5 6
check 'tests on the held-out list' test "$(sed -n 's/^test = //p' "$t/out/levers.data")" = "$(sed -n 's/^valid *= *//p' "$data")"
check 'and names no other' test "$(grep -c '^valid\|^test' "$t/out/levers.data")" -eq 1
differs() { for f in "$t"/out/*.cfg; do diff <(sed '1d; /^\[meta_loss\]/,$d' "$f") <(sed '1d; /^\[meta_loss\]/,$d' "$t/out/maml.cfg") || return 1; done; }
check 'rows differ in [meta_loss] alone' differs
check 'weighed from the middle on' test "$(grep -l '^start=20$' "$t"/out/*.cfg | wc -l)" -eq 6
"$DARKNET_BIN" meta table "$t/out/levers.table" -out "$t/out" -dry >"$t/said" 2>&1
check 'a table that can be run' grep -q ': 14 cells, 14 rows, 14 trainings and 2 beginnings that some share; 400 tasks a cell' "$t/said"
check 'the first of a seed begins it' test "$(grep -cE ' 5 +0 of +40 its' "$t/said"):$(grep -cE ' 5 +19 of +40 its' "$t/said")" = 2:12
sed '/^valid/d' "$data" >"$t/none.data"
expect_error 'none.data: has no valid=, the held-out list' scripts/levers.sh "$t/none.data" "$t/none"
expect_error 'nowhere: no such file' scripts/levers.sh "$t/nowhere" "$t/none"
expect_error 'usage: scripts/levers.sh DATA OUT' scripts/levers.sh "$data"
