#!/bin/bash
# A network that is surer ranks the images as before, so that its AUCs, influences and curves stay what they are: test of two
# and three ways, a list to watch, leave-one-out, and the CSV and JSON of predict.
. tests/lib.sh
a=$TMP_TEST/a
mkdir -p "$a"
cat >"$a/tool.py" <<'END_OF_PYTHON'
"""images | weights SCALE WAYS BIAS | same A B | csv FILE CLASS"""
import csv, json, os, random, struct, sys
a = os.path.dirname(sys.argv[0])
KINDS = ("low_", "mid_", "top_")

def images():
    random.seed(5)
    for k, kind in enumerate(KINDS):
        for i in range(24):
            mean, apart = min(200, max(80, round(random.gauss(112 + 12 * k, 16)))), 24 * k + i        # no two are the same
            with open(f"{a}/{kind}{i}.pgm", "wb") as f:
                f.write(b"P5 2 2 255\n" + bytes([mean - apart, mean + apart, mean, mean]))

def weights(scale, ways, bias):
    """Outputs slope x - bias, x the brightness in 255ths: of two ways 0 and x, of three -x, 0 and x."""
    slopes = [0, 1] if ways == 2 else [-1, 0, 1]
    with open(f"{a}/w.weights", "wb") as f:
        f.write(struct.pack("<iiiq", 0, 2, 0, 0))
        f.write(struct.pack(f"<{ways}f", *(-scale * bias * s / 255 for s in slopes)))
        for s in slopes:
            f.write(struct.pack("<4f", *[scale * s / 4] * 4))

def same(one, other):
    one, other = (json.load(open(p)) for p in (one, other))
    figures = lambda r: ([(t["auc_before"], t["auc_after"], t["accuracy_after"], t.get("ranks")) for t in r["tasks"]],
                         r["other_groups"]["influence"], [p["auc_after"] for p in r["pairs"]])
    assert 0 < one["auc_after"]["mean"] < 1
    assert figures(one) == figures(other)

def auc(rows, column):
    score = [float(r[column]) for r in rows]
    top = [KINDS[2] in r["image"] for r in rows]
    wins = [(p > n) + (p == n) / 2 for p, x in zip(score, top) if x for n, y in zip(score, top) if not y]
    return sum(wins) / len(wins)

def main(verb, *words):
    if verb == "images": images()
    if verb == "weights": weights(float(words[0]), int(words[1]), float(words[2]))
    if verb == "same": same(*words)
    if verb == "csv": print("%.6f" % auc(list(csv.DictReader(open(words[0]))), words[1]))
    if verb == "json": print("%.6f" % auc([{"image": r["image"], **r[words[1]]} for r in json.load(open(words[0]))], words[2]))

main(*sys.argv[1:])
END_OF_PYTHON
tool() { python3 "$a/tool.py" "$@"; }
tool images
printf '%s\n' low_ mid_ top_ >"$a/labels3"
printf '%s\n' low_ top_ >"$a/labels2"
for ways in 2 3; do
    ls "$a"/*.pgm | grep -E "$( [ $ways = 2 ] && echo 'low|top' || echo . )" >"$a/list$ways"
    printf 'classes=%d\nlabels=%s\ntrain=%s\nvalid=%s\ntest=%s\n' $ways "$a/labels$ways" "$a/list$ways" "$a/list$ways" "$a/list$ways" >"$a/d$ways.data"
    layers=$(printf '[connected]\noutput=%d\nactivation=linear\n[softmax]\ntemperature=4' $ways)
    printf '[net]\nwidth=2\nheight=2\nchannels=1\nmax_batches=1\n%s\n' "$layers" >"$a/plain$ways.cfg"
    printf '[net]\nwidth=2\nheight=2\nchannels=1\nmax_batches=1\n[episode]\nways=%d\nshots=1\nqueries=10\ntasks=1\n%s\n[inner_loop]\nsteps=0\ntest_steps=0\n' \
        $ways "$layers" >"$a/n$ways.cfg"
done

run() { "$DARKNET_BIN" meta test "$a/d$1.data" "$a/n$1.cfg" "$a/w.weights" -runs 100 -out "$2" "${@:3}" >/dev/null; }
for ways in 2 3; do
    for bias in 128 60; do          # at 60 all images are on one side
        [ $ways$bias != 360 ] || continue        # the middle one of three is ranked by the distance from both others
        for scale in 1 64 4096 262144; do
            tool weights $scale $ways $bias
            run $ways "$a/$scale.json"
            check "outputs times $scale, $ways ways, bias $bias: the same AUCs, ranks, pairs and influences" tool same "$a/1.json" "$a/$scale.json"
        done
    done
done
tool weights 1 2 128; run 2 "$a/1.json" -list valid
tool weights 262144 2 128; run 2 "$a/262144.json" -list valid
check 'on the valid list, too' tool same "$a/1.json" "$a/262144.json"

cat >"$a/roc.py" <<'END_OF_PYTHON'
import json, sys
r = json.load(open(sys.argv[1]))
x, y, low, high = zip(*r["roc"])
area = sum((a + b) / 200 for a, b in zip(y, y[1:]))
assert len(x) == 101 and x[0] == 0 and x[-1] == y[-1] == 1 and list(y) == sorted(y)
assert all(l <= m <= h for l, m, h in zip(low, y, high))
assert abs(area - r["auc_after"]["mean"]) < .01, (area, r["auc_after"]["mean"])
assert not any("ranks" in t for t in r["tasks"])
END_OF_PYTHON
tool weights 64 3 128; run 3 "$a/3.json"
check 'a result of three ways has the mean curve of each class against the rest, whose area is the AUC' python3 "$a/roc.py" "$a/3.json"
tool weights 1 3 128; run 3 "$a/other.json"
check 'meta compare takes two results of three ways' "$DARKNET_BIN" meta compare "$a/3.json" "$a/other.json"
compared() { "$DARKNET_BIN" meta compare "$a/3.json" "$a/other.json"; }
expect_output '^   AUC after [0-9.]+, standard error [0-9.]+; accuracy after 0[.][0-9]+ \(0[.][0-9]+ to 0[.][0-9]+\)$' compared
expect_output '^   of accuracy: [-+0-9.]+, 95% interval [-+0-9.]+ to [-+0-9.]+: ' compared

left_out() { "$DARKNET_BIN" meta adapt "$a/d2.data" "$a/n2.cfg" "$a/w.weights" -out "$a/new" | grep -o 'AUC [.0-9]*'; }
tool weights 1 2 128; left_out >"$a/young"
tool weights 262144 2 60; left_out >"$a/sure"
check "leave-one-out has the same AUC, $(grep . "$a/young" || echo none)" cmp "$a/young" "$a/sure"

predicted() { "$DARKNET_BIN" meta predict "$a/plain2.cfg" "$a/w.weights" "$a/d2.data" "$a/two.list" "$@"; }
cp "$a/list2" "$a/two.list"
tool weights 1 2 128; predicted -csv >"$a/1.csv"
right=$(tool csv "$a/1.csv" top_)
tool weights 256 2 60; predicted -csv >"$a/256.csv"
check "the CSV's probabilities of log-odds up to 30 give the AUC, $right" test "$(tool csv "$a/256.csv" top_)" = "$right"
check 'where a float has one probability for many images, the CSV has as many as there are' \
    test "$(cut -d, -f4 "$a/256.csv" | sort -u | wc -l)" = "$(cut -d, -f4 "$a/1.csv" | sort -u | wc -l)"
predicted -json >"$a/256.json"
check 'so does the JSON' test "$(tool json "$a/256.json" probabilities top_)" = "$right"
tool weights 262144 2 60
predicted -csv >"$a/sure.csv" 2>"$a/err"
check 'predict -csv says how many images have a probability of 1' grep -Eqx 'darknet: 48 images have a class of probability 1: -log_odds tells them apart' "$a/err"
predicted -csv -log_odds >"$a/sure.csv" 2>"$a/err"
check 'with -log_odds it says nothing' test ! -s "$a/err"
check "the CSV's log-odds give the AUC" test "$(tool csv "$a/sure.csv" 'top_ log-odds')" = "$right"
check 'the header of -csv -log_odds' grep -qx 'image,class,low_,top_,low_ log-odds,top_ log-odds' "$a/sure.csv"
predicted -json -log_odds >"$a/sure.json"
check "the JSON's log-odds give the AUC" test "$(tool json "$a/sure.json" log_odds top_)" = "$right"
expect_error '^darknet: -log_odds: must be with -csv or -json$' predicted -log_odds
