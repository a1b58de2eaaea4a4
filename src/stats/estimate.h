/* Means over tasks or trainings, with their intervals. */
#ifndef META_ESTIMATE_H
#define META_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

/* Of n numbers that lie `stride` bytes apart (one field of an array of structs): their mean, its standard error (deviation with n-1, over
   sqrt n), and the 95% interval by Student's t of n-1 degrees of freedom. With n < 2 there is no error: it and the interval are NaN. */
struct meta_estimate { double mean, error, low, high; int n; };
struct meta_estimate meta_estimate(const double *first, size_t stride, int n);
/* Of a mean and an error that are known: the interval is by Student's t of n-1 degrees. */
struct meta_estimate meta_estimate_with(double mean, double error, int n);

/* e less a figure published without an interval, the mean of n such numbers of other tasks: it is given the error that n of ours have.
   The interval, like e's, is by Student's t of e.n-1 degrees. */
struct meta_estimate meta_estimate_less(struct meta_estimate e, double figure, int n);

/* Of n numbers: their mean, and the 2.5% and 97.5% points of the means of `resamples` bootstrap samples. Their distances from the mean are
   stretched by what a sample lacks, sqrt(n/(n-1)), and by Student's t over the normal distribution's: of five numbers an interval without that
   holds the truth 83 times in a hundred (Hesterberg, The American Statistician 69, 2015). A function of its arguments alone. NaN interval when
   n < 2 or there is no memory. */
struct meta_bootstrap { double mean, low, high; };
struct meta_bootstrap meta_bootstrap(const double *x, int n, int resamples, uint64_t seed);

#endif
