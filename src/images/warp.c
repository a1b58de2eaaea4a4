/* Warps an image into floats by bilinear sampling, and distorts hue, saturation and value without
   leaving RGB. */
#include "warp.h"

#include <math.h>

/* The largest whole number that is not above x. floorf, like fminf and fmaxf, is a call on plain
   x86-64. Coordinates are within what an int holds. */
static inline int below(float x)
{
    int i = (int)x;
    return i - (i > x);
}

/* Adds one bilinear sample of c channels to `sum`. The point (x, y) may lie anywhere. */
static inline void sample(const struct meta_pixels *source, int c, int extend, float x, float y,
                          float *sum)
{
    const int w = source->w, h = source->h;
    int left = below(x), top = below(y);
    float u = x - left, v = y - top;
    if ((unsigned)left < (unsigned)(w - 1) && (unsigned)top < (unsigned)(h - 1)) {
        const unsigned char *p = source->pixels + ((size_t)top * w + left) * c,
                            *q = p + (size_t)w * c;
        for (int k = 0; k < c; k++) {
            float upper = p[k] + u * (p[k + c] - p[k]), lower = q[k] + u * (q[k + c] - q[k]);
            sum[k] += upper + v * (lower - upper);
        }
        return;
    }
    for (int i = 0; i < 4; i++) {
        int column = left + (i & 1), row = top + (i >> 1);
        float weight = (i & 1 ? u : 1 - u) * (i >> 1 ? v : 1 - v);
        if (extend) {
            column = column < 0 ? 0 : column >= w ? w - 1 : column;
            row = row < 0 ? 0 : row >= h ? h - 1 : row;
        } else if (column < 0 || column >= w || row < 0 || row >= h) continue;
        const unsigned char *p = source->pixels + ((size_t)row * w + column) * c;
        for (int k = 0; k < c; k++) sum[k] += weight * p[k];
    }
}

/* The arguments of meta_warp. */
struct warp {
    const struct meta_pixels *source;
    const double *m;
    int extend;
    float *out;
    int width, height;
};

/* The number of channels is a constant where this is called, so that the loops over them unroll. */
static inline __attribute__((always_inline)) void warp(const struct warp *job, int c)
{
    const struct meta_pixels source = *job->source;
    const double *m = job->m;
    float *out = job->out;
    int extend = job->extend, width = job->width, height = job->height;
    int nx = fmax(1, ceil(hypot(m[0], m[3]) - .25)), ny = fmax(1, ceil(hypot(m[1], m[4]) - .25));
    double across = 1. / nx, down = 1. / ny, first_x = across / 2 - .5, first_y = down / 2 - .5;
    float most = 255.f * nx * ny;
    size_t plane = (size_t)width * height;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            float sum[3] = { 0 };
            for (int j = 0; j < ny; j++)
                for (int i = 0; i < nx; i++) {
                    double a = x + i * across + first_x, b = y + j * down + first_y;
                    sample(&source, c, extend, m[0] * a + m[1] * b + m[2],
                           m[3] * a + m[4] * b + m[5], sum);
                }
            for (int k = 0; k < c; k++) out[k * plane + (size_t)y * width + x] = sum[k] / most;
        }
}

void meta_warp(const struct meta_pixels *source, const struct meta_affine *affine, int extend,
               float *out, int width, int height)
{
    const struct warp job = { source, affine->m, extend, out, width, height };
    if (source->c == 3) warp(&job, 3);
    else warp(&job, 1);
}

static inline float larger(float a, float b) { return a > b ? a : b; }
static inline float smaller(float a, float b) { return a < b ? a : b; }
static inline float clip(float x) { return smaller(larger(x, 0), 1); }

/* In HSV a channel is value - chroma * (1 - t), where t in [0,1] says how far the channel is from
   the darkest one and depends on the hue alone. So saturation and value act without leaving RGB,
   and t is only computed where the hue turns. */
void meta_distort(float *image, int c, size_t n, float hue, float saturation, float exposure)
{
    if (c == 1) {
        for (size_t i = 0; i < n; i++) image[i] = clip(image[i] * exposure);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float r = image[i], g = image[n + i], b = image[2 * n + i];
        float most = larger(r, larger(g, b)), chroma = most - smaller(r, smaller(g, b)),
              light = exposure * most;
        if (hue == 0 || chroma == 0) {
            image[i] = clip(exposure * (most - saturation * (most - r)));
            image[n + i] = clip(exposure * (most - saturation * (most - g)));
            image[2 * n + i] = clip(exposure * (most - saturation * (most - b)));
            continue;
        }
        float sextant = r == most ? (g - b) / chroma
            : g == most           ? 2 + (b - r) / chroma
                                  : 4 + (r - g) / chroma;
        sextant += 6 * hue; /* Red is at 0 and 6, green at 2, blue at 4. */
        sextant -= 6 * below(sextant / 6);
        float depth = exposure * saturation * chroma;
        image[i] = clip(light - depth * (1 - clip(fabsf(sextant - 3) - 1)));
        image[n + i] = clip(light - depth * (1 - clip(2 - fabsf(sextant - 2))));
        image[2 * n + i] = clip(light - depth * (1 - clip(2 - fabsf(sextant - 4))));
    }
}
