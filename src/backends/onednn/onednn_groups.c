/* Convolutions in groups of the oneDNN backend. A few groups side by side are a dense convolution
   whose weights are zeros between groups. One of these does all passes of all such parts in
   turn, each on a copy of the part's channels. */
#include "onednn_groups.h"
#include "backends/loops/pixels.h"
#include "onednn_conv.h"
#include "onednn_engine.h"

#include <stdlib.h>
#include <string.h>

/* The most channels of a part: with more zeros than this, the layout's blocks are left half empty
   instead. */
#define MOST_CHANNELS 64
/* Where no number of groups fills blocks, so many channels at most. */
#define FEW_CHANNELS 16

struct groups {
    struct meta_op part; /* the dense convolution of `merged` groups; its vectors have its weights
                            alone */
    struct meta_layer layer;
    struct meta_shape in;
    struct meta_planes x;
    int parts, merged;

    /* Where things lie in the scratch memory, in bytes, behind what `part` needs. */
    size_t value_at, dot_at, xbar_at, ybar_at, ydot_at;
    size_t theta_at, v_at, out_at; /* dense weights: of theta, of a tangent, and their gradient */
};

static int whole_blocks(int channels)
{
    return !meta_onednn_planar(channels) && meta_onednn_padded(channels) == (size_t)channels;
}

/* How many groups make a part: the fewest that fill blocks of channels, in and out. */
static int merge(int groups, int in, int out)
{
    int most = in > out ? in : out, few = 1;
    for (int m = 1; m <= groups && m * most <= MOST_CHANNELS; m++) {
        if (groups % m) continue;
        if (whole_blocks(m * in) && whole_blocks(m * out)) return m;
        if (m * most <= FEW_CHANNELS) few = m;
    }
    return few;
}

static void destroy(struct meta_op *op)
{
    struct groups *s = op->state;
    if (!s) return;
    meta_onednn_conv.destroy(&s->part);
    free(s);
    op->state = NULL;
}

static size_t reserve(struct meta_op *op, size_t numbers)
{
    size_t at = op->scratch_bytes;
    op->scratch_bytes += (numbers * sizeof(float) + 63) / 64 * 64;
    return at;
}

static void lay_out_scratch(struct meta_op *op, struct groups *s, int tangents)
{
    size_t x = op->batch * meta_onednn_image(s->in), y = op->batch * meta_onednn_image(s->part.out);
    size_t weights = s->part.weight_count;
    op->scratch_bytes = (s->part.scratch_bytes + 63) / 64 * 64;
    s->value_at = reserve(op, x);
    s->dot_at = reserve(op, tangents ? x : 0);
    s->xbar_at = reserve(op, op->x->bar || op->x->bardot ? x : 0);
    s->ybar_at = reserve(op, y);
    s->ydot_at = reserve(op, tangents ? y : 0);
    s->theta_at = reserve(op, weights);
    s->v_at = reserve(op, tangents ? weights : 0);
    s->out_at = reserve(op, weights);
}

static int create(struct meta_op *op, int tangents, struct meta_error *error)
{
    const struct meta_layer *l = op->layer;
    int groups = meta_layer_groups(l), in = op->in->c / groups, out = op->out.c / groups;
    struct groups *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->merged = merge(groups, in, out);
    s->parts = groups / s->merged;
    s->layer = *l;
    s->layer.groups = 1;
    s->in = (struct meta_shape){ s->merged * in, op->in->h, op->in->w };
    s->x.bar = op->x->bar;
    s->x.bardot = op->x->bardot;
    s->part = *op;
    s->part.state = NULL;
    s->part.layer = &s->layer;
    s->part.in = &s->in;
    s->part.x = &s->x;
    s->part.out.c = s->merged * out;
    s->part.weights = 0;
    s->part.weight_count = (size_t)s->merged * s->merged * out * in * l->size * l->size;
    s->part.scratch_bytes = 0;
    if (meta_onednn_conv.create(&s->part, tangents, error)) {
        free(s);
        op->state = NULL;
        return -1;
    }
    lay_out_scratch(op, s, tangents);
    return 0;
}

/* ---- channels -------------------------------------------------------------------------------- */

/* A few channels of a tensor: from `first` on, as many as `part` has. */
struct slice {
    struct meta_shape whole, part;
    int first, batch;
};

static struct slice slice_of(const struct meta_op *op, int part, int output)
{
    const struct groups *s = op->state;
    struct meta_shape few = output ? s->part.out : s->in;
    return (struct slice){ output ? op->out : *op->in, few, part * few.c, op->batch };
}

/* Whether the slice is whole blocks of the tensor. */
static int in_blocks(const struct slice *s)
{
    return whole_blocks(s->part.c) && !meta_onednn_planar(s->whole.c);
}

/* NULL is no tensor. */
static const float *take(const struct slice *s, const float *whole, float *part)
{
    size_t P = meta_pixels(s->part), n = meta_onednn_image(s->part);
    if (!whole) return NULL;
    if (!in_blocks(s)) memset(part, 0, s->batch * n * sizeof *part);
    for (int b = 0; b < s->batch; b++) {
        if (in_blocks(s)) {
            memcpy(part + b * n, whole + b * meta_onednn_image(s->whole) + s->first * P,
                   n * sizeof *part);
            continue;
        }
        for (int k = 0; k < s->part.c; k++)
            for (size_t p = 0; p < P; p++)
                part[meta_onednn_at(b, k, p, s->part.c, P)] =
                    whole[meta_onednn_at(b, s->first + k, p, s->whole.c, P)];
    }
    return part;
}

/* Writes the slice; the padding of the tensor stays as it was. */
static void give(const struct slice *s, const float *part, float *whole)
{
    size_t P = meta_pixels(s->part), n = meta_onednn_image(s->part);
    for (int b = 0; b < s->batch; b++) {
        if (in_blocks(s)) {
            memcpy(whole + b * meta_onednn_image(s->whole) + s->first * P, part + b * n,
                   n * sizeof *part);
            continue;
        }
        for (int k = 0; k < s->part.c; k++)
            for (size_t p = 0; p < P; p++)
                whole[meta_onednn_at(b, s->first + k, p, s->whole.c, P)] =
                    part[meta_onednn_at(b, k, p, s->part.c, P)];
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Moves a part's kernels between (outputs, channels of a group) and the dense (outputs, channels of
   all merged groups). */
static void each_kernel(const struct meta_op *op, int part, float *plain, float *dense,
                        void (*move)(float *plain, float *dense, size_t n))
{
    const struct groups *s = op->state;
    int groups = meta_layer_groups(op->layer), in = op->in->c / groups, out = op->out.c / groups;
    size_t area = (size_t)op->layer->size * op->layer->size;
    plain += (size_t)part * s->merged * out * in * area;
    for (int o = 0; o < s->merged * out; o++)
        move(plain + o * in * area, dense + ((size_t)o * s->in.c + o / out * in) * area, in * area);
}

static void spread(float *plain, float *dense, size_t n)
{
    memcpy(dense, plain, n * sizeof *plain);
}
static void gather(float *plain, float *dense, size_t n)
{
    memcpy(plain, dense, n * sizeof *plain);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static float *in_scratch(const struct meta_op *op, size_t at)
{
    return (float *)((char *)op->scratch + at);
}

/* Between groups, dense weights are zeros, which no part changes. */
static struct groups *ready(const struct meta_op *op, int tangents)
{
    struct groups *s = op->state;
    s->part.scratch = op->scratch;
    memset(in_scratch(op, s->theta_at), 0, s->part.weight_count * sizeof(float));
    if (tangents) memset(in_scratch(op, s->v_at), 0, s->part.weight_count * sizeof(float));
    return s;
}

static const float *dense(const struct meta_op *op, int part, const void *vector, size_t at)
{
    float *out = in_scratch(op, at);
    each_kernel(op, part, (float *)vector + op->weights, out, spread);
    return out;
}

/* The inputs of a part, and with tangents also their tangents, become those of the convolution. */
static void take_inputs(const struct meta_op *op, int part, int tangents)
{
    struct groups *s = op->state;
    struct slice x = slice_of(op, part, 0);
    s->x.value = (void *)take(&x, op->x->value, in_scratch(op, s->value_at));
    s->x.dot = tangents ? (void *)take(&x, op->x->dot, in_scratch(op, s->dot_at)) : NULL;
}

static void forward(struct meta_op *op, const void *theta)
{
    struct groups *s = ready(op, 0);
    for (int i = 0; i < s->parts; i++) {
        struct slice y = slice_of(op, i, 1);
        take_inputs(op, i, 0);
        s->part.y.value = in_scratch(op, s->ybar_at);
        meta_onednn_conv.forward(&s->part, dense(op, i, theta, s->theta_at));
        give(&y, s->part.y.value, op->y.value);
    }
    meta_onednn_zero_padding(op->y.value, op->batch, op->out);
}

static void backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct groups *s = ready(op, 0);
    float *out = in_scratch(op, s->out_at);
    for (int i = 0; i < s->parts; i++) {
        struct slice x = slice_of(op, i, 0), y = slice_of(op, i, 1);
        take_inputs(op, i, 0);
        s->part.y.bar = (void *)take(&y, op->y.bar, in_scratch(op, s->ybar_at));
        s->x.bar = op->x->bar ? in_scratch(op, s->xbar_at) : NULL;
        meta_onednn_conv.backward(&s->part, dense(op, i, theta, s->theta_at), out);
        each_kernel(op, i, (float *)gradient + op->weights, out, gather);
        if (op->x->bar) give(&x, s->x.bar, op->x->bar);
    }
    meta_onednn_zero_padding(op->x->bar, op->batch, *op->in);
}

static void forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct groups *s = ready(op, 1);
    for (int i = 0; i < s->parts; i++) {
        struct slice y = slice_of(op, i, 1);
        take_inputs(op, i, 1);
        s->part.y.dot = in_scratch(op, s->ydot_at);
        meta_onednn_conv.forward_tangent(&s->part, dense(op, i, theta, s->theta_at),
                                         dense(op, i, v, s->v_at));
        give(&y, s->part.y.dot, op->y.dot);
    }
    meta_onednn_zero_padding(op->y.dot, op->batch, op->out);
}

static void backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct groups *s = ready(op, 1);
    float *out = in_scratch(op, s->out_at);
    for (int i = 0; i < s->parts; i++) {
        struct slice x = slice_of(op, i, 0), y = slice_of(op, i, 1);
        take_inputs(op, i, 1);
        s->part.y.bar = (void *)take(&y, op->y.bar, in_scratch(op, s->ybar_at));
        s->part.y.bardot = (void *)take(&y, op->y.bardot, in_scratch(op, s->ydot_at));
        s->x.bardot = op->x->bardot ? in_scratch(op, s->xbar_at) : NULL;
        meta_onednn_conv.backward_tangent(&s->part, dense(op, i, theta, s->theta_at),
                                          dense(op, i, v, s->v_at), out);
        each_kernel(op, i, (float *)product + op->weights, out, gather);
        if (op->x->bardot) give(&x, s->x.bardot, op->x->bardot);
    }
    meta_onednn_zero_padding(op->x->bardot, op->batch, *op->in);
}

static const char *slow(const struct meta_op *op)
{
    const struct groups *s = op->state;
    return meta_onednn_conv.slow(&s->part);
}

const struct meta_kernel meta_onednn_groups = { .create = create,
                                                .destroy = destroy,
                                                .forward = forward,
                                                .backward = backward,
                                                .forward_tangent = forward_tangent,
                                                .backward_tangent = backward_tangent,
                                                .slow = slow };
