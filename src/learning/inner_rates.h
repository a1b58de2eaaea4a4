/* What an inner step moves and how far: phi_(s+1) = phi_s - R_s g_s, where R_s is a diagonal matrix
   with a rate for each parameter, 0 for one that does not move. The sweep back needs its product
   with a vector: v_s = v_(s+1) - H_s R_s v_(s+1). */
#ifndef META_INNER_RATES_H
#define META_INNER_RATES_H

#include "engine/backend.h"

struct meta_rates {
    double gamma;        /* the rate of each parameter that moves */
    size_t first, count; /* those that move: one stretch, up to the end of the parameter block */
};

/* The last layer that has parameters: with `adapt=head` the one that moves. */
const struct meta_layer *meta_rates_head(const struct meta_network *);
/* gamma for all parameters, or with `head` for those of the head alone. */
struct meta_rates meta_rates_fixed(const struct meta_network *, double gamma, int head);
/* Whether R is gamma times the identity. */
int meta_rates_plain(const struct meta_rates *);

/* to -= R g; both (parameters). */
void meta_rates_step(const struct meta_rates *, const struct meta_backend *, void *to,
                     const void *g);
/* out = R v; both (parameters). */
void meta_rates_multiply(const struct meta_rates *, const struct meta_backend *, void *out,
                         const void *v);

#endif
