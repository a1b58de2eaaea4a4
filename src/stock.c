#include "stock.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "libdarknet-meta-host.so"

static int is_another_program(const char *path, const struct stat *self)
{
    struct stat s;
    return !stat(path, &s) && S_ISREG(s.st_mode) && !access(path, X_OK) && !(s.st_dev == self->st_dev && s.st_ino == self->st_ino);
}

/* The host's parse_network_cfg hands stock .cfg files on, so that only ours are read otherwise. */
static void preload_host(const char *folder)
{
    char path[PATH_MAX], list[2 * PATH_MAX];
    const char *old = getenv("LD_PRELOAD");
    if (snprintf(path, sizeof path, "%s/" HOST, folder) >= (int)sizeof path || access(path, R_OK)) return;
    if (strpbrk(path, ": ")) return;           /* LD_PRELOAD can't hold such a path */
    if (old && strstr(old, HOST)) return;
    snprintf(list, sizeof list, "%s%s%s", path, old && *old ? ":" : "", old ? old : "");
    setenv("LD_PRELOAD", list, 1);
}

int meta_stock_run(char **argv, struct meta_error *error)
{
    static const char *fixed[] = { META_STOCK_FOLDER "/darknet", "/usr/bin/darknet" };
    char self_path[PATH_MAX] = "";
    const char *named = getenv("DARKNET_STOCK"), *found = NULL;
    struct stat self;
    if (!realpath("/proc/self/exe", self_path) || stat(self_path, &self)) return meta_fail(error, "can't find this program's own file");
    if (named && !is_another_program(named, &self))
        return meta_fail(error, "DARKNET_STOCK=%s: must be a program, and not this one", named);
    found = named;
    for (size_t i = 0; !found && i < sizeof fixed / sizeof *fixed; i++)
        if (is_another_program(fixed[i], &self)) found = fixed[i];
    if (!found)
        return meta_fail(error, "the stock darknet was not found at %s; install the package darknet, or set DARKNET_STOCK", fixed[1]);
    *strrchr(self_path, '/') = 0;
    preload_host(self_path);
    execv(found, argv);
    return meta_fail(error, "%s: %s", found, strerror(errno));
}
