/* `darknet meta bench -sweep`: the words of its flags, and what it prints. */
#ifndef META_BENCH_SWEEP_H
#define META_BENCH_SWEEP_H

/* Texts of flags; NULL where one is not given. */
struct meta_bench_sweep {
    const char *channels, *sizes; /* "8" or "1-40" */
    const char *seconds, *out, *kernels;
};

/* Returns the exit status. */
int meta_bench_sweep(const struct meta_bench_sweep *);

#endif
