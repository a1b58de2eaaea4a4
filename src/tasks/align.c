/* Aligns two thumbnails by a similarity. */
#include "align.h"

#include <math.h>
#include <string.h>

enum {
    MOST = META_THUMBNAIL_LONGER,
    PIXELS = MOST * MOST,
    TAPS = 24,   /* of half a blur's kernel, 3 times the widest one's sigma */
    AROUND = 4,  /* pixels around one over which its mean and contrast are taken */
    BLACK = 12,  /* and less is no part of a field of view */
    LEVELS = 4,  /* of steps and bands */
    COARSER = 2, /* of these, on every second pixel */
    ROUNDS = 6   /* of steps in each, at most */
};
/* What has to lie on each other, as a part of a. */
#define LEAST_COMMON .25

/* Numbers at the pixels offset, offset + step, ... of a thumbnail; NAN: none. */
struct grid {
    int w, h, step, offset;
    float middle_x, middle_y; /* of the thumbnail */
    const float *value;       /* (h, w) */
};

/* ---- bands of frequencies -------------------------------------------------------------------- */

/* The index `at` of n, mirrored at the ends without doubling them. */
static int mirrored(int at, int n)
{
    if (n == 1) return 0;
    int period = 2 * n - 2;
    at %= period;
    if (at < 0) at += period;
    return at < n ? at : period - at;
}

/* Half a kernel whose whole has the sum 1; returns how many numbers it has beside the middle. */
static int make_kernel(float sigma, float kernel[TAPS + 1])
{
    float sum = 0;
    int taps = fminf(TAPS, ceilf(3 * sigma));
    for (int k = 0; k <= taps; k++) {
        kernel[k] = expf(-k * k / (2 * sigma * sigma));
        sum += k ? 2 * kernel[k] : kernel[k];
    }
    for (int k = 0; k <= taps; k++) kernel[k] /= sum;
    return taps;
}

static void blur(const float *in, int w, int h, float sigma, float *out)
{
    float kernel[TAPS + 1], rows[PIXELS], line[MOST + 2 * TAPS];
    int taps = make_kernel(sigma, kernel);
    for (int y = 0; y < h; y++) {
        for (int x = -taps; x < w + taps; x++) line[TAPS + x] = in[y * w + mirrored(x, w)];
        for (int x = 0; x < w; x++) rows[y * w + x] = kernel[0] * line[TAPS + x];
        for (int k = 1; k <= taps; k++)
            for (int x = 0; x < w; x++)
                rows[y * w + x] += kernel[k] * (line[TAPS + x - k] + line[TAPS + x + k]);
    }
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++) out[y * w + x] = kernel[0] * rows[y * w + x];
        for (int k = 1; k <= taps; k++) {
            const float *up = rows + mirrored(y - k, h) * w, *down = rows + mirrored(y + k, h) * w;
            for (int x = 0; x < w; x++) out[y * w + x] += kernel[k] * (up[x] + down[x]);
        }
    }
}

/* What the blur by `fine` has beyond that by `broad`. */
static void band(const struct meta_thumbnail *t, float fine, float broad, float *out)
{
    float in[PIXELS] = { 0 }, away[PIXELS];
    int n = t->w * t->h;
    for (int i = 0; i < n; i++) in[i] = t->gray[i];
    blur(in, t->w, t->h, fine, out);
    blur(in, t->w, t->h, broad, away);
    for (int i = 0; i < n; i++) out[i] -= away[i];
}

void meta_coarse_make(const struct meta_thumbnail *t, struct meta_coarse *out)
{
    float all[PIXELS];
    band(t, 2, 8, all);
    out->w = (t->w + 1) / 3;
    out->h = (t->h + 1) / 3;
    out->middle_x = (t->w - 1) / 2.f;
    out->middle_y = (t->h - 1) / 2.f;
    for (int y = 0; y < out->h; y++)
        for (int x = 0; x < out->w; x++)
            out->value[y * out->w + x] = all[(1 + 3 * y) * t->w + 1 + 3 * x];
}

/* ---- correlation ----------------------------------------------------------------------------- */

struct sums {
    double n, a, b, aa, bb, ab;
};

static void add(struct sums *s, float a, float b)
{
    s->n++;
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
}

static float correlation(const struct sums *s, int of)
{
    if (s->n < LEAST_COMMON * of || !of) return -1;
    double aa = s->n * s->aa - s->a * s->a, bb = s->n * s->bb - s->b * s->b;
    return aa > 0 && bb > 0 ? (s->n * s->ab - s->a * s->b) / sqrt(aa * bb) : 0;
}

/* Where column and row of a's grid lie in b's: x = xx column + xy row + x0, and so on. */
struct map {
    float xx, xy, x0, yx, yy, y0;
};

static struct map map_of(const struct grid *a, const struct grid *b,
                         const struct meta_alignment *at)
{
    float scale = expf(at->log_scale), c = scale * cosf(at->angle), s = scale * sinf(at->angle);
    float left = a->offset - a->middle_x, top = a->offset - a->middle_y, steps = a->step;
    return (struct map){ c * steps / b->step,
                         -s * steps / b->step,
                         (at->x + c * left - s * top - b->offset) / b->step,
                         s * steps / b->step,
                         c * steps / b->step,
                         (at->y + s * left + c * top - b->offset) / b->step };
}

/* The number between four pixels of b; NAN outside of them. */
static float sample(const struct grid *b, const struct map *m, int column, int row)
{
    float x = m->xx * column + m->xy * row + m->x0, y = m->yx * column + m->yy * row + m->y0;
    if (!(x >= 0 && y >= 0 && x < b->w - 1 && y < b->h - 1)) return NAN;
    int left = x, top = y;
    float u = x - left, v = y - top;
    const float *p = b->value + top * b->w + left;
    return (1 - v) * ((1 - u) * p[0] + u * p[1]) + v * ((1 - u) * p[b->w] + u * p[b->w + 1]);
}

static float correlate(const struct grid *a, const struct grid *b, const struct meta_alignment *at)
{
    struct sums sums = { 0 };
    struct map map = map_of(a, b, at);
    for (int y = 0; y < a->h; y++)
        for (int x = 0; x < a->w; x++) {
            float other = sample(b, &map, x, y);
            if (!isnan(other)) add(&sums, a->value[y * a->w + x], other);
        }
    return correlation(&sums, a->w * a->h);
}

static struct grid coarse_grid(const struct meta_coarse *c)
{
    return (struct grid){ c->w, c->h, 3, 1, c->middle_x, c->middle_y, c->value };
}

static struct grid fine_grid(const struct meta_thumbnail *t, const float *value)
{
    return (struct grid){ t->w, t->h, 1, 0, (t->w - 1) / 2.f, (t->h - 1) / 2.f, value };
}

float meta_align_lay(const struct meta_coarse *a, const struct meta_coarse *b,
                     const struct meta_alignment *at)
{
    struct grid of_a = coarse_grid(a), of_b = coarse_grid(b);
    return correlate(&of_a, &of_b, at);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Takes steps, one number at a time, as long as one of them is better. The best correlation. */
static float climb(const struct grid *a, const struct grid *b, float angle, float pixels,
                   struct meta_alignment *at)
{
    const float step[4] = { angle, angle, pixels, pixels };
    float best = correlate(a, b, at);
    for (int round = 0, moved = 1; round < ROUNDS && moved; round++) {
        moved = 0;
        for (int k = 0; k < 8; k++) {
            struct meta_alignment next = *at;
            float *number[4] = { &next.angle, &next.log_scale, &next.x, &next.y };
            *number[k / 2] += k % 2 ? -step[k / 2] : step[k / 2];
            float r = correlate(a, b, &next);
            if (r <= best) continue;
            best = r;
            *at = next;
            moved = 1;
        }
    }
    return best;
}

float meta_align_coarse(const struct meta_coarse *a, const struct meta_coarse *b,
                        struct meta_alignment *at)
{
    struct grid of_a = coarse_grid(a), of_b = coarse_grid(b);
    climb(&of_a, &of_b, .1f, 2, at);
    return climb(&of_a, &of_b, .05f, 1, at);
}

/* ---- details --------------------------------------------------------------------------------- */

/* Means over the squares of AROUND pixels around each, cut off at the edges; NAN where one of them
   is. */
static void mean_around(const float *in, int w, int h, float *out)
{
    float rows[PIXELS];
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            rows[y * w + x] = 0;
            for (int k = x - AROUND; k <= x + AROUND; k++)
                if (k >= 0 && k < w) rows[y * w + x] += in[y * w + k];
        }
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            float sum = 0;
            int top = y < AROUND ? 0 : y - AROUND, low = y + AROUND < h ? y + AROUND + 1 : h,
                left = x < AROUND ? 0 : x - AROUND, right = x + AROUND < w ? x + AROUND + 1 : w;
            for (int k = top; k < low; k++) sum += rows[k * w + x];
            out[y * w + x] = sum / ((low - top) * (right - left));
        }
}

/* 2 is added to the contrast, so that smooth skin has no details. */
static void make_detail(float *value, int w, int h)
{
    float mean[PIXELS], square[PIXELS] = { 0 };
    int n = w * h;
    mean_around(value, w, h, mean);
    for (int i = 0; i < n; i++) {
        value[i] -= mean[i];
        square[i] = isnan(value[i]) ? 0 : value[i] * value[i];
    }
    mean_around(square, w, h, mean);
    for (int i = 0; i < n; i++) value[i] /= sqrtf(mean[i]) + 2;
}

static float gray_or_none(unsigned char gray) { return gray < BLACK ? NAN : gray; }

static float compare_details(const struct meta_thumbnail *a, const struct meta_thumbnail *b,
                             const struct meta_alignment *at)
{
    float own[PIXELS], all[PIXELS], other[PIXELS];
    struct sums sums = { 0 };
    int n = a->w * a->h;
    for (int i = 0; i < n; i++) own[i] = gray_or_none(a->gray[i]);
    for (int i = 0; i < b->w * b->h; i++) all[i] = gray_or_none(b->gray[i]);
    const struct grid of_a = fine_grid(a, own), of_b = fine_grid(b, all);
    const struct map map = map_of(&of_a, &of_b, at);
    for (int i = 0; i < n; i++) other[i] = sample(&of_b, &map, i % a->w, i / a->w);
    make_detail(own, a->w, a->h);
    make_detail(other, a->w, a->h);
    for (int i = 0; i < n; i++)
        if (!isnan(own[i]) && !isnan(other[i])) add(&sums, own[i], other[i]);
    return correlation(&sums, n);
}

/* Every second pixel, in place; the numbers that are left stand at 0, 2, ... */
static struct grid halved(struct grid g, float *value)
{
    int w = (g.w + 1) / 2, h = (g.h + 1) / 2;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) value[y * w + x] = value[2 * y * g.w + 2 * x];
    g.w = w;
    g.h = h;
    g.step = 2;
    return g;
}

float meta_align(const struct meta_thumbnail *a, const struct meta_thumbnail *b,
                 struct meta_alignment *at)
{
    static const float bands[LEVELS][2] = { { 2, 6 }, { 1.5f, 5 }, { 1, 4 }, { .7f, 3 } };
    /* with less than this the rest is hopeless */
    static const float bands_least[LEVELS] = { .8f, .75f, .65f, .5f };
    float of_a[PIXELS], of_b[PIXELS], angle = .1f, pixels = 2;
    for (int level = 0; level < LEVELS; level++, angle /= 2, pixels /= 2) {
        band(a, bands[level][0], bands[level][1], of_a);
        band(b, bands[level][0], bands[level][1], of_b);
        struct grid grid_a = fine_grid(a, of_a), grid_b = fine_grid(b, of_b);
        if (level < COARSER) {
            grid_a = halved(grid_a, of_a);
            grid_b = halved(grid_b, of_b);
        }
        if (climb(&grid_a, &grid_b, angle, pixels, at) < bands_least[level]) return -1;
    }
    return compare_details(a, b, at);
}

struct meta_alignment meta_align_inverse(const struct meta_thumbnail *a,
                                         const struct meta_thumbnail *b,
                                         const struct meta_alignment *at)
{
    float angle = -at->angle, scale = expf(-at->log_scale);
    float c = scale * cosf(angle), s = scale * sinf(angle);
    float dx = (b->w - 1) / 2.f - at->x, dy = (b->h - 1) / 2.f - at->y;
    return (struct meta_alignment){ angle, -at->log_scale, (a->w - 1) / 2.f + c * dx - s * dy,
                                    (a->h - 1) / 2.f + s * dx + c * dy };
}
