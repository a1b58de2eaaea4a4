/* darknet meta bench CFG -ranks: prints where the time of an iteration goes on each rank, and how
   long it would take on other numbers of them. */
#include "bench_ranks.h"
#include "backends/backends.h"
#include "base/digest.h"
#include "base/plural.h"
#include "flags.h"
#include "learning/same_build.h"
#include "own_output.h"
#include "tools/bench/bench.h"
#include "tools/bench/ranks_bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_plan(const struct meta_bench_plan *plan)
{
    const struct meta_model *m = plan->model;
    const struct meta_transport *t = plan->transport;
    printf("%s: %zu parameters, images of %dx%dx%d, %d ways, %d shots, %d queries, %d tasks, %d "
           "steps, order %d; %s, %s\n%d rank%s of %d thread%s each, transport: %s\n",
           m->name, m->network->parameters, m->net.width, m->net.height, m->net.channels,
           m->episode->ways, m->episode->shots, m->episode->queries, m->episode->tasks,
           m->inner->steps, m->inner->order, plan->backend->name, plan->backend->instructions(),
           t->size, meta_plural(t->size), plan->threads, meta_plural(plan->threads), t->name);
    fflush(stdout);
}

static void print_spread(struct meta_spread s)
{
    char range[40];
    snprintf(range, sizeof range, "(%.3f to %.3f)", 1e3 * s.least, 1e3 * s.most);
    printf("  %10.3f %-22s", 1e3 * s.median, range);
}

static void print_rows(const struct meta_ranks_bench *b)
{
    const struct meta_transport *t = b->plan->transport;
    printf("\nAn iteration on each rank, ms: the median of %d (least to most). Waiting: until the "
           "results of all ranks are there; exchange: the sum of\nthe gradients, with what ranks "
           "send each other for it.\n%4s  %-16s  %-33s  %-33s  %-33s  %s\n",
           b->iterations, "rank", "host", " computing", "   waiting", "  exchange", "     whole");
    for (int k = 0; k < t->size; k++) {
        printf("%4d  %-16s", k, t->hosts[k]);
        print_spread(b->row[k].computing);
        print_spread(b->row[k].waiting);
        print_spread(b->row[k].exchange);
        print_spread(b->row[k].whole);
        printf("\n");
    }
}

static void print_costs(const struct meta_ranks_bench *b)
{
    const struct meta_ranks_costs *c = &b->costs;
    const struct meta_ranks_load *l = &b->load;
    printf("\nA task on every thread at once takes %.3f ms, the optimiser's step %.3f ms; to lay "
           "out and add up the gradients of %d tasks, %.3f MB each, takes\n%.3f ms without "
           "messages.",
           1e3 * c->task, 1e3 * c->step, l->tasks, l->gradient / 1e6,
           2e3 * c->handling * l->tasks * l->gradient);
    if (isfinite(c->bandwidth))
        printf(" An exchange takes %.1f us, of large messages %.1f us and their bytes at %.4g MB/s "
               "a rank, and another message\n%.2f us.",
               1e6 * c->latency, 1e6 * c->start, c->bandwidth / 1e6, 1e6 * c->gap);
    printf("\n");
}

static void print_predictions(const struct meta_ranks_bench *b)
{
    struct meta_ranks_prediction list[META_RANKS_PREDICTIONS];
    int count = meta_ranks_predictions(b, list), tasks = b->load.tasks;
    if (count == 1) {
        printf("\nNothing is predicted: mpirun -n 2 measures a transport, and -latency and "
               "-bandwidth say what another one does.\n");
        return;
    }
    printf("\nPredicted for ranks with processor cores of their own, ms; with more ranks than "
           "tasks, for as many tasks as ranks\n%6s %6s  %11s %11s %11s %11s  %s\n",
           "ranks", "tasks", "computing", "waiting", "exchange", "whole",
           "times the tasks a second");
    for (int i = 0; i < count; i++) {
        const struct meta_ranks_times *t = &list[i].times;
        printf("%6d %6d  %11.3f %11.3f %11.3f %11.3f  %.2f\n", list[i].ranks, list[i].tasks,
               1e3 * t->computing, 1e3 * t->waiting, 1e3 * t->exchange, 1e3 * t->whole,
               list[i].speed);
    }
    int best = meta_ranks_best(&b->costs, &b->load);
    printf("\nWith the %d task%s of this .cfg more than %d rank%s of no use: ", tasks,
           meta_plural(tasks), best, best == 1 ? " is" : "s are");
    printf(best == tasks ? "each has one task\n"
                         : "the exchange takes what they save, or none "
                           "has fewer tasks\n");
}

/* Fails on all ranks where they are to measure different things. */
static int compare_ranks(const struct meta_bench_plan *plan, const struct meta_bench_ranks *w,
                         struct meta_error *error)
{
    char text[META_DIGEST_TEXT], words[200];
    struct meta_digest digest;
    struct meta_transport *t = plan->transport;
    if (!meta_transport_many(t)) return 0;
    snprintf(words, sizeof words, "-threads %d -seconds %g -kernels %s", plan->threads,
             plan->seconds, w->kernels ? w->kernels : "own");
    int status = meta_digest_file(&digest, plan->model->path, error);
    meta_digest_text(text, digest);
    return meta_same_build(t, error) || meta_transport_share_status(t, status, error)
            || meta_transport_agree(t, plan->model->path, text, error)
            || meta_transport_agree(t, "the command", words, error)
            || meta_transport_agree(t, "the instruction set", plan->backend->instructions(), error)
        ? -1
        : 0;
}

static int load(struct meta_bench_plan *plan, struct meta_model **model, const char *cfg,
                const char *out, struct meta_error *error)
{
    if (meta_flag_out(out, (const char *[]){ cfg }, 1, error)
        || meta_own_json("-out", out, "meta bench", error) || meta_model_load(model, cfg, error))
        return -1;
    plan->model = *model;
    return meta_bench_complete(plan, error);
}

int meta_bench_ranks(const char *cfg, const struct meta_bench_ranks *w)
{
    struct meta_error error;
    struct meta_model *model = NULL;
    struct meta_bench_plan plan = { .backend = meta_flag_kernels(meta_backend_default(),
                                                                 w->kernels) };
    struct meta_ranks_bench bench = { .plan = &plan };
    plan.threads = meta_flag_int("-threads", w->threads, meta_pool_cores(), 1, META_POOL_MOST);
    plan.seconds = meta_flag_real("-seconds", w->seconds, 2, 1e-3, 1e5);
    bench.latency = 1e-6 * meta_flag_real("-latency", w->latency, 0, 1e-3, 1e9);
    bench.bandwidth = 1e6 / 8 * meta_flag_real("-bandwidth", w->bandwidth, 0, 1e-3, 1e9);
    if (meta_ranks_open(&plan.transport, &w->ranks)) return 1;
    struct meta_transport *ranks = plan.transport;
    int failed = load(&plan, &model, cfg, w->out, &error);
    failed = meta_transport_share_status(ranks, failed, &error) || compare_ranks(&plan, w, &error);
    if (!failed) {
        print_plan(&plan);
        failed = meta_ranks_bench_run(&bench, &error);
    }
    if (!failed) {
        print_rows(&bench);
        print_costs(&bench);
        print_predictions(&bench);
        if (w->out && !ranks->rank) failed = meta_ranks_write(&bench, w->out, &error);
        failed = meta_transport_share_status(ranks, failed, &error);
    }
    meta_ranks_bench_clear(&bench);
    meta_bench_plan_clear(&plan);
    meta_model_free(model);
    if (failed) meta_ranks_complain(ranks, &error);
    return meta_ranks_close(ranks, meta_ranks_meet(ranks, failed ? 1 : 0));
}
