#!/bin/bash
# Trainings by other meta-gradients: [inner_loop] multi_step, order=0 (Reptile) and adapt=head, resumed bit for bit on other threads.
. tests/lib.sh
. tests/toy.sh
no_charts
plain=$TMP_TEST/plain
toy "$plain"
flags=(-seed 5 -valid_every 0)
check 'a plain training runs' train "$plain" "${flags[@]}" -max_batches 8
for kind in multi_step=5 order=0 adapt=head; do
    a=$TMP_TEST/$kind whole=$TMP_TEST/$kind-whole
    toy_twin "$plain" "$a"
    rm -f "$a"/backup/*
    sed -i "/^${kind%=*}=/d; s/^\[inner_loop\]/&\n$kind/" "$a/toy.cfg"
    toy_twin "$a" "$whole"
    check "$kind: a training runs" train "$whole" "${flags[@]}" -max_batches 8
    check "$kind: it is not the plain one" differ "$whole/backup/toy_final.weights" "$plain/backup/toy_final.weights"
    check "$kind: a training on one thread stops" train "$a" "${flags[@]}" -threads 1 -max_batches 3
    check "$kind: it is resumed on two" train "$a" "${flags[@]}" -threads 2 -max_batches 8 -resume
    check "$kind: it ends bit for bit as an unbroken one" same_end "$a" "$whole"
    check "$kind: its weights are tested" "$DARKNET_BIN" meta test "$a/toy.data" "$a/toy.cfg" "$a/backup/toy_final.weights" -runs 2 -out "$a/r.json"
    expect_error "can't resume: \[inner_loop\] ${kind%=*} .* in the checkpoint" "$DARKNET_BIN" meta train "$a/toy.data" "$plain/toy.cfg" -name toy "${flags[@]}" -max_batches 9 -resume
done
