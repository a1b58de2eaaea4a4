/* One task: adapt a clone of the meta-parameters to its support set (Eq. 2), and differentiate its query loss
   through that adaptation. A worker owns everything a task needs; one thread at a time uses it. */
#ifndef META_INNER_LOOP_H
#define META_INNER_LOOP_H

#include "engine/program.h"

struct meta_worker;

/* (n, c, h, w) planar floats in [0,1] and labels 0..ways-1; n = ways*shots for support, ways*queries for query */
struct meta_task {
    const float *support; const int *support_labels;
    const float *query;   const int *query_labels;
    uint64_t seed, iteration; uint32_t task;      /* keys dropout */
};

/* What normalises the images that are scored: their own batch, MAML's way; the support set under the same parameters; or rolling
   statistics. The last two answer an image the same whatever others it comes with. */
enum meta_bn { META_BN_BATCH, META_BN_SUPPORT, META_BN_RUNNING };
const char *meta_bn_name(enum meta_bn);                                    /* "batch", "support", "running" */
int meta_bn_find(enum meta_bn *, const char *name, struct meta_error *);

/* How a worker is to learn. */
struct meta_inner {
    int support, query;          /* images; query may be 0 where nothing is scored */
    int steps;                   /* the largest number of steps it will be asked for */
    double learning_rate;        /* gamma */
    int order;                   /* 1 or 2; 0: adapts and scores only, no meta-gradient */
    int keep;                    /* order 2: the inner steps whose activations stay in memory for the way back, the rest is
                                    computed again (same result, less memory); 0 or more than steps: all */
    uint64_t second_order_start; /* order 2: a task of an earlier iteration gets the gradient of order 1 */
    enum meta_bn bn;             /* of meta_worker_adapt's scores */
    const float *running;        /* META_BN_RUNNING: (network->statistics), the caller's */
};

/* As a .cfg says it. */
struct meta_inner meta_inner_of(const struct meta_inner_settings *, int support, int query);

/* Called between the query pass and the backward sweep: w(L) and DA(L) of the task's query loss. */
struct meta_weigher { double (*weight)(void *context, double loss, double *meta_loss); void *context; };

struct meta_task_result {
    double query_loss, meta_loss, weight;
    double accuracy;             /* of the query set, after adaptation, 0..1 */
    double *support_loss;        /* (steps): before each step; the caller's, may be NULL */
    float *query_probabilities;  /* (query, outputs) after adaptation; the caller's, may be NULL */
    float *statistics;           /* (network->statistics): batch statistics of phi itself, on the support set (query set
                                    when steps=0); the caller's, may be NULL */
};

/* A network that pairs sees a task's support and query images in one pass and takes no steps: steps must be 0, order not 2, and bn not
   META_BN_SUPPORT. */
int  meta_worker_create(struct meta_worker **, const struct meta_network *, const struct meta_backend *,
                        struct meta_inner, struct meta_error *);
void meta_worker_free(struct meta_worker *);
size_t meta_worker_bytes(const struct meta_worker *);

/* gradient (parameters; a backend vector) = weight * d query_loss / d phi through `steps` inner steps (design: v_0). */
void meta_worker_gradient(struct meta_worker *, const void *phi, const struct meta_task *, int steps,
                          const struct meta_weigher *, void *gradient, struct meta_task_result *);

/* Eq. 2 alone: phi_S, the worker's own until its next call (phi itself when steps=0). Fills support_loss and statistics. */
const void *meta_worker_learn(struct meta_worker *, const void *phi, const struct meta_task *, int steps, struct meta_task_result *);
/* The support set under these parameters, without dropout: its loss, and its batch statistics (network->statistics; may be NULL). With
   steps=0 the worker must have been made with META_BN_SUPPORT. */
double meta_worker_support(struct meta_worker *, const void *parameters, const struct meta_task *, float *statistics);

/* Adapts on the support set and scores the query set; probabilities before (phi as it is) and after, (query, outputs);
   either may be NULL. The steps see batch statistics, the scores those of inner.bn. Dropout acts in the steps, not on the query set. */
void meta_worker_adapt(struct meta_worker *, const void *phi, const struct meta_task *, int steps,
                       float *before, float *after, struct meta_task_result *);

#endif
