/* What an inner step moves and how far: phi_(s+1) = phi_s - R_s g_s, where R_s is a diagonal matrix
   with a rate for each parameter, 0 for one that does not move. The sweep back needs its product
   with a vector: v_s = v_(s+1) - H_s R_s v_(s+1). Rates that are learned have the derivative
   d L/d R_s = -g_s * v_(s+1), number by number. */
#ifndef META_INNER_RATES_H
#define META_INNER_RATES_H

#include "engine/backend.h"

/* What rates there are. */
struct meta_rates_how {
    int kind;  /* enum meta_rates_kind */
    int steps; /* META_RATES_LAYER: the steps that have rates of their own; a later step has those
                  of the last */
    int head;  /* 1: the last layer with parameters moves alone */
};
struct meta_rates_how meta_rates_how_of(const struct meta_inner_settings *);
const char *meta_rates_name(int kind); /* "fixed", "layer", "parameter" */
/* What steps are taken at, in words: "0.1", or "learned rates". */
enum { META_RATES_WORDS = 32 };
const char *meta_rates_words(char text[META_RATES_WORDS], int kind, double gamma);

/* The parameters of one layer that moves. */
struct meta_rates_layer {
    int layer; /* index in the network */
    size_t offset, count;
};

struct meta_rates {
    struct meta_rates_how how;
    const struct meta_network *holds; /* has arrays of plugins that inner steps leave as they are;
                                         NULL: there are none */
    double gamma;                     /* META_RATES_FIXED: the rate of each parameter that moves */
    size_t first, count; /* those that move: one stretch, up to the end of the parameter block */
    int layers;
    struct meta_rates_layer *layer; /* (layers) of those that move; unless the kind is fixed */
    double *by_layer;               /* META_RATES_LAYER: (steps, layers) */
    void *by_parameter;             /* META_RATES_PARAMETER: (count) a backend vector */
};

/* The last layer that has parameters: with `adapt=head` the one that moves. */
const struct meta_layer *meta_rates_head(const struct meta_network *);
/* Fixed rates, which own nothing. */
struct meta_rates meta_rates_fixed(const struct meta_network *, double gamma, int head);
/* Which parameters such rates are of, without the rates themselves: only `layer` is allocated,
   which the caller frees. */
int meta_rates_shape(struct meta_rates *, const struct meta_network *, struct meta_rates_how,
                     struct meta_error *);
/* The same with rates to be filled in, zeros. The caller clears, also after a failure. */
int meta_rates_create(struct meta_rates *, const struct meta_network *, struct meta_rates_how,
                      const struct meta_backend *, struct meta_error *);
void meta_rates_clear(struct meta_rates *, const struct meta_backend *);
/* How many numbers are learned: steps * layers, or one a parameter that moves; 0: fixed. */
size_t meta_rates_numbers(const struct meta_rates *);

/* Sets to 0 what a vector (parameters) has for arrays that inner steps leave as they are: of a
   step's gradient, so that they stay. Their rates count as 0. */
void meta_rates_hold(const struct meta_rates *, const struct meta_backend *, void *vector);
/* Whether R_s is gamma times the identity. */
int meta_rates_plain(const struct meta_rates *);
/* to -= R_s g; both (parameters). `scratch` (parameters) is needed by META_RATES_PARAMETER alone.
 */
void meta_rates_step(const struct meta_rates *, const struct meta_backend *, int s, void *to,
                     const void *g, void *scratch);
/* out = R_s v; both (parameters). */
void meta_rates_multiply(const struct meta_rates *, const struct meta_backend *, int s, void *out,
                         const void *v);
/* Adds d L/d R_s of a step to `sum`, which is (meta_rates_numbers) doubles with META_RATES_LAYER,
   else a backend vector. */
struct meta_rates_terms {
    const void *g; /* (count) the step's gradient, of the parameters that move */
    const void *v; /* (parameters) v_(s+1) */
    void *scratch; /* (parameters) */
};
void meta_rates_differentiate(const struct meta_rates *, const struct meta_backend *, int s,
                              struct meta_rates_terms, void *sum);

#endif
