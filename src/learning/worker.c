/* Creates and frees workers: the programs and vectors in which one task is learned. */
#include "inner_internal.h"

#include <stdlib.h>

static int clones_needed(const struct meta_inner *inner)
{
    if (!inner->steps) return 0;
    return meta_inner_keeps(inner) ? inner->steps : 1;
}

static int programs_needed(const struct meta_worker *w)
{
    const struct meta_inner *inner = &w->inner;
    if (!inner->steps) return inner->bn == META_BN_SUPPORT || inner->imprint;
    if (inner->order != 2 || w->common) return 1;
    return inner->keep > 0 && inner->keep < inner->steps ? inner->keep : inner->steps;
}

/* What sees the support images alone. */
static const struct meta_network *support_network(const struct meta_worker *w)
{
    return w->images ? w->images : w->network;
}

/* What the programs of a worker are for: an inner step on the support set, or the query set. */
static struct meta_program_settings support_settings(const struct meta_worker *w)
{
    int second = w->inner.order == 2;
    return (struct meta_program_settings){ .query = w->inner.support,
                                           .shared = w->shared,
                                           .frozen = second ? 0 : w->frozen,
                                           .body = w->images ? 0 : w->common,
                                           .passes = w->images ? META_FORWARD
                                               : second        ? META_TANGENTS
                                                               : META_GRADIENT };
}

static struct meta_program_settings query_settings(const struct meta_worker *w)
{
    return (struct meta_program_settings){ .support = meta_worker_front(w),
                                           .query = w->inner.query,
                                           .shared = w->shared,
                                           .passes = w->inner.order && !w->inner.reptile
                                               ? META_GRADIENT
                                               : META_FORWARD };
}

/* The programs can share memory: they run one after another, the gradient of each forward pass
   follows it at once, and a body is passed anew behind another program (`passed`). */
static int allocate_shared(struct meta_worker *w, struct meta_error *error)
{
    size_t bytes = 0, more = 0;
    if (w->inner.query)
        bytes = meta_program_shared_bytes(w->network, w->backend, query_settings(w));
    if (w->keep)
        more = meta_program_shared_bytes(support_network(w), w->backend, support_settings(w));
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
    if (w->keep && meta_network_check_batch(support_network(w), w->inner.support, error)) return -1;
    return query
        ? meta_network_check_batch(w->network, meta_worker_front(w) + w->inner.query, error)
        : 0;
}

static int check_pairing(const struct meta_worker *w, struct meta_error *error)
{
    const struct meta_inner *inner = &w->inner;
    if (!w->network->ways) return 0;
    if (inner->steps || inner->order == 2)
        return meta_fail(error,
                         "steps=%d, order=%d: a network that pairs takes no steps in a task, and "
                         "order=1",
                         inner->steps, inner->order);
    return 0;
}

/* The support set's own statistics are those of the layers that see an image alone. */
static int make_images(struct meta_worker *w, struct meta_error *error)
{
    const struct meta_network *net = w->network;
    if (!net->ways || w->inner.bn != META_BN_SUPPORT) return 0;
    if (meta_network_cut(&w->images, net, net->pairing, 0, error)) return -1;
    if (!(w->zeros = calloc(w->inner.support + 1, sizeof *w->zeros)))
        return meta_fail_memory(error);
    if (w->images->statistics == net->statistics) return 0;
    const struct meta_layer *l = &net->layers[net->pairing + 1];
    while (l->mean == META_NONE) l++;
    return meta_fail(error,
                     "[%s] of line %d is normalised behind the layer that pairs, and sees support "
                     "and query images at once: it has no statistics of the support set alone, "
                     "as -bn support wants them",
                     meta_layer_name(l), l->line);
}

static int allocate_programs(struct meta_worker *w, struct meta_error *error)
{
    w->support = calloc(w->keep + 1, sizeof *w->support);
    if (!w->support) return meta_fail_memory(error);
    if (allocate_shared(w, error)) return -1;
    for (int k = 0; k < w->keep; k++)
        if (meta_program_create(&w->support[k], support_network(w), w->backend, support_settings(w),
                                error))
            return -1;
    if (w->inner.query
        && meta_program_create(&w->query, w->network, w->backend, query_settings(w), error))
        return -1;
    return allocate_workspace(w, error);
}

static int allocate_vector(struct meta_worker *w, void **vector, size_t numbers,
                           struct meta_error *error)
{
    size_t bytes = numbers * w->backend->element;
    if (!(*vector = w->backend->allocate(bytes))) return meta_fail_memory(error);
    w->vector_bytes += bytes;
    return 0;
}

/* What the derivatives by learned rates need of each step. */
static int keep_gradients(struct meta_worker *w, struct meta_error *error)
{
    size_t numbers = meta_rates_numbers(w->rates);
    if (!numbers || !w->inner.order) return 0;
    w->step_gradients = w->inner.steps;
    w->step_gradient = calloc(w->step_gradients, sizeof *w->step_gradient);
    int layers = w->rates->how.kind == META_RATES_LAYER;
    if (layers) w->derivative = calloc(numbers, sizeof *w->derivative);
    if (!w->step_gradient || (layers && !w->derivative)) return meta_fail_memory(error);
    for (int s = 0; s < w->step_gradients; s++)
        if (allocate_vector(w, &w->step_gradient[s], w->rates->count, error)) return -1;
    return 0;
}

static int check_imprint(const struct meta_worker *w, struct meta_error *error)
{
    if (!w->inner.imprint || meta_network_imprints(w->network)) return 0;
    return meta_fail(error, "the last layer before the softmax can't be imprinted");
}

static int allocate_imprint(struct meta_worker *w, struct meta_error *error)
{
    size_t n = w->network->parameters,
           chosen = (size_t)w->inner.support * meta_network_outputs(w->network);
    if (!w->inner.imprint) return 0;
    if (allocate_vector(w, &w->start, n, error) || allocate_vector(w, &w->rows, n, error))
        return -1;
    w->chosen = calloc(chosen + 1, sizeof *w->chosen);
    return w->chosen ? 0 : meta_fail_memory(error);
}

static int allocate_rule(struct meta_worker *w, struct meta_error *error)
{
    const struct meta_inner *inner = &w->inner;
    if (!inner->rule.functions || !inner->steps) return 0;
    const struct meta_rule_for whose = { w->network, w->rates, w->backend, inner->steps,
                                         inner->order > 0 };
    if (meta_rule_create(&w->rule, inner->rule, &whose, error)) return -1;
    w->vector_bytes += meta_rule_bytes(w->rule);
    return 0;
}

static int allocate_vectors(struct meta_worker *w, struct meta_error *error)
{
    const struct meta_inner *inner = &w->inner;
    size_t n = w->network->parameters;
    w->clones = clones_needed(inner);
    w->phi = calloc(w->clones + 1, sizeof *w->phi);
    w->statistics = malloc((w->network->statistics + 1) * sizeof *w->statistics);
    w->scores = malloc(((size_t)inner->query * meta_network_outputs(w->network) + 1)
                       * sizeof *w->scores);
    if (!w->phi || !w->statistics || !w->scores) return meta_fail_memory(error);
    for (int s = 0; s < w->clones; s++)
        if (allocate_vector(w, &w->phi[s], n, error)) return -1;
    if (allocate_vector(w, &w->gradient, n, error) || allocate_imprint(w, error)) return -1;
    if (inner->order && inner->multi_step && inner->steps > 1
        && allocate_vector(w, &w->query_gradient, n, error))
        return -1;
    if (!inner->steps || (meta_rates_plain(w->rates) && !inner->rule.functions)) return 0;
    return allocate_vector(w, &w->moved, n, error) || keep_gradients(w, error) ? -1 : 0;
}

int meta_inner_frozen(const struct meta_network *net, const struct meta_inner *inner)
{
    int head = inner->rates ? inner->rates->how.head : inner->head;
    if (!head || inner->imprint) return 0;
    const struct meta_layer *last = meta_rates_head(net);
    return meta_layer_first(last) ? (int)(last - net->layers) : 0;
}

int meta_inner_common(const struct meta_network *net, const struct meta_inner *inner)
{
    int frozen = meta_inner_frozen(net, inner), common = 0;
    const struct meta_layer *l = net->layers;
    while (common < frozen && !(l[common].type == META_DROPOUT && l[common].probability > 0))
        common++;
    for (int i = common; i < frozen; i++)
        if (l[i].weights != META_NONE) return 0;
    return common;
}

int meta_inner_keeps_steps(const struct meta_network *net, const struct meta_inner *inner)
{
    return inner->order == 2 && inner->steps > 1 && !meta_inner_common(net, inner);
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
    w->fixed = meta_rates_fixed(network, inner.learning_rate, inner.head);
    w->rates = inner.rates ? inner.rates : &w->fixed;
    w->frozen = meta_inner_frozen(network, &inner);
    w->common = meta_inner_common(network, &inner);
    w->keep = programs_needed(w);
    if (check_pairing(w, error) || make_images(w, error) || check_imprint(w, error)
        || backend->open(error) || check_batches(w, error) || allocate_programs(w, error)
        || allocate_vectors(w, error) || allocate_rule(w, error)) {
        meta_worker_free(w);
        return -1;
    }
    *out = w;
    return 0;
}

void meta_worker_free(struct meta_worker *w)
{
    if (!w) return;
    for (int k = 0; w->support && k < w->keep; k++) meta_program_free(w->support[k]);
    free(w->support);
    meta_program_free(w->query);
    meta_network_free(w->images);
    free(w->zeros);
    if (w->shared) w->backend->release(w->shared);
    if (w->workspace) w->backend->release(w->workspace);
    for (int s = 0; w->phi && s < w->clones; s++)
        if (w->phi[s]) w->backend->release(w->phi[s]);
    if (w->gradient) w->backend->release(w->gradient);
    if (w->moved) w->backend->release(w->moved);
    if (w->query_gradient) w->backend->release(w->query_gradient);
    meta_rule_free(w->rule);
    if (w->start) w->backend->release(w->start);
    if (w->rows) w->backend->release(w->rows);
    free(w->chosen);
    for (int s = 0; w->step_gradient && s < w->step_gradients; s++)
        if (w->step_gradient[s]) w->backend->release(w->step_gradient[s]);
    free(w->step_gradient);
    free(w->derivative);
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
    size_t bytes = w->shared_bytes + w->workspace_bytes + w->vector_bytes;
    if (w->query) bytes += meta_program_bytes(w->query);
    for (int k = 0; k < w->keep; k++) bytes += meta_program_bytes(w->support[k]);
    return bytes;
}
