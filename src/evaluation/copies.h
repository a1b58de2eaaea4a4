/* The inner loop, or the class means of a network that pairs, on augmented copies of a task's
   images: it learns from all copies of the support images at once, and its answer to a query image
   is the mean of the probabilities of its copies. */
#ifndef META_EVALUATION_COPIES_H
#define META_EVALUATION_COPIES_H

#include "method.h"

/* The row of a method's flags; `place` is that of the number of copies in its settings. */
#define META_COPIES_FLAG(place)                                                                    \
    {                                                                                              \
        "-augment", "N",                                                                           \
            "maml, prototype, finetune: learns from N copies of each support image (finetune: a "  \
            "flip or quarter turn an epoch) and averages N of each query image: flips and "        \
            "quarter turns first (1)",                                                             \
            place, 0, 1, 64                                                                        \
    }

/* Writes a copy of an image of the task, at its `place` there, support images first: one of its
   symmetries (images/turns.h), or beyond these what [net]'s augmentation draws from the seed, the
   task, the copy and the place. */
void meta_copy_image(const struct meta_method_context *, const struct meta_method_task *, int copy,
                     int place, float *out);
/* scores (the task's query images, ways) = the log-odds of the mean probabilities of all copies:
   (count, query images, ways) log-odds. one (count, ways) is scratch. */
void meta_copies_mean(const struct meta_episode_settings *, const double *all, int count,
                      double *one, double *scores);
/* The mean loss of such scores. */
double meta_copies_loss(const struct meta_method_task *, const double *scores);

/* The copies of one thread's tasks. */
struct meta_copies;
/* `count` copies of each image, more than 1. The worker is made for count times the support images
   and once the query images. The caller frees, also after a failure. */
int meta_copies_create(struct meta_copies **, const struct meta_method_context *, int count,
                       struct meta_worker *, struct meta_error *);
void meta_copies_free(struct meta_copies *);
/* As the `run` of a method. A copy of all query images passes as one batch, as many as without
   copies, so that their statistics, where they are the batch's, are of that copy. */
void meta_copies_run(struct meta_copies *, const struct meta_method_task *, int steps,
                     double *before, double *after, struct meta_run *);

#endif
