#!/bin/bash
# README's walk from six images to a classifier: its commands as written, on Fashion-MNIST in place of ISIC.
. tests/lib.sh
case $TEST_VARIANT in release) ;; *) skip "README's walk from six images to a classifier" 'the commands are tested by themselves'; exit ;; esac
if [ ! -d /usr/share/datasets/fashion-mnist ]; then skip "README's walk from six images to a classifier" 'dataset-fashion-mnist is not installed'; exit; fi
root=$PWD
cd "$TMP_TEST" || exit 1
ln -s "$DARKNET_BIN" darknet
ln -s "$root/cfg" cfg
check 'scripts/fashion-mnist.sh makes the images' env IDX_IMAGES="$BUILD/idx_images" "$root/scripts/fashion-mnist.sh" fashion 40
ls fashion/*/*.pgm | sed 's#.*#&,&#' >fashion/groups.csv      # each image alone; with folders, since names repeat in them
check 'a short meta-training runs' ./darknet meta train fashion/fashion.data cfg/fashion.cfg -max_batches 15 -valid_every 0 -seed 1
sed -n '/^## From six images/,/^## The .cfg/ s/^    //p' "$root/README.md" |
    sed 's/AKIEC/sneaker/g; s/VASC/boot/g; s#isic/#fashion/#g; s/jpg/pgm/g; s/daml-4conv/fashion/g' >commands
check "README's walk has at least 10 commands" test "$(wc -l <commands)" -ge 10
check "the commands of README's walk run" bash -e commands
check "README's walk writes the adapted network" test -s few/lesions.cfg -a -s few/lesions.weights
check "README's walk gives an answer for each image of the folder" test "$(grep -c '^fashion/boot/.*,' few/vasc.csv)" -eq 40
check "README's walk gives a heat picture for each of five images" test "$(ls few/heat | grep -c '\.png$')" -eq 5
