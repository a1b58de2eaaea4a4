/* The folder of a training: a copy of its .cfg, a .data file that has its weights put there, and what it has used. */
#define _GNU_SOURCE
#include "table.h"
#include "base/path.h"
#include "config/cfg.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "training/train_log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rows of a log whose seconds are taken for those to come. */
#define RECENT 50

/* The number of the line that has [episode] shots; of [episode] itself, with *found 0, when it has none. 0: no [episode]. */
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
            if (!strcmp(s->pairs[k].key, "shots")) { *line = s->pairs[k].line; *found = 1; }
    }
    meta_cfg_free(cfg);
    return *line ? 0 : meta_fail(error, "%s: has no [episode], where shots stand: give it one, or the [row] each=0", path);
}

/* The .cfg, byte for byte but for the line of its shots. */
static int copy_cfg(const struct meta_recipe *r, struct meta_error *error)
{
    char *text, own[64];
    size_t size;
    int found = 0, line = 0;
    if (r->shots && find_shots(r->row->cfg, &found, &line, error)) return -1;
    if (meta_file_read(r->row->cfg, &text, &size, error)) return -1;
    const char *at = text;
    for (int i = found ? 1 : 0; i < line; i++) at = strchrnul(at, '\n') + (strchr(at, '\n') != NULL);
    const char *rest = found ? strchrnul(at, '\n') + (strchr(at, '\n') != NULL) : at;
    int n = line ? snprintf(own, sizeof own, "shots=%d\n", r->shots) : 0;
    struct meta_chunk chunks[] = { { text, at - text }, { own, n }, { rest, text + size - rest } };
    int status = meta_file_write(r->cfg, chunks, 3, error);
    free(text);
    return status;
}

static int copy_data(const struct meta_table *t, const struct meta_recipe *r, struct meta_error *error)
{
    struct meta_cfg *data;
    struct meta_text text;
    if (meta_data_file_read(&data, t->data, error)) return -1;
    if (meta_text_begin(&text, error)) { meta_cfg_free(data); return -1; }
    for (int i = 0; i < data->sections[0].count; i++)
        if (strcmp(data->sections[0].pairs[i].key, "backup"))
            fprintf(text.file, "%s = %s\n", data->sections[0].pairs[i].key, data->sections[0].pairs[i].value);
    fprintf(text.file, "backup = %s\n", r->folder);
    meta_cfg_free(data);
    return meta_text_write(&text, 0, r->data, error);
}

int meta_recipe_prepare(const struct meta_table *t, const struct meta_recipe *r, struct meta_error *error)
{
    return meta_path_make_folder(r->folder, error) || copy_cfg(r, error) || copy_data(t, r, error) ? -1 : 0;
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

int meta_recipe_used(const struct meta_recipe *r, double processor, double megabytes, struct meta_error *error)
{
    cJSON *old = NULL, *root = cJSON_CreateObject();
    double before = 0, most = 0, parts = 0;
    if (!access(r->usage, R_OK) && !meta_json_read(&old, r->usage, error)) {
        before = fmax(0, meta_json_get(old, "processor_seconds"));
        most = fmax(0, meta_json_get(old, "memory_mb"));
        parts = fmax(0, meta_json_get(old, "processes"));
    }
    cJSON_AddItemToObject(root, "processor_seconds", meta_json_number(before + processor));
    cJSON_AddItemToObject(root, "memory_mb", meta_json_number(fmax(most, megabytes)));
    cJSON_AddItemToObject(root, "processes", meta_json_number(parts + 1));
    int status = meta_json_write(r->usage, root, error);
    cJSON_Delete(old);
    cJSON_Delete(root);
    return status;
}
