/* The work that `darknet meta bench` times, on random data; and what processes of their own answer:
   the memory of that work, and the same network in stock libdarknet. */
#ifndef META_BENCH_WORK_H
#define META_BENCH_WORK_H

#include "base/pool.h"
#include "engine/backend.h"
#include "learning/flops.h"
#include "learning/outer_loop.h"
#include "tools/check/check.h"

struct meta_bench_plan {
    const struct meta_model *model;
    const struct meta_backend *backend;
    int threads;                      /* the most; one is measured too */
    int batch;                        /* images of the forward and the gradient beside stock's */
    double seconds;                   /* for which each thing is timed */
    struct meta_transport *transport; /* NULL, or the ranks that iterations are shared out over */

    /* what meta_bench_complete sets */
    struct meta_check data; /* source of the random numbers */
    struct meta_flops flops;
    int step;         /* images of a step: the support set, or a task of pairs */
    int second_order; /* every layer has its tangents */
};

/* ---- work ------------------------------------------------------------------------------------ */

enum meta_work_kind {
    META_WORK_FORWARD,
    META_WORK_GRADIENT,  /* with its forward */
    META_WORK_PRODUCT,   /* a Hessian-vector product alone */
    META_WORK_TASK,      /* one task through its inner steps */
    META_WORK_ITERATION, /* a whole meta-iteration with its optimiser */
};

struct meta_work_spec {
    const char *name; /* for people */
    enum meta_work_kind kind;
    int batch;       /* images of a program, or of a task */
    int order, keep; /* of struct meta_inner, in place of the .cfg's; 0: no task */
};

/* One program or task runs on every thread of the pool at once; META_WORK_ITERATION spreads its
   tasks over the pool. */
struct meta_work;
/* The plan and the pool outlive the work. The caller frees. */
int meta_work_create(struct meta_work **, const struct meta_bench_plan *, struct meta_work_spec,
                     struct meta_pool *, struct meta_error *);
void meta_work_free(struct meta_work *);
/* Does the work once; see struct meta_timed. */
int meta_work_run(void *work, double *processor, struct meta_error *);
/* Does an iteration of META_WORK_ITERATION: its result, and the seconds of its update. */
int meta_work_step(struct meta_work *, struct meta_outer_result *, double *update,
                   struct meta_error *);
const struct meta_outer *meta_work_outer(const struct meta_work *); /* of META_WORK_ITERATION */
double meta_work_flops(const struct meta_work *);                   /* of one run */
double meta_work_images(const struct meta_work *);                  /* of one run */
size_t meta_work_bytes(const struct meta_work *); /* of all its programs or workers */
/* The first thread's program, of META_WORK_GRADIENT and META_WORK_PRODUCT. */
struct meta_program *meta_work_program(const struct meta_work *);
/* Does all passes of that program once on this thread and adds each operation's seconds of
   processor time as meta_program_time does. */
void meta_work_time_operations(struct meta_work *, double *seconds);
/* Runs, after that, the backward of each convolution whose input has an adjoint without that
   adjoint, for the weights' gradient alone, and sets its seconds (operations); 0 for the others. */
void meta_work_time_weights(struct meta_work *, double *seconds);

/* ---- processes of their own: functions for meta_child_start ---------------------------------- */

/* numbers: bytes of a process at its peak that does such work once, and bytes of its workers. */
struct meta_memory_question {
    const struct meta_bench_plan *plan;
    struct meta_work_spec spec;
    int threads;
};
int meta_memory_serve(void *question, double *numbers, struct meta_error *);

/* Forward and backward of the .cfg's network in stock libdarknet, plan->batch images, in training
   mode, on one thread; the host gives it the network's plugin layers. numbers: seconds, seconds of
   processor time, bytes of peak memory. The question begins zeroed but for the plan. */
struct meta_stock_question {
    const struct meta_bench_plan *plan;
    struct meta_stock *stock;
};
int meta_stock_serve(void *question, double *numbers, struct meta_error *);

#endif
