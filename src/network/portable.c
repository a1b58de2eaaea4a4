/* Rewrites a network so that Darknets and OpenCV read it alike. */
#include "portable.h"
#include "portable_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 100.           /* deviation of a channel whose normalisation is kept */
#define LARGEST_KERNEL 1024 /* as sections.c allows */

/* ---- normalisation --------------------------------------------------------------------------- */

/* Multiplies each filter's weights, mean and deviation by one factor, so that the deviation is
   UNIT: what is normalised stays the same. */
static void set_units(struct meta_filled *f)
{
    const struct meta_layer *l = &f->network->layers[f->network->count - 1];
    size_t row = l->weight_count / l->filters;
    for (int o = 0; o < l->filters; o++) {
        double factor = UNIT / (sqrt(f->statistics[l->variance + o]) + 1e-6);
        f->statistics[l->mean + o] *= factor;
        f->statistics[l->variance + o] = UNIT * UNIT;
        for (size_t k = 0; k < row; k++) f->parameters[l->weights + o * row + k] *= factor;
    }
}

static int settle_normalisation(struct meta_rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    if (!l->batch_normalize) return 0;
    int keep = r->fold == META_FOLD_NONE || (r->fold == META_FOLD_REST && !r->normalised);
    r->normalised = 1;
    if (l->type == META_CONNECTED || meta_rewrite_last(r)->type == META_CONNECTED || !keep)
        return meta_filled_fold_last(r->to, r->error);
    set_units(r->to);
    return 0;
}

/* ---- [convolutional] and [connected] --------------------------------------------------------- */

/* Where the numbers of a kernel go: weight s of `from` in a kernel of `from_kernel` to weight t in
   one of `to_kernel`. Kernels of one size are copied whole. */
struct placing {
    size_t from_kernel, s, to_kernel, t;
    int taps, apart; /* taps > 1: instead all numbers of kernels of so many by so many, `apart`
                        pixels from each other */
};

/* Spreads `count` kernels of `taps` by `taps` over larger ones, which are zeros else. */
static void spread(float *to, const float *from, size_t count, const struct placing *p)
{
    size_t side = (size_t)(p->taps - 1) * p->apart + 1;
    for (size_t k = 0; k < count; k++, to += side * side)
        for (int y = 0; y < p->taps; y++)
            for (int x = 0; x < p->taps; x++) to[(y * side + x) * p->apart] = *from++;
}

/* Adds `layer` with the numbers of layer i. */
static int add_weighted(struct meta_rewrite *r, int i, struct meta_layer layer, struct placing p)
{
    const struct meta_layer *old = &r->net->layers[i];
    const float *from = r->from->parameters;
    struct meta_filled *to = r->to;
    size_t row = sizeof(float) * old->filters;
    if (meta_rewrite_add(r, layer)) return -1;
    const struct meta_layer *new = meta_rewrite_last(r);
    memcpy(to->parameters + new->biases, from + old->biases, row);
    if (p.taps > 1)
        spread(to->parameters + new->weights, from + old->weights,
               old->weight_count / p.from_kernel, &p);
    else if (p.from_kernel == p.to_kernel)
        memcpy(to->parameters + new->weights, from + old->weights,
               old->weight_count * sizeof *from);
    else
        for (size_t k = 0; k < old->weight_count / p.from_kernel; k++)
            to->parameters[new->weights + k *p.to_kernel + p.t] =
                from[old->weights + k * p.from_kernel + p.s];
    if (old->batch_normalize) {
        memcpy(to->parameters + new->scales, from + old->scales, row);
        memcpy(to->statistics + new->mean, r->from->statistics + old->mean, row);
        memcpy(to->statistics + new->variance, r->from->statistics + old->variance, row);
    }
    return settle_normalisation(r, i);
}

static int rewrite_convolutional(struct meta_rewrite *r, int i)
{
    struct meta_layer layer = r->net->layers[i];
    size_t kernel = (size_t)layer.size * layer.size;
    struct placing place = { kernel, 0, kernel, 0, 0, 0 };
    int tap = layer.padding / meta_layer_dilation(&layer);
    if (meta_rewrite_reads_vector(r) && meta_shape_pixels(layer.out) == 1 && tap < layer.size
        && meta_layer_groups(&layer) == 1) {
        layer.type = META_CONNECTED;
        place = (struct placing){ kernel, (size_t)tap * layer.size + tap, 1, 0, 0, 0 };
    } else if (meta_layer_dilation(&layer) > 1
               && meta_rewrite_affordable(layer.filters, layer.in.c / meta_layer_groups(&layer),
                                          (size_t)meta_layer_extent(&layer)
                                              * meta_layer_extent(&layer))) {
        place.taps = layer.size;
        place.apart = layer.dilation;
        layer.size = meta_layer_extent(&layer);
        layer.dilation = 1;
    } else if (layer.size == 1 && (layer.stride > 1 || layer.padding)) {
        layer.size = 3;
        layer.padding++;
        place = (struct placing){ 1, 0, 9, 4, 0, 0 };
    }
    return add_weighted(r, i, layer, place);
}

static int rewrite_connected(struct meta_rewrite *r, int i)
{
    struct meta_layer layer = r->net->layers[i];
    if (!meta_rewrite_reads_vector(r) && layer.in.w == layer.in.h && layer.in.w <= LARGEST_KERNEL
        && meta_opencv_view_inputs(&r->view) != meta_shape_numbers(layer.in)) {
        layer.type = META_CONVOLUTIONAL;
        layer.size = layer.in.w;
        layer.stride = 1;
    }
    return add_weighted(r, i, layer, (struct placing){ 1, 0, 1, 0, 0, 0 });
}

/* ---- [activation] and [softmax] -------------------------------------------------------------- */

static int rewrite_activation(struct meta_rewrite *r, int i)
{
    enum meta_activation activation = r->net->layers[i].activation;
    int before = i ? r->place[i - 1] : -1;
    if (before >= 0 && activation == META_LINEAR) {
        r->place[i] = before;
        r->reads[i] += r->reads[i - 1] - 1;
        return 0;
    }
    if (before >= 0 && before == meta_rewrite_last_index(r) && r->reads[i - 1] == 1
        && meta_rewrite_last(r)->activation == META_LINEAR
        && (meta_rewrite_last(r)->type == META_CONVOLUTIONAL
            || meta_rewrite_last(r)->type == META_CONNECTED
            || meta_rewrite_last(r)->type == META_SHORTCUT)) {
        meta_rewrite_last(r)->activation = activation;
        return 0;
    }
    int c = meta_rewrite_last_shape(r).c;
    return meta_rewrite_affordable(c, c, 1)
        ? meta_rewrite_add_diagonal(r, meta_rewrite_identity(r, activation))
        : meta_rewrite_copy(r, i);
}

/* The layer before [softmax] whose weights can be divided in place of its inputs: nothing but what
   keeps factors stands between, and nothing else reads it. -1: there is none. */
static int scalable(const struct meta_rewrite *r, int softmax)
{
    int i = softmax - 1;
    while (i > 0 && r->reads[i] == 1
           && (r->net->layers[i].type == META_AVGPOOL || r->net->layers[i].type == META_MAXPOOL
               || r->net->layers[i].type == META_DROPOUT))
        i--;
    if (i < 0 || r->reads[i] != 1 || r->place[i] < 0) return -1;
    const struct meta_layer *l = &r->to->network->layers[r->place[i]];
    return (l->type == META_CONVOLUTIONAL || l->type == META_CONNECTED)
            && meta_piecewise_linear(l->activation)
        ? r->place[i]
        : -1;
}

static void divide(struct meta_filled *f, int layer, double by)
{
    const struct meta_layer *l = &f->network->layers[layer];
    for (int o = 0; o < l->filters; o++) f->parameters[l->biases + o] /= by;
    for (int o = 0; l->scales != META_NONE && o < l->filters; o++)
        f->parameters[l->scales + o] /= by;
    for (size_t k = 0; l->scales == META_NONE && k < l->weight_count; k++)
        f->parameters[l->weights + k] /= by;
}

static int rewrite_softmax(struct meta_rewrite *r, int i)
{
    double temperature = r->net->layers[i].temperature;
    int n = r->net->layers[i].out.c, map = meta_shape_pixels(meta_rewrite_last_shape(r)) > 1,
        head = map || temperature == 1 ? -1 : scalable(r, i);
    if (head >= 0) {
        divide(r->to, head, temperature);
        temperature = 1;
    } else if ((map || temperature != 1) && meta_rewrite_affordable(n, n, 1)) {
        struct meta_diagonal d = { .outputs = n,
                                   .scaled = n,
                                   .factor = 1 / temperature,
                                   .connected = 1,
                                   .activation = META_LINEAR };
        if (meta_rewrite_add_diagonal(r, d)) return -1;
        temperature = 1;
    }
    return meta_rewrite_add(r,
                            (struct meta_layer){ .type = META_SOFTMAX,
                                                 .temperature = temperature });
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Whether no layer has a map of more than a row or a column. */
static int without_map(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->in.w > 1 && l->in.h > 1 && l->type != META_CONNECTED && l->type != META_DROPOUT)
            return 0;
    }
    return net->input.w > 1 && net->input.h > 1;
}

/* OpenCV's importer leaves the factor out. */
static int rewrite_upsample(struct meta_rewrite *r, int i)
{
    double factor = r->net->layers[i].alpha;
    struct meta_diagonal d = meta_rewrite_identity(r, META_LINEAR);
    if (factor == 1 || meta_rewrite_reads_vector(r)
        || !meta_rewrite_affordable(d.outputs, d.outputs, 1))
        return meta_rewrite_copy(r, i);
    d.factor = factor;
    if (meta_rewrite_add_diagonal(r, d) || meta_rewrite_copy(r, i)) return -1;
    meta_rewrite_last(r)->alpha = 1;
    return 0;
}

static int rewrite_layer(struct meta_rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    if (l->plugin)
        return meta_fail(r->error,
                         "[%s] is a plugin's section, not Darknet's own: can't be exported",
                         meta_layer_name(l));
    switch (l->type) {
    case META_CONVOLUTIONAL: return rewrite_convolutional(r, i);
    case META_CONNECTED: return rewrite_connected(r, i);
    case META_ACTIVATION: return rewrite_activation(r, i);
    case META_SOFTMAX: return rewrite_softmax(r, i);
    case META_SHORTCUT: return meta_rewrite_shortcut(r, i);
    case META_UPSAMPLE: return rewrite_upsample(r, i);
    case META_DROPOUT:
        return i ? meta_rewrite_copy(r, i)
                 : meta_rewrite_add_diagonal(r, meta_rewrite_identity(r, META_LINEAR));
    default: return meta_rewrite_copy(r, i);
    }
}

static int rewrite(struct meta_rewrite *r)
{
    if (meta_network_create(&r->to->network, r->net->input, r->error)
        || meta_opencv_view_begin(&r->view, r->net->input, 6 * r->net->count + 2, r->error))
        return -1;
    for (int i = 0; i < r->net->count; i++) {
        const struct meta_layer *l = &r->net->layers[i];
        for (int k = 0; k < l->from_count; k++) r->reads[l->from[k]]++;
        if (i && l->type != META_ROUTE) r->reads[i - 1]++;
    }
    if (without_map(r->net) && meta_rewrite_add_diagonal(r, meta_rewrite_identity(r, META_LINEAR)))
        return -1;
    for (int i = 0; i < r->net->count; i++) {
        r->place[i] = -1;
        if (rewrite_layer(r, i)) return -1;
        if (r->place[i] < 0) r->place[i] = meta_rewrite_last_index(r);
        if (meta_rewrite_add_addends(r, i)) return -1;
    }
    return 0;
}

int meta_portable(struct meta_filled *to, const struct meta_filled *from, enum meta_fold fold,
                  struct meta_error *error)
{
    int count = from->network->count, *numbers = calloc(3 * count, sizeof *numbers);
    struct meta_rewrite r = { .from = from,
                              .net = from->network,
                              .to = to,
                              .fold = fold,
                              .place = numbers,
                              .reads = numbers + count,
                              .addend = numbers + 2 * count,
                              .error = error };
    *to = (struct meta_filled){ 0 };
    if (!numbers) return meta_fail_memory(error);
    int status = rewrite(&r);
    meta_opencv_view_clear(&r.view);
    free(numbers);
    if (status) meta_filled_clear(to);
    return status;
}
