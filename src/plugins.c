#define _GNU_SOURCE    /* dladdr */
#include "plugins.h"
#include "sections.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct { const struct meta_plugin *plugin; char *path; } *loaded;
static int count, failed;
static struct meta_error outcome;

int meta_plugins_count(void) { return count; }
const struct meta_plugin *meta_plugins_at(int index) { return loaded[index].plugin; }

const struct meta_plugin *meta_plugins_find(const char *section)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(loaded[i].plugin->name, section)) return loaded[i].plugin;
    return NULL;
}

/* Does the role have what it needs? */
static int complete(const struct meta_plugin *p)
{
    size_t least = p->role == META_ROLE_EPISODE ? sizeof(struct meta_episode_settings)
                 : p->role == META_ROLE_INNER_LOOP ? sizeof(struct meta_inner_settings) : 0;
    if (!p->name || !*p->name || !p->options || p->settings_size < least) return 0;
    if (p->role == META_ROLE_META_LOSS) return p->loss && p->loss->value && p->loss->weight;
    if (p->role == META_ROLE_LAYER) return p->layer && p->layer->shape && p->layer->forward && p->layer->backward;
    return p->role == META_ROLE_EPISODE || p->role == META_ROLE_INNER_LOOP;
}

static int add(const char *path, struct meta_error *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return meta_fail(error, "%s", dlerror());
    const struct meta_plugin *p = dlsym(library, META_PLUGIN_SYMBOL);
    if (!p) return meta_fail(error, "%s: not a plugin: it defines no %s", path, META_PLUGIN_SYMBOL);
    if (p->abi != META_PLUGIN_ABI)
        return meta_fail(error, "%s: plugin ABI %d: this program speaks %d", path, p->abi, META_PLUGIN_ABI);
    if (p->size != sizeof *p)
        return meta_fail(error, "%s: struct meta_plugin has %zu bytes there, %zu here: build it against this plugin.h",
                         path, p->size, sizeof *p);
    if (!complete(p)) return meta_fail(error, "%s: incomplete: its role needs functions or settings that it lacks", path);
    if (meta_sections_is_stock(p->name)) return meta_fail(error, "%s: [%s] is one of Darknet's own sections", path, p->name);
    for (int i = 0; i < count; i++)
        if (!strcmp(loaded[i].plugin->name, p->name))
            return meta_fail(error, "%s: [%s] is there already, from %s", path, p->name, loaded[i].path);
    void *grown = realloc(loaded, (count + 1) * sizeof *loaded);
    char *copy = strdup(path);
    if (grown) loaded = grown;
    if (!grown || !copy) {
        free(copy);
        return meta_fail(error, "out of memory");
    }
    loaded[count].plugin = p;
    loaded[count++].path = copy;
    return 0;
}

static int is_library(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 3 && entry->d_name[0] != '.' && !strcmp(entry->d_name + n - 3, ".so");
}

static int add_folder(const char *folder, int must_exist, struct meta_error *error)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_library, alphasort), result = 0;
    if (n < 0) return must_exist ? meta_fail(error, "DARKNET_PLUGIN_PATH: %s: no such folder", folder) : 0;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (!result) result = add(path, error);
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* The folder of the file that this very code was loaded from. */
static void own_folder(char *folder, size_t size)
{
    Dl_info info;
    char real[PATH_MAX] = "";
    static const char here = 0;
    if (dladdr(&here, &info) && info.dli_fname && !realpath(info.dli_fname, real)) *real = 0;
    /* a program started through PATH is known by its bare name: ask the kernel */
    if (!*real && !realpath("/proc/self/exe", real)) *real = 0;
    char *slash = strrchr(real, '/');
    if (slash) *slash = 0;
    snprintf(folder, size, "%.*s/plugins", (int)(size - 16), real);
}

static void load_all(void)
{
    char folder[PATH_MAX];
    own_folder(folder, sizeof folder);
    failed = add_folder(folder, 0, &outcome);
    const char *more = getenv("DARKNET_PLUGIN_PATH");
    while (!failed && more && *more) {
        int n = strcspn(more, ":");
        snprintf(folder, sizeof folder, "%.*s", n, more);
        if (n) failed = add_folder(folder, 1, &outcome);
        more += n + (more[n] == ':');
    }
}

int meta_plugins_load(struct meta_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_all);
    if (failed) *error = outcome;
    return failed;
}
