/* [meta_loss]: how much a task counts in the meta-gradient. */
#ifndef META_WEIGH_H
#define META_WEIGH_H

#include "config/model.h"
#include "inner_loop.h"

/* Returns the weight dDA/dL of a task of query loss L = `loss` in the iteration (Eq. 3). DA(L) goes
   to *meta_loss. Without [meta_loss] these are 1 and the loss itself. */
double meta_weigh(const struct meta_model *, double loss, uint64_t iteration, double *meta_loss);
/* A weigher for workers that asks meta_weigh; the struct meta_weighing must outlive it. */
struct meta_weighing {
    const struct meta_model *model;
    uint64_t iteration;
};
struct meta_weigher meta_weigher_of(const struct meta_weighing *);
/* Whether [meta_loss] has the weights of an iteration's tasks divided by their mean. */
int meta_weigh_normalises(const struct meta_model *);
/* weight (tasks) divided by their mean, to shares (tasks): on average 1, and exactly 1 where
   all are equal. Where all are 0, so is each share: no task counts. Returns -1 when the mean of
   others is not above 0 or not finite. */
int meta_weigh_shares(const double *weight, int tasks, double *shares);
/* Whether tasks have weights other than 1 in the iteration. */
int meta_weighs(const struct meta_model *, uint64_t iteration);

#endif
