/* darknet meta adapt: makes a .cfg and .weights for any Darknet out of a meta-trained network and a
   few labelled images. */
#define _GNU_SOURCE
#include "console.h"
#include "base/file.h"
#include "base/leftovers.h"
#include "base/lock.h"
#include "base/pool.h"
#include "config/model.h"
#include "tasks/file_id.h"
#include "engine/log_odds.h"
#include "tasks/view.h"
#include "console.h"
#include "flags.h"
#include "learning/rates_file.h"
#include "left_out.h"
#include "temperature_flag.h"
#include "unlike.h"
#include "images/turns.h"
#include "network/export.h"
#include "adaptation/support_check.h"
#include "network/weights.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most images that leave-one-out is run for, since it takes an adaptation an image. */
#define MOST_LEFT_OUT 100

struct parts {
    struct meta_lock lock; /* of the files that are written */
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool;
    struct meta_dataset *dataset;
    struct meta_base base; /* base.filled.network is the model's */
    float *images;         /* (n, c, h, w) */
    double *log_odds;      /* (n, classes) of leave-one-out */
    int *predicted;        /* (n) */
    double *distance;      /* (n) */
    struct meta_adapted *adapted;
    struct meta_temperature_wish temperature;
};

static void free_parts(struct parts *p)
{
    meta_temperature_wish_clear(&p->temperature);
    meta_adapted_free(p->adapted);
    free(p->images);
    free(p->log_odds);
    free(p->predicted);
    free(p->distance);
    free(p->base.filled.parameters);
    free(p->base.filled.statistics);
    free(p->base.rates);
    meta_dataset_free(p->dataset);
    meta_pool_free(p->pool);
    meta_data_free(p->data);
    meta_model_free(p->model);
    meta_lock_release(&p->lock);
}

static int same_file(const char *a, const char *b)
{
    struct meta_file_id x, y;
    return !meta_file_id_find(&x, a) && !meta_file_id_find(&y, b) && !meta_file_id_order(&x, &y);
}

/* Refuses to overwrite the files that are adapted, and names that can't be written. */
static int check_out(const char *out, const char *cfg, const char *weights,
                     struct meta_error *error)
{
    char *own_cfg, *own_weights;
    if (meta_export_paths(out, &own_cfg, &own_weights, error)) return -1;
    const char *same = same_file(own_cfg, cfg) ? cfg
        : same_file(own_weights, weights)      ? weights
                                               : NULL;
    int status = 0;
    if (same)
        status = meta_fail(error,
                           "-out %s: would overwrite %s, which is adapted: must be another name",
                           out, same);
    else if (meta_file_check(own_weights, error) || meta_file_check(own_cfg, error)) status = -1;
    free(own_cfg);
    free(own_weights);
    return status;
}

/* Keeps others from writing the files until the end, and removes what one that was killed left. */
static int lock_out(struct parts *p, const char *out, struct meta_error *error)
{
    const struct meta_lock_words words = { "another run of meta adapt writes these files",
                                           "wait for it, or give this one another -out" };
    char *lock, *cfg, *weights;
    if (meta_export_paths(out, &cfg, &weights, error)) return -1;
    if (asprintf(&lock, "%s.lock", out) < 0) lock = NULL;
    int status = lock ? meta_lock_take(&p->lock, lock, 0, words, error) : meta_fail_memory(error);
    if (!status) {
        meta_lock_guard(&p->lock);
        meta_leftovers_remove(cfg, NULL);
        meta_leftovers_remove(weights, NULL);
    }
    free(lock);
    free(cfg);
    free(weights);
    return status;
}

static int load_base(struct parts *p, const char *weights, struct meta_error *error)
{
    struct meta_filled *f = &p->base.filled;
    f->network = p->model->network;
    p->base.learning_rate = p->model->inner->learning_rate;
    p->base.how = meta_rates_how_of(p->model->inner);
    p->base.imprint = p->model->inner->head == META_HEAD_IMPRINTED;
    return meta_weights_load(f->network, weights, &f->parameters, &f->statistics, error)
            || (p->base.how.kind
                && meta_rates_load(f->network, p->base.how, weights, &p->base.rates, error))
            || p->base.backend->open(error)
        ? -1
        : 0;
}

static int load_images(struct parts *p, struct meta_error *error)
{
    const struct meta_net_settings *net = &p->model->net;
    size_t size = meta_shape_numbers(p->model->network->input);
    const struct meta_dataset_source source = { .data = p->data,
                                                .list = p->data->train,
                                                .width = net->width,
                                                .height = net->height,
                                                .channels = net->channels,
                                                .orientation = net->orientation };
    if (meta_dataset_load(&p->dataset, &source, p->pool, error)) return -1;
    meta_tell_groups(p->data, p->dataset);
    meta_tell_depth(p->data, p->dataset);
    int n = p->dataset->count;
    p->images = malloc(n * size * sizeof *p->images);
    p->log_odds = malloc((size_t)n * p->data->classes * sizeof *p->log_odds);
    p->predicted = malloc(n * sizeof *p->predicted);
    p->distance = malloc(n * sizeof *p->distance);
    if (!p->images || !p->log_odds || !p->predicted || !p->distance)
        return meta_fail(error, "%s: out of memory for %d images", p->data->train, n);
    for (int k = 0; k < p->data->classes; k++) {
        int count = 0;
        for (int i = 0; i < n; i++) count += p->dataset->label[i] == k;
        if (!count)
            return meta_fail(error, "%s: has no image of %s: must have at least one of each class",
                             p->data->train, p->data->names[k]);
    }
    for (int i = 0; i < n; i++)
        meta_view_image(p->dataset, i, &(struct meta_view){ .net = net }, p->images + i * size);
    return 0;
}

static void warn(const struct meta_dataset *set, int i, const char *text)
{
    fprintf(stderr, "darknet: warning: %s:%d: %s: %s\n", set->list, set->lines[i], set->paths[i],
            text);
}

/* Leave-one-out leaves copies out together, but the support loss has them twice. */
static void warn_copies(const struct meta_dataset *d)
{
    char text[80];
    for (int i = 0; i < d->count; i++) {
        if (d->copy_of[i] < 0) continue;
        snprintf(text, sizeof text, "is the same image as line %d: counts twice",
                 d->lines[d->copy_of[i]]);
        warn(d, i, text);
    }
}

static int warn_images(struct parts *p, struct meta_error *error)
{
    const struct meta_dataset *d = p->dataset;
    const struct meta_unlike images = { "the meta-training", d->count, d->paths, d->list, d->lines,
                                        p->distance };
    warn_copies(d);
    if (meta_find_distance(&p->base, p->images, d->count, p->distance, error)) return -1;
    meta_warn_unlike(&images);
    return 0;
}

static int leave_out(struct parts *p, const struct meta_support *s, int steps, enum meta_bn bn,
                     struct meta_error *error)
{
    if (s->n > MOST_LEFT_OUT) {
        printf("leave-one-out: only up to %d images: with more, keep some out of the list and "
               "predict them\n",
               MOST_LEFT_OUT);
        return 0;
    }
    struct meta_leave_one_out how = { p->dataset->group, steps,       bn,
                                      p->pool,           p->log_odds, p->predicted };
    const struct meta_left_out answers = { p->dataset, p->log_odds, p->predicted };
    if (meta_leave_one_out(&p->base, s, &how, error)) return -1;
    return meta_print_left_out(&answers, error);
}

/* "NAME, NAME, NAME"; the caller frees. NULL: no memory. */
static char *class_names(const struct meta_data *data)
{
    char *names = strdup("");
    for (int k = 0; k < data->classes && names; k++) {
        char *longer;
        if (asprintf(&longer, "%s%s%s", names, k ? ", " : "", data->names[k]) < 0) longer = NULL;
        free(names);
        names = longer;
    }
    return names;
}

/* What the command line asks for. */
struct request {
    const char *out, *cfg, *weights, *temperature;
    int copies; /* of each image that it learns from */
    int steps, plain;
    enum meta_bn bn;
    enum meta_fold fold;
};

static int export(const struct parts *p, const struct request *r, struct meta_error *error)
{
    struct meta_filled f = meta_adapted_filled(p->adapted, r->bn);
    struct meta_network network;
    char *comment, *otherwise, heat[80] = "", *names = class_names(p->data);
    if (p->temperature.temperature != 0)
        snprintf(heat, sizeof heat, ", temperature %.6g", p->temperature.temperature);
    if (r->copies > 1)
        snprintf(heat, sizeof heat, ", %d copies of each (flips, quarter turns)", r->copies);
    if (!names
        || asprintf(&comment,
                    "%s and %s, adapted to %d images of %s: %d steps at %g, %s statistics%s%s\n%s",
                    r->cfg, r->weights, p->dataset->count, p->data->train, r->steps,
                    p->base.learning_rate, meta_bn_name(r->bn),
                    r->plain ? ", classes not balanced" : "", heat, names)
            < 0) {
        free(names);
        return meta_fail_memory(error);
    }
    struct meta_export how = { r->out, comment, r->fold, meta_net_exported(&p->model->net) };
    int status = meta_adapted_network(&network, p->adapted, r->bn, error);
    if (!status) {
        f.network = &network;
        status = meta_export(&f, &how, &otherwise, error);
        free(network.layers);
    }
    if (!status) {
        printf("written: %s.cfg and %s.weights\n", r->out, r->out);
        if (otherwise) printf("%s.cfg: %s\n", r->out, otherwise);
        free(otherwise);
    }
    free(names);
    free(comment);
    return status;
}

static int check_request(struct request *r, const char *kind, const char *balance,
                         struct meta_error *error)
{
    if (!r->out || !*r->out)
        return meta_fail(error,
                         "-out is missing: must be the name of the .cfg and the .weights to write");
    r->plain = !strcmp(balance, "none");
    if (!r->plain && strcmp(balance, "classes"))
        return meta_fail(error, "-balance %s: must be classes or none", balance);
    if (meta_bn_find(&r->bn, kind, error)) return -1;
    if (r->bn == META_BN_BATCH)
        return meta_fail(error,
                         "-bn batch: a file can't hold it, as a single image has no batch to be "
                         "normalised by: must be support or running");
    return check_out(r->out, r->cfg, r->weights, error);
}

static int check_copies(struct request *r, const struct parts *p, const char *value,
                        struct meta_error *error)
{
    const struct meta_net_settings *net = &p->model->net;
    int most = meta_turns(net->height, net->width);
    r->copies = meta_flag_int("-augment", value, 1, 1, 1000);
    if (r->copies <= most) return 0;
    return meta_fail(error, "-augment %d: must be 1 to %d, %s of %dx%d pixels", r->copies, most,
                     most > 4 ? "the flips and quarter turns" : "the flips", net->width,
                     net->height);
}

static int check_data(const struct parts *p, const char *path, const char *cfg,
                      struct meta_error *error)
{
    int outputs = meta_adapt_most_classes(p->model->network);
    if (!p->data->train)
        return meta_fail(error, "%s: has no train=: must be the list of the labelled images", path);
    if (p->data->classes < 2 || p->data->classes > outputs)
        return meta_fail(error, "%s: classes=%d: must be 2 to %d, which %s tells apart", path,
                         p->data->classes, outputs, cfg);
    return 0;
}

/* The temperature is that of as many images a class as there are on average. */
static int find_temperature(struct parts *p, const struct request *r, struct meta_error *error)
{
    const struct meta_temperature_use use = { p->data->classes,
                                              r->steps,
                                              p->base.learning_rate,
                                              meta_bn_name(r->bn),
                                              (double)p->dataset->count / p->data->classes,
                                              r->copies };
    if (meta_temperature_wish(&p->temperature, r->temperature, r->weights, &use, error)) return -1;
    p->base.temperature[r->bn] = p->temperature.temperature;
    meta_temperature_tell(&p->temperature);
    return 0;
}

static int adapt(struct parts *p, const struct request *r, struct meta_error *error)
{
    struct meta_support support = { p->images,        p->dataset->label, p->dataset->count,
                                    p->data->classes, r->plain,          r->copies };
    if (meta_adapt(&p->adapted, &p->base, &support, r->steps, error)) return -1;
    printf("%s: %d images of %d classes, %d steps at %g, %s statistics\n", p->data->train,
           support.n, support.classes, r->steps, p->base.learning_rate, meta_bn_name(r->bn));
    if (r->copies > 1)
        printf("%d copies of each image, flips and quarter turns: stock programs answer to an "
               "image "
               "as it is, `meta predict -augment %d` averages\n",
               r->copies, r->copies);
    printf("support loss: %.4f before, %.4f after\n", p->adapted->loss_before,
           p->adapted->loss_after);
    if (p->temperature.temperature != 0)
        printf("temperature %.4g of %s: divides the weights and biases before [softmax]\n",
               p->temperature.temperature, p->temperature.path);
    fflush(stdout);
    if (export(p, r, error)) return -1;
    fflush(stdout); /* leaving out takes an adaptation an image: whoever ends it has the files */
    return leave_out(p, &support, r->steps, r->bn, error) ? -1 : 0;
}

/* Several weights can't be exported: the error says what can be done. */
static int check_words(const char *weights, const char *several, const char *usage,
                       struct meta_error *error)
{
    if (several)
        return meta_fail(error,
                         "-weights: a .cfg of stock sections holds one network: adapt each "
                         "by itself, and give what comes of them to `meta predict -weights`");
    return weights ? 0
                   : meta_fail(error, "usage: darknet meta %s [flags]; -h explains them", usage);
}

int meta_command_adapt(int argc, char **argv)
{
    int all = 0, none = 0;
    const char *out = NULL, *step = NULL, *kind = "support", *threads = NULL, *backend = NULL,
               *balance = "classes", *temperature = NULL, *augment = NULL, *several = NULL;
    const struct meta_flag flags[] = {
        { "-out", "NAME", "writes NAME.cfg and NAME.weights", &out, NULL },
        { "-steps", "N", "steps of the inner loop ([inner_loop] test_steps)", &step, NULL },
        { "-bn", "KIND",
          "support or running (support): whose statistics normalise an image, those of these or of "
          "the meta-training",
          &kind, NULL },
        { "-fold", NULL,
          "folds the first layer's batch normalisation into its weights too, as it does the "
          "others'",
          NULL, &all },
        { "-no_fold", NULL, "keeps the batch normalisation of every convolution", NULL, &none },
        { "-balance", "KIND",
          "classes or none (classes): whether each class counts the same in the loss of the steps, "
          "or each image",
          &balance, NULL },
        { "-weights", "A,B,C", "is refused: adapt each, and `meta predict -weights` averages",
          &several, NULL },
        { "-augment", "N", "learns from N flips and quarter turns of each image, 1 to 8 (1)",
          &augment, NULL },
        { "-temperature", "KIND", META_TEMPERATURE_HELP, &temperature, NULL },
        { "-threads", "N", "worker threads of leave-one-out (the cores)", &threads, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
    };
    struct parts p = { .lock.fd = -1 };
    struct meta_error error;
    const struct meta_syntax syntax = { "adapt DATA CFG WEIGHTS -out NAME", 2, 3, flags,
                                        sizeof flags / sizeof *flags };
    int words = meta_flags_parse(argc, argv, &syntax);
    struct request r = { .out = out,
                         .cfg = argv[1],
                         .weights = words > 2 ? argv[2] : NULL,
                         .temperature = temperature,
                         .fold = all ? META_FOLD_ALL
                             : none  ? META_FOLD_NONE
                                     : META_FOLD_REST };
    int workers = meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    p.base.backend = meta_flag_backend(backend, "onednn");
    if (check_words(r.weights, several, syntax.usage, &error)
        || (all && none && meta_fail(&error, "-fold and -no_fold: must be one of them")))
        goto fail;
    if (check_request(&r, kind, balance, &error) || meta_model_load(&p.model, argv[1], &error)
        || meta_data_read(&p.data, argv[0], &error) || lock_out(&p, out, &error))
        goto fail;
    r.steps = meta_flag_int("-steps", step, p.model->inner->test_steps, 0, 1000);
    if (check_copies(&r, &p, augment, &error) || check_data(&p, argv[0], argv[1], &error)
        || load_base(&p, argv[2], &error) || meta_pool_create(&p.pool, workers, &error)
        || load_images(&p, &error) || find_temperature(&p, &r, &error))
        goto fail;
    if (warn_images(&p, &error) || adapt(&p, &r, &error)) goto fail;
    free_parts(&p);
    return 0;
fail:
    free_parts(&p);
    return meta_complain(&error);
}
