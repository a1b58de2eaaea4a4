#!/bin/bash
# Runs tests/unit programs and tests/cli scripts, counts their cases, and ends with "N passed, N failed".
#
#     tests/run.sh [NAME...]      all of them, or those named: test_policy, scripts_isic2018...
#
# make test sets BUILD, BIN and TEST_VARIANT; JOBS programs run at a time. What failed is shown; every output is kept in
# BUILD/tests/log.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C

BUILD=$(realpath -sm "${BUILD:-build/release}") BIN=$(realpath -sm "${BIN:-.}")
export BUILD BIN TEST_VARIANT=${TEST_VARIANT:-release}
cores=$(nproc)
JOBS=${JOBS:-$((cores < 4 ? cores : 4))}
log=$BUILD/tests/log
valgrind=$BUILD/tests/valgrind

# run_one NAME FILE: leaves NAME.cases (a line "ok" or "not ok" a case), NAME.log and NAME.time.
# Whatever a sanitiser or Memcheck has to say about any process of the test lands in .sanitizer.*, so that no test can hide
# it behind an expected failure.
run_one()
{
    local name=$1 file=$2 status=0 start=$SECONDS limit under=() supp=$PWD/tests/suppressions
    local out=$log/$name.log cases=$log/$name.cases
    case $TEST_VARIANT in release) limit=300 ;; valgrind) limit=1800 ;; *) limit=900 ;; esac

    export TMP_TEST; TMP_TEST=$(mktemp -d "${TMPDIR:-/tmp}/darknet-meta-test.XXXXXX") || exit 1
    local to=log_path=$TMP_TEST/.sanitizer:exitcode=99
    export ASAN_OPTIONS="$to:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1"
    export LSAN_OPTIONS="suppressions=$supp/lsan.txt:print_suppressions=0"
    export UBSAN_OPTIONS="$to:print_stacktrace=1:halt_on_error=1"
    export TSAN_OPTIONS="$to:suppressions=$supp/tsan.txt:print_suppressions=0:second_deadlock_stack=1"

    case $file in
    *.sh)
        timeout --kill-after=10 $limit bash "$file" >"$out" 2>&1 </dev/null || status=$?
        grep -aE '^(not )?ok - ' "$out" >"$cases"
        ;;
    *)
        [ $TEST_VARIANT != valgrind ] || under=("$valgrind/run")
        DARKNET_PLUGIN_PATH=$BIN/plugins CMOCKA_MESSAGE_OUTPUT=TAP \
            timeout --kill-after=10 $limit ${under[@]+"${under[@]}"} "$file" >"$out" 2>&1 </dev/null || status=$?
        # The program's own output may stand before a case on its line; cmocka writes a skipped case as "not ok N # SKIP".
        grep -aoE '(not )?ok [0-9]+ (- |# SKIP ).*$' "$out" |
            sed -E 's/^not ok [0-9]+ # SKIP (.*)/ok - \1 # SKIP by the program/; s/ok [0-9]+ - /ok - /' >"$cases"
        local planned; planned=$(grep -aoE '1\.\.[0-9]+$' "$out" | awk -F. '{ n += $3 } END { print n + 0 }')
        [ "$planned" -le "$(wc -l <"$cases")" ] || echo "not ok - all $planned cases run" >>"$cases"
        ;;
    esac
    if [ -n "$(cat "$TMP_TEST"/.sanitizer.* 2>/dev/null)" ]; then
        cat "$TMP_TEST"/.sanitizer.* >>"$out"
        echo "not ok - $TEST_VARIANT finds nothing" >>"$cases"
    fi
    if [ ! -s "$cases" ]; then
        echo "not ok - runs a case" >>"$cases"
    elif [ $status -ne 0 ] && ! grep -q '^not ok' "$cases"; then
        echo "not ok - ends with status 0" >>"$cases"
    fi
    [ $status -eq 0 ] || echo "$file: exit status $status$([ $status -ne 124 ] || echo " (stopped after $limit s)")" >>"$out"
    times >"$log/$name.times"
    awk -F'[ms ]+' -v wall=$((SECONDS - start)) 'NR == 2 {
        printf "%d s, %.0f s of processor\n", wall, $1 * 60 + $2 + $3 * 60 + $4 }' "$log/$name.times" >"$log/$name.time"
    chmod -R u+w "$TMP_TEST"
    rm -rf "$TMP_TEST"
}

if [ "${1:-}" = --one ]; then
    run_one "$2" "$3"
    exit
fi

names=() files=()
for file in tests/unit/test_*.c tests/cli/*.sh; do
    [ -e "$file" ] || continue
    name=$(basename "${file%.*}")
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    names+=("$name")
    case $file in *.c) files+=("$BUILD/${file%.c}") ;; *) files+=("$file") ;; esac
done
[ ${#names[@]} -gt 0 ] || [ $# -gt 0 ] || { echo "tests/run.sh: there are no tests" >&2; exit 1; }
for name; do
    [[ " ${names[*]} " == *" $name "* ]] || { echo "tests/run.sh: no test named $name" >&2; exit 1; }
done
rm -rf "$log"
mkdir -p "$log"

export DARKNET_DIR=$BIN DARKNET_BIN=$BIN/darknet
if [ $TEST_VARIANT = valgrind ]; then
    # libjpeg-turbo's vector code computes on undefined bytes past a row's end and drops the results, which Memcheck can't
    # tell; its plain code gives the same pixels.
    export JSIMD_FORCENONE=1
    # oneDNN's sgemm for AVX makes a buffer its stack: where that lies near the thread's own, Memcheck takes the step back for an allocation
    # and the registers saved there for undefined. Our own kernels are still those for AVX2.
    export DNNL_MAX_CPU_ISA=SSE41 META_MAX_ISA=avx2
    # run: a program under Memcheck; darknet: what the command-line tests take for the program. Definite leaks are errors;
    # "possible" ones are mostly blocks that libraries hold by inner pointers. By its path: tests empty PATH.
    mkdir -p "$valgrind"
    memcheck=$(command -v valgrind) || { echo "tests/run.sh: valgrind is not installed" >&2; exit 1; }
    cat >"$valgrind/run" <<END
#!/bin/sh
exec '$memcheck' --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \\
    --num-callers=25 --suppressions='$PWD/tests/suppressions/valgrind.supp' "--log-file=\${TMP_TEST:-/tmp}/.sanitizer.%p" "\$@"
END
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$valgrind/run" "$BIN/darknet" >"$valgrind/darknet"
    chmod +x "$valgrind/run" "$valgrind/darknet"
    DARKNET_BIN=$valgrind/darknet
fi
# A sanitizer calls dlopen in the program's place, and the program's RUNPATH does not hold for it: libdarknet.so is found by
# the environment instead.
case $TEST_VARIANT in asan | tsan)
    runpath=$(readelf -d "$BIN/darknet" | sed -n 's/.*Library runpath: \[\(.*\)\].*/\1/p')
    export LD_LIBRARY_PATH=$runpath${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    ;;
esac
# ThreadSanitizer's shadow memory can't be placed under some kernels' address randomisation.
fixed=()
if [ $TEST_VARIANT = tsan ] && setarch -R true 2>/dev/null; then fixed=(setarch -R); fi

for i in "${!names[@]}"; do printf '%s\0%s\0' "${names[i]}" "${files[i]}"; done |
    ${fixed[@]+"${fixed[@]}"} xargs -0 -n 2 -P "$JOBS" bash "$0" --one

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
    bad=$(grep -ac '^not ok' "$log/$name.cases")
    skip=$(grep -ac '^ok.*# SKIP ' "$log/$name.cases")
    good=$(($(grep -ac '^ok' "$log/$name.cases") - skip))
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
    printf '%-32s %4d passed' "$name" $good
    [ $bad -eq 0 ] || printf ', %d failed' $bad
    [ $skip -eq 0 ] || printf ', %d skipped' $skip
    printf ' (%s)\n' "$(cat "$log/$name.time")"
    grep -a '^ok.*# SKIP ' "$log/$name.cases" | sed 's/^ok - /    skipped: /; s/# SKIP /- /'
    if [ $bad -gt 0 ]; then
        grep -a '^not ok' "$log/$name.cases" | sed 's/^/    /'
        tail -n 60 "$log/$name.log" | sed 's/^/    | /'
    fi
done
echo
if [ $skipped -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
