/* The method svm: a linear support vector machine on the features of the support images. */
#include "classify.h"
#include "features.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define COST 1. /* of a misclassification: OpenCV's own default */

struct settings {
    int layer;
};
struct svm {
    const struct meta_episode_settings *episode;
    struct meta_features *features;
};

static const struct meta_method_flag flags[] = {
    { "-layer", "N", META_FEATURES_FLAG_HELP, offsetof(struct settings, layer), 0, 0, INT_MAX },
    { NULL, NULL, NULL, 0, 0, 0, 0 }
};

static void defaults(void *settings, const struct meta_model *model,
                     const struct meta_episode_settings *episode)
{
    ((struct settings *)settings)->layer = -1;
}

static int check(const struct meta_model *model, const struct meta_evaluation *e,
                 struct meta_error *error)
{
    return meta_features_check(model, e->method, ((const struct settings *)e->settings)->layer,
                               error);
}

static int find_layer(const struct meta_model *model, const struct meta_evaluation *e)
{
    return meta_features_layer(model, ((const struct settings *)e->settings)->layer);
}

static void describe(const struct meta_model *model, const struct meta_evaluation *e, char *text,
                     size_t size)
{
    snprintf(text, size, "a support vector machine on layer %d", find_layer(model, e));
}

static void add_settings(cJSON *settings, const struct meta_model *model,
                         const struct meta_evaluation *e)
{
    cJSON_AddNumberToObject(settings, "layer", find_layer(model, e));
}

static int create(void **state, const struct meta_method_context *c, struct meta_error *error)
{
    struct svm *s = *state = calloc(1, sizeof *s);
    if (!s) return meta_fail_memory(error);
    s->episode = &c->evaluation->episode;
    return meta_features_create(&s->features, c, find_layer(c->model, c->evaluation), error);
}

static void release(void *state)
{
    struct svm *s = state;
    if (s) meta_features_free(s->features);
    free(s);
}

static int run(void *state, const struct meta_method_task *t, double *before, double *after,
               struct meta_run *result, struct meta_error *error)
{
    struct svm *s = state;
    const struct meta_episode_settings *e = s->episode;
    int support = e->ways * e->shots, size = meta_features_size(s->features);
    const float *features = meta_features_compute(s->features, t, error);
    if (!features) return -1;
    struct meta_points points = { support, size, e->ways, features, t->task.support_labels };
    return meta_classify_svm(&points, COST, features + (size_t)support * size, e->ways * e->queries,
                             after, error);
}

const struct meta_method meta_method_svm = { .name = "svm",
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
