/* Times of things that are run in turn, A B A B, each right after a measurement of the machine's
   peak: other work on the machine then slows all of them alike, and ratios stay what they are. */
#ifndef META_TIMING_H
#define META_TIMING_H

#include "base/pool.h"

enum { META_MOST_ROUNDS = 1000 };

/* One thing to time. */
struct meta_timed {
    /* Does it once. *processor: seconds of processor time that it took. */
    int (*run)(void *context, double *processor, struct meta_error *);
    void *context;
    struct meta_pool *pool; /* the threads it runs on, whose peak it is held against */

    /* what meta_time sets, (rounds) each */
    int rounds;
    int runs;                      /* of a round */
    double *seconds, *processor;   /* of one run */
    double *peak, *processor_peak; /* see meta_peak; means of before and after */
};

/* Runs each of `count` things for about a twentieth of `seconds` in every round, at least once, for
   at least 5 rounds and until each took `seconds`. On success the caller frees each with
   meta_timed_clear. */
int meta_time(struct meta_timed *, int count, double seconds, struct meta_error *);
void meta_timed_clear(struct meta_timed *);

/* Of n numbers, at most META_MOST_ROUNDS; all NaN when n is 0. */
struct meta_spread {
    double median, least, most;
};
struct meta_spread meta_spread(const double *x, int n);
/* Of a[i] / b[i]. */
struct meta_spread meta_spread_of_ratios(const double *a, const double *b, int n);

#endif
