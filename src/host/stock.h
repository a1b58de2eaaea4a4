/* The stock darknet program, which every command but `meta` is handed to. */
#ifndef META_STOCK_H
#define META_STOCK_H

#include "base/error.h"

/* The program's path: $DARKNET_STOCK where that is set; else that of `darknet` beside the
   libdarknet.so that the loader would find, or /usr/bin/darknet, but never this program itself. The
   caller frees; NULL with the message where there is none. */
char *meta_stock_find(struct meta_error *);
/* Becomes that program, with the same arguments and environment. Returns -1 with the message where
   it can't. */
int meta_stock_exec(char **argv, struct meta_error *);

#endif
