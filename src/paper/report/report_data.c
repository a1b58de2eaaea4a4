/* Reads a folder of `meta table`: plans, results, and the logs of trainings that are under way. */
#define _GNU_SOURCE
#include "report_data.h"
#include "base/path.h"
#include "base/text.h"
#include "evaluation/json_files.h"
#include "evaluation/scores.h"
#include "paper/table/table_plan.h"
#include "stats/estimate_json.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int in_folder(char **path, const char *folder, const char *name, struct meta_error *error)
{
    if (asprintf(path, "%s/%s", folder, name) >= 0) return 0;
    *path = NULL;
    return meta_fail_memory(error);
}

/* A whole number of the object; 0 when it is missing or none that an int holds. */
static int whole(const cJSON *object, const char *name)
{
    double x = meta_json_get(object, name);
    return x >= 0 && x <= 2147483647. ? (int)x : 0;
}

/* A text of the object, or another where it has none. */
static const char *word(const cJSON *object, const char *name, const char *otherwise)
{
    const char *text = meta_json_text(object, name);
    return *text ? text : otherwise;
}

/* Reads the cell's result, which holds when its id is the plan's. A result that can't be read is an
   error, because `meta table` writes it whole or not at all. */
static int read_result(struct meta_report_cell *c, const cJSON *plan, const char *folder, int first,
                       struct meta_error *error)
{
    const char *name = meta_json_text(plan, "result");
    char *path;
    int status = 0;
    if (!*name || strchr(name, '/'))
        return meta_fail(error, "%s: a cell's result is '%.60s': must be a file's name", folder,
                         name);
    if (in_folder(&path, folder, name, error)) return -1;
    if (!access(path, F_OK)
        && !(status = meta_json_read_checked(&c->result, path, meta_result_rules, error))) {
        c->own = cJSON_GetObjectItemCaseSensitive(c->result, "table");
        status = meta_json_estimate_first(&c->first, c->result, first, error);
        if (meta_json_get(c->own, "id") != c->id) {
            cJSON_Delete(c->result);
            c->result = NULL;
            c->own = NULL;
            c->stale = 1;
        }
    }
    free(path);
    return status;
}

/* Reads the log of the cell's training, where there is one. */
static int read_log(struct meta_report_cell *c, const char *folder, struct meta_error *error)
{
    char *path;
    int status = 0;
    if (!*c->log || strstr(c->log, "..")) return 0;
    if (in_folder(&path, folder, c->log, error)) return -1;
    if (!access(path, R_OK)) status = meta_log_read(&c->log_rows, &c->log_count, path, error);
    free(path);
    return status;
}

static int fail_plan(const char *path, struct meta_error *error)
{
    return meta_fail(error,
                     "%s: is not a plan of `darknet meta table`, format %d: "
                     "that command writes it anew",
                     path, META_TABLE_PLAN);
}

static int read_cell(struct meta_report_table *t, const cJSON *item, const char *path,
                     const char *folder, struct meta_error *error)
{
    struct meta_report_cell *c = &t->cells[t->cell_count++];
    *c = (struct meta_report_cell){ .cfg = meta_json_text(item, "cfg"),
                                    .method = meta_json_text(item, "method"),
                                    .train = meta_json_text(item, "train"),
                                    .train_data = meta_json_text(item, "train_data"),
                                    .asked = meta_json_text(item, "asked"),
                                    .family = meta_json_text(item, "family"),
                                    .paired_with = meta_json_text(item, "paired_with"),
                                    .log = meta_json_text(item, "log"),
                                    .row = whole(item, "row"),
                                    .shots = whole(item, "shots"),
                                    .seed = whole(item, "seed"),
                                    .iterations = whole(item, "iterations"),
                                    .train_shots = -1,
                                    .paper = meta_json_get(item, "paper") };
    if (cJSON_HasObjectItem(item, "train_shots")) c->train_shots = whole(item, "train_shots");
    if (c->row >= t->row_count) return fail_plan(path, error);
    c->label = meta_report_label(t, c->row);
    c->id = (uint32_t)meta_json_get(item, "id");
    if (read_result(c, item, folder, t->first, error)) return -1;
    return c->result ? 0 : read_log(c, folder, error);
}

/* Fills t, which owns `plan` from here on, whether that fails or not. path: the plan's file. */
static int read_table(struct meta_report_table *t, cJSON *plan, const char *path,
                      const char *folder, struct meta_error *error)
{
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(plan, "columns"),
                *rows = cJSON_GetObjectItemCaseSensitive(plan, "rows"),
                *cells = cJSON_GetObjectItemCaseSensitive(plan, "cells"), *item;
    *t = (struct meta_report_table){ .plan = plan,
                                     .name = meta_json_text(plan, "name"),
                                     .file = meta_json_text(plan, "file"),
                                     .data = meta_json_text(plan, "data"),
                                     .needs = meta_json_text(plan, "needs"),
                                     .reference = meta_json_text(plan, "reference"),
                                     .caption = meta_json_text(plan, "caption"),
                                     .authors = word(plan, "authors", "paper"),
                                     .groups = word(plan, "groups", "groups"),
                                     .list = word(plan, "list", "test"),
                                     .place = whole(plan, "place"),
                                     .runs = whole(plan, "runs"),
                                     .first = whole(plan, "first"),
                                     .seed = whole(plan, "seed"),
                                     .row_count = cJSON_GetArraySize(rows),
                                     .column_count = cJSON_GetArraySize(columns) };
    if (meta_json_get(plan, "format") != META_TABLE_PLAN || !t->row_count || !t->column_count)
        return fail_plan(path, error);
    if (meta_json_check(plan, path, meta_plan_rules, error)) return -1;
    t->columns = calloc((size_t)t->column_count, sizeof *t->columns);
    t->cells = calloc((size_t)cJSON_GetArraySize(cells) + 1, sizeof *t->cells);
    if (!t->columns || !t->cells) return meta_fail_memory(error);
    int *column = t->columns;
    cJSON_ArrayForEach(item, columns) *column++ = item->valueint;
    cJSON_ArrayForEach(item, cells) if (read_cell(t, item, path, folder, error)) return -1;
    return 0;
}

static int json_files(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && !strcmp(d->d_name + n - 5, ".json");
}

/* Whether `only` is the name of the plan's table, or that of its file without folder and ending.
   file: the plan's name, which has the same stem. */
static int is_named(const cJSON *plan, const char *file, const char *only)
{
    size_t stem = meta_path_stem_length(file);
    return !strcmp(meta_json_text(plan, "name"), only)
        || (strlen(only) == stem && !strncmp(file, only, stem));
}

/* Which table is asked for. */
struct asked {
    const char *only; /* NULL: all */
    FILE *others;     /* the names of those that are passed over */
    int count;        /* of these */
};

/* Whether the plan is asked for; else its names are added to the others'. */
static int is_asked(struct asked *a, const cJSON *plan, const char *file)
{
    if (!a->only || is_named(plan, file, a->only)) return 1;
    fprintf(a->others, "%s%.*s (%s)", a->count++ ? ", " : "", (int)meta_path_stem_length(file),
            file, meta_json_text(plan, "name"));
    return 0;
}

/* Reads the plan of the file `name` and its results, if it is one and asked for. */
static int read_plan(struct meta_report *r, const char *folder, const char *name, struct asked *a,
                     struct meta_error *error)
{
    cJSON *root = NULL;
    char *path;
    int status;
    if (in_folder(&path, folder, name, error)) return -1;
    status = meta_json_read(&root, path, error);
    if (!status && !strcmp(meta_json_text(root, "program"), "darknet meta table")
        && is_asked(a, root, name)) {
        status = read_table(&r->tables[r->count++], root, path, folder, error);
        root = NULL;
    }
    cJSON_Delete(root);
    free(path);
    return status;
}

/* The earlier of two places is first; tables of one place stay in their order. */
static void put_in_place(struct meta_report *r)
{
    for (int i = 1; i < r->count; i++) {
        struct meta_report_table t = r->tables[i];
        int k = i;
        for (; k && t.place && (!r->tables[k - 1].place || r->tables[k - 1].place > t.place); k--)
            r->tables[k] = r->tables[k - 1];
        r->tables[k] = t;
    }
}

static int read_plans(struct meta_report *r, const char *folder, struct asked *a,
                      struct meta_error *error)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, json_files, alphasort), status = 0;
    if (count < 0) return meta_fail(error, "%s: %s", folder, strerror(errno));
    r->tables = calloc((size_t)count + 1, sizeof *r->tables);
    if (!r->tables) status = meta_fail_memory(error);
    for (int i = 0; i < count; i++) {
        if (!status) status = read_plan(r, folder, names[i]->d_name, a, error);
        free(names[i]);
    }
    free(names);
    put_in_place(r);
    return status;
}

/* Fails with the names that the folder has, where there are some. */
static int fail_none(const char *folder, const char *only, const char *others,
                     struct meta_error *error)
{
    if (*others)
        return meta_fail(error, "-only %.60s: must be a table of %s: %s", only, folder, others);
    return meta_fail(error, "%s: holds no table: `darknet meta table FILE -out %s` makes one",
                     folder, folder);
}

int meta_report_read(struct meta_report **out, const char *folder, const char *only,
                     struct meta_error *error)
{
    struct meta_text text;
    struct asked asked = { .only = only };
    char *others = NULL;
    struct meta_report *r = calloc(1, sizeof *r);
    if (!r) return meta_fail_memory(error);
    int status = meta_text_begin(&text, error);
    if (!status) {
        asked.others = text.file;
        status = read_plans(r, folder, &asked, error);
        status = meta_text_end(&text, status, &others, error);
    }
    if (!status && !r->count) status = fail_none(folder, only, others, error);
    if (status) meta_report_free(r);
    else *out = r;
    free(others);
    return status;
}

void meta_report_free(struct meta_report *r)
{
    if (!r) return;
    for (int i = 0; i < r->count; i++) {
        struct meta_report_table *t = &r->tables[i];
        for (int k = 0; k < t->cell_count; k++) {
            cJSON_Delete(t->cells[k].result);
            free(t->cells[k].log_rows);
        }
        cJSON_Delete(t->plan);
        free(t->columns);
        free(t->cells);
    }
    free(r->tables);
    free(r);
}

const struct meta_report_cell *meta_report_at(const struct meta_report_table *t, int row, int shots)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].row == row && t->cells[i].shots == shots) return &t->cells[i];
    return NULL;
}

const char *meta_report_label(const struct meta_report_table *t, int row)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(t->plan, "rows");
    const char *label = cJSON_GetStringValue(cJSON_GetArrayItem(labels, row));
    return label ? label : "";
}

const struct meta_report_cell *meta_report_reference(const struct meta_report_table *t,
                                                     const struct meta_report_cell *c)
{
    for (int i = 0; i < t->cell_count && *c->paired_with; i++) {
        const struct meta_report_cell *r = &t->cells[i];
        if (r->shots == c->shots && !strcmp(r->label, c->paired_with)) return r;
    }
    return NULL;
}

const char *meta_report_beside(const struct meta_report_table *t, const struct meta_report_cell *c)
{
    const struct meta_report_cell *r = *c->family ? meta_report_reference(t, c) : NULL;
    const char *name = r && *r->family ? r->family : c->paired_with;
    return strcmp(c->paired_with, t->reference) && strcmp(name, t->reference) ? name : "";
}

int meta_report_is_beside(const struct meta_report_table *t, const struct meta_report_cell *c)
{
    return *meta_report_beside(t, c) != 0;
}

const char *meta_report_join_beside(const char *all, const char *one)
{
    return !all || !strcmp(all, one) ? one : "several rows";
}

const cJSON *meta_report_difference(const struct meta_report_table *t,
                                    const struct meta_report_cell *c)
{
    const cJSON *d = cJSON_GetObjectItemCaseSensitive(c->own, "difference");
    const struct meta_report_cell *r = d ? meta_report_reference(t, c) : NULL;
    if (!r || strcmp(meta_json_text(d, "reference"), c->paired_with)) return NULL;
    return r->result && meta_json_get(d, "id") == r->id ? d : NULL;
}

const cJSON *meta_report_other_groups(const cJSON *result_or_difference)
{
    const cJSON *o = cJSON_GetObjectItemCaseSensitive(result_or_difference, "other_groups");
    return isnan(meta_json_get(o, "low")) || strcmp(meta_json_text(o, "redrawn"), META_REDRAWN)
        ? NULL
        : o;
}

struct meta_estimate meta_report_less_paper(const struct meta_report_cell *c)
{
    return meta_estimate_less(meta_json_get_estimate(c->result, "auc_after"), c->paper, c->first.n);
}

const char *meta_report_beside_paper(struct meta_estimate d)
{
    return meta_difference_word(d.low, d.high, "above", "below", "no difference seen");
}

void meta_report_progress(char *text, size_t size, const struct meta_report_cell *c)
{
    int done = c->log_count ? (int)c->log_rows[c->log_count - 1].iteration : 0;
    if (c->stale) snprintf(text, size, "its settings have changed: to be run again");
    else if (done >= c->iterations && done) snprintf(text, size, "trained, not yet tested");
    else if (done) snprintf(text, size, "in training: iteration %d of %d", done, c->iterations);
    else snprintf(text, size, "not yet run");
}

const char *meta_report_no_difference(const struct meta_report_cell *c)
{
    if (!*c->paired_with) return "no reference of as many shots";
    return c->result ? "the reference is to be run" : "not yet run";
}

int meta_report_ways(const struct meta_report_cell *c)
{
    double ways = meta_json_get(cJSON_GetObjectItemCaseSensitive(c->result, "settings"), "ways");
    return isnan(ways) ? 0 : (int)ways;
}

int meta_report_diverged(const struct meta_report_cell *c)
{
    return c->result ? (int)fmax(0, meta_json_get(c->result, "diverged")) : 0;
}

int meta_report_has_paper(const struct meta_report_table *t)
{
    for (int i = 0; i < t->cell_count; i++)
        if (!isnan(t->cells[i].paper)) return 1;
    return 0;
}
