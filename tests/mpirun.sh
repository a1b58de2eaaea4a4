# Ranks under Open MPI's mpirun. Sourced after lib.sh; ends the script, with a skipped case, where mpirun can't be run.

# no_ranks WHAT: skips WHAT and ends the script
no_ranks()
{
    skip 'several ranks train together' "$1"
    exit 0
}
command -v mpirun >/dev/null && [ -e "$DARKNET_DIR/libdarknet-meta-mpi.so" ] || no_ranks 'Open MPI is not installed (openmpi-bin, libopenmpi-dev)'
[ "$TEST_VARIANT" = release ] || no_ranks "Open MPI does not run under $TEST_VARIANT"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_base_warn_component_unused=0
export OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_btl_vader_single_copy_mechanism=none # containers do not let a process read another's memory
timeout 60 mpirun -n 2 true >/dev/null 2>&1 || no_ranks 'mpirun -n 2 true fails here'

# ranks N WORDS...: N ranks of a program
ranks() { timeout 120 mpirun -n "$@"; }

# said LINE COUNT N WORDS...: N ranks of the test program fail, and so many of them (2, or 1-2) say LINE. The status is mpirun's, which may
# die itself
said()
{
    local line=$1 least=${2%-*} most=${2#*-} n=$3 status=0 to count
    shift 3
    to=$(mktemp "$TMP_TEST/said.XXXXXX")
    ranks "$n" "$BUILD/tests/ranks" "$@" >"$to" 2>&1 || status=$?
    count=$(grep -c -- "$line" "$to")
    [ $status -ne 0 ] && [ "$count" -ge "$least" ] && [ "$count" -le "$most" ] || { cat "$to"; return 1; }
}

# train_ranks N FOLDER FLAG...: N ranks train a toy, under the name toy, with what they say in FOLDER/out
train_ranks() { local n=$1 at=$2; shift 2; ranks "$n" "$DARKNET_BIN" meta train "$at/toy.data" "$at/toy.cfg" -name toy -threads 1 "$@" >"$at/out" 2>&1; }

# same_files: whether what trainings of the name toy left in $a and in $whole is the same; $fields are the columns of the log that must be
same_files()
{
    local file
    for file in toy.state toy.backup toy_final.weights; do
        cmp "$a/backup/$file" "$whole/backup/$file" || return 1
    done
    [ "$(cut -d, -f"$fields" "$a/backup/toy.csv")" = "$(cut -d, -f"$fields" "$whole/backup/toy.csv")" ] && [ "$(ls "$a/backup")" = "$(ls "$whole/backup")" ] || { ls "$a/backup"; return 1; }
}
