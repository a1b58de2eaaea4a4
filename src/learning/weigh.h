/* [meta_loss]: what a task's query loss counts in the meta-gradient. */
#ifndef META_WEIGH_H
#define META_WEIGH_H

#include "config/model.h"
#include "inner_loop.h"

/* The weight dDA/dL of a task of query loss `loss` in the iteration (Eq. 3); *meta_loss becomes DA(L). Without [meta_loss], 1 and
   the loss itself. */
double meta_weigh(const struct meta_model *, double loss, uint64_t iteration, double *meta_loss);
/* A worker's weigher that asks meta_weigh; the weighing must outlive it. */
struct meta_weighing { const struct meta_model *model; uint64_t iteration; };
struct meta_weigher meta_weigher_of(const struct meta_weighing *);
/* Whether tasks have another weight than 1 in the iteration. */
int meta_weighs(const struct meta_model *, uint64_t iteration);

#endif
