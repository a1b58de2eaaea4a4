/* The arithmetic of one channel of an epilogue, shared by every backend that runs on the host.

   x^ = (x - m) r, r = 1/(sigma + e), sigma^2 = sum (x - m)^2 / (N - 1): Darknet's forward (normalize_cpu, variance_cpu). With
   k = 1/((N - 1) sigma r), its exact derivative and tangent are one symmetric operator,

       xbar = r (g - mean g - x^ k sum(g x^)),      x^dot = r (xdot - mean xdot - x^ k sum(x^ xdot)),

   and the tangent of the first follows by the product rule with
       sigmadot = sum(x^ xdot) / (r (N - 1) sigma),   rdot/r = -r sigmadot,   kdot = -(e/sigma^2) sigmadot / (N - 1). */
#ifndef META_EPILOGUE_MATH_H
#define META_EPILOGUE_MATH_H

#include <math.h>
#include "network/network.h"

#define META_BN_EPSILON 1e-6    /* Darknet's, added to the deviation in normalize_cpu */

struct meta_channel {
    double mean, variance;      /* of the last forward */
    double r, kappa, sigma;
    double count;               /* N; 0: rolling statistics, which are constants */
    double g1, g2;              /* sum(ybar), sum(ybar x^) of the last backward */
    double s1, s2;              /* sum(xdot), sum(x^ xdot) of the last tangent */
};

static inline void meta_channel_set(struct meta_channel *c, double mean, double variance, double count)
{
    c->mean = mean;
    c->variance = variance;
    c->sigma = sqrt(variance);
    c->r = 1 / (c->sigma + META_BN_EPSILON);
    c->count = count;
    /* A channel that is constant over the batch has x - m = 0 everywhere: the term vanishes. */
    c->kappa = count > 1 && c->sigma > 0 ? 1 / ((count - 1) * c->sigma * c->r) : 0;
}

/* xbar = a + b (x - m) where nothing else reaches, + r scale ybar where the adjoint ybar does. */
static inline void meta_channel_backward(const struct meta_channel *c, double scale, double *a, double *b)
{
    *a = c->count > 0 ? -c->r * scale * c->g1 / c->count : 0;
    *b = c->count > 0 ? -c->r * c->r * c->kappa * scale * c->g2 : 0;
}

/* x^dot = p xdot + q + s (x - m). */
static inline void meta_channel_tangent(const struct meta_channel *c, double *p, double *q, double *s)
{
    *p = c->r;
    *q = c->count > 0 ? -c->r * c->s1 / c->count : 0;
    *s = c->count > 0 ? -c->r * c->r * c->kappa * c->s2 : 0;
}

/* xbardot = a + b (x - m) + d xdot everywhere, + r (scale ybardot + scaledot ybar) + rdot scale ybar where the adjoint reaches.
   h1 = sum(ybardot), h2 = sum(ybardot x^ + ybar x^dot). */
static inline void meta_channel_backward_tangent(const struct meta_channel *c, double scale, double scaledot, double h1, double h2,
                                                 double *a, double *b, double *d, double *rdot)
{
    *a = *b = *d = *rdot = 0;
    if (!(c->count > 1) || !(c->sigma > 0)) {
        if (c->count > 0) *a = -c->r * (scale * h1 + scaledot * c->g1) / c->count;
        return;
    }
    double n = c->count, r = c->r, sigmadot = c->s2 / (r * (n - 1) * c->sigma);
    double relative = -r * sigmadot;                                                /* rdot / r */
    double kappadot = -META_BN_EPSILON / (c->sigma * c->sigma) * sigmadot / (n - 1);
    double g = scale * c->g2;                                                       /* sum(g x^) */
    double gdot = scale * h2 + scaledot * c->g2;                                    /* its tangent */
    double p, q, s;
    meta_channel_tangent(c, &p, &q, &s);
    double on_x = -r * (relative * c->kappa * g + kappadot * g + c->kappa * gdot);  /* coefficient of x^ */
    double on_dot = -r * c->kappa * g;                                              /* coefficient of x^dot */
    *a = -r * (relative * scale * c->g1 + scale * h1 + scaledot * c->g1) / n + on_dot * q;
    *b = on_x * r + on_dot * s;
    *d = on_dot * p;
    *rdot = relative * r;
}

/* Darknet's activations: value, and first and second derivative as functions of the input y. */
static inline double meta_activate(enum meta_activation kind, double y)
{
    switch (kind) {
    case META_RELU:     return y > 0 ? y : 0;
    case META_LEAKY:    return y > 0 ? y : .1 * y;
    case META_LOGISTIC: return 1 / (1 + exp(-y));
    default:            return y;
    }
}

static inline double meta_slope(enum meta_activation kind, double y)
{
    switch (kind) {
    case META_RELU:     return y > 0;
    case META_LEAKY:    return y > 0 ? 1 : .1;
    case META_LOGISTIC: { double z = 1 / (1 + exp(-y)); return z * (1 - z); }
    default:            return 1;
    }
}

static inline double meta_bend(enum meta_activation kind, double y)
{
    if (kind != META_LOGISTIC) return 0;
    double z = 1 / (1 + exp(-y));
    return z * (1 - z) * (1 - 2 * z);
}

#endif
