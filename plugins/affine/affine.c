/* [affine]: y = scale x + shift, with a scale and a shift for each channel, as batch normalisation
   ends in; of a flat input, for each number. */
#include "plugin.h"

struct settings {
    double scale;
};

static const struct meta_option options[] = { { "scale", META_REAL, 1, -1000, 1000, NULL,
                                                offsetof(struct settings, scale),
                                                "what the scales begin with; the shifts begin with "
                                                "0" },
                                              { NULL, META_INT, 0, 0, 0, NULL, 0, NULL } };

static int arrays(const void *settings, struct meta_shape in,
                  struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error)
{
    const struct settings *s = settings;
    arrays[0] = (struct meta_array){ .name = "scales", .count = in.c, .value = s->scale };
    arrays[1] = (struct meta_array){ .name = "shifts", .count = in.c };
    return 2;
}

static double multiply_adds(const void *settings, struct meta_shape in)
{
    return (double)in.c * in.h * in.w;
}

/* The channel k of an image begins at x + i; its scale is theta[k], its shift theta[c + k]. */
#define EACH_CHANNEL(call, k, i)                                                                   \
    for (size_t k = 0, i = 0, P = (size_t)(call)->in.h * (call)->in.w;                             \
         i < (call)->batch * (call)->in.c * P; i += P, k = (k + 1) % (call)->in.c)

static void forward(const void *settings, const struct meta_call *call)
{
    const double *scale = call->theta.value, *shift = scale + call->in.c;
    EACH_CHANNEL(call, k, i)
    for (size_t p = i; p < i + P; p++) call->y.value[p] = scale[k] * call->x.value[p] + shift[k];
}

static void backward(const void *settings, const struct meta_call *call)
{
    const double *scale = call->theta.value, *x = call->x.value, *ybar = call->y.bar;
    EACH_CHANNEL(call, k, i)
    {
        double factor = scale[k], scalebar = 0, shiftbar = 0, *xbar = call->x.bar;
        for (size_t p = i; p < i + P; p++) {
            scalebar += ybar[p] * x[p];
            shiftbar += ybar[p];
            xbar[p] = factor * ybar[p];
        }
        call->theta.bar[k] += scalebar;
        call->theta.bar[call->in.c + k] += shiftbar;
    }
}

static void forward_tangent(const void *settings, const struct meta_call *call)
{
    const double *scale = call->theta.value, *scaledot = call->theta.dot,
                 *shiftdot = scaledot + call->in.c;
    EACH_CHANNEL(call, k, i)
    for (size_t p = i; p < i + P; p++)
        call->y.dot[p] = scale[k] * call->x.dot[p] + scaledot[k] * call->x.value[p] + shiftdot[k];
}

static void backward_tangent(const void *settings, const struct meta_call *call)
{
    const double *x = call->x.value, *xdot = call->x.dot, *ybar = call->y.bar,
                 *ybardot = call->y.bardot;
    EACH_CHANNEL(call, k, i)
    {
        double scale = call->theta.value[k], scaledot = call->theta.dot[k], *to = call->x.bardot;
        double scalebardot = 0, shiftbardot = 0;
        for (size_t p = i; p < i + P; p++) {
            scalebardot += ybardot[p] * x[p] + ybar[p] * xdot[p];
            shiftbardot += ybardot[p];
            to[p] = scale * ybardot[p] + scaledot * ybar[p];
        }
        call->theta.bardot[k] += scalebardot;
        call->theta.bardot[call->in.c + k] += shiftbardot;
    }
}

static int stock(const void *settings, struct meta_shape in, const double *theta,
                 struct meta_writer *w, struct meta_error *error)
{
    return w->affine(w, theta, theta + in.c, "linear", error);
}

static const struct meta_layer_functions functions = {
    .forward = forward,
    .backward = backward,
    .forward_tangent = forward_tangent,
    .backward_tangent = backward_tangent,
    .reach = META_REACH_IMAGE,
    .arrays = arrays,
    .multiply_adds = multiply_adds,
    .stock = stock,
};

const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "affine",
    .role = META_ROLE_LAYER,
    .summary = "a learned scale and shift for each channel",
    .settings_size = sizeof(struct settings),
    .options = options,
    .layer = &functions,
};
