/* A check of the whole network: the gradient, and the Hessian along a direction. */
#include "check.h"
#include "backends/backends.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program.h"

/* The vectors, (parameters) each. */
enum { PHI, PROBE, U, V, GRADIENT, HU, HV, DIFFERENCES, VECTORS = DIFFERENCES + 2 };

struct rig {
    const struct meta_check *check;
    struct meta_program *program;
    size_t n;
    double *x[VECTORS]; /* the reference backend's vectors are arrays of doubles */
};

/* Moves to phi + t v and returns the loss there. */
static double loss_at(struct rig *r, double t)
{
    for (size_t i = 0; i < r->n; i++) r->x[PROBE][i] = r->x[PHI][i] + t * r->x[V][i];
    return meta_program_forward(r->program, r->x[PROBE], META_STATISTICS_BATCH, NULL);
}

static void loss_probe(void *rig, double t, double *out) { *out = loss_at(rig, t); }

static void gradient_probe(void *rig, double t, double *out)
{
    struct rig *r = rig;
    loss_at(r, t);
    meta_program_gradient(r->program, r->x[PROBE], out);
}

static double dot(const double *a, const double *b, size_t n)
{
    return meta_backend_exact()->dot(a, b, n);
}

static void report(const struct rig *r, const char *text, double error, double limit)
{
    r->check->report(r->check->context,
                     &(struct meta_identity){ -1, "network", text, error, limit });
}

static void check_gradient(struct rig *r)
{
    double scratch[2], *v = r->x[V];
    gradient_probe(r, 0, r->x[GRADIENT]);
    /* v lies half along the gradient: the derivative is then no small difference of large terms. */
    double size = sqrt(dot(r->x[GRADIENT], r->x[GRADIENT], r->n)), length = sqrt(dot(v, v, r->n));
    for (size_t i = 0; i < r->n; i++)
        v[i] = v[i] / length + (size > 0 ? r->x[GRADIENT][i] / size : 0);
    double exact = dot(r->x[GRADIENT], v, r->n);
    report(r, "<gradient, v> = differences of the loss",
           meta_check_differences(loss_probe, r, &exact, 1, 1e-6, scratch), 1e-6);
}

static void check_hessian(struct rig *r)
{
    gradient_probe(r, 0, r->x[GRADIENT]);
    meta_program_hessian_product(r->program, r->x[PHI], r->x[U], r->x[HU]);
    meta_program_hessian_product(r->program, r->x[PHI], r->x[V], r->x[HV]);
    double left = dot(r->x[U], r->x[HV], r->n), right = dot(r->x[V], r->x[HU], r->n);
    double size = sqrt(dot(r->x[U], r->x[U], r->n) * dot(r->x[HV], r->x[HV], r->n));
    report(r, "u.Hv = v.Hu", left == right ? 0 : fabs(left - right) / size, 1e-11);
    report(r, "Hv = differences of the gradient",
           meta_check_differences(gradient_probe, r, r->x[HV], r->n, 1e-5, r->x[DIFFERENCES]),
           1e-5);
}

int meta_check_network(const struct meta_check *check, struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    int tangents = meta_check_has_tangents(check), batch = meta_check_batch(check),
        support = meta_check_support(check), status = -1, *labels = NULL;
    struct rig r = { .check = check, .n = net->parameters };
    float *images = NULL;
    r.x[0] = calloc(VECTORS * r.n, sizeof **r.x);
    if (!r.x[0]) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int i = 1; i < VECTORS; i++) r.x[i] = r.x[0] + i * r.n;
    if (meta_check_parameters(check, 0, r.x[PHI], error)
        || meta_check_images(check, 0, support + batch, &images, &labels, error))
        goto fail;
    const struct meta_program_settings settings = {
        .support = support, .query = batch, .passes = tangents ? META_TANGENTS : META_GRADIENT
    };
    if (meta_program_create(&r.program, net, meta_backend_exact(), settings, error)) goto fail;
    meta_program_load(r.program, images, labels);
    meta_program_dropout(r.program, (struct meta_dropout_key){ check->seed, 0, 0, 0, 1 });
    meta_check_normal(check, META_CHECK_NETWORK, 0, r.x[U], r.n);
    meta_check_normal(check, META_CHECK_NETWORK, 1, r.x[V], r.n);
    check_gradient(&r);
    if (tangents) check_hessian(&r);
    status = 0;
fail:
    meta_program_free(r.program);
    free(images);
    free(labels);
    free(r.x[0]);
    return status;
}
