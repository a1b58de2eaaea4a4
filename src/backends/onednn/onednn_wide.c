/* Connected layers of the oneDNN backend with more outputs than the batch has images: the weights
   (o, i) are by far the largest matrix, and what a pass takes is the time that they take through
   memory. So they are read, and their gradient is written, where they lie in the parameter vectors,
   and it is the images whose numbers are brought into Darknet's planar order. */
#include "onednn_wide.h"
#include "onednn_engine.h"
#include "onednn_guard.h"

#include <stdlib.h>
#include <string.h>

/* With fewer outputs the weights are small, too. */
#define LEAST_OUTPUTS 16

struct wide {
    size_t inputs, outputs; /* of an image: numbers in planar order, numbers in the tensor of y */
    float *x;               /* (2 batch, inputs): x or xbar, and with tangents xdot */
    float *y;               /* (2 batch, o): ybardot and ybar */
};

int meta_onednn_wide_fits(const struct meta_op *op)
{
    return op->out.c >= LEAST_OUTPUTS && op->out.c > op->batch;
}

static void destroy(struct meta_op *op)
{
    struct wide *s = op->state;
    if (!s) return;
    free(s->x);
    free(s->y);
    free(s);
    op->state = NULL;
}

static int create(struct meta_op *op, int tangents, struct meta_error *error)
{
    if (meta_onednn_make_products(error)) return -1;
    struct wide *s = op->state = calloc(1, sizeof *s);
    size_t rows = (size_t)op->batch * (tangents ? 2 : 1);
    if (!s) return meta_fail_memory(error);
    s->inputs = meta_shape_numbers(*op->in);
    s->outputs = meta_onednn_image(op->out);
    s->x = calloc(rows * s->inputs, sizeof *s->x);
    s->y = tangents ? calloc(rows * op->out.c, sizeof *s->y) : NULL;
    if (s->x && (!tangents || s->y)) return 0;
    destroy(op);
    return meta_fail_memory(error);
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* How far apart the pixels of a channel lie in a tensor. */
static size_t step_of(struct meta_shape s)
{
    return meta_onednn_planar(s.c) ? 1 : (size_t)1 << meta_onednn_shift;
}

/* (batch, inputs) in planar order out of a tensor of the inputs */
static void to_rows(const struct meta_op *op, const float *tensor, float *rows)
{
    size_t C = op->in->c, P = (size_t)op->in->h * op->in->w, step = step_of(*op->in);
    for (int b = 0; b < op->batch; b++)
        for (size_t c = 0; c < C; c++, rows += P) {
            const float *from = tensor + meta_onednn_at(b, c, 0, C, P);
            for (size_t p = 0; p < P; p++) rows[p] = from[p * step];
        }
}

/* A tensor of the inputs out of such rows. */
static void to_tensor(const struct meta_op *op, const float *rows, float *tensor)
{
    size_t C = op->in->c, P = (size_t)op->in->h * op->in->w, step = step_of(*op->in);
    for (int b = 0; b < op->batch; b++)
        for (size_t c = 0; c < C; c++, rows += P) {
            float *to = tensor + meta_onednn_at(b, c, 0, C, P);
            for (size_t p = 0; p < P; p++) to[p * step] = rows[p];
        }
    meta_onednn_zero_padding(tensor, op->batch, *op->in);
}

/* ---- products -------------------------------------------------------------------------------- */

/* y (b, o) = beta y + x (b, i) w (o, i)' */
static void outputs(const struct meta_op *op, const float *w, float *y, float beta)
{
    const struct wide *s = op->state;
    if (beta == 0) memset(y, 0, op->batch * s->outputs * sizeof *y);
    meta_onednn_sgemm('N', 'T', op->batch, op->out.c, s->inputs, 1, s->x, s->inputs, w, s->inputs,
                      beta, y, s->outputs);
}

/* x (b, i) = beta x + ybar (b, o) w (o, i) */
static void inputs(const struct meta_op *op, const float *ybar, const float *w, float beta)
{
    const struct wide *s = op->state;
    meta_onednn_sgemm('N', 'N', op->batch, s->inputs, op->out.c, 1, ybar, s->outputs, w, s->inputs,
                      beta, s->x, s->inputs);
}

/* What one product takes for the weights' gradient: `rows` rows of x and as many of ybar. */
struct rows {
    const float *ybar;
    size_t stride; /* between the rows of ybar */
    int rows;
};

/* gradient (o, i) = ybar (rows, o)' x (rows, i) */
static void weights_bar(const struct meta_op *op, struct rows y, float *gradient)
{
    const struct wide *s = op->state;
    meta_onednn_sgemm('T', 'N', op->out.c, s->inputs, y.rows, 1, y.ybar, y.stride, s->x, s->inputs,
                      0, gradient, s->inputs);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static const float *weights_of(const struct meta_op *op, const void *parameters)
{
    return (const float *)parameters + op->weights;
}

static void forward(struct meta_op *op, const void *theta)
{
    struct wide *s = op->state;
    to_rows(op, op->x->value, s->x);
    outputs(op, weights_of(op, theta), op->y.value, 0);
}

static void backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct wide *s = op->state;
    struct rows y = { op->y.bar, s->outputs, op->batch };
    to_rows(op, op->x->value, s->x);
    weights_bar(op, y, (float *)gradient + op->weights);
    if (!op->x->bar) return;
    inputs(op, op->y.bar, weights_of(op, theta), 0);
    to_tensor(op, s->x, op->x->bar);
}

static void forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct wide *s = op->state;
    to_rows(op, op->x->value, s->x);
    outputs(op, weights_of(op, v), op->y.dot, 0);
    if (!op->x->dot) return;
    to_rows(op, op->x->dot, s->x);
    outputs(op, weights_of(op, theta), op->y.dot, 1);
}

/* The rows of a tensor of the outputs, close together. */
static void take_y(const struct meta_op *op, const float *tensor, float *rows)
{
    const struct wide *s = op->state;
    for (int b = 0; b < op->batch; b++, rows += op->out.c, tensor += s->outputs)
        memcpy(rows, tensor, op->out.c * sizeof *rows);
}

/* The gradient's two products, ybardot x and ybar xdot, are one of twice the rows, so that the
   gradient goes through memory once. */
static void weights_bardot(struct meta_op *op, float *product)
{
    struct wide *s = op->state;
    struct rows y = { s->y, op->out.c, op->batch };
    to_rows(op, op->x->value, s->x);
    take_y(op, op->y.bardot, s->y);
    if (op->x->dot) {
        to_rows(op, op->x->dot, s->x + op->batch * s->inputs);
        take_y(op, op->y.bar, s->y + op->batch * op->out.c);
        y.rows *= 2;
    }
    weights_bar(op, y, product);
}

static void backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct wide *s = op->state;
    weights_bardot(op, (float *)product + op->weights);
    if (!op->x->bardot) return;
    inputs(op, op->y.bardot, weights_of(op, theta), 0);
    inputs(op, op->y.bar, weights_of(op, v), 1);
    to_tensor(op, s->x, op->x->bardot);
}

const struct meta_kernel meta_onednn_wide = { .create = create,
                                              .destroy = destroy,
                                              .forward = forward,
                                              .backward = backward,
                                              .forward_tangent = forward_tangent,
                                              .backward_tangent = backward_tangent };
