#!/bin/bash
# The cache of a list's decoded images changes nothing but the time of a start: not when it is made, taken, damaged, removed, shared or can't be
# written.
. tests/lib.sh
. tests/toy.sh
no_charts
a=$TMP_TEST/a off=$TMP_TEST/off b=$TMP_TEST/b
toy "$a"
toy_twin "$a" "$b"          # lists and images are a's
toy_twin "$a" "$off"
echo cache=off >>"$off/toy.data"
sleep .1                    # images that were written just now are not kept
cache=$a/train.list.15x1.cache
flags=(-threads 2 -valid_every 6 -valid_runs 4)
again() { rm -f "$1"/backup/*; train "$1" "${flags[@]}"; }
told() { grep -c '\.cache: ' "$1/out"; }
tells() { [ "$(told "$1")" -eq 1 ] && grep -qx "$2" "$1/out"; }

check 'a training without a cache trains' again "$off"
check 'cache=off makes no file' test -z "$(ls "$a" "$off" | grep cache)"
check 'a training that makes a cache trains' again "$a"
check 'a training that makes a cache ends as one without' same_end "$a" "$off"
check 'a cache that is made is told' grep -qxE "$cache: keeps the decoded images of $a/train\.list, 0\.0 MB, for later starts" "$a/out"
check 'each list has a cache beside it, of its own size' test "$(ls "$a" | grep -c cache)" -eq 2 -a -s "$cache" -a -s "$a/valid.list.12x1.cache"
check 'a training that takes a cache trains' again "$a"
check 'a training that takes a cache ends as one without' same_end "$a" "$off"
check 'a cache that is taken is not told' test "$(told "$a")" -eq 0

# damaged in each of its parts
size=$(stat -c %s "$cache")
for at in 0 33 60 90 130 200 2000 $((size - 1)); do
    printf '\125' | dd of="$cache" bs=1 seek=$at conv=notrunc 2>/dev/null
    again "$a"
    check "a training with a cache that is damaged at byte $at ends as one without" same_end "$a" "$off"
    check "a cache that is damaged at byte $at is told in one line" test "$(told "$a")" -eq 1 -a "$(grep -c "^$cache: .*: it was made anew$" "$a/out")" -eq 1
done
for length in 0 100 1000 $((size - 1)); do
    truncate -s "$length" "$cache"
    again "$a"
    check "a training with a cache that is cut to $length bytes ends as one without" same_end "$a" "$off"
    check "a cache that is cut to $length bytes is told in one line" tells "$a" "$cache: is cut short: it was made anew"
done
check 'a cache that was made anew is taken' sh -c "rm '$a'/backup/*; '$DARKNET_BIN' meta train '$a/toy.data' '$a/toy.cfg' -name toy ${flags[*]} >'$a/out'; ! grep -q cache '$a/out'"

# an image that changed: the cache is not believed
image=$(head -n 1 "$a/train.list")
cp -p "$image" "$TMP_TEST/kept.pgm"
tr '\200-\377' '\100-\277' <"$TMP_TEST/kept.pgm" >"$image"      # another picture, as long,
touch -r "$TMP_TEST/kept.pgm" "$image"                          # of the same time
sleep .1
again "$a"
check 'an image that changed is told in one line' tells "$a" "$cache: 1 of 64 images is new or changed: it was made anew"
check 'a training with an image that changed does not end as before' differ "$a/backup/toy_final.weights" "$off/backup/toy_final.weights"
cp -p "$TMP_TEST/kept.pgm" "$image"
sleep .1
rm "$cache"
check 'a training whose cache was removed trains' again "$a"
check 'a training whose cache was removed ends as one without' same_end "$a" "$off"

# two at once, from none and from one
for state in none one; do
    [ $state = one ] || rm "$a"/*.cache
    again "$a" &
    again "$b"
    status=$?
    wait $!
    check "two trainings share a list at once, from $state" test $? -eq 0 -a $status -eq 0
    check "two trainings of one list at once end as one without a cache, from $state" sh -c "cmp '$a/backup/toy_final.weights' '$off/backup/toy_final.weights' && cmp '$b/backup/toy_final.weights' '$off/backup/toy_final.weights'"
    check "two trainings of one list leave whole caches alone, from $state" test "$(ls "$a" | grep cache)" = "$(printf '%s\n' train.list.15x1.cache valid.list.12x1.cache)"
done

# tests: figures and tasks
weights=$off/backup/toy_final.weights
tested() { "$DARKNET_BIN" meta test "$1/toy.data" "$a/toy.cfg" "$weights" -runs 6 -threads 2 "${@:3}" -out "$TMP_TEST/$2.json" >"$TMP_TEST/$2.out" && grep -v '"crc32"\|"path"\|"bytes"' "$TMP_TEST/$2.json" >"$TMP_TEST/$2.lines"; }
for method in maml finetune; do
    more=() && [ $method = maml ] || more=(-epochs 3)
    rm -f "$a"/*.cache
    check "meta test by $method without a cache tests" tested "$off" plain -method $method "${more[@]}"
    check "meta test by $method makes a cache" tested "$a" first -method $method "${more[@]}"
    check "meta test by $method takes a cache" tested "$a" second -method $method "${more[@]}"
    check "meta test by $method has one result, with and without a cache" sh -c "cmp '$TMP_TEST/plain.lines' '$TMP_TEST/first.lines' && cmp '$TMP_TEST/plain.lines' '$TMP_TEST/second.lines'"
    check "meta test by $method tells a cache that it makes, and only then" test "$(grep -c 'cache: keeps' "$TMP_TEST/first.out")" -ge 1 -a "$(grep -c cache "$TMP_TEST/second.out")" -eq 0
done
check 'a test that augments has a cache for either size' test "$(ls "$a" | grep '^test.*cache')" = "$(printf '%s\n' test.list.12x1.cache test.list.15x1.cache)"

# another folder, of the .data file
sed "\$acache=$TMP_TEST/scratch/caches" "$b/toy.data" >"$b/other.data"
rm "$a"/*.cache
check 'cache=FOLDER makes the folder' "$DARKNET_BIN" meta test "$b/other.data" "$a/toy.cfg" "$weights" -runs 1
check 'cache=FOLDER has the cache in it, and none beside the list' test -s "$TMP_TEST/scratch/caches/test.list.12x1.cache" -a -z "$(ls "$a" | grep cache)"

# a list that is a stream has no place beside it; /dev/shm is a folder like any other
sed 's#^test=.*#test=/dev/fd/7#' "$b/toy.data" >"$b/stream.data"
check 'a list that is a stream has no cache, and nothing is told' sh -c "'$DARKNET_BIN' meta test '$b/stream.data' '$a/toy.cfg' '$weights' -runs 1 7<'$a/test.list' >'$a/out' && ! grep -q cache '$a/out'"
if shm=$(mktemp -d /dev/shm/darknet-meta-test.XXXXXX 2>/dev/null); then
    cp "$a/test.list" "$shm"
    sed "s#^test=.*#test=$shm/test.list#" "$b/toy.data" >"$b/shm.data"
    "$DARKNET_BIN" meta test "$b/shm.data" "$a/toy.cfg" "$weights" -runs 1 >"$a/out"
    check 'a list in /dev/shm has its cache beside it' test -s "$shm/test.list.12x1.cache"
    rm -r "$shm"
else skip 'a list in /dev/shm' 'there is none'; fi

# adapt and predict read their few images themselves
sed "s#^train=.*#train=$a/few.list#; s/^classes=.*/classes=2/; s#^labels=.*#labels=$a/few.labels#; /^valid=/d; /^test=/d" "$a/toy.data" >"$a/few.data"
printf 'c6_\nc7_\n' >"$a/few.labels"
grep -E 'c[67]_[0-2]\.' "$a/test.list" >"$a/few.list"
check 'meta adapt makes no cache' sh -c "'$DARKNET_BIN' meta adapt '$a/few.data' '$a/toy.cfg' '$weights' -out '$a/few' >/dev/null && ! ls '$a' | grep cache"

# a cache that is cut while it is used
again "$a"
rm -f "$a"/backup/*
: >"$a/out"        # the lines of the training before would be counted until this one's shell has opened the file
"$DARKNET_BIN" meta train "$a/toy.data" "$a/toy.cfg" -name toy -threads 2 -valid_every 0 -max_batches 1000000 >"$a/out" 2>"$a/err" &
pid=$!
for ((i = 0; i < 1000; i++)); do [ "$(grep -c ' left$' "$a/out")" -lt 2 ] && kill -0 $pid 2>/dev/null || break; sleep .02; done
: >"$cache"
for ((i = 0; i < 3000; i++)); do kill -0 $pid 2>/dev/null || break; sleep .02; done
kill -9 $pid 2>/dev/null
wait $pid
check 'a training whose cache is cut under it ends with 1' test $? -eq 1
check 'a training whose cache is cut under it says so in one line' sh -c "test \$(wc -l <'$a/err') -eq 1 && grep -q '^darknet: a file that is in use was cut short, or can.t be read any more' '$a/err'"
check 'the next training makes the cache anew' again "$a"
check 'the training after a cache was cut ends as one without' same_end "$a" "$off"

# folders without room, and that can't be written
inside()
{
    local lists=$TMP_TEST/lists
    mkdir "$lists"
    mount -t tmpfs -o size=400k tmpfs "$lists" || return 99
    cp "$a/train.list" "$a/valid.list" "$lists"
    sed -i "s#^train=.*#train=$lists/train.list#; s#^valid=.*#valid=$lists/valid.list#" "$b/toy.data"
    dd if=/dev/zero of="$lists/filler" bs=1k 2>/dev/null
    check 'a training whose lists lie on a full disk trains' again "$b"
    check 'a cache on a full disk is told in one line' grep -qx "$lists/train.list.15x1.cache: can't be written: No space left on device: images are decoded at each start" "$b/out"
    check 'a full disk leaves nothing of a cache' test "$(ls "$lists")" = "$(printf '%s\n' filler train.list valid.list)"
    check 'a training on a full disk ends as one without a cache' same_end "$b" "$off"
    rm "$lists/filler"
    mount -o remount,ro "$lists" || return 99
    check 'a training whose lists can only be read trains' again "$b"
    check 'a cache that may not be written is told in one line' grep -qx "$lists/train.list.15x1.cache: can't be written: Read-only file system: images are decoded at each start" "$b/out"
    check 'a training whose lists can only be read ends as one without a cache' same_end "$b" "$off"
    test "$test_failures" -eq 0
}
if unshare -rm true 2>/dev/null; then
    export -f inside
    (unshare -rm bash -c '. tests/lib.sh; . tests/toy.sh; a=$1 b=$2 off=$3; flags=(-threads 2 -valid_every 6 -valid_runs 4)
        again() { rm -f "$1"/backup/*; train "$1" "${flags[@]}"; }; PATH=$4 inside' - "$a" "$b" "$off" "$PATH")
    status=$?
    if [ $status -eq 99 ]; then skip 'a cache without room' "can't mount a tmpfs"; else check 'caches without room fail no training' test $status -eq 0; fi
else skip 'a cache without room' 'no namespace of our own to mount a small tmpfs in (unshare -rm)'; fi
