#!/bin/bash
# Writes the networks of Table 2 (Li et al., MICCAI 2020), one file a row, and one of chosen.table,
# from cfg/daml-4conv.cfg: each has what its row changes, and nothing else.
#
#     scripts/ablations.sh [OUT]
#
# OUT is cfg/ablation by default. Run it from the project's root. All rows of Table 2 have order=1;
# the three above eta have type=mean, which is MAML. Their rate is constant, as in the trainings that
# data/results/version-1.0 has of them; the paper lowers it.
set -eu
export LC_ALL=C
from=cfg/daml-4conv.cfg
out=${1:-cfg/ablation}
mkdir -p "$out"

# The residual network: a convolution that brings the image to 32 channels, then four blocks of two 3x3 convolutions beside which the
# block's input goes on (He et al., CVPR 2016), pooled as the others are. The paper says no more of its blocks than their number of filters.
residual_layers()
{
    convolution() { printf '[convolutional]\nbatch_normalize=1\nfilters=32\nsize=3\nstride=1\npad=1\nactivation=%s\n\n' "$1"; }
    echo "# Three channels to 32"
    convolution relu
    local block sides=(84 42 21 10 5)
    for block in 1 2 3 4; do
        echo "# Block $block of 4: ${sides[block - 1]}x${sides[block - 1]}x32 to ${sides[block]}x${sides[block]}x32"
        convolution relu
        convolution linear
        printf '[shortcut]\nfrom=-3\nactivation=relu\n\n[maxpool]\nsize=2\nstride=2\npadding=0\n\n'
    done
}

# row NAME TITLE SED...: writes a .cfg from the file above, with this row's comments in place of its
# own on top
row()
{
    local name=$1 title=$2
    shift 2
    {
        printf '# Table 2 of Li et al., MICCAI 2020: %s. Written from %s by scripts/ablations.sh.\n' "$title" "$from"
        sed -e '1,/^$/{/^#/d}' -e '/^second_order_start=/d' \
            -e "s/^clip=1 .*/clip=1                    # of the meta-gradient's norm, as cfg\/daml-4conv.cfg/" \
            -e 's/^policy=steps .*/policy=constant           # as in Table 2 of data\/results\/version-1.0; the paper lowers it, see cfg\/daml-4conv.cfg/' \
            -e '/^steps=2400 /d' -e '/^scales=/d' -e 's/^order=2 .*/order=1                   # as in every row of the table/' "$@" "$from"
    } >"$out/$name.cfg"
}

mean=(-e '/^\[meta_loss\]/,$d')
mean_loss() { printf '[meta_loss]\ntype=mean                 # MAML: every task weighs the same\n' >>"$out/$1.cfg"; }
# Augmentation is off, but the crop along an image's longer side is still anywhere.
plain=(-e '/^# Augmentation/,/^angle/{/^#/d}' -e 's/^flip=.*/flip=0                    # no augmentation, from here to exposure/'
       -e 's/^max_crop=.*/max_crop=84/' -e 's/^hue=.*/hue=0/' -e 's/^saturation=.*/saturation=1/' -e 's/^exposure=.*/exposure=1/')

row conv-64 "convolution blocks of 64 filters, with augmentation" "${mean[@]}"
row conv-64-noaug "convolution blocks of 64 filters, no augmentation" "${mean[@]}" "${plain[@]}"
row resnet-32-noaug "residual blocks of 32 filters, no augmentation" "${mean[@]}" "${plain[@]}"
for name in conv-64 conv-64-noaug resnet-32-noaug; do mean_loss $name; done
for eta in 1 3 5 7; do row eta-$eta "eta=$eta" -e "s/^eta=.*/eta=$eta/"; done

# And one of Table 1, with the exact meta-gradient
sed -e '1i # DAML of Table 1 of Li et al. with the eta that held-out common lesions chose (scripts/levers.sh). Written from '"$from"' by scripts/ablations.sh.' \
    -e '1,/^$/{/^#/d}' -e 's/^eta=.*/eta=1                     # paper: 5/' "$from" >"$out/eta-1-order-2.cfg"

# The layers between [episode] and the linear classifier are the residual network's
layers=$(residual_layers)
residual=$out/resnet-32-noaug.cfg
{
    sed '/^# Block 1 of 4/,$d' "$residual"
    printf '%s\n\n' "$layers"
    sed -n '/^# The paper.s linear classifier/,$p' "$residual"
} >"$out/.new"
mv "$out/.new" "$residual"
