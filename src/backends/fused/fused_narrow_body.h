/* The sweeps of 1x1 convolutions between blocks of LANES channels and one to three planar channels;
   fused_body.h includes this file. */

INLINE void N(widen_of)(in_t planes, int count, const struct meta_narrow *m, in_t weights,
                        int adding, out_t blocks)
{
    for (int n = 0; n < m->blocks; n++, weights += count * LANES) {
        out_t to = blocks + n * m->pixels * LANES;
        for (size_t p = 0; p < m->pixels; p++) {
            V sum = adding ? AT(to, p * LANES) : (V){ 0 };
#pragma GCC unroll 3
            for (int k = 0; k < count; k++)
                sum += AT(weights, k * LANES) * FILL(planes[k * m->pixels + p]);
            PUT(to, p * LANES) = sum;
        }
    }
}

/* One, two and three planes have a loop each, so that the compiler keeps the weights in registers.
 */
static void N(widen)(in_t planes, const struct meta_narrow *m, in_t weights, int adding,
                     out_t blocks)
{
    if (m->planes == 3) N(widen_of)(planes, 3, m, weights, adding, blocks);
    else if (m->planes == 2) N(widen_of)(planes, 2, m, weights, adding, blocks);
    else N(widen_of)(planes, 1, m, weights, adding, blocks);
}

/* Lane k of the result is the sum of the lanes of x[k]. Each round adds neighbouring lanes of all
   vectors and puts what two give side by side into one. */
INLINE V N(sums_of_lanes)(V x[LANES])
{
#if LANES == 16
    const I even = { 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30 };
#else
    const I even = { 0, 2, 4, 6, 8, 10, 12, 14 };
#endif
#pragma GCC unroll 4
    for (int left = LANES / 2; left; left /= 2)
#pragma GCC unroll 8
        for (int k = 0; k < left; k++)
            x[k] = N(shuffle)(x[2 * k], x[2 * k + 1], even)
                + N(shuffle)(x[2 * k], x[2 * k + 1], even + 1);
    return x[0];
}

static void N(narrow)(in_t blocks, const struct meta_narrow *m, in_t weights, int adding,
                      out_t planes)
{
    size_t P = m->pixels, p = 0;
    int count = m->planes;
    for (; p + LANES <= P; p += LANES)
        for (int k = 0; k < count; k++) {
            V sum[LANES];
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++) sum[i] = (V){ 0 };
            for (int n = 0; n < m->blocks; n++) {
                V w = AT(weights, (n * count + k) * LANES);
#pragma GCC unroll 16
                for (int i = 0; i < LANES; i++) sum[i] += w * AT(blocks, (n * P + p + i) * LANES);
            }
            V before = adding ? AT(planes, k * P + p) : (V){ 0 };
            PUT(planes, k * P + p) = before + N(sums_of_lanes)(sum);
        }
    for (; p < P; p++)
        for (int k = 0; k < count; k++) {
            V sum = { 0 };
            float all = adding ? planes[k * P + p] : 0;
            for (int n = 0; n < m->blocks; n++)
                sum += AT(weights, (n * count + k) * LANES) * AT(blocks, (n * P + p) * LANES);
            for (int i = 0; i < LANES; i++) all += sum[i];
            planes[k * P + p] = all;
        }
}

INLINE void N(narrow_weights_of)(in_t blocks, in_t planes, int count, const struct meta_narrow *m,
                                 sums_t sums)
{
    size_t P = m->pixels;
    for (int n = 0; n < m->blocks; n++, blocks += P * LANES, sums += count * LANES)
        for (size_t first = 0; first < P; first += STRIP) {
            size_t end = first + STRIP < P ? first + STRIP : P, p = first;
            V sum[2][3] = { { { 0 }, { 0 }, { 0 } }, { { 0 }, { 0 }, { 0 } } };
            for (; p + 2 <= end; p += 2)
#pragma GCC unroll 6
                for (int i = 0; i < 2 * count; i++)
                    sum[i % 2][i / 2] += AT(blocks, (p + i % 2) * LANES)
                        * FILL(planes[i / 2 * P + p + i % 2]);
#pragma GCC unroll 3
            for (int k = 0; k < count; k++) {
                if (p < end) sum[0][k] += AT(blocks, p * LANES) * FILL(planes[k * P + p]);
                *(D *)(sums + k * LANES) += __builtin_convertvector(sum[0][k] + sum[1][k], D);
            }
        }
}

static void N(narrow_weights)(in_t blocks, in_t planes, const struct meta_narrow *m, sums_t sums)
{
    if (m->planes == 3) N(narrow_weights_of)(blocks, planes, 3, m, sums);
    else if (m->planes == 2) N(narrow_weights_of)(blocks, planes, 2, m, sums);
    else N(narrow_weights_of)(blocks, planes, 1, m, sums);
}
