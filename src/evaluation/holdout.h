/* A network of supervised training on images that it is not trained on: loss and accuracy, with
   BN's rolling statistics. */
#ifndef META_HOLDOUT_H
#define META_HOLDOUT_H

#include "parts.h"
#include "stats/clustered.h"

struct meta_holdout;

/* outputs: (dataset->classes) which of the network's outputs each class is; images of a class with
   -1 are left out. It is copied. Fails when no image is left. Allocates all that running needs. The
   caller frees. */
int meta_holdout_create(struct meta_holdout **, const struct meta_evaluation_parts *,
                        const int *outputs, struct meta_error *);
void meta_holdout_free(struct meta_holdout *);
int meta_holdout_images(const struct meta_holdout *); /* how many are left */

/* The share of images that are right, with its interval over groups, and the mean cross-entropy. */
struct meta_holdout_result {
    struct meta_interval accuracy;
    double loss;
};
/* Runs every image once, without augmentation. phi: a backend vector; statistics:
   (network->statistics). `progress` may be NULL; it is called one thread at a time with the number
   of images done. The result does not depend on the number of threads. */
struct meta_holdout_result meta_holdout_run(struct meta_holdout *, const void *phi,
                                            const float *statistics,
                                            void (*progress)(void *context, int done),
                                            void *context);
/* -1 with a message when the last run failed (meta_program_failed): its result is then none. */
int meta_holdout_status(const struct meta_holdout *, struct meta_error *);

#endif
