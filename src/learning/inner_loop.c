/* Learns a task by inner steps, and sweeps back through them. */
#include "imprint.h"
#include "stats/auc.h"

#include <math.h>
#include <string.h>

static const char *const bn_names[] = {
    [META_BN_BATCH] = "batch", [META_BN_SUPPORT] = "support", [META_BN_RUNNING] = "running"
};

const char *meta_bn_name(enum meta_bn bn) { return bn_names[bn]; }

int meta_bn_find(enum meta_bn *bn, const char *name, struct meta_error *error)
{
    for (*bn = META_BN_BATCH; *bn <= META_BN_RUNNING; ++*bn)
        if (!strcmp(name, bn_names[*bn])) return 0;
    return meta_fail(error, "-bn %s: must be batch, support or running", name);
}

struct meta_inner meta_inner_of(const struct meta_inner_settings *s, int support, int query)
{
    return (struct meta_inner){ .support = support,
                                .query = query,
                                .steps = s->steps,
                                .learning_rate = s->learning_rate,
                                .order = s->order ? s->order : 1,
                                .reptile = !s->order,
                                .multi_step = s->multi_step,
                                .keep = s->keep,
                                .second_order_start = s->second_order_start,
                                .rule = meta_rule_how_of(s),
                                .head = s->adapt == META_ADAPT_HEAD,
                                .imprint = s->head == META_HEAD_IMPRINTED };
}

/* phi_s, where the inner loop keeps it. */
static const void *parameters_at(const struct meta_worker *w, const void *phi, int s)
{
    if (s == 0) return phi;
    return w->phi[meta_inner_keeps(&w->inner) ? s - 1 : 0];
}

double meta_inner_share(const struct meta_inner *inner, uint64_t iteration, int steps, int step)
{
    double done = inner->multi_step
        ? (iteration > 1 ? iteration - 1 : 0) / (double)inner->multi_step
        : 1;
    double early = steps && done < 1 ? (1 - done) / steps : 0;
    return step < steps ? early : 1 - (steps - 1) * early;
}

static void set_dropout(struct meta_program *p, const struct meta_task *task, int item, int train)
{
    meta_program_dropout(p,
                         (struct meta_dropout_key){ task->seed, task->iteration, task->task, item,
                                                    train });
}

static void load_query(struct meta_worker *w, const struct meta_task *task)
{
    int first = meta_worker_front(w);
    w->passed = 0;
    if (first) meta_program_load_some(w->query, 0, first, task->support, task->support_labels);
    meta_program_load_some(w->query, first, w->inner.query, task->query, task->query_labels);
}

/* The support images are loaded again after passes of another program, whose memory they share. */
static void load_support(struct meta_worker *w, const struct meta_task *task, int steps)
{
    for (int k = 0; k < w->keep && k < steps; k++) {
        meta_program_load(w->support[k], task->support, task->support_labels);
        meta_program_shares(w->support[k], task->support_shares);
    }
}

/* Forward and gradient of the support loss at phi_s, into the program of step s, which then holds
   its activations. */
static double support_pass(struct meta_worker *w, const void *phi, const struct meta_task *task,
                           int s)
{
    struct meta_program *p = w->support[s % w->keep];
    set_dropout(p, task, s, 1);
    double loss = w->passed ? meta_program_forward_again(p, phi)
                            : meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    w->passed = w->common > 0;
    meta_program_gradient(p, phi, w->gradient);
    meta_rates_hold(w->rates, w->backend, w->gradient);
    return loss;
}

/* The gradient of step s, of the parameters that move. */
static void keep_gradient(struct meta_worker *w, int s)
{
    const char *moving = (const char *)w->gradient + w->rates->first * w->backend->element;
    w->backend->copy(w->step_gradient[s], moving, w->rates->count);
}

/* Step s draws dropout with item s. */
const void *meta_worker_learn(struct meta_worker *w, const void *phi, const struct meta_task *task,
                              int steps, struct meta_task_result *result)
{
    size_t n = w->network->parameters;
    if (w->inner.imprint) phi = meta_imprint(w, phi, task);
    load_support(w, task, steps);
    w->passed = 0;
    for (int s = 0; s < steps; s++) {
        const void *from = parameters_at(w, phi, s);
        void *to = w->phi[meta_inner_keeps(&w->inner) ? s : 0];
        double loss = support_pass(w, from, task, s);
        if (result->support_loss) result->support_loss[s] = loss;
        if (s == 0 && result->statistics)
            meta_program_batch_statistics(w->support[0], result->statistics);
        if (from != to) w->backend->copy(to, from, n);
        if (w->step_gradients) keep_gradient(w, s);
        if (w->sum) w->backend->axpy(w->sum, n, 1, w->gradient);
        if (w->rule) meta_rule_step(w->rule, s, w->inner.learning_rate, to, w->gradient);
        else meta_rates_step(w->rates, w->backend, s, to, w->gradient, w->moved);
    }
    return parameters_at(w, phi, steps);
}

double meta_worker_support(struct meta_worker *w, const void *parameters,
                           const struct meta_task *task, float *statistics)
{
    struct meta_program *p = w->support[0];
    meta_program_load(p, task->support, w->zeros ? w->zeros : task->support_labels);
    meta_program_shares(p, task->support_shares);
    set_dropout(p, task, 0, 0);
    double loss = meta_program_forward(p, parameters, META_STATISTICS_BATCH, NULL);
    if (statistics) meta_program_batch_statistics(p, statistics);
    return loss;
}

/* The log-odds of the query images. Steps may leave parameters that are no numbers and that an
   activation or a pool hides: then no answer is one. */
static void write_scores(struct meta_worker *w, const void *parameters, double *log_odds)
{
    size_t count = (size_t)w->inner.query * meta_network_outputs(w->network);
    meta_program_log_odds(w->query, log_odds);
    if (isfinite(w->backend->dot(parameters, parameters, w->network->parameters))) return;
    for (size_t i = 0; i < count; i++) log_odds[i] = NAN;
}

static void score_query(struct meta_worker *w, const void *parameters, const struct meta_task *task,
                        struct meta_task_result *result)
{
    int outputs = meta_network_outputs(w->network);
    double *scores = result->query_scores ? result->query_scores : w->scores;
    write_scores(w, parameters, scores);
    result->accuracy = meta_accuracy(scores, task->query_labels, w->inner.query, outputs);
}

/* v += factor * product: of a step whose body stands still, the part behind the body. */
static void add_product(const struct meta_worker *w, double factor, void *v)
{
    size_t first = w->common ? w->rates->first : 0, at = first * w->backend->element;
    w->backend->axpy((char *)v + at, w->network->parameters - first, factor,
                     (char *)w->gradient + at);
}

/* What the products of all steps are by a body that stands still, which ends the sweep. */
static void add_body(struct meta_worker *w, const void *phi, double factor, void *v)
{
    meta_program_body_gradient(w->support[0], phi, w->gradient);
    w->backend->axpy(v, w->rates->first, factor, w->gradient);
}

/* v -= H_s R_s v, at the step whose activations the program holds. */
static void subtract_product(struct meta_worker *w, int s, const void *phi, void *v)
{
    struct meta_program *p = w->support[s % w->keep];
    int plain = meta_rates_plain(w->rates);
    if (!plain) meta_rates_multiply(w->rates, w->backend, s, w->moved, v);
    meta_program_hessian_product(p, phi, plain ? v : w->moved, w->gradient);
    add_product(w, plain ? -w->rates->gamma : -1, v);
}

/* The same where the steps are by a rule; without `second` the gradient is a constant. */
static void pull_rule(struct meta_worker *w, int s, const void *phi, void *v, int second)
{
    meta_rule_back(w->rule, s, w->inner.learning_rate, phi, v, w->moved);
    if (!second) return;
    meta_program_hessian_product(w->support[s % w->keep], phi, w->moved, w->gradient);
    add_product(w, 1, v);
}

static void differentiate_rates(struct meta_worker *w, int s, const struct meta_task_result *r)
{
    const struct meta_rates_terms terms = { w->step_gradient[s], r->gradient, w->moved };
    meta_rates_differentiate(w->rates, w->backend, s, terms,
                             w->derivative ? (void *)w->derivative : r->rates);
}

/* Adds the gradient of the query loss at phi_s, which counts `share`, to v_s. The dropout items of
   the query passes come behind those of the steps, the last step's first. */
static void add_query(struct meta_worker *w, const void *at, const struct meta_task *task,
                      int behind, double share, struct meta_task_result *r)
{
    load_query(w, task);
    set_dropout(w->query, task, w->inner.steps + behind, 1);
    r->loss += share * meta_program_forward(w->query, at, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(w->query, at, w->query_gradient);
    w->backend->axpy(r->gradient, w->network->parameters, share, w->query_gradient);
}

/* Clears what the derivatives by the rates are added to; returns how many they are. */
static size_t begin_rates(const struct meta_worker *w, const struct meta_task_result *r)
{
    size_t numbers = r->rates ? meta_rates_numbers(w->rates) : 0;
    if (numbers && w->derivative) memset(w->derivative, 0, numbers * sizeof *w->derivative);
    else if (numbers) w->backend->set(r->rates, numbers, 0);
    return numbers;
}

/* Turns v_S in r->gradient into v_0; r->rates are the derivatives by the rates. Passes of the query
   set take the place of the support images in memory. */
static void sweep_back(struct meta_worker *w, const void *phi, const struct meta_task *task,
                       int steps, struct meta_task_result *r)
{
    int second = w->inner.order == 2 && task->iteration >= w->inner.second_order_start;
    size_t numbers = begin_rates(w, r);
    if (second) load_support(w, task, steps);
    if (w->rule) meta_rule_begin_back(w->rule);
    for (int s = steps - 1; s >= 0; s--) {
        const void *at = parameters_at(w, phi, s);
        double share = s ? meta_inner_share(&w->inner, task->iteration, steps, s) : 0;
        if (numbers) differentiate_rates(w, s, r);
        if (second && (w->common || s < steps - w->keep)) support_pass(w, at, task, s);
        if (w->rule) pull_rule(w, s, at, r->gradient, second);
        else if (second) subtract_product(w, s, at, r->gradient);
        if (share == 0) continue;
        add_query(w, at, task, steps - s, share, r);
        if (second) load_support(w, task, steps);
    }
    if (second && w->common && steps) add_body(w, phi, w->rule ? 1 : -1, r->gradient);
    if (numbers && w->derivative) w->backend->upload_double(r->rates, w->derivative, numbers);
}

/* The query set after the last step: its loss, scores and, but for Reptile, gradient. */
static void pass_query(struct meta_worker *w, const void *adapted, const struct meta_task *task,
                       int steps, struct meta_task_result *r)
{
    double share = meta_inner_share(&w->inner, task->iteration, steps, steps);
    load_query(w, task);
    set_dropout(w->query, task, w->inner.steps, 1);
    r->query_loss = meta_program_forward(w->query, adapted, META_STATISTICS_BATCH, NULL);
    if (!steps && r->statistics) meta_program_batch_statistics(w->query, r->statistics);
    score_query(w, adapted, task, r);
    r->loss = share * r->query_loss;
    if (w->inner.reptile) return;
    meta_program_gradient(w->query, adapted, r->gradient);
    if (share != 1) w->backend->scale(r->gradient, w->network->parameters, share);
}

void meta_worker_gradient(struct meta_worker *w, const void *phi, const struct meta_task *task,
                          int steps, const struct meta_weigher *weigher,
                          struct meta_task_result *result)
{
    const struct meta_backend *b = w->backend;
    size_t n = w->network->parameters;
    if (w->inner.reptile) b->set(result->gradient, n, 0);
    w->sum = w->inner.reptile ? result->gradient : NULL;
    const void *adapted = meta_worker_learn(w, phi, task, steps, result);
    w->sum = NULL;
    pass_query(w, adapted, task, steps, result);
    if (!w->inner.reptile) sweep_back(w, w->inner.imprint ? w->start : phi, task, steps, result);
    if (w->inner.imprint) meta_imprint_back(w, phi, task, result->gradient);
    result->meta_loss = result->loss;
    result->weight = 1;
    if (weigher)
        result->weight = weigher->weight(weigher->context, result->loss, &result->meta_loss);
    b->scale(result->gradient, n, result->weight);
    if (result->rates) b->scale(result->rates, meta_rates_numbers(w->rates), result->weight);
}

/* Loads the query images too, whose place the support set's may have taken. */
static double forward_query(struct meta_worker *w, const void *parameters,
                            const struct meta_task *task)
{
    const float *statistics = w->inner.running;
    if (w->inner.bn == META_BN_SUPPORT) {
        meta_worker_support(w, parameters, task, w->statistics);
        statistics = w->statistics;
    }
    load_query(w, task);
    if (w->inner.bn == META_BN_BATCH)
        return meta_program_forward(w->query, parameters, META_STATISTICS_BATCH, NULL);
    return meta_program_forward(w->query, parameters, META_STATISTICS_ROLLING, statistics);
}

void meta_worker_adapt(struct meta_worker *w, const void *phi, const struct meta_task *task,
                       int steps, struct meta_task_result *result)
{
    double *before = result->scores_before;
    set_dropout(w->query, task, 0, 0);
    if (before && steps) {
        forward_query(w, w->inner.imprint ? meta_imprint(w, phi, task) : phi, task);
        meta_program_log_odds(w->query, before);
    }
    const void *adapted = meta_worker_learn(w, phi, task, steps, result);
    result->query_loss = result->loss = forward_query(w, adapted, task);
    result->meta_loss = result->query_loss;
    result->weight = 1;
    score_query(w, adapted, task, result);
    if (before && !steps) meta_program_log_odds(w->query, before);
}

void meta_worker_score(struct meta_worker *w, const void *parameters, const struct meta_task *task,
                       double *log_odds)
{
    set_dropout(w->query, task, 0, 0);
    forward_query(w, parameters, task);
    write_scores(w, parameters, log_odds);
}
