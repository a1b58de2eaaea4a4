/* Writes the JSON file of `meta test`, and gathers the tasks by the pairs of classes that they
   have. */
#include "results.h"
#include "base/checksum.h"
#include "base/json.h"
#include "curve.h"
#include "learning/rates_file.h"
#include "stats/estimate_json.h"
#include "stats/roc.h"
#include "tasks/identity.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The AUCs of two classes of one task; `place` keeps the order of the tasks in a sort. */
struct pair {
    int a, b, place;
    double before, after;
};

static int by_classes(const void *p, const void *q)
{
    const struct pair *x = p, *y = q;
    if (x->a != y->a) return x->a < y->a ? -1 : 1;
    if (x->b != y->b) return x->b < y->b ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

int meta_results_pairs(struct meta_pair_row **rows, int *count, const struct meta_run *runs,
                       const struct meta_evaluation *e, struct meta_error *error)
{
    int ways = e->episode.ways, n = 0;
    size_t most = (size_t)e->runs * ways * (ways - 1) / 2;
    struct pair *pairs = most < INT_MAX ? malloc((most + 1) * sizeof *pairs) : NULL;
    *rows = pairs ? malloc((most + 1) * sizeof **rows) : NULL;
    *count = 0;
    if (!pairs || !*rows) {
        free(pairs);
        free(*rows);
        return meta_fail_memory(error);
    }
    for (int r = 0; r < e->runs; r++)
        for (int i = 0, pair = 0; i < ways; i++)
            for (int j = i + 1; j < ways; j++, pair++, n++) {
                int k = runs[r].classes[i], l = runs[r].classes[j];
                pairs[n] = (struct pair){ k < l ? k : l, k < l ? l : k, n,
                                          runs[r].pairs_before[pair], runs[r].pairs_after[pair] };
            }
    qsort(pairs, n, sizeof *pairs, by_classes);
    for (int i = 0, k; i < n; i = k) {
        const struct pair *p = &pairs[i];
        for (k = i + 1; k < n && pairs[k].a == p->a && pairs[k].b == p->b;) k++;
        (*rows)[(*count)++] =
            (struct meta_pair_row){ p->a, p->b, meta_estimate_share(&p->before, sizeof *p, k - i),
                                    meta_estimate_share(&p->after, sizeof *p, k - i) };
    }
    free(pairs);
    return 0;
}

static int add_file(cJSON *files, const char *what, const char *path, struct meta_error *error)
{
    char text[16];
    uint32_t crc;
    size_t size;
    if (meta_checksum_file(path, &crc, &size, error)) return -1;
    snprintf(text, sizeof text, "%08x", crc);
    cJSON *j = cJSON_AddObjectToObject(files, what);
    cJSON_AddStringToObject(j, "path", path);
    cJSON_AddItemToObject(j, "bytes", meta_json_number(size));
    cJSON_AddStringToObject(j, "crc32", text);
    return 0;
}

/* The learned rates, which lie beside the weights. */
static int add_rates(cJSON *files, const struct meta_results *r, struct meta_error *error)
{
    if (!r->evaluation->rates || !r->weights) return 0;
    char *path = meta_rates_path(r->weights);
    int status = path ? add_file(files, "rates", path, error) : meta_fail_memory(error);
    free(path);
    return status;
}

/* Those behind the first, as "weights_2" and on. */
static int add_more_weights(cJSON *files, const struct meta_results *r, struct meta_error *error)
{
    char name[32];
    for (int i = 1; i <= r->evaluation->more; i++) {
        snprintf(name, sizeof name, "weights_%d", i + 1);
        if (add_file(files, name, r->more_weights[i], error)) return -1;
    }
    return 0;
}

/* The answers of other tests, as "with_1" and on. */
static int add_with(cJSON *files, const struct meta_results *r, struct meta_error *error)
{
    char name[32];
    for (int i = 0; i < r->evaluation->with_count; i++) {
        snprintf(name, sizeof name, "with_%d", i + 1);
        if (add_file(files, name, r->with[i], error)) return -1;
    }
    return 0;
}

/* The digest of the images that the list names. */
static int add_images(cJSON *files, const struct meta_dataset *dataset, struct meta_error *error)
{
    char text[META_DIGEST_TEXT];
    struct meta_identity id;
    if (meta_identity(&id, dataset, error)) return -1;
    meta_digest_text(text, id.images);
    cJSON *j = cJSON_AddObjectToObject(files, "images");
    cJSON_AddNumberToObject(j, "count", dataset->count);
    cJSON_AddStringToObject(j, "xxh3_128", text);
    return 0;
}

void meta_results_settings(cJSON *s, const struct meta_results *r)
{
    const struct meta_evaluation *e = r->evaluation;
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)e->seed);
    cJSON_AddStringToObject(s, "list", r->list_name);
    cJSON_AddStringToObject(s, "seed", seed); /* a JSON number holds 53 bits */
    cJSON_AddNumberToObject(s, "runs", e->runs);
    cJSON_AddNumberToObject(s, "ways", e->episode.ways);
    cJSON_AddNumberToObject(s, "shots", e->episode.shots);
    cJSON_AddNumberToObject(s, "queries", e->episode.queries);
    cJSON_AddStringToObject(s, "method", e->method->name);
    if (e->method->add_settings) e->method->add_settings(s, r->model, e);
    if (e->with_count) cJSON_AddNumberToObject(s, "with", e->with_count);
    if (e->temper)
        cJSON_AddItemToObject(s, "temper", cJSON_CreateDoubleArray(e->temper, 1 + e->with_count));
    if (e->temperature != 0) cJSON_AddNumberToObject(s, "temperature", e->temperature);
    cJSON_AddStringToObject(s, "backend", r->backend);
    if (meta_dataset_scaled(r->dataset)) cJSON_AddStringToObject(s, "decode", "scaled");
    if (meta_dataset_white(r->dataset))
        cJSON_AddNumberToObject(s, "range", meta_dataset_white(r->dataset));
}

/* The last two figures are of probabilities. */
static void add_figures(cJSON *root, const struct meta_run *runs, const struct meta_evaluation *e)
{
    const struct {
        const char *name;
        size_t offset;
        double least, most;
    } figures[] = { { "auc_before", offsetof(struct meta_run, auc_before), 0, 1 },
                    { "auc_after", offsetof(struct meta_run, auc_after), 0, 1 },
                    { "auc_gain", offsetof(struct meta_run, auc_gain), -1, 1 },
                    { "accuracy_before", offsetof(struct meta_run, accuracy_before), 0, 1 },
                    { "accuracy_after", offsetof(struct meta_run, accuracy_after), 0, 1 },
                    { "query_loss", offsetof(struct meta_run, query_loss), 0, INFINITY },
                    { "nll", offsetof(struct meta_run, calibration.nll), 0, INFINITY },
                    { "brier", offsetof(struct meta_run, calibration.brier), 0,
                      meta_calibration_worst(e->episode.ways) } };
    size_t count = sizeof figures / sizeof *figures - (e->method->probabilities ? 0 : 2);
    for (size_t i = 0; i < count; i++) {
        const double *first = (const double *)((const char *)runs + figures[i].offset);
        struct meta_estimate mean = meta_estimate(first, sizeof *runs, e->runs);
        mean = meta_estimate_within(mean, figures[i].least, figures[i].most);
        cJSON_AddItemToObject(root, figures[i].name, meta_json_estimate(mean));
    }
}

/* The calibration error, and the bins that it is of, over all query images. */
static void add_calibration(cJSON *root, const struct meta_results *r)
{
    struct meta_calibration_bin sum[META_CALIBRATION_BINS] = { 0 };
    if (!r->evaluation->method->probabilities) return;
    cJSON_AddItemToObject(root, "ece", meta_json_estimate(r->ece));
    for (int i = 0; i < r->evaluation->runs; i++)
        meta_calibration_add(sum, r->runs[i].calibration.bins);
    cJSON *bins = cJSON_AddArrayToObject(root, "bins");
    for (int b = 0; b < META_CALIBRATION_BINS; b++) {
        cJSON *bin = cJSON_CreateObject();
        cJSON_AddItemToObject(bin, "count", meta_json_number(sum[b].count));
        cJSON_AddItemToObject(bin, "confidence", meta_json_number(sum[b].confidence));
        cJSON_AddItemToObject(bin, "correct", meta_json_number(sum[b].correct));
        cJSON_AddItemToArray(bins, bin);
    }
}

/* Over the tasks whose support loss at the point is a number: a task that has diverged has none any
   more. */
static struct meta_estimate mean_loss(const struct meta_run *runs, int n, int point)
{
    struct meta_estimate none = { NAN, NAN, NAN, NAN, 0 };
    double *x = malloc((n + 1) * sizeof *x);
    int count = 0;
    for (int i = 0; x && i < n; i++)
        if (isfinite(runs[i].curve_loss[point])) x[count++] = runs[i].curve_loss[point];
    struct meta_estimate e = x ? meta_estimate(x, sizeof *x, count) : none;
    free(x);
    return e;
}

/* Means over the tasks, epoch by epoch, of the method's own answers: those that are averaged with
   others have no curve. */
static void add_curve(cJSON *root, const struct meta_results *r)
{
    const struct meta_run *runs = r->runs;
    if (!runs->curve_auc || r->evaluation->with_count) return;
    int epochs = r->evaluation->method->curve_epochs(r->evaluation->settings);
    int points = meta_curve_points(epochs), n = r->evaluation->runs;
    cJSON *curve = cJSON_AddArrayToObject(root, "curve");
    for (int i = 0; i < points; i++) {
        cJSON *p = cJSON_CreateObject();
        cJSON_AddNumberToObject(p, "epoch", meta_curve_epoch(epochs, i));
        cJSON_AddItemToObject(p, "support_loss", meta_json_estimate(mean_loss(runs, n, i)));
        struct meta_estimate auc = meta_estimate_share(runs->curve_auc + i,
                                                       2 * points * sizeof(double), n);
        cJSON_AddItemToObject(p, "auc", meta_json_estimate(auc));
        cJSON_AddItemToArray(curve, p);
    }
}

/* Seven digits: the chance in a finite number of tasks is in the second. */
static cJSON *create_rounded(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.7g", x);
    return isfinite(x) ? cJSON_CreateRaw(text) : cJSON_CreateNull();
}

/* Of more than two classes: the mean over the tasks of their mean curves, each class against the
   rest, as [rate of false positives, of true ones, its interval]. */
static void add_roc(cJSON *root, const struct meta_results *r)
{
    if (!r->runs->roc) return;
    cJSON *roc = cJSON_AddArrayToObject(root, "roc");
    for (int i = 0; i < META_ROC_POINTS; i++) {
        struct meta_estimate e = meta_estimate_share(r->runs->roc + i,
                                                     META_ROC_POINTS * sizeof(double),
                                                     r->evaluation->runs);
        const double at[] = { (double)i / (META_ROC_POINTS - 1), e.mean, e.low, e.high };
        cJSON *point = cJSON_CreateArray();
        for (int k = 0; k < 4; k++) cJSON_AddItemToArray(point, create_rounded(at[k]));
        cJSON_AddItemToArray(roc, point);
    }
}

/* The influence of each group from the tasks of each part: an array a part. */
static cJSON *create_parts(const struct meta_by_group *g)
{
    cJSON *parts = cJSON_CreateArray();
    for (int b = 0; b < META_PARTS; b++) {
        cJSON *part = cJSON_CreateArray();
        for (int i = 0; i < g->count; i++)
            cJSON_AddItemToArray(part, create_rounded(g->part[(size_t)b * g->count + i]));
        cJSON_AddItemToArray(parts, part);
    }
    return parts;
}

/* The groups are arrays, so that hundreds take little room. */
static void add_groups(cJSON *root, const struct meta_results *r)
{
    const struct meta_by_group *g = r->groups;
    struct meta_estimate e = r->other_groups;
    cJSON *j = cJSON_AddObjectToObject(root, "other_groups");
    cJSON *image = cJSON_CreateArray(), *digest = cJSON_CreateArray(), *asked = cJSON_CreateArray(),
          *influence = cJSON_CreateArray(), *query = cJSON_CreateArray();
    cJSON_AddStringToObject(j, "redrawn", META_REDRAWN);
    cJSON_AddItemToObject(j, "standard_error", meta_json_number(e.error));
    cJSON_AddItemToObject(j, "low", meta_json_number(e.low));
    cJSON_AddItemToObject(j, "high", meta_json_number(e.high));
    cJSON_AddItemToObject(j, "image", image);
    cJSON_AddItemToObject(j, "xxh3_128", digest);
    cJSON_AddItemToObject(j, "class", cJSON_CreateIntArray(g->label, g->count));
    cJSON_AddItemToObject(j, "asked", asked);
    cJSON_AddItemToObject(j, "whole_influence", influence);
    cJSON_AddItemToObject(j, "influence", query);
    cJSON_AddItemToObject(j, "parts", create_parts(g));
    for (int i = 0; i < g->count; i++) {
        char text[META_DIGEST_TEXT];
        meta_digest_text(text, r->dataset->digests[g->item[i]]);
        cJSON_AddItemToArray(image, cJSON_CreateString(r->dataset->paths[g->item[i]]));
        cJSON_AddItemToArray(digest, cJSON_CreateString(text));
        cJSON_AddItemToArray(asked, meta_json_number(g->asked[i]));
        cJSON_AddItemToArray(influence, create_rounded(meta_by_group_influence(g, i)));
        cJSON_AddItemToArray(query, create_rounded(g->query[i]));
    }
}

/* Tasks whose outputs are no numbers stand in the means with an AUC of chance. */
static void add_diverged(cJSON *root, const struct meta_results *r)
{
    int diverged = 0;
    for (int i = 0; i < r->evaluation->runs; i++) diverged += r->runs[i].failed;
    if (diverged) cJSON_AddNumberToObject(root, "diverged", diverged);
}

static void add_tasks(cJSON *root, const struct meta_results *r)
{
    cJSON *tasks = cJSON_AddArrayToObject(root, "tasks");
    for (int i = 0; i < r->evaluation->runs; i++) {
        const struct meta_run *run = &r->runs[i];
        cJSON *t = cJSON_CreateObject();
        char images[META_DIGEST_TEXT];
        meta_digest_text(images, run->images);
        cJSON_AddNumberToObject(t, "run", i);
        cJSON_AddItemToObject(t, "classes",
                              cJSON_CreateIntArray(run->classes, r->evaluation->episode.ways));
        cJSON_AddStringToObject(t, "images", images);
        cJSON_AddItemToObject(t, "auc_before", meta_json_number(run->auc_before));
        cJSON_AddItemToObject(t, "auc_after", meta_json_number(run->auc_after));
        cJSON_AddItemToObject(t, "accuracy_before", meta_json_number(run->accuracy_before));
        cJSON_AddItemToObject(t, "accuracy_after", meta_json_number(run->accuracy_after));
        cJSON_AddItemToObject(t, "query_loss", meta_json_number(run->query_loss));
        if (r->evaluation->method->probabilities) {
            cJSON_AddItemToObject(t, "nll", meta_json_number(run->calibration.nll));
            cJSON_AddItemToObject(t, "brier", meta_json_number(run->calibration.brier));
        }
        if (run->failed) cJSON_AddTrueToObject(t, "diverged");
        if (run->ranks) cJSON_AddStringToObject(t, "ranks", run->ranks);
        cJSON_AddItemToArray(tasks, t);
    }
}

static int add_pairs(cJSON *root, const struct meta_results *r, struct meta_error *error)
{
    struct meta_pair_row *rows;
    int count;
    if (meta_results_pairs(&rows, &count, r->runs, r->evaluation, error)) return -1;
    cJSON *pairs = cJSON_AddArrayToObject(root, "pairs");
    for (int i = 0; i < count; i++) {
        cJSON *p = cJSON_CreateObject();
        const char *names[] = { r->dataset->names[rows[i].a], r->dataset->names[rows[i].b] };
        cJSON_AddItemToObject(p, "classes", cJSON_CreateStringArray(names, 2));
        cJSON_AddItemToObject(p, "auc_before", meta_json_estimate(rows[i].before));
        cJSON_AddItemToObject(p, "auc_after", meta_json_estimate(rows[i].after));
        cJSON_AddItemToArray(pairs, p);
    }
    free(rows);
    return 0;
}

int meta_results_write(const struct meta_results *r, const char *path, struct meta_error *error)
{
    int status = -1;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "program", "darknet meta test");
    cJSON_AddNumberToObject(root, "format", META_RESULTS_FORMAT);
    meta_results_settings(cJSON_AddObjectToObject(root, "settings"), r);
    cJSON *files = cJSON_AddObjectToObject(root, "files");
    if (add_file(files, "data", r->data, error) || add_file(files, "cfg", r->cfg, error)
        || (r->weights && add_file(files, "weights", r->weights, error))
        || add_rates(files, r, error) || add_more_weights(files, r, error)
        || add_with(files, r, error)
        || (r->temperature && add_file(files, "temperature", r->temperature, error))
        || add_file(files, "list", r->dataset->list, error) || add_images(files, r->dataset, error))
        goto done;
    cJSON_AddItemToObject(root, "classes",
                          cJSON_CreateStringArray((const char *const *)r->dataset->names,
                                                  r->dataset->classes));
    add_figures(root, r->runs, r->evaluation);
    add_diverged(root, r);
    add_calibration(root, r);
    if (add_pairs(root, r, error)) goto done;
    add_groups(root, r);
    add_curve(root, r);
    add_roc(root, r);
    add_tasks(root, r);
    status = meta_json_write(path, root, error);
done:
    cJSON_Delete(root);
    return status;
}
