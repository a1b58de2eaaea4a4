/* 3x3 convolutions of stride 1 by the project's own Winograd kernels. */
#ifndef META_ONEDNN_WINOGRAD_H
#define META_ONEDNN_WINOGRAD_H

#include "engine/backend.h"

/* Whether an operation is such a convolution, and tiles are expected to be faster than oneDNN. It
   depends on the layer, its maps and the instruction set alone, so that an image's numbers do not
   depend on how many go through at once. */
int meta_onednn_winograd_fits(const struct meta_op *);
extern const struct meta_kernel meta_onednn_winograd;

#endif
