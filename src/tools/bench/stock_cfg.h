/* Networks of stock libdarknet out of .cfg text that no file has. */
#ifndef META_STOCK_CFG_H
#define META_STOCK_CFG_H

#include <stdio.h>
#include "host/host.h"

/* Lets `write` put a .cfg into a file in memory, and parses that. The library must be open. `write`
   returns 0, or -1 when it could not write. */
int meta_stock_parse(network **, int (*write)(FILE *, const void *context), const void *context,
                     struct meta_error *);

#endif
