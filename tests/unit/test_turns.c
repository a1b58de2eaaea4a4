/* The symmetries of a picture, and the mean of several answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "engine/log_odds.h"
#include "images/turns.h"
#include "near.h"

static void test_square(void **state)
{
    static const float image[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30, 40, 50, 60, 70, 80, 90 }; /* (2, 3, 3) */
    static const float first[8][3] = { { 1, 2, 3 }, { 3, 2, 1 }, { 7, 8, 9 }, { 9, 8, 7 }, { 1, 4, 7 }, { 7, 4, 1 }, { 3, 6, 9 }, { 9, 6, 3 } };
    float out[8][18], back[18];
    assert_int_equal(meta_turns(3, 3), 8);
    for (int t = 0; t < 8; t++) {
        double sum = 0;
        meta_turn(out[t], image, 2, 3, 3, t);
        for (int k = 0; k < 3; k++) assert_true(out[t][k] == first[t][k] && out[t][9 + k] == 10 * first[t][k]);
        for (int k = 0; k < 18; k++) sum += out[t][k];
        assert_true(sum == 495 && out[t][4] == 5); /* the middle stays */
        for (int other = 0; other < t; other++) assert_memory_not_equal(out[t], out[other], sizeof *out);
        int found = 0; /* each has another that undoes it */
        for (int u = 0; u < 8; u++) {
            meta_turn(back, out[t], 2, 3, 3, u);
            found += !memcmp(back, image, sizeof image);
        }
        assert_int_equal(found, 1);
    }
}

static void test_oblong(void **state)
{
    static const float image[] = { 1, 2, 3, 4, 5, 6 }; /* (1, 2, 3) */
    static const float expected[4][6] = { { 1, 2, 3, 4, 5, 6 }, { 3, 2, 1, 6, 5, 4 }, { 4, 5, 6, 1, 2, 3 }, { 6, 5, 4, 3, 2, 1 } };
    float out[6];
    assert_int_equal(meta_turns(2, 3), 4);
    for (int t = 0; t < 4; t++) {
        meta_turn(out, image, 1, 2, 3, t);
        assert_memory_equal(out, expected[t], sizeof out);
    }
}

static void test_mean(void **state)
{
    double two[] = { log(.9 / .1), log(.1 / .9), log(.5 / .5), 0 }, out[3];
    meta_log_odds_mean(two, 2, 2, out);
    assert_near(meta_log_odds_probability(out[1]), .3, 1e-15);
    assert_near(meta_log_odds_probability(out[0]), .7, 1e-15);
    const double three[] = { log(.2 / .8), log(.3 / .7), 0, log(.6 / .4), log(.3 / .7), log(.1 / .9) };
    meta_log_odds_mean(three, 2, 3, out);
    assert_near(meta_log_odds_probability(out[0]), .4, 1e-15);
    assert_near(meta_log_odds_probability(out[1]), .3, 1e-15);
    assert_near(meta_log_odds_probability(out[2]), .3, 1e-15);
    /* where probabilities round to 1, means still rank: the odds against are those of the less sure answer, halved */
    const double sure[] = { 60, -60, 50, -50 }, surer[] = { 60, -60, 51, -51 };
    double less[2], more[2];
    meta_log_odds_mean(sure, 2, 2, less);
    meta_log_odds_mean(surer, 2, 2, more);
    assert_near(less[0], 50 + log(2), 1e-3);
    assert_near(more[0], 51 + log(2), 1e-3);
    assert_true(less[1] == -less[0]);
    const double bad[] = { 1, -1, NAN, NAN };
    meta_log_odds_mean(bad, 2, 2, out);
    assert_true(isnan(out[0]) && isnan(out[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_square), cmocka_unit_test(test_oblong), cmocka_unit_test(test_mean) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
