/* [film]: y = (1 + g) x + b, with a g and a b for each channel that are linear in a few numbers,
   the context: (g, b) = W context + biases. The context begins with 0. Inner steps move the context
   alone; W and the biases are meta-learned (Perez et al., FiLM, AAAI 2018; moved by a context as in
   Zintgraf et al., CAVIA, ICML 2019). */
#include <math.h>
#include "plugin.h"

struct settings {
    int context;
};

static const struct meta_option options[] = { { "context", META_INT, 8, 1, 10000, NULL,
                                                offsetof(struct settings, context),
                                                "numbers that the inner steps move, from which "
                                                "each channel's factor and shift follow" },
                                              { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

static int shape(const void *settings, struct meta_shape in, struct meta_shape *out,
                 struct meta_error *error)
{
    *out = in;
    return 0;
}

static int arrays(const void *settings, struct meta_shape in,
                  struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error)
{
    size_t n = ((const struct settings *)settings)->context, rows = 2 * (size_t)in.c;
    arrays[0] = (struct meta_array){ .name = "context", .count = n };
    arrays[1] = (struct meta_array){ .name = "weights", .count = rows * n, .held = 1, .decays = 1 };
    arrays[1].begin = META_BEGIN_NORMAL;
    arrays[1].value = sqrt(1. / n);
    arrays[2] = (struct meta_array){ .name = "biases", .count = rows, .held = 1 };
    return 3;
}

/* One plane of the parameters: z (n), w (2c, n), bias (2c); the first c rows are of g. */
struct parts {
    double *z, *w, *bias;
};

static struct parts parts(double *theta, int n, int c)
{
    return (struct parts){ theta, theta + n, theta + n + 2 * (size_t)c * n };
}

static double row(const double *w, const double *z, int n, int k)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += w[(size_t)k * n + i] * z[i];
    return sum;
}

/* Adds a row's derivative m to those by z, w and bias, at (z, w). */
static void spread(struct parts bar, double m, const double *w, const double *z, int n, int k)
{
    for (int i = 0; i < n; i++) {
        bar.z[i] += m * w[(size_t)k * n + i];
        bar.w[(size_t)k * n + i] += m * z[i];
    }
}

/* All four functions: what a channel's numbers from i to i + P need is made once. */
static void pass(const void *settings, const struct meta_call *a, int back)
{
    int n = ((const struct settings *)settings)->context, c = a->in.c,
        tangent = a->theta.dot != NULL;
    size_t P = (size_t)a->in.h * a->in.w;
    struct parts t = parts(a->theta.value, n, c), dot = parts(a->theta.dot, n, c),
                 bar = parts(tangent ? a->theta.bardot : a->theta.bar, n, c);
    for (size_t k = 0, i = 0; i < (size_t)a->batch * c * P; i += P, k = (k + 1) % c) {
        double g = 1 + row(t.w, t.z, n, k) + t.bias[k], b = row(t.w, t.z, n, c + k) + t.bias[c + k];
        double gdot = 0, bdot = 0, m[2] = { 0, 0 }, mdot[2] = { 0, 0 };
        if (tangent) {
            gdot = row(dot.w, t.z, n, k) + row(t.w, dot.z, n, k) + dot.bias[k];
            bdot = row(dot.w, t.z, n, c + k) + row(t.w, dot.z, n, c + k) + dot.bias[c + k];
        }
        for (size_t p = i; p < i + P; p++) {
            double x = a->x.value[p], ybar = back ? a->y.bar[p] : 0;
            if (!back && !tangent) a->y.value[p] = g * x + b;
            else if (!back) a->y.dot[p] = g * a->x.dot[p] + gdot * x + bdot;
            else if (!tangent) a->x.bar[p] = g * ybar;
            else {
                a->x.bardot[p] = g * a->y.bardot[p] + gdot * ybar;
                mdot[0] += a->y.bardot[p] * x + ybar * a->x.dot[p];
                mdot[1] += a->y.bardot[p];
            }
            m[0] += ybar * x;
            m[1] += ybar;
        }
        for (int j = 0; back && j < 2; j++) {
            const double *at = tangent ? mdot : m;
            spread(bar, at[j], t.w, t.z, n, k + j * c);
            bar.bias[k + j * c] += at[j];
            if (tangent) spread(bar, m[j], dot.w, dot.z, n, k + j * c);
        }
    }
}

static void there(const void *settings, const struct meta_call *call) { pass(settings, call, 0); }
static void back(const void *settings, const struct meta_call *call) { pass(settings, call, 1); }

static const struct meta_layer_functions functions = {
    shape, there, back, there, back, META_REACH_IMAGE, arrays, NULL,
};

const struct meta_plugin meta_plugin = {
    META_PLUGIN_ABI,
    sizeof(struct meta_plugin),
    "film",
    META_ROLE_LAYER,
    .summary = "a factor and a shift for each channel, made of a context that inner steps move",
    .settings_size = sizeof(struct settings),
    .options = options,
    .layer = &functions,
};
