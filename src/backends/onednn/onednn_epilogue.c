/* Epilogues of the oneDNN backend on the fused sweeps, block by block, for piecewise-linear activations without a pool or
   with Darknet's 2x2/2 one; onednn.c keeps the plain loops for the rest. */
#include "onednn_epilogue.h"
#include "onednn_internal.h"

#include <stdlib.h>
#include <string.h>

#define EACH_BLOCK META_EACH_BLOCK
#define R META_R
#define SUMS META_SUMS
#define AFFINE META_AFFINE

/* ---- what it keeps ------------------------------------------------------------------------------------------------------ */

void meta_epilogue_close(struct meta_epilogue *e)
{
    free(e->channels);
    free(e->sums);
    free(e->constants);
    free(e->marks);
}

static float *aligned_floats(size_t count)
{
    void *p = NULL;
    return posix_memalign(&p, 64, count * sizeof(float)) ? NULL : memset(p, 0, count * sizeof(float));
}

int meta_epilogue_open(struct meta_epilogue *e, const struct meta_op *op, struct meta_error *error)
{
    size_t padded = meta_onednn_padded(op->out.c);
    memset(e, 0, sizeof *e);
    e->fused = meta_onednn_shift == 4 ? &meta_fused()->lanes16 : &meta_fused()->lanes8;
    e->c = op->out.c;
    e->block = 1 << meta_onednn_shift;
    e->blocks = padded / e->block;
    e->batch = op->batch;
    e->negative = meta_negative(op->activation);
    e->pixels = (size_t)op->in->h * op->in->w;
    e->outputs = (size_t)op->out.h * op->out.w;
    e->map = (struct meta_map){ op->in->h, op->in->w, op->out.h, op->out.w };
    e->channels = calloc(e->c, sizeof *e->channels);
    e->sums = calloc(2 * padded, sizeof *e->sums);
    e->constants = aligned_floats(META_ROWS * padded);
    if (op->pool_size) e->marks = calloc(e->batch * padded * e->outputs, 1);
    if (!e->channels || !e->sums || !e->constants || (op->pool_size && !e->marks)) {
        meta_epilogue_close(e);
        return meta_fail(error, "out of memory");
    }
    for (int i = 0; i < META_ROWS; i++) e->row[i] = (float *)e->constants + i * padded;
    return 0;
}

void meta_epilogue_clear_sums(struct meta_epilogue *e) { memset(e->sums, 0, 2 * (size_t)e->blocks * e->block * sizeof *e->sums); }
static double first_sum(const struct meta_epilogue *e, int k) { return *meta_epilogue_sum(e, k, 0); }
static double second_sum(const struct meta_epilogue *e, int k) { return *meta_epilogue_sum(e, k, 1); }

/* ---- a channel's arithmetic --------------------------------------------------------------------------------------------- */

void meta_epilogue_forward(struct meta_epilogue *e, const struct meta_op *op, const float *theta)
{
    for (int k = 0; k < e->c; k++) {
        if (op->normalise && op->statistics)
            meta_channel_set(&e->channels[k], op->statistics[op->mean + k], op->statistics[op->variance + k], 0);
        if (op->normalise) e->row[META_UNIT][k] = e->channels[k].r;
        e->row[META_CENTRE][k] = op->normalise ? e->channels[k].mean : 0;
        e->row[META_GAIN][k] = op->normalise ? theta[op->scales + k] * e->channels[k].r : 1;
        e->row[META_SHIFT][k] = op->biases != META_NONE ? theta[op->biases + k] : 0;
    }
}

void meta_epilogue_backward(struct meta_epilogue *e, const struct meta_op *op, const float *theta, float *gradient)
{
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0;
        if (op->biases != META_NONE) gradient[op->biases + k] = first_sum(e, k);
        if (op->normalise) {
            c->g1 = first_sum(e, k);
            c->g2 = second_sum(e, k) * c->r;
            gradient[op->scales + k] = c->g2;
            meta_channel_backward(c, theta[op->scales + k], &a, &b);
        }
        e->row[META_A][k] = a;
        e->row[META_B][k] = b;
    }
}

void meta_epilogue_forward_tangent(struct meta_epilogue *e, const struct meta_op *op, const float *theta, const float *v)
{
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double p = 1, q = 0, s = 0, scale = 1, scaledot = 0;
        if (op->normalise) {
            c->s1 = first_sum(e, k);
            c->s2 = second_sum(e, k) * c->r;
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k] * c->r;
            meta_channel_tangent(c, &p, &q, &s);
        }
        e->row[META_P][k] = scale * p;
        e->row[META_Q][k] = scale * q + (op->biases != META_NONE ? v[op->biases + k] : 0);
        e->row[META_S][k] = scale * s + scaledot;
    }
}

void meta_epilogue_hats(struct meta_epilogue *e, const struct meta_op *op)
{
    for (int k = 0; k < e->c; k++) {
        double p = 1, q = 0, s = 0;
        if (op->normalise) meta_channel_tangent(&e->channels[k], &p, &q, &s);
        else e->row[META_UNIT][k] = 1;
        e->row[META_P][k] = p;
        e->row[META_Q][k] = q;
        e->row[META_S][k] = s;
    }
}

void meta_epilogue_backward_tangent(struct meta_epilogue *e, const struct meta_op *op, const float *theta, const float *v, float *product)
{
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0, d = 0, rdot = 0, scale = 1, scaledot = 0;
        if (op->biases != META_NONE) product[op->biases + k] = first_sum(e, k);
        if (op->normalise) {
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k];
            product[op->scales + k] = second_sum(e, k);
            meta_channel_backward_tangent(c, scale, scaledot, first_sum(e, k), second_sum(e, k), &a, &b, &d, &rdot);
        }
        e->row[META_A][k] = a;
        e->row[META_B][k] = b;
        e->row[META_D][k] = d;
        e->row[META_U][k] = e->row[META_GAIN][k];
        e->row[META_V][k] = e->row[META_UNIT][k] * scaledot + rdot * scale;
    }
}

void meta_epilogue_statistics(const struct meta_epilogue *e, float *mean, float *variance)
{
    for (int k = 0; k < e->c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

/* ---- the kernel ----------------------------------------------------------------------------------------------------------- */

static void epilogue_destroy(struct meta_op *op)
{
    if (op->state) meta_epilogue_close(op->state);
    free(op->state);
    op->state = NULL;
}

static int epilogue_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct meta_epilogue *e = calloc(1, sizeof *e);
    if (!e) return meta_fail(error, "out of memory");
    if (meta_epilogue_open(e, op, error)) {
        free(e);
        return -1;
    }
    op->state = e;
    return 0;
}

/* Batch moments about a channel's mean over its first pixels, so that a float sum of squares does not cancel. */
static void measure(const struct meta_op *op, struct meta_epilogue *e)
{
    const float *x = op->x->value;
    size_t some = e->pixels < 64 ? e->pixels : 64;
    double n = (double)e->pixels * e->batch;
    memset(e->row[META_CENTRE], 0, (size_t)e->blocks * e->block * sizeof(float));
    meta_epilogue_clear_sums(e);
    for (int i = 0; i < e->blocks; i++)
        e->fused->moments(x + i * e->pixels * e->block, some, e->row[META_CENTRE] + i * e->block, e->sums + 2 * i * e->block);
    for (int k = 0; k < e->c; k++) e->row[META_CENTRE][k] = first_sum(e, k) / some;
    meta_epilogue_clear_sums(e);
    EACH_BLOCK(e, moments(x + in, e->pixels, R(CENTRE), SUMS))
    for (int k = 0; k < e->c; k++) {
        double d = first_sum(e, k) / n, square = second_sum(e, k) - n * d * d;
        meta_channel_set(&e->channels[k], e->row[META_CENTRE][k] + d, n > 1 && square > 0 ? square / (n - 1) : 0, n);
    }
}

static void epilogue_forward(struct meta_op *op, const void *theta)
{
    struct meta_epilogue *e = op->state;
    const float *x = op->x->value;
    float *z = op->y.value;
    if (op->normalise && !op->statistics) measure(op, e);
    meta_epilogue_forward(e, op, theta);
    if (e->marks) EACH_BLOCK(e, forward_pool(x + in, &e->map, AFFINE, z + out, e->marks + out))
    else EACH_BLOCK(e, forward(x + in, e->pixels, AFFINE, z + in))
}

static int has_sums(const struct meta_op *op) { return op->normalise || op->biases != META_NONE; }

static void epilogue_backward(struct meta_op *op, const void *theta, void *gradient)
{
    struct meta_epilogue *e = op->state;
    const float *x = op->x->value, *zbar = op->y.bar;
    float *xbar = op->x->bar;
    meta_epilogue_clear_sums(e);
    if (has_sums(op) && e->marks) EACH_BLOCK(e, slopes_pool(zbar + out, x + in, e->marks + out, &e->map, R(CENTRE), e->negative, SUMS))
    else if (has_sums(op)) EACH_BLOCK(e, slopes(zbar + in, x + in, e->pixels, AFFINE, SUMS))
    meta_epilogue_backward(e, op, theta, gradient);
    if (!xbar) return;
    if (e->marks)
        EACH_BLOCK(e, backward_pool(x + in, zbar + out, e->marks + out, &e->map, R(GAIN), R(CENTRE), e->negative, R(A), R(B), xbar + in))
    else EACH_BLOCK(e, backward(x + in, zbar + in, e->pixels, AFFINE, R(A), R(B), xbar + in))
}

static void epilogue_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    struct meta_epilogue *e = op->state;
    const float *x = op->x->value, *xdot = op->x->dot;
    float *z = op->y.value, *zdot = op->y.dot;
    if (op->normalise) {
        meta_epilogue_clear_sums(e);
        EACH_BLOCK(e, products(xdot + in, x + in, e->pixels, R(CENTRE), SUMS))
    }
    meta_epilogue_forward_tangent(e, op, theta, v);
    if (e->marks)
        EACH_BLOCK(e, tangent_pool(x + in, xdot + in, e->marks + out, &e->map, AFFINE, R(P), R(Q), R(S), z + out, zdot + out))
    else EACH_BLOCK(e, tangent(x + in, xdot + in, e->pixels, AFFINE, R(P), R(Q), R(S), z + in, zdot + in))
}

static void epilogue_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    struct meta_epilogue *e = op->state;
    const float *x = op->x->value, *xdot = op->x->dot, *zbar = op->y.bar, *zbardot = op->y.bardot;
    float *xbardot = op->x->bardot;
    meta_epilogue_hats(e, op);
    meta_epilogue_clear_sums(e);
    if (has_sums(op) && e->marks)
        EACH_BLOCK(e, slope_tangents_pool(zbar + out, zbardot + out, x + in, xdot + in, e->marks + out, &e->map, R(CENTRE), e->negative,
                                          R(UNIT), R(P), R(Q), R(S), SUMS))
    else if (has_sums(op))
        EACH_BLOCK(e, slope_tangents(zbar + in, zbardot + in, x + in, xdot + in, e->pixels, AFFINE, R(UNIT), R(P), R(Q), R(S), SUMS))
    meta_epilogue_backward_tangent(e, op, theta, v, product);
    if (!xbardot) return;
    if (e->marks)
        EACH_BLOCK(e, backward_tangent_pool(x + in, xdot + in, zbar + out, zbardot + out, e->marks + out, &e->map, R(CENTRE), e->negative,
                                            R(A), R(B), R(D), R(U), R(V), xbardot + in))
    else
        EACH_BLOCK(e, backward_tangent(x + in, xdot + in, zbar + in, zbardot + in, e->pixels, AFFINE, R(A), R(B), R(D), R(U), R(V),
                                       xbardot + in))
}

const struct meta_kernel meta_onednn_epilogue = {
    epilogue_create, epilogue_destroy, epilogue_forward, epilogue_backward,
    epilogue_forward_tangent, epilogue_backward_tangent
};
