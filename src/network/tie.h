/* The parameters of a network with rotations=4 as those of an ordinary network: what is learned
   once stands there four times. */
#ifndef META_TIE_H
#define META_TIE_H

#include "filled.h"

struct meta_tie {
    struct meta_network *full; /* the same layers, without rotations */
    size_t parameters;         /* the tied ones */
    uint32_t *source;          /* (full->parameters) where each has its value among them */
};

/* *tie is NULL for a network that ties nothing. The caller frees. */
int meta_tie_create(struct meta_tie **tie, const struct meta_network *, struct meta_error *);
void meta_tie_free(struct meta_tie *);

/* full (tie->full->parameters) = tied (network->parameters), and back. The way back fails where
   numbers that are tied differ, and names the first layer that has such. */
void meta_tie_spread(const struct meta_tie *, const float *tied, float *full);
int meta_tie_gather(const struct meta_tie *, const float *full, float *tied, struct meta_error *);

/* Makes a copy without rotations, which gives the same outputs. Its statistics stay as they are.
   The caller clears. */
int meta_tie_undo(struct meta_filled *, const struct meta_filled *from, struct meta_error *);

#endif
