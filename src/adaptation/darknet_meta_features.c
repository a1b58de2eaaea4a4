/* libdarknet-meta: what layers give for images. */
#include "darknet_meta_internal.h"

#include <stdlib.h>

#include "extract.h"
#include "memory_images.h"

/* A network that features are asked of, and the statistics (NULL: the batch's) of the request. */
struct source {
    const darknet_meta_model *model;
    struct meta_filled filled;
    const float *statistics;
};

static int feature_size(const struct meta_network *net, int layer, int *size,
                        struct meta_error *error)
{
    if (meta_extract_layer(net, "layer", &layer, error)) return -1;
    *size = (int)meta_shape_numbers(net->layers[layer].out);
    return 0;
}

int darknet_meta_feature_size(const darknet_meta_model *model, int layer, int *size,
                              darknet_meta_error *why)
{
    struct meta_error error;
    if (meta_call_needs(NEEDED({ "the model", model }, { "the place of the result", size }), &error)
        || feature_size(model->model->network, layer, size, &error))
        return meta_call_fail(why, &error);
    return 0;
}

int darknet_meta_classifier_feature_size(const darknet_meta_classifier *classifier, int layer,
                                         int *size, darknet_meta_error *why)
{
    struct meta_error error;
    if (meta_call_needs(NEEDED({ "the classifier", classifier },
                               { "the place of the result", size }),
                        &error)
        || feature_size(classifier->adapted->filled.network, layer, size, &error))
        return meta_call_fail(why, &error);
    return 0;
}

/* The images of a request, and where their features go. */
struct request {
    const darknet_meta_layer *layer;
    const darknet_meta_image *images;
    int count;
    float *features;
};

static int check_request(const struct request *r, struct meta_error *error)
{
    if (meta_call_needs(NEEDED({ "the layer", r->layer }), error)) return -1;
    int batch = r->layer->statistics == DARKNET_META_BATCH;
    if ((unsigned)r->layer->statistics > DARKNET_META_BATCH)
        return meta_fail(error, "statistics %d: must be DARKNET_META_SUPPORT, _RUNNING or _BATCH",
                         r->layer->statistics);
    if (r->count < 1 + batch)
        return meta_fail(error, "%d images: must be at least %d%s", r->count, 1 + batch,
                         batch ? ", which are normalised together" : "");
    return meta_call_needs(NEEDED({ "the array of images", r->images },
                                  { "the place of the features", r->features }),
                           error);
}

/* Images that are computed at a time. */
enum { MOST_AT_ONCE = 16 };

static int compute(const struct source *from, const struct request *r, struct meta_error *error)
{
    const struct meta_backend *backend = from->model->base.backend;
    int threads, layer = r->layer->number,
                 batch = !from->statistics || r->count < MOST_AT_ONCE ? r->count : MOST_AT_ONCE;
    struct meta_extractor *extractor = NULL;
    if (meta_extract_layer(from->filled.network, "layer", &layer, error)) return -1;
    float *seen = meta_memory_images(r->images, r->count, &from->model->model->net, error);
    if (!seen) return -1;
    const struct meta_extract how = { &from->filled, from->statistics, backend, layer, batch };
    int status = meta_call_enter(backend, &threads, error)
        || meta_extractor_create(&extractor, &how, error)
        || meta_extractor_run(extractor, seen, r->count, r->features, error);
    meta_call_leave(threads);
    meta_extractor_free(extractor);
    free(seen);
    return status ? -1 : 0;
}

int darknet_meta_features(const darknet_meta_model *model, const darknet_meta_layer *layer,
                          const darknet_meta_image *images, int count, float *features,
                          darknet_meta_error *why)
{
    const struct request r = { layer, images, count, features };
    struct meta_error error;
    if (meta_call_needs(NEEDED({ "the model", model }), &error) || check_request(&r, &error))
        return meta_call_fail(why, &error);
    struct source from = { model, model->base.filled, model->base.filled.statistics };
    if (layer->statistics == DARKNET_META_BATCH) from.statistics = NULL;
    if (layer->statistics == DARKNET_META_SUPPORT)
        meta_fail(&error,
                  "a model that is not adapted has no support images: must be "
                  "DARKNET_META_RUNNING or DARKNET_META_BATCH");
    else if (!compute(&from, &r, &error)) return 0;
    return meta_call_fail(why, &error);
}

int darknet_meta_classifier_features(const darknet_meta_classifier *classifier,
                                     const darknet_meta_layer *layer,
                                     const darknet_meta_image *images, int count, float *features,
                                     darknet_meta_error *why)
{
    const struct request r = { layer, images, count, features };
    struct meta_error error;
    if (meta_call_needs(NEEDED({ "the classifier", classifier }), &error)
        || check_request(&r, &error))
        return meta_call_fail(why, &error);
    enum meta_bn kind = meta_call_kind(layer->statistics);
    const struct source from = { classifier->model, meta_adapted_filled(classifier->adapted, kind),
                                 meta_adapted_statistics(classifier->adapted, kind) };
    return compute(&from, &r, &error) ? meta_call_fail(why, &error) : 0;
}
