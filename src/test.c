#define _GNU_SOURCE
#include "clock.h"
#include "command.h"
#include "console.h"
#include "results.h"
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct parts {
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool;
    struct meta_dataset *dataset;
    struct meta_evaluator *evaluator;
    const struct meta_backend *backend;
    float *parameters, *statistics;
    void *phi;                             /* backend vector */
};

static void free_parts(struct parts *p)
{
    meta_evaluator_free(p->evaluator);
    meta_dataset_free(p->dataset);
    meta_pool_free(p->pool);
    if (p->phi) p->backend->release(p->phi);
    free(p->parameters);
    free(p->statistics);
    meta_data_free(p->data);
    meta_model_free(p->model);
}

static int find_list(const struct meta_data *data, const char *name, const char **list, struct meta_error *error)
{
    const char *names[] = { "test", "valid", "train" }, *lists[] = { data->test, data->valid, data->train };
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i])) continue;
        *list = lists[i];
        return lists[i] ? 0 : meta_fail(error, "%s: has no %s=", data->path, name);
    }
    return meta_fail(error, "-list %s: must be test, valid or train", name);
}

/* The checks that take no time come before the images. */
static int load_parts(struct parts *p, const char *weights, const char *list, struct meta_evaluation *e, int threads,
                      struct meta_error *error)
{
    const struct meta_network *net = p->model->network;
    const char *path;
    uint64_t seen;
    if (find_list(p->data, list, &path, error)) return -1;
    p->parameters = calloc(net->parameters + 1, sizeof *p->parameters);
    p->statistics = calloc(net->statistics + 1, sizeof *p->statistics);
    e->running = p->statistics;
    if (!p->parameters || !p->statistics) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (meta_weights_read(net, weights, p->parameters, p->statistics, &seen, error) || p->backend->open(error)) return -1;
    p->phi = p->backend->allocate(net->parameters * p->backend->element);
    if (!p->phi) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    p->backend->upload(p->phi, p->parameters, net->parameters);
    if (meta_pool_create(&p->pool, threads, error)) return -1;
    if (meta_dataset_load(&p->dataset, p->data, path, net->input.w, net->input.h, net->input.c, 0, p->pool, error)) return -1;
    return meta_evaluator_create(&p->evaluator, p->model, p->backend, p->pool, p->dataset, e, error);
}

static void print_estimate(const char *name, struct meta_estimate e)
{
    printf("%-16s %7.4f", name, e.mean);
    if (e.n > 1) printf("   %6.4f   %6.4f to %6.4f", e.error, e.low, e.high);
    putchar('\n');
}

static int print_pairs(const struct meta_run *runs, const struct meta_evaluation *e, const struct meta_dataset *d, struct meta_error *error)
{
    struct meta_pair_row *rows;
    int count, width = 10;
    if (meta_results_pairs(&rows, &count, runs, e, d->classes, error)) return -1;
    for (int i = 0; i < count; i++) {
        int n = strlen(d->names[rows[i].a]) + strlen(d->names[rows[i].b]) + 3;
        if (n > width) width = n;
    }
    printf("\n%-*s   tasks   AUC before   AUC after   95%% interval\n", width, "classes");
    for (int i = 0; i < count; i++) {
        const char *a = d->names[rows[i].a], *b = d->names[rows[i].b];
        printf("%s - %s%*s   %5d   %10.4f   %9.4f", a, b, width - (int)strlen(a) - (int)strlen(b) - 3, "", rows[i].after.n,
               rows[i].before.mean, rows[i].after.mean);
        if (rows[i].after.n > 1) printf("   %6.4f to %6.4f", rows[i].after.low, rows[i].after.high);
        putchar('\n');
    }
    free(rows);
    return 0;
}

static int print_results(const struct meta_run *runs, const struct meta_evaluation *e, const struct meta_dataset *d, struct meta_error *error)
{
    int failed = 0;
    printf("                    mean    error   95%% interval, %d task%s\n", e->runs, e->runs == 1 ? "" : "s");
    print_estimate("AUC before", meta_estimate(&runs->auc_before, sizeof *runs, e->runs));
    print_estimate("AUC after", meta_estimate(&runs->auc_after, sizeof *runs, e->runs));
    print_estimate("AUC gain", meta_estimate(&runs->auc_gain, sizeof *runs, e->runs));
    print_estimate("accuracy before", meta_estimate(&runs->accuracy_before, sizeof *runs, e->runs));
    print_estimate("accuracy after", meta_estimate(&runs->accuracy_after, sizeof *runs, e->runs));
    for (int i = 0; i < e->runs; i++) failed += runs[i].failed;
    if (failed) printf("%d of the tasks diverged: their outputs are not numbers, their AUC counts as 0.5\n", failed);
    return print_pairs(runs, e, d, error);
}

struct watch { int runs; };

static void watch(void *context, int done)
{
    meta_print_bar(done, ((const struct watch *)context)->runs);
}

int meta_command_test(int argc, char **argv)
{
    const char *runs = NULL, *shots = NULL, *seed = NULL, *threads = NULL, *steps = NULL, *list = NULL, *out = NULL, *backend = NULL, *bn = "batch";
    const struct meta_flag flags[] = {
        { "-runs", "N", "tasks (30)", &runs, NULL },
        { "-shots", "K", "support images a class ([episode] shots)", &shots, NULL },
        { "-steps", "N", "steps of the inner loop ([inner_loop] test_steps)", &steps, NULL },
        { "-seed", "N", "which tasks: the first 30 of 1000 are the 30 (1)", &seed, NULL },
        { "-list", "NAME", "test, valid or train (test)", &list, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)", &threads, NULL },
        { "-out", "FILE.json", "settings, check sums, figures and every task", &out, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
        { "-bn", "KIND", "what normalises query images: their batch; the support set; or running, the weights' own statistics (batch)", &bn, NULL },
    };
    struct meta_error error;
    struct parts p = {0};
    struct rusage usage;
    char time[64];
    meta_flags_parse(argc, argv, flags, sizeof flags / sizeof *flags, 3, 3, "test DATA CFG WEIGHTS");
    struct meta_evaluation e = { .runs = meta_flag_int("-runs", runs, 30, 1, 10000000), .seed = meta_flag_int("-seed", seed, 1, 0, INT64_MAX) };
    int workers = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    double begun = meta_now();
    if (!list) list = "test";
    p.backend = meta_backend_find(backend ? backend : "onednn");
    if (!p.backend) { meta_fail(&error, "-backend %s: must be onednn or reference", backend); goto fail; }
    if (meta_bn_find(&e.bn, bn, &error) || meta_model_load(&p.model, argv[1], &error) || meta_data_read(&p.data, argv[0], &error)) goto fail;
    e.episode = *p.model->episode;
    e.episode.shots = meta_flag_int("-shots", shots, e.episode.shots, 1, 1000);
    e.steps = meta_flag_int("-steps", steps, p.model->inner->test_steps, 0, 1000);
    e.learning_rate = p.model->inner->learning_rate;
    if (p.model->network->ways && e.steps) {
        meta_fail(&error, "-steps %d: must be 0: [relation] takes no steps in a task", e.steps);
        goto fail;
    }
    if (load_parts(&p, argv[2], list, &e, workers < e.runs ? workers : e.runs, &error)) goto fail;
    printf("%s on %s: %d tasks of %d classes, %d shot%s, %d queries a class, %d steps, seed %llu, %s statistics\n\n", argv[2], p.dataset->list, e.runs,
           e.episode.ways, e.episode.shots, e.episode.shots == 1 ? "" : "s", e.episode.queries, e.steps, (unsigned long long)e.seed, meta_bn_name(e.bn));
    fflush(stdout);
    const struct meta_run *results = meta_evaluator_run(p.evaluator, p.phi, watch, &(struct watch){ e.runs });
    meta_clear_bar();
    if (print_results(results, &e, p.dataset, &error)) goto fail;
    struct meta_results file = { argv[0], argv[1], argv[2], list, p.backend->name, p.dataset, &e, results };
    if (out && meta_results_write(&file, out, &error)) goto fail;
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(time, sizeof time, meta_now() - begun);
    printf("\n%s, %ld MB of memory at most\n", time, usage.ru_maxrss / 1024);
    free_parts(&p);
    return 0;
fail:
    fflush(stdout);
    free_parts(&p);
    return meta_complain(&error);
}
