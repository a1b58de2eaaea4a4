/* darknet meta calibrate: learns how sure the answers of adapted weights may be, on tasks of common
   classes that training has not seen, and writes the temperatures beside the weights. */
#define _GNU_SOURCE
#include "config/inner_text.h"
#include "console.h"
#include "base/file.h"
#include "base/plural.h"
#include "evaluation/evaluate.h"
#include "evaluation/inner.h"
#include "evaluation/methods.h"
#include "evaluation/run_temperature.h"
#include "flags.h"
#include "learning/learned_rates.h"
#include "network/temperature_file.h"
#include "network/weights.h"
#include "tasks/episode.h"
#include "tuning_list.h"
#include "usage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_SHOTS 16
#define KINDS 3

/* The flags as they are given, NULL where they are not. */
struct request {
    const char *runs, *shots, *bn, *seed, *threads, *backend, *kernels;
    int overwrite;
};

struct calibration {
    const char *data_path, *cfg_path, *weights_path;
    char *path; /* of what is written */
    int shots[MOST_SHOTS], shots_count;
    int left_out; /* rows that have no temperature */
    enum meta_bn kinds[KINDS];
    int kind_count;
    int threads;
    struct meta_evaluation evaluation; /* of one number of shots and kind of statistics at a time */
    struct meta_model *model;
    struct meta_data *data;
    struct meta_pool *pool;
    struct meta_dataset *dataset;
    const struct meta_backend *backend;
    float *parameters, *statistics;
    struct meta_learned_rates *rates; /* NULL: fixed */
    void *phi;                        /* backend vector */
    struct meta_temperatures result;
};

static void free_calibration(struct calibration *c)
{
    meta_dataset_free(c->dataset);
    meta_pool_free(c->pool);
    if (c->phi) c->backend->release(c->phi);
    meta_learned_free(c->rates);
    free(c->parameters);
    free(c->statistics);
    free(c->path);
    meta_data_free(c->data);
    meta_model_free(c->model);
}

/* ---- flags ----------------------------------------------------------------------------------- */

static void parse(struct request *q, int argc, char **argv)
{
    const struct meta_flag flags[] = {
        { "-runs", "N", "tasks for each temperature (200)", &q->runs, NULL },
        { "-shots", "LIST", "support images a class, a temperature each (1,3,5)", &q->shots, NULL },
        { "-bn", "LIST",
          "batch, support, running: whose statistics normalise query images, a temperature each "
          "(batch,support)",
          &q->bn, NULL },
        { "-overwrite", NULL, "replaces the STEM.temperature that is there", NULL, &q->overwrite },
        { "-seed", "N", "which tasks (1)", &q->seed, NULL },
        { "-threads", "N", "worker threads; the result does not depend on it (the cores)",
          &q->threads, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &q->backend, NULL },
        { "-kernels", "SET", "own or onednn (own): 3x3 convolutions by tiles, or oneDNN's",
          &q->kernels, NULL },
    };
    const struct meta_syntax syntax = { "calibrate DATA CFG WEIGHTS", 3, 3, flags,
                                        sizeof flags / sizeof *flags };
    meta_flags_parse(argc, argv, &syntax);
}

/* The next word of a list with commas, copied into word (size bytes), cut where it is too long; 0:
   there is none. */
static int next_word(const char **list, char *word, size_t size)
{
    size_t n = strcspn(*list, ",");
    if (!n && !**list) return 0;
    snprintf(word, size, "%.*s", (int)n, *list);
    *list += n + ((*list)[n] == ',');
    return 1;
}

static int read_shots(struct calibration *c, const char *list, struct meta_error *error)
{
    char word[32];
    while (next_word(&list, word, sizeof word)) {
        int shots = meta_flag_int("-shots", word, 0, 1, 1000);
        for (int i = 0; i < c->shots_count; i++)
            if (c->shots[i] == shots) return meta_fail(error, "-shots: %d: given twice", shots);
        if (c->shots_count == MOST_SHOTS)
            return meta_fail(error, "-shots: must be at most %d numbers", MOST_SHOTS);
        c->shots[c->shots_count++] = shots;
    }
    return c->shots_count ? 0 : meta_fail(error, "-shots: must be at least one number");
}

static int read_kinds(struct calibration *c, const char *list, struct meta_error *error)
{
    char word[32];
    while (next_word(&list, word, sizeof word)) {
        enum meta_bn kind;
        if (meta_bn_find(&kind, word, error)) return -1;
        for (int i = 0; i < c->kind_count; i++)
            if (c->kinds[i] == kind) return meta_fail(error, "-bn: %s: given twice", word);
        c->kinds[c->kind_count++] = kind;
    }
    return c->kind_count ? 0 : meta_fail(error, "-bn: must be at least one kind");
}

/* ---- what is calibrated --------------------------------------------------------------------- */

/* Whether tasks can be drawn with each number of shots, before any is learned. */
static int check_shots(const struct calibration *c, struct meta_error *error)
{
    struct meta_episode_settings tasks = c->evaluation.episode;
    struct meta_sampler *sampler;
    struct meta_error why;
    for (int i = 0; i < c->shots_count; i++) {
        tasks.shots = c->shots[i];
        if (meta_sampler_create(&sampler, c->dataset, &tasks, &why))
            return meta_fail(error, "-shots %d: %.400s", tasks.shots, why.text);
        meta_sampler_free(sampler);
    }
    return 0;
}

static int check_path(struct calibration *c, int overwrite, struct meta_error *error)
{
    if (!(c->path = meta_temperatures_path(c->weights_path, error))) return -1;
    if (!overwrite && !access(c->path, F_OK))
        return meta_fail(error, "%s: is there already: -overwrite replaces it", c->path);
    return meta_file_check(c->path, error);
}

static int prepare(struct calibration *c, const struct request *q, struct meta_error *error)
{
    struct meta_evaluation *e = &c->evaluation;
    e->runs = meta_flag_int("-runs", q->runs, 200, 2, 1000000);
    e->seed = meta_flag_seed(q->seed, 1);
    c->threads = meta_flag_int("-threads", q->threads, meta_pool_cores(), 1, META_POOL_MOST);
    c->backend = meta_flag_kernels(meta_flag_backend(q->backend, "onednn"), q->kernels);
    if (read_shots(c, q->shots ? q->shots : "1,3,5", error)
        || read_kinds(c, q->bn ? q->bn : "batch,support", error)
        || meta_model_load(&c->model, c->cfg_path, error))
        return -1;
    e->method = meta_method_for(c->model);
    if (!e->method->tempers)
        return meta_fail(error,
                         "%s: its answers, by -method %s, have no temperature: must be a network "
                         "that ends in [softmax]",
                         c->cfg_path, e->method->name);
    e->episode = *c->model->episode;
    e->keep_answers = 1;
    return meta_data_read(&c->data, c->data_path, error) || meta_tuning_list(c->data, error)
            || check_path(c, q->overwrite, error)
        ? -1
        : 0;
}

static int load(struct calibration *c, struct meta_error *error)
{
    const struct meta_network *net = c->model->network;
    struct meta_dataset_source source = { .data = c->data,
                                          .list = c->data->valid,
                                          .width = net->input.w,
                                          .height = net->input.h,
                                          .channels = net->input.c,
                                          .orientation = c->model->net.orientation,
                                          .cache = 1 };
    if (meta_weights_load(net, c->weights_path, &c->parameters, &c->statistics, error)
        || meta_temperatures_digest(&c->result.weights, c->weights_path, error)
        || c->backend->open(error))
        return -1;
    if (meta_learned_load(&c->rates, net, meta_rates_how_of(c->model->inner), c->backend,
                          c->weights_path, error))
        return -1;
    c->evaluation.statistics = c->statistics;
    c->evaluation.rates = meta_learned_rates(c->rates);
    c->phi = c->backend->allocate(net->parameters * c->backend->element);
    if (!c->phi) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    c->backend->upload(c->phi, c->parameters, net->parameters);
    if (meta_pool_create(&c->pool, c->threads, error)
        || meta_dataset_load(&c->dataset, &source, c->pool, error))
        return -1;
    if (c->evaluation.method->reads_rates) meta_warn_rates(c->model->inner, c->weights_path);
    meta_warn_groupless(c->data, c->dataset);
    if (meta_tuning_images(c->dataset, c->data, c->pool, error)) return -1;
    if (c->data->train) meta_warn_trained(c->dataset, c->data->train, c->pool);
    return check_shots(c, error);
}

/* ---- temperatures ---------------------------------------------------------------------------- */

static void watch(void *runs, int done) { meta_print_bar(done, *(const int *)runs); }

/* Adds a row and prints it. */
static void add(struct calibration *c, const struct meta_temperature_fit *found, double ece)
{
    struct meta_temperature_row *row = &c->result.rows[c->result.count++];
    *row = (struct meta_temperature_row){ .shots = c->evaluation.episode.shots,
                                          .temperature = found->temperature,
                                          .low = found->low,
                                          .high = found->high,
                                          .before = found->before,
                                          .after = found->after };
    snprintf(row->statistics, sizeof row->statistics, "%s", meta_bn_name(c->evaluation.bn));
    printf("%-10s   %5d   %11.4f   %7.4f to %7.4f   %10.4f   %9.4f   %10.4f\n", row->statistics,
           row->shots, row->temperature, row->low, row->high, row->before, row->after, ece);
    meta_tell_left_out(found->left_out);
    fflush(stdout);
}

/* Tells of a row that has no temperature. */
static void leave_out(struct calibration *c, const struct meta_error *why)
{
    int shots = c->evaluation.episode.shots;
    c->left_out++;
    fprintf(stderr, "darknet: warning: %d shot%s, %s statistics: is left out: %s\n", shots,
            meta_plural(shots), meta_bn_name(c->evaluation.bn), why->text);
}

/* The temperature of the evaluation's shots and statistics: one row, or none. */
static int learn(struct calibration *c, struct meta_error *error)
{
    const struct meta_evaluation_parts parts = { c->model, c->backend, c->pool, c->dataset, NULL };
    const struct meta_evaluation *e = &c->evaluation;
    struct meta_evaluator *evaluator;
    struct meta_temperature_fit found;
    struct meta_estimate ece;
    if (meta_evaluator_create(&evaluator, &parts, e, error)) return -1;
    const struct meta_run *runs = meta_evaluator_run(evaluator, c->phi, watch,
                                                     (void *)&c->evaluation.runs);
    meta_clear_bar();
    int status = meta_evaluator_status(evaluator, error)
        ? -1
        : meta_run_temperature(&found, runs, e, error);
    if (status > 0) leave_out(c, error);
    else if (!status)
        status = meta_calibration_estimate(&ece, &runs->calibration, sizeof *runs, e->runs, error);
    meta_evaluator_free(evaluator);
    if (!status) add(c, &found, ece.mean);
    return status < 0 ? -1 : 0;
}

static int run(struct calibration *c, struct meta_error *error)
{
    struct meta_evaluation *e = &c->evaluation;
    struct meta_temperatures *r = &c->result;
    char *comment;
    meta_tell_cache(c->dataset);
    const struct meta_inner_settings *inner = c->model->inner;
    char steps[64] = "", rates[META_RATES_WORDS];
    if (!c->model->network->ways)
        snprintf(steps, sizeof steps, "%d step%s at %s, ", inner->test_steps,
                 meta_plural(inner->test_steps),
                 meta_rates_words(rates, inner->rates, inner->learning_rate));
    printf("%s on %s: %d tasks of %d classes for each temperature, %d queries a class, %sseed "
           "%llu\n\n",
           c->weights_path, c->dataset->list, e->runs, e->episode.ways, e->episode.queries, steps,
           (unsigned long long)e->seed);
    printf("statistics   shots   temperature   95%% interval        NLL before   NLL after   ECE "
           "before\n");
    fflush(stdout);
    for (int k = 0; k < c->kind_count; k++)
        for (int i = 0; i < c->shots_count; i++) {
            e->bn = c->kinds[k];
            e->episode.shots = c->shots[i];
            if (learn(c, error)) return -1;
        }
    if (!r->count) return meta_fail(error, "%s: is not written: there is no temperature", c->path);
    r->ways = e->episode.ways;
    r->steps = c->model->inner->test_steps;
    r->learning_rate = c->model->inner->learning_rate;
    meta_inner_text(r->inner, c->model);
    r->tasks = e->runs;
    r->seed = e->seed;
    if (asprintf(&comment, "%s on %s", c->weights_path, c->dataset->list) < 0)
        return meta_fail_memory(error);
    int status = meta_temperatures_write(r, c->path, comment, error);
    free(comment);
    if (status) return -1;
    printf("\nwritten: %s\n", c->path);
    return c->left_out ? meta_fail(error, "%s: lacks %d of the %d temperatures", c->path,
                                   c->left_out, c->left_out + r->count)
                       : 0;
}

int meta_command_calibrate(int argc, char **argv)
{
    struct calibration c = { 0 };
    struct request q = { 0 };
    struct meta_error error;
    parse(&q, argc, argv);
    c.data_path = argv[0];
    c.cfg_path = argv[1];
    c.weights_path = argv[2];
    int failed = prepare(&c, &q, &error) || load(&c, &error) || run(&c, &error);
    free_calibration(&c);
    return failed ? meta_complain(&error) : 0;
}
