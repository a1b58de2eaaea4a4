/* Finds the stock darknet program, and becomes it. */
#define _GNU_SOURCE
#include "stock.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"

/* Whether the file is a program that can be run and is not this one. Device and inode tell, since
   this one may have links and other names. */
static int usable(const char *path, const struct stat *self)
{
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode) && !access(path, X_OK)
        && !(info.st_dev == self->st_dev && info.st_ino == self->st_ino);
}

/* The path of `darknet` in the folder of libdarknet.so, where it lies in a checkout that was built.
   The caller frees; NULL where there is no library, or no memory. */
static char *beside_library(void)
{
    struct meta_error error;
    struct link_map *map;
    char *path = NULL;
    void *handle = meta_library_load(&error);
    if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map)) return NULL;
    const char *slash = strrchr(map->l_name, '/');
    if (!slash || asprintf(&path, "%.*s/darknet", (int)(slash - map->l_name), map->l_name) < 0)
        return NULL;
    return path;
}

char *meta_stock_find(struct meta_error *error)
{
    struct stat self;
    const char *named = getenv("DARKNET_STOCK"), *package = "/usr/bin/darknet";
    char *beside = NULL, *found = NULL;
    if (stat("/proc/self/exe", &self)) {
        meta_fail(error, "/proc/self/exe: %s", strerror(errno));
        return NULL;
    }
    if (named) {
        if (!usable(named, &self))
            meta_fail(error, "DARKNET_STOCK=%s: must be the stock darknet", named);
        else if (!(found = strdup(named))) meta_fail_memory(error);
        return found;
    }
    beside = beside_library();
    if (beside && usable(beside, &self)) return beside;
    if (!usable(package, &self))
        meta_fail(error,
                  "only `darknet meta` is part of this program; the rest is the stock darknet, "
                  "which is not at %s%s%s: install the package darknet, or set DARKNET_STOCK",
                  beside ? beside : "", beside ? " or " : "", package);
    else if (!(found = strdup(package))) meta_fail_memory(error);
    free(beside);
    return found;
}

int meta_stock_exec(char **argv, struct meta_error *error)
{
    struct meta_error why;
    char *path = meta_stock_find(&why);
    if (!path && !getenv("DARKNET_STOCK"))
        return meta_fail(error, "%s: %.400s", argv[1] ? argv[1] : "no command", why.text);
    if (path) {
        execv(path, argv);
        meta_fail(&why, "%s: can't run it: %s", path, strerror(errno));
        free(path);
    }
    return meta_fail(error, "%s", why.text);
}
