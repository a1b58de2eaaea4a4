/* Runs the operations of a compiled network: forward, gradient and Hessian product over one
   batch. */
#include "program_internal.h"
#include "log_odds.h"
#include "base/clock.h"
#include "base/rng.h"
#include "network/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t plane_size(const struct meta_program *p, const struct meta_op *op, int k)
{
    return (op->batch * p->backend->image(op->in[k]) * p->backend->element + META_PAGE - 1)
        / META_PAGE * META_PAGE;
}

/* Points every operation at its tensors. Where a tensor has several readers, the last in order
   writes the adjoint first; the others write to the scratch plane, and the program adds. */
static int connect(struct meta_program *p, struct meta_error *error)
{
    struct meta_lowered *low = &p->low;
    size_t most = 0;
    char *written = calloc(low->tensor_count, 1);
    p->accumulate = calloc(low->op_count, sizeof *p->accumulate);
    if (!written || !p->accumulate) goto fail;
    for (int i = low->op_count - 1; i >= 0; i--) {
        struct meta_op *op = &low->ops[i];
        size_t size = 0;
        op->y = p->planes[low->op_output[i]];
        p->accumulate[i] = calloc(op->inputs, 1);
        if (!p->accumulate[i]) goto fail;
        for (int k = 0; k < op->inputs; k++) {
            int t = low->op_inputs[i][k];
            op->x[k] = p->planes[t];
            p->accumulate[i][k] = op->x[k].bar && written[t];
            if (p->accumulate[i][k]) size += plane_size(p, op, k);
            written[t] = 1;
        }
        if (size > most) most = size;
    }
    if (most && !(p->scratch = p->backend->allocate(most))) goto fail;
    p->bytes += most;
    for (int i = 0; i < low->op_count; i++) {
        char *at = p->scratch;
        for (int k = 0; k < low->ops[i].inputs; k++) {
            struct meta_planes *x = &low->ops[i].x[k];
            if (!p->accumulate[i][k]) continue;
            x->bar = at;
            if (x->bardot) x->bardot = at;
            at += plane_size(p, &low->ops[i], k);
        }
    }
    free(written);
    return 0;
fail:
    free(written);
    return meta_fail_memory(error);
}

static int allocate_masks(struct meta_program *p, struct meta_error *error)
{
    p->masks = calloc(p->low.op_count, sizeof *p->masks);
    if (!p->masks) return meta_fail_memory(error);
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_op *op = &p->low.ops[i];
        if (op->kind != META_OP_DROPOUT) continue;
        p->masks[i] = malloc(op->batch * meta_shape_numbers(op->out) * sizeof **p->masks);
        if (!p->masks[i]) return meta_fail_memory(error);
    }
    return 0;
}

/* The scores of pairs are ranked by what goes into the logistic function that makes them. */
static int keep_argument(struct meta_program *p, struct meta_error *error)
{
    struct meta_lowered *low = &p->low;
    struct meta_op *loss = &low->ops[low->op_count - 1];
    if (loss->kind != META_OP_SQUARES) return 0;
    p->argument = calloc(loss->batch, sizeof *p->argument);
    if (!p->argument) return meta_fail_memory(error);
    loss->argument = p->argument;
    low->ops[low->tensors[low->op_inputs[low->op_count - 1][0]].producer].argument = p->argument;
    return 0;
}

int meta_program_create(struct meta_program **out, const struct meta_network *network,
                        const struct meta_backend *backend, struct meta_program_settings settings,
                        struct meta_error *error)
{
    struct meta_program *p = calloc(1, sizeof *p);
    if (!p) return meta_fail_memory(error);
    p->network = network;
    p->backend = backend;
    p->batch = settings.support + settings.query;
    p->support = settings.support;
    p->passes = settings.passes;
    p->labels = calloc(p->batch, sizeof *p->labels);
    if (!p->labels) {
        meta_fail_memory(error);
        goto fail;
    }
    if (backend->open(error)
        || meta_lower(&p->low, network, backend, settings.support, settings.query, error))
        goto fail;
    meta_lowered_divide(&p->low, network, settings.frozen, settings.body,
                        p->passes == META_TANGENTS);
    if (meta_program_place(p, settings.shared, error) || connect(p, error)
        || allocate_masks(p, error) || keep_argument(p, error)
        || meta_program_allocate_untied(p, error) || meta_program_allocate_sums(p, error))
        goto fail;
    for (; p->created < p->low.op_count; p->created++) {
        struct meta_op *op = &p->low.ops[p->created];
        op->labels = p->labels + (meta_op_is_loss(op) ? p->support : 0);
        op->kernel = backend->kernel(op);
        int tangents = p->passes == META_TANGENTS && p->created >= p->low.body;
        if (op->kernel->create && op->kernel->create(op, tangents, error)) goto fail;
        if (op->scratch_bytes > p->workspace_bytes) p->workspace_bytes = op->scratch_bytes;
    }
    if (!settings.shared) {
        if (!(p->workspace = backend->allocate(p->workspace_bytes))) {
            meta_fail_memory(error);
            goto fail;
        }
        p->bytes += p->workspace_bytes;
        meta_program_use(p, p->workspace);
    }
    *out = p;
    return 0;
fail:
    meta_program_free(p);
    return -1;
}

size_t meta_program_workspace_bytes(const struct meta_program *p) { return p->workspace_bytes; }

void meta_program_use(struct meta_program *p, void *workspace)
{
    for (int i = 0; i < p->low.op_count; i++) p->low.ops[i].scratch = workspace;
}

void meta_program_free(struct meta_program *p)
{
    if (!p) return;
    for (int i = 0; i < p->created; i++) {
        struct meta_op *op = &p->low.ops[i];
        if (op->kernel->destroy) op->kernel->destroy(op);
    }
    for (int i = 0; i < p->low.op_count; i++) {
        if (p->masks) free(p->masks[i]);
        if (p->accumulate) free(p->accumulate[i]);
    }
    meta_program_free_sums(p);
    free(p->masks);
    free(p->accumulate);
    if (p->arena) p->backend->release(p->arena);
    if (p->scratch) p->backend->release(p->scratch);
    if (p->workspace) p->backend->release(p->workspace);
    if (p->theta) p->backend->release(p->theta);
    if (p->v) p->backend->release(p->v);
    if (p->untied) p->backend->release(p->untied);
    meta_lowered_free(&p->low);
    free(p->planes);
    free(p->again);
    free(p->labels);
    free(p->argument);
    free(p);
}

size_t meta_program_bytes(const struct meta_program *p) { return p->bytes; }

/* ---- time ------------------------------------------------------------------------------------ */

int meta_program_operations(const struct meta_program *p) { return p->low.op_count; }

int meta_program_slow_layer(const struct meta_program *p, const char **implementation)
{
    for (const struct meta_op *op = p->low.ops; op < p->low.ops + p->low.op_count; op++) {
        *implementation = op->kernel->slow ? op->kernel->slow(op) : NULL;
        if (*implementation) return op->layer - p->network->layers;
    }
    return -1;
}

const struct meta_op *meta_program_operation(const struct meta_program *p, int index)
{
    return &p->low.ops[index];
}

void meta_program_time(struct meta_program *p, double *seconds) { p->seconds = seconds; }

static double begin(const struct meta_program *p) { return p->seconds ? meta_thread_time() : 0; }

static void end(const struct meta_program *p, int i, enum meta_pass pass, double begun)
{
    if (p->seconds) p->seconds[i * META_PASS_COUNT + pass] += meta_thread_time() - begun;
}

/* ---- failures -------------------------------------------------------------------------------- */

void meta_program_note_failure(struct meta_program *p)
{
    if (!p->failed && p->backend->failed) p->failed = p->backend->failed(&p->failure);
}

int meta_program_failed(const struct meta_program *p, struct meta_error *error)
{
    return p->failed ? meta_fail(error, "%s", p->failure.text) : 0;
}

/* ---- passes ---------------------------------------------------------------------------------- */

void meta_program_load(struct meta_program *p, const float *images, const int *labels)
{
    meta_program_load_some(p, 0, p->batch, images, labels);
}

void meta_program_shares(struct meta_program *p, const double *shares)
{
    p->low.ops[p->low.op_count - 1].shares = shares;
}

void meta_program_load_some(struct meta_program *p, int first, int count, const float *images,
                            const int *labels)
{
    size_t before = first * p->backend->image(p->network->input) * p->backend->element;
    p->backend->tensor_in((char *)p->planes[0].value + before, images, count, p->network->input);
    memcpy(p->labels + first, labels, count * sizeof *labels);
    if (!++p->loads) p->loads = 1;
    for (int i = 0; i < p->low.op_count; i++) p->low.ops[i].loads = p->loads;
}

void meta_program_dropout(struct meta_program *p, struct meta_dropout_key key)
{
    for (int i = 0; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        if (op->kind != META_OP_DROPOUT) continue;
        op->mask = NULL;
        if (!key.train || op->layer->probability == 0) continue;
        /* the layer keys the mask, since the number of operations before it differs between
           backends */
        uint32_t item = key.item * (uint32_t)META_MOST_DROPOUT
            + (uint32_t)(op->layer - p->network->layers);
        struct meta_rng rng = meta_rng_open(key.seed, META_USE_DROPOUT, key.iteration, key.task,
                                            item);
        float keep = 1 / (1 - op->layer->probability);
        size_t count = op->batch * meta_shape_numbers(op->out);
        for (size_t k = 0; k < count; k++)
            p->masks[i][k] = meta_rng_word(&rng) < op->layer->probability * 4294967296. ? 0 : keep;
        op->mask = p->masks[i];
    }
}

static double forward_from(struct meta_program *p, int first, const void *parameters,
                           enum meta_statistics kind, const float *statistics)
{
    const void *theta = meta_program_theta(p, parameters);
    for (int i = first; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        op->statistics = kind == META_STATISTICS_ROLLING ? statistics : NULL;
        double begun = begin(p);
        op->kernel->forward(op, theta);
        end(p, i, META_PASS_FORWARD, begun);
    }
    meta_program_note_failure(p);
    return p->failed ? NAN : p->low.ops[p->low.op_count - 1].loss;
}

double meta_program_forward(struct meta_program *p, const void *parameters,
                            enum meta_statistics kind, const float *statistics)
{
    return forward_from(p, 0, parameters, kind, statistics);
}

double meta_program_forward_again(struct meta_program *p, const void *parameters)
{
    return forward_from(p, p->low.body, parameters, META_STATISTICS_BATCH, NULL);
}

void meta_program_probabilities(const struct meta_program *p, float *probabilities)
{
    const struct meta_op *loss = &p->low.ops[p->low.op_count - 1];
    loss->kernel->probabilities(loss, probabilities);
    int ways = loss->kind == META_OP_SQUARES ? loss->ways : 0;
    for (float *row = probabilities;
         ways && row < probabilities + (size_t)(p->batch - p->support) * ways; row += ways) {
        double sum = 0;
        for (int k = 0; k < ways; k++) sum += row[k];
        for (int k = 0; k < ways; k++) row[k] = sum == 0 ? 1. / ways : row[k] / sum;
    }
}

void meta_program_log_odds(const struct meta_program *p, double *log_odds)
{
    const struct meta_op *loss = &p->low.ops[p->low.op_count - 1];
    int outputs = meta_network_outputs(p->network), images = p->batch - p->support;
    loss->kernel->logits(loss, log_odds);
    for (int i = 0; i < images; i++, log_odds += outputs)
        meta_log_odds(log_odds, outputs, log_odds);
}

void meta_program_features(const struct meta_program *p, float *features)
{
    const struct meta_op *loss = &p->low.ops[p->low.op_count - 1];
    p->backend->tensor_out(features, loss->x->value, loss->batch, *loss->in);
}

void meta_program_batch_statistics(const struct meta_program *p, float *statistics)
{
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_op *op = &p->low.ops[i];
        if ((op->kind == META_OP_EPILOGUE || op->kind == META_OP_STEM) && op->normalise)
            op->kernel->batch_statistics(op, statistics + op->mean, statistics + op->variance);
    }
}

void meta_program_normalised(struct meta_program *p, const void *parameters,
                             const struct meta_layer *layer, float *mean, float *variance)
{
    const void *theta = meta_program_theta(p, parameters);
    for (int i = 0; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        op->statistics = NULL;
        op->measures = op->layer == layer && op->kind != META_OP_CONV
            && op->kind != META_OP_CONNECTED;
        op->kernel->forward(op, theta);
        if (!op->measures) continue;
        op->measures = 0;
        op->kernel->batch_statistics(op, mean, variance);
        break;
    }
    meta_program_note_failure(p);
}

static void add_scratch(struct meta_program *p, int i, int tangent)
{
    for (int k = 0; k < p->low.ops[i].inputs; k++) {
        if (!p->accumulate[i][k]) continue;
        const struct meta_planes *to = &p->planes[p->low.op_inputs[i][k]],
                                 *from = &p->low.ops[i].x[k];
        size_t count = p->low.ops[i].batch * p->backend->image(p->low.ops[i].in[k]);
        if (tangent) p->backend->axpy(to->bardot, count, 1, from->bardot);
        else p->backend->axpy(to->bar, count, 1, from->bar);
    }
}

void meta_program_back(struct meta_program *p, int index, int first, const void *theta, void *out)
{
    for (int i = index - 1; i >= first; i--) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        op->kernel->backward(op, theta, out);
        add_scratch(p, i, 0);
        end(p, i, META_PASS_BACKWARD, begun);
    }
}

void meta_program_gradient(struct meta_program *p, const void *parameters, void *gradient)
{
    const void *theta = meta_program_theta(p, parameters);
    meta_program_back(p, p->low.op_count, p->low.first, theta, meta_program_untied(p, gradient));
    meta_program_tie(p, gradient);
    meta_program_note_failure(p);
}

void meta_program_hessian_product(struct meta_program *p, const void *parameters, const void *v,
                                  void *product)
{
    const void *theta = meta_program_theta(p, parameters), *along = meta_program_along(p, v);
    void *out = meta_program_untied(p, product);
    meta_program_begin_product(p);
    for (int i = p->low.first; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        op->kernel->forward_tangent(op, theta, along);
        end(p, i, META_PASS_FORWARD_TANGENT, begun);
    }
    for (int i = p->low.op_count - 1; i >= p->low.first; i--) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        /* The backward is for its other outputs: the tangent overwrites `product`. */
        if (p->again[i]) op->kernel->backward(op, theta, out);
        op->kernel->backward_tangent(op, theta, along, out);
        add_scratch(p, i, 1);
        end(p, i, META_PASS_BACKWARD_TANGENT, begun);
    }
    meta_program_add_to_sums(p);
    meta_program_tie(p, product);
    meta_program_note_failure(p);
}
