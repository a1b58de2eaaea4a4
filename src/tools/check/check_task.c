/* A check of one task: the weight of its loss, and the meta-gradient through its inner steps. */
#include "check.h"
#include "backends/backends.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learning/inner_loop.h"
#include "learning/inner_rates.h"
#include "learning/inner_rule.h"
#include "learning/weigh.h"

/* Inner steps at most: a third repeats the second. */
#define MOST_STEPS 2

/* The vectors, (parameters) each. */
enum { PHI, PROBE, V, GRADIENT, OTHER, VECTORS };

/* Those of the rates, (numbers) each. */
enum { RATE_START, RATE_V, RATE_GRADIENT, RATE_VECTORS };

struct rig {
    const struct meta_check *check;
    struct meta_worker *exact; /* of the .cfg's order */
    struct meta_worker *first; /* of order 1: the same meta-loss, in less time */
    struct meta_task task;
    size_t n;
    int steps, batch;
    double *x[VECTORS];
    struct meta_rates rates; /* what the steps are taken by */
    size_t numbers;          /* of learned rates; 0: they are fixed */
    double floor;            /* below it a derivative is lost in the rounding of the meta-loss */
    double *rate;            /* (numbers) those of `rates` */
    double *y[RATE_VECTORS]; /* (numbers) */
};

static double gradient_at(const struct rig *r, struct meta_worker *worker, const double *phi,
                          double *gradient, double *weight)
{
    struct meta_weighing weighing = { r->check->model, r->check->model->net.max_batches };
    struct meta_weigher weigher = meta_weigher_of(&weighing);
    struct meta_task_result result = { .gradient = gradient };
    if (r->numbers && worker == r->exact) result.rates = r->y[RATE_GRADIENT];
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

/* A loss changes little and smoothly with the rates: differences are over STRIDE times what others
   are, whose rounding is as much smaller. */
#define STRIDE 100

static void rates_probe(void *rig, double t, double *out)
{
    struct rig *r = rig;
    const double *start = r->y[RATE_START], *v = r->y[RATE_V];
    for (size_t i = 0; i < r->numbers; i++) r->rate[i] = start[i] + STRIDE * t * v[i];
    out[0] = gradient_at(r, r->first, r->x[PHI], r->x[OTHER], NULL) / STRIDE;
    out[1] = t * r->floor;
}

/* As check_second_order, by the rates: where the task is learned without a step, as it may be from
   an imprinted head, they matter less than differences can tell. */
static void check_rates(struct rig *r)
{
    double scratch[4], worst = 0, limit = 1e-5, *g = r->y[RATE_GRADIENT], *v = r->y[RATE_V];
    const struct meta_backend *b = meta_backend_exact();
    double size = sqrt(b->dot(g, g, r->numbers));
    r->floor = 1e-5 * fabs(gradient_at(r, r->first, r->x[PHI], r->x[OTHER], NULL));
    for (int k = 0; k < 2; k++) {
        meta_check_normal(r->check, META_CHECK_TASK, 4 + k, v, r->numbers);
        double length = sqrt(b->dot(v, v, r->numbers));
        for (size_t i = 0; i < r->numbers; i++) v[i] = v[i] / length + (size > 0 ? g[i] / size : 0);
        double exact[2] = { b->dot(g, v, r->numbers), r->floor };
        double error = meta_check_differences(rates_probe, r, exact, 2, limit, scratch);
        if (!(error <= worst)) worst = error;
    }
    memcpy(r->rate, r->y[RATE_START], r->numbers * sizeof *r->rate);
    report(r, "rates", "<gradient, v> = differences of the meta-loss", worst, limit);
}

/* Where class means of phi say what the last layer starts from; the worker's until its next call.
 */
static const double *imprinted(const struct rig *r, const double *phi)
{
    struct meta_task_result unused = { 0 };
    return meta_worker_learn(r->exact, phi, &r->task, 0, &unused);
}

/* <last layer's part of v_S, the start at phi + t v> */
static void start_probe(void *rig, double t, double *out)
{
    struct rig *r = rig;
    size_t first = meta_layer_first(meta_rates_head(r->check->model->network));
    for (size_t i = 0; i < r->n; i++) r->x[PROBE][i] = r->x[PHI][i] + t * r->x[V][i];
    *out = meta_backend_exact()->dot(r->x[OTHER] + first, imprinted(r, r->x[PROBE]) + first,
                                     r->n - first);
}

/* With w v_S in x[OTHER], its last layer's part goes back through the start. */
static void check_start(struct rig *r)
{
    double scratch[2], limit = 1e-5, *v = r->x[V];
    size_t first = meta_layer_first(meta_rates_head(r->check->model->network));
    meta_check_normal(r->check, META_CHECK_TASK, 6, v, r->n);
    double exact = meta_backend_exact()->dot(r->x[GRADIENT], v, r->n)
        - meta_backend_exact()->dot(r->x[OTHER], v, first);
    report(r, "meta-gradient", "past w grad L_query(phi_S) = differences of the start",
           meta_check_differences(start_probe, r, &exact, 1, limit, scratch), limit);
}

/* By order 1: -w g_s v_(s+1), of each parameter or summed over each layer. g and v: the gradient of
   step s, and the sum of those of the query losses after it, each with its share. */
static void add_first_rates(struct rig *r, int s, double weight, const double *g, const double *v)
{
    double *sum = r->y[RATE_V];
    const struct meta_rates *rates = &r->rates;
    for (int k = 0; k < rates->layers; k++)
        for (size_t i = 0; i < rates->layer[k].count; i++) {
            size_t at = rates->layer[k].offset + i;
            size_t to = rates->by_layer ? (size_t)s * rates->layers + k : at - rates->first;
            sum[to] -= weight * g[at] * v[at];
        }
}

/* Learned rates, of which no two are equal. */
static int make_rates(struct rig *r, const struct meta_inner_settings *s, struct meta_error *error)
{
    const struct meta_rates_how how = meta_rates_how_of(s);
    const struct meta_network *net = r->check->model->network;
    const struct meta_backend *backend = meta_backend_exact();
    r->rates = meta_rates_fixed(net, s->learning_rate, how.head);
    if (how.kind == META_RATES_FIXED) return 0;
    if (meta_rates_create(&r->rates, net, how, backend, error)) return -1;
    r->numbers = meta_rates_numbers(&r->rates);
    r->rate = r->rates.by_layer ? r->rates.by_layer : r->rates.by_parameter;
    if (!(r->y[0] = calloc(RATE_VECTORS * r->numbers, sizeof **r->y)))
        return meta_fail_memory(error);
    for (int i = 1; i < RATE_VECTORS; i++) r->y[i] = r->y[0] + i * r->numbers;
    meta_check_normal(r->check, META_CHECK_TASK, 2, r->rate, r->numbers);
    for (size_t i = 0; i < r->numbers; i++) r->rate[i] = s->learning_rate * (1 + .3 * r->rate[i]);
    memcpy(r->y[RATE_START], r->rate, r->numbers * sizeof *r->rate);
    return 0;
}

struct first {
    struct meta_program *program;
    double *steps;          /* (r->steps, n) gradients of the support loss */
    double *queries;        /* (r->steps + 1, n) gradients of the query loss after so many steps */
    double *at;             /* (r->steps, n) phi_s */
    struct meta_rule *rule; /* takes the steps; NULL: they are plain */
};

/* The gradient of one pass at phi, of the support or the query set. */
static void pass(const struct rig *r, const struct first *f, const double *phi, int query, int item,
                 double *gradient)
{
    int front = meta_check_support(r->check);
    const struct meta_task *t = &r->task;
    if (front || !query)
        meta_program_load_some(f->program, 0, r->batch, t->support, t->support_labels);
    if (query) meta_program_load_some(f->program, front, r->batch, t->query, t->query_labels);
    meta_program_dropout(f->program,
                         (struct meta_dropout_key){ t->seed, t->iteration, t->task, item, 1 });
    meta_program_forward(f->program, phi, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(f->program, phi, gradient);
}

/* Fills in the gradients of every step, and those of the query losses that count. */
static void walk(const struct rig *r, const struct first *f, const struct meta_inner *inner)
{
    double *phi = r->x[PROBE];
    memcpy(phi, inner->imprint ? imprinted(r, r->x[PHI]) : r->x[PHI], r->n * sizeof *phi);
    for (int s = 0; s <= r->steps; s++) {
        if (s == r->steps || (s && meta_inner_share(inner, r->task.iteration, r->steps, s) > 0))
            pass(r, f, phi, 1, r->steps + r->steps - s, f->queries + s * r->n);
        if (s == r->steps) break;
        double *g = f->steps + s * r->n;
        memcpy(f->at + s * r->n, phi, r->n * sizeof *phi);
        pass(r, f, phi, 0, s, g);
        meta_rates_hold(&r->rates, meta_backend_exact(), g);
        if (f->rule) meta_rule_step(f->rule, s, inner->learning_rate, phi, g);
        else meta_rates_step(&r->rates, meta_backend_exact(), s, phi, g, r->x[V]);
    }
}

static const char *first_order_text(const struct meta_inner *inner, int rule)
{
    if (rule) return "meta-gradient = w grad L_query, back by the rule";
    if (inner->reptile) return "meta-gradient = w sum of the steps' gradients";
    return inner->multi_step ? "meta-gradient = w sum of shares of grad L_query(phi_s)"
                             : "meta-gradient = w grad L_query(phi_S)";
}

/* Checks orders 0 and 1 against their definitions, step by step on a program: w times the sum of
   the steps' gradients; w times the query losses' gradients, each with its share, which a plugin's
   rule takes back through its steps. */
static void compare_first(struct rig *r, const struct first *f, const struct meta_inner *inner,
                          double weight)
{
    const struct meta_backend *b = meta_backend_exact();
    double *sum = r->x[OTHER];
    memset(sum, 0, r->n * sizeof *sum);
    if (r->numbers) memset(r->y[RATE_V], 0, r->numbers * sizeof **r->y);
    if (f->rule) meta_rule_begin_back(f->rule);
    for (int s = r->steps; s >= 0; s--) {
        double share = meta_inner_share(inner, r->task.iteration, r->steps, s);
        if (r->numbers && s < r->steps) add_first_rates(r, s, weight, f->steps + s * r->n, sum);
        if (f->rule && s < r->steps)
            meta_rule_back(f->rule, s, inner->learning_rate, f->at + s * r->n, sum, r->x[V]);
        if (inner->reptile && s < r->steps) b->axpy(sum, r->n, 1, f->steps + s * r->n);
        if (!inner->reptile && share > 0 && (s || !r->steps))
            b->axpy(sum, r->n, share, f->queries + s * r->n);
    }
    b->scale(sum, r->n, weight);
    if (inner->imprint) check_start(r);
    else
        report(r, "meta-gradient", first_order_text(inner, f->rule != NULL),
               meta_check_distance(r->x[GRADIENT], sum, r->n), 1e-12);
    if (r->numbers)
        report(r, "rates", "gradient = -w g_s v_(s+1)",
               meta_check_distance(r->y[RATE_GRADIENT], r->y[RATE_V], r->numbers), 1e-12);
}

static int check_first_order(struct rig *r, const struct meta_inner *inner,
                             struct meta_error *error)
{
    const struct meta_network *net = r->check->model->network;
    const struct meta_program_settings passes = { .support = meta_check_support(r->check),
                                                  .query = r->batch,
                                                  .passes = META_GRADIENT };
    const struct meta_rule_for whose = { net, &r->rates, meta_backend_exact(), r->steps, 1 };
    struct first f = { .steps = calloc((3 * r->steps + 1) * r->n, sizeof *f.steps) };
    double weight;
    int status = f.steps ? meta_program_create(&f.program, net, meta_backend_exact(), passes, error)
                         : meta_fail_memory(error);
    if (!status && inner->rule.functions && r->steps)
        status = meta_rule_create(&f.rule, inner->rule, &whose, error);
    if (!status) {
        f.queries = f.steps + r->steps * r->n;
        f.at = f.queries + (r->steps + 1) * r->n;
        gradient_at(r, r->exact, r->x[PHI], r->x[GRADIENT], &weight);
        walk(r, &f, inner);
        compare_first(r, &f, inner, weight);
    }
    meta_rule_free(f.rule);
    meta_program_free(f.program);
    free(f.steps);
    return status;
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
    inner.rates = &r.rates;
    int second = inner.order == 2 || (inner.rule.functions && meta_check_has_tangents(check));
    if (second)
        inner.order = 2; /* A rule's adjoint is checked by differences, whatever the order. */
    float *images[2] = { NULL, NULL };
    int *labels[2] = { NULL, NULL }, status = -1;
    check_weight(&r);
    r.x[0] = calloc(VECTORS * r.n, sizeof **r.x);
    if (!r.x[0]) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int i = 1; i < VECTORS; i++) r.x[i] = r.x[0] + i * r.n;
    if (make_rates(&r, settings, error) || meta_check_parameters(check, 0, r.x[PHI], error))
        goto fail;
    for (int k = 0; k < 2; k++)
        if (meta_check_images(check, 1 + k, r.batch, &images[k], &labels[k], error)) goto fail;
    r.task =
        (struct meta_task){ images[0], labels[0], images[1], labels[1], check->seed, 0, 0, NULL };
    if (meta_worker_create(&r.exact, net, backend, inner, error)) goto fail;
    inner.order = 1;
    if (meta_worker_create(&r.first, net, backend, inner, error)) goto fail;
    if (second) {
        check_second_order(&r);
        if (r.numbers) check_rates(&r);
    } else if (check_first_order(&r, &inner, error)) {
        goto fail;
    }
    status = 0;
fail:
    meta_worker_free(r.exact);
    meta_worker_free(r.first);
    for (int k = 0; k < 2; k++) {
        free(images[k]);
        free(labels[k]);
    }
    free(r.x[0]);
    free(r.y[0]);
    meta_rates_clear(&r.rates, backend);
    return status;
}
