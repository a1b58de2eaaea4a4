/* Writes a table's grid as SLUG.json, and tells whose grid a folder has. */
#define _GNU_SOURCE
#include "table_plan.h"
#include "base/json.h"
#include "base/text.h"
#include "evaluation/json_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int plan_path(char **path, const struct meta_table *t, struct meta_error *error)
{
    return meta_table_text(path, error, "%s/%s.json", t->folder, t->slug);
}

int meta_table_has_plan(const struct meta_table *t)
{
    struct meta_error ignored;
    char *path;
    int there = !plan_path(&path, t, &ignored) && !access(path, F_OK);
    free(path);
    return there;
}

/* A table may be moved, or given another title: its path or its title tells that it is the same. */
static int owns(const struct meta_table *t, const char *path, struct meta_error *error)
{
    cJSON *root;
    struct meta_error why;
    if (meta_json_read(&root, path, &why))
        return meta_fail(error, "%.300s: remove it, and it is made anew", why.text);
    const char *file = meta_json_text(root, "file");
    int same = !strcmp(file, t->path) || !strcmp(meta_json_text(root, "name"), t->name);
    if (!same) meta_fail(error, "%s: is of another table, %s: take another -out", path, file);
    cJSON_Delete(root);
    return same ? 0 : -1;
}

int meta_table_owns_plan(const struct meta_table *t, struct meta_error *error)
{
    char *path;
    if (plan_path(&path, t, error)) return -1;
    int status = access(path, F_OK) ? 0 : owns(t, path, error);
    free(path);
    return status;
}

/* How the cell's trainings are asked, where the row says more than the method. The caller frees; ""
   for nothing, NULL: no memory. */
static char *how_asked(const struct meta_cell *c)
{
    const struct meta_table_row *row = c->row;
    struct meta_text text;
    struct meta_error ignored;
    char *words;
    if (meta_text_begin(&text, &ignored)) return NULL;
    const char *before = "as one answer of seeds ";
    for (int k = 0; c->more_count && k < meta_cell_trainings(c); k++, before = ", ")
        fprintf(text.file, "%s%llu", before, (unsigned long long)meta_cell_training(c, k)->seed);
    before = c->more_count ? ", " : "";
    if (row->augment) fprintf(text.file, "%s%d copies of each image", before, row->augment);
    if (row->augment) before = ", ";
    if (row->average) fprintf(text.file, "%saveraged weights", before);
    if (row->average) before = ", ";
    if (row->epochs) fprintf(text.file, "%s%d epochs", before, row->epochs);
    if (row->epochs) before = ", ";
    if (row->with) fprintf(text.file, "%saveraged with %s", before, row->with);
    if (row->temper.count)
        fprintf(text.file, " at temperatures %g and %g", row->temper.values[0],
                row->temper.values[1]);
    return meta_text_end(&text, 0, &words, &ignored) ? NULL : words;
}

static cJSON *cell_json(const struct meta_table *t, const struct meta_cell *c)
{
    const struct meta_cell *reference = meta_table_reference(t, c);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "row", c->row - t->rows);
    cJSON_AddStringToObject(j, "family", c->row->family ? c->row->family : "");
    cJSON_AddStringToObject(j, "paired_with", reference ? reference->row->label : "");
    cJSON_AddNumberToObject(j, "shots", c->shots);
    cJSON_AddStringToObject(j, "cfg", c->row->cfg);
    cJSON_AddStringToObject(j, "method", meta_row_method_name(c->row->method));
    char *asked = how_asked(c);
    if (asked && *asked) cJSON_AddStringToObject(j, "asked", asked);
    free(asked);
    cJSON_AddStringToObject(j, "train", meta_table_training_name(c->row->train));
    if (c->row->train_data) cJSON_AddStringToObject(j, "train_data", c->row->train_data);
    cJSON_AddNumberToObject(j, "seed", meta_table_seed(t, c->row));
    cJSON_AddItemToObject(j, "paper", meta_json_number(c->paper / 100));
    cJSON_AddStringToObject(j, "result", c->name);
    cJSON_AddNumberToObject(j, "id", c->id);
    /* of each training, where there are several: they have no one log, which would tell how far
       they are */
    if (c->recipe) cJSON_AddNumberToObject(j, "iterations", c->recipe->total);
    if (c->recipe && !c->more_count) {
        cJSON_AddStringToObject(j, "log", c->recipe->csv + strlen(t->folder) + 1);
        /* of its tasks, which may be other than those of the cell; 0: a pretraining has none */
        cJSON_AddNumberToObject(j, "train_shots", c->recipe->shots);
    }
    return j;
}

/* What only a report reads, as far as the table's file has it. */
static void add_words(cJSON *root, const struct meta_table *t)
{
    if (t->valid) cJSON_AddStringToObject(root, "list", "valid");
    if (t->place) cJSON_AddNumberToObject(root, "place", t->place);
    if (t->caption) cJSON_AddStringToObject(root, "caption", t->caption);
    if (t->authors) cJSON_AddStringToObject(root, "authors", t->authors);
    if (t->groups) cJSON_AddStringToObject(root, "groups", t->groups);
}

/* A cell whose data are missing keeps what the plan that is there says of its result. */
static void keep_ids(cJSON *cells, const cJSON *old, const struct meta_table *t)
{
    const cJSON *was, *before = cJSON_GetObjectItemCaseSensitive(old, "cells");
    cJSON *now = cells->child;
    for (int i = 0; i < t->cell_count; i++, now = now->next) {
        if (t->cells[i].key) continue;
        cJSON_ArrayForEach(was, before)
        {
            if (strcmp(meta_json_text(was, "result"), t->cells[i].name)) continue;
            cJSON_SetNumberValue(cJSON_GetObjectItemCaseSensitive(now, "id"),
                                 meta_json_get(was, "id"));
        }
    }
}

/* old: the plan that is there; NULL: there is none. */
static void fill(cJSON *root, const cJSON *old, const struct meta_table *t)
{
    cJSON_AddStringToObject(root, "program", "darknet meta table");
    cJSON_AddNumberToObject(root, "format", META_TABLE_PLAN);
    cJSON_AddStringToObject(root, "name", t->name);
    cJSON_AddStringToObject(root, "file", t->path);
    cJSON_AddStringToObject(root, "data", t->data);
    cJSON_AddStringToObject(root, "needs", !t->sources->missing || !t->needs ? "" : t->needs);
    cJSON_AddStringToObject(root, "reference", t->reference ? t->reference : "");
    add_words(root, t);
    cJSON_AddNumberToObject(root, "seed", t->seed);
    cJSON_AddNumberToObject(root, "runs", t->runs);
    cJSON_AddNumberToObject(root, "first", t->first);
    cJSON_AddItemToObject(root, "columns", cJSON_CreateIntArray(t->columns, t->column_count));
    cJSON *rows = cJSON_AddArrayToObject(root, "rows");
    for (int i = 0; i < t->row_count; i++)
        cJSON_AddItemToArray(rows, cJSON_CreateString(t->rows[i].label));
    cJSON *cells = cJSON_AddArrayToObject(root, "cells");
    for (int i = 0; i < t->cell_count; i++) cJSON_AddItemToArray(cells, cell_json(t, &t->cells[i]));
    if (old) keep_ids(cells, old, t);
}

int meta_table_write_plan(const struct meta_table *t, struct meta_error *error)
{
    char *path;
    cJSON *old = NULL;
    struct meta_error ignored;
    if (plan_path(&path, t, error)) return -1;
    if (!access(path, F_OK) && meta_json_read_checked(&old, path, meta_plan_rules, &ignored))
        old = NULL;
    cJSON *root = cJSON_CreateObject();
    if (root) fill(root, old, t);
    int status = root ? meta_json_write(path, root, error) : meta_fail_memory(error);
    cJSON_Delete(old);
    cJSON_Delete(root);
    free(path);
    return status;
}
