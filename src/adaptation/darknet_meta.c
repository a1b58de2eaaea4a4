/* libdarknet-meta: the interface for other programs, over adapt.h. */
#include "darknet_meta.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapt.h"
#include "learning/rates_file.h"
#include "backends/backends.h"
#include "base/path.h"
#include "config/inner_text.h"
#include "config/purpose.h"
#include "config/stock_form.h"
#include "darknet_meta_internal.h"
#include "memory_images.h"
#include "network/export.h"
#include "network/temperature_file.h"
#include "network/weights.h"
#include "own_files.h"
#include "weights_note.h"

#define MOST_STEPS 1000

int darknet_meta_version(void) { return DARKNET_META_VERSION; }

/* ---- models ---------------------------------------------------------------------------------- */

/* Checks what a .cfg and its weights are loaded by. */
static int check_files(const void *out, const char *cfg, const char *weights,
                       struct meta_error *error)
{
    if (meta_call_needs(NEEDED({ "the place of the result", out }, { "the name of the .cfg", cfg },
                               { "the name of the .weights", weights }),
                        error))
        return -1;
    if (!*cfg || !*weights)
        return meta_fail(error, "the name of the %s is empty", *cfg ? ".weights" : ".cfg");
    return 0;
}

static void release(struct darknet_meta_model *m)
{
    if (!m || atomic_fetch_sub(&m->users, 1) > 1) return;
    free(m->base.filled.parameters);
    free(m->base.filled.statistics);
    free(m->base.rates);
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
    m->base.how = meta_rates_how_of(m->model->inner);
    m->base.rule = meta_rule_how_of(m->model->inner);
    m->base.imprint = m->model->inner->head == META_HEAD_IMPRINTED;
    f->network = m->model->network;
    if (meta_adapt_check_network(f->network, cfg, error)) goto fail;
    if (meta_weights_load(f->network, weights, &f->parameters, &f->statistics, error)
        || (m->base.how.kind
            && meta_rates_load(f->network, m->base.how, weights, &m->base.rates, error))
        || (purpose == META_FOR_TASKS && meta_temperatures_find(&m->temperatures, weights, error)))
        goto fail;
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
    if (out) *out = NULL;
    if (check_files(out, cfg, weights, &error) || load(out, cfg, weights, META_FOR_TASKS, &error))
        return meta_call_fail(why, &error);
    return 0;
}

void darknet_meta_free(darknet_meta_model *m) { release(m); }
int darknet_meta_width(const darknet_meta_model *m) { return m ? m->model->net.width : -1; }
int darknet_meta_height(const darknet_meta_model *m) { return m ? m->model->net.height : -1; }
int darknet_meta_channels(const darknet_meta_model *m) { return m ? m->model->net.channels : -1; }
int darknet_meta_most_classes(const darknet_meta_model *m)
{
    return m ? meta_adapt_most_classes(m->model->network) : -1;
}

/* ---- classifiers ----------------------------------------------------------------------------- */

static int check_adapt(const void *out, const darknet_meta_model *model,
                       const darknet_meta_support *given, int steps, struct meta_error *error)
{
    if (meta_call_needs(NEEDED({ "the place of the result", out }, { "the model", model },
                               { "the support", given }),
                        error))
        return -1;
    if (given->count < 1)
        return meta_fail(error, "%d images: must be at least one of each class", given->count);
    if (meta_call_needs(NEEDED({ "the support's array of images", given->images },
                               { "the support's array of labels", given->labels }),
                        error))
        return -1;
    if (steps > MOST_STEPS)
        return meta_fail(error, "%d steps: must be at most %d", steps, MOST_STEPS);
    return 0;
}

/* The model's base, with the temperatures of a classifier that is made so. */
static struct meta_base base_for(const darknet_meta_model *model, const struct meta_support *s,
                                 int steps)
{
    struct meta_base base = model->base;
    char inner[META_TEMPERATURE_INNER], why[META_TEMPERATURE_WHY];
    struct meta_temperature_use use = {
        s->classes, steps, base.learning_rate, NULL, (double)s->n / s->classes, 1, inner
    };
    meta_inner_text(inner, model->model);
    for (int kind = 0; kind < META_BN_KINDS && model->temperatures.count; kind++) {
        use.statistics = meta_bn_name(kind);
        base.temperature[kind] = meta_temperatures_choose(&model->temperatures, &use, why,
                                                          sizeof why);
    }
    return base;
}

int darknet_meta_adapt(darknet_meta_classifier **out, const darknet_meta_model *model,
                       const darknet_meta_support *given, int steps, darknet_meta_error *why)
{
    struct meta_error error;
    int threads;
    struct darknet_meta_classifier *c = NULL;
    float *seen = NULL;
    if (out) *out = NULL;
    if (check_adapt(out, model, given, steps, &error)) goto fail;
    if (!(c = calloc(1, sizeof *c))) {
        meta_fail_memory(&error);
        goto fail;
    }
    c->model = (struct darknet_meta_model *)model; /* only the number of users changes */
    atomic_fetch_add(&c->model->users, 1);
    if (steps == DARKNET_META_STEPS) steps = model->model->inner->test_steps;
    if (!(seen = meta_memory_images(given->images, given->count, &model->model->net, &error))
        || meta_memory_images_agree(seen, meta_shape_numbers(model->model->network->input),
                                    given->labels, given->count, &error))
        goto fail;
    struct meta_support support = { seen, given->labels, given->count, given->classes, 0, 1 };
    const struct meta_base base = base_for(model, &support, steps);
    int status = meta_call_enter(base.backend, &threads, &error)
        || meta_adapt(&c->adapted, &base, &support, steps, &error);
    meta_call_leave(threads);
    if (status) goto fail;
    free(seen);
    *out = c;
    return 0;
fail:
    free(seen);
    darknet_meta_classifier_free(c);
    return meta_call_fail(why, &error);
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
    return c ? meta_network_outputs(c->adapted->filled.network) : -1;
}

void darknet_meta_losses(const darknet_meta_classifier *c, double *before, double *after)
{
    if (before) *before = c ? c->adapted->loss_before : NAN;
    if (after) *after = c ? c->adapted->loss_after : NAN;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int check_save(const darknet_meta_classifier *c, const char *name,
                      enum darknet_meta_statistics statistics, struct meta_error *error)
{
    if (meta_call_needs(NEEDED({ "the classifier", c }, { "the name of the files", name }), error))
        return -1;
    if (meta_path_ends_in_folder(name))
        return meta_fail(error,
                         *name ? "%s: is a folder: must be the name of the files in it"
                               : "the name of the files is empty%s",
                         name);
    if (statistics != DARKNET_META_SUPPORT && statistics != DARKNET_META_RUNNING)
        return meta_fail(error,
                         "%s: can't hold a batch's statistics: must be DARKNET_META_SUPPORT or "
                         "DARKNET_META_RUNNING",
                         name);
    const char *end = meta_own_files_foreign(name, 0);
    if (end)
        return meta_fail(error,
                         "%s: would overwrite %s%s, which is not of an adapted network: must be "
                         "another name",
                         name, name, end);
    if (!(end = meta_own_files_beside(name))) return 0;
    return meta_fail(error,
                     "%s: would leave %s%s, which is of another classifier: must be another name",
                     name, name, end);
}

static int save(const darknet_meta_classifier *c, const char *name,
                enum darknet_meta_statistics statistics, struct meta_error *error)
{
    if (check_save(c, name, statistics, error)) return -1;
    struct meta_filled f = meta_adapted_filled(c->adapted, meta_call_kind(statistics));
    char comment[1024];
    snprintf(comment, sizeof comment, "%.900s" META_ADAPTED_IN_MEMORY, c->model->model->path);
    struct meta_export how = { .name = name,
                               .comment = comment,
                               .fold = META_FOLD_REST,
                               .net = meta_net_exported(&c->model->model->net) };
    struct meta_network network;
    char *otherwise = NULL;
    if (meta_adapted_network(&network, c->adapted, meta_call_kind(statistics), error)) return -1;
    struct meta_filled stock;
    f.network = &network;
    int status = meta_stock_form(&stock, &f, c->model->model->path, error);
    if (!status) status = meta_export(stock.network ? &stock : &f, &how, &otherwise, error);
    meta_filled_clear(&stock);
    free(network.layers);
    free(otherwise);
    return status;
}

/* One save at a time: of two that write one name each would see the other's .weights, still without
   its .cfg, as a stranger's, and the two files might be of one classifier each. */
int darknet_meta_save(const darknet_meta_classifier *c, const char *name,
                      enum darknet_meta_statistics statistics, darknet_meta_error *why)
{
    static pthread_mutex_t saving = PTHREAD_MUTEX_INITIALIZER;
    struct meta_error error;
    pthread_mutex_lock(&saving);
    int status = save(c, name, statistics, &error);
    pthread_mutex_unlock(&saving);
    return status ? meta_call_fail(why, &error) : 0;
}

int darknet_meta_open(darknet_meta_classifier **out, const char *cfg, const char *weights,
                      darknet_meta_error *why)
{
    struct meta_error error;
    struct darknet_meta_classifier *c = NULL;
    if (out) *out = NULL;
    if (check_files(out, cfg, weights, &error)) goto fail;
    if (!(c = calloc(1, sizeof *c)) || !(c->adapted = calloc(1, sizeof *c->adapted))) {
        meta_fail_memory(&error);
        goto fail;
    }
    if (load(&c->model, cfg, weights, META_FOR_ANY, &error)
        || meta_weights_note_own(cfg, weights, &error)
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
    return meta_call_fail(why, &error);
}

/* The images of a prediction. */
struct request {
    const darknet_meta_image *images;
    int count;
    enum darknet_meta_statistics statistics;
};

static int check_request(const darknet_meta_classifier *c, const struct request *r,
                         struct meta_answer answer, struct meta_error *error)
{
    int least = r->statistics == DARKNET_META_BATCH ? 2 : 1;
    const void *result = answer.probabilities ? (void *)answer.probabilities : answer.log_odds;
    if (meta_call_needs(NEEDED({ "the classifier", c }), error)) return -1;
    if ((unsigned)r->statistics > DARKNET_META_BATCH)
        return meta_fail(error, "statistics %d: must be DARKNET_META_SUPPORT, _RUNNING or _BATCH",
                         r->statistics);
    if (r->count < least)
        return meta_fail(error, "%d images: must be at least %d%s", r->count, least,
                         least > 1 ? ", which are normalised together" : "");
    return meta_call_needs(NEEDED({ "the array of images", r->images },
                                  { "the place of the answers", result }),
                           error);
}

/* Weights that are damaged give no numbers. */
static int check_answer(const darknet_meta_classifier *c, int count, struct meta_answer answer,
                        struct meta_error *error)
{
    size_t classes = (size_t)darknet_meta_classes(c);
    for (size_t i = 0; i < classes * count; i++)
        if (answer.probabilities ? isnan(answer.probabilities[i]) : isnan(answer.log_odds[i]))
            return meta_fail(error, "image %zu: the answer is no number", i / classes);
    return 0;
}

static int predict(const darknet_meta_classifier *c, const struct request *r,
                   struct meta_answer answer, darknet_meta_error *why)
{
    struct meta_error error;
    int threads;
    if (check_request(c, r, answer, &error)) return meta_call_fail(why, &error);
    float *seen = meta_memory_images(r->images, r->count, &c->model->model->net, &error);
    if (!seen) return meta_call_fail(why, &error);
    int status = meta_call_enter(c->model->base.backend, &threads, &error)
        || meta_adapted_predict(c->adapted, meta_call_kind(r->statistics), seen, r->count, answer,
                                &error);
    meta_call_leave(threads);
    free(seen);
    if (!status) status = check_answer(c, r->count, answer, &error);
    return status ? meta_call_fail(why, &error) : 0;
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
