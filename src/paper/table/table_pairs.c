/* Pairs results with the reference's on the same tasks: adds the difference to each result's
   "table". */
#include "table_pairs.h"
#include "table_result.h"
#include "base/json.h"
#include "evaluation/json_files.h"
#include "evaluation/scores.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

/* Format of a difference: one of another format is made anew. */
#define FORMAT 3

/* A reference's cell, with what its result says. */
struct base {
    const struct meta_cell *cell;
    struct meta_scores scores;
    uint32_t check; /* CRC-32 of the figures that a difference depends on */
};

static void add_interval(cJSON *j, double low, double high)
{
    cJSON_AddItemToObject(j, "low", meta_json_number(low));
    cJSON_AddItemToObject(j, "high", meta_json_number(high));
    cJSON_AddStringToObject(j, "word", meta_paired_word(low, high));
}

/* Whether the difference that a result has is to this reference, with these figures. */
static int holds(const cJSON *difference, const struct base *base)
{
    return meta_json_get(difference, "format") == FORMAT
        && meta_json_get(difference, "id") == base->cell->id
        && meta_json_get(difference, "check") == base->check
        && !strcmp(meta_json_text(difference, "reference"), base->cell->row->label);
}

static cJSON *difference_json(const struct base *base, const struct meta_difference *d)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "format", FORMAT);
    cJSON_AddStringToObject(j, "reference", base->cell->row->label);
    cJSON_AddNumberToObject(j, "id", base->cell->id);
    cJSON_AddNumberToObject(j, "check", base->check);
    cJSON_AddItemToObject(j, "mean", meta_json_number(d->tasks.mean));
    add_interval(j, d->tasks.low, d->tasks.high);
    cJSON_AddNumberToObject(j, "resamples", META_RESAMPLES);
    const struct meta_estimate *other = &d->other_groups;
    if (isnan(other->low)) return j;
    cJSON *groups = cJSON_AddObjectToObject(j, "other_groups");
    cJSON_AddStringToObject(groups, "redrawn", META_REDRAWN);
    add_interval(groups, other->low, other->high);
    return j;
}

/* Puts the difference to the reference into `table`, a part of the result in the file `path`. */
static int add_difference(cJSON *table, const char *path, const struct base *base,
                          struct meta_error *error)
{
    struct meta_scores own = { 0 };
    struct meta_difference d;
    int status = meta_scores_read(&own, path, error);
    if (!status) status = meta_scores_difference(&base->scores, &own, &d, error);
    meta_scores_clear(&own);
    if (status) return -1;
    cJSON_DeleteItemFromObjectCaseSensitive(table, "difference");
    cJSON_AddItemToObject(table, "difference", difference_json(base, &d));
    return 0;
}

static int compare_cell(const struct meta_cell *c, const struct base *base,
                        struct meta_error *error)
{
    cJSON *root;
    int status = 0;
    if (meta_json_read_checked(&root, c->file, meta_result_rules, error)) return -1;
    cJSON *table = cJSON_GetObjectItemCaseSensitive(root, "table");
    if (!holds(cJSON_GetObjectItemCaseSensitive(table, "difference"), base)) {
        status = add_difference(table, c->file, base, error);
        if (!status) status = meta_json_write(c->file, root, error);
    }
    cJSON_Delete(root);
    return status;
}

static uint32_t check_sum(const struct meta_scores *s)
{
    uint32_t check = crc32(crc32(0, NULL, 0), (const Bytef *)s->after, s->count * sizeof *s->after);
    const struct meta_by_group *g = &s->groups;
    if (!g->count) return check; /* of no bytes at NULL zlib's crc32 would be 0 */
    check = crc32(check, (const Bytef *)g->query, g->count * sizeof *g->query);
    return crc32(check, (const Bytef *)g->part, META_PARTS * g->count * sizeof *g->part);
}

/* Compares all results that are paired with the reference's cell, which has one. */
static int compare_with(const struct meta_table *t, const struct meta_cell *reference,
                        struct meta_error *error)
{
    struct base base = { .cell = reference };
    int status = meta_scores_read(&base.scores, reference->file, error);
    if (!status) base.check = check_sum(&base.scores);
    for (int i = 0; !status && i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (meta_table_reference(t, c) == reference && meta_cell_done(c, NULL))
            status = compare_cell(c, &base, error);
    }
    meta_scores_clear(&base.scores);
    return status;
}

/* Takes the difference out of the result of a cell that has no reference: it may have become
   one, or have lost its own. */
static int forget_difference(const struct meta_cell *c, struct meta_error *error)
{
    cJSON *root;
    if (meta_json_read_checked(&root, c->file, meta_result_rules, error)) return -1;
    cJSON *table = cJSON_GetObjectItemCaseSensitive(root, "table");
    int there = cJSON_HasObjectItem(table, "difference");
    cJSON_DeleteItemFromObjectCaseSensitive(table, "difference");
    int status = there ? meta_json_write(c->file, root, error) : 0;
    cJSON_Delete(root);
    return status;
}

static int forget_differences(const struct meta_table *t, struct meta_error *error)
{
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (meta_table_reference(t, c) || !meta_cell_done(c, NULL)) continue;
        if (forget_difference(c, error)) return -1;
    }
    return 0;
}

/* Whether a result is paired with the cell's. */
static int is_reference(const struct meta_table *t, const struct meta_cell *cell)
{
    for (int i = 0; i < t->cell_count; i++)
        if (meta_table_reference(t, &t->cells[i]) == cell) return 1;
    return 0;
}

int meta_table_compare(const struct meta_table *t, const struct meta_cell *cell,
                       struct meta_error *error)
{
    if (!cell && forget_differences(t, error)) return -1;
    const struct meta_cell *reference = cell ? meta_table_reference(t, cell) : NULL;
    for (int i = 0; t->reference && i < t->cell_count; i++) {
        const struct meta_cell *r = &t->cells[i];
        if (cell && r != cell && r != reference) continue;
        if (is_reference(t, r) && meta_cell_done(r, NULL) && compare_with(t, r, error)) return -1;
    }
    return 0;
}
