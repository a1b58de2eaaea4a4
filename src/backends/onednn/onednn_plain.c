/* The plain loops of backends/loops over blocked tensors. They leave the padding of a last block
   as it was, and what stands there must be zeros: each pass here puts them back. */
#include "onednn_plain.h"
#include "onednn_engine.h"

#define REAL float
#define AT(b, k, p, C, P) meta_onednn_at(b, k, p, C, P)
#define IMAGE(s) meta_onednn_image(s)
#define BLOCK(C) meta_onednn_block(C)
#define NAME(x) plain_##x
#include "backends/loops/kernels.h"

static void zero_bars(const struct meta_op *op)
{
    for (int i = 0; i < op->inputs; i++)
        meta_onednn_zero_padding(op->x[i].bar, op->batch, op->in[i]);
}

static void zero_bardots(const struct meta_op *op)
{
    for (int i = 0; i < op->inputs; i++)
        meta_onednn_zero_padding(op->x[i].bardot, op->batch, op->in[i]);
}

/* The four passes of one kind. */
#define PADDED_PASSES(kind)                                                                        \
    static void kind##_forward(struct meta_op *op, const void *theta)                              \
    {                                                                                              \
        plain_##kind##_forward(op, theta);                                                         \
        meta_onednn_zero_padding(op->y.value, op->batch, op->out);                                 \
    }                                                                                              \
    static void kind##_backward(struct meta_op *op, const void *theta, void *gradient)             \
    {                                                                                              \
        plain_##kind##_backward(op, theta, gradient);                                              \
        zero_bars(op);                                                                             \
    }                                                                                              \
    static void kind##_forward_tangent(struct meta_op *op, const void *theta, const void *v)       \
    {                                                                                              \
        plain_##kind##_forward_tangent(op, theta, v);                                              \
        meta_onednn_zero_padding(op->y.dot, op->batch, op->out);                                   \
    }                                                                                              \
    static void kind##_backward_tangent(struct meta_op *op, const void *theta, const void *v,      \
                                        void *product)                                             \
    {                                                                                              \
        plain_##kind##_backward_tangent(op, theta, v, product);                                    \
        zero_bardots(op);                                                                          \
    }

PADDED_PASSES(epilogue)
PADDED_PASSES(avgpool)
PADDED_PASSES(shortcut)
PADDED_PASSES(dropout)
PADDED_PASSES(plugin)
PADDED_PASSES(scale)
PADDED_PASSES(local)

/* The forward tangent of an epilogue writes y.value once more. */
static void epilogue_tangent_and_value(struct meta_op *op, const void *theta, const void *v)
{
    epilogue_forward_tangent(op, theta, v);
    meta_onednn_zero_padding(op->y.value, op->batch, op->out);
}

const struct meta_kernel meta_plain_epilogue = { .create = plain_epilogue_create,
                                                 .destroy = plain_epilogue_destroy,
                                                 .forward = epilogue_forward,
                                                 .backward = epilogue_backward,
                                                 .forward_tangent = epilogue_tangent_and_value,
                                                 .backward_tangent = epilogue_backward_tangent,
                                                 .batch_statistics = plain_epilogue_statistics };
const struct meta_kernel meta_plain_avgpool = { .forward = avgpool_forward,
                                                .backward = avgpool_backward,
                                                .forward_tangent = avgpool_forward_tangent,
                                                .backward_tangent = avgpool_backward_tangent };
const struct meta_kernel meta_plain_shortcut = { .create = plain_shortcut_create,
                                                 .destroy = plain_shortcut_destroy,
                                                 .forward = shortcut_forward,
                                                 .backward = shortcut_backward,
                                                 .forward_tangent = shortcut_forward_tangent,
                                                 .backward_tangent = shortcut_backward_tangent };
const struct meta_kernel meta_plain_dropout = { .forward = dropout_forward,
                                                .backward = dropout_backward,
                                                .forward_tangent = dropout_forward_tangent,
                                                .backward_tangent = dropout_backward_tangent };
const struct meta_kernel meta_plain_plugin = { .create = plain_plugin_create,
                                               .forward = plugin_forward,
                                               .backward = plugin_backward,
                                               .forward_tangent = plugin_forward_tangent,
                                               .backward_tangent = plugin_backward_tangent };
const struct meta_kernel meta_plain_scale = { .forward = scale_forward,
                                              .backward = scale_backward,
                                              .forward_tangent = scale_forward_tangent,
                                              .backward_tangent = scale_backward_tangent };
const struct meta_kernel meta_plain_local = { .forward = local_forward,
                                              .backward = local_backward,
                                              .forward_tangent = local_forward_tangent,
                                              .backward_tangent = local_backward_tangent };
/* Its passes set whole tensors. */
const struct meta_kernel meta_plain_pick = { .create = plain_pick_create,
                                             .destroy = plain_pick_destroy,
                                             .forward = plain_pick_forward,
                                             .backward = plain_pick_backward,
                                             .forward_tangent = plain_pick_forward_tangent,
                                             .backward_tangent = plain_pick_backward_tangent };

/* ---- route ----------------------------------------------------------------------------------- */

/* Where every part but the last is of whole blocks, the blocks of the parts just follow each
   other. */
static int whole_blocks(const struct meta_op *op)
{
    int block = 1 << meta_onednn_shift;
    for (int i = 0; i < op->inputs; i++) {
        int last = i == op->inputs - 1, c = op->in[i].c;
        if (meta_onednn_planar(c) || (!last && c % block)) return 0;
    }
    return 1;
}

/* One image of the part goes to its place in the whole, `at`, or comes from there. */
static void join_part(float *at, float *part, size_t n)
{
    if (part) memcpy(at, part, n * sizeof *at);
    else memset(at, 0, n * sizeof *at);
}

static void take_part(float *at, float *part, size_t n)
{
    if (part) memcpy(part, at, n * sizeof *at);
}

/* Moves a plane of every input, which lies at byte `plane` of its planes, to or from that of y. */
static void move_blocks(const struct meta_op *op, float *whole, size_t plane,
                        void (*move)(float *at, float *part, size_t n))
{
    size_t image = meta_onednn_image(op->out), first = 0;
    for (int i = 0; i < op->inputs; i++) {
        float *part = *(float *const *)((const char *)&op->x[i] + plane);
        size_t n = meta_onednn_image(op->in[i]);
        for (int b = 0; b < op->batch; b++)
            move(whole + b * image + first, part ? part + b * n : NULL, n);
        first += n;
    }
}

static void route_forward(struct meta_op *op, const void *theta)
{
    if (whole_blocks(op)) {
        move_blocks(op, op->y.value, offsetof(struct meta_planes, value), join_part);
        return;
    }
    plain_route_forward(op, theta);
    meta_onednn_zero_padding(op->y.value, op->batch, op->out);
}

static void route_backward(struct meta_op *op, const void *theta, void *gradient)
{
    if (whole_blocks(op)) {
        move_blocks(op, op->y.bar, offsetof(struct meta_planes, bar), take_part);
        return;
    }
    plain_route_backward(op, theta, gradient);
    zero_bars(op);
}

static void route_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    if (whole_blocks(op)) {
        move_blocks(op, op->y.dot, offsetof(struct meta_planes, dot), join_part);
        return;
    }
    plain_route_forward_tangent(op, theta, v);
    meta_onednn_zero_padding(op->y.dot, op->batch, op->out);
}

static void route_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                   void *product)
{
    if (whole_blocks(op)) {
        move_blocks(op, op->y.bardot, offsetof(struct meta_planes, bardot), take_part);
        return;
    }
    plain_route_backward_tangent(op, theta, v, product);
    zero_bardots(op);
}

const struct meta_kernel meta_plain_route = { .forward = route_forward,
                                              .backward = route_backward,
                                              .forward_tangent = route_forward_tangent,
                                              .backward_tangent = route_backward_tangent };

/* ---- pairing and the losses ------------------------------------------------------------------ */

static void pairing_forward(struct meta_op *op, const void *theta)
{
    plain_pairing_forward(op, theta);
    meta_onednn_zero_padding(op->y.value, op->out_batch, op->out);
}

static void pairing_backward(struct meta_op *op, const void *theta, void *gradient)
{
    plain_pairing_backward(op, theta, gradient);
    zero_bars(op);
}

/* A loss has no output tensor. */
static void loss_backward(struct meta_op *op, const void *theta, void *gradient)
{
    plain_loss_backward(op, theta, gradient);
    zero_bars(op);
}

static void loss_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                  void *product)
{
    plain_loss_backward_tangent(op, theta, v, product);
    zero_bardots(op);
}

const struct meta_kernel meta_plain_pairing = { .create = plain_pairing_create,
                                                .destroy = plain_pairing_destroy,
                                                .forward = pairing_forward,
                                                .backward = pairing_backward };
const struct meta_kernel meta_plain_loss = { .create = plain_loss_create,
                                             .destroy = plain_loss_destroy,
                                             .forward = plain_loss_forward,
                                             .backward = loss_backward,
                                             .forward_tangent = plain_loss_forward_tangent,
                                             .backward_tangent = loss_backward_tangent,
                                             .probabilities = plain_loss_probabilities,
                                             .logits = plain_loss_logits };

/* One number an item has no padding in any layout. */
const struct meta_kernel meta_plain_squares = { .create = plain_loss_create,
                                                .destroy = plain_loss_destroy,
                                                .forward = plain_squares_forward,
                                                .backward = plain_squares_backward,
                                                .probabilities = plain_loss_probabilities,
                                                .logits = plain_squares_logits };
