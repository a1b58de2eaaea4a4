/* [meta_loss] normalise=1: the weights of an iteration's tasks, divided by their mean. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include "learning/weigh.h"
#include "outer_rig.h"

/* The losses and gradients (TASKS, parameters) of the tasks of an iteration, unweighed, at the first parameters; and these. */
static void tasks_alone(const struct meta_backend *b, int iteration, double *losses, double *gradients, double *phi)
{
    size_t n = model.network->parameters;
    struct meta_error e;
    float start[n], rolling[model.network->statistics];
    struct meta_worker *w;
    meta_network_initialise(model.network, 4, start, rolling);
    if (meta_worker_create(&w, model.network, b, meta_inner_of(&inner, WAYS * SHOTS, WAYS * QUERIES), &e)) fail_msg("%s", e.text);
    void *v = b->allocate(n * b->element), *p = b->allocate(n * b->element);
    b->upload(p, start, n);
    for (size_t i = 0; i < n; i++) phi[i] = start[i];
    make_tasks(&tasks, iteration);
    for (int k = 0; k < TASKS; k++) {
        struct meta_batch *t = &tasks.batches[k];
        struct meta_task task = { t->support, t->support_labels, t->query, t->query_labels, 9, iteration, k, NULL };
        struct meta_task_result one = { .gradient = v };
        meta_worker_gradient(w, p, &task, inner.steps, NULL, &one);
        losses[k] = one.query_loss;
        b->download_double(gradients + k * n, v, n);
    }
    b->release(v);
    b->release(p);
    meta_worker_free(w);
}

/* With weights divided by their mean, a step of SGD is that of the tasks' gradients weighed by hand. */
static void test_normalise(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    size_t n = model.network->parameters;
    double losses[TASKS], *gradients = malloc(TASKS * n * sizeof *gradients), phi[n], got[n], sum = 0, moved = 0;
    divided = 1;
    model.net.adam = 0;
    model.net.decay = 0;
    tasks_alone(b, 7, losses, gradients, phi);
    for (int k = 0; k < TASKS; k++) sum += loss_weight(NULL, losses[k], 7);
    struct run r = open_run(b, 2);
    struct meta_outer_result result = step(r, 7);
    b->download_double(got, meta_outer_parameters(r.outer), n);
    for (size_t i = 0; i < n; i++) {
        double g = 0;
        for (int k = 0; k < TASKS; k++) g += loss_weight(NULL, losses[k], 7) / sum * gradients[k * n + i];
        assert_near(got[i], phi[i] - .01 * g, 1e-12);
        moved = fmax(moved, fabs(.01 * g));
    }
    assert_true(moved > 1e-6 && result.weighed);
    double meta = 0;
    for (int k = 0; k < TASKS; k++) meta += loss_value(NULL, losses[k], 7) / TASKS;
    assert_near(result.meta_loss, meta, 1e-12);        /* the log's stays the mean of DA(L) */
    close_run(r);
    divided = 0;
    model.net.adam = 1;
    model.net.decay = .0001;
    free(gradients);
}

/* The parameters after one iteration, into phi (parameters). */
static struct meta_outer_result stepped(const struct meta_backend *b, int threads, int iteration, double *phi)
{
    struct run r = open_run(b, threads);
    struct meta_outer_result result = step(r, iteration);
    b->download_double(phi, meta_outer_parameters(r.outer), model.network->parameters);
    close_run(r);
    return result;
}

/* Equal weights, however small, are MAML's step to the bit; so are those before [meta_loss] begins. */
static void test_normalise_equal(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_onednn, &meta_backend_reference };
    static const struct { double every; int iteration; } cases[] = { { NAN, 2 }, { 1, 7 }, { .125, 7 }, { 0x1p-140, 7 } };
    double maml[model.network->parameters], own[model.network->parameters];
    for (int k = 0; k < 2; k++)
        for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
            divided = 0;
            every = 1;
            stepped(both[k], 2, cases[c].iteration, maml);
            divided = 1;
            every = cases[c].every;
            struct meta_outer_result result = stepped(both[k], 1, cases[c].iteration, own);
            assert_int_equal(result.weighed, every < 1);
            assert_memory_equal(maml, own, sizeof own);
        }
    divided = 0;
    every = NAN;
}

/* Where every weight is 0 no task counts: the gradient is 0. A mean that is not above 0 can't be divided by. */
static void test_normalise_nothing(void **state)
{
    static const struct { double off; const char *text; } cases[] = {
        { 100, "iteration 7: [hard]: the mean of the tasks' weights" }, { INFINITY, "both must be finite" }, { NAN, "both must be finite" } };
    struct meta_error e;
    struct meta_outer_result result;
    divided = 1;
    struct run r = open_run(&meta_backend_onednn, 2);
    every = 0;
    result = step(r, 7);
    assert_true(result.gradient_norm == 0);
    every = NAN;
    for (int k = 0; k < 3; k++) {
        taken_off = cases[k].off;
        make_tasks(&tasks, 7);
        assert_int_equal(meta_outer_step(r.outer, tasks.list, 7, .01, &result, &e), -1);
        if (!strstr(e.text, cases[k].text)) fail_msg("%s", e.text);
    }
    taken_off = 0;
    divided = 0;
    close_run(r);
}

/* Equal weights are shares of exactly 1, however many they are: a checkpoint of weights that are all 1 goes on bit for bit. */
static void test_equal_shares(void **state)
{
    static const double weights[] = { 1, .1, 3.7, 1e-300, 1e300 };
    double weight[50], share[50];
    for (int n = 1; n <= 50; n++)
        for (size_t k = 0; k < sizeof weights / sizeof *weights; k++) {
            for (int i = 0; i < n; i++) weight[i] = weights[k];
            assert_int_equal(meta_weigh_shares(weight, n, share), 0);
            for (int i = 0; i < n; i++)
                if (share[i] != 1) fail_msg("%d weights of %g: share %.17g", n, weights[k], share[i]);
        }
    weight[1] = weight[2] = 0;
    assert_int_equal(meta_weigh_shares(weight, 3, share), 0);
    assert_near(share[0], 3, 1e-15);
    assert_true(share[1] == 0 && share[2] == 0);
    weight[1] = INFINITY;
    assert_int_equal(meta_weigh_shares(weight, 3, share), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise),
        cmocka_unit_test(test_normalise_equal),
        cmocka_unit_test(test_normalise_nothing),
        cmocka_unit_test(test_equal_shares),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
