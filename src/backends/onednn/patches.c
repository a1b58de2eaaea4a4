#include "patches.h"
#include "backends/fused/fused_kernels.h"

#include <string.h>

/* A row as doubles, EDGE zeros on its left and zeros up to the stride on its right. */
#define EDGE 2
static int stride_of(int w) { return EDGE + (w + EDGE + 7) / 8 * 8; }

unsigned long meta_patches_scratch(int channels, int h, int w) { return (unsigned long)channels * h * stride_of(w) + 8; }

struct frame { const double *rows[3]; int h, w, stride; };

/* The sums over the columns x of a row pair, by lag l = -2..2: sum p[x] q[x + l], x from 0 to w-1, both rows 0 outside. */
static void lags(const struct frame *f, int c, int d, int from, int rows, int down, double out[5])
{
    memset(out, 0, 5 * sizeof *out);
    if (rows < 1) return;
    const double *p = f->rows[c] + (long)from * f->stride + EDGE, *q = f->rows[d] + (long)(from + down) * f->stride;
    meta_fused()->lag_products(p, q, rows, f->stride, f->w, out);
}

/* What column x of the first row gives to the same sums. */
static void column(const struct frame *f, int c, int d, int from, int rows, int down, int x, double out[5])
{
    memset(out, 0, 5 * sizeof *out);
    for (int r = from; r < from + rows; r++) {
        double p = f->rows[c][(long)r * f->stride + EDGE + x];
        const double *q = f->rows[d] + (long)(r + down) * f->stride + x;
        for (int l = 0; l < 5; l++) out[l] += p * q[l];
    }
}

/* Adds to the products of the taps of rows dy and dy + down, of channels c and d, what `all` the rows give and the columns at the
   `edge`s: a patch's column leaves the image for a tap's first or last. */
static void add_taps(struct meta_patches *s, int c, int d, int dy, int down, const double all[5], double edge[2][5])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int one = (c * 3 + dy) * 3 + i, two = (d * 3 + dy + down) * 3 + j, lag = j - i + 2;
            double sum = all[lag] - (i == 2 ? edge[0][lag] : 0) - (i == 0 ? edge[1][lag] : 0);
            s->product[one][two] += sum;
            if (down || c != d) s->product[two][one] += sum;
        }
}

/* Rows first..first+rows-1 of channel c with those `down` below of channel d. */
static void row_sums(const struct frame *f, int c, int d, int down, int first, int rows, double all[5], double edge[2][5])
{
    lags(f, c, d, first, rows, down, all);
    for (int e = 0; e < 2; e++) column(f, c, d, first, rows, down, e ? f->w - 1 : 0, edge[e]);
}

/* Taps of one row: the upper see all rows of the image but the last, the lower all but the first. */
static void add_level(struct meta_patches *s, const struct frame *f, int c, int d)
{
    double all[5], edge[2][5], out[5], out_edge[2][5], part[5], part_edge[2][5];
    row_sums(f, c, d, 0, 0, f->h, all, edge);
    add_taps(s, c, d, 1, 0, all, edge);
    for (int dy = 0; dy < 3; dy += 2) {
        row_sums(f, c, d, 0, dy ? 0 : f->h - 1, 1, out, out_edge);
        for (int l = 0; l < 5; l++) {
            part[l] = all[l] - out[l];
            for (int e = 0; e < 2; e++) part_edge[e][l] = edge[e][l] - out_edge[e][l];
        }
        add_taps(s, c, d, dy, 0, part, part_edge);
    }
}

static void add_products(struct meta_patches *s, const struct frame *f, int c, int d)
{
    double all[5], edge[2][5];
    if (c <= d) add_level(s, f, c, d);
    row_sums(f, c, d, 1, 0, f->h - 1, all, edge);
    add_taps(s, c, d, 0, 1, all, edge);
    add_taps(s, c, d, 1, 1, all, edge);
    row_sums(f, c, d, 2, 0, f->h - 2, all, edge);
    add_taps(s, c, d, 0, 2, all, edge);
}

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

/* Sums of products to sums of products of deviations: once, for all outputs. */
static void centre(struct meta_patches *s)
{
    for (int i = 0; i < s->taps; i++)
        for (int j = 0; j < s->taps; j++) s->deviation[i][j] = s->product[i][j] - s->sum[i] * s->sum[j] / s->count;
}

void meta_patches_measure(struct meta_patches *s, const float *images, int batch, int channels, int h, int w, double *scratch)
{
    struct frame f = { .h = h, .w = w, .stride = stride_of(w) };
    memset(s, 0, sizeof *s);
    memset(scratch, 0, meta_patches_scratch(channels, h, w) * sizeof *scratch);
    s->taps = META_PATCH * channels;
    s->count = (double)batch * h * w;
    for (int c = 0; c < channels; c++) f.rows[c] = scratch + (long)c * h * f.stride;
    for (int b = 0; b < batch; b++) {
        for (long r = 0; r < (long)channels * h; r++)
            for (int x = 0; x < w; x++) scratch[r * f.stride + EDGE + x] = *images++;
        add_image(s, &f, channels);
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

void meta_patches_add(const struct meta_patches *s, double a, double b, const float *w, double centre, double *out)
{
    for (int i = 0; i < s->taps; i++) {
        double row = 0;
        for (int j = 0; j < s->taps; j++) row += w[j] * s->product[i][j];
        out[i] += a * s->sum[i] + b * (row - centre * s->sum[i]);
    }
}
