/* Ranks by MPI. A thread begins and ends MPI, which waits for all ranks without a limit, so that
   this one need not; in between it sends signs of life around the ring of ranks and looks for those
   of the rank before this one. */
#define _GNU_SOURCE
#include "exchange_mpi.h"
#include "transport_mpi.h"

#include <mpi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define START 20. /* seconds that MPI has to begin, or the limit if longer */
#define LEAVE 5.  /* seconds that another rank has at most to tell of a loss */

static int before(const struct meta_mpi *r)
{
    return (r->base.rank + r->base.size - 1) % r->base.size;
}
static int after(const struct meta_mpi *r) { return (r->base.rank + 1) % r->base.size; }

/* ---- failures: the caller holds the lock ----------------------------------------------------- */

/* Tells all others but one; small messages, which MPI sends without waiting for the receiver. */
static void tell_all(struct meta_mpi *r, int but)
{
    for (int k = 0; k < r->base.size; k++) {
        MPI_Request request;
        if (k == r->base.rank || k == but) continue;
        MPI_Isend(r->why.text, sizeof r->why.text, MPI_CHAR, k, META_MPI_FAILURE, r->control,
                  &request);
        MPI_Request_free(&request);
    }
}

static void lose(struct meta_mpi *r, int rank)
{
    if (r->failed) return;
    r->failed = r->lost = 1;
    meta_fail(&r->why,
              "rank %d (%s) has been silent for %.0f seconds: it, its machine or the network is "
              "down",
              rank, r->base.hosts[rank], r->base.limit);
    tell_all(r, rank);
}

/* ---- signs of life --------------------------------------------------------------------------- */

static void send_life(struct meta_mpi *r)
{
    int done = 1;
    if (r->life != MPI_REQUEST_NULL) MPI_Test(&r->life, &done, MPI_STATUS_IGNORE);
    if (done) MPI_Isend(&r->sign, 1, MPI_CHAR, after(r), META_MPI_LIFE, r->control, &r->life);
}

static void look_for_life(struct meta_mpi *r)
{
    int there = 1;
    for (;;) {
        MPI_Iprobe(before(r), META_MPI_LIFE, r->control, &there, MPI_STATUS_IGNORE);
        if (!there) break;
        MPI_Recv(&r->got, 1, MPI_CHAR, before(r), META_MPI_LIFE, r->control, MPI_STATUS_IGNORE);
        r->heard = meta_now();
    }
    if (meta_now() - r->heard > r->base.limit) lose(r, before(r));
}

/* Until the rank is to end. */
static void watch(struct meta_mpi *r)
{
    double every = r->base.limit / 20 < 1 ? r->base.limit / 20 : 1, last = meta_now();
    while (!r->end) {
        nanosleep(&(struct timespec){ 0, (long)(every * 1e9 / 4) }, NULL);
        if (r->base.size == 1) continue;
        pthread_mutex_lock(&r->lock);
        double now = meta_now();
        /* a process that was stopped itself has heard nothing meanwhile */
        if (now - last > r->base.limit / 2) r->heard = now;
        last = now;
        send_life(r);
        look_for_life(r);
        meta_mpi_look_for_failures(r);
        pthread_mutex_unlock(&r->lock);
    }
}

static void fail(struct meta_transport *t, const char *why)
{
    struct meta_mpi *r = meta_mpi_of(t);
    pthread_mutex_lock(&r->lock);
    if (!r->failed) {
        r->failed = 1;
        snprintf(r->why.text, sizeof r->why.text, "%s", why);
        tell_all(r, t->rank);
    }
    pthread_mutex_unlock(&r->lock);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void free_ranks(struct meta_mpi *r)
{
    free(r->host);
    free(r->hosts);
    free(r->words);
    free(r->requests);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->moved);
    free(r);
}

static void move(struct meta_mpi *r, int stage)
{
    pthread_mutex_lock(&r->lock);
    r->stage = stage;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

/* Waits until the rank has left a stage; returns the one that it is in after `seconds` at most.
   They are counted in small parts, since time in which this process was stopped itself is none in
   which the others were silent. */
static int wait_for(struct meta_mpi *r, int stage, double seconds)
{
    double part = seconds / 20, waited = 0, last = meta_now();
    pthread_mutex_lock(&r->lock);
    while ((int)r->stage == stage && waited < seconds) {
        double end = last + part;
        time_t whole = (time_t)end;
        struct timespec until = { whole, (long)((end - (double)whole) * 1e9) };
        pthread_cond_timedwait(&r->moved, &r->lock, &until);
        double now = meta_now();
        waited += now - last < 2 * part ? now - last : 2 * part;
        last = now;
    }
    int now = r->stage;
    pthread_mutex_unlock(&r->lock);
    return now;
}

static int name_hosts(struct meta_mpi *r)
{
    int n = 0;
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    size_t size = (size_t)r->base.size;
    r->host = calloc(size, sizeof *r->host);
    r->hosts = calloc(size, sizeof *r->hosts);
    r->words = calloc(size, 1);
    if (!r->host || !r->hosts || !r->words) return -1;
    MPI_Get_processor_name(name, &n);
    memcpy(r->host[r->base.rank], name, strnlen(name, META_MPI_HOST - 1));
    MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, r->host, META_MPI_HOST, MPI_CHAR, r->data);
    for (size_t k = 0; k < size; k++) r->hosts[k] = r->host[k];
    r->base.hosts = r->hosts;
    return 0;
}

static int start(struct meta_mpi *r)
{
    int level;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level))
        return meta_fail(&r->why, "MPI can't be started: is the program run by its mpirun?");
    if (level < MPI_THREAD_SERIALIZED) {
        MPI_Finalize();
        return meta_fail(&r->why, "this MPI is built without threads");
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &r->base.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &r->base.size);
    MPI_Comm_dup(MPI_COMM_WORLD, &r->data);
    MPI_Comm_dup(MPI_COMM_WORLD, &r->control);
    if (name_hosts(r)) {
        MPI_Abort(MPI_COMM_WORLD, 1);
        return meta_fail_memory(&r->why);
    }
    r->heard = meta_now();
    return 0;
}

/* The rank that has missed the silent one first tells so and ends all of them, this one too. It may
   be in the midst of long work: then the others tell, one after the other. */
static void *leave_to_others(struct meta_mpi *r)
{
    double seconds = r->base.limit / 2 + .2 * r->base.rank;
    if (seconds > LEAVE) seconds = LEAVE;
    time_t whole = (time_t)seconds;
    nanosleep(&(struct timespec){ whole, (long)((seconds - (double)whole) * 1e9) }, NULL);
    move(r, META_MPI_UNTOLD);
    return NULL;
}

static void *serve(void *argument)
{
    struct meta_mpi *r = argument;
    int status = start(r);
    move(r, status ? META_MPI_REFUSED : META_MPI_OPEN);
    if (status) return NULL;
    watch(r);
    if (r->lost && r->base.hushed) return leave_to_others(r);
    if (r->lost) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Finalize();
    move(r, META_MPI_ENDED);
    return NULL;
}

/* A rank that does not end in time is left to the end of the process. */
static int close_ranks(struct meta_transport *t, struct meta_error *error)
{
    struct meta_mpi *r = meta_mpi_of(t);
    double seconds = t->limit + (r->lost && t->hushed ? LEAVE : 0);
    r->end = 1;
    fflush(NULL);
    int stage = wait_for(r, META_MPI_OPEN, seconds);
    if (stage == META_MPI_ENDED) {
        free_ranks(r);
        return 0;
    }
    if (stage == META_MPI_UNTOLD) return meta_fail(error, "%s", r->why.text);
    return meta_fail(error,
                     "MPI has not ended after %.0f seconds: another rank, its machine or the "
                     "network is down",
                     seconds);
}

static int begin_ranks(struct meta_transport **out, double limit, struct meta_error *error)
{
    pthread_t thread;
    pthread_condattr_t monotonic;
    double most = limit > START ? limit : START;
    struct meta_mpi *r = calloc(1, sizeof *r);
    if (!r) return meta_fail_memory(error);
    r->base = (struct meta_transport){ .name = "MPI",
                                       .limit = limit,
                                       .exchange = meta_mpi_exchange,
                                       .fail = fail,
                                       .tell = meta_mpi_tell,
                                       .told = meta_mpi_told,
                                       .close = close_ranks };
    r->life = MPI_REQUEST_NULL;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&thread, NULL, serve, r)) {
        free_ranks(r);
        return meta_fail(error, "can't start the thread that speaks with the other ranks");
    }
    pthread_detach(thread);
    int stage = wait_for(r, META_MPI_BEGINNING, most);
    if (stage == META_MPI_BEGINNING)
        return meta_fail(error,
                         "MPI has not begun after %.0f seconds: another rank, its machine or the "
                         "network is down",
                         most);
    if (stage == META_MPI_OPEN) {
        *out = &r->base;
        return 0;
    }
    *error = r->why;
    free_ranks(r);
    return -1;
}

/* The threads of MPI, and ours, leave all signals to the threads of the program. */
static int open_ranks(struct meta_transport **out, double limit, struct meta_error *error)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int status = begin_ranks(out, limit, error);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return status;
}

const struct meta_transport_part meta_transport_part = { sizeof meta_transport_part, open_ranks };
