/* A worker: the programs and vectors in which one task is learned, and the sweep back through its
   steps. */
#include "inner_loop.h"
#include "stats/auc.h"

#include <stdlib.h>
#include <string.h>

struct meta_worker {
    const struct meta_network *network;
    const struct meta_backend *backend;
    struct meta_inner inner;
    struct meta_program **support; /* (keep) step s is computed by support[s % keep] */
    int keep;
    struct meta_program *query;
    void *shared; /* memory that the programs use in turn */
    void *workspace;
    size_t shared_bytes, workspace_bytes;
    void **phi; /* (clones) order 2: phi[s] is phi_(s+1); else one clone that is
                   stepped in place. phi_0 is the caller's */
    int clones;
    void *gradient;    /* of the support loss; in the backward sweep, the product H v */
    float *statistics; /* of the support set, with META_BN_SUPPORT */
    double *scores;    /* (query, outputs) where the caller doesn't ask for them */
};

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

/* Order 2 needs every phi_s on the way back; otherwise one clone is stepped in place. */
static int clones_needed(const struct meta_inner *inner)
{
    if (!inner->steps) return 0;
    return inner->order == 2 ? inner->steps : 1;
}

static int programs_needed(const struct meta_inner *inner)
{
    if (!inner->steps) return inner->bn == META_BN_SUPPORT;
    if (inner->order != 2) return 1;
    return inner->keep > 0 && inner->keep < inner->steps ? inner->keep : inner->steps;
}

struct meta_inner meta_inner_of(const struct meta_inner_settings *s, int support, int query)
{
    return (struct meta_inner){ .support = support,
                                .query = query,
                                .steps = s->steps,
                                .learning_rate = s->learning_rate,
                                .order = s->order,
                                .keep = s->keep,
                                .second_order_start = s->second_order_start };
}

/* The number of support images in the pass of the query images: a network that pairs sees both at
   once. */
static int in_front(const struct meta_worker *w) { return w->network->ways ? w->inner.support : 0; }

/* What the programs of a worker are for: an inner step on the support set, or the query set. */
static struct meta_program_settings support_settings(const struct meta_worker *w)
{
    return (struct meta_program_settings){ .query = w->inner.support,
                                           .shared = w->shared,
                                           .passes = w->inner.order == 2 ? META_TANGENTS
                                                                         : META_GRADIENT };
}

static struct meta_program_settings query_settings(const struct meta_worker *w)
{
    return (struct meta_program_settings){ .support = in_front(w),
                                           .query = w->inner.query,
                                           .shared = w->shared,
                                           .passes = w->inner.order ? META_GRADIENT
                                                                    : META_FORWARD };
}

/* The programs can share memory: they run one after another, and the gradient of each forward pass
   follows it at once. */
static int allocate_shared(struct meta_worker *w, struct meta_error *error)
{
    size_t bytes = 0, more = 0;
    if (w->inner.query)
        bytes = meta_program_shared_bytes(w->network, w->backend, query_settings(w));
    if (w->keep) more = meta_program_shared_bytes(w->network, w->backend, support_settings(w));
    w->shared_bytes = more > bytes ? more : bytes;
    if (w->shared_bytes == (size_t)-1 || !(w->shared = w->backend->allocate(w->shared_bytes)))
        return meta_fail_memory(error);
    return 0;
}

static int allocate_workspace(struct meta_worker *w, struct meta_error *error)
{
    if (w->query) w->workspace_bytes = meta_program_workspace_bytes(w->query);
    for (int k = 0; k < w->keep; k++)
        if (meta_program_workspace_bytes(w->support[k]) > w->workspace_bytes)
            w->workspace_bytes = meta_program_workspace_bytes(w->support[k]);
    if (!(w->workspace = w->backend->allocate(w->workspace_bytes))) return meta_fail_memory(error);
    if (w->query) meta_program_use(w->query, w->workspace);
    for (int k = 0; k < w->keep; k++) meta_program_use(w->support[k], w->workspace);
    return 0;
}

/* What the programs of a worker normalise by their own batch. */
static int check_batches(const struct meta_worker *w, struct meta_error *error)
{
    int query = w->inner.query && (w->inner.order || w->inner.bn == META_BN_BATCH);
    if (w->keep && meta_network_check_batch(w->network, w->inner.support, error)) return -1;
    return query ? meta_network_check_batch(w->network, in_front(w) + w->inner.query, error) : 0;
}

int meta_worker_create(struct meta_worker **out, const struct meta_network *network,
                       const struct meta_backend *backend, struct meta_inner inner,
                       struct meta_error *error)
{
    struct meta_worker *w = calloc(1, sizeof *w);
    if (!w) return meta_fail_memory(error);
    w->network = network;
    w->backend = backend;
    w->inner = inner;
    if (network->ways && (inner.steps || inner.order == 2)) {
        meta_fail(error,
                  "steps=%d, order=%d: a network that pairs takes no steps in a task, and order=1",
                  inner.steps, inner.order);
        goto fail;
    }
    if (network->ways && inner.bn == META_BN_SUPPORT) {
        meta_fail(error,
                  "a network that pairs sees support and query images in one batch: it has "
                  "no statistics of the support set alone");
        goto fail;
    }
    if (backend->open(error)) goto fail;
    w->keep = programs_needed(&inner);
    if (check_batches(w, error)) goto fail;
    w->support = calloc(w->keep + 1, sizeof *w->support);
    if (!w->support) {
        meta_fail_memory(error);
        goto fail;
    }
    if (allocate_shared(w, error)) goto fail;
    for (int k = 0; k < w->keep; k++)
        if (meta_program_create(&w->support[k], network, backend, support_settings(w), error))
            goto fail;
    if (inner.query && meta_program_create(&w->query, network, backend, query_settings(w), error))
        goto fail;
    if (allocate_workspace(w, error)) goto fail;
    w->clones = clones_needed(&inner);
    w->phi = calloc(w->clones + 1, sizeof *w->phi);
    w->statistics = malloc((network->statistics + 1) * sizeof *w->statistics);
    w->scores = malloc(((size_t)inner.query * meta_network_outputs(network) + 1)
                       * sizeof *w->scores);
    if (!w->phi || !w->statistics || !w->scores) {
        meta_fail_memory(error);
        goto fail;
    }
    for (int s = 0; s <= w->clones; s++) {
        void **vector = s < w->clones ? &w->phi[s] : &w->gradient;
        *vector = backend->allocate(network->parameters * backend->element);
        if (!*vector) {
            meta_fail_memory(error);
            goto fail;
        }
    }
    *out = w;
    return 0;
fail:
    meta_worker_free(w);
    return -1;
}

void meta_worker_free(struct meta_worker *w)
{
    if (!w) return;
    for (int k = 0; w->support && k < w->keep; k++) meta_program_free(w->support[k]);
    free(w->support);
    meta_program_free(w->query);
    if (w->shared) w->backend->release(w->shared);
    if (w->workspace) w->backend->release(w->workspace);
    for (int s = 0; w->phi && s < w->clones; s++)
        if (w->phi[s]) w->backend->release(w->phi[s]);
    if (w->gradient) w->backend->release(w->gradient);
    free(w->phi);
    free(w->statistics);
    free(w->scores);
    free(w);
}

int meta_worker_failed(const struct meta_worker *w, struct meta_error *error)
{
    for (int k = 0; k < w->keep; k++)
        if (meta_program_failed(w->support[k], error)) return -1;
    return w->query ? meta_program_failed(w->query, error) : 0;
}

int meta_worker_slow_layer(const struct meta_worker *w, const char **implementation)
{
    int slow = w->query ? meta_program_slow_layer(w->query, implementation) : -1;
    return slow < 0 && w->keep ? meta_program_slow_layer(w->support[0], implementation) : slow;
}

size_t meta_worker_bytes(const struct meta_worker *w)
{
    size_t bytes = w->shared_bytes + w->workspace_bytes
        + (w->clones + 1) * w->network->parameters * w->backend->element;
    if (w->query) bytes += meta_program_bytes(w->query);
    for (int k = 0; k < w->keep; k++) bytes += meta_program_bytes(w->support[k]);
    return bytes;
}

/* phi_s, where the inner loop keeps it. */
static const void *parameters_at(const struct meta_worker *w, const void *phi, int s)
{
    if (s == 0) return phi;
    return w->phi[w->inner.order == 2 ? s - 1 : 0];
}

static void set_dropout(struct meta_program *p, const struct meta_task *task, int item, int train)
{
    meta_program_dropout(p,
                         (struct meta_dropout_key){ task->seed, task->iteration, task->task, item,
                                                    train });
}

static void load_query(struct meta_worker *w, const struct meta_task *task)
{
    int first = in_front(w);
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
    double loss = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, phi, w->gradient);
    return loss;
}

/* Step s draws dropout with item s. */
const void *meta_worker_learn(struct meta_worker *w, const void *phi, const struct meta_task *task,
                              int steps, struct meta_task_result *result)
{
    size_t n = w->network->parameters;
    load_support(w, task, steps);
    for (int s = 0; s < steps; s++) {
        const void *from = parameters_at(w, phi, s);
        void *to = w->phi[w->inner.order == 2 ? s : 0];
        double loss = support_pass(w, from, task, s);
        if (result->support_loss) result->support_loss[s] = loss;
        if (s == 0 && result->statistics)
            meta_program_batch_statistics(w->support[0], result->statistics);
        if (from != to) w->backend->copy(to, from, n);
        w->backend->axpy(to, n, -w->inner.learning_rate, w->gradient);
    }
    return parameters_at(w, phi, steps);
}

double meta_worker_support(struct meta_worker *w, const void *parameters,
                           const struct meta_task *task, float *statistics)
{
    struct meta_program *p = w->support[0];
    meta_program_load(p, task->support, task->support_labels);
    meta_program_shares(p, task->support_shares);
    set_dropout(p, task, 0, 0);
    double loss = meta_program_forward(p, parameters, META_STATISTICS_BATCH, NULL);
    if (statistics) meta_program_batch_statistics(p, statistics);
    return loss;
}

static void score_query(struct meta_worker *w, const struct meta_task *task,
                        struct meta_task_result *result)
{
    int outputs = meta_network_outputs(w->network);
    double *scores = result->query_scores ? result->query_scores : w->scores;
    meta_program_log_odds(w->query, scores);
    result->accuracy = meta_accuracy(scores, task->query_labels, w->inner.query, outputs);
}

void meta_worker_gradient(struct meta_worker *w, const void *phi, const struct meta_task *task,
                          int steps, const struct meta_weigher *weigher,
                          struct meta_task_result *result)
{
    size_t n = w->network->parameters;
    void *gradient = result->gradient;
    const void *adapted = meta_worker_learn(w, phi, task, steps, result);
    load_query(w, task);
    set_dropout(w->query, task, w->inner.steps, 1);
    result->query_loss = meta_program_forward(w->query, adapted, META_STATISTICS_BATCH, NULL);
    if (!steps && result->statistics) meta_program_batch_statistics(w->query, result->statistics);
    score_query(w, task, result);
    result->meta_loss = result->query_loss;
    result->weight = 1;
    if (weigher)
        result->weight = weigher->weight(weigher->context, result->query_loss, &result->meta_loss);
    meta_program_gradient(w->query, adapted, gradient);
    int second = w->inner.order == 2 && task->iteration >= w->inner.second_order_start;
    if (second) load_support(w, task, steps);
    for (int s = steps - 1; second && s >= 0; s--) {
        /* v_s = v_{s+1} - gamma H_s v_{s+1} */
        const void *at = parameters_at(w, phi, s);
        if (s < steps - w->keep) support_pass(w, at, task, s);
        meta_program_hessian_product(w->support[s % w->keep], at, gradient, w->gradient);
        w->backend->axpy(gradient, n, -w->inner.learning_rate, w->gradient);
    }
    w->backend->scale(gradient, n, result->weight);
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
        forward_query(w, phi, task);
        meta_program_log_odds(w->query, before);
    }
    const void *adapted = meta_worker_learn(w, phi, task, steps, result);
    result->query_loss = forward_query(w, adapted, task);
    result->meta_loss = result->query_loss;
    result->weight = 1;
    score_query(w, task, result);
    if (before && !steps) meta_program_log_odds(w->query, before);
}
