/* Layers whose outputs are single numbers of their input: [crop], [reorg] and [upsample].
   Several may be the same one. */
#ifndef META_PICK_H
#define META_PICK_H

#include "network.h"

/* The number of the planar input (c, h, w) that number j of the planar output is, or META_NONE: the
   output is 0. */
size_t meta_pick(const struct meta_layer *, size_t j);

#endif
