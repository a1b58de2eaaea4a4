#!/bin/bash
# Writes the study of methods: a .cfg for each, from cfg/daml-4conv.cfg, and the two tables that run them from five seeds each. The first
# is tested on lesions held out of the common classes, where every choice is made; the second asks the rare classes, of the same trainings.
#
#     scripts/study.sh [OUT]                                                  OUT: . (OUT/cfg/study, OUT/data/tables)
#     ./darknet meta table data/tables/study.table -out study                 trains and chooses; the same command goes on after a stop
#     ./darknet meta table data/tables/study-rare.table -out study            once, at the end: trains nothing
#     ./darknet meta report study -out study.html
#
# Run it from the project's root. The networks are those of Table 1 at half size: 42x42, 1500 iterations with order=2 from iteration 300 on,
# gamma 0.1 and a tenth of the learning rate from iteration 1200 on; tasks are weighed from the middle on, as in the paper.
set -eu
export LC_ALL=C
from=cfg/daml-4conv.cfg
out=${1:-.}
seeds=1,2,3,4,5
mkdir -p "$out/cfg/study" "$out/data/tables"

# head NAME TITLE PLACE LIST CAPTION RUNS: begins a table
head()
{
    cat >"$out/data/tables/$1.table" <<END
# $5 Written by scripts/study.sh, which says how it is run.

[table]
name=$2
data=isic/isic2018-study.data
needs=ISIC 2018 (scripts/get_isic2018.sh isic-download, then scripts/isic2018.sh isic-download isic)
place=$3
caption=$5
groups=lesions
list=$4
seed=1
runs=$6
first=30
valid_every=0
reference=MAML
END
}
head study 'Study of methods: held-out common lesions of ISIC 2018' 20 valid 'Methods from five seeds each, on lesions held out of the common classes: 42x42, order=2, 1500 iterations.' 400
head study-rare 'Study of methods: the rare classes of ISIC 2018' 21 test 'The same trainings, asked on the rare classes, by which nothing is chosen.' 1000

# row LABEL NAME SED...: writes a .cfg, and adds its row to both tables. One training serves both
# numbers of shots.
row()
{
    local label=$1 name=$2
    shift 2
    sed -e "1i # $label, one of the study's methods. Written from $from by scripts/study.sh." -e '1,/^$/{/^#/d}' \
        -e 's/^width=84.*/width=42/; s/^height=84/height=42/; s/^min_crop=.*/min_crop=42/; s/^max_crop=.*/max_crop=48/' \
        -e 's/^# Augmentation: .*/# Augmentation: the shorter side is scaled to min_crop..max_crop pixels, then 42x42 is cut out, as in the file above/' \
        -e '/^# say how much; /d' -e '/^# Block 1/ s/: 84x84x3 to .*/: 42x42x3 to 21x21x64/; s/^# Block 2: .*/# Block 2: to 10x10x64/' \
        -e 's/^# Block 3: .*/# Block 3: to 5x5x64/; s/^# Block 4: .*/# Block 4: to 2x2x64/' -e 's/^max_batches=3000.*/max_batches=1500/; s/^steps=2400/steps=1200/; s/^start=1500.*/start=750/' \
        -e 's/^clip=1 .*/&\naverage=0.99              # NAME_average.weights; the training is the same without/' \
        -e '/^\[inner_loop\]/,$ s/^learning_rate=.*/learning_rate=0.1/' "$@" "$from" | cat -s >"$out/cfg/study/$name.cfg"
    rows "$label" "$name"
}
# rows LABEL NAME [LINE...]: adds a row to both tables
rows()
{
    local table
    for table in study study-rare; do
        printf '\n[row]\nlabel=%s\ncfg=%s\neach=0\nseed=%s\nshots=5,1\n' "$1" "cfg/study/$2.cfg" "$seeds" >>"$out/data/tables/$table.table"
        if [ $# -gt 2 ]; then printf '%s\n' "${@:3}" >>"$out/data/tables/$table.table"; fi
    done
}
# What a row changes
mean=(-e 's/^type=difficulty.*/type=mean                 # MAML: every task weighs the same/; /^eta=/d; /^epsilon=/d; /^start=/d')
add() { printf '/^\\[%s\\]/a %s' "$1" "$2"; }                             # a line behind a section's head

row MAML maml "${mean[@]}"
rows 'MAML, averaged weights' maml tested=average
row 'MAML, no augmentation' maml-no-augmentation "${mean[@]}" -e '/^# Augmentation: /,/^exposure=/{/^flip=/s/=.*/=0/; /^max_crop=/s/=.*/=42/; /^hue=/s/=.*/=0/; /^saturation=\|^exposure=/s/=.*/=1/}' \
    -e 's/^# Augmentation: .*/# No augmentation: the shorter side is scaled to 42 pixels, and 42x42 are cut out anywhere along the other/'
for eta in 1 3 5; do row "DAML, eta=$eta" "eta-$eta" -e "s/^eta=5.*/eta=$eta/"; done
row 'DAML, eta=5, normalised' eta-5-normalised -e "$(add meta_loss normalise=1)"
row 'MAML, 16 tasks' maml-16-tasks "${mean[@]}" -e 's/^tasks=4.*/tasks=16/'
row 'DAML, eta=5, normalised, 16 tasks' eta-5-normalised-16-tasks -e "$(add meta_loss normalise=1)" -e 's/^tasks=4.*/tasks=16/'
row ANIL anil "${mean[@]}" -e "$(add inner_loop adapt=head)"
row 'Learned rates by layer and step' rates-layer "${mean[@]}" -e "$(add inner_loop rates=layer)"
row 'Learned rates by parameter' rates-parameter "${mean[@]}" -e "$(add inner_loop rates=parameter)"
row 'Multi-step loss' multi-step "${mean[@]}" -e "$(add inner_loop multi_step=750)"
row 'Rotations' rotations "${mean[@]}" -e '/^filters=64/s/$/\nrotations=4/' -e '/^\[connected\]/a rotations=4' \
    -e '/^\[inner_loop\]/,$ s/^learning_rate=.*/learning_rate=0.025     # a quarter: what is learned once gets the gradients of its four turns/'
row 'Prototypes' prototypes "${mean[@]}" -e '/^# The paper.s linear classifier/,/^activation=linear/d' -e '/^\[softmax\]/i # Distances to the class means in place of a classifier\n[prototype]\n' \
    -e 's/^steps=5.*/steps=0                   # a task is learned by its means alone/; s/^test_steps=.*/test_steps=0/; s/^order=2.*/order=1/; /^second_order_start=/d' -e '/^\[inner_loop\]/,$ {/^learning_rate=/d}'

# Answers of the same trainings together, and of turned copies: no training is their own.
for name in 'MAML maml' 'DAML, eta=5 eta-5' 'Prototypes prototypes'; do
    seeds=1 rows "${name% *}, 8 copies" "${name##* }" augment=8
    seeds=1,2,3 rows "${name% *}, three trainings" "${name##* }" ensemble=1
    seeds=1,2,3 rows "${name% *}, three trainings, 8 copies" "${name##* }" ensemble=1 augment=8
done
