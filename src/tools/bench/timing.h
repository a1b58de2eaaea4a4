/* Times of things that are run in turn, A B A B, each right after a measurement of the machine's peak: other work on the machine
   then slows all of them alike, and ratios stay what they are. */
#ifndef META_TIMING_H
#define META_TIMING_H

#include "base/pool.h"

/* One thing to time. */
struct meta_timed {
    int (*run)(void *context, double *processor, struct meta_error *);   /* once; *processor: seconds of processor time it took */
    void *context;
    struct meta_pool *pool;        /* of the threads it runs on: whose peak it is held against */

    /* set by meta_time, (rounds) each; seconds of one run */
    int rounds;
    double *seconds, *processor;
    double *peak, *processor_peak;   /* see meta_peak; the mean of those before and after */
};

/* In every round each of them is run for about a twentieth of `seconds`, at least once; at least 5 rounds, until they took `seconds`
   each. On success the caller frees each with meta_timed_clear. */
int  meta_time(struct meta_timed *, int count, double seconds, struct meta_error *);
void meta_timed_clear(struct meta_timed *);

struct meta_spread { double median, least, most; };
struct meta_spread meta_spread(const double *x, int n);
struct meta_spread meta_spread_of_ratios(const double *a, const double *b, int n);      /* of a[i] / b[i] */

#endif
