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
check 'the results of a table with list=valid are of the valid list' grep -q "\"list\":\"valid\".*\"path\":\"$t/valid.list\"" <(result choice)
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
# Final and averaged weights of one training as two rows
sed -i 's/^adam=1/adam=1\naverage=0.5/' "$t/toy.cfg"
table average list=valid
row() { printf '\n[row]\nlabel=Averaged\ncfg=%s\nshots=2\nseed=1,2\ntested=average\n' "$t/toy.cfg" >>"$t/average.table"; }
row
check 'meta table runs a table with tested=average' run average
averaged() { tr -d ' \t\n' <"$t/out/average-averaged-seed-1-2.json"; }
check 'a row with tested=average is a test of the averaged weights' grep -q '"path":"[^"]*/toy_average.weights"' <(averaged)
check 'the row beside it is one of the final weights' grep -q '"path":"[^"]*/toy_final.weights"' <(tr -d ' \t\n' <"$t/out/average-one-seed-1-2.json")
check 'both are of one training for each seed' test "$(ls "$t/out/trainings" | wc -l)" -eq 4
check 'the averaged row, too, is done once' run average
check 'a second run of it takes two lines' test "$(wc -l <"$t/said")" -eq 2
# The trainings of both seeds as one answer, from copies of each image
{ sed 's/^name=.*/name=Together/; /^\[row\]/,$d' "$t/average.table"; sed -n '/^\[row\]/,/^seed=/p' "$t/choice.table"; } >"$t/together.table"
printf '\n[row]\nlabel=Both\ncfg=%s\nshots=2\nseed=1,2\nensemble=1\naugment=2\n' "$t/toy.cfg" >>"$t/together.table"
check 'meta table counts the hours of an ensemble' run together -dry
check 'whose trainings are those of the rows above' grep -q '^Both  *2  the same as above' "$t/said"
check 'meta table runs a table with an ensemble' run together
both() { tr -d ' \t\n' <"$t/out/together-both-2.json"; }
check 'nothing is trained for the ensemble' test "$(ls "$t/out/trainings" | wc -l)" -eq 4
darknet meta test "$t/toy.data" "$t/toy.cfg" -weights "$(echo "$t"/out/trainings/*/toy_average.weights | sed 's/_average/_final/g; s/ /,/')" -list valid -runs 6 -seed 1 -shots 2 -augment 2 -out "$t/both.json" >/dev/null
auc() { tr -d ' \t\n' <"$1" | grep -o '"auc_after":{[^}]*}' | head -n 1; }
check 'the figure of an ensemble is that of meta test -weights -augment' test "$(auc "$t/out/together-both-2.json")" = "$(auc "$t/both.json")"
# Paired with the other row's trainings together, and run by one process whatever the launcher is
sed 's/^label=Both/label=Other together/; s#^\(cfg=.*\)/toy.cfg#\1/eta.cfg#' "$t/together.table" | sed -n '/^label=Other/,$p' | { printf '\n[row]\n'; cat; } >"$t/rest"
sed 's/^eta=2/eta=1/; s/^start=7/start=0/' "$t/toy.cfg" >"$t/eta.cfg"
{ sed 's/^first=.*/&\nreference=One/' "$t/together.table"; cat "$t/rest"; } >"$t/paired.table"
sed -i 's/^name=.*/name=Paired/' "$t/paired.table"
printf '#!/bin/sh\ncase " $* " in *" -weights "*) exit 9;; esac\nexec "$@"\n' >"$t/launcher"
chmod +x "$t/launcher"
run paired -only One
check 'a report says that an ensemble is not yet run' sh -c "'$DARKNET_BIN' meta report '$t/out' -only paired -markdown | grep '^| Other together ' | grep -q 'not yet run'"
check 'the tests of an ensemble are of one process, whatever the launcher is' run paired -launcher "$t/launcher"
paired() { tr -d ' \t\n' <"$t/out/paired-$1-2.json" | grep -o '"reference":"[^"]*"'; }
check 'an ensemble is paired with that of the reference' test "$(paired other-together)" = '"reference":"Both"'
check 'that of the reference with its first training' test "$(paired both)" = '"reference":"One,seed1"'
check 'the Markdown says beside what' sh -c "'$DARKNET_BIN' meta report '$t/out' -only paired -markdown | grep '^| Other together ' | grep -q '(beside Both)'"
sed -i 's/^runs=.*/runs=7/' "$t/paired.table"
check 'what has changed of an ensemble is said' sh -c "'$DARKNET_BIN' meta table '$t/paired.table' -out '$t/out' -dry | grep '^Both ' | grep -q 'again: tasks is 7, but was 6'"
check 'a report has the iterations of each training of an ensemble' sh -c "'$DARKNET_BIN' meta report '$t/out' -out '$t/out.html' >'$t/log' && grep -A4 '>Both</' '$t/out.html' | grep -q '\"iterations\">[1-9][0-9]*</td><td data-column=\"its seed\">each its own<'"
check 'the plan says how an ensemble is asked' grep -q '"asked":"asoneanswerofseeds1,2,2copiesofeachimage"' <(tr -d ' \t\n' <"$t/out/together.json")
check 'the page does, too' sh -c "'$DARKNET_BIN' meta report '$t/out' -only together -out '$t/x.html' && grep -q 'maml, as one answer of seeds 1, 2, 2 copies of each image</td>' '$t/x.html'"
check 'meta compare says what differs' sh -c "'$DARKNET_BIN' meta compare '$t/out/together-one-seed-1-2.json' '$t/out/together-both-2.json' | grep '^B ' | grep -q ' and 1 more, 2 copies of each image$'"
check 'its result names the seeds' grep -q '"ensemble":\[1,2\]' <(both)
check 'and is done once' run together
check 'in two lines' test "$(wc -l <"$t/said")" -eq 2
check 'a report of it is made' darknet meta report "$t/out" -out "$t/x.html"
row_fault() { { cat "$t/choice.table"; printf '\n[row]\nlabel=F\ncfg=%s\nshots=2\n%s\n' "$t/toy.cfg" "$1"; } >"$t/fault.table"; darknet meta table "$t/fault.table" -out "$t/out2" -dry; }
expect_error 'fault.table:.*: \[row\] ensemble=1: is of several trainings: needs two numbers of seed or more' row_fault 'ensemble=1'
expect_error 'fault.table:.*: \[row\] augment: only with method=maml, finetune, prototype' row_fault 'augment=2
method=knn'
expect_error 'fault.table:.*: \[row\] ensemble=1: of method=knn there are no probabilities to average' row_fault 'ensemble=1
seed=1,2
method=knn'
sed -i '/^average=/d' "$t/toy.cfg"
expect_error 'average.table:15: \[row\] tested=average: .*toy.cfg has no \[net\] average' darknet meta table "$t/average.table" -out "$t/out" -dry

sed -i '/^valid=/d' "$t/toy.data"
expect_error 'toy.data: has no valid=' darknet meta table "$t/choice.table" -out "$t/out" -dry
sed -i 's/^list=.*/list=train/' "$t/choice.table"
expect_error 'choice.table:4: \[table\] list=train: must be test or valid' darknet meta table "$t/choice.table" -out "$t/out" -dry
