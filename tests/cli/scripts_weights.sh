#!/bin/bash
# scripts/weights.py writes a network to begin with, and its card has what meta test says; the networks in data/weights can be begun with.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a out=$TMP_TEST/out
toy "$a"
quiet() { "$@" >"$TMP_TEST/quiet" 2>&1; }
check 'a short training runs' quiet "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -max_batches 60 -valid_every 0
weights() { scripts/weights.py "$a/toy.data" "$a/toy.data" "$a/toy.cfg" "$1" "$out/start" --recipe 'A recipe.' --seed 1 --runs 30 >"$TMP_TEST/said" 2>&1; }
check 'scripts/weights.py runs' weights "$a/backup/toy_final.weights"
check 'it asks sixteen times' test "$(grep -c '^\$ ' "$TMP_TEST/said")" -eq 16
for of in cfg:toy.cfg weights:backup/toy_final.weights; do check "it copies ${of#*:}" cmp "$out/start.${of%:*}" "$a/${of#*:}"; done
check 'it learns temperatures of each kind of statistics' test "$(grep -Ec '^(batch|support) [135] ' "$out/start.temperature")" -eq 6
card() { python3 - "$out/start" <<'PY'
import json, sys
stem = sys.argv[1]
page = open(stem + ".md").read()
assert page.startswith("# start\n\nA recipe."), page[:60]
assert "Trained on 64 images" in page and " 32 images of other" in page.replace("\n  ", " "), "lists"
assert "12x12 pixels, ways=2" in page and "c6" in page.replace("c6_", "c6"), "settings"
for name in "shots-1", "shots-3", "shots-5", "exported-off", "exported-on":
    d = json.load(open("%s.json/%s.json" % (stem, name)))
    e = d["auc_after"]
    assert "%.1f (%.1f to %.1f)" % (100 * e["mean"], 100 * e["low"], 100 * e["high"]) in page, name
    assert len(d["tasks"]) == 30
    if name.startswith("exported"):
        assert d["settings"]["bn"] == "support" and "%.3f (%.3f to %.3f)" % tuple(d["nll"][k] for k in ("mean", "low", "high")) in page, name
PY
}
check 'the card says what meta test has written' card
check 'and what meta adapt came to' grep -q 'ten times, each on' "$out/start.md"
check 'without its page it runs again' rm "$out/start.md"
check 'the page is written again' weights "$a/backup/toy_final.weights"
check 'and nothing is measured again' test "$(grep -c '^\$ ' "$TMP_TEST/said")" -eq 0
# Rates of other weights, which that name had before, would be taken for those of these
echo old >"$out/start.rates"
rm "$out/start.json/adapted.json"
check 'over learned rates of other weights it runs' weights "$a/backup/toy_final.weights"
check 'which are gone' test ! -e "$out/start.rates"
check 'and everything is measured again' test "$(grep -c '^\$ ' "$TMP_TEST/said")" -eq 16
# Lists, labels and groups whose paths have blanks, and another number of tasks
mkdir "$a/with blank"
cp "$a/labels" "$a/with blank/labels"
sed -i "s#^labels=.*#labels=$a/with blank/labels#" "$a/toy.data"
check 'with fewer tasks it runs again' scripts/weights.py "$a/toy.data" "$a/toy.data" "$a/toy.cfg" "$a/backup/toy_final.weights" "$out/start" --recipe 'A recipe.' --seed 1 --runs 20
check 'its figures are of as many tasks as the card says' python3 -c "import json; assert len(json.load(open('$out/start.json/shots-5.json'))['tasks']) == 20 and '20 tasks of' in open('$out/start.md').read()"
rm "$out/start.json/adapted.json"
check 'meta adapt is asked with paths that have blanks' weights "$a/backup/toy_final.weights"
sed '/^shots=/d' "$a/toy.cfg" >"$a/short.cfg"
expect_error '^scripts/weights\.py: .*short\.cfg: \[episode\] has no shots=' scripts/weights.py "$a/toy.data" "$a/toy.data" "$a/short.cfg" "$a/backup/toy_final.weights" "$out/short" --recipe x --seed 1
check 'another training runs' quiet "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name other -seed 2 -max_batches 60 -valid_every 0
check 'other weights take their place' weights "$a/backup/other_final.weights"
check 'and are measured' test "$(grep -c '^\$ ' "$TMP_TEST/said")" -eq 16
check 'the card says what meta test has written of them' card
expect_error '^scripts/weights\.py: .*/none\.weights: No such file or directory$' scripts/weights.py "$a/toy.data" "$a/toy.data" "$a/toy.cfg" "$a/none.weights" "$out/none" --recipe x --seed 1

# What can be begun with: three images of each class, whatever they show
set -- data/weights/*.cfg
check 'there are networks to begin with' test -f "$1"
for cfg; do
    stem=${cfg%.cfg} name=$(basename "$cfg" .cfg) ways=$(sed -n 's/^ways=\([0-9]*\).*/\1/p' "$cfg") few=$TMP_TEST/few-${cfg##*/}
    for ((k = 0; k < ways; k++)); do mkdir -p "$few/c$k"; cp "$a"/images/c${k}_[0-2].pgm "$few/c$k"; done
    check "$name has weights, temperatures and a card" test -s "$stem.weights" -a -s "$stem.temperature" -a -s "$stem.md"
    check "$name's card names them" grep -qF "$cfg $stem.weights" "$stem.md"
    check "$name is adapted to $ways classes" "$DARKNET_BIN" meta adapt "$few" "$cfg" "$stem.weights" -out "$few/own"
    check "$name's temperature is taken" grep -Eq "^# .*temperature [0-9.]+" "$few/own.cfg"
    check "$name's answers can be asked for" quiet "$DARKNET_BIN" meta predict "$few/own.cfg" "$few/own.weights" "$few/own.data" "$few/c0"
done
