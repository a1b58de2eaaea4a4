/* Leave-one-out of the images that a network is adapted to: against adapting to those that stay. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "adapt_base.h"
#include "adaptation/support_check.h"

static int leave_one_out(const struct meta_base *base, const struct meta_support *s, const int *groups, struct meta_pool *pool,
                         double *log_odds, int *predicted)
{
    struct meta_error error;
    char *paths[SUPPORT] = { "0.png", "1.png", "2.png", "3.png", "4.png", "5.png" };
    struct meta_leave_one_out how = { groups, paths, STEPS, META_BN_SUPPORT, pool, log_odds, predicted };
    if (!meta_leave_one_out(base, s, &how, &error)) return 0;
    if (strncmp(error.text, "leave-one-out, without ", 23) || !strstr(error.text, ".png: ")) fail_msg("%s", error.text);
    return -1;
}

/* Six images, labels 0 1 2 0 1 2: without the first go the first of the other classes, too. */
static void test_leave_one_out(void **state)
{
    struct meta_error error;
    struct meta_pool *pool;
    struct meta_base base = base_of(backends[1]);
    struct meta_support all = { images, labels, SUPPORT, OUTPUTS, 0, 1 }, half = { images + 3 * IMAGE, labels + 3, 3, OUTPUTS, 0, 1 };
    double p[SUPPORT * OUTPUTS];
    float alone[OUTPUTS];
    int predicted[SUPPORT], groups[SUPPORT] = { 4, -1, -1, 4, -1, -1 };
    struct meta_adapted *a;
    assert_int_equal(meta_pool_create(&pool, 2, &error), 0);
    assert_int_equal(leave_one_out(&base, &all, NULL, pool, p, predicted), 0);
    assert_int_equal(meta_adapt(&a, &base, &half, STEPS, &error), 0);
    for (int i = 0; i < 3; i++) {
        assert_true(predicted[i] && predicted[i + 3]);
        predict(a, META_BN_SUPPORT, images + i * IMAGE, 1, alone);
        near_odds(alone, p + i * OUTPUTS, OUTPUTS, 1e-6);
    }
    meta_adapted_free(a);
    double rate = base.learning_rate;
    base.learning_rate = 1e30;
    assert_int_equal(leave_one_out(&base, &all, NULL, pool, p, predicted), -1);
    base.learning_rate = rate;
    assert_int_equal(leave_one_out(&base, &all, groups, pool, p, predicted), 0);
    assert_true(!predicted[0] && predicted[1] && predicted[2] && !predicted[3]);
    meta_pool_free(pool);
}

/* What is answered about image 0 is what the others that are named answer. */
static void answers_as(const struct meta_base *base, const struct meta_support *s, const int *groups, struct meta_pool *pool,
                       const int *stay, int count)
{
    struct meta_error error;
    double p[SUPPORT * OUTPUTS];
    float *some = malloc(count * IMAGE * sizeof *some), alone[OUTPUTS];
    int predicted[SUPPORT], of[SUPPORT];
    struct meta_adapted *a;
    for (int i = 0; i < count; i++) {
        memcpy(some + i * IMAGE, s->images + stay[i] * IMAGE, IMAGE * sizeof *some);
        of[i] = s->labels[stay[i]];
    }
    assert_int_equal(leave_one_out(base, s, groups, pool, p, predicted), 0);
    assert_true(predicted[0]);
    assert_int_equal(meta_adapt(&a, base, &(struct meta_support){ some, of, count, 2, 0, 1 }, STEPS, &error), 0);
    predict(a, META_BN_SUPPORT, s->images, 1, alone);
    near_odds(alone, p, 2, 1e-6);
    meta_adapted_free(a);
    free(some);
}

/* A group takes as many of the other class, of which one stays; those that it takes there itself are among them. */
static void test_leave_a_group_out(void **state)
{
    struct meta_error error;
    struct meta_pool *pool;
    struct meta_base base = base_of(backends[1]);
    int of_two[] = { 0, 1, 0, 1, 0, 1 }, many[] = { 0, 0, 0, 0, 1, 1 };
    int pair[] = { 4, -1, 4, -1, -1, -1 }, three[] = { 4, 4, 4, -1, -1, -1 };
    struct meta_support even = { images, of_two, SUPPORT, 2, 0, 1 }, uneven = { images, many, SUPPORT, 2, 0, 1 };
    assert_int_equal(meta_pool_create(&pool, 2, &error), 0);
    answers_as(&base, &even, pair, pool, (int[]){ 4, 5 }, 2);
    answers_as(&base, &even, three, pool, (int[]){ 4, 5 }, 2);
    answers_as(&base, &even, NULL, pool, (int[]){ 2, 3, 4, 5 }, 4);
    answers_as(&base, &uneven, three, pool, (int[]){ 3, 5 }, 2);
    meta_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_leave_one_out), cmocka_unit_test(test_leave_a_group_out) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
