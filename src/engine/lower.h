/* Lowers a network's layers to operations on tensors, fusing what follows a convolution into one epilogue. */
#ifndef META_LOWER_H
#define META_LOWER_H

#include "backend.h"

struct meta_tensor {
    struct meta_shape shape;
    int batch;                 /* images, or pairs of them with classes */
    int producer;              /* the operation that writes it; -1: the images */
    int active;                /* depends on a parameter: has an adjoint and a tangent */
};

struct meta_lowered {
    int op_count, tensor_count;
    struct meta_op *ops;
    int **op_inputs;           /* (op_count, ops[i].inputs) tensor indices */
    int *op_output;            /* (op_count) */
    struct meta_tensor *tensors;
};

/* Whether an operation is the last: it has a loss, and no output tensor. */
static inline int meta_op_is_loss(const struct meta_op *op) { return op->kind == META_OP_LOSS || op->kind == META_OP_SQUARES; }

/* Tensor 0 is the images; the last operation is the loss. A pairing network takes `support` images and, behind them, `query`;
   another takes query, and support is 0. The caller frees. */
int  meta_lower(struct meta_lowered *, const struct meta_network *, const struct meta_backend *, int support, int query,
                struct meta_error *);
void meta_lowered_free(struct meta_lowered *);

#endif
