#include "method.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What one thread works with. */
struct station {
    void *method;                         /* its state */
    struct meta_episode *episode;
    float *support, *query;               /* (ways*shots, c, h, w), (ways*queries, c, h, w) */
    float *before, *after;                /* (ways*queries, ways) */
    int *wins;                            /* (ways*queries) */
};

struct meta_evaluator {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    const struct meta_dataset *dataset;
    struct meta_evaluation settings;
    const struct meta_method *method;
    struct meta_sampler *sampler;
    struct station *stations;
    int station_count;
    int *support_labels, *query_labels;   /* label by label */
    struct meta_run *runs;
    int *classes;                         /* (runs, ways) */
    double *pairs;                        /* (runs, 2, pairs) */
    char *ranks;                          /* (runs, 2*ways*queries + 1), of two classes */
    double *curves;                       /* (runs, 2, points) or NULL */
    const void *phi;                      /* of the run in progress */
    struct meta_tally *tally;
    pthread_mutex_t lock;                 /* guards `tally`, `done`, `bad`, `error` */
    int done, bad;                        /* bad: the first run that failed; runs: none */
    struct meta_error error;              /* its */
    void (*progress)(void *, int);
    void *context;
};

static int create_station(struct meta_evaluator *e, struct station *s, struct meta_error *error)
{
    const struct meta_episode_settings *t = &e->settings.episode;
    int support = t->ways * t->shots, query = t->ways * t->queries;
    struct meta_method_context context = { e->model, e->backend, e->settings.augmented, &e->settings };
    if (e->method->create(&s->method, &context, error)) return -1;
    if (meta_episode_create(&s->episode, t, error)) return -1;
    s->support = malloc(support * meta_shape_numbers(e->model->network->input) * sizeof(float));
    s->query = malloc(query * meta_shape_numbers(e->model->network->input) * sizeof(float));
    s->before = malloc((size_t)query * t->ways * sizeof(float));
    s->after = malloc((size_t)query * t->ways * sizeof(float));
    s->wins = malloc(query * sizeof *s->wins);
    if (!s->support || !s->query || !s->before || !s->after || !s->wins) return meta_fail_memory(error);
    return 0;
}

static int *make_labels(int ways, int each)
{
    int *labels = malloc(((size_t)ways * each + 1) * sizeof *labels);
    for (int i = 0; labels && i < ways * each; i++) labels[i] = i / each;
    return labels;
}

int meta_curve_points(int epochs) { return 1 + (epochs < 25 ? epochs : 25); }

int meta_curve_epoch(int epochs, int point)
{
    int points = meta_curve_points(epochs);
    return points > 1 ? (long long)epochs * point / (points - 1) : 0;
}

static int allocate_curves(struct meta_evaluator *e)
{
    int points = meta_curve_points(e->settings.epochs);
    if (e->method != &meta_method_finetune) return 0;
    if (!(e->curves = calloc((size_t)e->settings.runs * 2 * points, sizeof *e->curves))) return -1;
    for (int r = 0; r < e->settings.runs; r++) {
        e->runs[r].curve_loss = e->curves + (size_t)r * 2 * points;
        e->runs[r].curve_auc = e->runs[r].curve_loss + points;
    }
    return 0;
}

int meta_evaluator_create(struct meta_evaluator **out, const struct meta_model *model, const struct meta_backend *backend,
                          struct meta_pool *pool, const struct meta_dataset *dataset,
                          const struct meta_evaluation *settings, struct meta_error *error)
{
    const struct meta_episode_settings *t = &settings->episode;
    int pairs = t->ways * (t->ways - 1) / 2;
    struct meta_evaluator *e = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    pthread_mutex_init(&e->lock, NULL);
    e->model = model;
    e->backend = backend;
    e->pool = pool;
    e->dataset = dataset;
    e->settings = *settings;
    e->method = settings->method ? settings->method : &meta_method_maml;
    e->bad = settings->runs;
    if (meta_sampler_create(&e->sampler, dataset, t, error) || meta_tally_create(&e->tally, dataset, t->ways, t->queries, error)) goto fail;
    e->support_labels = make_labels(t->ways, t->shots);
    e->query_labels = make_labels(t->ways, t->queries);
    e->runs = calloc(settings->runs, sizeof *e->runs);
    e->classes = calloc((size_t)settings->runs * t->ways, sizeof *e->classes);
    e->pairs = calloc((size_t)settings->runs * 2 * pairs + 1, sizeof *e->pairs);
    size_t room = t->ways == 2 ? 4 * (size_t)t->queries + 1 : 0;
    e->ranks = calloc(settings->runs * room + 1, 1);
    e->stations = calloc(meta_pool_threads(pool), sizeof *e->stations);
    if (!e->support_labels || !e->query_labels || !e->runs || !e->classes || !e->pairs || !e->ranks || !e->stations || allocate_curves(e)) {
        meta_fail(error, "out of memory for %d runs", settings->runs);
        goto fail;
    }
    for (int r = 0; r < settings->runs; r++) {
        e->runs[r].classes = e->classes + (size_t)r * t->ways;
        e->runs[r].pairs_before = e->pairs + (size_t)r * 2 * pairs;
        e->runs[r].pairs_after = e->runs[r].pairs_before + pairs;
        if (room) e->runs[r].ranks = e->ranks + r * room;
    }
    for (; e->station_count < meta_pool_threads(pool); )
        if (create_station(e, &e->stations[e->station_count++], error)) goto fail;
    *out = e;
    return 0;
fail:
    meta_evaluator_free(e);
    return -1;
}

void meta_evaluator_free(struct meta_evaluator *e)
{
    if (!e) return;
    for (int i = 0; i < e->station_count; i++) {
        struct station *s = &e->stations[i];
        e->method->free(s->method);
        meta_episode_free(s->episode);
        free(s->support);
        free(s->query);
        free(s->before);
        free(s->after);
        free(s->wins);
    }
    free(e->stations);
    meta_sampler_free(e->sampler);
    meta_tally_free(e->tally);
    free(e->support_labels);
    free(e->query_labels);
    free(e->runs);
    free(e->classes);
    free(e->pairs);
    free(e->ranks);
    free(e->curves);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* Loads the images of `count` items; returns the CRC-32 of their paths on top of `crc`. */
static uint32_t load_images(const struct meta_evaluator *e, const int *items, int count, int run, int first, float *out, uint32_t crc)
{
    for (int i = 0; i < count; i++) {
        struct meta_view view = { &e->model->net, 0, e->settings.seed, run, e->settings.task, first + i };
        const char *path = e->dataset->paths[items[i]];
        meta_view_image(e->dataset, items[i], &view, out + i * meta_shape_numbers(e->model->network->input));
        crc = crc32(crc, (const Bytef *)path, strlen(path) + 1);
    }
    return crc;
}

static void score(const struct meta_evaluator *e, const struct station *s, struct meta_run *r)
{
    int ways = e->settings.episode.ways, n = ways * e->settings.episode.queries, pair = 0;
    const int *labels = e->query_labels;
    r->auc_before = meta_auc_task(s->before, labels, n, ways);
    r->auc_after = meta_auc_task(s->after, labels, n, ways);
    r->auc_gain = r->auc_after - r->auc_before;
    r->accuracy_before = meta_accuracy(s->before, labels, n, ways);
    r->accuracy_after = meta_accuracy(s->after, labels, n, ways);
    for (int a = 0; a < ways; a++)
        for (int b = a + 1; b < ways; b++, pair++) {
            r->pairs_before[pair] = meta_auc_pair(s->before, labels, n, ways, a, b);
            r->pairs_after[pair] = meta_auc_pair(s->after, labels, n, ways, a, b);
        }
    meta_auc_wins(s->wins, s->after, labels, n, ways);
    if (r->ranks) meta_ranks(r->ranks, s->after + 1, ways, labels, n, 1);
    r->failed = 0;
    for (int i = 0; i < n * ways; i++) r->failed |= !isfinite(s->after[i]);
}

static void run_one(void *context, int run, int worker)
{
    struct meta_evaluator *e = context;
    struct station *s = &e->stations[worker];
    struct meta_run *r = &e->runs[run];
    const struct meta_episode *t = s->episode;
    struct meta_error why;
    meta_episode_draw(e->sampler, e->settings.seed, run, e->settings.task, s->episode);
    memcpy(r->classes, t->classes, t->ways * sizeof *t->classes);
    uint32_t crc = crc32(0, NULL, 0);
    crc = load_images(e, t->support, t->ways * t->shots, run, 0, s->support, crc);
    r->images = load_images(e, t->query, t->ways * t->queries, run, t->ways * t->shots, s->query, crc);
    struct meta_method_task task = { { s->support, e->support_labels, s->query, e->query_labels, e->settings.seed, run, e->settings.task }, t, e->phi };
    r->query_loss = NAN;
    int failed = e->method->run(s->method, &task, s->before, s->after, r, &why);
    if (!e->method->learns) memcpy(s->before, s->after, (size_t)t->ways * t->queries * t->ways * sizeof *s->after);
    if (!failed) score(e, s, r);
    pthread_mutex_lock(&e->lock);
    if (!failed) meta_tally_add(e->tally, t->query, s->wins);
    if (failed && run < e->bad) {
        e->bad = run;
        e->error = why;
    }
    if (e->progress) e->progress(e->context, ++e->done);
    pthread_mutex_unlock(&e->lock);
}

const struct meta_run *meta_evaluator_run(struct meta_evaluator *e, const void *phi,
                                          void (*progress)(void *, int), void *context)
{
    e->phi = phi;
    e->progress = progress;
    e->context = context;
    e->done = 0;
    e->bad = e->settings.runs;
    meta_tally_start(e->tally);
    meta_pool_run(e->pool, e->settings.runs, run_one, e);
    return e->runs;
}

int meta_evaluator_groups(struct meta_by_group *groups, const struct meta_evaluator *e, struct meta_error *error)
{
    return meta_tally_read(groups, e->tally, e->settings.runs, error);
}

int meta_evaluator_status(const struct meta_evaluator *e, struct meta_error *error)
{
    return e->bad == e->settings.runs ? 0 : meta_fail(error, "task %d: %.400s", e->bad, e->error.text);
}
