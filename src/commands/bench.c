/* darknet meta bench: measures the speed and memory of a .cfg's network and prints them. */
#include "backends/backends.h"
#include "backends/fused/fused_kernels.h"
#include "base/plural.h"
#include "bench_bounds.h"
#include "bench_ranks.h"
#include "bench_sweep.h"
#include "flags.h"
#include "own_output.h"
#include "tools/bench/bench.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void print_plan(const struct meta_bench *b)
{
    const struct meta_bench_plan *plan = b->plan;
    const struct meta_model *m = plan->model;
    const struct meta_flops *f = &plan->flops;
    printf("%s: %zu parameters, images of %dx%dx%d, %d ways, %d shots, %d queries, %d tasks, %d "
           "steps; %s, %s, %d thread%s\n",
           m->name, m->network->parameters, m->net.width, m->net.height, m->net.channels,
           m->episode->ways, m->episode->shots, m->episode->queries, m->episode->tasks,
           m->inner->steps, plan->backend->name, plan->backend->instructions(), plan->threads,
           meta_plural(plan->threads));
    printf("\nChecked against the reference backend, in double, relative:");
    for (int i = 0; i < b->identities; i++)
        printf("%s %s %.1e", i ? "," : "", b->identity[i].text, b->identity[i].error);
    if (*b->no_stock) printf("\nStock libdarknet is not timed beside it: %s", b->no_stock);
    printf("\n\nFLOP = 2 x multiply-adds of every convolution and connected layer, convolutions "
           "taken as direct ones (Winograd's are not: it does with\n"
           "fewer) and without padding. M of a layer: forward M; backward M, and M for the adjoint "
           "of an input that depends on a parameter (the first\n"
           "layer's does not); forward tangent M, and M likewise; backward tangent M, and 3M "
           "likewise. An image:");
    for (int pass = 0; pass < META_PASS_COUNT; pass++)
        printf("%s %s %.4g M", pass ? "," : "", meta_bench_pass_names[pass], f->pass[pass] / 1e6);
    printf(".\nShare: of the FMA peak of as many threads, measured right before and after; in "
           "brackets the least and most of the rounds; beside\n"
           "it by processor time, which other programs on the machine disturb less. N threads run "
           "N programs, tasks or the iteration's tasks.\n\n");
    printf("%-26s %5s %6s %7s  %9s  %8s  %7s  %7s  %6s %17s  %6s  %6s\n", "", "order", "batch",
           "threads", "ms", "images/s", "GFLOP/s", "peak", "share", "", "cpu", "rounds");
    fflush(stdout);
}

/* Prints "61.2%", or "-" where there is no share. */
static void print_percent(int width, double x)
{
    if (isfinite(x)) printf("%*.1f%%", width - 1, 100 * x);
    else printf("%*s", width, "-");
}

static void print_order(int order)
{
    if (order) printf(" %5d", order);
    else printf(" %5s", "");
}

static void print_row(const struct meta_bench_row *r)
{
    char range[40] = "";
    double seconds = r->seconds.median;
    printf("%-26s", r->spec.name);
    print_order(r->spec.order);
    printf(" %6d %7d  %9.3f  %8.1f  %7.1f  %7.1f  ", r->spec.batch, r->threads, 1e3 * seconds,
           r->images / seconds, r->flops / seconds / 1e9, r->peak.median / 1e9);
    print_percent(6, r->share.median);
    if (isfinite(r->share.median))
        snprintf(range, sizeof range, "(%.1f to %.1f)", 100 * r->share.least, 100 * r->share.most);
    printf(" %17s  ", range);
    print_percent(6, r->processor_share.median);
    printf("  %6d\n", r->rounds);
    fflush(stdout);
}

static void print_ratios(const struct meta_bench *b)
{
    if (b->ratios)
        printf("\nTimes as many images a second, medians of rounds in turn (least to most; by "
               "processor time)\n");
    for (int i = 0; i < b->ratios; i++) {
        const struct meta_bench_ratio *r = &b->ratio[i];
        printf("    %-72s %6.2f (%.2f to %.2f; %.2f)\n", r->name, r->clock.median, r->clock.least,
               r->clock.most, r->processor.median);
    }
}

static double sum_of_layers(const struct meta_bench *b)
{
    double sum = 0;
    for (int i = 0; i < b->layers; i++)
        for (int pass = 0; pass < META_PASS_COUNT; pass++) sum += b->layer[i].seconds[pass];
    return sum;
}

static void print_times(const double seconds[META_PASS_COUNT], const double flops[META_PASS_COUNT],
                        double peak, double whole)
{
    double sum = 0;
    for (int pass = 0; pass < META_PASS_COUNT; pass++) {
        printf("  %8.3f", 1e3 * seconds[pass]);
        if (flops[pass] && seconds[pass] > 0)
            printf(" %4.0f%%", 100 * flops[pass] / seconds[pass] / peak);
        else printf(" %5s", "");
        sum += seconds[pass];
    }
    printf("  %8.3f  %5.1f%%\n", 1e3 * sum, whole > 0 ? 100 * sum / whole : 0);
}

static void print_layers(const struct meta_bench *b)
{
    double whole = sum_of_layers(b), seconds[META_PASS_COUNT] = { 0 },
           flops[META_PASS_COUNT] = { 0 };
    printf("\nBy layer and pass, batch %d, one thread: ms of processor time, share of the FMA peak "
           "(%.1f GFLOP/s); the sum, its share of all\n",
           b->layer_batch, b->layer_peak / 1e9);
    printf("%5s  %-60s  %14s  %14s  %14s  %14s  %8s\n", "layer", "", "forward      ",
           "backward     ", "fwd tangent  ", "bwd tangent  ", "sum");
    for (int i = 0; i < b->layers; i++) {
        const struct meta_bench_layer *l = &b->layer[i];
        printf("%5d  %-60s", l->layer, l->name);
        print_times(l->seconds, l->flops, b->layer_peak, whole);
        for (int pass = 0; pass < META_PASS_COUNT; pass++) {
            seconds[pass] += l->seconds[pass];
            flops[pass] += l->flops[pass];
        }
    }
    printf("%5s  %-60s", "", "all");
    print_times(seconds, flops, b->layer_peak, whole);
    if (b->slow_layer >= 0)
        printf("Warning: layer %d is slow on this processor: its library has only a reference "
               "implementation of it, %s\n",
               b->slow_layer, b->slow_implementation);
}

static void print_memory(const struct meta_bench *b)
{
    printf("\nPeak memory of a process that does no more than this once, and its workers' share of "
           "it, MB\n");
    for (int i = 0; i < b->memories; i++) {
        const struct meta_bench_memory *m = &b->memory[i];
        char keep[32] = "";
        if (m->spec.order == 2) snprintf(keep, sizeof keep, ", keep=%d", m->spec.keep);
        printf("    %s, order %d%-8s  %d thread%s %*s  %8.0f  %8.0f\n", m->spec.name, m->spec.order,
               keep, m->threads, m->threads == 1 ? " " : "s", 20, "", m->process / 1e6,
               m->workers / 1e6);
    }
    if (b->stock_bytes > 0)
        printf("    %-65s %8.0f\n", "stock libdarknet's gradient", b->stock_bytes / 1e6);
}

/* The words of the command line. */
struct words {
    const char *threads, *batch, *seconds, *out, *kernels;
    int is_sweep, is_ranks;
    struct meta_bench_sweep sweep;
    struct meta_bench_ranks ranks;
};

/* Each of the three benchmarks has flags of its own. */
static int check_words(const struct words *w, struct meta_error *error)
{
    const struct meta_bench_ranks *r = &w->ranks;
    if (w->is_sweep && w->is_ranks)
        return meta_fail(error, "-ranks: is for a .cfg, not for -sweep");
    if (w->is_sweep && (w->threads || w->batch))
        return meta_fail(error, "%s: is for the benchmark of a .cfg, not for -sweep",
                         w->threads ? "-threads" : "-batch");
    if (w->is_ranks && w->batch) return meta_fail(error, "-batch: is not for -ranks");
    if (!w->is_sweep && (w->sweep.channels || w->sweep.sizes))
        return meta_fail(error, "%s: is for -sweep alone",
                         w->sweep.channels ? "-channels" : "-sizes");
    if (!w->is_ranks && (r->latency || r->bandwidth || r->ranks.mpi || r->ranks.patience))
        return meta_fail(error, "%s: is for -ranks alone",
                         r->latency              ? "-latency"
                             : r->bandwidth      ? "-bandwidth"
                             : r->ranks.patience ? "-patience"
                                                 : "-mpi");
    return 0;
}

static int bench_cfg(const char *path, const struct words *w)
{
    struct meta_error error;
    struct meta_model *model = NULL;
    struct meta_bench_plan plan = { .backend = meta_flag_kernels(meta_backend_default(),
                                                                 w->kernels) };
    struct meta_bench bench = { .plan = &plan, .begun = print_plan, .timed = print_row };
    int status = 1;
    plan.threads = meta_flag_int("-threads", w->threads, meta_pool_cores(), 1, META_POOL_MOST);
    plan.batch = meta_flag_int("-batch", w->batch, 0, 2, 1 << 20);
    plan.seconds = meta_flag_real("-seconds", w->seconds, 2, 1e-3, 1e5);
    if (meta_flag_out(w->out, (const char *[]){ path }, 1, &error)
        || meta_own_json("-out", w->out, "meta bench", &error)
        || meta_model_load(&model, path, &error))
        goto fail;
    plan.model = model;
    if (plan.batch && model->network->ways) {
        meta_fail(&error, "-batch: %s pairs the images of whole tasks, %d: leave it out", path,
                  meta_bench_task_images(model));
        goto fail;
    }
    if (meta_bench_complete(&plan, &error) || meta_bench_run(&bench, &error)) goto fail;
    print_ratios(&bench);
    print_layers(&bench);
    meta_print_bounds(&bench);
    print_memory(&bench);
    if (w->out && meta_bench_write(&bench, w->out, &error)) goto fail;
    status = 0;
fail:
    meta_bench_clear(&bench);
    meta_bench_plan_clear(&plan);
    meta_model_free(model);
    return status ? meta_complain(&error) : 0;
}

/* Whether -sweep stands there, which decides how many words there may be besides. */
static int has_sweep(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "-sweep")) return 1;
    return 0;
}

int meta_command_bench(int argc, char **argv)
{
    struct words w = { 0 };
    const struct meta_flag flags[] = {
        { "-threads", "N", "the most threads; one is measured too (the cores)", &w.threads, NULL },
        { "-batch", "N",
          "images of the forward and of the gradient that stock is compared with (those of a task)",
          &w.batch, NULL },
        { "-seconds", "S",
          "for which each thing is timed, at least five times (2; each shape of -sweep .02)",
          &w.seconds, NULL },
        { "-kernels", "SET", "own or onednn (own): 3x3 convolutions by tiles, or oneDNN's",
          &w.kernels, NULL },
        { "-out", "FILE.json", "writes all figures", &w.out, NULL },
        { "-sweep", NULL,
          "instead of a .cfg: convolutions of each number of channels and size of kernel", NULL,
          &w.is_sweep },
        { "-channels", "N-M", "those of -sweep (1-40)", &w.sweep.channels, NULL },
        { "-sizes", "N-M", "sizes of the kernels of -sweep (1-7)", &w.sweep.sizes, NULL },
        { "-ranks", NULL,
          "instead: an iteration on each rank that mpirun or srun has started, and on more of them",
          NULL, &w.is_ranks },
        { "-latency", "US", "of another transport than is measured, to predict -ranks for it",
          &w.ranks.latency, NULL },
        { "-bandwidth", "MBIT", "likewise, in Mbit/s of a rank each way", &w.ranks.bandwidth,
          NULL },
        META_RANKS_ROWS(w.ranks.ranks),
    };
    int words = !has_sweep(argc, argv);
    const struct meta_syntax syntax = { "bench CFG|-sweep", words, words, flags,
                                        sizeof flags / sizeof *flags };
    struct meta_error error;
    meta_flags_parse(argc, argv, &syntax);
    if (check_words(&w, &error)) return meta_complain(&error);
    w.sweep.seconds = w.ranks.seconds = w.seconds;
    w.sweep.out = w.ranks.out = w.out;
    w.sweep.kernels = w.ranks.kernels = w.kernels;
    w.ranks.threads = w.threads;
    return w.is_sweep ? meta_bench_sweep(&w.sweep)
        : w.is_ranks  ? meta_bench_ranks(argv[0], &w.ranks)
                      : bench_cfg(argv[0], &w);
}
