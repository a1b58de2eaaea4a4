/* Makes a cell's result of the file of `meta test`, by adding what the table knows of it as
   "table"; and tells whether a result that is there is still the cell's. */
#include "table_result.h"
#include "base/checksum.h"
#include "base/json.h"
#include "base/path.h"
#include "evaluation/json_files.h"
#include "evaluation/task_answers.h"
#include "training/fingerprint.h"
#include "training/train_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT 1
#define POINTS 300 /* of a training curve, at most */

/* What meta_fingerprint_compare says of the checkpoints that it was made for. */
static const char checkpoint[] = " in the checkpoint";

int meta_cell_done(const struct meta_cell *c, struct meta_error *why)
{
    struct meta_error ignored;
    cJSON *root;
    if (!why) why = &ignored;
    why->text[0] = 0;
    if (!c->key || access(c->file, F_OK)) return 0;
    if (meta_json_read_checked(&root, c->file, meta_result_rules, why)) return 0;
    const char *key = meta_json_text(cJSON_GetObjectItemCaseSensitive(root, "table"), "key");
    int same = !strcmp(key, c->key);
    if (!same && !meta_fingerprint_compare(key, c->key, why))
        meta_fail(why, "its settings are written in another way");
    char *words = strstr(why->text, checkpoint);
    if (words) {
        char *rest = words + strlen(checkpoint);
        memmove(words, rest, strlen(rest) + 1);
    }
    cJSON_Delete(root);
    return same;
}

/* The check sum of the answers as text. */
static int sum_answers(char text[16], const struct meta_cell *c, struct meta_error *error)
{
    uint32_t crc;
    size_t size;
    if (meta_checksum_file(c->answers, &crc, &size, error)) return -1;
    snprintf(text, 16, "%08x", crc);
    return 0;
}

int meta_cell_answers_kept(const struct meta_cell *c)
{
    struct meta_error ignored;
    char sum[16];
    cJSON *root;
    if (!meta_cell_done(c, NULL) || !meta_task_answers_is(c->answers)
        || sum_answers(sum, c, &ignored)
        || meta_json_read_checked(&root, c->file, meta_result_rules, &ignored))
        return 0;
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(root, "table");
    int same = !strcmp(meta_json_text(own, "answers"), sum);
    cJSON_Delete(root);
    return same;
}

/* To five digits, so that the number is short in JSON. */
static double brief(double x)
{
    char text[32];
    snprintf(text, sizeof text, "%.5g", x);
    return strtod(text, NULL);
}

/* A point for `count` rows of a log that follow each other: the last iteration, means, and the
   last AUC. */
static cJSON *point(const struct meta_row *rows, int count)
{
    double meta_loss = 0, query_loss = 0, accuracy = 0, auc = NAN;
    for (int i = 0; i < count; i++) {
        meta_loss += rows[i].meta_loss;
        query_loss += rows[i].query_loss;
        accuracy += rows[i].accuracy;
        if (!isnan(rows[i].auc)) auc = rows[i].auc;
    }
    double values[] = { meta_loss / count, query_loss / count, accuracy / count, auc };
    cJSON *p = cJSON_CreateArray();
    cJSON_AddItemToArray(p, meta_json_number(rows[count - 1].iteration));
    for (int k = 0; k < 4; k++) cJSON_AddItemToArray(p, meta_json_number(brief(values[k])));
    return p;
}

/* A point for equal parts of the log, so that at most POINTS of them show thousands of
   iterations. */
static cJSON *curve(const struct meta_row *rows, int count)
{
    cJSON *points = cJSON_CreateArray();
    int step = (count + POINTS - 1) / POINTS;
    for (int i = 0; i < count; i += step)
        cJSON_AddItemToArray(points, point(&rows[i], i + step < count ? step : count - i));
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
    if (!access(r->usage, R_OK)
        && !meta_json_read_checked(&usage, r->usage, meta_usage_rules, error))
        cJSON_AddItemToObject(j, "memory_mb", meta_json_number(meta_json_get(usage, "memory_mb")));
    cJSON_AddItemToObject(j, "curve", curve(rows, count));
    cJSON_Delete(usage);
    free(rows);
    return 0;
}

/* An ensemble's trainings by their seeds: each has a curve of its own, in the cells that it has for
   itself. */
static void add_ensemble(cJSON *to, const struct meta_cell *c)
{
    cJSON *seeds = cJSON_AddArrayToObject(to, "ensemble");
    for (int k = 0; k < meta_cell_trainings(c); k++)
        cJSON_AddItemToArray(seeds, meta_json_number(meta_cell_training(c, k)->seed));
}

int meta_cell_finish(const struct meta_table *t, const struct meta_cell *c, const char *written,
                     double seconds, double megabytes, struct meta_error *error)
{
    cJSON *root = NULL, *own;
    char sum[16];
    if (c->answers && sum_answers(sum, c, error)) return -1;
    if (meta_json_read_checked(&root, written, meta_result_rules, error)) return -1;
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
    if (c->more_count) add_ensemble(own, c);
    if (c->answers) cJSON_AddStringToObject(own, "answers", sum);
    int status = c->recipe && !c->more_count ? add_training(own, c->recipe, error) : 0;
    if (!status) status = meta_json_write(c->file, root, error);
    if (!status) unlink(written);
    cJSON_Delete(root);
    return status;
}
