/* Runs a network as far as a layer on all images of a task. BN uses its rolling statistics, so that
   the features of an image do not depend on the other images. */
#include "features.h"
#include "engine/program.h"

#include <stdlib.h>

struct meta_features {
    const struct meta_evaluation *evaluation;
    struct meta_network *network; /* as far as the layer */
    struct meta_program *program; /* of all images of a task */
    int size;                     /* numbers an image */
    float *features;              /* (ways*shots + ways*queries, size), support first */
    int *labels;                  /* (as many) 0: the cut network's loss is of no interest */
};

int meta_features_layer(const struct meta_model *model, int layer)
{
    return layer >= 0 ? layer : meta_network_features_layer(model->network);
}

int meta_features_check(const struct meta_model *model, const struct meta_method *method, int layer,
                        struct meta_error *error)
{
    int most = model->network->count - 2;
    if (layer > most)
        return meta_fail(error, "-layer %d: must be 0 to %d, the layers of %s before [softmax]",
                         layer, most, model->path);
    if (meta_features_layer(model, layer) < 0)
        return meta_fail(error,
                         "%s: has no layer before a [connected], whose features -method %s would "
                         "take: -layer must name one",
                         model->path, method->name);
    return 0;
}

void meta_features_free(struct meta_features *f)
{
    if (!f) return;
    meta_program_free(f->program);
    meta_network_free(f->network);
    free(f->features);
    free(f->labels);
    free(f);
}

int meta_features_create(struct meta_features **out, const struct meta_method_context *c, int layer,
                         struct meta_error *error)
{
    const struct meta_episode_settings *t = &c->evaluation->episode;
    int images = t->ways * (t->shots + t->queries);
    struct meta_features *f = *out = calloc(1, sizeof *f);
    if (!f) return meta_fail_memory(error);
    f->evaluation = c->evaluation;
    f->size = meta_shape_numbers(c->model->network->layers[layer].out);
    f->features = malloc((size_t)images * f->size * sizeof *f->features);
    f->labels = calloc(images, sizeof *f->labels);
    if (!f->features || !f->labels)
        return meta_fail(error, "out of memory for features of %d numbers", f->size);
    if (meta_network_cut(&f->network, c->model->network, layer + 1, 0, error)) return -1;
    struct meta_program_settings pass = { .query = images, .passes = META_FORWARD };
    if (meta_program_create(&f->program, f->network, c->backend, pass, error)) return -1;
    meta_program_dropout(f->program, (struct meta_dropout_key){ .train = 0 });
    return 0;
}

int meta_features_size(const struct meta_features *f) { return f->size; }

const float *meta_features_compute(struct meta_features *f, const struct meta_method_task *t,
                                   struct meta_error *error)
{
    const struct meta_episode_settings *e = &f->evaluation->episode;
    int support = e->ways * e->shots;
    meta_program_load_some(f->program, 0, support, t->task.support, f->labels);
    meta_program_load_some(f->program, support, e->ways * e->queries, t->task.query, f->labels);
    meta_program_forward(f->program, t->phi, META_STATISTICS_ROLLING, f->evaluation->statistics);
    if (meta_program_failed(f->program, error)) return NULL;
    meta_program_features(f->program, f->features);
    return f->features;
}
