/* The memory passes between convolutions, over oneDNN's blocked layout. Each sweeps one block: the
   c = 8 or 16 channels of one image that lie side by side, pixel after pixel. fused_kernels.c is
   compiled once an instruction set, and meta_fused() picks one of these at run time.

   Per channel, y = gain (x - centre) + shift and z = y > 0 ? y : negative y. Below, z'(y) is the
   slope of z: 1 or negative. With a 2x2/2 max-pool, an output's mark says which of the four
   pixels it came from, its winner (0..3, row by row), + 4 where y > 0, so that z'(y) needs no y. */
#ifndef META_FUSED_KERNELS_H
#define META_FUSED_KERNELS_H

#include "fused_optimiser.h"

#include <stddef.h>
#include <stdint.h>

/* A block of (h, w) pixels, pooled to (oh, ow). */
struct meta_map {
    int h, w, oh, ow;
};

/* Constants of the channels of a block, (c) floats each. A sweep reads those that its formula
   names. */
struct meta_constants {
    float *gain, *centre, *shift;
    float *r;                 /* 1 over the deviation of x, or 1 without normalisation */
    float *p, *q, *s;         /* of a tangent */
    float *a, *b, *d, *u, *v; /* of an adjoint */
    float negative;           /* relu 0, leaky .1, linear 1 */
};

/* Factors of a shortcut between maps of one shape: u = alpha here + beta from,
   z = u > 0 ? u : negative u. */
struct meta_join {
    float alpha, beta, negative;
};

/* A 1x1 convolution between `blocks` blocks of an image and one to three planar channels of it. */
struct meta_narrow {
    int blocks, planes;
    size_t pixels;
};

/* A 1x1 convolution between planar channels, one to three on either side. */
struct meta_mix {
    int inputs, outputs;
    size_t pixels;
};

/* Sums are (2, c) doubles, to which a sweep adds. */
struct meta_fused {
    /* sum(x - centre), sum((x - centre)^2) */
    void (*moments)(const float *x, size_t pixels, const struct meta_constants *, double *sums);
    /* sum(t), sum(t (x - centre)) */
    void (*products)(const float *t, const float *x, size_t pixels, const struct meta_constants *,
                     double *sums);
    /* With ybar = zbar z'(y): sum(ybar), sum(ybar (x - centre)), x being that of a pool's
       winners. */
    void (*slopes)(const float *zbar, const float *x, size_t pixels, const struct meta_constants *,
                   double *sums);
    void (*slopes_pool)(const float *zbar, const float *x, const uint8_t *marks,
                        const struct meta_map *, const struct meta_constants *, double *sums);
    /* With ybar as above, ybardot = zbardot z'(y) and hatdot = p xdot + q + s (x - centre):
       sum(ybardot), sum(r ybardot (x - centre) + ybar hatdot) */
    void (*slope_tangents)(const float *zbar, const float *zbardot, const float *x,
                           const float *xdot, size_t pixels, const struct meta_constants *,
                           double *sums);
    void (*slope_tangents_pool)(const float *zbar, const float *zbardot, const float *x,
                                const float *xdot, const uint8_t *marks, const struct meta_map *,
                                const struct meta_constants *, double *sums);

    void (*forward)(const float *x, size_t pixels, const struct meta_constants *, float *z);
    void (*forward_pool)(const float *x, const struct meta_map *, const struct meta_constants *,
                         float *z, uint8_t *marks);
    /* xbar = a + b (x - centre), and gain zbar z'(y) more where the adjoint reaches; may be x
       itself. */
    void (*backward)(const float *x, const float *zbar, size_t pixels,
                     const struct meta_constants *, float *xbar);
    void (*backward_pool)(const float *x, const float *zbar, const uint8_t *marks,
                          const struct meta_map *, const struct meta_constants *, float *xbar);
    /* zdot = z'(y) (p xdot + q + s (x - centre)), at a pool's winners; and z again */
    void (*tangent)(const float *x, const float *xdot, size_t pixels, const struct meta_constants *,
                    float *z, float *zdot);
    void (*tangent_pool)(const float *x, const float *xdot, const uint8_t *marks,
                         const struct meta_map *, const struct meta_constants *, float *z,
                         float *zdot);
    /* xbardot = a + b (x - centre) + d xdot, and z'(y) (u zbardot + v zbar) more where the adjoint
       reaches; may be xdot itself. */
    void (*backward_tangent)(const float *x, const float *xdot, const float *zbar,
                             const float *zbardot, size_t pixels, const struct meta_constants *,
                             float *xbardot);
    void (*backward_tangent_pool)(const float *x, const float *xdot, const float *zbar,
                                  const float *zbardot, const uint8_t *marks,
                                  const struct meta_map *, const struct meta_constants *,
                                  float *xbardot);

    /* z of a shortcut; a mark is 1 where u > 0. */
    void (*join)(const float *here, const float *from, size_t pixels, const struct meta_join *,
                 float *z, uint8_t *marks);
    /* zdot = z'(u) (alpha heredot + beta fromdot); one of the two may be NULL, which is zeros. */
    void (*join_tangent)(const float *heredot, const float *fromdot, const uint8_t *marks,
                         size_t pixels, const struct meta_join *, float *zdot);
    /* With t = zbar z'(u): herebar = alpha t, frombar = beta t; either may be NULL: not wanted. */
    void (*part)(const float *zbar, const uint8_t *marks, size_t pixels, const struct meta_join *,
                 float *herebar, float *frombar);

    /* A 3x3 convolution of one to three channels under a 2x2/2 max-pool, at the winners alone.
       windows: (outputs, channels, 4, 4), the pixels that the four patches of each window cover;
       weights, along: (9 channels, c) */
    void (*stem)(const float *windows, int channels, const struct meta_map *, const float *weights,
                 const struct meta_constants *, float *z, uint8_t *marks);
    /* zdot = z'(y) (along.patch + q); and z again */
    void (*stem_tangent)(const float *windows, int channels, const struct meta_map *,
                         const float *weights, const float *along, const uint8_t *marks,
                         const struct meta_constants *, float *z, float *zdot);
    /* With ybar = zbar z'(y): sum(ybar patch) and behind it sum(ybar), (9 channels + 1, c)
       doubles. */
    void (*stem_weights)(const float *windows, int channels, const struct meta_map *,
                         const float *zbar, const uint8_t *marks, const struct meta_constants *,
                         double *sums);

    /* 1x1 convolutions of one image: blocks (blocks, pixels, c), planes (planes, pixels), weights
       (blocks, planes, c). Planes to blocks, and blocks to planes; adding: to what stands there. */
    void (*widen)(const float *planes, const struct meta_narrow *, const float *weights, int adding,
                  float *blocks);
    void (*narrow)(const float *blocks, const struct meta_narrow *, const float *weights,
                   int adding, float *planes);
    /* sums, doubles laid out as the weights: sum over pixels of block times plane */
    void (*narrow_weights)(const float *blocks, const float *planes, const struct meta_narrow *,
                           double *sums);
};

struct meta_fused_set {
    const char *name;
    struct meta_fused lanes8, lanes16;
    /* out[l] += the sum of p[x] q[x + l] over `rows` rows, `stride` apart, and over the n
       columns x. Up to 7 numbers past n are read, where p must be 0. */
    void (*lag_products)(const double *p, const double *q, int rows, size_t stride, int n,
                         double out[5]);
    /* 1x1 convolutions of one image between planes: to[o] = the sum of weights[o][i] from[i], and
       with adding what stood there more; sums[o][i] += the sum over pixels of y[o] x[i] */
    void (*mix)(const float *from, const struct meta_mix *, const float *weights, int adding,
                float *to);
    void (*mix_weights)(const float *x, const float *y, const struct meta_mix *, double *sums);
    meta_fused_adam_step *adam;
};

/* The best set that this processor and the environment's META_MAX_ISA (base, avx2 or avx512) allow;
   without that variable, oneDNN's DNNL_MAX_CPU_ISA limits it. */
const struct meta_fused_set *meta_fused(void);
/* What META_MAX_ISA allows: 0 base, 1 avx2, 2 avx512, which is also what it is without. */
int meta_fused_limit(void);

extern const struct meta_fused_set meta_fused_base, meta_fused_avx2, meta_fused_avx512;

#endif
