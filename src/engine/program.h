/* A network compiled for a backend and a batch: forward, gradient, exact Hessian-vector product.
   A program owns one workspace; one thread at a time uses it. Nothing in it allocates after creation. */
#ifndef META_PROGRAM_H
#define META_PROGRAM_H

#include "backend.h"
#include "network/network.h"

struct meta_program;

enum meta_statistics { META_STATISTICS_BATCH, META_STATISTICS_ROLLING };
enum meta_passes { META_FORWARD = 0, META_GRADIENT = 1, META_TANGENTS = 2 };   /* what the program can do, least to most */

/* Programs of one thread may share memory for what they hold only within a call, or from a forward to its gradient: `shared` is at
   least the largest of their meta_program_shared_bytes, the caller's, and outlives them; NULL: the program has its own. With it, no
   other program of that memory may run between a forward and its gradient; and after another's load or pass, the images must be
   loaded again, also for a product. */
int  meta_program_create(struct meta_program **, const struct meta_network *, const struct meta_backend *,
                         int batch, enum meta_passes, void *shared, struct meta_error *);
/* Of a network that pairs: for tasks of `support` and, behind them, `query` images. */
int  meta_program_create_pairs(struct meta_program **, const struct meta_network *, const struct meta_backend *,
                               int support, int query, enum meta_passes, void *shared, struct meta_error *);
void meta_program_free(struct meta_program *);
size_t meta_program_bytes(const struct meta_program *);      /* without the shared ones */
/* With `shared`, also before the first pass: where operations work, meta_program_workspace_bytes or more; it may serve every program of
   the thread. */
size_t meta_program_workspace_bytes(const struct meta_program *);
void   meta_program_use(struct meta_program *, void *workspace);
/* support: 0 but for a network that pairs. (size_t)-1 without memory. */
size_t meta_program_shared_bytes(const struct meta_network *, const struct meta_backend *, int support, int query, enum meta_passes);

/* The sweeps over a program's operations. */
enum meta_pass { META_PASS_FORWARD, META_PASS_BACKWARD, META_PASS_FORWARD_TANGENT, META_PASS_BACKWARD_TANGENT, META_PASS_COUNT };
int meta_program_operations(const struct meta_program *);
/* From now on each pass adds the seconds of processor time that each operation took to the caller's array, (operations,
   META_PASS_COUNT); NULL: no more. */
void meta_program_time(struct meta_program *, double *seconds);

/* images: (batch, c, h, w) planar in [0,1]; labels: (batch), 0..outputs-1. Copied in. */
void meta_program_load(struct meta_program *, const float *images, const int *labels);
/* The same of `count` of them, the first being number `first` of the batch. */
void meta_program_load_some(struct meta_program *, int first, int count, const float *images, const int *labels);

/* Which numbers the dropout layers draw; the same key gives the same mask. train=0: dropout is the identity. */
struct meta_dropout_key { uint64_t seed, iteration; uint32_t task, item; int train; };
void meta_program_dropout(struct meta_program *, struct meta_dropout_key);

/* parameters: a backend vector (network->parameters). statistics: host floats (network->statistics), read
   with META_STATISTICS_ROLLING only, else may be NULL. Returns the mean cross-entropy over the batch; of a network that pairs, the
   mean squared error over the pairs. */
double meta_program_forward(struct meta_program *, const void *parameters, enum meta_statistics, const float *statistics);

/* After a forward: probabilities (batch, outputs); of a network that pairs, (query, ways) scores, those of a query image divided by
   their sum, since it is their order that chooses a class; and the batch's BN mean and variance (divisor N-1) in the
   order of the statistics block. */
void meta_program_probabilities(const struct meta_program *, float *probabilities);
void meta_program_batch_statistics(const struct meta_program *, float *statistics);

/* After a forward: what [softmax] read, (batch, its inputs) planar. */
void meta_program_features(const struct meta_program *, float *features);

/* gradient (parameters) = d loss/d parameters at the last forward (batch statistics). Once a forward, but with META_TANGENTS. */
void meta_program_gradient(struct meta_program *, const void *parameters, void *gradient);

/* product (parameters) = (d2 loss/d parameters2) v at the last forward and gradient; needs META_TANGENTS.
   Pearlmutter's R-operator: forward-mode over the reverse pass, layer by layer. */
void meta_program_hessian_product(struct meta_program *, const void *parameters, const void *v, void *product);

#endif
