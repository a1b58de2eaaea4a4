/* What a benchmark found, for people and as JSON. */
#include "bench.h"
#include "backends/fused/fused_kernels.h"
#include "base/json.h"
#include "base/plural.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1

static const char *const pass_names[META_PASS_COUNT] = { "forward", "backward", "forward_tangent", "backward_tangent" };

/* ---- for people ------------------------------------------------------------------------------------------------------ */

void meta_bench_print_plan(const struct meta_bench *b)
{
    const struct meta_bench_plan *plan = b->plan;
    const struct meta_model *m = plan->model;
    const struct meta_flops *f = &plan->flops;
    printf("%s: %zu parameters, images of %dx%dx%d, %d ways, %d shots, %d queries, %d tasks, %d steps; %s, %s, %d thread%s\n", m->name,
           m->network->parameters, m->net.width, m->net.height, m->net.channels, m->episode->ways, m->episode->shots, m->episode->queries,
           m->episode->tasks, m->inner->steps, plan->backend->name, meta_fused()->name, plan->threads, meta_plural(plan->threads));
    printf("\nChecked against the reference backend, in double, relative:");
    for (int i = 0; i < b->identities; i++)
        printf("%s %s %.1e", i ? "," : "", b->identity[i].text, b->identity[i].error);
    printf("\n\nFLOP = 2 x multiply-adds of every convolution and connected layer, convolutions taken as direct ones (Winograd's are not: it does with\n"
           "fewer) and without padding. M of a layer: forward M; backward M, and M for the adjoint of an input that depends on a parameter (the first\n"
           "layer's does not); forward tangent M, and M likewise; backward tangent M, and 3M likewise. An image:");
    for (int pass = 0; pass < META_PASS_COUNT; pass++) printf("%s %s %.4g M", pass ? "," : "", pass_names[pass], f->pass[pass] / 1e6);
    printf(".\nShare: of the FMA peak of as many threads, measured right before and after; in brackets the least and most of the rounds; beside\n"
           "it by processor time, which other programs on the machine disturb less. N threads run N programs, tasks or the iteration's tasks.\n\n");
    printf("%-26s %5s %6s %7s  %9s  %8s  %7s  %7s  %6s %17s  %6s  %6s\n", "", "order", "batch", "threads", "ms", "images/s", "GFLOP/s",
           "peak", "share", "", "cpu", "rounds");
}

/* "61.2%", or nothing where nothing can be said. */
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

void meta_bench_print_row(const struct meta_bench_row *r)
{
    char range[40] = "";
    double seconds = r->seconds.median;
    printf("%-26s", r->spec.name);
    print_order(r->spec.order);
    printf(" %6d %7d  %9.3f  %8.1f  %7.1f  %7.1f  ", r->spec.batch, r->threads, 1e3 * seconds, r->images / seconds,
           r->flops / seconds / 1e9, r->peak.median / 1e9);
    print_percent(6, r->share.median);
    if (isfinite(r->share.median)) snprintf(range, sizeof range, "(%.1f to %.1f)", 100 * r->share.least, 100 * r->share.most);
    printf(" %17s  ", range);
    print_percent(6, r->processor_share.median);
    printf("  %6d\n", r->rounds);
}

static void print_ratios(const struct meta_bench *b)
{
    if (b->ratios) printf("\nTimes as many images a second, medians of rounds in turn (least to most; by processor time)\n");
    for (int i = 0; i < b->ratios; i++) {
        const struct meta_bench_ratio *r = &b->ratio[i];
        printf("    %-72s %6.2f (%.2f to %.2f; %.2f)\n", r->name, r->clock.median, r->clock.least, r->clock.most, r->processor.median);
    }
}

static double sum_of_layers(const struct meta_bench *b)
{
    double sum = 0;
    for (int i = 0; i < b->layers; i++)
        for (int pass = 0; pass < META_PASS_COUNT; pass++) sum += b->layer[i].seconds[pass];
    return sum;
}

static void print_times(const double seconds[META_PASS_COUNT], const double flops[META_PASS_COUNT], double peak, double whole)
{
    double sum = 0;
    for (int pass = 0; pass < META_PASS_COUNT; pass++) {
        printf("  %8.3f", 1e3 * seconds[pass]);
        if (flops[pass] && seconds[pass] > 0) printf(" %4.0f%%", 100 * flops[pass] / seconds[pass] / peak);
        else printf(" %5s", "");
        sum += seconds[pass];
    }
    printf("  %8.3f  %5.1f%%\n", 1e3 * sum, whole > 0 ? 100 * sum / whole : 0);
}

static void print_layers(const struct meta_bench *b)
{
    double whole = sum_of_layers(b), seconds[META_PASS_COUNT] = {0}, flops[META_PASS_COUNT] = {0};
    printf("\nBy layer and pass, batch %d, one thread: ms of processor time, share of the FMA peak (%.1f GFLOP/s); the sum, its share of all\n",
           b->layer_batch, b->layer_peak / 1e9);
    printf("%5s  %-60s  %14s  %14s  %14s  %14s  %8s\n", "layer", "", "forward      ", "backward     ", "fwd tangent  ", "bwd tangent  ", "sum");
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
}

static void print_memory(const struct meta_bench *b)
{
    printf("\nPeak memory of a process that does no more than this once, and its workers' share of it, MB\n");
    for (int i = 0; i < b->memories; i++) {
        const struct meta_bench_memory *m = &b->memory[i];
        char keep[32] = "";
        if (m->spec.order == 2) snprintf(keep, sizeof keep, ", keep=%d", m->spec.keep);
        printf("    %s, order %d%-8s  %d thread%s %*s  %8.0f  %8.0f\n", m->spec.name, m->spec.order, keep, m->threads, m->threads == 1 ? " " : "s",
               20, "", m->process / 1e6, m->workers / 1e6);
    }
    if (b->stock_bytes > 0) printf("    %-65s %8.0f\n", "stock libdarknet's gradient", b->stock_bytes / 1e6);
}

void meta_bench_print_end(const struct meta_bench *b)
{
    print_ratios(b);
    print_layers(b);
    print_memory(b);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------------ */

static void add_number(cJSON *to, const char *name, double x) { cJSON_AddItemToObject(to, name, meta_json_number(x)); }

static void add_spread(cJSON *to, const char *name, struct meta_spread s)
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    add_number(j, "median", s.median);
    add_number(j, "least", s.least);
    add_number(j, "most", s.most);
}

static void add_passes(cJSON *to, const char *name, const double x[META_PASS_COUNT])
{
    cJSON *j = cJSON_AddObjectToObject(to, name);
    for (int pass = 0; pass < META_PASS_COUNT; pass++) add_number(j, pass_names[pass], x[pass]);
}

/* An object at the end of an array. */
static cJSON *append(cJSON *array)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToArray(array, j);
    return j;
}

static void add_spec(cJSON *j, const struct meta_work_spec *s, int threads)
{
    cJSON_AddStringToObject(j, "name", s->name);
    add_number(j, "order", s->order ? s->order : NAN);
    add_number(j, "keep", s->order == 2 ? s->keep : NAN);
    add_number(j, "batch", s->batch);
    add_number(j, "threads", threads);
}

static void add_settings(cJSON *root, const struct meta_bench_plan *plan)
{
    const struct meta_model *m = plan->model;
    const struct { const char *name; double value; } settings[] = {
        { "width", m->net.width }, { "height", m->net.height }, { "channels", m->net.channels }, { "parameters", m->network->parameters },
        { "ways", m->episode->ways }, { "shots", m->episode->shots }, { "queries", m->episode->queries }, { "tasks", m->episode->tasks },
        { "steps", m->inner->steps }, { "threads", plan->threads }, { "batch", plan->batch }, { "seconds", plan->seconds }
    };
    cJSON *j = cJSON_AddObjectToObject(root, "settings");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) add_number(j, settings[i].name, settings[i].value);
    cJSON_AddStringToObject(j, "backend", plan->backend->name);
    cJSON_AddStringToObject(j, "isa", meta_fused()->name);
}

static void add_found(cJSON *root, const struct meta_bench *b)
{
    cJSON *check = cJSON_AddArrayToObject(root, "check"), *rows = cJSON_AddArrayToObject(root, "rows"),
          *ratios = cJSON_AddArrayToObject(root, "ratios"), *memory = cJSON_AddArrayToObject(root, "memory");
    for (int i = 0; i < b->identities; i++) {
        cJSON *j = append(check);
        cJSON_AddStringToObject(j, "text", b->identity[i].text);
        add_number(j, "error", b->identity[i].error);
        add_number(j, "limit", b->identity[i].limit);
    }
    for (int i = 0; i < b->rows; i++) {
        const struct meta_bench_row *r = &b->row[i];
        cJSON *j = append(rows);
        add_spec(j, &r->spec, r->threads);
        add_number(j, "rounds", r->rounds);
        add_number(j, "images", r->images);
        add_number(j, "flop", r->flops);
        add_number(j, "images_per_second", r->images / r->seconds.median);
        add_number(j, "gflops", r->flops / r->seconds.median / 1e9);
        add_spread(j, "seconds", r->seconds);
        add_spread(j, "processor_seconds", r->processor);
        add_spread(j, "peak_flops", r->peak);
        add_spread(j, "share", r->share);
        add_spread(j, "processor_share", r->processor_share);
    }
    for (int i = 0; i < b->ratios; i++) {
        cJSON *j = append(ratios);
        cJSON_AddStringToObject(j, "name", b->ratio[i].name);
        add_spread(j, "clock", b->ratio[i].clock);
        add_spread(j, "processor", b->ratio[i].processor);
    }
    for (int i = 0; i < b->memories; i++) {
        cJSON *j = append(memory);
        add_spec(j, &b->memory[i].spec, b->memory[i].threads);
        add_number(j, "process_bytes", b->memory[i].process);
        add_number(j, "worker_bytes", b->memory[i].workers);
    }
    add_number(root, "stock_bytes", b->stock_bytes > 0 ? b->stock_bytes : NAN);
}

static void add_layers(cJSON *root, const struct meta_bench *b)
{
    cJSON *j = cJSON_AddObjectToObject(root, "layers"), *operations;
    add_number(j, "batch", b->layer_batch);
    add_number(j, "peak_flops", b->layer_peak);
    operations = cJSON_AddArrayToObject(j, "operations");
    for (int i = 0; i < b->layers; i++) {
        cJSON *o = append(operations);
        add_number(o, "layer", b->layer[i].layer);
        cJSON_AddStringToObject(o, "name", b->layer[i].name);
        add_passes(o, "seconds", b->layer[i].seconds);
        add_passes(o, "flop", b->layer[i].flops);
    }
}

int meta_bench_write(const struct meta_bench *b, const char *path, struct meta_error *error)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "program", "darknet meta bench");
    cJSON_AddNumberToObject(root, "format", FORMAT);
    cJSON_AddStringToObject(root, "cfg", b->plan->model->path);
    add_settings(root, b->plan);
    add_passes(root, "flop_of_an_image", b->plan->flops.pass);
    add_found(root, b);
    add_layers(root, b);
    int status = meta_json_write(path, root, error);
    cJSON_Delete(root);
    return status;
}
