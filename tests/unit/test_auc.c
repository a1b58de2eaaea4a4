/* AUC against its definition, with ties; estimates and the bootstrap against values known in closed form. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <math.h>
#include "stats/auc.h"
#include "base/rng.h"
#include "stats/estimate.h"
#include "stats/roc.h"

#include <stdlib.h>

/* The trapezoid under the ROC curve, walked from the highest threshold down: another road to the same number. */
static struct meta_bootstrap bootstrap(const double *x, int n, int resamples, uint64_t seed)
{
    struct meta_error error;
    struct meta_bootstrap b;
    if (meta_bootstrap(&b, x, n, resamples, seed, &error)) fail_msg("%s", error.text);
    return b;
}

static double trapezoid(const double *score, const int *positive, int n)
{
    double area = 0, tpr = 0, fpr = 0, positives = 0, negatives = 0;
    char used[60] = {0};
    for (int i = 0; i < n; i++) positive[i] ? positives++ : negatives++;
    for (int left = n; left; ) {
        double top = -INFINITY;
        for (int i = 0; i < n; i++) if (!used[i] && score[i] > top) top = score[i];
        double t = tpr, f = fpr;
        for (int i = 0; i < n; i++)
            if (!used[i] && score[i] == top) {
                used[i] = 1;
                left--;
                if (positive[i]) tpr += 1 / positives; else fpr += 1 / negatives;
            }
        area += (fpr - f) * (tpr + t) / 2;
    }
    return area;
}

static void test_against_roc(void **state)
{
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, 0, 0, 0);
    double score[60];
    int positive[60];
    for (int trial = 0; trial < 500; trial++) {
        int n = 2 + meta_rng_below(&rng, 58), levels = 1 + meta_rng_below(&rng, 40);     /* few levels: many ties */
        for (int i = 0; i < n; i++) {
            score[i] = meta_rng_below(&rng, levels) / 7.;
            positive[i] = i < 2 ? i : (int)meta_rng_below(&rng, 2);
        }
        assert_near(meta_auc(score, 1, positive, n, 1, -1), trapezoid(score, positive, n), 1e-9);
    }
}

static void test_known_areas(void **state)
{
    int labels[] = { 0, 0, 1, 1 };
    double perfect[] = { .1, .2, .3, .4 }, wrong[] = { .4, .3, .2, .1 }, flat[] = { 1, 1, 1, 1 }, one_tie[] = { .1, .3, .3, .4 },
          nan[] = { .1, NAN, .3, .4 }, nan_positive[] = { .5, .6, NAN, .4 };
    assert_true(meta_auc(perfect, 1, labels, 4, 1, -1) == 1);
    assert_true(meta_auc(wrong, 1, labels, 4, 1, -1) == 0);
    assert_true(meta_auc(flat, 1, labels, 4, 1, -1) == .5);
    assert_true(meta_auc(one_tie, 1, labels, 4, 1, -1) == .875);
    assert_true(meta_auc(nan, 1, labels, 4, 1, -1) == .5);
    assert_true(meta_auc(nan_positive, 1, labels, 4, 1, -1) == .5);
    assert_true(isnan(meta_auc(perfect, 1, labels, 2, 1, -1)));
    double inf[] = { -INFINITY, 0, INFINITY, INFINITY };
    assert_true(meta_auc(inf, 1, labels, 4, 1, -1) == 1);
}

static void test_areas_of_a_task(void **state)
{
    /* three classes, two images each; columns are the scores of classes 0, 1, 2 */
    int labels[] = { 0, 0, 1, 1, 2, 2 };
    double p[] = { .7, .2, .1,   .2, .5, .3,   .3, .6, .1,   .1, .4, .5,   .1, .1, .8,   .6, .3, .1 };
    /* by hand: class 0 scores {.7 .2} against {.3 .1 .1 .6}: 4+2 of 8; class 1 {.6 .4} against {.2 .5 .1 .3}: 4+3 of 8;
       class 2 {.8 .1} against {.1 .3 .1 .5}: 4 + 2 halves of 8 */
    assert_near(meta_auc_task(p, labels, 6, 3), (6. / 8 + 7. / 8 + 5. / 8) / 3, 1e-12);
    /* classes 0 and 1: by 0's {.7 .2} against {.3 .1}: 3 of 4; by 1's {.6 .4} against {.2 .5}: 3 of 4 */
    assert_near(meta_auc_pair(p, labels, 6, 3, 0, 1), .75, 1e-12);
    /* classes 0 and 2: by 0's {.7 .2} against {.1 .6}: 3 of 4; by 2's {.8 .1} against {.1 .3}: 2 + half of 4 */
    assert_near(meta_auc_pair(p, labels, 6, 3, 0, 2), (3. / 4 + 2.5 / 4) / 2, 1e-12);
    assert_near(meta_auc_pair(p, labels, 6, 3, 2, 0), (3. / 4 + 2.5 / 4) / 2, 1e-12);
    /* right: images 0, 2, 4 */
    assert_near(meta_accuracy(p, labels, 6, 3), 3. / 6, 1e-12);
    int two[] = { 0, 0, 1, 1 };
    double q[] = { .9, .1, .2, .8, .6, .4, .1, .9 };
    assert_near(meta_auc_task(q, two, 4, 2), 3. / 4, 1e-12);
    assert_near(meta_accuracy(q, two, 4, 2), 2. / 4, 1e-12);
    double equal[] = { .5, .5, .5, .5, .5, .5, .4, .6 };
    assert_near(meta_accuracy(equal, two, 4, 2), 3. / 4, 1e-12);
}

static void test_ranks(void **state)
{
    double scores[] = { .2, .9, .5, .9, .5, .1, .5 };
    int labels[] = { 0, 1, 1, 1, 0, 0, 1 };
    char text[15];
    meta_ranks(text, scores, 1, labels, 7, 1);
    assert_string_equal(text, "(11)(101)00");
    double apart[] = { 1, 9, 0, 9, -INFINITY, 9, INFINITY, 9 };        /* every second of them counts; labels 0 1 1 1 */
    meta_ranks(text, apart, 2, labels, 4, 1);
    assert_string_equal(text, "1011");
    scores[3] = NAN;
    meta_ranks(text, scores, 1, labels, 7, 1);
    assert_string_equal(text, "(0111001)");
}

/* The curve of random scores, many of them equal: its area is the AUC that counts pairs, whatever the points between. */
static void test_roc(void **state)
{
    enum { N = 100 };
    double rates[META_ROC_POINTS];
    double scores[N];
    int labels[N];
    char text[2 * N + 1];
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, 0, 0, 0);
    for (int trial = 0; trial < 20; trial++) {
        for (int i = 0; i < N; i++) {
            labels[i] = i % 2;
            scores[i] = meta_rng_below(&rng, trial % 2 ? 1000 : 5) + labels[i] * .3 * (trial % 2 ? 1000 : 5);
        }
        meta_ranks(text, scores, 1, labels, N, 1);
        assert_int_equal(meta_roc(text, rates), 0);
        double area = 0;
        for (int i = 0; i + 1 < META_ROC_POINTS; i++) {
            assert_true(rates[i + 1] >= rates[i]);
            area += .5 * (rates[i] + rates[i + 1]) / (META_ROC_POINTS - 1);
        }
        assert_near(area, meta_auc(scores, 1, labels, N, 1, 0), .006);
        assert_near(rates[META_ROC_POINTS - 1], 1, 0);
    }
    assert_int_equal(meta_roc("1100", rates), 0);
    for (int i = 0; i < META_ROC_POINTS; i++) assert_near(rates[i], 1, 0);
    assert_int_equal(meta_roc("0011", rates), 0);
    for (int i = 0; i + 1 < META_ROC_POINTS; i++) assert_near(rates[i], 0, 0);
    assert_int_equal(meta_roc("(0011)", rates), 0);
    for (int i = 0; i < META_ROC_POINTS; i++) assert_near(rates[i], i * .01, 1e-12);
    assert_int_equal(meta_roc("0(01)1", rates), 0);
    assert_near(rates[75], .25, 1e-12);
    const char *bad[] = { "", "111", "00", "01x", "(01", "0)1" };
    for (int i = 0; i < 6; i++) assert_int_equal(meta_roc(bad[i], rates), -1);
}

static void test_estimate(void **state)
{
    struct { double other, x; } rows[] = { { 9, 1 }, { 9, 2 }, { 9, 3 }, { 9, 4 } };
    struct meta_estimate e = meta_estimate(&rows->x, sizeof *rows, 4);
    assert_near(e.mean, 2.5, 1e-12);
    assert_near(e.error, sqrt(5. / 3 / 4), 1e-12);
    assert_near(e.high - e.mean, 3.18244630528371 * e.error, 1e-12); /* Student's t, 3 degrees */
    assert_near(e.mean - e.low, e.high - e.mean, 1e-12);
    /* 1, 2, 4, 5, 29 and 999 degrees, by SciPy */
    static const struct { int n; double t; } table[] = { { 2, 12.7062047364321 }, { 3, 4.3026527299113 }, { 5, 2.7764451051978 }, { 6, 2.5705818366147 }, { 30, 2.0452296421327 }, { 1000, 1.9623414611334 } };
    double *x = calloc(1000, sizeof *x);
    for (int i = 0; i < 1000; i++) x[i] = i % 7;
    for (int i = 0; i < 6; i++) {
        struct meta_estimate of = meta_estimate(x, sizeof *x, table[i].n);
        assert_near((of.high - of.mean) / of.error, table[i].t, 1e-9 * table[i].t);
    }
    free(x);
    /* deviation 1.29 of these four: the figure's mean of two has the error 1.29/sqrt(2) */
    struct meta_estimate d = meta_estimate_less(e, e.mean - 1, 2);
    assert_near(d.mean, 1, 1e-15);
    assert_near(d.error, sqrt(e.error * e.error + 4 * e.error * e.error / 2), 1e-15);
    assert_near((d.high - d.low) / d.error, (e.high - e.low) / e.error, 1e-12);
    e = meta_estimate(&rows->x, sizeof *rows, 1);
    assert_near(e.mean, 1, 0);
    assert_true(isnan(e.error) && isnan(e.low) && isnan(e.high));
}

/* For many numbers the bootstrap's interval is the normal one, with deviation over n (not n-1). */
static void test_bootstrap(void **state)
{
    double x[400], sum = 0, squares = 0;
    struct meta_rng rng = meta_rng_open(8, META_USE_CHECK, 0, 0, 0);
    for (int i = 0; i < 400; i++) { x[i] = .02 + .1 * meta_rng_normal(&rng); sum += x[i]; }
    for (int i = 0; i < 400; i++) squares += (x[i] - sum / 400) * (x[i] - sum / 400);
    double error = sqrt(squares / 400 / 400);
    struct meta_bootstrap b = bootstrap(x, 400, 10000, 1), again = bootstrap(x, 400, 10000, 1);
    assert_near(b.mean, sum / 400, 1e-12);
    assert_near(b.low, b.mean - 1.96 * error, .08 * error);
    assert_near(b.high, b.mean + 1.96 * error, .08 * error);
    assert_true(b.low == again.low && b.high == again.high);
    assert_true(isnan(bootstrap(x, 1, 100, 1).low));
    double same[] = { .25, .25, .25 };
    b = bootstrap(same, 3, 100, 1);
    assert_true(b.low == .25 && b.high == .25);
}

/* How often the interval of a few numbers holds their distribution's mean. */
static void test_bootstrap_of_few(void **state)
{
    const int sizes[] = { 3, 5, 10, 30 };
    for (int s = 0; s < 4; s++) {
        int held = 0, n = sizes[s];
        double x[30];
        for (int trial = 0; trial < 2000; trial++) {
            struct meta_rng rng = meta_rng_open(9, META_USE_CHECK, trial, n, 0);
            for (int i = 0; i < n; i++) x[i] = meta_rng_normal(&rng);
            struct meta_bootstrap b = bootstrap(x, n, 300, 1);
            held += b.low <= 0 && b.high >= 0;
        }
        if (held < 1840 || held > 1960) fail_msg("of 2000 intervals of %d numbers %d hold the mean", n, held);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_roc), cmocka_unit_test(test_known_areas), cmocka_unit_test(test_areas_of_a_task), cmocka_unit_test(test_ranks), cmocka_unit_test(test_roc),
                                        cmocka_unit_test(test_estimate), cmocka_unit_test(test_bootstrap),
                                        cmocka_unit_test(test_bootstrap_of_few) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
