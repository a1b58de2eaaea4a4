/* Convolutions of the oneDNN backend: their passes. Parameters stay in Darknet's order (o, i, y,
   x) in their one block. Each pass packs the few it needs into the layout that oneDNN chose,
   which costs about a hundredth of the pass. */
#include "onednn_conv.h"

#include <stdlib.h>
#include <string.h>

/* Runs a primitive that reads and writes these three memories. */
static void run(struct meta_conv *s, dnnl_primitive_t primitive, dnnl_exec_arg_t a,
                dnnl_exec_arg_t b, dnnl_exec_arg_t c)
{
    dnnl_exec_arg_t args[] = { a, b, { DNNL_ARG_SCRATCHPAD, s->scratch }, c };
    if (dnnl_primitive_execute(primitive, s->stream, 4, args) != dnnl_success) abort();
}

static dnnl_exec_arg_t arg(int which, dnnl_memory_t memory)
{
    return (dnnl_exec_arg_t){ which, memory };
}

static void reorder(struct meta_conv *s, const struct meta_conv_pass *pass, dnnl_memory_t from,
                    dnnl_memory_t to)
{
    dnnl_exec_arg_t args[] = { arg(DNNL_ARG_FROM, from), arg(DNNL_ARG_TO, to),
                               arg(DNNL_ARG_SCRATCHPAD, s->scratch) };
    if (dnnl_primitive_execute(pass->pack, s->stream, 3, args) != dnnl_success) abort();
}

static void point(dnnl_memory_t memory, const void *data)
{
    dnnl_memory_set_data_handle(memory, (void *)data);
}

static void *in_scratch(const struct meta_op *op, size_t at) { return (char *)op->scratch + at; }

static void pack(struct meta_conv *s, const struct meta_conv_pass *pass, const float *weights,
                 dnnl_memory_t into)
{
    point(s->plain, weights);
    reorder(s, pass, s->plain, into);
}

/* The weights as `back` wants them: those of a rotated convolution are (o, i, y, x) turned round to
   (i, o, size-1-y, size-1-x). */
static void pack_back(const struct meta_op *op, const struct meta_conv_pass *back,
                      const float *weights, dnnl_memory_t into)
{
    struct meta_conv *s = op->state;
    int O = op->out.c, I = op->in->c, area = op->layer->size * op->layer->size;
    float *turned = in_scratch(op, s->turned_at);
    if (!s->rotated) {
        pack(s, back, weights, into);
        return;
    }
    for (int o = 0; o < O; o++)
        for (int i = 0; i < I; i++) {
            const float *from = weights + ((size_t)o * I + i) * area;
            float *to = turned + ((size_t)i * O + o) * area;
            for (int k = 0; k < area; k++) to[area - 1 - k] = from[k];
        }
    pack(s, back, turned, into);
}

/* One way of a piece through a convolution: the primitive and the packed weights. */
struct way {
    dnnl_primitive_t run;
    dnnl_memory_t weights;
};

static void outputs(struct meta_conv *s, const struct meta_conv_part *p, struct way way,
                    const float *x, float *y)
{
    point(p->x, x);
    point(p->y, y);
    run(s, way.run, arg(DNNL_ARG_SRC, p->x), arg(DNNL_ARG_WEIGHTS, way.weights),
        arg(DNNL_ARG_DST, p->y));
}

static void inputs(struct meta_conv *s, const struct meta_conv_part *p, struct way way,
                   const float *ybar, float *xbar)
{
    point(p->x, xbar);
    point(p->y, ybar);
    if (s->rotated)
        run(s, way.run, arg(DNNL_ARG_SRC, p->y), arg(DNNL_ARG_WEIGHTS, way.weights),
            arg(DNNL_ARG_DST, p->x));
    else
        run(s, way.run, arg(DNNL_ARG_DIFF_DST, p->y), arg(DNNL_ARG_WEIGHTS, way.weights),
            arg(DNNL_ARG_DIFF_SRC, p->x));
}

static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

/* What this piece gives to the weights' gradient becomes the part's packed sum, if it is the
   first, and else is added to that. */
static void weights_bar(const struct meta_op *op, const struct meta_conv_part *p, const float *x,
                        const float *ybar, int first)
{
    struct meta_conv *s = op->state;
    dnnl_memory_t into = first ? p->grad.other : p->grad.packed;
    size_t numbers = dnnl_memory_desc_get_size(&p->grad.weights) / sizeof(float);
    point(p->x, x);
    point(p->y, ybar);
    run(s, p->grad.run, arg(DNNL_ARG_SRC, p->x), arg(DNNL_ARG_DIFF_DST, p->y),
        arg(DNNL_ARG_DIFF_WEIGHTS, into));
    if (!first) add(in_scratch(op, s->sum_at), in_scratch(op, s->grad_at), numbers);
}

/* The part's sum becomes wbar, plain (o, i, y, x), if it is the first part, and else is added to
   it. */
static void unpack(const struct meta_op *op, const struct meta_conv_part *p, float *wbar)
{
    struct meta_conv *s = op->state;
    float *more = in_scratch(op, s->more_at);
    point(s->plain, p == s->part ? wbar : more);
    reorder(s, &p->grad, p->grad.other, s->plain);
    if (p != s->part) add(wbar, more, op->weight_count);
}

/* The state, with its memories in the scratch memory of this pass. */
static struct meta_conv *ready(const struct meta_op *op)
{
    struct meta_conv *s = op->state;
    point(s->scratch, op->scratch);
    for (struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        struct meta_conv_pass *passes[] = { &p->out, &p->back };
        for (int i = 0; i < 2 && passes[i]->run; i++) {
            point(passes[i]->packed, in_scratch(op, s->packed_at));
            point(passes[i]->other, in_scratch(op, s->other_at));
        }
        point(p->grad.packed, in_scratch(op, s->grad_at));
        point(p->grad.other, in_scratch(op, s->sum_at));
    }
    return s;
}

/* Where the numbers of piece n of a part begin in a tensor of the inputs, and in one of the
   outputs. */
struct piece {
    size_t x, y;
};

static struct piece piece_at(const struct meta_op *op, const struct meta_conv_part *p, int n)
{
    size_t image = p->first + (size_t)n * p->images;
    return (struct piece){ image * meta_onednn_image(*op->in), image * meta_onednn_image(op->out) };
}

static void conv_forward(struct meta_op *op, const void *theta)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value;
    float *out = op->y.value;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        pack(s, &p->out, (const float *)theta + op->weights, p->out.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            outputs(s, p, (struct way){ p->out.run, p->out.packed }, in + at.x, out + at.y);
        }
    }
}

static void conv_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *ybar = op->y.bar;
    float *xbar = op->x->bar;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        struct way back = { p->back.run, p->back.packed };
        if (xbar) pack_back(op, &p->back, (const float *)theta + op->weights, p->back.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            weights_bar(op, p, in + at.x, ybar + at.y, n == 0);
            if (xbar) inputs(s, p, back, ybar + at.y, xbar + at.x);
        }
        unpack(op, p, (float *)gradient + op->weights);
    }
}

static void conv_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *indot = op->x->dot;
    float *outdot = op->y.dot;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        struct way of_weights = { p->out.run, p->out.other };
        struct way of_inputs = { p->out.run_adding, p->out.packed };
        pack(s, &p->out, (const float *)v + op->weights, p->out.other);
        if (indot) pack(s, &p->out, (const float *)theta + op->weights, p->out.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            outputs(s, p, of_weights, in + at.x, outdot + at.y);
            if (indot) outputs(s, p, of_inputs, indot + at.x, outdot + at.y);
        }
    }
}

/* xbardot of a piece = W' ybardot + Wdot' ybar */
static void inputs_tangent(struct meta_op *op, const struct meta_conv_part *p, const float *ybar,
                           const float *ybardot, float *xbardot)
{
    struct meta_conv *s = op->state;
    float *more = in_scratch(op, s->more_x_at);
    inputs(s, p, (struct way){ p->back.run, p->back.packed }, ybardot, xbardot);
    if (s->rotated) {
        inputs(s, p, (struct way){ p->back.run_adding, p->back.other }, ybar, xbardot);
    } else {
        inputs(s, p, (struct way){ p->back.run, p->back.other }, ybar, more);
        add(xbardot, more, p->images * meta_onednn_image(*op->in));
    }
}

static void conv_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                  void *product)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *indot = op->x->dot, *ybar = op->y.bar, *ybardot = op->y.bardot;
    float *xbardot = op->x->bardot;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        if (xbardot) {
            pack_back(op, &p->back, (const float *)theta + op->weights, p->back.packed);
            pack_back(op, &p->back, (const float *)v + op->weights, p->back.other);
        }
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            weights_bar(op, p, in + at.x, ybardot + at.y, n == 0);
            if (indot) weights_bar(op, p, indot + at.x, ybar + at.y, 0);
            if (xbardot) inputs_tangent(op, p, ybar + at.y, ybardot + at.y, xbardot + at.x);
        }
        unpack(op, p, (float *)product + op->weights);
    }
}

const struct meta_kernel meta_onednn_conv = { .create = meta_conv_create,
                                              .destroy = meta_conv_destroy,
                                              .forward = conv_forward,
                                              .backward = conv_backward,
                                              .forward_tangent = conv_forward_tangent,
                                              .backward_tangent = conv_backward_tangent };
