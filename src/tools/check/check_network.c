/* The whole network: its gradient, and its Hessian along a direction. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program.h"

enum { PHI, PROBE, U, V, GRADIENT, HU, HV, DIFFERENCES, VECTORS = DIFFERENCES + 2 };     /* (parameters) each */

struct bench {
    const struct meta_check *check;
    struct meta_program *program;
    size_t n;
    double *x[VECTORS];            /* the reference backend's vectors are arrays of doubles */
};

/* phi + t v; t = 0: as it is. Returns the loss. */
static double loss_at(struct bench *b, double t)
{
    for (size_t i = 0; i < b->n; i++) b->x[PROBE][i] = b->x[PHI][i] + t * b->x[V][i];
    return meta_program_forward(b->program, b->x[PROBE], META_STATISTICS_BATCH, NULL);
}

static void loss_probe(void *bench, double t, double *out) { *out = loss_at(bench, t); }

static void gradient_probe(void *bench, double t, double *out)
{
    struct bench *b = bench;
    loss_at(b, t);
    meta_program_gradient(b->program, b->x[PROBE], out);
}

static double dot(const double *a, const double *b, size_t n) { return meta_backend_reference.dot(a, b, n); }

static void report(const struct bench *b, const char *text, double error, double limit)
{
    b->check->report(b->check->context, &(struct meta_identity){ -1, "network", text, error, limit });
}

static void check_gradient(struct bench *b)
{
    double scratch[2], *v = b->x[V];
    gradient_probe(b, 0, b->x[GRADIENT]);
    /* half along the gradient, so that the derivative is no small difference of large terms */
    double size = sqrt(dot(b->x[GRADIENT], b->x[GRADIENT], b->n)), length = sqrt(dot(v, v, b->n));
    for (size_t i = 0; i < b->n; i++) v[i] = v[i] / length + (size > 0 ? b->x[GRADIENT][i] / size : 0);
    double exact = dot(b->x[GRADIENT], v, b->n);
    report(b, "<gradient, v> = differences of the loss", meta_check_differences(loss_probe, b, &exact, 1, 1e-6, scratch), 1e-6);
}

static void check_hessian(struct bench *b)
{
    gradient_probe(b, 0, b->x[GRADIENT]);
    meta_program_hessian_product(b->program, b->x[PHI], b->x[U], b->x[HU]);
    meta_program_hessian_product(b->program, b->x[PHI], b->x[V], b->x[HV]);
    double left = dot(b->x[U], b->x[HV], b->n), right = dot(b->x[V], b->x[HU], b->n);
    double size = sqrt(dot(b->x[U], b->x[U], b->n) * dot(b->x[HV], b->x[HV], b->n));
    report(b, "u.Hv = v.Hu", left == right ? 0 : fabs(left - right) / size, 1e-11);
    report(b, "Hv = differences of the gradient",
           meta_check_differences(gradient_probe, b, b->x[HV], b->n, 1e-5, b->x[DIFFERENCES]), 1e-5);
}

int meta_check_network(const struct meta_check *check, struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    int tangents = meta_check_has_tangents(check), batch = meta_check_batch(check), support = meta_check_support(check), status = -1, *labels = NULL;
    struct bench b = { .check = check, .n = net->parameters };
    float *images = NULL;
    b.x[0] = calloc(VECTORS * b.n, sizeof **b.x);
    if (!b.x[0]) { meta_fail_memory(error); goto fail; }
    for (int i = 1; i < VECTORS; i++) b.x[i] = b.x[0] + i * b.n;
    if (meta_check_parameters(check, 0, b.x[PHI], error) || meta_check_images(check, 0, support + batch, &images, &labels, error)) goto fail;
    enum meta_passes passes = tangents ? META_TANGENTS : META_GRADIENT;
    if (meta_program_create(&b.program, net, &meta_backend_reference,
                            (struct meta_program_settings){ .support = support, .query = batch, .passes = passes }, error)) goto fail;
    meta_program_load(b.program, images, labels);
    meta_program_dropout(b.program, (struct meta_dropout_key){ check->seed, 0, 0, 0, 1 });
    meta_check_normal(check, META_CHECK_NETWORK, 0, b.x[U], b.n);
    meta_check_normal(check, META_CHECK_NETWORK, 1, b.x[V], b.n);
    check_gradient(&b);
    if (tangents) check_hessian(&b);
    status = 0;
fail:
    meta_program_free(b.program);
    free(images);
    free(labels);
    free(b.x[0]);
    return status;
}
