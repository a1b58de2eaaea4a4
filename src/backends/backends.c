#include "engine/backend.h"

#include <string.h>

const struct meta_backend *meta_backend_find(const char *name)
{
    static const struct meta_backend *const all[] = { &meta_backend_onednn, &meta_backend_reference };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}
