/* Finds the files of the project by where the program, or the shared object that this code is part
   of, lies itself: a tree may be moved as a whole. */
#define _GNU_SOURCE
#include "place.h"
#include "path.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

/* The folder of the program, or of the shared object, that this function is part of. The caller
   frees. */
static char *own_folder(struct meta_error *error)
{
    Dl_info info;
    struct link_map *map = NULL;
    char *path = NULL, *file = NULL, origin[PATH_MAX];
    if (dladdr1((void *)meta_place_find, &info, (void **)&map, RTLD_DL_LINKMAP) && map
        && *map->l_name) {
        /* l_name may be relative to the folder that the process was in when it was loaded. */
        if (!dlinfo(map, RTLD_DI_ORIGIN, origin)
            && asprintf(&file, "%s/%s", origin, basename(map->l_name)) >= 0) {
            path = realpath(file, NULL);
            free(file);
        }
    } else path = realpath("/proc/self/exe", NULL);
    if (!path) {
        meta_fail(error, "can't tell where the program is: %s", strerror(errno));
        return NULL;
    }
    char *folder = meta_path_folder(path);
    free(path);
    if (!folder) meta_fail_memory(error);
    return folder;
}

char *meta_place_find(const char *name, struct meta_error *error)
{
    const char *folders[] = { "darknet-meta/", "", "../lib/darknet-meta/" };
    char *path, *found = NULL, *own = own_folder(error);
    if (!own) return NULL;
    for (int i = 0; i < 3 && !found; i++) {
        if (asprintf(&path, "%s/%s%s", own, folders[i], name) < 0) goto memory;
        found = realpath(path, NULL);
        free(path);
    }
    if (!found && asprintf(&found, "%s/%s", own, name) < 0) goto memory;
    free(own);
    return found;
memory:
    free(own);
    meta_fail_memory(error);
    return NULL;
}

const char *meta_place_reason(const char *path)
{
    const char *why = dlerror();
    size_t n = strlen(path);
    return !strncmp(why, path, n) && !strncmp(why + n, ": ", 2) ? why + n + 2 : why;
}
