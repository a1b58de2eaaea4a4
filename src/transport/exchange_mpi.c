/* Gives the ranks of MPI what they have for each other, by sends and receives between pairs of
   ranks, so that a wait knows whom it is for. */
#include "exchange_mpi.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define MOST_MESSAGE ((size_t)1 << 30) /* bytes of one MPI message */
#define SPIN 200e-6                    /* seconds that a wait spins before it sleeps */
#define CALL_OFF 5.                    /* seconds that a message may take to come to its end */

void meta_mpi_look_for_failures(struct meta_mpi *r)
{
    int there = 0;
    MPI_Status from;
    if (r->failed) return;
    MPI_Iprobe(MPI_ANY_SOURCE, META_MPI_FAILURE, r->control, &there, &from);
    if (!there) return;
    struct meta_error told;
    MPI_Recv(told.text, sizeof told.text, MPI_CHAR, from.MPI_SOURCE, META_MPI_FAILURE, r->control,
             MPI_STATUS_IGNORE);
    told.text[sizeof told.text - 1] = 0;
    r->failed = r->base.hushed = 1;
    if (!strncmp(told.text, "rank ", 5)) {
        r->lost = strstr(told.text, "has been silent") != NULL;
        r->why = told;
    } else
        meta_fail(&r->why, "rank %d (%s): %s", from.MPI_SOURCE, r->base.hosts[from.MPI_SOURCE],
                  told.text);
}

void meta_mpi_tell(struct meta_transport *t, int word)
{
    static const char words[] = { 0, 1, 2, 3, 4, 5, 6, 7 }; /* they stay while they are sent */
    struct meta_mpi *r = meta_mpi_of(t);
    pthread_mutex_lock(&r->lock);
    for (int k = 0; k < t->size; k++) {
        MPI_Request request;
        if (k == t->rank) continue;
        MPI_Isend(&words[word], 1, MPI_CHAR, k, META_MPI_WORD, r->control, &request);
        MPI_Request_free(&request);
    }
    pthread_mutex_unlock(&r->lock);
}

int meta_mpi_told(struct meta_transport *t, int rank)
{
    struct meta_mpi *r = meta_mpi_of(t);
    pthread_mutex_lock(&r->lock);
    for (;;) {
        int there = 0;
        MPI_Status from;
        MPI_Iprobe(MPI_ANY_SOURCE, META_MPI_WORD, r->control, &there, &from);
        if (!there) break;
        MPI_Recv(&r->words[from.MPI_SOURCE], 1, MPI_CHAR, from.MPI_SOURCE, META_MPI_WORD,
                 r->control, MPI_STATUS_IGNORE);
    }
    int word = r->words[rank];
    pthread_mutex_unlock(&r->lock);
    return word;
}

static size_t messages(size_t bytes) { return (bytes + MOST_MESSAGE - 1) / MOST_MESSAGE; }

/* Begins the messages of a parcel to or from rank k. */
static int begin(struct meta_mpi *r, const struct meta_parcel *p, int k, int sends, int count)
{
    char *at = p->bytes;
    for (size_t left = p->size; left;) {
        int n = (int)(left < MOST_MESSAGE ? left : MOST_MESSAGE);
        if (sends) MPI_Isend(at, n, MPI_BYTE, k, META_MPI_DATA, r->data, &r->requests[count++]);
        else MPI_Irecv(at, n, MPI_BYTE, k, META_MPI_DATA, r->data, &r->requests[count++]);
        at += n;
        left -= (size_t)n;
    }
    return count;
}

static int make_room(struct meta_mpi *r, const struct meta_parcel *send,
                     const struct meta_parcel *receive)
{
    size_t wanted = 0;
    for (int k = 0; k < r->base.size; k++)
        wanted += messages(send[k].size) + messages(receive[k].size);
    if (wanted <= r->room) return 0;
    MPI_Request *more = realloc(r->requests, wanted * sizeof *more);
    if (!more) return -1;
    r->requests = more;
    r->room = wanted;
    return 0;
}

/* *receives: how many of the messages are received; they come first. */
static int begin_all(struct meta_mpi *r, const struct meta_parcel *send,
                     const struct meta_parcel *receive, int *receives)
{
    int count = 0;
    pthread_mutex_lock(&r->lock);
    for (int step = 1; step < r->base.size; step++) {
        int k = (r->base.rank + r->base.size - step) % r->base.size;
        count = begin(r, &receive[k], k, 0, count);
    }
    *receives = count;
    for (int step = 1; step < r->base.size; step++) {
        int k = (r->base.rank + step) % r->base.size;
        count = begin(r, &send[k], k, 1, count);
    }
    pthread_mutex_unlock(&r->lock);
    return count;
}

/* Whether the exchange in progress is done, or can't be. */
static int is_over(struct meta_mpi *r, int count)
{
    int done = 0;
    pthread_mutex_lock(&r->lock);
    MPI_Testall(count, r->requests, &done, MPI_STATUSES_IGNORE);
    if (!done) {
        meta_mpi_look_for_failures(r);
        done = r->failed;
    }
    pthread_mutex_unlock(&r->lock);
    return done;
}

/* After a failure: the caller frees what would still be received into. A message that has begun to
   come can't be called off, but ends soon; where a rank is silent all of them are about to end. */
static void call_off(struct meta_mpi *r, int receives)
{
    double end = meta_now() + CALL_OFF;
    pthread_mutex_lock(&r->lock);
    for (int i = 0; i < receives; i++)
        if (r->requests[i] != MPI_REQUEST_NULL) MPI_Cancel(&r->requests[i]);
    for (int done = 0; !done && !r->lost && meta_now() < end;) {
        MPI_Testall(receives, r->requests, &done, MPI_STATUSES_IGNORE);
        pthread_mutex_unlock(&r->lock);
        if (!done) nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
}

/* Whether no exchange is possible any more, which the message then says. */
static int has_failed(struct meta_mpi *r, struct meta_error *error)
{
    pthread_mutex_lock(&r->lock);
    int failed = r->failed;
    if (failed) {
        *error = r->why;
        r->base.open_words = 1;
    }
    pthread_mutex_unlock(&r->lock);
    return failed;
}

int meta_mpi_exchange(struct meta_transport *t, const struct meta_parcel *send,
                      const struct meta_parcel *receive, struct meta_error *error)
{
    struct meta_mpi *r = meta_mpi_of(t);
    int me = t->rank, receives;
    if (send[me].size) memmove(receive[me].bytes, send[me].bytes, send[me].size);
    if (has_failed(r, error)) return -1; /* what comes now is of the exchange that was called off */
    if (make_room(r, send, receive)) return meta_fail_memory(error);
    int count = begin_all(r, send, receive, &receives);
    double begun = meta_now();
    while (!is_over(r, count)) {
        if (meta_now() - begun < SPIN) sched_yield();
        else nanosleep(&(struct timespec){ 0, 20000 }, NULL);
    }
    if (!has_failed(r, error)) return 0;
    call_off(r, receives);
    return -1;
}
