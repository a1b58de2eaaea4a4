#!/bin/bash
# meta adapt on a full disk (a small tmpfs in a mount namespace of our own): the earlier classifier stays whole, and a new name stays free.
. tests/lib.sh
. tests/toy.sh
a=$TMP_TEST/a
out=$a/full

# adapt NAME FLAG...
adapt()
{
    local name=$1
    shift
    "$DARKNET_BIN" meta adapt "$a/few.data" "$a/toy.cfg" "$a/backup/toy_final.weights" -out "$out/$name" "$@" >"$a/out" 2>"$a/err"
}

# leave PAGES: fills the disk but for so many
leave()
{
    dd if=/dev/zero of="$out/filler" bs=4k 2>/dev/null
    truncate -s -$(($1 * 4096)) "$out/filler"
}

pair() { cat "$1.cfg" "$1.weights" 2>/dev/null | md5sum; }

inside()
{
    toy "$a"
    train "$a" -max_batches 2 -valid_every 0 || test_failed 'meta train makes the network to adapt' "$a/err"
    printf 'c6_\nc7_\n' >"$a/few.labels"
    # The .cfg, with a comment for each image, is to take more pages than the .weights.
    for copy in 1 2 3 4; do for f in "$a"/images/c[67]_*.pgm; do cp "$f" "${f%.pgm}_$copy.pgm"; done; done
    ls "$a"/images/c[67]_*_[1-4].pgm >"$a/few.list"
    printf 'classes=2\nlabels=%s\ntrain=%s\n' "$a/few.labels" "$a/few.list" >"$a/few.data"
    mkdir "$out" && mount -t tmpfs -o size=128k tmpfs "$out" || return 99
    check 'a classifier is written while there is room' adapt old -steps 1
    mkdir "$a/kept" && cp "$out/old.cfg" "$out/old.weights" "$a/kept"
    check 'and one of more steps' adapt old -steps 3
    local earlier later pages broken= left= status short=0
    earlier=$(pair "$a/kept/old") later=$(pair "$out/old")
    check 'which is another' test "$earlier" != "$later"
    for pages in 0 1 2 3 4 5 6 7 8; do
        rm -f "$out"/*
        cp "$a"/kept/* "$out"
        leave "$pages"
        status=0
        adapt old -steps 3 || status=$?
        if [ $status -eq 0 ]; then [ "$(pair "$out/old")" = "$later" ] || broken="$broken $pages"; continue; fi
        [ $status -eq 1 ] && [ "$(pair "$out/old")" = "$earlier" ] || broken="$broken $pages"
        ! grep -q 'old.cfg: can.t write: No space left' "$a/err" || short=1
        [ -z "$(ls "$out" | grep -vE '^(old.cfg|old.weights|filler)$')" ] || left="$left $pages"
    done
    check "a full disk leaves the earlier pair whole, however many pages it has left (broken:${broken:- none})" test -z "$broken"
    check 'among them so many that the .weights fits and the .cfg does not' test $short -eq 1
    check "and nothing temporary (left:${left:- none})" test -z "$left"
    broken=
    for pages in 0 1 2 3 4 5 6 7 8; do
        rm -f "$out"/*
        leave "$pages"
        if ! adapt new && [ -n "$(ls "$out" | grep -v '^filler$')" ]; then broken="$broken $pages"; fi
        rm "$out/filler"
        adapt new || broken="$broken $pages"
    done
    check "a new name stays free, and is written once there is room (not so:${broken:- none})" test -z "$broken"

    # Of a folder the names and the .data file become new with the classifier, and its ONNX where it can be written
    local folder onnx=
    [ ! -e "$DARKNET_DIR/libdarknet-meta-onnx.so" ] || onnx=-onnx
    for folder in one two; do
        mkdir -p "$a/$folder/${folder}s" "$a/$folder/others"
        cp "$a"/images/c6_[0-4].pgm "$a/$folder/${folder}s" && cp "$a"/images/c7_[0-4].pgm "$a/$folder/others"
    done
    whole() { (cd "$1" && md5sum named.*); }
    named() { "$DARKNET_BIN" meta adapt "$a/$1" "$a/toy.cfg" "$a/backup/toy_final.weights" -out "$out/named" -steps 3 "${@:2}" >"$a/out" 2>"$a/err"; }
    rm -f "$out"/*
    check 'a classifier of a folder is written' named one
    rm -r "$a/kept" && mkdir "$a/kept" && cp "$out"/named.* "$a/kept"
    check 'and one of another folder' named two $onnx
    earlier=$(whole "$a/kept") later=$(whole "$out") broken= short=0
    for pages in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
        rm -f "$out"/*
        cp "$a"/kept/* "$out"
        leave "$pages"
        if named two $onnx; then [ "$(whole "$out")" = "$later" ] || broken="$broken $pages"
        else short=1; [ "$(whole "$out")" = "$earlier" ] || broken="$broken $pages"; fi
    done
    check "a full disk leaves all files of the earlier classifier, or those of the new one (broken:${broken:- none})" test -z "$broken"
    check 'some of the disks were too full' test $short -eq 1
}

if [ "${1:-}" = --inside ]; then inside; exit; fi
if ! unshare -rm true 2>/dev/null; then
    skip 'meta adapt on a full disk' 'no namespace of our own to mount a small tmpfs in (unshare -rm)'
    exit 0
fi
unshare -rm bash "$0" --inside
status=$?
if [ $status -eq 99 ]; then skip 'meta adapt on a full disk' "can't mount a tmpfs"; exit 0; fi
exit $status
