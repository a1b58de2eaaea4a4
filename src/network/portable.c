/* Rewrites a network so that Darknets and OpenCV read it alike. */
#include "portable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "opencv_view.h"

#define UNIT 100.                    /* deviation of a channel whose normalisation is kept */
#define MOST_ADDED ((size_t)1 << 22) /* weights of a layer that is added */
#define LARGEST_KERNEL 1024          /* as sections.c allows */

struct rewrite {
    const struct meta_filled *from;
    const struct meta_network *net; /* from->network */
    struct meta_filled *to;
    enum meta_fold fold;
    struct meta_opencv_view view; /* of `to` */
    int *place; /* (net->count) the layer of `to` that has layer i's output; -1: the image has it */
    int *reads; /* (net->count) how many layers read layer i, the next one included */
    int *addend;    /* (net->count) the layer of `to` that is added in place of [shortcut] i's; -1:
                       none */
    int normalised; /* whether the first normalised layer has been met */
    struct meta_error *error;
};

static int last_index(const struct rewrite *r) { return r->to->network->count - 1; }
static struct meta_layer *last(const struct rewrite *r)
{
    return &r->to->network->layers[last_index(r)];
}

/* What the next layer reads. */
static struct meta_shape last_shape(const struct rewrite *r)
{
    return last_index(r) < 0 ? r->to->network->input : last(r)->out;
}

/* Whether the next layer reads a vector that OpenCV, too, has as one. [upsample], [reorg] and
   [scale_channels] make maps of vectors. */
static int reads_vector(const struct rewrite *r)
{
    return r->view.last_flat && meta_shape_pixels(last_shape(r)) == 1;
}

static int add(struct rewrite *r, struct meta_layer layer)
{
    if (meta_filled_add(r->to, layer, r->error)) return -1;
    meta_opencv_view_add(&r->view, last(r));
    return 0;
}

static int copy(struct rewrite *r, int i)
{
    if (meta_filled_copy_layer(r->to, r->from, i, 0, r->place, r->error)) return -1;
    meta_opencv_view_add(&r->view, last(r));
    return 0;
}

/* ---- layers that are added ------------------------------------------------------------------- */

/* A layer whose output k is input k times a factor: `factor` for k < scaled, `rest` behind. Of a
   map it takes the pixels at multiples of `stride`. */
struct diagonal {
    int outputs, scaled;
    double factor, rest;
    int size, stride, padding; /* weights (padding, padding) of the kernels are not 0 */
    int connected;             /* of all numbers of a map instead of its channels */
    enum meta_activation activation;
};

static int affordable(size_t outputs, size_t inputs, size_t kernel)
{
    return outputs <= MOST_ADDED / inputs && outputs * inputs <= MOST_ADDED / kernel;
}

static int add_diagonal(struct rewrite *r, struct diagonal d)
{
    int connected = d.connected || reads_vector(r);
    size_t kernel = connected ? 1 : (size_t)d.size * d.size,
           tap = connected ? 0 : (size_t)d.padding * d.size + d.padding,
           inputs = connected ? meta_shape_numbers(last_shape(r)) : (size_t)last_shape(r).c;
    if (add(r,
            (struct meta_layer){ .type = connected ? META_CONNECTED : META_CONVOLUTIONAL,
                                 .filters = d.outputs,
                                 .size = d.size,
                                 .stride = d.stride,
                                 .padding = d.padding,
                                 .activation = d.activation }))
        return -1;
    float *weights = r->to->parameters + last(r)->weights;
    for (size_t k = 0; k < (size_t)d.outputs && k < inputs; k++)
        weights[(k * inputs + k) * kernel + tap] = k < (size_t)d.scaled ? d.factor : d.rest;
    return 0;
}

/* An identity with an activation. */
static struct diagonal identity(const struct rewrite *r, enum meta_activation activation)
{
    int n = last_shape(r).c;
    return (struct diagonal){
        .outputs = n, .scaled = n, .factor = 1, .size = 1, .stride = 1, .activation = activation
    };
}

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

static int settle_normalisation(struct rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    if (!l->batch_normalize) return 0;
    int keep = r->fold == META_FOLD_NONE || (r->fold == META_FOLD_REST && !r->normalised);
    r->normalised = 1;
    if (l->type == META_CONNECTED || last(r)->type == META_CONNECTED || !keep)
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
static int add_weighted(struct rewrite *r, int i, struct meta_layer layer, struct placing p)
{
    const struct meta_layer *old = &r->net->layers[i];
    const float *from = r->from->parameters;
    struct meta_filled *to = r->to;
    size_t row = sizeof(float) * old->filters;
    if (add(r, layer)) return -1;
    const struct meta_layer *new = last(r);
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

static int rewrite_convolutional(struct rewrite *r, int i)
{
    struct meta_layer layer = r->net->layers[i];
    size_t kernel = (size_t)layer.size * layer.size;
    struct placing place = { kernel, 0, kernel, 0, 0, 0 };
    int tap = layer.padding / meta_layer_dilation(&layer);
    if (reads_vector(r) && meta_shape_pixels(layer.out) == 1 && tap < layer.size
        && meta_layer_groups(&layer) == 1) {
        layer.type = META_CONNECTED;
        place = (struct placing){ kernel, (size_t)tap * layer.size + tap, 1, 0, 0, 0 };
    } else if (meta_layer_dilation(&layer) > 1
               && affordable(layer.filters, layer.in.c / meta_layer_groups(&layer),
                             (size_t)meta_layer_extent(&layer) * meta_layer_extent(&layer))) {
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

static int rewrite_connected(struct rewrite *r, int i)
{
    struct meta_layer layer = r->net->layers[i];
    if (!reads_vector(r) && layer.in.w == layer.in.h && layer.in.w <= LARGEST_KERNEL
        && meta_opencv_view_inputs(&r->view) != meta_shape_numbers(layer.in)) {
        layer.type = META_CONVOLUTIONAL;
        layer.size = layer.in.w;
        layer.stride = 1;
    }
    return add_weighted(r, i, layer, (struct placing){ 1, 0, 1, 0, 0, 0 });
}

/* ---- [activation] and [softmax] -------------------------------------------------------------- */

static int rewrite_activation(struct rewrite *r, int i)
{
    enum meta_activation activation = r->net->layers[i].activation;
    int before = i ? r->place[i - 1] : -1;
    if (before >= 0 && activation == META_LINEAR) {
        r->place[i] = before;
        r->reads[i] += r->reads[i - 1] - 1;
        return 0;
    }
    if (before >= 0 && before == last_index(r) && r->reads[i - 1] == 1
        && last(r)->activation == META_LINEAR
        && (last(r)->type == META_CONVOLUTIONAL || last(r)->type == META_CONNECTED
            || last(r)->type == META_SHORTCUT)) {
        last(r)->activation = activation;
        return 0;
    }
    int c = last_shape(r).c;
    return affordable(c, c, 1) ? add_diagonal(r, identity(r, activation)) : copy(r, i);
}

/* The layer before [softmax] whose weights can be divided in place of its inputs: nothing but what
   keeps factors stands between, and nothing else reads it. -1: there is none. */
static int scalable(const struct rewrite *r, int softmax)
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

static int rewrite_softmax(struct rewrite *r, int i)
{
    double temperature = r->net->layers[i].temperature;
    int n = r->net->layers[i].out.c, map = meta_shape_pixels(last_shape(r)) > 1,
        head = map || temperature == 1 ? -1 : scalable(r, i);
    if (head >= 0) {
        divide(r->to, head, temperature);
        temperature = 1;
    } else if ((map || temperature != 1) && affordable(n, n, 1)) {
        struct diagonal d = { .outputs = n,
                              .scaled = n,
                              .factor = 1 / temperature,
                              .connected = 1,
                              .activation = META_LINEAR };
        if (add_diagonal(r, d)) return -1;
        temperature = 1;
    }
    return add(r, (struct meta_layer){ .type = META_SOFTMAX, .temperature = temperature });
}

/* ---- [shortcut] ------------------------------------------------------------------------------ */

/* The convolution that takes from a map of a's size what Darknet's shortcut adds to one of b's:
   every pixel at a multiple of the stride. Returns 0 where there is none. */
static int find_sampling(struct meta_shape a, struct meta_shape b, struct diagonal *d)
{
    d->stride = a.w / b.w;
    if (!d->stride) return 0;
    for (d->size = 1; d->size <= 2 * d->stride + 1; d->size++)
        for (d->padding = 0; d->padding < d->size; d->padding++) {
            int w = a.w + 2 * d->padding - d->size, h = a.h + 2 * d->padding - d->size;
            if (w < 0 || h < 0 || w / d->stride + 1 != b.w || h / d->stride + 1 != b.h) continue;
            if (d->size > 1 || (d->stride == 1 && !d->padding)) return 1;
        }
    return 0;
}

/* What [shortcut] i needs to be one without factors between maps of one size. */
struct shortcut_plan {
    int possible, addend; /* addend: of a layer of its own */
    struct diagonal here, there;
};

static struct shortcut_plan plan_shortcut(const struct rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    struct meta_shape a = r->net->layers[l->from[0]].out, b = l->in;
    int shared = a.c < b.c ? a.c : b.c;
    struct shortcut_plan p = {
        .here = { b.c, shared, l->alpha, 1, .size = 1, .stride = 1, .activation = META_LINEAR },
        .there = { b.c, shared, l->beta, 0, .activation = META_LINEAR },
    };
    p.addend = l->beta != 1 || a.w != b.w || a.h != b.h;
    p.possible = (l->alpha == 1 || affordable(b.c, b.c, 1))
        && (!p.addend
            || (find_sampling(a, b, &p.there)
                && affordable(b.c, a.c, (size_t)p.there.size * p.there.size)));
    return p;
}

static int add_route(struct rewrite *r, int to)
{
    int *from = malloc(sizeof *from);
    if (!from) return meta_fail_memory(r->error);
    *from = to;
    return add(r, (struct meta_layer){ .type = META_ROUTE, .from_count = 1, .from = from });
}

/* Behind layer i: what the shortcuts from it add, as layers of their own; then layer i again. They
   stand here because a heat map is one of the last convolution. */
static int add_addends(struct rewrite *r, int i)
{
    int added = 0;
    for (int k = i + 1; k < r->net->count; k++) {
        const struct meta_layer *l = &r->net->layers[k];
        if (l->type != META_SHORTCUT || l->from[0] != i) continue;
        struct shortcut_plan p = plan_shortcut(r, k);
        if (!p.possible || !p.addend) continue;
        if ((added && add_route(r, r->place[i])) || add_diagonal(r, p.there)) return -1;
        r->addend[k] = last_index(r);
        added = 1;
    }
    return added ? add_route(r, r->place[i]) : 0;
}

static int rewrite_shortcut(struct rewrite *r, int i)
{
    const struct meta_layer *l = &r->net->layers[i];
    struct shortcut_plan p = plan_shortcut(r, i);
    if (!p.possible) return copy(r, i);
    if (l->alpha != 1 && add_diagonal(r, p.here)) return -1;
    if (copy(r, i)) return -1;
    last(r)->alpha = last(r)->beta = 1;
    if (p.addend) *last(r)->from = r->addend[i];
    return 0;
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
static int rewrite_upsample(struct rewrite *r, int i)
{
    double factor = r->net->layers[i].alpha;
    struct diagonal d = identity(r, META_LINEAR);
    if (factor == 1 || reads_vector(r) || !affordable(d.outputs, d.outputs, 1)) return copy(r, i);
    d.factor = factor;
    if (add_diagonal(r, d) || copy(r, i)) return -1;
    last(r)->alpha = 1;
    return 0;
}

static int rewrite_layer(struct rewrite *r, int i)
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
    case META_SHORTCUT: return rewrite_shortcut(r, i);
    case META_UPSAMPLE: return rewrite_upsample(r, i);
    case META_DROPOUT: return i ? copy(r, i) : add_diagonal(r, identity(r, META_LINEAR));
    default: return copy(r, i);
    }
}

static int rewrite(struct rewrite *r)
{
    if (meta_network_create(&r->to->network, r->net->input, r->error)
        || meta_opencv_view_begin(&r->view, r->net->input, 6 * r->net->count + 2, r->error))
        return -1;
    for (int i = 0; i < r->net->count; i++) {
        const struct meta_layer *l = &r->net->layers[i];
        for (int k = 0; k < l->from_count; k++) r->reads[l->from[k]]++;
        if (i && l->type != META_ROUTE) r->reads[i - 1]++;
    }
    if (without_map(r->net) && add_diagonal(r, identity(r, META_LINEAR))) return -1;
    for (int i = 0; i < r->net->count; i++) {
        r->place[i] = -1;
        if (rewrite_layer(r, i)) return -1;
        if (r->place[i] < 0) r->place[i] = last_index(r);
        if (add_addends(r, i)) return -1;
    }
    return 0;
}

int meta_portable(struct meta_filled *to, const struct meta_filled *from, enum meta_fold fold,
                  struct meta_error *error)
{
    int count = from->network->count, *numbers = calloc(3 * count, sizeof *numbers);
    struct rewrite r = { .from = from,
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
