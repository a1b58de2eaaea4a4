/* The list of backends. A new backend is one folder beside this file and one row here. */
#include "backends.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

#include <string.h>

const struct meta_backend *meta_backend_find(const char *name)
{
    static const struct meta_backend *const all[] = { &meta_backend_onednn,
                                                      &meta_backend_reference };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

const struct meta_backend *meta_backend_kernels(const struct meta_backend *backend, const char *set)
{
    if (!strcmp(set, "own")) return backend;
    if (backend == &meta_backend_onednn && !strcmp(set, "onednn"))
        return &meta_backend_onednn_alone;
    return NULL;
}

const struct meta_backend *meta_backend_default(void) { return &meta_backend_onednn; }

const struct meta_backend *meta_backend_exact(void) { return &meta_backend_reference; }
