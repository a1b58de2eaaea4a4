#define _GNU_SOURCE
#include "stock.h"

#include <darknet.h>
#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program that can be run and is not this one, by device and inode: links and other names of this one are this one too. */
static int usable(const char *path, const struct stat *self)
{
    struct stat info;
    return !stat(path, &info) && S_ISREG(info.st_mode) && !access(path, X_OK)
        && !(info.st_dev == self->st_dev && info.st_ino == self->st_ino);
}

/* `darknet` in the folder of libdarknet.so, as in a checkout that was built. The caller frees; NULL: no memory. */
static char *beside_library(void)
{
    Dl_info info;
    char *path = NULL;
    const char *slash = dladdr((void *)load_network, &info) ? strrchr(info.dli_fname, '/') : NULL;
    if (!slash || asprintf(&path, "%.*s/darknet", (int)(slash - info.dli_fname), info.dli_fname) < 0) return NULL;
    return path;
}

int meta_stock_exec(char **argv, struct meta_error *error)
{
    struct stat self;
    const char *named = getenv("DARKNET_STOCK");
    if (stat("/proc/self/exe", &self)) return meta_fail(error, "/proc/self/exe: %s", strerror(errno));
    if (named) {
        if (!usable(named, &self)) return meta_fail(error, "DARKNET_STOCK=%s: must be the stock darknet", named);
        execv(named, argv);
        return meta_fail(error, "DARKNET_STOCK=%s: can't run it: %s", named, strerror(errno));
    }
    const char *package = "/usr/bin/darknet";
    char *beside = beside_library();
    if (beside && usable(beside, &self)) execv(beside, argv);
    if (usable(package, &self)) execv(package, argv);
    meta_fail(error, "%s: only `darknet meta` is part of this program; the rest is the stock darknet, which is not at %s%s%s: "
              "install the package darknet, or set DARKNET_STOCK", argv[1] ? argv[1] : "no command", beside ? beside : "",
              beside ? " or " : "", package);
    free(beside);
    return -1;
}
