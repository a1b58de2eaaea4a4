/* What a support set says beside its loss: what the network predicts of each image when the image
   is left out, and how far the images are from those of the meta-training. */
#ifndef META_SUPPORT_CHECK_H
#define META_SUPPORT_CHECK_H

#include "adapt.h"
#include "base/pool.h"
#include "distance.h"

struct meta_leave_one_out {
    const int *groups;  /* (n) -1: in no group; NULL: no image is in a group */
    char *const *paths; /* (n) for messages */
    int steps;
    enum meta_bn bn;
    struct meta_pool *pool; /* one adaptation a thread */
    double *log_odds;       /* (n, classes), the answer */
    int *predicted; /* (n) 0: without the image a class would have no other left, and its row is not
                       set */
};
/* Leave-one-out: predicts each image by the network adapted to the others, without the images of
   its group and, of every other class, without as many images as are absent of its own, but for one
   that stays. If all stayed, the absent image's class would always be the rarer one, and where
   nothing tells the classes apart every answer would be wrong. */
int meta_leave_one_out(const struct meta_base *, const struct meta_support *,
                       const struct meta_leave_one_out *, struct meta_error *);

/* The mean over the classes, of those that were asked about, of the share of a class's images that
   were right: right, asked (classes). NaN where no class was. *cases is the number of images that a
   single share as sure as that mean would be of, were all classes as hard: all of them where the
   classes have equally many. */
double meta_mean_over_classes(const int *right, const int *asked, int classes, double *cases);

/* distance (n): how far each image is from those of the meta-training (distance.h). */
int meta_find_distance(const struct meta_base *, const float *images, int n, double *distance,
                       struct meta_error *);

#endif
