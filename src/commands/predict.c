/* darknet meta predict: prints class probabilities of images, and draws where they come from. */
#define _GNU_SOURCE
#include "engine/log_odds.h"
#include "tasks/view.h"
#include "base/clock.h"
#include "classifier.h"
#include "exact_text.h"
#include "flags.h"
#include "heat_pictures.h"
#include "base/json.h"
#include "adaptation/distance.h"
#include "images/image_paths.h"
#include "unlike.h"
#include "usage.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum form { FORM_DARKNET, FORM_CSV, FORM_JSON };

struct parts {
    struct meta_classifier classifier;
    struct meta_data *data;
    struct meta_mean_answer *predictor;
    struct meta_paths paths;
    struct meta_distance *measure;
    double *distance; /* (paths.count) NaN: the image could not be predicted */
    enum form form;
    cJSON *json; /* FORM_JSON: all images */
    float *image;
    double *log_odds;        /* (classes) of the image */
    int *order;              /* (classes) most likely first */
    int undrawn;             /* images whose picture was not written */
    int with_log_odds, ones; /* FORM_CSV, FORM_JSON: print them; images with a probability of 1 */

    struct meta_heat_pictures pictures;
};

static void free_parts(struct parts *p)
{
    meta_mean_answer_free(p->predictor);
    meta_heat_pictures_clear(&p->pictures);
    meta_distance_free(p->measure);
    free(p->distance);
    meta_paths_clear(&p->paths);
    cJSON_Delete(p->json);
    free(p->image);
    free(p->log_odds);
    free(p->order);
    meta_classifier_clear(&p->classifier);
    meta_data_free(p->data);
}

/* ---- loading --------------------------------------------------------------------------------- */

static int load_network(struct parts *p, struct meta_error *error)
{
    struct meta_classifier *c = &p->classifier;
    const struct meta_network *net = c->model->network;
    int outputs = meta_network_outputs(net);
    if (p->data->classes != outputs)
        return meta_fail(error, "%s: classes=%d: must be %d, the probabilities that %s gives",
                         p->data->path, p->data->classes, outputs, c->model->path);
    if (meta_classifier_check_order(c, p->data, error)) return -1;
    p->image = malloc(meta_shape_numbers(net->input) * sizeof *p->image);
    p->log_odds = malloc(outputs * sizeof *p->log_odds);
    p->order = malloc(outputs * sizeof *p->order);
    if (!p->image || !p->log_odds || !p->order)
        return meta_fail(error, "out of memory for an image");
    meta_classifier_warn_names(&(struct meta_class_order){ p->data->path, p->data->names, outputs },
                               &(struct meta_class_files){ c->model->path, c->weights.words,
                                                           c->weights.count });
    return meta_classifier_fill(c, error)
            || meta_mean_answer_create(&p->predictor, c->filled, c->weights.count, c->copies,
                                       c->backend, error)
            || meta_distance_create(&p->measure, c->filled, c->backend, error)
        ? -1
        : 0;
}

/* ---- one image ------------------------------------------------------------------------------- */

static double probability(const struct parts *p, int class)
{
    return meta_log_odds_probability(p->log_odds[class]);
}

/* Orders the classes by falling probability; of equals the first comes first. */
static void sort_classes(struct parts *p)
{
    for (int k = 0; k < p->data->classes; k++) {
        int at = k;
        for (; at > 0 && p->log_odds[p->order[at - 1]] < p->log_odds[k]; at--)
            p->order[at] = p->order[at - 1];
        p->order[at] = k;
    }
}

static int predict(struct parts *p, const char *path, double *seconds, struct meta_error *error)
{
    if (meta_view_file(path, p->data, &p->classifier.model->net, p->image, error)) return -1;
    double begun = meta_now();
    if (meta_mean_answer_run(p->predictor, p->image, p->log_odds, error)) return -1;
    *seconds = meta_now() - begun;
    if (meta_log_odds_lack(p->log_odds, p->data->classes))
        return meta_fail(error, "%s: the answer is no number", path);
    sort_classes(p);
    p->ones += probability(p, p->order[0]) == 1;
    return 0;
}

/* The answer stands without its picture. */
static void draw(struct parts *p, const char *path)
{
    struct meta_error why;
    if (!p->pictures.folder
        || !meta_heat_pictures_write(&p->pictures, path, p->image, p->order[0], &why))
        return;
    p->undrawn++;
    meta_complain(&why);
}

/* ---- output ---------------------------------------------------------------------------------- */

static void print_csv_header(const struct parts *p)
{
    printf("image,class");
    for (int k = 0; k < p->data->classes; k++) {
        putchar(',');
        meta_print_csv_text(p->data->names[k], "");
    }
    for (int k = 0; p->with_log_odds && k < p->data->classes; k++) {
        putchar(',');
        meta_print_csv_text(p->data->names[k], " log-odds");
    }
    putchar('\n');
}

static void print_csv(const struct parts *p, const char *path)
{
    char text[META_NUMBER_TEXT];
    meta_print_csv_text(path, "");
    putchar(',');
    meta_print_csv_text(p->data->names[p->order[0]], "");
    for (int k = 0; k < p->data->classes; k++)
        printf(",%s", meta_number_text(probability(p, k), text));
    for (int k = 0; p->with_log_odds && k < p->data->classes; k++)
        printf(",%s", meta_number_text(p->log_odds[k], text));
    putchar('\n');
}

/* Prints the lines of the stock program. */
static void print_darknet(const struct parts *p, const char *path, double seconds)
{
    printf("%s: Predicted in %f seconds.\n", path, seconds);
    for (int k = 0; k < p->data->classes; k++)
        printf("%5.2f%%: %s\n", probability(p, p->order[k]) * 100, p->data->names[p->order[k]]);
}

static void add_json(struct parts *p, const char *path, const char *failure)
{
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "image", path);
    if (failure) cJSON_AddStringToObject(one, "error", failure);
    else {
        cJSON_AddStringToObject(one, "class", p->data->names[p->order[0]]);
        cJSON *all = cJSON_AddObjectToObject(one, "probabilities");
        for (int k = 0; k < p->data->classes; k++)
            meta_json_add_exact(all, p->data->names[k], probability(p, k));
        all = p->with_log_odds ? cJSON_AddObjectToObject(one, "log_odds") : NULL;
        for (int k = 0; all && k < p->data->classes; k++)
            meta_json_add_exact(all, p->data->names[k], p->log_odds[k]);
    }
    cJSON_AddItemToArray(p->json, one);
}

static int print_json(const struct parts *p, struct meta_error *error)
{
    char *text = meta_json_print(p->json);
    if (!text) return meta_fail_memory(error);
    puts(text);
    free(text);
    return 0;
}

/* Tells of the files that were not read, `bad` images among them, and of images that are unlike
   those that the network knows. */
static void warn(const struct parts *p, int bad)
{
    const struct meta_paths *paths = &p->paths;
    const struct meta_unlike images = { .known = p->classifier.weights.words[0],
                                        .count = paths->count,
                                        .paths = paths->path,
                                        .distance = p->distance };
    meta_warn_unlike(&images);
    for (int i = 0; i < paths->others; i++)
        fprintf(stderr,
                "darknet: warning: %s: not read: its name ends in none of " META_IMAGE_ENDINGS "\n",
                paths->other[i]);
    if (paths->folders && bad + paths->others)
        fprintf(stderr, "darknet: warning: %d of %d files were not read\n", bad + paths->others,
                paths->count + paths->others);
}

/* *bad is the number of images that could not be predicted. */
static int run(struct parts *p, int *bad, struct meta_error *error)
{
    struct meta_error why;
    if (!(p->distance = malloc((p->paths.count + 1) * sizeof *p->distance)))
        return meta_fail(error, "out of memory for %d paths", p->paths.count);
    if (p->form == FORM_CSV) print_csv_header(p);
    for (int i = 0; i < p->paths.count; i++) {
        const char *path = p->paths.path[i];
        double seconds = 0;
        int failed = predict(p, path, &seconds, &why);
        p->distance[i] = failed ? NAN : meta_distance_of(p->measure, p->image, &why);
        failed |= isnan(p->distance[i]);
        if (failed) {
            ++*bad;
            meta_complain(&why);
        }
        if (p->form == FORM_JSON) add_json(p, path, failed ? why.text : NULL);
        else if (!failed && p->form == FORM_CSV) print_csv(p, path);
        else if (!failed) print_darknet(p, path, seconds);
        if (!failed) draw(p, path);
    }
    if (p->form != FORM_DARKNET && p->ones > 1 && !p->with_log_odds)
        fprintf(stderr,
                "darknet: %d images have a class of probability 1: -log_odds tells them apart\n",
                p->ones);
    if (p->form == FORM_JSON && print_json(p, error)) return -1;
    fflush(stdout);
    warn(p, *bad);
    return 0;
}

/* What the command line asks for, and its words. */
struct request {
    struct meta_classifier_words classifier;
    const char *data;
    char **words; /* (count) of them */
    int count;
};

/* The words are CFG WEIGHTS DATA IMAGE..., or with -weights CFG DATA IMAGE... */
static int take_words(struct request *r, const char *usage, struct meta_error *error)
{
    if (r->count < (r->classifier.several ? 3 : 4))
        return meta_fail(error, "usage: darknet meta %s [flags]; -h explains them", usage);
    r->classifier.cfg = r->words[0];
    r->classifier.weights = r->words[1];
    int before = r->classifier.several ? 1 : 2;
    r->data = r->words[before];
    r->words += before + 1;
    r->count -= before + 1;
    return 0;
}

static int load(struct parts *p, const struct request *r, struct meta_error *error)
{
    return meta_classifier_open(&p->classifier, &r->classifier, error)
            || meta_data_read(&p->data, r->data, error) || load_network(p, error)
            || meta_paths_find(&p->paths, r->words, r->count, error)
            || meta_heat_pictures_open(&p->pictures, &p->classifier, p->data, &p->paths, error)
        ? -1
        : 0;
}

int meta_command_predict(int argc, char **argv)
{
    int csv = 0, json = 0, bad = 0, strict = 0;
    const char *backend = NULL;
    struct parts p = { 0 };
    struct request r = { 0 };
    const struct meta_flag flags[] = {
        { "-csv", NULL, "a line an image: image, class, and each class's probability", NULL, &csv },
        { "-json", NULL, "the same as JSON", NULL, &json },
        { "-log_odds", NULL,
          "in -csv and -json each class's log(p/(1-p)), too: it ranks images where p is 1", NULL,
          &p.with_log_odds },
        { "-heat", "DIR",
          "writes DIR/IMAGE.png, each image with where the network saw its class (Grad-CAM of the "
          "last convolution that gives a map)",
          &p.pictures.folder, NULL },
        { "-raw", NULL, "predicts with a network of meta-training that is not adapted, too", NULL,
          &r.classifier.raw },
        { "-augment", "N",
          "averages the answers to N copies of each image: flips and quarter turns, up to 8 (1)",
          &r.classifier.augment, NULL },
        { "-weights", "A,B,C",
          "averages the answers of several networks of CFG, in place of WEIGHTS",
          &r.classifier.several, NULL },
        { "-strict", NULL, "ends with 1 where a file of a FOLDER is no image by its name, too",
          NULL, &strict },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
    };
    struct meta_error error;
    const struct meta_syntax syntax = { "predict CFG WEIGHTS DATA IMAGE|LIST|FOLDER...", 3, 1 << 30,
                                        flags, sizeof flags / sizeof *flags };
    r.count = meta_flags_parse(argc, argv, &syntax);
    r.words = argv;
    p.form = csv ? FORM_CSV : json ? FORM_JSON : FORM_DARKNET;
    r.classifier.backend = meta_flag_backend(backend, "onednn");
    r.classifier.remedy = "`meta adapt` makes a classifier of it; -raw predicts nevertheless";
    if (csv && json) {
        meta_fail(&error, "-csv and -json: must be one of them");
        goto fail;
    }
    if (p.with_log_odds && !csv && !json) {
        meta_fail(&error, "-log_odds: must be with -csv or -json");
        goto fail;
    }
    if (json && !(p.json = cJSON_CreateArray())) {
        meta_fail_memory(&error);
        goto fail;
    }
    if (take_words(&r, syntax.usage, &error) || load(&p, &r, &error)) goto fail;
    if (run(&p, &bad, &error)) goto fail;
    bad += p.undrawn + (strict ? p.paths.others : 0);
    free_parts(&p);
    return bad > 0;
fail:
    free_parts(&p);
    return meta_complain(&error);
}
