#!/bin/bash
# One allocation fails, here and there in a run, or all memory is limited: either all is as without it, or it is told. `make faults`
# tries every allocation and every system call.
. tests/lib.sh

if [ "$TEST_VARIANT" != release ]; then
    skip "Failing allocations are told" "a sanitizer has an allocator of its own"
    exit
fi

check "train, adapt, test, predict and report take no failed allocation, ours or a library's, for success" \
    python3 tests/faults/sweep.py --calls '' --verbs train,adapt,test,predict-json,report --most 4 --jobs 2
check "meta table does not leave out the line of a result that it has no memory to read" \
    python3 tests/faults/sweep.py --calls '' --all --from own --verbs table --last 900 --most 3 --jobs 2

# Under a limit of memory a test is whole, or one line says that it is not, whatever the allocation was that met the limit.
. tests/toy.sh
dir=$TMP_TEST
toy "$dir/t" >/dev/null
limited() { # limited KB: runs a test in so much memory; its exit status
    (ulimit -c 0; ulimit -v "$1"; exec $DARKNET_BIN meta test "$dir/t/toy.data" "$dir/t/toy.cfg" "$dir/w.weights" -threads 1 -runs 2) \
        >"$dir/out" 2>"$dir/error"
}
enough() {
    local low=50000 high=4000000 middle
    while ((high - low > 1000)); do
        middle=$(((low + high) / 2))
        if limited $middle 2>/dev/null; then high=$middle; else low=$middle; fi
    done
    echo $high
}
told_below() {
    local limit=$1 kb status
    for ((kb = limit - 60000; kb < limit + 4000; kb += 2500)); do
        limited $kb 2>/dev/null
        status=$?
        [ $status = 0 ] && continue
        grep -q 'error while loading shared libraries' "$dir/error" && continue # before the program begins
        [ $status -lt 126 ] && [ "$(wc -l <"$dir/error")" = 1 ] && continue
        echo "with $kb KB: exit status $status: $(cat "$dir/error")"
        return 1
    done
}
$DARKNET_BIN meta train "$dir/t/toy.data" "$dir/t/toy.cfg" -threads 1 -max_batches 1 >"$dir/out" 2>&1
cp "$dir/t/backup/toy_final.weights" "$dir/w.weights"
check "Every limit of memory is met with one line or the whole answer, when images come from a cache" told_below "$(enough)"
echo cache=off >>"$dir/t/toy.data"
check "Every limit of memory is met with one line or the whole answer, when images are decoded" told_below "$(enough)"
