/* A plugin to copy: the layer [swish], y = x * sigmoid(beta x), of every number by itself.

       [swish]
       beta=1

   To make a layer of your own:
     1. Copy this folder: cp -r plugins/template plugins/mine. `make` builds every folder of
        plugins/ but template into plugins/mine.so, and the program finds it there. Elsewhere, the
        Makefile of the folder builds it, and DARKNET_PLUGIN_PATH names the folder.
     2. Settings: a struct with one field an option.
     3. Options: one row a field. The host reads, bounds and stores them, and writes the errors.
     4. shape: from the input's shape the output's, or what does not fit.
     5. forward and backward: the function and its adjoint.
     6. The two tangents: their derivatives along a direction. Without them (NULL) the layer
        works under order=1 only.
     7. The registration, at the end: name and role.
     8. Check the four functions against each other and against differences:
        darknet meta check my.cfg

   The arrays are (batch, c, h, w), planar, of doubles. The functions are called from several
   threads at once: they keep nothing. */
#include <math.h>
#include "plugin.h"

/* 2. */
struct settings {
    double beta;
};

/* 3. name, type, default, least, most, choices, field, help */
static const struct meta_option options[] = {
    { "beta", META_REAL, 1, 0, 100, NULL, offsetof(struct settings, beta), "0: x/2; large: relu" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

/* 4. */
static int shape(const void *settings, struct meta_shape in, struct meta_shape *out,
                 struct meta_error *error)
{
    *out = in;
    return 0;
}

static size_t count(struct meta_shape in, int batch) { return (size_t)batch * in.c * in.h * in.w; }

/* f = x s, with s = sigmoid(beta x) and s' = beta s (1-s) */
struct swish {
    double value, slope, bend; /* f, f', f'' */
};

static struct swish swish(double beta, double x)
{
    double s = 1 / (1 + exp(-beta * x)), s1 = beta * s * (1 - s), s2 = beta * s1 * (1 - 2 * s);
    return (struct swish){ x * s, s + x * s1, 2 * s1 + x * s2 };
}

/* 5. */
static void forward(const void *settings, struct meta_shape in, int batch, const double *x,
                    double *y)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < count(in, batch); i++) y[i] = swish(s->beta, x[i]).value;
}

static void backward(const void *settings, struct meta_shape in, int batch, const double *x,
                     const double *ybar, double *xbar)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < count(in, batch); i++) xbar[i] = ybar[i] * swish(s->beta, x[i]).slope;
}

/* 6. */
static void forward_tangent(const void *settings, struct meta_shape in, int batch, const double *x,
                            const double *xdot, double *ydot)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < count(in, batch); i++) ydot[i] = swish(s->beta, x[i]).slope * xdot[i];
}

static void backward_tangent(const void *settings, struct meta_shape in, int batch, const double *x,
                             const double *xdot, const double *ybar, const double *ybardot,
                             double *xbardot)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < count(in, batch); i++) {
        struct swish f = swish(s->beta, x[i]);
        xbardot[i] = ybardot[i] * f.slope + ybar[i] * f.bend * xdot[i];
    }
}

static const struct meta_layer_functions functions = {
    shape, forward, backward, forward_tangent, backward_tangent,
};

/* 7. */
const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "swish",
    .role = META_ROLE_LAYER,
    .summary = "x * sigmoid(beta x)",
    .settings_size = sizeof(struct settings),
    .options = options,
    .layer = &functions,
};
