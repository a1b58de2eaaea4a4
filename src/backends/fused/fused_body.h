/* The sweeps for blocks of LANES channels: included by fused_kernels.c once for 8 and once for 16. One vector is one pixel. */
#define NAME_(name, lanes) name##lanes
#define NAME__(name, lanes) NAME_(name, lanes)
#define N(name) NAME__(name, LANES)

typedef float   N(V) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t N(I) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint8_t N(W) __attribute__((vector_size(LANES), aligned(1), may_alias));
#define V N(V)
#define I N(I)
#define W N(W)

#define AT(p, i) (*(const V *)((p) + (i)))
#define PUT(p, i) (*(V *)((p) + (i)))
#define ROW(p) (*(const V *)(p))
#define SELECT(mask, a, b) ((V)(((I)(a) & (mask)) | ((I)(b) & ~(mask))))
#define FILL(f) ((V){0} + (f))
/* z'(y), and t where y > 0, else negative t */
#define BY_SLOPE(y, t) SELECT((y) > (V){0}, (t), FILL(negative) * (t))

/* ---- sums: two pixels at a time, so that additions overlap ------------------------------------------------------------ */

#define SUMS(first, second)                                                                     \
    for (size_t from = 0; from < pixels; from += STRIP) {                                       \
        size_t to = from + STRIP < pixels ? from + STRIP : pixels, n = from;                    \
        V one = {0}, two = {0}, one_more = {0}, two_more = {0};                                 \
        for (; n + 1 < to; n += 2) {                                                            \
            { size_t i = n * LANES; V d = AT(x, i) - ROW(centre); one += first; two += second; }                \
            { size_t i = (n + 1) * LANES; V d = AT(x, i) - ROW(centre); one_more += first; two_more += second; } \
        }                                                                                       \
        if (n < to) { size_t i = n * LANES; V d = AT(x, i) - ROW(centre); one += first; two += second; }        \
        one += one_more;                                                                        \
        two += two_more;                                                                        \
        for (int k = 0; k < LANES; k++) { sums[k] += one[k]; sums[LANES + k] += two[k]; }       \
    }

static void N(moments)(in_t x, size_t pixels, in_t centre, sums_t sums)
{
    SUMS(d, d * d)
}

static void N(products)(in_t t, in_t x, size_t pixels, in_t centre, sums_t sums)
{
    SUMS(AT(t, i), AT(t, i) * d)
}

static void N(slopes)(in_t zbar, in_t x, size_t pixels, in_t gain, in_t centre, in_t shift, float negative, sums_t sums)
{
    V g = ROW(gain), s = ROW(shift);
    SUMS(BY_SLOPE(g * d + s, AT(zbar, i)), BY_SLOPE(g * d + s, AT(zbar, i)) * d)
}

static void N(slope_tangents)(in_t zbar, in_t zbardot, in_t x, in_t xdot, size_t pixels, in_t gain, in_t centre, in_t shift,
                              float negative, in_t r, in_t p, in_t q, in_t s, sums_t sums)
{
    V g = ROW(gain), f = ROW(shift), vr = ROW(r), vp = ROW(p), vq = ROW(q), vs = ROW(s);
    SUMS(BY_SLOPE(g * d + f, AT(zbardot, i)),
         BY_SLOPE(g * d + f, vr * AT(zbardot, i) * d + AT(zbar, i) * (vp * AT(xdot, i) + vq + vs * d)))
}

/* ---- without a pool: pixel by pixel ------------------------------------------------------------------------------------- */

#define PIXELS for (size_t i = 0; i < pixels * LANES; i += LANES)

static void N(forward)(in_t x, size_t pixels, in_t gain, in_t centre, in_t shift, float negative, out_t z)
{
    V g = ROW(gain), m = ROW(centre), s = ROW(shift);
    PIXELS {
        V y = g * (AT(x, i) - m) + s;
        PUT(z, i) = BY_SLOPE(y, y);
    }
}

static void N(backward)(from_t x, in_t zbar, size_t pixels, in_t gain, in_t centre, in_t shift, float negative, in_t a, in_t b,
                        over_t xbar)
{
    V g = ROW(gain), m = ROW(centre), s = ROW(shift), va = ROW(a), vb = ROW(b);
    PIXELS {
        V d = AT(x, i) - m, t = AT(zbar, i);
        PUT(xbar, i) = va + vb * d + g * BY_SLOPE(g * d + s, t);
    }
}

static void N(tangent)(in_t x, in_t xdot, size_t pixels, in_t gain, in_t centre, in_t shift, float negative,
                       in_t p, in_t q, in_t s, out_t z, out_t zdot)
{
    V g = ROW(gain), m = ROW(centre), f = ROW(shift), vp = ROW(p), vq = ROW(q), vs = ROW(s);
    PIXELS {
        V d = AT(x, i) - m, y = g * d + f, t = vp * AT(xdot, i) + vq + vs * d;
        PUT(z, i) = BY_SLOPE(y, y);
        PUT(zdot, i) = BY_SLOPE(y, t);
    }
}

static void N(backward_tangent)(in_t x, from_t xdot, in_t zbar, in_t zbardot, size_t pixels, in_t gain, in_t centre, in_t shift,
                                float negative, in_t a, in_t b, in_t d, in_t u, in_t v, over_t xbardot)
{
    V g = ROW(gain), m = ROW(centre), s = ROW(shift), va = ROW(a), vb = ROW(b), vd = ROW(d), vu = ROW(u), vv = ROW(v);
    PIXELS {
        V e = AT(x, i) - m, t = vu * AT(zbardot, i) + vv * AT(zbar, i);
        PUT(xbardot, i) = va + vb * e + vd * AT(xdot, i) + BY_SLOPE(g * e + s, t);
    }
}

/* ---- shortcuts ------------------------------------------------------------------------------------------------------------------- */

#define MARKED(i, t) SELECT(__builtin_convertvector(*(const W *)(marks + (i)), I) != (I){0}, (t), FILL(negative) * (t))

static void N(join)(in_t here, in_t from, size_t pixels, float alpha, float beta, float negative, out_t z, uint8_t *restrict marks)
{
    PIXELS {
        V u = FILL(alpha) * AT(here, i) + FILL(beta) * AT(from, i);
        PUT(z, i) = BY_SLOPE(u, u);
        *(W *)(marks + i) = __builtin_convertvector((u > (V){0}) & 1, W);
    }
}

static void N(join_tangent)(in_t heredot, in_t fromdot, marks_t marks, size_t pixels, float alpha, float beta, float negative, out_t zdot)
{
    if (heredot && fromdot) PIXELS PUT(zdot, i) = MARKED(i, FILL(alpha) * AT(heredot, i) + FILL(beta) * AT(fromdot, i));
    else {
        in_t only = heredot ? heredot : fromdot;
        float factor = heredot ? alpha : beta;
        PIXELS PUT(zdot, i) = MARKED(i, FILL(factor) * AT(only, i));
    }
}

static void N(part)(in_t zbar, marks_t marks, size_t pixels, float alpha, float beta, float negative, out_t herebar, out_t frombar)
{
    if (herebar && frombar) PIXELS {
        V t = MARKED(i, AT(zbar, i));
        PUT(herebar, i) = FILL(alpha) * t;
        PUT(frombar, i) = FILL(beta) * t;
    }
    else {
        out_t only = herebar ? herebar : frombar;
        float factor = herebar ? alpha : beta;
        PIXELS PUT(only, i) = FILL(factor) * MARKED(i, AT(zbar, i));
    }
}

/* ---- with a 2x2/2 max-pool: window by window ------------------------------------------------------------------------ */

/* Offsets of the four pixels of window (i, j); where the map ends, a pixel stands for its absent neighbour, which then
   never wins. */
#define WINDOWS                                                                                       \
    size_t o = 0, row = (size_t)m->w * LANES;                                                         \
    for (int i = 0; i < m->oh; i++)                                                                   \
        for (int j = 0, below = 2 * i + 1 < m->h; j < m->ow; j++, o += LANES)                         \
            for (size_t at = 2 * i * row + 2 * (size_t)j * LANES, right = 2 * j + 1 < m->w ? LANES : 0, \
                        under = below ? row : 0, once = 1; once; once = 0)

/* Pixels that no window covers (odd sizes without padding). */
#define UNCOVERED                                                                                     \
    if (2 * m->oh < m->h || 2 * m->ow < m->w)                                                         \
        for (int i = 0; i < m->h; i++)                                                                \
            for (size_t j = i < 2 * m->oh ? 2 * m->ow : 0, at; j < (size_t)m->w && (at = (i * (size_t)m->w + j) * LANES, 1); j++)

/* Of a window's four pixels, the one whose y is the largest: z, and its mark. */
static inline __attribute__((always_inline)) void N(choose)(const V x[4], V g, V c, V s, float negative, out_t z, uint8_t *restrict marks)
{
    V v0 = g * (x[0] - c), v1 = g * (x[1] - c), v2 = g * (x[2] - c), v3 = g * (x[3] - c);
    I low_right = v1 > v0, high_right = v3 > v2;
    V low = SELECT(low_right, v1, v0), high = SELECT(high_right, v3, v2);
    I higher = high > low;
    V y = SELECT(higher, high, low) + s;
    PUT(z, 0) = BY_SLOPE(y, y);
    I which = (higher & (2 - high_right)) | (~higher & -low_right);      /* a true lane is -1 */
    *(W *)marks = __builtin_convertvector(which | ((y > (V){0}) & 4), W);
}

static void N(forward_pool)(in_t x, const struct meta_map *m, in_t gain, in_t centre, in_t shift, float negative,
                            out_t z, uint8_t *restrict marks)
{
    V g = ROW(gain), c = ROW(centre), s = ROW(shift);
    WINDOWS {
        V of[4] = { AT(x, at), AT(x, at + right), AT(x, at + under), AT(x, at + under + right) };
        N(choose)(of, g, c, s, negative, z + o, marks + o);
    }
}

/* What a window's mark says: its winner, z'(y), and that ybar (or what else of its adjoint) reaches the winner alone. */
#define READ_MARK I mark = __builtin_convertvector(*(const W *)(marks + o), I), won = mark & 3
#define BY_MARK(t) SELECT(mark > 3, (t), FILL(negative) * (t))
#define REACH(which, t) ((V)((I)(t) & (won == (which))))
#define OF_WINNER(p) SELECT(won > 1, SELECT(won == 3, AT(p, at + under + right), AT(p, at + under)), \
                                     SELECT(won == 1, AT(p, at + right), AT(p, at)))

/* Over the windows, as SUMS over pixels */
#define WINDOW_SUMS(first, second)                                                              \
    V one = {0}, two = {0};                                                                     \
    size_t held = 0, left = (size_t)m->oh * m->ow;                                              \
    WINDOWS {                                                                                   \
        READ_MARK;                                                                              \
        V d = OF_WINNER(x) - ROW(centre);                                                       \
        one += first;                                                                           \
        two += second;                                                                          \
        left--;                                                                                 \
        if (++held < STRIP && left) continue;                                                   \
        for (int k = 0; k < LANES; k++) { sums[k] += one[k]; sums[LANES + k] += two[k]; }       \
        one = two = (V){0};                                                                     \
        held = 0;                                                                               \
    }

static void N(slopes_pool)(in_t zbar, in_t x, marks_t marks, const struct meta_map *m, in_t centre, float negative, sums_t sums)
{
    WINDOW_SUMS(BY_MARK(AT(zbar, o)), BY_MARK(AT(zbar, o)) * d)
}

static void N(slope_tangents_pool)(in_t zbar, in_t zbardot, in_t x, in_t xdot, marks_t marks, const struct meta_map *m, in_t centre,
                                   float negative, in_t r, in_t p, in_t q, in_t s, sums_t sums)
{
    V vr = ROW(r), vp = ROW(p), vq = ROW(q), vs = ROW(s);
    WINDOW_SUMS(BY_MARK(AT(zbardot, o)), BY_MARK(vr * AT(zbardot, o) * d + AT(zbar, o) * (vp * OF_WINNER(xdot) + vq + vs * d)))
}

static void N(backward_pool)(from_t x, in_t zbar, marks_t marks, const struct meta_map *m, in_t gain, in_t centre, float negative,
                             in_t a, in_t b, over_t xbar)
{
    V g = ROW(gain), c = ROW(centre), va = ROW(a), vb = ROW(b);
    WINDOWS {
        READ_MARK;
        V t = BY_MARK(AT(zbar, o) * g);
        PUT(xbar, at) = va + vb * (AT(x, at) - c) + REACH(0, t);
        if (right) PUT(xbar, at + right) = va + vb * (AT(x, at + right) - c) + REACH(1, t);
        if (under) PUT(xbar, at + under) = va + vb * (AT(x, at + under) - c) + REACH(2, t);
        if (right && under) PUT(xbar, at + under + right) = va + vb * (AT(x, at + under + right) - c) + REACH(3, t);
    }
    UNCOVERED PUT(xbar, at) = va + vb * (AT(x, at) - c);
}

static void N(tangent_pool)(in_t x, in_t xdot, marks_t marks, const struct meta_map *m, in_t gain, in_t centre, in_t shift,
                            float negative, in_t p, in_t q, in_t s, out_t z, out_t zdot)
{
    V g = ROW(gain), c = ROW(centre), f = ROW(shift), vp = ROW(p), vq = ROW(q), vs = ROW(s);
    WINDOWS {
        READ_MARK;
        V d = OF_WINNER(x) - c;
        PUT(z, o) = BY_MARK(g * d + f);
        PUT(zdot, o) = BY_MARK(vp * OF_WINNER(xdot) + vq + vs * d);
    }
}

static void N(backward_tangent_pool)(in_t x, from_t xdot, in_t zbar, in_t zbardot, marks_t marks, const struct meta_map *m, in_t centre,
                                     float negative, in_t a, in_t b, in_t d, in_t u, in_t v, over_t xbardot)
{
    V c = ROW(centre), va = ROW(a), vb = ROW(b), vd = ROW(d), vu = ROW(u), vv = ROW(v);
#define EVERYWHERE(i) (va + vb * (AT(x, i) - c) + vd * AT(xdot, i))
    WINDOWS {
        READ_MARK;
        V t = BY_MARK(vu * AT(zbardot, o) + vv * AT(zbar, o));
        PUT(xbardot, at) = EVERYWHERE(at) + REACH(0, t);
        if (right) PUT(xbardot, at + right) = EVERYWHERE(at + right) + REACH(1, t);
        if (under) PUT(xbardot, at + under) = EVERYWHERE(at + under) + REACH(2, t);
        if (right && under) PUT(xbardot, at + under + right) = EVERYWHERE(at + under + right) + REACH(3, t);
    }
    UNCOVERED PUT(xbardot, at) = EVERYWHERE(at);
#undef EVERYWHERE
}

#include "fused_stem_body.h"

#undef V
#undef I
#undef W
#undef AT
#undef PUT
#undef ROW
#undef SELECT
#undef FILL
#undef BY_SLOPE
#undef SUMS
#undef PIXELS
#undef WINDOWS
#undef UNCOVERED
#undef READ_MARK
#undef BY_MARK
#undef MARKED
#undef REACH
#undef OF_WINNER
#undef WINDOW_SUMS
#undef N
#undef NAME_
#undef NAME__
