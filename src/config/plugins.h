/* The plugins: shared objects that each add one section type (plugins/plugin.h). */
#ifndef META_PLUGINS_H
#define META_PLUGINS_H

#include "base/error.h"

struct meta_plugin_entry {
    const struct meta_plugin *plugin;
    char *path;
};
struct meta_plugins {
    int count;
    struct meta_plugin_entry *entries;
    char *folders; /* the folders that were searched, for messages: "/a/plugins, /b" */
};

/* Loads every *.so of the folder plugins/ beside the program or the shared object that this code is
   part of (lib/darknet-meta/plugins/ where that is installed), and then of the folders of
   DARKNET_PLUGIN_PATH, which colons separate, in order of their names. A plugin of another ABI, an
   incomplete one, and two for one section are errors: "PATH: plugin ABI 7: this program speaks 1".
   The first call of a process loads; later calls return the same. Thread-safe. The result lasts
   until the process ends. */
const struct meta_plugins *meta_plugins_load(struct meta_error *); /* NULL on failure */

/* NULL: there is none of that name. */
const struct meta_plugin *meta_plugins_find(const struct meta_plugins *, const char *name);

/* Whether a section is of a plugin that comes with the program. */
int meta_plugins_are_ours(const char *name);

#endif
