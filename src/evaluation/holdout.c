#include "holdout.h"
#include "stats/auc.h"
#include "stats/estimate.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define IMAGES 16         /* a pass */

/* What one thread works with. */
struct station {
    struct meta_program *program;
    float *images;                 /* (IMAGES, c, h, w) */
    float *probabilities;          /* (IMAGES, outputs) */
    int labels[IMAGES];
};

struct meta_holdout {
    const struct meta_model *model;
    const struct meta_dataset *set;
    struct meta_pool *pool;
    int *items, *labels, count;    /* (count) */
    double *right, *losses;        /* (count) of each image: 0 or 1, and its cross-entropy */
    struct station *stations;
    int station_count;
    const void *phi;               /* of the run in progress */
    const float *statistics;
    pthread_mutex_t lock;
    int done;
    void (*progress)(void *, int);
    void *context;
};

static int choose_items(struct meta_holdout *h, const int *outputs, struct meta_error *error)
{
    for (int i = 0; i < h->set->count; i++) {
        if (outputs[h->set->label[i]] < 0) continue;
        h->items[h->count] = i;
        h->labels[h->count++] = outputs[h->set->label[i]];
    }
    return h->count ? 0 : meta_fail(error, "%s: has no image of the classes of the training list", h->set->list);
}

static int create_station(const struct meta_holdout *h, struct station *s, const struct meta_backend *backend, struct meta_error *error)
{
    const struct meta_network *net = h->model->network;
    s->images = malloc(IMAGES * meta_shape_numbers(h->model->network->input) * sizeof *s->images);
    s->probabilities = malloc(IMAGES * meta_network_outputs(net) * sizeof *s->probabilities);
    if (!s->images || !s->probabilities) return meta_fail_memory(error);
    if (meta_program_create(&s->program, net, backend,
                            (struct meta_program_settings){ .query = IMAGES, .passes = META_FORWARD }, error)) return -1;
    meta_program_dropout(s->program, (struct meta_dropout_key){ .train = 0 });
    return 0;
}

int meta_holdout_create(struct meta_holdout **out, const struct meta_model *model, const struct meta_backend *backend, struct meta_pool *pool,
                        const struct meta_dataset *set, const int *outputs, struct meta_error *error)
{
    struct meta_holdout *h = calloc(1, sizeof *h);
    if (!h) return meta_fail_memory(error);
    pthread_mutex_init(&h->lock, NULL);
    h->model = model;
    h->set = set;
    h->pool = pool;
    h->items = malloc(set->count * sizeof *h->items);
    h->labels = malloc(set->count * sizeof *h->labels);
    h->right = malloc(set->count * sizeof *h->right);
    h->losses = malloc(set->count * sizeof *h->losses);
    h->stations = calloc(meta_pool_threads(pool), sizeof *h->stations);
    if (!h->items || !h->labels || !h->right || !h->losses || !h->stations) { meta_fail_memory(error); goto fail; }
    if (choose_items(h, outputs, error)) goto fail;
    while (h->station_count < meta_pool_threads(pool))
        if (create_station(h, &h->stations[h->station_count++], backend, error)) goto fail;
    *out = h;
    return 0;
fail:
    meta_holdout_free(h);
    return -1;
}

void meta_holdout_free(struct meta_holdout *h)
{
    if (!h) return;
    for (int i = 0; i < h->station_count; i++) {
        meta_program_free(h->stations[i].program);
        free(h->stations[i].images);
        free(h->stations[i].probabilities);
    }
    free(h->stations);
    free(h->items);
    free(h->labels);
    free(h->right);
    free(h->losses);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

int meta_holdout_images(const struct meta_holdout *h) { return h->count; }

/* The last pass is filled up with the last image, which counts once. */
static void run_pass(void *context, int pass, int worker)
{
    struct meta_holdout *h = context;
    struct station *s = &h->stations[worker];
    int first = pass * IMAGES, count = h->count - first < IMAGES ? h->count - first : IMAGES, outputs = meta_network_outputs(h->model->network);
    for (int i = 0; i < IMAGES; i++) {
        int at = first + (i < count ? i : count - 1);
        struct meta_view view = { .net = &h->model->net };
        meta_view_image(h->set, h->items[at], &view, s->images + i * meta_shape_numbers(h->model->network->input));
        s->labels[i] = h->labels[at];
    }
    meta_program_load(s->program, s->images, s->labels);
    meta_program_forward(s->program, h->phi, META_STATISTICS_ROLLING, h->statistics);
    meta_program_probabilities(s->program, s->probabilities);
    for (int i = 0; i < count; i++) {
        const float *p = s->probabilities + (size_t)i * outputs;
        h->right[first + i] = meta_accuracy(p, &s->labels[i], 1, outputs);
        h->losses[first + i] = -log(fmaxf(p[s->labels[i]], FLT_MIN));      /* floats: 0 is less than that */
    }
    if (!h->progress) return;
    pthread_mutex_lock(&h->lock);
    h->progress(h->context, h->done += count);
    pthread_mutex_unlock(&h->lock);
}

struct meta_holdout_result meta_holdout_run(struct meta_holdout *h, const void *phi, const float *statistics, void (*progress)(void *, int),
                                            void *context)
{
    h->phi = phi;
    h->statistics = statistics;
    h->progress = progress;
    h->context = context;
    h->done = 0;
    meta_pool_run(h->pool, (h->count + IMAGES - 1) / IMAGES, run_pass, h);
    return (struct meta_holdout_result){ meta_estimate(h->right, sizeof *h->right, h->count),
                                         meta_estimate(h->losses, sizeof *h->losses, h->count).mean };
}
