/* The stock darknet, which every command but `meta` is handed to. */
#ifndef META_STOCK_H
#define META_STOCK_H

#include "error.h"

/* Becomes the stock darknet with the same arguments and environment: $DARKNET_STOCK where that is set; else `darknet` beside
   the libdarknet.so this program uses, or /usr/bin/darknet, never this program itself. Returns -1 with the message when it can't. */
int meta_stock_exec(char **argv, struct meta_error *);

#endif
