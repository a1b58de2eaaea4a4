/* Means over tasks or trainings, with their intervals. */
#ifndef META_ESTIMATE_H
#define META_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

struct meta_estimate {
    double mean;
    double error;     /* standard error of the mean */
    double low, high; /* 95% interval of the mean */
    int n;            /* how many numbers the mean is of */
};

/* Of n numbers that lie `stride` bytes apart, such as one field of an array of structs. The error
   is the deviation (with n-1) over sqrt(n), and the interval is by Student's t of n-1 degrees of
   freedom. With n < 2 error and interval are NaN; with n < 1 the mean is, too. */
struct meta_estimate meta_estimate(const double *first, size_t stride, int n);

/* The estimate with an interval that ends at `least` and `most`, which no mean passes: of few
   numbers Student's t reaches beyond. */
struct meta_estimate meta_estimate_within(struct meta_estimate, double least, double most);
/* meta_estimate of numbers in 0..1, such as AUCs and shares. */
struct meta_estimate meta_estimate_share(const double *first, size_t stride, int n);

/* An estimate of known mean and error. The interval is by Student's t of n-1 degrees of freedom. */
struct meta_estimate meta_estimate_with(double mean, double error, int n);

/* e less `figure`, which is the mean of n numbers over other tasks, published without an error: it
   is given the error that a mean of n numbers like ours has. The interval is by Student's t of
   e.n-1 degrees of freedom. */
struct meta_estimate meta_estimate_less(struct meta_estimate e, double figure, int n);

struct meta_bootstrap {
    double mean, low, high;
};

/* What distances of bootstrap samples of n >= 2 numbers are stretched by. */
double meta_bootstrap_stretch(int n);
/* How far the ends of a statistic's 95% interval are from its value, by the values (resamples) that
   it has in bootstrap samples of n >= 2 numbers, which are sorted: below is rarely above 0. The
   distances are stretched as meta_bootstrap says. */
void meta_bootstrap_ends(double *values, int resamples, double value, int n, double *below,
                         double *above);

/* The mean of n numbers, and its 95% interval: the 2.5% and 97.5% points of the means of
   `resamples` bootstrap samples. Their distances from the mean are stretched by sqrt(n/(n-1)),
   which a sample lacks, and by Student's t over the normal distribution's point: without that the
   interval of five numbers holds the true mean 83 times in a hundred (Hesterberg, The American
   Statistician 69, 2015). The result depends on the arguments alone. The interval is NaN when n
   < 2. Fails without memory alone. */
int meta_bootstrap(struct meta_bootstrap *, const double *x, int n, int resamples, uint64_t seed,
                   struct meta_error *);

#endif
