/* What a plugin's tables say of it, looked at before any of it is used. */
#ifndef META_PLUGIN_TABLE_H
#define META_PLUGIN_TABLE_H

#include "base/error.h"

/* Fails unless `plugin`, the address of the symbol meta_plugin in the shared object at `path`, is a
   plugin of this ABI, whole: its name, the functions of its role, and a table of options whose rows
   lie in its settings, apart and aligned, with texts of one line and bounds that hold the defaults.
   The message begins with the path. */
int meta_plugin_table_check(const char *path, const struct meta_plugin *plugin,
                            struct meta_error *);

#endif
