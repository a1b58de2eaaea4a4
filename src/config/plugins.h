/* The plugins: shared objects that each add one section type. See plugins/plugin.h for what one is. */
#ifndef META_PLUGINS_H
#define META_PLUGINS_H

#include "base/error.h"

struct meta_plugin_entry { const struct meta_plugin *plugin; char *path; };
struct meta_plugins {
    int count;
    struct meta_plugin_entry *entries;
    char *folders;                     /* where they were looked for, for messages: "/a/plugins, /b" */
};

/* Loads every *.so of the folder plugins/ beside the program (or beside the shared object that this code is part of), where that is
   installed of lib/darknet-meta/plugins/, and then of the folders of DARKNET_PLUGIN_PATH (separated by colons), in order of their names. Refuses one of another ABI, one that is
   incomplete, and two for the same section: "PATH: plugin ABI 7: this program speaks 1".
   Done once a process; later calls give the same answer. Thread-safe. What it returns lasts until the process ends. */
const struct meta_plugins *meta_plugins_load(struct meta_error *);      /* NULL on failure */

const struct meta_plugin *meta_plugins_find(const struct meta_plugins *, const char *name);   /* NULL: none of that name */

#endif
