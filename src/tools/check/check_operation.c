/* A check of each operation by itself. What it reads, inputs and parameters, is laid out as one
   vector X, so that with y = f(X) every operation is checked alike. */
#include "check.h"
#include "backends/backends.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lower.h"

/* The vectors, (n) numbers each of X and (m) each of y. */
enum { AT, ALONG, BAR, BAR_ALONG, PROBE, DIFFERENCES, X_VECTORS = DIFFERENCES + 2 };
enum { U, U_ALONG, Y, Y_PROBE, Y_DIFFERENCES, Y_VECTORS = Y_DIFFERENCES + 2 };

/* A part of X: where it lies among the operation's own buffers. */
struct part {
    double *value, *bar, *dot, *bardot;
    size_t count;
};

struct rig {
    const struct meta_check *check;
    const struct meta_lowered *low;
    struct meta_op *op;
    const struct meta_kernel *kernel;
    double *theta, *v, *gradient, *product; /* (parameters); the operation's own part is used */
    double *planes;                         /* memory of the planes of the inputs and of y */
    struct part *parts;                     /* (part_count) */
    int part_count;
    size_t n, m; /* numbers of X and y; y of a loss is the loss */
    double *x[X_VECTORS], *y[Y_VECTORS];
    float *mask;
    int *labels;
};

/* How many numbers input k has; with k = op->inputs, y. */
static size_t numbers(const struct meta_op *op, int k)
{
    return k < op->inputs ? op->batch * meta_shape_numbers(op->in[k])
                          : op->out_batch * meta_shape_numbers(op->out);
}

static void add_part(struct rig *r, struct part part)
{
    r->parts[r->part_count++] = part;
    r->n += part.count;
}

static void add_parameters(struct rig *r, size_t offset, size_t count)
{
    if (offset == META_NONE) return;
    add_part(r,
             (struct part){ r->theta + offset, r->gradient + offset, r->v + offset,
                            r->product + offset, count });
}

/* Gives each input four planes, then y, and lists the parts of X. */
static void connect(struct rig *r)
{
    struct meta_op *op = r->op;
    double *at = r->planes;
    for (int k = 0; k <= op->inputs; k++) {
        struct meta_planes *p = k < op->inputs ? &op->x[k] : &op->y;
        size_t count = numbers(op, k);
        struct part part = { at, at + count, at + 2 * count, at + 3 * count, count };
        *p = (struct meta_planes){ part.value, part.bar, part.dot, part.bardot };
        if (k < op->inputs) add_part(r, part);
        at += 4 * count;
    }
    add_parameters(r, op->weights, op->weight_count);
    add_parameters(r, op->biases,
                   op->kind == META_OP_LOCAL ? meta_shape_numbers(op->out) : (size_t)op->out.c);
    add_parameters(r, op->scales, op->out.c);
    r->m = meta_op_is_loss(op) ? 1 : numbers(op, op->inputs);
}

static int allocate(struct rig *r, struct meta_error *error)
{
    size_t count = meta_lowered_parameters(r->low, r->check->model->network),
           size = numbers(r->op, r->op->inputs), all = size;
    for (int k = 0; k < r->op->inputs; k++) all += numbers(r->op, k);
    int failed = !(r->theta = calloc(4 * count, sizeof *r->theta))
        || !(r->planes = calloc(4 * all, sizeof *r->planes))
        || !(r->parts = calloc(r->op->inputs + 3, sizeof *r->parts))
        || !(r->mask = malloc(size * sizeof *r->mask))
        || !(r->labels = malloc(r->op->batch * sizeof *r->labels));
    if (!failed) {
        r->v = r->theta + count;
        r->gradient = r->v + count;
        r->product = r->gradient + count;
        connect(r);
        failed = !(r->x[0] = calloc(X_VECTORS * r->n, sizeof **r->x))
            || !(r->y[0] = calloc(Y_VECTORS * r->m, sizeof **r->y));
    }
    if (failed) return meta_fail_memory(error);
    for (int i = 1; i < X_VECTORS; i++) r->x[i] = r->x[0] + i * r->n;
    for (int i = 1; i < Y_VECTORS; i++) r->y[i] = r->y[0] + i * r->m;
    return 0;
}

static void free_rig(struct rig *r)
{
    free(r->theta);
    free(r->planes);
    free(r->parts);
    free(r->mask);
    free(r->labels);
    free(r->x[0]);
    free(r->y[0]);
}

/* ---- between X and the operation's buffers --------------------------------------------------- */

enum plane { VALUE, ADJOINT, TANGENT, ADJOINT_TANGENT };

static double *plane_of(const struct part *p, enum plane plane)
{
    return plane == VALUE  ? p->value
        : plane == ADJOINT ? p->bar
        : plane == TANGENT ? p->dot
                           : p->bardot;
}

static void put(struct rig *r, enum plane plane, const double *from)
{
    for (const struct part *p = r->parts; p < r->parts + r->part_count; p++) {
        memcpy(plane_of(p, plane), from, p->count * sizeof *from);
        from += p->count;
    }
}

static void get(const struct rig *r, enum plane plane, double *to)
{
    for (const struct part *p = r->parts; p < r->parts + r->part_count; p++) {
        memcpy(to, plane_of(p, plane), p->count * sizeof *to);
        to += p->count;
    }
}

/* y = f(X + t X') */
static void forward_at(struct rig *r, double t, double *y)
{
    for (size_t i = 0; i < r->n; i++) r->x[PROBE][i] = r->x[AT][i] + t * r->x[ALONG][i];
    put(r, VALUE, r->x[PROBE]);
    r->kernel->forward(r->op, r->theta);
    if (meta_op_is_loss(r->op)) y[0] = r->op->loss;
    else memcpy(y, r->op->y.value, r->m * sizeof *y);
}

/* bar = f'(X + t X')' (u + t u') */
static void backward_at(struct rig *r, double t, double *bar)
{
    forward_at(r, t, r->y[Y_PROBE]);
    if (!meta_op_is_loss(r->op))
        for (size_t i = 0; i < r->m; i++)
            ((double *)r->op->y.bar)[i] = r->y[U][i] + t * r->y[U_ALONG][i];
    r->kernel->backward(r->op, r->theta, r->gradient);
    get(r, ADJOINT, bar);
}

static void forward_probe(void *rig, double t, double *out) { forward_at(rig, t, out); }
static void backward_probe(void *rig, double t, double *out) { backward_at(rig, t, out); }

/* Calls the four functions at X, in the order in which a program calls them. */
static void evaluate(struct rig *r, int tangents)
{
    backward_at(r, 0, r->x[BAR]);
    if (!tangents) return;
    put(r, TANGENT, r->x[ALONG]);
    r->kernel->forward_tangent(r->op, r->theta, r->v);
    if (!meta_op_is_loss(r->op)) {
        memcpy(r->y[Y], r->op->y.dot, r->m * sizeof **r->y);
        memcpy(r->op->y.bardot, r->y[U_ALONG], r->m * sizeof **r->y);
    }
    r->kernel->backward_tangent(r->op, r->theta, r->v, r->product);
    get(r, ADJOINT_TANGENT, r->x[BAR_ALONG]);
}

/* ---- identities ------------------------------------------------------------------------------ */

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* How far <u, y'> and <X~, X'> are apart, over |u| |y'|. */
static double adjoint_error(const struct rig *r, const double *ydot)
{
    double left = dot(r->y[U], ydot, r->m), right = dot(r->x[BAR], r->x[ALONG], r->n);
    double norm = sqrt(dot(r->y[U], r->y[U], r->m) * dot(ydot, ydot, r->m));
    return left == right ? 0 : fabs(left - right) / norm;
}

/* The same with y' by differences; see meta_check_differences for the steps. */
static double adjoint_differences(struct rig *r, double limit)
{
    double least = INFINITY, *plus = r->y[Y_DIFFERENCES], *minus = plus + r->m;
    for (double h = 1e-5; h > 5e-9 && !(least <= limit); h /= 10) {
        forward_at(r, h, plus);
        forward_at(r, -h, minus);
        for (size_t i = 0; i < r->m; i++) plus[i] = (plus[i] - minus[i]) / (2 * h);
        double error = adjoint_error(r, plus);
        if (error < least) least = error;
    }
    return least;
}

/* Writes "batch_normalize+relu+maxpool", what an epilogue does in its order; of another operation,
   the layer's name. */
static void describe(const struct meta_op *op, char *out, size_t size)
{
    const char *steps[] = { op->normalise                 ? "batch_normalize"
                                : op->biases != META_NONE ? "bias"
                                                          : NULL,
                            op->activation == META_LINEAR ? NULL
                                                          : meta_activation_name(op->activation),
                            op->pool_size ? "maxpool" : NULL };
    size_t used = 0;
    snprintf(out, size, "%s", op->kind == META_OP_EPILOGUE ? "linear" : meta_layer_name(op->layer));
    for (int i = 0; op->kind == META_OP_EPILOGUE && i < 3; i++)
        if (steps[i]) used += snprintf(out + used, size - used, "%s%s", used ? "+" : "", steps[i]);
}

static void report(const struct rig *r, const char *text, double error, double limit)
{
    char type[64];
    const struct meta_network *net = r->check->model->network;
    describe(r->op, type, sizeof type);
    r->check->report(r->check->context,
                     &(struct meta_identity){ (int)(r->op->layer - net->layers), type, text, error,
                                              limit });
}

static void check_identities(struct rig *r)
{
    int tangents = r->kernel->forward_tangent && meta_check_has_tangents(r->check);
    double *found = r->y[Y_DIFFERENCES];
    evaluate(r, tangents);
    if (meta_op_is_loss(r->op)) {
        double exact = dot(r->x[BAR], r->x[ALONG], r->n);
        report(r, "<backward, v> = differences of the loss",
               meta_check_differences(forward_probe, r, &exact, 1, 1e-7, found), 1e-7);
    } else if (!tangents) {
        report(r, "<u, differences of forward> = <backward(u), v>", adjoint_differences(r, 1e-7),
               1e-7);
    } else {
        report(r, "<u, forward_tangent(v)> = <backward(u), v>", adjoint_error(r, r->y[Y]), 1e-11);
        report(r, "forward_tangent = differences of forward",
               meta_check_differences(forward_probe, r, r->y[Y], r->m, 1e-6, found), 1e-6);
    }
    if (tangents)
        report(r, "backward_tangent = differences of backward",
               meta_check_differences(backward_probe, r, r->x[BAR_ALONG], r->n, 1e-6,
                                      r->x[DIFFERENCES]),
               1e-6);
}

/* An operation has a number that is tied as often as it stands there: what is checked does not know
   that they are one. */
static int fill_theta(struct rig *r, struct meta_error *error)
{
    const struct meta_tie *tie = r->low->tie;
    if (!tie) return meta_check_parameters(r->check, 0, r->theta, error);
    double *tied = malloc(r->check->model->network->parameters * sizeof *tied);
    if (!tied) return meta_fail_memory(error);
    int status = meta_check_parameters(r->check, 0, tied, error);
    if (!status) meta_backend_exact()->gather(r->theta, tied, tie->source, tie->full->parameters);
    free(tied);
    return status;
}

/* Draws inputs and directions of deviation 1, and parameters as a training starts with. */
static int fill(struct rig *r, int index, struct meta_error *error)
{
    struct meta_op *op = r->op;
    int from = 8 * index;
    if (fill_theta(r, error)) return -1;
    get(r, VALUE, r->x[AT]);
    size_t inputs = 0;
    for (int k = 0; k < op->inputs; k++) inputs += numbers(op, k);
    meta_check_normal(r->check, META_CHECK_OPERATION, from, r->x[AT], inputs);
    meta_check_normal(r->check, META_CHECK_OPERATION, from + 1, r->x[ALONG], r->n);
    meta_check_normal(r->check, META_CHECK_OPERATION, from + 2, r->y[U], r->m);
    meta_check_normal(r->check, META_CHECK_OPERATION, from + 3, r->y[U_ALONG], r->m);
    if (op->kind == META_OP_DROPOUT) {
        double keep = 1 / (1 - op->layer->probability);
        meta_check_normal(r->check, META_CHECK_OPERATION, from + 4, r->y[Y], r->m);
        for (size_t i = 0; i < r->m; i++) r->mask[i] = r->y[Y][i] > 0 ? keep : 0;
        op->mask = r->mask;
    }
    for (int i = 0; i < op->batch; i++)
        r->labels[i] = i % meta_network_outputs(r->check->model->network);
    op->labels = r->labels;
    return 0;
}

static int check_operation(const struct meta_check *check, const struct meta_lowered *low,
                           int index, struct meta_error *error)
{
    const struct meta_backend *backend = meta_backend_exact();
    struct meta_op *op = &low->ops[index];
    struct rig r = { .check = check, .low = low, .op = op, .kernel = backend->kernel(op) };
    int created = 0, status = -1;
    if (allocate(&r, error) || fill(&r, index, error)) goto fail;
    if (r.kernel->create && r.kernel->create(op, 1, error)) goto fail;
    created = 1;
    if (op->scratch_bytes && !(op->scratch = malloc(op->scratch_bytes))) {
        meta_fail_memory(error);
        goto fail;
    }
    check_identities(&r);
    status = 0;
fail:
    free(op->scratch);
    op->scratch = NULL;
    if (created && r.kernel->destroy) r.kernel->destroy(op);
    free_rig(&r);
    return status;
}

int meta_check_operations(const struct meta_check *check, struct meta_error *error)
{
    struct meta_lowered low;
    int status = 0;
    int support = meta_check_support(check), batch = meta_check_batch(check);
    if (meta_backend_exact()->open(error)
        || meta_lower(&low, check->model->network, meta_backend_exact(), support, batch, error))
        return -1;
    for (int i = 0; i < low.op_count && !status; i++)
        status = check_operation(check, &low, i, error);
    meta_lowered_free(&low);
    return status;
}
