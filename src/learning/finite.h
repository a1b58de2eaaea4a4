/* Whether what an update has left is made of numbers. */
#ifndef META_FINITE_H
#define META_FINITE_H

#include "config/model.h"
#include "learned_rates.h"
#include "optimiser.h"

struct meta_finite {
    const struct meta_model *model;
    const struct meta_backend *backend;
    const struct meta_optimiser *optimiser;
    const void *phi;                        /* (parameters) backend vector */
    const float *rolling;                   /* (statistics) */
    const struct meta_learned_rates *rates; /* NULL: fixed */
};
/* Fails when a parameter, a moment of the optimiser or a rolling statistic is not finite. The
   message names the first layer that has one, by its line in the .cfg, and the cause that can be
   seen. A sweep over each: no time beside that of a gradient. */
int meta_finite_check(const struct meta_finite *, struct meta_error *);

#endif
