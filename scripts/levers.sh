#!/bin/bash
# Writes a table (darknet meta table) that shows what eta, epsilon and start of [meta_loss] and the
# seed of a training change for DAML. Trainings are at half size and of order=1 on ISIC 2018's
# common classes, and tested on lesions held out of them. The rare classes are never opened.
#
#     scripts/levers.sh DATA OUT [ITERATIONS [SEED...]]      DATA: isic2018-tune.data of scripts/isic2018.sh
#     ./darknet meta table OUT/levers.table -out OUT
#
# Paths are from the project's root. By default there are 1500 iterations and seeds 1 to 3. Where a
# row does not name start, tasks are weighed from the middle on, as in the paper; the rate is constant. The table runs
# seed by seed: stopped early, it compares every lever for the seeds it has.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/.."
[ $# -ge 2 ] || { echo "usage: scripts/levers.sh DATA OUT [ITERATIONS [SEED...]]" >&2; exit 1; }
data=$1 out=$2 iterations=${3:-1500}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- 1 2 3
[ -f "$data" ] || { echo "scripts/levers.sh: $data: no such file" >&2; exit 1; }
mkdir -p "$out"

# The table tests on the held-out list.
valid=$(sed -n 's/^valid *= *//p' "$data")
[ -n "$valid" ] || { echo "scripts/levers.sh: $data: has no valid=, the held-out list" >&2; exit 1; }
sed -e "s|^test *=.*||; s|^valid *=.*|test = $valid|" "$data" >"$out/levers.data"

cat >"$out/levers.table" <<END
[table]
name=Levers of DAML: held-out common lesions of ISIC 2018, 42x42, order=1, $iterations iterations
data=$out/levers.data
seed=1
runs=400
first=30
reference=MAML
END

# row LABEL NAME SED...: writes a .cfg, and adds its row to the table
row()
{
    local label=$1 name=$2
    shift 2
    sed -e 's/^width=84.*/width=42/; s/^height=84/height=42/; s/^min_crop=.*/min_crop=42/; s/^max_crop=.*/max_crop=48/' \
        -e "s/^max_batches=.*/max_batches=$iterations/; s/^start=.*/start=$((iterations / 2))/" \
        -e 's/^policy=.*/policy=constant/; /^steps=2400 /d; /^scales=/d' -e '/^second_order_start=/d; s/^order=2.*/order=1/' -e '/^\[inner_loop\]/,$ s/^learning_rate=.*/learning_rate=0.1/' \
        -e "1i # $label. Written from cfg/daml-4conv.cfg by scripts/levers.sh." -e '1,/^$/{/^#/d}' "$@" cfg/daml-4conv.cfg >"$out/$name.cfg"
    printf '\n[row]\nlabel=%s\ncfg=%s\nseed=%s\nshots=5\n' "$label" "$out/$name.cfg" "$seeds" >>"$out/levers.table"
}
seeds=$(IFS=,; echo "$*")
row MAML maml -e 's/^type=.*/type=mean/; /^eta=/d; /^epsilon=/d; /^start=/d'
for eta in 1 3 5 7; do row "eta=$eta" eta-$eta -e "s/^eta=.*/eta=$eta/"; done
for eta in 1 5; do row "eta=$eta, epsilon=0.5" eta-$eta-epsilon-0.5 -e "s/^eta=.*/eta=$eta/; s/^epsilon=.*/epsilon=0.5/"; done
for quarters in 0 1 3; do row "eta=5, start=$quarters/4" eta-5-start-$quarters -e "s/^start=.*/start=$((iterations * quarters / 4))/"; done
