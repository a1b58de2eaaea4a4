/* Runs what a table lacks: for each wanted cell the trainings it stands on, beginnings first,
   then its test. */
#include "table_grid.h"
#include "table_beginning.h"
#include "table_images.h"
#include "table_lock.h"
#include "table_pairs.h"
#include "table_plan.h"
#include "table_recipe.h"
#include "table_result.h"
#include "base/clock.h"
#include "base/path.h"
#include "base/plural.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int meta_grid_wants_row(const struct meta_grid *g, const struct meta_table_row *row)
{
    return !g->only || meta_row_has_label(row, g->only);
}

/* Whether -only and -shots leave the cell. */
static int is_left(const struct meta_grid *g, const struct meta_cell *c)
{
    return meta_grid_wants_row(g, c->row) && (!g->shots || g->shots == c->shots);
}

/* Whether the cell is run: it is left and not done, or what another that is run averages with is
   not there. */
static int is_run(const struct meta_grid *g, const struct meta_cell *c)
{
    const struct meta_table *t = g->table;
    if (meta_cell_missing(t, c)) return 0;
    if (is_left(g, c) && !meta_cell_done(c, NULL)) return 1;
    if (!c->answers || meta_cell_answers_kept(c)) return 0;
    for (const struct meta_cell *on = t->cells; on < t->cells + t->cell_count; on++)
        if (on->with == c && is_run(g, on)) return 1;
    return 0;
}

int meta_grid_wants(const struct meta_grid *g, const struct meta_cell *c)
{
    return is_left(g, c) || (c->answers && is_run(g, c));
}

int meta_grid_costs(struct meta_grid *g, struct meta_error *error)
{
    for (struct meta_cell *c = g->table->cells; c < g->table->cells + g->table->cell_count; c++)
        c->again = c->answers && meta_cell_done(c, NULL) && is_run(g, c);
    return meta_table_costs(&g->costs, g->table, g->threads, error);
}

const struct meta_table_cost *meta_grid_cost(const struct meta_grid *g, const struct meta_recipe *r)
{
    return &g->costs.training[r - g->table->recipes];
}

/* ---- what is left ---------------------------------------------------------------------------- */

struct sum {
    double seconds;
    int unknown; /* costs without an estimate */
};

static void add_cost(struct sum *sum, const struct meta_table_cost *c)
{
    sum->seconds += c->seconds;
    sum->unknown += c->basis == META_BASIS_NONE;
}

/* Adds the training and those of its beginnings that have yet to be trained for it. */
static void add_training(struct sum *sum, const struct meta_grid *g, struct meta_recipe *r)
{
    if (meta_recipe_next(r) != r) add_training(sum, g, r->beginning);
    if (!r->counted++) add_cost(sum, meta_grid_cost(g, r));
}

double meta_grid_left(const struct meta_grid *g, int *unknown)
{
    const struct meta_table *t = g->table;
    struct sum sum = { 0 };
    for (int i = 0; i < t->recipe_count; i++) t->recipes[i].counted = 0;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (!meta_grid_wants(g, c) || meta_cell_missing(t, c)
            || g->costs.test[i].basis == META_BASIS_DONE)
            continue;
        add_cost(&sum, &g->costs.test[i]);
        for (int k = 0; k < meta_cell_trainings(c); k++)
            add_training(&sum, g, meta_cell_training(c, k));
    }
    *unknown = sum.unknown;
    return sum.seconds;
}

double meta_grid_spent(const struct meta_grid *g, int *iteration)
{
    const struct meta_recipe *r = g->recipe;
    const struct meta_table_cost *test = &g->costs.test[g->cell - g->table->cells];
    double ignored, cost = r ? meta_grid_cost(g, r)->seconds : test->seconds;
    double share = cost > 0 ? fmin(1, (meta_now() - g->begun) / cost) : 0;
    int before = g->iterations_before;
    *iteration = r ? meta_recipe_progress(r, &ignored) : 0;
    if (r && r->total > before)
        share = fmax(0, (double)(*iteration - before) / (r->total - before));
    return cost * share;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Estimates what is left, and tells what is about to run. recipe: NULL for the cell's test. */
static int begin(struct meta_grid *g, const struct meta_recipe *recipe, struct meta_error *error)
{
    double ignored;
    if (meta_grid_costs(g, error)) return -1;
    g->recipe = recipe;
    g->iterations_before = recipe ? meta_recipe_progress(recipe, &ignored) : 0;
    g->begun = meta_now();
    g->left = meta_grid_left(g, &g->unknown);
    g->listener->begins(g);
    return 0;
}

static int train(struct meta_grid *g, struct meta_recipe *r, struct meta_error *error)
{
    if (begin(g, r, error)) return -1;
    int status = meta_table_train(&g->runner, g->table, r, error);
    g->listener->ends(g);
    if (status) r->failed = 1;
    return status;
}

static int test(struct meta_grid *g, struct meta_error *error)
{
    if (begin(g, NULL, error)) return -1;
    int status = meta_table_test(&g->runner, g->table, g->cell, error);
    g->listener->ends(g);
    return status;
}

/* Trains what is missing of the training and of its beginnings. */
static int complete(struct meta_grid *g, struct meta_recipe *r, struct meta_error *error)
{
    if (r->failed) return meta_fail(error, "its training failed");
    while (!meta_recipe_done(r)) {
        struct meta_recipe *next = meta_recipe_next(r);
        if (next->failed) return meta_fail(error, "the beginning of its training failed");
        if (train(g, next, error)) {
            r->failed |= next->failed;
            return -1;
        }
    }
    return 0;
}

static int run_cell(struct meta_grid *g, struct meta_error *error);

/* Has the cell that another is averaged with its result and its answers. */
static int run_with(struct meta_grid *g, struct meta_cell *with, struct meta_error *error)
{
    const struct meta_cell *cell = g->cell;
    struct meta_error why;
    int number = g->number;
    if (meta_cell_answers_kept(with)) return 0;
    if (with->failed) return meta_fail(error, "averaged with %s, which failed", with->row->label);
    g->cell = with;
    g->number = (int)(with - g->table->cells) + 1;
    with->failed = run_cell(g, &why) != 0;
    if (g->runner.stop) return -1; /* at the cell that ran */
    g->cell = cell;
    g->number = number;
    return with->failed ? meta_fail(error, "averaged with %s: %s", with->row->label, why.text) : 0;
}

static int run_cell(struct meta_grid *g, struct meta_error *error)
{
    const char *missing = meta_cell_missing(g->table, g->cell);
    if (missing) return meta_fail(error, "%s: isn't there: needs %s", missing, g->table->needs);
    if (g->cell->with && run_with(g, g->cell->with, error)) return -1;
    for (int k = 0; k < meta_cell_trainings(g->cell); k++)
        if (complete(g, meta_cell_training(g->cell, k), error)) return -1;
    if (test(g, error) || meta_table_compare(g->table, g->cell, error)) return -1;
    return g->listener->tested(g, error);
}

static void warn(void *grid, const char *line)
{
    const struct meta_grid *g = grid;
    g->listener->warned(g, line);
}

static void watch(void *grid)
{
    struct meta_grid *g = grid;
    g->listener->goes_on(g);
}

static void fail_cell(const struct meta_grid *g, const struct meta_error *why)
{
    struct meta_error error;
    const struct meta_cell *c = g->cell;
    meta_fail(&error, "%s, %d shot%s: %s", c->row->label, c->shots, meta_plural(c->shots),
              why->text);
    g->listener->failed(g, &error);
}

static int make_folder(const struct meta_table *t, const char *name, struct meta_error *error)
{
    char *path;
    if (meta_table_text(&path, error, "%s/%s", t->folder, name)) return -1;
    int status = meta_path_make_folder(path, error);
    free(path);
    return status;
}

/* Makes the folder of logs, and with it the table's own; that of answers where some are kept. */
static int make_folders(const struct meta_table *t, struct meta_error *error)
{
    int kept = 0;
    for (int i = 0; i < t->cell_count; i++) kept |= t->cells[i].answers != NULL;
    return meta_path_make_folder(t->folder, error) || make_folder(t, "logs", error)
            || (kept && make_folder(t, "answers", error))
        ? -1
        : 0;
}

int meta_grid_prepare(struct meta_grid *g, struct meta_error *error)
{
    const struct meta_table *t = g->table;
    if (make_folders(t, error) || meta_table_lock(&g->lock, t, error)) return -1;
    if (meta_table_images(t, 1, error)) return -1;
    /* Without the table's data no cell has a key to put into a plan; one that is there may have. */
    int kept = t->sources->missing && meta_table_has_plan(t);
    return kept ? 0 : meta_table_write_plan(t, error);
}

int meta_grid_run(struct meta_grid *g, struct meta_grid_outcome *out)
{
    struct meta_table *t = g->table;
    struct meta_error error;
    *out = (struct meta_grid_outcome){ 0 };
    g->runner = (struct meta_table_runner){ .program = g->program,
                                            .launcher = g->launcher,
                                            .tick = g->tick,
                                            .watch = watch,
                                            .warn = warn,
                                            .context = g };
    snprintf(g->runner.threads, sizeof g->runner.threads, "%d", g->threads);
    meta_table_signals();
    if (meta_table_compare(t, NULL, &error)) {
        g->listener->failed(g, &error);
        out->failed++;
    }
    for (int i = 0; i < t->cell_count; i++) {
        if (!meta_grid_wants(g, &t->cells[i])) continue;
        out->wanted++;
        g->cell = &t->cells[i];
        g->number = i + 1;
        int done = meta_cell_done(g->cell, NULL), before = t->cells[i].failed;
        if (before) meta_fail(&error, "failed before, for a row that is averaged with it");
        else if (!done) done = !run_cell(g, &error);
        if (done) {
            out->done++;
            continue;
        }
        if (g->runner.stop) return g->runner.stop;
        t->cells[i].failed = t->cells[i].answers != NULL;
        fail_cell(g, &error);
        out->failed++;
    }
    return 0;
}

void meta_grid_clear(struct meta_grid *g)
{
    meta_lock_release(&g->lock);
    meta_table_costs_free(&g->costs);
    meta_table_warnings_clear(&g->runner.warnings);
}
