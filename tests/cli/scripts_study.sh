#!/bin/bash
# The study of methods: its .cfg files and its two tables are what scripts/study.sh writes, each method differs from MAML in what its row
# says and nothing else, and the rare classes are asked of the very trainings that the held-out lesions choose among.
. tests/lib.sh
out=$TMP_TEST/out
check 'scripts/study.sh runs' scripts/study.sh "$out"
check 'cfg/study is what scripts/study.sh writes' diff -r cfg/study "$out/cfg/study"
for table in study study-rare; do check "$table.table is what scripts/study.sh writes" diff data/tables/$table.table "$out/data/tables/$table.table"; done

# settings FILE: section.key=value for each setting of a .cfg, without comments; layers are numbered
settings()
{
    sed 's/[#;].*//; s/[ \t]//g' "$1" | awk -F= '
        /^\[/ { section = substr($0, 2, length - 2); if (section !~ /net|episode|inner_loop|meta_loss/) section = section "-" ++layers; print section; next }
        NF > 1 { print section "." $0 }'
}
changes()                # NAME EXPECTED: what cfg/study/NAME.cfg has that maml.cfg has not (+), and the other way round (-)
{
    diff <(settings cfg/study/maml.cfg | sort) <(settings "cfg/study/$1.cfg" | sort) | sed -n 's/^> /+/p; s/^< /-/p' | tr '\n' ' ' >"$TMP_TEST/changes"
    check "$1.cfg changes: $2" test "$(tr ' ' '\n' <"$TMP_TEST/changes" | sort | tr '\n' ' ' | sed 's/^ *//; s/ *$//')" = "$(tr ' ' '\n' <<<"$2" | sort | tr '\n' ' ' | sed 's/^ *//; s/ *$//')"
}
daml='-meta_loss.type=mean +meta_loss.type=difficulty +meta_loss.epsilon=0.1 +meta_loss.start=750'
for eta in 1 3 5; do changes eta-$eta "$daml +meta_loss.eta=$eta"; done
changes eta-5-normalised "$daml +meta_loss.eta=5 +meta_loss.normalise=1"
changes maml-16-tasks '-episode.tasks=4 +episode.tasks=16'
changes eta-5-normalised-16-tasks "$daml +meta_loss.eta=5 +meta_loss.normalise=1 -episode.tasks=4 +episode.tasks=16"
changes anil '+inner_loop.adapt=head'
changes maml-no-augmentation '-net.flip=1 +net.flip=0 -net.max_crop=48 +net.max_crop=42 -net.hue=0.02 +net.hue=0 -net.saturation=1.2 +net.saturation=1 -net.exposure=1.2 +net.exposure=1'
changes rates-layer '+inner_loop.rates=layer'
changes rates-parameter '+inner_loop.rates=parameter'
changes multi-step '+inner_loop.multi_step=750'
changes rotations '+convolutional-1.rotations=4 +convolutional-3.rotations=4 +convolutional-5.rotations=4 +convolutional-7.rotations=4 +connected-9.rotations=4 -inner_loop.learning_rate=0.1 +inner_loop.learning_rate=0.025'
steps='-inner_loop.steps=5 -inner_loop.test_steps=5 +inner_loop.steps=0 +inner_loop.test_steps=0 -inner_loop.order=2 +inner_loop.order=1'
changes prototypes "-connected-9 -connected-9.output=2 -connected-9.activation=linear +prototype-9 $steps -inner_loop.second_order_start=300 -inner_loop.learning_rate=0.1"
base=$(settings cfg/study/maml.cfg | grep -E '^(net\.(width|height|min_crop|max_crop|max_batches|policy|steps|scales)|inner_loop\.(learning_rate|order))=' | tr '\n' ' ')
check 'the study is at 42x42, of order=2, with a tenth of the rate from iteration 1200 on' test "$base" = \
    'net.width=42 net.height=42 net.policy=steps net.steps=1200 net.scales=0.1 net.max_batches=1500 net.min_crop=42 net.max_crop=48 inner_loop.learning_rate=0.1 inner_loop.order=2 '
for cfg in cfg/study/*.cfg; do
    check "a row of the study has $cfg" grep -qx "cfg=$cfg" data/tables/study.table
    expect_error "^darknet: $TMP_TEST/none.data: No such file or directory$" "$DARKNET_BIN" meta train "$TMP_TEST/none.data" "$cfg"
done
rows() { sed -n '/^\[row\]/,$p' "data/tables/$1.table"; }
check 'the rare classes are asked of the same rows' diff <(rows study) <(rows study-rare)
check 'choices are made on the valid list' grep -qx 'list=valid' data/tables/study.table
check 'the rare classes are asked on the test list' grep -qx 'list=test' data/tables/study-rare.table
differ() { diff <(sed -n '/^data=/p; /^seed=/p; /^reference=/p; /^valid_every=/p' data/tables/study.table) <(sed -n '/^data=/p; /^seed=/p; /^reference=/p; /^valid_every=/p' data/tables/study-rare.table); }
check 'both tables are of one .data file, one seed and one reference' differ
