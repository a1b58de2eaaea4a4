/* Pixels of one channel of a shape. */
#ifndef META_PIXELS_H
#define META_PIXELS_H

#include "network/network.h"

static inline size_t meta_pixels(struct meta_shape s) { return (size_t)s.h * s.w; }

#endif
