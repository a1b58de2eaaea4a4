/* Connected layers of the oneDNN backend, on its sgemm. The weights are (o, i) with i in
   Darknet's planar order. It is their columns that are permuted, to the order in which the input
   tensor has its numbers (padding included, as zero columns), and not the images. */
#include "onednn_connected.h"
#include "onednn_engine.h"
#include "onednn_guard.h"

#include <stdlib.h>
#include <string.h>

struct connected {
    size_t inputs, outputs;   /* numbers that one image takes in the two tensors */
    float *weights, *tangent; /* (o, inputs) */
    float *gradient;          /* (o, inputs) */
};

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
    if (meta_onednn_make_products(error)) return -1;
    struct connected *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->inputs = meta_onednn_image(*op->in);
    s->outputs = meta_onednn_image(op->out);
    s->weights = calloc(op->out.c * s->inputs, sizeof *s->weights);
    s->gradient = calloc(op->out.c * s->inputs, sizeof *s->gradient);
    if (tangents) s->tangent = calloc(op->out.c * s->inputs, sizeof *s->tangent);
    if (s->weights && s->gradient && (!tangents || s->tangent)) return 0;
    connected_destroy(op);
    return meta_fail_memory(error);
}

/* Darknet's columns to the tensor's; columns of padding stay zero. */
static void to_tensor(const struct meta_op *op, const float *from, float *to)
{
    const struct connected *s = op->state;
    size_t C = op->in->c, P = (size_t)op->in->h * op->in->w;
    for (int o = 0; o < op->out.c; o++)
        for (size_t c = 0; c < C; c++)
            for (size_t p = 0; p < P; p++)
                to[o * s->inputs + meta_onednn_at(0, c, p, C, P)] = *from++;
}

static void to_darknet(const struct meta_op *op, const float *from, float *to)
{
    const struct connected *s = op->state;
    size_t C = op->in->c, P = (size_t)op->in->h * op->in->w;
    for (int o = 0; o < op->out.c; o++)
        for (size_t c = 0; c < C; c++)
            for (size_t p = 0; p < P; p++)
                *to++ = from[o * s->inputs + meta_onednn_at(0, c, p, C, P)];
}

/* y (b, o) = beta y + x (b, i) w (o, i)' */
static void outputs(const struct meta_op *op, const float *x, const float *w, float *y, float beta)
{
    const struct connected *s = op->state;
    if (beta == 0) memset(y, 0, op->batch * s->outputs * sizeof *y);
    meta_onednn_sgemm('N', 'T', op->batch, op->out.c, s->inputs, 1, x, s->inputs, w, s->inputs,
                      beta, y, s->outputs);
}

/* xbar (b, i) = beta xbar + ybar (b, o) w (o, i) */
static void inputs(const struct meta_op *op, const float *ybar, const float *w, float *xbar,
                   float beta)
{
    const struct connected *s = op->state;
    meta_onednn_sgemm('N', 'N', op->batch, s->inputs, op->out.c, 1, ybar, s->outputs, w, s->inputs,
                      beta, xbar, s->inputs);
}

/* gradient (o, i) = beta gradient + ybar (b, o)' x (b, i) */
static void weights_bar(const struct meta_op *op, const float *x, const float *ybar, float beta)
{
    const struct connected *s = op->state;
    meta_onednn_sgemm('T', 'N', op->out.c, s->inputs, op->batch, 1, ybar, s->outputs, x, s->inputs,
                      beta, s->gradient, s->inputs);
}

/* Later passes at the same parameters find the weights permuted. */
static void connected_forward(struct meta_op *op, const void *theta)
{
    struct connected *s = op->state;
    to_tensor(op, (const float *)theta + op->weights, s->weights);
    outputs(op, op->x->value, s->weights, op->y.value, 0);
}

static void connected_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct connected *s = op->state;
    weights_bar(op, op->x->value, op->y.bar, 0);
    to_darknet(op, s->gradient, (float *)gradient + op->weights);
    if (op->x->bar) inputs(op, op->y.bar, s->weights, op->x->bar, 0);
}

static void connected_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct connected *s = op->state;
    to_tensor(op, (const float *)v + op->weights, s->tangent);
    outputs(op, op->x->value, s->tangent, op->y.dot, 0);
    if (op->x->dot) outputs(op, op->x->dot, s->weights, op->y.dot, 1);
}

static void connected_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                       void *product)
{
    struct connected *s = op->state;
    weights_bar(op, op->x->value, op->y.bardot, 0);
    if (op->x->dot) weights_bar(op, op->x->dot, op->y.bar, 1);
    to_darknet(op, s->gradient, (float *)product + op->weights);
    if (!op->x->bardot) return;
    inputs(op, op->y.bardot, s->weights, op->x->bardot, 0);
    inputs(op, op->y.bar, s->tangent, op->x->bardot, 1);
}

const struct meta_kernel meta_onednn_connected = { .create = connected_create,
                                                   .destroy = connected_destroy,
                                                   .forward = connected_forward,
                                                   .backward = connected_backward,
                                                   .forward_tangent = connected_forward_tangent,
                                                   .backward_tangent = connected_backward_tangent };
