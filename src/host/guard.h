/* Refuses what libdarknet's own parser does not check before it computes with it: a list that is
   shorter than another, a stride of 0, an index of no layer. It would end by a signal, or go on
   beside its memory. Numbers are read as it reads them, by atoi. Messages have file, line and
   section. */
#ifndef META_GUARD_H
#define META_GUARD_H

#include "config/cfg.h"
#include "host.h"

/* Checks the options of one section of Darknet's, [net] or layer number `index`, by themselves. */
int meta_guard_options(const struct meta_section *, const char *path, int index,
                       struct meta_error *);
/* Checks all sections of a .cfg that has none of plugins'. */
int meta_guard_cfg(const struct meta_cfg *, struct meta_error *);
/* Checks a layer's options against its input and against the earlier layers of the network. */
int meta_guard_shape(const struct meta_section *, const char *path, const struct meta_size_params *,
                     struct meta_error *);

/* The value of a whole-number option as libdarknet reads it, the first of that name. */
int meta_guard_int(const struct meta_section *, const char *key, int fallback);
/* The text of an option; NULL: there is none. */
const char *meta_guard_text(const struct meta_section *, const char *key);

#endif
