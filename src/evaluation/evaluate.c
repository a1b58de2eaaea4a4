/* Draws the tasks of a test, has the method learn each of them on a pool of threads, and scores
   what it says of the query images. */
#include "evaluate.h"
#include "engine/log_odds.h"
#include "methods.h"
#include "run_store.h"
#include "stats/auc.h"
#include "stats/roc.h"
#include "stats/temperature.h"
#include "tally.h"
#include "tasks/identity.h"
#include "tasks/view.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What one thread works with. */
struct workspace {
    void *method; /* the method's state */
    struct meta_episode *episode;
    float *support, *query; /* (ways*shots, c, h, w), (ways*queries, c, h, w) */
    double *before, *after; /* (ways*queries, ways) */
    double *members; /* (2, 1 + more, ways*queries, ways) before and after of each; NULL: there is
                        one */
    const double **voice; /* (1 + more + with_count) whose answers are averaged */
    double *row;          /* (1 + more + with_count, ways) */
    char *ranks;          /* (2*ways*queries + 1) */
};

struct meta_evaluator {
    struct meta_evaluation_parts parts;
    struct meta_evaluation evaluation;
    void *settings; /* the method's defaults, when the caller gave no settings */
    struct meta_sampler *sampler;
    struct workspace *workspaces;
    int workspace_count;
    int *support_labels, *query_labels; /* label by label */
    struct meta_run_store store;
    const void *phi;      /* of the run in progress */
    pthread_mutex_t lock; /* guards `done`, `first_failed`, `error` */
    int begin;            /* of several ranks, the first task of this one */
    int lost;             /* the results of another rank are, for which `error` has the reason */
    int done;
    int first_failed; /* the first task that the method had no memory for; `runs`: there is none */
    struct meta_error error; /* message of task `first_failed` */
    void (*progress)(void *, int);
    void *context;
};

/* ---- creating -------------------------------------------------------------------------------- */

static int create_workspace(struct meta_evaluator *e, struct workspace *w, struct meta_error *error)
{
    const struct meta_episode_settings *t = &e->evaluation.episode;
    const struct meta_network *net = e->parts.model->network;
    int support = t->ways * t->shots, query = t->ways * t->queries;
    struct meta_method_context context = { e->parts.model, e->parts.backend, &e->evaluation };
    if (e->evaluation.method->create(&w->method, &context, error)) return -1;
    if (meta_episode_create(&w->episode, t, error)) return -1;
    w->support = malloc(support * meta_shape_numbers(net->input) * sizeof(float));
    w->query = malloc(query * meta_shape_numbers(net->input) * sizeof(float));
    w->before = malloc((size_t)query * t->ways * sizeof(double));
    w->after = malloc((size_t)query * t->ways * sizeof(double));
    w->ranks = malloc(2 * (size_t)query + 1);
    size_t members = 1 + (size_t)e->evaluation.more, voices = members + e->evaluation.with_count;
    w->voice = malloc(voices * sizeof *w->voice);
    w->row = malloc(voices * t->ways * sizeof *w->row);
    if (members > 1) {
        size_t all = members * 2 * (size_t)query * t->ways;
        if (!(w->members = malloc(all * sizeof *w->members))) return meta_fail_memory(error);
    }
    if (!w->voice || !w->row || !w->support || !w->query || !w->before || !w->after || !w->ranks)
        return meta_fail_memory(error);
    return 0;
}

static int *make_labels(int ways, int each)
{
    int *labels = malloc(((size_t)ways * each + 1) * sizeof *labels);
    for (int i = 0; labels && i < ways * each; i++) labels[i] = i / each;
    return labels;
}

static int choose_method(struct meta_evaluator *e, struct meta_error *error)
{
    struct meta_evaluation *own = &e->evaluation;
    if (!own->method) own->method = meta_method_for(e->parts.model);
    if (own->settings) return 0;
    if (meta_method_settings(&e->settings, own->method, e->parts.model, &own->episode, error))
        return -1;
    own->settings = e->settings;
    return 0;
}

static int fill(struct meta_evaluator *e, struct meta_error *error)
{
    const struct meta_episode_settings *t = &e->evaluation.episode;
    int threads = meta_pool_threads(e->parts.pool);
    if (choose_method(e, error) || meta_sampler_create(&e->sampler, e->parts.dataset, t, error)
        || meta_run_store_create(&e->store, &e->evaluation, error))
        return -1;
    e->support_labels = make_labels(t->ways, t->shots);
    e->query_labels = make_labels(t->ways, t->queries);
    e->workspaces = calloc(threads, sizeof *e->workspaces);
    if (!e->support_labels || !e->query_labels || !e->workspaces) return meta_fail_memory(error);
    while (e->workspace_count < threads)
        if (create_workspace(e, &e->workspaces[e->workspace_count++], error)) return -1;
    return 0;
}

int meta_evaluator_create(struct meta_evaluator **out, const struct meta_evaluation_parts *parts,
                          const struct meta_evaluation *evaluation, struct meta_error *error)
{
    struct meta_evaluator *e = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    pthread_mutex_init(&e->lock, NULL);
    e->parts = *parts;
    e->evaluation = *evaluation;
    e->first_failed = evaluation->runs;
    if (fill(e, error)) {
        meta_evaluator_free(e);
        return -1;
    }
    *out = e;
    return 0;
}

void meta_evaluator_free(struct meta_evaluator *e)
{
    if (!e) return;
    for (int i = 0; i < e->workspace_count; i++) {
        struct workspace *w = &e->workspaces[i];
        e->evaluation.method->free(w->method);
        meta_episode_free(w->episode);
        free(w->support);
        free(w->query);
        free(w->before);
        free(w->after);
        free(w->members);
        free(w->voice);
        free(w->row);
        free(w->ranks);
    }
    free(e->workspaces);
    meta_sampler_free(e->sampler);
    free(e->support_labels);
    free(e->query_labels);
    meta_run_store_clear(&e->store);
    free(e->settings);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- running --------------------------------------------------------------------------------- */

/* Loads the images of the episode, support before query; returns their digest. */
static struct meta_digest load_images(const struct meta_evaluator *e, const struct workspace *w,
                                      int run)
{
    const struct meta_episode *t = w->episode;
    const struct meta_dataset *dataset = e->parts.dataset;
    int support = t->ways * t->shots, count = support + t->ways * t->queries;
    size_t numbers = meta_shape_numbers(e->parts.model->network->input);
    struct meta_digest images = { 0 };
    for (int i = 0; i < count; i++) {
        int item = i < support ? t->support[i] : t->query[i - support];
        float *image = i < support ? w->support + i * numbers : w->query + (i - support) * numbers;
        struct meta_view view = { &e->parts.model->net, 0, e->evaluation.seed, run,
                                  e->evaluation.task,   i };
        meta_view_image(dataset, item, &view, image);
        images = meta_identity_of(dataset, &item, 1, images);
    }
    return images;
}

/* Takes the logarithms of the probabilities from the scores, which are no longer of use then. */
static void calibrate(const struct meta_evaluator *e, const struct workspace *w, struct meta_run *r)
{
    int ways = e->evaluation.episode.ways, n = ways * e->evaluation.episode.queries;
    double temperature = e->evaluation.temperature;
    if (r->log_odds) memcpy(r->log_odds, w->after, (size_t)n * ways * sizeof *r->log_odds);
    for (int i = 0; i < n * ways; i++) w->after[i] = -meta_log_odds_loss(w->after[i]);
    if (temperature != 0) meta_temper(w->after, n, ways, temperature);
    meta_calibration_task(&r->calibration, w->after, e->query_labels, n, ways);
}

static void score(const struct meta_evaluator *e, const struct workspace *w, struct meta_run *r)
{
    int ways = e->evaluation.episode.ways, n = ways * e->evaluation.episode.queries, pair = 0;
    const int *labels = e->query_labels;
    r->auc_before = meta_auc_task(w->before, labels, n, ways);
    r->auc_after = meta_auc_task(w->after, labels, n, ways);
    r->auc_gain = r->auc_after - r->auc_before;
    r->accuracy_before = meta_accuracy(w->before, labels, n, ways);
    r->accuracy_after = meta_accuracy(w->after, labels, n, ways);
    for (int a = 0; a < ways; a++)
        for (int b = a + 1; b < ways; b++, pair++) {
            r->pairs_before[pair] = meta_auc_pair(w->before, labels, n, ways, a, b);
            r->pairs_after[pair] = meta_auc_pair(w->after, labels, n, ways, a, b);
        }
    meta_auc_wins(r->wins, w->after, labels, n, ways);
    if (r->ranks) meta_ranks(r->ranks, w->after + 1, ways, labels, n, 1);
    else meta_roc_task(w->after, labels, n, ways, w->ranks, r->roc);
    r->failed = 0;
    for (int i = 0; i < n * ways; i++) r->failed |= !isfinite(w->after[i]);
    if (e->evaluation.method->probabilities) calibrate(e, w, r);
}

/* scores (images, ways) = the log-odds of the mean probabilities of voice (count), (images, ways)
   each, of which scores may be one; temper: (count), or NULL. */
static void average(double *scores, const struct workspace *w, int count, const double *temper,
                    const struct meta_evaluation *own)
{
    size_t ways = own->episode.ways, each = ways * own->episode.queries * ways;
    for (size_t at = 0; at < each; at += ways) {
        for (int i = 0; i < count; i++) {
            memcpy(w->row + i * ways, w->voice[i] + at, ways * sizeof *w->row);
            if (temper) meta_log_odds_temper(w->row + i * ways, (int)ways, temper[i]);
        }
        meta_log_odds_mean(w->row, count, (int)ways, scores + at);
    }
}

/* The loss of the mean answers (images, ways); NaN of a network whose own loss is of squares,
   before its outputs are made probabilities: it would be another quantity. */
static double loss_of_mean(const struct meta_evaluator *e, const double *answers)
{
    const struct meta_network *net = e->parts.model->network;
    int ways = e->evaluation.episode.ways, images = ways * e->evaluation.episode.queries;
    if (net->layers[net->count - 1].type == META_COST) return NAN;
    return meta_log_odds_mean_loss(answers, e->query_labels, images, ways);
}

/* Has each of the weights learn the task. */
static int run_members(const struct meta_evaluator *e, const struct workspace *w,
                       struct meta_method_task *task, struct meta_run *r, struct meta_error *error)
{
    const struct meta_evaluation *own = &e->evaluation;
    size_t ways = own->episode.ways, images = ways * own->episode.queries, each = images * ways;
    double *before = w->members, *after = before + (1 + own->more) * each;
    for (int i = 0; i <= own->more; i++) {
        if (i) task->phi = own->more_phi[i - 1];
        if (own->method->run(w->method, task, before + i * each, after + i * each, r, error))
            return -1;
    }
    for (int i = 0; i <= own->more; i++) w->voice[i] = before + i * each;
    average(w->before, w, 1 + own->more, NULL, own);
    for (int i = 0; i <= own->more; i++) w->voice[i] = after + i * each;
    average(w->after, w, 1 + own->more, NULL, own);
    r->query_loss = loss_of_mean(e, w->after);
    return 0;
}

/* Averages the answers after adaptation with those of other tests to the same task. */
static void join(const struct meta_evaluator *e, const struct workspace *w, int run,
                 struct meta_run *r)
{
    const struct meta_evaluation *own = &e->evaluation;
    size_t ways = own->episode.ways, each = ways * own->episode.queries * ways;
    if (!own->with_count) return;
    w->voice[0] = w->after;
    for (int i = 0; i < own->with_count; i++) w->voice[1 + i] = own->with[i] + (size_t)run * each;
    average(w->after, w, 1 + own->with_count, own->temper, own);
    r->query_loss = loss_of_mean(e, w->after);
}

static void run_one(void *context, int run, int worker)
{
    struct meta_evaluator *e = context;
    const struct meta_evaluation *own = &e->evaluation;
    struct workspace *w = &e->workspaces[worker];
    struct meta_run *r = &e->store.runs[run];
    const struct meta_episode *t = w->episode;
    struct meta_error why;
    meta_episode_draw(e->sampler, own->seed, run, own->task, w->episode);
    memcpy(r->classes, t->classes, t->ways * sizeof *t->classes);
    r->images = load_images(e, w, run);
    struct meta_method_task task = { { w->support, e->support_labels, w->query, e->query_labels,
                                       own->seed, run, own->task, NULL },
                                     t,
                                     e->phi };
    r->query_loss = NAN;
    int failed = own->more ? run_members(e, w, &task, r, &why)
                           : own->method->run(w->method, &task, w->before, w->after, r, &why);
    if (!failed) join(e, w, run, r);
    if (!meta_evaluation_learns(own))
        memcpy(w->before, w->after, (size_t)t->ways * t->queries * t->ways * sizeof *w->after);
    if (!failed) score(e, w, r);
    pthread_mutex_lock(&e->lock);
    if (failed && run < e->first_failed) {
        e->first_failed = run;
        e->error = why;
    }
    if (e->progress) e->progress(e->context, ++e->done);
    pthread_mutex_unlock(&e->lock);
}

/* What goes wrong on one rank goes wrong on all; the first task's message is that of rank 0 too. */
static int share_failure(struct meta_evaluator *e, struct meta_error *why)
{
    struct meta_transport *ranks = e->parts.transport;
    struct failure {
        int task;
        struct meta_error why;
    } *all = calloc((size_t)ranks->size, sizeof *all);
    if (!all) return meta_fail_memory(why);
    all[ranks->rank] = (struct failure){ e->first_failed, e->error };
    int status = meta_transport_gather(ranks, all, (size_t)ranks->size, sizeof *all, why);
    for (int k = 0; k < ranks->size && !status; k++)
        if (all[k].task < e->first_failed) {
            e->first_failed = all[k].task;
            e->error = all[k].why;
        }
    free(all);
    return status;
}

/* Gives every rank the results of all tasks. */
static int gather(struct meta_evaluator *e, struct meta_error *why)
{
    struct meta_transport *ranks = e->parts.transport;
    if (share_failure(e, why)) return -1;
    if (e->first_failed == e->evaluation.runs) return meta_run_store_gather(&e->store, ranks, why);
    ranks->hushed = ranks->rank != 0;
    return 0;
}

static void run_own(void *context, int index, int worker)
{
    struct meta_evaluator *e = context;
    run_one(e, e->begin + index, worker);
}

const struct meta_run *meta_evaluator_run(struct meta_evaluator *e, const void *phi,
                                          void (*progress)(void *, int), void *context)
{
    const struct meta_transport *ranks = e->parts.transport;
    struct meta_part own = meta_part_own(ranks, (size_t)e->evaluation.runs);
    int runs = e->evaluation.runs, count = (int)(own.end - own.begin);
    e->phi = phi;
    e->progress = progress;
    e->context = context;
    e->begin = (int)own.begin;
    e->first_failed = runs;
    e->lost = 0;
    e->done = runs - count; /* of the others: the bar ends where these tasks do */
    meta_pool_run(e->parts.pool, count, run_own, e);
    if (meta_transport_many(ranks)) e->lost = gather(e, &e->error);
    return e->store.runs;
}

/* Draws the tasks once more, which costs next to nothing beside a test of them. */
int meta_evaluator_groups(struct meta_by_group *groups, struct meta_evaluator *e,
                          struct meta_error *error)
{
    const struct meta_evaluation *own = &e->evaluation;
    struct meta_tally *tally;
    struct meta_episode *t = e->workspaces->episode;
    if (meta_tally_create(&tally, e->parts.dataset, &own->episode, error)) return -1;
    for (int r = 0; r < own->runs; r++) {
        meta_episode_draw(e->sampler, own->seed, r, own->task, t);
        struct meta_tallied task = { t->support, t->query, e->store.runs[r].wins,
                                     e->store.runs[r].auc_after };
        meta_tally_add(tally, &task);
    }
    int status = meta_tally_read(groups, tally, error);
    meta_tally_free(tally);
    return status;
}

int meta_evaluator_status(const struct meta_evaluator *e, struct meta_error *error)
{
    if (e->lost) return meta_fail(error, "%s", e->error.text);
    return e->first_failed == e->evaluation.runs
        ? 0
        : meta_fail(error, "task %d: %s", e->first_failed, e->error.text);
}
