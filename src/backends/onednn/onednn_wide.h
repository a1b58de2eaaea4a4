/* Connected layers of more outputs than images. */
#ifndef META_ONEDNN_WIDE_H
#define META_ONEDNN_WIDE_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_wide;

/* Whether a connected layer's weights are so many that they are better left where they are. */
int meta_onednn_wide_fits(const struct meta_op *);

#endif
