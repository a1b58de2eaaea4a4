/* Epilogues of the oneDNN backend on the fused sweeps, block by block, for piecewise-linear activations without a pool or
   with Darknet's 2x2/2 one; onednn.c keeps the plain loops for the rest. */
#include "epilogue_math.h"
#include "fused_kernels.h"
#include "onednn_internal.h"

#include <stdlib.h>
#include <string.h>

/* Per-channel constants, (padded) floats each; 0 for the padding, which so stays 0. */
enum { GAIN, CENTRE, SHIFT, UNIT /* r */, P, Q, S, A, B, D, U, V, ROWS };

struct epilogue {
    const struct meta_fused *fused;
    int c, block, blocks, batch;      /* blocks of an image: padded channels / block */
    float negative;
    size_t pixels, outputs;           /* of one image */
    struct meta_map map;
    struct meta_channel *channels;    /* (c) */
    float *row[ROWS];
    double *sums;                     /* (blocks, 2, block) */
    float *kept, *keptdot;            /* (batch, blocks, outputs, block) x and xdot of the winners; NULL without a pool */
    uint8_t *winner;                  /* likewise */
    void *constants;
};

static void epilogue_destroy(struct meta_op *op)
{
    struct epilogue *e = op->state;
    if (!e) return;
    free(e->channels);
    free(e->sums);
    free(e->constants);
    free(e->kept);
    free(e->keptdot);
    free(e->winner);
    free(e);
    op->state = NULL;
}

static float *aligned_floats(size_t count)
{
    void *p = NULL;
    return posix_memalign(&p, 64, count * sizeof(float)) ? NULL : memset(p, 0, count * sizeof(float));
}

static int epilogue_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct epilogue *e = op->state = calloc(1, sizeof *e);
    if (!e) return meta_fail(error, "out of memory");
    size_t padded = meta_onednn_padded(op->out.c), n;
    e->fused = meta_onednn_shift == 4 ? &meta_fused()->lanes16 : &meta_fused()->lanes8;
    e->c = op->out.c;
    e->block = 1 << meta_onednn_shift;
    e->blocks = padded / e->block;
    e->batch = op->batch;
    e->negative = op->activation == META_RELU ? 0 : op->activation == META_LEAKY ? .1f : 1;
    e->pixels = (size_t)op->in->h * op->in->w;
    e->outputs = (size_t)op->out.h * op->out.w;
    e->map = (struct meta_map){ op->in->h, op->in->w, op->out.h, op->out.w };
    n = e->batch * padded * e->outputs;
    e->channels = calloc(e->c, sizeof *e->channels);
    e->sums = calloc(2 * padded, sizeof *e->sums);
    e->constants = aligned_floats(ROWS * padded);
    if (op->pool_size) {
        e->kept = aligned_floats(n);
        e->winner = calloc(n, 1);
        if (tangents) e->keptdot = aligned_floats(n);
    }
    if (!e->channels || !e->sums || !e->constants
        || (op->pool_size && (!e->kept || !e->winner || (tangents && !e->keptdot)))) {
        epilogue_destroy(op);
        return meta_fail(error, "out of memory");
    }
    for (int i = 0; i < ROWS; i++) e->row[i] = (float *)e->constants + i * padded;
    return 0;
}

/* Runs `call` for each block of each image: `in` and `out` are where its pixels begin in an unpooled and a pooled tensor, and
   R(row), SUMS are its channels' constants and sums. */
#define EACH_BLOCK(e, call)                                                              \
    for (int n_ = 0; n_ < (e)->batch * (e)->blocks; n_++) {                              \
        size_t in = n_ * (e)->pixels * (e)->block, out = n_ * (e)->outputs * (e)->block; \
        int first_ = n_ % (e)->blocks * (e)->block;                                      \
        (void)in, (void)out, (void)first_;                                               \
        (e)->fused->call;                                                                \
    }
#define R(name) (e->row[name] + first_)
#define SUMS (e->sums + 2 * first_)
#define AFFINE R(GAIN), R(CENTRE), R(SHIFT), e->negative

static void clear_sums(struct epilogue *e) { memset(e->sums, 0, 2 * (size_t)e->blocks * e->block * sizeof *e->sums); }
static double first_sum(const struct epilogue *e, int k) { return e->sums[k / e->block * 2 * e->block + k % e->block]; }
static double second_sum(const struct epilogue *e, int k) { return e->sums[(k / e->block * 2 + 1) * e->block + k % e->block]; }

/* Batch moments about a channel's mean over its first pixels, so that a float sum of squares does not cancel. */
static void measure(const struct meta_op *op, struct epilogue *e)
{
    const float *x = op->x->value;
    size_t some = e->pixels < 64 ? e->pixels : 64;
    double n = (double)e->pixels * e->batch;
    memset(e->row[CENTRE], 0, (size_t)e->blocks * e->block * sizeof(float));
    clear_sums(e);
    for (int i = 0; i < e->blocks; i++)
        e->fused->moments(x + i * e->pixels * e->block, some, e->row[CENTRE] + i * e->block, e->sums + 2 * i * e->block);
    for (int k = 0; k < e->c; k++) e->row[CENTRE][k] = first_sum(e, k) / some;
    clear_sums(e);
    EACH_BLOCK(e, moments(x + in, e->pixels, R(CENTRE), SUMS))
    for (int k = 0; k < e->c; k++) {
        double d = first_sum(e, k) / n, square = second_sum(e, k) - n * d * d;
        meta_channel_set(&e->channels[k], e->row[CENTRE][k] + d, n > 1 && square > 0 ? square / (n - 1) : 0, n);
    }
}

static void epilogue_forward(struct meta_op *op, const void *parameters)
{
    struct epilogue *e = op->state;
    const float *theta = parameters;
    if (op->normalise && !op->statistics) measure(op, e);
    for (int k = 0; k < e->c; k++) {
        if (op->normalise && op->statistics)
            meta_channel_set(&e->channels[k], op->statistics[op->mean + k], op->statistics[op->variance + k], 0);
        if (op->normalise) e->row[UNIT][k] = e->channels[k].r;
        e->row[CENTRE][k] = op->normalise ? e->channels[k].mean : 0;
        e->row[GAIN][k] = op->normalise ? theta[op->scales + k] * e->channels[k].r : 1;
        e->row[SHIFT][k] = op->biases != META_NONE ? theta[op->biases + k] : 0;
    }
    const float *x = op->x->value;
    float *z = op->y.value;
    if (e->kept) EACH_BLOCK(e, forward_pool(x + in, &e->map, AFFINE, z + out, e->kept + out, e->winner + out))
    else EACH_BLOCK(e, forward(x + in, e->pixels, AFFINE, z + in))
}

static void epilogue_backward(struct meta_op *op, const void *parameters, void *gradient)
{
    struct epilogue *e = op->state;
    const float *theta = parameters, *x = op->x->value, *zbar = op->y.bar;
    const float *at = e->kept ? e->kept : x;
    float *to = gradient, *xbar = op->x->bar;
    if (op->normalise || op->biases != META_NONE) {
        clear_sums(e);
        EACH_BLOCK(e, slopes(zbar + out, at + out, e->outputs, AFFINE, SUMS))
    }
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0;
        if (op->biases != META_NONE) to[op->biases + k] = first_sum(e, k);
        if (op->normalise) {
            c->g1 = first_sum(e, k);
            c->g2 = second_sum(e, k) * c->r;
            to[op->scales + k] = c->g2;
            meta_channel_backward(c, theta[op->scales + k], &a, &b);
        }
        e->row[A][k] = a;
        e->row[B][k] = b;
    }
    if (!xbar) return;
    if (e->kept) EACH_BLOCK(e, backward_pool(x + in, zbar + out, e->kept + out, e->winner + out, &e->map, AFFINE, R(A), R(B), xbar + in))
    else EACH_BLOCK(e, backward(x + in, zbar + in, e->pixels, AFFINE, R(A), R(B), xbar + in))
}

static void epilogue_forward_tangent(struct meta_op *op, const void *parameters, const void *tangent)
{
    struct epilogue *e = op->state;
    const float *theta = parameters, *v = tangent, *x = op->x->value, *xdot = op->x->dot;
    float *zdot = op->y.dot;
    if (op->normalise) {
        clear_sums(e);
        EACH_BLOCK(e, products(xdot + in, x + in, e->pixels, R(CENTRE), SUMS))
    }
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
        e->row[P][k] = scale * p;
        e->row[Q][k] = scale * q + (op->biases != META_NONE ? v[op->biases + k] : 0);
        e->row[S][k] = scale * s + scaledot;
    }
    if (e->kept)
        EACH_BLOCK(e, tangent_pool(xdot + in, e->kept + out, e->winner + out, &e->map, AFFINE, R(P), R(Q), R(S),
                                   zdot + out, e->keptdot + out))
    else EACH_BLOCK(e, tangent(x + in, xdot + in, e->pixels, AFFINE, R(P), R(Q), R(S), zdot + in))
}

static void epilogue_backward_tangent(struct meta_op *op, const void *parameters, const void *tangent, void *product)
{
    struct epilogue *e = op->state;
    const float *theta = parameters, *v = tangent, *x = op->x->value, *xdot = op->x->dot;
    const float *zbar = op->y.bar, *zbardot = op->y.bardot;
    const float *at = e->kept ? e->kept : x, *atdot = e->kept ? e->keptdot : xdot;
    float *to = product, *xbardot = op->x->bardot;
    for (int k = 0; k < e->c; k++) {
        double p = 1, q = 0, s = 0;
        if (op->normalise) meta_channel_tangent(&e->channels[k], &p, &q, &s);
        else e->row[UNIT][k] = 1;
        e->row[P][k] = p;
        e->row[Q][k] = q;
        e->row[S][k] = s;
    }
    if (op->normalise || op->biases != META_NONE) {
        clear_sums(e);
        EACH_BLOCK(e, slope_tangents(zbar + out, zbardot + out, at + out, atdot + out, e->outputs, AFFINE, R(UNIT), R(P), R(Q), R(S),
                                     SUMS))
    }
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0, d = 0, rdot = 0, scale = 1, scaledot = 0;
        if (op->biases != META_NONE) to[op->biases + k] = first_sum(e, k);
        if (op->normalise) {
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k];
            to[op->scales + k] = second_sum(e, k);
            meta_channel_backward_tangent(c, scale, scaledot, first_sum(e, k), second_sum(e, k), &a, &b, &d, &rdot);
        }
        e->row[A][k] = a;
        e->row[B][k] = b;
        e->row[D][k] = d;
        e->row[U][k] = e->row[GAIN][k];
        e->row[V][k] = e->row[UNIT][k] * scaledot + rdot * scale;
    }
    if (!xbardot) return;
    if (e->kept)
        EACH_BLOCK(e, backward_tangent_pool(x + in, xdot + in, zbar + out, zbardot + out, e->kept + out, e->winner + out, &e->map,
                                            AFFINE, R(A), R(B), R(D), R(U), R(V), xbardot + in))
    else
        EACH_BLOCK(e, backward_tangent(x + in, xdot + in, zbar + in, zbardot + in, e->pixels, AFFINE, R(A), R(B), R(D), R(U), R(V),
                                       xbardot + in))
}

void meta_onednn_batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    const struct epilogue *e = op->state;
    for (int k = 0; k < e->c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

const struct meta_kernel meta_onednn_epilogue = {
    epilogue_create, epilogue_destroy, epilogue_forward, epilogue_backward,
    epilogue_forward_tangent, epilogue_backward_tangent
};
