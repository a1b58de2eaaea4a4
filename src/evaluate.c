#include "evaluate.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What one thread works with. */
struct station {
    struct meta_worker *worker;
    struct meta_episode *episode;
    float *support, *query;               /* (ways*shots, c, h, w), (ways*queries, c, h, w) */
    float *before, *after;                /* (ways*queries, ways) */
};

struct meta_evaluator {
    const struct meta_model *model;
    const struct meta_backend *backend;
    struct meta_pool *pool;
    const struct meta_dataset *dataset;
    struct meta_evaluation settings;
    struct meta_sampler *sampler;
    struct station *stations;
    int station_count;
    int *support_labels, *query_labels;   /* label by label */
    struct meta_run *runs;
    int *classes;                         /* (runs, ways) */
    double *pairs;                        /* (runs, 2, pairs) */
    const void *phi;                      /* of the run in progress */
    pthread_mutex_t lock;
    int done;
    void (*progress)(void *, int);
    void *context;
};

static size_t image_size(const struct meta_model *m)
{
    struct meta_shape s = m->network->input;
    return (size_t)s.c * s.h * s.w;
}

static int create_station(struct meta_evaluator *e, struct station *s, struct meta_error *error)
{
    const struct meta_episode_settings *t = &e->settings.episode;
    int support = t->ways * t->shots, query = t->ways * t->queries;
    struct meta_inner inner = { .support = support, .query = query, .steps = e->settings.steps,
                                .learning_rate = e->settings.learning_rate, .order = 0,
                                .bn = e->settings.bn, .running = e->settings.running };
    if (meta_worker_create(&s->worker, e->model->network, e->backend, inner, error)) return -1;
    if (meta_episode_create(&s->episode, t, error)) return -1;
    s->support = malloc(support * image_size(e->model) * sizeof(float));
    s->query = malloc(query * image_size(e->model) * sizeof(float));
    s->before = malloc((size_t)query * t->ways * sizeof(float));
    s->after = malloc((size_t)query * t->ways * sizeof(float));
    if (!s->support || !s->query || !s->before || !s->after) return meta_fail(error, "out of memory");
    return 0;
}

static int *make_labels(int ways, int each)
{
    int *labels = malloc(((size_t)ways * each + 1) * sizeof *labels);
    for (int i = 0; labels && i < ways * each; i++) labels[i] = i / each;
    return labels;
}

int meta_evaluator_create(struct meta_evaluator **out, const struct meta_model *model, const struct meta_backend *backend,
                          struct meta_pool *pool, const struct meta_dataset *dataset,
                          const struct meta_evaluation *settings, struct meta_error *error)
{
    const struct meta_episode_settings *t = &settings->episode;
    int pairs = t->ways * (t->ways - 1) / 2;
    struct meta_evaluator *e = calloc(1, sizeof *e);
    if (!e) return meta_fail(error, "out of memory");
    pthread_mutex_init(&e->lock, NULL);
    e->model = model;
    e->backend = backend;
    e->pool = pool;
    e->dataset = dataset;
    e->settings = *settings;
    if (meta_sampler_create(&e->sampler, dataset, t, error)) goto fail;
    e->support_labels = make_labels(t->ways, t->shots);
    e->query_labels = make_labels(t->ways, t->queries);
    e->runs = calloc(settings->runs, sizeof *e->runs);
    e->classes = calloc((size_t)settings->runs * t->ways, sizeof *e->classes);
    e->pairs = calloc((size_t)settings->runs * 2 * pairs + 1, sizeof *e->pairs);
    e->stations = calloc(meta_pool_threads(pool), sizeof *e->stations);
    if (!e->support_labels || !e->query_labels || !e->runs || !e->classes || !e->pairs || !e->stations) {
        meta_fail(error, "out of memory for %d runs", settings->runs);
        goto fail;
    }
    for (int r = 0; r < settings->runs; r++) {
        e->runs[r].classes = e->classes + (size_t)r * t->ways;
        e->runs[r].pairs_before = e->pairs + (size_t)r * 2 * pairs;
        e->runs[r].pairs_after = e->runs[r].pairs_before + pairs;
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
        meta_worker_free(s->worker);
        meta_episode_free(s->episode);
        free(s->support);
        free(s->query);
        free(s->before);
        free(s->after);
    }
    free(e->stations);
    meta_sampler_free(e->sampler);
    free(e->support_labels);
    free(e->query_labels);
    free(e->runs);
    free(e->classes);
    free(e->pairs);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* Loads the images of `count` items; returns the CRC-32 of their paths on top of `crc`. */
static uint32_t load_images(const struct meta_evaluator *e, const int *items, int count, int run, int first, float *out, uint32_t crc)
{
    for (int i = 0; i < count; i++) {
        struct meta_view view = { &e->model->net, 0, e->settings.seed, run, 0, first + i };
        const char *path = e->dataset->paths[items[i]];
        meta_view_image(e->dataset, items[i], &view, out + i * image_size(e->model));
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
    r->failed = 0;
    for (int i = 0; i < n * ways; i++) r->failed |= !isfinite(s->after[i]);
}

static void run_one(void *context, int run, int worker)
{
    struct meta_evaluator *e = context;
    struct station *s = &e->stations[worker];
    struct meta_run *r = &e->runs[run];
    const struct meta_episode *t = s->episode;
    struct meta_task_result result = {0};
    meta_episode_draw(e->sampler, e->settings.seed, run, 0, s->episode);
    memcpy(r->classes, t->classes, t->ways * sizeof *t->classes);
    uint32_t crc = crc32(0, NULL, 0);
    crc = load_images(e, t->support, t->ways * t->shots, run, 0, s->support, crc);
    r->images = load_images(e, t->query, t->ways * t->queries, run, t->ways * t->shots, s->query, crc);
    struct meta_task task = { s->support, e->support_labels, s->query, e->query_labels, e->settings.seed, run, 0 };
    meta_worker_adapt(s->worker, e->phi, &task, e->settings.steps, s->before, s->after, &result);
    r->query_loss = result.query_loss;
    score(e, s, r);
    if (!e->progress) return;
    pthread_mutex_lock(&e->lock);
    e->progress(e->context, ++e->done);
    pthread_mutex_unlock(&e->lock);
}

const struct meta_run *meta_evaluator_run(struct meta_evaluator *e, const void *phi,
                                          void (*progress)(void *, int), void *context)
{
    e->phi = phi;
    e->progress = progress;
    e->context = context;
    e->done = 0;
    meta_pool_run(e->pool, e->settings.runs, run_one, e);
    return e->runs;
}
