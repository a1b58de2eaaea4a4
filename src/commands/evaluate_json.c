/* Writes the figures of `meta evaluate` as JSON, and its answers as CSV. */
#define _GNU_SOURCE
#include "evaluate_print.h"
#include "base/csv.h"
#include "base/head.h"
#include "base/json.h"
#include "base/text.h"
#include "exact_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_interval(cJSON *to, const char *name, const struct meta_interval *i)
{
    cJSON *one = cJSON_AddObjectToObject(to, name);
    meta_json_add_exact(one, "value", i->value);
    meta_json_add_exact(one, "error", i->error);
    meta_json_add_exact(one, "low", i->low);
    meta_json_add_exact(one, "high", i->high);
    if (i->why) cJSON_AddStringToObject(one, "why", i->why);
}

/* A mean over the classes that have images, and how many they are. */
static int add_mean(cJSON *to, const char *name, const struct meta_interval *i,
                    const struct meta_assessment_report *r, struct meta_error *error)
{
    struct meta_interval mean = *i;
    const char *lacking = meta_report_lacking(r, i);
    char *why = NULL;
    if (lacking && asprintf(&why, "no image of the class %s", lacking) < 0)
        return meta_fail_memory(error);
    if (lacking) mean.why = why;
    add_interval(to, name, &mean);
    cJSON_AddNumberToObject(cJSON_GetObjectItemCaseSensitive(to, name), "classes",
                            r->figures->present);
    free(why);
    return 0;
}

static void add_ece(cJSON *to, const struct meta_estimate *e)
{
    const struct meta_interval i = { e->mean, e->error, e->low, e->high,
                                     isnan(e->low) ? "fewer than two groups: no interval" : NULL };
    add_interval(to, "ece", &i);
}

static void add_class(cJSON *to, const struct meta_assessment_report *r, int k)
{
    const struct meta_class_figures *c = &r->figures->class[k];
    cJSON *one = cJSON_CreateObject();
    cJSON_AddStringToObject(one, "class", r->names[k]);
    cJSON_AddNumberToObject(one, "images", c->images);
    cJSON_AddNumberToObject(one, "groups", c->groups);
    add_interval(one, "auc", &c->auc);
    add_interval(one, "recall", &c->recall);
    if (r->thresholds) {
        double odds = r->thresholds[k].log_odds;
        meta_json_add_exact(one, "threshold_log_odds", odds);
        meta_json_add_exact(one, "threshold", meta_assess_probability(odds));
        cJSON_AddNumberToObject(one, "threshold_images", r->thresholds[k].images);
        cJSON_AddNumberToObject(one, "threshold_groups", r->thresholds[k].groups);
        add_interval(one, "sensitivity", &c->sensitivity);
        add_interval(one, "specificity", &c->specificity);
    }
    cJSON *answers = cJSON_AddObjectToObject(one, "answers");
    for (int a = 0; a < r->figures->classes; a++)
        cJSON_AddNumberToObject(answers, r->names[a],
                                r->figures->confusion[k * r->figures->classes + a]);
    cJSON_AddItemToArray(to, one);
}

static void add_pairs(cJSON *root, const struct meta_assessment_report *r)
{
    int classes = r->figures->classes;
    cJSON *pairs = cJSON_AddArrayToObject(root, "pairs");
    for (int a = 0; a < classes; a++)
        for (int b = a + 1; b < classes; b++) {
            cJSON *one = cJSON_CreateObject();
            cJSON_AddStringToObject(one, "a", r->names[a]);
            cJSON_AddStringToObject(one, "b", r->names[b]);
            add_interval(one, "auc", &r->figures->pairs[a * classes + b]);
            cJSON_AddItemToArray(pairs, one);
        }
}

static void add_bins(cJSON *root, const struct meta_assessment_report *r)
{
    cJSON *bins = cJSON_AddArrayToObject(root, "bins");
    for (int b = 0; b < META_CALIBRATION_BINS; b++) {
        const struct meta_calibration_bin *own = &r->figures->bins[b];
        cJSON *one = cJSON_CreateObject();
        meta_json_add_exact(one, "count", own->count);
        meta_json_add_exact(one, "confidence", own->confidence);
        meta_json_add_exact(one, "correct", own->correct);
        cJSON_AddItemToArray(bins, one);
    }
}

static void add_learned(cJSON *root, const struct meta_assessment_report *r)
{
    cJSON *learned = cJSON_AddArrayToObject(root, "learned");
    for (int i = 0; i < r->assessed->clusters.count; i++)
        if (r->learned[i]) cJSON_AddItemToArray(learned, cJSON_CreateString(r->paths[i]));
    cJSON_AddNumberToObject(root, "beside_learned", r->beside);
    cJSON *untold = cJSON_AddArrayToObject(root, "learned_untold");
    for (int i = 0; i < r->untold_count; i++)
        cJSON_AddItemToArray(untold, cJSON_CreateString(r->untold[i]));
}

int meta_evaluate_json_is(const char *path) { return meta_head_is(path, "{\"cfg\":"); }

int meta_evaluate_json(const char *path, const struct meta_assessment_report *r,
                       struct meta_error *error)
{
    const struct meta_assessment *f = r->figures;
    cJSON *root = cJSON_CreateObject();
    if (!root) return meta_fail_memory(error);
    cJSON_AddStringToObject(root, "cfg", r->cfg);
    cJSON_AddStringToObject(root, "weights", r->weights);
    cJSON_AddStringToObject(root, "list", r->images);
    cJSON_AddNumberToObject(root, "images", r->assessed->clusters.count);
    if (r->copies > 1) cJSON_AddNumberToObject(root, "copies", r->copies);
    cJSON_AddBoolToObject(root, "grouped", r->grouped);
    cJSON_AddNumberToObject(root, "groups", r->assessed->clusters.groups);
    cJSON_AddNumberToObject(root, "images_without_group", r->groupless);
    add_interval(root, "accuracy", &f->accuracy);
    int status = add_mean(root, "balanced_accuracy", &f->balanced, r, error)
        || add_mean(root, "auc", &f->auc, r, error);
    add_interval(root, "nll", &f->nll);
    add_interval(root, "brier", &f->brier);
    add_ece(root, &f->ece);
    if (r->thresholds) {
        meta_json_add_exact(root, "sensitivity", r->sensitivity);
        cJSON_AddStringToObject(root, "chosen_on", r->chosen_on);
        cJSON *told = cJSON_AddArrayToObject(root, "chosen_on_warnings");
        for (int i = 0; i < r->chosen_told_count; i++)
            cJSON_AddItemToArray(told, cJSON_CreateString(r->chosen_told[i]));
    }
    cJSON *classes = cJSON_AddArrayToObject(root, "classes");
    for (int k = 0; k < f->classes; k++) add_class(classes, r, k);
    add_pairs(root, r);
    add_bins(root, r);
    add_learned(root, r);
    if (!status) status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    return status ? -1 : 0;
}

/* ---- CSV ------------------------------------------------------------------------------------- */

static const char header[] = "image,class,answer,group,learned";

static void write_name(FILE *f, const char *name, const char *rest)
{
    struct meta_text text;
    struct meta_error error;
    char *whole = NULL;
    if (!meta_text_begin(&text, &error)) {
        fprintf(text.file, "%s%s", name, rest);
        meta_text_end(&text, 0, &whole, &error);
    }
    meta_csv_write_field(f, whole ? whole : name);
    free(whole);
}

static void write_row(FILE *f, const struct meta_assessment_report *r, int image)
{
    char text[META_NUMBER_TEXT];
    int classes = r->figures->classes;
    const double *own = r->assessed->log_odds + (size_t)image * classes;
    meta_csv_write_field(f, r->paths[image]);
    putc(',', f);
    meta_csv_write_field(f, r->names[r->assessed->labels[image]]);
    putc(',', f);
    meta_csv_write_field(f, r->names[meta_assess_answer(own, classes)]);
    fprintf(f, ",%d,%d", r->assessed->clusters.group[image], r->learned[image]);
    for (int k = 0; k < classes; k++)
        fprintf(f, ",%s", meta_number_text(meta_assess_probability(own[k]), text));
    for (int k = 0; k < classes; k++) fprintf(f, ",%s", meta_number_text(own[k], text));
    putc('\n', f);
}

int meta_evaluate_csv_is(const char *path) { return meta_head_is(path, header); }

int meta_evaluate_csv(const char *path, const struct meta_assessment_report *r,
                      struct meta_error *error)
{
    struct meta_text text;
    if (meta_text_begin(&text, error)) return -1;
    fputs(header, text.file);
    for (int log_odds = 0; log_odds < 2; log_odds++)
        for (int k = 0; k < r->figures->classes; k++) {
            putc(',', text.file);
            write_name(text.file, r->names[k], log_odds ? " log-odds" : "");
        }
    putc('\n', text.file);
    for (int i = 0; i < r->assessed->clusters.count; i++) write_row(text.file, r, i);
    return meta_text_write(&text, 0, path, error);
}
