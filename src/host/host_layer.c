/* Makes a plugin's layer one of libdarknet's, which computes in floats where the plugin computes in
   doubles.

   A layer with parameters passes for a convolution with as many biases and kernels of size 0: so
   the library's readers and writers of .weights files find the parameters, and nothing else. */
#include "host.h"
#include "base/plugin_call.h"
#include "base/rng.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What such a layer has of its own, all in one block. struct layer has no place for it, so that the
   block is in one of its buffers: cweights, which only xnor layers use and free_layer frees. */
struct hosted {
    const struct meta_plugin *plugin;
    struct meta_call call;
    void *settings;
    double *x, *xbar; /* (batch, in) */
    double *y;        /* (batch, out); ybar in backward */
    int array_count;
    struct meta_array arrays[META_MOST_ARRAYS];
    double *theta, *thetabar; /* (l.n) the arrays, which are l.biases, and by them */
};

static struct hosted *hosted(layer l) { return (struct hosted *)l.cweights; }

static void widen(double *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] = from[i];
}

static void forward(layer l, network net)
{
    struct hosted *h = hosted(l);
    size_t outputs = (size_t)l.batch * l.outputs;
    struct meta_call call = h->call;
    widen(h->x, net.input, (size_t)l.batch * l.inputs);
    widen(h->theta, l.biases, l.n);
    call.batch = l.batch;
    call.x.value = h->x;
    call.y.value = h->y;
    call.theta.value = l.n ? h->theta : NULL;
    h->plugin->layer->forward(h->settings, &call);
    for (size_t i = 0; i < outputs; i++) l.output[i] = h->y[i];
}

/* As in Darknet, the adjoint is added to that of the layer below, where there is one, and that of
   the parameters to what `update` takes. */
static void backward(layer l, network net)
{
    struct hosted *h = hosted(l);
    size_t inputs = (size_t)l.batch * l.inputs;
    struct meta_call call = h->call;
    if (!net.delta && !l.n) return;
    widen(h->x, net.input, inputs);
    widen(h->y, l.delta, (size_t)l.batch * l.outputs);
    widen(h->theta, l.biases, l.n);
    memset(h->thetabar, 0, l.n * sizeof *h->thetabar);
    call.batch = l.batch;
    call.x.value = h->x;
    call.y.bar = h->y;
    call.x.bar = h->xbar;
    call.theta.value = l.n ? h->theta : NULL;
    call.theta.bar = l.n ? h->thetabar : NULL;
    h->plugin->layer->backward(h->settings, &call);
    for (size_t i = 0; net.delta && i < inputs; i++) net.delta[i] += h->xbar[i];
    for (int i = 0; i < l.n; i++) l.bias_updates[i] += h->thetabar[i];
}

/* As update_convolutional_layer does it. */
static void update(layer l, update_args a)
{
    const struct hosted *h = hosted(l);
    float rate = a.learning_rate * l.learning_rate_scale / a.batch;
    for (int k = 0, i = 0; k < h->array_count; k++)
        for (int end = i + (int)h->arrays[k].count; i < end; i++) {
            if (h->arrays[k].decays) l.bias_updates[i] -= a.decay * a.batch * l.biases[i];
            l.biases[i] += rate * l.bias_updates[i];
            l.bias_updates[i] *= a.momentum;
        }
}

/* ---- one block ------------------------------------------------------------------------------- */

static size_t aligned(size_t bytes) { return (bytes + 15) / 16 * 16; }

/* The bytes of all texts and lists that the settings point to. */
static size_t hanging(const struct meta_option *table, const void *settings)
{
    size_t bytes = 0;
    for (const struct meta_option *o = table; o->name; o++) {
        const void *field = (const char *)settings + o->offset;
        if (o->type == META_TEXT && *(char *const *)field)
            bytes += aligned(strlen(*(char *const *)field) + 1);
        if (o->type == META_INTS || o->type == META_REALS)
            bytes += aligned(((const struct meta_list *)field)->count * sizeof(double));
    }
    return bytes;
}

/* Copies the texts and lists of the settings to `to`, and lets the settings point there. */
static void rehang(const struct meta_option *table, void *settings, char *to)
{
    for (const struct meta_option *o = table; o->name; o++) {
        void *field = (char *)settings + o->offset;
        size_t bytes;
        if (o->type == META_TEXT && *(char **)field) {
            bytes = strlen(*(char **)field) + 1;
            *(char **)field = memcpy(to, *(char **)field, bytes);
        } else if ((o->type == META_INTS || o->type == META_REALS)
                   && ((struct meta_list *)field)->count) {
            struct meta_list *numbers = field;
            bytes = numbers->count * sizeof(double);
            numbers->values = memcpy(to, numbers->values, bytes);
        } else continue;
        to += aligned(bytes);
    }
}

static struct hosted *make_hosted(const struct meta_plugin *plugin, const void *settings,
                                  struct meta_call call, size_t parameters)
{
    size_t inputs = (size_t)call.in.c * call.in.h * call.in.w,
           outputs = (size_t)call.out.c * call.out.h * call.out.w, batch = call.batch;
    size_t own = aligned(plugin->settings_size), hung = hanging(plugin->options, settings);
    char *block = calloc(1,
                         aligned(sizeof(struct hosted)) + own + hung
                             + (batch * (2 * inputs + outputs) + 2 * parameters) * sizeof(double));
    struct hosted *h = (struct hosted *)block;
    if (!block) return NULL;
    block += aligned(sizeof *h);
    h->settings = block;
    if (plugin->settings_size) memcpy(block, settings, plugin->settings_size);
    rehang(plugin->options, h->settings, block + own);
    h->plugin = plugin;
    h->call = call;
    h->x = (double *)(block + own + hung);
    h->xbar = h->x + batch * inputs;
    h->y = h->xbar + batch * inputs;
    h->theta = h->y + batch * outputs;
    h->thetabar = h->theta + parameters;
    return h;
}

/* ---- the layer ------------------------------------------------------------------------------- */

/* The arrays of parameters and their beginnings. Returns -1 where there is no memory. */
static int set_parameters(layer *l, const struct meta_array *arrays, int count, int index)
{
    struct hosted *h = hosted(*l);
    for (int k = 0; k < count; k++) l->n += arrays[k].count;
    h->array_count = count;
    memcpy(h->arrays, arrays, sizeof h->arrays);
    if (!l->n) return 0;
    l->type = CONVOLUTIONAL;
    l->groups = 1;
    l->update = update;
    l->biases = calloc(l->n, sizeof *l->biases);
    l->bias_updates = calloc(l->n, sizeof *l->bias_updates);
    if (!l->biases || !l->bias_updates) return -1;
    struct meta_rng rng = meta_rng_open(0, META_USE_WEIGHTS, 0, 0, index);
    meta_plugin_begin(arrays, count, &rng, l->biases);
    return 0;
}

const char *meta_host_plugin(const layer *l)
{
    return l->forward == forward ? hosted(*l)->plugin->name : NULL;
}

int meta_host_layer(layer *out, const struct meta_plugin *plugin, const void *settings,
                    struct meta_size_params p, struct meta_error *error)
{
    struct meta_shape in = { p.c, p.h, p.w }, to;
    struct meta_array arrays[META_MOST_ARRAYS];
    layer l;
    memset(&l, 0, sizeof l);
    if (p.inputs < 1 || p.batch < 1) return meta_fail(error, "its input is empty");
    if ((int64_t)p.inputs * p.batch > INT32_MAX)
        return meta_fail(error,
                         "its input has %d numbers for each of %d images: must be at most %d",
                         p.inputs, p.batch, INT32_MAX);
    if (p.c < 1 || p.h < 1 || p.w < 1 || (int64_t)p.c * p.h > p.inputs
        || (int64_t)p.c * p.h * p.w != p.inputs)
        in = (struct meta_shape){ p.inputs, 1, 1 }; /* A flat layer may say 0x0x0. */
    if (meta_plugin_shape(plugin, settings, in, INT32_MAX / p.batch, &to, error)) return -1;
    int count = meta_plugin_arrays(plugin, settings, in, INT32_MAX / 2, arrays, error);
    if (count < 0) return -1;
    size_t parameters = 0;
    for (int k = 0; k < count; k++) parameters += arrays[k].count;
    int outputs = to.c * to.h * to.w;
    l.type = BLANK;
    l.forward = forward;
    l.backward = backward;
    l.batch = p.batch;
    l.inputs = p.inputs;
    l.h = in.h;
    l.w = in.w;
    l.c = in.c;
    l.outputs = outputs;
    l.out_h = to.h;
    l.out_w = to.w;
    l.out_c = to.c;
    l.output = calloc((size_t)p.batch * outputs, sizeof *l.output);
    l.delta = calloc((size_t)p.batch * outputs, sizeof *l.delta);
    l.cweights = (char *)make_hosted(plugin, settings,
                                     (struct meta_call){ .in = in, .out = to, .batch = p.batch },
                                     parameters);
    if (!l.output || !l.delta || !l.cweights || set_parameters(&l, arrays, count, p.index)) {
        free(l.output);
        free(l.delta);
        free(l.cweights);
        free(l.biases);
        free(l.bias_updates);
        return meta_fail_memory(error);
    }
    fprintf(stderr, "%5d %-23s %4d x%4d x%4d   ->  %4d x%4d x%4d\n", p.index, plugin->name, l.w,
            l.h, l.c, l.out_w, l.out_h, l.out_c);
    *out = l;
    return 0;
}
