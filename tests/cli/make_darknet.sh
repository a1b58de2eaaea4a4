#!/bin/bash
# make DARKNET=DIR tells in one line what a checkout of another ABI lacks, before anything is compiled; the switches of make's targets, and
# the headers that it knows of objects.
. tests/lib.sh
case $TEST_VARIANT in release) ;; *) skip 'make DARKNET=DIR' "the Makefile's words are the same in every build"; exit ;; esac
other=$TMP_TEST/other
mkdir -p "$other/include"
# tells WORDS DIR: checks that make ends with them, and with no line of the compiler's
tells()
{
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -n DARKNET="$2" BUILD="$TMP_TEST/build" >"$TMP_TEST/out" 2>&1
    check "make DARKNET= exits with 2: $1" test $? -eq 2
    check "make DARKNET= tells: $1" grep -Eq -- "^Makefile:[0-9]+: \*\*\* DARKNET=$2: $1" "$TMP_TEST/out"
    check "make DARKNET= prints one line: $1" test "$(wc -l <"$TMP_TEST/out")" -eq 1
}
rmdir "$other/include"
tells 'has no include/darknet\.h: must be a checkout of Darknet' "$other"
mkdir "$other/include"
# As in AlexeyAB's: the list is no part of darknet.h
grep -v '^} list;\|^typedef struct list' /usr/lib/darknet/include/darknet.h | sed 's/\blist \*/void */g' >"$other/include/darknet.h"
tells 'its include/darknet\.h is of another ABI than .*; the first thing missed: ' "$other"
cp /usr/lib/darknet/include/darknet.h "$other/include"
check 'make DARKNET= goes on with the darknet.h of the package' make -n DARKNET="$other" BUILD="$TMP_TEST/build"

# The switches of targets are of those alone: no variable of the Makefile's own has their names
for target in ranks:RANKS kills:KILLS faults:SWEEP; do
    handed() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -n "${target%:*}" "$@" BUILD="$TMP_TEST/build" 2>&1 | sed -n 's/.*tests\/faults\/[a-z]*\.py *//p'; }
    check "make ${target%:*} hands nothing on unasked" test -z "$(handed)"
    check "make ${target%:*} hands ${target#*:} on" test "$(handed "${target#*:}=--seed 7")" = '--seed 7'
done

# What the compiler has written down of an object's headers is read again, of each
build=$(realpath --relative-to=. "$BUILD")
headers()
{
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -npq BUILD="$build" 2>/dev/null | sed -n "s|^\($build/src/[^: ]*\)\.o:.*\.h.*|\1.d|p" | sort -u >"$TMP_TEST/known"
    find src -name '*.c' -o -name '*.cpp' | sed "s|.*|$build/&|; s|\.[a-z]*\$|.d|" | while read -r d; do [ ! -e "$d" ] || echo "$d"; done | sort \
        | comm -23 - "$TMP_TEST/known" | grep . && return 1
    test -s "$TMP_TEST/known"
}
check 'make compiles an object again when one of its headers has changed' headers
