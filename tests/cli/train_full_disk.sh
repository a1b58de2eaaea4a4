#!/bin/bash
# A full disk (a small tmpfs in a mount namespace of our own) loses no earlier checkpoint, and training goes on.
. tests/lib.sh
. tests/toy.sh

inside()
{
    local status a=$TMP_TEST/a whole=$TMP_TEST/whole
    mkdir -p "$a/backup"
    toy "$a"
    mount -t tmpfs -o size=1m tmpfs "$a/backup" || return 99
    flags=(-seed 5 -backup_every 4 -valid_every 0)
    check 'a checkpoint is written while there is room' train "$a" "${flags[@]}" -max_batches 8
    cp "$a/backup/toy.state" "$a/backup/toy.backup" "$a/backup/toy.csv" "$TMP_TEST"
    check 'an unbroken run trains to its end' train "$a" "${flags[@]}" -max_batches 20
    mkdir "$whole" && cp "$a"/backup/* "$whole"
    rm "$a"/backup/*
    cp "$TMP_TEST/toy.state" "$TMP_TEST/toy.backup" "$TMP_TEST/toy.csv" "$a/backup"
    dd if=/dev/zero of="$a/backup/filler" bs=1k 2>"$a/err"
    train "$a" "${flags[@]}" -max_batches 20 -resume
    status=$?
    sed 's/^/    | /' "$a/err"
    check 'on a full disk training exits with 1' test $status -eq 1
    check 'on a full disk training does all iterations' test "$(grep -c meta-loss "$a/out")" -eq 12
    check 'on a full disk training says that the checkpoint is not written' grep -q "toy.state: can't write.*No space left on device" "$a/err"
    check 'on a full disk training says that the final weights are not written' grep -q "toy_final.weights: can't .*No space left on device" "$a/err"
    check 'on a full disk training does not repeat its message every iteration' test "$(wc -l <"$a/err")" -le 5
    check 'on a full disk the earlier checkpoint stays whole' cmp "$a/backup/toy.state" "$TMP_TEST/toy.state"
    check 'on a full disk the earlier backup weights stay whole' cmp "$a/backup/toy.backup" "$TMP_TEST/toy.backup"
    check 'on a full disk no temporary file is left' test -z "$(ls "$a/backup" | grep tmp)"
    rm "$a/backup/filler"
    check 'on a full disk the log keeps whole lines alone' test "$(tail -c 1 "$a/backup/toy.csv" | od -An -tx1 | tr -d ' ')" = 0a
    check 'with room again, -resume trains to the end' train "$a" "${flags[@]}" -max_batches 20 -resume
    check 'a run resumed after a full disk ends with the weights of an unbroken one' same "$a/backup/toy_final.weights" "$whole/toy_final.weights"
    check 'on a full disk meta test leaves no half-written result' sh -c "dd if=/dev/zero of='$a/backup/filler' bs=1k 2>/dev/null;
        '$DARKNET_BIN' meta test '$a/toy.data' '$a/toy.cfg' '$whole/toy_final.weights' -runs 200 -out '$a/backup/r.json' >/dev/null 2>'$a/err'
        test \$? -eq 1 && grep -q 'r.json: .*No space left' '$a/err' && test ! -e '$a/backup/r.json'"

    # Weights and the learned rates beside them are of one iteration, however many pages are left
    local pages broken= short=0 earlier later
    rm "$a"/backup/*
    sed -i 's/^\[inner_loop\]/&\nrates=layer/; s/^filters=.*/filters=24/' "$a/toy.cfg"
    pair() { cat "$1/toy_final.weights" "$1/toy_final.rates" 2>/dev/null | md5sum; }
    check 'a training with learned rates has written them' train "$a" "${flags[@]}" -max_batches 8
    mkdir "$a/kept" && cp "$a"/backup/* "$a/kept"
    check 'and goes on while there is room' train "$a" "${flags[@]}" -max_batches 12 -resume
    earlier=$(pair "$a/kept") later=$(pair "$a/backup")
    for pages in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
        rm -f "$a"/backup/*
        cp "$a"/kept/* "$a/backup"
        dd if=/dev/zero of="$a/backup/filler" bs=4k 2>/dev/null
        truncate -s -$((pages * 4096)) "$a/backup/filler"
        if train "$a" "${flags[@]}" -max_batches 12 -resume; then [ "$(pair "$a/backup")" = "$later" ] || broken="$broken $pages"; continue; fi
        case $(pair "$a/backup") in "$earlier") ;; "$later") ;; *) broken="$broken $pages" ;; esac
        ! grep -q "toy_final.*No space left" "$a/err" || short=1
    done
    check "weights and learned rates become new together, whatever is left of a disk (not so with pages:${broken:- none})" test -z "$broken"
    check 'among them so little that they do not fit' test $short -eq 1
}

if [ "${1:-}" = --inside ]; then inside; exit; fi
if ! unshare -rm true 2>/dev/null; then
    skip 'training on a full disk' 'no namespace of our own to mount a small tmpfs in (unshare -rm)'
    exit 0
fi
unshare -rm bash "$0" --inside
status=$?
if [ $status -eq 99 ]; then skip 'training on a full disk' "can't mount a tmpfs"; exit 0; fi
exit $status
