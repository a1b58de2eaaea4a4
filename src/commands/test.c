#define _GNU_SOURCE
#include "base/clock.h"
#include "base/duration.h"
#include "flags.h"
#include "console.h"
#include "base/file.h"
#include "evaluation/method.h"
#include "evaluation/results.h"
#include "network/weights.h"
#include "base/plural.h"
#include "stats/estimate.h"
#include "usage.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct parts {
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool;
    struct meta_dataset *dataset, *augmented;      /* the second of a method that asks for it */
    struct meta_evaluator *evaluator;
    const struct meta_backend *backend;
    float *parameters, *statistics;
    void *phi;                             /* backend vector */
};

static void free_parts(struct parts *p)
{
    meta_evaluator_free(p->evaluator);
    meta_dataset_free(p->augmented);
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
    if (find_list(p->data, list, &path, error)) return -1;
    if (meta_weights_load(net, weights, &p->parameters, &p->statistics, error) || p->backend->open(error)) return -1;
    p->phi = p->backend->allocate(net->parameters * p->backend->element);
    if (!p->phi) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    p->backend->upload(p->phi, p->parameters, net->parameters);
    if (meta_pool_create(&p->pool, threads, error)) return -1;
    if (meta_dataset_load(&p->dataset, p->data, path, net->input.w, net->input.h, net->input.c, 0, p->pool, error)) return -1;
    if (e->method->augments && meta_dataset_load(&p->augmented, p->data, path, net->input.w, net->input.h, net->input.c,
                                                 p->model->net.max_crop, p->pool, error)) return -1;
    e->augmented = p->augmented;
    e->statistics = p->statistics;
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
    if (meta_results_pairs(&rows, &count, runs, e, error)) return -1;
    for (int i = 0; i < count; i++) {
        int n = strlen(d->names[rows[i].a]) + strlen(d->names[rows[i].b]) + 3;
        if (n > width) width = n;
    }
    const char *before = e->method->learns ? "   AUC before" : "";
    printf("\n%-*s   tasks%s   AUC after   95%% interval\n", width, "classes", before);
    for (int i = 0; i < count; i++) {
        const char *a = d->names[rows[i].a], *b = d->names[rows[i].b];
        printf("%s - %s%*s   %5d", a, b, width - (int)strlen(a) - (int)strlen(b) - 3, "", rows[i].after.n);
        if (*before) printf("   %10.4f", rows[i].before.mean);
        printf("   %9.4f", rows[i].after.mean);
        if (rows[i].after.n > 1) printf("   %6.4f to %6.4f", rows[i].after.low, rows[i].after.high);
        putchar('\n');
    }
    free(rows);
    return 0;
}

static int print_results(const struct meta_results *results, struct meta_error *error)
{
    const struct meta_run *runs = results->runs;
    const struct meta_evaluation *e = results->evaluation;
    struct meta_estimate other = results->other_groups;
    int failed = 0;
    printf("                    mean    error   95%% interval, %d task%s\n", e->runs, meta_plural(e->runs));
    int learns = e->method->learns;
    if (learns) print_estimate("AUC before", meta_estimate(&runs->auc_before, sizeof *runs, e->runs));
    print_estimate("AUC after", meta_estimate(&runs->auc_after, sizeof *runs, e->runs));
    if (!isnan(other.low)) print_estimate("  other groups", other);
    if (learns) print_estimate("AUC gain", meta_estimate(&runs->auc_gain, sizeof *runs, e->runs));
    if (learns) print_estimate("accuracy before", meta_estimate(&runs->accuracy_before, sizeof *runs, e->runs));
    print_estimate("accuracy after", meta_estimate(&runs->accuracy_after, sizeof *runs, e->runs));
    for (int i = 0; i < e->runs; i++) failed += runs[i].failed;
    if (!isnan(other.low)) printf("other groups: as if the %d groups of query images had been drawn anew, too\n", results->groups->count);
    if (failed) printf("%d of the tasks diverged: their outputs are not numbers, their AUC counts as 0.5\n", failed);
    return print_pairs(runs, e, results->dataset, error);
}

struct watch { int runs; };

static void watch(void *context, int done)
{
    meta_print_bar(done, ((const struct watch *)context)->runs);
}

/* Without -method it is what the network is made for. A network may have other outputs than [episode] has ways where a method
   takes only what is before them. */
static int load_model(struct meta_model **model, const char *cfg, const char *name, const struct meta_method **method, struct meta_error *error)
{
    *method = name ? meta_method_find(name) : NULL;
    if (name && !*method) {
        size_t used = snprintf(error->text, sizeof error->text, "-method %.60s: must be", name);
        for (const struct meta_method *const *m = meta_methods; *m; m++)
            used += snprintf(error->text + used, sizeof error->text - used, "%s %s", m == meta_methods ? "" : m[1] ? "," : " or", (*m)->name);
        return -1;
    }
    if (meta_model_load_for(model, cfg, !name || *method == &meta_method_maml ? META_FOR_TASKS : META_FOR_ANY, error)) return -1;
    if (!name) *method = (*model)->network->ways ? &meta_method_relation : &meta_method_maml;
    return 0;
}

/* A flag that the method does not read would be a wish without effect. */
static int check_flags(const struct meta_method *method, const char *steps, const char *bn, const char *epochs, const char *rate,
                       const char *layer, const char *neighbours, struct meta_error *error)
{
    const struct { const char *name, *value, *methods; } rows[] = {
        { "-steps", steps, "maml, relation" }, { "-bn", bn, "maml, relation" }, { "-epochs", epochs, "finetune" }, { "-rate", rate, "finetune" },
        { "-layer", layer, "knn, svm" }, { "-neighbours", neighbours, "knn" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value && !strstr(rows[i].methods, method->name))
            return meta_fail(error, "%s: -method %s does not read it; allowed with %s", rows[i].name, method->name, rows[i].methods);
    return 0;
}

int meta_command_test(int argc, char **argv)
{
    const char *runs = NULL, *shots = NULL, *seed = NULL, *threads = NULL, *steps = NULL, *list = NULL, *out = NULL, *backend = NULL,
               *method = NULL, *epochs = NULL, *rate = NULL, *layer = NULL, *neighbours = NULL, *bn = NULL;
    const struct meta_flag flags[] = {
        { "-runs", "N", "tasks (30)", &runs, NULL },
        { "-shots", "K", "support images a class ([episode] shots)", &shots, NULL },
        { "-method", "NAME", "maml, finetune, knn, svm or relation (maml; with [relation], that)", &method, NULL },
        { "-steps", "N", "maml: steps of the inner loop ([inner_loop] test_steps)", &steps, NULL },
        { "-epochs", "N", "finetune: times that every support image is seen (50)", &epochs, NULL },
        { "-rate", "RATE", "finetune: learning rate ([net] learning_rate)", &rate, NULL },
        { "-layer", "N", "knn, svm: the layer whose output is taken, from 0 (the one before the last [connected])", &layer, NULL },
        { "-neighbours", "N", "knn: so many decide (as many as shots)", &neighbours, NULL },
        { "-seed", "N", "which tasks: the first 30 of 1000 are the 30 (1)", &seed, NULL },
        { "-list", "NAME", "test, valid or train (test)", &list, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)", &threads, NULL },
        { "-out", "FILE.json", "settings, check sums, figures and every task", &out, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &backend, NULL },
        { "-bn", "KIND", "batch, support or running (batch): whose statistics normalise query images; running: the weights' own", &bn, NULL },
    };
    struct meta_error error;
    struct parts p = {0};
    struct meta_by_group groups = {0};
    struct rusage usage;
    char time[64], what[128];
    const struct meta_syntax syntax = { "test DATA CFG WEIGHTS", 3, 3,
                                        flags, sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
    struct meta_evaluation e = { .runs = meta_flag_int("-runs", runs, 30, 1, 10000000), .seed = meta_flag_int("-seed", seed, 1, 0, INT64_MAX) };
    int workers = meta_flag_int("-threads", threads, meta_pool_cores(), 1, 1024);
    double begun = meta_now();
    if (!list) list = "test";
    p.backend = meta_flag_backend(backend, "onednn");
    if (meta_bn_find(&e.bn, bn ? bn : "batch", &error) || load_model(&p.model, argv[1], method, &e.method, &error)
        || check_flags(e.method, steps, bn, epochs, rate, layer, neighbours, &error) || meta_data_read(&p.data, argv[0], &error)) goto fail;
    e.episode = *p.model->episode;
    e.episode.shots = meta_flag_int("-shots", shots, e.episode.shots, 1, 1000);
    e.steps = meta_flag_int("-steps", steps, p.model->inner->test_steps, 0, 1000);
    e.learning_rate = p.model->inner->learning_rate;
    e.epochs = meta_flag_int("-epochs", epochs, META_EPOCHS, 1, 1000000);
    e.rate = meta_flag_real("-rate", rate, p.model->net.learning_rate, 0, 1000);
    e.layer = meta_flag_int("-layer", layer, -1, 0, INT_MAX);
    e.neighbours = meta_flag_int("-neighbours", neighbours, e.episode.shots, 1, INT_MAX);
    if (!strcmp(list, "train")) e.task = META_APART;
    if (e.method->check(p.model, &e, &error) || (out && meta_file_check(out, &error))) goto fail;
    e.method->describe(p.model, &e, what, sizeof what);
    if (load_parts(&p, argv[2], list, &e, workers < e.runs ? workers : e.runs, &error)) goto fail;
    meta_tell_groups(p.data, p.dataset);
    printf("%s on %s: %d tasks of %d classes, %d shot%s, %d queries a class, %s, seed %llu\n\n", argv[2], p.dataset->list, e.runs,
           e.episode.ways, e.episode.shots, meta_plural(e.episode.shots), e.episode.queries, what, (unsigned long long)e.seed);
    fflush(stdout);
    const struct meta_run *results = meta_evaluator_run(p.evaluator, p.phi, watch, &(struct watch){ e.runs });
    meta_clear_bar();
    struct meta_results file = { argv[0], argv[1], argv[2], list, p.backend->name, p.model, p.dataset, &e, &groups, .runs = results };
    if (meta_evaluator_status(p.evaluator, &error) || meta_evaluator_groups(&groups, p.evaluator, &error)) goto fail;
    file.other_groups = meta_by_group_estimate(meta_estimate(&results->auc_after, sizeof *results, e.runs), groups.label, groups.influence, groups.count);
    /* what can be printed is, whether or not the file can be written */
    if (print_results(&file, &error) || (out && meta_results_write(&file, out, &error))) goto fail;
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(time, sizeof time, meta_now() - begun);
    printf("\n%s, %ld MB of memory at most\n", time, usage.ru_maxrss / 1024);
    meta_by_group_clear(&groups);
    free_parts(&p);
    return 0;
fail:
    fflush(stdout);
    meta_by_group_clear(&groups);
    free_parts(&p);
    return meta_complain(&error);
}
