/* The sweeps of the first layers, for blocks of LANES channels; fused_body.h includes this file.
   The 4x4 pixels that a window sees of one channel lie side by side, so that one lookup gives
   every lane the pixel that a tap of its own winner sees. */

/* Of a window's 16 pixels, those that `which` names, one a lane. */
INLINE V N(look_up)(const float *window, I which)
{
#if LANES == 16 && __has_builtin(__builtin_shuffle)
    return __builtin_shuffle(AT(window, 0), which);
#else
    return N(shuffle)(AT(window, 0), AT(window, LANES % 16), which);
#endif
}

/* Where in the window the patch of each lane's winner begins. */
INLINE I N(corner)(I mark)
{
    I won = mark & 3;
    return ((won >> 1) << 2) + (won & 1);
}

/* The four outputs of `count` windows side by side. */
INLINE void N(window_outputs)(in_t windows, int channels, in_t weights, int count, V x[2][4])
{
    for (int n = 0; n < count; n++)
        for (int p = 0; p < 4; p++) x[n][p] = (V){ 0 };
    for (int c = 0; c < channels; c++)
#pragma GCC unroll 9
        for (int k = 0; k < 9; k++) {
            V w = AT(weights, (c * 9 + k) * LANES);
#pragma GCC unroll 2
            for (int n = 0; n < count; n++) {
                in_t window = windows + (n * channels + c) * 16;
#pragma GCC unroll 4
                for (int p = 0; p < 4; p++)
                    x[n][p] += w * FILL(window[(k / 3 + p / 2) * 4 + k % 3 + p % 2]);
            }
        }
}

static void N(stem)(in_t windows, int channels, const struct meta_map *m, in_t weights,
                    constants_t k, out_t z, uint8_t *restrict marks)
{
    V g = ROW(k->gain), c = ROW(k->centre), s = ROW(k->shift), x[2][4];
    float negative = k->negative;
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

static void N(stem_tangent)(in_t windows, int channels, const struct meta_map *m, in_t weights,
                            in_t along, marks_t marks, constants_t k, out_t z, out_t zdot)
{
    V g = ROW(k->gain), c = ROW(k->centre), f = ROW(k->shift), q = ROW(k->q);
    float negative = k->negative;
    size_t end = (size_t)m->oh * m->ow * LANES;
    for (size_t o = 0; o < end; o += LANES, windows += 16 * channels) {
        I mark = N(read_mark)(marks + o), corner = N(corner)(mark);
        V x[3] = { { 0 }, { 0 }, { 0 } }, t[3] = { q, { 0 }, { 0 } };
        for (int n = 0; n < channels; n++)
#pragma GCC unroll 9
            for (int i = 0; i < 9; i++) {
                V pixels = N(look_up)(windows + n * 16, corner + (i / 3 * 4 + i % 3));
                x[i % 3] += AT(weights, (n * 9 + i) * LANES) * pixels;
                t[i % 3] += AT(along, (n * 9 + i) * LANES) * pixels;
            }
        PUT(z, o) = N(bend_by)(mark, negative, g * (x[0] + x[1] + x[2] - c) + f);
        PUT(zdot, o) = N(bend_by)(mark, negative, t[0] + t[1] + t[2]);
    }
}

INLINE void N(stem_weights_of)(in_t windows, int channels, const struct meta_map *m, in_t zbar,
                               marks_t marks, float negative, sums_t sums)
{
    V sum[27], all = { 0 };
    size_t end = (size_t)m->oh * m->ow * LANES;
#pragma GCC unroll 27
    for (int k = 0; k < 27; k++) sum[k] = (V){ 0 };
    for (size_t o = 0; o < end; o += LANES, windows += 16 * channels) {
        I mark = N(read_mark)(marks + o), corner = N(corner)(mark);
        V t = N(bend_by)(mark, negative, AT(zbar, o));
        all += t;
#pragma GCC unroll 9
        for (int k = 0; k < 9; k++) {
            I at = corner + (k / 3 * 4 + k % 3);
            sum[k] += t * N(look_up)(windows, at);
            if (channels > 1) sum[9 + k] += t * N(look_up)(windows + 16, at);
            if (channels > 2) sum[18 + k] += t * N(look_up)(windows + 32, at);
        }
    }
    for (int k = 0; k < 9 * channels; k++)
        for (int i = 0; i < LANES; i++) sums[k * LANES + i] += sum[k][i];
    for (int i = 0; i < LANES; i++) sums[9 * channels * LANES + i] += all[i];
}

#if LANES == 8 && defined __AVX2__ && !defined __AVX512VL__
#define MASKED_STEM 1
/* What one channel gives: a pixel of the window times the adjoint in the lanes whose winner sees it
   with this tap, and 0 in the others. A lookup takes three instructions of AVX2, on one port. */
INLINE void N(stem_weights_masked)(in_t windows, int channels, const struct meta_map *m, in_t zbar,
                                   marks_t marks, float negative, sums_t sums)
{
    V sum[9];
    size_t end = (size_t)m->oh * m->ow * LANES;
#pragma GCC unroll 9
    for (int k = 0; k < 9; k++) sum[k] = (V){ 0 };
    for (size_t o = 0; o < end; o += LANES, windows += 16 * channels) {
        I mark = N(read_mark)(marks + o);
        V t = N(bend_by)(mark, negative, AT(zbar, o)), of[4];
#pragma GCC unroll 4
        for (int p = 0; p < 4; p++) of[p] = N(reach)(mark, p, t);
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++) {
            V pixel = FILL(windows[i]);
#pragma GCC unroll 4
            for (int p = 0; p < 4; p++) {
                int y = i / 4 - p / 2, x = i % 4 - p % 2;
                if (y >= 0 && y < 3 && x >= 0 && x < 3) sum[y * 3 + x] += of[p] * pixel;
            }
        }
    }
    for (int k = 0; k < 9; k++)
        for (int i = 0; i < LANES; i++) sums[k * LANES + i] += sum[k][i];
}
#endif

/* One, two and three channels have a loop each, so that the compiler knows how many sums there
   are. */
static void N(stem_weights)(in_t windows, int channels, const struct meta_map *m, in_t zbar,
                            marks_t marks, constants_t k, sums_t sums)
{
#ifdef MASKED_STEM
    V all = { 0 };
    for (size_t o = 0; o < (size_t)m->oh * m->ow * LANES; o += LANES)
        all += N(bend_by)(N(read_mark)(marks + o), k->negative, AT(zbar, o));
    for (int n = 0; n < channels; n++) N(stem_weights_masked)
    (windows + n * 16, channels, m, zbar, marks, k->negative, sums + n * 9 * LANES);
    for (int i = 0; i < LANES; i++) sums[9 * channels * LANES + i] += all[i];
#else
    if (channels == 3) N(stem_weights_of)(windows, 3, m, zbar, marks, k->negative, sums);
    else if (channels == 2) N(stem_weights_of)(windows, 2, m, zbar, marks, k->negative, sums);
    else N(stem_weights_of)(windows, 1, m, zbar, marks, k->negative, sums);
#endif
}
#undef MASKED_STEM
