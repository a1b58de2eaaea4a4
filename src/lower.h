/* Lowers a network's layers to operations on tensors, fusing what follows a convolution into one epilogue. */
#ifndef META_LOWER_H
#define META_LOWER_H

#include "backend.h"

struct meta_tensor {
    struct meta_shape shape;
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

/* Tensor 0 is the images; the last operation is the loss. The caller frees. */
int  meta_lower(struct meta_lowered *, const struct meta_network *, const struct meta_backend *, int batch, struct meta_error *);
void meta_lowered_free(struct meta_lowered *);

#endif
