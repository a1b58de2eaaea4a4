/* The memory passes between convolutions, over oneDNN's blocked layout: each sweeps one block, the c = 8 or 16 channels of
   one image that lie side by side, pixel after pixel. It is compiled once an instruction set (fused_kernels.c); meta_fused()
   picks at run time.

   Per channel: y = gain (x - centre) + shift, z = y > 0 ? y : negative y (relu 0, leaky .1, linear 1). With a 2x2/2 max-pool an
   output's mark says which of the four pixels it came from, its winner (0..3, row by row), + 4 where y > 0: so that z'(y) needs
   no y. All per-channel arrays are (c) floats, sums (2, c) doubles. */
#ifndef META_FUSED_KERNELS_H
#define META_FUSED_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A block of (h, w) pixels; pooled to (oh, ow). */
struct meta_map { int h, w, oh, ow; };

struct meta_fused {
    /* sums[0..c) += sum(x - centre), sums[c..2c) += sum((x - centre)^2) */
    void (*moments)(const float *x, size_t pixels, const float *centre, double *sums);
    /* sums += sum(t), sum(t (x - centre)) */
    void (*products)(const float *t, const float *x, size_t pixels, const float *centre, double *sums);
    /* With ybar = zbar z'(y): sums += sum(ybar), sum(ybar (x - centre)); x of a pool's winners */
    void (*slopes)(const float *zbar, const float *x, size_t pixels, const float *gain, const float *centre,
                   const float *shift, float negative, double *sums);
    void (*slopes_pool)(const float *zbar, const float *x, const uint8_t *marks, const struct meta_map *, const float *centre,
                        float negative, double *sums);
    /* With ybar as above, ybardot = zbardot z'(y), hatdot = p xdot + q + s (x - centre):
       sums += sum(ybardot), sum(r ybardot (x - centre) + ybar hatdot) */
    void (*slope_tangents)(const float *zbar, const float *zbardot, const float *x, const float *xdot, size_t pixels,
                           const float *gain, const float *centre, const float *shift, float negative, const float *r,
                           const float *p, const float *q, const float *s, double *sums);
    void (*slope_tangents_pool)(const float *zbar, const float *zbardot, const float *x, const float *xdot, const uint8_t *marks,
                                const struct meta_map *, const float *centre, float negative, const float *r,
                                const float *p, const float *q, const float *s, double *sums);

    void (*forward)(const float *x, size_t pixels, const float *gain, const float *centre, const float *shift,
                    float negative, float *z);
    void (*forward_pool)(const float *x, const struct meta_map *, const float *gain, const float *centre, const float *shift,
                         float negative, float *z, uint8_t *marks);
    /* xbar = a + b (x - centre) + (where the adjoint reaches) gain zbar z'(y) */
    void (*backward)(const float *x, const float *zbar, size_t pixels, const float *gain, const float *centre,
                     const float *shift, float negative, const float *a, const float *b, float *xbar);
    void (*backward_pool)(const float *x, const float *zbar, const uint8_t *marks, const struct meta_map *, const float *gain,
                          const float *centre, float negative, const float *a, const float *b, float *xbar);
    /* zdot = z'(y) (p xdot + q + s (x - centre)), at a pool's winners; and z again */
    void (*tangent)(const float *x, const float *xdot, size_t pixels, const float *gain, const float *centre,
                    const float *shift, float negative, const float *p, const float *q, const float *s, float *z, float *zdot);
    void (*tangent_pool)(const float *x, const float *xdot, const uint8_t *marks, const struct meta_map *, const float *gain,
                         const float *centre, const float *shift, float negative, const float *p, const float *q, const float *s,
                         float *z, float *zdot);
    /* xbardot = a + b (x - centre) + d xdot + (where the adjoint reaches) z'(y) (u zbardot + v zbar) */
    void (*backward_tangent)(const float *x, const float *xdot, const float *zbar, const float *zbardot, size_t pixels,
                             const float *gain, const float *centre, const float *shift, float negative,
                             const float *a, const float *b, const float *d, const float *u, const float *v, float *xbardot);
    void (*backward_tangent_pool)(const float *x, const float *xdot, const float *zbar, const float *zbardot, const uint8_t *marks,
                                  const struct meta_map *, const float *centre, float negative, const float *a, const float *b,
                                  const float *d, const float *u, const float *v, float *xbardot);

    /* A shortcut between maps of one shape, z = u > 0 ? u : negative u, u = alpha here + beta from; a mark is 1 where u > 0 */
    void (*join)(const float *here, const float *from, size_t pixels, float alpha, float beta, float negative, float *z, uint8_t *marks);
    /* zdot = z'(u) (alpha heredot + beta fromdot); of the two one may be NULL: zeros */
    void (*join_tangent)(const float *heredot, const float *fromdot, const uint8_t *marks, size_t pixels, float alpha, float beta,
                         float negative, float *zdot);
    /* With t = zbar z'(u): herebar = alpha t, frombar = beta t; either may be NULL: not wanted */
    void (*part)(const float *zbar, const uint8_t *marks, size_t pixels, float alpha, float beta, float negative, float *herebar,
                 float *frombar);

    /* A 3x3 convolution of few channels under a 2x2/2 max-pool, at the winners alone. windows: (outputs, channels, 4, 4), the
       pixels that each window's four patches cover; weights, along: (9 channels, lanes) */
    void (*stem)(const float *windows, int channels, const struct meta_map *, const float *weights, const float *gain,
                 const float *centre, const float *shift, float negative, float *z, uint8_t *marks);
    /* zdot = z'(y) (along.patch + offset); and z again */
    void (*stem_tangent)(const float *windows, int channels, const struct meta_map *, const float *weights, const float *along,
                         const uint8_t *marks, const float *gain, const float *centre, const float *shift, const float *offset,
                         float negative, float *z, float *zdot);
    /* With ybar = zbar z'(y): sums (9 channels + 1, lanes) += sum(ybar patch), sum(ybar) */
    void (*stem_weights)(const float *windows, int channels, const struct meta_map *, const float *zbar, const uint8_t *marks,
                         float negative, double *sums);
};

struct meta_fused_set {
    const char *name;
    struct meta_fused lanes8, lanes16;
    /* out[l] += the sum over `rows` rows, `stride` apart, and over x of p[x] q[x + l]; reads up to 7 past n, where p is 0 */
    void (*lag_products)(const double *p, const double *q, int rows, size_t stride, int n, double out[5]);
};

/* The best set that this processor and META_MAX_ISA (base, avx2 or avx512) allow; without that, oneDNN's DNNL_MAX_CPU_ISA. */
const struct meta_fused_set *meta_fused(void);

extern const struct meta_fused_set meta_fused_base, meta_fused_avx2, meta_fused_avx512;

#endif
