#!/bin/bash
# scripts/exports.sh: what it takes, and what it refuses. adapt_readers.sh runs what it compares with.
. tests/lib.sh
t=$TMP_TEST
mkdir -p "$t/empty"
expect_error '^usage: scripts/exports.sh OUT \[ALEXEYAB \[HANKAI\]\]' scripts/exports.sh
expect_error '^usage: ' scripts/exports.sh "$t/out" - - more
expect_error 'scripts/exports.sh: -flags: must have a value' scripts/exports.sh "$t/out" -flags
expect_error "empty: no checkout of AlexeyAB's Darknet" scripts/exports.sh "$t/out" "$t/empty"
expect_error "empty: no checkout of hank-ai's Darknet" scripts/exports.sh "$t/out" - "$t/empty"
check 'scripts/exports.sh makes nothing when it refuses its words' test ! -e "$t/out"
