/* The pool: each index once, never one worker twice at a time, and nothing left behind between runs. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <omp.h>
#include <cmocka.h>

#include "base/pool.h"

enum { MOST = 5000, THREADS = 4 };

struct job {
    atomic_int times[MOST];
    atomic_int inside[THREADS];
    atomic_int overlaps, outside, omp, foreign_signals;
    int sum[THREADS];                /* plain: meta_pool_run must order it before what follows */
    pthread_t caller;
};

static void work(void *context, int index, int worker)
{
    struct job *j = context;
    sigset_t blocked;
    if (worker < 0 || worker >= THREADS) { atomic_fetch_add(&j->outside, 1); return; }
    if (atomic_fetch_add(&j->inside[worker], 1)) atomic_fetch_add(&j->overlaps, 1);
    if (pthread_equal(pthread_self(), j->caller) != (worker == 0)) atomic_fetch_add(&j->outside, 1);
    if (omp_get_max_threads() != 1) atomic_fetch_add(&j->omp, 1);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (worker && !sigismember(&blocked, SIGINT)) atomic_fetch_add(&j->foreign_signals, 1);
    atomic_fetch_add(&j->times[index], 1);
    j->sum[worker] += index;
    atomic_fetch_sub(&j->inside[worker], 1);
}

static void each_index_once(void **state)
{
    static const int counts[] = { 0, 1, 2, 3, THREADS, 100, MOST };
    for (int threads = 1; threads <= THREADS; threads++) {
        struct meta_pool *pool = NULL;
        struct meta_error error;
        assert_int_equal(meta_pool_create(&pool, threads, &error), 0);
        assert_int_equal(meta_pool_threads(pool), threads);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            static struct job job;
            long sum = 0;
            memset(&job, 0, sizeof job);
            job.caller = pthread_self();
            meta_pool_run(pool, counts[c], work, &job);
            for (int i = 0; i < MOST; i++) assert_int_equal(job.times[i], i < counts[c]);
            for (int w = 0; w < THREADS; w++) sum += job.sum[w];
            assert_int_equal(sum, (long)counts[c] * (counts[c] - 1) / 2);
            assert_int_equal(job.overlaps + job.outside + job.omp + job.foreign_signals, 0);
        }
        meta_pool_free(pool);
    }
}

static void add(void *context, int index, int worker) { ((int *)context)[index] += worker >= 0; }

/* Many short runs: a lost wake-up would hang, a late one would count twice. */
static void many_runs(void **state)
{
    struct meta_pool *pool = NULL;
    struct meta_error error;
    int times[3] = { 0 };
    assert_int_equal(meta_pool_create(&pool, 3, &error), 0);
    for (int i = 0; i < 3000; i++) meta_pool_run(pool, 3, add, times);
    for (int i = 0; i < 3; i++) assert_int_equal(times[i], 3000);
    meta_pool_free(pool);
}

struct meeting { pthread_barrier_t barrier; };
static void meet(void *context, int index, int worker) { pthread_barrier_wait(&((struct meeting *)context)->barrier); }

/* As many indices as workers are in `work` at once: this hangs when they are not handed out in parallel. */
static void in_parallel(void **state)
{
    struct meta_pool *pool = NULL;
    struct meta_error error;
    struct meeting m;
    assert_int_equal(meta_pool_create(&pool, THREADS, &error), 0);
    pthread_barrier_init(&m.barrier, NULL, THREADS);
    meta_pool_run(pool, THREADS, meet, &m);
    pthread_barrier_destroy(&m.barrier);
    meta_pool_free(pool);
}

static void refuses_zero_threads_and_restores_openmp(void **state)
{
    struct meta_pool *pool = NULL;
    struct meta_error error;
    int times[1] = { 0 };
    assert_int_equal(meta_pool_create(&pool, 0, &error), -1);
    assert_string_equal(error.text, "threads=0: must be 1 to 1024");
    assert_null(pool);
    meta_pool_free(NULL);
    assert_int_equal(meta_pool_create(&pool, 2, &error), 0);      /* freed without a run */
    meta_pool_free(pool);
    assert_int_equal(meta_pool_create(&pool, 2, &error), 0);
    omp_set_num_threads(3);
    meta_pool_run(pool, 1, add, times);
    assert_int_equal(omp_get_max_threads(), 3);                   /* the caller's own setting is put back */
    meta_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_once), cmocka_unit_test(many_runs), cmocka_unit_test(in_parallel),
        cmocka_unit_test(refuses_zero_threads_and_restores_openmp),
    };
    alarm(30);          /* a lost wake-up hangs */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
