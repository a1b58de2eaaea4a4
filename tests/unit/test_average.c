/* [net] average: the average itself, and what a training makes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "near.h"
#include "toy_training.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include "base/file.h"
#include "learning/rates_file.h"
#include "network/rolling.h"
#include "network/weights.h"
#include "training/average.h"

/* ---- by hand ---------------------------------------------------------------------------------------------------------------- */

static struct meta_network *network(void)
{
    struct meta_network *net;
    if (meta_network_create(&net, (struct meta_shape){ 1, 4, 4 }, &error)
        || meta_network_add(net, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 3, .size = 3, .stride = 1, .padding = 1,
                                                      .batch_normalize = 1, .activation = META_RELU }, &error))
        fail_msg("%s", error.text);
    return net;
}

static float number(int what, int iteration, size_t i) { return sinf(what + 3 * iteration + .7f * i); }

/* sum of a^(n-i) x_i over the sum of a^(n-i), statistics after their correction by the batches so far, two an iteration */
static void follows_its_definition(void **state)
{
    enum { LAST = 40, RATES = 5 };
    const struct meta_backend *both[] = { &meta_backend_onednn, &meta_backend_reference };
    static const double as[] = { .5, .9, .999, .000001 };
    struct meta_network *net = network();
    size_t n = net->parameters, m = net->statistics;
    for (int k = 0; k < 8; k++) {
        const struct meta_backend *b = both[k % 2];
        const double a = as[k / 2];
        struct meta_average *average, *other;
        double parameters[n], statistics[m], rates[RATES] = { 0 }, weights = 0;
        float phi[n], rolling[m], rate[RATES], got[n], moved[m], mean[RATES];
        memset(parameters, 0, sizeof parameters);
        memset(statistics, 0, sizeof statistics);
        if (b->open(&error) || meta_average_create(&average, net, b, a, RATES, &error) || meta_average_create(&other, net, b, a, RATES, &error))
            fail_msg("%s", error.text);
        void *vector = b->allocate(n * b->element), *saved = malloc(meta_average_bytes(average)), *again = malloc(meta_average_bytes(average));
        assert_int_equal(meta_average_bytes(average) % 16, 0);
        assert_int_equal(meta_average_count(average), 0);
        for (int it = 1; it <= LAST; it++) {
            for (size_t i = 0; i < n; i++) phi[i] = number(0, it, i);
            for (size_t i = 0; i < m; i++) rolling[i] = number(1, it, i) * (1 - powf(.99f, 2 * it));
            b->upload(vector, phi, n);
            for (int i = 0; i < RATES; i++) rate[i] = number(2, it, i);
            meta_average_add(it > LAST / 2 ? other : average, &(struct meta_left){ vector, rolling, 2 * it, rate });
            weights = a * weights + 1;
            for (size_t i = 0; i < n; i++) parameters[i] = a * parameters[i] + phi[i];
            for (size_t i = 0; i < m; i++) statistics[i] = a * statistics[i] + number(1, it, i);
            for (int i = 0; i < RATES; i++) rates[i] = a * rates[i] + rate[i];
            meta_average_download(it > LAST / 2 ? other : average, got, moved, mean);
            for (int i = 0; i < RATES; i++) assert_near(mean[i], rates[i] / weights, 1e-6);
            for (size_t i = 0; i < n; i++) assert_near(got[i], parameters[i] / weights, 1e-6);
            for (size_t i = 0; i < m; i++) assert_near(moved[i], statistics[i] / weights, 1e-5);
            if (it == 1) assert_memory_equal(got, phi, sizeof got);
            if (it != LAST / 2) continue;
            meta_average_save(average, saved);      /* goes on from a checkpoint */
            meta_average_load(other, saved);
            meta_average_save(other, again);
            assert_memory_equal(saved, again, meta_average_bytes(average));
            assert_int_equal(meta_average_count(other), it);
        }
        free(saved);
        free(again);
        b->release(vector);
        meta_average_free(average);
        meta_average_free(other);
    }
    meta_network_free(net);
}

/* ---- trainings ------------------------------------------------------------------------------------------------------------------ */

static const char *path_of(const struct place *p, const char *name)
{
    static char path[500];
    snprintf(path, sizeof path, "%s/backup/%s", p->folder, name);
    return path;
}

static void read_weights(const struct meta_trainer *t, const struct place *p, const char *name, float *parameters, float *statistics,
                         struct meta_weights_head *told)
{
    if (meta_weights_read(meta_trainer_model(t)->network, path_of(p, name), parameters, statistics, told, &error)) fail_msg("%s", error.text);
}

static int same(const struct place *a, const struct place *b, const char *name)
{
    char *one, *two;
    size_t m, n;
    if (meta_file_read(path_of(a, name), &one, &m, &error) || meta_file_read(path_of(b, name), &two, &n, &error)) fail_msg("%s", error.text);
    int equal = m == n && !memcmp(one, two, n);
    free(one);
    free(two);
    return equal;
}

/* The file has the average of the weights with a number; those are what they are without the option. */
static void a_training_averages(void **state)
{
    struct place p = make_place("averages"), q = make_place("plain");
    struct meta_training_settings s = settings(&p), r = settings(&q);
    write_cfg(&p, "average=.8\n", "", difficulty);
    struct meta_trainer *t = opened(&s), *plain = opened(&r);
    const struct meta_network *net = meta_trainer_model(t)->network;
    size_t n = net->parameters, m = net->statistics;
    float parameters[n], statistics[m], got[n], moved[m];
    double sum[n], statistics_sum[m], weights = 0;
    struct meta_weights_head told;
    memset(sum, 0, sizeof sum);
    memset(statistics_sum, 0, sizeof statistics_sum);
    assert_int_equal(meta_trainer_averaged(t), 0);
    for (int it = 1; it <= 8; it++) {
        char name[40];
        iterate(t, it);
        if (meta_trainer_save_numbered(t, &error)) fail_msg("%s", error.text);
        snprintf(name, sizeof name, "toy_%d.weights", it);
        read_weights(t, &p, name, parameters, statistics, &told);
        meta_rolling_correct(statistics, m, told.updates);
        weights = .8 * weights + 1;
        for (size_t i = 0; i < n; i++) sum[i] = .8 * sum[i] + parameters[i];
        for (size_t i = 0; i < m; i++) statistics_sum[i] = .8 * statistics_sum[i] + statistics[i];
        if (it != 3 && it != 8) continue;
        if (meta_trainer_save(t, &error)) fail_msg("%s", error.text);
        assert_int_equal(meta_trainer_averaged(t), it);
        read_weights(t, &p, "toy_average.weights", got, moved, &told);
        assert_int_equal(told.updates, META_ROLLING_SETTLED);
        assert_int_equal(told.seen, it * 20);
        for (size_t i = 0; i < n; i++) assert_near(got[i], sum[i] / weights, 1e-6);
        for (size_t i = 0; i < m; i++) assert_near(moved[i], statistics_sum[i] / weights, 1e-5);
        assert_memory_not_equal(got, parameters, sizeof got);
    }
    iterate(plain, 8);
    assert_same(t, plain);
    close_saved(plain);
    assert_false(exists(&q, "toy_average.weights"));
    meta_trainer_free(t);
}

/* Gone on with, it is that of an unbroken training; with another a it is another training. */
static void it_is_part_of_a_checkpoint(void **state)
{
    struct place p = make_place("whole"), q = make_place("resumed");
    struct meta_training_settings s = settings(&p), r = settings(&q);
    write_cfg(&p, "average=.9\n", "", difficulty);
    write_cfg(&q, "average=.9\n", "", difficulty);
    train(&s, 8);
    train(&r, 5);
    assert_false(same(&p, &q, "toy_average.weights"));
    r.resume = 1;
    train(&r, 8);
    assert_true(same(&p, &q, "toy_average.weights") && same(&p, &q, "toy.state") && same(&p, &q, "toy.backup"));
    write_cfg(&q, "average=.8\n", "", difficulty);
    refused(&r, "[net] average (section 1) is .8, but was .9 in the checkpoint");
    write_cfg(&q, "", "", difficulty);
    refused(&r, "[net] average (section 1) was .9 in the checkpoint and is not set now");
    r.resume = 0;                                    /* a new training of the name keeps the files of the old */
    meta_trainer_free(opened(&r));
    assert_true(exists(&q, "toy.1_average.weights") && !exists(&q, "toy_average.weights"));
}

/* Learned inner rates beside them, averaged alike. */
static void with_learned_rates(void **state)
{
    static const char learned[] = "rates=layer\n[meta_loss]\ntype=mean\n";
    struct place p = make_place("rates"), q = make_place("resumed_rates");
    struct meta_training_settings s = settings(&p), r = settings(&q);
    write_cfg(&p, "average=.8\n", "", learned);
    write_cfg(&q, "average=.8\n", "", learned);
    struct meta_trainer *t = opened(&s);
    const struct meta_model *model = meta_trainer_model(t);
    const struct meta_rates_how how = meta_rates_how_of(model->inner);
    struct meta_rates shape;
    if (meta_rates_shape(&shape, model->network, how, &error)) fail_msg("%s", error.text);
    size_t n = meta_rates_numbers(&shape);
    double sum[n], weights = 0;
    float *rates, last[n];
    free(shape.layer);
    memset(sum, 0, sizeof sum);
    for (int it = 1; it <= 8; it++) {
        char name[40];
        iterate(t, it);
        if (meta_trainer_save_numbered(t, &error)) fail_msg("%s", error.text);
        snprintf(name, sizeof name, "toy_%d.weights", it);
        if (meta_rates_load(model->network, how, path_of(&p, name), &rates, &error)) fail_msg("%s", error.text);
        weights = .8 * weights + 1;
        for (size_t i = 0; i < n; i++) sum[i] = .8 * sum[i] + (last[i] = rates[i]);
        free(rates);
    }
    if (meta_trainer_save(t, &error) || meta_rates_load(model->network, how, path_of(&p, "toy_average.weights"), &rates, &error))
        fail_msg("%s", error.text);
    for (size_t i = 0; i < n; i++) assert_near(rates[i], sum[i] / weights, 1e-6);
    assert_memory_not_equal(rates, last, n * sizeof *rates);
    free(rates);
    meta_trainer_free(t);
    train(&r, 5);
    r.resume = 1;
    train(&r, 8);
    assert_true(same(&p, &q, "toy_average.rates") && same(&p, &q, "toy_average.weights") && same(&p, &q, "toy.state"));
    r.resume = 0;
    meta_trainer_free(opened(&r));
    assert_true(exists(&q, "toy.1_average.rates") && !exists(&q, "toy_average.rates"));
}

/* With a curriculum, whose state comes behind it. */
static void beside_a_curriculum(void **state)
{
    struct place p = make_place("whole_c"), q = make_place("resumed_c");
    struct meta_training_settings s = settings(&p), r = settings(&q);
    write_cfg(&p, "average=.9\n", "sampler=curriculum\n", difficulty);
    write_cfg(&q, "average=.9\n", "sampler=curriculum\n", difficulty);
    train(&s, 8);
    train(&r, 3);
    r.resume = 1;
    train(&r, 8);
    assert_true(same(&p, &q, "toy_average.weights") && same(&p, &q, "toy.state"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_its_definition),
        cmocka_unit_test(a_training_averages),
        cmocka_unit_test(it_is_part_of_a_checkpoint),
        cmocka_unit_test(beside_a_curriculum),
        cmocka_unit_test(with_learned_rates),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
