/* A .cfg as stock Darknet reads it. */
#ifndef META_STOCK_CFG_H
#define META_STOCK_CFG_H

#include "base/error.h"

/* In the first line of such a text, a comment. */
#define META_STOCK_LINE " as stock Darknet reads it: `darknet meta stock`"
/* The text of a .cfg that this program reads, for Darknet's own parser: comments behind a value get
   lines of their own, our sections and the options that stock does not know become comments, line
   ends are LF. The layers, and so the order of the weights, stay. Fails where a layer is none of
   stock's. The caller frees. */
int meta_stock_cfg(char **text, const char *path, struct meta_error *);

#endif
