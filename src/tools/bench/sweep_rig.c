/* Makes one convolution with its tensors, and runs its passes. */
#include "sweep_rig.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* A network whose last convolution is of the shape; where it is not the first layer, a small one
   stands before it, so that its input has an adjoint and a tangent. */
static int build(struct meta_sweep_rig *r, struct meta_sweep_shape shape, struct meta_error *error)
{
    int is_first = meta_sweep_is_first(shape), where;
    struct meta_shape image = { .c = is_first ? meta_sweep_in(shape) : 1,
                                .h = META_SWEEP_SIDE,
                                .w = META_SWEEP_SIDE };
    struct meta_layer small = { .type = META_CONVOLUTIONAL,
                                .filters = meta_sweep_in(shape),
                                .size = 1,
                                .stride = 1,
                                .activation = META_LINEAR };
    struct meta_layer swept = small;
    struct meta_layer outputs = { .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR };
    struct meta_layer softmax = { .type = META_SOFTMAX, .temperature = 1 };
    swept.filters = meta_sweep_out(shape);
    swept.size = shape.size;
    swept.padding = shape.size / 2;
    return meta_network_create(&r->network, image, error)
            || (!is_first && meta_network_add(r->network, small, error))
            || meta_network_add(r->network, swept, error)
            || meta_network_add(r->network, outputs, error)
            || meta_network_add(r->network, softmax, error)
            || meta_network_finish(r->network, 2, &where, error)
        ? -1
        : 0;
}

static struct meta_op *last_convolution(struct meta_lowered *low)
{
    struct meta_op *found = NULL;
    for (int i = 0; i < low->op_count; i++)
        if (low->ops[i].kind == META_OP_CONV) found = &low->ops[i];
    return found;
}

/* A tensor, or with count > 0 a vector of as many numbers, of small numbers above 0. */
static void *numbers(const struct meta_sweep_rig *r, struct meta_shape shape, size_t count)
{
    const struct meta_backend *b = r->backend;
    size_t n = count ? count : META_SWEEP_BATCH * meta_shape_numbers(shape);
    size_t room = count ? count : META_SWEEP_BATCH * b->image(shape);
    float *x = malloc(n * sizeof *x);
    void *made = x ? b->allocate(room * b->element) : NULL;
    for (size_t i = 0; made && i < n; i++) x[i] = (i % 17 + 1) / 100.f;
    if (made && count) b->upload(made, x, n);
    else if (made) b->tensor_in(made, x, META_SWEEP_BATCH, shape);
    free(x);
    return made;
}

static int make_planes(const struct meta_sweep_rig *r, struct meta_planes *p,
                       struct meta_shape shape, int has_adjoint)
{
    p->value = numbers(r, shape, 0);
    if (!has_adjoint) return p->value ? 0 : -1;
    p->bar = numbers(r, shape, 0);
    p->dot = numbers(r, shape, 0);
    p->bardot = numbers(r, shape, 0);
    return p->value && p->bar && p->dot && p->bardot ? 0 : -1;
}

int meta_sweep_open(struct meta_sweep_rig *r, const struct meta_backend *backend,
                    struct meta_sweep_shape shape, struct meta_error *error)
{
    r->backend = backend;
    if (build(r, shape, error)
        || meta_lower(&r->low, r->network, backend, 0, META_SWEEP_BATCH, error))
        return -1;
    struct meta_op *op = r->op = last_convolution(&r->low);
    size_t n = r->network->parameters;
    r->theta = numbers(r, op->out, n);
    r->v = numbers(r, op->out, n);
    r->gradient = numbers(r, op->out, n);
    if (!r->theta || !r->v || !r->gradient
        || make_planes(r, op->x, *op->in, r->low.op_inputs[op - r->low.ops][0] != 0)
        || make_planes(r, &op->y, op->out, 1))
        return meta_fail_memory(error);
    op->kernel = backend->kernel(op);
    if (op->kernel->create && op->kernel->create(op, 1, error)) return -1;
    if (op->scratch_bytes && !(op->scratch = backend->allocate(op->scratch_bytes)))
        return meta_fail_memory(error);
    return 0;
}

static void release_planes(const struct meta_backend *b, const struct meta_planes *p)
{
    void *planes[] = { p->value, p->bar, p->dot, p->bardot };
    for (int i = 0; i < 4; i++)
        if (planes[i]) b->release(planes[i]);
}

void meta_sweep_close(struct meta_sweep_rig *r)
{
    void *vectors[] = { r->theta, r->v, r->gradient, r->op ? r->op->scratch : NULL };
    for (int i = 0; i < 4; i++)
        if (vectors[i]) r->backend->release(vectors[i]);
    if (r->op) {
        if (r->op->kernel && r->op->kernel->destroy) r->op->kernel->destroy(r->op);
        release_planes(r->backend, r->op->x);
        release_planes(r->backend, &r->op->y);
    }
    meta_lowered_free(&r->low);
    if (r->network) meta_network_free(r->network);
    memset(r, 0, sizeof *r);
}

double meta_sweep_gradient(const struct meta_sweep_rig *r, int runs)
{
    double begun = meta_thread_time();
    for (int i = 0; i < runs; i++) {
        r->op->kernel->forward(r->op, r->theta);
        r->op->kernel->backward(r->op, r->theta, r->gradient);
    }
    return (meta_thread_time() - begun) / runs / META_SWEEP_BATCH;
}

double meta_sweep_product(const struct meta_sweep_rig *r, int runs)
{
    double begun = meta_thread_time();
    for (int i = 0; i < runs; i++) {
        r->op->kernel->forward_tangent(r->op, r->theta, r->v);
        r->op->kernel->backward_tangent(r->op, r->theta, r->v, r->gradient);
    }
    return (meta_thread_time() - begun) / runs / META_SWEEP_BATCH;
}
