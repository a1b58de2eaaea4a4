/* Adapting and predicting from memory: against a worker's own answers, an image alone against the same among others, a head cut to fewer
   classes, folded normalisation, several threads at once, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "adapt_base.h"
#include "adaptation/support_check.h"
#include "stats/share.h"

static const float *const query = images + SUPPORT * IMAGE;

static struct meta_adapted *adapt(const struct meta_backend *backend, int steps)
{
    struct meta_error error;
    struct meta_adapted *a;
    struct meta_base base = base_of(backend);
    if (meta_adapt(&a, &base, &(struct meta_support){ images, labels, SUPPORT, OUTPUTS, 0, 1 }, steps, &error)) fail_msg("%s", error.text);
    return a;
}

static void near(const float *a, const float *b, int n, double tolerance)
{
    for (int i = 0; i < n; i++) assert_near(a[i], b[i], tolerance);
}

/* ---- against a worker ---------------------------------------------------------------------------------------------------- */

static void worker_answers(const struct meta_backend *backend, enum meta_bn bn, int steps, double *before, double *after)
{
    struct meta_error error;
    struct meta_worker *w;
    const struct meta_network *net = base_filled.network;
    struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .steps = steps, .learning_rate = RATE, .bn = bn, .running = base_filled.statistics };
    struct meta_task task = { images, labels, query, labels + SUPPORT, 0, 0, 0, NULL };
    struct meta_task_result result = { .scores_before = before, .query_scores = after };
    if (meta_worker_create(&w, net, backend, inner, &error)) fail_msg("%s", error.text);
    void *phi = backend->allocate(net->parameters * backend->element);
    backend->upload(phi, base_filled.parameters, net->parameters);
    meta_worker_adapt(w, phi, &task, steps, &result);
    backend->release(phi);
    meta_worker_free(w);
}

static void test_worker(void **state)
{
    for (int k = 0; k < 2; k++)
        for (int steps = 0; steps <= STEPS; steps += STEPS)
            for (enum meta_bn bn = META_BN_BATCH; bn <= META_BN_RUNNING; bn++) {
                float p[QUERY * OUTPUTS], plain[QUERY * OUTPUTS];
                double before[QUERY * OUTPUTS], after[QUERY * OUTPUTS];
                struct meta_adapted *a = adapt(backends[k], steps), *none = adapt(backends[k], 0);
                worker_answers(backends[k], bn, steps, before, after);
                predict(a, bn, query, QUERY, p);
                near_odds(p, after, QUERY * OUTPUTS, 1e-6);
                predict(none, bn, query, QUERY, plain);
                near_odds(plain, before, QUERY * OUTPUTS, 1e-6);
                if (steps) assert_true(a->loss_after < a->loss_before);
                else assert_near(a->loss_after, a->loss_before, 0);
                meta_adapted_free(a);
                meta_adapted_free(none);
            }
}

/* A temperature divides the logits of its own kind of statistics alone, also in the network that is written. */
static void test_temperature(void **state)
{
    struct meta_error error;
    struct meta_adapted *plain = adapt(backends[0], STEPS), *tempered;
    struct meta_base base = base_of(backends[0]);
    struct meta_support support = { images, labels, SUPPORT, OUTPUTS, 0, 1 };
    base.temperature[META_BN_SUPPORT] = 2.5;
    if (meta_adapt(&tempered, &base, &support, STEPS, &error)) fail_msg("%s", error.text);
    for (enum meta_bn bn = META_BN_BATCH; bn <= META_BN_RUNNING; bn++) {
        double divisor = bn == META_BN_SUPPORT ? 2.5 : 1, cold[QUERY * OUTPUTS], warm[QUERY * OUTPUTS];
        struct meta_network network;
        if (meta_adapted_predict(plain, bn, query, QUERY, (struct meta_answer){ .log_odds = cold }, &error)
            || meta_adapted_predict(tempered, bn, query, QUERY, (struct meta_answer){ .log_odds = warm }, &error)
            || meta_adapted_network(&network, tempered, bn, &error))
            fail_msg("%s", error.text);
        assert_near(network.layers[network.count - 1].temperature, divisor, 0);
        assert_near(tempered->filled.network->layers[network.count - 1].temperature, 1, 0);
        free(network.layers);
        for (int i = 0; i < QUERY; i++) { /* logarithms of probabilities are logits */
            double logits[OUTPUTS];
            for (int k = 0; k < OUTPUTS; k++) logits[k] = -meta_log_odds_loss(cold[i * OUTPUTS + k]) / divisor;
            meta_log_odds(logits, OUTPUTS, logits);
            for (int k = 0; k < OUTPUTS; k++) assert_near(warm[i * OUTPUTS + k], logits[k], 1e-12);
        }
    }
    assert_near(tempered->loss_after, plain->loss_after, 0);
    meta_adapted_free(plain);
    meta_adapted_free(tempered);
}

/* The three kinds of statistics are not the same answers, or the tests above would say nothing. */
static void test_kinds_differ(void **state)
{
    float p[3][QUERY * OUTPUTS];
    struct meta_adapted *a = adapt(backends[1], STEPS);
    for (int bn = 0; bn < 3; bn++) predict(a, bn, query, QUERY, p[bn]);
    for (int b = 0; b < 3; b++) {
        double most = 0;
        for (int i = 0; i < QUERY * OUTPUTS; i++) most = fmax(most, fabs(p[b][i] - p[(b + 1) % 3][i]));
        assert_true(most > 1e-3);
    }
    meta_adapted_free(a);
}

/* ---- statistics ---------------------------------------------------------------------------------------------------------- */

static void test_support_statistics(void **state)
{
    for (int k = 0; k < 2; k++) {
        float batch[SUPPORT * OUTPUTS], support[SUPPORT * OUTPUTS];
        struct meta_adapted *a = adapt(backends[k], STEPS);
        predict(a, META_BN_BATCH, images, SUPPORT, batch);
        predict(a, META_BN_SUPPORT, images, SUPPORT, support);
        near(batch, support, SUPPORT * OUTPUTS, 1e-5);
        double loss = 0;
        for (int i = 0; i < SUPPORT; i++) loss -= log(batch[i * OUTPUTS + labels[i]]) / SUPPORT;
        assert_near(a->loss_after, loss, 1e-5);
        meta_adapted_free(a);
    }
}

static void test_query_alone_or_with_others(void **state)
{
    struct meta_error error;
    struct meta_adapted *a = adapt(backends[1], STEPS);
    for (enum meta_bn bn = META_BN_SUPPORT; bn <= META_BN_RUNNING; bn++) {
        struct meta_predictor *three;
        float all[QUERY * OUTPUTS], one[OUTPUTS], by_three[QUERY * OUTPUTS];
        const float *statistics = meta_adapted_statistics(a, bn);
        predict(a, bn, query, QUERY, all);
        if (meta_predictor_create(&three, &a->filled, statistics, a->backend, 3, &error)) fail_msg("%s", error.text);
        assert_int_equal(meta_predictor_run(three, query, QUERY, (struct meta_answer){ .probabilities = by_three }, &error), 0);
        meta_predictor_free(three);
        near(all, by_three, QUERY * OUTPUTS, 1e-6);
        for (int i = 0; i < QUERY; i++) {
            predict(a, bn, query + i * IMAGE, 1, one);
            near(all + i * OUTPUTS, one, OUTPUTS, 1e-6);
        }
    }
    meta_adapted_free(a);
}

/* ---- networks made of others ----------------------------------------------------------------------------------------------- */

static void test_fewer_classes_than_outputs(void **state)
{
    struct meta_error error;
    struct meta_base base = base_of(backends[0]);
    struct meta_adapted *two, *three = adapt(backends[0], 0);
    int of_two[] = { 0, 1, 0, 1, 0, 1 };
    float p[QUERY * 2], all[QUERY * 3];
    assert_int_equal(meta_adapt(&two, &base, &(struct meta_support){ images, of_two, SUPPORT, 2, 0, 1 }, 0, &error), 0);
    assert_int_equal(meta_network_outputs(two->filled.network), 2);
    predict(two, META_BN_RUNNING, query, QUERY, p);
    predict(three, META_BN_RUNNING, query, QUERY, all);
    for (int i = 0; i < QUERY; i++)
        for (int c = 0; c < 2; c++) assert_near(p[2 * i + c], all[3 * i + c] / (all[3 * i] + all[3 * i + 1]), 1e-6);
    meta_adapted_free(two);
    meta_adapted_free(three);
}

static void test_fold(void **state)
{
    struct meta_error error;
    struct meta_filled folded = { 0 };
    struct meta_predictor *p;
    float a[QUERY * OUTPUTS], b[QUERY * OUTPUTS];
    int place[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    assert_int_equal(meta_network_create(&folded.network, base_filled.network->input, &error), 0);
    for (int i = 0; i < base_filled.network->count; i++) {
        assert_int_equal(meta_filled_copy_layer(&folded, &base_filled, i, 0, place, &error), 0);
        assert_int_equal(meta_filled_fold_last(&folded, &error), 0);
    }
    assert_int_equal(folded.network->statistics, 0);
    for (int k = 0; k < 2; k++) {
        if (meta_predictor_create(&p, &base_filled, base_filled.statistics, backends[k], QUERY, &error)) fail_msg("%s", error.text);
        assert_int_equal(meta_predictor_run(p, query, QUERY, (struct meta_answer){ .probabilities = a }, &error), 0);
        meta_predictor_free(p);
        if (meta_predictor_create(&p, &folded, NULL, backends[k], QUERY, &error)) fail_msg("%s", error.text);
        assert_int_equal(meta_predictor_run(p, query, QUERY, (struct meta_answer){ .probabilities = b }, &error), 0);
        meta_predictor_free(p);
        near(a, b, QUERY * OUTPUTS, 1e-5);
    }
    meta_filled_clear(&folded);
}

static void test_share_interval(void **state)
{
    double low, high;
    meta_share_interval(.8, 10, &low, &high);       /* Wilson, by hand */
    assert_near(low, .4901625, 1e-6);
    assert_near(high, .9433178, 1e-6);
    meta_share_interval(1, 10, &low, &high);
    assert_near(high, 1, 1e-12);
    assert_near(low, 10 / (10 + 3.8414588), 1e-6);
}

/* ---- threads ----------------------------------------------------------------------------------------------------------- */

static void test_mean_over_classes(void **state)
{
    int right[] = { 9, 3, 0 }, asked[] = { 10, 6, 0 }, none[] = { 0, 0, 0 }, even[] = { 5, 5, 5 };
    double cases;
    assert_near(meta_mean_over_classes(right, asked, 3, &cases), .7, 1e-12); /* not 12 of 16 */
    assert_near(cases, 4 / (1. / 10 + 1. / 6), 1e-12);
    assert_near(meta_mean_over_classes((int[]){ 4, 3, 2 }, even, 3, &cases), 9. / 15, 1e-12);
    assert_near(cases, 15, 1e-12);
    assert_true(isnan(meta_mean_over_classes(right, none, 3, &cases)));
}

/* Four images of one class and one of the other: the loss is the mean over the classes, and equals the mean over the images where
   the classes have as many. */
static void test_balance(void **state)
{
    struct meta_error error;
    struct meta_base base = base_of(backends[0]);
    int of[5] = { 0, 0, 0, 0, 1 };
    float p[5 * 2], q[QUERY * OUTPUTS], r[QUERY * OUTPUTS];
    double loss[2] = { 0 };
    struct meta_adapted *a[2];
    struct meta_support s = { images, of, 5, 2, 0, 1 }, plain = s, even = { images, labels, SUPPORT, OUTPUTS, 0, 1 };
    plain.plain = 1;
    assert_int_equal(meta_adapt(&a[0], &base, &s, 0, &error), 0);
    assert_int_equal(meta_adapt(&a[1], &base, &plain, 0, &error), 0);
    predict(a[0], META_BN_BATCH, images, 5, p);
    for (int i = 0; i < 5; i++) loss[of[i]] -= log(p[2 * i + of[i]]);
    assert_near(a[0]->loss_before, (loss[0] / 4 + loss[1]) / 2, 1e-5);
    assert_near(a[1]->loss_before, (loss[0] + loss[1]) / 5, 1e-5);
    assert_true(fabs(a[0]->loss_before - a[1]->loss_before) > 1e-3);
    for (int k = 0; k < 2; k++) meta_adapted_free(a[k]);
    for (int k = 0; k < 2; k++, even.plain = 1) {
        assert_int_equal(meta_adapt(&a[k], &base, &even, STEPS, &error), 0);
        predict(a[k], META_BN_SUPPORT, query, QUERY, k ? q : r);
    }
    assert_memory_equal(q, r, sizeof q);
    for (int k = 0; k < 2; k++) meta_adapted_free(a[k]);
}

static void *adapt_and_predict(void *out)
{
    for (int i = 0; i < 3; i++) {
        struct meta_adapted *a = adapt(backends[1], STEPS);
        predict(a, META_BN_SUPPORT, query, QUERY, out);
        meta_adapted_free(a);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    float p[5][QUERY * OUTPUTS];
    adapt_and_predict(p[4]);
    for (int t = 0; t < 4; t++) assert_int_equal(pthread_create(&threads[t], NULL, adapt_and_predict, p[t]), 0);
    for (int t = 0; t < 4; t++) pthread_join(threads[t], NULL);
    for (int t = 0; t < 4; t++) assert_memory_equal(p[t], p[4], sizeof *p);
}

/* ---- what is refused ----------------------------------------------------------------------------------------------------- */

static void refuses(const char *what, struct meta_support s, int steps, double rate)
{
    struct meta_error error;
    struct meta_adapted *a;
    struct meta_base base = base_of(backends[1]);
    base.learning_rate = rate;
    assert_int_equal(meta_adapt(&a, &base, &s, steps, &error), -1);
    if (!strstr(error.text, what)) fail_msg("%s", error.text);
}

static void test_errors(void **state)
{
    struct meta_error error;
    struct meta_predictor *p;
    float out[QUERY * OUTPUTS];
    int wrong[SUPPORT] = { 0, 1, 2, 3, 0, 1 }, lacking[SUPPORT] = { 0, 2, 0, 2, 0, 2 };
    refuses("4 classes: must be 2 to 3", (struct meta_support){ images, labels, SUPPORT, 4, 0, 1 }, 1, RATE);
    refuses("1 classes: must be 2 to 3", (struct meta_support){ images, labels, SUPPORT, 1, 0, 1 }, 1, RATE);
    refuses("2 images of 3 classes", (struct meta_support){ images, labels, 2, 3, 0, 1 }, 1, RATE);
    refuses("label 3 of image 3: must be 0 to 2", (struct meta_support){ images, wrong, SUPPORT, 3, 0, 1 }, 1, RATE);
    refuses("class 1 has no image", (struct meta_support){ images, lacking, SUPPORT, 3, 0, 1 }, 1, RATE);
    refuses("-1 steps", (struct meta_support){ images, labels, SUPPORT, 3, 0, 1 }, -1, RATE);
    refuses("learning_rate=1e+30 is too high", (struct meta_support){ images, labels, SUPPORT, 3, 0, 1 }, 3, 1e30);
    assert_int_equal(meta_predictor_create(&p, &base_filled, NULL, backends[1], 0, &error), -1);
    assert_int_equal(meta_predictor_create(&p, &base_filled, NULL, backends[1], 3, &error), 0);
    assert_int_equal(meta_predictor_run(p, query, 2, (struct meta_answer){ .probabilities = out }, &error), -1);
    meta_predictor_free(p);
    /* the [connected] that is normalised has a map of one pixel */
    assert_int_equal(meta_predictor_create(&p, &base_filled, NULL, backends[1], 1, &error), -1);
    assert_non_null(strstr(error.text, "[connected] of line 0: batch_normalize=1: 1 image x a map of 1x1 = 1 value a channel"));
    assert_int_equal(meta_predictor_create(&p, &base_filled, base_filled.statistics, backends[1], 1, &error), 0);
    meta_predictor_free(p);
}

/* Whether a worker with these images and steps is refused, and by which layer's line. */
static void worker_is_refused(int refused, int support, int query_count, int steps, int order, enum meta_bn bn)
{
    struct meta_error error;
    struct meta_worker *w = NULL;
    struct meta_inner how = { .support = support, .query = query_count, .steps = steps, .order = order, .bn = bn,
                              .running = base_filled.statistics };
    assert_int_equal(meta_worker_create(&w, base_filled.network, backends[1], how, &error), refused ? -1 : 0);
    if (refused) assert_non_null(strstr(error.text, "= 1 value a channel"));
    else meta_worker_free(w);
}

static void test_lone_values(void **state)
{
    worker_is_refused(1, 1, 2, 1, 1, META_BN_BATCH);
    worker_is_refused(1, 2, 1, 1, 2, META_BN_BATCH);
    worker_is_refused(1, 2, 1, 0, 1, META_BN_BATCH);
    worker_is_refused(1, 2, 1, 1, 0, META_BN_BATCH);
    worker_is_refused(0, 2, 1, 1, 0, META_BN_SUPPORT); /* the query image is normalised by others' statistics */
    worker_is_refused(0, 1, 1, 0, 0, META_BN_RUNNING);
    worker_is_refused(0, 2, 2, 1, 2, META_BN_BATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_temperature), cmocka_unit_test(test_worker), cmocka_unit_test(test_kinds_differ), cmocka_unit_test(test_support_statistics), cmocka_unit_test(test_query_alone_or_with_others),
        cmocka_unit_test(test_fewer_classes_than_outputs), cmocka_unit_test(test_fold), cmocka_unit_test(test_share_interval), cmocka_unit_test(test_mean_over_classes), cmocka_unit_test(test_balance), cmocka_unit_test(test_threads), cmocka_unit_test(test_errors), cmocka_unit_test(test_lone_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
