/* darknet meta bench: the groups of things that are timed in turn, and what is compared within each. */
#include "bench.h"
#include "base/child.h"
#include "commands/flags.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ENTRIES 5         /* of a group: two kinds of work on one thread and on all, and stock's */

struct parts {
    struct meta_bench_plan plan;
    struct meta_bench bench;
    struct meta_model *model;
    struct meta_pool *pool[2];                 /* of one thread, of all; the same when that is one */
    struct meta_child *stock, *memory[META_BENCH_MEMORIES];
    struct meta_stock_question stock_question;
    struct meta_memory_question memory_question[META_BENCH_MEMORIES];
};

static void free_parts(struct parts *p)
{
    meta_child_free(p->stock);
    for (int i = 0; i < META_BENCH_MEMORIES; i++) meta_child_free(p->memory[i]);
    if (p->pool[1] != p->pool[0]) meta_pool_free(p->pool[1]);
    meta_pool_free(p->pool[0]);
    free(p->bench.layer);
    meta_flops_clear(&p->plan.flops);
    meta_model_free(p->model);
}

/* ---- children: all of them are started before this process has threads, or memory that they would inherit ------------------------------ */

static int add_memory(struct parts *p, struct meta_work_spec spec, int threads, struct meta_error *error)
{
    int i = p->bench.memories++;
    p->memory_question[i] = (struct meta_memory_question){ &p->plan, spec, threads };
    p->bench.memory[i] = (struct meta_bench_memory){ spec, threads, 0, 0 };
    return meta_child_start(&p->memory[i], meta_memory_serve, &p->memory_question[i], error);
}

static int images_of_a_task(const struct meta_model *m) { return m->episode->ways * (m->episode->shots + m->episode->queries); }

/* Order 2 with less memory than the .cfg asks for: is there such a thing? */
static int can_be_frugal(const struct meta_model *m, int order) { return order == 2 && m->inner->steps > 1 && m->inner->keep != 1; }

/* Stock libdarknet has no network that pairs. */
static int has_stock(const struct meta_model *m) { return !m->network->ways; }

static int start_children(struct parts *p, struct meta_error *error)
{
    int images = images_of_a_task(p->model);
    p->stock_question.plan = &p->plan;
    if (has_stock(p->model) && meta_child_start(&p->stock, meta_stock_serve, &p->stock_question, error)) return -1;
    for (int order = 1; order <= (p->plan.second_order ? 2 : 1); order++)
        for (int threads = 1; threads <= p->plan.threads; threads += p->plan.threads > 1 ? p->plan.threads - 1 : 1) {
            struct meta_work_spec whole = { "meta-iteration", META_WORK_ITERATION, images, order, p->model->inner->keep }, bare = whole;
            bare.keep = 1;
            if (add_memory(p, whole, threads, error)) return -1;
            if (can_be_frugal(p->model, order) && add_memory(p, bare, threads, error)) return -1;
        }
    return 0;
}

static int ask_memory(struct parts *p, struct meta_error *error)
{
    for (int i = 0; i < p->bench.memories; i++) {
        double numbers[META_CHILD_NUMBERS];
        if (meta_child_ask(p->memory[i], "the process whose memory is measured", numbers, error)) return -1;
        meta_child_free(p->memory[i]);
        p->memory[i] = NULL;
        p->bench.memory[i].process = numbers[0];
        p->bench.memory[i].workers = numbers[1];
    }
    return 0;
}

static int run_stock(void *context, double *processor, struct meta_error *error)
{
    struct parts *p = context;
    double numbers[META_CHILD_NUMBERS];
    if (meta_child_ask(p->stock, "stock libdarknet", numbers, error)) return -1;
    *processor = numbers[1];
    p->bench.stock_bytes = numbers[2];
    return 0;
}

/* ---- the check ------------------------------------------------------------------------------------------------------- */

static void note_identity(void *context, const struct meta_identity *i)
{
    struct meta_bench *b = context;
    if (b->identities < META_BENCH_IDENTITIES) b->identity[b->identities++] = *i;
}

/* Nothing is timed that gives wrong results. */
static int check(struct parts *p, struct meta_error *error)
{
    struct meta_bench *b = &p->bench;
    if (meta_check_backend(&p->plan.data, p->plan.backend, error)) return -1;
    for (int i = 0; i < b->identities; i++)
        if (!(b->identity[i].error <= b->identity[i].limit))
            return meta_fail(error, "%s: %s: it is apart by %.1e, more than %.0e: nothing is timed", p->model->path, b->identity[i].text,
                             b->identity[i].error, b->identity[i].limit);
    return 0;
}

/* ---- groups ---------------------------------------------------------------------------------------------------------- */

struct group {
    int count;                                 /* works[count] is stock's, if there is one */
    struct meta_timed timed[MOST_ENTRIES];
    struct meta_work *works[MOST_ENTRIES];
    struct meta_work_spec specs[MOST_ENTRIES];
};

static int add_work(struct parts *p, struct group *g, struct meta_work_spec spec, struct meta_error *error)
{
    for (int i = 0; i < 1 + (p->pool[1] != p->pool[0]); i++) {
        int k = g->count;
        if (meta_work_create(&g->works[k], &p->plan, spec, p->pool[i], error)) return -1;
        g->specs[k] = spec;
        g->timed[k] = (struct meta_timed){ .run = meta_work_run, .context = g->works[k], .pool = p->pool[i] };
        g->count++;
    }
    return 0;
}

static void note_row(struct meta_bench *b, struct meta_work_spec spec, const struct meta_timed *t, double images, double flops)
{
    double rate[t->rounds], processor_rate[t->rounds];
    struct meta_bench_row *r = &b->row[b->rows++];
    for (int i = 0; i < t->rounds; i++) {
        rate[i] = flops ? flops / t->seconds[i] : NAN;
        processor_rate[i] = flops ? flops / t->processor[i] : NAN;
    }
    *r = (struct meta_bench_row){
        .spec = spec, .threads = meta_pool_threads(t->pool), .rounds = t->rounds, .images = images, .flops = flops,
        .seconds = meta_spread(t->seconds, t->rounds), .processor = meta_spread(t->processor, t->rounds),
        .peak = meta_spread(t->peak, t->rounds), .share = meta_spread_of_ratios(rate, t->peak, t->rounds),
        .processor_share = meta_spread_of_ratios(processor_rate, t->processor_peak, t->rounds)
    };
    meta_bench_print_row(r);
}

/* How many times as many images a second `fast` does as `slow`. */
static void note_ratio(struct meta_bench *b, const struct meta_timed *fast, double fast_images, const struct meta_timed *slow, double slow_images,
                       const char *name)
{
    struct meta_bench_ratio *r = &b->ratio[b->ratios++];
    int n = fast->rounds;
    double a[n], c[n];
    snprintf(r->name, sizeof r->name, "%s", name);
    for (int i = 0; i < n; i++) {
        a[i] = fast->seconds[i] / fast_images;
        c[i] = slow->seconds[i] / slow_images;
    }
    r->clock = meta_spread_of_ratios(c, a, n);
    for (int i = 0; i < n; i++) {
        a[i] = fast->processor[i] / fast_images;
        c[i] = slow->processor[i] / slow_images;
    }
    r->processor = meta_spread_of_ratios(c, a, n);
}

static void note_group(struct parts *p, struct group *g, int stock)
{
    struct meta_bench *b = &p->bench;
    int both = p->pool[1] != p->pool[0];
    char name[100];
    for (int i = 0; i < g->count; i++)
        note_row(b, g->specs[i], &g->timed[i], meta_work_images(g->works[i]), meta_work_flops(g->works[i]));
    for (int i = 0; both && i < g->count; i += 2) {
        snprintf(name, sizeof name, "%s%s, batch %d: %d threads against 1", g->specs[i].name,
                 g->specs[i].order == 1 ? ", order 1" : g->specs[i].order ? ", order 2" : "", g->specs[i].batch, p->plan.threads);
        note_ratio(b, &g->timed[i + 1], meta_work_images(g->works[i + 1]), &g->timed[i], meta_work_images(g->works[i]), name);
    }
    if (!stock) return;
    struct meta_work_spec spec = { "stock libdarknet's gradient", META_WORK_GRADIENT, p->plan.batch, 0, 0 };
    note_row(b, spec, &g->timed[g->count], p->plan.batch, p->plan.batch * meta_flops_gradient(&p->plan.flops));
    note_ratio(b, &g->timed[0], meta_work_images(g->works[0]), &g->timed[g->count], p->plan.batch, "gradient: against stock libdarknet, 1 thread");
}

/* What stands in one group is timed in turn. The second may have no name. */
static int run_group(struct parts *p, struct meta_work_spec one, struct meta_work_spec two, int stock, struct meta_error *error)
{
    struct group g = { 0 };
    int status = -1, timed = 0;
    if (add_work(p, &g, one, error) || (two.name && add_work(p, &g, two, error))) goto fail;
    if (stock) g.timed[g.count] = (struct meta_timed){ .run = run_stock, .context = p, .pool = p->pool[0] };
    timed = g.count + (stock != 0);
    if (meta_time(g.timed, timed, p->plan.seconds, error)) { timed = 0; goto fail; }
    note_group(p, &g, stock);
    fflush(stdout);
    status = 0;
fail:
    for (int i = 0; i < timed; i++) meta_timed_clear(&g.timed[i]);
    for (int i = 0; i < g.count; i++) meta_work_free(g.works[i]);
    return status;
}

static int run_groups(struct parts *p, struct meta_error *error)
{
    const struct meta_work_spec none = { 0 };
    const struct meta_model *m = p->model;
    int images = images_of_a_task(m), batch = p->plan.batch, has_step = p->plan.step != batch;
    struct meta_work_spec forward = { "forward", META_WORK_FORWARD, batch, 0, 0 }, gradient = { "gradient", META_WORK_GRADIENT, batch, 0, 0 },
                          step = { "gradient", META_WORK_GRADIENT, p->plan.step, 0, 0 }, product = { "Hessian product", META_WORK_PRODUCT, p->plan.step, 0, 0 };
    if (run_group(p, forward, none, 0, error) || run_group(p, gradient, none, has_stock(m), error)) return -1;
    if (has_step && run_group(p, step, none, 0, error)) return -1;
    if (p->plan.second_order && run_group(p, product, none, 0, error)) return -1;
    for (int order = 1; order <= (p->plan.second_order ? 2 : 1); order++) {
        struct meta_work_spec task = { "task", META_WORK_TASK, images, order, m->inner->keep }, frugal = { "task, keep=1", META_WORK_TASK, images, order, 1 },
                              iteration = { "meta-iteration", META_WORK_ITERATION, images, order, m->inner->keep };
        if (run_group(p, task, can_be_frugal(m, order) ? frugal : none, 0, error) || run_group(p, iteration, none, 0, error)) return -1;
    }
    return 0;
}

/* ---- the verb -------------------------------------------------------------------------------------------------------- */

static int measure(struct parts *p, struct meta_error *error)
{
    if (start_children(p, error) || check(p, error) || ask_memory(p, error) || meta_pool_create(&p->pool[0], 1, error)) return -1;
    if (p->plan.threads == 1) p->pool[1] = p->pool[0];
    else if (meta_pool_create(&p->pool[1], p->plan.threads, error)) return -1;
    meta_bench_print_plan(&p->bench);
    fflush(stdout);
    if (run_groups(p, error) || meta_bench_layers(&p->bench, p->pool[0], error)) return -1;
    meta_bench_print_end(&p->bench);
    return 0;
}

int meta_command_bench(int argc, char **argv)
{
    const char *threads = NULL, *batch = NULL, *seconds = NULL, *out = NULL;
    const struct meta_flag flags[] = {
        { "-threads", "N", "the most threads; one is measured too (the cores)", &threads, NULL },
        { "-batch", "N", "images of the forward and of the gradient that stock is compared with (those of a task)", &batch, NULL },
        { "-seconds", "S", "for which each thing is timed, at least five times (2)", &seconds, NULL },
        { "-out", "FILE.json", "writes all figures", &out, NULL },
    };
    struct meta_error error;
    struct parts p = { 0 };
    meta_flags_parse(argc, argv, flags, sizeof flags / sizeof *flags, 1, 1, "bench CFG");
    p.plan.threads = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    p.plan.batch = meta_flag_int("-batch", batch, 0, 2, 1 << 20);
    p.plan.seconds = meta_flag_real("-seconds", seconds, 2, 1e-3, 1e5);
    p.plan.backend = &meta_backend_onednn;
    p.bench.plan = &p.plan;
    if ((out && meta_file_check(out, &error)) || meta_model_load(&p.model, argv[0], &error)) goto fail;
    p.plan.model = p.model;
    if (p.plan.batch && p.model->network->ways) {
        meta_fail(&error, "-batch: %s pairs the images of whole tasks, %d: leave it out", argv[0], images_of_a_task(p.model));
        goto fail;
    }
    int support = p.model->episode->ways * p.model->episode->shots, images = images_of_a_task(p.model);
    p.plan.step = p.model->network->ways ? images : support;
    if (!p.plan.batch) p.plan.batch = images;
    p.plan.data = (struct meta_check){ .model = p.model, .seed = 1, .report = note_identity, .context = &p.bench };
    p.plan.second_order = meta_check_has_tangents(&p.plan.data);
    if (meta_flops_count(&p.plan.flops, p.model->network, support, images - support, &error) || measure(&p, &error)) goto fail;
    if (out && meta_bench_write(&p.bench, out, &error)) goto fail;
    free_parts(&p);
    return 0;
fail:
    free_parts(&p);
    return meta_complain(&error);
}
