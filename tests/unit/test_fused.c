/* The fused sweeps of every instruction set this processor has, against plain loops in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "backends/fused/fused_kernels.h"
#include "base/rng.h"

#define REAL float
#define NAME(x) plain_##x
#include "backends/loops/adam.h"

enum { X, XDOT, ZBAR, ZBARDOT, ARRAYS };
enum { GAIN, CENTRE, SHIFT, R, P, Q, S, A, B, D, U, V, ROWS };

struct sweep {
    struct meta_map m;
    int c;
    size_t in, out;                     /* pixels */
    float *array[ARRAYS], *row[ROWS], *result;
    uint8_t *marks;
    double *sums;
    float negative;
    struct meta_constants constants;    /* of the rows */
};

static float *random_floats(struct meta_rng *rng, size_t n)
{
    float *p = malloc(n * sizeof *p);
    for (size_t i = 0; i < n; i++) p[i] = meta_rng_between(rng, -1, 1);
    return p;
}

static struct sweep *sweep_create(struct meta_map m, int c, float negative)
{
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, c, m.h, m.w);
    struct sweep *s = calloc(1, sizeof *s);
    s->m = m;
    s->c = c;
    s->negative = negative;
    s->in = (size_t)m.h * m.w;
    s->out = (size_t)m.oh * m.ow;
    for (int i = 0; i < ARRAYS; i++) s->array[i] = random_floats(&rng, s->in * c);
    for (int i = 0; i < ROWS; i++) s->row[i] = random_floats(&rng, c);
    float **r = s->row;
    s->constants = (struct meta_constants){ .gain = r[GAIN], .centre = r[CENTRE], .shift = r[SHIFT], .r = r[R], .p = r[P], .q = r[Q],
                                            .s = r[S], .a = r[A], .b = r[B], .d = r[D], .u = r[U], .v = r[V], .negative = negative };
    s->sums = calloc(2 * c, sizeof *s->sums);
    s->marks = calloc(s->out * c, 1);
    s->result = calloc(s->in * c, sizeof *s->result);
    return s;
}

static void sweep_free(struct sweep *s)
{
    for (int i = 0; i < ARRAYS; i++) free(s->array[i]);
    for (int i = 0; i < ROWS; i++) free(s->row[i]);
    free(s->sums);
    free(s->marks);
    free(s->result);
    free(s);
}

#define NEAR(a, b) assert_true(fabs((a) - (b)) <= 2e-5 * (1 + fabs(b)))

static double y_of(const struct sweep *s, double x, int k)
{
    return (double)s->row[GAIN][k] * (x - s->row[CENTRE][k]) + s->row[SHIFT][k];
}

static double slope(const struct sweep *s, double y) { return y > 0 ? 1 : s->negative; }

/* The pixel that wins window o of channel k, by a plain search. */
static size_t winner_of(const struct sweep *s, size_t o, int k)
{
    const struct meta_map *m = &s->m;
    size_t i = o / m->ow, j = o % m->ow, best = 0;
    double most = -INFINITY;
    for (int dy = 0; dy < 2; dy++)
        for (int dx = 0; dx < 2; dx++) {
            size_t y = 2 * i + dy, x = 2 * j + dx;
            if (y >= (size_t)m->h || x >= (size_t)m->w) continue;
            size_t at = y * m->w + x;
            double value = y_of(s, s->array[X][at * s->c + k], k);
            if (value > most) { most = value; best = at; }
        }
    return best;
}

static void assert_sums(struct sweep *s, const double *one, const double *two, size_t n)
{
    for (int k = 0; k < s->c; k++) {
        assert_true(fabs(s->sums[k] - one[k]) < 1e-4 * sqrt(n + 1.));
        assert_true(fabs(s->sums[s->c + k] - two[k]) < 1e-4 * sqrt(n + 1.));
    }
    memset(s->sums, 0, 2 * s->c * sizeof *s->sums);
}

static void check_pool_sums(const struct meta_fused *f, struct sweep *s)
{
    int c = s->c;
    float **a = s->array, **r = s->row;
    double sums[4][16] = { { 0 } };
    for (size_t o = 0; o < s->out; o++)
        for (int k = 0; k < c; k++) {
            size_t at = winner_of(s, o, k) * c + k;
            double d = a[X][at] - (double)r[CENTRE][k], g = slope(s, y_of(s, a[X][at], k));
            double ybar = g * a[ZBAR][o * c + k], ybardot = g * a[ZBARDOT][o * c + k];
            sums[0][k] += ybar;
            sums[1][k] += ybar * d;
            sums[2][k] += ybardot;
            sums[3][k] += r[R][k] * ybardot * d + ybar * (r[P][k] * a[XDOT][at] + r[Q][k] + r[S][k] * d);
        }
    f->slopes_pool(a[ZBAR], a[X], s->marks, &s->m, &s->constants, s->sums);
    assert_sums(s, sums[0], sums[1], s->out);
    f->slope_tangents_pool(a[ZBAR], a[ZBARDOT], a[X], a[XDOT], s->marks, &s->m, &s->constants, s->sums);
    assert_sums(s, sums[2], sums[3], s->out);
}

static void check_pool(const struct meta_fused *f, struct meta_map m, const int c, float negative)
{
    struct sweep *s = sweep_create(m, c, negative);
    float *z = calloc(s->out * c, sizeof *z), *again = calloc(s->out * c, sizeof *again), *zdot = calloc(s->out * c, sizeof *zdot);
    float *xbar = calloc(s->in * c, sizeof *xbar), *xbardot = calloc(s->in * c, sizeof *xbardot);
    double *expected = calloc(s->in * c, sizeof *expected), *expected_dot = calloc(s->in * c, sizeof *expected_dot);
    float **a = s->array, **r = s->row;
    f->forward_pool(a[X], &m, &s->constants, z, s->marks);
    f->tangent_pool(a[X], a[XDOT], s->marks, &m, &s->constants, again, zdot);
    check_pool_sums(f, s);
    memset(xbar, 255, s->in * c * sizeof *xbar);
    memset(xbardot, 255, s->in * c * sizeof *xbardot);
    f->backward_pool(a[X], a[ZBAR], s->marks, &m, &s->constants, xbar);
    f->backward_tangent_pool(a[X], a[XDOT], a[ZBAR], a[ZBARDOT], s->marks, &m, &s->constants, xbardot);
    for (size_t i = 0; i < s->in; i++)
        for (int k = 0; k < c; k++) {
            double d = a[X][i * c + k] - r[CENTRE][k];
            expected[i * c + k] = r[A][k] + r[B][k] * d;
            expected_dot[i * c + k] = r[A][k] + r[B][k] * d + r[D][k] * a[XDOT][i * c + k];
        }
    for (size_t o = 0; o < s->out; o++)
        for (int k = 0; k < c; k++) {
            size_t at = winner_of(s, o, k) * c + k;
            double y = y_of(s, a[X][at], k), d = a[X][at] - r[CENTRE][k], g = slope(s, y);
            NEAR(z[o * c + k], y > 0 ? y : negative * y);
            NEAR(zdot[o * c + k], g * (r[P][k] * a[XDOT][at] + r[Q][k] + r[S][k] * d));
            NEAR(again[o * c + k], y > 0 ? y : negative * y);
            assert_int_equal(s->marks[o * c + k] > 3, y > 0);
            expected[at] += g * r[GAIN][k] * a[ZBAR][o * c + k];
            expected_dot[at] += g * (r[U][k] * a[ZBARDOT][o * c + k] + r[V][k] * a[ZBAR][o * c + k]);
        }
    for (size_t i = 0; i < s->in * c; i++) {
        NEAR(xbar[i], expected[i]);
        NEAR(xbardot[i], expected_dot[i]);
    }
    free(z);
    free(again);
    free(zdot);
    free(xbar);
    free(xbardot);
    free(expected);
    free(expected_dot);
    sweep_free(s);
}

static void check_plain(const struct meta_fused *f, struct meta_map m, const int c, float negative)
{
    struct sweep *s = sweep_create(m, c, negative);
    float **a = s->array, **r = s->row, *out = s->result, *again = calloc(s->in * c, sizeof *again);
    size_t n = s->in;
#define EACH for (size_t i = 0; i < n * c; i++) for (int k = i % c, once = 1; once; once = 0)
#define Y y_of(s, a[X][i], k)
#define OFF (a[X][i] - (double)r[CENTRE][k])
    f->forward(a[X], n, &s->constants, out);
    EACH NEAR(out[i], Y > 0 ? Y : negative * Y);
    f->backward(a[X], a[ZBAR], n, &s->constants, out);
    EACH NEAR(out[i], r[A][k] + r[B][k] * OFF + slope(s, Y) * r[GAIN][k] * a[ZBAR][i]);
    f->tangent(a[X], a[XDOT], n, &s->constants, again, out);
    EACH NEAR(again[i], Y > 0 ? Y : negative * Y);
    EACH NEAR(out[i], slope(s, Y) * (r[P][k] * a[XDOT][i] + r[Q][k] + r[S][k] * OFF));
    f->backward_tangent(a[X], a[XDOT], a[ZBAR], a[ZBARDOT], n, &s->constants, out);
    EACH NEAR(out[i], r[A][k] + r[B][k] * OFF + r[D][k] * a[XDOT][i]
                      + slope(s, Y) * (r[U][k] * a[ZBARDOT][i] + r[V][k] * (double)a[ZBAR][i]));
#define SUMS(first, second)                                                                          \
    do {                                                                                             \
        double one[16] = { 0 }, two[16] = { 0 };                                                     \
        EACH { one[k] += first; two[k] += second; }                                                  \
        assert_sums(s, one, two, n);                                                                 \
    } while (0)
    f->moments(a[X], n, &s->constants, s->sums);
    SUMS(OFF, OFF * OFF);
    f->products(a[XDOT], a[X], n, &s->constants, s->sums);
    SUMS(a[XDOT][i], a[XDOT][i] * OFF);
    f->slopes(a[ZBAR], a[X], n, &s->constants, s->sums);
    SUMS(a[ZBAR][i] * slope(s, Y), a[ZBAR][i] * slope(s, Y) * OFF);
    f->slope_tangents(a[ZBAR], a[ZBARDOT], a[X], a[XDOT], n, &s->constants, s->sums);
    SUMS(a[ZBARDOT][i] * slope(s, Y),
         r[R][k] * a[ZBARDOT][i] * slope(s, Y) * OFF
         + a[ZBAR][i] * slope(s, Y) * (r[P][k] * a[XDOT][i] + r[Q][k] + r[S][k] * OFF));
    free(again);
    sweep_free(s);
}

/* here is X, from is ZBAR; their tangents XDOT and ZBARDOT; the adjoint XDOT again. */
static void check_shortcut(const struct meta_fused *f, struct meta_map m, const int c, float negative)
{
    struct sweep *s = sweep_create(m, c, negative);
    float **a = s->array, *one = s->result, *two = calloc(s->in * c, sizeof *two);
    uint8_t *marks = malloc(s->in * c);
    size_t n = s->in;
    const double alpha = .7, beta = -1.3;
    const struct meta_join join = { alpha, beta, negative };
#define JOINED (alpha * a[X][i] + beta * a[ZBAR][i])
#define BOTH(p, q) for (size_t i = 0; i < n * c; i++) { NEAR(one[i], p); NEAR(two[i], q); }
    f->join(a[X], a[ZBAR], n, &join, one, marks);
    EACH { NEAR(one[i], JOINED > 0 ? JOINED : negative * JOINED); assert_int_equal(marks[i], JOINED > 0); (void)k; }
    f->join_tangent(a[XDOT], a[ZBARDOT], marks, n, &join, one);
    f->join_tangent(a[XDOT], NULL, marks, n, &join, two);
    BOTH(slope(s, JOINED) * (alpha * a[XDOT][i] + beta * a[ZBARDOT][i]), slope(s, JOINED) * alpha * a[XDOT][i])
    f->join_tangent(NULL, a[ZBARDOT], marks, n, &join, two);
    EACH { NEAR(two[i], slope(s, JOINED) * beta * a[ZBARDOT][i]); (void)k; }
    f->part(a[XDOT], marks, n, &join, one, two);
    BOTH(slope(s, JOINED) * alpha * a[XDOT][i], slope(s, JOINED) * beta * a[XDOT][i])
    f->part(a[ZBARDOT], marks, n, &join, NULL, two);
    f->part(a[ZBARDOT], marks, n, &join, one, NULL);
    BOTH(slope(s, JOINED) * alpha * a[ZBARDOT][i], slope(s, JOINED) * beta * a[ZBARDOT][i])
    free(marks);
    free(two);
    sweep_free(s);
}

/* Blocks of c channels, and planes, of `pixels` pixels: the three sweeps of a 1x1 convolution. */
static void check_narrow(const struct meta_fused *f, int c, struct meta_narrow m)
{
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, c, m.planes, m.pixels);
    size_t area = m.pixels, of_blocks = m.blocks * area * c, of_planes = m.planes * area, count = (size_t)m.blocks * m.planes * c;
    float *blocks = random_floats(&rng, of_blocks), *planes = random_floats(&rng, of_planes), *w = random_floats(&rng, count);
    float *b = random_floats(&rng, of_blocks), *p = random_floats(&rng, of_planes);
    double *sums = malloc(count * sizeof *sums), *sums_before = malloc(count * sizeof *sums);
    for (int adding = 0; adding < 2; adding++) {
        float *b_before = malloc(of_blocks * sizeof *b), *p_before = malloc(of_planes * sizeof *p);
        memcpy(b_before, b, of_blocks * sizeof *b);
        memcpy(p_before, p, of_planes * sizeof *p);
        f->widen(planes, &m, w, adding, b);
        f->narrow(blocks, &m, w, adding, p);
        for (size_t i = 0; i < of_blocks; i++) {
            double sum = adding ? b_before[i] : 0;
            for (int k = 0; k < m.planes; k++)
                sum += (double)w[(i / (area * c) * m.planes + k) * c + i % c] * planes[k * area + i / c % area];
            NEAR(b[i], sum);
        }
        for (size_t i = 0; i < of_planes; i++) {
            double sum = adding ? p_before[i] : 0;
            for (int n = 0; n < m.blocks * c; n++)
                sum += (double)w[(n / c * m.planes + i / area) * c + n % c] * blocks[(n / c * area + i % area) * c + n % c];
            NEAR(p[i], sum);
        }
        free(b_before);
        free(p_before);
    }
    for (size_t i = 0; i < count; i++) sums[i] = sums_before[i] = i;
    f->narrow_weights(blocks, planes, &m, sums);
    for (size_t i = 0; i < count; i++) {
        int n = i / c / m.planes, k = i / c % m.planes;
        for (size_t q = 0; q < area; q++) sums_before[i] += (double)blocks[(n * area + q) * c + i % c] * planes[k * area + q];
        assert_true(fabs(sums[i] - sums_before[i]) < 1e-5 * sqrt(area));
    }
    free(blocks);
    free(planes);
    free(w);
    free(b);
    free(p);
    free(sums);
    free(sums_before);
}

static void check_mix(const struct meta_fused_set *set, struct meta_mix m)
{
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, m.inputs, m.outputs, m.pixels);
    size_t area = m.pixels;
    float *x = random_floats(&rng, m.inputs * area), *y = random_floats(&rng, m.outputs * area), *w = random_floats(&rng, m.inputs * m.outputs);
    float *to = random_floats(&rng, m.outputs * area), *before = malloc(m.outputs * area * sizeof *to);
    double sums[9] = { 0 };
    for (int adding = 0; adding < 2; adding++) {
        memcpy(before, to, m.outputs * area * sizeof *to);
        set->mix(x, &m, w, adding, to);
        for (size_t i = 0; i < m.outputs * area; i++) {
            double sum = adding ? before[i] : 0;
            for (int k = 0; k < m.inputs; k++) sum += (double)w[i / area * m.inputs + k] * x[k * area + i % area];
            NEAR(to[i], sum);
        }
    }
    set->mix_weights(x, y, &m, sums);
    for (int i = 0; i < m.inputs * m.outputs; i++) {
        for (size_t q = 0; q < area; q++) sums[i] -= (double)y[i / m.inputs * area + q] * x[i % m.inputs * area + q];
        assert_true(fabs(sums[i]) < 1e-5 * sqrt(area));
    }
    free(x);
    free(y);
    free(w);
    free(to);
    free(before);
}

static void check_1x1(const struct meta_fused_set *set)
{
    static const size_t pixels[] = { 1, 7, 8, 35, 64, 65, 196, 521, 1030 };
    for (size_t j = 0; j < sizeof pixels / sizeof *pixels; j++)
        for (int planes = 1; planes <= 3; planes++)
            for (int other = 1; other <= 3; other++) {
                check_narrow(&set->lanes8, 8, (struct meta_narrow){ other, planes, pixels[j] });
                check_narrow(&set->lanes16, 16, (struct meta_narrow){ other, planes, pixels[j] });
                check_mix(set, (struct meta_mix){ planes, other, pixels[j] });
            }
}

/* Three updates of every count that leaves another rest of a vector, with a decay and without: the bits of the plain loop. */
static void check_adam(const struct meta_fused_set *set)
{
    enum { MOST = 67, VECTORS = 4 };
    for (size_t n = 0; n <= MOST; n++) {
        struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, n, 0, 0);
        float *wanted[VECTORS], got[VECTORS][MOST];
        for (int i = 0; i < VECTORS; i++) wanted[i] = random_floats(&rng, MOST);
        for (size_t i = 0; i < MOST; i++) wanted[3][i] *= wanted[3][i];
        for (int i = 0; i < VECTORS; i++) memcpy(got[i], wanted[i], sizeof got[i]);
        for (int t = 1; t <= 3; t++) {
            double decay = n % 2 ? .01 : 0;
            struct meta_fused_adam a = { .001, .9, .999, 1e-8, decay, 1 / (1 - pow(.9, t)), 1 / (1 - pow(.999, t)) };
            plain_adam(wanted[0], wanted[1], wanted[2], wanted[3], n, .001, .9, .999, 1e-8, decay, t);
            set->adam(&a, got[0], got[1], got[2], got[3], n);
        }
        for (int i = 0; i < VECTORS; i++) {
            assert_memory_equal(got[i], wanted[i], sizeof got[i]);
            free(wanted[i]);
        }
    }
}

static void check_all(const struct meta_fused_set *set)
{
    check_1x1(set);
    check_adam(set);
    static const struct meta_map sizes[] = { { 8, 8, 4, 4 }, { 7, 9, 3, 4 }, { 7, 9, 4, 5 }, { 21, 1, 11, 1 }, { 1, 1, 1, 1 }, { 20, 19, 10, 9 } };
    static const float negatives[] = { 0, .1f, 1 };
    for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++)
        for (size_t k = 0; k < 3; k++) {
            check_pool(&set->lanes8, sizes[j], 8, negatives[k]);
            check_pool(&set->lanes16, sizes[j], 16, negatives[k]);
            check_plain(&set->lanes8, sizes[j], 8, negatives[k]);
            check_plain(&set->lanes16, sizes[j], 16, negatives[k]);
            check_shortcut(&set->lanes8, sizes[j], 8, negatives[k]);
            check_shortcut(&set->lanes16, sizes[j], 16, negatives[k]);
        }
}

static void base(void **state) { check_all(&meta_fused_base); }

static void avx2(void **state)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) skip();
    check_all(&meta_fused_avx2);
}

static void avx512(void **state)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl")
        || !__builtin_cpu_supports("avx512dq")) skip();
    check_all(&meta_fused_avx512);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(base), cmocka_unit_test(avx2), cmocka_unit_test(avx512) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
