#!/bin/bash
# [inner_loop] head=imprinted: the last layer starts from the class means of a task, in training, at test and in meta adapt.
. tests/lib.sh
. tests/toy.sh
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$TMP_TEST/out" 2>"$TMP_TEST/err"; }
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
sed -i 's/^learning_rate=0.1/learning_rate=0.01\nhead=imprinted/' "$a/toy.cfg"
toy_twin "$a" "$whole"
cfg=$a/toy.cfg weights=$whole/backup/toy_final.weights
flags=(-seed 5 -backup_every 4 -valid_every 0)
check 'meta train trains with an imprinted head' train "$whole" "${flags[@]}" -threads 1
check 'an imprinted head trains on 3 threads' train "$a" "${flags[@]}" -threads 3
check 'an imprinted head on 3 threads gets the same weights and state' same_end "$a" "$whole"
rm "$a"/backup/*
check 'an imprinted head trains up to iteration 7' train "$a" "${flags[@]}" -max_batches 7
sed 's/^head=imprinted/head=learned/' "$cfg" >"$a/x.cfg"
expect_error "can't resume: \[inner_loop\] head \(section 8\) is learned, but was imprinted in the checkpoint$" \
    darknet meta train "$a/toy.data" "$a/x.cfg" -name toy -resume "${flags[@]}"
check 'an imprinted head goes on' train "$a" "${flags[@]}" -resume
check 'an imprinted head in parts ends as an unbroken run' same_end "$a" "$whole"
check 'meta check holds an imprinted head to its identities' quiet darknet meta check "$cfg"
for order in 1 2; do
    sed "s/^order=.*/order=$order\nadapt=head\nrates=layer/" "$cfg" >"$a/all.cfg"
    check "meta check holds an imprinted head with adapt=head, rates=layer and order=$order to its identities" quiet darknet meta check "$a/all.cfg"
done

# What the last layer was before does not matter: not to a test, not to what meta adapt writes.
python3 - "$weights" "$a/other.weights" <<'END_OF_PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
open(sys.argv[2], "wb").write(data[:-200] + struct.pack("<50f", *(.1 * k for k in range(50))))
END_OF_PYTHON
test_it() { darknet meta test "$a/toy.data" "$1" "$2" -runs 20 -out "$3"; }
check 'meta test tests an imprinted head' quiet test_it "$cfg" "$weights" "$a/a.json"
check 'meta test tests it with another last layer' quiet test_it "$cfg" "$a/other.weights" "$a/b.json"
check 'the AUC is the same' test "$(grep -m 1 '"auc"' "$a/a.json")" = "$(grep -m 1 '"auc"' "$a/b.json")"
check 'the result says so' grep -q '"head":.*"imprinted"' "$a/a.json"
check 'a learned head takes notice of it' quiet test_it "$a/x.cfg" "$weights" "$a/c.json"
check 'the result of a learned head says nothing' eval '! grep -q "\"head\"" "$a/c.json"'

printf '%s\n' classes=2 "labels=$a/two.labels" "train=$a/few.list" >"$a/two.data"
printf 'c6_\nc7_\n' >"$a/two.labels"
grep -E '/c[67]_[0-3]\.pgm' "$a/test.list" >"$a/few.list"
for steps in 0 3; do
    for which in weights other; do
        [ $which = weights ] && from=$weights || from=$a/other.weights
        check "meta adapt -steps $steps adapts $which" quiet darknet meta adapt "$a/two.data" "$cfg" "$from" -steps $steps -out "$a/$which-$steps"
    done
    check "with $steps steps both are the same" cmp "$a/weights-$steps.weights" "$a/other-$steps.weights"
done
check 'steps lead elsewhere' eval '! cmp -s "$a/weights-0.weights" "$a/weights-3.weights"'
right() { darknet meta predict "$a/weights-0.cfg" "$a/weights-0.weights" "$a/two.data" "$a/few.list" -csv 2>/dev/null | awk -F, 'NR > 1 { n++; r += index(part[split($1, part, "/")], $2) == 1 } END { print n == 8 ? r : 0 }'; }
check "class means are right on $(right) of the 8 images that they are of" test "$(right)" -ge 6
