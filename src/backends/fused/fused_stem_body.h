/* The sweeps of the first layers: included by fused_body.h for blocks of LANES channels. A window's 4x4 pixels of one channel lie
   side by side, so that one lookup gives every lane the pixel that its own winner's tap sees. */

#if LANES == 16
#define LOOKUP(window, which) __builtin_shuffle(AT(window, 0), which)
#else
#define LOOKUP(window, which) __builtin_shuffle(AT(window, 0), AT(window, 8), which)
#endif
#define EACH_WINDOW for (size_t o = 0, n = (size_t)m->oh * m->ow * LANES; o < n; o += LANES, windows += 16 * channels)
/* Where in the window the patch of each lane's winner begins */
#define CORNER (((won >> 1) << 2) + (won & 1))

/* The four outputs of `count` windows side by side */
static inline __attribute__((always_inline)) void N(window_outputs)(in_t windows, int channels, in_t weights, int count, V x[2][4])
{
    for (int n = 0; n < count; n++)
        for (int p = 0; p < 4; p++) x[n][p] = (V){0};
    for (int c = 0; c < channels; c++)
#pragma GCC unroll 9
        for (int k = 0; k < 9; k++) {
            V w = AT(weights, (c * 9 + k) * LANES);
#pragma GCC unroll 2
            for (int n = 0; n < count; n++)
#pragma GCC unroll 4
                for (int p = 0; p < 4; p++)
                    x[n][p] += w * FILL(windows[(n * channels + c) * 16 + (k / 3 + p / 2) * 4 + k % 3 + p % 2]);
        }
}

static void N(stem)(in_t windows, int channels, const struct meta_map *m, in_t weights, in_t gain, in_t centre, in_t shift,
                    float negative, out_t z, uint8_t *restrict marks)
{
    V g = ROW(gain), c = ROW(centre), s = ROW(shift), x[2][4];
    size_t count = (size_t)m->oh * m->ow, i = 0;
    for (; i + 1 < count; i += 2) {
        N(window_outputs)(windows + i * 16 * channels, channels, weights, 2, x);
        for (int n = 0; n < 2; n++) {
            size_t o = (i + n) * LANES;
            N(choose)(x[n], g, c, s, negative, z + o, marks + o);
        }
    }
    if (i < count) {
        size_t o = i * LANES;
        N(window_outputs)(windows + i * 16 * channels, channels, weights, 1, x);
        N(choose)(x[0], g, c, s, negative, z + o, marks + o);
    }
}

static void N(stem_tangent)(in_t windows, int channels, const struct meta_map *m, in_t weights, in_t along, marks_t marks,
                            in_t gain, in_t centre, in_t shift, in_t offset, float negative, out_t z, out_t zdot)
{
    V g = ROW(gain), c = ROW(centre), f = ROW(shift), off = ROW(offset);
    EACH_WINDOW {
        READ_MARK;
        I corner = CORNER;
        V x[3] = { {0}, {0}, {0} }, t[3] = { off, {0}, {0} };
        for (int k = 0; k < channels; k++)
#pragma GCC unroll 9
            for (int i = 0; i < 9; i++) {
                V pixels = LOOKUP(windows + k * 16, corner + (i / 3 * 4 + i % 3));
                x[i % 3] += AT(weights, (k * 9 + i) * LANES) * pixels;
                t[i % 3] += AT(along, (k * 9 + i) * LANES) * pixels;
            }
        PUT(z, o) = BY_MARK(g * (x[0] + x[1] + x[2] - c) + f);
        PUT(zdot, o) = BY_MARK(t[0] + t[1] + t[2]);
    }
}

static inline __attribute__((always_inline)) void N(stem_weights_of)(in_t windows, int channels, const struct meta_map *m,
        in_t zbar, marks_t marks, float negative, sums_t sums)
{
    V sum[27], all = {0};
#pragma GCC unroll 27
    for (int k = 0; k < 27; k++) sum[k] = (V){0};
    EACH_WINDOW {
        READ_MARK;
        V t = BY_MARK(AT(zbar, o));
        I corner = CORNER;
        all += t;
#pragma GCC unroll 9
        for (int k = 0; k < 9; k++) {
            I at = corner + (k / 3 * 4 + k % 3);
            sum[k] += t * LOOKUP(windows, at);
            if (channels > 1) sum[9 + k] += t * LOOKUP(windows + 16, at);
            if (channels > 2) sum[18 + k] += t * LOOKUP(windows + 32, at);
        }
    }
    for (int k = 0; k < 9 * channels; k++)
        for (int i = 0; i < LANES; i++) sums[k * LANES + i] += sum[k][i];
    for (int i = 0; i < LANES; i++) sums[9 * channels * LANES + i] += all[i];
}

static void N(stem_weights)(in_t windows, int channels, const struct meta_map *m, in_t zbar, marks_t marks, float negative, sums_t sums)
{
    if (channels == 3) N(stem_weights_of)(windows, 3, m, zbar, marks, negative, sums);
    else if (channels == 2) N(stem_weights_of)(windows, 2, m, zbar, marks, negative, sums);
    else N(stem_weights_of)(windows, 1, m, zbar, marks, negative, sums);
}

#undef LOOKUP
#undef EACH_WINDOW
#undef CORNER
