/* darknet meta test: learns rare classes from a few images of a list by a method, task after task,
   and says how well. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/duration.h"
#include "base/plural.h"
#include "config/inner_text.h"
#include "console.h"
#include "evaluation/evaluate.h"
#include "evaluation/inner.h"
#include "evaluation/methods.h"
#include "evaluation/results.h"
#include "flags.h"
#include "ranks.h"
#include "learning/learned_rates.h"
#include "more_weights.h"
#include "network/weights.h"
#include "own_output.h"
#include "stats/estimate.h"
#include "test_answers.h"
#include "temperature_flag.h"
#include "test_print.h"
#include "test_ranks.h"
#include "test_request.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct test {
    struct meta_test_request asked;
    const char *data_path, *cfg_path, *weights_path;
    struct meta_evaluation evaluation;
    void *settings; /* the method's */
    int threads;
    struct meta_model *model;
    struct meta_data *data, *trained_by; /* NULL: by `data` */
    struct meta_pool *pool;
    struct meta_dataset *dataset;
    struct meta_dataset *augmented; /* NULL: the method does not ask for it */
    struct meta_evaluator *evaluator;
    const struct meta_backend *backend;
    struct meta_transport *ranks;
    struct meta_temperature_wish temperature;
    struct meta_more_weights more;
    struct meta_test_answers answers;
    float *parameters, *statistics;
    struct meta_learned_rates *rates; /* NULL: fixed */
    void *phi;                        /* backend vector */
    struct meta_by_group groups;
};

static void free_test(struct test *t)
{
    meta_evaluator_free(t->evaluator);
    meta_dataset_free(t->augmented);
    meta_dataset_free(t->dataset);
    meta_pool_free(t->pool);
    if (t->phi) t->backend->release(t->phi);
    meta_learned_free(t->rates);
    free(t->parameters);
    free(t->statistics);
    free(t->settings);
    meta_temperature_wish_clear(&t->temperature);
    meta_more_weights_clear(&t->more);
    meta_test_answers_clear(&t->answers);
    meta_by_group_clear(&t->groups);
    meta_data_free(t->data);
    meta_data_free(t->trained_by);
    meta_model_free(t->model);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static int check_flag(const struct meta_method *method, const char *name, const char *value,
                      struct meta_error *error)
{
    char readers[200];
    if (!value || meta_method_reads(method, name)) return 0;
    meta_method_readers(readers, sizeof readers, name);
    return meta_fail(error, "%s: -method %s does not read it; allowed with %s", name, method->name,
                     readers);
}

/* Refuses a flag that the method does not read: it would be a wish without effect. */
static int check_flags(const struct test *t, struct meta_error *error)
{
    const struct meta_test_request *q = &t->asked;
    for (int i = 0; i < q->own_count; i++)
        if (check_flag(t->evaluation.method, q->own[i]->name, q->values[i], error)) return -1;
    return check_flag(t->evaluation.method, "-bn", q->bn, error)
            || check_flag(t->evaluation.method, "-temperature", q->temperature, error)
        ? -1
        : 0;
}

/* Without -method it is what the network is made for. A network may have other outputs than
   [episode] has ways where a method takes only what is before them. */
static int load_model(struct test *t, struct meta_error *error)
{
    const char *name = t->asked.method;
    const struct meta_method *method = name ? meta_method_find(name) : NULL;
    if (name && !method) {
        char names[200];
        meta_method_names(names, sizeof names);
        return meta_fail(error, "-method %.60s: must be %s", name, names);
    }
    enum meta_purpose purpose = method ? method->purpose : META_FOR_TASKS;
    if (meta_model_load_for(&t->model, t->cfg_path, purpose, error)) return -1;
    t->evaluation.method = method ? method : meta_method_for(t->model);
    return 0;
}

/* Weights that are not read, and none where some are needed, are refused. */
static int check_weights(const struct test *t, struct meta_error *error)
{
    const struct meta_method *method = t->evaluation.method;
    if ((t->weights_path == NULL) == method->weightless) return 0;
    return meta_fail(error,
                     method->weightless ? "-method %s: learns from the images alone: must be "
                                          "without WEIGHTS"
                                        : "-method %s: needs WEIGHTS, behind DATA and CFG",
                     method->name);
}

/* The defaults of the method's settings, and over them the flags. */
static int make_settings(struct test *t, struct meta_error *error)
{
    const struct meta_test_request *q = &t->asked;
    struct meta_evaluation *e = &t->evaluation;
    if (meta_method_settings(&t->settings, e->method, t->model, &e->episode, error)) return -1;
    for (int i = 0; i < q->own_count; i++) {
        if (!q->values[i]) continue;
        const struct meta_method_flag *f = meta_method_flag(e->method, q->own[i]->name);
        double value = f->real ? meta_flag_real(f->name, q->values[i], 0, f->least, f->most)
                               : meta_flag_int(f->name, q->values[i], 0, f->least, f->most);
        meta_method_set(t->settings, f, value);
    }
    e->settings = t->settings;
    return 0;
}

/* The temperature of the answers, for a method that has one. */
static int find_temperature(struct test *t, struct meta_error *error)
{
    struct meta_evaluation *e = &t->evaluation;
    const struct meta_inner_steps *inner = e->settings;
    int mean = t->more.paths.count > 1 || t->answers.with.count;
    if (mean && t->asked.temperature)
        return meta_fail(error,
                         "-temperature: is of one file of weights, not of a mean of answers");
    if (!e->method->tempers || mean) return 0;
    char text[META_TEMPERATURE_INNER];
    const struct meta_temperature_use use = { e->episode.ways,
                                              inner->steps,
                                              t->model->inner->learning_rate,
                                              meta_bn_name(e->bn),
                                              e->episode.shots,
                                              inner->copies,
                                              text };
    meta_inner_text(text, t->model);
    if (meta_temperature_wish(&t->temperature, t->asked.temperature, t->weights_path, &use, error))
        return -1;
    e->temperature = t->temperature.temperature;
    return 0;
}

/* The checks that take no time come before the images. */
static int prepare(struct test *t, struct meta_error *error)
{
    const struct meta_test_request *q = &t->asked;
    struct meta_evaluation *e = &t->evaluation;
    e->runs = meta_flag_int("-runs", q->runs, 30, 1, 10000000);
    e->seed = meta_flag_seed(q->seed, 1);
    t->threads = meta_flag_int("-threads", q->threads, meta_pool_cores(), 1, META_POOL_MOST);
    if (t->threads > e->runs) t->threads = e->runs;
    t->backend = meta_flag_kernels(meta_flag_backend(q->backend, "onednn"), q->kernels);
    if (meta_bn_find(&e->bn, q->bn ? q->bn : "batch", error)
        || meta_more_weights_split(&t->more, q->weights, q->out, &t->weights_path, error)
        || load_model(t, error) || meta_more_weights_check(&t->more, t->model, e, error)
        || check_weights(t, error) || check_flags(t, error)
        || meta_data_read(&t->data, t->data_path, error)
        || (q->train_data && meta_data_read(&t->trained_by, q->train_data, error)))
        return -1;
    e->episode = *t->model->episode;
    e->episode.shots = meta_flag_int("-shots", q->shots, e->episode.shots, 1, 1000);
    if (!strcmp(q->list, "train")) e->task = META_APART;
    if (make_settings(t, error) || meta_method_check(t->model, e, error)
        || meta_test_answers_prepare(&t->answers, q, t->data, e, error)
        || meta_test_ranks_alone(t->ranks, t->more.paths.count, t->answers.with.count, error))
        return -1;
    if (find_temperature(t, error)) return -1;
    const char *inputs[4] = { t->data_path, t->cfg_path };
    int count = 2;
    if (t->weights_path) inputs[count++] = t->weights_path;
    if (t->temperature.path) inputs[count++] = t->temperature.path;
    return meta_flag_out(q->out, inputs, count, error)
            || meta_flag_out_of("-csv", q->csv, inputs, count, error)
            || meta_flag_out_of("-csv", q->csv, (const char *const *)t->more.paths.words,
                                t->more.paths.count, error)
            || meta_own_json("-out", q->out, "meta test", error)
        ? -1
        : 0;
}

/* ---- loading --------------------------------------------------------------------------------- */

static int find_list(const struct meta_data *data, const char *name, const char **list,
                     struct meta_error *error)
{
    const char *names[] = { "test", "valid", "train" },
               *lists[] = { data->test, data->valid, data->train };
    for (int i = 0; i < 3; i++) {
        if (strcmp(name, names[i])) continue;
        *list = lists[i];
        return lists[i] ? 0 : meta_fail(error, "%s: has no %s=", data->path, name);
    }
    return meta_fail(error, "-list %s: must be test, valid or train", name);
}

static int load_images(struct test *t, const char *list, struct meta_error *error)
{
    const struct meta_shape in = t->model->network->input;
    struct meta_dataset_source source = { .data = t->data,
                                          .list = list,
                                          .width = in.w,
                                          .height = in.h,
                                          .channels = in.c,
                                          .orientation = t->model->net.orientation,
                                          .cache = 1,
                                          .shared = meta_transport_many(t->ranks) };
    if (meta_dataset_load(&t->dataset, &source, t->pool, error)) return -1;
    const struct meta_method *method = t->evaluation.method;
    if (!method->augments || !method->augments(t->model, t->settings)) return 0;
    source.side = t->model->net.max_crop;
    return meta_dataset_load(&t->augmented, &source, t->pool, error);
}

static int load_weights(struct test *t, struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    if (meta_weights_load(net, t->weights_path, &t->parameters, &t->statistics, error)) return -1;
    if (t->evaluation.method->reads_rates
        && meta_learned_load(&t->rates, net, meta_rates_how_of(t->model->inner), t->backend,
                             t->weights_path, error))
        return -1;
    t->phi = t->backend->allocate(net->parameters * t->backend->element);
    if (!t->phi) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    t->backend->upload(t->phi, t->parameters, net->parameters);
    return meta_more_weights_load(&t->more, net, t->backend, &t->evaluation, error);
}

static int load(void *test, struct meta_error *error)
{
    struct test *t = test;
    struct meta_evaluation *e = &t->evaluation;
    const char *list;
    if (find_list(t->data, t->asked.list, &list, error)) return -1;
    if (t->backend->open(error) || (t->weights_path && load_weights(t, error))) return -1;
    if (meta_pool_create(&t->pool, t->threads, error) || load_images(t, list, error)) return -1;
    e->augmented = t->augmented;
    e->statistics = t->statistics;
    e->rates = meta_learned_rates(t->rates);
    if (meta_test_answers_load(&t->answers, e, t->dataset, t->data, t->pool, error)) return -1;
    struct meta_evaluation_parts parts = { t->model, t->backend, t->pool, t->dataset, t->ranks };
    return meta_evaluator_create(&t->evaluator, &parts, e, error);
}

/* Warns of images that training may have seen. */
static void warn_trained(const struct test *t)
{
    const char *train = t->trained_by ? t->trained_by->train : t->data->train;
    int itself = !t->trained_by && !strcmp(t->asked.list, "train");
    if (train && !itself) meta_warn_trained(t->dataset, train, t->pool);
}

static void warn(const struct test *t)
{
    warn_trained(t);
    meta_warn_groupless(t->data, t->dataset);
    if (t->evaluation.method->reads_rates && t->weights_path)
        meta_warn_rates(t->model->inner, t->weights_path);
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_head(const struct test *t)
{
    const struct meta_evaluation *e = &t->evaluation;
    char what[128];
    e->method->describe(t->model, e, what, sizeof what);
    meta_tell_cache(t->dataset);
    if (t->augmented) meta_tell_cache(t->augmented);
    meta_tell_copies(t->dataset);
    meta_tell_depth(t->data, t->dataset);
    meta_temperature_tell(&t->temperature);
    if (t->weights_path) printf("%s on ", t->asked.weights ? t->asked.weights : t->weights_path);
    printf("%s: %d task%s of %d classes, %d shot%s, %d queries a class, %s, seed %llu",
           t->dataset->list, e->runs, meta_plural(e->runs), e->episode.ways, e->episode.shots,
           meta_plural(e->episode.shots), e->episode.queries, what, (unsigned long long)e->seed);
    if (e->temperature != 0) printf(", temperature %.4g", e->temperature);
    if (e->with_count) printf(", averaged with %s", t->asked.with);
    if (e->temper) printf(", temperatures %s", t->asked.temper);
    printf("\n\n");
    fflush(stdout);
}

/* ---- the verb -------------------------------------------------------------------------------- */

/* What there is of the results before the tasks are run. */
static struct meta_results results_of(const struct test *t)
{
    return (struct meta_results){ .data = t->data_path,
                                  .cfg = t->cfg_path,
                                  .weights = t->weights_path,
                                  .more_weights = t->more.paths.words,
                                  .with = t->answers.with.words,
                                  .temperature = t->temperature.temperature != 0
                                      ? t->temperature.path
                                      : NULL,
                                  .list_name = t->asked.list,
                                  .backend = t->backend->name,
                                  .model = t->model,
                                  .dataset = t->dataset,
                                  .evaluation = &t->evaluation };
}

/* Fails on all ranks where they are to test different things. */
static int compare_ranks(const struct test *t, struct meta_error *error)
{
    const struct meta_results results = results_of(t);
    const char *instructions = t->backend->instructions ? t->backend->instructions() : "";
    if (!meta_transport_many(t->ranks)) return 0;
    return meta_test_ranks(t->ranks, &results, instructions, error);
}

static void watch(void *runs, int done) { meta_print_bar(done, *(const int *)runs); }

static int run(struct test *t, struct meta_error *error)
{
    struct meta_evaluation *e = &t->evaluation;
    const struct meta_run *runs = meta_evaluator_run(t->evaluator, t->phi, watch, &e->runs);
    meta_clear_bar();
    if (meta_evaluator_status(t->evaluator, error)
        || meta_evaluator_groups(&t->groups, t->evaluator, error))
        return -1;
    struct meta_estimate after = meta_estimate_share(&runs->auc_after, sizeof *runs, e->runs);
    struct meta_results results = results_of(t);
    results.groups = &t->groups;
    results.runs = runs;
    if (meta_by_group_estimate(&results.other_groups, after, &t->groups, error)) return -1;
    results.other_groups = meta_estimate_within(results.other_groups, 0, 1);
    if (meta_calibration_estimate(&results.ece, &runs->calibration, sizeof *runs, e->runs, error))
        return -1;
    /* what can be printed is, whether or not the file can be written */
    if (meta_print_results(&results, error)) return -1;
    if (t->ranks->rank) return 0;
    struct meta_error other; /* one that can't be written keeps none of the other */
    int failed = t->asked.out && meta_results_write(&results, t->asked.out, error),
        also = meta_test_answers_write(&t->answers, runs, e, t->dataset, failed ? &other : error);
    int untold = meta_test_answers_tell(&t->answers, runs, e, failed || also ? &other : error);
    return failed || also || untold ? -1 : 0;
}

int meta_command_test(int argc, char **argv)
{
    struct test t = { 0 };
    struct meta_error error;
    struct rusage usage;
    char time[64];
    int words = meta_test_request_read(&t.asked, argc, argv);
    if (meta_ranks_open(&t.ranks, &t.asked.ranks)) return 1;
    double begun = meta_now();
    t.data_path = argv[0];
    t.cfg_path = argv[1];
    t.weights_path = words > 2 ? argv[2] : NULL;
    int failed = meta_transport_share_status(t.ranks, prepare(&t, &error), &error)
        || meta_test_answers_share(t.ranks, &t.evaluation, &error)
        || meta_transport_in_turn(t.ranks, load, &t, &error) || compare_ranks(&t, &error);
    if (!failed) {
        if (meta_ranks_warns(t.ranks)) warn(&t);
        print_head(&t);
        failed = run(&t, &error);
    }
    free_test(&t);
    if (failed) meta_ranks_complain(t.ranks, &error);
    if (meta_ranks_close(t.ranks, meta_ranks_meet(t.ranks, failed ? 1 : 0))) return 1;
    getrusage(RUSAGE_SELF, &usage);
    meta_format_time(time, sizeof time, meta_now() - begun);
    printf("\n%s, %ld MB of memory at most\n", time, usage.ru_maxrss / 1024);
    return 0;
}
