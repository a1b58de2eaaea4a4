#!/bin/bash
# Meta-trains cfg/fashion.cfg on seven classes of Fashion-MNIST and adapts it to the other three from five images a class.
# make demo installs and builds first.
#
#     scripts/demo.sh [OUT]          OUT: where the data, the weights and the chart go (default data/fashion), from the project's root
set -eu
cd "$(dirname "$0")/.."
out=${1:-data/fashion}
darknet=${DARKNET_BIN:-./darknet}
[ -x "$darknet" ] || { echo "scripts/demo.sh: $darknet: isn't built: make demo builds it" >&2; exit 1; }
case $darknet in */*) ;; *) darknet=./$darknet ;; esac

run() { printf '\n$'; printf ' %q' "$@"; printf '\n'; "$@"; }

begun=$SECONDS
run scripts/fashion-mnist.sh "$out"
run "$darknet" meta train "$out/fashion.data" cfg/fashion.cfg -valid_every 100
run "$darknet" meta test "$out/fashion.data" cfg/fashion.cfg "$out/backup/fashion_final.weights" -runs 200 -out "$out/backup/fashion.json" |
    tee "$out/backup/fashion.txt"

chart=$out/backup/chart_fashion.png
if [ ! -s "$chart" ]; then echo "scripts/demo.sh: $chart: wasn't drawn" >&2; exit 1; fi
awk -v chart="$chart" -v seconds=$((SECONDS - begun)) '
    $1 == "AUC" && $2 == "before" { before = $3; below = $5 " to " $7 }
    $1 == "AUC" && $2 == "after" { after = $3; low = $5; high = $7 }
    END {
        if (before == "" || after == "") { print "scripts/demo.sh: no AUC was printed"; exit 1 }
        printf "\nClasses never seen in training, five images each: AUC %s (95%% interval %s) before adaptation, %s (%s to %s) after.\n", before, below, after, low, high
        printf "Chart: %s. %d seconds.\n", chart, seconds
    }' "$out/backup/fashion.txt"
