/* Computes the tasks of a meta-iteration on a pool, sums their gradients in order, and steps the
   optimiser. */
#include "outer_internal.h"
#include "base/clock.h"
#include "weigh.h"
#include "network/rolling.h"
#include "stats/auc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A part of a mini-batch is a task of query images alone, before which nothing is learned: its
   gradient is that of their loss. */
static struct meta_inner inner_of(const struct meta_model *m)
{
    int ways = m->episode->ways;
    if (m->purpose == META_FOR_IMAGES)
        return (struct meta_inner){ .query = m->net.batch / m->net.subdivisions, .order = 1 };
    return meta_inner_of(m->inner, ways * m->episode->shots, ways * m->episode->queries);
}

/* Shares the tasks out. */
static int open_ranks(struct meta_outer *o, struct meta_error *error)
{
    struct meta_part own = meta_part_own(o->transport, (size_t)o->tasks);
    o->begin = (int)own.begin;
    o->end = (int)own.end;
    o->known_end = o->tasks;
    if (!meta_transport_many(o->transport)) return 0;
    if (meta_outer_open_sites(o, error)) return -1;
    if (o->sites) return 0;
    return meta_exchange_create(&o->exchange, o->backend, o->transport, o->numbers, o->tasks,
                                error);
}

static int create_rates(struct meta_outer *o, struct meta_error *error)
{
    const struct meta_inner_settings *s = o->model->inner;
    const struct meta_network *net = o->model->network;
    if (meta_learned_create(&o->rates, net, meta_rates_how_of(s), o->backend, error)) return -1;
    if (o->rates) meta_learned_fill(o->rates, s->learning_rate);
    o->inner.rates = meta_learned_rates(o->rates);
    o->numbers = net->parameters + meta_learned_numbers(o->rates);
    return 0;
}

/* The part of a task's gradient that is by the rates; NULL where they are fixed. */
static void *by_rates(const struct meta_outer *o, int task)
{
    size_t before = o->model->network->parameters * o->backend->element;
    return o->rates ? (char *)o->gradient[task] + before : NULL;
}

int meta_outer_create(struct meta_outer **out, const struct meta_outer_parts *parts,
                      struct meta_error *error)
{
    const struct meta_model *model = parts->model;
    const struct meta_backend *backend = parts->backend;
    const struct meta_network *net = model->network;
    struct meta_outer *o = calloc(1, sizeof *o);
    if (!o) return meta_fail_memory(error);
    o->model = model;
    o->backend = backend;
    o->pool = parts->pool;
    o->transport = parts->transport;
    o->federation = parts->federation && parts->federation->mode ? parts->federation : NULL;
    o->seed = parts->seed;
    o->tasks = model->purpose == META_FOR_IMAGES ? model->net.subdivisions : model->episode->tasks;
    o->inner = inner_of(model);
    int threads = meta_pool_threads(parts->pool);
    if (backend->open(error)) goto fail;
    if (create_rates(o, error) || open_ranks(o, error)) goto fail;
    if (meta_optimiser_create(&o->optimiser, net, backend, &model->net, error)) goto fail;
    o->worker = calloc(threads, sizeof *o->worker);
    o->gradient = calloc(o->tasks, sizeof *o->gradient);
    o->results = calloc(o->tasks, sizeof *o->results);
    o->outputs = (size_t)o->inner.query * meta_network_outputs(net);
    o->scores = calloc(o->tasks * o->outputs, sizeof *o->scores);
    o->auc = calloc(o->tasks, sizeof *o->auc);
    o->normalises = meta_weigh_normalises(model);
    o->weight = calloc(o->tasks, sizeof *o->weight);
    o->share = calloc(o->tasks, sizeof *o->share);
    o->record = (sizeof(struct told) + net->statistics * sizeof(float) + 7) / 8 * 8;
    o->records = calloc(o->exchange ? o->tasks : 1, o->record);
    o->rolling = calloc(net->statistics + 1, sizeof *o->rolling);
    o->statistics = calloc(o->tasks * net->statistics + 1, sizeof *o->statistics);
    o->phi = backend->allocate(net->parameters * backend->element);
    if (!o->worker || !o->gradient || !o->results || !o->scores || !o->auc || !o->records
        || !o->rolling || !o->statistics || !o->phi || !o->weight || !o->share)
        goto memory;
    for (int i = 0; i < o->tasks; i++)
        if ((i == 0 || (i >= o->begin && i < o->end))
            && !(o->gradient[i] = backend->allocate(o->numbers * backend->element)))
            goto memory;
    /* a pool may hand any of its threads a task, so each has a worker, even with fewer tasks than
       threads */
    for (; o->workers < threads; o->workers++)
        if (meta_worker_create(&o->worker[o->workers], net, backend, o->inner, error)) goto fail;
    *out = o;
    return 0;
memory:
    meta_fail(error, "out of memory for the meta-gradients of %d tasks", o->tasks);
fail:
    meta_outer_free(o);
    return -1;
}

void meta_outer_free(struct meta_outer *o)
{
    if (!o) return;
    for (int i = 0; i < o->workers; i++) meta_worker_free(o->worker[i]);
    for (int i = 0; o->gradient && i < o->tasks; i++)
        if (o->gradient[i]) o->backend->release(o->gradient[i]);
    if (o->phi) o->backend->release(o->phi);
    meta_optimiser_free(o->optimiser);
    meta_exchange_free(o->exchange);
    meta_outer_close_sites(o);
    meta_learned_free(o->rates);
    free(o->worker);
    free(o->gradient);
    free(o->results);
    free(o->scores);
    free(o->auc);
    free(o->weight);
    free(o->share);
    free(o->records);
    free(o->rolling);
    free(o->statistics);
    free(o);
}

size_t meta_outer_worker_bytes(const struct meta_outer *o)
{
    size_t bytes = 0;
    for (int i = 0; i < o->workers; i++) bytes += meta_worker_bytes(o->worker[i]);
    return bytes;
}

int meta_outer_slow_layer(const struct meta_outer *o, const char **implementation)
{
    return meta_worker_slow_layer(o->worker[0], implementation);
}

static void run_task(void *context, int index, int worker)
{
    struct meta_outer *o = context;
    int task = o->begin + index;
    const struct meta_batch *b = o->batches[task];
    struct meta_task t = { b->support, b->support_labels, b->query, b->query_labels,
                           o->seed,    o->iteration,      task,     NULL };
    struct meta_weighing weighing = { o->model, o->iteration };
    struct meta_weigher weigher = meta_weigher_of(&weighing);
    struct meta_task_result *r = &o->results[task];
    memset(r, 0, sizeof *r);
    if (o->model->network->statistics)
        r->statistics = o->statistics + task * o->model->network->statistics;
    r->gradient = o->gradient[task];
    r->rates = by_rates(o, task);
    r->query_scores = o->scores + task * o->outputs;
    meta_worker_gradient(o->worker[worker], o->phi, &t, o->inner.steps,
                         o->normalises ? NULL : &weigher, r);
    o->auc[task] = meta_auc_task(r->query_scores, b->query_labels, o->inner.query,
                                 meta_network_outputs(o->model->network));
}

/* With normalise the mean of the weights is known when all tasks are learned: each gradient is
   weighed here, and not by its worker, so that none is lost to the rounding of a small weight. */
static void normalise(struct meta_outer *o)
{
    const struct meta_backend *b = o->backend;
    int begin = o->known_begin, count = o->known_end - begin;
    for (int i = begin; i < o->known_end; i++) {
        struct meta_task_result *r = &o->results[i];
        r->weight = meta_weigh(o->model, r->loss, o->iteration, &r->meta_loss);
        o->weight[i] = r->weight;
    }
    o->mean_failed = meta_weigh_shares(o->weight + begin, count, o->share + begin);
    for (int i = o->begin; i < o->end; i++) b->scale(o->gradient[i], o->numbers, o->share[i]);
}

static void sum_results(const struct meta_outer *o, struct meta_outer_result *sum)
{
    int count = o->known_end - o->known_begin;
    memset(sum, 0, sizeof *sum);
    for (int i = o->known_begin; i < o->known_end; i++) {
        sum->meta_loss += o->results[i].meta_loss / count;
        sum->query_loss += o->results[i].query_loss / count;
        sum->accuracy += o->results[i].accuracy / count;
        sum->weighed |= o->results[i].weight != 1;
    }
}

static void move_statistics(struct meta_outer *o)
{
    size_t n = o->model->network->statistics;
    for (int task = o->known_begin; task < o->known_end; task++)
        meta_rolling_move(o->rolling, o->statistics + task * n, n);
}

/* A failed pass has left no numbers, so this comes before they are looked at. */
static int check_workers(const struct meta_outer *o, struct meta_error *error)
{
    struct meta_error why;
    for (int i = 0; i < o->workers; i++)
        if (meta_worker_failed(o->worker[i], &why))
            return meta_fail(error, "iteration %llu: %.400s", (unsigned long long)o->iteration,
                             why.text);
    return 0;
}

static struct told *record(const struct meta_outer *o, int task)
{
    return (struct told *)(o->records + (size_t)task * o->record);
}

/* Every rank gets what the others have found; `status` is that of its own tasks. */
static int gather_results(struct meta_outer *o, int status, struct meta_error *error)
{
    size_t n = o->model->network->statistics;
    int failed = 0;
    for (int i = o->begin; i < o->end; i++) {
        const struct meta_task_result *r = &o->results[i];
        *record(o, i) = (struct told){ r->query_loss, r->loss,   r->meta_loss, r->weight,
                                       r->accuracy,   o->auc[i], o->word,      status };
        memcpy(record(o, i) + 1, o->statistics + i * n, n * sizeof *o->statistics);
    }
    o->transport->about = "results";
    if (meta_transport_gather(o->transport, o->records, (size_t)o->tasks, o->record, error))
        return -1;
    for (int i = 0; i < o->tasks; i++) {
        const struct told *told = record(o, i);
        struct meta_task_result *r = &o->results[i];
        r->query_loss = told->query_loss;
        r->loss = told->loss;
        r->meta_loss = told->meta_loss;
        r->weight = told->weight;
        r->accuracy = told->accuracy;
        o->auc[i] = told->auc;
        memcpy(o->statistics + i * n, told + 1, n * sizeof *o->statistics);
        failed |= told->failed;
    }
    return failed ? meta_transport_share_status(o->transport, status, error) : 0;
}

static int greatest_word(const struct meta_outer *o)
{
    int most = o->word;
    for (int i = 0; o->exchange && i < o->tasks; i++)
        if (record(o, i)->word > most) most = record(o, i)->word;
    return most;
}

void meta_outer_say(struct meta_outer *o, int word) { o->word = word; }

int meta_outer_gradient(struct meta_outer *o, const struct meta_batch *const *batches,
                        uint64_t iteration, struct meta_outer_result *result,
                        struct meta_error *error)
{
    const struct meta_backend *b = o->backend;
    int word = 0;
    o->batches = batches;
    o->iteration = iteration;
    double begun = meta_now();
    meta_pool_run(o->pool, o->end - o->begin, run_task, o);
    double computed = meta_now();
    int status = check_workers(o, error);
    if (o->exchange && gather_results(o, status, error)) return -1;
    if (status) return -1;
    double known = meta_now();
    if (o->normalises) normalise(o);
    if (o->sites) {
        if (meta_outer_mean_of_sites(o, &word, error)) return -1;
    } else if (o->exchange) {
        meta_outer_share_gradients(o);
        o->transport->about = "gradients";
        if (meta_exchange_mean(o->exchange, o->gradient, 1. / o->tasks, o->gradient[0], error))
            return -1;
    } else {
        for (int i = 1; i < o->tasks; i++) b->axpy(o->gradient[0], o->numbers, 1, o->gradient[i]);
        b->scale(o->gradient[0], o->numbers, 1. / o->tasks);
    }
    sum_results(o, result);
    result->word = o->sites ? word : greatest_word(o);
    result->computing = computed - begun;
    result->waiting = known - computed;
    result->exchange = meta_now() - known;
    return 0;
}

/* The first layer of a plugin; NULL where the network has none. */
static const struct meta_layer *plugin_layer(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++)
        if (net->layers[i].type == META_PLUGIN) return &net->layers[i];
    return NULL;
}

/* Fails when the plugin of [meta_loss] makes of a task's finite loss a number that is none, or of
   finite losses weights without a mean to divide by. */
static int check_weights(const struct meta_outer *o, struct meta_error *error)
{
    int finite = 1;
    for (int i = o->known_begin; i < o->known_end; i++) {
        const struct meta_task_result *r = &o->results[i];
        finite &= isfinite(r->loss) != 0;
        if (!isfinite(r->loss) || (isfinite(r->meta_loss) && isfinite(r->weight))) continue;
        return meta_fail(error,
                         "iteration %llu: [%s]: its plugin makes of a query loss of %g the "
                         "meta-loss %g and the weight %g: both must be finite",
                         (unsigned long long)o->iteration, o->model->loss->name, r->loss,
                         r->meta_loss, r->weight);
    }
    if (!o->mean_failed || !finite) return 0;
    return meta_fail(error,
                     "iteration %llu: [%s]: the mean of the tasks' weights, by which they are "
                     "divided, is not above 0",
                     (unsigned long long)o->iteration, o->model->loss->name);
}

static int fail_gradient(const struct meta_outer *o, double loss, struct meta_error *error)
{
    const struct meta_layer *l = plugin_layer(o->model->network);
    char plugin[160] = "";
    if (l)
        snprintf(plugin, sizeof plugin,
                 "; or [%s], a plugin's layer, is at fault: darknet meta check tests it",
                 l->plugin->name);
    return meta_fail(error,
                     o->model->purpose == META_FOR_IMAGES
                         ? "iteration %llu: the gradient is not finite (loss %g): a lower "
                           "learning_rate or clip in [net] may help%s"
                         : "iteration %llu: the meta-gradient is not finite (query loss %g): a "
                           "lower learning_rate in [inner_loop] or [net], "
                           "or clip in [net], may help%s",
                     (unsigned long long)o->iteration, fabs(loss), plugin);
}

int meta_outer_update(struct meta_outer *o, double rate, struct meta_outer_result *result,
                      struct meta_error *error)
{
    struct meta_error why;
    if (check_weights(o, error)) return -1;
    void *rates = by_rates(o, 0);
    if (rates && !meta_learned_takes(o->rates, rates))
        return fail_gradient(o, result->query_loss, error);
    result->gradient_norm = meta_optimiser_step(o->optimiser, o->phi, o->gradient[0], rate);
    if (!isfinite(result->gradient_norm)) return fail_gradient(o, result->query_loss, error);
    if (rates) meta_learned_step(o->rates, &o->model->net, rates, rate);
    move_statistics(o);
    if (!meta_outer_check(o, &why)) return 0;
    return meta_fail(error, "iteration %llu: after the update at rate %g %s",
                     (unsigned long long)o->iteration, rate, why.text);
}

int meta_outer_step(struct meta_outer *o, const struct meta_batch *const *batches,
                    uint64_t iteration, double rate, struct meta_outer_result *result,
                    struct meta_error *error)
{
    if (meta_outer_gradient(o, batches, iteration, result, error)) return -1;
    return meta_outer_update(o, rate, result, error);
}

size_t meta_outer_numbers(const struct meta_outer *o) { return o->numbers; }

size_t meta_outer_record(const struct meta_outer *o) { return o->record; }

int meta_outer_known(const struct meta_outer *o) { return o->known_end - o->known_begin; }

const double *meta_outer_auc(const struct meta_outer *o) { return o->auc; }

const void *meta_outer_parameters(const struct meta_outer *o) { return o->phi; }

struct meta_learned_rates *meta_outer_rates(const struct meta_outer *o) { return o->rates; }

const float *meta_outer_statistics(const struct meta_outer *o) { return o->rolling; }

void meta_outer_upload(struct meta_outer *o, const float *parameters, const float *statistics)
{
    o->backend->upload(o->phi, parameters, o->model->network->parameters);
    memcpy(o->rolling, statistics, o->model->network->statistics * sizeof *statistics);
}

void meta_outer_download(const struct meta_outer *o, float *parameters, float *statistics)
{
    o->backend->download(parameters, o->phi, o->model->network->parameters);
    memcpy(statistics, o->rolling, o->model->network->statistics * sizeof *statistics);
}
