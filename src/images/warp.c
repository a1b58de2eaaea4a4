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

/* Adds one bilinear sample of c channels to `sum`. The point (x, y) may lie anywhere; outside the
   source the nearest pixel goes on. */
static inline void sample(const struct meta_pixels *source, int c, float x, float y, float *sum)
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
        column = column < 0 ? 0 : column >= w ? w - 1 : column;
        row = row < 0 ? 0 : row >= h ? h - 1 : row;
        const unsigned char *p = source->pixels + ((size_t)row * w + column) * c;
        for (int k = 0; k < c; k++) sum[k] += weight * p[k];
    }
}

/* The arguments of meta_warp; how far an output pixel reaches from its middle, which is half the
   sides of the box around it, in source pixels; and the grid of nx x ny samples that it is the mean
   of, in output pixels: the steps between them, and the first one's place. */
struct warp {
    const struct meta_pixels *source;
    const double *m;
    float *out;
    int width, height;
    double reach_x, reach_y;
    int nx, ny;
    double across, down, first_x, first_y;
};

/* Rounding does not make a pixel that ends at the source's edge leave it. */
#define EDGE 1e-6

/* The share of middle - reach .. middle + reach that lies in -1/2 .. size - 1/2. */
static inline double share(double middle, double reach, int size)
{
    double before = -.5 - (middle - reach), behind = middle + reach - (size - .5);
    double out = (before > EDGE ? before : 0) + (behind > EDGE ? behind : 0);
    return out < 2 * reach ? 1 - out / (2 * reach) : 0;
}

/* How much of the output pixel (x, y) the source covers, from 0 to 1: the share of the box around
   the pixel, which is the pixel itself where nothing is turned. */
static inline double cover(const struct warp *job, double x, double y)
{
    const double *m = job->m;
    return share(m[0] * x + m[1] * y + m[2], job->reach_x, job->source->w)
        * share(m[3] * x + m[4] * y + m[5], job->reach_y, job->source->h);
}

/* Finds the pixels from..to-1 of row y that lie inside the source: an interval, since both of their
   coordinates are linear in x. */
static void find_inside(const struct warp *job, int y, int *from, int *to)
{
    const int sizes[] = { job->source->w, job->source->h };
    const double reach[] = { job->reach_x, job->reach_y };
    double first = 0, last = job->width - 1;
    for (int i = 0; i < 2; i++) {
        const double *m = job->m + 3 * i, start = m[1] * y + m[2],
                     least = reach[i] - .5 - EDGE - start,
                     most = sizes[i] - .5 - reach[i] + EDGE - start;
        if (m[0] == 0) {
            if (least > 0 || most < 0) last = -1;
            continue;
        }
        first = fmax(first, ceil((m[0] > 0 ? least : most) / m[0]));
        last = fmin(last, floor((m[0] > 0 ? most : least) / m[0]));
    }
    *from = first <= last ? first : 0;
    *to = first <= last ? last + 1 : 0;
}

/* Writes the pixels x = from..to-1 of row y. The number of channels, and whether a pixel's cover
   matters, are constants where this is called, so that the loops over channels unroll. */
static inline __attribute__((always_inline)) void part(const struct warp *job, int c, int cut,
                                                       int y, int from, int to)
{
    const struct meta_pixels source = *job->source;
    const double *m = job->m;
    const int nx = job->nx, ny = job->ny;
    const double across = job->across, down = job->down, first_x = job->first_x,
                 first_y = job->first_y;
    const float most = 255.f * nx * ny;
    size_t plane = (size_t)job->width * job->height;
    float *out = job->out + (size_t)y * job->width;
    for (int x = from; x < to; x++) {
        float sum[3] = { 0 }, covered = cut ? cover(job, x, y) : 1;
        for (int j = 0; j < ny && covered > 0; j++)
            for (int i = 0; i < nx; i++) {
                double a = x + i * across + first_x, b = y + j * down + first_y;
                sample(&source, c, m[0] * a + m[1] * b + m[2], m[3] * a + m[4] * b + m[5], sum);
            }
        for (int k = 0; k < c; k++) {
            float value = sum[k] / most; /* of white, the weights' rounding may be above 1 */
            value = value < 1 ? value : 1;
            out[k * plane + x] = cut ? value * covered : value;
        }
    }
}

static inline __attribute__((always_inline)) void warp(const struct warp *job, int c, int black)
{
    for (int y = 0; y < job->height; y++) {
        int from = 0, to = job->width;
        if (black) find_inside(job, y, &from, &to);
        part(job, c, 0, y, from, to);
        if (!black) continue;
        part(job, c, 1, y, 0, from);
        part(job, c, 1, y, to, job->width);
    }
}

void meta_warp(const struct meta_pixels *source, const struct meta_affine *affine,
               enum meta_outside outside, float *out, int width, int height)
{
    const double *m = affine->m;
    struct warp job = { .source = source, .m = m, .out = out, .width = width, .height = height };
    job.reach_x = (fabs(m[0]) + fabs(m[1])) / 2;
    job.reach_y = (fabs(m[3]) + fabs(m[4])) / 2;
    job.nx = fmax(1, ceil(hypot(m[0], m[3]) - .25));
    job.ny = fmax(1, ceil(hypot(m[1], m[4]) - .25));
    job.across = 1. / job.nx;
    job.down = 1. / job.ny;
    job.first_x = job.across / 2 - .5;
    job.first_y = job.down / 2 - .5;
    int black = outside == META_OUTSIDE_BLACK;
    if (source->c == 3) warp(&job, 3, black);
    else warp(&job, 1, black);
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
