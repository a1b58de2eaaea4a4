/* Whether all ranks compute by the same files. */
#ifndef META_SAME_BUILD_H
#define META_SAME_BUILD_H

#include "transport/transport.h"

/* Fails on all ranks where the file of the program or of a plugin is another on one of them, with
   both digests. All ranks call it. */
int meta_same_build(struct meta_transport *, struct meta_error *);

#endif
