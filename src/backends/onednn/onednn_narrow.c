/* 1x1 convolutions from or to at most three channels, of the oneDNN backend. They do few
   multiplications for each number that they read or write, so that oneDNN's products of matrices,
   or blocks filled up with zeros, take several times as long as one sweep over memory. Where both
   tensors are planar the planes are mixed, else one sweep goes between blocks and planes. */
#include "onednn_narrow.h"
#include "onednn_engine.h"

#include <stdlib.h>
#include <string.h>

struct narrow {
    const struct meta_fused_set *set;
    const struct meta_fused *fused;
    struct meta_narrow map; /* where one side has blocks */
    struct meta_mix to_y;   /* where both are planar */
    float *weights;         /* as the sweeps want them; of planes (o, i), and then (i, o) */
    float *tangent;         /* the same of a tangent */
    double *sums;           /* the weights' gradient */
    size_t count;           /* numbers of each of these, padding included */
};

int meta_onednn_narrow_fits(const struct meta_op *op)
{
    const struct meta_layer *l = op->layer;
    return l->size == 1 && l->stride == 1 && l->padding == 0 && meta_layer_groups(l) == 1
        && (meta_onednn_planar(op->in->c) || meta_onednn_planar(op->out.c));
}

static void destroy(struct meta_op *op)
{
    struct narrow *s = op->state;
    if (!s) return;
    free(s->weights);
    free(s->tangent);
    free(s->sums);
    free(s);
    op->state = NULL;
}

static int is_mix(const struct meta_op *op)
{
    return meta_onednn_planar(op->in->c) && meta_onednn_planar(op->out.c);
}

static int create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct narrow *s = op->state = calloc(1, sizeof *s);
    size_t pixels = (size_t)op->in->h * op->in->w;
    int from_planes = meta_onednn_planar(op->in->c);
    if (!s) return meta_fail_memory(error);
    s->set = meta_fused();
    s->fused = meta_onednn_sweeps();
    s->to_y = (struct meta_mix){ op->in->c, op->out.c, pixels };
    s->map.planes = from_planes ? op->in->c : op->out.c;
    s->map.blocks = meta_onednn_padded(from_planes ? op->out.c : op->in->c) >> meta_onednn_shift;
    s->map.pixels = pixels;
    s->count = is_mix(op) ? 2 * (size_t)op->in->c * op->out.c
                          : ((size_t)s->map.blocks << meta_onednn_shift) * s->map.planes;
    s->weights = calloc(s->count, sizeof *s->weights);
    s->sums = calloc(s->count, sizeof *s->sums);
    if (tangents) s->tangent = calloc(s->count, sizeof *s->tangent);
    if (s->weights && s->sums && (!tangents || s->tangent)) return 0;
    destroy(op);
    return meta_fail_memory(error);
}

/* Where weight (o, i) lies among those of the sweep. */
static size_t weight_at(const struct meta_op *op, int o, int i)
{
    const struct narrow *s = op->state;
    int from_planes = meta_onednn_planar(op->in->c);
    size_t plane = from_planes ? i : o, channel = from_planes ? o : i;
    size_t block = (size_t)1 << meta_onednn_shift;
    if (is_mix(op)) return (size_t)o * op->in->c + i;
    return ((channel >> meta_onednn_shift) * s->map.planes + plane) * block
        + (channel & (block - 1));
}

static void pack(const struct meta_op *op, const void *parameters, float *to)
{
    const float *from = (const float *)parameters + op->weights;
    int inputs = op->in->c, outputs = op->out.c;
    float *turned = to + inputs * outputs;
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < inputs; i++, from++) {
            to[weight_at(op, o, i)] = *from;
            if (is_mix(op)) turned[i * outputs + o] = *from;
        }
}

/* y (batch, out) = w x, and with adding what stood there more */
static void outputs(const struct meta_op *op, const float *x, const float *w, int adding, float *y)
{
    const struct narrow *s = op->state;
    for (int b = 0; b < op->batch; b++) {
        if (is_mix(op)) s->set->mix(x, &s->to_y, w, adding, y);
        else if (meta_onednn_planar(op->in->c)) s->fused->widen(x, &s->map, w, adding, y);
        else s->fused->narrow(x, &s->map, w, adding, y);
        x += meta_onednn_image(*op->in);
        y += meta_onednn_image(op->out);
    }
}

/* xbar (batch, in) = w' ybar, and with adding what stood there more */
static void inputs(const struct meta_op *op, const float *ybar, const float *w, int adding,
                   float *xbar)
{
    const struct narrow *s = op->state;
    const struct meta_mix to_x = { op->out.c, op->in->c, s->to_y.pixels };
    for (int b = 0; b < op->batch; b++) {
        if (is_mix(op)) s->set->mix(ybar, &to_x, w + op->in->c * op->out.c, adding, xbar);
        else if (meta_onednn_planar(op->in->c)) s->fused->narrow(ybar, &s->map, w, adding, xbar);
        else s->fused->widen(ybar, &s->map, w, adding, xbar);
        xbar += meta_onednn_image(*op->in);
        ybar += meta_onednn_image(op->out);
    }
}

static void clear_sums(struct narrow *s) { memset(s->sums, 0, s->count * sizeof *s->sums); }

/* The sums of what x and ybar give to the gradient of the weights. */
static void add_to_sums(const struct meta_op *op, const float *x, const float *ybar)
{
    const struct narrow *s = op->state;
    for (int b = 0; b < op->batch; b++) {
        if (is_mix(op)) s->set->mix_weights(x, ybar, &s->to_y, s->sums);
        else if (meta_onednn_planar(op->in->c)) s->fused->narrow_weights(ybar, x, &s->map, s->sums);
        else s->fused->narrow_weights(x, ybar, &s->map, s->sums);
        x += meta_onednn_image(*op->in);
        ybar += meta_onednn_image(op->out);
    }
}

static void give_sums(const struct meta_op *op, void *gradient)
{
    const struct narrow *s = op->state;
    float *to = (float *)gradient + op->weights;
    for (int o = 0; o < op->out.c; o++)
        for (int i = 0; i < op->in->c; i++) *to++ = s->sums[weight_at(op, o, i)];
}

/* Later passes at the same parameters find the weights packed. */
static void forward(struct meta_op *op, const void *theta)
{
    struct narrow *s = op->state;
    pack(op, theta, s->weights);
    outputs(op, op->x->value, s->weights, 0, op->y.value);
}

static void backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct narrow *s = op->state;
    clear_sums(s);
    add_to_sums(op, op->x->value, op->y.bar);
    give_sums(op, gradient);
    if (op->x->bar) inputs(op, op->y.bar, s->weights, 0, op->x->bar);
}

static void forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct narrow *s = op->state;
    pack(op, v, s->tangent);
    outputs(op, op->x->value, s->tangent, 0, op->y.dot);
    if (op->x->dot) outputs(op, op->x->dot, s->weights, 1, op->y.dot);
}

static void backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct narrow *s = op->state;
    clear_sums(s);
    add_to_sums(op, op->x->value, op->y.bardot);
    if (op->x->dot) add_to_sums(op, op->x->dot, op->y.bar);
    give_sums(op, product);
    if (!op->x->bardot) return;
    inputs(op, op->y.bardot, s->weights, 0, op->x->bardot);
    inputs(op, op->y.bar, s->tangent, 1, op->x->bardot);
}

const struct meta_kernel meta_onednn_narrow = { .create = create,
                                                .destroy = destroy,
                                                .forward = forward,
                                                .backward = backward,
                                                .forward_tangent = forward_tangent,
                                                .backward_tangent = backward_tangent };
