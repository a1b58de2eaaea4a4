/* A cell's result: the file of `meta test`, with what the table knows of it put in as "table". And the grid itself as a file. */
#include "table.h"
#include "base/path.h"
#include "training/fingerprint.h"
#include "base/json.h"
#include "evaluation/scores.h"
#include "training/train_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define FORMAT 1
#define POINTS 300         /* of a training curve */
#define DIFFERENCE 2       /* format of a difference: one of another is made anew */

/* What the comparison says of those it was made for. */
static const char checkpoint[] = " in the checkpoint";

int meta_cell_done(const struct meta_cell *c, struct meta_error *why)
{
    struct meta_error ignored;
    cJSON *root;
    why = why ? why : &ignored;
    why->text[0] = 0;
    if (!c->key || access(c->file, F_OK)) return 0;
    if (meta_json_read(&root, c->file, why)) return 0;
    const char *key = meta_json_text(cJSON_GetObjectItemCaseSensitive(root, "table"), "key");
    int same = !strcmp(key, c->key);
    if (!same && !meta_fingerprint_compare(key, c->key, why)) meta_fail(why, "its settings are written in another way");
    char *words = strstr(why->text, checkpoint);
    if (words) memmove(words, words + sizeof checkpoint - 1, strlen(words + sizeof checkpoint - 1) + 1);
    cJSON_Delete(root);
    return same;
}

/* ---- the training's part ---- */

/* To five digits, so that it is short in JSON. */
static double brief(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.5g", x);
    return strtod(text, NULL);
}

/* Means over equal parts of the run, so that a few hundred points tell of thousands. */
static cJSON *curve(const struct meta_row *rows, int count)
{
    cJSON *points = cJSON_CreateArray();
    int step = (count + POINTS - 1) / POINTS;
    for (int i = 0; i < count; i += step) {
        double x[3] = {0}, auc = NAN;
        int n = 0;
        for (; n < step && i + n < count; n++) {
            const struct meta_row *r = &rows[i + n];
            x[0] += r->meta_loss;
            x[1] += r->query_loss;
            x[2] += r->accuracy;
            if (!isnan(r->auc)) auc = r->auc;
        }
        double values[] = { rows[i + n - 1].iteration, x[0] / n, x[1] / n, x[2] / n, auc };
        cJSON *p = cJSON_CreateArray();
        for (int k = 0; k < 5; k++) cJSON_AddItemToArray(p, meta_json_number(k ? brief(values[k]) : values[k]));
        cJSON_AddItemToArray(points, p);
    }
    return points;
}

static int add_training(cJSON *to, const struct meta_recipe *r, struct meta_error *error)
{
    struct meta_row *rows;
    cJSON *usage = NULL, *j = cJSON_AddObjectToObject(to, "training");
    double seconds = 0;
    int count;
    if (meta_log_read(&rows, &count, r->csv, error)) return -1;
    for (int i = 0; i < count; i++) seconds += rows[i].seconds;
    cJSON_AddStringToObject(j, "folder", meta_path_base(r->folder));
    cJSON_AddNumberToObject(j, "seed", r->seed);
    cJSON_AddNumberToObject(j, "iterations", r->total);
    cJSON_AddItemToObject(j, "seconds", meta_json_number(seconds));
    if (!access(r->usage, R_OK) && !meta_json_read(&usage, r->usage, error))
        cJSON_AddItemToObject(j, "memory_mb", meta_json_number(meta_json_get(usage, "memory_mb")));
    cJSON_AddItemToObject(j, "curve", curve(rows, count));
    cJSON_Delete(usage);
    free(rows);
    return 0;
}

/* ---- the cell ---- */

int meta_cell_finish(const struct meta_table *t, const struct meta_cell *c, const char *written, double seconds, double megabytes,
                     struct meta_error *error)
{
    cJSON *root = NULL, *own;
    if (meta_json_read(&root, written, error)) return -1;
    cJSON_DeleteItemFromObjectCaseSensitive(root, "table");
    own = cJSON_AddObjectToObject(root, "table");
    cJSON_AddNumberToObject(own, "format", FORMAT);
    cJSON_AddNumberToObject(own, "id", c->id);
    cJSON_AddStringToObject(own, "name", t->name);
    cJSON_AddStringToObject(own, "row", c->row->label);
    cJSON_AddStringToObject(own, "method", meta_row_method_name(c->row->method));
    cJSON_AddStringToObject(own, "cfg", c->row->cfg);
    cJSON_AddItemToObject(own, "paper", meta_json_number(c->paper / 100));
    cJSON_AddItemToObject(own, "test_seconds", meta_json_number(seconds));
    cJSON_AddItemToObject(own, "test_memory_mb", meta_json_number(megabytes));
    cJSON_AddStringToObject(own, "key", c->key);
    int status = c->recipe ? add_training(own, c->recipe, error) : 0;
    if (!status) status = meta_json_write(c->file, root, error);
    if (!status) unlink(written);
    cJSON_Delete(root);
    return status;
}

/* ---- pairs ---- */

static void add_interval(cJSON *j, double low, double high)
{
    cJSON_AddItemToObject(j, "low", meta_json_number(low));
    cJSON_AddItemToObject(j, "high", meta_json_number(high));
    cJSON_AddStringToObject(j, "word", meta_paired_word(low, high));
}

static int compare_cell(const struct meta_cell *c, const struct meta_cell *reference, const struct meta_scores *base, struct meta_error *error)
{
    struct meta_scores own = {0};
    struct meta_difference d;
    cJSON *root = NULL;
    int status = -1;
    if (meta_json_read(&root, c->file, error)) return -1;
    cJSON *table = cJSON_GetObjectItemCaseSensitive(root, "table");
    const cJSON *old = cJSON_GetObjectItemCaseSensitive(table, "difference");
    uint32_t check = crc32(crc32(0, NULL, 0), (const Bytef *)base->after, base->count * sizeof *base->after);
    check = crc32(check, (const Bytef *)base->influence, base->group_count * sizeof *base->influence);
    if (meta_json_get(old, "format") == DIFFERENCE && meta_json_get(old, "id") == reference->id && meta_json_get(old, "check") == check
        && !strcmp(meta_json_text(old, "reference"), reference->row->label)) { status = 0; goto done; }
    if (meta_scores_read(&own, c->file, error) || meta_scores_difference(base, &own, &d, error)) goto done;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "format", DIFFERENCE);
    cJSON_AddStringToObject(j, "reference", reference->row->label);
    cJSON_AddNumberToObject(j, "id", reference->id);
    cJSON_AddNumberToObject(j, "check", check);
    cJSON_AddItemToObject(j, "mean", meta_json_number(d.tasks.mean));
    add_interval(j, d.tasks.low, d.tasks.high);
    cJSON_AddNumberToObject(j, "resamples", META_RESAMPLES);
    if (!isnan(d.other_groups.low)) add_interval(cJSON_AddObjectToObject(j, "other_groups"), d.other_groups.low, d.other_groups.high);
    cJSON_DeleteItemFromObjectCaseSensitive(table, "difference");
    cJSON_AddItemToObject(table, "difference", j);
    status = meta_json_write(c->file, root, error);
done:
    meta_scores_clear(&own);
    cJSON_Delete(root);
    return status;
}

/* All that are paired with it. */
static int compare_with(const struct meta_table *t, const struct meta_cell *reference, struct meta_error *error)
{
    struct meta_scores base = {0};
    int status = meta_scores_read(&base, reference->file, error);
    for (int i = 0; !status && i < t->cell_count; i++)
        if (meta_table_reference(t, &t->cells[i]) == reference && meta_cell_done(&t->cells[i], NULL))
            status = compare_cell(&t->cells[i], reference, &base, error);
    meta_scores_clear(&base);
    return status;
}

/* It may have become a reference, or have lost its own. */
static int forget_difference(const struct meta_cell *c, struct meta_error *error)
{
    cJSON *root;
    if (meta_json_read(&root, c->file, error)) return -1;
    cJSON *table = cJSON_GetObjectItemCaseSensitive(root, "table");
    int there = cJSON_HasObjectItem(table, "difference");
    cJSON_DeleteItemFromObjectCaseSensitive(table, "difference");
    int status = there ? meta_json_write(c->file, root, error) : 0;
    cJSON_Delete(root);
    return status;
}

int meta_table_compare(const struct meta_table *t, const struct meta_cell *cell, struct meta_error *error)
{
    for (int i = 0; !cell && i < t->cell_count; i++)
        if (!meta_table_reference(t, &t->cells[i]) && meta_cell_done(&t->cells[i], NULL) && forget_difference(&t->cells[i], error)) return -1;
    const struct meta_cell *its = cell ? meta_table_reference(t, cell) : NULL;
    for (int i = 0; t->reference && i < t->cell_count; i++) {
        const struct meta_cell *r = &t->cells[i];
        if (!meta_row_is(r->row, t->reference) || (cell && r != cell && r != its)) continue;
        if (meta_cell_done(r, NULL) && compare_with(t, r, error)) return -1;
    }
    return 0;
}

/* ---- the grid ---- */

static char *plan_path(const struct meta_table *t)
{
    char *path = malloc(strlen(t->folder) + strlen(t->slug) + 8);
    if (path) sprintf(path, "%s/%s.json", t->folder, t->slug);
    return path;
}

int meta_table_has_plan(const struct meta_table *t)
{
    char *path = plan_path(t);
    int there = path && !access(path, F_OK);
    free(path);
    return there;
}

/* A table may be moved, or given another title: either tells that it is the same. */
int meta_table_owns_plan(const struct meta_table *t, struct meta_error *error)
{
    cJSON *root;
    char *path = plan_path(t);
    if (!path) return meta_fail_memory(error);
    int status = 0;
    if (!access(path, F_OK) && !(status = meta_json_read(&root, path, error))) {
        if (strcmp(meta_json_text(root, "file"), t->path) && strcmp(meta_json_text(root, "name"), t->name))
            status = meta_fail(error, "%.200s: is of another table, %.200s: take another -out", path, meta_json_text(root, "file"));
        cJSON_Delete(root);
    }
    free(path);
    return status;
}

int meta_table_write_plan(const struct meta_table *t, struct meta_error *error)
{
    char *path = plan_path(t);
    cJSON *root = cJSON_CreateObject();
    if (!path || !root) { free(path); cJSON_Delete(root); return meta_fail_memory(error); }
    cJSON_AddStringToObject(root, "program", "darknet meta table");
    cJSON_AddNumberToObject(root, "format", META_TABLE_PLAN);
    cJSON_AddStringToObject(root, "name", t->name);
    cJSON_AddStringToObject(root, "file", t->path);
    cJSON_AddStringToObject(root, "data", t->data);
    cJSON_AddStringToObject(root, "needs", t->ready || !t->needs ? "" : t->needs);
    cJSON_AddStringToObject(root, "reference", t->reference ? t->reference : "");
    cJSON_AddNumberToObject(root, "seed", t->seed);
    cJSON_AddNumberToObject(root, "runs", t->runs);
    cJSON_AddNumberToObject(root, "first", t->first);
    cJSON_AddItemToObject(root, "columns", cJSON_CreateIntArray(t->columns, t->column_count));
    cJSON *rows = cJSON_AddArrayToObject(root, "rows"), *cells = cJSON_AddArrayToObject(root, "cells");
    for (int i = 0; i < t->row_count; i++) cJSON_AddItemToArray(rows, cJSON_CreateString(t->rows[i].label));
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i], *reference = meta_table_reference(t, c);
        cJSON *j = cJSON_CreateObject();
        cJSON_AddNumberToObject(j, "row", c->row - t->rows);
        cJSON_AddStringToObject(j, "family", c->row->family ? c->row->family : "");
        cJSON_AddStringToObject(j, "paired_with", reference ? reference->row->label : "");
        cJSON_AddNumberToObject(j, "shots", c->shots);
        cJSON_AddStringToObject(j, "cfg", c->row->cfg);
        cJSON_AddStringToObject(j, "method", meta_row_method_name(c->row->method));
        cJSON_AddStringToObject(j, "train", meta_table_training_name(c->row->train));
        cJSON_AddNumberToObject(j, "seed", meta_table_seed(t, c->row));
        cJSON_AddItemToObject(j, "paper", meta_json_number(c->paper / 100));
        cJSON_AddStringToObject(j, "result", c->name);
        cJSON_AddNumberToObject(j, "id", c->id);
        if (c->recipe) {
            cJSON_AddStringToObject(j, "log", c->recipe->csv + strlen(t->folder) + 1);
            cJSON_AddNumberToObject(j, "iterations", c->recipe->total);
        }
        cJSON_AddItemToArray(cells, j);
    }
    int status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    free(path);
    return status;
}
