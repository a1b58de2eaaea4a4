/* Opens the transport that the environment, or the user, asks for. */
#include <dlfcn.h>
#include <stdlib.h>

#include "base/place.h"
#include "base/shared_object.h"
#include "transport_mpi.h"

#define PART "libdarknet-meta-mpi.so"

/* What mpirun of Open MPI and srun set for each of the processes that they start: how many there
   are. */
static const char *const counts[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK" };

/* Whether this process is one of several. srun by PMIx tells a process its rank alone, and the
   number of tasks of the step. */
static int is_one_of_many(void)
{
    for (int i = 0; i < 2; i++) {
        const char *count = getenv(counts[i]);
        if (count && atoi(count) > 1) return 1;
    }
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    return getenv(counts[2]) && tasks && atoi(tasks) > 1;
}

static int open_part(struct meta_transport **out, double limit, struct meta_error *error)
{
    int status = -1;
    char *path = meta_place_find(PART, error);
    if (!path) return -1;
    if (meta_shared_object_check(path, error)) goto done;
    /* MPI's own plugins look for MPI's functions among those of the whole process */
    void *object = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    if (!object) {
        meta_fail(error,
                  "%s: can't be loaded: %s: make builds it where the package libopenmpi-dev is "
                  "installed",
                  path, meta_place_reason(path));
        goto done;
    }
    const struct meta_transport_part *part = dlsym(object, META_TRANSPORT_PART);
    if (!part || part->size != sizeof *part)
        meta_fail(error, "%s: is of another build than this program", path);
    else status = part->open(out, limit, error);
done:
    free(path);
    return status;
}

int meta_transport_open(struct meta_transport **out, int insist, double limit,
                        struct meta_error *error)
{
    if (insist || is_one_of_many()) return open_part(out, limit, error);
    return meta_transport_alone(out, error);
}
