/* Turns layers into operations and tensors, with one epilogue for all that follows a
   convolution. */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

static int new_tensor(struct meta_lowered *low, struct meta_shape shape, int batch, int producer,
                      int active)
{
    low->tensors[low->tensor_count] = (struct meta_tensor){ shape, batch, producer, active, 0, -1 };
    return low->tensor_count++;
}

/* Appends an operation that reads `inputs` and writes a new tensor. Returns that tensor, or -1 when
   there is no memory. */
static int append(struct meta_lowered *low, struct meta_op op, const int *inputs, int count,
                  struct meta_shape out)
{
    int index = low->op_count++;
    int active = op.weights != META_NONE || op.biases != META_NONE || op.scales != META_NONE;
    op.inputs = count;
    op.out = out;
    op.batch = low->tensors[inputs[0]].batch;
    op.out_batch = op.kind == META_OP_PAIRING ? (op.batch - op.support) * op.ways : op.batch;
    op.in = calloc(count, sizeof *op.in);
    op.x = calloc(count, sizeof *op.x);
    low->op_inputs[index] = calloc(count, sizeof **low->op_inputs);
    low->ops[index] = op;
    if (!op.in || !op.x || !low->op_inputs[index]) return -1;
    for (int k = 0; k < count; k++) {
        low->op_inputs[index][k] = inputs[k];
        op.in[k] = low->tensors[inputs[k]].shape;
        active |= low->tensors[inputs[k]].active;
    }
    low->op_output[index] = new_tensor(low, out, op.out_batch, index, active);
    return low->op_output[index];
}

static struct meta_op blank_op(enum meta_op_kind kind, const struct meta_layer *layer)
{
    struct meta_op op = { .kind = kind, .layer = layer, .activation = META_LINEAR, .turns = 1 };
    op.biases = op.scales = op.weights = op.mean = op.variance = META_NONE;
    return op;
}

static void set_pool(struct meta_op *op, const struct meta_layer *pool)
{
    op->pool_size = pool->size;
    op->pool_stride = pool->stride;
    op->pool_padding = pool->padding;
}

/* Whether layer i's output is read by layer i+1 alone, that is a max-pool, and pooling commutes
   with the activation. */
static int pool_follows(const struct meta_network *net, int i)
{
    if (i + 1 >= net->count || net->layers[i + 1].type != META_MAXPOOL
        || !meta_non_decreasing(net->layers[i].activation))
        return 0;
    for (int j = i + 1; j < net->count; j++)
        for (int k = 0; k < net->layers[j].from_count; k++)
            if (net->layers[j].from[k] == i) return 0;
    return 1;
}

static struct meta_op weighted_op(enum meta_op_kind kind, const struct meta_layer *l,
                                  const struct meta_layer *places)
{
    struct meta_op op = blank_op(kind, l);
    op.weights = places->weights;
    op.weight_count = places->weight_count;
    return op;
}

static void set_epilogue(struct meta_op *op, const struct meta_layer *l,
                         const struct meta_layer *places, const struct meta_layer *pool)
{
    op->normalise = l->batch_normalize;
    op->turns = l->type == META_CONVOLUTIONAL && l->rotations == 4 ? 4 : 1;
    op->activation = l->activation;
    op->biases = places->biases;
    op->scales = places->scales;
    op->mean = l->mean;
    op->variance = l->variance;
    if (pool) set_pool(op, pool);
}

static int lower_weighted(struct meta_lowered *low, const struct meta_network *net,
                          const struct meta_backend *backend, int i, int input, int pooled)
{
    const struct meta_layer *l = &net->layers[i], *pool = pooled ? l + 1 : NULL,
                            *places = low->tie ? &low->tie->full->layers[i] : l;
    struct meta_shape out = pool ? pool->out : l->out;
    struct meta_op op;
    if (!i && pool && backend && backend->stem && backend->stem(l, pool)) {
        op = weighted_op(META_OP_STEM, l, places);
        set_epilogue(&op, l, places, pool);
        return append(low, op, &input, 1, out);
    }
    op = weighted_op(l->type == META_CONVOLUTIONAL ? META_OP_CONV : META_OP_CONNECTED, l, places);
    int raw = append(low, op, &input, 1, l->out);
    if (raw < 0) return -1;
    op = blank_op(META_OP_EPILOGUE, l);
    set_epilogue(&op, l, places, pool);
    return append(low, op, &raw, 1, out);
}

static int lower_local(struct meta_lowered *low, const struct meta_layer *l,
                       const struct meta_layer *places, int input)
{
    struct meta_op op = weighted_op(META_OP_LOCAL, l, places);
    op.biases = places->biases;
    int raw = append(low, op, &input, 1, l->out);
    if (raw < 0 || l->activation == META_LINEAR) return raw;
    op = blank_op(META_OP_EPILOGUE, l);
    op.activation = l->activation;
    return append(low, op, &raw, 1, l->out);
}

static int lower_layer(struct meta_lowered *low, const struct meta_network *net,
                       const struct meta_backend *backend, int i, const int *outputs, int support)
{
    const struct meta_layer *l = &net->layers[i];
    int before = i ? outputs[i - 1] : 0, pair[2] = { before, before };
    struct meta_op op;
    switch (l->type) {
    case META_CONVOLUTIONAL:
    case META_CONNECTED: return lower_weighted(low, net, backend, i, before, pool_follows(net, i));
    case META_LOCAL: return lower_local(low, l, low->tie ? &low->tie->full->layers[i] : l, before);
    case META_MAXPOOL:
        op = blank_op(META_OP_EPILOGUE, l);
        set_pool(&op, l);
        return append(low, op, &before, 1, l->out);
    case META_ACTIVATION:
        op = blank_op(META_OP_EPILOGUE, l);
        op.activation = l->activation;
        return append(low, op, &before, 1, l->out);
    case META_SHORTCUT:
        op = blank_op(META_OP_SHORTCUT, l);
        op.activation = l->activation;
        pair[1] = outputs[l->from[0]];
        return append(low, op, pair, 2, l->out);
    case META_ROUTE: {
        int *from = malloc(l->from_count * sizeof *from);
        if (!from) return -1;
        for (int k = 0; k < l->from_count; k++) from[k] = outputs[l->from[k]];
        int out = append(low, blank_op(META_OP_ROUTE, l), from, l->from_count, l->out);
        free(from);
        return out;
    }
    case META_SCALE_CHANNELS:
        pair[1] = outputs[l->from[0]];
        return append(low, blank_op(META_OP_SCALE, l), pair, 2, l->out);
    case META_CROP:
    case META_UPSAMPLE:
    case META_REORG: return append(low, blank_op(META_OP_PICK, l), &before, 1, l->out);
    case META_AVGPOOL: return append(low, blank_op(META_OP_AVGPOOL, l), &before, 1, l->out);
    case META_DROPOUT: return append(low, blank_op(META_OP_DROPOUT, l), &before, 1, l->out);
    case META_PLUGIN:
        op = weighted_op(META_OP_PLUGIN, l, low->tie ? &low->tie->full->layers[i] : l);
        return append(low, op, &before, 1, l->out);
    case META_SOFTMAX:
        op = blank_op(META_OP_LOSS, l);
        op.ways = net->ways;
        return append(low, op, &before, 1, l->out);
    case META_PAIRING:
    case META_COST:
        op = blank_op(l->type == META_COST ? META_OP_SQUARES : META_OP_PAIRING, l);
        op.ways = net->ways;
        op.support = l->type == META_COST ? 0 : support;
        return append(low, op, &before, 1, l->out);
    }
    return -1;
}

static void note_readers(struct meta_lowered *low)
{
    for (int i = 0; i < low->op_count; i++)
        for (int k = 0; k < low->ops[i].inputs; k++) {
            low->tensors[low->op_inputs[i][k]].readings++;
            low->tensors[low->op_inputs[i][k]].reader = i;
        }
}

int meta_lower(struct meta_lowered *low, const struct meta_network *net,
               const struct meta_backend *backend, int support, int query, struct meta_error *error)
{
    int most = 2 * net->count, *outputs = calloc(net->count, sizeof *outputs);
    memset(low, 0, sizeof *low);
    low->ops = calloc(most, sizeof *low->ops);
    low->op_inputs = calloc(most, sizeof *low->op_inputs);
    low->op_output = calloc(most, sizeof *low->op_output);
    low->tensors = calloc(most + 1, sizeof *low->tensors);
    if (!outputs || !low->ops || !low->op_inputs || !low->op_output || !low->tensors) goto fail;
    if (meta_tie_create(&low->tie, net, error)) goto fail;
    new_tensor(low, net->input, support + query, -1, 0);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        outputs[i] = lower_layer(low, net, backend, i, outputs, support);
        if (outputs[i] < 0) goto fail;
        int weighted = l->type == META_CONVOLUTIONAL || l->type == META_CONNECTED;
        if (weighted && pool_follows(net, i)) {
            outputs[i + 1] = outputs[i];
            i++;
        }
    }
    free(outputs);
    note_readers(low);
    return 0;
fail:
    free(outputs);
    meta_lowered_free(low);
    return meta_fail_memory(error);
}

/* Those of the first `layers` layers. */
static int operations(const struct meta_lowered *low, const struct meta_network *net, int layers)
{
    int count = 0;
    while (count < low->op_count && low->ops[count].layer - net->layers < layers) count++;
    return count;
}

void meta_lowered_divide(struct meta_lowered *low, const struct meta_network *net, int frozen,
                         int body, int tangents)
{
    int constants = operations(low, net, frozen);
    low->body = operations(low, net, body);
    low->first = tangents ? low->body : constants;
    for (int i = 0; i < constants; i++) low->tensors[low->op_output[i]].active = 0;
}

void meta_lowered_free(struct meta_lowered *low)
{
    for (int i = 0; i < low->op_count; i++) {
        free(low->ops[i].in);
        free(low->ops[i].x);
        free(low->op_inputs[i]);
    }
    meta_tie_free(low->tie);
    free(low->ops);
    free(low->op_inputs);
    free(low->op_output);
    free(low->tensors);
    memset(low, 0, sizeof *low);
}
