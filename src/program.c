#include "program_internal.h"
#include "clock.h"
#include "plan.h"
#include "rng.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 4096    /* a page: no two tensors share one, and all start on a cache line */

static size_t numbers(struct meta_shape s) { return (size_t)s.c * s.h * s.w; }

/* ---- the memory plan ----------------------------------------------------------------------------------------------
   The passes run at moments: forward i at i, backward i at 2n-1-i, tangents forward i at 2n+i, backward at 4n-1-i.
   What a later call reads is the program's own: the images, since one load serves many passes, and with tangents the values
   and the adjoints, since one forward and gradient serve many products. The rest is alive within one call, or between a
   forward and its gradient, and may lie in memory that other programs use in turn. */

enum { VALUE, BAR, DOT, BARDOT, PLANES };
enum { OWN, SHARED, REGIONS };

struct layout {
    struct meta_interval *intervals[REGIONS];      /* (tensors, PLANES); size 0: not here */
    size_t bytes[REGIONS];
};

static struct meta_op *producer_of(const struct meta_lowered *low, int t)
{
    return low->tensors[t].producer < 0 ? NULL : &low->ops[low->tensors[t].producer];
}

/* An epilogue may write the adjoint of what it reads in place of it, where neither the reader's nor the producer's later passes
   come back to the latter: see struct meta_op. */
static int in_place(const struct meta_lowered *low, int t)
{
    const struct meta_op *producer = producer_of(low, t);
    int readers = 0, epilogues = 0;
    for (int i = 0; i < low->op_count; i++)
        for (int k = 0; k < low->ops[i].inputs; k++)
            if (low->op_inputs[i][k] == t) readers++, epilogues += low->ops[i].kind == META_OP_EPILOGUE;
    return producer && (producer->kind == META_OP_CONV || producer->kind == META_OP_CONNECTED) && readers == 1 && epilogues == 1;
}

/* Only the adjoint tangent of a first layer's weights asks for its output's adjoint again, and it needs no more than the tangent:
   Wbardot = ybardot (x) x, as xdot = 0. */
static int adjoint_is_read_again(const struct meta_lowered *low, int t)
{
    const struct meta_op *producer = producer_of(low, t);
    if (producer->kind != META_OP_CONV && producer->kind != META_OP_CONNECTED) return 1;
    return low->tensors[low->op_inputs[low->tensors[t].producer][0]].active;
}

static void lifetimes(const struct meta_lowered *low, const struct meta_backend *backend, enum meta_passes passes, struct layout *out)
{
    int n = low->op_count, end = 4 * n, values = passes == META_TANGENTS ? OWN : SHARED;
    for (int t = 0; t < low->tensor_count; t++) {
        struct meta_interval *own = out->intervals[OWN] + PLANES * t, *shared = out->intervals[SHARED] + PLANES * t;
        int producer = low->tensors[t].producer, last_use = producer < 0 ? 0 : producer;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < low->ops[i].inputs; k++)
                if (low->op_inputs[i][k] == t) last_use = i;
        size_t size = low->tensors[t].batch * backend->image(low->tensors[t].shape) * backend->element;
        if (t == low->op_output[n - 1]) continue;
        if (producer < 0) {
            own[VALUE] = (struct meta_interval){ size, -1, end, 0 };
            continue;
        }
        struct meta_interval *value = &out->intervals[values][PLANES * t + VALUE];
        *value = (struct meta_interval){ size, producer, last_use, 0 };
        if (passes == META_GRADIENT) value->last = 2 * n - 1 - producer;
        if (passes == META_TANGENTS) value->last = end;
        if (!low->tensors[t].active || passes < META_GRADIENT) continue;
        struct meta_interval bar = { size, 2 * n - 1 - last_use, 2 * n - 1 - producer, 0 };
        if (passes == META_GRADIENT) {
            if (!in_place(low, t)) shared[BAR] = bar;
            continue;
        }
        if (adjoint_is_read_again(low, t)) {
            own[BAR] = bar;
            own[BAR].last = end;
        } else {
            shared[BAR] = bar;
        }
        shared[DOT] = (struct meta_interval){ size, 2 * n + producer, 4 * n - 1 - producer, 0 };
        if (!in_place(low, t)) shared[BARDOT] = (struct meta_interval){ size, 4 * n - 1 - last_use, 4 * n - 1 - producer, 0 };
    }
}

static void layout_free(struct layout *l)
{
    for (int r = 0; r < REGIONS; r++) free(l->intervals[r]);
}

static int layout_create(struct layout *l, const struct meta_lowered *low, const struct meta_backend *backend,
                         enum meta_passes passes, struct meta_error *error)
{
    int count = PLANES * low->tensor_count;
    for (int r = 0; r < REGIONS; r++)
        if (!(l->intervals[r] = calloc(count, sizeof *l->intervals[r]))) goto fail;
    lifetimes(low, backend, passes, l);
    for (int r = 0; r < REGIONS; r++)
        if ((l->bytes[r] = meta_plan(l->intervals[r], count, ALIGN)) == (size_t)-1) goto fail;
    return 0;
fail:
    return meta_fail(error, "out of memory");
}

size_t meta_program_shared_bytes(const struct meta_network *network, const struct meta_backend *backend, int support, int query,
                                 enum meta_passes passes)
{
    struct meta_error unused;
    struct meta_lowered low = { 0 };
    struct layout layout = { { NULL, NULL }, { 0, 0 } };
    size_t bytes = (size_t)-1;
    if (!meta_lower(&low, network, backend, support, query, &unused) && !layout_create(&layout, &low, backend, passes, &unused))
        bytes = layout.bytes[SHARED];
    layout_free(&layout);
    meta_lowered_free(&low);
    return bytes;
}

/* Points the planes into the program's own memory and the shared one; without the latter the program has both. */
static int allocate_planes(struct meta_program *p, char *shared, struct meta_error *error)
{
    struct layout layout = { { NULL, NULL }, { 0, 0 } };
    int count = p->low.tensor_count;
    if (layout_create(&layout, &p->low, p->backend, p->passes, error)) goto fail;
    p->bytes = layout.bytes[OWN] + (shared ? 0 : layout.bytes[SHARED]);
    p->planes = calloc(count, sizeof *p->planes);
    p->arena = p->backend->allocate(p->bytes);
    if (!p->planes || !p->arena) { meta_fail(error, "out of memory"); goto fail; }
    char *base[REGIONS] = { p->arena, shared ? shared : (char *)p->arena + layout.bytes[OWN] };
    for (int t = 0; t < count; t++) {
        struct meta_planes *planes = &p->planes[t];
        void **plane[PLANES] = { &planes->value, &planes->bar, &planes->dot, &planes->bardot };
        for (int r = 0; r < REGIONS; r++)
            for (int k = 0; k < PLANES; k++) {
                const struct meta_interval *at = &layout.intervals[r][PLANES * t + k];
                if (at->size) *plane[k] = base[r] + at->offset;
            }
        if (!p->low.tensors[t].active || !planes->value) continue;
        /* what has no place of its own takes another's: see in_place */
        if (p->passes >= META_GRADIENT && !planes->bar) planes->bar = planes->value;
        if (p->passes == META_TANGENTS && !planes->bardot) planes->bardot = planes->dot;
    }
    layout_free(&layout);
    return 0;
fail:
    layout_free(&layout);
    return -1;
}

static size_t plane_size(const struct meta_program *p, const struct meta_op *op, int k)
{
    return (op->batch * p->backend->image(op->in[k]) * p->backend->element + ALIGN - 1) / ALIGN * ALIGN;
}

/* Points every operation at its tensors. Of several readers of a tensor, the last in order is the first to write its
   adjoint; the others write to the scratch, and the program adds. */
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
    return meta_fail(error, "out of memory");
}

static int allocate_masks(struct meta_program *p, struct meta_error *error)
{
    p->masks = calloc(p->low.op_count, sizeof *p->masks);
    if (!p->masks) return meta_fail(error, "out of memory");
    for (int i = 0; i < p->low.op_count; i++) {
        const struct meta_op *op = &p->low.ops[i];
        if (op->kind != META_OP_DROPOUT) continue;
        p->masks[i] = malloc(op->batch * numbers(op->out) * sizeof **p->masks);
        if (!p->masks[i]) return meta_fail(error, "out of memory");
    }
    return 0;
}

int meta_program_create(struct meta_program **out, const struct meta_network *network, const struct meta_backend *backend,
                        int batch, enum meta_passes passes, void *shared, struct meta_error *error)
{
    return meta_program_create_pairs(out, network, backend, 0, batch, passes, shared, error);
}

int meta_program_create_pairs(struct meta_program **out, const struct meta_network *network, const struct meta_backend *backend,
                              int support, int query, enum meta_passes passes, void *shared, struct meta_error *error)
{
    struct meta_program *p = calloc(1, sizeof *p);
    if (!p) return meta_fail(error, "out of memory");
    p->network = network;
    p->backend = backend;
    p->batch = support + query;
    p->support = support;
    p->passes = passes;
    p->labels = calloc(p->batch, sizeof *p->labels);
    if (!p->labels) { meta_fail(error, "out of memory"); goto fail; }
    if (backend->open(error) || meta_lower(&p->low, network, backend, support, query, error) || allocate_planes(p, shared, error)
        || connect(p, error) || allocate_masks(p, error)) goto fail;
    for (; p->created < p->low.op_count; p->created++) {
        struct meta_op *op = &p->low.ops[p->created];
        op->labels = p->labels + (meta_op_is_loss(op) ? support : 0);
        const struct meta_kernel *kernel = backend->kernels[op->kind];
        if (kernel->create && kernel->create(op, passes == META_TANGENTS, error)) goto fail;
        if (op->scratch_bytes > p->workspace_bytes) p->workspace_bytes = op->scratch_bytes;
    }
    if (!shared) {
        if (!(p->workspace = backend->allocate(p->workspace_bytes))) { meta_fail(error, "out of memory"); goto fail; }
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
        const struct meta_kernel *kernel = p->backend->kernels[p->low.ops[i].kind];
        if (kernel->destroy) kernel->destroy(&p->low.ops[i]);
    }
    for (int i = 0; i < p->low.op_count; i++) {
        if (p->masks) free(p->masks[i]);
        if (p->accumulate) free(p->accumulate[i]);
    }
    free(p->masks);
    free(p->accumulate);
    if (p->arena) p->backend->release(p->arena);
    if (p->scratch) p->backend->release(p->scratch);
    if (p->workspace) p->backend->release(p->workspace);
    meta_lowered_free(&p->low);
    free(p->planes);
    free(p->labels);
    free(p);
}

size_t meta_program_bytes(const struct meta_program *p) { return p->bytes; }

/* ---- time --------------------------------------------------------------------------------------------------------- */

int meta_program_operations(const struct meta_program *p) { return p->low.op_count; }

void meta_program_time(struct meta_program *p, double *seconds) { p->seconds = seconds; }

static double begin(const struct meta_program *p) { return p->seconds ? meta_thread_time() : 0; }

static void end(const struct meta_program *p, int i, enum meta_pass pass, double begun)
{
    if (p->seconds) p->seconds[i * META_PASS_COUNT + pass] += meta_thread_time() - begun;
}

/* ---- passes ---------------------------------------------------------------------------------------------------- */

void meta_program_load(struct meta_program *p, const float *images, const int *labels)
{
    meta_program_load_some(p, 0, p->batch, images, labels);
}

void meta_program_load_some(struct meta_program *p, int first, int count, const float *images, const int *labels)
{
    size_t before = first * p->backend->image(p->network->input) * p->backend->element;
    p->backend->tensor_in((char *)p->planes[0].value + before, images, count, p->network->input);
    memcpy(p->labels + first, labels, count * sizeof *labels);
}

void meta_program_dropout(struct meta_program *p, struct meta_dropout_key key)
{
    for (int i = 0; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        if (op->kind != META_OP_DROPOUT) continue;
        op->mask = NULL;
        if (!key.train || op->layer->probability == 0) continue;
        /* by layer: how many operations stand before it differs between backends */
        uint32_t item = key.item * 1024u + (uint32_t)(op->layer - p->network->layers);
        struct meta_rng rng = meta_rng_open(key.seed, META_USE_DROPOUT, key.iteration, key.task, item);
        float keep = 1 / (1 - op->layer->probability);
        size_t count = op->batch * numbers(op->out);
        for (size_t k = 0; k < count; k++)
            p->masks[i][k] = meta_rng_word(&rng) < op->layer->probability * 4294967296. ? 0 : keep;
        op->mask = p->masks[i];
    }
}

double meta_program_forward(struct meta_program *p, const void *parameters, enum meta_statistics kind, const float *statistics)
{
    for (int i = 0; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        op->statistics = kind == META_STATISTICS_ROLLING ? statistics : NULL;
        double begun = begin(p);
        p->backend->kernels[op->kind]->forward(op, parameters);
        end(p, i, META_PASS_FORWARD, begun);
    }
    return p->low.ops[p->low.op_count - 1].loss;
}

void meta_program_probabilities(const struct meta_program *p, float *probabilities)
{
    p->backend->probabilities(&p->low.ops[p->low.op_count - 1], probabilities);
    int ways = p->network->ways;
    for (float *row = probabilities; ways && row < probabilities + (size_t)(p->batch - p->support) * ways; row += ways) {
        double sum = 0;
        for (int k = 0; k < ways; k++) sum += row[k];
        for (int k = 0; k < ways; k++) row[k] = sum == 0 ? 1. / ways : row[k] / sum;
    }
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
            p->backend->batch_statistics(op, statistics + op->mean, statistics + op->variance);
    }
}

static void add_scratch(struct meta_program *p, int i, int tangent)
{
    for (int k = 0; k < p->low.ops[i].inputs; k++) {
        if (!p->accumulate[i][k]) continue;
        const struct meta_planes *to = &p->planes[p->low.op_inputs[i][k]], *from = &p->low.ops[i].x[k];
        size_t count = p->low.ops[i].batch * p->backend->image(p->low.ops[i].in[k]);
        if (tangent) p->backend->axpy(to->bardot, count, 1, from->bardot);
        else         p->backend->axpy(to->bar, count, 1, from->bar);
    }
}

void meta_program_gradient(struct meta_program *p, const void *parameters, void *gradient)
{
    for (int i = p->low.op_count - 1; i >= 0; i--) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        p->backend->kernels[op->kind]->backward(op, parameters, gradient);
        add_scratch(p, i, 0);
        end(p, i, META_PASS_BACKWARD, begun);
    }
}

void meta_program_hessian_product(struct meta_program *p, const void *parameters, const void *v, void *product)
{
    for (int i = 0; i < p->low.op_count; i++) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        p->backend->kernels[op->kind]->forward_tangent(op, parameters, v);
        end(p, i, META_PASS_FORWARD_TANGENT, begun);
    }
    for (int i = p->low.op_count - 1; i >= 0; i--) {
        struct meta_op *op = &p->low.ops[i];
        if (!p->low.tensors[p->low.op_output[i]].active) continue;
        double begun = begin(p);
        p->backend->kernels[op->kind]->backward_tangent(op, parameters, v, product);
        add_scratch(p, i, 1);
        end(p, i, META_PASS_BACKWARD_TANGENT, begun);
    }
}
