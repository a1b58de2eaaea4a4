#!/bin/bash
# Writes the networks of the smoke table, data/tables/smoke.table, one file a row, from
# cfg/smoke/daml.cfg: each has what its row changes, and nothing else.
#
#     scripts/smoke.sh [OUT]          OUT: cfg/smoke when left out; from the project's root
set -eu
export LC_ALL=C
from=cfg/smoke/daml.cfg
out=${1:-cfg/smoke}
mkdir -p "$out"

# row NAME TITLE SED...: writes a .cfg
row()
{
    local name=$1 title=$2
    shift 2
    {
        printf '# The smoke table: %s. Written from %s by scripts/smoke.sh.\n' "$title" "$from"
        sed -e '1,/^$/{/^#/d}' "$@" "$from"
    } >"$out/$name.cfg"
}
mean=(-e 's/^type=difficulty/type=mean/' -e '/^eta=/d' -e '/^epsilon=/d' -e '/^start=/d')
plain=(-e '/^# Augmentation/d' -e 's/^max_crop=.*/max_crop=14/' -e '/^exposure=/d')
residual='[convolutional]\nbatch_normalize=1\nfilters=16\nsize=3\nstride=1\npad=1\nactivation=linear\n\n[shortcut]\nfrom=-2\nactivation=relu\n'

row maml "MAML" "${mean[@]}"
row curriculum "task sampling" "${mean[@]}" -e 's/^tasks=.*/&\nsampler=curriculum/'
row noaug "MAML without augmentation" "${mean[@]}" "${plain[@]}"
row resnet-noaug "a residual block, without augmentation" "${mean[@]}" "${plain[@]}" -e "0,/^\[maxpool\]/s//$residual\n[maxpool]/"
for eta in 1 3 7; do row eta-$eta "eta=$eta" -e "s/^eta=.*/eta=$eta/"; done
