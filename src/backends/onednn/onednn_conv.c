/* Convolutions of the oneDNN backend: their passes. Parameters stay in Darknet's order (o, i, y,
   x) in their one block. Each pass packs the few it needs into the layout that oneDNN chose,
   which costs about a hundredth of the pass. */
#include "onednn_conv.h"
#include "onednn_guard.h"

#include <stdlib.h>
#include <string.h>

/* Runs a primitive that reads and writes these three memories. */
static void run(struct meta_conv *s, dnnl_primitive_t primitive, dnnl_exec_arg_t a,
                dnnl_exec_arg_t b, dnnl_exec_arg_t c)
{
    dnnl_exec_arg_t args[] = { a, b, { DNNL_ARG_SCRATCHPAD, s->scratch }, c };
    meta_onednn_execute(primitive, s->stream, 4, args);
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
    meta_onednn_execute(pass->pack, s->stream, 3, args);
}

static void point(dnnl_memory_t memory, const void *data)
{
    dnnl_memory_set_data_handle(memory, (void *)data);
}

static void *in_scratch(const struct meta_op *op, size_t at) { return (char *)op->scratch + at; }

/* ---- weights --------------------------------------------------------------------------------- */

static int has_own_channels(const struct meta_op *op, const struct meta_conv_pass *pass)
{
    return pass->x.channels == op->in->c && pass->y.channels == op->out.c;
}

/* Where weight (o, i) begins in the plain weights of a pass. */
static size_t weight_at(const struct meta_op *op, const struct meta_conv_pass *pass, int o, int i)
{
    size_t area = (size_t)op->layer->size * op->layer->size;
    return area
        * (pass->turned ? (size_t)i * pass->y.channels + o : (size_t)o * pass->x.channels + i);
}

/* The weights (o, i, y, x) as the pass's plain ones: with the channels of its views, which are zero
   where the layer has none, and if it is turned as (i, o, size-1-y, size-1-x). */
static const float *fill(const struct meta_op *op, const struct meta_conv_pass *pass,
                         const float *weights)
{
    const struct meta_conv *s = op->state;
    int area = op->layer->size * op->layer->size;
    float *filled = in_scratch(op, s->filled_at);
    if (!pass->turned && has_own_channels(op, pass)) return weights;
    if (!has_own_channels(op, pass))
        memset(filled, 0, sizeof *filled * pass->x.channels * pass->y.channels * area);
    for (int o = 0; o < op->out.c; o++)
        for (int i = 0; i < op->in->c; i++, weights += area) {
            float *to = filled + weight_at(op, pass, o, i);
            if (!pass->turned) memcpy(to, weights, area * sizeof *to);
            else
                for (int k = 0; k < area; k++) to[area - 1 - k] = weights[k];
        }
    return filled;
}

static void pack(const struct meta_op *op, const struct meta_conv_pass *pass, const float *weights,
                 dnnl_memory_t into)
{
    point(pass->plain, fill(op, pass, weights));
    reorder(op->state, pass, pass->plain, into);
}

static void add(float *restrict to, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++) to[i] += from[i];
}

/* The weights' gradient (o, i, y, x) of the layer alone, out of one with the channels of views. */
static void take_own(const struct meta_op *op, const struct meta_conv_pass *pass,
                     const float *filled, float *to)
{
    size_t area = (size_t)op->layer->size * op->layer->size;
    for (int o = 0; o < op->out.c; o++)
        memcpy(to + o * op->in->c * area, filled + weight_at(op, pass, o, 0),
               op->in->c * area * sizeof *to);
}

/* The part's sum becomes wbar, plain (o, i, y, x), if it is the first part, and else is added to
   it. */
static void unpack(const struct meta_op *op, const struct meta_conv_part *p, float *wbar)
{
    struct meta_conv *s = op->state;
    float *to = p == s->part ? wbar : in_scratch(op, s->more_at);
    float *filled = has_own_channels(op, &p->grad) ? to : in_scratch(op, s->filled_at);
    point(p->grad.plain, filled);
    reorder(s, &p->grad, p->grad.other, p->grad.plain);
    if (filled != to) take_own(op, &p->grad, filled, to);
    if (to != wbar) add(wbar, to, op->weight_count);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* What a pass reads of a tensor's piece: the piece, or the copy for its view. */
static const float *take(const struct meta_view *view, struct meta_shape shape, int images,
                         const float *piece, float *copy)
{
    if (!view->copied) return piece;
    meta_view_take(view, shape, images, piece, copy);
    return copy;
}

static const float *take_x(const struct meta_op *op, const struct meta_conv_pass *pass, int images,
                           const float *x)
{
    const struct meta_conv *s = op->state;
    return take(&pass->x, *op->in, images, x, in_scratch(op, s->x_copy_at));
}

static const float *take_y(const struct meta_op *op, const struct meta_conv_pass *pass, int images,
                           const float *y)
{
    const struct meta_conv *s = op->state;
    return take(&pass->y, op->out, images, y, in_scratch(op, s->y_copy_at));
}

/* Where a pass writes y, or xbar; `put` then brings it into the tensor. */
static float *target(const struct meta_op *op, const struct meta_view *view, float *piece,
                     size_t copy_at)
{
    return view->copied ? in_scratch(op, copy_at) : piece;
}

static void put(const struct meta_view *view, struct meta_shape shape, int images,
                const float *copy, float *piece)
{
    if (view->copied) meta_view_put(view, shape, images, copy, piece);
}

/* One way of a piece through a convolution: the primitive and the packed weights. */
struct way {
    dnnl_primitive_t run;
    dnnl_memory_t weights;
};

static void outputs(const struct meta_op *op, const struct meta_conv_part *p, struct way way,
                    const float *x, float *y)
{
    point(p->out.x_memory, take_x(op, &p->out, p->images, x));
    point(p->out.y_memory, y);
    run(op->state, way.run, arg(DNNL_ARG_SRC, p->out.x_memory), arg(DNNL_ARG_WEIGHTS, way.weights),
        arg(DNNL_ARG_DST, p->out.y_memory));
}

static void inputs(const struct meta_op *op, const struct meta_conv_part *p, struct way way,
                   const float *ybar, float *xbar)
{
    dnnl_memory_t x = p->back.x_memory, y = p->back.y_memory;
    point(y, take_y(op, &p->back, p->images, ybar));
    point(x, xbar);
    if (p->back.turned)
        run(op->state, way.run, arg(DNNL_ARG_SRC, y), arg(DNNL_ARG_WEIGHTS, way.weights),
            arg(DNNL_ARG_DST, x));
    else
        run(op->state, way.run, arg(DNNL_ARG_DIFF_DST, y), arg(DNNL_ARG_WEIGHTS, way.weights),
            arg(DNNL_ARG_DIFF_SRC, x));
}

/* What this piece gives to the weights' gradient becomes the part's packed sum, if it is the
   first, and else is added to that. */
static void weights_bar(const struct meta_op *op, const struct meta_conv_part *p, const float *x,
                        const float *ybar, int first)
{
    struct meta_conv *s = op->state;
    dnnl_memory_t into = first ? p->grad.other : p->grad.packed;
    size_t numbers = dnnl_memory_desc_get_size(&p->grad.weights) / sizeof(float);
    point(p->grad.x_memory, take_x(op, &p->grad, p->images, x));
    point(p->grad.y_memory, take_y(op, &p->grad, p->images, ybar));
    run(s, p->grad.run, arg(DNNL_ARG_SRC, p->grad.x_memory),
        arg(DNNL_ARG_DIFF_DST, p->grad.y_memory), arg(DNNL_ARG_DIFF_WEIGHTS, into));
    if (!first) add(in_scratch(op, s->sum_at), in_scratch(op, s->grad_at), numbers);
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
        pack(op, &p->out, (const float *)theta + op->weights, p->out.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            float *y = target(op, &p->out.y, out + at.y, s->y_copy_at);
            outputs(op, p, (struct way){ p->out.run, p->out.packed }, in + at.x, y);
            put(&p->out.y, op->out, p->images, y, out + at.y);
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
        if (xbar) pack(op, &p->back, (const float *)theta + op->weights, p->back.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            weights_bar(op, p, in + at.x, ybar + at.y, n == 0);
            if (!xbar) continue;
            float *x = target(op, &p->back.x, xbar + at.x, s->x_copy_at);
            inputs(op, p, back, ybar + at.y, x);
            put(&p->back.x, *op->in, p->images, x, xbar + at.x);
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
        pack(op, &p->out, (const float *)v + op->weights, p->out.other);
        if (indot) pack(op, &p->out, (const float *)theta + op->weights, p->out.packed);
        for (int n = 0; n < p->pieces; n++) {
            struct piece at = piece_at(op, p, n);
            float *ydot = target(op, &p->out.y, outdot + at.y, s->y_copy_at);
            outputs(op, p, of_weights, in + at.x, ydot);
            if (indot) outputs(op, p, of_inputs, indot + at.x, ydot);
            put(&p->out.y, op->out, p->images, ydot, outdot + at.y);
        }
    }
}

/* xbardot of a piece = W' ybardot + Wdot' ybar */
static void inputs_tangent(const struct meta_op *op, const struct meta_conv_part *p,
                           const float *ybar, const float *ybardot, float *xbardot)
{
    struct meta_conv *s = op->state;
    float *x = target(op, &p->back.x, xbardot, s->x_copy_at);
    float *more = in_scratch(op, s->more_x_at);
    inputs(op, p, (struct way){ p->back.run, p->back.packed }, ybardot, x);
    if (p->back.run_adding) {
        inputs(op, p, (struct way){ p->back.run_adding, p->back.other }, ybar, x);
    } else {
        inputs(op, p, (struct way){ p->back.run, p->back.other }, ybar, more);
        add(x, more, p->images * meta_view_numbers(&p->back.x));
    }
    put(&p->back.x, *op->in, p->images, x, xbardot);
}

static void conv_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                  void *product)
{
    struct meta_conv *s = ready(op);
    const float *in = op->x->value, *indot = op->x->dot, *ybar = op->y.bar, *ybardot = op->y.bardot;
    float *xbardot = op->x->bardot;
    for (const struct meta_conv_part *p = s->part; p < s->part + s->parts; p++) {
        if (xbardot) {
            pack(op, &p->back, (const float *)theta + op->weights, p->back.packed);
            pack(op, &p->back, (const float *)v + op->weights, p->back.other);
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
                                              .backward_tangent = conv_backward_tangent,
                                              .slow = meta_conv_slow };
