#!/bin/bash
# Shows that ranks and threads do not change a bit: trains one .cfg on 1 process with 1 and with 2 threads, on 2 ranks, on 4 ranks, and on
# 2 ranks whose checkpoint of half the iterations 4 ranks go on with; tests the weights by 1 process, 2 ranks and 4 ranks; and makes a table
# by 1 process and by 2 ranks. Prints the SHA-256 of what each came to, and fails where they differ.
#
#     scripts/ranks_bits.sh DATA CFG [ITERATIONS [OUT]]          50 iterations; OUT: ranks_bits
#
# The .cfg is taken with that many iterations, all of its second order where it has order=2, and the tasks weighed from the middle on. A test
# is of the test list, or of the valid list where there is none. What is done is not done again: after a stop the same command goes on.
# DARKNET is the program (./darknet), RUNS the tasks of a test (20).
set -eu
export LC_ALL=C OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
[ "$(id -u)" -ne 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
[ $# -ge 2 ] || { echo 'usage: scripts/ranks_bits.sh DATA CFG [ITERATIONS [OUT]]' >&2; exit 1; }
data=$1 cfg=$2 iterations=${3:-50} out=${4:-ranks_bits} program=${DARKNET:-./darknet} runs=${RUNS:-20}
for file in "$data" "$cfg"; do [ -f "$file" ] || { echo "scripts/ranks_bits.sh: $file: no such file" >&2; exit 1; }; done
[[ $iterations =~ ^[0-9]+$ ]] && [ "$iterations" -ge 4 ] || { echo "scripts/ranks_bits.sh: $iterations: must be at least 4 iterations" >&2; exit 1; }
mkdir -p "$out"
sed -e "s/^max_batches=.*/max_batches=$iterations/; s/^second_order_start=.*/second_order_start=1/; s/^start=.*/start=$((iterations / 2))/" "$cfg" >"$out/model.cfg"

# data_of NAME: writes OUT/NAME.data, with OUT/NAME for what a training leaves
data_of()
{
    local valid
    valid=$(sed -n 's/^valid *= *//p' "$data")
    { grep -vE '^(backup|valid) *=' "$data"; grep -q '^test *=' "$data" || echo "test = $valid"; echo "backup = $out/$1"; } >"$out/$1.data"
}

# train NAME LAUNCHER THREADS [ITERATIONS]: goes on with a training that was stopped
train()
{
    local name=$1 launcher=$2 threads=$3 last=${4:-$iterations} resume=
    data_of "$name"
    if [ -e "$out/$name/model.state" ]; then resume=-resume; fi
    # shellcheck disable=SC2086
    $launcher "$program" meta train "$out/$name.data" "$out/model.cfg" -threads "$threads" -backup_every 5 -valid_every 0 -max_batches "$last" $resume \
        </dev/null >>"$out/$name.txt" 2>&1 || { tail -n 3 "$out/$name.txt" >&2; exit 1; }
}
# whole NAME ...: as train, but for one that is done
whole() { [ -e "$out/$1/model_final.weights" ] || train "$@"; }

whole 1-thread '' 1
whole 2-threads '' 2
whole 2-ranks 'mpirun -n 2' 1
whole 4-ranks 'mpirun -n 4' 1
if [ ! -e "$out/2-then-4-ranks/model_final.weights" ]; then
    # the second part finds a checkpoint of the first; a stop in between goes on by either number of ranks
    [ -e "$out/2-then-4-ranks.half" ] || train 2-then-4-ranks 'mpirun -n 2' 1 $((iterations / 2))
    rm -f "$out/2-then-4-ranks/model_final.weights"
    touch "$out/2-then-4-ranks.half"
    train 2-then-4-ranks 'mpirun -n 4' 1
fi

# tests NAME LAUNCHER
tests()
{
    [ -e "$out/test-$1.json" ] || $2 "$program" meta test "$out/1-thread.data" "$out/model.cfg" "$out/1-thread/model_final.weights" -threads 1 -runs "$runs" \
        -out "$out/test-$1.json" </dev/null >"$out/test-$1.txt" 2>&1 || { tail -n 3 "$out/test-$1.txt" >&2; exit 1; }
}
tests 1-process ''
tests 2-ranks 'mpirun -n 2'
tests 4-ranks 'mpirun -n 4'

shots=$(sed -n 's/^shots=\([0-9]*\).*/\1/p' "$out/model.cfg")
printf '[table]\nname=Ranks\ndata=%s\nruns=%s\nfirst=2\n[row]\nlabel=One\ncfg=%s\nshots=%s\n' "$out/1-thread.data" "$runs" "$out/model.cfg" "$shots" >"$out/ranks.table"
"$program" meta table "$out/ranks.table" -out "$out/table-1-process" -threads 1 </dev/null >"$out/table.txt"
"$program" meta table "$out/ranks.table" -out "$out/table-2-ranks" -threads 1 -launcher 'mpirun -n 2' </dev/null >>"$out/table.txt"

# digests WHAT NAME...: prints what `bytes` gives of each, which must be the same
digests()
{
    local what=$1 name digest first= status=0
    shift
    for name; do
        digest=$(bytes "$name" | sha256sum | cut -d' ' -f1)
        printf '%-12s %-16s %s\n' "$what" "$name" "$digest"
        [ -n "$first" ] || first=$digest
        [ "$digest" = "$first" ] || status=1
    done
    [ $status -eq 0 ] || { echo "scripts/ranks_bits.sh: $what: they differ" >&2; exit 1; }
}
trained=(1-thread 2-threads 2-ranks 4-ranks 2-then-4-ranks)
bytes() { cat "$out/$1/model_final.weights"; }
digests weights "${trained[@]}"
bytes() { cat "$out/$1/model.state"; }
digests checkpoint "${trained[@]}"
bytes() { cat "$out/test-$1.json"; }
digests test 1-process 2-ranks 4-ranks
# of a table: all figures but times and memory
bytes() { cat "$out/table-$1"/*.json | grep -vE '"[a-z_]*(seconds|memory_mb)":' | sed "s|$out/table-$1|TABLE|g"; }
digests table 1-process 2-ranks
