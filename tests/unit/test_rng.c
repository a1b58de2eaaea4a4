/* Random numbers: fixed vectors (a checkpoint's future depends on them), streams that never meet, and distributions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rng.h"

/* From an implementation of Salmon et al. (SC11) in Python's whole numbers, which gives Random123's published
   known answers for philox4x64-10. */
static void fixed_vectors(void **state)
{
    static const struct { uint64_t seed; enum meta_use use; uint64_t iteration; uint32_t task, item, words[16]; int count; } cases[] = {
        { 0, META_USE_WEIGHTS, 0, 0, 0, { 0x05f0b111, 0x9c6b2709, 0xc22fba4e, 0xdee74de5,
                                          0xfae091f8, 0x0fbe587a, 0xbd272f76, 0xd5ad8fe3 }, 8 },
        { 1, META_USE_EPISODE, 1, 0, 0, { 0x7b2da739, 0xe16c0afe, 0x95863662, 0x72439cdb,
                                          0x0a2fedf5, 0xc366bbf0, 0x0b28dd25, 0x6e475791 }, 8 },
        { 0x0123456789abcdef, META_USE_AUGMENT, 0xfedcba9876543210, 0x89abcdef, 0x76543210,
          { 0x7074c93a, 0xdae4439d, 0xac96add0, 0x8f0cc95b, 0x288789cc, 0xa070f52b, 0x6a01c5d0, 0x19251225,
            0x0f641a00, 0x353fd063, 0xd0832ade, 0x7026bc36, 0x6e3c175f, 0x965afd69, 0xd5e4360b, 0x2d574b19 }, 16 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct meta_rng r = meta_rng_open(cases[i].seed, cases[i].use, cases[i].iteration, cases[i].task, cases[i].item);
        for (int k = 0; k < cases[i].count; k++) assert_int_equal(meta_rng_word(&r), cases[i].words[k]);
    }
}

static void fixed_draws(void **state)
{
    struct meta_rng r = meta_rng_open(7, META_USE_CHECK, 3, 1, 2);
    int order[6] = { 0, 1, 2, 3, 4, 5 };
    double uniform = meta_rng_uniform(&r), between = meta_rng_between(&r, -2, 6), normal = meta_rng_normal(&r);
    uint32_t below = meta_rng_below(&r, 1000);
    meta_rng_shuffle(&r, order, 6);
    assert_true(uniform == 0x1.d7fef0384058ep-2 && between == 0x1.3ba3630c968c2p+1);
    assert_true(fabs(normal - .2434997108577516) < 1e-12);        /* through the C library's log and cos */
    assert_int_equal(below, 751);
    const int expected[6] = { 3, 5, 1, 2, 0, 4 };
    for (int i = 0; i < 6; i++) assert_int_equal(order[i], expected[i]);
}

/* A change of any one bit of the key changes the stream. */
static void every_bit_matters(void **state)
{
    for (int bit = 0; bit < 64 * 2 + 32 * 2; bit++) {
        uint64_t seed = 5, iteration = 9;
        uint32_t task = 3, item = 4;
        struct meta_rng a = meta_rng_open(seed, META_USE_AUGMENT, iteration, task, item);
        if (bit < 64) seed ^= 1ull << bit;
        else if (bit < 128) iteration ^= 1ull << (bit - 64);
        else if (bit < 160) task ^= 1u << (bit - 128);
        else item ^= 1u << (bit - 160);
        struct meta_rng b = meta_rng_open(seed, META_USE_AUGMENT, iteration, task, item);
        int same = 0;
        for (int i = 0; i < 8; i++) same += meta_rng_word(&a) == meta_rng_word(&b);
        assert_in_range(same, 0, 1);
    }
    struct meta_rng a = meta_rng_open(5, META_USE_AUGMENT, 9, 3, 4), b = meta_rng_open(5, META_USE_EPISODE, 9, 3, 4);
    assert_int_not_equal(meta_rng_word(&a), meta_rng_word(&b));
}

/* Chi-square of counts that should be equal, in standard deviations from its mean. */
static double chi(const int *counts, int n, double expected)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return (sum - (n - 1)) / sqrt(2. * (n - 1));
}

static void distributions(void **state)
{
    enum { N = 700000 };
    struct meta_rng r = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    double sum = 0, squares = 0;
    int sevens[7] = { 0 }, cells[64] = { 0 }, places[16] = { 0 };
    for (int i = 0; i < N; i++) {
        double u = meta_rng_uniform(&r), x = meta_rng_normal(&r), b = meta_rng_between(&r, -3, -1);
        assert_true(u >= 0 && u < 1 && b >= -3 && b < -1 && isfinite(x));
        sum += x;
        squares += x * x;
        cells[(int)(u * 64)]++;
        sevens[meta_rng_below(&r, 7)]++;
    }
    assert_true(fabs(chi(cells, 64, N / 64.)) < 5 && fabs(chi(sevens, 7, N / 7.)) < 5);
    assert_true(fabs(sum / N) < 5 / sqrt(N) && fabs(squares / N - 1) < 5 * sqrt(2. / N));
    for (int i = 0; i < 40000; i++) {
        int order[4] = { 0, 1, 2, 3 };
        meta_rng_shuffle(&r, order, 4);
        for (int k = 0; k < 4; k++) places[4 * k + order[k]]++;
    }
    assert_true(fabs(chi(places, 16, 10000)) < 5);
}

/* Where 2^32 is far from a multiple of n, a plain remainder or product would show. */
static void no_bias(void **state)
{
    struct meta_rng r = meta_rng_open(2, META_USE_CHECK, 0, 0, 0);
    int thirds[3] = { 0 };
    for (int i = 0; i < 300000; i++) {
        uint32_t x = meta_rng_below(&r, 3u << 30);
        assert_true(x < 3u << 30);
        thirds[x % 3]++;
    }
    assert_true(fabs(chi(thirds, 3, 100000)) < 5);
    for (int i = 0; i < 100; i++) assert_int_equal(meta_rng_below(&r, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_vectors), cmocka_unit_test(fixed_draws), cmocka_unit_test(every_bit_matters),
        cmocka_unit_test(distributions), cmocka_unit_test(no_bias),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
