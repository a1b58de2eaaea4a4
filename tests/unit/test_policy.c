/* meta_policy_rate against get_current_rate of the stock library, every policy, every iteration of a run. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include "learning/policy.h"
#include <darknet.h>

static double steps_values[] = { 3, 50, 51, 400 }, scales_values[] = { .1, 10, .5, .3 };
static int stock_steps[] = { 3, 50, 51, 400 };
static float stock_scales[] = { .1, 10, .5, .3 };

static const struct meta_net_settings base = {
    .learning_rate = .0013, .step = 37, .scale = .7, .gamma = .93, .power = 4, .max_batches = 600,
    .steps = { 4, steps_values }, .scales = { 4, scales_values }
};

static float stock_rate(const struct meta_net_settings *s, learning_rate_policy policy, size_t batch_number)
{
    size_t seen = batch_number * 6;
    network net = { .seen = &seen, .batch = 3, .subdivisions = 2, .policy = policy, .learning_rate = s->learning_rate,
                    .step = s->step, .scale = s->scale, .gamma = s->gamma, .power = s->power, .burn_in = s->burn_in,
                    .max_batches = s->max_batches, .steps = stock_steps, .scales = stock_scales, .num_steps = 4 };
    return get_current_rate(&net);
}

static void compare(enum meta_policy ours, learning_rate_policy stock, double gamma)
{
    int burns[] = { 0, 20 };
    for (int b = 0; b < 2; b++) {
        struct meta_net_settings s = base;
        s.policy = ours;
        s.gamma = gamma;
        s.burn_in = burns[b];
        float first = stock_rate(&s, stock, 1), last = 0;
        int changed = 0;
        for (int i = 1; i <= s.max_batches; i++) {
            last = stock_rate(&s, stock, i);
            changed |= last != first;
            double got = meta_policy_rate(&s, i);
            if (got != last) fail_msg("policy %d burn_in %d iteration %d: %.9g, stock %.9g", ours, s.burn_in, i, got, last);
        }
        assert_int_equal(changed, ours != META_POLICY_CONSTANT || s.burn_in);
    }
}

static void test_constant(void **state) { compare(META_POLICY_CONSTANT, CONSTANT, .93); }
static void test_step(void **state) { compare(META_POLICY_STEP, STEP, .93); }
static void test_exp(void **state) { compare(META_POLICY_EXP, EXP, .993); }
static void test_poly(void **state) { compare(META_POLICY_POLY, POLY, .93); }
static void test_steps(void **state) { compare(META_POLICY_STEPS, STEPS, .93); }
static void test_sigmoid(void **state) { compare(META_POLICY_SIGMOID, SIG, .1); compare(META_POLICY_SIGMOID, SIG, -.1); }

/* Half a turn of a cosine: the whole rate at first, half of it in the middle, 0 at the end and after it. */
static void test_cosine(void **state)
{
    struct meta_net_settings s = base;
    s.learning_rate = 1;
    s.policy = META_POLICY_COSINE;
    for (int i = 1; i <= s.max_batches; i++) {
        double got = meta_policy_rate(&s, i);
        assert_near(got, cos(3.14159265358979 * i / 1200) * cos(3.14159265358979 * i / 1200), 1e-7);
        assert_true(got < meta_policy_rate(&s, i - 1));
    }
    assert_near(meta_policy_rate(&s, 300), .5, 1e-7);
    assert_near(meta_policy_rate(&s, 100), .9330127, 1e-7);
    assert_near(meta_policy_rate(&s, 600), 0, 0);
    assert_near(meta_policy_rate(&s, 601), 0, 0);
    s.burn_in = 10;
    assert_near(meta_policy_rate(&s, 5), .0625, 1e-7);
    assert_near(meta_policy_rate(&s, 300), .5, 1e-7);
    assert_true(meta_policy_reads_end(&s));
    s.policy = META_POLICY_POLY;
    assert_true(meta_policy_reads_end(&s));
    s.policy = META_POLICY_STEPS;
    assert_true(!meta_policy_reads_end(&s));
}

/* Written out by hand, so that both programs can't be wrong alike. */
static void test_known_values(void **state)
{
    struct meta_net_settings s = base;
    s.learning_rate = 1;
    s.policy = META_POLICY_STEPS;
    assert_near(meta_policy_rate(&s, 2), 1, 0);
    assert_near(meta_policy_rate(&s, 3), .1, 1e-7);
    assert_near(meta_policy_rate(&s, 50), 1, 1e-7);
    assert_near(meta_policy_rate(&s, 600), .15, 1e-7);
    s.policy = META_POLICY_POLY;
    assert_near(meta_policy_rate(&s, 300), .0625, 1e-7);
    assert_near(meta_policy_rate(&s, 600), 0, 0);
    s.burn_in = 10;
    assert_near(meta_policy_rate(&s, 5), .0625, 1e-7);
    s.policy = META_POLICY_STEP;
    s.step = 100;
    assert_near(meta_policy_rate(&s, 299), .49, 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_step), cmocka_unit_test(test_exp), cmocka_unit_test(test_poly),
        cmocka_unit_test(test_steps), cmocka_unit_test(test_sigmoid), cmocka_unit_test(test_cosine), cmocka_unit_test(test_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
