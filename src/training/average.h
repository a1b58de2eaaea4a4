/* The average of a training's weights, [net] average=a: after n iterations the mean of the weights
   that each of them left, in which those of iteration i weigh a^(n-i).

   It is kept as what Adam calls corrected: the average moves by the share (1-a)/(1-a^n) towards the
   weights, so that it begins with those of the first iteration and nothing of the initial ones is
   left in it. Learned inner rates are averaged alike, and rolling statistics, each after its own
   correction (network/rolling.h). */
#ifndef META_AVERAGE_H
#define META_AVERAGE_H

#include "engine/backend.h"

struct meta_average;

/* rates: how many are learned, or 0. The network and the backend must outlive it. The caller
   frees. */
int meta_average_create(struct meta_average **, const struct meta_network *,
                        const struct meta_backend *, double a, size_t rates, struct meta_error *);
void meta_average_free(struct meta_average *);

/* What an iteration has left. */
struct meta_left {
    const void *phi;      /* (parameters) backend vector */
    const float *rolling; /* (statistics) */
    uint32_t batches;     /* that have moved the statistics */
    const float *rates;   /* (rates); NULL: 0 are learned */
};
/* Allocates nothing. */
void meta_average_add(struct meta_average *, const struct meta_left *);
/* parameters (network->parameters), statistics (network->statistics), which are corrected: they are
   used as they are; rates (rates) or NULL. All are 0 before the first iteration. */
void meta_average_download(const struct meta_average *, float *parameters, float *statistics,
                           float *rates);
uint64_t meta_average_count(const struct meta_average *); /* iterations that were added */

/* All of it, bit for bit, for a checkpoint: a multiple of 16 bytes. */
size_t meta_average_bytes(const struct meta_average *);
void meta_average_save(const struct meta_average *, void *out);
void meta_average_load(struct meta_average *, const void *in);

#endif
