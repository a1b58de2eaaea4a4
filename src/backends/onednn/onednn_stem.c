/* First layers of the oneDNN backend: a 3x3 convolution of up to three channels of the images, its
   normalisation and activation and a 2x2/2 max-pool in one operation that never holds the
   convolution's output. The images have no tangent.

   The batch statistics follow from those of the images' patches (patches.h). On the way back,
   what normalisation spreads over all pixels is, for the weights, a few sums over patches again,
   and the rest happens at the pool's winners, a quarter of the pixels. There, x = w.patch is
   linear in the patch, so that every sum that the epilogue takes follows from S = sum(ybar
   patch) and its tangent, and x need not be kept. */
#include "onednn_stem.h"
#include "onednn_engine.h"
#include "onednn_epilogue.h"
#include "patches.h"

#include <stdlib.h>
#include <string.h>

struct stem {
    struct meta_epilogue epilogue;
    int channels, taps;
    struct meta_patches patches;
    unsigned measured;     /* the `loads` of the operation whose images gave the patches' moments */
    double *scratch;       /* of meta_patches_measure */
    float *windows;        /* (outputs, channels, 4, 4) of the image in hand */
    float *packed, *along; /* (blocks, taps, block) weights, and what gives zdot */
    double *sums, *sumsdot; /* (blocks, taps + 1, block) S of the last backward and, as
                               one more tap, sum(ybar); and their tangents */
};

int meta_onednn_stem_fits(const struct meta_layer *l, const struct meta_layer *pool)
{
    return l->type == META_CONVOLUTIONAL && meta_piecewise_linear(l->activation)
        && meta_layer_groups(l) == 1 && l->rotations != 4 && meta_onednn_planar(l->in.c)
        && !meta_onednn_planar(l->filters) && l->size == 3 && l->stride == 1 && l->padding == 1
        && meta_layer_dilation(l) == 1 && pool->size == 2 && pool->stride == 2
        && 2 * pool->out.h <= l->in.h && 2 * pool->out.w <= l->in.w;
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
    if (!s) return meta_fail_memory(error);
    if (meta_epilogue_open(&s->epilogue, op, error)) {
        free(s);
        op->state = NULL;
        return -1;
    }
    s->channels = op->in->c;
    s->taps = META_PATCH * s->channels;
    size_t lanes = (size_t)s->epilogue.blocks * s->epilogue.block, sums = lanes * (s->taps + 1);
    s->scratch = malloc(meta_patches_scratch(*op->in) * sizeof *s->scratch);
    s->windows = malloc(s->epilogue.outputs * 16 * s->channels * sizeof *s->windows);
    s->packed = malloc(lanes * s->taps * sizeof *s->packed);
    s->sums = malloc(sums * sizeof *s->sums);
    if (tangents) {
        s->along = malloc(lanes * s->taps * sizeof *s->along);
        s->sumsdot = malloc(sums * sizeof *s->sumsdot);
    }
    int has_tangents = !tangents || (s->along && s->sumsdot);
    if (s->scratch && s->windows && s->packed && s->sums && has_tangents) return 0;
    stem_destroy(op);
    return meta_fail_memory(error);
}

/* Four pixels of a row of w, from column `first` on; 0 outside the row. */
static void cut_row(const float *row, int w, int first, float *to)
{
    if (first >= 0 && first + 3 < w) memcpy(to, row + first, 4 * sizeof *to);
    else
        for (int k = 0; k < 4; k++) to[k] = first + k < 0 || first + k >= w ? 0 : row[first + k];
}

/* One row of pixels of all windows side by side, `step` numbers apart; row NULL: zeros. */
static void cut_strip(const float *row, int w, int windows, float *to, size_t step)
{
    int whole = (w - 3) / 2; /* the last window that ends within the row; 0: not even the second */
    if (!row)
        for (int j = 0; j < windows; j++) memset(to + j * step, 0, 4 * sizeof *to);
    else {
        if (whole > windows - 1) whole = windows - 1;
        cut_row(row, w, -1, to);
        for (int j = 1; j <= whole; j++) memcpy(to + j * step, row + 2 * j - 1, 4 * sizeof *to);
        for (int j = whole < 1 ? 1 : whole + 1; j < windows; j++)
            cut_row(row, w, 2 * j - 1, to + j * step);
    }
}

/* The 4x4 pixels that each window of image b sees, zeros around the image included. */
static void cut_windows(struct stem *s, const struct meta_op *op, int b)
{
    int h = op->in->h, w = op->in->w;
    size_t step = 16 * (size_t)s->channels;
    const float *images = op->x->value;
    for (int i = 0; i < op->out.h; i++)
        for (int c = 0; c < s->channels; c++) {
            const float *image = images + (size_t)(b * s->channels + c) * h * w;
            float *to = s->windows + (size_t)i * op->out.w * step + 16 * (size_t)c;
            for (int y = 2 * i - 1; y < 2 * i + 3; y++, to += 4)
                cut_strip(y < 0 || y >= h ? NULL : image + (size_t)y * w, w, op->out.w, to, step);
        }
}

/* Block n of the batch, image by image. With the first block of an image its windows are cut. */
static struct meta_block next_block(struct stem *s, const struct meta_op *op, int n)
{
    if (n % s->epilogue.blocks == 0) cut_windows(s, op, n / s->epilogue.blocks);
    return meta_epilogue_block(&s->epilogue, n);
}

/* Where the weights of block n begin in (blocks, taps, block). */
static size_t taps_at(const struct stem *s, int n)
{
    return (size_t)(n % s->epilogue.blocks) * s->taps * s->epilogue.block;
}

/* (blocks, taps, block) from weights (c, taps) */
static void pack(const struct stem *s, const float *weights, float *to)
{
    int block = s->epilogue.block;
    memset(to, 0, (size_t)s->epilogue.blocks * block * s->taps * sizeof *to);
    for (int k = 0; k < s->epilogue.c; k++)
        for (int i = 0; i < s->taps; i++)
            to[(k / block * s->taps + i) * block + k % block] = weights[k * s->taps + i];
}

/* p dot + s weights, packed likewise; p and s are the epilogue's constants. */
static void pack_along(const struct stem *s, const float *dot, const float *weights, float *to)
{
    const struct meta_constants *all = &s->epilogue.all;
    int block = s->epilogue.block;
    memset(to, 0, (size_t)s->epilogue.blocks * block * s->taps * sizeof *to);
    for (int k = 0; k < s->epilogue.c; k++)
        for (int i = 0; i < s->taps; i++) {
            int from = k * s->taps + i;
            to[(k / block * s->taps + i) * block + k % block] = all->p[k] * dot[from]
                + all->s[k] * weights[from];
        }
}

/* The moments of the patches are the images' alone: steps with other weights take them as they are.
 */
static void measure(struct stem *s, const struct meta_op *op)
{
    if (op->loads && s->measured == op->loads) return;
    meta_patches_measure(&s->patches, op->x->value, op->batch, *op->in, s->scratch);
    s->measured = op->loads;
}

static void stem_forward(struct meta_op *op, const void *parameters)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *theta = parameters, *weights = theta + op->weights;
    float *z = op->y.value;
    if (op->normalise && !op->statistics) {
        measure(s, op);
        for (int k = 0; k < e->c; k++) {
            const float *w = weights + k * s->taps;
            double square = meta_patches_deviation(&s->patches, w, w), n = s->patches.count;
            meta_channel_set(&e->channels[k], meta_patches_mean(&s->patches, w),
                             n > 1 && square > 0 ? square / (n - 1) : 0, n);
        }
    }
    if (op->measures) return;
    meta_epilogue_forward(e, op, theta);
    pack(s, weights, s->packed);
    for (int n = 0; n < meta_epilogue_blocks(e); n++) {
        struct meta_block at = next_block(s, op, n);
        e->fused->stem(s->windows, s->channels, &e->map, s->packed + taps_at(s, n), at.constants,
                       z + at.out, e->marks + at.out);
    }
}

/* S and sum(ybar) from zbar, or their tangents from zbardot. */
static void sum_patches(const struct meta_op *op, const float *zbar, double *sums)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    size_t of_block = (size_t)(s->taps + 1) * e->block;
    memset(sums, 0, e->blocks * of_block * sizeof *sums);
    for (int n = 0; n < meta_epilogue_blocks(e); n++) {
        struct meta_block at = next_block(s, op, n);
        e->fused->stem_weights(s->windows, s->channels, &e->map, zbar + at.out, e->marks + at.out,
                               at.constants, sums + n % e->blocks * of_block);
    }
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
    /* the sum over pixels of a + b (x - centre) times the patch, and ybar times the patch of the
       winners */
    for (int k = 0; k < e->c; k++) {
        const float *w = weights + k * s->taps;
        struct meta_pull of_x = { e->all.a[k], e->all.b[k], w, centre_of(op, k) };
        double sum[META_MOST_TAPS];
        for (int i = 0; i < s->taps; i++) sum[i] = e->all.gain[k] * sum_at(s, s->sums, k, i);
        if (op->normalise && !op->statistics) meta_patches_add(&s->patches, &of_x, sum);
        for (int i = 0; i < s->taps; i++) wbar[k * s->taps + i] = sum[i];
    }
}

static void stem_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights;
    const float *dot = (const float *)v + op->weights;
    float *z = op->y.value, *zdot = op->y.dot;
    if (op->normalise) {
        meta_epilogue_clear_sums(e);
        for (int k = 0; k < e->c; k++) {
            const float *w = weights + k * s->taps, *d = dot + k * s->taps;
            *meta_epilogue_sum(e, k, 0) = meta_patches_mean(&s->patches, d) * s->patches.count;
            *meta_epilogue_sum(e, k, 1) = meta_patches_deviation(&s->patches, w, d);
        }
    }
    meta_epilogue_forward_tangent(e, op, theta, v);
    /* p xdot + q + s (x - centre) = (p wdot + s w).patch + (q - s centre) */
    pack(s, weights, s->packed);
    pack_along(s, dot, weights, s->along);
    for (int k = 0; k < e->c; k++) e->all.q[k] -= e->all.s[k] * centre_of(op, k);
    for (int n = 0; n < meta_epilogue_blocks(e); n++) {
        struct meta_block at = next_block(s, op, n);
        e->fused->stem_tangent(s->windows, s->channels, &e->map, s->packed + taps_at(s, n),
                               s->along + taps_at(s, n), e->marks + at.out, at.constants,
                               z + at.out, zdot + at.out);
    }
}

static void stem_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                  void *product)
{
    struct stem *s = op->state;
    struct meta_epilogue *e = &s->epilogue;
    const float *weights = (const float *)theta + op->weights;
    const float *dot = (const float *)v + op->weights;
    float *wbardot = (float *)product + op->weights;
    sum_patches(op, op->y.bardot, s->sumsdot);
    meta_epilogue_hats(e, op);
    for (int k = 0; k < e->c; k++) {
        const float *w = weights + k * s->taps, *d = dot + k * s->taps;
        double centre = centre_of(op, k);
        *meta_epilogue_sum(e, k, 0) = sum_at(s, s->sumsdot, k, s->taps);
        *meta_epilogue_sum(e, k, 1) = e->all.r[k] * along(s, s->sumsdot, k, w, centre)
            + e->all.p[k] * along(s, s->sums, k, d, 0)
            + e->all.q[k] * sum_at(s, s->sums, k, s->taps)
            + e->all.s[k] * along(s, s->sums, k, w, centre);
    }
    meta_epilogue_backward_tangent(e, op, theta, v, product);
    /* the sum over pixels of a + b (x - centre) + d xdot times the patch, and u ybardot + v ybar
       times the patch of the winners */
    for (int k = 0; k < e->c; k++) {
        const float *w = weights + k * s->taps, *d = dot + k * s->taps;
        double sum[META_MOST_TAPS];
        for (int i = 0; i < s->taps; i++)
            sum[i] = e->all.u[k] * sum_at(s, s->sumsdot, k, i)
                + e->all.v[k] * sum_at(s, s->sums, k, i);
        if (op->normalise && !op->statistics) {
            struct meta_pull of_x = { e->all.a[k], e->all.b[k], w, centre_of(op, k) };
            meta_patches_add(&s->patches, &of_x, sum);
            meta_patches_add(&s->patches, &(struct meta_pull){ 0, e->all.d[k], d, 0 }, sum);
        }
        for (int i = 0; i < s->taps; i++) wbardot[k * s->taps + i] = sum[i];
    }
}

static void batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    const struct stem *s = op->state;
    meta_epilogue_statistics(&s->epilogue, mean, variance);
}

const struct meta_kernel meta_onednn_stem = { .create = stem_create,
                                              .destroy = stem_destroy,
                                              .forward = stem_forward,
                                              .backward = stem_backward,
                                              .forward_tangent = stem_forward_tangent,
                                              .backward_tangent = stem_backward_tangent,
                                              .batch_statistics = batch_statistics };
