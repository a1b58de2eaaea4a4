/* A network whose plugins' layers are written as sections of Darknet's own, by the plugins. */
#ifndef META_STOCK_FORM_H
#define META_STOCK_FORM_H

#include "network/filled.h"

/* Makes such a network with the numbers of `from`; *to is zeroed where `from` has no layer of a
   plugin. One that has no such form, with these numbers, is an error that begins with `path`, the
   .cfg, and the line of its section. A pairing layer stays as it is. The caller clears. */
int meta_stock_form(struct meta_filled *to, const struct meta_filled *from, const char *path,
                    struct meta_error *);

#endif
