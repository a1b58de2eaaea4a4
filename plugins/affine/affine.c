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
    const double *scale = call->theta.value, *ybar = call->y.bar;
    double *scalebar = call->theta.bar, *shiftbar = scalebar + call->in.c;
    EACH_CHANNEL(call, k, i)
    for (size_t p = i; p < i + P; p++) {
        scalebar[k] += ybar[p] * call->x.value[p];
        shiftbar[k] += ybar[p];
        call->x.bar[p] = scale[k] * ybar[p];
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
    const double *scale = call->theta.value, *scaledot = call->theta.dot, *ybar = call->y.bar,
                 *ybardot = call->y.bardot;
    double *scalebardot = call->theta.bardot, *shiftbardot = scalebardot + call->in.c;
    EACH_CHANNEL(call, k, i)
    for (size_t p = i; p < i + P; p++) {
        scalebardot[k] += ybardot[p] * call->x.value[p] + ybar[p] * call->x.dot[p];
        shiftbardot[k] += ybardot[p];
        call->x.bardot[p] = scale[k] * ybardot[p] + scaledot[k] * ybar[p];
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
