/* The stock darknet program. */
#ifndef META_STOCK_H
#define META_STOCK_H

#include "error.h"

/* Becomes the stock darknet with the same arguments: $DARKNET_STOCK, else `darknet` in the folder the Makefile was given, else
   /usr/bin/darknet; never this very program. With the preloadable host beside this program, its commands read our .cfg
   files too. Returns -1, with the message, only when it can't. */
int meta_stock_run(char **argv, struct meta_error *);

#endif
