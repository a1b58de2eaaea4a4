/* First layers of the oneDNN backend: a convolution of the images, its epilogue and a pool in
   one. */
#ifndef META_ONEDNN_STEM_H
#define META_ONEDNN_STEM_H

#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_stem;

/* Whether meta_onednn_stem can do this layer, as the first of a network, and this pool after it. */
int meta_onednn_stem_fits(const struct meta_layer *convolutional, const struct meta_layer *pool);

#endif
