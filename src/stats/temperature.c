/* Finds the temperature of the least negative log-likelihood of answers to tasks. */
#include "temperature.h"
#include "estimate.h"

#include <math.h>

/* Sums over images, at an inverse temperature b. */
struct sums {
    double loss;             /* of -log(probability of the image's class) */
    double slope, curvature; /* its first and second derivative by b */
    double squares;          /* of the slopes of tasks */
    int images;
};

static int is_finite(const double *z, int ways)
{
    for (int k = 0; k < ways; k++)
        if (!isfinite(z[k])) return 0;
    return 1;
}

static double largest(const double *z, int ways)
{
    double most = z[0];
    for (int k = 1; k < ways; k++) most = fmax(most, z[k]);
    return most;
}

/* With p = softmax(b z): the loss is log(sum of exp(b z)) - b z of the label, its slope the mean of
   z under p less that z, and its curvature the variance of z under p. */
static void add_image(struct sums *s, const double *z, int label, int ways, double b)
{
    double top = largest(z, ways), sum = 0, mean = 0, variance = 0;
    for (int k = 0; k < ways; k++) {
        double weight = exp(b * (z[k] - top));
        sum += weight;
        mean += weight * (z[k] - top);
    }
    mean /= sum;
    for (int k = 0; k < ways; k++) {
        double distance = z[k] - top - mean;
        variance += exp(b * (z[k] - top)) * distance * distance;
    }
    s->loss += log(sum) - b * (z[label] - top);
    s->slope += mean - (z[label] - top);
    s->curvature += variance / sum;
    s->images++;
}

static struct sums sum_at(const struct meta_temperature_answers *a, double b)
{
    struct sums all = { 0 };
    const double *z = a->logs;
    for (int t = 0; t < a->tasks; t++) {
        double before = all.slope;
        for (int i = 0; i < a->images; i++, z += a->ways)
            if (is_finite(z, a->ways)) add_image(&all, z, a->labels[i], a->ways, b);
        all.squares += (all.slope - before) * (all.slope - before);
    }
    return all;
}

void meta_temper(double *logs, int n, int ways, double temperature)
{
    for (double *z = logs; z < logs + (long)n * ways; z += ways) {
        double top = largest(z, ways), sum = 0;
        for (int k = 0; k < ways; k++) z[k] = (z[k] - top) / temperature;
        for (int k = 0; k < ways; k++) sum += exp(z[k]);
        for (int k = 0; k < ways; k++) z[k] -= log(sum);
    }
}

/* The slope rises with b, from below 0 at `low` to above 0 at `high`. */
static double find_zero(const struct meta_temperature_answers *a, double low, double high)
{
    double b = 1;
    for (int i = 0; i < 200; i++) {
        struct sums s = sum_at(a, b);
        if (s.slope == 0) break;
        if (s.slope < 0) low = b;
        else high = b;
        double next = b - s.slope / s.curvature;
        if (!(next > low && next < high)) next = sqrt(low * high);
        if (fabs(next - b) <= 1e-14 * b) break;
        b = next;
    }
    return b;
}

/* Whether the largest number of every image is its class's, so that no temperature is too low. */
static int all_right(const struct meta_temperature_answers *a)
{
    const double *z = a->logs;
    for (int t = 0; t < a->tasks; t++)
        for (int i = 0; i < a->images; i++, z += a->ways)
            if (is_finite(z, a->ways) && z[a->labels[i]] < largest(z, a->ways)) return 0;
    return 1;
}

int meta_temperature_fit(struct meta_temperature_fit *fit, const struct meta_temperature_answers *a,
                         struct meta_error *error)
{
    double low = 1 / META_TEMPERATURE_MOST, high = 1 / META_TEMPERATURE_LEAST;
    struct sums first = sum_at(a, 1);
    if (!first.images) return meta_fail(error, "no answer to a task is a number");
    if (!(sum_at(a, low).slope < 0))
        return meta_fail(error,
                         sum_at(a, 0).slope < 0 ? "the best temperature is above %g"
                                                : "the answers tell the classes apart no better "
                                                  "than chance",
                         META_TEMPERATURE_MOST);
    if (!(sum_at(a, high).slope > 0))
        return meta_fail(error,
                         all_right(a) ? "every answer is right, so that no temperature is too low "
                                        "for them"
                                      : "the best temperature is below %g",
                         META_TEMPERATURE_LEAST);
    double b = find_zero(a, low, high);
    struct sums s = sum_at(a, b);
    double more = a->tasks > 1 ? a->tasks / (a->tasks - 1.) : NAN,
           deviation = sqrt(s.squares * more) / s.curvature / b; /* of log b */
    struct meta_estimate e = meta_estimate_with(-log(b), deviation, a->tasks);
    *fit = (struct meta_temperature_fit){ .temperature = 1 / b,
                                          .low = exp(e.low),
                                          .high = exp(e.high),
                                          .before = first.loss / first.images,
                                          .after = s.loss / s.images,
                                          .left_out = a->tasks * a->images - s.images };
    return 0;
}
