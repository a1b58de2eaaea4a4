#!/bin/bash
# The rows of Table 2, and Table 1's task sampling: each .cfg says what its row changes and nothing else, and can be trained.
. tests/lib.sh
out=$TMP_TEST/out
check 'scripts/ablations.sh runs' scripts/ablations.sh "$out"
check 'cfg/ablation is what scripts/ablations.sh writes' diff -r cfg/ablation "$out"

# settings FILE: prints section.key=value for the settings of a .cfg, without comments, and one line
# with its layers
settings()
{
    sed 's/[#;].*//; s/[ \t]//g' "$1" | awk -F= '
        /^\[/ { section = substr($0, 2, length - 2); if (section !~ /net|episode|inner_loop|meta_loss/) { layers++; layer = layer section } next }
        NF > 1 && section ~ /net|episode|inner_loop|meta_loss/ { print section "." $0; next }
        NF > 1 { layer = layer "," $0 }
        END { print "layers " layers " " layer }'
}
# changes FILE BASE EXPECTED: checks that the settings FILE alone has (+) and BASE alone has (-) are
# EXPECTED
changes()
{
    diff <(settings "$2" | sort) <(settings "$1" | sort) | sed -n 's/^> /+/p; s/^< /-/p' | sort | tr '\n' ' ' >"$TMP_TEST/changes"
    check "$1 changes $3" test "$(cat "$TMP_TEST/changes")" = "$3 "
}
base=cfg/daml-4conv.cfg
rate() { grep -hE '^(policy|steps=2400|scales)' "$@" | sed 's/[ #].*//' | sort | uniq -c | tr -s ' \n' ' '; }
check 'the trainings on tasks of Table 1 lower their rate as the paper does' test \
    "$(rate cfg/{maml-4conv,daml-4conv,curriculum-4conv,relation}.cfg cfg/ablation/eta-1-order-2.cfg)" = ' 5 policy=steps 5 scales=0.1 5 steps=2400 '
check 'no .cfg calls a constant rate the paper'"'"'s' eval '! grep -rn "policy=constant.*# paper$" cfg'
order='+inner_loop.order=1' constant='+net.policy=constant'
gone() { settings $base | grep -E "^($1)=" | sort | sed 's/^/-/' | tr '\n' ' ' | sed 's/ $//'; }
order_off=$(gone 'inner_loop\.(order|second_order_start)') loss_off=$(gone 'meta_loss\..*') rate_off=$(gone 'net\.(policy|steps|scales)')
check 'the network of the paper is trained by order=2 and eta=5' test "${order_off%% *} $(gone meta_loss.eta)" = '-inner_loop.order=2 -meta_loss.eta=5'
for eta in 1 3 7; do changes cfg/ablation/eta-$eta.cfg $base "$order +meta_loss.eta=$eta $constant $order_off -meta_loss.eta=5 $rate_off"; done
changes cfg/ablation/eta-1-order-2.cfg $base "+meta_loss.eta=1 -meta_loss.eta=5"
changes cfg/ablation/eta-5.cfg $base "$order $constant $order_off $rate_off"
changes cfg/ablation/conv-64.cfg $base "$order +meta_loss.type=mean $constant $order_off $loss_off $rate_off"
changes cfg/ablation/conv-64-noaug.cfg cfg/ablation/conv-64.cfg "+net.exposure=1 +net.flip=0 +net.hue=0 +net.max_crop=84 +net.saturation=1 \
-net.exposure=1.2 -net.flip=1 -net.hue=0.02 -net.max_crop=96 -net.saturation=1.2"
check 'the residual network differs from conv-64-noaug in its layers alone' test \
    "$(diff <(settings cfg/ablation/conv-64-noaug.cfg) <(settings cfg/ablation/resnet-32-noaug.cfg) | grep -c '^[<>]')" -eq 2
check 'the residual network has four blocks of 32 filters' test "$(grep -c '^\[shortcut\]' cfg/ablation/resnet-32-noaug.cfg):$(grep -c '^filters=32$' \
    cfg/ablation/resnet-32-noaug.cfg):$(grep -c '^filters=' cfg/ablation/resnet-32-noaug.cfg)" = 4:9:9
changes cfg/curriculum-4conv.cfg cfg/maml-4conv.cfg "+episode.explore=0.1 +episode.sampler=curriculum +episode.window=10"

# Each .cfg is read and its shapes fit: the error is that the data is missing.
for cfg in cfg/*.cfg cfg/ablation/*.cfg; do
    case $cfg in *supervised* | *densenet*) continue ;; esac
    expect_error "^darknet: $TMP_TEST/none.data: No such file or directory$" "$DARKNET_BIN" meta train "$TMP_TEST/none.data" "$cfg"
done
