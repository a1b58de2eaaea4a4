/* Finds the plugins beside the program and in DARKNET_PLUGIN_PATH, and loads them. */
#define _GNU_SOURCE
#include "plugins.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/place.h"
#include "base/shared_object.h"
#include "plugin_table.h"

#define ENVIRONMENT "DARKNET_PLUGIN_PATH"

/* ---- loading --------------------------------------------------------------------------------- */

static int add_plugin(struct meta_plugins *all, const char *path, struct meta_error *error)
{
    if (meta_shared_object_check(path, error)) return -1;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return meta_fail(error, "%s: can't load the plugin: %s", path, meta_place_reason(path));
    const struct meta_plugin *plugin = dlsym(handle, META_PLUGIN_SYMBOL);
    if (!plugin) {
        meta_fail(error, "%s: is not a plugin: it does not define " META_PLUGIN_SYMBOL, path);
        goto fail;
    }
    for (int i = 0; i < all->count; i++)
        if (all->entries[i].plugin == plugin) { /* the same file, found twice */
            dlclose(handle);
            return 0;
        }
    if (meta_plugin_table_check(path, plugin, error)) goto fail;
    const struct meta_plugin *other = meta_plugins_find(all, plugin->name);
    for (int i = 0; i < all->count; i++)
        if (all->entries[i].plugin == other) {
            meta_fail(error, "%s: [%s] is already the section of %s", path, plugin->name,
                      all->entries[i].path);
            goto fail;
        }
    struct meta_plugin_entry *grown = realloc(all->entries, (all->count + 1) * sizeof *grown);
    if (!grown) {
        meta_fail_memory(error);
        goto fail;
    }
    all->entries = grown;
    grown[all->count].plugin = plugin;
    if (!(grown[all->count].path = strdup(path))) {
        meta_fail_memory(error);
        goto fail;
    }
    all->count++;
    return 0;
fail:
    dlclose(handle);
    return -1;
}

static int shared_object(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return d->d_name[0] != '.' && n > 3 && !strcmp(d->d_name + n - 3, ".so");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Loads the plugins of one folder. `named`: DARKNET_PLUGIN_PATH names the folder, so that it must
   be there. */
static int add_folder(struct meta_plugins *all, const char *folder, int named,
                      struct meta_error *error)
{
    struct dirent **names = NULL;
    char *list = NULL;
    int status = 0, count = scandir(folder, &names, shared_object, by_name);
    if (count < 0) {
        if (!named && errno == ENOENT) count = 0;
        else
            return meta_fail(error, "%s%s: %s", named ? ENVIRONMENT ": " : "", folder,
                             strerror(errno));
    }
    if (asprintf(&list, "%s%s%s", all->folders ? all->folders : "", all->folders ? ", " : "",
                 folder)
        < 0) {
        list = NULL;
        status = meta_fail_memory(error);
    } else {
        free(all->folders);
        all->folders = list;
    }
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        if (!status && asprintf(&path, "%s/%s", folder, names[i]->d_name) < 0) {
            path = NULL;
            status = meta_fail_memory(error);
        }
        if (!status) status = add_plugin(all, path, error);
        free(path);
        free(names[i]);
    }
    free(names);
    return status;
}

static int add_all(struct meta_plugins *all, struct meta_error *error)
{
    char *folder = meta_place_find("plugins", error), *list = NULL;
    const char *named = getenv(ENVIRONMENT);
    int status = -1;
    if (!folder) return -1;
    if (add_folder(all, folder, 0, error)) goto fail;
    if (named && !(list = strdup(named))) {
        meta_fail_memory(error);
        goto fail;
    }
    for (char *save, *p = list ? strtok_r(list, ":", &save) : NULL; p;
         p = strtok_r(NULL, ":", &save))
        if (add_folder(all, p, 1, error)) goto fail;
    status = 0;
fail:
    free(folder);
    free(list);
    return status;
}

const struct meta_plugins *meta_plugins_load(struct meta_error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct meta_plugins all;
    static struct meta_error failure;
    static int status = 1; /* 1: nothing was loaded yet */
    pthread_mutex_lock(&lock);
    if (status > 0) status = add_all(&all, &failure);
    pthread_mutex_unlock(&lock);
    if (!status) return &all;
    *error = failure;
    return NULL;
}

const struct meta_plugin *meta_plugins_find(const struct meta_plugins *all, const char *name)
{
    for (int i = 0; i < all->count; i++)
        if (!strcmp(all->entries[i].plugin->name, name)) return all->entries[i].plugin;
    return NULL;
}

int meta_plugins_are_ours(const char *name)
{
    static const char *const ours[] = { "affine",     "episode",   "film",
                                        "inner_loop", "meta_loss", "momentum",
                                        "prelu",      "prototype", "relation" };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(ours[i], name)) return 1;
    return 0;
}
