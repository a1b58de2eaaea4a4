#!/bin/bash
# -fork: trainings that differ in [meta_loss] alone share their beginning, and each ends bit for bit
# as it does alone.
. tests/lib.sh
. tests/toy.sh
mean=$TMP_TEST/mean fork=$TMP_TEST/fork whole=$TMP_TEST/whole
toy "$fork"
toy_twin "$fork" "$whole"
toy_twin "$fork" "$mean"
sed -i 's/^type=difficulty/type=mean/' "$mean/toy.cfg"
sed -i 's/^tasks=3/tasks=10/' "$fork/toy.cfg" "$whole/toy.cfg" "$mean/toy.cfg"       # a tenth ten times is not 1
flags=(-seed 5 -valid_every 0)
state=$TMP_TEST/at_6.state

check 'a run that weighs tasks from iteration 7 on trains' train "$whole" "${flags[@]}"
check 'a run of the mean trains up to iteration 6' train "$mean" "${flags[@]}" -max_batches 6
cp "$mean/backup/toy.state" "$state"
cp "$mean/backup/toy.csv" "${state%.state}.csv"
check '-fork goes on from a run of the mean' train "$fork" "${flags[@]}" -fork "$state"
check 'a forked run ends as an unbroken one' same_end "$fork" "$whole"
same_log() { cmp <(cut -d, -f1-5 "$fork/backup/toy.csv") <(cut -d, -f1-5 "$whole/backup/toy.csv"); }
check 'the log of a forked run is whole' same_log
check 'a forked run prints where it begins' grep -q "^Forking $state at iteration 6" "$fork/out"
rm -r "$fork/backup"
check 'a forked run trains up to iteration 9' train "$fork" "${flags[@]}" -fork "$state" -max_batches 9
check 'a forked run can be resumed' train "$fork" "${flags[@]}" -resume
check 'a forked and resumed run ends as an unbroken one' same_end "$fork" "$whole"
check 'the log of a forked and resumed run is whole' same_log
toy_twin "$mean" "$TMP_TEST/plain"
sed -i '/^\[meta_loss\]/,$d' "$TMP_TEST/plain/toy.cfg"
check 'a run without [meta_loss] trains' train "$TMP_TEST/plain" "${flags[@]}" -max_batches 6
check '-fork goes on from a run without [meta_loss]' train "$fork" "${flags[@]}" -fork "$TMP_TEST/plain/backup/toy.state"
check 'a run forked from one without [meta_loss] ends as an unbroken one' same_end "$fork" "$whole"
mv "$state" "${state%.state}.point"
check '-fork goes on from a checkpoint of another name' train "$fork" "${flags[@]}" -fork "${state%.state}.point"
check 'a run forked from a checkpoint without a log begins its log at iteration 7' test "$(sed -n 2p "$fork/backup/toy.csv" | cut -d, -f1)" = 7
mv "${state%.state}.point" "$state"

check 'the run of the mean goes on to iteration 7' train "$mean" "${flags[@]}" -max_batches 7 -resume
forked=("$DARKNET_BIN" meta train "$fork/toy.data" "$fork/toy.cfg" -name toy -valid_every 0)
expect_error 'toy.state: can.t fork: it is at iteration 7, and \[meta_loss\] of .*toy.cfg weighs tasks by then: allowed: an earlier' \
    "${forked[@]}" -seed 5 -fork "$mean/backup/toy.state"
expect_error 'toy.state: can.t fork: its \[meta_loss\] weighs tasks since iteration 7: allowed: a checkpoint from before' \
    "$DARKNET_BIN" meta train "$mean/toy.data" "$mean/toy.cfg" -name toy -valid_every 0 -seed 5 -fork "$whole/backup/toy.state"
expect_error 'at_6.state: can.t fork: -seed is 6, but was 5 in the checkpoint' "${forked[@]}" -seed 6 -fork "$state"
expect_error '-fork goes on from a checkpoint: it takes no WEIGHTS, no -clear and no -resume' "${forked[@]}" -fork "$state" -resume
# A -fork that can't begin changes no file.
rm -f "$fork"/backup/*toy.[0-9]*
cp "$fork/backup/toy.state" "$TMP_TEST/before.state"
cp "$fork/backup/toy.csv" "$TMP_TEST/before.csv"
cp "${state%.state}.csv" "$TMP_TEST/kept.csv"
sed -i '3s/^2,/two,/' "${state%.state}.csv"
expect_error "at_6.csv:3: is not the next row" "${forked[@]}" -seed 5 -fork "$state"
check 'a refused -fork leaves the checkpoint as it is' same "$TMP_TEST/before.state" "$fork/backup/toy.state"
check 'a refused -fork leaves the log as it is' same "$TMP_TEST/before.csv" "$fork/backup/toy.csv"
cp "$TMP_TEST/kept.csv" "${state%.state}.csv"
expect_error 'nowhere.state: No such file' "${forked[@]}" -fork "$TMP_TEST/nowhere.state"
