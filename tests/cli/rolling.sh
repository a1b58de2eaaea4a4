#!/bin/bash
# Rolling statistics of young models: files have Darknet's arithmetic and the number of batches, and whatever normalises by them
# divides them by 1 - .99^batches.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
toy "$a"
toy_supervised "$a"
data=$a/toy.data cfg=$a/toy.cfg young=$a/backup/toy_final.weights
meta() { "$DARKNET_BIN" meta "$@"; }
sed 's/^classes=.*/classes=4/; s/^labels=.*/labels=four/' "$data" >"$a/four.data"
printf 'c0_\nc1_\nc2_\nc3_\n' >"$a/four"
sed -i "s#=four#=$a/four#" "$a/four.data"

# weights.py: what a test asks of a .weights file of these networks
cat >"$a/weights.py" <<'END'
"""weights.py updates FILE: the number of batches in the header; weights.py corrected FILE OUT: OUT with corrected statistics,
which are said to be settled. The first layer has its biases, scales, means and variances first, `filters` of each."""
import struct, sys
raw = bytearray(open(sys.argv[2], "rb").read())
revision, = struct.unpack_from("<i", raw, 8)
n = revision & 0xffff if revision >> 16 == 0x4d4c else 0
if sys.argv[1] == "updates":
    print(n)
else:
    filters = 16
    for i in range(2 * filters, 4 * filters):
        x, = struct.unpack_from("<f", raw, 20 + 4 * i)
        struct.pack_into("<f", raw, 20 + 4 * i, x / (1 - .99**n))
    struct.pack_into("<i", raw, 8, 0)
    open(sys.argv[3], "wb").write(raw)
END
updates() { python3 "$a/weights.py" updates "$1"; }

check 'meta pretrain watches a young network' pretrain "$a" -valid_every 12
check 'the weights know of 12 iterations of 2 batches' test "$(updates "$young")" -eq 24
python3 "$a/weights.py" corrected "$young" "$a/corrected.weights"
meta predict "$cfg" "$young" "$a/four.data" "$a/held.list" -csv >"$a/young.csv"
meta predict "$cfg" "$a/corrected.weights" "$a/four.data" "$a/held.list" -csv >"$a/corrected.csv"
# near CSV CSV: whether two outputs of meta predict -csv have the same probabilities, to 1e-5
near()
{
    paste -d, "$1" "$2" | awk -F, 'NR > 1 { for (k = 3; k <= NF / 2; k++) { d = $k - $(k + NF / 2); if (d < 0) d = -d; if (d > 1e-5) bad++; seen++ } }
                                   END { exit !seen || bad > 0 }'
}
check 'meta predict divides the statistics by 1 - .99^24' near "$a/young.csv" "$a/corrected.csv"
loss() { awk -F, 'NR > 1 { split($1, at, /\/c/); sum -= log($(3 + substr(at[length(at)], 1, 1))) } END { printf "%.4f", sum / (NR - 1) }' "$1"; }
column() { awk -F, -v want="$1" 'NR == 1 { for (k = 1; k <= NF; k++) if ($k == want) c = k } END { print $c }' "$a/backup/toy.csv"; }
check "the valid loss of the log, $(column valid_loss), is that of the corrected statistics, $(loss "$a/corrected.csv")" \
    awk "BEGIN { d = $(column valid_loss) - $(loss "$a/corrected.csv"); exit !(d < 1e-3 && d > -1e-3) }"

# How the number goes on
check 'a training that starts from them counts on, -clear or not' bash -c ". tests/toy.sh; pretrain '$a' -valid_every 0 '$young' -clear -max_batches 3 && test \$(python3 '$a/weights.py' updates '$young') -eq 30"
cp "$a/corrected.weights" "$a/start.weights"
check 'weights that do not say stay as they are' bash -c ". tests/toy.sh; pretrain '$a' -valid_every 0 '$a/start.weights' -clear -max_batches 3 && test \$(python3 '$a/weights.py' updates '$young') -eq 0"
b=$TMP_TEST/b
toy "$b"
check 'meta train counts the tasks' bash -c ". tests/toy.sh; train '$b' -valid_every 0 -max_batches 4 && test \$(python3 '$a/weights.py' updates '$b/backup/toy_final.weights') -eq 12"
check '-resume counts on' bash -c ". tests/toy.sh; train '$b' -valid_every 0 -max_batches 7 -resume && test \$(python3 '$a/weights.py' updates '$b/backup/toy_final.weights') -eq 21"

# Where a few images are adapted to, rolling statistics are corrected likewise
sed -i 's/filters = 16/filters = 4/' "$a/weights.py"
few=$b/few.data weights=$b/backup/toy_final.weights
printf 'c6_\nc7_\n' >"$b/two"
grep -E '_[0-2]\.pgm' "$b/test.list" >"$b/few.list"
printf 'classes=2\nlabels=%s\ntrain=%s\n' "$b/two" "$b/few.list" >"$few"
python3 "$a/weights.py" corrected "$weights" "$b/corrected.weights"
for kind in toy_final corrected; do
    [ $kind = corrected ] || cp "$weights" "$b/toy_final.weights"
    meta adapt "$few" "$b/toy.cfg" "$b/$kind.weights" -bn running -out "$b/$kind.out" >"$b/$kind.txt" 2>"$b/$kind.err"
    meta test "$b/toy.data" "$b/toy.cfg" "$b/$kind.weights" -bn running >"$b/$kind.test" 2>&1
    meta test "$b/toy.data" "$b/toy.cfg" "$b/$kind.weights" -method knn >"$b/$kind.knn" 2>&1
done
check 'meta adapt -bn running writes statistics that need no correction' test "$(updates "$b/toy_final.out.weights")" -eq 0
for kind in toy_final corrected; do
    meta predict "$b/$kind.out.cfg" "$b/$kind.out.weights" "$few" "$b/few.list" -csv >"$b/$kind.csv"
done
check 'meta adapt -bn running writes the corrected statistics' near "$b/toy_final.csv" "$b/corrected.csv"
for what in test knn; do
    check "meta test, $what, gives the AUC of the corrected statistics" bash -c "grep -q '^AUC after' '$b/toy_final.$what' && diff <(grep '^AUC after' '$b/toy_final.$what' | cut -c-22) <(grep '^AUC after' '$b/corrected.$what' | cut -c-22)"
done
same_distances() { diff <(sed 's/.*: //' "$b/toy_final.err") <(sed 's/.*: //' "$b/corrected.err"); }
check 'meta adapt takes the same distances' same_distances
