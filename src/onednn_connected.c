/* Connected layers of the oneDNN backend, on its sgemm. The weights are (o, i) with i in Darknet's planar order; a map's tensor is
   channels last, so that the weights' columns are permuted to match, not the images. */
#include "onednn_internal.h"

#include <stdlib.h>

struct connected {
    size_t inputs;
    float *weights, *tangent;    /* (o, i) columns channels last; NULL where the input is flat already */
    float *gradient;             /* likewise */
};

static int permuted(const struct meta_op *op) { return op->in->h * op->in->w > 1; }

static void connected_destroy(struct meta_op *op)
{
    struct connected *s = op->state;
    if (!s) return;
    free(s->weights);
    free(s->tangent);
    free(s->gradient);
    free(s);
    op->state = NULL;
}

static int connected_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct connected *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    s->inputs = op->weight_count / op->out.c;
    if (!permuted(op)) return 0;
    s->weights = malloc(op->weight_count * sizeof(float));
    s->tangent = malloc(op->weight_count * sizeof(float));
    s->gradient = malloc(op->weight_count * sizeof(float));
    if (s->weights && s->tangent && s->gradient) return 0;
    connected_destroy(op);
    return meta_fail(error, "out of memory");
}

/* Column (c, p) to column (p, c), or back. */
static void permute(const struct meta_op *op, const float *from, float *to, int back)
{
    size_t C = op->in->c, P = (size_t)op->in->h * op->in->w;
    for (int o = 0; o < op->out.c; o++)
        for (size_t c = 0; c < C; c++)
            for (size_t p = 0; p < P; p++) {
                size_t planar = o * C * P + c * P + p, last = o * C * P + p * C + c;
                if (back) to[planar] = from[last]; else to[last] = from[planar];
            }
}

static const float *columns(const struct meta_op *op, const float *weights, float *room)
{
    if (!room) return weights;
    permute(op, weights, room, 0);
    return room;
}

/* y (b, o) = beta y + x (b, i) w(o, i)' */
static void outputs(const struct meta_op *op, const float *x, const float *w, float *y, float beta)
{
    const struct connected *s = op->state;
    dnnl_sgemm('N', 'T', op->batch, op->out.c, s->inputs, 1, x, s->inputs, w, s->inputs, beta, y, op->out.c);
}

static void inputs(const struct meta_op *op, const float *ybar, const float *w, float *xbar, float beta)
{
    const struct connected *s = op->state;
    dnnl_sgemm('N', 'N', op->batch, s->inputs, op->out.c, 1, ybar, op->out.c, w, s->inputs, beta, xbar, s->inputs);
}

static void weights_bar(const struct meta_op *op, const float *x, const float *ybar, float *wbar, float beta)
{
    const struct connected *s = op->state;
    dnnl_sgemm('T', 'N', op->out.c, s->inputs, op->batch, 1, ybar, op->out.c, x, s->inputs, beta, wbar, s->inputs);
}

static void connected_forward(struct meta_op *op, const void *theta)
{
    struct connected *s = op->state;
    outputs(op, op->x->value, columns(op, (const float *)theta + op->weights, s->weights), op->y.value, 0);
}

static void connected_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct connected *s = op->state;
    const float *w = s->weights ? s->weights : (const float *)theta + op->weights;
    float *wbar = (float *)gradient + op->weights;
    weights_bar(op, op->x->value, op->y.bar, s->gradient ? s->gradient : wbar, 0);
    if (s->gradient) permute(op, s->gradient, wbar, 1);
    if (op->x->bar) inputs(op, op->y.bar, w, op->x->bar, 0);
}

static void connected_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct connected *s = op->state;
    const float *w = s->weights ? s->weights : (const float *)theta + op->weights;
    outputs(op, op->x->value, columns(op, (const float *)v + op->weights, s->tangent), op->y.dot, 0);
    if (op->x->dot) outputs(op, op->x->dot, w, op->y.dot, 1);
}

static void connected_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct connected *s = op->state;
    const float *w = s->weights ? s->weights : (const float *)theta + op->weights;
    const float *wdot = s->tangent ? s->tangent : (const float *)v + op->weights;
    float *wbardot = (float *)product + op->weights, *to = s->gradient ? s->gradient : wbardot;
    weights_bar(op, op->x->value, op->y.bardot, to, 0);
    if (op->x->dot) weights_bar(op, op->x->dot, op->y.bar, to, 1);
    if (s->gradient) permute(op, s->gradient, wbardot, 1);
    if (!op->x->bardot) return;
    inputs(op, op->y.bardot, w, op->x->bardot, 0);
    inputs(op, op->y.bar, wdot, op->x->bardot, 1);
}

const struct meta_kernel meta_onednn_connected = {
    connected_create, connected_destroy, connected_forward, connected_backward,
    connected_forward_tangent, connected_backward_tangent
};
