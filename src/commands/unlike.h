/* Warnings of images that are unlike those that a network knows, in the same words for all
   commands, and of images that are copies. */
#ifndef META_UNLIKE_H
#define META_UNLIKE_H

#include "tasks/dataset.h"

struct meta_unlike {
    const char *known; /* whose images the network knows: "the meta-training", "k.weights" */
    int count;
    char *const *paths;     /* (count) */
    const char *list;       /* that they stand in; NULL: in none */
    const int *lines;       /* (count) in the list; 0: of a folder */
    const double *distance; /* (count) as meta_distance_of gives it; NaN: the image was not read */
};
/* A line on standard error for each image above META_DISTANT; one line where all of several are:
   then it is about the network, or the kind of images. */
void meta_warn_unlike(const struct meta_unlike *);
/* Warns of each image that is a copy of another of the list: leave-one-out leaves them out
   together, but the support loss has them twice. */
void meta_warn_copies(const struct meta_dataset *);

#endif
