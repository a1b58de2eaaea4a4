/* How fast this machine multiplies and adds right now: the yardstick of a benchmark. */
#ifndef META_PEAK_H
#define META_PEAK_H

#include "base/pool.h"

/* FLOP of all threads together in a second by the clock, and in a second of processor time: the
   second times the number of threads is the first on a machine that does nothing else. */
struct meta_peak {
    double rate, processor_rate;
};

/* Measures with all threads of the pool at once, each in a loop of independent fused multiply-adds
   in registers for about `seconds`, on the widest vectors that meta_fused() may use. Without FMA, a
   multiplication and an addition take its place. */
struct meta_peak meta_peak(struct meta_pool *, double seconds);

#endif
