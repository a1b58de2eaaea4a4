#!/bin/bash
# README's walk from six images to a classifier: its commands as written, on Fashion-MNIST in place of ISIC.
. tests/lib.sh
case $TEST_VARIANT in release) ;; *) skip "README's walk from six images to a classifier" 'the commands are tested by themselves'; exit ;; esac
if [ ! -d /usr/share/datasets/fashion-mnist ]; then skip "README's walk from six images to a classifier" 'dataset-fashion-mnist is not installed'; exit; fi
root=$PWD
cd "$TMP_TEST" || exit 1
ln -s "$DARKNET_BIN" darknet
ln -s "$root/data" data
check 'scripts/fashion-mnist.sh makes the images' env IDX_IMAGES="$BUILD/idx_images" "$root/scripts/fashion-mnist.sh" fashion 60
(cd fashion && ls ./*/*.pgm) | sed 's#^\./\(.*\)#\1,\1#' >fashion/groups.csv      # each image alone; with folders, since names repeat in them
sed -n '/^## From six images/,/^## The .cfg/ s/^    //p' "$root/README.md" |
    sed 's/AKIEC/sneaker/g; s/VASC/boot/g; s#isic/#fashion/#g; s/jpg/pgm/g' >commands
check "README's walk has at least 9 commands" test "$(wc -l <commands)" -ge 9
check "the commands of README's walk run" bash -e commands
check "README's walk writes the adapted network" test -s lesions.cfg -a -s lesions.weights
check "README's walk evaluates it" grep -q 'AUC' lesions.html
check "README's walk gives an answer for each image of the folder" test "$(grep -c '^new/boot/.*,' vasc.csv)" -eq 50
check "README's walk gives a heat picture for each of five images" test "$(ls heat | grep -c '\.png$')" -eq 5
