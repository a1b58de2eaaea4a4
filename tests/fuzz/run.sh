#!/bin/bash
# Runs the fuzz targets one after the other, says how many inputs each has tried, and ends with 1 when one has found
# something: a crash, an undefined operation, a leak, more than 10 seconds for an input, or memory that its size does not explain.
#
#     tests/fuzz/run.sh SECONDS [NAME...]      BUILD and BIN: where make fuzz has built
#
# What was worth keeping stays in BUILD/fuzz/corpus for the next run; what was found lies in BUILD/fuzz/found, with the logs beside it.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=$1
shift
case $seconds in '' | 0 | *[!0-9]*) echo "make fuzz: SECONDS=$seconds: must be a whole number, at least 1" >&2; exit 1 ;; esac
BUILD=$(realpath -sm "${BUILD:-build/fuzz}") BIN=$(realpath -sm "${BIN:-build/fuzz/bin}")
export BUILD DARKNET_BIN=$BIN/darknet DARKNET_PLUGIN_PATH=$BIN/plugins
fuzz=$BUILD/fuzz status=0

names=()
for file in tests/fuzz/fuzz_*.c; do
    name=${file#tests/fuzz/fuzz_}
    names+=("${name%.c}")
done
for name; do
    [[ " ${names[*]} " == *" $name "* ]] || { echo "make fuzz: NAMES=$name: must be of ${names[*]}" >&2; exit 1; }
done
[ $# -gt 0 ] || set -- "${names[@]}"

# The rest of the address space is the sanitizer's shadow; leaks that libraries keep for good are suppressed as in the tests.
# libdarknet.so is found by the environment: a sanitizer calls dlopen in the program's place.
runpath=$(readelf -d "$BIN/darknet" | sed -n 's/.*Library runpath: \[\(.*\)\].*/\1/p')
export LD_LIBRARY_PATH=$runpath${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1
export LSAN_OPTIONS=suppressions=$PWD/tests/suppressions/lsan.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/darknet-meta-fuzz.XXXXXX") || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
mkdir -p "$fuzz/found"
bash tests/fuzz/seeds.sh "$fuzz/seeds" || exit 1

# Longest input, and the most that one allocation may take: of an image, whose pixels take more than the file, 640 MB.
for name; do
    case $name in image | codec) longest=16384 most=640 ;; cfg) longest=16384 most=64 ;; *) longest=65536 most=64 ;; esac
    mkdir -p "$fuzz/corpus/$name"
    dictionary=()
    [ ! -e "$fuzz/seeds/$name.dict" ] || dictionary=("-dict=$fuzz/seeds/$name.dict")
    found=0
    "$fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=$longest -timeout=10 -rss_limit_mb=3072 -malloc_limit_mb=$most \
        -artifact_prefix="$fuzz/found/$name-" -print_final_stats=1 -close_fd_mask=3 ${dictionary[@]+"${dictionary[@]}"} \
        "$fuzz/corpus/$name" "$fuzz/seeds/$name" >"$fuzz/found/$name.log" 2>&1 || found=1
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$fuzz/found/$name.log")
    printf '%-10s %10s executions%s\n' "$name" "${executed:-?}" "$([ $found = 0 ] || echo ", and a finding: $fuzz/found/$name.log")"
    if [ $found = 1 ]; then
        status=1
        grep -E 'ERROR|runtime error|SUMMARY|ALARM|libFuzzer: ' "$fuzz/found/$name.log" | head -n 5 | sed 's/^/    | /'
    fi
done
exit $status
