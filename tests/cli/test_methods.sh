#!/bin/bash
# meta test -method: every method on the same tasks, the same from any number of threads; what each
# does, and what it refuses
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a m=$TMP_TEST/maml
no_charts
toy "$m"
toy "$a"
toy_supervised "$a"
data=$a/toy.data cfg=$a/toy.cfg weights=$a/backup/toy_final.weights
darknet() { "$DARKNET_BIN" "$@"; }
quiet() { "$@" >"$a/out" 2>"$a/err"; }
sed -i 's/^policy=.*/policy=constant/; /^steps=6/d; /^scales=/d; /^burn_in/d; s/^exposure=.*/exposure=1.1/; s/^angle=.*/angle=3/' "$cfg"
check 'meta train makes a network for MAML' train "$m" -max_batches 4 -valid_every 0
check 'meta pretrain makes a network that is next to untrained' pretrain "$a" -max_batches 1 -valid_every 0
cp "$weights" "$a/random.weights"
check 'meta pretrain makes a classifier' pretrain "$a" -max_batches 400 -valid_every 0

# on METHOD JSON FLAG...: tests the pretrained classifier of four classes by METHOD on tasks of two
# other classes
on() { local method=$1 json=$2; shift 2; quiet darknet meta test "$data" "$cfg" "$weights" -method "$method" -out "$a/$json.json" "$@"; }
figure() { awk -v what="$1" '$1 == "AUC" && $2 == what { print $3 }' "$a/out"; }
check 'meta test runs MAML by default' quiet darknet meta test "$data" "$m/toy.cfg" "$m/backup/toy_final.weights" -out "$a/maml.json"
check 'meta test -method maml runs' quiet darknet meta test "$data" "$m/toy.cfg" "$m/backup/toy_final.weights" -method maml -out "$a/named.json"
check '-method maml gives the same result as the default' same "$a/maml.json" "$a/named.json"
short=(-epochs 4)
for method in finetune knn svm; do
    check "-method $method runs" on $method $method "${short[@]}"
    check "-method $method writes nothing to standard error" test ! -s "$a/err"
    check "-method $method runs on 3 threads" on $method $method-3 -threads 3 "${short[@]}"
    check "-method $method gives the same result on 3 threads" same "$a/$method.json" "$a/$method-3.json"
    check "meta compare pairs $method with MAML" darknet meta compare "$a/maml.json" "$a/$method.json"
    short=()
done
for method in finetune knn svm; do
    kept=0; [ $method != finetune ] || kept=1
    check "the result of $method has $kept calibration errors" test "$(grep -c '"ece"' "$a/$method.json")" -eq $kept
done
tasks() { tr -d ' \t\n' <"$a/$1.json" | grep -o '{"run":[^}]*}' | head -n 10; }
check '-method svm runs on ten tasks' on svm ten -runs 10
check 'the tasks of -runs 10 are the first ten of 30' test "$(tasks ten)" = "$(tasks svm)"
check 'meta compare names the methods of both results' bash -c "'$DARKNET_BIN' meta compare '$a/knn.json' '$a/svm.json' | grep -cE ', (knn|svm)\$' | grep -qx 2"
check '-method knn runs with all support images as neighbours' on knn all -neighbours 4
expect_error '-neighbours 5: must be 1 to 4, the support images of a task' darknet meta test "$data" "$cfg" "$weights" -method knn -neighbours 5
check 'knn with all support images as neighbours makes every score a tie' grep -q '^AUC after *0.5000 ' "$a/out"
check 'meta test prints the neighbours and the layer of knn' grep -q '4 nearest neighbours in layer 2, seed 1$' "$a/out"
check '-method svm -layer 0 runs' on svm layer0 -layer 0
check 'meta test prints the layer of svm' grep -q 'a support vector machine on layer 0, seed 1$' "$a/out"
check 'another -layer gives svm other scores' differ "$a/svm.json" "$a/layer0.json"
check 'svm, which adapts nothing, has no figure before' bash -c "! grep -q before '$a/out'"

# colour learns from the images alone.
colour() { quiet darknet meta test "$data" "$cfg" -method colour -out "$a/$1.json" "${@:2}"; }
check '-method colour runs without weights' colour colour
check 'meta test prints what colour does, and names no weights' grep -q "^$a/test.list: 30 tasks of 2 classes, 2 shots, .*, logistic regression on colours, seed 1\$" "$a/out"
check '-method colour has calibration figures' grep -q '^ECE ' "$a/out"
check '-method colour runs on 3 threads' colour colour-3 -threads 3
check '-method colour gives the same result on 3 threads' same "$a/colour.json" "$a/colour-3.json"
check 'the result of colour has no weights' sh -c "! grep -q '\"weights\"' '$a/colour.json'"
check 'meta compare pairs colour with MAML' bash -c "'$DARKNET_BIN' meta compare '$a/maml.json' '$a/colour.json' | grep -q '^B  $cfg, colour\$'"
# Bright and dark images: at 5 shots colour tells them apart without a fault.
mkdir "$a/tones"
for k in {0..12}; do
    for tone in 70 180; do
        { printf 'P5 12 12 255\n'; head -c 144 /dev/zero | tr '\000' "\\$(printf %o $((tone + k)))"; } >"$a/tones/t${tone}_$k.pgm"
        echo "$a/tones/t${tone}_$k.pgm"
    done
done >"$a/tones.list"
printf 't70_\nt180_\n' >"$a/tones.labels"
printf 'classes=2\nlabels=%s\ntest=%s\n' "$a/tones.labels" "$a/tones.list" >"$a/tones.data"
check '-method colour runs on bright and dark images' quiet darknet meta test "$a/tones.data" "$cfg" -method colour -shots 5
check 'colour tells bright from dark images' grep -q '^AUC after *1.0000 ' "$a/out"
expect_error '-method colour: learns from the images alone: must be without WEIGHTS' darknet meta test "$data" "$cfg" "$weights" -method colour
for method in finetune knn svm; do expect_error "-method $method: needs WEIGHTS, behind DATA and CFG" darknet meta test "$data" "$cfg" -method $method; done
expect_error '-method maml: needs WEIGHTS' darknet meta test "$data" "$m/toy.cfg"
printf '[table]\nname=C\ndata=%s\nruns=4\nfirst=2\n\n[row]\nlabel=Colour\ncfg=%s\nmethod=colour\ntrain=none\nshots=1,2\n' "$data" "$cfg" >"$a/c.table"
check 'meta table runs a row of colour without weights' quiet darknet meta table "$a/c.table" -out "$a/c"
check 'the table has two results of colour' test "$(grep -lE '"method":[[:space:]]*"colour"' "$a"/c/c-colour-*.json | wc -l)" -eq 2
sed "s#^train=none#train=none\nweights=$weights#" "$a/c.table" >"$a/w.table"
expect_error 'w.table:7: \[row\] method: reads no weights: must be with train=none, and without weights' darknet meta table "$a/w.table" -out "$a/w"
sed '/^train=none/d' "$a/c.table" >"$a/t.table"
expect_error 't.table:7: \[row\] method: reads no weights' darknet meta table "$a/t.table" -out "$a/w"

# Both backends rank alike, but for a tie or two.
check '-method svm runs on the reference backend' on svm reference-svm -backend reference
near() { "$DARKNET_BIN" meta compare "$1" "$2" | awk '/^B - A/ { exit !($4 + 0 > -.02 && $4 + 0 < .02) }'; }
check 'svm is as good on the reference backend' near "$a/svm.json" "$a/reference-svm.json"

# Fine-tuning has a curve, and does better from pretrained weights than from random ones.
check '-method finetune runs for 30 epochs' on finetune finetune -runs 60 -epochs 30
after=$(figure after)
check "fine-tuning raises the AUC: $(figure before) to $after" awk "BEGIN { exit !($after > $(figure before) + .1 && $after > .6) }"
check 'the result of fine-tuning has its curve over epochs' python3 - "$a/finetune.json" <<'END_OF_PYTHON'
import json, sys
j = json.load(open(sys.argv[1]))
c = j["curve"]
assert j["settings"]["method"] == "finetune" and j["settings"]["epochs"] == 30
assert [p["epoch"] for p in c] == [30 * i // 25 for i in range(26)], [p["epoch"] for p in c]
assert c[0]["support_loss"]["mean"] is None and all(p["auc"]["tasks"] == 60 for p in c)
assert abs(c[0]["auc"]["mean"] - j["auc_before"]["mean"]) < 1e-12 and abs(c[-1]["auc"]["mean"] - j["auc_after"]["mean"]) < 1e-12
assert c[-1]["support_loss"]["mean"] < .3 * c[1]["support_loss"]["mean"]
assert "curve" not in json.load(open(sys.argv[1].replace("finetune", "knn")))
END_OF_PYTHON
check '-method finetune runs from random weights' quiet darknet meta test "$data" "$cfg" "$a/random.weights" -method finetune -runs 60 -epochs 30 -out "$a/random.json"
check "fine-tuning from random weights is worse: $(figure after)" bash -c "'$DARKNET_BIN' meta compare '$a/random.json' '$a/finetune.json' | grep -q 'B is better'"
check '-method finetune -rate 0 runs' on finetune rate0 -rate 0 -epochs 3
check 'fine-tuning at a rate of 0 changes nothing' test "$(figure before)" = "$(figure after)"

# A Relation Net is tested by its own method alone.
sed '/^\[convolutional\]/,$d' "$m/toy.cfg" >"$a/relation.cfg"
cat >>"$a/relation.cfg" <<'END_OF_CFG'
[convolutional]
batch_normalize=1
filters=4
size=3
pad=1
activation=relu

[relation]

[connected]
output=1
activation=logistic

[cost]

[inner_loop]
steps=0
test_steps=0
order=1
END_OF_CFG
check 'meta train trains a Relation Net' quiet darknet meta train "$data" "$a/relation.cfg" -max_batches 2 -valid_every 0
relation=$a/backup/relation_final.weights
check 'meta test tests a Relation Net' quiet darknet meta test "$data" "$a/relation.cfg" "$relation" -out "$a/relation.json"
check 'meta test -method relation runs' quiet darknet meta test "$data" "$a/relation.cfg" "$relation" -method relation -out "$a/relation-named.json"
check 'the result of a Relation Net has calibration figures' grep -q '"ece"' "$a/relation.json"
check '-method relation is the default of a Relation Net' same "$a/relation.json" "$a/relation-named.json"
check 'the result of a Relation Net names its method' grep -q '"method":.*"relation"' "$a/relation.json"
for method in maml finetune knn svm; do
    expect_error "relation.cfg:[0-9]+: \[relation\]: pairs the images of a task, which -method $method knows nothing of; allowed: -method relation" \
        darknet meta test "$data" "$a/relation.cfg" "$relation" -method $method
done
expect_error 'toy.cfg: has no \[relation\], which -method relation needs' darknet meta test "$data" "$m/toy.cfg" "$m/backup/toy_final.weights" -method relation

expect_error '-method x: must be maml, finetune, knn, svm, colour, relation or prototype$' darknet meta test "$data" "$cfg" "$weights" -method x
expect_error 'gives 4 probabilities, but \[episode\] has ways=2: must be equal' darknet meta test "$data" "$cfg" "$weights"
expect_error '-steps: -method knn does not read it; allowed with maml, relation, prototype' darknet meta test "$data" "$cfg" "$weights" -method knn -steps 2
expect_error '-epochs: -method maml does not read it; allowed with finetune' darknet meta test "$data" "$m/toy.cfg" "$m/backup/toy_final.weights" -epochs 2
expect_error '-rate: -method svm does not' darknet meta test "$data" "$cfg" "$weights" -method svm -rate .1
expect_error '-neighbours: -method svm does not read it; allowed with knn' darknet meta test "$data" "$cfg" "$weights" -method svm -neighbours 3
expect_error '-layer: -method finetune does not' darknet meta test "$data" "$cfg" "$weights" -method finetune -layer 1
expect_error '-layer 4: must be 0 to 3, the layers of .*toy.cfg before \[softmax\]' darknet meta test "$data" "$cfg" "$weights" -method knn -layer 4
expect_error '-epochs' darknet meta test "$data" "$cfg" "$weights" -method finetune -epochs 0
sed '/^\[connected\]/,/^activation/d' "$cfg" >"$a/bare.cfg"
expect_error 'bare.cfg:[0-9]+: \[softmax\]: -method finetune puts a new \[connected\]' darknet meta test "$data" "$a/bare.cfg" "$weights" -method finetune
expect_error 'bare.cfg: has no layer before a \[connected\].*-layer must name one' darknet meta test "$data" "$a/bare.cfg" "$weights" -method knn
