/* Estimates how long what is left of a table will take: by its own logs and results where there
   are any, else by counted arithmetic and this machine's measured peak. */
#include "table_cost.h"
#include "table_recipe.h"
#include "table_result.h"
#include "base/json.h"
#include "base/pool.h"
#include "evaluation/json_files.h"
#include "evaluation/methods.h"
#include "learning/flops.h"
#include "tools/bench/peak.h"

#include <stdlib.h>

#define SECONDS .3 /* that the peak is measured for */

/* Floating-point operations of a training's iteration before iteration `start`, and from it on;
   and of a test's task. */
struct work {
    double first, second, task;
    long start;
};

static double task_flops(const struct meta_flops *f, const struct meta_inner *inner, int order)
{
    struct meta_inner how = *inner;
    struct meta_flops whole = *f;
    how.order = order;
    /* the programs of order 2 have the gradient of all layers, unless steps have some in common */
    if (inner->order == 2 && !f->common) whole.frozen = 0;
    return meta_flops_task(&whole, &how);
}

/* Operations of one task of a test with so many shots. */
static int test_flops(double *flops, const struct meta_flops *f, const struct meta_table_row *row,
                      const struct meta_model *model, int shots, struct meta_error *error)
{
    const struct meta_method *method = meta_methods[row->method];
    struct meta_evaluation e = { .episode = *model->episode, .method = method };
    void *settings;
    e.episode.shots = shots;
    if (meta_method_settings(&settings, method, model, &e.episode, error)) return -1;
    if (row->epochs) meta_method_set(settings, meta_method_flag(method, "-epochs"), row->epochs);
    if (row->augment) meta_method_set(settings, meta_method_flag(method, "-augment"), row->augment);
    e.settings = settings;
    *flops = meta_method_flops(f, &e) * (row->ensemble ? row->seeds.count : 1);
    free(settings);
    return 0;
}

static int count_work(struct work *w, const struct meta_table_row *row, int shots,
                      struct meta_error *error)
{
    struct meta_model *model;
    struct meta_flops flops;
    *w = (struct work){ 0 };
    if (meta_row_model(&model, row, error)) return -1;
    const struct meta_episode_settings *e = model->episode;
    int support = e->ways * (shots ? shots : e->shots);
    struct meta_inner inner = meta_inner_of(model->inner, support, e->ways * e->queries);
    int status = meta_flops_count(&flops, model->network, &inner, error);
    if (!status) {
        if (row->train == META_TABLE_PRETRAIN) {
            w->first = w->second = model->net.batch * meta_flops_gradient(&flops);
        } else {
            w->first = e->tasks * task_flops(&flops, &inner, 1);
            w->second = e->tasks * task_flops(&flops, &inner, inner.order);
        }
        w->start = inner.order == 2 ? (long)inner.second_order_start : 0;
        status = test_flops(&w->task, &flops, row, model, shots ? shots : e->shots, error);
        meta_flops_clear(&flops);
    }
    meta_model_free(model);
    return status;
}

static double flops_at(const struct work *w, long iteration)
{
    return iteration < w->start ? w->first : w->second;
}

/* Operations of iterations done+1..total. */
static double flops_left(const struct work *w, long done, long total)
{
    long last = w->start - 1; /* of first order */
    double before = last > done ? (last < total ? last : total) - done : 0;
    return before * w->first + (total - done - before) * w->second;
}

/* Seconds that a task of the cell's test took, by its result; 0: the result does not say. */
static double measured_test(const struct meta_table *t, const struct meta_cell *c)
{
    cJSON *root;
    struct meta_error ignored;
    if (meta_json_read_checked(&root, c->file, meta_result_rules, &ignored)) return 0;
    double seconds = meta_json_get(cJSON_GetObjectItemCaseSensitive(root, "table"), "test_seconds");
    cJSON_Delete(root);
    return seconds > 0 ? seconds / t->runs : 0;
}

/* Measured seconds, and the operations that were done in them. */
struct pace {
    double seconds, flops;
};

static void add_pace(struct pace *p, double seconds, double flops)
{
    if (!(seconds > 0)) return;
    p->seconds += seconds;
    p->flops += flops;
}

/* Seconds an operation; 0: nothing was measured. */
static double pace_of(const struct pace *p) { return p->flops > 0 ? p->seconds / p->flops : 0; }

/* What is left of each training, in seconds for those that have a log. */
static int count_trainings(struct meta_table_cost *costs, const struct meta_table *t,
                           struct pace *pace, struct meta_error *error)
{
    struct work w;
    for (int i = 0; i < t->recipe_count; i++) {
        const struct meta_recipe *r = &t->recipes[i];
        double seconds;
        int done = meta_recipe_progress(r, &seconds);
        if (count_work(&w, r->row, r->shots, error)) return -1;
        double now = flops_at(&w, done);
        if (!done && r->beginning) done = r->beginning->total;
        add_pace(pace, seconds, now);
        double left = flops_left(&w, done, r->total);
        if (meta_recipe_done(r)) costs[i] = (struct meta_table_cost){ 0, 0, META_BASIS_DONE };
        else if (seconds > 0)
            costs[i] = (struct meta_table_cost){ seconds * left / now, left, META_BASIS_OWN };
        else costs[i] = (struct meta_table_cost){ 0, left, META_BASIS_NONE };
    }
    return 0;
}

static int count_tests(struct meta_table_cost *costs, const struct meta_table *t, struct pace *pace,
                       struct meta_error *error)
{
    struct work w;
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (count_work(&w, c->row, c->shots, error)) return -1;
        int done = meta_cell_done(c, NULL);
        if (done) add_pace(pace, measured_test(t, c), w.task);
        done = done && !c->again;
        enum meta_table_basis basis = done ? META_BASIS_DONE : META_BASIS_NONE;
        costs[i] = (struct meta_table_cost){ 0, t->runs * w.task, basis };
    }
    return 0;
}

/* By processor time: as on a machine that does nothing else. */
static int measure_peak(struct meta_table_costs *costs, int threads, struct meta_error *error)
{
    struct meta_pool *pool;
    int cores = meta_pool_cores();
    if (costs->peak > 0) return 0;
    if (meta_pool_create(&pool, threads, error)) return -1;
    costs->peak = meta_peak(pool, SECONDS).processor_rate * (threads < cores ? threads : cores);
    meta_pool_free(pool);
    return 0;
}

/* Gives a cost that has no seconds those of the pace (seconds an operation; 0: unknown), or of
   the peak. */
static int estimate(struct meta_table_costs *costs, struct meta_table_cost *c, double pace,
                    int threads, struct meta_error *error)
{
    if (c->basis != META_BASIS_NONE || !(c->flops > 0)) return 0;
    c->basis = pace > 0 ? META_BASIS_OTHERS : META_BASIS_PEAK;
    if (pace <= 0 && measure_peak(costs, threads, error)) return -1;
    c->seconds = c->flops * (pace > 0 ? pace : 1 / (META_TABLE_SHARE * costs->peak));
    return 0;
}

int meta_table_costs(struct meta_table_costs *costs, const struct meta_table *t, int threads,
                     struct meta_error *error)
{
    struct pace training = { 0 }, test = { 0 };
    meta_table_costs_free(costs);
    costs->training = calloc(t->recipe_count + 1, sizeof *costs->training);
    costs->test = calloc(t->cell_count, sizeof *costs->test);
    if (!costs->training || !costs->test) {
        meta_fail_memory(error);
        goto fail;
    }
    if (count_trainings(costs->training, t, &training, error)
        || count_tests(costs->test, t, &test, error))
        goto fail;
    for (int i = 0; i < t->recipe_count; i++)
        if (estimate(costs, &costs->training[i], pace_of(&training), threads, error)) goto fail;
    for (int i = 0; i < t->cell_count; i++)
        if (estimate(costs, &costs->test[i], pace_of(&test), threads, error)) goto fail;
    return 0;
fail:
    meta_table_costs_free(costs);
    return -1;
}

void meta_table_costs_free(struct meta_table_costs *costs)
{
    free(costs->training);
    free(costs->test);
    costs->training = costs->test = NULL;
}
