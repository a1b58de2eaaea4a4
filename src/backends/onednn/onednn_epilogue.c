/* Epilogues of the oneDNN backend on the fused sweeps, block by block, for piecewise-linear
   activations without a pool or with Darknet's 2x2/2 one. onednn_plain.c has the plain loops for
   the rest. */
#include "onednn_epilogue.h"
#include "onednn_engine.h"

#include <stdlib.h>
#include <string.h>

int meta_onednn_epilogue_fits(const struct meta_op *op)
{
    int pool_fits = op->pool_size == 2 && op->pool_stride == 2 && op->pool_padding < 2;
    return meta_piecewise_linear(op->activation) && !meta_onednn_planar(op->out.c)
        && (!op->pool_size || pool_fits);
}

/* ---- the state ------------------------------------------------------------------------------- */

void meta_epilogue_close(struct meta_epilogue *e)
{
    free(e->channels);
    free(e->of_block);
    free(e->sums);
    free(e->memory);
    free(e->marks);
}

static float *aligned_floats(size_t count)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, count * sizeof(float))) return NULL;
    return memset(p, 0, count * sizeof(float));
}

#define ROWS 12 /* of struct meta_constants */

/* The constants of the channels from `first` on, of rows of `padded` channels each. */
static struct meta_constants constants_from(float *memory, size_t padded, size_t first,
                                            float negative)
{
    float *row[ROWS];
    for (int i = 0; i < ROWS; i++) row[i] = memory + i * padded + first;
    return (struct meta_constants){ .gain = row[0],
                                    .centre = row[1],
                                    .shift = row[2],
                                    .r = row[3],
                                    .p = row[4],
                                    .q = row[5],
                                    .s = row[6],
                                    .a = row[7],
                                    .b = row[8],
                                    .d = row[9],
                                    .u = row[10],
                                    .v = row[11],
                                    .negative = negative };
}

int meta_epilogue_open(struct meta_epilogue *e, const struct meta_op *op, struct meta_error *error)
{
    size_t padded = meta_onednn_padded(op->out.c);
    float negative = meta_negative(op->activation);
    memset(e, 0, sizeof *e);
    e->fused = meta_onednn_sweeps();
    e->c = op->out.c;
    e->block = 1 << meta_onednn_shift;
    e->blocks = padded / e->block;
    e->batch = op->batch;
    e->pixels = (size_t)op->in->h * op->in->w;
    e->outputs = (size_t)op->out.h * op->out.w;
    e->map = (struct meta_map){ op->in->h, op->in->w, op->out.h, op->out.w };
    e->channels = calloc(e->c, sizeof *e->channels);
    e->of_block = calloc(e->blocks, sizeof *e->of_block);
    e->sums = calloc(2 * padded, sizeof *e->sums);
    e->memory = aligned_floats(ROWS * padded);
    if (op->pool_size) e->marks = calloc(e->batch * padded * e->outputs, 1);
    if (!e->channels || !e->of_block || !e->sums || !e->memory || (op->pool_size && !e->marks)) {
        meta_epilogue_close(e);
        return meta_fail_memory(error);
    }
    e->all = constants_from(e->memory, padded, 0, negative);
    for (int k = 0; k < e->blocks; k++)
        e->of_block[k] = constants_from(e->memory, padded, k * e->block, negative);
    return 0;
}

void meta_epilogue_clear_sums(struct meta_epilogue *e)
{
    memset(e->sums, 0, 2 * (size_t)e->blocks * e->block * sizeof *e->sums);
}

static double first_sum(const struct meta_epilogue *e, int k)
{
    return *meta_epilogue_sum(e, k, 0);
}

static double second_sum(const struct meta_epilogue *e, int k)
{
    return *meta_epilogue_sum(e, k, 1);
}

/* The scales of the channels from k on that are normalised together, and with v their tangents. */
static struct meta_joined joined(const struct meta_op *op, const float *theta, const float *v,
                                 int k)
{
    struct meta_joined t = { .count = op->turns };
    for (int j = 0; op->normalise && j < op->turns; j++) {
        t.scales[j] = theta[op->scales + k + j];
        t.scaledots[j] = v ? v[op->scales + k + j] : 0;
    }
    return t;
}

/* ---- the arithmetic of the channels ---------------------------------------------------------- */

void meta_epilogue_forward(struct meta_epilogue *e, const struct meta_op *op, const float *theta)
{
    for (int k = 0; k < e->c; k++) {
        if (op->normalise && op->statistics)
            meta_channel_set(&e->channels[k], op->statistics[op->mean + k],
                             op->statistics[op->variance + k], 0);
        if (op->normalise) e->all.r[k] = e->channels[k].r;
        e->all.centre[k] = op->normalise ? e->channels[k].mean : 0;
        e->all.gain[k] = op->normalise ? theta[op->scales + k] * e->channels[k].r : 1;
        e->all.shift[k] = op->biases != META_NONE ? theta[op->biases + k] : 0;
    }
}

void meta_epilogue_backward(struct meta_epilogue *e, const struct meta_op *op, const float *theta,
                            float *gradient)
{
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        if (op->biases != META_NONE) gradient[op->biases + k] = first_sum(e, k);
        if (!op->normalise) continue;
        c->g1 = first_sum(e, k);
        c->g2 = second_sum(e, k) * c->r;
        gradient[op->scales + k] = c->g2;
    }
    for (int k = 0; k < e->c; k++) {
        int first = k - k % op->turns;
        struct meta_joined t = joined(op, theta, NULL, first);
        double a = 0, b = 0;
        if (op->normalise) meta_channels_backward(&e->channels[first], &t, &a, &b);
        e->all.a[k] = a;
        e->all.b[k] = b;
    }
}

void meta_epilogue_forward_tangent(struct meta_epilogue *e, const struct meta_op *op,
                                   const float *theta, const float *v)
{
    for (int k = 0; op->normalise && k < e->c; k++) {
        e->channels[k].s1 = first_sum(e, k);
        e->channels[k].s2 = second_sum(e, k) * e->channels[k].r;
        if (op->turns > 1 && (k + 1) % op->turns == 0)
            meta_channels_join_tangents(&e->channels[k + 1 - op->turns], op->turns);
    }
    for (int k = 0; k < e->c; k++) {
        const struct meta_channel *c = &e->channels[k];
        double p = 1, q = 0, s = 0, scale = 1, scaledot = 0;
        if (op->normalise) {
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k] * c->r;
            meta_channel_tangent(c, &p, &q, &s);
        }
        e->all.p[k] = scale * p;
        e->all.q[k] = scale * q + (op->biases != META_NONE ? v[op->biases + k] : 0);
        e->all.s[k] = scale * s + scaledot;
    }
}

void meta_epilogue_hats(struct meta_epilogue *e, const struct meta_op *op)
{
    for (int k = 0; k < e->c; k++) {
        double p = 1, q = 0, s = 0;
        if (op->normalise) meta_channel_tangent(&e->channels[k], &p, &q, &s);
        else e->all.r[k] = 1;
        e->all.p[k] = p;
        e->all.q[k] = q;
        e->all.s[k] = s;
    }
}

void meta_epilogue_backward_tangent(struct meta_epilogue *e, const struct meta_op *op,
                                    const float *theta, const float *v, float *product)
{
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        c->h1 = first_sum(e, k);
        c->h2 = second_sum(e, k);
        if (op->biases != META_NONE) product[op->biases + k] = c->h1;
        if (op->normalise) product[op->scales + k] = c->h2;
    }
    for (int k = 0; k < e->c; k++) {
        int first = k - k % op->turns;
        struct meta_joined t = joined(op, theta, v, first);
        struct meta_channel_bardot g = { 0, 0, 0, 0 };
        double scale = op->normalise ? t.scales[k - first] : 1;
        if (op->normalise) g = meta_channels_backward_tangent(&e->channels[first], &t);
        e->all.a[k] = g.a;
        e->all.b[k] = g.b;
        e->all.d[k] = g.d;
        e->all.u[k] = e->all.gain[k];
        e->all.v[k] = e->all.r[k] * t.scaledots[k - first] + g.rdot * scale;
    }
}

void meta_epilogue_statistics(const struct meta_epilogue *e, float *mean, float *variance)
{
    for (int k = 0; k < e->c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

/* ---- the kernel ------------------------------------------------------------------------------ */

static void epilogue_destroy(struct meta_op *op)
{
    if (op->state) meta_epilogue_close(op->state);
    free(op->state);
    op->state = NULL;
}

static int epilogue_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct meta_epilogue *e = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    if (meta_epilogue_open(e, op, error)) {
        free(e);
        return -1;
    }
    op->state = e;
    return 0;
}

/* Batch moments about the mean over a channel's first pixels, so that a float sum of squares
   does not cancel. */
static void measure(const struct meta_op *op, struct meta_epilogue *e)
{
    const float *x = op->x->value;
    size_t some = e->pixels < 64 ? e->pixels : 64;
    double n = (double)e->pixels * e->batch;
    memset(e->all.centre, 0, (size_t)e->blocks * e->block * sizeof(float));
    meta_epilogue_clear_sums(e);
    for (int i = 0; i < e->blocks; i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        e->fused->moments(x + at.in, some, at.constants, at.sums);
    }
    for (int k = 0; k < e->c; k++) e->all.centre[k] = first_sum(e, k) / some;
    meta_epilogue_clear_sums(e);
    for (int i = 0; i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        e->fused->moments(x + at.in, e->pixels, at.constants, at.sums);
    }
    for (int k = 0; k < e->c; k++) {
        double d = first_sum(e, k) / n, square = second_sum(e, k) - n * d * d;
        meta_channel_set(&e->channels[k], e->all.centre[k] + d,
                         n > 1 && square > 0 ? square / (n - 1) : 0, n);
    }
    for (int k = 0; op->turns > 1 && k < e->c; k += op->turns)
        meta_channels_join(&e->channels[k], op->turns);
}

static void epilogue_forward(struct meta_op *op, const void *theta)
{
    struct meta_epilogue *e = op->state;
    const struct meta_fused *f = e->fused;
    const float *x = op->x->value;
    float *z = op->y.value;
    if (op->normalise && !op->statistics) measure(op, e);
    if (op->measures) return;
    meta_epilogue_forward(e, op, theta);
    for (int i = 0; i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->forward_pool(x + at.in, &e->map, at.constants, z + at.out, e->marks + at.out);
        else f->forward(x + at.in, e->pixels, at.constants, z + at.in);
    }
}

static int has_sums(const struct meta_op *op) { return op->normalise || op->biases != META_NONE; }

static void epilogue_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct meta_epilogue *e = op->state;
    const struct meta_fused *f = e->fused;
    const float *x = op->x->value, *zbar = op->y.bar;
    float *xbar = op->x->bar;
    meta_epilogue_clear_sums(e);
    for (int i = 0; has_sums(op) && i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->slopes_pool(zbar + at.out, x + at.in, e->marks + at.out, &e->map, at.constants,
                           at.sums);
        else f->slopes(zbar + at.in, x + at.in, e->pixels, at.constants, at.sums);
    }
    meta_epilogue_backward(e, op, theta, gradient);
    for (int i = 0; xbar && i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->backward_pool(x + at.in, zbar + at.out, e->marks + at.out, &e->map, at.constants,
                             xbar + at.in);
        else f->backward(x + at.in, zbar + at.in, e->pixels, at.constants, xbar + at.in);
    }
}

static void epilogue_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct meta_epilogue *e = op->state;
    const struct meta_fused *f = e->fused;
    const float *x = op->x->value, *xdot = op->x->dot;
    float *z = op->y.value, *zdot = op->y.dot;
    if (op->normalise) meta_epilogue_clear_sums(e);
    for (int i = 0; op->normalise && i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        f->products(xdot + at.in, x + at.in, e->pixels, at.constants, at.sums);
    }
    meta_epilogue_forward_tangent(e, op, theta, v);
    for (int i = 0; i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->tangent_pool(x + at.in, xdot + at.in, e->marks + at.out, &e->map, at.constants,
                            z + at.out, zdot + at.out);
        else f->tangent(x + at.in, xdot + at.in, e->pixels, at.constants, z + at.in, zdot + at.in);
    }
}

static void epilogue_backward_tangent(struct meta_op *op, const void *theta, const void *v,
                                      void *product)
{
    struct meta_epilogue *e = op->state;
    const struct meta_fused *f = e->fused;
    const float *x = op->x->value, *xdot = op->x->dot, *zbar = op->y.bar, *zbardot = op->y.bardot;
    float *xbardot = op->x->bardot;
    meta_epilogue_hats(e, op);
    meta_epilogue_clear_sums(e);
    for (int i = 0; has_sums(op) && i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->slope_tangents_pool(zbar + at.out, zbardot + at.out, x + at.in, xdot + at.in,
                                   e->marks + at.out, &e->map, at.constants, at.sums);
        else
            f->slope_tangents(zbar + at.in, zbardot + at.in, x + at.in, xdot + at.in, e->pixels,
                              at.constants, at.sums);
    }
    meta_epilogue_backward_tangent(e, op, theta, v, product);
    for (int i = 0; xbardot && i < meta_epilogue_blocks(e); i++) {
        struct meta_block at = meta_epilogue_block(e, i);
        if (e->marks)
            f->backward_tangent_pool(x + at.in, xdot + at.in, zbar + at.out, zbardot + at.out,
                                     e->marks + at.out, &e->map, at.constants, xbardot + at.in);
        else
            f->backward_tangent(x + at.in, xdot + at.in, zbar + at.in, zbardot + at.in, e->pixels,
                                at.constants, xbardot + at.in);
    }
}

static void batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    meta_epilogue_statistics(op->state, mean, variance);
}

const struct meta_kernel meta_onednn_epilogue = { .create = epilogue_create,
                                                  .destroy = epilogue_destroy,
                                                  .forward = epilogue_forward,
                                                  .backward = epilogue_backward,
                                                  .forward_tangent = epilogue_forward_tangent,
                                                  .backward_tangent = epilogue_backward_tangent,
                                                  .batch_statistics = batch_statistics };
