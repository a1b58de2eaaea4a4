/* The inner loop, or the class means of a network that pairs, on augmented copies of a task's
   images: it learns from all copies of the support images at once, and its answer to a query image
   is the mean of the probabilities of its copies. */
#ifndef META_EVALUATION_COPIES_H
#define META_EVALUATION_COPIES_H

#include "method.h"

/* The copies of one thread's tasks. */
struct meta_copies;
/* `count` copies of each image, more than 1. The worker is made for count times the support images
   and once the query images. The caller frees, also after a failure. */
int meta_copies_create(struct meta_copies **, const struct meta_method_context *, int count,
                       struct meta_worker *, struct meta_error *);
void meta_copies_free(struct meta_copies *);
/* As the `run` of a method. Copies 0 to meta_turns() - 1 are an image's symmetries
   (images/turns.h); those beyond are drawn by [net]'s augmentation from the seed, the task, the
   copy and the image's place. A copy of all query images passes as one batch, as many as without
   copies, so that their statistics, where they are the batch's, are of that copy. */
void meta_copies_run(struct meta_copies *, const struct meta_method_task *, int steps,
                     double *before, double *after, struct meta_run *);

#endif
