/* [relation]: each query image's feature map beside each class's, channels one after the other:
   what Relation Net compares (Sung et al., Learning to Compare: Relation Network for Few-Shot
   Learning, CVPR 2018, Sections 3.2 and 3.3). A class's map is the sum of its support images' maps.
   C channels come in, 2C go out: the class's first, then the query's. */
#include "plugin.h"
#include <string.h>

static const struct meta_option options[] = { { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

static int shape(const void *settings, struct meta_shape in, struct meta_shape *out,
                 struct meta_error *error)
{
    *out = (struct meta_shape){ 2 * in.c, in.h, in.w };
    return 0;
}

static size_t numbers(struct meta_shape s) { return (size_t)s.c * s.h * s.w; }

/* The class's sums are made in the item of the first query image, from where the others copy
   them. */
static void forward(const void *settings, struct meta_shape in, const struct meta_set *set,
                    const double *x, double *y)
{
    size_t n = numbers(in);
    for (int k = 0; k < set->ways; k++) memset(y + k * 2 * n, 0, n * sizeof *y);
    for (int s = 0; s < set->support; s++) {
        const double *from = x + s * n;
        double *sum = y + set->labels[s] * 2 * n;
        for (size_t i = 0; i < n; i++) sum[i] += from[i];
    }
    for (int q = 0; q < set->query; q++)
        for (int k = 0; k < set->ways; k++) {
            double *item = y + ((size_t)q * set->ways + k) * 2 * n;
            if (q) memcpy(item, y + k * 2 * n, n * sizeof *y);
            memcpy(item + n, x + (set->support + q) * n, n * sizeof *y);
        }
}

/* A support image gets what all items of its class get, a query image what its own items do. */
static void backward(const void *settings, struct meta_shape in, const struct meta_set *set,
                     const double *x, const double *ybar, double *xbar)
{
    size_t n = numbers(in);
    memset(xbar, 0, (set->support + set->query) * n * sizeof *xbar);
    for (int q = 0; q < set->query; q++)
        for (int k = 0; k < set->ways; k++) {
            const double *item = ybar + ((size_t)q * set->ways + k) * 2 * n;
            double *own = xbar + (set->support + q) * n;
            for (size_t i = 0; i < n; i++) own[i] += item[n + i];
            for (int s = 0; s < set->support; s++)
                for (size_t i = 0; set->labels[s] == k && i < n; i++) xbar[s * n + i] += item[i];
        }
}

static const struct meta_pairing_functions functions = { .shape = shape,
                                                         .forward = forward,
                                                         .backward = backward };

const struct meta_plugin meta_plugin = { .abi = META_PLUGIN_ABI,
                                         .size = sizeof(struct meta_plugin),
                                         .name = "relation",
                                         .role = META_ROLE_PAIRING,
                                         .summary = "each query image's map beside each class's "
                                                    "sum of support maps; what follows scores "
                                                    "these pairs",
                                         .settings_size = 0,
                                         .options = options,
                                         .pairing = &functions };
