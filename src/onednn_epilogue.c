/* Epilogues of the oneDNN backend on the fused sweeps, for piecewise-linear activations without a pool or with Darknet's
   2x2/2 one; onednn.c keeps the plain loops for the rest. */
#include "epilogue_math.h"
#include "fused_kernels.h"
#include "onednn_internal.h"

#include <stdlib.h>
#include <string.h>

/* Per-channel constants, (c) floats each. */
enum { GAIN, CENTRE, SHIFT, R, P, Q, S, A, B, D, U, V, ROWS };

struct epilogue {
    const struct meta_fused *fused;
    int c, normalise;
    float negative;
    size_t pixels, outputs;           /* of the batch */
    struct meta_map map;
    struct meta_channel *channels;    /* (c) */
    float *row[ROWS];
    float *work;                      /* (2c) */
    double *sums;                     /* (2c) */
    float *kept, *keptdot;            /* (outputs, c) x and xdot of the winners; NULL without a pool */
    uint8_t *winner;                  /* (outputs, c) */
    void *block;
};

static void epilogue_destroy(struct meta_op *op)
{
    struct epilogue *e = op->state;
    if (!e) return;
    free(e->channels);
    free(e->sums);
    free(e->block);
    free(e->kept);
    free(e->keptdot);
    free(e->winner);
    free(e);
    op->state = NULL;
}

static int epilogue_create(struct meta_op *op, int tangents, struct meta_error *error)
{
    struct epilogue *e = op->state = calloc(1, sizeof *e);
    if (!e) return meta_fail(error, "out of memory");
    size_t padded = ((size_t)op->out.c + 15) / 16 * 16, n;
    e->fused = meta_fused();
    e->c = op->out.c;
    e->normalise = op->normalise;
    e->negative = op->activation == META_RELU ? 0 : op->activation == META_LEAKY ? .1f : 1;
    e->pixels = (size_t)op->batch * op->in->h * op->in->w;
    e->outputs = (size_t)op->batch * op->out.h * op->out.w;
    e->map = (struct meta_map){ op->batch, op->in->h, op->in->w, op->out.c, op->out.h, op->out.w };
    n = e->outputs * e->c;
    e->channels = calloc(e->c, sizeof *e->channels);
    e->sums = calloc(2 * e->c, sizeof *e->sums);
    if (posix_memalign(&e->block, 64, (ROWS + 2) * padded * sizeof(float))) e->block = NULL;
    if (op->pool_size) {
        e->kept = malloc(n * sizeof *e->kept);
        e->winner = malloc(n);
        if (tangents) e->keptdot = malloc(n * sizeof *e->keptdot);
    }
    if (!e->channels || !e->sums || !e->block
        || (op->pool_size && (!e->kept || !e->winner || (tangents && !e->keptdot)))) {
        epilogue_destroy(op);
        return meta_fail(error, "out of memory");
    }
    memset(e->block, 0, (ROWS + 2) * padded * sizeof(float));
    for (int i = 0; i < ROWS; i++) e->row[i] = (float *)e->block + i * padded;
    e->work = (float *)e->block + ROWS * padded;
    return 0;
}

static void clear_sums(struct epilogue *e) { memset(e->sums, 0, 2 * (size_t)e->c * sizeof *e->sums); }

/* Batch moments about the first pixels' mean, so that a float sum of squares does not cancel. */
static void measure(const struct meta_op *op, struct epilogue *e)
{
    const float *x = op->x->value;
    float *centre = e->row[CENTRE];
    size_t first = e->pixels < 64 ? e->pixels : 64;
    double n = e->pixels;
    memset(centre, 0, e->c * sizeof *centre);
    clear_sums(e);
    e->fused->moments(x, first, e->c, centre, e->sums, e->work);
    for (int k = 0; k < e->c; k++) centre[k] = e->sums[k] / first;
    clear_sums(e);
    e->fused->moments(x, e->pixels, e->c, centre, e->sums, e->work);
    for (int k = 0; k < e->c; k++) {
        double d = e->sums[k] / n, square = e->sums[e->c + k] - n * d * d;
        meta_channel_set(&e->channels[k], centre[k] + d, n > 1 && square > 0 ? square / (n - 1) : 0, n);
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
        if (op->normalise) e->row[R][k] = e->channels[k].r;
        e->row[CENTRE][k] = op->normalise ? e->channels[k].mean : 0;
        e->row[GAIN][k] = op->normalise ? theta[op->scales + k] * e->channels[k].r : 1;
        e->row[SHIFT][k] = op->biases != META_NONE ? theta[op->biases + k] : 0;
    }
    if (e->kept)
        e->fused->forward_pool(op->x->value, &e->map, e->row[GAIN], e->row[CENTRE], e->row[SHIFT], e->negative,
                               op->y.value, e->kept, e->winner);
    else
        e->fused->forward(op->x->value, e->pixels, e->c, e->row[GAIN], e->row[CENTRE], e->row[SHIFT], e->negative, op->y.value);
}

static void epilogue_backward(struct meta_op *op, const void *parameters, void *gradient)
{
    struct epilogue *e = op->state;
    const float *theta = parameters;
    float *out = gradient;
    const float *at = e->kept ? e->kept : op->x->value;
    if (op->normalise || op->biases != META_NONE) {
        clear_sums(e);
        e->fused->slopes(op->y.bar, at, e->outputs, e->c, e->row[GAIN], e->row[CENTRE], e->row[SHIFT], e->negative,
                         e->sums, e->work);
    }
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0;
        if (op->biases != META_NONE) out[op->biases + k] = e->sums[k];
        if (op->normalise) {
            c->g1 = e->sums[k];
            c->g2 = e->sums[e->c + k] * c->r;
            out[op->scales + k] = c->g2;
            meta_channel_backward(c, theta[op->scales + k], &a, &b);
        }
        e->row[A][k] = a;
        e->row[B][k] = b;
    }
    if (!op->x->bar) return;
    if (e->kept)
        e->fused->backward_pool(op->x->value, op->y.bar, e->kept, e->winner, &e->map, e->row[GAIN], e->row[CENTRE],
                                e->row[SHIFT], e->negative, e->row[A], e->row[B], op->x->bar);
    else
        e->fused->backward(op->x->value, op->y.bar, e->pixels, e->c, e->row[GAIN], e->row[CENTRE], e->row[SHIFT],
                           e->negative, e->row[A], e->row[B], op->x->bar);
}

static void epilogue_forward_tangent(struct meta_op *op, const void *parameters, const void *tangent)
{
    struct epilogue *e = op->state;
    const float *theta = parameters, *v = tangent;
    if (op->normalise) {
        clear_sums(e);
        e->fused->products(op->x->dot, op->x->value, e->pixels, e->c, e->row[CENTRE], e->sums, e->work);
    }
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double p = 1, q = 0, s = 0, scale = 1, scaledot = 0;
        if (op->normalise) {
            c->s1 = e->sums[k];
            c->s2 = e->sums[e->c + k] * c->r;
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k] * c->r;
            meta_channel_tangent(c, &p, &q, &s);
        }
        e->row[P][k] = scale * p;
        e->row[Q][k] = scale * q + (op->biases != META_NONE ? v[op->biases + k] : 0);
        e->row[S][k] = scale * s + scaledot;
    }
    if (e->kept)
        e->fused->tangent_pool(op->x->dot, e->kept, e->winner, &e->map, e->row[GAIN], e->row[CENTRE], e->row[SHIFT],
                               e->negative, e->row[P], e->row[Q], e->row[S], op->y.dot, e->keptdot);
    else
        e->fused->tangent(op->x->value, op->x->dot, e->pixels, e->c, e->row[GAIN], e->row[CENTRE], e->row[SHIFT],
                          e->negative, e->row[P], e->row[Q], e->row[S], op->y.dot);
}

static void epilogue_backward_tangent(struct meta_op *op, const void *parameters, const void *tangent, void *product)
{
    struct epilogue *e = op->state;
    const float *theta = parameters, *v = tangent;
    float *out = product;
    const float *at = e->kept ? e->kept : op->x->value, *atdot = e->kept ? e->keptdot : op->x->dot;
    for (int k = 0; k < e->c; k++) {
        double p = 1, q = 0, s = 0;
        if (op->normalise) meta_channel_tangent(&e->channels[k], &p, &q, &s);
        else e->row[R][k] = 1;
        e->row[P][k] = p;
        e->row[Q][k] = q;
        e->row[S][k] = s;
    }
    if (op->normalise || op->biases != META_NONE) {
        clear_sums(e);
        e->fused->slope_tangents(op->y.bar, op->y.bardot, at, atdot, e->outputs, e->c, e->row[GAIN], e->row[CENTRE],
                                 e->row[SHIFT], e->negative, e->row[R], e->row[P], e->row[Q], e->row[S], e->sums, e->work);
    }
    for (int k = 0; k < e->c; k++) {
        struct meta_channel *c = &e->channels[k];
        double a = 0, b = 0, d = 0, rdot = 0, scale = 1, scaledot = 0;
        if (op->biases != META_NONE) out[op->biases + k] = e->sums[k];
        if (op->normalise) {
            double h1 = e->sums[k], h2 = e->sums[e->c + k];
            scale = theta[op->scales + k];
            scaledot = v[op->scales + k];
            out[op->scales + k] = h2;
            meta_channel_backward_tangent(c, scale, scaledot, h1, h2, &a, &b, &d, &rdot);
        }
        e->row[A][k] = a;
        e->row[B][k] = b;
        e->row[D][k] = d;
        e->row[U][k] = e->row[GAIN][k];
        e->row[V][k] = e->row[R][k] * scaledot + rdot * scale;
    }
    if (!op->x->bardot) return;
    if (e->kept)
        e->fused->backward_tangent_pool(op->x->value, op->x->dot, op->y.bar, op->y.bardot, e->kept, e->winner, &e->map,
                                        e->row[GAIN], e->row[CENTRE], e->row[SHIFT], e->negative, e->row[A], e->row[B],
                                        e->row[D], e->row[U], e->row[V], op->x->bardot);
    else
        e->fused->backward_tangent(op->x->value, op->x->dot, op->y.bar, op->y.bardot, e->pixels, e->c, e->row[GAIN],
                                   e->row[CENTRE], e->row[SHIFT], e->negative, e->row[A], e->row[B], e->row[D],
                                   e->row[U], e->row[V], op->x->bardot);
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
