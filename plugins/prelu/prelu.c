/* [prelu]: y = x where x > 0, else slope x, with a learned slope for each channel or one for all
   (He et al., Delving Deep into Rectifiers, ICCV 2015, which lets no weight decay act on slopes).
 */
#include "plugin.h"

struct settings {
    double slope;
    int shared;
};

static const struct meta_option options[] = {
    { "slope", META_REAL, .25, -1000, 1000, NULL, offsetof(struct settings, slope),
      "what the slopes below 0 begin with" },
    { "shared", META_INT, 0, 0, 1, NULL, offsetof(struct settings, shared),
      "1: one slope for all channels; 0: each has its own" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static int arrays(const void *settings, struct meta_shape in,
                  struct meta_array arrays[META_MOST_ARRAYS], struct meta_error *error)
{
    const struct settings *s = settings;
    arrays[0] = (struct meta_array){ "slopes", s->shared ? 1 : in.c, .value = s->slope };
    return 1;
}

/* Channel by channel of the images: `a` is its slope's index, and p goes over its numbers. */
#define EACH_NUMBER(settings, call, a, p)                                                          \
    for (size_t P = (size_t)(call)->in.h * (call)->in.w, k = 0, a = 0;                             \
         k < (size_t)(call)->batch * (call)->in.c;                                                 \
         k++, a = ((const struct settings *)(settings))->shared ? 0 : k % (call)->in.c)            \
        for (size_t p = k * P; p < (k + 1) * P; p++)

static void forward(const void *settings, const struct meta_call *call)
{
    const double *x = call->x.value, *slope = call->theta.value;
    EACH_NUMBER(settings, call, a, p) call->y.value[p] = x[p] > 0 ? x[p] : slope[a] * x[p];
}

static void backward(const void *settings, const struct meta_call *call)
{
    const double *x = call->x.value, *slope = call->theta.value, *ybar = call->y.bar;
    EACH_NUMBER(settings, call, a, p)
    {
        call->x.bar[p] = x[p] > 0 ? ybar[p] : slope[a] * ybar[p];
        call->theta.bar[a] += x[p] > 0 ? 0 : ybar[p] * x[p];
    }
}

static void forward_tangent(const void *settings, const struct meta_call *call)
{
    const double *x = call->x.value, *xdot = call->x.dot, *slope = call->theta.value;
    EACH_NUMBER(settings, call, a, p)
    call->y.dot[p] = x[p] > 0 ? xdot[p] : slope[a] * xdot[p] + call->theta.dot[a] * x[p];
}

static void backward_tangent(const void *settings, const struct meta_call *call)
{
    const double *x = call->x.value, *xdot = call->x.dot, *slope = call->theta.value,
                 *ybar = call->y.bar, *ybardot = call->y.bardot;
    EACH_NUMBER(settings, call, a, p)
    {
        call->x.bardot[p] = x[p] > 0 ? ybardot[p]
                                     : slope[a] * ybardot[p] + call->theta.dot[a] * ybar[p];
        call->theta.bardot[a] += x[p] > 0 ? 0 : ybardot[p] * x[p] + ybar[p] * xdot[p];
    }
}

/* As relu(x) - slope relu(-x). */
static int stock(const void *settings, struct meta_shape in, const double *theta,
                 struct meta_writer *w, struct meta_error *error)
{
    const struct settings *s = settings;
    for (int k = 0; k < in.c; k++) w->scratch[k] = 1;
    if (w->affine(w, w->scratch, NULL, "relu", error)) return -1;
    for (int k = 0; k < in.c; k++) w->scratch[k] = -1;
    if (w->section(w, "route", "layers=-2", NULL, 0, error)) return -1;
    if (w->affine(w, w->scratch, NULL, "relu", error)) return -1;
    for (int k = 0; k < in.c; k++) w->scratch[k] = -theta[s->shared ? 0 : k];
    if (w->affine(w, w->scratch, NULL, "linear", error)) return -1;
    return w->section(w, "shortcut", "from=-4 activation=linear", NULL, 0, error);
}

static const struct meta_layer_functions functions = {
    .forward = forward,
    .backward = backward,
    .forward_tangent = forward_tangent,
    .backward_tangent = backward_tangent,
    .reach = META_REACH_IMAGE,
    .arrays = arrays,
    .stock = stock,
};

const struct meta_plugin meta_plugin = {
    .abi = META_PLUGIN_ABI,
    .size = sizeof(struct meta_plugin),
    .name = "prelu",
    .role = META_ROLE_LAYER,
    .summary = "x above 0, a learned slope times x below",
    .settings_size = sizeof(struct settings),
    .options = options,
    .layer = &functions,
};
