/* Counts the multiply-adds of the lowered network, operation by operation. */
#include "flops.h"
#include "engine/lower.h"
#include "inner_internal.h"

#include <stdlib.h>
#include <string.h>

/* The number of pairs of an output and a tap that falls on the image, along one direction. */
static double taps(int outputs, int inputs, const struct meta_layer *l)
{
    double count = 0;
    for (int o = 0; o < outputs; o++) {
        int at = o * l->stride - l->padding, apart = meta_layer_dilation(l);
        for (int k = 0; k < l->size; k++, at += apart) count += at >= 0 && at < inputs;
    }
    return count;
}

/* Of the whole batch of an operation. */
static double multiply_adds(const struct meta_op *op)
{
    if (op->kind == META_OP_CONNECTED) return (double)op->batch * op->weight_count;
    if (op->kind == META_OP_PLUGIN)
        return op->batch * op->layer->plugin->layer->multiply_adds(op->layer->settings, *op->in);
    if (op->kind == META_OP_LOCAL)
        return op->batch * taps(op->out.h, op->in->h, op->layer)
            * taps(op->out.w, op->in->w, op->layer) * op->in->c * op->out.c;
    return op->batch * taps(op->out.h, op->in->h, op->layer) * taps(op->out.w, op->in->w, op->layer)
        * (op->in->c / meta_layer_groups(op->layer)) * op->out.c;
}

static int counts(const struct meta_op *op)
{
    return op->kind == META_OP_CONV || op->kind == META_OP_CONNECTED || op->kind == META_OP_LOCAL
        || (op->kind == META_OP_PLUGIN && op->layer->plugin->layer->multiply_adds);
}

int meta_flops_count(struct meta_flops *f, const struct meta_network *network,
                     const struct meta_inner *inner, struct meta_error *error)
{
    static const double products[2][META_PASS_COUNT] = { { 1, 1, 1, 1 }, { 1, 2, 2, 4 } };
    struct meta_lowered low;
    memset(f, 0, sizeof *f);
    f->layers = network->count;
    f->pairs = network->ways != 0;
    f->frozen = meta_inner_frozen(network, inner);
    f->common = meta_inner_common(network, inner) > 0;
    int images = f->pairs ? inner->support + inner->query : 1;
    f->layer = calloc(network->count, sizeof *f->layer);
    if (!f->layer) return meta_fail_memory(error);
    /* without a backend nothing is fused: a convolution is an operation of its own */
    if (meta_lower(&low, network, NULL, f->pairs ? inner->support : 0, f->pairs ? inner->query : 1,
                   error)) {
        meta_flops_clear(f);
        return -1;
    }
    for (int i = 0; i < low.op_count; i++) {
        const struct meta_op *op = &low.ops[i];
        if (!counts(op)) continue;
        const double *times = products[low.tensors[low.op_inputs[i][0]].active != 0];
        for (int pass = 0; pass < META_PASS_COUNT; pass++) {
            double flops = 2 * multiply_adds(op) * times[pass] / images;
            f->layer[op->layer - network->layers][pass] = flops;
            f->pass[pass] += flops;
        }
    }
    meta_lowered_free(&low);
    return 0;
}

void meta_flops_clear(struct meta_flops *f)
{
    free(f->layer);
    f->layer = NULL;
}

double meta_flops_gradient(const struct meta_flops *f)
{
    return f->pass[META_PASS_FORWARD] + f->pass[META_PASS_BACKWARD];
}

double meta_flops_product(const struct meta_flops *f)
{
    return f->pass[META_PASS_FORWARD_TANGENT] + f->pass[META_PASS_BACKWARD_TANGENT];
}

double meta_flops_steps(const struct meta_flops *f, int steps)
{
    double body = 0;
    if (!f->frozen || !steps) return steps * meta_flops_gradient(f);
    for (int i = 0; i < f->frozen; i++) body += f->layer[i][META_PASS_FORWARD];
    /* the head's gradient takes one product, as its input has none */
    double rest = 2 * f->layer[f->frozen][META_PASS_FORWARD];
    for (int i = f->frozen + 1; i < f->layers; i++)
        rest += f->layer[i][META_PASS_FORWARD] + f->layer[i][META_PASS_BACKWARD];
    return (f->common ? 1 : steps) * body + steps * rest;
}

/* With order 2. A head's products are as a first layer's but for the adjoint of its input, which
   takes two. */
static double exact_steps(const struct meta_flops *f, int steps)
{
    double body = 0, products = 0;
    if (!f->common || !steps) return steps * (meta_flops_gradient(f) + meta_flops_product(f));
    for (int i = 0; i < f->frozen; i++) body += f->layer[i][META_PASS_BACKWARD];
    products = 4 * f->layer[f->frozen][META_PASS_FORWARD];
    for (int i = f->frozen + 1; i < f->layers; i++)
        products += f->layer[i][META_PASS_FORWARD_TANGENT]
            + f->layer[i][META_PASS_BACKWARD_TANGENT];
    return meta_flops_steps(f, steps) + steps * products + body;
}

double meta_flops_task(const struct meta_flops *f, const struct meta_inner *inner)
{
    if (f->pairs) return (inner->support + inner->query) * meta_flops_gradient(f);
    double steps = inner->order == 2 ? exact_steps(f, inner->steps)
                                     : meta_flops_steps(f, inner->steps),
           query = inner->reptile ? f->pass[META_PASS_FORWARD] : meta_flops_gradient(f);
    return inner->support * steps + inner->query * query;
}
