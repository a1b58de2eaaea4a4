/* First layers of the oneDNN backend: a 3x3 convolution of up to three channels of the images, its normalisation and activation
   and a 2x2/2 max-pool in one operation that never holds the convolution's output. Its batch statistics are those of the
   images' patches (patches.h); what normalisation spreads over all pixels on the way back is, for the weights, a few sums over
   patches again; and the rest happens at the pool's winners, a quarter of the pixels. There, x = w.patch is linear in the patch, so
   that every sum that the epilogue takes follows from S = sum(ybar patch) and its tangent, and x need not be kept. The images have
   no tangent. */
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
    float *packed, *along;             /* (blocks, taps, block) weights, and what gives their zdot */
    double *sums, *sumsdot;            /* (blocks, taps + 1, block) S, and behind it sum(ybar), of the last backward; their tangents */
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
    free(s->along);
    free(s->sums);
    free(s->sumsdot);
    free(s);
    op->state = NULL;
}

static int stem_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct stem *s = op->state = calloc(1, sizeof *s);
    if (!s) return meta_fail(error, "out of memory");
    if (meta_epilogue_open(&s->epilogue, op, error)) {
        free(s);
        op->state = NULL;
        return -1;
    }
    s->channels = op->in->c;
    s->taps = META_PATCH * s->channels;
    size_t lanes = (size_t)s->epilogue.blocks * s->epilogue.block, sums = lanes * (s->taps + 1);
    s->scratch = malloc(meta_patches_scratch(op->in->c, op->in->h, op->in->w) * sizeof *s->scratch);
    s->windows = malloc(s->epilogue.outputs * 16 * s->channels * sizeof *s->windows);
    s->packed = malloc(lanes * s->taps * sizeof *s->packed);
    s->sums = malloc(sums * sizeof *s->sums);
    if (tangents) {
        s->along = malloc(lanes * s->taps * sizeof *s->along);
        s->sumsdot = malloc(sums * sizeof *s->sumsdot);
    }
    if (s->scratch && s->windows && s->packed && s->sums && (!tangents || (s->along && s->sumsdot))) return 0;
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

/* a weights + b more, (out.c, taps), the factors (out.c), to (blocks, taps, block) */
static void pack(const struct stem *s, const float *a, const float *weights, const float *b, const float *more, float *to)
{
    int block = s->epilogue.block;
    memset(to, 0, (size_t)s->epilogue.blocks * block * s->taps * sizeof *to);
    for (int k = 0; k < s->epilogue.c; k++)
        for (int i = 0; i < s->taps; i++) {
            float x = weights[k * s->taps + i];
            to[(k / block * s->taps + i) * block + k % block] = more ? a[k] * x + b[k] * more[k * s->taps + i] : x;
        }
}

/* For each image, then each block: `call`, one of e->fused, with windows and weights of that block. */
#define EACH_IMAGE(s, call)                                                                     \
    for (int b_ = 0; b_ < e->batch; b_++) {                                                     \
        cut_windows(s, op, b_);                                                                 \
        for (int k_ = 0; k_ < e->blocks; k_++) {                                                \
            size_t out = (size_t)(b_ * e->blocks + k_) * e->outputs * e->block;                 \
            size_t taps = (size_t)k_ * s->taps * e->block;                                      \
            int first_ = k_ * e->block;                                                         \
            (void)out, (void)taps, (void)first_;                                                \
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
    pack(s, NULL, weights, NULL, NULL, s->packed);
    EACH_IMAGE(s, stem(s->windows, s->channels, &e->map, s->packed + taps, AFFINE, z + out, e->marks + out))
}

/* S and sum(ybar) of a zbar, or their tangents of a zbardot */
static void sum_patches(const struct meta_op *op, const float *zbar, double *sums)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    memset(sums, 0, (size_t)e->blocks * e->block * (s->taps + 1) * sizeof *sums);
    EACH_IMAGE(s, stem_weights(s->windows, s->channels, &e->map, zbar + out, e->marks + out, e->negative, sums + taps + k_ * e->block))
}

static double sum_at(const struct stem *s, const double *sums, int k, int i)
{
    int block = s->epilogue.block;
    return sums[(k / block * (s->taps + 1) + i) * block + k % block];
}

/* sum(ybar (w.patch - centre)) */
static double along(const struct stem *s, const double *sums, int k, const float *w, double centre)
{
    double sum = -centre * sum_at(s, sums, k, s->taps);
    for (int i = 0; i < s->taps; i++) sum += w[i] * sum_at(s, sums, k, i);
    return sum;
}

static double centre_of(const struct meta_op *op, int k)
{
    const struct stem *s = op->state;
    return op->normalise ? s->epilogue.channels[k].mean : 0;
}

static void stem_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights;
    float *wbar = (float *)gradient + op->weights;
    sum_patches(op, op->y.bar, s->sums);
    for (int k = 0; k < e->c; k++) {
        *meta_epilogue_sum(e, k, 0) = sum_at(s, s->sums, k, s->taps);
        *meta_epilogue_sum(e, k, 1) = along(s, s->sums, k, weights + k * s->taps, centre_of(op, k));
    }
    meta_epilogue_backward(e, op, theta, gradient);
    /* sum over pixels of a + b (x - centre) times the patch, + what the winners get */
    for (int k = 0; k < e->c; k++) {
        double sum[META_MOST_TAPS];
        for (int i = 0; i < s->taps; i++) sum[i] = e->row[META_GAIN][k] * sum_at(s, s->sums, k, i);
        if (op->normalise && !op->statistics)
            meta_patches_add(&s->patches, e->row[META_A][k], e->row[META_B][k], weights + k * s->taps, centre_of(op, k), sum);
        for (int i = 0; i < s->taps; i++) wbar[k * s->taps + i] = sum[i];
    }
}

static void stem_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights, *dot = (const float *)v + op->weights;
    float *z = op->y.value, *zdot = op->y.dot;
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
    /* p xdot + q + s (x - centre) = (p wdot + s w).patch + (q - s centre) */
    pack(s, NULL, weights, NULL, NULL, s->packed);
    pack(s, e->row[META_P], dot, e->row[META_S], weights, s->along);
    for (int k = 0; k < e->c; k++) e->row[META_Q][k] -= e->row[META_S][k] * centre_of(op, k);
    EACH_IMAGE(s, stem_tangent(s->windows, s->channels, &e->map, s->packed + taps, s->along + taps, e->marks + out,
                               R(GAIN), R(CENTRE), R(SHIFT), R(Q), e->negative, z + out, zdot + out))
}

static void stem_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights, *dot = (const float *)v + op->weights;
    float *wbardot = (float *)product + op->weights;
    sum_patches(op, op->y.bardot, s->sumsdot);
    meta_epilogue_hats(e, op);
    for (int k = 0; k < e->c; k++) {
        const float *w = weights + k * s->taps, *d = dot + k * s->taps;
        double centre = centre_of(op, k);
        *meta_epilogue_sum(e, k, 0) = sum_at(s, s->sumsdot, k, s->taps);
        *meta_epilogue_sum(e, k, 1) = e->row[META_UNIT][k] * along(s, s->sumsdot, k, w, centre) + e->row[META_P][k] * along(s, s->sums, k, d, 0)
                                    + e->row[META_Q][k] * sum_at(s, s->sums, k, s->taps) + e->row[META_S][k] * along(s, s->sums, k, w, centre);
    }
    meta_epilogue_backward_tangent(e, op, theta, v, product);
    /* sum over pixels of a + b (x - centre) + d xdot times the patch, + what the winners get: u ybardot + v ybar */
    for (int k = 0; k < e->c; k++) {
        double sum[META_MOST_TAPS];
        for (int i = 0; i < s->taps; i++)
            sum[i] = e->row[META_U][k] * sum_at(s, s->sumsdot, k, i) + e->row[META_V][k] * sum_at(s, s->sums, k, i);
        if (op->normalise && !op->statistics) {
            meta_patches_add(&s->patches, e->row[META_A][k], e->row[META_B][k], weights + k * s->taps, centre_of(op, k), sum);
            meta_patches_add(&s->patches, 0, e->row[META_D][k], dot + k * s->taps, 0, sum);
        }
        for (int i = 0; i < s->taps; i++) wbardot[k * s->taps + i] = sum[i];
    }
}

const struct meta_kernel meta_onednn_stem = {
    stem_create, stem_destroy, stem_forward, stem_backward, stem_forward_tangent, stem_backward_tangent
};
