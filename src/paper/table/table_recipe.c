/* The folder of a training: its name, the copies of the .cfg and the .data file that it is
   trained with, and what its log and usage.json tell of it. */
#define _GNU_SOURCE
#include "table_recipe.h"
#include "table_key.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "base/text.h"
#include "evaluation/json_files.h"
#include "config/cfg.h"
#include "training/training_file.h"
#include "training/train_log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows at the end of a log by whose seconds those to come are estimated. */
#define RECENT 50

int meta_recipe_name(const struct meta_table *t, struct meta_recipe *r, struct meta_error *error)
{
    const char *base = meta_path_base(r->row->cfg), *which = r->is_beginning ? "beginning-of-" : "";
    int n = strlen(base);
    if (n > 4 && !strcmp(base + n - 4, ".cfg")) n -= 4;
    char *name = r->name = strndup(base, n);
    if (!name) return meta_fail_memory(error);
    uint32_t id = meta_table_id(r->key);
    if (meta_table_text(&r->folder, error, "%s/trainings/%s%s-%08x", t->folder, which, name, id)
        || meta_table_text(&r->cfg, error, "%s/%s.cfg", r->folder, name)
        || meta_table_text(&r->data, error, "%s/%s.data", r->folder, name)
        || meta_training_file(&r->state, META_TRAINING_STATE, r->folder, name, error)
        || meta_training_file(&r->csv, META_TRAINING_LOG, r->folder, name, error)
        || meta_training_file(&r->final, META_TRAINING_FINAL, r->folder, name, error)
        || meta_table_text(&r->log, error, "%s/log.txt", r->folder)
        || meta_table_text(&r->usage, error, "%s/usage.json", r->folder))
        return -1;
    return 0;
}

/* *line: the number of the line that has [episode] shots, with *found 1; that of [episode]
   itself, with *found 0, when it has none. A .cfg without [episode] is refused. */
static int find_shots(const char *path, int *found, int *line, struct meta_error *error)
{
    struct meta_cfg *cfg;
    *found = *line = 0;
    if (meta_cfg_read(&cfg, path, error)) return -1;
    for (int i = 0; i < cfg->count; i++) {
        const struct meta_section *s = &cfg->sections[i];
        if (strcmp(s->name, "episode")) continue;
        *line = s->line;
        for (int k = 0; k < s->count; k++)
            if (!strcmp(s->pairs[k].key, "shots")) {
                *line = s->pairs[k].line;
                *found = 1;
            }
    }
    meta_cfg_free(cfg);
    if (*line) return 0;
    return meta_fail(error,
                     "%s: has no [episode], where shots stand: "
                     "give it one, or the [row] each=0",
                     path);
}

/* What follows the line that `at` lies in. */
static const char *next_line(const char *at)
{
    at = strchrnul(at, '\n');
    return at + (*at == '\n');
}

/* Copies the .cfg, byte for byte but for the line of its shots. */
static int copy_cfg(const struct meta_recipe *r, struct meta_error *error)
{
    char *text, own[64];
    size_t size;
    int found = 0, line = 0;
    if (r->shots && find_shots(r->row->cfg, &found, &line, error)) return -1;
    if (meta_file_read(r->row->cfg, &text, &size, error)) return -1;
    const char *at = text;
    for (int i = found ? 1 : 0; i < line; i++) at = next_line(at);
    const char *rest = found ? next_line(at) : at;
    int n = line ? snprintf(own, sizeof own, "shots=%d\n", r->shots) : 0;
    struct meta_chunk chunks[] = { { text, at - text }, { own, n }, { rest, text + size - rest } };
    int status = meta_file_write(r->cfg, chunks, 3, error);
    free(text);
    return status;
}

/* Copies the .data file with backup= the training's folder. */
static int copy_data(const struct meta_table *t, const struct meta_recipe *r,
                     struct meta_error *error)
{
    struct meta_cfg *data;
    struct meta_text text;
    if (meta_data_file_read(&data, t->sources[r->row->source].data, error)) return -1;
    if (meta_text_begin(&text, error)) {
        meta_cfg_free(data);
        return -1;
    }
    const struct meta_section *s = &data->sections[0];
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->pairs[i].key, "backup"))
            fprintf(text.file, "%s = %s\n", s->pairs[i].key, s->pairs[i].value);
    fprintf(text.file, "backup = %s\n", r->folder);
    meta_cfg_free(data);
    return meta_text_write(&text, 0, r->data, error);
}

int meta_recipe_prepare(const struct meta_table *t, const struct meta_recipe *r,
                        struct meta_error *error)
{
    if (meta_path_make_folder(r->folder, error)) return -1;
    return copy_cfg(r, error) || copy_data(t, r, error) ? -1 : 0;
}

int meta_recipe_done(const struct meta_recipe *r) { return !access(r->final, R_OK); }

int meta_recipe_progress(const struct meta_recipe *r, double *seconds)
{
    struct meta_row *rows;
    struct meta_error ignored;
    int count, done = 0, n = 0;
    *seconds = 0;
    if (access(r->csv, R_OK) || meta_log_read(&rows, &count, r->csv, &ignored)) return 0;
    for (int i = count - 1; i >= 0 && n < RECENT; i--, n++) *seconds += rows[i].seconds;
    if (n) *seconds /= n;
    if (count) done = rows[count - 1].iteration;
    free(rows);
    return done;
}

int meta_recipe_add_usage(const struct meta_recipe *r, double processor_seconds, double megabytes,
                          struct meta_error *error)
{
    cJSON *old = NULL, *root = cJSON_CreateObject();
    double before = 0, most = 0, processes = 0;
    if (!access(r->usage, R_OK)
        && !meta_json_read_checked(&old, r->usage, meta_usage_rules, error)) {
        before = fmax(0, meta_json_get(old, "processor_seconds"));
        most = fmax(0, meta_json_get(old, "memory_mb"));
        processes = fmax(0, meta_json_get(old, "processes"));
    }
    cJSON_AddItemToObject(root, "processor_seconds", meta_json_number(before + processor_seconds));
    cJSON_AddItemToObject(root, "memory_mb", meta_json_number(fmax(most, megabytes)));
    cJSON_AddItemToObject(root, "processes", meta_json_number(processes + 1));
    int status = meta_json_write(r->usage, root, error);
    cJSON_Delete(old);
    cJSON_Delete(root);
    return status;
}
