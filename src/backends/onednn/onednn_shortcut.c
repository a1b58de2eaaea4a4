/* Shortcuts of the oneDNN backend between maps of one shape: one sweep a pass over blocked
   tensors, whose padding, all zeros, is swept along. One mark a number is all that is kept.
   Other shortcuts (of another size, or with an activation that bends) are left to the plain
   loops. */
#include "onednn_shortcut.h"
#include "onednn_engine.h"
#include "onednn_epilogue.h"

#include <stdlib.h>
#include <string.h>

struct shortcut {
    const struct meta_fused *fused;
    size_t pixels; /* of all blocks of the batch */
    struct meta_join join;
    uint8_t *marks; /* (batch, image) */
};

int meta_onednn_shortcut_fits(const struct meta_op *op)
{
    const struct meta_shape *a = &op->in[0], *b = &op->in[1];
    return a->c == b->c && a->h == b->h && a->w == b->w && !meta_onednn_planar(a->c)
        && meta_piecewise_linear(op->activation);
}

static void destroy(struct meta_op *op)
{
    struct shortcut *s = op->state;
    if (!s) return;
    free(s->marks);
    free(s);
}

static int create(struct meta_op *op, int tangents, struct meta_error *error)
{
    size_t n = op->batch * meta_onednn_image(op->out);
    struct shortcut *s = op->state = calloc(1, sizeof *s);
    if (s) {
        s->fused = meta_onednn_sweeps();
        s->pixels = n >> meta_onednn_shift;
        s->join = (struct meta_join){ op->layer->alpha, op->layer->beta,
                                      meta_negative(op->activation) };
        s->marks = calloc(n, 1);
    }
    if (s && s->marks) return 0;
    destroy(op);
    op->state = NULL;
    return meta_fail_memory(error);
}

static void forward(struct meta_op *op, const void *theta)
{
    struct shortcut *s = op->state;
    s->fused->join(op->x[0].value, op->x[1].value, s->pixels, &s->join, op->y.value, s->marks);
}

/* A NULL input is not wanted. */
static void split(const struct meta_op *op, const void *zbar, void *here, void *from)
{
    const struct shortcut *s = op->state;
    if (here || from) s->fused->part(zbar, s->marks, s->pixels, &s->join, here, from);
}

static void backward(struct meta_op *op, const void *theta, void *gradient)
{
    split(op, op->y.bar, op->x[0].bar, op->x[1].bar);
}

static void forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct shortcut *s = op->state;
    const float *here = op->x[0].dot, *from = op->x[1].dot;
    if (here || from) s->fused->join_tangent(here, from, s->marks, s->pixels, &s->join, op->y.dot);
    else memset(op->y.dot, 0, op->batch * meta_onednn_image(op->out) * sizeof(float));
}

/* Nothing bends: the tangent of the split is the split of the tangent. */
static void backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    split(op, op->y.bardot, op->x[0].bardot, op->x[1].bardot);
}

const struct meta_kernel meta_onednn_shortcut = { .create = create,
                                                  .destroy = destroy,
                                                  .forward = forward,
                                                  .backward = backward,
                                                  .forward_tangent = forward_tangent,
                                                  .backward_tangent = backward_tangent };
