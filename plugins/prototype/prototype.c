/* [prototype]: minus the squared Euclidean distance of a query image's features to the mean of each
   class's support features, its prototype (Snell, Swersky and Zemel, Prototypical Networks for
   Few-shot Learning, NeurIPS 2017, Equations 1 and 2). One number an item, whose softmax over the
   classes are the probabilities. */
#include "plugin.h"

/* Features are worked on so many at a time, which keeps a class's mean on the stack. */
#define BLOCK 256

static const struct meta_option options[] = { { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

static int shape(const void *settings, struct meta_shape in, struct meta_shape *out,
                 struct meta_error *error)
{
    *out = (struct meta_shape){ 1, 1, 1 };
    return 0;
}

static size_t numbers(struct meta_shape s) { return (size_t)s.c * s.h * s.w; }

static int images_of(const struct meta_set *set, int class)
{
    int count = 0;
    for (int s = 0; s < set->support; s++) count += set->labels[s] == class;
    return count;
}

/* Writes features first..first+count-1 of a class's prototype; n is the number of features. A class
   without images has the prototype 0. */
static void prototype(const struct meta_set *set, int class, const double *x, size_t n,
                      size_t first, size_t count, double *mean)
{
    int images = images_of(set, class);
    for (size_t i = 0; i < count; i++) mean[i] = 0;
    for (int s = 0; s < set->support; s++)
        for (size_t i = 0; set->labels[s] == class && i < count; i++)
            mean[i] += x[s * n + first + i] / images;
}

static size_t block_of(size_t n, size_t first) { return n - first < BLOCK ? n - first : BLOCK; }

static void forward(const void *settings, struct meta_shape in, const struct meta_set *set,
                    const double *x, double *y)
{
    size_t n = numbers(in);
    double mean[BLOCK];
    for (size_t i = 0; i < (size_t)set->query * set->ways; i++) y[i] = 0;
    for (size_t first = 0, count; first < n; first += count) {
        count = block_of(n, first);
        for (int k = 0; k < set->ways; k++) {
            prototype(set, k, x, n, first, count, mean);
            for (int q = 0; q < set->query; q++) {
                const double *f = x + (set->support + q) * n + first;
                double sum = 0;
                for (size_t i = 0; i < count; i++) sum += (f[i] - mean[i]) * (f[i] - mean[i]);
                y[(size_t)q * set->ways + k] -= sum;
            }
        }
    }
}

static void backward(const void *settings, struct meta_shape in, const struct meta_set *set,
                     const double *x, const double *ybar, double *xbar)
{
    size_t n = numbers(in);
    double mean[BLOCK], meanbar[BLOCK];
    for (size_t i = 0; i < (set->support + set->query) * n; i++) xbar[i] = 0;
    for (size_t first = 0, count; first < n; first += count) {
        count = block_of(n, first);
        for (int k = 0; k < set->ways; k++) {
            prototype(set, k, x, n, first, count, mean);
            for (size_t i = 0; i < count; i++) meanbar[i] = 0;
            for (int q = 0; q < set->query; q++) {
                size_t at = (set->support + q) * n + first;
                double twice = 2 * ybar[(size_t)q * set->ways + k];
                for (size_t i = 0; i < count; i++) {
                    double pull = twice * (x[at + i] - mean[i]);
                    xbar[at + i] -= pull;
                    meanbar[i] += pull;
                }
            }
            int images = images_of(set, k);
            for (int s = 0; s < set->support; s++)
                for (size_t i = 0; set->labels[s] == k && i < count; i++)
                    xbar[s * n + first + i] = meanbar[i] / images;
        }
    }
}

/* -|f - c_k|^2 = -|f - m|^2 + 2 (c_k - m).f - (c_k - m).(c_k + m) for any m, and what does not
   depend on k is nothing to a softmax. With m the mean of all prototypes the weights are small, and
   few digits cancel when they are rounded to floats. */
static void linear(const void *settings, struct meta_shape in, const struct meta_set *set,
                   const double *x, double *weights, double *biases)
{
    size_t n = numbers(in);
    for (int k = 0; k < set->ways; k++) {
        prototype(set, k, x, n, 0, n, weights + k * n);
        biases[k] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        double middle = 0;
        for (int k = 0; k < set->ways; k++) middle += weights[k * n + i] / set->ways;
        for (int k = 0; k < set->ways; k++) {
            double c = weights[k * n + i];
            weights[k * n + i] = 2 * (c - middle);
            biases[k] -= (c - middle) * (c + middle);
        }
    }
}

static const struct meta_pairing_functions functions = {
    .shape = shape, .forward = forward, .backward = backward, .linear = linear
};

const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI,
                                         .size = sizeof(struct meta_plugin),
                                         .name = "prototype",
                                         .role = META_ROLE_PAIRING,
                                         .summary = "minus each query image's squared distance to "
                                                    "the mean of each class's support images; "
                                                    "[softmax] follows",
                                         .settings_size = 0,
                                         .options = options,
                                         .pairing = &functions };
