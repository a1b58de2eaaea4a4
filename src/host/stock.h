/* The stock darknet, which every command but `meta` is handed to. */
#ifndef META_STOCK_H
#define META_STOCK_H

#include "base/error.h"

/* Where it is: $DARKNET_STOCK where that is set; else `darknet` beside the libdarknet.so this program uses, or /usr/bin/darknet, never
   this program itself. The caller frees; NULL with the message: nowhere. */
char *meta_stock_find(struct meta_error *);
/* Becomes it, with the same arguments and environment. Returns -1 with the message when it can't. */
int meta_stock_exec(char **argv, struct meta_error *);

#endif
