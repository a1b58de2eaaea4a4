/* What a convolution of oneDNN sees of a tensor: the tensor itself, or a copy of it in scratch
   memory with more channels or more pixels, all zero, where oneDNN has a fast implementation for
   that alone. */
#ifndef META_ONEDNN_VIEW_H
#define META_ONEDNN_VIEW_H

#include "network/network.h"

struct meta_view {
    int channels; /* as oneDNN counts them: planar up to META_MOST_PLANAR, else blocked */
    int h, w;
    int copied;   /* 0: the memory of the tensor itself, whose padding channels are zero */
    int at, step; /* of a copy: pixel i of the tensor, along both directions, is pixel
                     at + i * step of the view; pixels outside the view are left out */
};

/* The tensor itself; oneDNN may count the channels that fill up its last block. */
struct meta_view meta_view_of(struct meta_shape, int with_padding_channels);

/* Numbers of one image in the view. */
size_t meta_view_numbers(const struct meta_view *);

/* Makes the copy (images, view) of a tensor (images, shape): zeros where the tensor has nothing. */
void meta_view_take(const struct meta_view *, struct meta_shape, int images, const float *tensor,
                    float *copy);
/* Writes the tensor from such a copy: zeros where the view has no such pixel. */
void meta_view_put(const struct meta_view *, struct meta_shape, int images, const float *copy,
                   float *tensor);

#endif
