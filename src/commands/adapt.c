/* darknet meta adapt: makes a .cfg and .weights for any Darknet out of a meta-trained network and a
   few labelled images. */
#include "adapt_request.h"
#include "adaptation/class_notes.h"
#include "adaptation/own_files.h"
#include "adaptation/support_check.h"
#include "adaptation/support_files.h"
#include "base/file.h"
#include "base/pool.h"
#include "base/text.h"
#include "config/inner_text.h"
#include "config/stock_form.h"
#include "console.h"
#include "engine/log_odds.h"
#include "flags.h"
#include "learning/rates_file.h"
#include "left_out.h"
#include "network/weights.h"
#include "onnx_file.h"
#include "tasks/view.h"
#include "tell_labelled.h"
#include "temperature_flag.h"
#include "unlike.h"
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

static int load_base(struct parts *p, const struct meta_adapt_request *r, struct meta_error *error)
{
    struct meta_filled *f = &p->base.filled;
    p->base.backend = r->backend;
    f->network = p->model->network;
    p->base.learning_rate = p->model->inner->learning_rate;
    p->base.how = meta_rates_how_of(p->model->inner);
    p->base.rule = meta_rule_how_of(p->model->inner);
    p->base.imprint = p->model->inner->head == META_HEAD_IMPRINTED;
    return meta_weights_load(f->network, r->weights, &f->parameters, &f->statistics, error)
            || (p->base.how.kind
                && meta_rates_load(f->network, p->base.how, r->weights, &p->base.rates, error))
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
    meta_tell_labelled(p->data->labelled);
    meta_warn_groupless(p->data, p->dataset);
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

static int warn(struct parts *p, const struct meta_adapt_request *r, struct meta_error *error)
{
    const struct meta_dataset *d = p->dataset;
    const struct meta_unlike images = { "the meta-training", d->count, d->paths, d->list, d->lines,
                                        p->distance };
    if (r->steps) meta_warn_rates(p->model->inner, r->weights);
    meta_warn_copies(d);
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
    struct meta_leave_one_out how = { p->dataset->group, p->dataset->paths, steps,       bn,
                                      p->pool,           p->log_odds,       p->predicted };
    const struct meta_left_out answers = { p->dataset, p->log_odds, p->predicted };
    if (meta_leave_one_out(&p->base, s, &how, error)) return -1;
    return meta_print_left_out(&answers, error);
}

/* The head of the .cfg: what it was made of, its classes, and the images that it has learned. The
   caller frees; NULL: no memory. */
static char *comment_of(const struct parts *p, const struct meta_adapt_request *r,
                        struct meta_error *error)
{
    struct meta_text text;
    char *comment, rates[META_RATES_WORDS];
    if (meta_text_begin(&text, error)) return NULL;
    fprintf(text.file, "%s and %s" META_ADAPTED "%d images of %s: %d steps at %s, %s statistics%s",
            r->cfg, r->weights, p->dataset->count, p->data->train, r->steps,
            meta_rates_words(rates, p->base.how.kind, p->base.learning_rate), meta_bn_name(r->bn),
            r->plain ? ", classes not balanced" : "");
    if (p->temperature.temperature != 0)
        fprintf(text.file, ", temperature %.6g", p->temperature.temperature);
    if (r->copies > 1) fprintf(text.file, ", %d copies of each (flips, quarter turns)", r->copies);
    meta_class_notes(text.file, p->data);
    meta_support_files_note(text.file, p->dataset);
    return meta_text_end(&text, 0, &comment, error) ? NULL : comment;
}

/* Files beside the .cfg and the .weights that are begun, and become new with these. */
struct beside {
    struct meta_new_file *named[2], *onnx; /* NULL: is not written */
};

static int begin_beside(struct beside *b, const struct parts *p, const struct meta_filled *f,
                        const struct meta_adapt_request *r, const char *comment,
                        struct meta_error *error)
{
    if (r->files.named
        && (meta_adapt_files_names(b->named, r->out, p->data, p->dataset, error)
            || meta_new_file_sync(b->named[0], error) || meta_new_file_sync(b->named[1], error)))
        return -1;
    if (!r->onnx) return 0;
    char *first = strndup(comment, strcspn(comment, "\n")); /* of the comment, for people */
    int status = first ? meta_begin_onnx(&b->onnx, f, p->data, first, r->onnx, error)
                       : meta_fail_memory(error);
    free(first);
    return status ? status : meta_new_file_sync(b->onnx, error);
}

/* Frees them, also after a failure. */
static int end_beside(struct beside *b, int status, struct meta_error *error)
{
    if (status) {
        for (int i = 0; i < 2; i++) meta_new_file_drop(b->named[i]);
        meta_new_file_drop(b->onnx);
        return status;
    }
    if (b->named[0]) status = meta_new_file_end_two(b->named[0], b->named[1], error);
    if (status) meta_new_file_drop(b->onnx);
    else if (b->onnx) status = meta_new_file_end(b->onnx, error);
    return status;
}

/* Writes the network f. All bytes are on the disk before a file becomes new: what may fail behind
   that are renames and the folder's sync. */
static int write_network(const struct parts *p, const struct meta_filled *f,
                         const struct meta_adapt_request *r, char **otherwise,
                         struct meta_error *error)
{
    struct beside beside = { { NULL, NULL }, NULL };
    char *comment = comment_of(p, r, error);
    if (!comment) return -1;
    struct meta_export how = { r->out, comment, r->fold, meta_net_exported(&p->model->net) };
    int status = begin_beside(&beside, p, f, r, comment, error);
    if (!status) status = meta_export(f, &how, otherwise, error);
    free(comment);
    return end_beside(&beside, status, error);
}

static void tell_written(const struct meta_adapt_request *r, const char *otherwise)
{
    if (r->files.named)
        printf("written: %s.cfg, %s.weights, %s.names and %s.data\n", r->out, r->out, r->out,
               r->out);
    else printf("written: %s.cfg and %s.weights\n", r->out, r->out);
    if (r->files.named && strpbrk(r->out, " \t"))
        printf("stock Darknet takes blanks out of the paths of %s.data: it would not find its "
               "files\n",
               r->out);
    if (r->onnx) printf("written: %s\n", r->onnx);
    else meta_adapt_files_warn(r->out);
    if (otherwise) printf("%s.cfg: %s\n", r->out, otherwise);
}

static int write_files(const struct parts *p, const struct meta_adapt_request *r,
                       struct meta_error *error)
{
    struct meta_filled f = meta_adapted_filled(p->adapted, r->bn), stock;
    struct meta_network network;
    char *otherwise = NULL;
    if (meta_adapted_network(&network, p->adapted, r->bn, error)) return -1;
    f.network = &network;
    int status = meta_stock_form(&stock, &f, r->cfg, error);
    if (!status) status = write_network(p, stock.network ? &stock : &f, r, &otherwise, error);
    meta_filled_clear(&stock);
    free(network.layers);
    if (!status) tell_written(r, otherwise);
    free(otherwise);
    return status;
}

/* The note tells a later run whose files these are, if this one is killed before it has written the
   .cfg. */
static int export(struct parts *p, const struct meta_adapt_request *r, struct meta_error *error)
{
    struct meta_error ignored;
    int status = meta_lock_write_note(&p->lock, "is writing", error) ? -1
                                                                     : write_files(p, r, error);
    meta_lock_write_note(&p->lock, "", &ignored);
    return status;
}

/* Plugins' layers that can't be exported are found before anything is learned. */
static int check_stock_form(const struct parts *p, const char *cfg, struct meta_error *error)
{
    struct meta_filled stock;
    int status = meta_stock_form(&stock, &p->base.filled, cfg, error);
    meta_filled_clear(&stock);
    return status;
}

/* The temperature is that of as many images a class as there are on average. */
static int find_temperature(struct parts *p, const struct meta_adapt_request *r,
                            struct meta_error *error)
{
    char inner[META_TEMPERATURE_INNER];
    const struct meta_temperature_use use = { p->data->classes,
                                              r->steps,
                                              p->base.learning_rate,
                                              meta_bn_name(r->bn),
                                              (double)p->dataset->count / p->data->classes,
                                              r->copies,
                                              inner };
    meta_inner_text(inner, p->model);
    if (meta_temperature_wish(&p->temperature, r->temperature, r->weights, &use, error)) return -1;
    p->base.temperature[r->bn] = p->temperature.temperature;
    meta_temperature_tell(&p->temperature);
    return 0;
}

static int adapt(struct parts *p, const struct meta_adapt_request *r, struct meta_error *error)
{
    struct meta_support support = { p->images,        p->dataset->label, p->dataset->count,
                                    p->data->classes, r->plain,          r->copies };
    if (meta_adapt(&p->adapted, &p->base, &support, r->steps, error)) return -1;
    char rates[META_RATES_WORDS];
    printf("%s: %d images of %d classes, %d steps at %s, %s statistics\n", p->data->train,
           support.n, support.classes, r->steps,
           meta_rates_words(rates, p->base.how.kind, p->base.learning_rate), meta_bn_name(r->bn));
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

int meta_command_adapt(int argc, char **argv)
{
    struct parts p = { .lock.fd = -1 };
    struct meta_adapt_request r;
    struct meta_error error;
    if (meta_adapt_request_read(&r, argc, argv, &error) || meta_model_load(&p.model, r.cfg, &error)
        || meta_data_open(&p.data, r.data, &r.said, &error)
        || meta_adapt_request_check(&r, p.model, p.data, &error)
        || meta_adapt_files_lock(&p.lock, r.out, &error) || load_base(&p, &r, &error)
        || check_stock_form(&p, r.cfg, &error) || meta_pool_create(&p.pool, r.workers, &error)
        || load_images(&p, &error) || find_temperature(&p, &r, &error) || warn(&p, &r, &error)
        || adapt(&p, &r, &error)) {
        free_parts(&p);
        meta_adapt_request_clear(&r);
        return meta_complain(&error);
    }
    free_parts(&p);
    meta_adapt_request_clear(&r);
    return 0;
}
