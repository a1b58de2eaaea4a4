/* Makes one pass of a convolution in one form; what the forms are, and which one a pass gets, is
   onednn_conv_make.c's to choose. */
#ifndef META_ONEDNN_CONV_PASS_H
#define META_ONEDNN_CONV_PASS_H

#include "onednn_conv.h"

/* What is being made, how, and what oneDNN last said. */
struct meta_conv_maker {
    struct meta_op *op;
    struct meta_conv *s;
    dnnl_alg_kind_t algorithm;
    int tangents;
    int images;          /* of a piece */
    int takes_reference; /* whether a slow implementation will do */
    dnnl_status_t status;
};

/* What oneDNN sees of the tensors of a pass, from that which costs nothing to that which it always
   has a fast implementation for. Each but the first counts the channels that fill up a block. */
enum meta_conv_form {
    META_FORM_OWN,     /* the tensors, with the channels of the layer */
    META_FORM_PADDED,  /* the tensors, but of a planar output a copy in blocks */
    META_FORM_THREE,   /* of an image of one or two channels a copy with three */
    META_FORM_BLOCKED, /* of a planar input, too, a copy in blocks */
    META_FORM_WHOLE    /* besides, a copy of the tensor that is convolved with its padding around
                          it, so that the convolution itself has none */
};

enum meta_conv_direction { META_CONV_OUT, META_CONV_BACK, META_CONV_GRAD };

/* One way to make a pass. turned: see struct meta_conv_pass. */
struct meta_conv_attempt {
    enum meta_conv_direction direction;
    enum meta_conv_form form;
    int turned;
};

/* Makes the pass, all zero before. -1: oneDNN has no such implementation, or only a reference one
   where that will not do; the pass is all zero again. */
int meta_conv_make_pass(struct meta_conv_maker *, struct meta_conv_pass *,
                        struct meta_conv_attempt);
void meta_conv_free_pass(struct meta_conv_pass *);

/* Whether oneDNN's name for an implementation is that of a reference loop. */
int meta_conv_is_reference(const char *implementation);

#endif
