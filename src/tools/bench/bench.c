/* A benchmark: the groups of things that are timed in turn, and what is compared within each. */
#include "bench.h"
#include "base/child.h"
#include "network/readers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Entries of a group: two kinds of work on one thread and on all, and stock's. */
#define MOST_ENTRIES 5

struct session {
    const struct meta_bench_plan *plan;
    struct meta_bench *bench;
    struct meta_pool *pool[2]; /* of one thread; of all, the same pool when that is one */
    struct meta_child *stock, *memory[META_BENCH_MEMORIES];
    struct meta_stock_question stock_question;
    struct meta_memory_question memory_question[META_BENCH_MEMORIES];
};

static void free_session(struct session *s)
{
    meta_child_free(s->stock);
    for (int i = 0; i < META_BENCH_MEMORIES; i++) meta_child_free(s->memory[i]);
    if (s->pool[1] != s->pool[0]) meta_pool_free(s->pool[1]);
    meta_pool_free(s->pool[0]);
}

/* ---- children -------------------------------------------------------------------------------- */

/* All children are started before this process has threads, or memory that they would inherit. */

static int add_memory(struct session *s, struct meta_work_spec spec, int threads,
                      struct meta_error *error)
{
    int i = s->bench->memories++;
    s->memory_question[i] = (struct meta_memory_question){ s->plan, spec, threads };
    s->bench->memory[i] = (struct meta_bench_memory){ spec, threads, 0, 0 };
    return meta_child_start(&s->memory[i], meta_memory_serve, &s->memory_question[i], error);
}

int meta_bench_task_images(const struct meta_model *m)
{
    return m->episode->ways * (m->episode->shots + m->episode->queries);
}

/* Whether order 2 can do with less memory than it takes as the .cfg asks for it. */
static int can_be_frugal(const struct meta_model *m, int order)
{
    struct meta_inner inner = meta_inner_of(m->inner, 1, 1);
    inner.order = order;
    return inner.keep != 1 && meta_inner_keeps_steps(m->network, &inner);
}

/* Why stock libdarknet has no such network; stays "" where it has. */
static void look_for_stock(struct meta_bench *b)
{
    const struct meta_network *net = b->plan->model->network;
    int layer = 0;
    const char *why = net->ways ? NULL : meta_readers_stock(net, &layer);
    if (net->ways) snprintf(b->no_stock, sizeof b->no_stock, "it has no layer that pairs images");
    if (why)
        snprintf(b->no_stock, sizeof b->no_stock, "it reads layer %d, [%s], otherwise: %s", layer,
                 meta_layer_name(&net->layers[layer]), why);
}

static int start_children(struct session *s, struct meta_error *error)
{
    const struct meta_model *m = s->plan->model;
    int images = meta_bench_task_images(m), all = s->plan->threads;
    s->stock_question.plan = s->plan;
    look_for_stock(s->bench);
    if (!*s->bench->no_stock
        && meta_child_start(&s->stock, meta_stock_serve, &s->stock_question, error))
        return -1;
    for (int order = 1; order <= (s->plan->second_order ? 2 : 1); order++)
        for (int threads = 1; threads <= all; threads += all > 1 ? all - 1 : 1) {
            struct meta_work_spec whole = { "meta-iteration", META_WORK_ITERATION, images, order,
                                            m->inner->keep };
            struct meta_work_spec frugal = whole;
            frugal.keep = 1;
            if (add_memory(s, whole, threads, error)) return -1;
            if (can_be_frugal(m, order) && add_memory(s, frugal, threads, error)) return -1;
        }
    return 0;
}

static int ask_memory(struct session *s, struct meta_error *error)
{
    for (int i = 0; i < s->bench->memories; i++) {
        double numbers[META_CHILD_NUMBERS];
        if (meta_child_ask(s->memory[i], "the process whose memory is measured", numbers, error))
            return -1;
        meta_child_free(s->memory[i]);
        s->memory[i] = NULL;
        s->bench->memory[i].process = numbers[0];
        s->bench->memory[i].workers = numbers[1];
    }
    return 0;
}

/* Once, so that a library which can't do it does not end the benchmark. */
static void try_stock(struct session *s)
{
    double numbers[META_CHILD_NUMBERS];
    struct meta_error error;
    if (*s->bench->no_stock || !meta_child_ask(s->stock, "its process", numbers, &error)) return;
    snprintf(s->bench->no_stock, sizeof s->bench->no_stock, "%s", error.text);
}

static int run_stock(void *context, double *processor, struct meta_error *error)
{
    struct session *s = context;
    double numbers[META_CHILD_NUMBERS];
    if (meta_child_ask(s->stock, "stock libdarknet", numbers, error)) return -1;
    *processor = numbers[1];
    s->bench->stock_bytes = numbers[2];
    return 0;
}

/* ---- the check ------------------------------------------------------------------------------- */

static void note_identity(void *context, const struct meta_identity *i)
{
    struct meta_bench *b = context;
    if (b->identities < META_BENCH_IDENTITIES) b->identity[b->identities++] = *i;
}

/* Nothing is timed that gives wrong results. */
static int check(struct session *s, struct meta_error *error)
{
    struct meta_bench *b = s->bench;
    struct meta_check data = s->plan->data;
    data.report = note_identity;
    data.context = b;
    if (meta_check_backend(&data, s->plan->backend, error)) return -1;
    for (int i = 0; i < b->identities; i++)
        if (!(b->identity[i].error <= b->identity[i].limit))
            return meta_fail(error, "%s: %s: it is apart by %.1e, more than %.0e: nothing is timed",
                             s->plan->model->path, b->identity[i].text, b->identity[i].error,
                             b->identity[i].limit);
    return 0;
}

/* ---- groups ---------------------------------------------------------------------------------- */

struct group {
    int count; /* works[count] is stock's, if there is one */
    struct meta_timed timed[MOST_ENTRIES];
    struct meta_work *works[MOST_ENTRIES];
    struct meta_work_spec specs[MOST_ENTRIES];
};

static int add_work(struct session *s, struct group *g, struct meta_work_spec spec,
                    struct meta_error *error)
{
    for (int i = 0; i < 1 + (s->pool[1] != s->pool[0]); i++) {
        int k = g->count;
        if (meta_work_create(&g->works[k], s->plan, spec, s->pool[i], error)) return -1;
        g->specs[k] = spec;
        g->timed[k] =
            (struct meta_timed){ .run = meta_work_run, .context = g->works[k], .pool = s->pool[i] };
        g->count++;
    }
    return 0;
}

static void note_row(struct meta_bench *b, struct meta_work_spec spec, const struct meta_timed *t,
                     double images, double flops)
{
    double rate[META_MOST_ROUNDS], processor_rate[META_MOST_ROUNDS];
    struct meta_bench_row *r = &b->row[b->rows++];
    for (int i = 0; i < t->rounds; i++) {
        rate[i] = flops ? flops / t->seconds[i] : NAN;
        processor_rate[i] = flops ? flops / t->processor[i] : NAN;
    }
    *r = (struct meta_bench_row){
        .spec = spec,
        .threads = meta_pool_threads(t->pool),
        .rounds = t->rounds,
        .images = images,
        .flops = flops,
        .seconds = meta_spread(t->seconds, t->rounds),
        .processor = meta_spread(t->processor, t->rounds),
        .peak = meta_spread(t->peak, t->rounds),
        .share = meta_spread_of_ratios(rate, t->peak, t->rounds),
        .processor_share = meta_spread_of_ratios(processor_rate, t->processor_peak, t->rounds)
    };
    b->timed(r);
}

/* What was timed, and the images that one run of it takes. */
struct side {
    const struct meta_timed *timed;
    double images;
};

/* How many times as many images a second `fast` does as `slow`; both had the same rounds. */
static void note_ratio(struct meta_bench *b, struct side fast, struct side slow, const char *name)
{
    struct meta_bench_ratio *r = &b->ratio[b->ratios++];
    int n = fast.timed->rounds;
    double of_fast[META_MOST_ROUNDS], of_slow[META_MOST_ROUNDS]; /* seconds of an image */
    snprintf(r->name, sizeof r->name, "%s", name);
    for (int i = 0; i < n; i++) {
        of_fast[i] = fast.timed->seconds[i] / fast.images;
        of_slow[i] = slow.timed->seconds[i] / slow.images;
    }
    r->clock = meta_spread_of_ratios(of_slow, of_fast, n);
    for (int i = 0; i < n; i++) {
        of_fast[i] = fast.timed->processor[i] / fast.images;
        of_slow[i] = slow.timed->processor[i] / slow.images;
    }
    r->processor = meta_spread_of_ratios(of_slow, of_fast, n);
}

static struct side side_of(const struct group *g, int i)
{
    return (struct side){ &g->timed[i], meta_work_images(g->works[i]) };
}

static void note_group(struct session *s, struct group *g, int stock)
{
    struct meta_bench *b = s->bench;
    int both = s->pool[1] != s->pool[0];
    char name[100];
    for (int i = 0; i < g->count; i++)
        note_row(b, g->specs[i], &g->timed[i], meta_work_images(g->works[i]),
                 meta_work_flops(g->works[i]));
    for (int i = 0; both && i < g->count; i += 2) {
        const struct meta_work_spec *spec = &g->specs[i];
        snprintf(name, sizeof name, "%s%s, batch %d: %d threads against 1", spec->name,
                 spec->order == 1  ? ", order 1"
                     : spec->order ? ", order 2"
                                   : "",
                 spec->batch, s->plan->threads);
        note_ratio(b, side_of(g, i + 1), side_of(g, i), name);
    }
    if (!stock) return;
    int batch = s->plan->batch;
    const struct meta_timed *t = &g->timed[g->count];
    struct meta_work_spec spec = { "stock libdarknet's gradient", META_WORK_GRADIENT, batch, 0, 0 };
    note_row(b, spec, t, batch, batch * meta_flops_gradient(&s->plan->flops));
    note_ratio(b, side_of(g, 0), (struct side){ t, batch },
               "gradient: against stock libdarknet, 1 thread");
}

/* Times what stands in one group in turn. `two` may have no name: then it is no work. */
static int run_group(struct session *s, struct meta_work_spec one, struct meta_work_spec two,
                     int stock, struct meta_error *error)
{
    struct group g = { 0 };
    int status = -1, timed = 0;
    if (add_work(s, &g, one, error) || (two.name && add_work(s, &g, two, error))) goto fail;
    if (stock)
        g.timed[g.count] =
            (struct meta_timed){ .run = run_stock, .context = s, .pool = s->pool[0] };
    timed = g.count + (stock != 0);
    if (meta_time(g.timed, timed, s->plan->seconds, error)) {
        timed = 0;
        goto fail;
    }
    note_group(s, &g, stock);
    status = 0;
fail:
    for (int i = 0; i < timed; i++) meta_timed_clear(&g.timed[i]);
    for (int i = 0; i < g.count; i++) meta_work_free(g.works[i]);
    return status;
}

static int run_groups(struct session *s, struct meta_error *error)
{
    const struct meta_work_spec none = { 0 };
    const struct meta_model *m = s->plan->model;
    int images = meta_bench_task_images(m), keep = m->inner->keep, batch = s->plan->batch;
    int second = s->plan->second_order, step = s->plan->step;
    struct meta_work_spec forward = { "forward", META_WORK_FORWARD, batch, 0, 0 };
    struct meta_work_spec gradient = { "gradient", META_WORK_GRADIENT, batch, 0, 0 };
    struct meta_work_spec of_step = { "gradient", META_WORK_GRADIENT, step, 0, 0 };
    struct meta_work_spec product = { "Hessian product", META_WORK_PRODUCT, step, 0, 0 };
    if (run_group(s, forward, none, 0, error)) return -1;
    if (run_group(s, gradient, none, !*s->bench->no_stock, error)) return -1;
    if (step != batch && run_group(s, of_step, none, 0, error)) return -1;
    if (second && run_group(s, product, none, 0, error)) return -1;
    for (int order = 1; order <= (second ? 2 : 1); order++) {
        struct meta_work_spec task = { "task", META_WORK_TASK, images, order, keep };
        struct meta_work_spec frugal = { "task, keep=1", META_WORK_TASK, images, order, 1 };
        struct meta_work_spec iteration = { "meta-iteration", META_WORK_ITERATION, images, order,
                                            keep };
        if (run_group(s, task, can_be_frugal(m, order) ? frugal : none, 0, error)) return -1;
        if (run_group(s, iteration, none, 0, error)) return -1;
    }
    return 0;
}

/* ---- the benchmark --------------------------------------------------------------------------- */

int meta_bench_complete(struct meta_bench_plan *plan, struct meta_error *error)
{
    const struct meta_model *m = plan->model;
    int support = m->episode->ways * m->episode->shots, images = meta_bench_task_images(m);
    plan->step = m->network->ways ? images : support;
    if (!plan->batch) plan->batch = images;
    plan->data = (struct meta_check){ .model = m, .seed = 1 };
    plan->second_order = meta_check_has_tangents(&plan->data);
    const struct meta_inner inner = meta_inner_of(m->inner, support, images - support);
    return meta_flops_count(&plan->flops, m->network, &inner, error);
}

void meta_bench_plan_clear(struct meta_bench_plan *plan) { meta_flops_clear(&plan->flops); }

static int measure(struct session *s, struct meta_error *error)
{
    if (start_children(s, error) || check(s, error) || ask_memory(s, error)) return -1;
    try_stock(s);
    if (meta_pool_create(&s->pool[0], 1, error)) return -1;
    if (s->plan->threads == 1) s->pool[1] = s->pool[0];
    else if (meta_pool_create(&s->pool[1], s->plan->threads, error)) return -1;
    s->bench->begun(s->bench);
    if (run_groups(s, error)) return -1;
    return meta_bench_layers(s->bench, s->pool[0], error);
}

int meta_bench_run(struct meta_bench *bench, struct meta_error *error)
{
    struct session s = { .plan = bench->plan, .bench = bench };
    int status = measure(&s, error);
    free_session(&s);
    return status;
}

void meta_bench_clear(struct meta_bench *bench)
{
    free(bench->layer);
    free(bench->convolution);
}
