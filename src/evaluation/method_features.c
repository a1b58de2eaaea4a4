/* Classifiers on what a layer gives for each image of a task, nothing being learned of the network: nearest neighbours, and a support vector
   machine. BN uses its rolling statistics, so that an image's features are its own. */
#include "classify.h"
#include "method.h"
#include "base/plural.h"

#include <stdio.h>
#include <stdlib.h>

#define COST 1.           /* of the support vector machine's misclassifications: OpenCV's own default */

struct features {
    struct meta_method_context c;
    struct meta_network *network;              /* as far as the layer */
    struct meta_program *program;              /* of all images of a task */
    int size;                                  /* numbers an image */
    float *features;                           /* (ways*shots + ways*queries, size), support first */
    int *labels;                               /* (as many) 0: the cut network's loss is of no interest */
};

int meta_method_layer(const struct meta_model *model, const struct meta_evaluation *e)
{
    int i = model->network->count - 1;
    if (e->layer >= 0) return e->layer;
    while (i >= 0 && model->network->layers[i].type != META_CONNECTED) i--;
    return i - 1;
}

static int check(const struct meta_method *method, const struct meta_model *model, const struct meta_evaluation *e, struct meta_error *error)
{
    int most = model->network->count - 2;
    if (meta_method_refuse_pairs(method, model, error)) return -1;
    if (e->layer > most)
        return meta_fail(error, "-layer %d: must be 0 to %d, the layers of %s before [softmax]", e->layer, most, model->path);
    if (meta_method_layer(model, e) < 0)
        return meta_fail(error, "%s: has no layer before a [connected], whose features -method %s would take: -layer must name one", model->path,
                         method->name);
    return 0;
}

static int check_knn(const struct meta_model *model, const struct meta_evaluation *e, struct meta_error *error)
{
    int images = e->episode.ways * e->episode.shots;
    if (e->neighbours > images)
        return meta_fail(error, "-neighbours %d: must be 1 to %d, the support images of a task", e->neighbours, images);
    return check(&meta_method_knn, model, e, error);
}
static int check_svm(const struct meta_model *model, const struct meta_evaluation *e, struct meta_error *error)
{ return check(&meta_method_svm, model, e, error); }

static void release(void *state)
{
    struct features *f = state;
    if (!f) return;
    meta_program_free(f->program);
    meta_network_free(f->network);
    free(f->features);
    free(f->labels);
    free(f);
}

static int create(void **out, const struct meta_method_context *c, struct meta_error *error)
{
    const struct meta_episode_settings *t = &c->evaluation->episode;
    int images = t->ways * (t->shots + t->queries), layer = meta_method_layer(c->model, c->evaluation);
    struct meta_shape shape = c->model->network->layers[layer].out;
    struct features *f = *out = calloc(1, sizeof *f);
    if (!f) return meta_fail_memory(error);
    f->c = *c;
    f->size = meta_shape_numbers(shape);
    f->features = malloc((size_t)images * f->size * sizeof *f->features);
    f->labels = calloc(images, sizeof *f->labels);
    if (!f->features || !f->labels) return meta_fail(error, "out of memory for features of %d numbers", f->size);
    if (meta_network_cut(&f->network, c->model->network, layer + 1, 0, error)
        || meta_program_create(&f->program, f->network, c->backend,
                               (struct meta_program_settings){ .query = images, .passes = META_FORWARD }, error)) return -1;
    meta_program_dropout(f->program, (struct meta_dropout_key){ .train = 0 });
    return 0;
}

/* The points of the support set; those of the query set are at `queries`. */
static struct meta_points compute(struct features *f, const struct meta_method_task *t, const float **queries)
{
    const struct meta_episode_settings *e = &f->c.evaluation->episode;
    int support = e->ways * e->shots;
    meta_program_load_some(f->program, 0, support, t->task.support, f->labels);
    meta_program_load_some(f->program, support, e->ways * e->queries, t->task.query, f->labels);
    meta_program_forward(f->program, t->phi, META_STATISTICS_ROLLING, f->c.evaluation->statistics);
    meta_program_features(f->program, f->features);
    *queries = f->features + (size_t)support * f->size;
    return (struct meta_points){ support, f->size, e->ways, f->features, t->task.support_labels };
}

static int run_knn(void *state, const struct meta_method_task *t, float *before, float *after, struct meta_run *run, struct meta_error *error)
{
    struct features *f = state;
    const struct meta_evaluation *e = f->c.evaluation;
    const float *queries;
    struct meta_points points = compute(f, t, &queries);
    return meta_classify_knn(&points, e->neighbours, queries, e->episode.ways * e->episode.queries, after, error);
}

static int run_svm(void *state, const struct meta_method_task *t, float *before, float *after, struct meta_run *run, struct meta_error *error)
{
    struct features *f = state;
    const struct meta_episode_settings *e = &f->c.evaluation->episode;
    const float *queries;
    struct meta_points points = compute(f, t, &queries);
    return meta_classify_svm(&points, COST, queries, e->ways * e->queries, after, error);
}

static void describe_knn(const struct meta_model *model, const struct meta_evaluation *e, char *text, size_t size)
{
    snprintf(text, size, "%d nearest neighbour%s in layer %d", e->neighbours, meta_plural(e->neighbours), meta_method_layer(model, e));
}

static void describe_svm(const struct meta_model *model, const struct meta_evaluation *e, char *text, size_t size)
{
    snprintf(text, size, "a support vector machine on layer %d", meta_method_layer(model, e));
}

const struct meta_method meta_method_knn = { "knn", 0, 0, check_knn, create, release, run_knn, describe_knn };
const struct meta_method meta_method_svm = { "svm", 0, 0, check_svm, create, release, run_svm, describe_svm };
