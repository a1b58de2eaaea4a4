# What every tests/cli/*.sh sources. A script runs from the project's root and prints one line a case:
#
#     check "what holds" command...            passes when the command's exit status is 0
#     expect_error "regex" command...          passes when it exits with 1, having written one line to stderr that matches
#     expect_output "regex" command...         passes when it exits with 0 and its standard output matches
#     skip "what" "why it can't run here"
#
# A title is read alone in a log: it names what is tested, and what holds of it. A script ends with
# a non-zero status when a case failed. These variables are set for it, with defaults for a run by
# hand:
#
#     DARKNET_BIN      the program under test, an absolute path
#     BUILD            where make put the rest: $BUILD/idx_images
#     DARKNET_DIR      where its plugins/ and libdarknet-meta-host.so lie
#     TMP_TEST         a scratch folder, removed afterwards
#     TEST_VARIANT     release, asan, ubsan, tsan or valgrind: for shorter loops, or to skip what can't be done under it

TEST_VARIANT=${TEST_VARIANT:-release}
BUILD=$(realpath -sm "${BUILD:-build/release}")
DARKNET_BIN=$(realpath -s "${DARKNET_BIN:-./darknet}")
DARKNET_DIR=${DARKNET_DIR:-$(dirname "$DARKNET_BIN")}
export BUILD TEST_VARIANT DARKNET_BIN DARKNET_DIR

test_failures=0
if [ -z "${TMP_TEST:-}" ]; then
    TMP_TEST=$(mktemp -d "${TMPDIR:-/tmp}/darknet-meta-test.XXXXXX") || exit 1
    export TMP_TEST
    test_made_tmp=1
fi
test_log=$TMP_TEST/.output
mkdir -p "$test_log"

test_end()
{
    local status=$?
    [ -z "${test_made_tmp:-}" ] || { chmod -R u+w "$TMP_TEST"; rm -rf "$TMP_TEST"; }
    [ "$test_failures" -eq 0 ] || status=1
    exit $status
}
trap test_end EXIT

test_passed() { printf 'ok - %s\n' "$1"; }

# test_failed WHAT [FILE...]: what the command wrote follows, indented, so that no line of it can be taken for a case
test_failed()
{
    test_failures=$((test_failures + 1))
    printf 'not ok - %s\n' "$1"
    shift
    local file
    for file; do [ ! -s "$file" ] || tail -n 30 "$file" | sed 's/^/    | /'; done
}

skip() { printf 'ok - %s # SKIP %s\n' "$1" "$2"; }

# The libdarknet.so that PROGRAM opens when it needs it.
libdarknet_of() { readelf -d "$1" | sed -n 's/.*Library runpath: \[\([^]:]*\).*/\1\/libdarknet.so/p'; }

# Locals are named so that they hide no variable of the script from the functions it has checked.
check()
{
    local test_what=$1 test_status=0
    shift
    "$@" >"$test_log/out" 2>&1 || test_status=$?
    if [ $test_status -eq 0 ]; then test_passed "$test_what"; return 0; fi
    printf 'exit status %d of: %s\n' $test_status "$*" >>"$test_log/out"
    test_failed "$test_what" "$test_log/out"
    return 1
}

expect_error()
{
    local test_regex=$1 test_status=0 test_lines
    shift
    "$@" >"$test_log/out" 2>"$test_log/err" || test_status=$?
    test_lines=$(wc -l <"$test_log/err")
    if [ $test_status -eq 1 ] && [ "$test_lines" -eq 1 ] && grep -Eq -- "$test_regex" "$test_log/err"; then
        test_passed "error: $test_regex"
        return 0
    fi
    printf 'exit status %d and %d lines of errors, of: %s\n' $test_status "$test_lines" "$*" >>"$test_log/err"
    test_failed "error: $test_regex" "$test_log/err"
    return 1
}

expect_output()
{
    local test_regex=$1 test_status=0
    shift
    "$@" >"$test_log/out" 2>"$test_log/err" || test_status=$?
    if [ $test_status -eq 0 ] && grep -Eq -- "$test_regex" "$test_log/out"; then test_passed "output: $test_regex"; return 0; fi
    printf 'exit status %d of: %s\n' $test_status "$*" >>"$test_log/err"
    test_failed "output: $test_regex" "$test_log/out" "$test_log/err"
    return 1
}
