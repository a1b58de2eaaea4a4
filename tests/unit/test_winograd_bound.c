/* The bounds of 3x3 convolutions against figures worked out by hand. What a transform costs is counted while it is done here, number
   by number, and that the transforms are Winograd's is seen from the convolutions that they give. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "tools/bench/winograd_bound.h"

static int operations;
static double add(double a, double b) { operations++; return a + b; }
static double sub(double a, double b) { operations++; return a - b; }
static double mul(double a, double b) { operations++; return a * b; }

/* e + o and e - o at two points of opposite signs */
static void both(double *to, double e, double o) { to[0] = add(e, o); to[1] = sub(e, o); }

/* ---- F(4, 3), in the order of the count's rows: input, output, weights, ybar, weightsbar ---------------------------------------- */

static void input_four(const double *d, double *to)
{
    double near = sub(d[4], d[2]), odd = mul(2, sub(d[3], d[1]));
    to[0] = add(mul(4, sub(d[0], d[2])), near);
    both(to + 1, sub(d[4], mul(4, d[2])), sub(d[3], mul(4, d[1])));
    both(to + 3, near, odd);
    to[5] = sub(sub(d[5], d[3]), mul(2, odd));
}

static void output_four(const double *m, double *y)
{
    double s = add(m[1], m[2]), d = sub(m[1], m[2]), t = add(m[3], m[4]), u = sub(m[3], m[4]);
    y[0] = add(add(m[0], s), t);
    y[1] = add(d, mul(2, u));
    y[2] = add(s, mul(4, t));
    y[3] = add(add(d, mul(8, u)), m[5]);
}

static void weights_four(const double *g, double *to)
{
    double s = add(g[0], g[2]);
    to[0] = mul(1. / 4, g[0]);
    to[1] = mul(-1. / 6, add(s, g[1]));
    to[2] = mul(-1. / 6, sub(s, g[1]));
    both(to + 3, add(mul(1. / 24, g[0]), mul(1. / 6, g[2])), mul(1. / 12, g[1]));
    to[5] = g[2];
}

static void ybar_four(const double *y, double *to)
{
    to[0] = y[0];
    both(to + 1, add(y[0], y[2]), add(y[1], y[3]));
    both(to + 3, add(y[0], mul(4, y[2])), mul(2, add(y[1], mul(4, y[3]))));
    to[5] = y[3];
}

static void weightsbar_four(const double *m, double *w)
{
    double s = add(m[1], m[2]), d = sub(m[1], m[2]), t = add(m[3], m[4]), u = sub(m[3], m[4]), sixth = mul(1. / 6, s);
    w[0] = add(sub(mul(1. / 4, m[0]), sixth), mul(1. / 24, t));
    w[1] = sub(mul(1. / 12, u), mul(1. / 6, d));
    w[2] = add(sub(m[5], sixth), mul(1. / 6, t));
}

/* ---- F(6, 3) ---------------------------------------------------------------------------------------------------------------- */

static void input_six(const double *d, double *to)
{
    double third = mul(2.5, d[3]);
    to[0] = add(sub(d[0], d[6]), mul(5.25, sub(d[4], d[2])));
    both(to + 1, sub(add(d[2], d[6]), mul(4.25, d[4])), sub(add(d[1], d[5]), mul(4.25, d[3])));
    both(to + 3, sub(add(d[6], mul(.25, d[2])), mul(1.25, d[4])), add(sub(mul(.5, d[1]), third), mul(2, d[5])));
    both(to + 5, sub(add(d[6], mul(4, d[2])), mul(5, d[4])), add(sub(mul(2, d[1]), third), mul(.5, d[5])));
    to[7] = add(sub(d[7], d[1]), mul(5.25, sub(d[3], d[5])));
}

static void output_six(const double *m, double *y)
{
    double s[3], d[3];
    for (int i = 0; i < 3; i++) {
        s[i] = add(m[2 * i + 1], m[2 * i + 2]);
        d[i] = sub(m[2 * i + 1], m[2 * i + 2]);
    }
    y[0] = add(add(add(m[0], s[0]), s[1]), s[2]);
    for (int i = 1; i < 6; i++) {
        const double *x = i % 2 ? d : s;
        y[i] = add(add(x[0], mul(1 << i, x[1])), mul(1. / (1 << i), x[2]));
    }
    y[5] = add(y[5], m[7]);
}

static void weights_six(const double *g, double *to)
{
    double s = add(g[0], g[2]);
    to[0] = g[0];
    to[1] = mul(-2. / 9, add(s, g[1]));
    to[2] = mul(-2. / 9, sub(s, g[1]));
    both(to + 3, add(mul(1. / 90, g[0]), mul(2. / 45, g[2])), mul(1. / 45, g[1]));
    both(to + 5, add(mul(32. / 45, g[0]), mul(8. / 45, g[2])), mul(16. / 45, g[1]));
    to[7] = g[2];
}

static void ybar_six(const double *y, double *to)
{
    to[0] = y[0];
    both(to + 1, add(add(y[0], y[2]), y[4]), add(add(y[1], y[3]), y[5]));
    both(to + 3, add(add(y[0], mul(4, y[2])), mul(16, y[4])), add(add(mul(2, y[1]), mul(8, y[3])), mul(32, y[5])));
    both(to + 5, add(add(y[0], mul(1. / 4, y[2])), mul(1. / 16, y[4])),
         add(add(mul(1. / 2, y[1]), mul(1. / 8, y[3])), mul(1. / 32, y[5])));
    to[7] = y[5];
}

static void weightsbar_six(const double *m, double *w)
{
    double s[3], d[3];
    for (int i = 0; i < 3; i++) {
        s[i] = add(m[2 * i + 1], m[2 * i + 2]);
        d[i] = sub(m[2 * i + 1], m[2 * i + 2]);
    }
    double of_ones = mul(2. / 9, s[0]);
    w[0] = add(add(sub(m[0], of_ones), mul(1. / 90, s[1])), mul(32. / 45, s[2]));
    w[1] = add(sub(mul(1. / 45, d[1]), mul(2. / 9, d[0])), mul(16. / 45, d[2]));
    w[2] = add(add(sub(m[7], of_ones), mul(2. / 45, s[1])), mul(8. / 45, s[2]));
}

typedef void transform(const double *, double *);
enum { INPUT, OUTPUT, WEIGHTS, YBAR, WEIGHTSBAR, TRANSFORMS };
static transform *const of_tile[2][TRANSFORMS] = { { input_four, output_four, weights_four, ybar_four, weightsbar_four },
                                                   { input_six, output_six, weights_six, ybar_six, weightsbar_six } };

/* Operations of one vector's transforms; their products are a correlation and its weights' gradient, or the test fails. */
static void count(int m, int cost[TRANSFORMS])
{
    static const double d[8] = { .3, -1.2, .7, 2.1, -.4, .9, -1.7, .6 }, g[3] = { .8, -.5, 1.1 }, ybar[6] = { 1.3, -.2, .4, -.9, .5, .1 };
    transform *const *of = of_tile[m == 6];
    double v[8], u[8], product[8], y[6], at[8], w[3];
    const double *from[TRANSFORMS] = { d, product, g, ybar, product };
    double *to[TRANSFORMS] = { v, y, u, at, w };
    static const int order[TRANSFORMS] = { INPUT, WEIGHTS, OUTPUT, YBAR, WEIGHTSBAR };
    for (int i = 0; i < TRANSFORMS; i++) {
        int k = order[i];
        for (int j = 0; j < m + 2; j++) {
            if (k == OUTPUT) product[j] = u[j] * v[j];
            if (k == WEIGHTSBAR) product[j] = at[j] * v[j];
        }
        operations = 0;
        of[k](from[k], to[k]);
        cost[k] = operations;
    }
    for (int i = 0; i < m; i++) assert_true(fabs(y[i] - (g[0] * d[i] + g[1] * d[i + 1] + g[2] * d[i + 2])) < 1e-12);
    for (int k = 0; k < 3; k++) {
        double wanted = 0;
        for (int i = 0; i < m; i++) wanted += ybar[i] * d[i + k];
        assert_true(fabs(w[k] - wanted) < 1e-12);
    }
}

static struct meta_winograd_bound bound(struct meta_bound_convolution c, int m, enum meta_bound_part part)
{
    return meta_winograd_bound(&c, m, part);
}

/* One tile of one channel to another: each transform of it, by what the parts name. */
static void transforms_cost_what_is_counted(void **state)
{
    for (int m = 4; m <= 6; m += 2) {
        int k[TRANSFORMS], a = m + 2;
        count(m, k);
        struct meta_bound_convolution c = { 1, { 1, m, m }, { 1, m, m }, 1 };
        double input = 2 * a * k[INPUT], output = (a + m) * k[OUTPUT], weights = (a + 3) * k[WEIGHTS], ybar = (a + m) * k[YBAR],
               weightsbar = (a + 3) * k[WEIGHTSBAR];
        assert_true(bound(c, m, META_BOUND_FORWARD).transforms == input + weights + output);
        assert_true(bound(c, m, META_BOUND_WEIGHTS).transforms == ybar + weightsbar);
        assert_true(bound(c, m, META_BOUND_DATA).transforms == input + output);
        assert_true(bound(c, m, META_BOUND_TANGENT).transforms == input + weights + output);
        assert_true(bound(c, m, META_BOUND_BACK_TANGENT).transforms == ybar + weightsbar + input + output);
        c.active = 0; /* xdot = 0, and xbar is not wanted */
        assert_true(bound(c, m, META_BOUND_DATA).transforms == 0);
        assert_true(bound(c, m, META_BOUND_TANGENT).transforms == weights + output);
        assert_true(bound(c, m, META_BOUND_BACK_TANGENT).transforms == ybar + weightsbar);
    }
}

/* 64 to 64 at 42x42, ten images: 11 x 11 tiles of 4 cover 44x44, 7 x 7 of 6 fit. A tile takes 36 or 64 multiply-adds a pair of channels,
   the direct convolution 9 a pixel. */
static void second_convolution_by_hand(void **state)
{
    static const double times[META_BOUND_PARTS] = { 1, 1, 1, 2, 4 };
    struct meta_bound_convolution c = { 10, { 64, 42, 42 }, { 64, 42, 42 }, 1 };
    double direct = 2. * 10 * 42 * 42 * 9 * 64 * 64;
    for (int part = 0; part < META_BOUND_PARTS; part++) {
        double four = bound(c, 4, part).product, six = bound(c, 6, part).product;
        assert_true(four == times[part] * 356843520);
        assert_true(six == times[part] * 256901120);
        assert_true(fabs(times[part] * direct / four - 3.6446) < 1e-4);
        assert_true(times[part] * direct / six == 5.0625);
    }
    /* of 1210 tiles of 64 channels 12 * 17 and 10 * 13 operations each, and of 4096 filters 9 * 12 */
    assert_true(bound(c, 4, META_BOUND_FORWARD).transforms == 1210 * 64 * (204. + 130) + 4096 * 108.);
    /* of 490 tiles of 64 channels 16 * 37 and 14 * 30, and of 4096 filters 11 * 17 */
    assert_true(bound(c, 6, META_BOUND_FORWARD).transforms == 490 * 64 * (592. + 420) + 4096 * 187.);
    /* 1,128,960 numbers a map and 36,864 weights, four bytes each */
    assert_true(meta_bound_bytes(&c, META_BOUND_FORWARD) == 4 * (2 * 1128960. + 36864));
    assert_true(meta_bound_bytes(&c, META_BOUND_WEIGHTS) == 4 * (2 * 1128960. + 36864));
    assert_true(meta_bound_bytes(&c, META_BOUND_DATA) == 4 * (2 * 1128960. + 36864));
    assert_true(meta_bound_bytes(&c, META_BOUND_TANGENT) == 4 * (3 * 1128960. + 2 * 36864));
    assert_true(meta_bound_bytes(&c, META_BOUND_BACK_TANGENT) == 4 * (5 * 1128960. + 3 * 36864));
}

/* 3 to 5 channels, 21x10, two images, no adjoint of the images: 6 x 3 tiles of 4, 4 x 2 of 6. */
static void ragged_first_layer_by_hand(void **state)
{
    static const double times[META_BOUND_PARTS] = { 1, 1, 0, 1, 1 };
    struct meta_bound_convolution c = { 2, { 3, 21, 10 }, { 5, 21, 10 }, 0 };
    for (int part = 0; part < META_BOUND_PARTS; part++) {
        assert_true(bound(c, 4, part).product == times[part] * 2 * 36 * 36 * 15);
        assert_true(bound(c, 6, part).product == times[part] * 2 * 64 * 16 * 15);
    }
    assert_true(bound(c, 4, META_BOUND_FORWARD).transforms == 36 * (3 * 204. + 5 * 130) + 15 * 108.);
    assert_true(bound(c, 4, META_BOUND_WEIGHTS).transforms == 36 * 5 * 110. + 15 * 135.);
    assert_true(bound(c, 6, META_BOUND_BACK_TANGENT).transforms == 16 * 5 * 392. + 15 * 242.);
    assert_true(meta_bound_bytes(&c, META_BOUND_FORWARD) == 4 * (2 * 210 * 8 + 135.));
    assert_true(meta_bound_bytes(&c, META_BOUND_DATA) == 0);
    assert_true(meta_bound_bytes(&c, META_BOUND_TANGENT) == 4 * (2 * 210 * 8 + 135.));
}

/* Without padding the map of xbar is larger than that of y, and has more tiles: 4x4 and 3x3 with m=4, 3x3 and 2x2 with 6. */
static void adjoints_have_tiles_of_their_own_map(void **state)
{
    struct meta_bound_convolution c = { 1, { 8, 13, 13 }, { 16, 11, 11 }, 1 };
    assert_true(bound(c, 4, META_BOUND_FORWARD).product == 2 * 36 * 9 * 128.);
    assert_true(bound(c, 4, META_BOUND_DATA).product == 2 * 36 * 16 * 128.);
    assert_true(bound(c, 6, META_BOUND_FORWARD).product == 2 * 64 * 4 * 128.);
    assert_true(bound(c, 6, META_BOUND_DATA).product == 2 * 64 * 9 * 128.);
    assert_true(bound(c, 6, META_BOUND_BACK_TANGENT).product == 2 * 64 * 2 * (4 + 9) * 128.);
}

static void fits_3x3_with_stride_1_alone(void **state)
{
    struct meta_layer l = { .type = META_CONVOLUTIONAL, .size = 3, .stride = 1, .groups = 1 }, other[4] = { l, l, l, l };
    assert_true(meta_winograd_bound_fits(&l));
    other[0].type = META_CONNECTED;
    other[1].size = 1;
    other[2].stride = 2;
    other[3].groups = 2;
    for (int i = 0; i < 4; i++) assert_false(meta_winograd_bound_fits(&other[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(transforms_cost_what_is_counted), cmocka_unit_test(second_convolution_by_hand),
                                        cmocka_unit_test(ragged_first_layer_by_hand), cmocka_unit_test(adjoints_have_tiles_of_their_own_map),
                                        cmocka_unit_test(fits_3x3_with_stride_1_alone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
