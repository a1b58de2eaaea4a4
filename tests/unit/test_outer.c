/* The outer loop: its step against one made by hand, threads, checkpoints, numbers that are not finite. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include "outer_rig.h"

/* One step of SGD, from the gradients of single tasks. */
static void test_by_hand(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    size_t n = model.network->parameters, m = model.network->statistics;
    struct meta_error e;
    double phi[n], expected[n], gradient[n], meta = 0, query = 0;
    float start[n], rolling[m], got[m], statistics[m];
    model.net.adam = 0;
    model.net.decay = 0;
    for (int iteration = 1; iteration <= 7; iteration += 6) {
        struct run r = open_run(b, 2);
        meta_network_initialise(model.network, 4, start, rolling);
        meta = query = 0;
        for (size_t i = 0; i < n; i++) expected[i] = start[i];
        struct meta_inner settings = meta_inner_of(&inner, WAYS * SHOTS, WAYS * QUERIES);
        struct meta_worker *w;
        if (meta_worker_create(&w, model.network, b, settings, &e)) fail_msg("%s", e.text);
        void *v = b->allocate(n * b->element), *p = b->allocate(n * b->element);
        b->upload(p, start, n);
        make_tasks(&tasks, iteration);
        for (int k = 0; k < TASKS; k++) {
            struct meta_batch *t = &tasks.batches[k];
            struct meta_task task = { t->support, t->support_labels, t->query, t->query_labels, 9, iteration, k, NULL };
            struct meta_task_result one = { .statistics = statistics, .gradient = v };
            meta_worker_gradient(w, p, &task, inner.steps, NULL, &one);
            b->download_double(gradient, v, n);
            for (size_t i = 0; i < n; i++)
                expected[i] -= .01 * loss_weight(NULL, one.query_loss, iteration) * gradient[i] / TASKS;
            for (size_t i = 0; i < m; i++) rolling[i] = .99 * rolling[i] + .01 * statistics[i];
            meta += loss_value(NULL, one.query_loss, iteration) / TASKS;
            query += one.query_loss / TASKS;
        }
        struct meta_outer_result result = step(r, iteration);
        b->download_double(phi, meta_outer_parameters(r.outer), n);
        for (size_t i = 0; i < n; i++) assert_near(phi[i], expected[i], 1e-12);
        meta_outer_download(r.outer, start, got);
        for (size_t i = 0; i < m; i++) assert_near(got[i], rolling[i], 1e-6);
        assert_near(result.meta_loss, meta, 1e-12);
        assert_near(result.query_loss, query, 1e-12);
        b->release(v);
        b->release(p);
        meta_worker_free(w);
        close_run(r);
    }
    model.net.adam = 1;
    model.net.decay = .0001;
}

static void *state_of(struct run r)
{
    void *out = malloc(meta_outer_bytes(r.outer));
    meta_outer_save(r.outer, out);
    return out;
}

static void test_threads(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_onednn, &meta_backend_reference };
    int threads[] = { 1, 2, 3, 7 };
    for (int k = 0; k < 2; k++) {
        void *first = NULL;
        for (int i = 0; i < (k || quick() ? 2 : 4); i++) {
            struct run r = open_run(both[k], threads[i]);
            for (int it = 1; it <= (k || quick() ? 2 : 6); it++) step(r, it);
            void *now = state_of(r);
            if (first) assert_memory_equal(now, first, meta_outer_bytes(r.outer));
            if (first) free(now); else first = now;
            close_run(r);
        }
        free(first);
    }
}

static void test_learns(void **state)
{
    if (quick()) skip();
    struct run r = open_run(&meta_backend_onednn, 2);
    double early = 0, late = 0;
    for (int it = 1; it <= 60; it++) {
        struct meta_outer_result result = step(r, it);
        if (it <= 10) early += result.query_loss / 10;
        if (it > 50) late += result.query_loss / 10;
        assert_true(result.gradient_norm > 0);
    }
    if (!(late < .6 * early)) fail_msg("query loss %g at first, %g later", early, late);
    close_run(r);
}

/* Saved after 3, loaded into a new run: iterations 4 to 6 give the same bits, optimiser and statistics included. */
static void test_resume(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_onednn, &meta_backend_reference };
    for (int k = 0; k < 4; k++) {
        model.net.adam = k / 2;
        struct run a = open_run(both[k % 2], 2), b = open_run(both[k % 2], 1);
        for (int it = 1; it <= 3; it++) step(a, it);
        void *middle = state_of(a);
        meta_outer_load(b.outer, middle);
        for (int it = 4; it <= 6; it++) { step(a, it); step(b, it); }
        void *end_a = state_of(a), *end_b = state_of(b);
        assert_memory_equal(end_a, end_b, meta_outer_bytes(a.outer));
        assert_memory_not_equal(end_a, middle, meta_outer_bytes(a.outer));
        free(middle);
        free(end_a);
        free(end_b);
        close_run(a);
        close_run(b);
    }
    model.net.adam = 1;
}

/* Adam without eps divides 0 by 0 where a gradient is 0: here that of every filter, since all
   images are black. */
static void test_update_not_finite(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_onednn, &meta_backend_reference };
    struct meta_error e;
    struct meta_outer_result result;
    double eps = model.net.eps, decay = model.net.decay;
    model.net.eps = model.net.decay = 0;
    for (int k = 0; k < 2; k++) {
        struct run r = open_run(both[k], 2);
        assert_int_equal(meta_outer_check(r.outer, &e), 0);
        make_tasks(&tasks, 1);
        memset(tasks.query, 0, sizeof tasks.query);
        memset(tasks.support, 0, sizeof tasks.support);
        assert_int_equal(meta_outer_step(r.outer, tasks.list, 1, .01, &result, &e), -1);
        if (!strstr(e.text, "iteration 1: after the update at rate 0.01 the parameters of [convolutional]")
            || !strstr(e.text, "[net] eps=0 divides by 0"))
            fail_msg("%s", e.text);
        assert_int_equal(meta_outer_check(r.outer, &e), -1);
        close_run(r);
    }
    model.net.eps = eps;
    model.net.decay = decay;
}

static void test_not_finite(void **state)
{
    struct meta_error e;
    struct meta_outer_result result;
    struct run r = open_run(&meta_backend_onednn, 2);
    step(r, 1);
    void *before = state_of(r);
    make_tasks(&tasks, 2);
    tasks.query[2][5] = NAN;
    assert_int_equal(meta_outer_step(r.outer, tasks.list, 2, .01, &result, &e), -1);
    assert_non_null(strstr(e.text, "iteration 2"));
    assert_non_null(strstr(e.text, "not finite"));
    void *after = state_of(r);
    assert_memory_equal(before, after, meta_outer_bytes(r.outer));
    free(before);
    free(after);
    close_run(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_update_not_finite),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
