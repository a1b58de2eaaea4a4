/* Figures of groups of images by identities: means over classes, ends of intervals, equal losses. Against NumPy: test_assessment.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "near.h"
#include "stats/clustered.h"
#include "stats/share.h"
#include "stats/temperature.h"

static struct meta_error error;

/* Means over classes that have no group in common: the errors of the classes' figures are independent. */
static void means_over_classes_have_their_errors(void **state)
{
    enum { N = 14 };
    static const int own[N] = { 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2 }, group[N] = { 0, 0, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8 };
    static const unsigned char right[N] = { 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0 };
    const struct meta_clusters k = { N, group, 9 };
    struct meta_influence all;
    double squares = 0;
    assert_int_equal(meta_influence_start(&all, k.groups, &error), 0);
    for (int c = 0; c < 3; c++) {
        unsigned char asked[N];
        struct meta_interval one;
        for (int i = 0; i < N; i++) asked[i] = own[i] == c;
        assert_int_equal(meta_clustered_share(&one, &k, asked, right, &all, &error), 0);
        squares += one.error * one.error / 9;
    }
    assert_near(meta_clustered_share_mean(&all).error, sqrt(squares), 1e-15);
    meta_influence_clear(&all);
    /* an AUC alone is its own mean, where no group has images of both sides */
    double values[N];
    for (int i = 0; i < N; i++) values[i] = (i * 7 + 3) % 11;
    const struct meta_scored s = { values, 1, own, 2, -1 };
    struct meta_interval one;
    assert_int_equal(meta_influence_start(&all, k.groups, &error), 0);
    assert_int_equal(meta_clustered_auc(&one, &k, &s, &all, &error), 0);
    assert_near(meta_clustered_auc_mean(&all).error, one.error, 1e-15);
    meta_influence_clear(&all);
}

/* No interval of a share goes on past 0 and 1 by rounding, where it printed -0. */
static void shares_end_at_their_ends(void **state)
{
    for (int n = 2; n <= 400; n++) {
        double low, high;
        meta_share_interval(0, n, &low, &high);
        assert_true(low == 0 && !signbit(low) && high > 0);
        meta_share_interval(1, n, &low, &high);
        assert_true(high == 1 && low < 1);
    }
}

static void equal_losses_have_no_interval(void **state)
{
    static const int group[3] = { 0, 1, 2 };
    const struct meta_clusters k = { 3, group, 3 };
    struct meta_interval mean;
    assert_int_equal(meta_clustered_mean(&mean, &k, (double[]){ .1, .1, .1 }, INFINITY, &error), 0);
    assert_near(mean.value, .1, 1e-15);
    assert_true(isnan(mean.low) && isnan(mean.high));
    assert_string_equal(mean.why, "groups do not differ: no interval");
    assert_int_equal(meta_clustered_mean(&mean, &k, (double[]){ .1, .1, .2 }, INFINITY, &error), 0);
    assert_null(mean.why);
}

/* Two classes, each image's logarithms `apart`; of ten images so many are wrong. */
static void fit(double apart, int wrong, const char *message)
{
    enum { N = 10 };
    double logs[2 * N];
    int labels[N];
    struct meta_temperature_fit found;
    for (int i = 0; i < N; i++) {
        labels[i] = i % 2;
        int top = i < wrong ? !labels[i] : labels[i];
        logs[2 * i + top] = -log1p(exp(-apart));
        logs[2 * i + !top] = -apart - log1p(exp(-apart));
    }
    const struct meta_temperature_answers a = { 1, N, 2, logs, labels };
    int status = meta_temperature_fit(&found, &a, &error);
    if (!message) {
        assert_int_equal(status, 0);
        assert_near(found.temperature, apart / log((N - wrong) / (double)wrong), 1e-9); /* where the probability is the share that is right */
        return;
    }
    assert_int_equal(status, -1);
    assert_string_equal(error.text, message);
}

static void a_temperature_that_is_not_found_says_why(void **state)
{
    fit(3, 2, NULL);
    fit(500, 2, "the best temperature is above 100");
    fit(1e-4, 2, "the best temperature is below 0.01");
    fit(3, 5, "the answers tell the classes apart no better than chance");
    fit(500, 7, "the answers tell the classes apart no better than chance");
    fit(3, 0, "every answer is right, so that no temperature is too low for them");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(means_over_classes_have_their_errors), cmocka_unit_test(shares_end_at_their_ends),
                                        cmocka_unit_test(equal_losses_have_no_interval), cmocka_unit_test(a_temperature_that_is_not_found_says_why) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
