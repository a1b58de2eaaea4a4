/* A benchmark of a .cfg on random data: what it finds, and how it is run. */
#ifndef META_BENCH_H
#define META_BENCH_H

#include "bench_work.h"
#include "engine/program.h"
#include "timing.h"
#include "winograd_bound.h"

struct meta_bench_row {
    struct meta_work_spec spec;
    int threads, rounds;
    double images, flops;                      /* of one run */
    struct meta_spread seconds, processor;     /* of one run, by clock and processor */
    struct meta_spread peak;                   /* FLOP/s of those threads at once */
    struct meta_spread share, processor_share; /* of the peak; NaN where flops is 0 */
};
/* How many times as fast, by the clock and by processor time. */
struct meta_bench_ratio {
    char name[120];
    struct meta_spread clock, processor;
};
/* Bytes of a process that does the work once, and of its workers. */
struct meta_bench_memory {
    struct meta_work_spec spec;
    int threads;
    double process, workers;
};
/* One operation of the compiled network: seconds of processor time and FLOP of a batch, by pass. */
struct meta_bench_layer {
    int layer;
    char name[80];
    double seconds[META_PASS_COUNT], flops[META_PASS_COUNT];
    /* Of a convolution whose input has an adjoint: its backward without that adjoint; else 0. */
    double weights_seconds;
};
/* A convolution beside its bounds, by part of a step. A first layer that is one operation with its
   pool is timed with all of it. */
struct meta_bench_convolution {
    int operation; /* its row of `layer` */
    double seconds[META_BOUND_PARTS], flops[META_BOUND_PARTS], bytes[META_BOUND_PARTS];
    struct meta_winograd_bound four[META_BOUND_PARTS], six[META_BOUND_PARTS];
};

#define META_BENCH_ROWS 24
#define META_BENCH_RATIOS 16
#define META_BENCH_MEMORIES 8
#define META_BENCH_IDENTITIES 8

struct meta_bench {
    const struct meta_bench_plan *plan;
    /* Called before anything is timed, with the identities and the memory; and for each row as it
       is found. */
    void (*begun)(const struct meta_bench *);
    void (*timed)(const struct meta_bench_row *);

    int identities, rows, ratios, memories, layers, convolutions;
    struct meta_identity identity[META_BENCH_IDENTITIES];
    struct meta_bench_row row[META_BENCH_ROWS];
    struct meta_bench_ratio ratio[META_BENCH_RATIOS];
    struct meta_bench_memory memory[META_BENCH_MEMORIES];
    struct meta_bench_layer *layer;             /* (layers) */
    struct meta_bench_convolution *convolution; /* (convolutions) those that the bounds are for */
    int layer_batch;                            /* images */
    double layer_peak;                          /* FLOP/s of one thread, by processor time */
    int slow_layer; /* meta_program_slow_layer, and what it is left to */
    const char *slow_implementation;
    double stock_bytes; /* peak of the stock process; 0: none */
    char no_stock[480]; /* why there is none; "" where there is */
};

/* "forward", "backward", "forward_tangent", "backward_tangent" */
extern const char *const meta_bench_pass_names[META_PASS_COUNT];

/* Images of one task, support and query. */
int meta_bench_task_images(const struct meta_model *);
/* Sets what of a plan follows from model, threads, batch and seconds; batch 0 becomes a task's
   images. The caller clears the plan, also after a failure. */
int meta_bench_complete(struct meta_bench_plan *, struct meta_error *);
void meta_bench_plan_clear(struct meta_bench_plan *);

/* Checks the backend against the reference, measures memory, and times everything. The caller sets
   plan, begun and timed, zeroes the rest, and clears the bench, also after a failure. Forks: to be
   called while this process has no other threads. */
int meta_bench_run(struct meta_bench *, struct meta_error *);
void meta_bench_clear(struct meta_bench *);

/* Fills the table of layers: each pass of each operation by itself, on one thread, at a step's
   batch. */
int meta_bench_layers(struct meta_bench *, struct meta_pool *, struct meta_error *);

/* Sets the convolutions of a bench whose table of layers was made of this program. */
int meta_bench_bounds(struct meta_bench *, const struct meta_program *, struct meta_error *);
/* FLOP of all parts by the one of the two bounds that is less. */
double meta_bench_bound(const struct meta_bench_convolution *);
/* 4 or 6: whose bound that is. */
int meta_bench_bound_tile(const struct meta_bench_convolution *);

/* Writes all of it as JSON to the file `path`, whole or not at all. */
int meta_bench_write(const struct meta_bench *, const char *path, struct meta_error *);

#endif
