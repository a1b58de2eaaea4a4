/* Makes the cells of a table and the trainings that they stand on, and checks that each row's
   .cfg suits both. */
#include "table_cells.h"
#include "table_beginning.h"
#include "table_key.h"
#include "table_recipe.h"
#include "base/file.h"
#include "base/plural.h"
#include "evaluation/methods.h"
#include "training/training_file.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The text's letters and digits in lower case, with one dash for whatever stands between them.
   NULL: no memory. */
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

/* Whether `meta test` will take what the training makes: a row is not trained for hours to find
   that out. */
static int check_method(const struct meta_table *t, const struct meta_table_row *row,
                        const struct meta_model *trained, struct meta_error *error)
{
    const struct meta_method *method = meta_methods[row->method];
    struct meta_evaluation e = { .episode = *trained->episode, .method = method };
    struct meta_model *model = NULL;
    struct meta_error why;
    void *settings = NULL;
    int failed = method->purpose == META_FOR_TASKS && row->train != META_TABLE_TRAIN
        && meta_model_load(&model, row->cfg, &why);
    if (!failed) failed = meta_method_settings(&settings, method, trained, &e.episode, &why);
    e.settings = settings;
    if (!failed) failed = meta_method_check(model ? model : trained, &e, &why);
    free(settings);
    meta_model_free(model);
    if (!failed) return 0;
    return meta_fail(error, "%s:%d: [row] method=%s: %s", t->path, row->line, method->name,
                     why.text);
}

/* Refuses a flag of `meta test` that the row's method does not read. */
static int check_flag(const struct meta_table *t, const struct meta_table_row *row,
                      const char *flag, struct meta_error *error)
{
    char readers[100];
    if (meta_method_reads(meta_methods[row->method], flag)) return 0;
    meta_method_readers(readers, sizeof readers, flag);
    return meta_fail(error, "%s:%d: [row] %s: only with method=%s", t->path, row->line, flag + 1,
                     readers);
}

/* Refuses an ensemble that `meta test -weights A,B` would refuse. */
static int check_ensemble(const struct meta_table *t, const struct meta_table_row *row,
                          const struct meta_model *model, struct meta_error *error)
{
    const struct meta_method *method = meta_methods[row->method];
    if (!row->ensemble) return 0;
    if (!method->probabilities || method->curve_epochs)
        return meta_fail(error,
                         "%s:%d: [row] ensemble=1: of method=%s there are no probabilities to "
                         "average",
                         t->path, row->line, method->name);
    if (!model->inner->rates) return 0;
    return meta_fail(error,
                     "%s:%d: [row] ensemble=1: %s has [inner_loop] rates, which are beside each of "
                     "the weights: must be fixed",
                     t->path, row->line, row->cfg);
}

/* Refuses what `meta pretrain` would: a classifier of other classes than its list has images of. */
static int check_outputs(const struct meta_table *t, const struct meta_table_row *row,
                         const struct meta_model *model, struct meta_error *error)
{
    const struct meta_table_source *s = &t->sources[row->source];
    int outputs = meta_network_outputs(model->network),
        count = s->lists[META_TABLE_TRAINED].classes;
    if (row->train != META_TABLE_PRETRAIN || !count || count == outputs) return 0;
    return meta_fail(error,
                     "%s:%d: [row] cfg=%s: gives %d probabilities, but the train list of %s has "
                     "images of %d class%s: must be equal",
                     t->path, row->line, row->cfg, outputs, s->data, count, meta_plural_es(count));
}

/* Takes from the .cfg what it says of tasks and training. All rows must have tasks of one size:
   only then do all cells see the same tasks. */
static int read_row_cfg(struct meta_table *t, struct meta_table_row *row, struct meta_error *error)
{
    struct meta_model *model;
    if (meta_row_model(&model, row, error)) return -1;
    if (row->method < 0) row->method = meta_method_place(meta_method_for(model));
    int failed = (row->epochs && check_flag(t, row, "-epochs", error))
        || (row->augment && check_flag(t, row, "-augment", error))
        || check_ensemble(t, row, model, error) || check_method(t, row, model, error)
        || check_outputs(t, row, model, error);
    row->ways = model->episode->ways;
    row->queries = model->episode->queries;
    row->iterations = model->net.max_batches;
    if (row->train == META_TABLE_TRAIN) row->unweighed = meta_recipe_unweighed(model);
    if (model->episode_line) row->own_shots = model->episode->shots;
    if (!failed && row->average && !model->net.average)
        failed = meta_fail(error, "%s:%d: [row] tested=average: %s has no [net] average", t->path,
                           row->line, row->cfg);
    meta_model_free(model);
    if (failed) return -1;
    if (row->ways == t->rows->ways && row->queries == t->rows->queries) return 0;
    return meta_fail(error,
                     "%s:%d: [row] cfg=%s: its tasks have ways=%d and queries=%d, "
                     "those of line %d %d and %d: must be equal",
                     t->path, row->line, row->cfg, row->ways, row->queries, t->rows->line,
                     t->rows->ways, t->rows->queries);
}

/* Finds the cell's training of that seed that has the same key, or adds a new one. */
static int find_recipe(struct meta_recipe **out, struct meta_table *t, const struct meta_cell *c,
                       uint64_t seed, struct meta_error *error)
{
    const struct meta_table_row *row = c->row;
    struct meta_recipe *r = *out = &t->recipes[t->recipe_count];
    *r = (struct meta_recipe){
        .row = row, .seed = seed, .total = row->iterations, .unweighed = row->unweighed
    };
    if (row->train == META_TABLE_TRAIN) r->shots = row->each ? c->shots : row->own_shots;
    if (meta_table_recipe_key(&r->key, t, r, error)) return -1;
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

/* Gives the cell its trainings; none while the data, and so their keys, are missing. */
static int find_recipes(struct meta_table *t, struct meta_cell *c, struct meta_error *error)
{
    const struct meta_table_row *row = c->row;
    if (meta_cell_missing(t, c) || row->train == META_TABLE_NONE) return 0;
    if (find_recipe(&c->recipe, t, c, meta_table_seed(t, row), error)) return -1;
    if (!row->ensemble) return 0;
    if (!(c->more = calloc(row->seeds.count, sizeof *c->more))) return meta_fail_memory(error);
    for (int k = 1; k < row->seeds.count; k++)
        if (find_recipe(&c->more[c->more_count++], t, c, (uint64_t)row->seeds.values[k], error))
            return -1;
    return 0;
}

/* Whether the files of the cell and of its training can have their names, so that no training runs
   for a result that can't be written. */
static int check_names(const struct meta_table *t, const struct meta_cell *c,
                       struct meta_error *error)
{
    struct meta_error why;
    char *part = NULL;
    if (meta_table_text(&part, error, "%s.part", c->file)) return -1;
    int failed = meta_file_check_name(part, &why) || meta_file_check_name(c->log, &why);
    for (int k = 0; k < meta_cell_trainings(c) && !failed; k++) {
        const struct meta_recipe *r = meta_cell_training(c, k);
        if (c->more_count && strchr(r->final, ','))
            failed = meta_fail(&why, "%s: names of an ensemble's weights must have no comma",
                               r->final);
        failed = failed || meta_training_check_name(r->name, &why)
            || meta_file_check_name(r->folder, &why) || meta_file_check_name(r->final, &why)
            || meta_file_check_name(r->data, &why);
    }
    free(part);
    return failed ? meta_fail(error, "%s:%d: [row]: %s", t->path, c->row->line, why.text) : 0;
}

static int name_cell(const struct meta_table *t, struct meta_cell *c, struct meta_error *error)
{
    char *slug = slug_of(c->row->label);
    if (!slug) return meta_fail_memory(error);
    int failed = meta_table_text(&c->name, error, "%s-%s-%d.json", t->slug, slug, c->shots)
        || meta_table_text(&c->file, error, "%s/%s", t->folder, c->name)
        || meta_table_text(&c->log, error, "%s/logs/%s-%s-%d.txt", t->folder, t->slug, slug,
                           c->shots);
    free(slug);
    return failed ? -1 : check_names(t, c, error);
}

static int add_cell(struct meta_table *t, const struct meta_table_row *row, int shots, double paper,
                    struct meta_error *error)
{
    struct meta_cell *c = &t->cells[t->cell_count++];
    *c = (struct meta_cell){ .row = row, .shots = shots, .paper = paper };
    if (find_recipes(t, c, error)) return -1;
    if (name_cell(t, c, error)) return -1;
    for (const struct meta_cell *other = t->cells; other < c; other++)
        if (!strcmp(other->name, c->name))
            return meta_fail(error,
                             "%s:%d: [row] label=%.60s: as a file's name it is the same as "
                             "%.60s",
                             t->path, row->line, row->label, other->row->label);
    return 0;
}

/* Finds the cell that the row's `with` names, which then keeps its answers. */
static int find_with(struct meta_table *t, struct meta_cell *c, struct meta_error *error)
{
    const struct meta_table_row *row = c->row;
    for (struct meta_cell *other = t->cells; other < t->cells + t->cell_count; other++)
        if (other->shots == c->shots && !strcmp(other->row->label, row->with)) c->with = other;
    if (!c->with)
        return meta_fail(error, "%s:%d: [row] with=%s: that row has no shots=%d", t->path,
                         row->line, row->with, c->shots);
    const int methods[] = { row->method, c->with->row->method };
    for (int k = 0; k < 2; k++)
        if (!meta_methods[methods[k]]->probabilities)
            return meta_fail(error,
                             "%s:%d: [row] with=%s: the answers of method=%s are no probabilities",
                             t->path, row->line, row->with, meta_row_method_name(methods[k]));
    if (c->with->answers) return 0;
    if (meta_table_text(&c->with->answers, error, "%s/answers/%.*s.csv", t->folder,
                        (int)(strlen(c->with->name) - strlen(".json")), c->with->name))
        return -1;
    struct meta_error why;
    int status = meta_file_check_name(c->with->answers, &why);
    if (!status && strchr(c->with->answers, ','))
        status = meta_fail(&why, "%s: names of answers must have no comma", c->with->answers);
    return status ? meta_fail(error, "%s:%d: [row]: %s", t->path, c->with->row->line, why.text) : 0;
}

/* The keys of the row's cells. */
static int make_keys(struct meta_table *t, const struct meta_table_row *row,
                     struct meta_error *error)
{
    for (struct meta_cell *c = t->cells; c < t->cells + t->cell_count; c++) {
        if (c->row != row || meta_cell_missing(t, c)) continue;
        if (meta_table_cell_key(&c->key, t, c, error)) return -1;
        c->id = meta_table_id(c->key);
    }
    return 0;
}

/* What needs all cells. A key has that of the cell that it is averaged with, of a row above. */
static int join_cells(struct meta_table *t, struct meta_error *error)
{
    for (int i = 0; i < t->cell_count; i++)
        if (t->cells[i].row->with && find_with(t, &t->cells[i], error)) return -1;
    for (int i = 0; i < t->row_count; i++)
        if (make_keys(t, &t->rows[i], error)) return -1;
    return 0;
}

/* Adds the column's cells of those rows whose seed is the nth of their family. */
static int add_cells(struct meta_table *t, int shots, int nth, struct meta_error *error)
{
    for (int i = 0; i < t->row_count; i++) {
        const struct meta_table_row *r = &t->rows[i];
        if (r->nth != nth) continue;
        for (int k = 0; k < r->shots.count; k++) {
            double paper = r->paper.count ? r->paper.values[k] : NAN;
            if ((int)r->shots.values[k] == shots && add_cell(t, r, shots, paper, error)) return -1;
        }
    }
    return 0;
}

/* Columns in the order that the file has them. */
static void add_columns(struct meta_table *t, const struct meta_table_row *row)
{
    for (int k = 0; k < row->shots.count; k++) {
        int shots = row->shots.values[k], known = 0;
        for (int c = 0; c < t->column_count; c++) known |= t->columns[c] == shots;
        if (!known) t->columns[t->column_count++] = shots;
    }
}

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int meta_table_make_cells(struct meta_table *t, struct meta_error *error)
{
    int cells = 0, recipes = 0, seeds = 1;
    for (int i = 0; i < t->row_count; i++) {
        const struct meta_table_row *r = &t->rows[i];
        if (read_row_cfg(t, &t->rows[i], error)) return -1;
        cells += r->shots.count;
        recipes += r->shots.count * (r->ensemble ? r->seeds.count : 1);
        if (r->nth >= seeds) seeds = r->nth + 1;
    }
    t->cells = calloc(cells, sizeof *t->cells);
    t->recipes = calloc(2 * (size_t)recipes + 1, sizeof *t->recipes);
    t->columns = calloc(cells, sizeof *t->columns);
    if (!t->cells || !t->recipes || !t->columns) return meta_fail_memory_for(error, t->path);
    for (int i = 0; i < t->row_count; i++) add_columns(t, &t->rows[i]);
    for (int c = 0; c < t->column_count; c++)
        for (int nth = 0; nth < seeds; nth++)
            if (add_cells(t, t->columns[c], nth, error)) return -1;
    if (join_cells(t, error)) return -1;
    qsort(t->columns, t->column_count, sizeof *t->columns, ascending);
    return 0;
}
