/* What `meta adapt` prints of leave-one-out. */
#ifndef META_LEFT_OUT_H
#define META_LEFT_OUT_H

#include "tasks/dataset.h"

/* The answers of meta_leave_one_out. */
struct meta_left_out {
    const struct meta_dataset *dataset;
    const double *log_odds; /* (n, classes) */
    const int *predicted;   /* (n) 0: the image could not be asked about, and its row is not set */
};
/* Prints the mean over the classes of the share that was right, with its interval, then each class,
   then each image that was taken for another class. */
int meta_print_left_out(const struct meta_left_out *, struct meta_error *);

#endif
