#!/bin/bash
# The two networks for meta pretrain: cfg/ has what scripts/supervised.sh writes, and each network
# can be read, trained and tested.
. tests/lib.sh
. tests/toy.sh
no_charts
out=$TMP_TEST/out
check 'scripts/supervised.sh runs' scripts/supervised.sh "$out"
for name in conv4-supervised densenet; do
    check "cfg/$name.cfg is what scripts/supervised.sh writes" cmp "cfg/$name.cfg" "$out/$name.cfg"
    expect_error "^darknet: $TMP_TEST/none.data: No such file or directory$" "$DARKNET_BIN" meta pretrain "$TMP_TEST/none.data" "cfg/$name.cfg"
done
section() { sed 's/[#;].*//; s/[ \t]*$//; /^$/d' "$1" | sed -n "/^\[$2\]/,/^\[softmax\]/p"; }
check 'conv4-supervised.cfg has the convolutions of the paper and four outputs' test \
    "$(diff <(section cfg/maml-4conv.cfg convolutional) <(section cfg/conv4-supervised.cfg convolutional) | grep '^[<>]' | tr '\n' ' ')" = '< output=2 > output=4 '
for key in width height channels angle flip min_crop max_crop aspect hue saturation exposure; do
    check "the networks for meta pretrain have the $key of maml-4conv.cfg" test "$(grep "^$key=" cfg/maml-4conv.cfg)$(grep "^$key=" cfg/maml-4conv.cfg)" = "$(grep -h "^$key=" cfg/densenet.cfg cfg/conv4-supervised.cfg | tr -d '\n')"
done

# Layers of a DenseNet-BC: 1 + 2*(6 + 12 + 24) convolutions, one more at each of two transitions, a route for each pair
check 'densenet.cfg has its 87 convolutions, 42 routes and 3 pools' test "$(grep -c '^\[convolutional\]' cfg/densenet.cfg) $(grep -c '^layers=-3,-1' cfg/densenet.cfg) $(grep -c '^\[maxpool\]' cfg/densenet.cfg)" = '87 42 3'
toy "$TMP_TEST/a"
toy_supervised "$TMP_TEST/a"
sed 's/^channels=3/channels=1/; s/^\(hue\|saturation\)=.*//; s/^batch=.*/batch=4/' cfg/densenet.cfg >"$TMP_TEST/a/toy.cfg"
check 'meta pretrain trains the DenseNet for 2 iterations' pretrain "$TMP_TEST/a" -max_batches 2 -valid_every 0
expect_output '1 nearest neighbour in layer 132, seed 1' "$DARKNET_BIN" meta test "$TMP_TEST/a/toy.data" "$TMP_TEST/a/toy.cfg" \
    "$TMP_TEST/a/backup/toy_final.weights" -method knn -shots 1 -runs 1
