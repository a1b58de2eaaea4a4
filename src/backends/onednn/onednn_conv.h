/* Convolutions of the oneDNN backend. The state is here for what makes it (onednn_conv_make.c),
   what runs it (onednn_conv.c) and the tests. */
#ifndef META_ONEDNN_CONV_H
#define META_ONEDNN_CONV_H

#include "onednn_engine.h"

extern const struct meta_kernel meta_onednn_conv;

struct meta_conv_pass {
    dnnl_primitive_t run;
    dnnl_primitive_t run_adding; /* destination += result; NULL where oneDNN has none */
    dnnl_memory_desc_t weights;  /* the layout that `run` wants them in */
    dnnl_primitive_t pack;       /* plain to that layout; of `grad`: that layout to plain */
    dnnl_memory_t packed, other; /* weights of theta and of a tangent; of `grad`: the
                                    gradient of one piece, and the sum over pieces */
};

/* The passes for pieces of one number of images. A batch goes through piece by piece, so that what
   oneDNN works in is small. */
struct meta_conv_part {
    int images, first, pieces;  /* `pieces` pieces of `images`, from image `first` on */
    dnnl_memory_t x, y;         /* one piece; the data pointer is set before each use */
    struct meta_conv_pass out;  /* y from x */
    struct meta_conv_pass back; /* xbar from ybar */
    struct meta_conv_pass grad; /* Wbar from x and ybar */
};

struct meta_conv {
    dnnl_stream_t stream;
    dnnl_memory_t plain, scratch;
    struct meta_conv_part part[2]; /* pieces of one size, and what is left */
    int parts;
    int rotated; /* `back` is a forward convolution over rotated weights */

    /* Where things lie in the scratch memory of a pass, in bytes; what is not needed takes none. */
    size_t scratch_size;        /* bytes that the primitives take at the beginning */
    size_t packed_at, other_at; /* weights of `out` or `back` */
    size_t grad_at, sum_at;     /* weight gradients, packed */
    size_t turned_at;           /* (c, filters, size, size) rotated weights */
    size_t more_at;             /* the weight gradient of the other part, plain */
    size_t more_x_at;           /* a second xbardot of a piece, where `back` can't add */
};

int meta_conv_create(struct meta_op *, int tangents, struct meta_error *);
void meta_conv_destroy(struct meta_op *);

#endif
