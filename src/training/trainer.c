#define _GNU_SOURCE
#include "trainer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "fingerprint.h"
#include "learning/policy.h"
#include "learning/weigh.h"
#include "run_file.h"
#include "network/weights.h"
#include "base/plural.h"
#include "stats/estimate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int name_files(struct meta_trainer *t, struct meta_error *error)
{
    const char *name = t->model->name;
    t->folder = strdup(t->data->backup ? t->data->backup : "backup");
    if (!t->folder) return meta_fail_memory(error);
    meta_path_trim(t->folder);
    return meta_run_file(&t->state_path, META_RUN_STATE, t->folder, name, error)
        || meta_run_file(&t->backup_path, META_RUN_BACKUP, t->folder, name, error)
        || meta_run_file(&t->final_path, META_RUN_FINAL, t->folder, name, error)
        || meta_run_file(&t->log_path, META_RUN_LOG, t->folder, name, error)
        || meta_run_file(&t->chart_path, META_RUN_CHART, t->folder, name, error) ? -1 : 0;
}

static int check_folder(const struct meta_trainer *t, struct meta_error *error)
{
    struct stat info;
    int failed = meta_path_make_folder(t->folder, error);
    if (failed) return meta_data_blame(t->data, t->data->backup, error);
    if ((failed = stat(t->folder, &info) || !S_ISDIR(info.st_mode))) meta_fail(error, "%s: is not a folder", t->folder);
    else if ((failed = access(t->folder, W_OK | X_OK))) meta_fail(error, "%s: can't write there: %s", t->folder, strerror(errno));
    return failed ? meta_data_blame(t->data, t->data->backup, error) : 0;
}

static int of_images(const struct meta_trainer *t) { return t->settings.kind == META_RUN_IMAGES; }

/* The classes that the training list has images of are the network's outputs, in the .data file's order. */
static int number_outputs(struct meta_trainer *t, struct meta_error *error)
{
    int count = 0, outputs = meta_network_outputs(t->model->network);
    if (!(t->outputs = malloc(t->train->classes * sizeof *t->outputs))) return meta_fail_memory(error);
    for (int k = 0; k < t->train->classes; k++) t->outputs[k] = -1;
    for (int i = 0; i < t->train->count; i++) t->outputs[t->train->label[i]] = 0;
    for (int k = 0; k < t->train->classes; k++)
        if (!t->outputs[k]) t->outputs[k] = count++;
    if (count == outputs) return 0;
    return meta_fail(error, "%s:%d: [softmax]: gives %d probabilities, but %s has images of %d class%s: must be equal", t->model->path,
                     t->model->network->layers[t->model->network->count - 1].line, outputs, t->train->list, count, meta_plural_es(count));
}

/* A valid list of other classes, to watch meta-training by, is of no use to supervised training: it is an error only when asked for. */
static int valid_has_outputs(const struct meta_trainer *t)
{
    for (int i = 0; i < t->valid->count; i++)
        if (t->outputs[t->valid->label[i]] >= 0) return 1;
    return 0;
}

static int load_lists(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_net_settings *net = &t->model->net;
    struct meta_shape in = t->model->network->input;
    const struct meta_training *s = &t->settings;
    if (meta_dataset_load(&t->train, t->data, t->data->train, in.w, in.h, in.c, net->max_crop, t->pool, error)) return -1;
    if (of_images(t) ? number_outputs(t, error) : meta_sampler_create(&t->sampler, t->train, t->model->episode, error)) return -1;
    if (!s->valid_every || !t->data->valid) return 0;
    if (meta_dataset_load(&t->valid, t->data, t->data->valid, in.w, in.h, in.c, 0, t->pool, error)) return -1;
    struct meta_evaluation_parts parts = { t->model, s->backend, t->pool, t->valid };
    if (of_images(t)) {
        if (!s->valid_asked && !valid_has_outputs(t)) return 0;
        return meta_holdout_create(&t->holdout, &parts, t->outputs, error);
    }
    struct meta_evaluation e = { .episode = *t->model->episode, .runs = s->valid_runs, .seed = s->seed };
    return meta_evaluator_create(&t->evaluator, &parts, &e, error);
}

/* Tasks, or the parts of mini-batches, made ahead of use: three iterations. */
static int open_stream(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training *s = &t->settings;
    const struct meta_net_settings *net = &t->model->net;
    int loaders = META_LOADERS(s->threads), ahead = META_AHEAD * t->tasks;
    uint64_t first = t->done + 1;
    if (of_images(t))
        return meta_stream_create_images(&t->stream, t->train, t->outputs, net, s->seed, first, t->tasks, net->batch / t->tasks, ahead, loaders,
                                         error);
    return meta_stream_create(&t->stream, t->sampler, t->train, t->model->episode, net, 1, s->seed, first, t->tasks, ahead, loaders, error);
}

/* From the iteration that the weights are at; a checkpoint replaces it. */
static int open_curriculum(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_error why;
    const struct meta_episode_settings *e = t->model->episode;
    if (of_images(t) || e->sampler != META_CURRICULUM) return 0;
    if (!meta_curriculum_create(&t->curriculum, meta_sampler_classes(t->sampler), e, t->settings.seed, t->seen / t->images + 1, &why)) return 0;
    return meta_fail(error, "%s:%d: [episode] %.400s", t->model->path, t->model->episode_line, why.text);
}

static const char *state_to_read(const struct meta_trainer *t) { return t->settings.fork ? t->settings.fork : t->state_path; }

/* Whether a run of our own would have come to this checkpoint: both runs took every task alike so far. */
static int check_fork(const struct meta_trainer *t, const struct meta_checkpoint *c, struct meta_error *error)
{
    const struct meta_model *m = t->model;
    if (meta_fingerprint_compare_unweighed(c->settings, t->fingerprint, error)) return -1;
    if (c->weighed)
        return meta_fail(error, "its [meta_loss] weighs tasks since iteration %llu: allowed: a checkpoint from before", (unsigned long long)c->weighed);
    if (meta_weighs(m, c->iteration))
        return meta_fail(error, "it is at iteration %llu, and [meta_loss] of %s weighs tasks by then: allowed: an earlier checkpoint",
                         (unsigned long long)c->iteration, m->path);
    return 0;
}

static int load_checkpoint(struct meta_trainer *t, const struct meta_checkpoint *c, struct meta_error *error)
{
    const char *path = state_to_read(t), *what = t->settings.fork ? "fork" : "resume";
    struct meta_error why;
    if (t->settings.fork ? check_fork(t, c, &why) : meta_fingerprint_compare(c->settings, t->fingerprint, &why))
        return meta_fail(error, "%s: can't %s: %.300s", path, what, why.text);
    if (c->state_size != t->state_size)
        return meta_fail(error, "%s: can't %s: its %zu bytes of state are not this network's %zu", path, what, c->state_size, t->state_size);
    if (c->iteration > t->total)
        return meta_fail(error, "%s: is at iteration %llu, past max_batches=%llu", path, (unsigned long long)c->iteration,
                         (unsigned long long)t->total);
    meta_outer_load(t->outer, c->state);
    if (t->curriculum && meta_curriculum_load(t->curriculum, (const char *)c->state + meta_outer_bytes(t->outer), &why))
        return meta_fail(error, "%s: can't %s: %.300s", path, what, why.text);
    meta_fingerprint_moved(c->settings, t->fingerprint, t->was, t->is);
    t->done = c->iteration;
    t->seen = c->seen;
    t->weighed = c->weighed;
    return 0;
}

/* From a checkpoint, from a .weights file, or from Darknet's initial weights. */
static int start(struct meta_trainer *t, const struct meta_checkpoint *c, struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    const struct meta_training *s = &t->settings;
    if (s->resume || s->fork) return load_checkpoint(t, c, error);
    if (s->weights) {
        t->done = t->seen / t->images;
        if (t->done >= t->total)
            return meta_fail(error, "%s: has seen %llu images, iteration %llu of %llu: nothing is left to train; allowed: -clear to "
                             "count from 0, or a larger -max_batches", s->weights, (unsigned long long)t->seen,
                             (unsigned long long)t->done, (unsigned long long)t->total);
    } else meta_network_initialise(net, s->seed, t->parameters, t->statistics);
    meta_outer_upload(t->outer, t->parameters, t->statistics);
    return 0;
}

/* PATH.old; the caller frees. NULL: no memory, which is said. */
static char *old_name(const char *path, struct meta_error *error)
{
    char *old;
    if (asprintf(&old, "%s.old", path) >= 0) return old;
    meta_fail_memory(error);
    return NULL;
}

/* A copy: the log itself is locked. */
static int copy_log(const struct meta_trainer *t, const char *to, struct meta_error *error)
{
    struct meta_chunk whole = {0};
    char *data;
    if (meta_file_read(t->log_path, &data, &whole.size, error)) return -1;
    whole.data = data;
    int status = meta_file_write(to, &whole, 1, error);
    free(data);
    return status;
}

/* The iteration of a checkpoint, from 1; of one that can't be read, 1; 0: there is none. */
static uint64_t iteration_of(const char *path)
{
    struct meta_checkpoint c;
    struct meta_error ignored;
    if (access(path, F_OK)) return 0;
    if (meta_checkpoint_read(&c, path, &ignored)) return 1;
    uint64_t iteration = c.iteration;
    meta_checkpoint_free(&c);
    return iteration ? iteration : 1;
}

/* A run that is begun where one of its name has been does not cost that one's checkpoint and log, unless a longer one is kept already. Before
   the new log is begun: copies the old one, and says what the checkpoint will be called, NULL: it stays. The caller frees *to. */
static int set_aside(struct meta_trainer *t, char **to, struct meta_error *error)
{
    struct stat kept, log;
    int rows, status = -1;
    *to = NULL;
    if (t->settings.resume) return 0;
    if (meta_log_own(&t->log, &rows, error)) return -1;
    uint64_t there = iteration_of(t->state_path), before;
    char *old = old_name(t->state_path, error), *old_log = old_name(t->log_path, error);
    if (!old || !old_log) goto done;
    /* one that left nothing but a log came to nothing */
    rows = rows && (!access(t->backup_path, F_OK) || !access(t->final_path, F_OK));
    before = iteration_of(old);
    int longer = before ? before < there : (there || rows) && (stat(old_log, &kept) || stat(t->log_path, &log) || kept.st_size < log.st_size);
    if (longer && copy_log(t, old_log, error)) goto done;
    if (longer && there) {
        t->aside = there;
        *to = old;
        old = NULL;
    }
    status = 0;
done:
    free(old);
    free(old_log);
    return status;
}

/* A fork's begins with that of the run it comes from, where it lies beside the checkpoint. Under the log's lock: what runs before left. */
static int open_log(struct meta_trainer *t, struct meta_error *error)
{
    char *other = NULL, *numbered = NULL, *old = NULL;
    const char *written[] = { t->state_path, t->backup_path, t->final_path, t->chart_path };
    if (t->settings.fork && meta_run_log_of(&other, t->settings.fork, error)) return -1;
    int status = meta_run_numbered(&numbered, t->folder, t->model->name, 0, error)
              || meta_log_open(&t->log, t->settings.kind, t->log_path, error) || set_aside(t, &old, error) ? -1 : 0;
    for (int i = 0; !status && i < 4; i++) meta_checkpoint_sweep(written[i], NULL);
    if (!status) meta_checkpoint_sweep(numbered, META_RUN_NUMBERED);
    if (!status) status = meta_log_begin(&t->log, t->settings.fork ? other : t->log_path, t->done, t->total - t->done, error);
    if (!status && old && rename(t->state_path, old))
        status = meta_fail(error, "%s: can't rename to %s: %s", t->state_path, old, strerror(errno));
    free(numbered);
    free(other);
    free(old);
    return status;
}

static int open_parts(struct meta_trainer *t, struct meta_checkpoint *c, struct meta_error *error)
{
    const struct meta_training *s = &t->settings;
    if (meta_model_load_for(&t->model, s->cfg, of_images(t) ? META_FOR_IMAGES : META_FOR_TASKS, error)
        || meta_data_read(&t->data, s->data, error)) return -1;
    const struct meta_network *net = t->model->network;
    const struct meta_episode_settings *e = t->model->episode;
    if (!t->data->train) return meta_fail(error, "%s: has no train=: training needs a list of images", s->data);
    if (s->valid_asked && s->valid_every && !t->data->valid)
        return meta_fail(error, "%s: has no valid=, which -valid_every needs", s->data);
    if (s->max_batches) t->model->net.max_batches = s->max_batches;
    t->total = t->model->net.max_batches;
    if (!t->total)
        return meta_fail(error, "%s:%d: [net] max_batches: is 0 or not there: must be at least 1, here or as -max_batches", t->model->path,
                         t->model->net_line);
    t->tasks = of_images(t) ? t->model->net.subdivisions : e->tasks;
    t->images = of_images(t) ? (uint64_t)t->model->net.batch : (uint64_t)e->tasks * e->ways * (e->shots + e->queries);
    t->parameters = calloc(net->parameters + 1, sizeof *t->parameters);
    t->statistics = calloc(net->statistics + 1, sizeof *t->statistics);
    t->batches = calloc(t->tasks, sizeof *t->batches);
    if (!t->parameters || !t->statistics || !t->batches) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (name_files(t, error)) return -1;
    if ((s->resume || s->fork) && meta_checkpoint_read(c, state_to_read(t), error)) return -1;
    if (s->weights && meta_weights_read(net, s->weights, t->parameters, t->statistics, &t->seen, error)) return -1;
    if (s->clear) t->seen = 0;
    if (meta_pool_create(&t->pool, s->threads, error)) return -1;
    if (meta_pool_create(&t->task_pool, s->threads < t->tasks ? s->threads : t->tasks, error)) return -1;
    if (meta_outer_create(&t->outer, t->model, s->backend, t->task_pool, s->seed, error)) return -1;
    if (load_lists(t, error) || open_curriculum(t, error)) return -1;
    t->state_size = meta_outer_bytes(t->outer) + (t->curriculum ? meta_curriculum_bytes(t->curriculum) : 0);
    t->state = calloc(1, t->state_size);
    if (!t->state) return meta_fail(error, "out of memory for the checkpoint");
    if (meta_fingerprint(&t->fingerprint, t->model, s->backend, s->seed, t->train, t->pool, error)) return -1;
    if (start(t, c, error) || open_stream(t, error)) return -1;
    for (int i = 1; t->curriculum && i <= META_CURRICULUM_LAG; i++)
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, t->done + i));
    if (check_folder(t, error)) return -1;
    return open_log(t, error);
}

int meta_trainer_open(struct meta_trainer **out, const struct meta_training *settings, struct meta_error *error)
{
    struct meta_checkpoint checkpoint = {0};
    struct meta_trainer *t = calloc(1, sizeof *t);
    if (!t) return meta_fail_memory(error);
    t->settings = *settings;
    t->log.fd = -1;
    int status = open_parts(t, &checkpoint, error);
    meta_checkpoint_free(&checkpoint);
    if (status) meta_trainer_free(t);
    else *out = t;
    return status;
}

void meta_trainer_free(struct meta_trainer *t)
{
    if (!t) return;
    meta_stream_free(t->stream);
    meta_evaluator_free(t->evaluator);
    meta_holdout_free(t->holdout);
    meta_outer_free(t->outer);
    meta_curriculum_free(t->curriculum);
    meta_sampler_free(t->sampler);
    meta_dataset_free(t->valid);
    meta_dataset_free(t->train);
    meta_pool_free(t->task_pool);
    meta_pool_free(t->pool);
    meta_data_free(t->data);
    meta_model_free(t->model);
    meta_log_close(&t->log);
    free(t->batches);
    free(t->outputs);
    free(t->folder);
    free(t->state_path);
    free(t->backup_path);
    free(t->final_path);
    free(t->log_path);
    free(t->chart_path);
    free(t->fingerprint);
    free(t->state);
    free(t->parameters);
    free(t->statistics);
    free(t);
}

int meta_trainer_step(struct meta_trainer *t, struct meta_row *row, struct meta_error *error)
{
    struct meta_outer_result r;
    double begun = meta_now();
    *row = (struct meta_row){ .iteration = t->done + 1, .auc = NAN, .low = NAN, .high = NAN, .valid_loss = NAN };
    row->waited = meta_stream_next(t->stream, t->batches);
    row->rate = meta_policy_rate(&t->model->net, row->iteration);
    if (meta_outer_step(t->outer, t->batches, row->iteration, row->rate, &r, error)) return -1;
    if (t->curriculum) {
        meta_curriculum_learn(t->curriculum, meta_outer_auc(t->outer));
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, row->iteration + META_CURRICULUM_LAG));
    }
    if (r.weighed && !t->weighed) t->weighed = row->iteration;
    row->meta_loss = r.meta_loss;
    row->query_loss = r.query_loss;
    row->accuracy = r.accuracy;
    row->seconds = meta_now() - begun;
    t->waited += row->waited;
    t->done++;
    t->seen += t->images;
    return 0;
}

int meta_trainer_watches(const struct meta_trainer *t) { return t->evaluator || t->holdout; }

int meta_trainer_valid_steps(const struct meta_trainer *t)
{
    return t->holdout ? meta_holdout_images(t->holdout) : t->settings.valid_runs;
}

struct meta_estimate meta_trainer_watch(struct meta_trainer *t, struct meta_row *row, void (*progress)(void *, int), void *context)
{
    struct meta_estimate e;
    const void *phi = meta_outer_parameters(t->outer);
    if (t->holdout) {
        meta_outer_download(t->outer, t->parameters, t->statistics);
        struct meta_holdout_result r = meta_holdout_run(t->holdout, phi, t->statistics, progress, context);
        row->valid_loss = r.loss;
        e = r.accuracy;
    } else {
        const struct meta_run *runs = meta_evaluator_run(t->evaluator, phi, progress, context);
        e = meta_estimate(&runs->auc_after, sizeof *runs, t->settings.valid_runs);
    }
    row->auc = e.mean;
    row->low = e.low;
    row->high = e.high;
    return e;
}

int meta_trainer_save_weights(struct meta_trainer *t, const char *path, struct meta_error *error)
{
    meta_outer_download(t->outer, t->parameters, t->statistics);
    return meta_weights_write(t->model->network, path, t->parameters, t->statistics, t->seen, error);
}

int meta_trainer_save(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_checkpoint c = { .iteration = t->done, .seen = t->seen, .weighed = t->weighed, .settings = t->fingerprint,
                                 .state = t->state, .state_size = t->state_size };
    meta_log_sync(&t->log);
    meta_outer_save(t->outer, t->state);
    if (t->curriculum) meta_curriculum_save(t->curriculum, (char *)t->state + meta_outer_bytes(t->outer));
    if (meta_checkpoint_write(t->state_path, &c, error)) return -1;
    return meta_trainer_save_weights(t, t->backup_path, error);
}
