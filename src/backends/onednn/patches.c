/* Second moments of patches: products of pixels are summed once for each distance between two
   pixels, not for each pair of taps, and what the taps at the image's border miss is taken off. */
#include "patches.h"
#include "backends/fused/fused_kernels.h"

#include <string.h>

/* A row of doubles has EDGE zeros on its left, and zeros up to the stride on its right. */
#define EDGE 2
static int stride_of(int w) { return EDGE + (w + EDGE + 7) / 8 * 8; }

size_t meta_patches_scratch(struct meta_shape s) { return (size_t)s.c * s.h * stride_of(s.w) + 8; }

/* One image: rows[c] is channel c, h rows of `stride` doubles. */
struct frame {
    const double *rows[3];
    int h, w, stride;
};

/* Rows first, ..., first+rows-1 of channel c, and with them the rows `down` below of channel d. */
struct strip {
    int c, d, down, first, rows;
};

/* Sums by lag l = -2..2 of p[x] q[x + l], p being a row of the strip and q the row that goes
   with it, both 0 outside the image: over all columns x, and over the first and the last column
   alone. */
struct lags {
    double all[5], edge[2][5];
};

static void sum_columns(const struct frame *f, struct strip s, double out[5])
{
    memset(out, 0, 5 * sizeof *out);
    if (s.rows < 1) return;
    const double *p = f->rows[s.c] + (long)s.first * f->stride + EDGE;
    const double *q = f->rows[s.d] + (long)(s.first + s.down) * f->stride;
    meta_fused()->lag_products(p, q, s.rows, f->stride, f->w, out);
}

static void sum_column(const struct frame *f, struct strip s, int x, double out[5])
{
    memset(out, 0, 5 * sizeof *out);
    for (int r = s.first; r < s.first + s.rows; r++) {
        double p = f->rows[s.c][(long)r * f->stride + EDGE + x];
        const double *q = f->rows[s.d] + (long)(r + s.down) * f->stride + x;
        for (int l = 0; l < 5; l++) out[l] += p * q[l];
    }
}

static struct lags sum_strip(const struct frame *f, struct strip s)
{
    struct lags out;
    sum_columns(f, s, out.all);
    sum_column(f, s, 0, out.edge[0]);
    sum_column(f, s, f->w - 1, out.edge[1]);
    return out;
}

/* Adds to the products of the taps of row dy of channel c with those of row dy + down of channel
   d, which see the rows of the strip. The last tap of a row never sees the first column, and the
   first tap never sees the last column. */
static void add_taps(struct meta_patches *to, struct strip s, int dy, const struct lags *sums)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int one = (s.c * 3 + dy) * 3 + i, two = (s.d * 3 + dy + s.down) * 3 + j;
            int lag = j - i + 2;
            double sum = sums->all[lag] - (i == 2 ? sums->edge[0][lag] : 0)
                - (i == 0 ? sums->edge[1][lag] : 0);
            to->product[one][two] += sum;
            if (s.down || s.c != s.d) to->product[two][one] += sum;
        }
}

static struct lags difference(const struct lags *a, const struct lags *b)
{
    struct lags out;
    for (int l = 0; l < 5; l++) {
        out.all[l] = a->all[l] - b->all[l];
        for (int e = 0; e < 2; e++) out.edge[e][l] = a->edge[e][l] - b->edge[e][l];
    }
    return out;
}

/* Taps of one row: the middle ones see all rows of the image, the upper ones all but the last,
   and the lower ones all but the first. */
static void add_level(struct meta_patches *to, const struct frame *f, int c, int d)
{
    struct strip all = { c, d, 0, 0, f->h };
    struct lags sums = sum_strip(f, all);
    add_taps(to, all, 1, &sums);
    for (int dy = 0; dy < 3; dy += 2) {
        struct strip unseen = { c, d, 0, dy ? 0 : f->h - 1, 1 };
        struct lags out = sum_strip(f, unseen), part = difference(&sums, &out);
        add_taps(to, all, dy, &part);
    }
}

static void add_products(struct meta_patches *to, const struct frame *f, int c, int d)
{
    if (c <= d) add_level(to, f, c, d);
    struct strip next = { c, d, 1, 0, f->h - 1 }, second = { c, d, 2, 0, f->h - 2 };
    struct lags sums = sum_strip(f, next);
    add_taps(to, next, 0, &sums);
    add_taps(to, next, 1, &sums);
    sums = sum_strip(f, second);
    add_taps(to, second, 0, &sums);
}

/* Adds to the sums of the taps of channel c. */
static void add_sums(struct meta_patches *s, const struct frame *f, int c)
{
    for (int dy = 0; dy < 3; dy++)
        for (int r = dy == 2; r < f->h - (dy == 0); r++) {
            const double *p = f->rows[c] + (long)r * f->stride + EDGE;
            double sum = 0;
            for (int x = 0; x < f->w; x++) sum += p[x];
            double *to = s->sum + (c * 3 + dy) * 3;
            to[0] += sum - p[f->w - 1];
            to[1] += sum;
            to[2] += sum - p[0];
        }
}

static void add_image(struct meta_patches *s, const struct frame *f, int channels)
{
    for (int c = 0; c < channels; c++) {
        add_sums(s, f, c);
        for (int d = 0; d < channels; d++) add_products(s, f, c, d);
    }
}

/* Sums of products become sums of products of deviations: once, for all outputs. */
static void centre(struct meta_patches *s)
{
    for (int i = 0; i < s->taps; i++)
        for (int j = 0; j < s->taps; j++)
            s->deviation[i][j] = s->product[i][j] - s->sum[i] * s->sum[j] / s->count;
}

void meta_patches_measure(struct meta_patches *s, const float *images, int batch,
                          struct meta_shape shape, double *scratch)
{
    struct frame f = { .h = shape.h, .w = shape.w, .stride = stride_of(shape.w) };
    memset(s, 0, sizeof *s);
    memset(scratch, 0, meta_patches_scratch(shape) * sizeof *scratch);
    s->taps = META_PATCH * shape.c;
    s->count = (double)batch * shape.h * shape.w;
    for (int c = 0; c < shape.c; c++) f.rows[c] = scratch + (long)c * shape.h * f.stride;
    for (int b = 0; b < batch; b++) {
        for (long r = 0; r < (long)shape.c * shape.h; r++)
            for (int x = 0; x < shape.w; x++) scratch[r * f.stride + EDGE + x] = *images++;
        add_image(s, &f, shape.c);
    }
    centre(s);
}

double meta_patches_mean(const struct meta_patches *s, const float *w)
{
    double sum = 0;
    for (int i = 0; i < s->taps; i++) sum += w[i] * s->sum[i];
    return sum / s->count;
}

double meta_patches_deviation(const struct meta_patches *s, const float *w, const float *v)
{
    double all = 0;
    for (int i = 0; i < s->taps; i++) {
        double row = 0;
        for (int j = 0; j < s->taps; j++) row += v[j] * s->deviation[i][j];
        all += w[i] * row;
    }
    return all;
}

void meta_patches_add(const struct meta_patches *s, const struct meta_pull *k, double *out)
{
    for (int i = 0; i < s->taps; i++) {
        double row = 0;
        for (int j = 0; j < s->taps; j++) row += k->w[j] * s->product[i][j];
        out[i] += k->a * s->sum[i] + k->b * (row - k->centre * s->sum[i]);
    }
}
