/* Finds images that are the same but for light, a small shift, a flip or a quarter turn: candidates
   by perceptual hashes, which are confirmed by the correlation of details. */
#include "alike_internal.h"
#include "base/pool.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDE = META_THUMBNAIL,
    PIXELS = META_THUMBNAIL_PIXELS,
    FREQUENCIES = 8, /* 1 to 8 across and down make the 64 bits of a hash */
    TURNS = 8,       /* flips and quarter turns */
    BITS_MOST = 12,  /* in which hashes of candidates differ */
    AROUND = 2,      /* pixels around one over which its mean and contrast are taken */
    SHIFT = 4,       /* pixels, each way */
    RADIUS = 27,     /* of the middle: what a round field of view leaves of an image */
    SCALE = 60       /* of details as bytes */
};

/* ---- one image ------------------------------------------------------------------------------- */

/* What is compared of an image. */
struct sight {
    uint64_t hash[TURNS];         /* of the image turned each way */
    unsigned char detail[PIXELS]; /* (SIDE, SIDE) */
    int plain;                    /* of one colour */
};

struct search {
    const struct meta_look *look;
    struct sight *sights; /* (count) */
    float cosine[FREQUENCIES][SIDE];
    int middle[PIXELS], middle_count; /* pixels of the middle, those of a chequered quarter first */
    int sparse;                       /* how many those are */
    struct meta_alike_list *list;
};

/* The pixel that turn `t` brings to (y, x): bit 0 flips left and right, bit 1 up and down, bit 2
   swaps rows and columns. */
static int turned(int t, int y, int x)
{
    if (t & 4) {
        int kept = y;
        y = x;
        x = kept;
    }
    if (t & 1) x = SIDE - 1 - x;
    if (t & 2) y = SIDE - 1 - y;
    return y * SIDE + x;
}

/* Signs of the cosine transform's frequencies. A flip changes the sign of the odd ones. */
static void make_hashes(const struct search *s, const unsigned char *pixels, uint64_t *hash)
{
    float rows[SIDE][FREQUENCIES] = { { 0 } }, f[FREQUENCIES][FREQUENCIES] = { { 0 } };
    for (int y = 0; y < SIDE; y++)
        for (int v = 0; v < FREQUENCIES; v++)
            for (int x = 0; x < SIDE; x++) rows[y][v] += s->cosine[v][x] * pixels[y * SIDE + x];
    for (int u = 0; u < FREQUENCIES; u++)
        for (int v = 0; v < FREQUENCIES; v++)
            for (int y = 0; y < SIDE; y++) f[u][v] += s->cosine[u][y] * rows[y][v];
    for (int t = 0; t < TURNS; t++) {
        hash[t] = 0;
        for (int u = 0; u < FREQUENCIES; u++)
            for (int v = 0; v < FREQUENCIES; v++) {
                int from_u = t & 4 ? v : u, from_v = t & 4 ? u : v;
                /* frequencies are from_u + 1 and from_v + 1 */
                int flips = ((t & 1) && !(from_v & 1)) + ((t & 2) && !(from_u & 1));
                float value = flips & 1 ? -f[from_u][from_v] : f[from_u][from_v];
                hash[t] = hash[t] << 1 | (value > 0);
            }
    }
}

/* Means over the squares of AROUND pixels around each, cut off at the edges. */
static void mean_around(const float *in, float *out)
{
    double sum[SIDE + 1][SIDE + 1] = { { 0 } };
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            sum[y + 1][x + 1] = sum[y][x + 1] + sum[y + 1][x] - sum[y][x] + in[y * SIDE + x];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int top = y < AROUND ? 0 : y - AROUND, left = x < AROUND ? 0 : x - AROUND;
            int low = y + AROUND < SIDE ? y + AROUND + 1 : SIDE,
                right = x + AROUND < SIDE ? x + AROUND + 1 : SIDE;
            out[y * SIDE + x] = (sum[low][right] - sum[top][right] - sum[low][left]
                                 + sum[top][left])
                / ((low - top) * (right - left));
        }
}

/* The difference of each pixel to the mean around it, in units of the contrast there; 2 is added to
   that, so that smooth skin has no details. 128 stands for none. */
static void make_detail(const unsigned char *pixels, unsigned char *detail)
{
    float value[PIXELS], mean[PIXELS], square[PIXELS], contrast[PIXELS];
    for (int i = 0; i < PIXELS; i++) value[i] = pixels[i];
    mean_around(value, mean);
    for (int i = 0; i < PIXELS; i++) {
        value[i] -= mean[i];
        square[i] = value[i] * value[i];
    }
    mean_around(square, contrast);
    for (int i = 0; i < PIXELS; i++) {
        float d = value[i] / (sqrtf(fmaxf(contrast[i], 0)) + 2);
        detail[i] = 128 + lrintf(SCALE * fmaxf(-2, fminf(2, d)));
    }
}

static void see(void *context, int i, int worker)
{
    struct search *s = context;
    const unsigned char *pixels = s->look->thumbnails[i].square;
    make_hashes(s, pixels, s->sights[i].hash);
    make_detail(pixels, s->sights[i].detail);
    s->sights[i].plain = !memcmp(pixels, pixels + 1, PIXELS - 1);
}

/* ---- two images ------------------------------------------------------------------------------ */

/* The correlation of the first n pixels of the middle, b shifted by `shift` pixels. */
static float correlate(const struct search *s, const unsigned char *a, const unsigned char *b,
                       int shift, int n)
{
    long sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < n; i++) {
        int p = a[s->middle[i]], q = b[s->middle[i] + shift];
        sa += p;
        sb += q;
        aa += p * p;
        bb += q * q;
        ab += p * q;
    }
    double va = (double)n * aa - (double)sa * sa, vb = (double)n * bb - (double)sb * sb;
    return va > 0 && vb > 0 ? ((double)n * ab - (double)sa * sb) / sqrt(va * vb) : 0;
}

/* The largest correlation over all shifts: over a part of the pixels first, and over all of them
   around the best shift of that, where it is not hopeless. */
static float best_shift(const struct search *s, const unsigned char *a, const unsigned char *b)
{
    float best = -1, fine = -1;
    int at_y = 0, at_x = 0;
    for (int y = -SHIFT; y <= SHIFT; y++)
        for (int x = -SHIFT; x <= SHIFT; x++) {
            float r = correlate(s, a, b, y * SIDE + x, s->sparse);
            if (r <= best) continue;
            best = r;
            at_y = y;
            at_x = x;
        }
    if (best < .6f * META_ALIKE_LEAST) return best;
    for (int y = at_y - 1; y <= at_y + 1; y++)
        for (int x = at_x - 1; x <= at_x + 1; x++) {
            if (abs(y) > SHIFT || abs(x) > SHIFT) continue;
            fine = fmaxf(fine, correlate(s, a, b, y * SIDE + x, s->middle_count));
        }
    return fine;
}

static float compare(const struct search *s, const struct sight *a, const struct sight *b)
{
    float best = -1;
    for (int t = 0; t < TURNS; t++) {
        unsigned char other[PIXELS];
        if (__builtin_popcountll(a->hash[0] ^ b->hash[t]) > BITS_MOST) continue;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) other[y * SIDE + x] = b->detail[turned(t, y, x)];
        best = fmaxf(best, best_shift(s, a->detail, other));
    }
    return best;
}

static void compare_one(void *context, int i, int worker)
{
    struct search *s = context;
    const int *known = s->look->known;
    if (s->sights[i].plain) return;
    for (int k = i + 1; k < s->look->count; k++) {
        if (s->sights[k].plain || (known[i] >= 0 && known[i] == known[k])) continue;
        float r = compare(s, &s->sights[i], &s->sights[k]);
        if (r >= META_ALIKE_LEAST) meta_alike_add(s->list, (struct meta_alike){ i, k, r });
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void prepare(struct search *s)
{
    for (int u = 0; u < FREQUENCIES; u++)
        for (int x = 0; x < SIDE; x++)
            s->cosine[u][x] = cos(M_PI * (2 * x + 1) * (u + 1) / (2. * SIDE));
    for (int part = 0; part < 2; part++) {
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                float dy = y - (SIDE - 1) / 2.f, dx = x - (SIDE - 1) / 2.f;
                int sparse = !((y + x / 2 * 2) % 4) && !(x % 2);
                if (dy * dy + dx * dx < RADIUS * RADIUS && sparse == !part)
                    s->middle[s->middle_count++] = y * SIDE + x;
            }
        if (!part) s->sparse = s->middle_count;
    }
}

int meta_alike_same(struct meta_alike_list *list, const struct meta_look *look,
                    struct meta_pool *pool, struct meta_error *error)
{
    struct search *s = calloc(1, sizeof *s);
    if (s) s->sights = malloc(((size_t)look->count + 1) * sizeof *s->sights);
    if (!s || !s->sights) {
        free(s);
        return meta_fail(error, "out of memory for %d images", look->count);
    }
    s->look = look;
    s->list = list;
    prepare(s);
    meta_pool_run(pool, look->count, see, s);
    meta_pool_run(pool, look->count, compare_one, s);
    free(s->sights);
    free(s);
    return 0;
}
