/* Running a table: estimates of what is left, its processes, for which a shell script stands in,
   and the order in which cells and their trainings are run. */
#define _GNU_SOURCE
#include "table_files.h"
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include "learning/flops.h"
#include "paper/table/table_cost.h"
#include "paper/table/table_grid.h"
#include "paper/table/table_process.h"
#include "paper/table/table_recipe.h"

/* ---- estimates ---- */

static int near(double a, double b) { return fabs(a - b) <= 1e-9 * fabs(b); }

static void costs(void **state)
{
    struct meta_table_costs c = { .peak = 1e6 };
    struct meta_model *model;
    struct meta_flops flops;
    write_files(TWO);
    struct meta_table *t = read_table();
    if (meta_table_costs(&c, t, 1, &error)) fail_msg("%s", error.text);

    /* An iteration is 5 tasks of 2 ways, 5 support and 4 query images each. */
    if (meta_row_model(&model, &t->rows[0], &error)) fail_msg("%s", error.text);
    struct meta_inner inner = meta_inner_of(model->inner, 10, 8);
    if (meta_flops_count(&flops, model->network, &inner, &error)) fail_msg("%s", error.text);
    double iteration = 5 * meta_flops_task(&flops, &inner);
    double task = 3 * 10 * meta_flops_gradient(&flops) + 2 * 8 * flops.pass[META_PASS_FORWARD];
    meta_flops_clear(&flops);
    meta_model_free(model);
    const struct meta_recipe *m = t->cells[0].recipe, *d = t->cells[1].recipe;
    int beginning = m->beginning - t->recipes;
    assert_int_equal(t->recipe_count, 3);
    assert_true(near(c.training[0].flops,
                     12 * iteration - 4 * iteration)); /* the rest is its beginning's */
    assert_true(near(c.training[beginning].flops, 4 * iteration));
    assert_true(near(c.test[0].flops, 4 * task));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c.training[i].basis, META_BASIS_PEAK);
        assert_true(near(c.training[i].seconds, c.training[i].flops / (META_TABLE_SHARE * 1e6)));
    }

    /* M's log is of 6 iterations at 2 seconds: it tells for M and, by arithmetic, for D. D's result
     * does so for M's test. */
    write_text(m->csv, HEAD "5,1,1,.5,.01,2,0,,,\n6,1,1,.5,.01,2,0,,,\n");
    finish(t, 1, .5, .5, .5, .5);
    write_text(d->csv, HEAD);
    if (meta_table_costs(&c, t, 1, &error)) fail_msg("%s", error.text);
    assert_int_equal(c.training[0].basis, META_BASIS_OWN);
    assert_true(near(c.training[0].seconds, 12));
    assert_int_equal(c.training[1].basis, META_BASIS_OTHERS);
    assert_true(near(c.training[1].seconds, 16));
    assert_int_equal(c.test[1].basis, META_BASIS_DONE);
    assert_int_equal(c.test[0].basis, META_BASIS_OTHERS);
    assert_true(near(c.test[0].seconds, 12));
    write_text(m->final, "");
    if (meta_table_costs(&c, t, 1, &error)) fail_msg("%s", error.text);
    assert_int_equal(c.training[0].basis, META_BASIS_DONE);
    assert_true(c.training[0].seconds == 0);
    meta_table_costs_free(&c);
    meta_table_free(t);
}

/* ---- running ---- */

/* Stands in for the program: what it is called with goes to `calls`; a training leaves its weights,
 * a test its result. */
static void write_program(const char *training)
{
    char text[2000];
    snprintf(text, sizeof text,
             "#!/bin/sh\necho \"$@\" >>calls\ncase $2 in\n"
             "train) base=${4%%.cfg}\n"
             "    printf '%%s' '" HEAD "1,1,1,.5,.01,2,0,,,\n' >$base.csv\n    %s ;;\n"
             "test) shift 2; while [ \"$1\" != -out ]; do shift; done; cp result \"$2\" ;;\nesac\n",
             training);
    write_text("program", text);
    chmod("program", 0755);
    unlink("calls");
    write_result("result", .5, .5, .5, .5);
}

static void processes(void **state)
{
    char expected[1000];
    struct meta_table_runner run = { .program = "./program", .threads = "2", .tick = 60 };
    write_files(TWO);
    change("x.table", "label=D", "label=D\nmethod=finetune\nepochs=6");
    struct meta_table *t = read_table();
    const struct meta_cell *c = &t->cells[1];
    const struct meta_recipe *r = c->recipe;
    write_text("out/logs/x", "");
    meta_table_signals();
    write_program("echo one; echo 'darknet: no luck' >&2; exit 3");
    assert_int_equal(meta_table_train(&run, t, r, &error), -1);
    snprintf(expected, sizeof expected, "no luck (status 3; %s)", r->log);
    assert_string_equal(error.text, expected);
    write_program("true");
    assert_int_equal(meta_table_train(&run, t, r, &error), -1);
    snprintf(expected, sizeof expected, "%s: isn't there after a training that ended well",
             r->final);
    assert_string_equal(error.text, expected);
    write_program("kill -9 $$");
    assert_int_equal(meta_table_train(&run, t, r, &error), -1);
    assert_non_null(strstr(error.text, "ended by signal 9"));
    /* its last checkpoint could not be written, its final weights could: it is not at its end */
    write_program(": >${base}_final.weights; exit 1");
    assert_int_equal(meta_table_train(&run, t, r, &error), -1);
    assert_int_equal(meta_recipe_done(r), 0);
    write_program(": >${base}_final.weights");
    if (meta_table_train(&run, t, r, &error)) fail_msg("%s", error.text);
    char *calls = read_text("calls");
    snprintf(expected, sizeof expected,
             "meta train %s %s -seed 3 -threads 2 -max_batches 12 -name %s -fork %s\n", r->data,
             r->cfg, r->name, r->beginning->state);
    assert_string_equal(calls, expected);
    free(calls);
    write_text(r->state, "");
    unlink("calls");
    if (meta_table_train(&run, t, r, &error)) fail_msg("%s", error.text);
    calls = read_text("calls");
    snprintf(expected, sizeof expected,
             "meta train %s %s -seed 3 -threads 2 -max_batches 12 -name %s -resume\n", r->data,
             r->cfg, r->name);
    assert_string_equal(calls, expected);
    free(calls);
    unlink("calls");
    if (meta_table_test(&run, t, c, &error)) fail_msg("%s", error.text);
    calls = read_text("calls");
    snprintf(expected, sizeof expected,
             "meta test x.data %s %s -seed 3 -runs 4 -shots 5 -out out/x-d-5.json.part -threads 2 "
             "-method finetune -epochs 6\n",
             r->cfg, r->final);
    assert_string_equal(calls, expected);
    free(calls);
    assert_int_equal(meta_cell_done(c, NULL), 1);

    /* A signal that came between two processes ends the table, too. */
    raise(SIGTERM);
    assert_int_equal(meta_table_test(&run, t, c, &error), -1);
    assert_string_equal(error.text, "stopped by signal 15");
    assert_int_equal(run.stop, 15);
    meta_table_free(t);
}

/* ---- the grid ---- */

static char heard[2000];
static void begins(const struct meta_grid *g)
{
    const char *what = g->recipe ? g->recipe->is_beginning ? "beginning" : "training" : "test";
    sprintf(heard + strlen(heard), "%d %s %s;", g->number, g->cell->row->label, what);
}
static void ignores(const struct meta_grid *g) {}
static int tested(const struct meta_grid *g, struct meta_error *why)
{
    strcat(heard, "tested;");
    return 0;
}
static void failed(const struct meta_grid *g, const struct meta_error *why)
{
    sprintf(heard + strlen(heard), "failed: %s;", why->text);
}
static void warned(const struct meta_grid *g, const char *line)
{
    sprintf(heard + strlen(heard), "%s;", line);
}
static const struct meta_grid_listener listener = { .begins = begins, .goes_on = ignores, .ends = ignores, .warned = warned, .tested = tested, .failed = failed };

static struct meta_grid_outcome run(struct meta_table *t, const char *only)
{
    struct meta_grid g = { .table = t,
                           .only = only,
                           .threads = 1,
                           .program = "./program",
                           .lock.fd = -1,
                           .tick = 60,
                           .listener = &listener };
    struct meta_grid_outcome out;
    g.costs.peak = 1e9;
    heard[0] = 0;
    if (meta_grid_prepare(&g, &error)) fail_msg("%s", error.text);
    assert_int_equal(meta_grid_run(&g, &out), 0);
    meta_grid_clear(&g);
    return out;
}

static void grid(void **state)
{
    write_files(TWO);
    struct meta_table *t = read_table();
    write_program("case $base in */d5) exit 1 ;; esac; : >${base}_final.weights");
    struct meta_grid_outcome out = run(t, "D");
    char expected[1000];
    snprintf(expected, sizeof expected,
             "2 D beginning;2 D training;failed: D, 5 shots: said nothing (status 1; %s);",
             t->cells[1].recipe->log);
    assert_string_equal(heard, expected);
    assert_int_equal(out.wanted, 1);
    assert_int_equal(out.failed, 1);
    assert_int_equal(out.done, 0);
    out = run(t, NULL);
    assert_string_equal(heard,
                        "1 M training;1 M test;tested;failed: D, 5 shots: its training failed;");
    assert_int_equal(out.wanted, 2);
    assert_int_equal(out.failed, 1);
    assert_int_equal(out.done, 1);
    meta_table_free(t);
    t = read_table();
    write_program(": >${base}_final.weights");
    out = run(t, NULL);
    assert_string_equal(heard, "2 D training;2 D test;tested;");
    assert_int_equal(out.done, 2);
    out = run(t, NULL);
    assert_string_equal(heard, "");
    assert_int_equal(out.done, 2);
    assert_int_equal(out.failed, 0);
    meta_table_free(t);
}

/* Trainings that cells share are counted once, a beginning with the first that needs it. */
static void seconds_left(void **state)
{
    int unknown, iteration;
    double one, all;
    write_files(TWO "\n[row]\nlabel=K\ncfg=m.cfg\nshots=5\n");
    struct meta_table *t = read_table();
    struct meta_table_cost training[] = { { 10, 1, META_BASIS_OWN },
                                          { 20, 1, META_BASIS_OWN },
                                          { 40, 1, META_BASIS_OWN } };
    struct meta_table_cost test[] = { { 1, 1, META_BASIS_OWN },
                                      { 0, 1, META_BASIS_NONE },
                                      { 4, 1, META_BASIS_OWN } };
    struct meta_grid g = { .table = t, .costs = { .training = training, .test = test } };
    all = meta_grid_left(&g, &unknown);
    assert_true(all == 75);
    assert_int_equal(unknown, 1);
    g.only = "K";
    one = meta_grid_left(&g, &unknown);
    assert_true(one == 54);
    assert_int_equal(unknown, 0);
    g.shots = 1;
    assert_true(meta_grid_left(&g, &unknown) == 0);
    write_text(t->recipes[2].final, ""); /* the beginning */
    g.shots = 5;
    assert_true(meta_grid_left(&g, &unknown) == 14);
    test[2].basis = META_BASIS_DONE;
    assert_true(meta_grid_left(&g, &unknown) == 0);

    /* What is done of a training is told by its iterations. */
    g.cell = &t->cells[0];
    g.recipe = t->cells[0].recipe;
    g.iterations_before = 4;
    write_text(g.recipe->csv, HEAD "5,1,1,.5,.01,2,0,,,\n6,1,1,.5,.01,2,0,,,\n");
    assert_true(meta_grid_spent(&g, &iteration) == 2.5);
    assert_int_equal(iteration, 6);
    meta_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs),
        cmocka_unit_test(processes),
        cmocka_unit_test(grid),
        cmocka_unit_test(seconds_left),
    };
    return cmocka_run_group_tests_name("table_run", tests, set_up, tear_down);
}
