/* A short training on random data, in a process of its own: how long iterations take, and how much
   memory. */
#ifndef META_DOCTOR_DRY_RUN_H
#define META_DOCTOR_DRY_RUN_H

#include "doctor_say.h"

/* Seconds of one iteration: the mean over blocks of time, and the fastest and the slowest block.
   NaN where there are no iterations of that kind. */
struct meta_timing_range {
    double middle, least, most;
};

struct meta_dry_run {
    struct meta_timing_range first;  /* an iteration of order 1 */
    struct meta_timing_range second; /* an iteration of order 2 */
    struct meta_timing_range valid;  /* one task of a valid AUC */
    double peak;                     /* bytes of the process at its largest */
    double kept;                     /* bytes that a training keeps for checkpoints besides */
    double slow;                     /* meta_program_slow_layer */
};

/* The child's side of meta_child_start; the context is the struct meta_doctor, of which model,
   data, threads and seconds are read. numbers gets the members of a struct meta_dry_run in their
   order. */
int meta_dry_run_serve(void *doctor, double *numbers, struct meta_error *);

/* How many iterations of a training are of order 2, of those behind the first `done`. */
int meta_dry_run_exact_iterations(const struct meta_model *, int done);

#endif
