/* Clocks, in seconds. */
#ifndef META_CLOCK_H
#define META_CLOCK_H

#include <time.h>

static inline double meta_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* The time on a clock that nobody sets. */
static inline double meta_now(void) { return meta_clock(CLOCK_MONOTONIC); }
/* Processor time that all threads of this process have used. */
static inline double meta_processor_time(void) { return meta_clock(CLOCK_PROCESS_CPUTIME_ID); }
/* Processor time that this thread has used. */
static inline double meta_thread_time(void) { return meta_clock(CLOCK_THREAD_CPUTIME_ID); }

#endif
