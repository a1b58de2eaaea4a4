/* Convolutions of the oneDNN backend. The state is here for what makes it (onednn_conv_make.c),
   what runs it (onednn_conv.c) and the tests. */
#ifndef META_ONEDNN_CONV_H
#define META_ONEDNN_CONV_H

#include "onednn_engine.h"
#include "onednn_view.h"

extern const struct meta_kernel meta_onednn_conv;

struct meta_conv_pass {
    dnnl_primitive_t run;
    dnnl_primitive_t run_adding;      /* destination += result; NULL where oneDNN has none */
    int turned;                       /* of `back`: a forward convolution over turned weights */
    const char *implementation;       /* what oneDNN calls it; the library's own string */
    struct meta_view x, y;            /* what oneDNN sees of the two tensors */
    dnnl_memory_t x_memory, y_memory; /* the data pointer is set before each use */
    dnnl_memory_desc_t weights;       /* the layout that `run` wants them in */
    dnnl_primitive_t pack;            /* plain to that layout; of `grad`: that layout to plain */
    dnnl_memory_t plain; /* weights (o, i, y, x) of the views' channels; turned: (i, o, y, x) */
    dnnl_memory_t packed, other; /* weights of theta and of a tangent; of `grad`: the
                                    gradient of one piece, and the sum over pieces */
};

/* The passes for pieces of one number of images. A batch goes through piece by piece, so that what
   oneDNN works in is small. */
struct meta_conv_part {
    int images, first, pieces;  /* `pieces` pieces of `images`, from image `first` on */
    struct meta_conv_pass out;  /* y from x */
    struct meta_conv_pass back; /* xbar from ybar */
    struct meta_conv_pass grad; /* Wbar from x and ybar */
};

struct meta_conv {
    dnnl_stream_t stream;
    dnnl_memory_t scratch;
    struct meta_conv_part part[2]; /* pieces of one size, and what is left */
    int parts;

    /* Where things lie in the scratch memory of a pass, in bytes; what is not needed takes none. */
    size_t scratch_size;         /* bytes that the primitives take at the beginning */
    size_t packed_at, other_at;  /* weights of `out` or `back` */
    size_t grad_at, sum_at;      /* weight gradients, packed */
    size_t filled_at;            /* plain weights with the channels of a view, or turned ones */
    size_t more_at;              /* the weight gradient of the other part, plain */
    size_t x_copy_at, y_copy_at; /* copies of a piece for the views */
    size_t more_x_at;            /* a second xbardot of a piece, where `back` can't add */
};

int meta_conv_create(struct meta_op *, int tangents, struct meta_error *);
void meta_conv_destroy(struct meta_op *);

/* Name of oneDNN's reference loop if a pass of this operation falls to one, which is made to be
   right and not to be fast; else NULL. */
const char *meta_conv_slow(const struct meta_op *);

#endif
