/* Learned inner rates: their derivatives against differences, equal ones against fixed ones, their update against the optimiser's,
   their file, and what it must not be. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/rng.h"
#include "learning/inner_loop.h"
#include "learning/learned_rates.h"
#include "learning/optimiser.h"
#include "learning/rates_file.h"
#include "near.h"
#include "small_network.h"

#define STEPS 3
#define GAMMA .1

static struct meta_network *net;
static float *initial, images[2 * BATCH * 3 * 10 * 9];
static int labels[2 * BATCH];
static struct meta_task task;

static int set_up(void **state)
{
    struct meta_error error;
    net = build(0);
    initial = malloc(net->parameters * sizeof *initial);
    float statistics[net->statistics];
    meta_network_initialise(net, 3, initial, statistics);
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < 2 * BATCH; i++) labels[i] = i % 3;
    task = (struct meta_task){ images, labels, images + BATCH * 3 * 10 * 9, labels + BATCH, 3, 4, 5, NULL };
    for (int k = 0; k < 2; k++)
        if (backends[k]->open(&error)) return -1;
    return 0;
}

static int tear_down(void **state)
{
    meta_network_free(net);
    free(initial);
    return 0;
}

static struct meta_rates_how how_of(int kind, int head) { return (struct meta_rates_how){ kind, STEPS, head }; }

static struct meta_learned_rates *learned(const struct meta_backend *b, int kind, int head)
{
    struct meta_error error;
    struct meta_learned_rates *l;
    if (meta_learned_create(&l, net, how_of(kind, head), b, &error)) fail_msg("%s", error.text);
    meta_learned_fill(l, GAMMA);
    return l;
}

static void *numbers_of(const struct meta_backend *b, size_t n) { return b->allocate(n * b->element); }

static void *phi_of(const struct meta_backend *b)
{
    void *phi = numbers_of(b, net->parameters);
    b->upload(phi, initial, net->parameters);
    return phi;
}

static struct meta_worker *worker(const struct meta_backend *b, const struct meta_learned_rates *l, int order, int head)
{
    struct meta_worker *w;
    struct meta_error error;
    struct meta_inner inner = { .support = BATCH, .query = BATCH, .steps = STEPS + 2, .learning_rate = GAMMA, .order = order, .head = head,
                                .rates = meta_learned_rates(l) };
    if (meta_worker_create(&w, net, b, inner, &error)) fail_msg("%s", error.text);
    return w;
}

/* ---- steps --------------------------------------------------------------------------------------------------------------------- */

static double distance(const struct meta_backend *b, const void *x, const void *y, size_t n)
{
    void *apart = numbers_of(b, n);
    b->copy(apart, x, n);
    b->axpy(apart, n, -1, y);
    double d = sqrt(b->dot(apart, apart, n) / b->dot(y, y, n));
    b->release(apart);
    return d;
}

/* Rates that all are gamma: phi_S and the meta-gradient are those of fixed rates, of all layers and of a head, also for more steps
   than there are rates for. */
static void equal_rates_are_fixed(void **state)
{
    const struct meta_backend *b = *state;
    size_t n = net->parameters;
    void *phi = phi_of(b), *got = numbers_of(b, n), *wanted = numbers_of(b, n);
    for (int kind = META_RATES_LAYER; kind <= META_RATES_PARAMETER; kind++)
        for (int head = 0; head < 2; head++)
            for (int order = 1; order <= 2; order++) {
                struct meta_learned_rates *l = learned(b, kind, head);
                struct meta_worker *w = worker(b, l, order, head), *fixed = worker(b, NULL, order, head);
                struct meta_task_result r = { .gradient = got }, f = { .gradient = wanted };
                meta_worker_gradient(w, phi, &task, STEPS + 2, NULL, &r);
                meta_worker_gradient(fixed, phi, &task, STEPS + 2, NULL, &f);
                assert_near(r.query_loss, f.query_loss, 1e-5);
                assert_true(distance(b, got, wanted, n) < (b->element == 8 ? 1e-7 : 1e-4));
                meta_worker_free(w);
                meta_worker_free(fixed);
                meta_learned_free(l);
            }
    b->release(phi);
    b->release(got);
    b->release(wanted);
}

/* The derivative by every rate, by central differences of the query loss; rates are floats, whose rounding is known. */
static void differentiates_by_rates(void **state)
{
    const struct meta_backend *b = backends[0];
    void *phi = phi_of(b), *gradient = numbers_of(b, net->parameters);
    for (int kind = META_RATES_LAYER; kind <= META_RATES_PARAMETER; kind++)
        for (int head = 0; head < 2; head++) {
            struct meta_learned_rates *l = learned(b, kind, head);
            size_t count = meta_learned_numbers(l);
            struct meta_worker *w = worker(b, l, 2, head);
            double *by = numbers_of(b, count), largest = 0;
            float *rate = malloc(count * sizeof *rate);
            meta_learned_get(l, rate);
            for (size_t i = 0; i < count; i++) rate[i] *= i % 5 == 2 ? -.5 : .5 + .1 * (i % 7);
            meta_learned_set(l, rate);
            struct meta_task_result r = { .gradient = gradient, .rates = by };
            meta_worker_gradient(w, phi, &task, STEPS, NULL, &r);
            for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(by[i]));
            assert_true(largest > 1e-4);
            for (size_t i = 0; i < count; i += 1 + count / 12) {
                float kept = rate[i], at[2] = { kept + 1e-3f, kept - 1e-3f };
                double loss[2];
                for (int k = 0; k < 2; k++) {
                    struct meta_task_result end = { .gradient = gradient };
                    rate[i] = at[k];
                    meta_learned_set(l, rate);
                    meta_worker_gradient(w, phi, &task, STEPS, NULL, &end);
                    loss[k] = end.query_loss;
                }
                assert_near((loss[0] - loss[1]) / ((double)at[0] - at[1]), by[i], 2e-3 * largest);
                rate[i] = kept;
            }
            free(rate);
            b->release(by);
            meta_worker_free(w);
            meta_learned_free(l);
        }
    b->release(phi);
    b->release(gradient);
}

/* ---- updates ------------------------------------------------------------------------------------------------------------------- */

/* The same rule as the parameters', without decay, and clipped by the rates' own norm; saved and read bit for bit. */
static void moves_as_parameters_do(void **state)
{
    const struct meta_backend *b = *state;
    struct meta_error error;
    size_t n = net->parameters;
    for (int adam = 0; adam < 2; adam++) {
        struct meta_net_settings s = { .adam = adam, .momentum = .8, .B1 = .9, .B2 = .99, .eps = 1e-7, .clip = .5 }, decays = s;
        struct meta_optimiser *o;
        struct meta_learned_rates *l = learned(b, META_RATES_PARAMETER, 0), *other = learned(b, META_RATES_PARAMETER, 0);
        assert_int_equal(meta_learned_numbers(l), n);
        if (meta_optimiser_create(&o, net, b, &s, &error)) fail_msg("%s", error.text);
        decays.decay = .1;
        void *p = numbers_of(b, n), *g[2] = { numbers_of(b, n), numbers_of(b, n) };
        b->set(p, n, GAMMA);
        void *saved = malloc(meta_learned_bytes(l));
        for (int t = 0; t < 4; t++) {
            for (int k = 0; k < 2; k++) b->upload(g[k], initial, n);
            meta_optimiser_step(o, p, g[0], .01);
            meta_learned_step(l, &decays, g[1], .01);
            if (t == 1) meta_learned_save(l, saved);
        }
        float *got = malloc(n * sizeof *got), *wanted = malloc(n * sizeof *wanted);
        b->download(wanted, p, n);
        meta_learned_get(l, got);
        for (size_t i = 0; i < n; i++) assert_near(got[i], wanted[i], 1e-6);
        assert_true(got[net->layers[0].weights] != (float)GAMMA && meta_learned_finite(l));
        meta_learned_read(other, saved);
        for (int t = 2; t < 4; t++) {
            b->upload(g[1], initial, n);
            meta_learned_step(other, &decays, g[1], .01);
        }
        meta_learned_get(other, wanted);
        assert_memory_equal(got, wanted, n * sizeof *got);
        b->set(g[1], n, NAN);
        assert_false(meta_learned_takes(l, g[1]));
        meta_learned_fill(l, INFINITY);
        assert_false(meta_learned_finite(l));
        free(got);
        free(wanted);
        free(saved);
        b->release(p);
        for (int k = 0; k < 2; k++) b->release(g[k]);
        meta_optimiser_free(o);
        meta_learned_free(l);
        meta_learned_free(other);
    }
}

/* ---- files --------------------------------------------------------------------------------------------------------------------- */

static char folder[300], weights[400];

static void write_text(const char *text)
{
    struct meta_error error;
    char path[420];
    struct meta_chunk chunk = { text, strlen(text) };
    snprintf(path, sizeof path, "%s/a.rates", folder);
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
}

static void refuses(struct meta_rates_how how, const char *text, const char *message)
{
    struct meta_error error = { "" };
    float *value;
    write_text(text);
    assert_int_equal(meta_rates_load(net, how, weights, &value, &error), -1);
    assert_null(value);
    if (!strstr(error.text, message)) fail_msg("\"%s\" is not in \"%s\"", message, error.text);
}

#define LAYERS "layers=0:174,1:336,4:266,6:1428"
#define HEAD "darknet meta rates 1\nrates=layer steps=3 " LAYERS "\n"
#define NUMBERS "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"

static void reads_what_it_wrote(void **state)
{
    struct meta_error error;
    for (int kind = META_RATES_LAYER; kind <= META_RATES_PARAMETER; kind++)
        for (int head = 0; head < 2; head++) {
            struct meta_learned_rates *l = learned(backends[0], kind, head);
            size_t n = meta_learned_numbers(l);
            float value[n], *got;
            assert_int_equal(n, kind == META_RATES_LAYER ? STEPS * (head ? 1 : 4) : head ? 1428 : net->parameters);
            for (size_t i = 0; i < n; i++) value[i] = (i % 3 ? 1 : -1) * 1.23456789e-3f / (i + 1);
            if (meta_rates_save(net, how_of(kind, head), weights, value, &error)) fail_msg("%s", error.text);
            assert_true(meta_rates_exist(weights));
            if (meta_rates_load(net, how_of(kind, head), weights, &got, &error)) fail_msg("%s", error.text);
            assert_memory_equal(got, value, sizeof value);
            free(got);
            meta_learned_free(l);
        }
    write_text(HEAD "-0.5\r\n" NUMBERS "end");
    float *got;
    assert_int_equal(meta_rates_load(net, how_of(META_RATES_LAYER, 0), weights, &got, &error), 0);
    assert_true(got[0] == -.5 && got[11] == 11);
    free(got);
}

static void refuses_other_files(void **state)
{
    struct meta_rates_how how = how_of(META_RATES_LAYER, 0);
    struct meta_error error;
    float *value;
    char path[420];
    snprintf(path, sizeof path, "%s/a.rates", folder);
    unlink(path);
    assert_int_equal(meta_rates_load(net, how, weights, &value, &error), -1);
    assert_non_null(strstr(error.text, "a.rates: isn't there: [inner_loop] rates=layer: the learned rates must lie beside the .weights"));
    refuses(how, "", "is not a file of learned rates: its first line must be `darknet meta rates 1`");
    refuses(how, "darknet meta rates 2\n", "its first line must be `darknet meta rates 1`");
    refuses(how, "darknet meta rates 1\n", ":2: ``: must be `rates=layer steps=3 " LAYERS "`");
    refuses(how, "darknet meta rates 1\nrates=layer steps=2 " LAYERS "\n1\nend\n", "must be `rates=layer steps=3 " LAYERS "`");
    refuses(how_of(META_RATES_LAYER, 1), HEAD "1\n" NUMBERS "end\n", "must be `rates=layer steps=3 layers=6:1428`");
    refuses(how_of(META_RATES_PARAMETER, 1), HEAD "1\n" NUMBERS "end\n", "must be `rates=parameter layers=6:1428`");
    refuses(how, HEAD, ": 0 numbers and no end: must be 12 and the line `end`");
    refuses(how, HEAD "1\n" NUMBERS, ": 12 numbers and no end: must be 12 and the line `end`");
    refuses(how, HEAD NUMBERS "end\n", ": 11 numbers: must be 12 and the line `end`");
    refuses(how, HEAD "1\n2\n" NUMBERS "end\n", ": 13 numbers: must be 12 and the line `end`");
    refuses(how, HEAD "1x\n" NUMBERS "end\n", "a.rates:3: 1x: must be a finite number");
    refuses(how, HEAD NUMBERS "nan\nend\n", "a.rates:14: nan: must be a finite number");
    refuses(how, HEAD "1e40\n" NUMBERS "end\n", "a.rates:3: 1e40: must be a finite number");
}

static void lies_beside_the_weights(void **state)
{
    const struct { const char *weights, *rates; } cases[] = { { "a/b.weights", "a/b.rates" }, { "a/b_final.weights", "a/b_final.rates" },
        { "b.backup", "b.backup.rates" }, { "b", "b.rates" }, { "a.weights/b", "a.weights/b.rates" }, { ".weights", ".weights.rates" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = meta_rates_path(cases[i].weights);
        assert_string_equal(path, cases[i].rates);
        free(path);
    }
}

int main(void)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/rates.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return 1;
    snprintf(weights, sizeof weights, "%s/a.weights", folder);
    const struct CMUnitTest tests[] = {
        { "equal rates are fixed, on reference", equal_rates_are_fixed, NULL, NULL, (void *)backends[0] },
        { "equal rates are fixed, on onednn", equal_rates_are_fixed, NULL, NULL, (void *)backends[1] },
        cmocka_unit_test(differentiates_by_rates),
        { "moves as parameters do, on reference", moves_as_parameters_do, NULL, NULL, (void *)backends[0] },
        { "moves as parameters do, on onednn", moves_as_parameters_do, NULL, NULL, (void *)backends[1] },
        cmocka_unit_test(reads_what_it_wrote), cmocka_unit_test(refuses_other_files), cmocka_unit_test(lies_beside_the_weights),
    };
    int failed = cmocka_run_group_tests_name("rates", tests, set_up, tear_down);
    char path[420];
    snprintf(path, sizeof path, "%s/a.rates", folder);
    unlink(path);
    rmdir(folder);
    return failed;
}
