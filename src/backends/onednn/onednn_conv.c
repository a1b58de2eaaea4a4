/* Convolutions of the oneDNN backend: their passes. Parameters stay in Darknet's order (o, i, y, x) in their one block; each pass
   packs the few it needs into the layout that oneDNN chose, which costs about a hundredth of the pass. */
#include "onednn_conv.h"

#include <stdlib.h>
#include <string.h>

static void run(struct meta_conv *s, dnnl_primitive_t primitive, int ia, dnnl_memory_t a, int ib, dnnl_memory_t b, int ic, dnnl_memory_t c)
{
    dnnl_exec_arg_t args[] = { { ia, a }, { ib, b }, { DNNL_ARG_SCRATCHPAD, s->scratch }, { ic, c } };
    if (dnnl_primitive_execute(primitive, s->stream, c ? 4 : 3, args) != dnnl_success) abort();
}

static void reorder(struct meta_conv *s, const struct meta_conv_pass *pass, dnnl_memory_t from, dnnl_memory_t to)
{
    run(s, pass->pack, DNNL_ARG_FROM, from, DNNL_ARG_TO, to, 0, NULL);
}

static void point(dnnl_memory_t memory, const void *data)
{
    dnnl_memory_set_data_handle(memory, (void *)data);
}

static void *in_scratch(const struct meta_op *op, size_t at) { return (char *)op->scratch + at; }

static void pack(struct meta_conv *s, const struct meta_conv_pass *pass, const float *weights, dnnl_memory_t into)
{
    point(s->plain, weights);
    reorder(s, pass, s->plain, into);
}

/* (o, i, y, x) to (i, o, size-1-y, size-1-x), packed. */
static void pack_back(const struct meta_op *op, struct meta_conv *s, const struct meta_conv_pass *back, const float *weights, dnnl_memory_t into)
{
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

static void outputs(struct meta_conv *s, const struct meta_conv_part *p, dnnl_primitive_t primitive, const float *x, dnnl_memory_t weights,
                    float *y)
{
    point(p->x, x);
    point(p->y, y);
    run(s, primitive, DNNL_ARG_SRC, p->x, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DST, p->y);
}

static void inputs(struct meta_conv *s, const struct meta_conv_part *p, dnnl_primitive_t primitive, const float *ybar, dnnl_memory_t weights,
                   float *xbar)
{
    point(p->x, xbar);
    point(p->y, ybar);
    if (s->rotated) run(s, primitive, DNNL_ARG_SRC, p->y, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DST, p->x);
    else run(s, primitive, DNNL_ARG_DIFF_DST, p->y, DNNL_ARG_WEIGHTS, weights, DNNL_ARG_DIFF_SRC, p->x);
}

static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

/* The part's packed sum (first: =, else +=) what this piece gives to the weights' gradient. */
static void weights_bar(const struct meta_op *op, struct meta_conv *s, const struct meta_conv_part *p, const float *x, const float *ybar, int first)
{
    dnnl_memory_t into = first ? p->grad.other : p->grad.packed;
    point(p->x, x);
    point(p->y, ybar);
    run(s, p->grad.run, DNNL_ARG_SRC, p->x, DNNL_ARG_DIFF_DST, p->y, DNNL_ARG_DIFF_WEIGHTS, into);
    if (!first) add(in_scratch(op, s->sum_at), in_scratch(op, s->grad_at), dnnl_memory_desc_get_size(&p->grad.weights) / sizeof(float));
}

/* wbar, plain (o, i, y, x) (of the first part: =, else +=) the part's sum */
static void unpack(const struct meta_op *op, struct meta_conv *s, const struct meta_conv_part *p, float *wbar)
{
    float *more = in_scratch(op, s->more_at);
    point(s->plain, p == s->part ? wbar : more);
    reorder(s, &p->grad, p->grad.other, s->plain);
    if (p != s->part) add(wbar, more, op->weight_count);
}

/* The state, ready for a pass */
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

#define EACH_PART(s) for (const struct meta_conv_part *p = (s)->part; p < (s)->part + (s)->parts; p++)
/* x and y: where the numbers of a piece begin in a tensor of the inputs, and of the outputs */
#define EACH_PIECE(op, p)                                                                                            \
    for (size_t n_ = 0, x = p->first * meta_onednn_image(*op->in), y = p->first * meta_onednn_image(op->out);        \
         n_ < (size_t)p->pieces;                                                                                     \
         n_++, x += p->images * meta_onednn_image(*op->in), y += p->images * meta_onednn_image(op->out))

static void conv_forward(struct meta_op *op, const void *theta)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value;
    float *out = op->y.value;
    EACH_PART(s) {
        pack(s, &p->out, (const float *)theta + op->weights, p->out.packed);
        EACH_PIECE(op, p) outputs(s, p, p->out.run, in + x, p->out.packed, out + y);
    }
}

static void conv_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *ybar = op->y.bar;
    float *xbar = op->x->bar;
    EACH_PART(s) {
        if (xbar) pack_back(op, s, &p->back, (const float *)theta + op->weights, p->back.packed);
        EACH_PIECE(op, p) {
            weights_bar(op, s, p, in + x, ybar + y, !n_);
            if (xbar) inputs(s, p, p->back.run, ybar + y, p->back.packed, xbar + x);
        }
        unpack(op, s, p, (float *)gradient + op->weights);
    }
}

static void conv_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *indot = op->x->dot;
    float *outdot = op->y.dot;
    EACH_PART(s) {
        pack(s, &p->out, (const float *)v + op->weights, p->out.other);
        if (indot) pack(s, &p->out, (const float *)theta + op->weights, p->out.packed);
        EACH_PIECE(op, p) {
            outputs(s, p, p->out.run, in + x, p->out.other, outdot + y);
            if (indot) outputs(s, p, p->out.run_adding, indot + x, p->out.packed, outdot + y);
        }
    }
}

/* xbardot of a piece = W' ybardot + Wdot' ybar */
static void inputs_tangent(struct meta_op *op, struct meta_conv *s, const struct meta_conv_part *p, const float *ybar, const float *ybardot,
                           float *xbardot)
{
    float *more = in_scratch(op, s->more_x_at);
    inputs(s, p, p->back.run, ybardot, p->back.packed, xbardot);
    if (s->rotated) {
        inputs(s, p, p->back.run_adding, ybar, p->back.other, xbardot);
    } else {
        inputs(s, p, p->back.run, ybar, p->back.other, more);
        add(xbardot, more, p->images * meta_onednn_image(*op->in));
    }
}

static void conv_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *indot = op->x->dot, *ybar = op->y.bar, *ybardot = op->y.bardot;
    float *xbardot = op->x->bardot;
    EACH_PART(s) {
        if (xbardot) {
            pack_back(op, s, &p->back, (const float *)theta + op->weights, p->back.packed);
            pack_back(op, s, &p->back, (const float *)v + op->weights, p->back.other);
        }
        EACH_PIECE(op, p) {
            weights_bar(op, s, p, in + x, ybardot + y, !n_);
            if (indot) weights_bar(op, s, p, indot + x, ybar + y, 0);
            if (xbardot) inputs_tangent(op, s, p, ybar + y, ybardot + y, xbardot + x);
        }
        unpack(op, s, p, (float *)product + op->weights);
    }
}

const struct meta_kernel meta_onednn_conv = {
    meta_conv_create, meta_conv_destroy, conv_forward, conv_backward, conv_forward_tangent, conv_backward_tangent
};
