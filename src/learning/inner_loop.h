/* One task: adapt a clone of the meta-parameters to its support set (Eq. 2), and differentiate its
   query loss through that adaptation. A worker owns everything a task needs; one thread at a time
   uses it. */
#ifndef META_INNER_LOOP_H
#define META_INNER_LOOP_H

#include "engine/program.h"
#include "inner_rates.h"
#include "inner_rule.h"

struct meta_worker;

/* (n, c, h, w) planar floats in [0,1] and labels 0..ways-1; n = ways*shots for support,
   ways*queries for query */
struct meta_task {
    const float *support;
    const int *support_labels;
    const float *query;
    const int *query_labels;
    uint64_t seed, iteration;
    uint32_t task;                /* the keys of dropout */
    const double *support_shares; /* (n) what an image counts in the support loss, on average 1;
                                     NULL: 1 each */
};

/* What normalises the images that are scored: their own batch, as in MAML; the support set under
   the same parameters; or rolling statistics. With the last two the answer for an image does not
   depend on the others that come with it. */
enum meta_bn { META_BN_BATCH, META_BN_SUPPORT, META_BN_RUNNING };
#define META_BN_KINDS (META_BN_RUNNING + 1)
const char *meta_bn_name(enum meta_bn); /* "batch", "support", "running" */
int meta_bn_find(enum meta_bn *, const char *name, struct meta_error *);

/* How a worker learns. */
struct meta_inner {
    int support, query;             /* images; query may be 0 where nothing is scored */
    int steps;                      /* the most that a call will ask for */
    double learning_rate;           /* gamma */
    const struct meta_rates *rates; /* learned: in place of learning_rate and head; the caller's,
                                       and may change between calls; NULL: fixed */
    struct meta_rule_how rule;      /* a plugin's, in place of plain steps; goes with fixed rates */
    int head; /* 1: the steps move the last layer with parameters alone (ANIL); the meta-gradient is
                 that of all parameters all the same */
    int imprint; /* 1: the steps start from a last layer made of the support set (imprint.h), and
                    the meta-gradient is through that, too; that layer must be a [connected] without
                    activation, normalisation or rotations right before the [softmax] */
    int order;   /* 1 or 2; 0: adapts and scores only, no meta-gradient */
    int keep;    /* order 2: how many inner steps keep their activations in memory
                    for the backward sweep; those of the others are computed again
                    (same result, less memory); 0 or more than steps: all. No
                    effect without meta_inner_keeps_steps */
    uint64_t multi_step; /* the query loss that is differentiated is a mean over those after each
                            step, with weights that meta_inner_share gives; 0: the last step's */
    int reptile; /* 1: with order 1: the gradient is the sum of the steps', (phi - phi_S) / gamma,
                    times the weight; the query set is scored alone */
    uint64_t second_order_start; /* order 2: earlier iterations have the gradient of order 1 */
    enum meta_bn bn;             /* of meta_worker_adapt's scores */
    const float *running;        /* (network->statistics) for META_BN_RUNNING; the caller's */
};

/* The settings of [inner_loop]. */
struct meta_inner meta_inner_of(const struct meta_inner_settings *, int support, int query);

/* Whether the steps of an exact meta-gradient keep their activations one by one, as many as `keep`
   says: those of a head that moves alone have one pass of the layers below it in common, unless
   these draw dropout elsewhere than right before the head. */
int meta_inner_keeps_steps(const struct meta_network *, const struct meta_inner *);

/* What the query loss after `step` of `steps` counts in an iteration, 1 to steps: 1 for the last
   and 0 for the others, but 1/steps each in the first of multi_step iterations (counted from 1),
   from where the others fall linearly to 0 and the last takes what they lose. */
double meta_inner_share(const struct meta_inner *, uint64_t iteration, int steps, int step);

/* Called when the query losses are known: returns the weight w(L) of the task's query
   loss L, and sets *meta_loss to DA(L). */
struct meta_weigher {
    double (*weight)(void *context, double loss, double *meta_loss);
    void *context;
};

/* The pointers are the caller's to set before a call; what may be NULL is then not wanted. */
struct meta_task_result {
    double query_loss; /* after the last step */
    double loss;       /* what is weighed: query_loss, or with multi_step the mean over the steps */
    double meta_loss, weight;
    double accuracy; /* of the query set, after adaptation, 0..1 */
    void *gradient;  /* (parameters) backend vector; meta_worker_gradient needs it, others leave it
                        alone */
    void *rates;     /* (meta_rates_numbers) backend vector: the derivative by learned rates, in
                        meta_worker_gradient; NULL: not wanted */
    double *support_loss;  /* (steps) before each step, or NULL */
    double *query_scores;  /* (query, outputs) log-odds after adaptation, NaN where a parameter is
                              not finite then; or NULL */
    double *scores_before; /* (query, outputs) log-odds before adaptation, of meta_worker_adapt
                              alone; or NULL */
    float *statistics; /* (network->statistics) batch statistics of phi itself, on the support set
                          (query set when steps=0); or NULL */
};

/* A network that pairs sees the support and query images of a task in one pass and takes no steps:
   its `steps` must be 0 and `order` 0 or 1. With META_BN_SUPPORT the layers before its pairing one
   normalise both kinds of images by the support images' own statistics, as what meta_adapt makes of
   it does; no later layer may normalise. Images that are normalised together must be more than one
   where the network normalises a map of one pixel. The caller frees. */
int meta_worker_create(struct meta_worker **, const struct meta_network *,
                       const struct meta_backend *, struct meta_inner, struct meta_error *);
void meta_worker_free(struct meta_worker *);
size_t meta_worker_bytes(const struct meta_worker *);
/* meta_program_failed of the worker's programs: asked before the results of a call below are
   used. */
int meta_worker_failed(const struct meta_worker *, struct meta_error *);
/* meta_program_slow_layer of the worker's programs. */
int meta_worker_slow_layer(const struct meta_worker *, const char **implementation);

/* result->gradient = weight * d query_loss / d phi through `steps` inner steps (v_0 of the backward
   sweep), result->rates the same by learned rates; with order 1 both take each step's gradient for
   a constant. Without a weigher the weight is 1. */
void meta_worker_gradient(struct meta_worker *, const void *phi, const struct meta_task *,
                          int steps, const struct meta_weigher *, struct meta_task_result *result);

/* Eq. 2 alone: returns phi_S, which is the worker's own and stands until its next call (phi itself
   when steps=0). Fills support_loss and statistics. */
const void *meta_worker_learn(struct meta_worker *, const void *phi, const struct meta_task *,
                              int steps, struct meta_task_result *);
/* Passes the support set under these parameters, without dropout: returns its loss, and writes its
   batch statistics (network->statistics; may be NULL). With steps=0 the worker must have been made
   with META_BN_SUPPORT. */
double meta_worker_support(struct meta_worker *, const void *parameters, const struct meta_task *,
                           float *statistics);

/* Adapts on the support set and scores the query set, before (phi as it is) and after. The steps
   see batch statistics, the scores those of inner.bn. Dropout acts in the steps, not on the query
   set. */
void meta_worker_adapt(struct meta_worker *, const void *phi, const struct meta_task *, int steps,
                       struct meta_task_result *);
/* Scores the query images under these parameters, which may be what meta_worker_learn returned:
   log_odds (query, outputs), NaN where a parameter is not finite. The support images are for
   inner.bn alone. */
void meta_worker_score(struct meta_worker *, const void *parameters, const struct meta_task *,
                       double *log_odds);

#endif
