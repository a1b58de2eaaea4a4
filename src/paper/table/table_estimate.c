/* How long what is left of a table will take. */
#include "table.h"
#include "evaluation/evaluate.h"
#include "learning/flops.h"
#include "base/json.h"
#include "config/model.h"
#include "tools/bench/peak.h"

#include <math.h>
#include <stdlib.h>

#define SECONDS .3         /* that the peak is measured for */

/* Of one iteration before and from second_order_start on, and of one task of a test. */
struct work { double first, second, task; long start; };

static double task_flops(const struct meta_flops *f, const struct meta_inner *inner, int order)
{
    struct meta_inner how = *inner;
    how.order = order;
    return meta_flops_task(f, &how);
}

static double test_flops(const struct meta_flops *f, const struct meta_table_row *row, const struct meta_inner *inner, int steps)
{
    double forward = f->pass[META_PASS_FORWARD], gradient = meta_flops_gradient(f);
    switch (row->method) {
    case META_ROW_FINETUNE: return (row->epochs ? row->epochs : META_EPOCHS) * inner->support * gradient + inner->query * forward;
    case META_ROW_MAML:     return steps * inner->support * gradient + 2 * inner->query * forward;
    default:                   return (inner->support + inner->query) * forward;
    }
}

static int count_work(struct work *w, const struct meta_table_row *row, int shots, struct meta_error *error)
{
    struct meta_model *model;
    struct meta_flops flops;
    *w = (struct work){0};
    if (meta_row_model(&model, row, error)) return -1;
    const struct meta_episode_settings *e = model->episode;
    struct meta_inner inner = meta_inner_of(model->inner, e->ways * (shots ? shots : e->shots), e->ways * e->queries);
    int status = meta_flops_count(&flops, model->network, inner.support, inner.query, error);
    if (!status) {
        w->first = row->train == META_TABLE_PRETRAIN ? model->net.batch * meta_flops_gradient(&flops) : e->tasks * task_flops(&flops, &inner, 1);
        w->second = row->train == META_TABLE_PRETRAIN ? w->first : e->tasks * task_flops(&flops, &inner, inner.order);
        w->start = inner.order == 2 ? (long)inner.second_order_start : 0;
        w->task = test_flops(&flops, row, &inner, model->inner->test_steps);
        meta_flops_clear(&flops);
    }
    meta_model_free(model);
    return status;
}

static double flops_at(const struct work *w, long iteration) { return iteration < w->start ? w->first : w->second; }

/* Of iterations done+1..total. */
static double flops_left(const struct work *w, long done, long total)
{
    double before = w->start > done ? (w->start < total ? w->start : total) - done : 0;
    return before * w->first + (total - done - before) * w->second;
}

/* Seconds of a test a task, of one that is done. */
static double measured_test(const struct meta_table *t, const struct meta_cell *c)
{
    cJSON *root;
    struct meta_error ignored;
    if (meta_json_read(&root, c->file, &ignored)) return 0;
    double seconds = meta_json_get(cJSON_GetObjectItemCaseSensitive(root, "table"), "test_seconds");
    cJSON_Delete(root);
    return seconds > 0 ? seconds / t->runs : 0;
}

/* What is known before anything is put in seconds: own logs, own results, and the seconds a FLOP of both. */
struct pace { double training, test; };

static int look(struct meta_table_costs *costs, const struct meta_table *t, struct pace *pace, struct meta_error *error)
{
    double time[2] = {0}, flops[2] = {0};
    struct work w;
    for (int i = 0; i < t->recipe_count; i++) {
        const struct meta_recipe *r = &t->recipes[i];
        double seconds;
        int done = meta_recipe_progress(r, &seconds);
        if (count_work(&w, r->row, r->shots, error)) return -1;
        double now = flops_at(&w, done);
        if (!done && r->beginning) done = r->beginning->total;
        if (seconds > 0) { time[0] += seconds; flops[0] += now; }
        struct meta_table_cost *c = &costs->training[i];
        *c = (struct meta_table_cost){ 0, flops_left(&w, done, r->total), META_BASIS_NONE };
        if (meta_recipe_done(r)) *c = (struct meta_table_cost){ 0, 0, META_BASIS_DONE };
        else if (seconds > 0) *c = (struct meta_table_cost){ seconds * c->flops / now, c->flops, META_BASIS_OWN };
    }
    for (int i = 0; i < t->cell_count; i++) {
        const struct meta_cell *c = &t->cells[i];
        if (count_work(&w, c->row, c->shots, error)) return -1;
        int done = meta_cell_done(c, NULL);
        double seconds = done ? measured_test(t, c) : 0;
        if (seconds > 0) { time[1] += seconds; flops[1] += w.task; }
        costs->test[i] = (struct meta_table_cost){ 0, t->runs * w.task, done ? META_BASIS_DONE : META_BASIS_NONE };
    }
    pace->training = flops[0] > 0 ? time[0] / flops[0] : 0;
    pace->test = flops[1] > 0 ? time[1] / flops[1] : 0;
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

static int put_in_seconds(struct meta_table_costs *costs, struct meta_table_cost *c, double pace, int threads, struct meta_error *error)
{
    if (c->basis != META_BASIS_NONE || !(c->flops > 0)) return 0;
    c->basis = pace > 0 ? META_BASIS_OTHERS : META_BASIS_PEAK;
    if (pace <= 0 && measure_peak(costs, threads, error)) return -1;
    c->seconds = c->flops * (pace > 0 ? pace : 1 / (META_TABLE_SHARE * costs->peak));
    return 0;
}

int meta_table_costs(struct meta_table_costs *costs, const struct meta_table *t, int threads, struct meta_error *error)
{
    struct pace pace;
    meta_table_costs_free(costs);
    costs->training = calloc(t->recipe_count + 1, sizeof *costs->training);
    costs->test = calloc(t->cell_count, sizeof *costs->test);
    if (!costs->training || !costs->test) { meta_fail_memory(error); goto fail; }
    if (look(costs, t, &pace, error)) goto fail;
    for (int i = 0; i < t->recipe_count; i++)
        if (put_in_seconds(costs, &costs->training[i], pace.training, threads, error)) goto fail;
    for (int i = 0; i < t->cell_count; i++)
        if (put_in_seconds(costs, &costs->test[i], pace.test, threads, error)) goto fail;
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
