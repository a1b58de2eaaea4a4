/* Standard errors, intervals by Student's t, and the bootstrap of a mean. */
#include "estimate.h"
#include "base/rng.h"
#include "student.h"

#include <math.h>
#include <stdlib.h>

#define Z 1.959963984540054 /* the normal distribution's 97.5% point */

static double at(const double *first, size_t stride, int i)
{
    return *(const double *)((const char *)first + i * stride);
}

struct meta_estimate meta_estimate_with(double mean, double error, int n)
{
    double t = n > 1 ? meta_student_point(n - 1) : NAN;
    return (struct meta_estimate){ mean, error, mean - t * error, mean + t * error, n };
}

struct meta_estimate meta_estimate(const double *first, size_t stride, int n)
{
    struct meta_estimate e = { NAN, NAN, NAN, NAN, n };
    double sum = 0, squares = 0;
    if (n < 1) return e;
    for (int i = 0; i < n; i++) sum += at(first, stride, i);
    e.mean = sum / n;
    if (n < 2) return e;
    for (int i = 0; i < n; i++) {
        double distance = at(first, stride, i) - e.mean;
        squares += distance * distance;
    }
    return meta_estimate_with(e.mean, sqrt(squares / (n - 1.) / n), n);
}

struct meta_estimate meta_estimate_within(struct meta_estimate e, double least, double most)
{
    if (e.low < least) e.low = least;
    if (e.high > most) e.high = most;
    return e;
}

struct meta_estimate meta_estimate_share(const double *first, size_t stride, int n)
{
    return meta_estimate_within(meta_estimate(first, stride, n), 0, 1);
}

struct meta_estimate meta_estimate_less(struct meta_estimate e, double figure, int n)
{
    return meta_estimate_with(e.mean - figure, e.error * sqrt(1 + (double)e.n / n), e.n);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The q-quantile of n sorted numbers, linear between neighbours. */
static double quantile(const double *sorted, int n, double q)
{
    double place = q * (n - 1);
    int i = place;
    return i + 1 < n ? sorted[i] + (place - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

double meta_bootstrap_stretch(int n) { return meta_student_point(n - 1) / Z * sqrt(n / (n - 1.)); }

void meta_bootstrap_ends(double *values, int resamples, double value, int n, double *below,
                         double *above)
{
    double stretch = meta_bootstrap_stretch(n);
    qsort(values, resamples, sizeof *values, ascending);
    *below = stretch * (quantile(values, resamples, .025) - value);
    *above = stretch * (quantile(values, resamples, .975) - value);
}

int meta_bootstrap(struct meta_bootstrap *out, const double *x, int n, int resamples, uint64_t seed,
                   struct meta_error *error)
{
    struct meta_bootstrap b = { NAN, NAN, NAN };
    double sum = 0, *means;
    for (int i = 0; i < n; i++) sum += x[i];
    if (n > 0) b.mean = sum / n;
    *out = b;
    if (n < 2 || resamples < 1) return 0;
    if (!(means = malloc(resamples * sizeof *means))) return meta_fail_memory(error);
    for (int r = 0; r < resamples; r++) {
        struct meta_rng rng = meta_rng_open(seed, META_USE_BOOTSTRAP, r, 0, 0);
        sum = 0;
        for (int i = 0; i < n; i++) sum += x[meta_rng_below(&rng, n)];
        means[r] = sum / n;
    }
    double below, above;
    meta_bootstrap_ends(means, resamples, b.mean, n, &below, &above);
    b.low = b.mean + below;
    b.high = b.mean + above;
    free(means);
    *out = b;
    return 0;
}
