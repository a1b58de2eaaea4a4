/* Computes calibration figures from logarithms of probabilities, and the interval of the
   calibration error by drawing tasks anew. */
#include "calibration.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 2000
#define MOST_SCALE 4.

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

double meta_calibration_worst(int ways) { return ways == 2 ? 1 : 2; }

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

/* ---- the interval of the error --------------------------------------------------------------- */

/* How far each bin is from calibrated: what its images' confidence is above their share that is
   correct, as a part of all images. The error is the sum of the distances from 0. */
struct gaps {
    double bin[META_CALIBRATION_BINS];
};

static struct gaps gaps_of(const struct meta_calibration_bin *bins)
{
    struct gaps g;
    double count = 0;
    for (int b = 0; b < META_CALIBRATION_BINS; b++) count += bins[b].count;
    for (int b = 0; b < META_CALIBRATION_BINS; b++)
        g.bin[b] = (bins[b].confidence - bins[b].correct) / count;
    return g;
}

/* The error where the gaps are `scale` times those seen and measured with that noise. */
static double error_at(const struct gaps *seen, double scale, const struct gaps *noise)
{
    double sum = 0;
    for (int b = 0; b < META_CALIBRATION_BINS; b++)
        sum += fabs(scale * seen->bin[b] + noise->bin[b]);
    return sum;
}

/* How often that is above the error seen. */
static double share_above(const struct gaps *seen, double scale, const struct gaps *noise)
{
    const struct gaps none = { { 0 } };
    double value = error_at(seen, 1, &none);
    int above = 0;
    for (int r = 0; r < RESAMPLES; r++) above += error_at(seen, scale, &noise[r]) > value;
    return above / (double)RESAMPLES;
}

/* The scale at which the error seen is exceeded that often; 0 where it is at 0. */
static double scale_of(const struct gaps *seen, const struct gaps *noise, double share)
{
    double low = 0, high = MOST_SCALE;
    if (share_above(seen, 0, noise) >= share) return 0;
    for (int i = 0; i < 30; i++) {
        double middle = (low + high) / 2;
        if (share_above(seen, middle, noise) < share) low = middle;
        else high = middle;
    }
    return high;
}

/* Draws n tasks anew RESAMPLES times: the gaps, and the errors. */
static void draw(struct gaps *samples, double *values, const struct meta_calibration *first,
                 size_t stride, int n)
{
    for (int r = 0; r < RESAMPLES; r++) {
        struct meta_rng rng = meta_rng_open(1, META_USE_BOOTSTRAP, r, 0, 0);
        struct meta_calibration_bin sum[META_CALIBRATION_BINS] = { 0 };
        for (int i = 0; i < n; i++)
            meta_calibration_add(sum, at(first, stride, meta_rng_below(&rng, n))->bins);
        samples[r] = gaps_of(sum);
        values[r] = meta_calibration_error(sum);
    }
}

/* Turns the samples into the noise of the gaps seen. */
static void take_away(struct gaps *samples, const struct gaps *seen, int n)
{
    double stretch = meta_bootstrap_stretch(n);
    for (int r = 0; r < RESAMPLES; r++)
        for (int b = 0; b < META_CALIBRATION_BINS; b++)
            samples[r].bin[b] = stretch * (samples[r].bin[b] - seen->bin[b]);
}

int meta_calibration_estimate(struct meta_estimate *out, const struct meta_calibration *first,
                              size_t stride, int n, struct meta_error *error)
{
    struct meta_calibration_bin sum[META_CALIBRATION_BINS] = { 0 };
    for (int i = 0; i < n; i++) meta_calibration_add(sum, at(first, stride, i)->bins);
    double value = meta_calibration_error(sum), mean = 0, squares = 0, below, above;
    struct gaps seen = gaps_of(sum);
    *out = (struct meta_estimate){ value, NAN, NAN, NAN, n };
    if (n < 2) return 0;
    double *values = malloc(RESAMPLES * sizeof *values);
    struct gaps *samples = malloc(RESAMPLES * sizeof *samples);
    int status = values && samples ? 0 : meta_fail_memory(error);
    if (status) goto end;
    draw(samples, values, first, stride, n);
    for (int r = 0; r < RESAMPLES; r++) mean += values[r] / RESAMPLES;
    for (int r = 0; r < RESAMPLES; r++) squares += (values[r] - mean) * (values[r] - mean);
    meta_bootstrap_ends(values, RESAMPLES, mean, n, &below, &above);
    take_away(samples, &seen, n);
    out->error = sqrt(squares / (RESAMPLES - 1.) * n / (n - 1.));
    out->low = fmin(1, value * scale_of(&seen, samples, .025));
    out->high = fmin(1, fmax(value + above, value * scale_of(&seen, samples, .975)));
end:
    free(values);
    free(samples);
    return status;
}
