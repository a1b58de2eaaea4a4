/* Each operation by itself. What it reads, its inputs and its own parameters, is laid out as one vector X, so that with y = f(X)
   every operation is checked alike. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/lower.h"

enum { AT, ALONG, BAR, BAR_ALONG, PROBE, DIFFERENCES, X_VECTORS = DIFFERENCES + 2 };      /* (n) each */
enum { U, U_ALONG, Y, Y_PROBE, Y_DIFFERENCES, Y_VECTORS = Y_DIFFERENCES + 2 };            /* (m) each */

/* A part of X: where it lies among the operation's own buffers. */
struct part { double *value, *bar, *dot, *bardot; size_t count; };

struct bench {
    const struct meta_check *check;
    struct meta_op *op;
    const struct meta_kernel *kernel;
    double *theta, *v, *gradient, *product;     /* parameter vectors; the operation's own part is used */
    double *planes;
    struct part *parts;                         /* (part_count) */
    int part_count;
    size_t n, m;                                /* numbers of X, of y; y of the loss is the loss */
    double *x[X_VECTORS], *y[Y_VECTORS];
    float *mask;
    int *labels;
};

/* Of input k, and with k = op->inputs of y. */
static size_t numbers(const struct meta_op *op, int k)
{
    return k < op->inputs ? op->batch * meta_shape_numbers(op->in[k]) : op->out_batch * meta_shape_numbers(op->out);
}

static void add_part(struct bench *b, struct part part)
{
    b->parts[b->part_count++] = part;
    b->n += part.count;
}

static void add_parameters(struct bench *b, size_t offset, size_t count)
{
    if (offset == META_NONE) return;
    add_part(b, (struct part){ b->theta + offset, b->gradient + offset, b->v + offset, b->product + offset, count });
}

/* Four planes for each input, then for y. */
static void connect(struct bench *b)
{
    struct meta_op *op = b->op;
    double *at = b->planes;
    for (int k = 0; k <= op->inputs; k++) {
        struct meta_planes *p = k < op->inputs ? &op->x[k] : &op->y;
        size_t count = numbers(op, k);
        struct part part = { at, at + count, at + 2 * count, at + 3 * count, count };
        *p = (struct meta_planes){ part.value, part.bar, part.dot, part.bardot };
        if (k < op->inputs) add_part(b, part);
        at += 4 * count;
    }
    add_parameters(b, op->weights, op->weight_count);
    add_parameters(b, op->biases, op->out.c);
    add_parameters(b, op->scales, op->out.c);
    b->m = meta_op_is_loss(op) ? 1 : numbers(op, op->inputs);
}

static int allocate(struct bench *b, struct meta_error *error)
{
    size_t count = b->check->model->network->parameters, size = numbers(b->op, b->op->inputs), all = size;
    for (int k = 0; k < b->op->inputs; k++) all += numbers(b->op, k);
    int failed = !(b->theta = calloc(4 * count, sizeof *b->theta)) || !(b->planes = calloc(4 * all, sizeof *b->planes))
              || !(b->parts = calloc(b->op->inputs + 3, sizeof *b->parts)) || !(b->mask = malloc(size * sizeof *b->mask))
              || !(b->labels = malloc(b->op->batch * sizeof *b->labels));
    if (!failed) {
        b->v = b->theta + count;
        b->gradient = b->v + count;
        b->product = b->gradient + count;
        connect(b);
        failed = !(b->x[0] = calloc(X_VECTORS * b->n, sizeof **b->x)) || !(b->y[0] = calloc(Y_VECTORS * b->m, sizeof **b->y));
    }
    if (failed) return meta_fail_memory(error);
    for (int i = 1; i < X_VECTORS; i++) b->x[i] = b->x[0] + i * b->n;
    for (int i = 1; i < Y_VECTORS; i++) b->y[i] = b->y[0] + i * b->m;
    return 0;
}

static void free_bench(struct bench *b)
{
    free(b->theta);
    free(b->planes);
    free(b->parts);
    free(b->mask);
    free(b->labels);
    free(b->x[0]);
    free(b->y[0]);
}

/* ---- between X and the operation's buffers ----------------------------------------------------------------------- */

enum plane { VALUE, ADJOINT, TANGENT, ADJOINT_TANGENT };

static double *plane_of(const struct part *p, enum plane plane)
{
    return plane == VALUE ? p->value : plane == ADJOINT ? p->bar : plane == TANGENT ? p->dot : p->bardot;
}

static void put(struct bench *b, enum plane plane, const double *from)
{
    for (const struct part *p = b->parts; p < b->parts + b->part_count; p++) {
        memcpy(plane_of(p, plane), from, p->count * sizeof *from);
        from += p->count;
    }
}

static void get(const struct bench *b, enum plane plane, double *to)
{
    for (const struct part *p = b->parts; p < b->parts + b->part_count; p++) {
        memcpy(to, plane_of(p, plane), p->count * sizeof *to);
        to += p->count;
    }
}

/* f at X + t X' */
static void forward_at(struct bench *b, double t, double *y)
{
    for (size_t i = 0; i < b->n; i++) b->x[PROBE][i] = b->x[AT][i] + t * b->x[ALONG][i];
    put(b, VALUE, b->x[PROBE]);
    b->kernel->forward(b->op, b->theta);
    if (meta_op_is_loss(b->op)) y[0] = b->op->loss;
    else memcpy(y, b->op->y.value, b->m * sizeof *y);
}

/* f'(X + t X')' (u + t u') */
static void backward_at(struct bench *b, double t, double *bar)
{
    forward_at(b, t, b->y[Y_PROBE]);
    if (!meta_op_is_loss(b->op))
        for (size_t i = 0; i < b->m; i++) ((double *)b->op->y.bar)[i] = b->y[U][i] + t * b->y[U_ALONG][i];
    b->kernel->backward(b->op, b->theta, b->gradient);
    get(b, ADJOINT, bar);
}

static void forward_probe(void *bench, double t, double *out) { forward_at(bench, t, out); }
static void backward_probe(void *bench, double t, double *out) { backward_at(bench, t, out); }

/* The four functions at X, in the order in which a program calls them. */
static void evaluate(struct bench *b, int tangents)
{
    backward_at(b, 0, b->x[BAR]);
    if (!tangents) return;
    put(b, TANGENT, b->x[ALONG]);
    b->kernel->forward_tangent(b->op, b->theta, b->v);
    if (!meta_op_is_loss(b->op)) {
        memcpy(b->y[Y], b->op->y.dot, b->m * sizeof **b->y);
        memcpy(b->op->y.bardot, b->y[U_ALONG], b->m * sizeof **b->y);
    }
    b->kernel->backward_tangent(b->op, b->theta, b->v, b->product);
    get(b, ADJOINT_TANGENT, b->x[BAR_ALONG]);
}

/* ---- identities ------------------------------------------------------------------------------------------------- */

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* <u, y'> and <X~, X'>, apart, over |u| |y'| */
static double adjoint_error(const struct bench *b, const double *ydot)
{
    double left = dot(b->y[U], ydot, b->m), right = dot(b->x[BAR], b->x[ALONG], b->n);
    double norm = sqrt(dot(b->y[U], b->y[U], b->m) * dot(ydot, ydot, b->m));
    return left == right ? 0 : fabs(left - right) / norm;
}

/* The same with y' by differences; see meta_check_differences. */
static double adjoint_differences(struct bench *b, double limit)
{
    double least = INFINITY, *plus = b->y[Y_DIFFERENCES], *minus = plus + b->m;
    for (double h = 1e-5; h > 5e-9 && !(least <= limit); h /= 10) {
        forward_at(b, h, plus);
        forward_at(b, -h, minus);
        for (size_t i = 0; i < b->m; i++) plus[i] = (plus[i] - minus[i]) / (2 * h);
        double error = adjoint_error(b, plus);
        if (error < least) least = error;
    }
    return least;
}

/* "batch_normalize+relu+maxpool": what an epilogue does, in its order; else the layer's name. */
static void describe(const struct meta_op *op, char *out, size_t size)
{
    static const char *activations[] = { [META_LINEAR] = NULL, [META_RELU] = "relu", [META_LEAKY] = "leaky", [META_LOGISTIC] = "logistic" };
    const char *steps[] = { op->normalise ? "batch_normalize" : op->biases != META_NONE ? "bias" : NULL,
                            activations[op->activation], op->pool_size ? "maxpool" : NULL };
    size_t used = 0;
    snprintf(out, size, "%s", op->kind == META_OP_EPILOGUE ? "linear" : meta_layer_name(op->layer));
    for (int i = 0; op->kind == META_OP_EPILOGUE && i < 3; i++)
        if (steps[i]) used += snprintf(out + used, size - used, "%s%s", used ? "+" : "", steps[i]);
}

static void report(const struct bench *b, const char *text, double error, double limit)
{
    char type[64];
    const struct meta_network *net = b->check->model->network;
    describe(b->op, type, sizeof type);
    b->check->report(b->check->context, &(struct meta_identity){ (int)(b->op->layer - net->layers), type, text, error, limit });
}

static void check_identities(struct bench *b)
{
    int tangents = b->kernel->forward_tangent && meta_check_has_tangents(b->check);
    double *found = b->y[Y_DIFFERENCES];
    evaluate(b, tangents);
    if (meta_op_is_loss(b->op)) {
        double exact = dot(b->x[BAR], b->x[ALONG], b->n);
        report(b, "<backward, v> = differences of the loss",
               meta_check_differences(forward_probe, b, &exact, 1, 1e-7, found), 1e-7);
    } else if (!tangents) {
        report(b, "<u, differences of forward> = <backward(u), v>", adjoint_differences(b, 1e-7), 1e-7);
    } else {
        report(b, "<u, forward_tangent(v)> = <backward(u), v>", adjoint_error(b, b->y[Y]), 1e-11);
        report(b, "forward_tangent = differences of forward",
               meta_check_differences(forward_probe, b, b->y[Y], b->m, 1e-6, found), 1e-6);
    }
    if (tangents)
        report(b, "backward_tangent = differences of backward",
               meta_check_differences(backward_probe, b, b->x[BAR_ALONG], b->n, 1e-6, b->x[DIFFERENCES]), 1e-6);
}

/* Random inputs and directions, of deviation 1; parameters as a training starts with. */
static int fill(struct bench *b, int index, struct meta_error *error)
{
    struct meta_op *op = b->op;
    int from = 8 * index;
    if (meta_check_parameters(b->check, 0, b->theta, error)) return -1;
    get(b, VALUE, b->x[AT]);
    size_t inputs = 0;
    for (int k = 0; k < op->inputs; k++) inputs += numbers(op, k);
    meta_check_normal(b->check, META_CHECK_OPERATION, from, b->x[AT], inputs);
    meta_check_normal(b->check, META_CHECK_OPERATION, from + 1, b->x[ALONG], b->n);
    meta_check_normal(b->check, META_CHECK_OPERATION, from + 2, b->y[U], b->m);
    meta_check_normal(b->check, META_CHECK_OPERATION, from + 3, b->y[U_ALONG], b->m);
    if (op->kind == META_OP_DROPOUT) {
        double keep = 1 / (1 - op->layer->probability);
        meta_check_normal(b->check, META_CHECK_OPERATION, from + 4, b->y[Y], b->m);
        for (size_t i = 0; i < b->m; i++) b->mask[i] = b->y[Y][i] > 0 ? keep : 0;
        op->mask = b->mask;
    }
    for (int i = 0; i < op->batch; i++) b->labels[i] = i % meta_network_outputs(b->check->model->network);
    op->labels = b->labels;
    return 0;
}

static int check_operation(const struct meta_check *check, struct meta_op *op, int index, struct meta_error *error)
{
    const struct meta_backend *backend = &meta_backend_reference;
    struct bench b = { .check = check, .op = op, .kernel = backend->kernels[op->kind] };
    int created = 0, status = -1;
    if (allocate(&b, error) || fill(&b, index, error)) goto fail;
    if (b.kernel->create && b.kernel->create(op, 1, error)) goto fail;
    created = 1;
    check_identities(&b);
    status = 0;
fail:
    if (created && b.kernel->destroy) b.kernel->destroy(op);
    free_bench(&b);
    return status;
}

int meta_check_operations(const struct meta_check *check, struct meta_error *error)
{
    struct meta_lowered low;
    int status = 0;
    int support = meta_check_support(check), batch = meta_check_batch(check);
    if (meta_backend_reference.open(error) || meta_lower(&low, check->model->network, &meta_backend_reference, support, batch, error)) return -1;
    for (int i = 0; i < low.op_count && !status; i++) status = check_operation(check, &low.ops[i], i, error);
    meta_lowered_free(&low);
    return status;
}
