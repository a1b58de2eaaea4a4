#!/bin/bash
# The harness itself: tests/run.sh and tests/lib.sh on tests that fail in every way a test can
. tests/lib.sh
set -u
[ "$TEST_VARIANT" = release ] || { skip "the harness of the tests" "doesn't depend on how the program is built"; exit; }
root=$PWD
there=$TMP_TEST/project
mkdir -p "$there/tests/unit" "$there/tests/cli"
cp tests/run.sh tests/lib.sh "$there/tests"

# run: runs tests/run.sh on the one test in $there and removes the test; sets $last to its last line
# and $status to its exit status
run()
{
    status=0
    (cd "$there" && env -u TMP_TEST -u DARKNET_BIN -u DARKNET_DIR BUILD=build BIN=. TEST_VARIANT="${1:-release}" tests/run.sh) \
        >"$TMP_TEST/said" 2>&1 || status=$?
    last=$(tail -n 1 "$TMP_TEST/said")
    rm -rf "$there"/tests/unit/* "$there"/tests/cli/* "$there/build"
}
ends() { [ "$last" = "$1" ] && [ $status -eq "$2" ] || { cat "$TMP_TEST/said"; echo "status $status"; return 1; }; }
says() { grep -q "$1" "$TMP_TEST/said" || { cat "$TMP_TEST/said"; return 1; }; }
script() { { echo '. tests/lib.sh'; cat; } >"$there/tests/cli/t.sh"; }

script <<<'check "true is true" true'; run
check "a case that passes is counted as passed" ends "1 passed, 0 failed" 0
script <<<'check "true is true" true; check "false is true" false'; run
check "a case that fails is counted as failed" ends "1 passed, 1 failed" 1
check "a case that fails is named" says "not ok - false is true"
script <<<'check "true is true" true; exit 3'; run
check "a script that ends with a bad status fails" ends "1 passed, 1 failed" 1
script <<<'true'; run
check "a script without a case fails" ends "0 passed, 1 failed" 1
script <<<'check "true is true" true; kill -SEGV $$'; run
check "a script that is killed fails" ends "1 passed, 1 failed" 1
script <<<'check "x" true; skip "y" "not today"'; run
check "a skipped case is not counted as passed" ends "1 passed, 0 failed, 1 skipped" 0
check "a skipped case is printed with its reason" says "y - not today"
script <<<'say() { printf "$1\n" >&2; return "$2"; }
expect_error "bad: must be" say "x: bad: must be 1" 1
expect_error "bad" say "x: good" 1
expect_error "bad" say "bad" 0
expect_error "bad" say "bad" 2
expect_error "bad" say "bad\\nworse" 1
expect_error "bad" true'; run
check "expect_error wants one line that matches, and status 1" ends "1 passed, 5 failed" 1
script <<<'expect_output "^7$" echo 7; expect_output "^7$" echo 17; say() { echo 7; false; }; expect_output 7 say'; run
check "expect_output wants a line that matches, and status 0" ends "1 passed, 2 failed" 1
script <<<'check "x" true; echo "ERROR: AddressSanitizer" >"$TMP_TEST/.sanitizer.123"'; run asan
check "a sanitiser's finding that the test ignores is a failure" ends "1 passed, 1 failed" 1
check "a sanitiser's finding is named" says "not ok - asan finds nothing"
script <<<'check "leaves nothing" touch "$TMP_TEST/x"; chmod a-w "$TMP_TEST"; echo "$TMP_TEST" >place'; run
check "the scratch folder of a test is removed" test -f "$there/place" -a ! -e "$(cat "$there/place")"

# Unit programs: a real one is built here.
cat >"$TMP_TEST/t.c" <<'END'
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
static void passes(void **s) { (void)s; printf("no line end"); fflush(stdout); }
static void fails(void **s) { (void)s; assert_int_equal(1, 2); }
static void skips(void **s) { (void)s; skip(); }
static void dies(void **s) { (void)s; _Exit(0); }
static void leaves(void) { _Exit(7); }
int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(passes), CASE };
    if (STATUS) atexit(leaves);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
END
program()
{
    mkdir -p "$there/build/tests/unit"
    touch "$there/tests/unit/test_t.c"
    ${CC:-gcc} -DCASE="cmocka_unit_test($1)" -DSTATUS="$2" -o "$there/build/tests/unit/test_t" "$TMP_TEST/t.c" -lcmocka
}
program passes 0; run; check "a unit program that passes is counted as passed" ends "2 passed, 0 failed" 0
program fails 0; run; check "a unit program that fails is counted as failed" ends "1 passed, 1 failed" 1
program skips 0; run; check "a case that a unit program skips is counted as skipped" ends "1 passed, 0 failed, 1 skipped" 0
program passes 1; run; check "a unit program that passes and ends with a bad status fails" ends "2 passed, 1 failed" 1
program dies 0; run; check "a unit program that dies on the way with status 0 fails" ends "1 passed, 1 failed" 1
touch "$there/tests/unit/test_t.c"; run; check "a unit program that is not built fails" ends "0 passed, 1 failed" 1
touch "$there/tests/unit/test_t.c"
expect_error '^tests/run.sh: no test named test_u$' env -C "$there" tests/run.sh test_t test_u
cd "$root" || exit 1

# The programs of make fuzz: clang builds them there, and any compiler reads them
compiles() { ${CC:-gcc} -std=gnu11 -fsyntax-only -Werror=implicit-function-declaration -Isrc -Itests $(pkg-config --cflags libcjson) "$1"; }
for file in tests/fuzz/*.c; do check "$file compiles" compiles "$file"; done
