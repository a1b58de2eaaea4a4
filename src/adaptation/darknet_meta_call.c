/* What every call of libdarknet-meta begins and ends with: the calling thread, pointers that are
   missing, and the line of a failure. */
#include "darknet_meta_internal.h"

#include <omp.h>
#include <string.h>

#include "base/one_line.h"

/* To set the number of threads takes memory, and OpenMP's library ends the process where it finds
   none: so not where it is still as it was. */
int meta_call_enter(const struct meta_backend *backend, int *threads, struct meta_error *error)
{
    *threads = omp_get_max_threads();
    return backend->open(error);
}

void meta_call_leave(int threads)
{
    if (omp_get_max_threads() != threads) omp_set_num_threads(threads);
}

int meta_call_fail(darknet_meta_error *to, struct meta_error *error)
{
    meta_one_line(error->text);
    if (to) memcpy(to->text, error->text, sizeof to->text);
    return -1;
}

int meta_call_needs(const struct meta_needed *list, struct meta_error *error)
{
    for (; list->name; list++)
        if (!list->at) return meta_fail(error, "%s is NULL: must be given", list->name);
    return 0;
}

enum meta_bn meta_call_kind(enum darknet_meta_statistics statistics)
{
    static const enum meta_bn kinds[] = { [DARKNET_META_SUPPORT] = META_BN_SUPPORT,
                                          [DARKNET_META_RUNNING] = META_BN_RUNNING,
                                          [DARKNET_META_BATCH] = META_BN_BATCH };
    return kinds[statistics];
}
