/* A backend is one table: memory, the vector operations of the loops, and the kernels of each
   operation. Nothing above the table knows where memory lies or how a tensor is laid out: vectors
   and tensors are void pointers that only the backend reads. */
#ifndef META_BACKEND_H
#define META_BACKEND_H

#include <stddef.h>
#include <stdint.h>
#include "network/network.h"

/* The operations that a network's layers are lowered to. An epilogue is what can follow a
   convolution in one pass over memory, y = pool(activation(scale * normalise(x) + bias)), where
   each part is optional; it also serves [activation] and [maxpool]. A stem is a convolution of the
   images with its epilogue and pool in one operation, for backends that have it. LOCAL has its
   biases, too; PICK is [crop], [reorg] and [upsample], SCALE [scale_channels]. LOSS is softmax and
   cross-entropy, of an image's outputs or of the scores of a query image's pairs, SQUARES the
   squared error of scores.
 */
enum meta_op_kind {
    META_OP_CONV,
    META_OP_CONNECTED,
    META_OP_LOCAL,
    META_OP_EPILOGUE,
    META_OP_STEM,
    META_OP_AVGPOOL,
    META_OP_SHORTCUT,
    META_OP_ROUTE,
    META_OP_DROPOUT,
    META_OP_PICK,
    META_OP_SCALE,
    META_OP_PLUGIN,
    META_OP_LOSS,
    META_OP_PAIRING,
    META_OP_SQUARES,
    META_OP_KINDS
};

/* The four planes of one tensor, (batch, shape) in the backend's layout. */
struct meta_planes {
    void *value, *bar, *dot, *bardot;
};

struct meta_op {
    enum meta_op_kind kind;
    const struct meta_layer *layer; /* the section that the operation comes from; of an epilogue,
                                       the one with the scales */
    int batch;     /* items of the inputs: images, and behind a pairing layer pairs */
    int out_batch; /* items of y: `batch`, except of a pairing */
    int inputs; /* shortcut: 2 (here, from); scale: 2 (factors, maps); route: 1 or more; else 1 */
    struct meta_shape *in; /* (inputs) */
    struct meta_shape out;

    /* epilogue, stem: META_NONE offsets and pool_size 0 where a part is absent */
    int normalise;
    int turns; /* so many channels side by side are normalised together: 4 with rotations=4, else 1
                */
    enum meta_activation activation; /* also of a shortcut */
    int pool_size, pool_stride, pool_padding;
    size_t biases, scales, weights, weight_count; /* offsets in a parameter vector */
    size_t mean, variance;                        /* offsets in the statistics block */

    /* epilogue, shortcut: where forward writes what goes into the activation, (out_batch, out) of
       one number an item; NULL: not wanted. squares: the same, of the operation that it reads. */
    double *argument;

    int ways;    /* pairing, squares and a loss of pairs: classes a query image is paired with; else
                    0 */
    int support; /* pairing: the first images of the batch */

    /* (inputs) bar and bardot are where the operation writes adjoints; NULL: an adjoint is not
       wanted. dot NULL: the tangent is zero. In an epilogue, a convolution or a connected layer bar
       may be value, and bardot may be dot. */
    struct meta_planes *x;
    struct meta_planes y;

    /* set by the program before a pass */
    const float *statistics; /* rolling statistics to use instead of the batch's, or NULL */
    int measures; /* epilogue, stem: forward is for the batch's statistics alone, and may leave y as
                     it was */
    unsigned loads;    /* changes whenever images are loaded: what a kernel has found out about the
                          images alone holds as long as this is the same; 0: not known */
    const float *mask; /* dropout: (batch, c, h, w) planar factors, or NULL for the identity */
    /* loss: (batch); squares, loss of pairs: (batch/ways) of the query images; pairing: (support)
     */
    const int *labels;
    const double *shares; /* loss: (batch) what an image's cross-entropy counts, on average 1; NULL:
                             1 */
    double loss; /* loss: the mean cross-entropy, squares: the mean squared error; written by
                    forward */

    const struct meta_kernel *kernel; /* what runs this operation; set before create */
    void *state;                      /* the kernel's */

    size_t scratch_bytes; /* what a pass needs besides, set by create; nothing in it outlives the
                             pass */
    void *scratch;        /* set before the first pass */
};

/* theta, v: parameter vectors (v the tangent); gradient, product: parameter vectors of which the op
   overwrites its own part. The forward tangent of an epilogue or a stem writes y.value, too, once
   more: between passes others may have used its memory. */
struct meta_kernel {
    int (*create)(struct meta_op *, int tangents, struct meta_error *); /* may be NULL */
    void (*destroy)(struct meta_op *);                                  /* may be NULL */
    void (*forward)(struct meta_op *, const void *theta);
    void (*backward)(struct meta_op *, const void *theta, void *gradient);
    void (*forward_tangent)(struct meta_op *, const void *theta, const void *v);
    void (*backward_tangent)(struct meta_op *, const void *theta, const void *v, void *product);

    /* Of an epilogue or a stem: BN statistics of the last forward, mean and variance (N-1),
       (channels) each, host floats. */
    void (*batch_statistics)(const struct meta_op *, float *mean, float *variance);
    /* Of a loss: probabilities of the last forward, (batch, outputs) host floats, of pairs
       (batch/ways, ways); of squares, the scores, (batch). */
    void (*probabilities)(const struct meta_op *, float *out);
    /* Of an operation that was created: name of the implementation that a pass falls to if it is a
       library's reference loop, made to be right and not to be fast; else NULL. May be NULL. */
    const char *(*slow)(const struct meta_op *);
    /* Of a loss: what the last forward's softmax is of, the inputs over the temperature, (batch,
       outputs); of squares, the logarithms of the scores, (batch). */
    void (*logits)(const struct meta_op *, double *out);
};

struct meta_backend {
    const char *name;
    size_t element; /* bytes of one number */
    /* Once a process, before anything else; may be called again. */
    int (*open)(struct meta_error *);
    /* Name of the instruction set in use; may be NULL: it has no choice. */
    const char *(*instructions)(void);
    void *(*allocate)(size_t bytes); /* aligned, zeroed; NULL when there is none */
    void (*release)(void *);

    /* vectors of n numbers */
    void (*set)(void *y, size_t n, double value);
    void (*copy)(void *y, const void *x, size_t n);
    void (*axpy)(void *y, size_t n, double a, const void *x); /* y += a x */
    void (*scale)(void *y, size_t n, double a);
    void (*multiply)(void *y, size_t n, const void *x); /* y *= x, number by number */
    double (*dot)(const void *x, const void *y, size_t n);
    /* y[i] = x[place[i]], and y[place[i]] += x[i], for i < n, in that order */
    void (*gather)(void *y, const void *x, const uint32_t *place, size_t n);
    void (*scatter)(void *y, const void *x, const uint32_t *place, size_t n);
    void (*upload)(void *y, const float *x, size_t n);
    void (*download)(float *y, const void *x, size_t n);
    void (*upload_double)(void *y, const double *x, size_t n);
    void (*download_double)(double *y, const void *x, size_t n);

    /* Whether a convolution of the images, followed by nothing but this pool, is to be one
       META_OP_STEM; may be NULL: never */
    int (*stem)(const struct meta_layer *convolutional, const struct meta_layer *pool);
    /* numbers that one image of a tensor takes in this layout, padding included */
    size_t (*image)(struct meta_shape);
    /* images: (batch, c, h, w) planar host floats to a tensor, and a tensor back */
    void (*tensor_in)(void *tensor, const float *planar, int batch, struct meta_shape);
    void (*tensor_out)(float *planar, const void *tensor, int batch, struct meta_shape);

    /* optimisers, Darknet's update rules on one vector; see optimiser.h. p -= rate*direction is
       done here */
    void (*adam)(void *p, const void *gradient, void *m, void *v, size_t n, double rate, double b1,
                 double b2, double eps, double decay, long t);
    void (*momentum)(void *p, const void *gradient, void *velocity, size_t n, double rate,
                     double momentum, double decay);

    /* The kernel that is to run this operation, whose members but `kernel` and `state` are set. */
    const struct meta_kernel *(*kernel)(const struct meta_op *);
    /* -1 with a message when a kernel has failed on this thread since it was last asked, such as
       for want of memory; what the kernel wrote is then not to be used. NULL: kernels can't fail.
     */
    int (*failed)(struct meta_error *);
};

#endif
