/* What `darknet meta bench` is made of: the work it times, what it finds, and how that is told. Everything is on random data. */
#ifndef META_BENCH_H
#define META_BENCH_H

#include "engine/backend.h"
#include "tools/check/check.h"
#include "learning/flops.h"
#include "base/pool.h"
#include "timing.h"

struct meta_bench_plan {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_check data;          /* where random numbers come from */
    struct meta_flops flops;
    int threads;                     /* the most */
    int step;                        /* images of a step: the support set; of a network that pairs: of a task */
    int batch;                       /* images of the forward and the gradient that are compared with others' */
    double seconds;                  /* a thing is timed for */
    int second_order;                /* every layer has its tangents */
};

/* ---- work ----------------------------------------------------------------------------------------------------------- */

enum meta_work_kind { META_WORK_FORWARD, META_WORK_GRADIENT, META_WORK_PRODUCT, META_WORK_TASK, META_WORK_ITERATION };

struct meta_work_spec {
    const char *name;                /* for people */
    enum meta_work_kind kind;
    int batch;                       /* images of a program; of META_WORK_TASK and _ITERATION: of a task */
    int order, keep;                 /* as in struct meta_inner, in place of the .cfg's; 0 where they mean nothing */
};

/* Forward, gradient (with its forward) and product (alone) run one program on every thread of the pool at once, META_WORK_TASK one
   task on every thread, META_WORK_ITERATION a whole meta-iteration with its optimiser on the pool. */
struct meta_work;
int    meta_work_create(struct meta_work **, const struct meta_bench_plan *, struct meta_work_spec, struct meta_pool *, struct meta_error *);
void   meta_work_free(struct meta_work *);
int    meta_work_run(void *work, double *processor, struct meta_error *);      /* once; see struct meta_timed */
double meta_work_flops(const struct meta_work *);                              /* of one run */
double meta_work_images(const struct meta_work *);
size_t meta_work_bytes(const struct meta_work *);                              /* of all its programs or workers */
/* META_WORK_GRADIENT, META_WORK_PRODUCT: the first thread's program; and all its passes once on this thread, each operation's seconds
   of processor time added as by meta_program_time. */
struct meta_program *meta_work_program(const struct meta_work *);
void meta_work_time_operations(struct meta_work *, double *seconds);

/* The child's side: peak memory of a process that does such work once, in bytes, and of its workers. numbers: both. */
struct meta_memory_question { const struct meta_bench_plan *plan; struct meta_work_spec spec; int threads; };
int meta_memory_serve(void *question, double *numbers, struct meta_error *);

/* The child's side: forward and backward of the .cfg's network in stock libdarknet, plan->batch images, in training mode, on one
   thread; it has the network's plugin layers through the host. numbers: seconds, seconds of processor time, bytes of peak memory.
   The context begins zeroed but for the plan. */
struct meta_stock_question { const struct meta_bench_plan *plan; void *network; };
int meta_stock_serve(void *question, double *numbers, struct meta_error *);

/* ---- what it finds -------------------------------------------------------------------------------------------------- */

struct meta_bench_row {
    struct meta_work_spec spec;
    int threads, rounds;
    double images, flops;                              /* of one run */
    struct meta_spread seconds, processor;             /* of one run */
    struct meta_spread peak;                           /* FLOP/s of those threads at once */
    struct meta_spread share, processor_share;         /* of the peak, by the clock and by processor time; flops=0: NaN */
};
/* How many times as fast, by the clock and by processor time. */
struct meta_bench_ratio { char name[120]; struct meta_spread clock, processor; };
struct meta_bench_memory { struct meta_work_spec spec; int threads; double process, workers; };       /* bytes */
/* One operation of the compiled network. */
struct meta_bench_layer { int layer; char name[80]; double seconds[META_PASS_COUNT], flops[META_PASS_COUNT]; };   /* of one batch; of processor time */

#define META_BENCH_ROWS 24
#define META_BENCH_RATIOS 16
#define META_BENCH_MEMORIES 8
#define META_BENCH_IDENTITIES 8

struct meta_bench {
    const struct meta_bench_plan *plan;
    int identities, rows, ratios, memories, layers;
    struct meta_identity identity[META_BENCH_IDENTITIES];
    struct meta_bench_row row[META_BENCH_ROWS];
    struct meta_bench_ratio ratio[META_BENCH_RATIOS];
    struct meta_bench_memory memory[META_BENCH_MEMORIES];
    struct meta_bench_layer *layer;                    /* (layers); the caller frees */
    int layer_batch;
    double layer_peak;                                 /* FLOP/s of one thread, by processor time, in between */
    double stock_bytes;                                /* peak memory of the stock process */
};

/* Fills the table of layers: each pass of each operation by itself, on one thread, at a step's batch. */
int meta_bench_layers(struct meta_bench *, struct meta_pool *, struct meta_error *);

/* ---- how it is told ------------------------------------------------------------------------------------------------- */

void meta_bench_print_plan(const struct meta_bench *);
void meta_bench_print_row(const struct meta_bench_row *);
void meta_bench_print_end(const struct meta_bench *);       /* ratios, layers, memory */
int  meta_bench_write(const struct meta_bench *, const char *path, struct meta_error *);     /* JSON, whole or not at all */

#endif
