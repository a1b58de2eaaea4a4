#!/bin/bash
# Writes a page of results, FOLDER/README.md, from FOLDER/notes.md and the JSON files beside it (make results).
#
#     scripts/results.sh [FOLDER [OUT]]      FOLDER: data/results; OUT: FOLDER/README.md, - for standard output
#
# A line of the notes that begins with @ names a table of `darknet meta report -markdown`, which takes its place. In a line, braces stand
# for a figure. Names are those of result files without .json. AUC is in percent, differences are in percentage points.
#
#     {auc A}             the AUC of A, with its 95% interval over tasks
#     {ece A}, {nll A}    expected calibration error in percent, negative log-likelihood, likewise
#     {less A B}          A less B on the same tasks: 95% interval over tasks, and of other lesions
#     {less30 A B}        the same on the first 30 tasks, without other lesions
#     {trainings A B [K]} A less B over the seeds of A, whose files are A-seed-N-K and B-seed-N-K (K shots: 5): Student's t over trainings
#     {loss A [N]}        mean query loss of A's training over 250 iterations, or as many as there are: the last ones, or those up to iteration N
#     {accuracy A}        the same of query accuracy, the last 250
#     {weighed A ETA}     (sum w)^2 / sum w^2 of four tasks with the query losses of A and the weights w of [meta_loss] with epsilon=0.1:
#                         the mean over all fours of tasks at even distances of up to a third of the tasks
set -eu
shopt -s inherit_errexit # a figure that fails must not be an empty one
export LC_ALL=C
from=$PWD
cd "$(dirname "$0")/.."
root=$PWD
at() { (cd "$from" && realpath -m --relative-base="$root" -- "$1"); } # a path as the caller means it
darknet=${DARKNET_BIN:-./darknet} folder=data/results out=${2:--}
[ $# -eq 0 ] || folder=$(at "$1")
[ $# -gt 1 ] || out=$folder/README.md
[ "$out" = - ] || [ $# -lt 2 ] || out=$(at "$2")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() { echo "scripts/results.sh: $*" >&2; exit 1; }
[ -f "$folder/notes.md" ] || fail "$folder/notes.md: no such file"
file() { printf '%s' "$folder/$1.json"; }

# A member of the result, times a number
member()
{
    awk -v begin="^\t\"$2\":\t[{]" -v times="$3" '$0 ~ begin { inside = 1 }
        inside && /"(mean|low|high)":/ { gsub(/[",:]/, " "); x[$1] = times * $2 }
        inside && /}/ { printf "%.2f (%.2f to %.2f)", x["mean"], x["low"], x["high"]; said = 1; exit }
        END { exit !said }' "$1" || fail "$1: has no $2"
}

# What meta compare prints of two files, as "1.40 (1.00 to 1.82; of other lesions 0.43 to 2.37)"
less()
{
    "$darknet" meta compare "$2" "$1" >"$tmp/compared" || fail "$1, $2: can't be compared"
    awk '/^B - A/ { split($0, a, /[ ,]+/); mean = a[4]; low = a[7]; high = a[9]; said = 1 }
        /of other groups:/ { other = sprintf("; of other lesions %.2f to %.2f", 100 * $4, 100 * $6) }
        END { printf "%.2f (%.2f to %.2f%s)", 100 * mean, 100 * low, 100 * high, other; exit !said }' "$tmp/compared" ||
        fail "$1, $2: meta compare tells no difference"
}

# A result with its first 30 tasks alone
first30()
{
    local tasks
    tasks=$(grep -c '^[[:blank:]]*"run":' "$1" || true)
    [ "$tasks" -ge 30 ] || fail "$1: has $tasks tasks: must have 30"
    [ "$tasks" -gt 30 ] || { cat "$1"; return; }
    awk '/^\t"other_groups":/ { skipped = 1 }
        !skipped { if (/^\t\t\t"run":/) n = $2 + 0; if (n == 30) exit; line[++count] = $0 }
        skipped && /^\t}/ { skipped = 0 }
        END { for (i = 1; i < count; i++) print line[i]; print "\t\t}]\n}" }' "$1"
}

less30()
{
    first30 "$1" >"$tmp/a.json"
    first30 "$2" >"$tmp/b.json"
    less "$tmp/a.json" "$tmp/b.json"
}

# seeds_of A K: the seeds that there are files A-seed-N-K of, at least 1 and 2
seeds_of()
{
    { printf '%s\n' 1 2; find "$folder" -maxdepth 1 -name "$1-seed-*-$2.json" | sed -n 's/.*-seed-\([0-9]*\)-[0-9]*\.json$/\1/p'; } | sort -nu
}

trainings()
{
    local seed shots=${3:-5}
    for seed in $(seeds_of "$1" "$shots"); do
        paste -d ' ' <(auc_mean "$(file "$1-seed-$seed-$shots")") <(auc_mean "$(file "$2-seed-$seed-$shots")")
    done | awk 'NF != 2 { print "scripts/results.sh: a training of '"$1 or $2"' has no auc_after" >"/dev/stderr"; lacks = 1; exit }
        { d[NR] = 100 * ($1 - $2); m += d[NR] }
        END {
            if (lacks) exit 1
            split("12.706205 4.302653 3.182446 2.776445 2.570582 2.446912 2.364624 2.306004 2.262157", t, " ")
            m /= NR
            for (i = 1; i <= NR; i++) q += (d[i] - m) ^ 2
            if (!(NR - 1 in t)) { print "scripts/results.sh: " NR " trainings: must be 2 to 10" >"/dev/stderr"; exit 1 }
            e = t[NR - 1] * sqrt(q / (NR - 1) / NR)
            printf "%.2f (%.2f to %.2f)", m, m - e, m + e
        }'
}
auc_mean() { awk '/^\t"auc_after":/ { inside = 1 } inside && /"mean":/ { print $2 + 0; exit }' OFMT=%.17g "$1"; }

# Column COLUMN of the training's curve, which has a point every ten iterations: [iteration, meta-loss, query loss, accuracy, AUC]
curve()                   # FILE COLUMN FORMAT [ITERATION]
{
    grep '"curve":' "$1" | tr -d ' \t' | sed 's/.*:\[\[//; s/\]\].*//; s/\],\[/\n/g' |
        awk -F, -v column="$2" -v format="$3" -v last="${4:-0}" '!last || $1 <= last { x[++n] = $column }
            END { first = n > 25 ? n - 24 : 1; for (i = first; i <= n; i++) s += x[i]; if (!n) exit 1; printf format, s / (n - first + 1) }' ||
        fail "$1: has no training curve"
}

weighed()
{
    awk -v eta="$2" -v epsilon=.1 '/^\t"tasks":/ { inside = 1 } inside && /"query_loss":/ {
            L = $2 + 0; rest = 1 - L > epsilon ? 1 - L : epsilon
            w[n++] = -eta * L ^ (eta - 1) * log(rest) + (1 - L > epsilon ? L ^ eta / (1 - L) : 0)
        }
        END {
            for (step = 1; 3 * step < n; step++) for (i = 0; i < n; i++) {
                s = q = 0
                for (k = 0; k < 4; k++) { x = w[(i + k * step) % n]; s += x; q += x * x }
                sum += s * s / q
                fours++
            }
            printf "%.1f", sum / fours
        }' "$1"
}

# Prints the result files that a figure is made of, one a line; prints nothing where there is no
# such figure
files_of()
{
    case $1-$# in
    auc-2|ece-2|nll-2|loss-2|loss-3|accuracy-2|weighed-3) file "$2"; echo ;;
    less-3|less30-3) file "$2"; echo; file "$3"; echo ;;
    trainings-3|trainings-4) for seed in $(seeds_of "$2" "${4:-5}"); do file "$2-seed-$seed-${4:-5}"; echo; file "$3-seed-$seed-${4:-5}"; echo; done ;;
    esac
}

figure()
{
    case $1-$# in
    auc-2) member "$(file "$2")" auc_after 100 ;;
    ece-2) member "$(file "$2")" ece 100 ;;
    nll-2) member "$(file "$2")" nll 1 ;;
    less-3|less30-3) $1 "$(file "$2")" "$(file "$3")" ;;
    trainings-3|trainings-4) trainings "${@:2}" ;;
    loss-2|loss-3) curve "$(file "$2")" 3 %.3f "${3:-}" ;;
    accuracy-2) curve "$(file "$2")" 4 %.3f ;;
    weighed-3) weighed "$(file "$2")" "$3" ;;
    esac
}

# Everything that the notes name is looked for before anything is computed.
grep -o '{[^}]*}' "$folder/notes.md" | tr -d '{}' | sort -u >"$tmp/asked" || true
while read -ra words; do
    files_of "${words[@]}" >"$tmp/files"
    [ -s "$tmp/files" ] || fail "$folder/notes.md: {${words[*]}}: no such figure"
    while read -r name; do [ -f "$name" ] || fail "$folder/notes.md: $name: no such file"; done <"$tmp/files"
done <"$tmp/asked"
sed -n 's/^@ //p' "$folder/notes.md" >"$tmp/names"
: >"$tmp/tables"
if [ -s "$tmp/names" ]; then "$darknet" meta report "$folder" -markdown >"$tmp/tables"; fi
while read -r name; do
    grep -qxF "### $name" "$tmp/tables" || fail "$folder/notes.md: @ $name: no such table"
done <"$tmp/names"
while read -ra words; do
    value=$(figure "${words[@]}")
    printf '%s\t%s\n' "${words[*]}" "$value"
done <"$tmp/asked" >"$tmp/figures"

{
    echo '<!-- Written by `make results` (scripts/results.sh) from notes.md and the JSON files of this folder: change those, not this. -->'
    echo
    awk -F'\t' -v tables="$tmp/tables" -v figures="$tmp/figures" '
        BEGIN {
            while ((getline line <figures) > 0) { split(line, a, "\t"); figure[a[1]] = a[2] }
            while ((getline line <tables) > 0)
                if (line ~ /^### /) name = substr(line, 5)
                else if (line != "" || table[name] != "") table[name] = table[name] line "\n"
        }
        /^@ / {
            name = substr($0, 3)
            sub(/\n+$/, "", table[name])
            print table[name]
            next
        }
        {
            while (match($0, /[{][^}]*[}]/)) $0 = substr($0, 1, RSTART - 1) figure[substr($0, RSTART + 1, RLENGTH - 2)] substr($0, RSTART + RLENGTH)
            print
        }' "$folder/notes.md"
} >"$tmp/page"
if [ "$out" = - ]; then cat "$tmp/page"; else cp "$tmp/page" "$out"; fi
