#define _GNU_SOURCE
#include "flags.h"
#include "console.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/path.h"
#include "base/json.h"
#include "base/pool.h"
#include "paper/table/table_run.h"
#include "base/plural.h"
#include "stats/estimate_json.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 120.      /* seconds that a process of a run that was killed is waited for */

struct grid {
    struct meta_table *table;
    const char *only;                      /* the row; NULL: all */
    int shots;                             /* the column; 0: all */
    int threads, lock;
    struct meta_table_run run;
    struct meta_table_costs costs;
    /* what runs now */
    const struct meta_cell *cell;
    const struct meta_recipe *recipe;      /* NULL: a test */
    int number, at_start;                  /* of the cell, from 1; iterations done before */
    double begun, left;                    /* seconds that were left of the grid then */
};

static int named(const struct grid *g, const struct meta_table_row *row) { return !g->only || meta_row_is(row, g->only); }

static int wanted(const struct grid *g, const struct meta_cell *c) { return named(g, c->row) && (!g->shots || g->shots == c->shots); }

static const struct meta_table_cost *cost_of(const struct grid *g, const struct meta_recipe *r) { return &g->costs.training[r - g->table->recipes]; }

/* Its beginnings with it, but for those that are done or that it is past. */
static void add_training(const struct grid *g, struct meta_recipe *r, char *counted, double *seconds, int *unknown)
{
    if (meta_recipe_next(r) != r) add_training(g, r->beginning, counted, seconds, unknown);
    if (counted[r - g->table->recipes]++) return;
    *seconds += cost_of(g, r)->seconds;
    *unknown += cost_of(g, r)->basis == META_BASIS_NONE;
}

/* Each training once, however many cells stand on it. unknown: how many have no estimate. */
static double seconds_left(const struct grid *g, int *unknown)
{
    const struct meta_table *t = g->table;
    char counted[t->recipe_count + 1];
    double seconds = 0;
    memset(counted, 0, sizeof counted);
    *unknown = 0;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (!wanted(g, c) || g->costs.test[i].basis == META_BASIS_DONE) continue;
        seconds += g->costs.test[i].seconds;
        *unknown += g->costs.test[i].basis == META_BASIS_NONE;
        if (c->recipe) add_training(g, c->recipe, counted, &seconds, unknown);
    }
    return seconds;
}

static void print_left(const struct grid *g, double seconds, int unknown)
{
    char text[64];
    meta_format_time(text, sizeof text, seconds);
    printf("%s%s", unknown ? "more than " : "", text);
}

/* ---- the plan ---- */

static const char *basis_words(enum meta_table_basis b)
{
    static const char *const words[] = { "", "no estimate", "its own log", "logs of others", "arithmetic" };
    return words[b];
}

static void print_cost(const struct meta_table_cost *c)
{
    char time[64] = "-";
    if (c->basis > META_BASIS_NONE) meta_format_time(time, sizeof time, c->seconds);
    printf("  %8s  %-14s", c->basis == META_BASIS_DONE ? "done" : time, basis_words(c->basis));
}

/* What is left of it, and of each beginning that is not yet there where it is first met. */
static void print_training(const struct grid *g, struct meta_recipe *r, char *shown)
{
    struct meta_recipe *from = r;
    struct meta_table_cost cost = *cost_of(g, r);
    double ignored;
    while (meta_recipe_next(from) != from && !shown[from->beginning - g->table->recipes]++) cost.seconds += cost_of(g, from = from->beginning)->seconds;
    int done = meta_recipe_progress(from, &ignored);
    if (!done && from->beginning) done = from->beginning->total;
    printf("%7d of %7d its  ", done, r->total);
    print_cost(&cost);
}

static void print_cell(const struct grid *g, int index, int width, char *shown)
{
    const struct meta_table *t = g->table;
    const struct meta_cell *c = &t->cells[index];
    struct meta_error why;
    printf("%-*s %4d  ", width, c->row->label, c->shots);
    if (!t->ready) { printf("needs %s\n", t->needs); return; }
    if (!c->recipe) printf("%-21s  %8s  %-14s", "weights are given", "", "");
    else if (shown[c->recipe - t->recipes]++) printf("%-21s  %8s  %-14s", "the same as above", "", "");
    else print_training(g, c->recipe, shown);
    print_cost(&g->costs.test[index]);
    if (!meta_cell_done(c, &why) && why.text[0]) printf("  again: %s", why.text);
    putchar('\n');
}

static void print_plan(const struct grid *g)
{
    const struct meta_table *t = g->table;
    char shown[t->recipe_count + 1];
    int width = 4, unknown;
    memset(shown, 0, sizeof shown);
    for (int i = 0; i < t->row_count; i++) if ((int)strlen(t->rows[i].label) > width) width = strlen(t->rows[i].label);
    printf("\n%-*s shots  training                   left  by              test left  by\n", width, "row");
    for (int i = 0; i < t->cell_count; i++) if (wanted(g, &t->cells[i])) print_cell(g, i, width, shown);
    if (!t->ready) return;
    double seconds = seconds_left(g, &unknown);
    printf("\nExpected on %d thread%s: ", g->threads, meta_plural(g->threads));
    print_left(g, seconds, unknown);
    printf(" (%.1f hours)\n", seconds / 3600);
    if (g->costs.peak > 0)
        printf("arithmetic: counted, at %.0f%% of the %.1f GFLOP/s measured now, of a machine that does nothing else\n", 100 * META_TABLE_SHARE,
               g->costs.peak / 1e9);
    if (unknown) printf("%d trainings or tests have no estimate before one like them has run\n", unknown);
}

/* ---- running ---- */

static void print_head(const struct grid *g)
{
    printf("[%d/%d] %s, %d shot%s: ", g->number, g->table->cell_count, g->cell->row->label, g->cell->shots, meta_plural(g->cell->shots));
}

static void watch(void *context)
{
    struct grid *g = context;
    double ignored, left = g->left, cost = g->recipe ? cost_of(g, g->recipe)->seconds : g->costs.test[g->cell - g->table->cells].seconds;
    double share = cost > 0 ? fmin(1, (meta_now() - g->begun) / cost) : 0;
    int done = 0;
    if (g->recipe) {
        done = meta_recipe_progress(g->recipe, &ignored);
        if (g->recipe->total > g->at_start) share = fmax(0, (double)(done - g->at_start) / (g->recipe->total - g->at_start));
    }
    left -= cost * share;
    if (isatty(STDOUT_FILENO)) {
        meta_print_bar(cost * share + 1, g->left + 1);
        return;
    }
    print_head(g);
    if (g->recipe) printf("iteration %d of %d, ", done, g->recipe->total);
    print_left(g, left, 0);
    puts(" left of the table");
    fflush(stdout);
}

/* Costs as they are now, and what is about to run. */
static int begin(struct grid *g, const struct meta_cell *cell, const struct meta_recipe *recipe, struct meta_error *error)
{
    int unknown;
    double ignored;
    if (meta_table_costs(&g->costs, g->table, g->threads, error)) return -1;
    g->cell = cell;
    g->recipe = recipe;
    g->at_start = recipe ? meta_recipe_progress(recipe, &ignored) : 0;
    g->begun = meta_now();
    g->left = seconds_left(g, &unknown);
    print_head(g);
    if (!recipe) printf("testing on %d tasks; ", g->table->runs);
    else printf("training %s from %d to %d; ", strrchr(recipe->folder, '/') + 1, g->at_start, recipe->total);
    print_left(g, g->left, unknown);
    puts(" left of the table");
    fflush(stdout);
    return 0;
}

static void print_result(const struct grid *g)
{
    const struct meta_cell *c = g->cell;
    struct meta_error error;
    cJSON *root;
    if (meta_json_read(&root, c->file, &error)) return;
    struct meta_estimate all = meta_json_get_estimate(root, "auc_after"), first = meta_json_estimate_first(root, g->table->first);
    print_head(g);
    printf("AUC %.2f (%.2f to %.2f) on %d tasks, %.2f (%.2f to %.2f) on the first %d", 100 * all.mean, 100 * all.low, 100 * all.high, all.n,
           100 * first.mean, 100 * first.low, 100 * first.high, first.n);
    if (!isnan(c->paper)) {
        struct meta_estimate d = meta_estimate_less(all, c->paper / 100, first.n);
        printf("; paper %.2f: ours %+.2f (%+.2f to %+.2f)", c->paper, 100 * d.mean, 100 * d.low, 100 * d.high);
    }
    putchar('\n');
    fflush(stdout);
    cJSON_Delete(root);
}

static int run_cell(struct grid *g, struct meta_cell *c, struct meta_error *error)
{
    struct meta_recipe *r = c->recipe;
    if (r && r->failed) return meta_fail(error, "its training failed");
    while (r && !meta_recipe_done(r)) {
        struct meta_recipe *next = meta_recipe_next(r);
        if (next->failed) return meta_fail(error, "the beginning of its training failed");
        if (begin(g, c, next, error)) return -1;
        int status = meta_table_train(&g->run, g->table, next, error);
        meta_clear_bar();
        if (status) { next->failed = r->failed = 1; return -1; }
    }
    if (begin(g, c, NULL, error)) return -1;
    int status = meta_table_test(&g->run, g->table, c, error);
    meta_clear_bar();
    if (status || meta_table_compare(g->table, c, error)) return -1;
    print_result(g);
    return 0;
}

/* The exit status. A cell that fails does not keep others from being run. */
static int run_all(struct grid *g)
{
    struct meta_table *t = g->table;
    struct meta_error error;
    int done = 0, failed = 0, count = 0;
    g->run.watch = watch;
    g->run.context = g;
    g->run.tick = isatty(STDOUT_FILENO) ? 1 : 600;
    meta_table_signals();
    if (meta_table_compare(t, NULL, &error)) { meta_complain(&error); failed++; }
    for (int i = 0; i < t->cell_count; i++) {
        struct meta_cell *c = &t->cells[i];
        if (!wanted(g, c)) continue;
        count++;
        g->number = i + 1;
        if (meta_cell_done(c, NULL)) { done++; continue; }
        if (run_cell(g, c, &error)) {
            struct meta_error why = error;
            if (g->run.stop) {
                printf("Stopped by signal %d at %s, %d shot%s: the same command goes on\n", g->run.stop, c->row->label, c->shots,
                       meta_plural(c->shots));
                return 128 + g->run.stop;
            }
            meta_fail(&error, "%.80s, %d shot%s: %.380s", c->row->label, c->shots, meta_plural(c->shots), why.text);
            meta_complain(&error);
            failed++;
            continue;
        }
        done++;
    }
    printf("%d of %d cells have their results in %s\n", done, count, t->folder);
    return failed ? 1 : 0;
}

/* Whether the run that wrote its number into the lock is there. */
static int owner_lives(int fd)
{
    char text[32] = "";
    long pid = pread(fd, text, sizeof text - 1, 0) > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 0 && (!kill(pid, 0) || errno == EPERM);
}

/* Of two runs in one folder the second is refused, since tables share trainings. Its processes hold the lock too: what a killed run left ends
   soon, and is waited for. */
static int lock(struct grid *g, struct meta_error *error)
{
    char *path;
    double end = meta_now() + PATIENCE;
    if (asprintf(&path, "%s/.lock", g->table->folder) < 0) return meta_fail_memory(error);
    g->lock = open(path, O_RDWR | O_CREAT, 0666);
    int status = g->lock < 0 ? meta_fail(error, "%s: can't open: %s", path, strerror(errno)) : 0;
    while (!status && flock(g->lock, LOCK_EX | LOCK_NB)) {
        if (meta_now() > end || owner_lives(g->lock)) status = meta_fail(error, "%s: a table is being run in that folder", path);
        nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
    }
    char own[32];
    int n = snprintf(own, sizeof own, "%ld\n", (long)getpid());
    if (!status && (ftruncate(g->lock, 0) || pwrite(g->lock, own, n, 0) != n)) status = meta_fail(error, "%s: can't write: %s", path, strerror(errno));
    free(path);
    return status;
}

static int check_row(const struct grid *g, struct meta_error *error)
{
    size_t used = 0;
    char labels[300] = "";
    for (int i = 0; g->only && i < g->table->row_count; i++) {
        const struct meta_table_row *r = &g->table->rows[i];
        if (named(g, r)) return 0;
        if (!r->nth && used < sizeof labels)
            used += snprintf(labels + used, sizeof labels - used, "%s%s", i ? ", " : "", r->family ? r->family : r->label);
    }
    return g->only ? meta_fail(error, "-only %.60s: must be a row's label: %s", g->only, labels) : 0;
}

/* After check_row: that row, or the table, has the column. */
static int check_column(const struct grid *g, struct meta_error *error)
{
    const struct meta_table *t = g->table;
    size_t used = 0;
    char columns[200] = "";
    for (int i = 0; g->shots && i < t->column_count; i++) {
        int here = 0;
        for (int k = 0; k < t->cell_count; k++) here |= t->cells[k].shots == t->columns[i] && named(g, t->cells[k].row);
        if (here && g->shots == t->columns[i]) return 0;
        if (here && used < sizeof columns) used += snprintf(columns + used, sizeof columns - used, "%s%d", used ? ", " : "", t->columns[i]);
    }
    return g->shots ? meta_fail(error, "-shots %d: must be a column of %s: %s", g->shots, g->only ? "that row" : "the table", columns) : 0;
}

static int prepare(struct grid *g, struct meta_error *error)
{
    char *logs;
    if (meta_path_make_folder(g->table->folder, error)) return -1;
    if (asprintf(&logs, "%s/logs", g->table->folder) < 0) return meta_fail_memory(error);
    int status = meta_path_make_folder(logs, error);
    free(logs);
    if (status || lock(g, error) || meta_table_images(g->table, 1, error)) return -1;
    /* without the data it doesn't know what its results hold of: an earlier plan does */
    return g->table->ready || !meta_table_has_plan(g->table) ? meta_table_write_plan(g->table, error) : 0;
}

int meta_command_table(int argc, char **argv)
{
    const char *out = NULL, *only = NULL, *data = NULL, *threads = NULL, *shots = NULL;
    int dry = 0, status = 1;
    const struct meta_flag flags[] = {
        { "-out", "DIR", "where trainings and results go; what is there is gone on with, or kept", &out, NULL },
        { "-only", "ROW", "the row of that label alone, with all its seeds", &only, NULL },
        { "-shots", "N", "the column of that number of shots alone", &shots, NULL },
        { "-dry", NULL, "print what is left to do and how long it will take, and do nothing", NULL, &dry },
        { "-data", "DATA", "this .data file in place of the table's", &data, NULL },
        { "-threads", "N", "worker threads; no result depends on it (the cores)", &threads, NULL },
    };
    struct meta_error error;
    struct grid g = { .lock = -1 };
    char *self = NULL;
    meta_flags_parse(argc, argv, flags, sizeof flags / sizeof *flags, 1, 1, "table FILE -out DIR");
    g.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    g.only = only;
    g.shots = meta_flag_int("-shots", shots, 0, 1, 1000000);
    snprintf(g.run.threads, sizeof g.run.threads, "%d", g.threads);
    if (!out) { meta_fail(&error, "table: needs -out DIR"); goto fail; }
    if (!(self = realpath("/proc/self/exe", NULL))) { meta_fail(&error, "/proc/self/exe: %s", strerror(errno)); goto fail; }
    g.run.program = self;
    if (meta_table_read(&g.table, argv[0], out, data, &error) || check_row(&g, &error) || check_column(&g, &error)
        || meta_table_owns_plan(g.table, &error) || (dry && meta_table_images(g.table, 0, &error))) goto fail;
    const struct meta_table *t = g.table;
    int begins = 0;
    for (int i = 0; i < t->recipe_count; i++) begins += t->recipes[i].begins;
    printf("%s (%s): %d cells, %d rows, %d training%s", t->name, t->path, t->cell_count, t->row_count, t->recipe_count - begins,
           meta_plural(t->recipe_count - begins));
    if (begins) printf(" and %d beginning%s that some share", begins, meta_plural(begins));
    printf("; %d tasks a cell, seed %d\n", t->runs, t->seed);
    if (dry) {
        if (t->ready && meta_table_costs(&g.costs, t, g.threads, &error)) goto fail;
        print_plan(&g);
        status = 0;
        goto done;
    }
    if (prepare(&g, &error)) goto fail;
    if (!t->ready) { meta_fail(&error, "%.200s: isn't there: needs %.200s", t->data, t->needs); goto fail; }
    status = run_all(&g);
    goto done;
fail:
    meta_complain(&error);
done:
    if (g.lock >= 0) close(g.lock);
    meta_table_costs_free(&g.costs);
    meta_table_free(g.table);
    free(self);
    return status;
}
