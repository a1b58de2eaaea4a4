/* One task: the weight of its loss, and the meta-gradient through its inner steps. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learning/inner_loop.h"
#include "learning/weigh.h"

#define MOST_STEPS 2

enum { PHI, PROBE, V, GRADIENT, OTHER, VECTORS };      /* (parameters) each */

struct bench {
    const struct meta_check *check;
    struct meta_worker *exact;         /* of the .cfg's order */
    struct meta_worker *first;         /* of order 1: the same meta-loss, in less time */
    struct meta_task task;
    size_t n;
    int steps, batch;
    double *x[VECTORS];
};

static double gradient_at(const struct bench *b, struct meta_worker *worker, const double *phi, double *gradient, double *weight)
{
    struct meta_weighing weighing = { b->check->model, b->check->model->net.max_batches };
    struct meta_weigher weigher = meta_weigher_of(&weighing);
    struct meta_task_result result = { 0 };
    meta_worker_gradient(worker, phi, &b->task, b->steps, &weigher, gradient, &result);
    if (weight) *weight = result.weight;
    return result.meta_loss;
}

static void meta_loss_probe(void *bench, double t, double *out)
{
    struct bench *b = bench;
    for (size_t i = 0; i < b->n; i++) b->x[PROBE][i] = b->x[PHI][i] + t * b->x[V][i];
    *out = gradient_at(b, b->first, b->x[PROBE], b->x[OTHER], NULL);
}

static void report(const struct bench *b, const char *type, const char *text, double error, double limit)
{
    b->check->report(b->check->context, &(struct meta_identity){ -1, type, text, error, limit });
}

/* ---- the weight ---------------------------------------------------------------------------------------------------- */

struct at_loss { const struct meta_model *model; double loss; };

static void value_probe(void *context, double t, double *out)
{
    const struct at_loss *at = context;
    meta_weigh(at->model, at->loss + t, at->model->net.max_batches, out);
}

static void check_weight(const struct bench *b)
{
    const double losses[] = { .0131, .1173, .5219, .8731, 1.137, 2.291, 5.03 };     /* none is round: at 1-L = epsilon is a kink */
    double worst = 0, limit = 1e-6, scratch[2], value;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        struct at_loss at = { b->check->model, losses[i] };
        double weight = meta_weigh(at.model, at.loss, at.model->net.max_batches, &value);
        double error = meta_check_differences(value_probe, &at, &weight, 1, limit, scratch);
        if (!(error <= worst)) worst = error;
    }
    report(b, "meta_loss", "weight = differences of the value, L = 0.01 to 5", worst, limit);
}

/* ---- the meta-gradient ---------------------------------------------------------------------------------------------- */

static void check_second_order(struct bench *b)
{
    double scratch[2], worst = 0, limit = 1e-5, *g = b->x[GRADIENT], *v = b->x[V];
    gradient_at(b, b->exact, b->x[PHI], g, NULL);
    double size = sqrt(meta_backend_reference.dot(g, g, b->n));
    for (int k = 0; k < 2; k++) {
        meta_check_normal(b->check, META_CHECK_TASK, k, v, b->n);
        double length = sqrt(meta_backend_reference.dot(v, v, b->n));
        for (size_t i = 0; i < b->n; i++) v[i] = v[i] / length + (size > 0 ? g[i] / size : 0);
        double exact = meta_backend_reference.dot(g, v, b->n);
        double error = meta_check_differences(meta_loss_probe, b, &exact, 1, limit, scratch);
        if (!(error <= worst)) worst = error;
    }
    report(b, "meta-gradient", "<meta-gradient, v> = differences of the meta-loss", worst, limit);
}

/* Order 1: w times the query loss's gradient at phi_S, step by step on a program. */
static int check_first_order(struct bench *b, struct meta_error *error)
{
    const struct meta_network *net = b->check->model->network;
    const struct meta_backend *backend = &meta_backend_reference;
    struct meta_program *p;
    double *phi = b->x[PROBE], *g = b->x[OTHER], weight;
    int front = meta_check_support(b->check);
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .support = front, .query = b->batch, .passes = META_GRADIENT }, error)) return -1;
    gradient_at(b, b->exact, b->x[PHI], b->x[GRADIENT], &weight);
    backend->copy(phi, b->x[PHI], b->n);
    for (int s = 0; s <= b->steps; s++) {
        int query = s == b->steps;
        if (front || !query) meta_program_load_some(p, 0, b->batch, b->task.support, b->task.support_labels);
        if (query) meta_program_load_some(p, front, b->batch, b->task.query, b->task.query_labels);
        meta_program_dropout(p, (struct meta_dropout_key){ b->task.seed, b->task.iteration, b->task.task, s, 1 });
        meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
        meta_program_gradient(p, phi, g);
        if (!query) backend->axpy(phi, b->n, -b->check->model->inner->learning_rate, g);
    }
    backend->scale(g, b->n, weight);
    meta_program_free(p);
    report(b, "meta-gradient", "meta-gradient = w grad L_query(phi_S)", meta_check_distance(b->x[GRADIENT], g, b->n), 1e-12);
    return 0;
}

int meta_check_task(const struct meta_check *check, struct meta_error *error)
{
    const struct meta_network *net = check->model->network;
    const struct meta_inner_settings *settings = check->model->inner;
    const struct meta_backend *backend = &meta_backend_reference;
    struct bench b = { .check = check, .n = net->parameters, .batch = meta_check_batch(check),
                       .steps = settings->steps < MOST_STEPS ? settings->steps : MOST_STEPS };
    struct meta_inner inner = meta_inner_of(settings, b.batch, b.batch);
    inner.steps = b.steps;
    inner.second_order_start = 0;
    float *images[2] = { NULL, NULL };
    int *labels[2] = { NULL, NULL }, status = -1;
    check_weight(&b);
    b.x[0] = calloc(VECTORS * b.n, sizeof **b.x);
    if (!b.x[0]) { meta_fail_memory(error); goto fail; }
    for (int i = 1; i < VECTORS; i++) b.x[i] = b.x[0] + i * b.n;
    if (meta_check_parameters(check, 0, b.x[PHI], error)) goto fail;
    for (int k = 0; k < 2; k++)
        if (meta_check_images(check, 1 + k, b.batch, &images[k], &labels[k], error)) goto fail;
    b.task = (struct meta_task){ images[0], labels[0], images[1], labels[1], check->seed, 0, 0 };
    if (meta_worker_create(&b.exact, net, backend, inner, error)) goto fail;
    inner.order = 1;
    if (meta_worker_create(&b.first, net, backend, inner, error)) goto fail;
    if (settings->order == 2) check_second_order(&b);
    else if (check_first_order(&b, error)) goto fail;
    status = 0;
fail:
    meta_worker_free(b.exact);
    meta_worker_free(b.first);
    for (int k = 0; k < 2; k++) {
        free(images[k]);
        free(labels[k]);
    }
    free(b.x[0]);
    return status;
}
