/* Ranks: the processes of one run, on one machine or on several, and the bytes that they exchange.
   One transport is a process alone; the other is MPI, in a shared object of its own that is opened
   when mpirun or srun has started the program, so that the program itself does not need MPI. */
#ifndef META_TRANSPORT_H
#define META_TRANSPORT_H

#include <stddef.h>

#include "base/error.h"

/* Bytes to one rank, or from it; size may be 0. Both sides know the size. */
struct meta_parcel {
    void *bytes;
    size_t size;
};

/* The functions are called by one thread at a time. All ranks call `exchange` in the same order;
   meta_transport_exchange is how. */
struct meta_transport {
    const char *name; /* "none", "MPI" */
    int rank, size;
    const char *const *hosts; /* (size) the machine of each rank */
    double limit;             /* seconds after which a silent rank is given up */
    int hushed; /* what failed last is another rank's to tell: this one ends without a word */
    /* Ranks are sites, whose own affairs are not told to others: of a failure only that there was
       one, unless its words say nothing of a site, which is then `open_words`. */
    int discreet, open_words;
    const char *about; /* a word for what the next exchanges carry, for the record */
    /* Where it is set, keeps the record: called before bytes leave for other ranks, how many. What
       it fails to record is not sent. */
    int (*record)(void *context, const char *about, size_t bytes, struct meta_error *);
    void *recorder; /* its context */
    /* Sends send[k] to each rank k and fills receive[k] (size) from it. Fails where a rank has
       failed, or has been silent for longer than the limit: the message names it and its host. */
    int (*exchange)(struct meta_transport *, const struct meta_parcel *send,
                    const struct meta_parcel *receive, struct meta_error *);
    /* Tells the other ranks why this one ends. Their next exchange fails with this message. */
    void (*fail)(struct meta_transport *, const char *why);
    /* Ends the run of this rank, and frees. After the failure of a rank that is silent it ends the
       process, and those of all other ranks, with status 1. Fails where the others can't be heard
       of any more: the process is to end then. */
    int (*close)(struct meta_transport *, struct meta_error *);
    /* Tells all other ranks a word, 1 to 7, beside what is exchanged; and which one a rank has told
       last, 0: none. Any thread may call these until the transport is closed. */
    void (*tell)(struct meta_transport *, int word);
    int (*told)(struct meta_transport *, int rank);
};

/* Opens MPI where the environment says that this process is one of a run of several ranks, or where
   the user insists; else the transport of a process alone. `limit`, in seconds, is at least 1. */
int meta_transport_open(struct meta_transport **, int insist, double limit, struct meta_error *);
/* As above, for a process alone, whatever the environment says. */
int meta_transport_alone(struct meta_transport **, struct meta_error *);
/* As the transport's own; 0 where there is none. */
int meta_transport_close(struct meta_transport *, struct meta_error *);

/* The table's `exchange`, recorded. */
int meta_transport_exchange(struct meta_transport *, const struct meta_parcel *send,
                            const struct meta_parcel *receive, struct meta_error *);
/* What other ranks may be told of this rank's failure. */
const char *meta_transport_words(const struct meta_transport *, const struct meta_error *);

/* Whether anybody else is there. */
static inline int meta_transport_many(const struct meta_transport *t) { return t && t->size > 1; }

/* Of things in a row, those from `begin` on, up to `end`. */
struct meta_part {
    size_t begin, end;
};

/* Of `count` things in a row, those of a rank of `size` ranks. The shares differ by one at most. */
static inline struct meta_part meta_part(size_t count, int rank, int size)
{
    size_t n = (size_t)size, k = (size_t)rank, each = count / n, more = count % n;
    return (struct meta_part){ each * k + more * k / n, each * (k + 1) + more * (k + 1) / n };
}
/* Those of this rank; all of them without a transport. */
static inline struct meta_part meta_part_own(const struct meta_transport *t, size_t count)
{
    return t ? meta_part(count, t->rank, t->size) : (struct meta_part){ 0, count };
}

/* Gathers the things that each rank has of `count` things of so many bytes: all (count, bytes) is
   filled but for the rank's own part, which is there before. */
int meta_transport_gather(struct meta_transport *, void *all, size_t count, size_t bytes,
                          struct meta_error *);
/* Copies the bytes of rank 0 to all others. */
int meta_transport_broadcast(struct meta_transport *, void *bytes, size_t size,
                             struct meta_error *);
/* Waits for all ranks. */
int meta_transport_barrier(struct meta_transport *, struct meta_error *);
/* Fails on all ranks where the texts differ: "WHAT differs: VALUE on rank 0 (host), VALUE on rank 3
   (host)". A text is cut after 200 bytes. */
int meta_transport_agree(struct meta_transport *, const char *what, const char *value,
                         struct meta_error *);
/* Fails on all ranks where one of them has failed before (status not 0), with the message of the
   first such rank, or of sites what meta_transport_words leaves of it; a rank's own message is left
   as it is. Which rank is to tell: `hushed`. */
int meta_transport_share_status(struct meta_transport *, int status, struct meta_error *);
/* Does something on the first rank of each machine, and then on the others, which find what it has
   left. Fails on all ranks where it fails on one. */
int meta_transport_in_turn(struct meta_transport *, int (*step)(void *, struct meta_error *),
                           void *context, struct meta_error *);

#endif
