/* How fast this machine multiplies and adds right now: the yardstick of a benchmark. */
#ifndef META_PEAK_H
#define META_PEAK_H

#include "base/pool.h"

/* Floating-point operations of all threads together: a second by the clock, and a second of processor time. They are the same on a
   machine that does nothing else, but for the number of threads. */
struct meta_peak { double rate, processor_rate; };

/* All threads of the pool at once, each in a loop of independent fused multiply-adds in registers for about `seconds`; of the widest
   vectors that meta_fused() may use (without FMA: a multiplication and an addition). */
struct meta_peak meta_peak(struct meta_pool *, double seconds);

#endif
