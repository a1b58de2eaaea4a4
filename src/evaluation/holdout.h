/* A network of supervised training on images that it is not trained on: loss and accuracy, with BN's rolling statistics. */
#ifndef META_HOLDOUT_H
#define META_HOLDOUT_H

#include "stats/estimate.h"
#include "tasks/batch.h"
#include "base/pool.h"

struct meta_holdout;

/* outputs: (set->classes) which of the network's outputs each class is, -1: its images are left out; copied. Fails when no image is left. Model,
   backend, pool and data set must outlive it. Allocates all that running needs. The caller frees. */
int  meta_holdout_create(struct meta_holdout **, const struct meta_model *, const struct meta_backend *, struct meta_pool *,
                         const struct meta_dataset *, const int *outputs, struct meta_error *);
void meta_holdout_free(struct meta_holdout *);
int  meta_holdout_images(const struct meta_holdout *);

/* Every image once, without augmentation. phi: a backend vector; statistics: (network->statistics). The accuracy is the share of images, with its
   interval; loss, the mean cross-entropy. `progress` as in evaluate.h, told images. Does not depend on the number of threads. */
struct meta_holdout_result { struct meta_estimate accuracy; double loss; };
struct meta_holdout_result meta_holdout_run(struct meta_holdout *, const void *phi, const float *statistics,
                                            void (*progress)(void *context, int done), void *context);

#endif
