#!/bin/bash
# scripts/exports.sh: what it takes, and what it refuses. adapt_readers.sh runs what it compares with.
. tests/lib.sh
t=$TMP_TEST
mkdir -p "$t/empty"
expect_error '^usage: scripts/exports.sh OUT \[AlexeyAB=LIBRARY\] \[hank-ai=LIBRARY\]' scripts/exports.sh
expect_error '^usage: ' scripts/exports.sh "$t/out" more
expect_error 'scripts/exports.sh: -flags: must have a value' scripts/exports.sh "$t/out" -flags
expect_error 'empty: is no library: must be a libdarknet.so that is built' scripts/exports.sh "$t/out" AlexeyAB="$t/empty"
expect_error 'none: is no library: must be a libdarknet.so that is built' scripts/exports.sh "$t/out" hank-ai="$t/none"
check 'scripts/exports.sh makes nothing when it refuses its words' test ! -e "$t/out"
