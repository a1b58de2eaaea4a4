/* Shortcuts between maps of one shape: one sweep a pass over blocked tensors, whose padding, all zeros, is swept along. All that is kept is a
   mark a number. Others (of another size, or with an activation that bends) are left to the plain loops. */
#include "onednn_epilogue.h"
#include "onednn_internal.h"

#include <stdlib.h>
#include <string.h>

struct shortcut {
    const struct meta_fused *fused;
    size_t pixels;                        /* of the batch: blocks times pixels of a map */
    float alpha, beta, negative;
    uint8_t *marks;                       /* (batch, image) */
};

int meta_onednn_shortcut_fits(const struct meta_op *op)
{
    const struct meta_shape *a = &op->in[0], *b = &op->in[1];
    return a->c == b->c && a->h == b->h && a->w == b->w && !meta_onednn_planar(a->c)
        && (op->activation == META_LINEAR || op->activation == META_RELU || op->activation == META_LEAKY);
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
    if (s) *s = (struct shortcut){ meta_onednn_shift == 4 ? &meta_fused()->lanes16 : &meta_fused()->lanes8, n >> meta_onednn_shift,
                                   op->layer->alpha, op->layer->beta, meta_negative(op->activation),
                                   calloc(n, 1) };
    if (s && s->marks) return 0;
    destroy(op);
    op->state = NULL;
    return meta_fail(error, "out of memory");
}

static void forward(struct meta_op *op, const void *theta)
{
    struct shortcut *s = op->state;
    s->fused->join(op->x[0].value, op->x[1].value, s->pixels, s->alpha, s->beta, s->negative, op->y.value, s->marks);
}

static void split(const struct meta_op *op, const void *zbar, void *here, void *from)
{
    const struct shortcut *s = op->state;
    if (here || from) s->fused->part(zbar, s->marks, s->pixels, s->alpha, s->beta, s->negative, here, from);
}

static void backward(struct meta_op *op, const void *theta, void *gradient) { split(op, op->y.bar, op->x[0].bar, op->x[1].bar); }

static void forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct shortcut *s = op->state;
    if (!op->x[0].dot && !op->x[1].dot) memset(op->y.dot, 0, op->batch * meta_onednn_image(op->out) * sizeof(float));
    else s->fused->join_tangent(op->x[0].dot, op->x[1].dot, s->marks, s->pixels, s->alpha, s->beta, s->negative, op->y.dot);
}

/* Nothing bends: the tangent of the split is the split of the tangent. */
static void backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    split(op, op->y.bardot, op->x[0].bardot, op->x[1].bardot);
}

const struct meta_kernel meta_onednn_shortcut = { create, destroy, forward, backward, forward_tangent, backward_tangent };
