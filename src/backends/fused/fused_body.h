/* The sweeps for blocks of LANES channels; fused_kernels.c includes this file once for 8 and
   once for 16. One vector is one pixel. */
#define NAME_(name, lanes) name##lanes
#define NAME__(name, lanes) NAME_(name, lanes)
#define N(name) NAME__(name, LANES)

typedef float N(V) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef double N(D) __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef int32_t N(I) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint8_t N(W) __attribute__((vector_size(LANES), aligned(1), may_alias));
#define V N(V)
#define D N(D)
#define I N(I)
#define W N(W)

#define AT(p, i) (*(const V *)((p) + (i)))
#define PUT(p, i) (*(V *)((p) + (i)))
#define ROW(p) (*(const V *)(p))
/* Taking 0 off is exact for zeros of either sign, so that the compiler leaves it out; adding 0 is
   not, and it stays. */
#define FILL(f) ((f) - (V){ 0 })

INLINE V N(select)(I mask, V a, V b) { return (V)(((I)a & mask) | ((I)b & ~mask)); }

/* Lane i is lane which[i] of a and, behind it, b. clang has no word for lanes that are chosen at
   run time. */
INLINE V N(shuffle)(V a, V b, I which)
{
#if __has_builtin(__builtin_shuffle)
    return __builtin_shuffle(a, b, which);
#else
    V out;
    for (int i = 0; i < LANES; i++) {
        int lane = which[i] & (2 * LANES - 1);
        out[i] = lane < LANES ? a[lane] : b[lane - LANES];
    }
    return out;
#endif
}

/* Stores numbers of 0 to 255 as bytes. Of eight, four lie in either half of a vector, and GCC 12
   moves each through a register of its own unless it is told how they are put side by side. */
INLINE void N(put_bytes)(uint8_t *to, I x)
{
#if LANES == 8 && __has_builtin(__builtin_shuffle) && defined __AVX2__ && !defined __AVX512VL__
    typedef uint8_t bytes_t __attribute__((vector_size(32), may_alias));
    typedef uint32_t words_t __attribute__((vector_size(32), may_alias));
    const bytes_t first = { 0,  4,  8,  12, 0,  4,  8,  12, 0,  4,  8,  12, 0,  4,  8,  12,
                            16, 20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28, 16, 20, 24, 28 };
    words_t halves = (words_t)__builtin_shuffle((bytes_t)x, first);
    uint32_t both[2] = { halves[0], halves[4] };
    memcpy(to, both, sizeof both);
#else
    *(W *)to = __builtin_convertvector(x, W);
#endif
}

/* Bytes as numbers. GCC 12 moves eight of them one by one. */
INLINE I N(take_bytes)(const uint8_t *from)
{
#if LANES == 8 && defined __AVX2__
    return (I)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)from));
#else
    return __builtin_convertvector(*(const W *)from, I);
#endif
}

/* t where y > 0, else negative t: of y itself this is z, of an adjoint or a tangent t it is
   z'(y) t. */
INLINE V N(bend)(V y, float negative, V t)
{
    return N(select)(y > (V){ 0 }, t, FILL(negative) * t);
}

/* ---- sums ------------------------------------------------------------------------------------ */

/* Two sums, or what one pixel gives to them. */
typedef struct {
    V first, second;
} N(Pair);
#define Pair N(Pair)

INLINE void N(add)(Pair *sum, Pair more)
{
    sum->first += more.first;
    sum->second += more.second;
}

INLINE void N(flush)(Pair sum, sums_t sums)
{
    *(D *)sums += __builtin_convertvector(sum.first, D);
    *(D *)(sums + LANES) += __builtin_convertvector(sum.second, D);
}

/* What the terms of a sum are made of. */
typedef struct {
    const float *x, *xdot, *zbar, *zbardot;
    const uint8_t *marks;
    V gain, centre, shift, r, p, q, s;
    float negative;
} N(Source);
#define Source N(Source)

/* `term` gives what the pixel at offset i adds. Two pixels are summed side by side, so that
   additions overlap. */
typedef Pair N(PixelTerm)(const Source *, size_t i);
#define PixelTerm N(PixelTerm)

INLINE void N(sum_pixels)(PixelTerm *term, const Source *from, size_t pixels, sums_t sums)
{
    for (size_t first = 0; first < pixels; first += STRIP) {
        size_t end = first + STRIP < pixels ? first + STRIP : pixels, n = first;
        Pair even = { { 0 }, { 0 } }, odd = { { 0 }, { 0 } };
        for (; n + 1 < end; n += 2) {
            N(add)(&even, term(from, n * LANES));
            N(add)(&odd, term(from, (n + 1) * LANES));
        }
        if (n < end) N(add)(&even, term(from, n * LANES));
        N(add)(&even, odd);
        N(flush)(even, sums);
    }
}

INLINE Pair N(moment)(const Source *from, size_t i)
{
    V d = AT(from->x, i) - from->centre;
    return (Pair){ d, d * d };
}

static void N(moments)(in_t x, size_t pixels, constants_t k, sums_t sums)
{
    Source from = { .x = x, .centre = ROW(k->centre) };
    N(sum_pixels)(N(moment), &from, pixels, sums);
}

INLINE Pair N(product)(const Source *from, size_t i)
{
    V d = AT(from->x, i) - from->centre, t = AT(from->zbar, i);
    return (Pair){ t, t * d };
}

static void N(products)(in_t t, in_t x, size_t pixels, constants_t k, sums_t sums)
{
    Source from = { .zbar = t, .x = x, .centre = ROW(k->centre) };
    N(sum_pixels)(N(product), &from, pixels, sums);
}

INLINE Pair N(slope)(const Source *from, size_t i)
{
    V d = AT(from->x, i) - from->centre;
    V ybar = N(bend)(from->gain * d + from->shift, from->negative, AT(from->zbar, i));
    return (Pair){ ybar, ybar * d };
}

static void N(slopes)(in_t zbar, in_t x, size_t pixels, constants_t k, sums_t sums)
{
    Source from = { .zbar = zbar,
                    .x = x,
                    .gain = ROW(k->gain),
                    .centre = ROW(k->centre),
                    .shift = ROW(k->shift),
                    .negative = k->negative };
    N(sum_pixels)(N(slope), &from, pixels, sums);
}

/* r ybardot (x - centre) + ybar hatdot, before the slope of z is multiplied in. */
INLINE V N(hat_term)(const Source *from, V zbar, V zbardot, V d, V xdot)
{
    return from->r * zbardot * d + zbar * (from->p * xdot + from->q + from->s * d);
}

INLINE Pair N(slope_tangent)(const Source *from, size_t i)
{
    V d = AT(from->x, i) - from->centre, y = from->gain * d + from->shift;
    V term = N(hat_term)(from, AT(from->zbar, i), AT(from->zbardot, i), d, AT(from->xdot, i));
    return (Pair){ N(bend)(y, from->negative, AT(from->zbardot, i)),
                   N(bend)(y, from->negative, term) };
}

static void N(slope_tangents)(in_t zbar, in_t zbardot, in_t x, in_t xdot, size_t pixels,
                              constants_t k, sums_t sums)
{
    Source from = { .x = x,
                    .xdot = xdot,
                    .zbar = zbar,
                    .zbardot = zbardot,
                    .gain = ROW(k->gain),
                    .centre = ROW(k->centre),
                    .shift = ROW(k->shift),
                    .negative = k->negative,
                    .r = ROW(k->r),
                    .p = ROW(k->p),
                    .q = ROW(k->q),
                    .s = ROW(k->s) };
    N(sum_pixels)(N(slope_tangent), &from, pixels, sums);
}

/* ---- without a pool: pixel by pixel ---------------------------------------------------------- */

static void N(forward)(in_t x, size_t pixels, constants_t k, out_t z)
{
    V g = ROW(k->gain), c = ROW(k->centre), s = ROW(k->shift);
    float negative = k->negative;
    for (size_t i = 0; i < pixels * LANES; i += LANES) {
        V y = g * (AT(x, i) - c) + s;
        PUT(z, i) = N(bend)(y, negative, y);
    }
}

static void N(backward)(from_t x, in_t zbar, size_t pixels, constants_t k, over_t xbar)
{
    V g = ROW(k->gain), c = ROW(k->centre), s = ROW(k->shift), a = ROW(k->a), b = ROW(k->b);
    float negative = k->negative;
    for (size_t i = 0; i < pixels * LANES; i += LANES) {
        V d = AT(x, i) - c, t = AT(zbar, i);
        PUT(xbar, i) = a + b * d + g * N(bend)(g * d + s, negative, t);
    }
}

static void N(tangent)(in_t x, in_t xdot, size_t pixels, constants_t k, out_t z, out_t zdot)
{
    V g = ROW(k->gain), c = ROW(k->centre), f = ROW(k->shift);
    V p = ROW(k->p), q = ROW(k->q), s = ROW(k->s);
    float negative = k->negative;
    for (size_t i = 0; i < pixels * LANES; i += LANES) {
        V d = AT(x, i) - c, y = g * d + f, t = p * AT(xdot, i) + q + s * d;
        PUT(z, i) = N(bend)(y, negative, y);
        PUT(zdot, i) = N(bend)(y, negative, t);
    }
}

static void N(backward_tangent)(in_t x, from_t xdot, in_t zbar, in_t zbardot, size_t pixels,
                                constants_t k, over_t xbardot)
{
    V g = ROW(k->gain), c = ROW(k->centre), s = ROW(k->shift);
    V a = ROW(k->a), b = ROW(k->b), d = ROW(k->d), u = ROW(k->u), v = ROW(k->v);
    float negative = k->negative;
    for (size_t i = 0; i < pixels * LANES; i += LANES) {
        V e = AT(x, i) - c, t = u * AT(zbardot, i) + v * AT(zbar, i);
        PUT(xbardot, i) = a + b * e + d * AT(xdot, i) + N(bend)(g * e + s, negative, t);
    }
}

/* ---- shortcuts ------------------------------------------------------------------------------- */

/* t where the mark is set, else negative t */
INLINE V N(bend_by_mark)(const uint8_t *mark, float negative, V t)
{
    I set = N(take_bytes)(mark) != (I){ 0 };
    return N(select)(set, t, FILL(negative) * t);
}

static void N(join)(in_t here, in_t from, size_t pixels, const struct meta_join *j, out_t z,
                    uint8_t *restrict marks)
{
    float alpha = j->alpha, beta = j->beta, negative = j->negative;
    for (size_t i = 0; i < pixels * LANES; i += LANES) {
        V u = FILL(alpha) * AT(here, i) + FILL(beta) * AT(from, i);
        PUT(z, i) = N(bend)(u, negative, u);
        N(put_bytes)(marks + i, (u > (V){ 0 }) & 1);
    }
}

static void N(join_tangent)(in_t heredot, in_t fromdot, marks_t marks, size_t pixels,
                            const struct meta_join *j, out_t zdot)
{
    float alpha = j->alpha, beta = j->beta, negative = j->negative;
    if (heredot && fromdot) {
        for (size_t i = 0; i < pixels * LANES; i += LANES) {
            V t = FILL(alpha) * AT(heredot, i) + FILL(beta) * AT(fromdot, i);
            PUT(zdot, i) = N(bend_by_mark)(marks + i, negative, t);
        }
    } else {
        in_t only = heredot ? heredot : fromdot;
        float factor = heredot ? alpha : beta;
        for (size_t i = 0; i < pixels * LANES; i += LANES)
            PUT(zdot, i) = N(bend_by_mark)(marks + i, negative, FILL(factor) * AT(only, i));
    }
}

static void N(part)(in_t zbar, marks_t marks, size_t pixels, const struct meta_join *j,
                    out_t herebar, out_t frombar)
{
    float alpha = j->alpha, beta = j->beta, negative = j->negative;
    if (herebar && frombar) {
        for (size_t i = 0; i < pixels * LANES; i += LANES) {
            V t = N(bend_by_mark)(marks + i, negative, AT(zbar, i));
            PUT(herebar, i) = FILL(alpha) * t;
            PUT(frombar, i) = FILL(beta) * t;
        }
    } else {
        out_t only = herebar ? herebar : frombar;
        float factor = herebar ? alpha : beta;
        for (size_t i = 0; i < pixels * LANES; i += LANES)
            PUT(only, i) = FILL(factor) * N(bend_by_mark)(marks + i, negative, AT(zbar, i));
    }
}

#include "fused_narrow_body.h"
#include "fused_pool_body.h"
#include "fused_stem_body.h"

#undef V
#undef D
#undef I
#undef W
#undef Pair
#undef Source
#undef Spread
#undef PixelTerm
#undef WindowTerm
#undef AT
#undef PUT
#undef ROW
#undef FILL
#undef N
#undef NAME_
#undef NAME__
