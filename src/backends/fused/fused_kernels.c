/* The sweeps of one instruction set: compiled with -DISA=base, avx2 or avx512. Sums run in
   floats over a strip of pixels, and in doubles over strips. */
#include "fused_kernels.h"

#include <string.h>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#define STRIP 64 /* pixels */

/* No vector crosses a call, as all functions that take or return one are inlined: how calls
   would pass it in other instruction sets, of which this warns, does not matter. */
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

typedef const float *restrict in_t;
typedef float *restrict out_t;
typedef const float *from_t; /* an over_t may write here, each pixel after its last reading */
typedef float *over_t;
typedef double *restrict sums_t;
typedef const uint8_t *restrict marks_t;
typedef const struct meta_constants *constants_t;

/* The four pixels of one output of a pool: where the upper left one lies, and how far away its
   neighbours lie. Where the map ends, a pixel stands for its absent neighbour, which then never
   wins. */
struct window {
    size_t at, right, under;
};

#define LANES 8
#include "fused_body.h"
#undef LANES
#define LANES 16
#include "fused_body.h"

/* Eight doubles in vectors that the instruction set has: GCC 12 does not divide wider ones well. */
#ifdef __AVX512F__
#define PART 8
#elif defined __AVX2__
#define PART 4
#else
#define PART 2
#endif
#define PARTS (8 / PART)

static void lag_products(const double *restrict p, const double *restrict q, int rows,
                         size_t stride, int n, double out[5])
{
    typedef double D __attribute__((vector_size(8 * PART), aligned(8), may_alias));
    D sum[5][PARTS];
    for (int l = 0; l < 5; l++)
        for (int k = 0; k < PARTS; k++) sum[l][k] = (D){ 0 };
    for (int r = 0; r < rows; r++, p += stride, q += stride)
        for (int x = 0; x < n; x += 8)
#pragma GCC unroll 4
            for (int k = 0; k < PARTS; k++) {
                D a = *(const D *)(p + x + k * PART);
#pragma GCC unroll 5
                for (int l = 0; l < 5; l++) sum[l][k] += a * *(const D *)(q + x + k * PART + l);
            }
    for (int l = 0; l < 5; l++)
        for (int i = 0; i < 8; i++) out[l] += sum[l][i / PART][i % PART];
}

typedef float EIGHT __attribute__((vector_size(32), aligned(4), may_alias));
typedef double EIGHT_DOUBLES __attribute__((vector_size(64), aligned(8), may_alias));
#define EIGHT_AT(p) (*(EIGHT *)(p))

INLINE void mix_of(from_t from, int inputs, const struct meta_mix *m, from_t weights, int adding,
                   out_t to)
{
    size_t P = m->pixels;
    for (int o = 0; o < m->outputs; o++, to += P, weights += inputs) {
        size_t p = 0;
        for (; p + 8 <= P; p += 8) {
            EIGHT sum = adding ? EIGHT_AT(to + p) : (EIGHT){ 0 };
#pragma GCC unroll 3
            for (int i = 0; i < inputs; i++) sum += weights[i] * EIGHT_AT(from + i * P + p);
            EIGHT_AT(to + p) = sum;
        }
        for (; p < P; p++) {
            float sum = adding ? to[p] : 0;
            for (int i = 0; i < inputs; i++) sum += weights[i] * from[i * P + p];
            to[p] = sum;
        }
    }
}

static void mix(from_t from, const struct meta_mix *m, from_t weights, int adding, over_t to)
{
    if (m->inputs == 3) mix_of(from, 3, m, weights, adding, to);
    else if (m->inputs == 2) mix_of(from, 2, m, weights, adding, to);
    else mix_of(from, 1, m, weights, adding, to);
}

/* What one plane of y gives. */
INLINE void mix_weights_of(from_t x, int inputs, from_t y, size_t P, sums_t sums)
{
    for (size_t first = 0, end; first < P; first = end) {
        EIGHT sum[3] = { { 0 }, { 0 }, { 0 } };
        size_t p = first;
        end = first + 8 * STRIP < P ? first + 8 * STRIP : P;
        for (; p + 8 <= end; p += 8)
#pragma GCC unroll 3
            for (int i = 0; i < inputs; i++) sum[i] += EIGHT_AT(y + p) * EIGHT_AT(x + i * P + p);
        for (int i = 0; i < inputs; i++) {
            EIGHT_DOUBLES all = __builtin_convertvector(sum[i], EIGHT_DOUBLES);
            for (size_t q = p; q < end; q++) sums[i] += (double)y[q] * x[i * P + q];
            for (int k = 0; k < 8; k++) sums[i] += all[k];
        }
    }
}

static void mix_weights(from_t x, from_t y, const struct meta_mix *m, sums_t sums)
{
    size_t P = m->pixels;
    for (int o = 0; o < m->outputs; o++, y += P, sums += m->inputs)
        if (m->inputs == 3) mix_weights_of(x, 3, y, P, sums);
        else if (m->inputs == 2) mix_weights_of(x, 2, y, P, sums);
        else mix_weights_of(x, 1, y, P, sums);
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define SET(lanes)                                                                                 \
    {                                                                                              \
        .moments = moments##lanes, .products = products##lanes, .slopes = slopes##lanes,           \
        .slopes_pool = slopes_pool##lanes, .slope_tangents = slope_tangents##lanes,                \
        .slope_tangents_pool = slope_tangents_pool##lanes, .forward = forward##lanes,              \
        .forward_pool = forward_pool##lanes, .backward = backward##lanes,                          \
        .backward_pool = backward_pool##lanes, .tangent = tangent##lanes,                          \
        .tangent_pool = tangent_pool##lanes, .backward_tangent = backward_tangent##lanes,          \
        .backward_tangent_pool = backward_tangent_pool##lanes, .join = join##lanes,                \
        .join_tangent = join_tangent##lanes, .part = part##lanes, .stem = stem##lanes,             \
        .stem_tangent = stem_tangent##lanes, .stem_weights = stem_weights##lanes,                  \
        .widen = widen##lanes, .narrow = narrow##lanes, .narrow_weights = narrow_weights##lanes    \
    }

const struct meta_fused_set JOIN(meta_fused_, ISA) = { .name = TEXT(ISA),
                                                       .lanes8 = SET(8),
                                                       .lanes16 = SET(16),
                                                       .lag_products = lag_products,
                                                       .mix = mix,
                                                       .mix_weights = mix_weights,
                                                       .adam = JOIN(meta_fused_adam_, ISA) };
