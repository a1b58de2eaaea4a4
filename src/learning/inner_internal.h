/* The members of a worker, for the files of this folder. */
#ifndef META_INNER_INTERNAL_H
#define META_INNER_INTERNAL_H

#include "inner_loop.h"
#include "inner_rates.h"

struct meta_worker {
    const struct meta_network *network;
    const struct meta_backend *backend;
    struct meta_inner inner;
    struct meta_network *images;   /* of a network that pairs, with META_BN_SUPPORT: the layers
                                      before, which see the support images alone; else NULL */
    int *zeros;                    /* (support) labels that nobody reads, with `images` */
    struct meta_program **support; /* (keep) step s is computed by support[s % keep] */
    int keep;
    int frozen; /* meta_inner_frozen */
    int common; /* meta_inner_common: a step after the first does without a forward of these, and
                   with order 2 one backward serves all products */
    int passed; /* whether the support program holds a forward of these for this task */
    struct meta_program *query;
    void *shared; /* memory that the programs use in turn */
    void *workspace;
    size_t shared_bytes, workspace_bytes, vector_bytes;
    void **phi; /* (clones) phi[s] is phi_(s+1) where meta_inner_keeps; else one clone that is
                   stepped in place. phi_0 is the caller's */
    int clones;
    void *gradient;    /* of the support loss; in the backward sweep, the product H v */
    float *statistics; /* of the support set, with META_BN_SUPPORT */
    double *scores;    /* (query, outputs) where the caller doesn't ask for them */
    struct meta_rates fixed;
    const struct meta_rates *rates;
    struct meta_rule *rule; /* NULL: the steps are plain */
    void *query_gradient; /* (parameters) multi_step: after an earlier step than the last; else NULL
                           */
    void *sum;            /* where a Reptile's steps are added; NULL: nowhere */
    void *moved; /* (parameters) R_s v_(s+1), where that is not gamma v_(s+1); and scratch */
    /* Learned rates: (step_gradients) each step's, (rates->count); none where no derivative by
       rates is asked for. */
    void **step_gradient;
    int step_gradients;
    /* imprint: phi_0 as the steps see it; rows of the last layer on the way back, (parameters)
       each; and (support, outputs) 1 at each image's label */
    void *start, *rows;
    float *chosen;
    double *derivative; /* META_RATES_LAYER: (steps, layers) by the rates */
};

/* The layers below the one that the steps move alone, which have no part in a step's gradient; 0:
   the gradient is that of all layers, as where the steps move all or an imprinted head. */
int meta_inner_frozen(const struct meta_network *, const struct meta_inner *);
/* The first layers that the steps have in common, whose outputs are the same in each: those of
   meta_inner_frozen, but for a dropout right before the head; 0 where an earlier layer draws
   dropout. */
int meta_inner_common(const struct meta_network *, const struct meta_inner *);

/* Whether every phi_s is kept for the way back; otherwise one clone is stepped in place. */
static inline int meta_inner_keeps(const struct meta_inner *inner)
{
    return inner->order == 2 || (inner->order && (inner->multi_step || inner->rule.functions));
}

/* The number of support images in the pass of the query images: a network that pairs sees both at
   once. */
static inline int meta_worker_front(const struct meta_worker *w)
{
    return w->network->ways ? w->inner.support : 0;
}

#endif
