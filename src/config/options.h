/* A section's options, stored in a struct of settings by a table with one row an option. */
#ifndef META_OPTIONS_H
#define META_OPTIONS_H

#include "cfg.h"

/* Fills `settings`, which the caller has zeroed and frees with meta_options_clear, from the
   section's pairs, with defaults for absent options. An unknown or repeated option, a malformed
   number or one out of range fails: "cfg/x.cfg:41: [episode] shots=0: must be 1 to 1000". */
int meta_options_parse(const struct meta_option *table, const struct meta_section *,
                       const char *path, void *settings, struct meta_error *);
/* Frees the texts and lists that parsing stored, but not `settings`. */
void meta_options_clear(const struct meta_option *table, void *settings);

#endif
