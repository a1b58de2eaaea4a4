/* The outer loop: its step against one made by hand, threads, checkpoints, memory. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "learning/outer_loop.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

/* ---- counting allocations ---------------------------------------------------------------------------------------------------

   Of this program and of every library in it, but for those that oneDNN makes and gives back within each dnnl_primitive_execute
   (its tables of arguments; it has no entry that takes them made): these are counted apart. */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0               /* the sanitizers have their own malloc */
#else
#define COUNTS 1
#define EXPORT __attribute__((visibility("default")))
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);
static atomic_int counting;
static atomic_long allocations, of_onednn;
static void count(const void *caller)
{
    Dl_info from;
    if (!counting) return;
    const char *name = dladdr(caller, &from) ? from.dli_fname : "";
    if (strstr(name, "libdnnl")) of_onednn++; else allocations++;
}
#define CALLER __builtin_return_address(0)
EXPORT void *malloc(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void *calloc(size_t n, size_t m) { count(CALLER); return __libc_calloc(n, m); }
EXPORT void *realloc(void *p, size_t n) { count(CALLER); return __libc_realloc(p, n); }
EXPORT void *memalign(size_t a, size_t n) { count(CALLER); return __libc_memalign(a, n); }
EXPORT void *aligned_alloc(size_t a, size_t n) { count(CALLER); return __libc_memalign(a, n); }
EXPORT int posix_memalign(void **p, size_t a, size_t n) { count(CALLER); *p = __libc_memalign(a, n); return *p ? 0 : ENOMEM; }
/* C++'s operators, so that the caller is who called them */
EXPORT void *_Znwm(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void *_Znam(size_t n) { count(CALLER); return __libc_malloc(n); }
EXPORT void _ZdlPv(void *p) { __libc_free(p); }
EXPORT void _ZdaPv(void *p) { __libc_free(p); }
EXPORT void _ZdlPvm(void *p, size_t n) { __libc_free(p); }
#endif

/* ---- a small model, without files ---------------------------------------------------------------------------------------- */

enum { WAYS = 2, SHOTS = 3, QUERIES = 4, TASKS = 4, SIDE = 8, CHANNELS = 3 };

static struct meta_episode_settings episode = { .ways = WAYS, .shots = SHOTS, .queries = QUERIES, .tasks = TASKS };
static struct meta_inner_settings inner = { .steps = 2, .test_steps = 2, .learning_rate = .05, .order = 2 };

/* w and DA of Eq. 3 from iteration 4 on */
static double loss_value(const void *settings, double l, long i) { return i < 4 ? l : -pow(l, 3) * log(fmax(1e-3, 1 - l)); }
static double loss_weight(const void *settings, double l, long i)
{
    return i < 4 ? 1 : -3 * l * l * log(fmax(1e-3, 1 - l)) + (1 - l > 1e-3 ? l * l * l / (1 - l) : 0);
}
/* What a test sets: whether weights are divided by their mean; a weight of every task, unless NaN; and one taken off each. */
static int divided;
static double every = NAN, taken_off;
static double any_weight(const void *settings, double l, long i)
{
    return (isnan(every) ? loss_weight(settings, l, i) : every) - taken_off;
}
static int is_divided(const void *settings) { return divided; }
static const struct meta_loss_functions functions = { loss_value, any_weight, is_divided };
static const struct meta_plugin loss = { .name = "hard", .role = META_ROLE_META_LOSS, .loss = &functions };

static struct meta_model model = { .episode = &episode, .inner = &inner, .loss = &loss,
                                   .net = { .learning_rate = .01, .adam = 1, .B1 = .9, .B2 = .999, .eps = 1e-8, .decay = .0001 } };

static void add(struct meta_layer l)
{
    struct meta_error e;
    if (meta_network_add(model.network, l, &e)) fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct meta_error e;
    if (meta_network_create(&model.network, (struct meta_shape){ CHANNELS, SIDE, SIDE }, &e)) return -1;
    for (int i = 0; i < 2; i++) {
        add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                                 .activation = META_RELU });
        add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    }
    add((struct meta_layer){ .type = META_DROPOUT, .probability = .2 });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = WAYS, .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return 0;
}

static int tear_down(void **state) { meta_network_free(model.network); return 0; }

/* Tasks of an iteration: noise around a colour a class. */
struct tasks {
    struct meta_batch batches[TASKS];
    const struct meta_batch *list[TASKS];
    float support[TASKS][WAYS * SHOTS * CHANNELS * SIDE * SIDE], query[TASKS][WAYS * QUERIES * CHANNELS * SIDE * SIDE];
    int support_labels[WAYS * SHOTS], query_labels[WAYS * QUERIES];
};

static void draw(struct meta_rng *rng, float *out, int each)
{
    for (int i = 0; i < WAYS * each; i++)
        for (int c = 0; c < CHANNELS; c++)
            for (int p = 0; p < SIDE * SIDE; p++)
                *out++ = .5 + .2 * meta_rng_normal(rng) + (c == i / each ? .15 : 0);
}

static void make_tasks(struct tasks *t, uint64_t iteration)
{
    for (int i = 0; i < WAYS * SHOTS; i++) t->support_labels[i] = i / SHOTS;
    for (int i = 0; i < WAYS * QUERIES; i++) t->query_labels[i] = i / QUERIES;
    for (int k = 0; k < TASKS; k++) {
        struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, iteration, k, 0);
        draw(&rng, t->support[k], SHOTS);
        draw(&rng, t->query[k], QUERIES);
        t->batches[k] = (struct meta_batch){ NULL, t->support[k], t->support_labels, t->query[k], t->query_labels };
        t->list[k] = &t->batches[k];
    }
}

struct run { struct meta_pool *pool; struct meta_outer *outer; };

static struct run open_run(const struct meta_backend *b, int threads)
{
    struct meta_error e;
    struct run r;
    float parameters[model.network->parameters], statistics[model.network->statistics];
    if (meta_pool_create(&r.pool, threads, &e) || meta_outer_create(&r.outer, &(struct meta_outer_parts){ &model, b, r.pool, 9, NULL }, &e)) fail_msg("%s", e.text);
    meta_network_initialise(model.network, 4, parameters, statistics);
    meta_outer_upload(r.outer, parameters, statistics);
    return r;
}

static void close_run(struct run r)
{
    meta_outer_free(r.outer);
    meta_pool_free(r.pool);
}

static struct tasks tasks;

static struct meta_outer_result step(struct run r, uint64_t iteration)
{
    struct meta_error e;
    struct meta_outer_result result;
    make_tasks(&tasks, iteration);
    if (meta_outer_step(r.outer, tasks.list, iteration, .01, &result, &e)) fail_msg("%s", e.text);
    return result;
}

/* Under a sanitizer or Memcheck: fewer iterations of the same. */
static int quick(void)
{
    const char *variant = getenv("TEST_VARIANT");
    return variant && *variant && strcmp(variant, "release");
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------- */

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

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) pages = -1;
    if (f) fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void test_no_allocation(void **state)
{
#if COUNTS
    if (quick()) skip();           /* Memcheck has its own malloc too */
    struct run r = open_run(&meta_backend_onednn, 2);
    step(r, 1);
    long library = -1;
    for (int it = 2; it <= 20; it++) {
        struct meta_error e;
        struct meta_outer_result result;
        make_tasks(&tasks, it);
        allocations = of_onednn = 0;
        counting = 1;
        int status = meta_outer_step(r.outer, tasks.list, it, .01, &result, &e);
        counting = 0;
        assert_int_equal(status, 0);
        if (allocations) fail_msg("%ld allocations in step %d", (long)allocations, it);
        if (library >= 0) assert_int_equal(of_onednn, library);      /* the same in every step: it keeps none */
        library = of_onednn;
    }
    counting = 1;              /* the counter works: in this program, and in a library of it */
    void *volatile own = malloc(1);
    char *volatile of_libc = strdup("x");
    counting = 0;
    assert_int_equal(allocations, 2);
    free(own);
    free(of_libc);
    close_run(r);
#else
    skip();
#endif
}

static void test_steady_memory(void **state)
{
    if (quick()) skip();           /* their bookkeeping grows */
    struct run r = open_run(&meta_backend_onednn, 2);
    for (int it = 1; it <= 20; it++) step(r, it);
    long before = resident_kb();
    for (int it = 21; it <= 500; it++) step(r, it);
    long after = resident_kb();
    assert_true(before > 0);
    if (after - before > 256) fail_msg("%ld KB at iteration 20, %ld KB at iteration 500", before, after);
    close_run(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_normalise), cmocka_unit_test(test_normalise_equal),
        cmocka_unit_test(test_normalise_nothing), cmocka_unit_test(test_threads), cmocka_unit_test(test_learns), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_update_not_finite), cmocka_unit_test(test_no_allocation), cmocka_unit_test(test_steady_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
