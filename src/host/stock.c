/* Finds the stock darknet program, and becomes it. */
#define _GNU_SOURCE
#include "stock.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the file is a program that can be run and is not this one. Device and inode tell, since
   this one may have links and other names. */
static int usable(const char *path, const struct stat *self)
{
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode) && !access(path, X_OK)
        && !(info.st_dev == self->st_dev && info.st_ino == self->st_ino);
}

/* The path of `darknet` in the folder of libdarknet.so, where it lies in a checkout that was built.
   The folder is the first of those the loader would look at; the library, which takes a quarter of
   a second to load, is not opened. *path is the caller's to free, NULL where there is none. Fails
   without memory alone. */
static int beside_library(char **path, struct meta_error *error)
{
    Dl_serinfo size, *folders = NULL;
    char *library;
    int status = 0;
    void *program = dlopen(NULL, RTLD_LAZY);
    *path = NULL;
    if (!program || dlinfo(program, RTLD_DI_SERINFOSIZE, &size)) return 0;
    if (!(folders = malloc(size.dls_size))) return meta_fail_memory(error);
    *folders = size;
    if (dlinfo(program, RTLD_DI_SERINFO, folders)) folders->dls_cnt = 0;
    for (unsigned i = 0; i < folders->dls_cnt && !*path && !status; i++) {
        const char *folder = folders->dls_serpath[i].dls_name;
        if (asprintf(&library, "%s/libdarknet.so", folder) < 0) {
            status = meta_fail_memory(error);
            break;
        }
        if (!access(library, R_OK) && asprintf(path, "%s/darknet", folder) < 0) {
            *path = NULL;
            status = meta_fail_memory(error);
        }
        free(library);
    }
    free(folders);
    return status;
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
    if (beside_library(&beside, error)) return NULL;
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
        return meta_fail(error, "%s: %s", argv[1] ? argv[1] : "no command", why.text);
    if (path) {
        execv(path, argv);
        meta_fail(&why, "%s: can't run it: %s", path, strerror(errno));
        free(path);
    }
    return meta_fail(error, "%s", why.text);
}
