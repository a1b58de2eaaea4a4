/* Decides where a program's tensors lie.

   The passes of n operations run at moments: forward i at i, backward i at 2n-1-i, forward tangent
   i at 2n+i, backward tangent i at 4n-1-i. With tangents, the tensors that a product reads of the
   forward and the gradient before it lie in the program's own memory. The others live within one
   call, or from a forward to its gradient, and may lie in memory that other programs use in turn;
   so do the images, which can be loaded again. Two kinds of tensors that a product reads are
   cheaper to make again than to keep, and are not in the program's own memory: the output of an
   epilogue or a stem, which its forward tangent writes again, and the adjoint of an epilogue's
   input, for which its backward runs once more. A body (program.h) is passed once more before the
   products, and its backward comes behind them all, at 4n-1-i: no tensor of it is in the program's
   own memory. */
#include "arena.h"
#include "program_internal.h"

#include <stdlib.h>

enum { VALUE, BAR, DOT, BARDOT, PLANES };
enum { OWN, SHARED, REGIONS };

struct layout {
    /* (tensors, PLANES) size 0: the plane is not placed, or lies in the other region */
    struct meta_interval *intervals[REGIONS];
    size_t bytes[REGIONS];
};

static const struct meta_op *producer_of(const struct meta_lowered *low, int t)
{
    return low->tensors[t].producer < 0 ? NULL : &low->ops[low->tensors[t].producer];
}

/* The one operation that reads tensor t, and reads it once; NULL when there is no such one. */
static const struct meta_op *reader_of(const struct meta_lowered *low, int t)
{
    return low->tensors[t].readings == 1 ? &low->ops[low->tensors[t].reader] : NULL;
}

static int has_weights(const struct meta_op *op)
{
    return op->kind == META_OP_CONV || op->kind == META_OP_CONNECTED;
}
static int has_epilogue(const struct meta_op *op)
{
    return op->kind == META_OP_EPILOGUE || op->kind == META_OP_STEM;
}

/* Whether the reader of tensor t may write the adjoint of t over t: neither the later passes of the
   reader nor those of the producer read t again (struct meta_op). */
static int in_place(const struct meta_lowered *low, int t)
{
    const struct meta_op *producer = producer_of(low, t), *reader = reader_of(low, t);
    return producer && reader && (has_weights(producer) || has_epilogue(producer))
        && (has_weights(reader) || reader->kind == META_OP_EPILOGUE);
}

static int value_is_made_again(const struct meta_lowered *low, int t)
{
    return has_epilogue(producer_of(low, t)) && low->tensors[t].active;
}

/* In a first layer xdot = 0, so that Wbardot = ybardot (x) x needs the adjoint's tangent alone, not
   the adjoint. A stem keeps sums instead. */
static int adjoint_is_read_again(const struct meta_lowered *low, int t)
{
    const struct meta_op *producer = producer_of(low, t);
    if (producer->kind == META_OP_STEM) return 0;
    return !has_weights(producer)
        || low->tensors[low->op_inputs[low->tensors[t].producer][0]].active;
}

static int adjoint_is_made_again(const struct meta_lowered *low, int t)
{
    const struct meta_op *producer = producer_of(low, t), *reader = reader_of(low, t);
    return producer && has_weights(producer) && reader && reader->kind == META_OP_EPILOGUE
        && adjoint_is_read_again(low, t);
}

static int last_use(const struct meta_lowered *low, int t)
{
    const struct meta_tensor *tensor = &low->tensors[t];
    if (tensor->reader >= 0) return tensor->reader;
    return tensor->producer < 0 ? 0 : tensor->producer;
}

/* Places the planes of a tensor that an operation of the body produces. What the body hands on is
   read in every pass of the operations behind it, which may come several times, and has planes of
   its own. */
static void body_lifetimes(const struct meta_lowered *low, int t, size_t size,
                           struct meta_interval shared[PLANES])
{
    int n = low->op_count, first = low->tensors[t].producer, last = last_use(low, t);
    shared[VALUE] = (struct meta_interval){ size, first, 4 * n - 1 - first, 0 };
    if (!low->tensors[t].active) return;
    if (meta_lowered_hands_on(low, t)) {
        shared[BAR] = (struct meta_interval){ size, 2 * n - 1 - last, 4 * n - 1 - first, 0 };
        shared[DOT] = (struct meta_interval){ size, 2 * n, 4 * n - 1 - first, 0 };
        shared[BARDOT] = (struct meta_interval){ size, 4 * n - 1 - last, 4 * n - 1 - first, 0 };
    } else if (!in_place(low, t)) {
        shared[BAR] = (struct meta_interval){ size, 4 * n - 1 - last, 4 * n - 1 - first, 0 };
    }
}

/* Places the planes of a tensor that another operation produces. */
static void lifetimes_of(const struct meta_lowered *low, int t, size_t size,
                         enum meta_passes passes, struct meta_interval own[PLANES],
                         struct meta_interval shared[PLANES])
{
    int n = low->op_count, end = 4 * n, first = low->tensors[t].producer, last = last_use(low, t);
    struct meta_interval value = { size, first, last, 0 },
                         bar = { size, 2 * n - 1 - last, 2 * n - 1 - first, 0 };
    if (passes == META_GRADIENT) value.last = bar.last;
    if (passes == META_TANGENTS) value.last = value_is_made_again(low, t) ? 4 * n - 1 - first : end;
    *(value.last == end ? &own[VALUE] : &shared[VALUE]) = value;
    if (!low->tensors[t].active || passes < META_GRADIENT) return;
    if (passes == META_GRADIENT) {
        if (!in_place(low, t)) shared[BAR] = bar;
        return;
    }
    if (adjoint_is_made_again(low, t)) bar.last = 4 * n - 1 - first;
    else if (adjoint_is_read_again(low, t)) bar.last = end;
    *(bar.last == end ? &own[BAR] : &shared[BAR]) = bar;
    shared[DOT] = (struct meta_interval){ size, 2 * n + first, 4 * n - 1 - first, 0 };
    if (!in_place(low, t))
        shared[BARDOT] = (struct meta_interval){ size, 4 * n - 1 - last, 4 * n - 1 - first, 0 };
}

static void lifetimes(const struct meta_lowered *low, const struct meta_backend *backend,
                      enum meta_passes passes, struct layout *out)
{
    for (int t = 0; t < low->tensor_count; t++) {
        struct meta_interval *own = out->intervals[OWN] + PLANES * t,
                             *shared = out->intervals[SHARED] + PLANES * t;
        size_t size = low->tensors[t].batch * backend->image(low->tensors[t].shape)
            * backend->element;
        if (t == low->op_output[low->op_count - 1]) continue;
        if (low->tensors[t].producer < 0)
            shared[VALUE] = (struct meta_interval){ size, -1, 4 * low->op_count, 0 };
        else if (low->tensors[t].producer < low->body) body_lifetimes(low, t, size, shared);
        else lifetimes_of(low, t, size, passes, own, shared);
    }
}

static void layout_free(struct layout *l)
{
    for (int r = 0; r < REGIONS; r++) free(l->intervals[r]);
}

static int layout_create(struct layout *l, const struct meta_lowered *low,
                         const struct meta_backend *backend, enum meta_passes passes,
                         struct meta_error *error)
{
    int count = PLANES * low->tensor_count;
    for (int r = 0; r < REGIONS; r++)
        if (!(l->intervals[r] = calloc(count, sizeof *l->intervals[r]))) goto fail;
    lifetimes(low, backend, passes, l);
    for (int r = 0; r < REGIONS; r++)
        if ((l->bytes[r] = meta_plan(l->intervals[r], count, META_PAGE)) == (size_t)-1) goto fail;
    return 0;
fail:
    return meta_fail_memory(error);
}

size_t meta_program_shared_bytes(const struct meta_network *network,
                                 const struct meta_backend *backend,
                                 struct meta_program_settings settings)
{
    struct meta_error unused;
    struct meta_lowered low = { 0 };
    struct layout layout = { { NULL, NULL }, { 0, 0 } };
    size_t bytes = (size_t)-1;
    int lowered = !meta_lower(&low, network, backend, settings.support, settings.query, &unused);
    if (lowered)
        meta_lowered_divide(&low, network, settings.frozen, settings.body,
                            settings.passes == META_TANGENTS);
    if (lowered && !layout_create(&layout, &low, backend, settings.passes, &unused))
        bytes = layout.bytes[SHARED];
    layout_free(&layout);
    meta_lowered_free(&low);
    return bytes;
}

int meta_program_place(struct meta_program *p, char *shared, struct meta_error *error)
{
    struct layout layout = { { NULL, NULL }, { 0, 0 } };
    int count = p->low.tensor_count;
    if (layout_create(&layout, &p->low, p->backend, p->passes, error)) goto fail;
    p->bytes = layout.bytes[OWN] + (shared ? 0 : layout.bytes[SHARED]);
    p->planes = calloc(count, sizeof *p->planes);
    p->again = calloc(p->low.op_count, sizeof *p->again);
    p->arena = p->backend->allocate(p->bytes);
    if (!p->planes || !p->again || !p->arena) {
        meta_fail_memory(error);
        goto fail;
    }
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
        /* a plane without a place lies over another: see in_place */
        if (p->passes >= META_GRADIENT && !planes->bar) planes->bar = planes->value;
        if (p->passes == META_TANGENTS && !planes->bardot) planes->bardot = planes->dot;
        if (p->low.tensors[t].producer >= p->low.body && adjoint_is_made_again(&p->low, t))
            p->again[reader_of(&p->low, t) - p->low.ops] = 1;
    }
    layout_free(&layout);
    return 0;
fail:
    layout_free(&layout);
    return -1;
}
