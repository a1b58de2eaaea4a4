/* Splits paths into folder, name and extension, and makes folders with the ones above them. */
#include "path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *meta_path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

size_t meta_path_stem_length(const char *path)
{
    const char *name = meta_path_base(path), *dot = strrchr(name, '.');
    return dot && dot > name ? (size_t)(dot - name) : strlen(name);
}

char *meta_path_stem(const char *path)
{
    return strndup(meta_path_base(path), meta_path_stem_length(path));
}

char *meta_path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, slash - path);
}

void meta_path_trim(char *path)
{
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/';) path[--n] = 0;
}

static int make(const char *path) { return mkdir(path, 0777) && errno != EEXIST ? -1 : 0; }

int meta_path_make_folder(const char *folder, struct meta_error *error)
{
    char *path = strdup(folder);
    struct stat info;
    int status = 0, there;
    if (!path) return meta_fail_memory(error);
    for (char *slash = *path ? strchr(path + 1, '/') : NULL; slash && !status;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        status = make(path);
        *slash = '/';
    }
    there = !status && !make(path);
    int reason = errno;
    free(path);
    if (!there)
        return meta_fail(error, "%.400s: can't make the folder: %s", folder, strerror(reason));
    if (!stat(folder, &info) && S_ISDIR(info.st_mode)) return 0;
    return meta_fail(error, "%.400s: is not a folder", folder);
}
