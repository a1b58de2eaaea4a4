/* The arithmetic of one channel of an epilogue, for every backend that runs on the host.

   x^ = (x - m) r, r = 1/(sigma + e), sigma^2 = sum (x - m)^2 / (N - 1): Darknet's forward
   (normalize_cpu, variance_cpu in blas.c). With k = 1/((N - 1) sigma r), its exact derivative and
   its tangent are one symmetric operator,

       xbar  = r (g - mean g - x^ k sum(g x^)),
       x^dot = r (xdot - mean xdot - x^ k sum(x^ xdot)),

   and the tangent of the first follows by the product rule with

       sigmadot = sum(x^ xdot) / (r (N - 1) sigma),
       rdot/r   = -r sigmadot,
       kdot     = -(e/sigma^2) sigmadot / (N - 1). */
#ifndef META_EPILOGUE_MATH_H
#define META_EPILOGUE_MATH_H

#include "activation.h"

#define META_BN_EPSILON 1e-6 /* Darknet's, which normalize_cpu adds to the deviation */

struct meta_channel {
    double mean, variance; /* of the last forward */
    double r, kappa, sigma;
    double count;  /* N; 0: rolling statistics, which are constants */
    double g1, g2; /* sum(ybar), sum(ybar x^) of the last backward */
    double s1, s2; /* sum(xdot), sum(x^ xdot) of the last tangent */
    double h1,
        h2; /* sum(ybardot), sum(ybardot x^ + ybar x^dot) of the last tangent of a backward */
};

static inline void meta_channel_set(struct meta_channel *c, double mean, double variance,
                                    double count)
{
    c->mean = mean;
    c->variance = variance;
    c->sigma = sqrt(variance);
    c->r = 1 / (c->sigma + META_BN_EPSILON);
    c->count = count;
    /* In a channel that is constant over the batch, x - m is 0 everywhere and the term vanishes. */
    c->kappa = count > 1 && c->sigma > 0 ? 1 / ((count - 1) * c->sigma * c->r) : 0;
}

/* xbar = a + b (x - m) everywhere, and r scale ybar more where the adjoint ybar reaches. */
static inline void meta_channel_backward(const struct meta_channel *c, double scale, double *a,
                                         double *b)
{
    *a = c->count > 0 ? -c->r * scale * c->g1 / c->count : 0;
    *b = c->count > 0 ? -c->r * c->r * c->kappa * scale * c->g2 : 0;
}

/* x^dot = p xdot + q + s (x - m). */
static inline void meta_channel_tangent(const struct meta_channel *c, double *p, double *q,
                                        double *s)
{
    *p = c->r;
    *q = c->count > 0 ? -c->r * c->s1 / c->count : 0;
    *s = c->count > 0 ? -c->r * c->r * c->kappa * c->s2 : 0;
}

/* What the tangent of a channel's backward needs: the scale and its tangent, h1 = sum(ybardot) and
   h2 = sum(ybardot x^ + ybar x^dot). */
struct meta_channel_sums {
    double scale, scaledot, h1, h2;
};

/* xbardot = a + b (x - m) + d xdot everywhere, and r (scale ybardot + scaledot ybar) + rdot
   scale ybar more where the adjoint reaches. */
struct meta_channel_bardot {
    double a, b, d, rdot;
};

static inline struct meta_channel_bardot meta_channel_backward_tangent(const struct meta_channel *c,
                                                                       struct meta_channel_sums t)
{
    struct meta_channel_bardot out = { 0, 0, 0, 0 };
    if (!(c->count > 1) || !(c->sigma > 0)) {
        if (c->count > 0) out.a = -c->r * (t.scale * t.h1 + t.scaledot * c->g1) / c->count;
        return out;
    }
    double n = c->count, r = c->r, sigmadot = c->s2 / (r * (n - 1) * c->sigma);
    double relative = -r * sigmadot; /* rdot / r */
    double kappadot = -META_BN_EPSILON / (c->sigma * c->sigma) * sigmadot / (n - 1);
    double g = t.scale * c->g2;                        /* sum(g x^) */
    double gdot = t.scale * t.h2 + t.scaledot * c->g2; /* the tangent of g */
    double p, q, s;
    meta_channel_tangent(c, &p, &q, &s);
    /* the factors of x^ and of x^dot */
    double on_x = -r * (relative * c->kappa * g + kappadot * g + c->kappa * gdot);
    double on_dot = -r * c->kappa * g;
    out.a = -r * (relative * t.scale * c->g1 + t.scale * t.h1 + t.scaledot * c->g1) / n
        + on_dot * q;
    out.b = on_x * r + on_dot * s;
    out.d = on_dot * p;
    out.rdot = relative * r;
    return out;
}

/* ---- channels that are normalised together -------------------------------------------------

   Their x^ has one mean and one deviation, of the values of all, and each its own scale and bias.
 */

#define META_MOST_JOINED 4

/* Gives `count` channels, of N values each and with moments of their own, those of all. */
static inline void meta_channels_join(struct meta_channel *c, int count)
{
    double n = c->count, mean = 0, squares = 0;
    for (int j = 0; j < count; j++) mean += c[j].mean / count;
    for (int j = 0; j < count; j++)
        squares += c[j].variance * (n - 1) + n * (c[j].mean - mean) * (c[j].mean - mean);
    for (int j = 0; j < count; j++)
        meta_channel_set(&c[j], mean, n * count > 1 ? squares / (n * count - 1) : 0, n * count);
}

/* Gives them the tangent sums of all. */
static inline void meta_channels_join_tangents(struct meta_channel *c, int count)
{
    double s1 = 0, s2 = 0;
    for (int j = 0; j < count; j++) {
        s1 += c[j].s1;
        s2 += c[j].s2;
    }
    for (int j = 0; j < count; j++) {
        c[j].s1 = s1;
        c[j].s2 = s2;
    }
}

/* scales, scaledots (count): what each channel scales by, and the tangents of that. */
struct meta_joined {
    int count;
    double scales[META_MOST_JOINED], scaledots[META_MOST_JOINED];
};

/* The constants of the channels' backward, for sums of their own. Of one channel as above. */
static inline void meta_channels_backward(const struct meta_channel *c, const struct meta_joined *t,
                                          double *a, double *b)
{
    struct meta_channel all = *c;
    if (t->count == 1) {
        meta_channel_backward(c, t->scales[0], a, b);
        return;
    }
    all.g1 = all.g2 = 0;
    for (int j = 0; j < t->count; j++) {
        all.g1 += t->scales[j] * c[j].g1;
        all.g2 += t->scales[j] * c[j].g2;
    }
    meta_channel_backward(&all, 1, a, b);
}

static inline struct meta_channel_bardot meta_channels_backward_tangent(
    const struct meta_channel *c, const struct meta_joined *t)
{
    struct meta_channel all = *c;
    struct meta_channel_sums sums = { t->scales[0], t->scaledots[0], c->h1, c->h2 };
    if (t->count == 1) return meta_channel_backward_tangent(c, sums);
    all.g1 = all.g2 = 0;
    sums = (struct meta_channel_sums){ 1, 0, 0, 0 };
    for (int j = 0; j < t->count; j++) {
        all.g1 += t->scales[j] * c[j].g1;
        all.g2 += t->scales[j] * c[j].g2;
        sums.h1 += t->scales[j] * c[j].h1 + t->scaledots[j] * c[j].g1;
        sums.h2 += t->scales[j] * c[j].h2 + t->scaledots[j] * c[j].g2;
    }
    return meta_channel_backward_tangent(&all, sums);
}

#endif
