#!/bin/bash
# Chooses the settings of cfg/daml-4conv.cfg that the paper does not give: short runs at half size
# on ISIC 2018's common classes, scored on lesions held out of them. The rare classes are never
# opened.
#
#     scripts/tune.sh DATA OUT [ITERATIONS]      DATA: isic2018-tune.data of scripts/isic2018.sh
#
# Paths are from the project's root. What OUT has is not done again, and a training that was cut goes on.
set -eu
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { echo "usage: scripts/tune.sh DATA OUT [ITERATIONS]" >&2; exit 1; }
data=$1 out=$2 iterations=${3:-300}
darknet=${DARKNET_BIN:-./darknet}
[ -f "$data" ] || { echo "scripts/tune.sh: $data: no such file" >&2; exit 1; }
mkdir -p "$out"
settings="$data $(cksum <"$data"), $iterations iterations, cfg/daml-4conv.cfg $(cksum <cfg/daml-4conv.cfg)"
[ -f "$out/settings" ] || printf '%s\n' "$settings" >"$out/settings"
[ "$settings" = "$(cat "$out/settings")" ] ||
    { echo "scripts/tune.sh: $out: was begun with $(cat "$out/settings"), not $settings: take another folder" >&2; exit 1; }

# train NAME ITERATIONS: trains, unless the weights are there
train() {
    local resume=
    [ ! -f "$out/$1_final.weights" ] || return 0
    [ ! -f "$out/$1.state" ] || resume=-resume
    "$darknet" meta train "$out/$1.data" "$out/$1.cfg" -max_batches "$2" -valid_every 0 $resume >>"$out/$1.log"
}

# These runs are too short for a rate that is lowered late.
constant='s/^policy=.*/policy=constant/; /^steps=2400 /d; /^scales=/d'

# variant NAME SED...: the half-size .cfg, changed by SED
variant() {
    local name=$1
    shift
    sed -e "$constant" -e '/^second_order_start=/d; /^clip=/d' -e 's/^width=84/width=42/; s/^height=84/height=42/; s/^min_crop=.*/min_crop=42/; s/^max_crop=.*/max_crop=56/' \
        -e 's/^angle=.*/angle=180/; s/^flip=.*/flip=1/; s/^aspect=.*/aspect=1.1/; s/^hue=.*/hue=0.02/' \
        -e 's/^saturation=.*/saturation=1.2/; s/^exposure=.*/exposure=1.2/; s/^type=.*/type=mean/' \
        "$@" cfg/daml-4conv.cfg >"$out/$name.cfg"
    sed "s|^backup.*|backup = $out|" "$data" >"$out/$name.data"
    train "$name" "$iterations"
    for steps in 5 10; do
        [ -f "$out/$name-$steps.json" ] || "$darknet" meta test "$out/$name.data" "$out/$name.cfg" "$out/${name}_final.weights" \
            -list valid -runs 400 -steps "$steps" -out "$out/$name-$steps.json" >"$out/$name-$steps.txt"
        printf '%-12s test_steps=%-2s %s\n' "$name" "$steps" "$(grep '^AUC after' "$out/$name-$steps.txt")"
    done
}
gamma() { echo "/^\[inner_loop\]/,\$ s/^learning_rate=[0-9.]*/learning_rate=$1/"; }
none='s/^angle=.*/angle=0/; s/^flip=.*/flip=0/; s/^max_crop=.*/max_crop=42/; s/^aspect=.*/aspect=1/; s/^hue=.*/hue=0/
      s/^saturation=.*/saturation=1/; s/^exposure=.*/exposure=1/'

variant gamma-0.01 -e "$(gamma 0.01)"
variant gamma-0.03 -e "$(gamma 0.03)"
variant gamma-0.1 -e "$(gamma 0.1)"
variant gamma-0.1-order1 -e "$(gamma 0.1)" -e 's/^order=2/order=1/'
variant geometric -e "$(gamma 0.03)" -e 's/^aspect=.*/aspect=1/; s/^hue=.*/hue=0/; s/^saturation=.*/saturation=1/; s/^exposure=.*/exposure=1/'
variant none -e "$(gamma 0.03)" -e "$none"
variant rotation -e "$(gamma 0.03)" -e "$none" -e 's/^angle=.*/angle=180/; s/^flip=.*/flip=1/'
variant mild -e "$(gamma 0.03)" -e "$none" \
    -e 's/^flip=.*/flip=1/; s/^max_crop=.*/max_crop=48/; s/^hue=.*/hue=0.02/; s/^saturation=.*/saturation=1.2/; s/^exposure=.*/exposure=1.2/'

# At full size the linear layer sees 1600 inputs instead of 256, so that the same gamma steps further.
full()
{
    local name=$1
    shift
    sed -e "$constant" -e 's/^type=.*/type=mean/' "$@" cfg/daml-4conv.cfg >"$out/$name.cfg"
    sed "s|^backup.*|backup = $out|" "$data" >"$out/$name.data"
    train "$name" $((2 * iterations))
    [ -f "$out/$name.json" ] || "$darknet" meta test "$out/$name.data" "$out/$name.cfg" "$out/${name}_final.weights" \
        -list valid -runs 400 -out "$out/$name.json" >"$out/$name.txt"
    printf '%-24s %s\n' "$name" "$(grep '^AUC after' "$out/$name.txt")"
}
first='s/^order=2/order=1/'
full full-gamma-0.02-order1 -e "$(gamma 0.02)" -e "$first"
full full-gamma-0.06-order1 -e "$(gamma 0.06)" -e "$first"
full full-gamma-0.06-from-300 -e "$(gamma 0.06)" -e 's/^second_order_start=.*/second_order_start=300/'
"$darknet" meta compare "$out/full-gamma-0.02-order1.json" "$out/full-gamma-0.06-order1.json"
