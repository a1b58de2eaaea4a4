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

/* Kinds of iterations: the sum of what holds of one. */
enum {
    META_ITERATION_EXACT = 1,  /* of order 2 */
    META_ITERATION_SCORED = 2, /* of multi_step: the query set is passed after earlier steps, too */
    META_ITERATION_KINDS = 4
};

struct meta_dry_run {
    struct meta_timing_range iteration[META_ITERATION_KINDS];
    struct meta_timing_range valid; /* one task of a valid AUC */
    double peak;                    /* bytes of the process at its largest */
    double kept;                    /* bytes that a training keeps for checkpoints besides */
    double slow;                    /* meta_program_slow_layer */
};

/* The child's side of meta_child_start; the context is the struct meta_doctor, of which model,
   data, threads, seconds and done are read, as they were when it was started. numbers gets the
   members of a struct meta_dry_run in their order. */
int meta_dry_run_serve(void *doctor, double *numbers, struct meta_error *);

/* The iterations of a training behind the first `done`: how many there are of each kind, and the
   first of them. */
struct meta_iterations {
    int count[META_ITERATION_KINDS], first[META_ITERATION_KINDS];
};
struct meta_iterations meta_dry_run_iterations(const struct meta_model *, int done);

#endif
