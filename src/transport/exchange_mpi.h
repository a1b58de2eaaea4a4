/* What the ranks of MPI know of each other, and their exchanges. */
#ifndef META_EXCHANGE_MPI_H
#define META_EXCHANGE_MPI_H

#include <mpi.h>
#include <pthread.h>
#include <stdatomic.h>

#include "transport.h"

enum { META_MPI_DATA, META_MPI_LIFE, META_MPI_FAILURE, META_MPI_WORD }; /* tags of messages */

#define META_MPI_HOST 64 /* bytes of a host's name */

struct meta_mpi {
    struct meta_transport base;
    MPI_Comm data, control;
    char (*host)[META_MPI_HOST];
    const char **hosts;
    char *words;          /* (base.size) what each rank has told last */
    pthread_mutex_t lock; /* guards every call of MPI while ranks are open, and all below */
    pthread_cond_t moved; /* the stage is another */
    enum {
        META_MPI_BEGINNING,
        META_MPI_REFUSED,
        META_MPI_OPEN,
        META_MPI_UNTOLD,
        META_MPI_ENDED
    } stage;
    atomic_int end;   /* the thread is to end MPI */
    double heard;     /* when the rank before this one was last heard of */
    MPI_Request life; /* the sign of life that is under way */
    char sign, got;
    int lost;   /* a rank is silent: MPI can't be ended in order */
    int failed; /* `why` says why no exchange is possible any more */
    struct meta_error why;
    MPI_Request *requests; /* of an exchange in progress */
    size_t room;
};

static inline struct meta_mpi *meta_mpi_of(struct meta_transport *t)
{
    return (struct meta_mpi *)t;
}

/* Sees whether another rank has told that it ends. The caller holds the lock. */
void meta_mpi_look_for_failures(struct meta_mpi *);
/* As in struct meta_transport. */
void meta_mpi_tell(struct meta_transport *, int word);
int meta_mpi_told(struct meta_transport *, int rank);
int meta_mpi_exchange(struct meta_transport *, const struct meta_parcel *send,
                      const struct meta_parcel *receive, struct meta_error *);

#endif
