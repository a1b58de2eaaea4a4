/* oneDNN's functions that find no memory, here functions of this test in their places: a program, a worker, an adapted network, a heat
   map, a distance and a primitive that is being made all say so, and none ends the process or gives another number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <oneapi/dnnl/dnnl.h>
#include "small_network.h"
#include "adaptation/adapt.h"
#include "adaptation/distance.h"
#include "adaptation/heat.h"
#include "base/reserve.h"
#include "learning/inner_loop.h"

/* Which call of the kind fails next: 1 the next one, 0 none. */
static int run_fails, product_fails, make_fails;

static int due(int *countdown) { return *countdown && !--*countdown; }

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t p, dnnl_stream_t s, int n, const dnnl_exec_arg_t *args)
{
    typedef dnnl_status_t call(const_dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *);
    return due(&run_fails) ? dnnl_out_of_memory : ((call *)dlsym(RTLD_NEXT, "dnnl_primitive_execute"))(p, s, n, args);
}

dnnl_status_t dnnl_sgemm(char ta, char tb, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k, float alpha, const float *a, dnnl_dim_t lda,
                         const float *b, dnnl_dim_t ldb, float beta, float *c, dnnl_dim_t ldc)
{
    typedef dnnl_status_t call(char, char, dnnl_dim_t, dnnl_dim_t, dnnl_dim_t, float, const float *, dnnl_dim_t, const float *,
                               dnnl_dim_t, float, float *, dnnl_dim_t);
    if (due(&product_fails)) return dnnl_out_of_memory;
    return ((call *)dlsym(RTLD_NEXT, "dnnl_sgemm"))(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

dnnl_status_t dnnl_primitive_create(dnnl_primitive_t *p, const_dnnl_primitive_desc_t pd)
{
    typedef dnnl_status_t call(dnnl_primitive_t *, const_dnnl_primitive_desc_t);
    return due(&make_fails) ? dnnl_out_of_memory : ((call *)dlsym(RTLD_NEXT, "dnnl_primitive_create"))(p, pd);
}

static struct meta_error error;
static const struct meta_backend *const onednn = &meta_backend_onednn;

static void assert_told(int status)
{
    assert_int_equal(status, -1);
    assert_non_null(strstr(error.text, "out of memory"));
    error.text[0] = 0;
}

/* ---- a program ------------------------------------------------------------------------------------------------------------- */

/* The first call of a pass fails; then the next one, and so on, until a pass has no more. */
static int fails_at(int *countdown, int n)
{
    struct meta_network *net = build(0);
    struct meta_program *p = program(net, onednn, META_TANGENTS);
    void *phi = vector(net, onednn, 0), *g = vector(net, onednn, 1), *h = vector(net, onednn, 2);
    load(p, 0);
    *countdown = n;
    double loss = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    int in_forward = *countdown == 0, failed;
    meta_program_gradient(p, phi, g);
    meta_program_hessian_product(p, phi, g, h);
    failed = *countdown == 0;
    *countdown = 0;
    assert_int_equal(isnan(loss) != 0, in_forward && failed);
    if (failed) {
        assert_told(meta_program_failed(p, &error));
        assert_true(isnan(meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL))); /* once and for all */
        assert_told(meta_program_failed(p, &error));
    } else assert_int_equal(meta_program_failed(p, &error), 0);
    meta_program_free(p);
    onednn->release(phi);
    onednn->release(g);
    onednn->release(h);
    meta_network_free(net);
    return failed;
}

static void every_call_of_a_pass_is_looked_at(void **state)
{
    int runs = 0;
    for (int n = 1; fails_at(&run_fails, n); n++) runs++;
    assert_true(runs > 10);
    for (int n = 1; fails_at(&product_fails, n); n++) continue;
    int none = 0;
    assert_int_equal(fails_at(&none, 0x10000), 0); /* a failed program leaves nothing behind for the next */
}

/* oneDNN having no memory for a form of a convolution is no reason to take another form. */
static void every_primitive_that_is_made_is_looked_at(void **state)
{
    struct meta_network *net = build(0);
    struct meta_program_settings settings = { .query = BATCH, .passes = META_TANGENTS };
    int told = 0;
    for (int n = 1;; n++, told++) {
        struct meta_program *p;
        make_fails = n;
        int status = meta_program_create(&p, net, onednn, settings, &error), failed = !make_fails;
        make_fails = 0;
        if (!failed) {
            assert_int_equal(status, 0);
            meta_program_free(p);
            break;
        }
        assert_told(status);
    }
    assert_true(told > 10);
    meta_network_free(net);
}

/* ---- what stands on programs ------------------------------------------------------------------------------------------------- */

static struct meta_filled filled_network(void)
{
    struct meta_filled f = { .network = build(0) };
    f.parameters = malloc(f.network->parameters * sizeof *f.parameters);
    f.statistics = malloc(f.network->statistics * sizeof *f.statistics);
    meta_network_initialise(f.network, 9, f.parameters, f.statistics);
    for (size_t i = 0; i < f.network->statistics; i++) f.statistics[i] = .5;
    return f;
}

static void make_images(const struct meta_network *net, float *images, int *labels)
{
    struct meta_rng rng = meta_rng_open(2, META_USE_CHECK, 0, 0, 0);
    for (size_t i = 0; i < BATCH * meta_shape_numbers(net->input); i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < BATCH; i++) labels[i] = i % 3;
}

static void a_worker_tells(void **state)
{
    struct meta_network *net = build(0);
    struct meta_inner inner = { .support = BATCH, .query = BATCH, .steps = 2, .learning_rate = .1, .order = 2 };
    float images[BATCH * meta_shape_numbers(net->input)];
    int labels[BATCH];
    make_images(net, images, labels);
    void *phi = vector(net, onednn, 0), *gradient = vector(net, onednn, 1);
    for (int n = 1; n < 200; n += 23) {
        struct meta_worker *w;
        struct meta_task task = { .support = images, .support_labels = labels, .query = images, .query_labels = labels };
        struct meta_task_result result = { .gradient = gradient };
        if (meta_worker_create(&w, net, onednn, inner, &error)) fail_msg("%s", error.text);
        run_fails = n;
        meta_worker_gradient(w, phi, &task, 2, NULL, &result);
        int failed = !run_fails;
        run_fails = 0;
        if (failed) assert_told(meta_worker_failed(w, &error));
        else assert_int_equal(meta_worker_failed(w, &error), 0);
        assert_true(failed || n > 30);
        meta_worker_free(w);
    }
    onednn->release(phi);
    onednn->release(gradient);
    meta_network_free(net);
}

static void an_adapted_network_tells(void **state)
{
    struct meta_base base = { .filled = filled_network(), .backend = onednn, .learning_rate = .1 };
    float images[BATCH * meta_shape_numbers(base.filled.network->input)], answer[BATCH * 3];
    int labels[BATCH];
    make_images(base.filled.network, images, labels);
    const struct meta_support support = { images, labels, BATCH, 3, 0, 0 };
    struct meta_adapted *a;
    for (int n = 1; n < 30; n += 7) {
        run_fails = n;
        assert_told(meta_adapt(&a, &base, &support, 3, &error));
    }
    if (meta_adapt(&a, &base, &support, 3, &error)) fail_msg("%s", error.text);
    run_fails = 2;
    assert_told(meta_adapted_predict(a, META_BN_SUPPORT, images, BATCH, (struct meta_answer){ .probabilities = answer }, &error));
    assert_int_equal(meta_adapted_predict(a, META_BN_SUPPORT, images, BATCH, (struct meta_answer){ .probabilities = answer }, &error), 0);
    meta_adapted_free(a);
    meta_filled_clear(&base.filled);
}

static void maps_and_distances_tell(void **state)
{
    struct meta_filled f = filled_network();
    float images[BATCH * meta_shape_numbers(f.network->input)];
    int labels[BATCH], w, h;
    struct meta_heat *heat;
    struct meta_distance *d;
    make_images(f.network, images, labels);
    if (meta_heat_create(&heat, &f, onednn, &error)) fail_msg("%s", error.text);
    meta_heat_size(heat, &w, &h);
    float map[w * h];
    assert_int_equal(meta_heat_map(heat, images, 0, map, &error), 0);
    run_fails = 1;
    assert_told(meta_heat_map(heat, images, 0, map, &error));
    meta_heat_free(heat);
    if (meta_distance_create(&d, &f, onednn, &error)) fail_msg("%s", error.text);
    assert_true(meta_distance_of(d, images, &error) > 0);
    run_fails = 1;
    assert_true(isnan(meta_distance_of(d, images, &error)));
    assert_told(-1);
    meta_distance_free(d);
    meta_filled_clear(&f);
}

/* ---- the reserve ------------------------------------------------------------------------------------------------------------- */

/* Last, since what it gives up does not come back. */
static void a_released_reserve_is_told(void **state)
{
    struct meta_network *net = build(0);
    struct meta_program *p = program(net, onednn, META_FORWARD), *none;
    void *phi = vector(net, onednn, 0);
    assert_int_equal(meta_reserve_release(), 0); /* there is none yet */
    meta_reserve_open();
    load(p, 0);
    assert_true(meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL) > 0);
    assert_int_equal(meta_reserve_kept(), 1);
    assert_int_equal(meta_reserve_release(), 1);
    assert_int_equal(meta_reserve_release(), 0);
    assert_int_equal(meta_reserve_used(), 1);
    assert_true(isnan(meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL)));
    assert_told(meta_program_failed(p, &error));
    assert_told(meta_program_create(&none, net, onednn, (struct meta_program_settings){ .query = BATCH }, &error));
    meta_program_free(p);
    onednn->release(phi);
    meta_network_free(net);
}

/* Takes what lies free in the heap, of which some processors' kernels leave megabytes. */
static void drain_heap(void)
{
    for (int i = 0; i < 100000 && mallinfo2().fordblks > 300000; i++)
        if (!malloc(1000)) return;
}

/* In a process of its own, which has all it gets from here on: small blocks are still there. */
static int keeps_small_blocks(int keep)
{
    drain_heap();
    void *kept = keep ? meta_reserve_small() : NULL;
    struct rlimit none = { 1 << 20, 1 << 20 };
    if ((keep && !kept) || setrlimit(RLIMIT_AS, &none)) return 0;
    for (int i = 0; i < 1500; i++)
        if (!malloc(1000)) return 0;
    return 1;
}

static int in_a_child(int keep)
{
    int status;
    pid_t child = fork();
    if (!child) _exit(!keeps_small_blocks(keep));
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void small_blocks_are_kept(void **state)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    skip(); /* they have an allocator of their own */
#endif
    if (getenv("LD_PRELOAD")) skip(); /* as Memcheck has */
    assert_int_equal(in_a_child(0), 0);
    assert_int_equal(in_a_child(1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        { "a program tells of every call of a pass that fails", every_call_of_a_pass_is_looked_at, NULL, NULL, NULL },
        { "a primitive without memory is no other primitive", every_primitive_that_is_made_is_looked_at, NULL, NULL, NULL },
        { "a worker tells of a pass that fails", a_worker_tells, NULL, NULL, NULL },
        { "adapting and predicting tell of a pass that fails", an_adapted_network_tells, NULL, NULL, NULL },
        { "heat maps and distances tell of a pass that fails", maps_and_distances_tell, NULL, NULL, NULL },
        { "a reserve that was needed is told", a_released_reserve_is_told, NULL, NULL, NULL },
        { "small blocks that are kept ready are there when all other memory is gone", small_blocks_are_kept, NULL, NULL, NULL },
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
