/* What every file of the oneDNN backend stands on: the engine, the layout of tensors, and the fused
   sweeps for that layout.

   Tensors are floats in oneDNN's blocked layout, (batch, c/block, h, w, block): the channels of
   a block, 16 with AVX-512 and else 8, lie side by side. The last block is filled up with zeros,
   and stays so. Tensors of up to three channels (images, the logits of a few classes) are
   planar, which is what oneDNN's first convolution wants. */
#ifndef META_ONEDNN_ENGINE_H
#define META_ONEDNN_ENGINE_H

#include <oneapi/dnnl/dnnl.h>
#include "backends/fused/fused_kernels.h"
#include "engine/backend.h"

#define META_MOST_PLANAR 3

/* Makes the engine and limits the calling thread to itself; once a process, and again for every
   thread that makes primitives. */
int meta_onednn_open(struct meta_error *);

/* The one CPU engine of the process; NULL before meta_onednn_open. */
dnnl_engine_t meta_onednn_engine(void);

/* The sweeps for blocks of this layout. */
const struct meta_fused *meta_onednn_sweeps(void);

/* log2 of the block: 3 or 4; set by meta_onednn_open. */
extern int meta_onednn_shift;

static inline int meta_onednn_planar(int channels) { return channels <= META_MOST_PLANAR; }

/* Channels with their padding. */
static inline size_t meta_onednn_padded(int channels)
{
    size_t block = (size_t)1 << meta_onednn_shift;
    return meta_onednn_planar(channels) ? (size_t)channels : (channels + block - 1) / block * block;
}

/* Channels that lie side by side in a tensor of C channels. */
static inline size_t meta_onednn_block(int C)
{
    return meta_onednn_planar(C) ? 1 : (size_t)1 << meta_onednn_shift;
}

/* Where pixel p of channel k of image b lies in a tensor of C channels and P pixels. */
static inline size_t meta_onednn_at(size_t b, size_t k, size_t p, int C, size_t P)
{
    if (meta_onednn_planar(C)) return (b * C + k) * P + p;
    size_t block = (size_t)1 << meta_onednn_shift;
    size_t of_block = ((k >> meta_onednn_shift) * P + p) << meta_onednn_shift;
    return b * meta_onednn_padded(C) * P + of_block + (k & (block - 1));
}

/* Puts zeros into the padding of a last block, after loops that left it as it was. NULL: there is
   no such tensor. */
void meta_onednn_zero_padding(float *tensor, int batch, struct meta_shape);

/* Numbers that one image takes, padding included. */
static inline size_t meta_onednn_image(struct meta_shape s)
{
    return meta_onednn_padded(s.c) * s.h * s.w;
}

#endif
