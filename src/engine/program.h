/* A network compiled for a backend and a batch: forward, gradient, exact Hessian-vector product.
   A program owns one workspace; one thread at a time uses it. Nothing in it allocates after
   creation. */
#ifndef META_PROGRAM_H
#define META_PROGRAM_H

#include "backend.h"
#include "network/network.h"

struct meta_program;

enum meta_statistics { META_STATISTICS_BATCH, META_STATISTICS_ROLLING };
/* The passes that a program can make, from least to most. */
enum meta_passes { META_FORWARD = 0, META_GRADIENT = 1, META_TANGENTS = 2 };

/* The batch of a program is `support` and, behind them, `query` images: of a network that pairs,
   those of a task; of any other, support is 0 and query the whole batch.

   Programs of one thread may share memory for what they hold only within a call, or from a forward
   to its gradient. `shared` is then the caller's, at least as large as the largest
   meta_program_shared_bytes of these programs, and outlives them; NULL: the program has memory of
   its own. With shared memory no other of these programs may run between a forward and its
   gradient, and after another's load or pass the images must be loaded again, also for a
   product. What a body (below) holds from one call to the next is gone then, too: after another's
   pass it needs a meta_program_forward before a meta_program_forward_again, a product or
   meta_program_body_gradient. */
struct meta_program_settings {
    int support, query;
    enum meta_passes passes;
    void *shared;
    int frozen; /* so many first layers have no gradient: theirs is not written */
    int body;   /* so many first layers are a body: meta_program_forward_again begins behind it, and
                   with META_TANGENTS gradients and products do so, too */
};
/* Lowers the network and creates the kernels of each operation. The caller frees. */
int meta_program_create(struct meta_program **, const struct meta_network *,
                        const struct meta_backend *, struct meta_program_settings,
                        struct meta_error *);
void meta_program_free(struct meta_program *);
/* The memory of the program's own, without the shared memory. */
size_t meta_program_bytes(const struct meta_program *);
/* A program with shared memory needs a workspace before its first pass, of at least
   meta_program_workspace_bytes; one may serve every program of the thread. */
size_t meta_program_workspace_bytes(const struct meta_program *);
void meta_program_use(struct meta_program *, void *workspace);
/* The shared memory that such a program needs; (size_t)-1 when there is no memory to find out. */
size_t meta_program_shared_bytes(const struct meta_network *, const struct meta_backend *,
                                 struct meta_program_settings);

/* The sweeps over a program's operations. */
enum meta_pass {
    META_PASS_FORWARD,
    META_PASS_BACKWARD,
    META_PASS_FORWARD_TANGENT,
    META_PASS_BACKWARD_TANGENT,
    META_PASS_COUNT
};
int meta_program_operations(const struct meta_program *);
/* Operation `index`, 0 to meta_program_operations() - 1, in the order of a forward. The program
   owns it; tensors that it names hold what the last pass left in them. */
const struct meta_op *meta_program_operation(const struct meta_program *, int index);
/* What operations are given for the caller's parameters and a gradient, in both of which a number
   that is tied (network/tie.h) stands once; theirs have it in all its places. */
const void *meta_program_theta(struct meta_program *, const void *parameters);
void *meta_program_untied(struct meta_program *, void *gradient);
/* Makes each later pass add the processor seconds that each operation takes to `seconds`, the
   caller's (operations, META_PASS_COUNT); NULL ends that. */
void meta_program_time(struct meta_program *, double *seconds);

/* The first layer, from 0, that the backend can leave only to a reference implementation of its
   library on this processor, far slower than the rest; -1 where there is none. *implementation: its
   name. */
int meta_program_slow_layer(const struct meta_program *, const char **implementation);

/* A pass can fail in the backend's library, mostly for want of memory. What it and later ones wrote
   is then not to be used, the loss is NaN, and this is -1 with a message, once and for all of the
   program; else 0. Whoever takes results of a program asks it before. */
int meta_program_failed(const struct meta_program *, struct meta_error *);

/* Copies in images (batch, c, h, w), planar in [0,1], and labels (batch), 0..outputs-1. */
void meta_program_load(struct meta_program *, const float *images, const int *labels);
/* What each image counts in the mean cross-entropy from now on: shares (batch), on average 1, stay
   the caller's; NULL: all the same. A network that pairs has no shares. */
void meta_program_shares(struct meta_program *, const double *shares);
/* Runs the operations as far as that layer, which normalises, by the batch's own statistics: mean,
   variance (filters). */
void meta_program_normalised(struct meta_program *, const void *parameters,
                             const struct meta_layer *, float *mean, float *variance);
/* Copies in images first..first+count-1 of the batch and their labels. */
void meta_program_load_some(struct meta_program *, int first, int count, const float *images,
                            const int *labels);

/* What the dropout layers draw from: the same key gives the same mask. train=0: dropout is the
   identity. */
struct meta_dropout_key {
    uint64_t seed, iteration;
    uint32_t task, item;
    int train;
};
void meta_program_dropout(struct meta_program *, struct meta_dropout_key);

/* parameters: a backend vector (network->parameters). statistics: host floats
   (network->statistics), read with META_STATISTICS_ROLLING only and may be NULL else. Returns the
   mean cross-entropy over the batch (with a pairing layer, the query images), or with [cost] the
   mean squared error over the pairs. */
double meta_program_forward(struct meta_program *, const void *parameters, enum meta_statistics,
                            const float *statistics);

/* The layers behind the body once more, by batch statistics: with images and parameters of the body
   as in the forward before, this is a forward. Without META_TANGENTS the body must be frozen. */
double meta_program_forward_again(struct meta_program *, const void *parameters);

/* Of the last [connected], which must be what a [softmax] reads: after a forward the sums over the
   images of chosen[image][output] times its input, (outputs, inputs), go to the place of its
   weights in `sums`, a parameter vector that has nothing else of use. chosen (batch, outputs).
   Takes the place of a gradient: the next needs a forward. */
void meta_program_head_sums(struct meta_program *, const void *parameters, const float *chosen,
                            void *sums);
/* After a forward: the gradient of the sum over images and outputs of chosen[image][output] times
   the product of that row of `rows`, at the weights' place of a parameter vector, and the input. It
   is by the parameters of the layers before; what `gradient` has for later ones is of no use. */
void meta_program_head_pull(struct meta_program *, const void *parameters, const void *rows,
                            const float *chosen, void *gradient);

/* After a forward: the probabilities (batch, outputs), for a network that pairs (query, ways); with
   [cost] they are the scores, each query image's divided by their sum. */
void meta_program_probabilities(const struct meta_program *, float *probabilities);
/* After a forward: the log-odds (log_odds.h) of the same probabilities, from the logits in double:
   they rank images where probabilities round to 1. With [cost] they are from what the network's
   last logistic function is of. */
void meta_program_log_odds(const struct meta_program *, double *log_odds);
/* After a forward: the batch's BN means and variances (divisor N-1), in the order of the statistics
   block. */
void meta_program_batch_statistics(const struct meta_program *, float *statistics);

/* After a forward: the input of [softmax], (batch, its inputs) planar. */
void meta_program_features(const struct meta_program *, float *features);

/* gradient (parameters) = d loss/d parameters at the last forward, which used batch statistics.
   Without META_TANGENTS it may be taken once a forward. */
void meta_program_gradient(struct meta_program *, const void *parameters, void *gradient);

/* product (parameters) = (d2 loss/d parameters2) v at the last forward and gradient; needs
   META_TANGENTS. Pearlmutter's R-operator: forward-mode over the reverse pass, layer by layer. */
void meta_program_hessian_product(struct meta_program *, const void *parameters, const void *v,
                                  void *product);

/* With `body`, a product reads and writes the parameters behind it alone. What it would have for
   the body's own goes through the derivative by the body's output: the program adds those up, and
   this takes their sum through the body once. gradient, at the body's parameters, becomes what
   the products since the last such call have for them together. Images and parameters of the body
   must have been the same in all of them. Once after a meta_program_forward, behind which no other
   program of a shared memory has run. */
void meta_program_body_gradient(struct meta_program *, const void *parameters, void *gradient);

#endif
