/* Calibration figures and temperatures against NumPy, SciPy and scikit-learn (tests/oracle/calibration.txt), at the edges of
   bins, with answers that are no numbers, and their intervals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "engine/log_odds.h"
#include "near.h"
#include "stats/calibration.h"
#include "stats/temperature.h"

enum { MOST = 400 };

static struct meta_error error;
static double logs[MOST], raw[MOST];
static int labels[MOST];

struct oracle {
    int ways, tasks, images;
    double nll, brier, ece, temperature, after;
    struct meta_calibration_bin bins[META_CALIBRATION_BINS];
};

/* The logarithms that `meta test` takes from its scores. */
static void to_logs(const double *logits, int n, int ways)
{
    for (int i = 0; i < n; i++) {
        double *own = logs + i * ways;
        meta_log_odds(logits + i * ways, ways, own);
        for (int k = 0; k < ways; k++) own[k] = -meta_log_odds_loss(own[k]);
    }
}

/* Reads the next case with its images; 0: there is none. */
static int read_case(FILE *f, struct oracle *o)
{
    if (fscanf(f, " case %d %d %d", &o->ways, &o->tasks, &o->images) != 3) return 0;
    assert_int_equal(fscanf(f, " figures %lf %lf %lf", &o->nll, &o->brier, &o->ece), 3);
    for (int b = 0; b < META_CALIBRATION_BINS; b++)
        assert_int_equal(fscanf(f, " bin %lf %lf %lf", &o->bins[b].count, &o->bins[b].confidence,
                                &o->bins[b].correct), 3);
    assert_int_equal(fscanf(f, " temperature %lf %lf", &o->temperature, &o->after), 2);
    int n = o->tasks * o->images;
    assert_true(n * o->ways <= MOST);
    for (int i = 0; i < n; i++) {
        assert_int_equal(fscanf(f, " image %d", &labels[i]), 1);
        for (int k = 0; k < o->ways; k++) assert_int_equal(fscanf(f, "%lf", &raw[i * o->ways + k]), 1);
    }
    to_logs(raw, n, o->ways);
    return 1;
}

static FILE *open_oracle(void)
{
    FILE *f = fopen("tests/oracle/calibration.txt", "r");
    if (!f) fail_msg("tests/oracle/calibration.txt can't be read");
    return f;
}

static void test_figures(void **state)
{
    FILE *f = open_oracle();
    struct oracle o;
    int cases = 0;
    for (; read_case(f, &o); cases++) {
        struct meta_calibration c;
        meta_calibration_task(&c, logs, labels, o.tasks * o.images, o.ways);
        assert_near(c.nll, o.nll, 1e-12);
        assert_near(c.brier, o.brier, 1e-12);
        assert_near(meta_calibration_error(c.bins), o.ece, 1e-12);
        for (int b = 0; b < META_CALIBRATION_BINS; b++) {
            assert_true(c.bins[b].count == o.bins[b].count && c.bins[b].correct == o.bins[b].correct);
            assert_near(c.bins[b].confidence, o.bins[b].confidence, 1e-12);
        }
    }
    fclose(f);
    assert_int_equal(cases, 3);
}

/* Task by task, as `meta test` has them, it is the same error over all images. */
static void test_tasks(void **state)
{
    FILE *f = open_oracle();
    struct oracle o;
    while (read_case(f, &o)) {
        struct meta_calibration tasks[8];
        struct meta_estimate e, again;
        for (int t = 0; t < o.tasks; t++)
            meta_calibration_task(&tasks[t], logs + t * o.images * o.ways, labels, o.images, o.ways);
        if (meta_calibration_estimate(&e, tasks, sizeof *tasks, o.tasks, &error)
            || meta_calibration_estimate(&again, tasks, sizeof *tasks, o.tasks, &error))
            fail_msg("%s", error.text);
        assert_near(e.mean, o.ece, 1e-12);
        assert_true(e.n == o.tasks && e.error > 0 && e.low >= 0 && e.low < e.high && e.high <= 1);
        assert_true(e.error == again.error && e.low == again.low && e.high == again.high);
        meta_calibration_estimate(&e, tasks, sizeof *tasks, 1, &error);
        assert_true(isnan(e.error) && isnan(e.low) && isnan(e.high));
    }
    fclose(f);
}

static void test_edges(void **state)
{
    struct meta_calibration c;
    /* a probability on an edge is in the bin below it */
    for (int b = 8; b <= META_CALIBRATION_BINS; b++) {
        double p = (double)b / META_CALIBRATION_BINS;
        double pair[] = { log(p), log(1 - p) };
        if (exp(pair[0]) != p) pair[0] = nextafter(pair[0], -1);
        if (b == META_CALIBRATION_BINS) pair[1] = -800;
        labels[0] = 0;
        meta_calibration_task(&c, pair, labels, 1, 2);
        assert_true(c.bins[b - 1].count == 1 && c.bins[b - 1].correct == 1);
    }
    const double above[] = { log(8. / 15 + 1e-9), log(7. / 15 - 1e-9) };
    meta_calibration_task(&c, above, labels, 1, 2);
    assert_true(c.bins[8].count == 1);
    /* of equal probabilities the first is the answer, as for the accuracy */
    const double even[] = { log(.5), log(.5) };
    labels[0] = 1;
    meta_calibration_task(&c, even, labels, 1, 2);
    assert_true(c.bins[7].count == 1 && c.bins[7].correct == 0 && c.brier == .25);
    struct meta_calibration_bin none[META_CALIBRATION_BINS] = { 0 };
    assert_true(isnan(meta_calibration_error(none)));
}

/* A task that diverged counts as one of which nothing is known. */
static void test_not_numbers(void **state)
{
    struct meta_calibration c;
    const double one[] = { NAN, NAN, -INFINITY, 0 };
    labels[0] = 0;
    labels[1] = 1;
    meta_calibration_task(&c, one, labels, 2, 2);
    assert_near(c.nll, log(2), 1e-15);
    assert_near(c.brier, .25, 1e-15);
    assert_true(c.bins[7].count == 2 && c.bins[7].confidence == 1 && c.bins[7].correct == 1);
    assert_true(meta_calibration_error(c.bins) == 0);
    const double three[] = { NAN, 0, 0 };
    meta_calibration_task(&c, three, labels, 1, 3);
    assert_near(c.nll, log(3), 1e-15);
    assert_near(c.brier, 2. / 3, 1e-15);
    assert_true(c.bins[4].count == 1);
}

/* Answers that are as sure as they are right: chance alone makes an error, and the interval reaches down to 0. Answers that are
   always 30% too sure: the interval has their error. */
static void test_intervals(void **state)
{
    enum { TASKS = 60, IMAGES = 20 };
    static struct meta_calibration right[TASKS], sure[TASKS];
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, 0, 0, 0);
    struct meta_estimate e;
    for (int t = 0; t < TASKS; t++)
        for (int kind = 0; kind < 2; kind++) {
            for (int i = 0; i < IMAGES; i++) {
                double p = .7 + .3 * meta_rng_uniform(&rng);
                labels[i] = meta_rng_uniform(&rng) > (kind ? p - .3 : p);
                logs[2 * i] = log(p);
                logs[2 * i + 1] = log1p(-p);
            }
            meta_calibration_task(kind ? &sure[t] : &right[t], logs, labels, IMAGES, 2);
        }
    if (meta_calibration_estimate(&e, right, sizeof *right, TASKS, &error)) fail_msg("%s", error.text);
    assert_true(e.mean > 0 && e.low < .005 && e.high < .05);
    if (meta_calibration_estimate(&e, sure, sizeof *sure, TASKS, &error)) fail_msg("%s", error.text);
    assert_true(e.low < .3 && e.high > .3 && e.high - e.low < .12);
}

static struct meta_temperature_answers answers(const struct oracle *o)
{
    return (struct meta_temperature_answers){ o->tasks, o->images, o->ways, logs, labels };
}

static void test_temperature(void **state)
{
    FILE *f = open_oracle();
    struct oracle o;
    while (read_case(f, &o)) {
        struct meta_temperature_fit fit;
        struct meta_temperature_answers a = answers(&o);
        if (meta_temperature_fit(&fit, &a, &error)) fail_msg("%s", error.text);
        assert_near(fit.temperature, o.temperature, 1e-9 * o.temperature);
        assert_near(fit.before, o.nll, 1e-12);
        assert_near(fit.after, o.after, 1e-12);
        assert_true(fit.after <= fit.before && fit.low < fit.temperature && fit.high > fit.temperature);
        /* what is tempered has that likelihood, and needs no temperature any more */
        struct meta_calibration c;
        meta_temper(logs, o.tasks * o.images, o.ways, fit.temperature);
        meta_calibration_task(&c, logs, labels, o.tasks * o.images, o.ways);
        assert_near(c.nll, o.after, 1e-12);
        if (meta_temperature_fit(&fit, &a, &error)) fail_msg("%s", error.text);
        assert_near(fit.temperature, 1, 1e-9);
    }
    fclose(f);
}

/* An answer that is no number is left out; the interval narrows with more tasks. */
static void test_left_out(void **state)
{
    FILE *f = open_oracle();
    struct oracle o;
    struct meta_temperature_fit fit, less;
    assert_true(read_case(f, &o));
    fclose(f);
    struct meta_temperature_answers a = answers(&o);
    if (meta_temperature_fit(&fit, &a, &error)) fail_msg("%s", error.text);
    logs[0] = NAN;
    if (meta_temperature_fit(&less, &a, &error)) fail_msg("%s", error.text);
    assert_true(less.left_out == 1 && !fit.left_out && less.temperature != fit.temperature);
    a.tasks = 1;
    if (meta_temperature_fit(&less, &a, &error)) fail_msg("%s", error.text);
    assert_true(isnan(less.low) && isnan(less.high));
}

static void expect_failure(const struct meta_temperature_answers *a, const char *message)
{
    struct meta_temperature_fit fit;
    assert_int_equal(meta_temperature_fit(&fit, a, &error), -1);
    assert_string_equal(error.text, message);
}

static void test_refusals(void **state)
{
    static const double right[] = { 3, 0, 0, 1 }, wrong[] = { 0, 3, 1, 0 }, none[] = { NAN, 0, 0, NAN };
    struct meta_temperature_answers a = { 1, 2, 2, right, labels };
    labels[0] = 0;
    labels[1] = 1;
    expect_failure(&a, "every answer is right, so that no temperature is too low for them");
    a.logs = wrong;
    expect_failure(&a, "the answers tell the classes apart no better than chance");
    a.logs = none;
    expect_failure(&a, "no answer to a task is a number");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),     cmocka_unit_test(test_tasks),
        cmocka_unit_test(test_edges),       cmocka_unit_test(test_not_numbers),
        cmocka_unit_test(test_intervals),   cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_left_out),    cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
