/* Cuts a network behind a layer and computes what that layer gives for images. */
#include "extract.h"
#include "engine/program.h"

#include <stdlib.h>
#include <string.h>

struct meta_extractor {
    struct meta_network *network; /* as far as the layer, and a [softmax] that nobody asks */
    const struct meta_backend *backend;
    const float *statistics;
    struct meta_program *program;
    int batch;
    void *parameters; /* a backend vector */
    int *labels;      /* (batch) zeros, since the labels are unknown */
    float *features;  /* (batch, numbers of the layer) */
};

int meta_extract_layer(const struct meta_network *net, const char *name, int *layer,
                       struct meta_error *error)
{
    int most = (net->ways ? net->pairing : net->count - 1) - 1;
    if (*layer == -1) {
        *layer = meta_network_features_layer(net);
        if (*layer >= 0 && *layer <= most) return 0;
        return meta_fail(error,
                         "the network has no layer before a [connected], whose output would be "
                         "taken: must be one of the layers 0 to %d",
                         most);
    }
    if (*layer >= 0 && *layer <= most) return 0;
    return meta_fail(error, "%s %d: must be 0 to %d, the layers before [%s]", name, *layer, most,
                     meta_layer_name(&net->layers[most + 1]));
}

int meta_extractor_create(struct meta_extractor **out, const struct meta_extract *how,
                          struct meta_error *error)
{
    const struct meta_program_settings pass = { .query = how->batch, .passes = META_FORWARD };
    struct meta_extractor *e = calloc(1, sizeof *e);
    if (!e) return meta_fail_memory(error);
    e->backend = how->backend;
    e->statistics = how->statistics;
    e->batch = how->batch;
    if (meta_network_cut(&e->network, how->filled->network, how->layer + 1, 0, error)) goto fail;
    size_t numbers = meta_shape_numbers(e->network->layers[how->layer].out);
    if (!e->statistics && meta_network_check_batch(e->network, e->batch, error)) goto fail;
    if (meta_program_create(&e->program, e->network, e->backend, pass, error)) goto fail;
    e->parameters = e->backend->allocate((e->network->parameters + 1) * e->backend->element);
    e->labels = calloc(e->batch, sizeof *e->labels);
    e->features = malloc(e->batch * numbers * sizeof *e->features);
    if (!e->parameters || !e->labels || !e->features) {
        meta_fail(error, "out of memory for the features of %d images", e->batch);
        goto fail;
    }
    e->backend->upload(e->parameters, how->filled->parameters, e->network->parameters);
    meta_program_dropout(e->program, (struct meta_dropout_key){ .train = 0 });
    *out = e;
    return 0;
fail:
    meta_extractor_free(e);
    return -1;
}

void meta_extractor_free(struct meta_extractor *e)
{
    if (!e) return;
    meta_program_free(e->program);
    meta_network_free(e->network);
    if (e->parameters) e->backend->release(e->parameters);
    free(e->labels);
    free(e->features);
    free(e);
}

/* The rest of a batch that is not full keeps older images; with statistics given, no image's
   features depend on another. */
int meta_extractor_run(struct meta_extractor *e, const float *images, int n, float *features,
                       struct meta_error *error)
{
    const struct meta_network *net = e->network;
    size_t in = meta_shape_numbers(net->input),
           numbers = meta_shape_numbers(net->layers[net->count - 2].out);
    enum meta_statistics kind = e->statistics ? META_STATISTICS_ROLLING : META_STATISTICS_BATCH;
    if (n < 0 || (!e->statistics && n != e->batch))
        return meta_fail(error, "%d images: must be %d, which are normalised together", n,
                         e->batch);
    for (int i = 0; i < n; i += e->batch) {
        int count = n - i < e->batch ? n - i : e->batch;
        meta_program_load_some(e->program, 0, count, images + i * in, e->labels);
        meta_program_forward(e->program, e->parameters, kind, e->statistics);
        if (meta_program_failed(e->program, error)) return -1;
        meta_program_features(e->program, e->features);
        memcpy(features + i * numbers, e->features, count * numbers * sizeof *features);
    }
    return 0;
}
