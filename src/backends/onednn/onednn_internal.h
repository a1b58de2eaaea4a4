/* What the files of the oneDNN backend share: its engine and its layout.

   Tensors are floats in oneDNN's blocked layout: channels in blocks of 16 (AVX-512) or 8 that lie side by side, (batch, c/block,
   h, w, block); the last block is filled up with zeros, and stays so. Up to three channels (images, the logits of a few
   classes) are planar, which is what oneDNN's first convolution wants. */
#ifndef META_ONEDNN_INTERNAL_H
#define META_ONEDNN_INTERNAL_H

#include <oneapi/dnnl/dnnl.h>
#include "engine/backend.h"

#define META_MOST_PLANAR 3

/* log2 of the block: 3 or 4; set by meta_backend_onednn.open */
extern int meta_onednn_shift;

static inline int meta_onednn_planar(int channels) { return channels <= META_MOST_PLANAR; }

/* Channels with their padding. */
static inline size_t meta_onednn_padded(int channels)
{
    size_t block = (size_t)1 << meta_onednn_shift;
    return meta_onednn_planar(channels) ? (size_t)channels : (channels + block - 1) / block * block;
}

/* Where image b, channel k, pixel p lies, of C channels and P pixels. */
static inline size_t meta_onednn_at(size_t b, size_t k, size_t p, int C, size_t P)
{
    if (meta_onednn_planar(C)) return (b * C + k) * P + p;
    size_t block = (size_t)1 << meta_onednn_shift;
    return b * meta_onednn_padded(C) * P + (((k >> meta_onednn_shift) * P + p) << meta_onednn_shift) + (k & (block - 1));
}

static inline size_t meta_onednn_image(struct meta_shape s) { return meta_onednn_padded(s.c) * s.h * s.w; }

/* The one CPU engine of the process; NULL before meta_backend_onednn.open. */
dnnl_engine_t meta_onednn_engine(void);

extern const struct meta_kernel meta_onednn_conv, meta_onednn_connected, meta_onednn_epilogue, meta_onednn_stem, meta_onednn_shortcut;

/* Whether meta_onednn_stem can do this convolution of the images and this pool after it. */
int meta_onednn_stem_fits(const struct meta_layer *convolutional, const struct meta_layer *pool);

/* Whether meta_onednn_shortcut can do this one. */
int meta_onednn_shortcut_fits(const struct meta_op *);

#endif
