/* Where the time of a network goes: every pass of every operation by itself. */
#include "bench.h"
#include "base/clock.h"
#include "peak.h"
#include "engine/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROUNDS 5
#define MOST_ROUNDS 200

/* Writes what an epilogue does, " normalise bias relu"; returns the length. */
static size_t name_epilogue(const struct meta_op *op, char *out, size_t size)
{
    const char *activation = op->activation == META_LINEAR ? ""
                                                           : meta_activation_name(op->activation);
    size_t used = snprintf(out, size, "%s%s%s%s",
                           op->normalise                 ? " normalise"
                               : op->scales != META_NONE ? " scale"
                                                         : "",
                           op->biases != META_NONE ? " bias" : "", *activation ? " " : "",
                           activation);
    if (op->pool_size && used < size)
        used += snprintf(out + used, size - used, " maxpool %d/%d", op->pool_size, op->pool_stride);
    return used;
}

static void name_operation(const struct meta_op *op, char *out, size_t size)
{
    const struct meta_layer *l = op->layer;
    size_t used;
    switch (op->kind) {
    case META_OP_CONV:
    case META_OP_STEM:
        used = snprintf(out, size, "convolution %dx%d/%d, %d to %d, %dx%d", l->size, l->size,
                        l->stride, op->in->c, l->out.c, l->out.w, l->out.h);
        if (meta_layer_dilation(l) > 1 && used < size)
            used += snprintf(out + used, size - used, ", dilation %d", l->dilation);
        if (meta_layer_groups(l) > 1 && used < size)
            used += snprintf(out + used, size - used, ", %d groups", l->groups);
        if (op->kind == META_OP_STEM && used < size) name_epilogue(op, out + used, size - used);
        break;
    case META_OP_CONNECTED:
        snprintf(out, size, "connected, %d to %d", op->in->c * op->in->h * op->in->w, op->out.c);
        break;
    case META_OP_EPILOGUE:
        if (!name_epilogue(op, out, size)) snprintf(out, size, " copy");
        memmove(out, out + 1, strlen(out));
        break;
    case META_OP_LOSS:
    case META_OP_SQUARES: snprintf(out, size, "%s and loss", meta_layer_name(l)); break;
    default: snprintf(out, size, "%s", meta_layer_name(l));
    }
}

/* Names the operations of a program of `batch` images, and counts their FLOP. */
static int describe(struct meta_bench *b, const struct meta_program *p, int batch,
                    struct meta_error *error)
{
    const struct meta_network *net = b->plan->model->network;
    b->layers = meta_program_operations(p);
    b->layer_batch = batch;
    b->slow_layer = meta_program_slow_layer(p, &b->slow_implementation);
    if (!(b->layer = calloc(b->layers, sizeof *b->layer))) return meta_fail_memory(error);
    for (int i = 0; i < b->layers; i++) {
        const struct meta_op *op = meta_program_operation(p, i);
        struct meta_bench_layer *l = &b->layer[i];
        l->layer = op->layer - net->layers;
        name_operation(op, l->name, sizeof l->name);
        if (op->weights == META_NONE && op->kind != META_OP_PLUGIN) continue;
        for (int pass = 0; pass < META_PASS_COUNT; pass++)
            l->flops[pass] = b->plan->flops.layer[l->layer][pass] * batch;
    }
    return 0;
}

/* Numbers of a round for each layer: its passes, and behind those of all layers the backward for
   the weights alone. */
enum { COLUMNS = META_PASS_COUNT + 1 };

static void time_once(const struct meta_bench *b, struct meta_work *work, double *row)
{
    double *passes = row, *weights = row + (size_t)b->layers * META_PASS_COUNT;
    meta_work_time_operations(work, passes);
    meta_work_time_weights(work, weights);
}

static void keep_medians(struct meta_bench *b, const double *times, int rounds)
{
    size_t passes = (size_t)b->layers * META_PASS_COUNT, cells = (size_t)b->layers * COLUMNS;
    double column[MOST_ROUNDS];
    for (size_t i = 0; i < cells; i++) {
        for (int r = 0; r < rounds; r++) column[r] = times[r * cells + i];
        double median = meta_spread(column, rounds).median;
        if (i < passes) b->layer[i / META_PASS_COUNT].seconds[i % META_PASS_COUNT] = median;
        else b->layer[i - passes].weights_seconds = median;
    }
}

/* Times every operation in rounds, each after a measurement of the peak, and keeps the medians. */
static int measure(struct meta_bench *b, struct meta_work *work, struct meta_pool *pool,
                   struct meta_error *error)
{
    double seconds = b->plan->seconds, peaks[MOST_ROUNDS];
    size_t cells = (size_t)b->layers * COLUMNS;
    int rounds = 0;
    double *times = calloc((MOST_ROUNDS + 1) * cells, sizeof *times);
    if (!times) return meta_fail_memory(error);
    time_once(b, work, times + MOST_ROUNDS * cells); /* warms up */
    for (double begun = meta_now();
         rounds < MOST_ROUNDS && (rounds < LEAST_ROUNDS || meta_now() - begun < seconds);
         rounds++) {
        peaks[rounds] = meta_peak(pool, seconds / 100).processor_rate;
        time_once(b, work, times + rounds * cells);
    }
    keep_medians(b, times, rounds);
    b->layer_peak = meta_spread(peaks, rounds).median;
    free(times);
    return 0;
}

int meta_bench_layers(struct meta_bench *b, struct meta_pool *pool, struct meta_error *error)
{
    struct meta_work_spec spec = { "",
                                   b->plan->second_order ? META_WORK_PRODUCT : META_WORK_GRADIENT,
                                   b->plan->step, 0, 0 };
    struct meta_work *work = NULL;
    int status = -1;
    if (!meta_work_create(&work, b->plan, spec, pool, error)
        && !describe(b, meta_work_program(work), spec.batch, error))
        status = measure(b, work, pool, error)
                || meta_bench_bounds(b, meta_work_program(work), error)
            ? -1
            : 0;
    meta_work_free(work);
    return status;
}
