/* Reads a .table file: [table], then a [row] for each row or family of rows. What does not go
   together is refused by its line. */
#define _GNU_SOURCE
#include "table_read.h"
#include "table_beginning.h"
#include "table_cells.h"
#include "table_images.h"
#include "base/path.h"
#include "config/cfg.h"
#include "config/options.h"
#include "evaluation/methods.h"
#include "stats/temperature.h"
#include "training/trainer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char trainings[] = "none|train|pretrain";

#define TABLE(field) offsetof(struct meta_table, field)
#define ROW(field) offsetof(struct meta_table_row, field)

static const struct meta_option table_options[] = {
    { "name", META_TEXT, 0, 0, 0, NULL, TABLE(name), "the table's title" },
    { "data", META_TEXT, 0, 0, 0, NULL, TABLE(data), "the .data file" },
    { "list", META_CHOICE, 0, 0, 0, "test|valid", TABLE(valid),
      "the list of the .data file that cells are tested on" },
    { "seed", META_INT, 1, 0, INT_MAX, NULL, TABLE(seed),
      "seed of the test's tasks, and of trainings whose row has none" },
    { "runs", META_INT, 1000, 2, 10000000, NULL, TABLE(runs), "tasks that a cell is tested on" },
    { "first", META_INT, 30, 2, 10000000, NULL, TABLE(first),
      "how many of the first tasks have a figure of their own: the paper's number" },
    { "reference", META_TEXT, 0, 0, 0, NULL, TABLE(reference),
      "label of the row that the others are paired with" },
    { "needs", META_TEXT, 0, 0, 0, NULL, TABLE(needs),
      "what has to be had before the .data files are there" },
    { "place", META_INT, 0, 1, 10000, NULL, TABLE(place),
      "place among the tables of a report; those without one come last" },
    { "caption", META_TEXT, 0, 0, 0, NULL, TABLE(caption), "what a report says it compares" },
    { "authors", META_TEXT, 0, 0, 0, NULL, TABLE(authors),
      "whose the rows' figures of a paper are, in words of a report (paper)" },
    { "groups", META_TEXT, 0, 0, 0, NULL, TABLE(groups),
      "what the groups of the .data file are, in words of a report (groups)" },
    { "valid_every", META_INT, META_VALID_EVERY, 0, 100000000, NULL, TABLE(valid_every),
      "as meta train -valid_every, where there is a valid list" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static const struct meta_option row_options[] = {
    { "label", META_TEXT, 0, 0, 0, NULL, ROW(label), "the row's name" },
    { "cfg", META_TEXT, 0, 0, 0, NULL, ROW(cfg), "the .cfg" },
    { "method", META_CHOICE, -1, 0, 0, meta_method_choices + 1, ROW(method),
      "as meta test -method" },
    { "train", META_CHOICE, META_TABLE_TRAIN, 0, 0, trainings, ROW(train),
      "meta train, meta pretrain, or weights that are there" },
    { "weights", META_TEXT, 0, 0, 0, NULL, ROW(weights),
      "train=none: the .weights; none for a method without" },
    { "tested", META_CHOICE, 0, 0, 0, "final|average", ROW(average),
      "which of the training's weights: NAME_final, or NAME_average, which [net] average= keeps" },
    { "each", META_INT, -1, 0, 1, NULL, ROW(each),
      "train=train: 1: a training for each of shots; 0: one, with the .cfg's shots, for all" },
    { "seed", META_INTS, 0, 0, INT_MAX, NULL, ROW(seeds),
      "seed of the training (the table's); several are a training and a row each" },
    { "ensemble", META_INT, 0, 0, 1, NULL, ROW(ensemble),
      "1: the weights of all seeds are tested as one answer, in place of a row each" },
    { "with", META_TEXT, 0, 0, 0, NULL, ROW(with),
      "label of a row above: the answers are averaged with those of its cells" },
    { "temper", META_REALS, 0, META_TEMPERATURE_LEAST, META_TEMPERATURE_MOST, NULL, ROW(temper),
      "with with=: as meta test -temper, the row's own temperature first" },
    { "train_data", META_TEXT, 0, 0, 0, NULL, ROW(train_data),
      "the .data file that the training reads, in place of the table's" },
    { "epochs", META_INT, 0, 1, 100000, NULL, ROW(epochs),
      "method=finetune: as meta test -epochs" },
    { "augment", META_INT, 0, 1, 64, NULL, ROW(augment),
      "maml, prototype and finetune: as meta test -augment" },
    { "shots", META_INTS, 0, 1, 1000, NULL, ROW(shots), "support images a class: a cell each" },
    { "paper", META_REALS, 0, 0, 100, NULL, ROW(paper),
      "the paper's AUC in percent, for each of shots" },
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

/* Beyond these a table takes longer to be read than anyone has to run it. */
enum { MOST_SEEDS = 1000, MOST_ROWS = 10000 };

static int has_twice(const struct meta_list *list)
{
    for (int i = 0; i < list->count; i++)
        for (int k = 0; k < i; k++)
            if (list->values[i] == list->values[k]) return 1;
    return 0;
}

/* What is wrong with a row by itself, after "[row] "; NULL: nothing. */
static const char *row_fault(const struct meta_table_row *r)
{
    if (!r->label) return "label: must be there";
    if (!r->cfg) return "cfg: must be there";
    if (!r->shots.count) return "shots: must be there";
    if (r->paper.count && r->paper.count != r->shots.count)
        return "paper: must have a figure for each of shots";
    int weightless = r->method >= 0 && meta_methods[r->method]->weightless;
    if (weightless && (r->train != META_TABLE_NONE || r->weights))
        return "method: reads no weights: must be with train=none, and without weights";
    if (r->train == META_TABLE_NONE && !r->weights && !weightless)
        return "train=none: needs weights";
    if (r->train != META_TABLE_NONE && r->weights) return "weights: only with train=none";
    if (r->average && r->train == META_TABLE_NONE)
        return "tested: is of a training, and train=none has none";
    if (r->train_data && r->train == META_TABLE_NONE)
        return "train_data: is of a training, and train=none has none";
    if (r->each >= 0 && r->train != META_TABLE_TRAIN) return "each: only with train=train";
    if (r->seeds.count && r->train == META_TABLE_NONE)
        return "seed: is of a training, and train=none has none";
    if (r->seeds.count > MOST_SEEDS) return "seed: has more than 1000 numbers";
    if (r->ensemble && r->seeds.count < 2)
        return "ensemble=1: is of several trainings: needs two numbers of seed or more";
    if (r->temper.count && (!r->with || r->temper.count != 2))
        return "temper: must be two numbers, the row's own first, beside with=";
    if (has_twice(&r->shots)) return "shots: has a number twice";
    if (has_twice(&r->seeds)) return "seed: has a number twice";
    return NULL;
}

/* A row of several seeds has as many answers to a task. */
static int check_with(const struct meta_table *t, const struct meta_table_row *r,
                      struct meta_error *error)
{
    for (const struct meta_table_row *other = t->rows; other < r; other++) {
        if (other->line == r->line || !meta_row_has_label(other, r->with)) continue;
        if (!other->family || strcmp(other->family, r->with) != 0) return 0;
        return meta_fail(error,
                         "%s:%d: [row] with=%s: is of several seeds: must be a row of one, or of "
                         "ensemble=1",
                         t->path, r->line, r->with);
    }
    return meta_fail(error, "%s:%d: [row] with=%s: must be the label of a row above", t->path,
                     r->line, r->with);
}

/* Checks the row, and its label against those of the rows before it. */
static int check_row(const struct meta_table *t, const struct meta_table_row *r,
                     struct meta_error *error)
{
    const char *fault = row_fault(r);
    if (fault) return meta_fail(error, "%s:%d: [row] %s", t->path, r->line, fault);
    for (const struct meta_table_row *other = t->rows; other < r; other++)
        if (other->line != r->line && meta_row_has_label(other, r->label))
            return meta_fail(error, "%s:%d: [row] label=%s: repeated; first on line %d", t->path,
                             r->line, r->label, other->line);
    return r->with ? check_with(t, r, error) : 0;
}

/* Makes of a row as the file has it the row of its nth seed. */
static int take_seed(struct meta_table_row *r, int nth, struct meta_error *error)
{
    r->nth = r->ensemble ? r->seeds.count - 1 : nth; /* after the rows of its seeds */
    r->seed = r->seeds.count ? (int)r->seeds.values[nth] : -1;
    if (r->seeds.count < 2 || r->ensemble) return 0;
    r->family = r->label;
    return meta_table_text(&r->label, error, "%s, seed %d", r->family, r->seed);
}

/* Adds a row for each seed of a [row], or one when it has none. */
static int read_row(struct meta_table *t, const struct meta_section *section,
                    struct meta_error *error)
{
    int seeds = 1;
    if (strcmp(section->name, "row"))
        return meta_fail(error, "%s:%d: [%.40s]: must be [row]", t->path, section->line,
                         section->name);
    for (int k = 0; k < seeds; k++) {
        if (t->row_count == MOST_ROWS)
            return meta_fail(error, "%s:%d: [row]: a table must have at most %d, seed by seed",
                             t->path, section->line, MOST_ROWS);
        struct meta_table_row *rows = realloc(t->rows, ((size_t)t->row_count + 1) * sizeof *rows),
                              *r;
        if (!rows) return meta_fail_memory_for(error, t->path);
        t->rows = rows;
        r = &rows[t->row_count++];
        *r = (struct meta_table_row){ .line = section->line };
        if (meta_options_parse(row_options, section, t->path, r, error) || check_row(t, r, error))
            return -1;
        seeds = r->seeds.count && !r->ensemble ? r->seeds.count : 1;
        if (take_seed(r, k, error)) return -1;
    }
    return 0;
}

static int check_reference(const struct meta_table *t, int line, struct meta_error *error)
{
    if (!t->reference) return 0;
    for (int i = 0; i < t->row_count; i++)
        if (meta_row_has_label(&t->rows[i], t->reference)) return 0;
    return meta_fail(error, "%s:%d: [table] reference=%s: no row has that label", t->path, line,
                     t->reference);
}

static int read_sections(struct meta_table *t, const struct meta_cfg *file,
                         struct meta_error *error)
{
    const struct meta_section *head = file->sections;
    if (!file->count || strcmp(head->name, "table"))
        return meta_fail(error, "%s: must begin with [table]", t->path);
    if (meta_options_parse(table_options, head, t->path, t, error)) return -1;
    if (!t->name || !t->data)
        return meta_fail(error, "%s:%d: [table] %s: must be there", t->path, head->line,
                         t->name ? "data" : "name");
    if (t->first > t->runs)
        return meta_fail(error, "%s:%d: [table] first=%d: must be 2 to runs=%d", t->path,
                         head->line, t->first, t->runs);
    for (int i = 1; i < file->count; i++)
        if (read_row(t, &file->sections[i], error)) return -1;
    if (!t->row_count) return meta_fail(error, "%s: has no [row]", t->path);
    return check_reference(t, head->line, error);
}

static void add_source(struct meta_table *t, const char *data)
{
    t->sources[t->source_count++] =
        (struct meta_table_source){ .data = data, .missing = access(data, R_OK) != 0 };
}

/* Finds the place of a row's train_data among the table's sources, or adds it. */
static int find_source(struct meta_table *t, struct meta_table_row *r, struct meta_error *error)
{
    for (r->source = 0; r->source < t->source_count; r->source++)
        if (meta_path_same(t->sources[r->source].data, r->train_data)) return 0;
    if (t->source_count == META_TABLE_SOURCES)
        return meta_fail(error,
                         "%s:%d: [row] train_data=%s: a table must name at most %d .data "
                         "files",
                         t->path, r->line, r->train_data, META_TABLE_SOURCES);
    add_source(t, r->train_data);
    if (!t->sources[r->source].missing || t->needs) return 0;
    return meta_fail(error,
                     "%s:%d: [row] train_data=%s: can't be read, and needs= doesn't say what it is",
                     t->path, r->line, r->train_data);
}

static int read_data(struct meta_table *t, struct meta_error *error)
{
    add_source(t, t->data);
    if (t->sources->missing && !t->needs)
        return meta_fail(error, "%s: data=%s: can't be read, and needs= doesn't say what it is",
                         t->path, t->data);
    for (struct meta_table_row *r = t->rows; r < t->rows + t->row_count; r++)
        if (r->train_data && find_source(t, r, error)) return -1;
    return t->sources->missing ? 0 : meta_table_identify(t, error);
}

/* Puts another .data file in the place of the table's. */
static int replace_data(struct meta_table *t, const char *data, struct meta_error *error)
{
    if (!data) return 0;
    free(t->data);
    t->data = strdup(data);
    return t->data ? 0 : meta_fail_memory(error);
}

int meta_table_read(struct meta_table **out, const char *path, const char *folder, const char *data,
                    struct meta_error *error)
{
    struct meta_cfg *file = NULL;
    struct meta_table *t = calloc(1, sizeof *t);
    if (!t || !(t->path = strdup(path)) || !(t->slug = meta_path_stem(path))
        || !(t->folder = strdup(folder))) {
        meta_fail_memory(error);
        goto fail;
    }
    meta_path_trim(t->folder);
    if (meta_table_file_read(&file, path, error) || read_sections(t, file, error)
        || replace_data(t, data, error) || read_data(t, error) || meta_table_make_cells(t, error)
        || meta_table_add_beginnings(t, error))
        goto fail;
    meta_cfg_free(file);
    *out = t;
    return 0;
fail:
    meta_cfg_free(file);
    meta_table_free(t);
    return -1;
}

static void free_recipe(struct meta_recipe *r)
{
    char *owned[] = { r->key,   r->name, r->folder, r->cfg, r->data,
                      r->state, r->csv,  r->final,  r->log, r->usage };
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
}

static void free_cell(struct meta_cell *c)
{
    char *owned[] = { c->key, c->name, c->file, c->log, c->answers };
    for (size_t k = 0; k < sizeof owned / sizeof *owned; k++) free(owned[k]);
    free(c->more);
}

void meta_table_free(struct meta_table *t)
{
    if (!t) return;
    for (int i = 0; i < t->row_count; i++) {
        meta_options_clear(row_options, &t->rows[i]);
        free(t->rows[i].family);
    }
    for (int i = 0; i < t->recipe_count; i++) free_recipe(&t->recipes[i]);
    for (int i = 0; i < t->cell_count; i++) free_cell(&t->cells[i]);
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
