#!/bin/bash
# One allocation of the program fails, here and there in a run: either all is as without it, or it is told. `make faults` tries
# every allocation and every system call.
. tests/lib.sh

if [ "$TEST_VARIANT" != release ]; then
    skip "Failing allocations are told" "a sanitizer has an allocator of its own"
    exit
fi

for verb in train adapt test predict-json report; do
    check "meta ${verb%-json} does not take a failed allocation for success" \
        python3 tests/faults/sweep.py --calls '' --from own --verbs $verb --most 12 --jobs 2
done
