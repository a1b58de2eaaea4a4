/* 1x1 convolutions from or to at most three channels, whose tensor is planar. */
#ifndef META_ONEDNN_NARROW_H
#define META_ONEDNN_NARROW_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_narrow;

/* Whether a convolution is such a one: of stride 1, without padding and in one group. */
int meta_onednn_narrow_fits(const struct meta_op *);

#endif
