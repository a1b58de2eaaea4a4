/* [film]: y = (1 + g) x + b, with a g and a b for each channel: (g, b) = W context (Perez et al.,
   FiLM, AAAI 2018). Of these inner steps move the context alone. It is 0 before the training, and
   then learned with the rest: a task begins with what was learned, where CAVIA (Zintgraf et al.,
   ICML 2019) begins each with 0. */
#include <math.h>
#include "plugin.h"

static const struct meta_option options[] = { { "context", META_INT, 8, 1, 10000, NULL, 0,
                                                "numbers that the inner steps move, from which "
                                                "each channel's factor and shift follow" },
                                              { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

static int arrays(const void *settings, struct meta_shape in,
                  struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error)
{
    size_t n = *(const int *)settings, rows = 2 * (size_t)in.c;
    arrays[0] = (struct meta_array){ "context", n, META_BEGIN_CONSTANT, 0, .decays = 0 };
    arrays[1] = (struct meta_array){ "weights", rows * n, META_BEGIN_NORMAL, sqrt(1. / n), 1, 1 };
    return 2;
}

/* One plane of the parameters: z (n), w (2c, n), whose first c rows are of g. */
struct plane {
    size_t n;
    double *z, *w;
};

static struct plane plane(const void *settings, const double *theta)
{
    size_t n = *(const int *)settings;
    double *z = (double *)theta;
    return (struct plane){ n, z, z ? z + n : NULL };
}

/* Row k of W z. */
static double row(const struct plane *w, const struct plane *z, size_t k)
{
    double sum = 0;
    for (size_t i = 0; w->z && z->z && i < w->n; i++) sum += w->w[k * w->n + i] * z->z[i];
    return sum;
}

/* Adds what a row's adjoint m gives to those of z and W, at t. */
static void spread(const struct plane *bar, double m, const struct plane *t, size_t k)
{
    for (size_t i = 0; i < t->n; i++) {
        bar->z[i] += m * t->w[k * t->n + i];
        bar->w[k * t->n + i] += m * t->z[i];
    }
}

#define EACH_CHANNEL(a, k, i)                                                                      \
    for (size_t c = (a)->in.c, k = 0, i = 0, P = (size_t)(a)->in.h * (a)->in.w;                    \
         i < (a)->batch * c * P; i += P, k = (k + 1) % c)

/* forward, and its tangent. */
static void there(const void *settings, const struct meta_call *a)
{
    struct plane t = plane(settings, a->theta.value), dot = plane(settings, a->theta.dot);
    EACH_CHANNEL(a, k, i)
    {
        double g = 1 + row(&t, &t, k), b = row(&t, &t, c + k);
        double gdot = row(&dot, &t, k) + row(&t, &dot, k);
        double bdot = row(&dot, &t, c + k) + row(&t, &dot, c + k);
        for (size_t p = i; p < i + P; p++)
            if (dot.z) a->y.dot[p] = g * a->x.dot[p] + gdot * a->x.value[p] + bdot;
            else a->y.value[p] = g * a->x.value[p] + b;
    }
}

/* backward, and its tangent: m and mdot are the adjoints of (g, b) and their tangents. */
static void back(const void *settings, const struct meta_call *a)
{
    int tangent = a->theta.dot != NULL;
    struct plane t = plane(settings, a->theta.value), dot = plane(settings, a->theta.dot),
                 bar = plane(settings, tangent ? a->theta.bardot : a->theta.bar);
    EACH_CHANNEL(a, k, i)
    {
        double g = 1 + row(&t, &t, k), gdot = row(&dot, &t, k) + row(&t, &dot, k);
        double m[2] = { 0 }, mdot[2] = { 0 };
        for (size_t p = i; p < i + P; p++) {
            double x = a->x.value[p], ybar = a->y.bar[p];
            m[0] += ybar * x;
            m[1] += ybar;
            if (!tangent) a->x.bar[p] = g * ybar;
            if (!tangent) continue;
            a->x.bardot[p] = g * a->y.bardot[p] + gdot * ybar;
            mdot[0] += a->y.bardot[p] * x + ybar * a->x.dot[p];
            mdot[1] += a->y.bardot[p];
        }
        for (int j = 0; j < 2; j++) {
            spread(&bar, tangent ? mdot[j] : m[j], &t, k + j * c);
            if (tangent) spread(&bar, m[j], &dot, k + j * c);
        }
    }
}

static int stock(const void *settings, struct meta_shape in, const double *theta,
                 struct meta_writer *w, struct meta_error *error)
{
    struct plane t = plane(settings, theta);
    for (int k = 0; k < 2 * in.c; k++) w->scratch[k] = (k < in.c) + row(&t, &t, k);
    return w->affine(w, w->scratch, w->scratch + in.c, "linear", error);
}

static const struct meta_layer_functions functions = { NULL,   there, back,
                                                       there,  back,  META_REACH_IMAGE,
                                                       arrays, NULL,  stock };

const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "film",
    .role = META_ROLE_LAYER,
    .summary = "a factor and a shift for each channel, made of a context that inner steps move",
    .settings_size = sizeof(int),
    .options = options,
    .layer = &functions,
};
