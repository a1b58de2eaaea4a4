#define _GNU_SOURCE
#include "table.h"
#include "base/path.h"
#include "tasks/data_file.h"
#include "evaluation/method.h"
#include "config/model.h"
#include "config/options.h"
#include "training/run_file.h"
#include "training/trainer.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char methods[] = "maml|finetune|knn|svm|relation", trainings[] = "none|train|pretrain";

#define TABLE(field) offsetof(struct meta_table, field)
#define ROW(field) offsetof(struct meta_table_row, field)

static const struct meta_option table_options[] = {
    { "name", META_TEXT, 0, 0, 0, NULL, TABLE(name), "its title" },
    { "data", META_TEXT, 0, 0, 0, NULL, TABLE(data), "the .data file" },
    { "seed", META_INT, 1, 0, INT_MAX, NULL, TABLE(seed), "of the test's tasks, and of trainings that give none" },
    { "runs", META_INT, 1000, 2, 10000000, NULL, TABLE(runs), "tasks that every cell is tested on" },
    { "first", META_INT, 30, 2, 10000000, NULL, TABLE(first), "of them the first so many: the paper's number" },
    { "reference", META_TEXT, 0, 0, 0, NULL, TABLE(reference), "label of the row that the others are paired with" },
    { "needs", META_TEXT, 0, 0, 0, NULL, TABLE(needs), "what has to be had before the .data file is there" },
    { "valid_every", META_INT, META_VALID_EVERY, 0, 100000000, NULL, TABLE(valid_every), "as meta train -valid_every, where there is a valid list" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static const struct meta_option row_options[] = {
    { "label", META_TEXT, 0, 0, 0, NULL, ROW(label), "its name" },
    { "cfg", META_TEXT, 0, 0, 0, NULL, ROW(cfg), "the .cfg" },
    { "method", META_CHOICE, -1, 0, 0, methods, ROW(method), "as meta test -method" },
    { "train", META_CHOICE, META_TABLE_TRAIN, 0, 0, trainings, ROW(train), "meta train, meta pretrain, or weights that are there" },
    { "weights", META_TEXT, 0, 0, 0, NULL, ROW(weights), "train=none: the .weights" },
    { "each", META_INT, -1, 0, 1, NULL, ROW(each), "train=train: a training for each of shots (1); 0: one, with the .cfg's shots, tested with each" },
    { "seed", META_INTS, 0, 0, INT_MAX, NULL, ROW(seeds), "of its training (the table's); of several: a training and a row for each" },
    { "epochs", META_INT, 0, 1, 100000, NULL, ROW(epochs), "method=finetune: as meta test -epochs" },
    { "shots", META_INTS, 0, 1, 1000, NULL, ROW(shots), "support images a class: a cell each" },
    { "paper", META_REALS, 0, 0, 100, NULL, ROW(paper), "the paper's AUC in percent, for each of shots" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

const char *meta_row_method_name(int method)
{
    return meta_methods[method]->name;
}

const char *meta_table_training_name(int train)
{
    static const char *const names[] = { "none", "train", "pretrain" };
    return names[train];
}

uint64_t meta_table_seed(const struct meta_table *t, const struct meta_table_row *row) { return row->seed < 0 ? t->seed : row->seed; }

int meta_row_is(const struct meta_table_row *row, const char *label)
{
    return !strcmp(row->label, label) || (row->family && !strcmp(row->family, label));
}

const struct meta_cell *meta_table_reference(const struct meta_table *t, const struct meta_cell *cell)
{
    if (!t->reference || meta_row_is(cell->row, t->reference)) return NULL;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (c->shots != cell->shots || !meta_row_is(c->row, t->reference)) continue;
        if (!strcmp(c->row->label, t->reference) || meta_table_seed(t, c->row) == meta_table_seed(t, cell->row)) return c;
    }
    return NULL;
}

static int set_text(char **text, struct meta_error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int set_text(char **text, struct meta_error *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vasprintf(text, format, list);
    va_end(list);
    if (n >= 0) return 0;
    *text = NULL;
    return meta_fail_memory(error);
}

/* ---- the file ---- */

static int has_twice(const struct meta_list *list)
{
    for (int i = 0; i < list->count; i++)
        for (int k = 0; k < i; k++)
            if (list->values[i] == list->values[k]) return 1;
    return 0;
}

static int fail_row(const struct meta_table *t, int line, struct meta_error *error, const char *text)
{
    return meta_fail(error, "%s:%d: [row] %s", t->path, line, text);
}

static int check_row(const struct meta_table *t, const struct meta_table_row *r, struct meta_error *error)
{
    if (!r->label) return fail_row(t, r->line, error, "label: must be there");
    if (!r->cfg) return fail_row(t, r->line, error, "cfg: must be there");
    if (!r->shots.count) return fail_row(t, r->line, error, "shots: must be there");
    if (r->paper.count && r->paper.count != r->shots.count) return fail_row(t, r->line, error, "paper: must have a figure for each of shots");
    if ((r->train == META_TABLE_NONE) != (r->weights != NULL))
        return fail_row(t, r->line, error, r->weights ? "weights: only with train=none" : "train=none: needs weights");
    if (r->each >= 0 && r->train != META_TABLE_TRAIN) return fail_row(t, r->line, error, "each: only with train=train");
    if (r->seeds.count && r->train == META_TABLE_NONE) return fail_row(t, r->line, error, "seed: is of a training, and train=none has none");
    if (r->epochs && r->method != META_ROW_FINETUNE) return fail_row(t, r->line, error, "epochs: only with method=finetune");
    if (has_twice(&r->shots)) return fail_row(t, r->line, error, "shots: has a number twice");
    if (has_twice(&r->seeds)) return fail_row(t, r->line, error, "seed: has a number twice");
    for (const struct meta_table_row *other = t->rows; other < r; other++)
        if (other->line != r->line && meta_row_is(other, r->label))
            return meta_fail(error, "%s:%d: [row] label=%.100s: repeated; first on line %d", t->path, r->line, r->label, other->line);
    return 0;
}

/* The row as the file has it becomes that of its nth seed. */
static int take_seed(struct meta_table_row *r, int nth, struct meta_error *error)
{
    r->nth = nth;
    r->seed = r->seeds.count ? (int)r->seeds.values[nth] : -1;
    if (r->seeds.count < 2) return 0;
    r->family = r->label;
    return set_text(&r->label, error, "%s, seed %d", r->family, r->seed);
}

/* A row for each of its seeds. */
static int read_row(struct meta_table *t, const struct meta_section *section, struct meta_error *error)
{
    int seeds = 1;
    if (strcmp(section->name, "row")) return meta_fail(error, "%s:%d: [%.40s]: must be [row]", t->path, section->line, section->name);
    for (int k = 0; k < seeds; k++) {
        struct meta_table_row *rows = realloc(t->rows, (t->row_count + 1) * sizeof *rows), *r;
        if (!rows) return meta_fail_memory_for(error, t->path);
        t->rows = rows;
        r = &rows[t->row_count++];
        *r = (struct meta_table_row){ .line = section->line };
        if (meta_options_parse(row_options, section, t->path, r, error) || check_row(t, r, error)) return -1;
        seeds = r->seeds.count ? r->seeds.count : 1;
        if (take_seed(r, k, error)) return -1;
    }
    return 0;
}

static int read_sections(struct meta_table *t, const struct meta_cfg *file, struct meta_error *error)
{
    if (!file->count || strcmp(file->sections[0].name, "table")) return meta_fail(error, "%s: must begin with [table]", t->path);
    if (meta_options_parse(table_options, &file->sections[0], t->path, t, error)) return -1;
    if (!t->name || !t->data) return meta_fail(error, "%s:%d: [table] %s: must be there", t->path, file->sections[0].line, t->name ? "data" : "name");
    if (t->first > t->runs)
        return meta_fail(error, "%s:%d: [table] first=%d: must be 2 to runs=%d", t->path, file->sections[0].line, t->first, t->runs);
    for (int i = 1; i < file->count; i++)
        if (read_row(t, &file->sections[i], error)) return -1;
    if (!t->row_count) return meta_fail(error, "%s: has no [row]", t->path);
    for (int i = 0; t->reference && i < t->row_count; i++)
        if (meta_row_is(&t->rows[i], t->reference)) return 0;
    if (!t->reference) return 0;
    return meta_fail(error, "%s:%d: [table] reference=%.100s: no row has that label", t->path, file->sections[0].line, t->reference);
}

/* ---- trainings and cells ---- */

/* Letters and digits, small; a dash for anything between them. */
static char *slug_of(const char *text)
{
    char *slug = malloc(strlen(text) + 2), *to = slug;
    if (!slug) return NULL;
    for (; *text; text++)
        if (isalnum((unsigned char)*text)) *to++ = tolower((unsigned char)*text);
        else if (to > slug && to[-1] != '-') *to++ = '-';
    if (to > slug && to[-1] == '-') to--;
    *to = 0;
    return slug;
}

int meta_recipe_name(const struct meta_table *t, struct meta_recipe *r, struct meta_error *error)
{
    const char *base = meta_path_base(r->row->cfg);
    int n = strlen(base);
    if (n > 4 && !strcmp(base + n - 4, ".cfg")) n -= 4;
    char name[n + 1];
    memcpy(name, base, n);
    name[n] = 0;
    return set_text(&r->folder, error, "%s/trainings/%s%s-%08x", t->folder, r->begins ? "beginning-of-" : "", name, meta_table_id(r->key))
        || set_text(&r->cfg, error, "%s/%s.cfg", r->folder, name) || set_text(&r->data, error, "%s/%s.data", r->folder, name)
        || meta_run_file(&r->state, META_RUN_STATE, r->folder, name, error) || meta_run_file(&r->csv, META_RUN_LOG, r->folder, name, error)
        || meta_run_file(&r->final, META_RUN_FINAL, r->folder, name, error)
        || set_text(&r->log, error, "%s/log.txt", r->folder) || set_text(&r->usage, error, "%s/usage.json", r->folder) ? -1 : 0;
}

int meta_row_model(struct meta_model **model, const struct meta_table_row *row, struct meta_error *error)
{
    static const enum meta_purpose purposes[] = { META_FOR_ANY, META_FOR_TASKS, META_FOR_IMAGES };
    return meta_model_load_for(model, row->cfg, purposes[row->train], error);
}

/* Whether `meta test` will take what the training makes: a row is not trained for hours to find that out. */
static int check_method(const struct meta_table *t, const struct meta_table_row *row, const struct meta_model *trained, struct meta_error *error)
{
    const struct meta_method *method = meta_methods[row->method];
    struct meta_evaluation e = { .episode = *trained->episode, .steps = trained->inner->test_steps, .layer = -1 };
    struct meta_model *model = NULL;
    struct meta_error why;
    int failed = method == &meta_method_maml && row->train != META_TABLE_TRAIN && meta_model_load(&model, row->cfg, &why);
    if (!failed) failed = method->check(model ? model : trained, &e, &why);
    meta_model_free(model);
    return failed ? meta_fail(error, "%s:%d: [row] method=%s: %.300s", t->path, row->line, method->name, why.text) : 0;
}

/* What the .cfg says of tasks and training. All rows have tasks of one size: that is what pairs them. */
static int look_at_cfg(struct meta_table *t, struct meta_table_row *row, struct meta_error *error)
{
    struct meta_model *model;
    if (meta_row_model(&model, row, error)) return -1;
    if (row->method < 0) row->method = model->network->ways ? META_ROW_RELATION : META_ROW_MAML;
    int failed = check_method(t, row, model, error);
    row->ways = model->episode->ways;
    row->queries = model->episode->queries;
    row->iterations = model->net.max_batches;
    if (row->train == META_TABLE_TRAIN) row->unweighed = meta_recipe_unweighed(model);
    if (model->episode_line) row->own_shots = model->episode->shots;
    meta_model_free(model);
    if (failed) return -1;
    if (row->ways == t->rows->ways && row->queries == t->rows->queries) return 0;
    return meta_fail(error, "%s:%d: [row] cfg=%.100s: its tasks have ways=%d and queries=%d, those of line %d %d and %d: must be equal", t->path,
                     row->line, row->cfg, row->ways, row->queries, t->rows->line, t->rows->ways, t->rows->queries);
}

/* The one with the same key, or a new one. */
static int find_recipe(struct meta_table *t, const struct meta_table_row *row, int shots, struct meta_recipe **out, struct meta_error *error)
{
    struct meta_recipe *r = &t->recipes[t->recipe_count];
    *r = (struct meta_recipe){ .row = row, .seed = meta_table_seed(t, row), .total = row->iterations, .unweighed = row->unweighed };
    if (row->train == META_TABLE_TRAIN) r->shots = row->each ? shots : row->own_shots;
    *out = r;
    if (!t->ready) { *out = NULL; return 0; }
    if (meta_table_recipe_key(&r->key, t, row, r->shots, error)) return -1;
    for (int i = 0; i < t->recipe_count; i++)
        if (!strcmp(t->recipes[i].key, r->key)) {
            free(r->key);
            r->key = NULL;
            *out = &t->recipes[i];
            return 0;
        }
    t->recipe_count++;
    return meta_recipe_name(t, r, error);
}

static int add_cell(struct meta_table *t, const struct meta_table_row *row, int shots, double paper, struct meta_error *error)
{
    struct meta_cell *c = &t->cells[t->cell_count];
    char *slug;
    *c = (struct meta_cell){ .row = row, .shots = shots, .paper = paper };
    t->cell_count++;
    if (row->train != META_TABLE_NONE && find_recipe(t, row, shots, &c->recipe, error)) return -1;
    if (!(slug = slug_of(row->label))) return meta_fail_memory(error);
    int status = set_text(&c->name, error, "%s-%s-%d.json", t->slug, slug, shots) || set_text(&c->file, error, "%s/%s", t->folder, c->name)
              || set_text(&c->log, error, "%s/logs/%s-%s-%d.txt", t->folder, t->slug, slug, shots) ? -1 : 0;
    free(slug);
    for (int i = 0; !status && i + 1 < t->cell_count; i++)
        if (!strcmp(t->cells[i].name, c->name))
            return meta_fail(error, "%s:%d: [row] label=%.60s: as a file's name it is the same as %.60s", t->path, row->line, row->label,
                             t->cells[i].row->label);
    if (!status && t->ready) status = meta_table_cell_key(&c->key, t, c, error);
    if (!status && t->ready) c->id = meta_table_id(c->key);
    return status;
}

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static int look_at_data(struct meta_table *t, struct meta_error *error)
{
    struct meta_data *data;
    t->ready = !access(t->data, R_OK);
    if (!t->ready) return t->needs ? 0 : meta_fail(error, "%s: data=%.200s: can't be read, and needs= doesn't say what it is", t->path, t->data);
    if (meta_data_read(&data, t->data, error)) return -1;
    t->watched = data->valid != NULL;
    meta_data_free(data);
    return 0;
}

/* Every row's cell of a column whose seed is the nth. */
static int add_cells(struct meta_table *t, int shots, int nth, struct meta_error *error)
{
    for (int i = 0; i < t->row_count; i++) {
        const struct meta_table_row *r = &t->rows[i];
        for (int k = 0; r->nth == nth && k < r->shots.count; k++)
            if ((int)r->shots.values[k] == shots && add_cell(t, r, shots, r->paper.count ? r->paper.values[k] : NAN, error)) return -1;
    }
    return 0;
}

/* Column by column, in the order the file has them first: what stands first in shots= is there first in every row. Seed by seed in it, so that
   a table cut short has all rows to compare. */
static int make_cells(struct meta_table *t, struct meta_error *error)
{
    int cells = 0, seeds = 1;
    for (int i = 0; i < t->row_count; i++) {
        if (look_at_cfg(t, &t->rows[i], error)) return -1;
        cells += t->rows[i].shots.count;
        if (t->rows[i].nth >= seeds) seeds = t->rows[i].nth + 1;
    }
    t->cells = calloc(cells, sizeof *t->cells);
    t->recipes = calloc(2 * cells + 1, sizeof *t->recipes);
    t->columns = calloc(cells, sizeof *t->columns);
    if (!t->cells || !t->recipes || !t->columns) return meta_fail_memory_for(error, t->path);
    for (int i = 0; i < t->row_count; i++)
        for (int k = 0; k < t->rows[i].shots.count; k++) {
            int known = 0;
            for (int c = 0; c < t->column_count; c++) known |= t->columns[c] == (int)t->rows[i].shots.values[k];
            if (!known) t->columns[t->column_count++] = t->rows[i].shots.values[k];
        }
    for (int c = 0; c < t->column_count; c++)
        for (int nth = 0; nth < seeds; nth++)
            if (add_cells(t, t->columns[c], nth, error)) return -1;
    qsort(t->columns, t->column_count, sizeof *t->columns, ascending);
    return 0;
}

int meta_table_read(struct meta_table **out, const char *path, const char *folder, const char *data, struct meta_error *error)
{
    struct meta_cfg *file = NULL;
    struct meta_table *t = calloc(1, sizeof *t);
    if (!t || !(t->path = strdup(path)) || !(t->slug = meta_path_stem(path)) || !(t->folder = strdup(folder))) {
        meta_fail_memory(error);
        goto fail;
    }
    meta_path_trim(t->folder);
    if (meta_table_file_read(&file, path, error) || read_sections(t, file, error)) goto fail;
    if (data) {
        free(t->data);
        if (!(t->data = strdup(data))) { meta_fail_memory(error); goto fail; }
    }
    if (look_at_data(t, error) || make_cells(t, error) || meta_table_begin(t, error)) goto fail;
    meta_cfg_free(file);
    *out = t;
    return 0;
fail:
    meta_cfg_free(file);
    meta_table_free(t);
    return -1;
}

void meta_table_free(struct meta_table *t)
{
    if (!t) return;
    for (int i = 0; i < t->row_count; i++) {
        meta_options_clear(row_options, &t->rows[i]);
        free(t->rows[i].family);
    }
    for (int i = 0; i < t->recipe_count; i++) {
        struct meta_recipe *r = &t->recipes[i];
        char *owned[] = { r->key, r->folder, r->cfg, r->data, r->state, r->csv, r->final, r->log, r->usage };
        for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    }
    for (int i = 0; i < t->cell_count; i++) {
        free(t->cells[i].key);
        free(t->cells[i].name);
        free(t->cells[i].file);
        free(t->cells[i].log);
    }
    meta_options_clear(table_options, t);
    free(t->rows);
    free(t->recipes);
    free(t->cells);
    free(t->columns);
    free(t->path);
    free(t->slug);
    free(t->folder);
    free(t);
}
