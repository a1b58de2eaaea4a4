#!/bin/bash
# [episode] sampler=curriculum draws other tasks than the uniform sampler, and trains the same from
# any number of threads and in parts.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a whole=$TMP_TEST/whole
toy "$a"
toy_twin "$a" "$whole"
flags=(-seed 5 -backup_every 4 -valid_every 0 -max_batches 24)
check 'a uniform run trains' train "$whole" "${flags[@]}"
cp "$whole/backup/toy_final.weights" "$TMP_TEST/uniform.weights"
for in in "$a" "$whole"; do sed -i 's/^tasks=3/&\nsampler=curriculum\nwindow=3\nexplore=.2/' "$in/toy.cfg"; done
check 'a run with sampler=curriculum trains' train "$whole" "${flags[@]}" -threads 1
check 'sampler=curriculum draws other tasks than the uniform sampler' differ "$whole/backup/toy_final.weights" "$TMP_TEST/uniform.weights"
for threads in 2 5; do
    check "a curriculum trains on $threads threads" train "$a" "${flags[@]}" -threads $threads
    check "a curriculum on $threads threads gives the same weights and state" same_end "$a" "$whole"
done
rm "$a"/backup/*
for part in 1 2 3 9 24; do
    [ $part -eq 1 ] && resume= || resume=-resume
    check "a curriculum trains the part up to iteration $part" train "$a" "${flags[@]/24/$part}" -threads $((part % 3 + 1)) $resume
done
check 'a curriculum in parts ends as an unbroken run' same_end "$a" "$whole"

# SIGKILL from outside, at some iteration of a run that is long enough to be still there
long=("${flags[@]/24/200}") kills=0
rm "$a"/backup/*
check 'a long unbroken run with sampler=curriculum trains' train "$whole" "${long[@]}"
for until in 5 2 6 500; do
    killed_run train "$a" $until "${long[@]}"
    [ $? -ne 137 ] || kills=$((kills + 1))
done
check "a curriculum is killed $kills times" test $kills -ge 2
check 'a curriculum killed and resumed ends as an unbroken run' same_end "$a" "$whole"

sed -i 's/^window=3/window=4/' "$a/toy.cfg"
expect_error "can't resume: \[episode\] window .section 2. is 4, but was 3" "$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy "${long[@]}" -resume

# 150 classes, 11175 pairs of them
many=$TMP_TEST/many
mkdir -p "$many/images"
for ((i = 100; i < 250; i++)); do
    echo "_${i}_"
    for k in 1 2; do printf 'P5 12 12 255\n%144s' "$i $k" >"$many/images/x_${i}_$k.pgm"; done
done >"$many/labels"
printf '%s\n' "$many"/images/* >"$many/train.list"
printf 'classes=150\nlabels=%s\ntrain=%s\nbackup=%s\n' "$many/labels" "$many/train.list" "$many/backup" >"$many/toy.data"
sed 's/^shots=2/shots=1/; s/^queries=3/queries=1/' "$a/toy.cfg" >"$many/toy.cfg"
expect_error "toy.cfg:[0-9]+: \[episode\] sampler=curriculum: 2 of 150 classes make more than 10000 kinds of task: must be fewer ways or classes, or sampler=uniform$" \
    "$DARKNET_BIN" meta train "$many/toy.data" "$many/toy.cfg"
check 'a refused curriculum makes no backup folder' test ! -e "$many/backup"
"$DARKNET_BIN" meta doctor "$many/toy.data" "$many/toy.cfg" -seconds .01 >"$many/said" 2>&1
check 'meta doctor says that a curriculum has too many kinds of task' grep -Eq '^wrong +classes +\[episode\] sampler=curriculum: 2 of 150 classes make more than 10000 kinds of task' "$many/said"
# One kind of task leaves nothing to choose
one=$TMP_TEST/one
toy "$one"
sed -i 's/^ways=2/ways=4/; s/^tasks=3/&\nsampler=curriculum/; s/^output=2/output=4/' "$one/toy.cfg"
kinds() { "$DARKNET_BIN" meta train "$1/toy.data" "$1/toy.cfg" -max_batches 1 -valid_every 0 -overwrite >"$one/said" 2>&1 && [ "$(grep -c 'toy.cfg:[0-9]*: \[episode\] sampler=curriculum: has no effect: .*train.list has 4 classes, which make one kind of task of 4 ways$' "$one/said")" -eq "$2" ] || { cat "$one/said"; return 1; }; }
check 'meta train tells that a curriculum has one kind of task' kinds "$one" 1
sed -i 's/^ways=4/ways=2/; s/^output=4/output=2/' "$one/toy.cfg"
check 'and tells nothing where there are several' kinds "$one" 0
