/* How long a meta-iteration takes on so many ranks, predicted from what a few of them show. Each
   rank is taken to have processor cores of its own. */
#ifndef META_RANKS_MODEL_H
#define META_RANKS_MODEL_H

/* What is measured; seconds, and bytes a second. */
struct meta_ranks_costs {
    double task;      /* in which a rank computes one task on each of its threads at once */
    double step;      /* of the optimiser's step, which every rank takes */
    double handling;  /* of a byte of a gradient that is laid out, or added up */
    double latency;   /* of an exchange of small messages, each rank with the next */
    double start;     /* that an exchange of large messages takes beside their bytes */
    double gap;       /* between small messages from one rank, one behind the other */
    double bandwidth; /* of a rank that sends as much as it receives */
};

/* A message is large from so many bytes on: MPI asks the other side before it sends it. */
#define META_RANKS_LARGE 65536

/* What is computed. */
struct meta_ranks_load {
    int tasks, threads; /* of an iteration; of a rank */
    double gradient;    /* bytes of one task's gradient */
    double result;      /* bytes that a rank tells of a task beside it */
};

/* The parts of an iteration: computing is that of the ranks that have most tasks, waiting that of
   those that have fewest; the sum of gradients counts as exchange, also on one rank. */
struct meta_ranks_times {
    double computing, waiting, exchange;
    double whole; /* computing + exchange */
};

/* At least one rank, at most as many as tasks. */
struct meta_ranks_times meta_ranks_predict(const struct meta_ranks_costs *,
                                           const struct meta_ranks_load *, int ranks);

/* The fewest ranks, of at most as many as tasks, with which an iteration takes no more than 1%
   above the least. */
int meta_ranks_best(const struct meta_ranks_costs *, const struct meta_ranks_load *);

#endif
