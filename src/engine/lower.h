/* A network's layers as operations on tensors; what follows a convolution is fused into one
   epilogue. */
#ifndef META_LOWER_H
#define META_LOWER_H

#include "backend.h"
#include "network/tie.h"

struct meta_tensor {
    struct meta_shape shape;
    int batch;    /* images, or pairs of an image and a class */
    int producer; /* the operation that writes the tensor; -1: the tensor is the images */
    int active;   /* 1: the tensor depends on a parameter and has an adjoint and, unless a body
                     keeps it to itself, a tangent */
    int readings; /* how often operations read the tensor; one may read it twice */
    int reader;   /* the last operation that does; -1: none */
};

struct meta_lowered {
    int op_count, tensor_count;
    struct meta_op *ops;
    int **op_inputs; /* (op_count, ops[i].inputs) tensor indices */
    int *op_output;  /* (op_count) */
    struct meta_tensor *tensors;
    int body;             /* so many first operations are a body (program.h) */
    int first;            /* the first operation that a gradient and a product go through */
    struct meta_tie *tie; /* of a network that ties parameters: the offsets of the operations are
                             those of tie->full; else NULL */
};

/* The numbers of a parameter vector of the operations. */
static inline size_t meta_lowered_parameters(const struct meta_lowered *low,
                                             const struct meta_network *net)
{
    return low->tie ? low->tie->full->parameters : net->parameters;
}

/* Whether an operation computes a loss: it is the last and has no output tensor. */
static inline int meta_op_is_loss(const struct meta_op *op)
{
    return op->kind == META_OP_LOSS || op->kind == META_OP_SQUARES;
}

/* Whether the body hands a tensor on to operations behind it that want an adjoint of it. */
static inline int meta_lowered_hands_on(const struct meta_lowered *low, int tensor)
{
    const struct meta_tensor *t = &low->tensors[tensor];
    return t->active && t->producer < low->body && t->reader >= low->body;
}

/* Tensor 0 is the images; the last operation is the loss. The batch is `support` and, behind them,
   `query` images; support is 0 for a network without a pairing layer. Without a backend, no
   convolution becomes a stem. The caller frees. */
int meta_lower(struct meta_lowered *, const struct meta_network *, const struct meta_backend *,
               int support, int query, struct meta_error *);
/* Makes nothing that the first `frozen` layers produce active, so that their parameters count as
   constants, and the operations of the first `body` layers a body; a program with tangents goes
   through those behind the body alone. */
void meta_lowered_divide(struct meta_lowered *, const struct meta_network *, int frozen, int body,
                         int tangents);
void meta_lowered_free(struct meta_lowered *);

#endif
