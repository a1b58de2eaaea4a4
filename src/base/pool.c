/* Runs one function over many indices on a fixed set of threads. */
#define _GNU_SOURCE
#include "pool.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct member {
    struct meta_pool *pool;
    int worker;
    pthread_t thread;
};

struct meta_pool {
    int threads, started;   /* members[1..started] have a thread */
    struct member *members; /* (threads) member 0 is the caller */
    pthread_mutex_t mutex;  /* guards everything below it but `next` */
    pthread_cond_t begin, end;
    /* counts calls of meta_pool_run, so that a worker takes part in each once */
    unsigned long round;
    int busy, stop;
    int count;
    void (*work)(void *, int, int);
    void *context;
    atomic_int next;
};

static void drain(struct meta_pool *p, int worker)
{
    for (int i; (i = atomic_fetch_add(&p->next, 1)) < p->count;) p->work(p->context, i, worker);
}

static void *serve(void *argument)
{
    struct member *m = argument;
    struct meta_pool *p = m->pool;
    unsigned long seen = 0;
    omp_set_num_threads(1); /* libraries that the work calls must not start threads */
    pthread_mutex_lock(&p->mutex);
    for (;;) {
        while (!p->stop && p->round == seen) pthread_cond_wait(&p->begin, &p->mutex);
        if (p->stop) break;
        seen = p->round;
        pthread_mutex_unlock(&p->mutex);
        drain(p, m->worker);
        pthread_mutex_lock(&p->mutex);
        if (!--p->busy) pthread_cond_signal(&p->end);
    }
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

int meta_pool_create(struct meta_pool **out, int threads, struct meta_error *error)
{
    struct meta_pool *p = NULL;
    sigset_t all, old;
    int status = 0;
    if (threads < 1 || threads > META_POOL_MOST)
        return meta_fail(error, "threads=%d: must be 1 to %d", threads, META_POOL_MOST);
    if (!(p = calloc(1, sizeof *p))) return meta_fail_memory(error);
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->begin, NULL);
    pthread_cond_init(&p->end, NULL);
    p->threads = threads;
    if (!(p->members = calloc(threads, sizeof *p->members))) {
        meta_fail_memory(error);
        goto fail;
    }
    sigfillset(&all);        /* signals are for the caller: workers inherit this mask, */
    sigdelset(&all, SIGBUS); /* but for a fault of the thread's own */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 1; i < threads && !status; i++) {
        p->members[i] = (struct member){ p, i, 0 };
        status = pthread_create(&p->members[i].thread, NULL, serve, &p->members[i]);
        if (!status) p->started++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (status) {
        meta_fail(error, "can't start thread %d of %d: %s", p->started + 2, threads,
                  strerror(status));
        goto fail;
    }
    *out = p;
    return 0;
fail:
    meta_pool_free(p);
    return -1;
}

void meta_pool_free(struct meta_pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->mutex);
    p->stop = 1;
    pthread_cond_broadcast(&p->begin);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 1; i <= p->started; i++) pthread_join(p->members[i].thread, NULL);
    pthread_cond_destroy(&p->begin);
    pthread_cond_destroy(&p->end);
    pthread_mutex_destroy(&p->mutex);
    free(p->members);
    free(p);
}

int meta_pool_threads(const struct meta_pool *p) { return p->threads; }

int meta_pool_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return cores < META_POOL_MOST ? cores : META_POOL_MOST;
}

void meta_pool_run(struct meta_pool *p, int count, void (*work)(void *, int, int), void *context)
{
    int omp = omp_get_max_threads();
    omp_set_num_threads(1);
    pthread_mutex_lock(&p->mutex);
    p->count = count;
    p->work = work;
    p->context = context;
    atomic_store(&p->next, 0);
    p->busy = p->threads - 1;
    p->round++;
    pthread_cond_broadcast(&p->begin);
    pthread_mutex_unlock(&p->mutex);
    drain(p, 0);
    pthread_mutex_lock(&p->mutex);
    while (p->busy) pthread_cond_wait(&p->end, &p->mutex);
    pthread_mutex_unlock(&p->mutex);
    omp_set_num_threads(omp);
}
