/* Nearest neighbours and support vector machines, against what can be worked out by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include "evaluation/classify.h"

/* On a line: class 0 at 0, 1, 10; class 1 at 2, 4, 5; in a plane to be sure that every coordinate counts. */
static const float line[] = { 0, 7, 1, 7, 10, 7, 2, 7, 4, 7, 5, 7 };
static const int line_labels[] = { 0, 0, 0, 1, 1, 1 };
static const struct meta_points on_line = { 6, 2, 2, line, line_labels };

static void scores_are(const double *scores, const double *expected, int n)
{
    for (int i = 0; i < n; i++) assert_near(scores[i], expected[i], 1e-6);
}

static void test_neighbours(void **state)
{
    struct meta_error error;
    static const float points[] = { .4f, 7, 2.9f, 7, 9, 7 };
    double scores[6];
    /* 0.4: 0, 1, 2; 2.9: 2, 4, 1; 9: 10, 5, 4 */
    static const double three[] = { 2 / 3., 1 / 3., 1 / 3., 2 / 3., 1 / 3., 2 / 3. };
    assert_int_equal(meta_classify_knn(&on_line, 3, points, 3, scores, &error), 0);
    scores_are(scores, three, 6);
    /* 9: 10; 2.9: 2; .4: 0 */
    static const double one[] = { 1, 0, 0, 1, 1, 0 };
    assert_int_equal(meta_classify_knn(&on_line, 1, points, 3, scores, &error), 0);
    scores_are(scores, one, 6);
    /* more than there are: all, a tie */
    static const double all[] = { .5, .5, .5, .5, .5, .5 };
    assert_int_equal(meta_classify_knn(&on_line, 100, points, 3, scores, &error), 0);
    scores_are(scores, all, 6);
    /* the second coordinate: far from all but alike, the order is that of the first */
    static const float far[] = { 9, 1000 };
    static const double far_one[] = { 1, 0 };
    assert_int_equal(meta_classify_knn(&on_line, 1, far, 1, scores, &error), 0);
    scores_are(scores, far_one, 2);
}

static void test_three_classes(void **state)
{
    struct meta_error error;
    static const float corners[] = { 0, 0, 4, 0, 0, 3 };
    static const int labels[] = { 2, 0, 1 };
    static const struct meta_points points = { 3, 2, 3, corners, labels };
    static const float at[] = { 3, .5f, .5f, .5f, 0, 2 };
    static const double nearest[] = { 1, 0, 0, 0, 0, 1, 0, 1, 0 };
    static const double two[] = { .5, 0, .5, 0, .5, .5, 0, .5, .5 };     /* from (.5,.5) the distances are .71, 3.54, 2.55 */
    double scores[9];
    assert_int_equal(meta_classify_knn(&points, 1, at, 3, scores, &error), 0);
    scores_are(scores, nearest, 9);
    assert_int_equal(meta_classify_knn(&points, 2, at, 3, scores, &error), 0);
    scores_are(scores, two, 9);
}

/* Two points: the plane is in the middle, at right angles to the line between, and the decision value is 1 at the points:
   w = 2 d / |d|^2 with d = b - a. Here a = (1, 1), b = (4, 5), |d| = 5: w = (.24, .32), w.x - rho = +-1. The multiplier 2 / |d|^2 = .08 is below the cost. */
static void test_two_points(void **state)
{
    struct meta_error error;
    static const float ends[] = { 4, 5, 1, 1 };
    static const int labels[] = { 1, 0 };
    static const struct meta_points points = { 2, 2, 2, ends, labels };
    static const float at[] = { 4, 5, 1, 1, 2.5f, 3, 6.5f, 3, 10, 10 };
    double scores[10];
    assert_int_equal(meta_classify_svm(&points, 1, at, 5, scores, &error), 0);
    /* .24 x + .32 y - 1.56 */
    static const double one[] = { 1, -1, 0, .96, 4.04 };
    for (int i = 0; i < 5; i++) {
        assert_near(scores[2 * i + 1], one[i], 1e-4);
        assert_near(scores[2 * i], -one[i], 1e-4);
    }
}

/* Points that don't decide move nothing: on one line, the margin's ends are -1 (class 0) and 3 (class 1): (x - 1) / 2. */
static void test_margin(void **state)
{
    struct meta_error error;
    static const float x[] = { -4, -1, 3, 5, 9 };
    static const int labels[] = { 0, 0, 1, 1, 1 };
    static const struct meta_points points = { 5, 1, 2, x, labels };
    static const float at[] = { -4, 1, 2, 9 };
    double scores[8];
    assert_int_equal(meta_classify_svm(&points, 1, at, 4, scores, &error), 0);
    static const double expected[] = { -2.5, 0, .5, 4 };
    for (int i = 0; i < 4; i++) assert_near(scores[2 * i + 1], expected[i], 1e-4);
}

/* A cost that binds: one point a class, at -1 and 1. The dual wants a multiplier of .5; at most .1 is allowed: w = .1 (1 - -1) = .2. */
static void test_cost(void **state)
{
    struct meta_error error;
    static const float x[] = { -1, 1 };
    static const int labels[] = { 0, 1 };
    static const struct meta_points points = { 2, 1, 2, x, labels };
    static const float at[] = { 3, -2 };
    double low[4];
    assert_int_equal(meta_classify_svm(&points, .1, at, 2, low, &error), 0);
    assert_near(low[1] - low[3], .2 * 5, 1e-4);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_neighbours), cmocka_unit_test(test_three_classes), cmocka_unit_test(test_two_points),
                                        cmocka_unit_test(test_margin), cmocka_unit_test(test_cost) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
