/* Compiled once an instruction set, with -DISA=base, avx2 or avx512; see fused_kernels.h. Plain loops over channels, which
   the compiler vectorises; sums run in floats over a strip of pixels and in doubles over strips. */
#include "fused_kernels.h"

#include <string.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define EACH_CHANNEL _Pragma("GCC ivdep") for (int k = 0; k < c; k++)
#define STRIP 64    /* pixels a float sum runs over */

typedef const float *restrict in_t;
typedef float *restrict out_t;

static inline float slope(float y, float negative) { return y > 0 ? 1 : negative; }

static void flush(double *restrict sums, float *restrict work, int c)
{
    EACH_CHANNEL {
        sums[k] += work[k];
        sums[c + k] += work[c + k];
    }
    memset(work, 0, 2 * (size_t)c * sizeof *work);
}

/* Runs `statement` over strips of pixels with `i` the pixel's first element, summing into work[0..2c). */
#define STRIPS(statement)                                                        \
    memset(work, 0, 2 * (size_t)c * sizeof *work);                               \
    for (size_t from = 0; from < pixels; from += STRIP) {                        \
        size_t to = from + STRIP < pixels ? from + STRIP : pixels;               \
        for (size_t i = from * c; i < to * c; i += c) EACH_CHANNEL { statement } \
        flush(sums, work, c);                                                    \
    }

static void moments(in_t x, size_t pixels, int c, in_t centre, double *restrict sums, out_t work)
{
    STRIPS(
        float d = x[i + k] - centre[k];
        work[k] += d;
        work[c + k] += d * d;
    )
}

static void products(in_t t, in_t x, size_t pixels, int c, in_t centre, double *restrict sums, out_t work)
{
    STRIPS(
        work[k] += t[i + k];
        work[c + k] += t[i + k] * (x[i + k] - centre[k]);
    )
}

static void slopes(in_t zbar, in_t x, size_t pixels, int c, in_t gain, in_t centre, in_t shift, float negative,
                   double *restrict sums, out_t work)
{
    STRIPS(
        float d = x[i + k] - centre[k];
        float ybar = zbar[i + k] * slope(gain[k] * d + shift[k], negative);
        work[k] += ybar;
        work[c + k] += ybar * d;
    )
}

static void slope_tangents(in_t zbar, in_t zbardot, in_t x, in_t xdot, size_t pixels, int c, in_t gain, in_t centre,
                           in_t shift, float negative, in_t r, in_t p, in_t q, in_t s, double *restrict sums, out_t work)
{
    STRIPS(
        float d = x[i + k] - centre[k];
        float f = slope(gain[k] * d + shift[k], negative);
        float hatdot = p[k] * xdot[i + k] + q[k] + s[k] * d;
        float ybardot = zbardot[i + k] * f;
        work[k] += ybardot;
        work[c + k] += r[k] * ybardot * d + zbar[i + k] * f * hatdot;
    )
}

/* ---- without a pool: pixel by pixel --------------------------------------------------------------------------------- */

#define PIXELS for (size_t i = 0; i < pixels * c; i += c) EACH_CHANNEL

static void forward(in_t x, size_t pixels, int c, in_t gain, in_t centre, in_t shift, float negative, out_t z)
{
    PIXELS {
        float y = gain[k] * (x[i + k] - centre[k]) + shift[k];
        z[i + k] = y > 0 ? y : negative * y;
    }
}

static void backward(in_t x, in_t zbar, size_t pixels, int c, in_t gain, in_t centre, in_t shift, float negative,
                     in_t a, in_t b, out_t xbar)
{
    PIXELS {
        float d = x[i + k] - centre[k];
        xbar[i + k] = a[k] + b[k] * d + gain[k] * zbar[i + k] * slope(gain[k] * d + shift[k], negative);
    }
}

static void tangent(in_t x, in_t xdot, size_t pixels, int c, in_t gain, in_t centre, in_t shift, float negative,
                    in_t p, in_t q, in_t s, out_t zdot)
{
    PIXELS {
        float d = x[i + k] - centre[k];
        zdot[i + k] = slope(gain[k] * d + shift[k], negative) * (p[k] * xdot[i + k] + q[k] + s[k] * d);
    }
}

static void backward_tangent(in_t x, in_t xdot, in_t zbar, in_t zbardot, size_t pixels, int c, in_t gain, in_t centre,
                             in_t shift, float negative, in_t a, in_t b, in_t d, in_t u, in_t v, out_t xbardot)
{
    PIXELS {
        float e = x[i + k] - centre[k];
        xbardot[i + k] = a[k] + b[k] * e + d[k] * xdot[i + k]
                       + slope(gain[k] * e + shift[k], negative) * (u[k] * zbardot[i + k] + v[k] * zbar[i + k]);
    }
}

/* ---- with a 2x2/2 max-pool: window by window ------------------------------------------------------------------------ */

/* The four pixels of window (i, j); where the map ends, a pixel stands for its absent neighbour, which then never wins. */
struct window { size_t at[4]; int right, below; };

static inline struct window window_of(const struct meta_map *m, int n, int i, int j)
{
    struct window w = { .right = 2 * j + 1 < m->w, .below = 2 * i + 1 < m->h };
    size_t row = (size_t)m->w * m->c;
    w.at[0] = ((size_t)n * m->h + 2 * i) * row + 2 * (size_t)j * m->c;
    w.at[1] = w.at[0] + (w.right ? m->c : 0);
    w.at[2] = w.at[0] + (w.below ? row : 0);
    w.at[3] = w.at[1] + w.at[2] - w.at[0];
    return w;
}

#define WINDOWS                                              \
    for (int n = 0; n < m->n; n++)                           \
        for (int i = 0; i < m->oh; i++)                      \
            for (int j = 0; j < m->ow; j++)

static void forward_pool(in_t x, const struct meta_map *m, in_t gain, in_t centre, in_t shift, float negative,
                         out_t z, out_t kept, uint8_t *restrict winner)
{
    int c = m->c;
    size_t o = 0;
    WINDOWS {
        struct window w = window_of(m, n, i, j);
        in_t x0 = x + w.at[0], x1 = x + w.at[1], x2 = x + w.at[2], x3 = x + w.at[3];
        EACH_CHANNEL {
            float v0 = gain[k] * (x0[k] - centre[k]), v1 = gain[k] * (x1[k] - centre[k]);
            float v2 = gain[k] * (x2[k] - centre[k]), v3 = gain[k] * (x3[k] - centre[k]);
            float low = v1 > v0 ? v1 : v0, from_low = v1 > v0 ? x1[k] : x0[k];
            float high = v3 > v2 ? v3 : v2, from_high = v3 > v2 ? x3[k] : x2[k];
            int which_low = v1 > v0, which_high = v3 > v2 ? 3 : 2;
            float best = high > low ? high : low;
            float y = best + shift[k];
            z[o + k] = y > 0 ? y : negative * y;
            kept[o + k] = high > low ? from_high : from_low;
            winner[o + k] = high > low ? which_high : which_low;
        }
        o += c;
    }
}

/* Pixels that no window covers (odd sizes without padding). */
#define UNCOVERED(statement)                                                                        \
    if (2 * m->oh < m->h || 2 * m->ow < m->w)                                                       \
        for (int n = 0; n < m->n; n++)                                                              \
            for (int i = 0; i < m->h; i++)                                                          \
                for (int j = i < 2 * m->oh ? 2 * m->ow : 0; j < m->w; j++) {                        \
                    size_t at = (((size_t)n * m->h + i) * m->w + j) * c;                            \
                    EACH_CHANNEL { statement }                                                      \
                }

static void backward_pool(in_t x, in_t zbar, in_t kept, const uint8_t *restrict winner, const struct meta_map *m,
                          in_t gain, in_t centre, in_t shift, float negative, in_t a, in_t b, out_t xbar)
{
    int c = m->c;
    size_t o = 0;
    WINDOWS {
        struct window w = window_of(m, n, i, j);
        for (int half = 0; half < 2; half++) {
            if (half && !w.below) break;
            in_t x0 = x + w.at[2 * half], x1 = x + w.at[2 * half + 1];
            float *y0 = xbar + w.at[2 * half], *y1 = xbar + w.at[2 * half + 1];
            int left = 2 * half, right = 2 * half + 1;
            if (w.right) EACH_CHANNEL {
                float t = gain[k] * zbar[o + k] * slope(gain[k] * (kept[o + k] - centre[k]) + shift[k], negative);
                int which = winner[o + k];
                y0[k] = a[k] + b[k] * (x0[k] - centre[k]) + (which == left ? t : 0);
                y1[k] = a[k] + b[k] * (x1[k] - centre[k]) + (which == right ? t : 0);
            } else EACH_CHANNEL {
                float t = gain[k] * zbar[o + k] * slope(gain[k] * (kept[o + k] - centre[k]) + shift[k], negative);
                y0[k] = a[k] + b[k] * (x0[k] - centre[k]) + (winner[o + k] == left ? t : 0);
            }
        }
        o += c;
    }
    UNCOVERED( xbar[at + k] = a[k] + b[k] * (x[at + k] - centre[k]); )
}

static void tangent_pool(in_t xdot, in_t kept, const uint8_t *restrict winner, const struct meta_map *m,
                         in_t gain, in_t centre, in_t shift, float negative, in_t p, in_t q, in_t s, out_t zdot, out_t keptdot)
{
    int c = m->c;
    size_t o = 0;
    WINDOWS {
        struct window w = window_of(m, n, i, j);
        in_t x0 = xdot + w.at[0], x1 = xdot + w.at[1], x2 = xdot + w.at[2], x3 = xdot + w.at[3];
        EACH_CHANNEL {
            int which = winner[o + k];
            float low = which & 1 ? x1[k] : x0[k], high = which & 1 ? x3[k] : x2[k], t = which & 2 ? high : low;
            float d = kept[o + k] - centre[k];
            keptdot[o + k] = t;
            zdot[o + k] = slope(gain[k] * d + shift[k], negative) * (p[k] * t + q[k] + s[k] * d);
        }
        o += c;
    }
}

static void backward_tangent_pool(in_t x, in_t xdot, in_t zbar, in_t zbardot, in_t kept, const uint8_t *restrict winner,
                                  const struct meta_map *m, in_t gain, in_t centre, in_t shift, float negative,
                                  in_t a, in_t b, in_t d, in_t u, in_t v, out_t xbardot)
{
    int c = m->c;
    size_t o = 0;
    WINDOWS {
        struct window w = window_of(m, n, i, j);
        for (int half = 0; half < 2; half++) {
            if (half && !w.below) break;
            in_t x0 = x + w.at[2 * half], x1 = x + w.at[2 * half + 1];
            in_t d0 = xdot + w.at[2 * half], d1 = xdot + w.at[2 * half + 1];
            float *y0 = xbardot + w.at[2 * half], *y1 = xbardot + w.at[2 * half + 1];
            int left = 2 * half, right = 2 * half + 1;
            if (w.right) EACH_CHANNEL {
                float f = slope(gain[k] * (kept[o + k] - centre[k]) + shift[k], negative);
                float t = f * (u[k] * zbardot[o + k] + v[k] * zbar[o + k]);
                int which = winner[o + k];
                y0[k] = a[k] + b[k] * (x0[k] - centre[k]) + d[k] * d0[k] + (which == left ? t : 0);
                y1[k] = a[k] + b[k] * (x1[k] - centre[k]) + d[k] * d1[k] + (which == right ? t : 0);
            } else EACH_CHANNEL {
                float f = slope(gain[k] * (kept[o + k] - centre[k]) + shift[k], negative);
                float t = f * (u[k] * zbardot[o + k] + v[k] * zbar[o + k]);
                y0[k] = a[k] + b[k] * (x0[k] - centre[k]) + d[k] * d0[k] + (winner[o + k] == left ? t : 0);
            }
        }
        o += c;
    }
    UNCOVERED( xbardot[at + k] = a[k] + b[k] * (x[at + k] - centre[k]) + d[k] * xdot[at + k]; )
}

const struct meta_fused JOIN(meta_fused_, ISA) = {
    TEXT(ISA), moments, products, slopes, slope_tangents, forward, forward_pool, backward, backward_pool,
    tangent, tangent_pool, backward_tangent, backward_tangent_pool
};
