#!/bin/bash
# A row whose answers are averaged with those of a row above, of another .cfg and method
. tests/lib.sh
. tests/toy.sh
. tests/table.sh
set -u
t=$TMP_TEST/t
no_charts
toy "$t"
toy "$TMP_TEST/s"
toy_supervised "$TMP_TEST/s"
sed -i 's/^max_batches=.*/max_batches=60/' "$TMP_TEST/s/toy.cfg"
cp "$TMP_TEST/s/toy.cfg" "$t/known.cfg"
sed -i 's/^max_batches=12/max_batches=4/' "$t/toy.cfg"
eta_cfg
cat >"$t/x.table" <<END
[table]
name=Averaged
data=$t/toy.data
seed=1
runs=40
first=2
reference=Mean

[row]
label=Mean
cfg=$t/toy.cfg
each=0
seed=4,1
shots=2

[row]
label=Tuned
cfg=$t/known.cfg
train=pretrain
method=finetune
epochs=3
shots=1,2

[row]
label=Both and Tuned
cfg=$t/eta.cfg
each=0
seed=4,1
ensemble=1
with=Tuned
shots=2

[row]
label=One and Tuned
cfg=$t/toy.cfg
each=0
seed=4
with=Tuned
shots=2
END

change '0,/^with=Tuned/s//with=None/'; wrong "x.table:$(grep -n '^label=Both' "$t/kept" | sed 's/:.*//' | awk '{ print $1 - 1 }'): \[row\] with=None: must be the label of a row above"
change '0,/^with=Tuned/s//with=Both and Tuned/'; wrong 'with=Both and Tuned: must be the label of a row above'
change '0,/^with=Tuned/s//with=One and Tuned/'; wrong 'with=One and Tuned: must be the label of a row above'
change '0,/^with=Tuned/s//with=Mean/'; wrong '\[row\] with=Mean: is of several seeds: must be a row of one, or of ensemble=1'
change 's/^shots=1,2/shots=1/'; wrong '\[row\] with=Tuned: that row has no shots=2'
change 's/^method=finetune/method=knn/; /^epochs/d'; wrong '\[row\] with=Tuned: the answers of method=knn are no probabilities'

check 'meta table -dry reads rows that are averaged with others' quiet table -dry
check 'it has no folder made' test ! -e "$t/out"
check 'meta table -only -dry counts the row that is averaged with' quiet table -only 'Both and Tuned' -dry
check 'with its training' test "$(sed -n 's/^\(Tuned\|Both and Tuned\)  *\([12]\)  .*/\1 \2/p' "$t/said" | tr '\n' ';')" = 'Tuned 2;Both and Tuned 2;' -a "$(grep -c '^Tuned .* 60 its' "$t/said")" -eq 1
check 'meta table runs such a row alone' quiet table -only 'Both and Tuned'
tested() { sed -n 's/^\[[0-9/]*\] \(.*\), \([0-9]\) shots*: AUC.*/\1 \2/p' "$t/said" | tr '\n' ';'; }
check 'it tests the row that is averaged with first' test "$(tested)" = 'Tuned 2;Both and Tuned 2;'
check 'whose answers are kept' test -s "$t/out/answers/x-tuned-2.csv"
check 'and says that both are done' grep -q '^2 of 2 cells' "$t/said"
check 'and no cell of it that is not asked for' test ! -e "$t/out/x-tuned-1.json"
check 'meta table runs the rest' quiet table
check 'it runs no cell again' test "$(grep -c ' AUC ' "$t/said")" -eq 4
check 'only what others are averaged with keeps its answers' test "$(ls "$t/out/answers")" = x-tuned-2.csv

# The same by hand, from the weights that the table has trained.
final() { echo "$t"/out/trainings/"$1"-*/"$1"_final.weights; }
tasks() { tr -d ' \t\n' <"$1" | grep -o '{"run":[^}]*}'; }
known=$(final known)
check 'meta test -csv of the row that is averaged with runs' quiet darknet meta test "$t/toy.data" "$t/known.cfg" "$known" -method finetune -epochs 3 -runs 40 -shots 2 -csv "$t/tuned.csv"
check 'its answers are those that the table has kept' same "$t/tuned.csv" "$t/out/answers/x-tuned-2.csv"
weights=$(python3 - "$t/out/x-both-and-tuned-2.json" <<'END'
import json, sys
f = json.load(open(sys.argv[1]))["files"]
print(f["weights"]["path"] + "," + f["weights_2"]["path"])
END
)
check 'meta test -weights A,B -with those answers runs' quiet darknet meta test "$t/toy.data" "$t/eta.cfg" -weights "$weights" -with "$t/tuned.csv" -runs 40 -shots 2 -out "$t/both.json"
check "its tasks are those of the table's result" test "$(tasks "$t/both.json")" = "$(tasks "$t/out/x-both-and-tuned-2.json")"
check 'the result and the row that it is averaged with differ' test "$(tasks "$t/both.json")" != "$(tasks "$t/out/x-tuned-2.json")"

# What a result depends on, and what is done again.
check 'meta table runs once more' quiet table
check 'it does nothing' test "$(grep -c ' AUC ' "$t/said")" -eq 0
rm "$t/out/answers/x-tuned-2.csv"
check 'without the answers no result is lost' quiet table
check 'and none is made again' test "$(grep -c ' AUC ' "$t/said")" -eq 0
rm "$t/out/x-one-and-tuned-2.json"
check 'a row that needs them has them made' quiet table
check 'with the test that they are of' test "$(tested)" = 'Tuned 2;One and Tuned 2;' -a -s "$t/out/answers/x-tuned-2.csv"
rm "$t/out/x-one-and-tuned-2.json" "$t/out/answers/x-tuned-2.csv"
check '-dry counts that test' quiet table -dry
check 'though its result is there' test "$(grep -c '^Tuned  *2 .*  done .*  done ' "$t/said")" -eq 0 -a "$(grep -c '^Tuned  *1 .*  done .*  done \|^Tuned  *1 .*the same as above.*  done ' "$t/said")" -eq 1
check 'meta table makes both' quiet table
rm "$t/out/x-one-and-tuned-2.json"
tr ',' ';' <"$t/tuned.csv" >"$t/out/answers/x-tuned-2.csv"
check 'a row that is averaged with answers that are others, or were saved by another program, has them made' quiet table
check 'which gives what it gave' same "$t/tuned.csv" "$t/out/answers/x-tuned-2.csv"
change 's/^epochs=3/epochs=2/'
check 'meta table -dry of another setting of that row runs' quiet table -dry
check 'it says that all that are averaged with it are to be made again' test "$(grep 'again: ' "$t/said" | sed 's/  .*//' | sort | tr '\n' ';')" = 'Both and Tuned;One and Tuned;Tuned;Tuned;'
cp "$t/kept" "$t/x.table"

check 'meta report writes a page of it' quiet darknet meta report "$t/out" -out "$t/x.html"
check 'the page says what is averaged with what' grep -q 'as one answer of seeds 4, 1, averaged with Tuned' "$t/x.html"
printf '#!/bin/sh\ncase " $* " in *" -with "*) exit 9;; esac\nexec "$@"\n' >"$t/launcher"
chmod +x "$t/launcher"
rm "$t/out/x-one-and-tuned-2.json"
check 'answers are averaged by one process whatever the launcher is' quiet table -launcher "$t/launcher"

# Temperatures of both answers
change 's/^temper=.*//; 0,/^shots=2/s//shots=2\ntemper=1,4/'; wrong '\[row\] temper: must be two numbers, the row.s own first, beside with='
change '0,/^with=Tuned/s//with=Tuned\ntemper=4/'; wrong '\[row\] temper: must be two numbers'
change '0,/^with=Tuned/s//with=Tuned\ntemper=0,4/'; wrong 'temper.*0'
sed 's/^name=.*/name=Tempered/; s/^with=Tuned/&\ntemper=1,4/' "$t/x.table" >"$t/tempered.table"
check 'meta table runs a row with temperatures' quiet darknet meta table "$t/tempered.table" -out "$t/out" -only 'One and Tuned'
weights=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["files"]["weights"]["path"])' "$t/out/tempered-one-and-tuned-2.json")
check 'meta test -temper of the same runs' quiet darknet meta test "$t/toy.data" "$t/toy.cfg" "$weights" -with "$t/tuned.csv" -temper 1,4 -runs 40 -shots 2 -out "$t/tempered.json"
check "its tasks are those of the table's result" test "$(tasks "$t/tempered.json")" = "$(tasks "$t/out/tempered-one-and-tuned-2.json")"
check 'and not those without temperatures' test "$(tasks "$t/tempered.json")" != "$(tasks "$t/out/x-one-and-tuned-2.json")"
check 'the plan says so' grep -q 'averaged with Tuned at temperatures 1 and 4' "$t/out/tempered.json"
sed -i 's/^temper=1,4/temper=1,5/' "$t/tempered.table"
check 'meta table -dry of other temperatures runs' quiet darknet meta table "$t/tempered.table" -out "$t/out" -only 'One and Tuned' -dry
check 'it says that the row is to be made again' test "$(grep 'again: ' "$t/said" | sed 's/  .*//' | tr '\n' ';')" = 'One and Tuned;'

# All that a row of a test can have
cp "$t/toy.data" "$t/again.data"
cat >"$t/all.table" <<END
[table]
name=All
data=$t/toy.data
list=valid
runs=6
first=2

[row]
label=A
cfg=$t/known.cfg
train=pretrain
method=finetune
epochs=3
shots=2

[row]
label=B
cfg=$t/known.cfg
train=pretrain
train_data=$t/again.data
method=finetune
epochs=3
augment=2
with=A
temper=1,4
shots=2

[row]
label=C
cfg=$t/toy.cfg
each=0
with=B
shots=2
END
check 'meta table runs a row that has everything' quiet darknet meta table "$t/all.table" -out "$t/out"
check 'and what is averaged with it' grep -q '^3 of 3 cells' "$t/said"

# Paired with what of the reference is averaged with the same row
sed 's/^reference=Mean/reference=One/; s/^label=Mean/label=One/; s/^seed=4,1$/seed=4/; /^ensemble=1/d' "$t/x.table" >"$t/y.table"
sed -i 's/^name=.*/name=Paired/' "$t/y.table"
check 'meta table of another reference runs' quiet darknet meta table "$t/y.table" -out "$t/out"
paired() { tr -d ' \t\n' <"$t/out/y-$1-2.json" | grep -o '"reference":"[^"]*"'; }
check "a row is paired with the reference's that is averaged with the same" test "$(paired both-and-tuned)" = '"reference":"OneandTuned"'
check 'that one with the reference' test "$(paired one-and-tuned)" = '"reference":"One"'
check 'what is averaged with them likewise' test "$(paired tuned)" = '"reference":"One"'

# What can't be averaged with fails once, by its name
sed 's/^max_batches=.*/max_batches=2/' "$t/known.cfg" >"$t/bad.cfg"
sed "s#^cfg=$t/known.cfg#cfg=$t/bad.cfg#; s/^name=.*/name=Failing/" "$t/x.table" >"$t/z.table"
mkdir -p "$t/bad/answers/z-tuned-2.csv/in"
check 'a table whose answers can not be written fails' sh -c "! '$DARKNET_BIN' meta table '$t/z.table' -out '$t/bad' -shots 2 >'$t/said' 2>'$t/err'"
check 'it says so of each row that needs them, by the name of theirs' test "$(grep -c '^darknet: .* and Tuned, 2 shots: averaged with Tuned' "$t/err"),$(grep -c '^darknet: Tuned, 2 shots: .*z-tuned-2.csv' "$t/err")" = 2,1
check 'and tests nothing twice' test "$(grep -c '\] Tuned, 2 shots: testing' "$t/said")" -eq 1
# A row of several trainings comes behind those of its first seed: what failed for them is not tried again
cat >"$t/late.table" <<END
[table]
name=Late
data=$t/toy.data
runs=40
first=2

[row]
label=Two
cfg=$t/toy.cfg
each=0
seed=4,1
ensemble=1
shots=2

[row]
label=One and Two
cfg=$t/toy.cfg
each=0
seed=4
with=Two
shots=2
END
mkdir -p "$t/bad/answers/late-two-2.csv/in"
check 'a table whose later row can not be written fails' sh -c "! '$DARKNET_BIN' meta table '$t/late.table' -out '$t/bad' >'$t/said' 2>'$t/err'"
check 'it is tried once, and told of both' test "$(grep -c '\] Two, 2 shots: testing' "$t/said"),$(grep -c '^darknet: One and Two, 2 shots: averaged with Two: ' "$t/err"),$(grep -c '^darknet: Two, 2 shots: failed before, for a row that is averaged with it' "$t/err")" = 1,1,1
sed '/^label=Both/,/^\[row\]/{/^\[row\]/!d}' "$t/x.table" | awk '/^\[row\]/ { if (held) next; held = 1; print; next } { held = 0; print }' | sed 's/^name=.*/name=Alone/' >"$t/alone.table"
expect_error 'alone.table:[0-9]*: \[row\]: .*a,b/answers/alone-tuned-2.csv: names of answers must have no comma' darknet meta table "$t/alone.table" -out "$t/a,b" -dry
