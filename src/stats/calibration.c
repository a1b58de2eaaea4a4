/* Computes calibration figures from logarithms of probabilities, and the interval of the
   calibration error by drawing tasks anew. */
#include "calibration.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 2000

/* Whether each of the image's numbers is finite. */
static int is_finite(const double *logs, int ways)
{
    for (int k = 0; k < ways; k++)
        if (!isfinite(logs[k])) return 0;
    return 1;
}

/* The bin of a probability, by the edges as doubles: a product with 15 may round across one. */
static int bin_of(double p)
{
    int bin = 0;
    while (bin < META_CALIBRATION_BINS - 1 && p > (bin + 1.) / META_CALIBRATION_BINS) bin++;
    return bin;
}

static double squared_error(const double *logs, int label, int ways)
{
    double sum = 0;
    for (int k = ways == 2; k < ways; k++) {
        double distance = exp(logs[k]) - (k == label);
        sum += distance * distance;
    }
    return sum;
}

void meta_calibration_task(struct meta_calibration *c, const double *logs, const int *labels, int n,
                           int ways)
{
    double chance = 1. / ways;
    memset(c, 0, sizeof *c);
    for (int i = 0; i < n; i++, logs += ways) {
        int finite = is_finite(logs, ways), top = 0;
        for (int k = 1; k < ways; k++)
            if (logs[k] > logs[top]) top = k;
        double confidence = finite ? exp(logs[top]) : chance;
        struct meta_calibration_bin *bin = &c->bins[bin_of(confidence)];
        bin->count++;
        bin->confidence += confidence;
        bin->correct += finite ? top == labels[i] : chance;
        c->nll += finite ? -logs[labels[i]] : log(ways);
        c->brier += finite ? squared_error(logs, labels[i], ways)
            : ways == 2    ? chance * chance
                           : 1 - chance;
    }
    c->nll /= n;
    c->brier /= n;
}

void meta_calibration_add(struct meta_calibration_bin *sum, const struct meta_calibration_bin *bins)
{
    for (int b = 0; b < META_CALIBRATION_BINS; b++) {
        sum[b].count += bins[b].count;
        sum[b].confidence += bins[b].confidence;
        sum[b].correct += bins[b].correct;
    }
}

double meta_calibration_error(const struct meta_calibration_bin *bins)
{
    double count = 0, distance = 0;
    for (int b = 0; b < META_CALIBRATION_BINS; b++) {
        count += bins[b].count;
        distance += fabs(bins[b].confidence - bins[b].correct);
    }
    return count > 0 ? distance / count : NAN;
}

static const struct meta_calibration *at(const struct meta_calibration *first, size_t stride, int i)
{
    return (const struct meta_calibration *)((const char *)first + (size_t)i * stride);
}

int meta_calibration_estimate(struct meta_estimate *out, const struct meta_calibration *first,
                              size_t stride, int n, struct meta_error *error)
{
    struct meta_calibration_bin sum[META_CALIBRATION_BINS] = { 0 };
    for (int i = 0; i < n; i++) meta_calibration_add(sum, at(first, stride, i)->bins);
    double value = meta_calibration_error(sum), below, above, mean = 0, squares = 0;
    *out = (struct meta_estimate){ value, NAN, NAN, NAN, n };
    if (n < 2) return 0;
    double *values = malloc(RESAMPLES * sizeof *values);
    if (!values) return meta_fail_memory(error);
    for (int r = 0; r < RESAMPLES; r++) {
        struct meta_rng rng = meta_rng_open(1, META_USE_BOOTSTRAP, r, 0, 0);
        memset(sum, 0, sizeof sum);
        for (int i = 0; i < n; i++)
            meta_calibration_add(sum, at(first, stride, meta_rng_below(&rng, n))->bins);
        values[r] = meta_calibration_error(sum);
        mean += values[r] / RESAMPLES;
    }
    for (int r = 0; r < RESAMPLES; r++) squares += (values[r] - mean) * (values[r] - mean);
    meta_bootstrap_ends(values, RESAMPLES, value, n, &below, &above);
    out->error = sqrt(squares / (RESAMPLES - 1.) * n / (n - 1.));
    out->low = fmin(1, fmax(0, value - above));
    out->high = fmin(1, fmax(0, value - below));
    free(values);
    return 0;
}
