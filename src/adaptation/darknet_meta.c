/* libdarknet-meta: the interface for other programs, over adapt.h. */
#include "darknet_meta.h"

#include <math.h>
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "adapt.h"
#include "backends/backends.h"
#include "config/purpose.h"
#include "tasks/view.h"
#include "network/export.h"
#include "images/image.h"
#include "network/weights.h"

#define MOST_STEPS 1000

_Static_assert(sizeof(darknet_meta_error) == sizeof(struct meta_error), "one error, two names");

/* A model is freed with its last user, since layers of a classifier's network may point into the
   model's settings. */
struct darknet_meta_model {
    atomic_int users;
    struct meta_model *model;
    struct meta_base base;
};

struct darknet_meta_classifier {
    struct darknet_meta_model *model;
    struct meta_adapted *adapted;
};

static const enum meta_bn kinds[] = { [DARKNET_META_SUPPORT] = META_BN_SUPPORT,
                                      [DARKNET_META_RUNNING] = META_BN_RUNNING,
                                      [DARKNET_META_BATCH] = META_BN_BATCH };

int darknet_meta_version(void) { return DARKNET_META_VERSION; }

/* ---- the calling thread ---------------------------------------------------------------------- */

/* The backend tells OpenMP to use the calling thread alone; `leave` gives the number of threads
   back that the program has set. */
static int enter(const struct meta_backend *backend, int *threads, struct meta_error *error)
{
    *threads = omp_get_max_threads();
    return backend->open(error);
}

static void leave(int threads) { omp_set_num_threads(threads); }

static int give(darknet_meta_error *to, const struct meta_error *error)
{
    if (to) memcpy(to->text, error->text, sizeof to->text);
    return -1;
}

/* ---- models ---------------------------------------------------------------------------------- */

static void release(struct darknet_meta_model *m)
{
    if (!m || atomic_fetch_sub(&m->users, 1) > 1) return;
    free(m->base.filled.parameters);
    free(m->base.filled.statistics);
    meta_model_free(m->model);
    free(m);
}

static int load(struct darknet_meta_model **out, const char *cfg, const char *weights,
                enum meta_purpose purpose, struct meta_error *error)
{
    struct darknet_meta_model *m = calloc(1, sizeof *m);
    if (!m) return meta_fail_memory(error);
    m->users = 1;
    struct meta_filled *f = &m->base.filled;
    if (meta_model_load_for(&m->model, cfg, purpose, error)) goto fail;
    m->base.backend = meta_backend_default();
    m->base.learning_rate = m->model->inner->learning_rate;
    f->network = m->model->network;
    if (f->network->ways) {
        const struct meta_layer *pairing = &f->network->layers[f->network->pairing];
        meta_fail(error,
                  "%s:%d: [%s]: compares a task's images, and has nothing to adapt: must be a "
                  "network that ends in [softmax]",
                  cfg, pairing->line, meta_layer_name(pairing));
        goto fail;
    }
    if (meta_weights_load(f->network, weights, &f->parameters, &f->statistics, error)) goto fail;
    *out = m;
    return 0;
fail:
    release(m);
    return -1;
}

int darknet_meta_load(darknet_meta_model **out, const char *cfg, const char *weights,
                      darknet_meta_error *why)
{
    struct meta_error error;
    return load(out, cfg, weights, META_FOR_TASKS, &error) ? give(why, &error) : 0;
}

void darknet_meta_free(darknet_meta_model *m) { release(m); }
int darknet_meta_width(const darknet_meta_model *m) { return m->model->net.width; }
int darknet_meta_height(const darknet_meta_model *m) { return m->model->net.height; }
int darknet_meta_channels(const darknet_meta_model *m) { return m->model->net.channels; }
int darknet_meta_most_classes(const darknet_meta_model *m)
{
    return meta_network_outputs(m->model->network);
}

/* ---- images ---------------------------------------------------------------------------------- */

static size_t image_size(const struct meta_net_settings *net)
{
    return (size_t)net->channels * net->height * net->width;
}

static int view_bytes(const darknet_meta_image *image, const struct meta_net_settings *net,
                      float *out, struct meta_error *error)
{
    size_t bytes = (size_t)image->width * image->height * image->channels;
    struct meta_image copy = {
        .w = image->width, .h = image->height, .c = image->channels, .pixels = malloc(bytes)
    };
    if (!copy.pixels)
        return meta_fail(error, "out of memory for %dx%d pixels", image->width, image->height);
    memcpy(copy.pixels, image->pixels, bytes);
    int status = meta_view_pixels(&copy, net, out, error);
    free(copy.pixels);
    return status;
}

static int view_floats(const darknet_meta_image *image, const struct meta_net_settings *net,
                       float *out, struct meta_error *error)
{
    const float *pixels = image->pixels;
    if (image->width != net->width || image->height != net->height)
        return meta_fail(error, "%dx%d floats: must be the network's %dx%d", image->width,
                         image->height, net->width, net->height);
    for (size_t i = 0; i < image_size(net); i++)
        if (!(pixels[i] >= 0 && pixels[i] <= 1))
            return meta_fail(error, "has the value %g: must be 0 to 1", pixels[i]);
    memcpy(out, pixels, image_size(net) * sizeof *out);
    return 0;
}

static int view(const darknet_meta_image *image, const struct meta_net_settings *net, float *out,
                struct meta_error *error)
{
    if (!image->pixels || image->width < 1 || image->height < 1
        || (double)image->width * image->height > META_IMAGE_MOST_PIXELS)
        return meta_fail(error, "%dx%d pixels%s: must have 1 to %u", image->width, image->height,
                         image->pixels ? "" : " at NULL", META_IMAGE_MOST_PIXELS);
    if (image->channels != net->channels)
        return meta_fail(error, "%d channels: must be the network's %d", image->channels,
                         net->channels);
    switch (image->kind) {
    case DARKNET_META_BYTES: return view_bytes(image, net, out, error);
    case DARKNET_META_FLOATS: return view_floats(image, net, out, error);
    }
    return meta_fail(error, "kind %d: must be DARKNET_META_BYTES or DARKNET_META_FLOATS",
                     image->kind);
}

/* Returns the images as the network sees them, (count, c, height, width); the caller frees. NULL:
   the error says why. */
static float *view_all(const darknet_meta_image *images, int count,
                       const struct meta_net_settings *net, struct meta_error *error)
{
    struct meta_error why;
    float *out = malloc(count * image_size(net) * sizeof *out);
    if (!out) meta_fail(error, "out of memory for %d images", count);
    for (int i = 0; out && i < count; i++)
        if (view(&images[i], net, out + i * image_size(net), &why)) {
            meta_fail(error, "image %d: %.400s", i, why.text);
            free(out);
            out = NULL;
        }
    return out;
}

/* ---- classifiers ----------------------------------------------------------------------------- */

int darknet_meta_adapt(darknet_meta_classifier **out, const darknet_meta_model *model,
                       const darknet_meta_support *given, int steps, darknet_meta_error *why)
{
    struct meta_error error;
    int threads;
    struct darknet_meta_classifier *c = calloc(1, sizeof *c);
    float *seen = NULL;
    if (!c) {
        meta_fail_memory(&error);
        goto fail;
    }
    c->model = (struct darknet_meta_model *)model; /* only the number of users changes */
    atomic_fetch_add(&c->model->users, 1);
    if (steps == DARKNET_META_STEPS) steps = model->model->inner->test_steps;
    if (steps > MOST_STEPS) {
        meta_fail(&error, "%d steps: must be at most %d", steps, MOST_STEPS);
        goto fail;
    }
    if (given->count < 1) {
        meta_fail(&error, "%d images: must be at least one of each class", given->count);
        goto fail;
    }
    if (!(seen = view_all(given->images, given->count, &model->model->net, &error))) goto fail;
    struct meta_support support = { seen, given->labels, given->count, given->classes, 0 };
    int status = enter(model->base.backend, &threads, &error)
        || meta_adapt(&c->adapted, &model->base, &support, steps, &error);
    leave(threads);
    if (status) goto fail;
    free(seen);
    *out = c;
    return 0;
fail:
    free(seen);
    darknet_meta_classifier_free(c);
    return give(why, &error);
}

void darknet_meta_classifier_free(darknet_meta_classifier *c)
{
    if (!c) return;
    meta_adapted_free(c->adapted);
    release(c->model);
    free(c);
}

int darknet_meta_classes(const darknet_meta_classifier *c)
{
    return meta_network_outputs(c->adapted->filled.network);
}

void darknet_meta_losses(const darknet_meta_classifier *c, double *before, double *after)
{
    if (before) *before = c->adapted->loss_before;
    if (after) *after = c->adapted->loss_after;
}

/* ---- files ----------------------------------------------------------------------------------- */

int darknet_meta_save(const darknet_meta_classifier *c, const char *name,
                      enum darknet_meta_statistics statistics, darknet_meta_error *why)
{
    struct meta_error error;
    struct meta_filled f = c->adapted->filled;
    struct meta_export how = { .name = name,
                               .fold = META_FOLD_REST,
                               .net = meta_net_exported(&c->model->model->net) };
    char *otherwise;
    if (statistics != DARKNET_META_SUPPORT && statistics != DARKNET_META_RUNNING) {
        meta_fail(&error,
                  "%s: can't hold a batch's statistics: must be DARKNET_META_SUPPORT or "
                  "DARKNET_META_RUNNING",
                  name);
        return give(why, &error);
    }
    f.statistics = (float *)meta_adapted_statistics(c->adapted, kinds[statistics]);
    if (meta_export(&f, &how, &otherwise, &error)) return give(why, &error);
    free(otherwise);
    return 0;
}

int darknet_meta_open(darknet_meta_classifier **out, const char *cfg, const char *weights,
                      darknet_meta_error *why)
{
    struct meta_error error;
    struct darknet_meta_classifier *c = calloc(1, sizeof *c);
    if (!c || !(c->adapted = calloc(1, sizeof *c->adapted))) {
        meta_fail_memory(&error);
        goto fail;
    }
    if (load(&c->model, cfg, weights, META_FOR_ANY, &error)
        || meta_purpose_check_adapted(c->model->model,
                                      "must be adapted by darknet_meta_adapt, which may take 0 "
                                      "steps",
                                      &error))
        goto fail;
    const struct meta_filled *f = &c->model->base.filled;
    struct meta_adapted *a = c->adapted;
    a->backend = c->model->base.backend;
    a->loss_before = a->loss_after = NAN;
    size_t bytes = (f->network->statistics + 1) * sizeof *a->support;
    if (meta_filled_narrow(&a->filled, f, meta_network_outputs(f->network), &error)) goto fail;
    if (!(a->support = malloc(bytes))) {
        meta_fail_memory(&error);
        goto fail;
    }
    memcpy(a->support, f->statistics, bytes);
    *out = c;
    return 0;
fail:
    darknet_meta_classifier_free(c);
    return give(why, &error);
}

/* The images of a prediction. */
struct request {
    const darknet_meta_image *images;
    int count;
    enum darknet_meta_statistics statistics;
};

static int predict(const darknet_meta_classifier *c, const struct request *r,
                   struct meta_answer answer, darknet_meta_error *why)
{
    int count = r->count;
    enum darknet_meta_statistics statistics = r->statistics;
    struct meta_error error;
    int threads, known = (unsigned)statistics < sizeof kinds / sizeof *kinds,
                 least = statistics == DARKNET_META_BATCH ? 2 : 1;
    if (!known || count < least) {
        if (!known)
            meta_fail(&error, "statistics %d: must be DARKNET_META_SUPPORT, _RUNNING or _BATCH",
                      statistics);
        else
            meta_fail(&error, "%d images: must be at least %d%s", count, least,
                      least > 1 ? ", which are normalised together" : "");
        return give(why, &error);
    }
    float *seen = view_all(r->images, count, &c->model->model->net, &error);
    if (!seen) return give(why, &error);
    int status = enter(c->model->base.backend, &threads, &error)
        || meta_adapted_predict(c->adapted, kinds[statistics], seen, count, answer, &error);
    leave(threads);
    free(seen);
    return status ? give(why, &error) : 0;
}

int darknet_meta_predict(const darknet_meta_classifier *c, const darknet_meta_image *images,
                         int count, enum darknet_meta_statistics statistics, float *probabilities,
                         darknet_meta_error *why)
{
    const struct request r = { images, count, statistics };
    return predict(c, &r, (struct meta_answer){ .probabilities = probabilities }, why);
}

int darknet_meta_log_odds(const darknet_meta_classifier *c, const darknet_meta_image *images,
                          int count, enum darknet_meta_statistics statistics, double *log_odds,
                          darknet_meta_error *why)
{
    const struct request r = { images, count, statistics };
    return predict(c, &r, (struct meta_answer){ .log_odds = log_odds }, why);
}
