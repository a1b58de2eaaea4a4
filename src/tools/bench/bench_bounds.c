/* Holds each 3x3 convolution of a benchmark against Winograd's arithmetic. */
#include "bench.h"

#include <stdlib.h>

static struct meta_bound_convolution shape_of(const struct meta_op *op, int active)
{
    return (struct meta_bound_convolution){ op->batch, *op->in, op->layer->out, active };
}

/* What the passes of a row of the table took and cost, by part of a step. */
static void split(struct meta_bench_convolution *c, const struct meta_bench_layer *l)
{
    double both = l->seconds[META_PASS_BACKWARD], cost = l->flops[META_PASS_FORWARD];
    double weights = l->weights_seconds > 0 ? l->weights_seconds : both;
    double data = both > weights ? both - weights : 0;
    double seconds[META_BOUND_PARTS] = { l->seconds[META_PASS_FORWARD], weights, data,
                                         l->seconds[META_PASS_FORWARD_TANGENT],
                                         l->seconds[META_PASS_BACKWARD_TANGENT] };
    double flops[META_BOUND_PARTS] = { cost, cost, l->flops[META_PASS_BACKWARD] - cost,
                                       l->flops[META_PASS_FORWARD_TANGENT],
                                       l->flops[META_PASS_BACKWARD_TANGENT] };
    for (int part = 0; part < META_BOUND_PARTS; part++) {
        c->seconds[part] = seconds[part];
        c->flops[part] = flops[part];
    }
}

int meta_bench_bounds(struct meta_bench *b, const struct meta_program *p, struct meta_error *error)
{
    if (!(b->convolution = calloc(b->layers, sizeof *b->convolution)))
        return meta_fail_memory(error);
    for (int i = 0; i < b->layers; i++) {
        const struct meta_op *op = meta_program_operation(p, i);
        struct meta_bench_convolution *c = &b->convolution[b->convolutions];
        if ((op->kind != META_OP_CONV && op->kind != META_OP_STEM)
            || !meta_winograd_bound_fits(op->layer))
            continue;
        struct meta_bound_convolution shape = shape_of(op, op->x->bar != NULL);
        c->operation = i;
        split(c, &b->layer[i]);
        for (int part = 0; part < META_BOUND_PARTS; part++) {
            c->four[part] = meta_winograd_bound(&shape, 4, part);
            c->six[part] = meta_winograd_bound(&shape, 6, part);
            c->bytes[part] = meta_bound_bytes(&shape, part);
        }
        b->convolutions++;
    }
    return 0;
}

static double sum(const struct meta_winograd_bound bound[META_BOUND_PARTS],
                  const double seconds[META_BOUND_PARTS])
{
    double all = 0;
    for (int part = 0; part < META_BOUND_PARTS; part++)
        if (seconds[part] > 0) all += bound[part].product + bound[part].transforms;
    return all;
}

double meta_bench_bound(const struct meta_bench_convolution *c)
{
    double four = sum(c->four, c->seconds), six = sum(c->six, c->seconds);
    return four < six ? four : six;
}

int meta_bench_bound_tile(const struct meta_bench_convolution *c)
{
    return sum(c->six, c->seconds) < sum(c->four, c->seconds) ? 6 : 4;
}
