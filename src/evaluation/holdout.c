/* Runs a network once over the images of a list, 16 at a time on a pool of threads, and takes the
   mean of their losses. */
#include "holdout.h"
#include "engine/log_odds.h"
#include "engine/program.h"
#include "stats/auc.h"
#include "stats/estimate.h"
#include "tasks/view.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#define IMAGES 16 /* of a pass */

/* What one thread works with. */
struct workspace {
    struct meta_program *program;
    float *images;  /* (IMAGES, c, h, w) */
    double *scores; /* (IMAGES, outputs) */
    int labels[IMAGES];
};

struct meta_holdout {
    struct meta_evaluation_parts parts;
    int *items, *labels, count; /* (count) */
    int *group, groups;         /* (count) of each, as meta_dataset_clusters numbers them */
    unsigned char *right;       /* (count) 0 or 1 */
    double *losses;             /* (count) the cross-entropy of each image */
    struct workspace *workspaces;
    int workspace_count;
    const void *phi; /* of the run in progress */
    const float *statistics;
    pthread_mutex_t lock;
    int done;
    void (*progress)(void *, int);
    void *context;
};

static int choose_items(struct meta_holdout *h, const int *outputs, struct meta_error *error)
{
    for (int i = 0; i < h->parts.dataset->count; i++) {
        if (outputs[h->parts.dataset->label[i]] < 0) continue;
        h->items[h->count] = i;
        h->labels[h->count++] = outputs[h->parts.dataset->label[i]];
    }
    return h->count ? 0
                    : meta_fail(error, "%s: has no image of the classes of the training list",
                                h->parts.dataset->list);
}

/* The groups of the items. */
static int find_groups(struct meta_holdout *h, struct meta_error *error)
{
    int *of = malloc(((size_t)h->parts.dataset->count + 1) * sizeof *of);
    if (!of) return meta_fail_memory(error);
    int status = meta_dataset_clusters(h->parts.dataset, of, &h->groups, error);
    for (int i = 0; i < h->count && !status; i++) h->group[i] = of[h->items[i]];
    free(of);
    return status;
}

static int create_workspace(const struct meta_holdout *h, struct workspace *s,
                            struct meta_error *error)
{
    const struct meta_network *net = h->parts.model->network;
    s->images = malloc(IMAGES * meta_shape_numbers(net->input) * sizeof *s->images);
    s->scores = malloc(IMAGES * meta_network_outputs(net) * sizeof *s->scores);
    if (!s->images || !s->scores) return meta_fail_memory(error);
    struct meta_program_settings pass = { .query = IMAGES, .passes = META_FORWARD };
    if (meta_program_create(&s->program, net, h->parts.backend, pass, error)) return -1;
    meta_program_dropout(s->program, (struct meta_dropout_key){ .train = 0 });
    return 0;
}

static int fill(struct meta_holdout *h, const int *outputs, struct meta_error *error)
{
    int images = h->parts.dataset->count, threads = meta_pool_threads(h->parts.pool);
    h->items = malloc(images * sizeof *h->items);
    h->labels = malloc(images * sizeof *h->labels);
    h->group = malloc(images * sizeof *h->group);
    h->right = malloc(images * sizeof *h->right);
    h->losses = malloc(images * sizeof *h->losses);
    h->workspaces = calloc(threads, sizeof *h->workspaces);
    if (!h->items || !h->labels || !h->group || !h->right || !h->losses || !h->workspaces)
        return meta_fail_memory(error);
    if (choose_items(h, outputs, error) || find_groups(h, error)) return -1;
    while (h->workspace_count < threads)
        if (create_workspace(h, &h->workspaces[h->workspace_count++], error)) return -1;
    return 0;
}

int meta_holdout_create(struct meta_holdout **out, const struct meta_evaluation_parts *parts,
                        const int *outputs, struct meta_error *error)
{
    struct meta_holdout *h = calloc(1, sizeof *h);
    if (!h) return meta_fail_memory(error);
    pthread_mutex_init(&h->lock, NULL);
    h->parts = *parts;
    if (fill(h, outputs, error)) {
        meta_holdout_free(h);
        return -1;
    }
    *out = h;
    return 0;
}

void meta_holdout_free(struct meta_holdout *h)
{
    if (!h) return;
    for (int i = 0; i < h->workspace_count; i++) {
        meta_program_free(h->workspaces[i].program);
        free(h->workspaces[i].images);
        free(h->workspaces[i].scores);
    }
    free(h->workspaces);
    free(h->items);
    free(h->labels);
    free(h->group);
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
    struct workspace *s = &h->workspaces[worker];
    const struct meta_network *net = h->parts.model->network;
    int first = pass * IMAGES, outputs = meta_network_outputs(net);
    int count = h->count - first < IMAGES ? h->count - first : IMAGES;
    for (int i = 0; i < IMAGES; i++) {
        int at = first + (i < count ? i : count - 1);
        struct meta_view view = { .net = &h->parts.model->net };
        meta_view_image(h->parts.dataset, h->items[at], &view,
                        s->images + i * meta_shape_numbers(net->input));
        s->labels[i] = h->labels[at];
    }
    meta_program_load(s->program, s->images, s->labels);
    meta_program_forward(s->program, h->phi, META_STATISTICS_ROLLING, h->statistics);
    meta_program_log_odds(s->program, s->scores);
    for (int i = 0; i < count; i++) {
        const double *score = s->scores + (size_t)i * outputs;
        h->right[first + i] = meta_accuracy(score, &s->labels[i], 1, outputs) == 1;
        h->losses[first + i] = meta_log_odds_loss(score[s->labels[i]]);
    }
    if (!h->progress) return;
    pthread_mutex_lock(&h->lock);
    h->progress(h->context, h->done += count);
    pthread_mutex_unlock(&h->lock);
}

int meta_holdout_status(const struct meta_holdout *h, struct meta_error *error)
{
    for (int i = 0; i < h->workspace_count; i++)
        if (meta_program_failed(h->workspaces[i].program, error)) return -1;
    return 0;
}

struct meta_holdout_result meta_holdout_run(struct meta_holdout *h, const void *phi,
                                            const float *statistics, void (*progress)(void *, int),
                                            void *context)
{
    h->phi = phi;
    h->statistics = statistics;
    h->progress = progress;
    h->context = context;
    h->done = 0;
    meta_pool_run(h->parts.pool, (h->count + IMAGES - 1) / IMAGES, run_pass, h);
    struct meta_estimate loss = meta_estimate(h->losses, sizeof *h->losses, h->count);
    const struct meta_clusters clusters = { h->count, h->group, h->groups };
    struct meta_holdout_result out = { .loss = loss.mean };
    struct meta_error ignored; /* without memory there is no interval */
    if (meta_clustered_share(&out.accuracy, &clusters, NULL, h->right, NULL, &ignored)) {
        int right = 0;
        for (int i = 0; i < h->count; i++) right += h->right[i];
        out.accuracy = (struct meta_interval){ (double)right / h->count, NAN, NAN, NAN, "" };
    }
    return out;
}
