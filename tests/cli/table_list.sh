#!/bin/bash
# Two tables of the same trainings in one folder: one is tested on the valid list, where choices are made, the other, once they are made,
# on the test list. Nothing is trained for the second.
. tests/lib.sh
. tests/toy.sh
set -u
t=$TMP_TEST/t
toy "$t"
sed -i 's/^filters=4/filters=16/; s/^max_batches=12/max_batches=2/' "$t/toy.cfg"
table()
{
    printf '[table]\nname=%s\ndata=%s\n%s\nruns=6\nfirst=2\nvalid_every=0\n\n[row]\nlabel=One\ncfg=%s\nshots=2\nseed=1,2\n' \
        "$1" "$t/toy.data" "$2" "$t/toy.cfg" >"$t/$1.table"
}
table choice list=valid
table final ''
darknet() { "$DARKNET_BIN" "$@"; }
run() { darknet meta table "$t/$1.table" -out "$t/out" "${@:2}" >"$t/said" 2>&1 || { cat "$t/said"; return 1; }; }
result() { tr -d ' \t\n' <"$t/out/$1-one-seed-1-2.json"; }
check 'meta table runs a table with list=valid' run choice
check 'its results are of the valid list' grep -q "\"list\":\"valid\".*\"path\":\"$t/valid.list\"" <(result choice)
check 'its plan says so' grep -q '"list":"valid"' <(tr -d ' \t\n' <"$t/out/choice.json")
check 'so does its page' darknet meta report "$t/out" -out "$t/x.html"
check 'its page names the list' grep -q 'the same 6 tasks of the valid list, seed 1' "$t/x.html"
check 'a finished table with list=valid has nothing to do' run choice
check 'that takes two lines' test "$(wc -l <"$t/said")" -eq 2
trainings() { ls -l --full-time "$t"/out/trainings/*/; }
before=$(trainings)
check 'meta table runs the same rows on the test list' run final
check 'its results are of the test list' grep -q "\"list\":\"test\".*\"path\":\"$t/test.list\"" <(result final)
check 'it has trained nothing' test "$(trainings)" = "$before" -a "$(ls "$t/out/trainings" | wc -l)" -eq 2
sed -i '/^valid=/d' "$t/toy.data"
expect_error 'toy.data: has no valid=' darknet meta table "$t/choice.table" -out "$t/out" -dry
sed -i 's/^list=.*/list=train/' "$t/choice.table"
expect_error 'choice.table:4: \[table\] list=train: must be test or valid' darknet meta table "$t/choice.table" -out "$t/out" -dry
