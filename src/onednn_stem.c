/* First layers of the oneDNN backend: a 3x3 convolution of up to three channels of the images, its normalisation and activation
   and a 2x2/2 max-pool in one operation that never holds the convolution's output. Its batch statistics are those of the
   images' patches (patches.h); what normalisation spreads over all pixels on the way back is, for the weights, a few sums over
   patches again; and the rest happens at the pool's winners, a quarter of the pixels. The images have no tangent. */
#include "onednn_epilogue.h"
#include "onednn_internal.h"
#include "patches.h"

#include <stdlib.h>
#include <string.h>

#define R META_R
#define AFFINE META_AFFINE

struct stem {
    struct meta_epilogue epilogue;     /* first: the statistics are read from it */
    int channels, taps;
    struct meta_patches patches;
    double *scratch;                   /* of meta_patches_measure */
    float *windows;                    /* (outputs, channels, 4, 4) of the image in hand */
    float *packed;                     /* (blocks, taps, block) weights, or their tangent */
    double *sums;                      /* (blocks, taps, block) */
};

int meta_onednn_stem_fits(const struct meta_layer *l, const struct meta_layer *pool)
{
    return l->type == META_CONVOLUTIONAL && meta_onednn_planar(l->in.c) && !meta_onednn_planar(l->filters)
        && l->size == 3 && l->stride == 1 && l->padding == 1 && l->activation != META_LOGISTIC
        && pool->size == 2 && pool->stride == 2 && 2 * pool->out.h <= l->in.h && 2 * pool->out.w <= l->in.w;
}

static void stem_destroy(struct meta_op *op)
{
    struct stem *s = op->state;
    if (!s) return;
    meta_epilogue_close(&s->epilogue);
    free(s->scratch);
    free(s->windows);
    free(s->packed);
    free(s->sums);
    free(s);
    op->state = NULL;
}

static int stem_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct stem *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    if (meta_epilogue_open(&s->epilogue, op, tangents, error)) {
        free(s);
        op->state = NULL;
        return -1;
    }
    s->channels = op->in->c;
    s->taps = META_PATCH * s->channels;
    size_t packed = (size_t)s->epilogue.blocks * s->epilogue.block * s->taps;
    s->scratch = malloc(meta_patches_scratch(op->in->c, op->in->h, op->in->w) * sizeof *s->scratch);
    s->windows = malloc(s->epilogue.outputs * 16 * s->channels * sizeof *s->windows);
    s->packed = malloc(packed * sizeof *s->packed);
    s->sums = malloc(packed * sizeof *s->sums);
    if (s->scratch && s->windows && s->packed && s->sums) return 0;
    stem_destroy(op);
    return meta_fail(error, "out of memory");
}

/* The 4x4 pixels that each window of image b sees, zeros around the image included. */
static void cut_windows(struct stem *s, const struct meta_op *op, int b)
{
    int h = op->in->h, w = op->in->w;
    float *to = s->windows;
    for (int i = 0; i < op->out.h; i++)
        for (int j = 0; j < op->out.w; j++)
            for (int c = 0; c < s->channels; c++) {
                const float *image = (const float *)op->x->value + (size_t)(b * s->channels + c) * h * w;
                for (int y = 2 * i - 1; y < 2 * i + 3; y++, to += 4) {
                    const float *from = image + (ptrdiff_t)y * w + 2 * j - 1;
                    if (y < 0 || y >= h) memset(to, 0, 4 * sizeof *to);
                    else if (j > 0 && 2 * j + 2 < w) memcpy(to, from, 4 * sizeof *to);
                    else for (int k = 0; k < 4; k++) to[k] = 2 * j - 1 + k < 0 || 2 * j - 1 + k >= w ? 0 : from[k];
                }
            }
}

/* (out.c, taps) to (blocks, taps, block) */
static void pack(struct stem *s, const float *weights)
{
    int block = s->epilogue.block;
    memset(s->packed, 0, (size_t)s->epilogue.blocks * block * s->taps * sizeof *s->packed);
    for (int k = 0; k < s->epilogue.c; k++)
        for (int i = 0; i < s->taps; i++)
            s->packed[(k / block * s->taps + i) * block + k % block] = weights[k * s->taps + i];
}

/* For each image, then each block: `call`, one of e->fused, with windows and weights of that block. */
#define EACH_IMAGE(s, call)                                                                     \
    for (int b_ = 0; b_ < e->batch; b_++) {                                                     \
        cut_windows(s, op, b_);                                                                 \
        for (int k_ = 0; k_ < e->blocks; k_++) {                                                \
            size_t out = (size_t)(b_ * e->blocks + k_) * e->outputs * e->block;                 \
            size_t taps = (size_t)k_ * s->taps * e->block;                                      \
            int first_ = k_ * e->block;                                                         \
            e->fused->call;                                                                     \
        }                                                                                       \
    }

static void stem_forward(struct meta_op *op, const void *parameters)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *theta = parameters, *weights = theta + op->weights;
    float *z = op->y.value;
    if (op->normalise && !op->statistics) {
        meta_patches_measure(&s->patches, op->x->value, op->batch, op->in->c, op->in->h, op->in->w, s->scratch);
        for (int k = 0; k < e->c; k++) {
            const float *w = weights + k * s->taps;
            double square = meta_patches_deviation(&s->patches, w, w), n = s->patches.count;
            meta_channel_set(&e->channels[k], meta_patches_mean(&s->patches, w), n > 1 && square > 0 ? square / (n - 1) : 0, n);
        }
    }
    meta_epilogue_forward(e, op, theta);
    pack(s, weights);
    EACH_IMAGE(s, stem(s->windows, s->channels, &e->map, s->packed + taps, AFFINE, z + out, e->kept + out, e->winner + out))
}

/* Wbar = sum over pixels of a + b (x - centre) + d xdot times the patch, + what the winners get: (u zbardot + v zbar) z'(y). */
static void weights_bar(struct meta_op *op, const float *weights, const float *dot, const float *zbardot, const float *u,
                        const float *v, float *wbar)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *zbar = op->y.bar;
    memset(s->sums, 0, (size_t)e->blocks * e->block * s->taps * sizeof *s->sums);
    EACH_IMAGE(s, stem_weights(s->windows, s->channels, &e->map, zbar + out, zbardot + out, e->kept + out, e->winner + out, AFFINE,
                               u + first_, v + first_, s->sums + taps))
    for (int k = 0; k < e->c; k++) {
        double sum[META_MOST_TAPS];
        for (int i = 0; i < s->taps; i++) sum[i] = s->sums[(k / e->block * s->taps + i) * e->block + k % e->block];
        if (op->normalise && !op->statistics) {
            meta_patches_add(&s->patches, e->row[META_A][k], e->row[META_B][k], weights + k * s->taps, e->channels[k].mean, sum);
            if (dot) meta_patches_add(&s->patches, 0, e->row[META_D][k], dot + k * s->taps, 0, sum);
        }
        for (int i = 0; i < s->taps; i++) wbar[k * s->taps + i] = sum[i];
    }
}

static void stem_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    meta_epilogue_backward(e, op, theta, e->kept, gradient);
    memset(e->row[META_U], 0, (size_t)e->blocks * e->block * sizeof(float));
    weights_bar(op, (const float *)theta + op->weights, NULL, op->y.bar, e->row[META_U], e->row[META_GAIN], (float *)gradient + op->weights);
}

static void stem_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights, *dot = (const float *)v + op->weights;
    float *zdot = op->y.dot;
    if (op->normalise) {
        meta_epilogue_clear_sums(e);
        for (int k = 0; k < e->c; k++) {
            double *sums = e->sums + k / e->block * 2 * e->block + k % e->block;
            const float *w = weights + k * s->taps, *d = dot + k * s->taps;
            sums[0] = meta_patches_mean(&s->patches, d) * s->patches.count;
            sums[e->block] = meta_patches_deviation(&s->patches, w, d);
        }
    }
    meta_epilogue_forward_tangent(e, op, theta, v);
    pack(s, dot);
    EACH_IMAGE(s, stem_tangent(s->windows, s->channels, &e->map, s->packed + taps, e->kept + out, e->winner + out, AFFINE,
                               R(P), R(Q), R(S), zdot + out, e->keptdot + out))
}

static void stem_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    meta_epilogue_backward_tangent(e, op, theta, v, e->kept, e->keptdot, product);
    weights_bar(op, (const float *)theta + op->weights, (const float *)v + op->weights, op->y.bardot, e->row[META_U], e->row[META_V],
                (float *)product + op->weights);
}

const struct meta_kernel meta_onednn_stem = {
    stem_create, stem_destroy, stem_forward, stem_backward, stem_forward_tangent, stem_backward_tangent
};
