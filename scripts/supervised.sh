#!/bin/bash
# Writes the two networks that Table 1 of Li et al., MICCAI 2020, pretrains on the common classes, for `meta pretrain`:
#
#     scripts/supervised.sh [OUT]
#
# OUT/conv4-supervised.cfg: the paper's four convolutions, from cfg/maml-4conv.cfg, with as many outputs as ISIC 2018 has common classes.
# OUT/densenet.cfg: a DenseNet-BC. OUT is cfg when left out. From the project's root.
set -eu
export LC_ALL=C
from=cfg/maml-4conv.cfg
out=${1:-cfg}
mkdir -p "$out"
common=4          # melanoma, nevus, basal cell carcinoma, benign keratosis
growth=16 stem=32 blocks=(6 12 24) sides=(21 10 5)

# [net]: the images and their augmentation as the paper's network has them, then how a classifier is trained on them
net()
{
    cat <<END_OF_NET
[net]
batch=32                  # images an iteration: 3000 iterations show each common image ten times
subdivisions=2            # two halves, one a core, each normalised by its own statistics; more threads are of no use
$(sed -n '/^width=/,/^channels=/p' "$from")
adam=1
learning_rate=0.001
policy=steps
steps=2000,2700
scales=.1,.1
max_batches=3000
B1=0.9
B2=0.999
eps=1e-8
decay=0
$(sed -n '/^# Augmentation/,/^exposure=/p' "$from")

[episode]                 # of meta test
$(sed -n '/^ways=/,/^queries=/p' "$from")
END_OF_NET
}

head_layers()
{
    printf '# One output a common class; meta test takes the features before it, or puts a new one in its place\n'
    printf '[connected]\noutput=%s\nactivation=linear\n\n[softmax]\n' $common
}

convolution() { printf '[convolutional]\nbatch_normalize=1\nfilters=%s\nsize=%s\nstride=%s\npad=1\nactivation=relu\n\n' "$@"; }
pool() { printf '[maxpool]\nsize=2\nstride=2\npadding=0\n\n'; }

{
    echo "# The four convolutions of $from as a classifier of ISIC 2018's common classes, for fine-tuning. Written by scripts/supervised.sh."
    echo
    net
    echo
    sed -n '/^# Block 1 of 4/,/^# The paper.s linear/{/^# The paper.s linear/d;p}' "$from"
    head_layers
} >"$out/conv4-supervised.cfg"

{
    cat <<END_OF_TITLE
# A DenseNet-BC (Huang et al., CVPR 2017) as a classifier of ISIC 2018's common classes, for fine-tuning, KNN and SVM. Written by
# scripts/supervised.sh, in Darknet's own sections: a [route] puts a layer's input and its output side by side.
#
# What differs from DenseNet-121, which is made for 224x224 pixels and a GPU:
# - ${blocks[0]}, ${blocks[1]} and ${blocks[2]} layers in three blocks, at ${sides[0]}x${sides[0]}, ${sides[1]}x${sides[1]} and ${sides[2]}x${sides[2]} (there: 6, 12, 24 and 16 in four, from 56x56 on); growth rate $growth (32)
# - convolution, batch normalisation, ReLU in this order, Darknet's; there, normalisation and ReLU come first, so that each layer
#   normalises again, its own way, all that it reads
# - 2x2 max-pooling between blocks, where there is average pooling; after the first convolution 2x2 instead of 3x3
# - trained from Darknet's initial weights on the common lesions: no ImageNet

END_OF_TITLE
    net
    printf '\n# 84x84x3 to 42x42x%s, pooled to 21x21\n' $stem
    convolution $stem 7 2
    pool
    channels=$stem
    for block in 0 1 2; do
        if [ $block -gt 0 ]; then
            channels=$((channels / 2))
            echo "# Transition: half the channels, ${sides[block - 1]}x${sides[block - 1]} to ${sides[block]}x${sides[block]}"
            convolution $channels 1 1
            pool
        fi
        echo "# Block $((block + 1)) of 3, ${sides[block]}x${sides[block]}: ${blocks[block]} layers, each of $((4 * growth)) filters of 1x1 and $growth of 3x3, from $channels channels to $((channels + blocks[block] * growth))"
        for ((layer = 1; layer <= blocks[block]; layer++)); do
            convolution $((4 * growth)) 1 1
            convolution $growth 3 1
            printf '[route]\nlayers=-3,-1\n\n'
        done
        channels=$((channels + blocks[block] * growth))
    done
    printf '[avgpool]\n\n'
    head_layers
} >"$out/densenet.cfg"
