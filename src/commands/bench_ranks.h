/* `darknet meta bench CFG -ranks`: the words of its flags, and what it prints. */
#ifndef META_BENCH_RANKS_H
#define META_BENCH_RANKS_H

#include "ranks.h"

/* Texts of flags; NULL where one is not given. */
struct meta_bench_ranks {
    const char *threads, *seconds, *out, *kernels, *latency, *bandwidth;
    struct meta_ranks_flags ranks;
};

/* Returns the exit status. */
int meta_bench_ranks(const char *cfg, const struct meta_bench_ranks *);

#endif
