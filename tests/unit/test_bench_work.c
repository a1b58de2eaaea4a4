/* The work that `meta bench` times is the work that its name says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include "backends/onednn/onednn.h"
#include "config/model.h"
#include "tools/bench/bench.h"
#include "tools/bench/bench_work.h"

#define CFG "tests/oracle/normalise/iteration.cfg" /* order=2 */

/* The norm of the gradient of an iteration of one order. */
static double norm_of(struct meta_bench_plan *plan, struct meta_pool *pool, int order)
{
    const struct meta_work_spec spec = { "meta-iteration", META_WORK_ITERATION, meta_bench_task_images(plan->model), order, 0 };
    struct meta_error error;
    struct meta_work *work;
    struct meta_outer_result result;
    double update;
    if (meta_work_create(&work, plan, spec, pool, &error)) fail_msg("%s", error.text);
    if (meta_work_step(work, &result, &update, &error)) fail_msg("%s", error.text);
    meta_work_free(work);
    return result.gradient_norm;
}

static struct meta_bench_plan begin(struct meta_model **model, struct meta_pool **pool)
{
    struct meta_error error;
    if (meta_model_load(model, CFG, &error) || meta_pool_create(pool, 1, &error)) fail_msg("%s", error.text);
    struct meta_bench_plan plan = { .model = *model, .backend = &meta_backend_onednn, .threads = 1 };
    if (meta_bench_complete(&plan, &error)) fail_msg("%s", error.text);
    return plan;
}

/* A second_order_start that no iteration reaches would leave nothing of order 2 to time. */
static void order_2_in_spite_of_second_order_start(void **state)
{
    struct meta_model *model;
    struct meta_pool *pool;
    struct meta_bench_plan plan = begin(&model, &pool);
    assert_int_equal(plan.second_order, 1);
    assert_int_equal(model->inner->second_order_start, 0);
    double first = norm_of(&plan, pool, 1), second = norm_of(&plan, pool, 2);
    assert_true(first > 0 && second > 0 && first != second);
    model->inner->second_order_start = 1000; /* max_batches=300 */
    assert_true(norm_of(&plan, pool, 2) == second);
    assert_true(norm_of(&plan, pool, 1) == first);
    meta_bench_plan_clear(&plan);
    meta_pool_free(pool);
    meta_model_free(model);
}

/* The bytes of the workers that do such work. */
static double bytes_of(struct meta_bench_plan *plan, struct meta_pool *pool, enum meta_work_kind kind, int rates)
{
    const struct meta_work_spec spec = { "work", kind, meta_bench_task_images(plan->model), 2, 0 };
    struct meta_error error;
    struct meta_work *work;
    double processor;
    plan->model->inner->rates = rates;
    if (meta_work_create(&work, plan, spec, pool, &error)) fail_msg("%s", error.text);
    if (meta_work_run(work, &processor, &error)) fail_msg("%s", error.text);
    double bytes = meta_work_bytes(work);
    meta_work_free(work);
    return bytes;
}

/* A task is one of a meta-iteration: where rates are learned it has them, and the gradients of its steps that they take. */
static void tasks_have_learned_rates(void **state)
{
    struct meta_model *model;
    struct meta_pool *pool;
    struct meta_bench_plan plan = begin(&model, &pool);
    double task = bytes_of(&plan, pool, META_WORK_TASK, META_RATES_FIXED), iteration = bytes_of(&plan, pool, META_WORK_ITERATION, META_RATES_FIXED);
    for (int rates = META_RATES_LAYER; rates <= META_RATES_PARAMETER; rates++) {
        double more = bytes_of(&plan, pool, META_WORK_TASK, rates) - task;
        assert_true(more > 0 && more == bytes_of(&plan, pool, META_WORK_ITERATION, rates) - iteration);
    }
    meta_bench_plan_clear(&plan);
    meta_pool_free(pool);
    meta_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(order_2_in_spite_of_second_order_start), cmocka_unit_test(tasks_have_learned_rates) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
