/* The section types that plugins add: every *.so in plugins/ beside this program (or beside the preloaded host) and in the
   folders of DARKNET_PLUGIN_PATH (colon-separated), in order of their names. */
#ifndef META_PLUGINS_H
#define META_PLUGINS_H

#include "error.h"

/* Loads them, once a process; later calls return the first one's outcome. A plugin of another ABI, without a name, with a stock
   section's name or another plugin's is an error that names the file. Thread-safe. */
int meta_plugins_load(struct meta_error *);

int meta_plugins_count(void);
const struct meta_plugin *meta_plugins_at(int index);
const struct meta_plugin *meta_plugins_find(const char *section);     /* NULL when no plugin has it */

#endif
