/* A plugin to copy: the layer [swish], y = x * sigmoid(beta x), with a learned beta a channel.

       [swish]
       beta=1

   To make a layer of your own:
     1. Copy this folder: cp -r plugins/template plugins/mine. `make` builds every folder of
        plugins/ but template into plugins/mine.so, and the program finds it there. Elsewhere, the
        Makefile of the folder builds it, and DARKNET_PLUGIN_PATH names the folder.
     2. Settings: a struct with one field an option.
     3. Options: one row a field. The host reads, bounds and stores them, and writes the errors.
     4. shape, which is not here: from the input's shape the output's where that is another, or
        what does not fit.
     5. arrays: the parameters, and how they begin. A layer without any leaves it out.
     6. forward and backward: the function and its adjoint, by the input and by the parameters.
     7. The two tangents: their derivatives along a direction. Without them (NULL) the layer
        works under order=1 only.
     8. The registration, at the end: name and role.
     9. Check the four functions against each other and against differences:
        darknet meta check my.cfg

   The arrays are (batch, c, h, w), planar, of doubles; plugin.h says what each function reads and
   writes. The functions are called from several threads at once: they keep nothing. */
#include <math.h>
#include "plugin.h"

/* 2. */
struct settings {
    double beta;
};

/* 3. name, type, default, least, most, choices, field, help */
static const struct meta_option options[] = { { "beta", META_REAL, 1, 0, 100, NULL,
                                                offsetof(struct settings, beta),
                                                "what the betas begin with; 0: x/2; large: relu" },
                                              { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

/* 5. */
static int arrays(const void *settings, struct meta_shape in,
                  struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error)
{
    const struct settings *s = settings;
    arrays[0] = (struct meta_array){ .name = "betas", .count = in.c, .value = s->beta };
    return 1;
}

/* Of f = x s, with s = sigmoid(z), z = beta x: the derivatives by x and by beta. */
struct swish {
    double f, x, beta, x_x, x_beta, beta_beta;
};

static inline struct swish swish(double beta, double x)
{
    double z = beta * x, s = 1 / (1 + exp(-z)), s1 = s * (1 - s), s2 = s1 * (1 - 2 * s);
    double bend = 2 * s1 + z * s2;
    return (struct swish){ x * s, s + z * s1, x * x * s1, beta * bend, x * bend, x * x * x * s2 };
}

/* The channels of all images, each of so many pixels; channel r of them is channel r % in.c. */
static size_t rows(const struct meta_call *c) { return (size_t)c->batch * c->in.c; }
static size_t pixels(const struct meta_call *c) { return (size_t)c->in.h * c->in.w; }

/* 6. */
static void forward(const void *settings, const struct meta_call *c)
{
    const double *x = c->x.value, *beta = c->theta.value;
    for (size_t r = 0, i = 0; r < rows(c); r++)
        for (size_t k = r % c->in.c; i < (r + 1) * pixels(c); i++)
            c->y.value[i] = swish(beta[k], x[i]).f;
}

static void backward(const void *settings, const struct meta_call *c)
{
    const double *x = c->x.value, *ybar = c->y.bar;
    for (size_t r = 0, i = 0; r < rows(c); r++) {
        size_t k = r % c->in.c, end = (r + 1) * pixels(c);
        double beta = c->theta.value[k], betabar = 0, *xbar = c->x.bar;
        for (; i < end; i++) {
            struct swish f = swish(beta, x[i]);
            xbar[i] = ybar[i] * f.x;
            betabar += ybar[i] * f.beta;
        }
        c->theta.bar[k] += betabar;
    }
}

/* 7. */
static void forward_tangent(const void *settings, const struct meta_call *c)
{
    const double *x = c->x.value, *xdot = c->x.dot, *beta = c->theta.value, *betadot = c->theta.dot;
    for (size_t r = 0, i = 0; r < rows(c); r++)
        for (size_t k = r % c->in.c; i < (r + 1) * pixels(c); i++) {
            struct swish f = swish(beta[k], x[i]);
            c->y.dot[i] = f.x * xdot[i] + f.beta * betadot[k];
        }
}

static void backward_tangent(const void *settings, const struct meta_call *c)
{
    const double *x = c->x.value, *xdot = c->x.dot, *ybar = c->y.bar, *ybardot = c->y.bardot;
    for (size_t r = 0, i = 0; r < rows(c); r++) {
        size_t k = r % c->in.c, end = (r + 1) * pixels(c);
        double beta = c->theta.value[k], betadot = c->theta.dot[k], sum = 0, *out = c->x.bardot;
        for (; i < end; i++) {
            struct swish f = swish(beta, x[i]);
            out[i] = ybardot[i] * f.x + ybar[i] * (f.x_x * xdot[i] + f.x_beta * betadot);
            sum += ybardot[i] * f.beta + ybar[i] * (f.x_beta * xdot[i] + f.beta_beta * betadot);
        }
        c->theta.bardot[k] += sum;
    }
}

static const struct meta_layer_functions functions = {
    .forward = forward,
    .backward = backward,
    .forward_tangent = forward_tangent,
    .backward_tangent = backward_tangent,
    .reach = META_REACH_IMAGE, /* an image's y depends on that image alone */
    .arrays = arrays,
};

/* 8. */
const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "swish",
    .role = META_ROLE_LAYER,
    .summary = "x * sigmoid(beta x), with a learned beta for each channel",
    .settings_size = sizeof(struct settings),
    .options = options,
    .layer = &functions,
};
