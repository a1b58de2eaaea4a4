/* Stores a section's options in a settings struct through a table, one row an option. */
#ifndef META_OPTIONS_H
#define META_OPTIONS_H

#include "cfg.h"

/* Fills `settings` (zeroed by the caller, who frees it with meta_options_clear) from the section's pairs; defaults for absent
   ones. An unknown or repeated option, a malformed number or one out of range fails:
   "cfg/x.cfg:41: [episode] shots=0: must be 1 to 1000". */
int  meta_options_parse(const struct meta_option *table, const struct meta_section *, const char *path,
                        void *settings, struct meta_error *);
/* Frees the text and lists that parsing stored; not `settings` itself. */
void meta_options_clear(const struct meta_option *table, void *settings);

#endif
