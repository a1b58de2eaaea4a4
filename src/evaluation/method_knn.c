/* The method knn: nearest neighbours among the features of the support images. */
#include "base/plural.h"
#include "classify.h"
#include "features.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct settings {
    int layer, neighbours;
};
struct knn {
    const struct meta_evaluation *evaluation;
    struct meta_features *features;
};

static const struct meta_method_flag flags[] = {
    { "-layer", "N", META_FEATURES_FLAG_HELP, offsetof(struct settings, layer), 0, 0, INT_MAX },
    { "-neighbours", "N", "knn: so many decide (as many as shots)",
      offsetof(struct settings, neighbours), 0, 1, INT_MAX },
    { NULL, NULL, NULL, 0, 0, 0, 0 }
};

static void defaults(void *settings, const struct meta_model *model,
                     const struct meta_episode_settings *episode)
{
    *(struct settings *)settings = (struct settings){ .layer = -1, .neighbours = episode->shots };
}

static int check(const struct meta_model *model, const struct meta_evaluation *e,
                 struct meta_error *error)
{
    const struct settings *s = e->settings;
    int images = e->episode.ways * e->episode.shots;
    if (s->neighbours > images)
        return meta_fail(error, "-neighbours %d: must be 1 to %d, the support images of a task",
                         s->neighbours, images);
    return meta_features_check(model, e->method, s->layer, error);
}

static void describe(const struct meta_model *model, const struct meta_evaluation *e, char *text,
                     size_t size)
{
    const struct settings *s = e->settings;
    snprintf(text, size, "%d nearest neighbour%s in layer %d", s->neighbours,
             meta_plural(s->neighbours), meta_features_layer(model, s->layer));
}

static void add_settings(cJSON *settings, const struct meta_model *model,
                         const struct meta_evaluation *e)
{
    const struct settings *s = e->settings;
    cJSON_AddNumberToObject(settings, "layer", meta_features_layer(model, s->layer));
    cJSON_AddNumberToObject(settings, "neighbours", s->neighbours);
}

static int create(void **state, const struct meta_method_context *c, struct meta_error *error)
{
    const struct settings *s = c->evaluation->settings;
    struct knn *k = *state = calloc(1, sizeof *k);
    if (!k) return meta_fail_memory(error);
    k->evaluation = c->evaluation;
    return meta_features_create(&k->features, c, meta_features_layer(c->model, s->layer), error);
}

static void release(void *state)
{
    struct knn *k = state;
    if (k) meta_features_free(k->features);
    free(k);
}

static int run(void *state, const struct meta_method_task *t, double *before, double *after,
               struct meta_run *result, struct meta_error *error)
{
    struct knn *k = state;
    const struct meta_episode_settings *e = &k->evaluation->episode;
    const struct settings *s = k->evaluation->settings;
    int support = e->ways * e->shots, size = meta_features_size(k->features);
    const float *features = meta_features_compute(k->features, t, error);
    if (!features) return -1;
    struct meta_points points = { support, size, e->ways, features, t->task.support_labels };
    return meta_classify_knn(&points, s->neighbours, features + (size_t)support * size,
                             e->ways * e->queries, after, error);
}

const struct meta_method meta_method_knn = { .name = "knn",
                                             .purpose = META_FOR_ANY,
                                             .settings_size = sizeof(struct settings),
                                             .flags = flags,
                                             .defaults = defaults,
                                             .check = check,
                                             .describe = describe,
                                             .add_settings = add_settings,
                                             .create = create,
                                             .free = release,
                                             .run = run };
