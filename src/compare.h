/* Two methods on the same tasks: the mean of the paired differences, with a bootstrap interval. */
#ifndef META_COMPARE_H
#define META_COMPARE_H

#include <stdint.h>

/* Of n numbers: their mean, and the 2.5% and 97.5% points of the means of `resamples` bootstrap samples. A function of its
   arguments alone. NaN interval when n < 2 or there is no memory. */
struct meta_bootstrap { double mean, low, high; };
struct meta_bootstrap meta_bootstrap(const double *x, int n, int resamples, uint64_t seed);

int meta_command_compare(int argc, char **argv);

#endif
