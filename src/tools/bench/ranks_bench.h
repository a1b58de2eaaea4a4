/* A benchmark of ranks: where the time of a meta-iteration goes on each, what the transport between
   them can do, and from that how long it would take on other numbers of them. */
#ifndef META_RANKS_BENCH_H
#define META_RANKS_BENCH_H

#include "bench_work.h"
#include "ranks_model.h"
#include "timing.h"

/* Seconds of an iteration on one rank; the optimiser's step is computing. */
struct meta_ranks_row {
    struct meta_spread computing, waiting, exchange, whole;
};

struct meta_ranks_bench {
    const struct meta_bench_plan *plan; /* with its transport */
    double latency, bandwidth;          /* of another transport, to predict for; 0: as measured */
    int order;                          /* of the .cfg */
    int iterations;                     /* timed */
    struct meta_ranks_row *row;         /* (size of the transport) */
    struct meta_ranks_costs costs;
    struct meta_ranks_load load;
};

/* Measures; all ranks call it. The caller sets the plan, completed, zeroes the rest, and clears,
   also after a failure. With one rank there is no transport to measure: it costs nothing but where
   latency and bandwidth are given. */
int meta_ranks_bench_run(struct meta_ranks_bench *, struct meta_error *);
void meta_ranks_bench_clear(struct meta_ranks_bench *);

/* What is predicted: for numbers of ranks above the tasks of the .cfg, with as many tasks as ranks.
 */
#define META_RANKS_PREDICTIONS 8
struct meta_ranks_prediction {
    int ranks, tasks;
    struct meta_ranks_times times;
    double speed; /* times the tasks a second of one rank */
};
/* For 1, 2, 4, 8, 64 and 512 ranks, and as many as there are; for 1 alone where nothing is known of
   a transport. Returns how many. */
int meta_ranks_predictions(const struct meta_ranks_bench *,
                           struct meta_ranks_prediction[META_RANKS_PREDICTIONS]);

/* Writes all of it as JSON to the file `path`, whole or not at all. */
int meta_ranks_write(const struct meta_ranks_bench *, const char *path, struct meta_error *);

#endif
