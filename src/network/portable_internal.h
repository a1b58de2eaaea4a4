/* A network that is rewritten, as the files of portable.h share it. */
#ifndef META_PORTABLE_INTERNAL_H
#define META_PORTABLE_INTERNAL_H

#include "opencv_view.h"
#include "portable.h"

struct meta_rewrite {
    const struct meta_filled *from;
    const struct meta_network *net; /* from->network */
    struct meta_filled *to;
    enum meta_fold fold;
    struct meta_opencv_view view; /* of `to` */
    int *place; /* (net->count) the layer of `to` that has layer i's output; -1: the image has it */
    int *reads; /* (net->count) how many layers read layer i, the next one included */
    int *addend;    /* (net->count) the layer of `to` that is added in place of [shortcut] i's; -1:
                       none */
    int normalised; /* whether the first normalised layer has been met */
    struct meta_error *error;
};

/* ---- portable_added.c ------------------------------------------------------------------------ */

/* The number of the layer that was added last, -1: none was; the layer; and what the next one
   reads. */
int meta_rewrite_last_index(const struct meta_rewrite *);
struct meta_layer *meta_rewrite_last(const struct meta_rewrite *);
struct meta_shape meta_rewrite_last_shape(const struct meta_rewrite *);
/* Whether the next layer reads a vector that OpenCV, too, has as one. [upsample], [reorg] and
   [scale_channels] make maps of vectors. */
int meta_rewrite_reads_vector(const struct meta_rewrite *);
/* Adds a layer, whose numbers are 0, or layer i as it is. */
int meta_rewrite_add(struct meta_rewrite *, struct meta_layer);
int meta_rewrite_copy(struct meta_rewrite *, int i);

/* A layer whose output k is input k times a factor: `factor` for k < scaled, `rest` behind. Of a
   map it takes the pixels at multiples of `stride`. */
struct meta_diagonal {
    int outputs, scaled;
    double factor, rest;
    int size, stride, padding; /* weights (padding, padding) of the kernels are not 0 */
    int connected;             /* of all numbers of a map instead of its channels */
    enum meta_activation activation;
};
/* Whether a layer of so many numbers may be added. */
int meta_rewrite_affordable(size_t outputs, size_t inputs, size_t kernel);
int meta_rewrite_add_diagonal(struct meta_rewrite *, struct meta_diagonal);
/* An identity of what the next layer reads, with an activation. */
struct meta_diagonal meta_rewrite_identity(const struct meta_rewrite *, enum meta_activation);

/* ---- portable_shortcut.c --------------------------------------------------------------------- */

/* Behind layer i: what the shortcuts from it add, as layers of their own; then layer i again. They
   stand here because a heat map is one of the last convolution. */
int meta_rewrite_add_addends(struct meta_rewrite *, int i);
int meta_rewrite_shortcut(struct meta_rewrite *, int i);

#endif
