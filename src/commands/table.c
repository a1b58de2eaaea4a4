/* `darknet meta table`: runs a table of a paper, cell by cell, and prints what it does and how
   long the rest will take; with -dry it prints that alone. */
#define _GNU_SOURCE
#include "console.h"
#include "flags.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/path.h"
#include "base/plural.h"
#include "base/pool.h"
#include "evaluation/json_files.h"
#include "paper/table/table_beginning.h"
#include "paper/table/table_grid.h"
#include "paper/table/table_images.h"
#include "paper/table/table_plan.h"
#include "paper/table/table_read.h"
#include "paper/table/table_recipe.h"
#include "paper/table/table_result.h"
#include "stats/estimate_json.h"
#include "usage.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* unknown: how many trainings and tests are not in `seconds`. */
static void print_left(double seconds, int unknown)
{
    char text[64];
    meta_format_time(text, sizeof text, seconds);
    printf("%s%s", unknown ? "more than " : "", text);
}

/* ---- -dry: what is left to do ---------------------------------------------------------------- */

static const char *basis_words(enum meta_table_basis b)
{
    static const char *const words[] = { "", "no estimate", "its own log", "logs of others",
                                         "arithmetic" };
    return words[b];
}

static void print_cost(const struct meta_table_cost *c)
{
    char time[64] = "-";
    if (c->basis > META_BASIS_NONE) meta_format_time(time, sizeof time, c->seconds);
    printf("  %8s  %-14s", c->basis == META_BASIS_DONE ? "done" : time, basis_words(c->basis));
}

/* What is left of a training and of its missing beginnings. A training or beginning is counted
   where it is first met. *done: the iterations that it goes on from. */
static struct meta_table_cost left_of(const struct meta_grid *g, struct meta_recipe *r, int *done)
{
    struct meta_recipe *from = r;
    struct meta_table_cost cost = *meta_grid_cost(g, r);
    double ignored;
    r->counted++;
    while (meta_recipe_next(from) != from && !from->beginning->counted++) {
        from = from->beginning;
        cost.seconds += meta_grid_cost(g, from)->seconds;
    }
    *done = meta_recipe_progress(from, &ignored);
    if (!*done && from->beginning) *done = from->beginning->total;
    return cost;
}

/* Of an ensemble: those trainings that are not in a line above. */
static void print_ensemble(const struct meta_grid *g, const struct meta_cell *c)
{
    struct meta_table_cost sum = { .basis = META_BASIS_DONE };
    char text[40] = "the same as above";
    int added = 0, done;
    for (int k = 0; k < meta_cell_trainings(c); k++) {
        struct meta_recipe *r = meta_cell_training(c, k);
        if (r->counted) continue;
        struct meta_table_cost cost = left_of(g, r, &done);
        sum.seconds += cost.seconds;
        if (cost.basis != META_BASIS_DONE) sum.basis = cost.basis;
        added++;
    }
    if (added) snprintf(text, sizeof text, "%d training%s", added, meta_plural(added));
    printf("%-21s", text);
    if (added) print_cost(&sum);
    else printf("  %8s  %-14s", "", "");
}

static void print_trainings(const struct meta_grid *g, const struct meta_cell *c)
{
    int done;
    if (c->more_count) {
        print_ensemble(g, c);
        return;
    }
    if (c->recipe->counted) {
        printf("%-21s  %8s  %-14s", "the same as above", "", "");
        return;
    }
    struct meta_table_cost cost = left_of(g, c->recipe, &done);
    printf("%7d of %7d its", done, c->recipe->total);
    print_cost(&cost);
}

static void print_cell(const struct meta_grid *g, int index, int width)
{
    const struct meta_table *t = g->table;
    const struct meta_cell *c = &t->cells[index];
    struct meta_error why;
    printf("%-*s %4d  ", width, c->row->label, c->shots);
    if (meta_cell_missing(t, c)) {
        printf("needs %s\n", t->needs);
        return;
    }
    if (!c->recipe)
        printf("%-21s  %8s  %-14s", c->row->weights ? "weights are given" : "no weights", "", "");
    else print_trainings(g, c);
    print_cost(&g->costs.test[index]);
    if (!meta_cell_done(c, &why) && why.text[0]) printf("  again: %s", why.text);
    putchar('\n');
}

static void print_expected(const struct meta_grid *g)
{
    int unknown;
    double seconds = meta_grid_left(g, &unknown);
    printf("\nExpected on %d thread%s: ", g->threads, meta_plural(g->threads));
    print_left(seconds, unknown);
    printf(" (%.1f hours)\n", seconds / 3600);
    if (g->costs.peak > 0)
        printf("arithmetic: counted, at %.0f%% of the %.1f GFLOP/s measured now, of a machine that "
               "does nothing else\n",
               100 * META_TABLE_SHARE, g->costs.peak / 1e9);
    if (unknown)
        printf("%d trainings or tests have no estimate before one like them has run\n", unknown);
}

static void print_cells(const struct meta_grid *g)
{
    const struct meta_table *t = g->table;
    int width = 4;
    for (int i = 0; i < t->recipe_count; i++) t->recipes[i].counted = 0;
    for (int i = 0; i < t->row_count; i++)
        if ((int)strlen(t->rows[i].label) > width) width = strlen(t->rows[i].label);
    printf("\n%-*s shots  training                   left  by              test left  by\n", width,
           "row");
    for (int i = 0; i < t->cell_count; i++)
        if (meta_grid_wants(g, &t->cells[i])) print_cell(g, i, width);
}

static int dry_run(struct meta_grid *g, struct meta_error *error)
{
    if (!g->table->sources->missing && meta_grid_costs(g, error)) return -1;
    print_cells(g);
    if (!g->table->sources->missing) print_expected(g);
    return 0;
}

/* ---- what is printed while the table runs ---------------------------------------------------- */

static void print_head(const struct meta_grid *g)
{
    printf("[%d/%d] %s, %d shot%s: ", g->number, g->table->cell_count, g->cell->row->label,
           g->cell->shots, meta_plural(g->cell->shots));
}

static void print_rest(double seconds, int unknown)
{
    print_left(seconds, unknown);
    puts(" left of the table");
    fflush(stdout);
}

static void print_begin(const struct meta_grid *g)
{
    const struct meta_recipe *r = g->recipe;
    print_head(g);
    if (!r) printf("testing on %d task%s; ", g->table->runs, meta_plural(g->table->runs));
    else
        printf("training %s from %d to %d; ", meta_path_base(r->folder), g->iterations_before,
               r->total);
    print_rest(g->left, g->unknown);
}

static void print_progress(const struct meta_grid *g)
{
    int iteration;
    double spent = meta_grid_spent(g, &iteration);
    if (isatty(STDOUT_FILENO)) {
        meta_print_bar(spent + 1, g->left + 1);
        return;
    }
    print_head(g);
    if (g->recipe) printf("iteration %d of %d, ", iteration, g->recipe->total);
    print_rest(g->left - spent, 0);
}

static void clear_progress(const struct meta_grid *g) { meta_clear_bar(); }

static void print_warning(const struct meta_grid *g, const char *line)
{
    meta_clear_bar();
    fprintf(stderr, "%s\n", line);
}

/* The result's AUC, on all its tasks and on the first of them, and accuracy, and the difference of
   AUC to the paper's where the paper has one. */
static void print_auc(const struct meta_grid *g, const cJSON *result, struct meta_estimate first)
{
    struct meta_estimate all = meta_json_get_estimate(result, "auc_after");
    struct meta_estimate accuracy = meta_json_get_estimate(result, "accuracy_after");
    double paper = g->cell->paper;
    print_head(g);
    printf("AUC %.2f (%.2f to %.2f) on %d tasks, ", 100 * all.mean, 100 * all.low, 100 * all.high,
           all.n);
    printf("%.2f (%.2f to %.2f) on the first %d", 100 * first.mean, 100 * first.low,
           100 * first.high, first.n);
    printf("; accuracy %.2f (%.2f to %.2f)", 100 * accuracy.mean, 100 * accuracy.low,
           100 * accuracy.high);
    if (meta_json_get(result, "diverged") > 0)
        printf("; %g tasks diverged, their AUC counts as 0.5", meta_json_get(result, "diverged"));
    if (!isnan(paper)) {
        struct meta_estimate d = meta_estimate_less(all, paper / 100, first.n);
        printf("; paper %.2f: ours %+.2f (%+.2f to %+.2f)", paper, 100 * d.mean, 100 * d.low,
               100 * d.high);
    }
    putchar('\n');
    fflush(stdout);
}

static int print_result(const struct meta_grid *g, struct meta_error *error)
{
    cJSON *root;
    struct meta_estimate first;
    if (meta_json_read_checked(&root, g->cell->file, meta_result_rules, error)) return -1;
    int status = meta_json_estimate_first(&first, root, g->table->first, error);
    if (!status) print_auc(g, root, first);
    cJSON_Delete(root);
    return status;
}

static void print_failure(const struct meta_grid *g, const struct meta_error *error)
{
    meta_complain(error);
}

/* Returns the exit status. */
static int run_table(struct meta_grid *g)
{
    static const struct meta_grid_listener listener = {
        .begins = print_begin,
        .goes_on = print_progress,
        .ends = clear_progress,
        .warned = print_warning,
        .tested = print_result,
        .failed = print_failure,
    };
    struct meta_grid_outcome out;
    g->listener = &listener;
    g->tick = isatty(STDOUT_FILENO) ? 1 : 600;
    int stopped = meta_grid_run(g, &out);
    if (stopped) {
        const struct meta_cell *c = g->cell;
        printf("Stopped by signal %d at %s, %d shot%s: the same command goes on\n", stopped,
               c->row->label, c->shots, meta_plural(c->shots));
        return 128 + stopped;
    }
    printf("%d of %d cells have their results in %s\n", out.done, out.wanted, g->table->folder);
    return out.failed ? 1 : 0;
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* Refuses an -only that no row has, with the labels that there are. */
static int check_only(const struct meta_grid *g, struct meta_error *error)
{
    size_t used = 0;
    char labels[300] = "";
    for (int i = 0; g->only && i < g->table->row_count; i++) {
        const struct meta_table_row *r = &g->table->rows[i];
        if (meta_grid_wants_row(g, r)) return 0;
        if (!r->nth && used < sizeof labels)
            used += snprintf(labels + used, sizeof labels - used, "%s%s", i ? ", " : "",
                             r->family ? r->family : r->label);
    }
    if (!g->only) return 0;
    return meta_fail(error, "-only %.60s: must be a row's label: %s", g->only, labels);
}

/* Whether a row that is wanted has a cell in the column. */
static int has_cell(const struct meta_grid *g, int shots)
{
    for (int i = 0; i < g->table->cell_count; i++) {
        const struct meta_cell *c = &g->table->cells[i];
        if (c->shots == shots && meta_grid_wants_row(g, c->row)) return 1;
    }
    return 0;
}

/* Refuses -shots where the table, or the row of -only, has no such column, with those that it
   has. */
static int check_shots(const struct meta_grid *g, struct meta_error *error)
{
    const struct meta_table *t = g->table;
    size_t used = 0;
    char columns[200] = "";
    for (int i = 0; g->shots && i < t->column_count; i++) {
        if (!has_cell(g, t->columns[i])) continue;
        if (g->shots == t->columns[i]) return 0;
        if (used < sizeof columns)
            used += snprintf(columns + used, sizeof columns - used, "%s%d", used ? ", " : "",
                             t->columns[i]);
    }
    if (!g->shots) return 0;
    return meta_fail(error, "-shots %d: must be a column of %s: %s", g->shots,
                     g->only ? "that row" : "the table", columns);
}

static void print_table(const struct meta_table *t)
{
    int beginnings = 0;
    for (int i = 0; i < t->recipe_count; i++) beginnings += t->recipes[i].is_beginning;
    int trainings = t->recipe_count - beginnings;
    printf("%s (%s): %d cells, %d rows, %d training%s", t->name, t->path, t->cell_count,
           t->row_count, trainings, meta_plural(trainings));
    if (beginnings)
        printf(" and %d beginning%s that some share", beginnings, meta_plural(beginnings));
    printf("; %d tasks a cell, seed %d\n", t->runs, t->seed);
}

/* Reads and checks what the command line names; `out` is the table's folder. */
static int read_table(struct meta_grid *g, const char *path, const char *out, const char *data,
                      struct meta_error *error)
{
    if (!out) return meta_fail(error, "table: needs -out DIR");
    if (!g->program) return meta_fail(error, "/proc/self/exe: %s", strerror(errno));
    if (meta_table_read(&g->table, path, out, data, error)) return -1;
    if (check_only(g, error) || check_shots(g, error)) return -1;
    return meta_table_owns_plan(g->table, error);
}

static int run_or_refuse(struct meta_grid *g, int *status, struct meta_error *error)
{
    const struct meta_table *t = g->table;
    if (meta_grid_prepare(g, error)) return -1;
    if (t->sources->missing)
        return meta_fail(error, "%s: isn't there: needs %s", t->data, t->needs);
    *status = run_table(g);
    return 0;
}

int meta_command_table(int argc, char **argv)
{
    const char *out = NULL, *only = NULL, *data = NULL, *threads = NULL, *shots = NULL,
               *launcher = NULL;
    int dry = 0, status = 1;
    const struct meta_flag flags[] = {
        { "-out", "DIR", "where trainings and results go; what is there is gone on with, or kept",
          &out, NULL },
        { "-only", "ROW", "the row of that label alone, with all its seeds", &only, NULL },
        { "-shots", "N", "the column of that number of shots alone", &shots, NULL },
        { "-dry", NULL, "print what is left to do and how long it will take, and do nothing", NULL,
          &dry },
        { "-data", "DATA", "this .data file in place of the table's", &data, NULL },
        { "-threads", "N", "worker threads; no result depends on it (the cores)", &threads, NULL },
        { "-launcher", "WORDS",
          "what starts trainings and tests, such as \"mpirun -n 4\": no result depends on it",
          &launcher, NULL },
    };
    struct meta_error error;
    const struct meta_syntax syntax = { "table FILE -out DIR", 1, 1, flags,
                                        sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    struct meta_grid g = { .lock.fd = -1, .only = only };
    g.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, META_POOL_MOST);
    g.shots = meta_flag_int("-shots", shots, 0, 1, 1000000);
    char *self = realpath("/proc/self/exe", NULL);
    g.program = self;
    g.launcher = launcher;
    int failed = self ? read_table(&g, argv[0], out, data, &error)
                      : meta_fail(&error, "/proc/self/exe: %s", strerror(errno));
    if (!failed && dry) failed = meta_table_images(g.table, 0, &error);
    if (!failed) {
        print_table(g.table);
        if (dry) failed = dry_run(&g, &error);
        else failed = run_or_refuse(&g, &status, &error);
    }
    if (failed) meta_complain(&error);
    else if (dry) status = 0;
    struct meta_table *table = g.table;
    meta_grid_clear(&g);
    meta_table_free(table);
    free(self);
    return status;
}
