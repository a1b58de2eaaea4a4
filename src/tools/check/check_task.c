/* A check of one task: the weight of its loss, and the meta-gradient through its inner steps. */
#include "check.h"
#include "backends/backends.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learning/inner_loop.h"
#include "learning/inner_rates.h"
#include "learning/weigh.h"

/* Inner steps at most: a third repeats the second. */
#define MOST_STEPS 2

/* The vectors, (parameters) each. */
enum { PHI, PROBE, V, GRADIENT, OTHER, VECTORS };

struct rig {
    const struct meta_check *check;
    struct meta_worker *exact; /* of the .cfg's order */
    struct meta_worker *first; /* of order 1: the same meta-loss, in less time */
    struct meta_task task;
    size_t n;
    int steps, batch;
    double *x[VECTORS];
};

static double gradient_at(const struct rig *r, struct meta_worker *worker, const double *phi,
                          double *gradient, double *weight)
{
    struct meta_weighing weighing = { r->check->model, r->check->model->net.max_batches };
    struct meta_weigher weigher = meta_weigher_of(&weighing);
    struct meta_task_result result = { .gradient = gradient };
    meta_worker_gradient(worker, phi, &r->task, r->steps, &weigher, &result);
    if (weight) *weight = result.weight;
    return result.meta_loss;
}

static void meta_loss_probe(void *rig, double t, double *out)
{
    struct rig *r = rig;
    for (size_t i = 0; i < r->n; i++) r->x[PROBE][i] = r->x[PHI][i] + t * r->x[V][i];
    *out = gradient_at(r, r->first, r->x[PROBE], r->x[OTHER], NULL);
}

static void report(const struct rig *r, const char *type, const char *text, double error,
                   double limit)
{
    r->check->report(r->check->context, &(struct meta_identity){ -1, type, text, error, limit });
}

/* ---- the weight ------------------------------------------------------------------------------ */

struct at_loss {
    const struct meta_model *model;
    double loss;
};

static void value_probe(void *context, double t, double *out)
{
    const struct at_loss *at = context;
    meta_weigh(at->model, at->loss + t, at->model->net.max_batches, out);
}

static void check_weight(const struct rig *r)
{
    /* None is round, since 1 - L = epsilon is a kink. */
    const double losses[] = { .0131, .1173, .5219, .8731, 1.137, 2.291, 5.03 };
    double worst = 0, limit = 1e-6, scratch[2], value;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct at_loss at = { r->check->model, losses[i] };
        double weight = meta_weigh(at.model, at.loss, at.model->net.max_batches, &value);
        double error = meta_check_differences(value_probe, &at, &weight, 1, limit, scratch);
        if (!(error <= worst)) worst = error;
    }
    report(r, "meta_loss", "weight = differences of the value, L = 0.01 to 5", worst, limit);
}

/* ---- the meta-gradient ----------------------------------------------------------------------- */

static void check_second_order(struct rig *r)
{
    double scratch[2], worst = 0, limit = 1e-5, *g = r->x[GRADIENT], *v = r->x[V];
    gradient_at(r, r->exact, r->x[PHI], g, NULL);
    double size = sqrt(meta_backend_exact()->dot(g, g, r->n));
    for (int k = 0; k < 2; k++) {
        meta_check_normal(r->check, META_CHECK_TASK, k, v, r->n);
        double length = sqrt(meta_backend_exact()->dot(v, v, r->n));
        for (size_t i = 0; i < r->n; i++) v[i] = v[i] / length + (size > 0 ? g[i] / size : 0);
        double exact = meta_backend_exact()->dot(g, v, r->n);
        double error = meta_check_differences(meta_loss_probe, r, &exact, 1, limit, scratch);
        if (!(error <= worst)) worst = error;
    }
    report(r, "meta-gradient", "<meta-gradient, v> = differences of the meta-loss", worst, limit);
}

/* Checks order 1 against its definition, w times the query loss's gradient at phi_S, step by step
   on a program. */
static int check_first_order(struct rig *r, struct meta_error *error)
{
    const struct meta_network *net = r->check->model->network;
    const struct meta_backend *backend = meta_backend_exact();
    struct meta_program *p;
    double *phi = r->x[PROBE], *g = r->x[OTHER], weight;
    int front = meta_check_support(r->check);
    const struct meta_inner_settings *settings = r->check->model->inner;
    size_t first = settings->adapt == META_ADAPT_HEAD ? meta_rates_head(net)->biases : 0;
    const struct meta_program_settings passes = { .support = front,
                                                  .query = r->batch,
                                                  .passes = META_GRADIENT };
    if (meta_program_create(&p, net, backend, passes, error)) return -1;
    gradient_at(r, r->exact, r->x[PHI], r->x[GRADIENT], &weight);
    backend->copy(phi, r->x[PHI], r->n);
    for (int s = 0; s <= r->steps; s++) {
        int query = s == r->steps;
        if (front || !query)
            meta_program_load_some(p, 0, r->batch, r->task.support, r->task.support_labels);
        if (query) meta_program_load_some(p, front, r->batch, r->task.query, r->task.query_labels);
        meta_program_dropout(p,
                             (struct meta_dropout_key){ r->task.seed, r->task.iteration,
                                                        r->task.task, s, 1 });
        meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
        meta_program_gradient(p, phi, g);
        if (!query) backend->axpy(phi + first, r->n - first, -settings->learning_rate, g + first);
    }
    backend->scale(g, r->n, weight);
    meta_program_free(p);
    report(r, "meta-gradient", "meta-gradient = w grad L_query(phi_S)",
           meta_check_distance(r->x[GRADIENT], g, r->n), 1e-12);
    return 0;
}

int meta_check_task(const struct meta_check *check, struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    const struct meta_inner_settings *settings = check->model->inner;
    const struct meta_backend *backend = meta_backend_exact();
    struct rig r = { .check = check,
                     .n = net->parameters,
                     .batch = meta_check_batch(check),
                     .steps = settings->steps < MOST_STEPS ? settings->steps : MOST_STEPS };
    struct meta_inner inner = meta_inner_of(settings, r.batch, r.batch);
    inner.steps = r.steps;
    inner.second_order_start = 0;
    float *images[2] = { NULL, NULL };
    int *labels[2] = { NULL, NULL }, status = -1;
    check_weight(&r);
    r.x[0] = calloc(VECTORS * r.n, sizeof **r.x);
    if (!r.x[0]) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int i = 1; i < VECTORS; i++) r.x[i] = r.x[0] + i * r.n;
    if (meta_check_parameters(check, 0, r.x[PHI], error)) goto fail;
    for (int k = 0; k < 2; k++)
        if (meta_check_images(check, 1 + k, r.batch, &images[k], &labels[k], error)) goto fail;
    r.task =
        (struct meta_task){ images[0], labels[0], images[1], labels[1], check->seed, 0, 0, NULL };
    if (meta_worker_create(&r.exact, net, backend, inner, error)) goto fail;
    inner.order = 1;
    if (meta_worker_create(&r.first, net, backend, inner, error)) goto fail;
    if (settings->order == 2) check_second_order(&r);
    else if (check_first_order(&r, error)) goto fail;
    status = 0;
fail:
    meta_worker_free(r.exact);
    meta_worker_free(r.first);
    for (int k = 0; k < 2; k++) {
        free(images[k]);
        free(labels[k]);
    }
    free(r.x[0]);
    return status;
}
