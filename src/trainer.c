#define _GNU_SOURCE
#include "trainer.h"
#include "clock.h"
#include "file.h"
#include "fingerprint.h"
#include "policy.h"
#include "weights.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_path(char **path, const char *folder, const char *prefix, const char *name, const char *suffix, struct meta_error *error)
{
    if (asprintf(path, "%s/%s%s%s", folder, prefix, name, suffix) >= 0) return 0;
    *path = NULL;
    return meta_fail(error, "out of memory");
}

static int name_files(struct meta_trainer *t, struct meta_error *error)
{
    const char *name = t->model->name;
    t->folder = strdup(t->data->backup ? t->data->backup : "backup");
    if (!t->folder) return meta_fail(error, "out of memory");
    for (size_t n = strlen(t->folder); n > 1 && t->folder[n - 1] == '/'; ) t->folder[--n] = 0;
    return make_path(&t->state_path, t->folder, "", name, ".state", error)
        || make_path(&t->backup_path, t->folder, "", name, ".backup", error)
        || make_path(&t->final_path, t->folder, "", name, "_final.weights", error)
        || make_path(&t->log_path, t->folder, "", name, ".csv", error)
        || make_path(&t->chart_path, t->folder, "chart_", name, ".png", error) ? -1 : 0;
}

static int check_folder(const struct meta_trainer *t, struct meta_error *error)
{
    struct stat info;
    if (mkdir(t->folder, 0777) && errno != EEXIST)
        return meta_fail(error, "%s: backup=%s: can't make the folder: %s", t->data->path, t->folder, strerror(errno));
    if (stat(t->folder, &info) || !S_ISDIR(info.st_mode))
        return meta_fail(error, "%s: backup=%s: is not a folder", t->data->path, t->folder);
    if (access(t->folder, W_OK | X_OK))
        return meta_fail(error, "%s: backup=%s: can't write there: %s", t->data->path, t->folder, strerror(errno));
    return 0;
}

static int load_lists(struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_net_settings *net = &t->model->net;
    struct meta_shape in = t->model->network->input;
    const struct meta_training *s = &t->settings;
    if (meta_dataset_load(&t->train, t->data, t->data->train, in.w, in.h, in.c, net->max_crop, t->pool, error)) return -1;
    if (meta_sampler_create(&t->sampler, t->train, t->model->episode, error)) return -1;
    if (!s->valid_every || !t->data->valid) return 0;
    struct meta_evaluation e = { .episode = *t->model->episode, .steps = t->model->inner->test_steps, .learning_rate = t->model->inner->learning_rate,
                                 .runs = s->valid_runs, .seed = s->seed };
    if (meta_dataset_load(&t->valid, t->data, t->data->valid, in.w, in.h, in.c, 0, t->pool, error)) return -1;
    return meta_evaluator_create(&t->evaluator, t->model, s->backend, t->pool, t->valid, &e, error);
}

/* From the iteration that the weights are at; a checkpoint replaces it. */
static int open_curriculum(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_error why;
    const struct meta_episode_settings *e = t->model->episode;
    if (e->sampler != META_CURRICULUM) return 0;
    if (!meta_curriculum_create(&t->curriculum, meta_sampler_classes(t->sampler), e, t->settings.seed, t->seen / t->images + 1, &why)) return 0;
    return meta_fail(error, "%s: [episode] %.400s", t->model->path, why.text);
}

/* From the checkpoint, from a .weights file, or from Darknet's initial weights. */
static int start(struct meta_trainer *t, const struct meta_checkpoint *c, struct meta_error *error)
{
    const struct meta_network *net = t->model->network;
    const struct meta_training *s = &t->settings;
    if (s->resume) {
        struct meta_error why;
        if (meta_fingerprint_compare(c->settings, t->fingerprint, &why))
            return meta_fail(error, "%s: can't resume: %.300s", t->state_path, why.text);
        if (c->state_size != t->state_size)
            return meta_fail(error, "%s: can't resume: its %zu bytes of state are not this network's %zu", t->state_path,
                             c->state_size, t->state_size);
        if (c->iteration > t->total)
            return meta_fail(error, "%s: is at iteration %llu, past max_batches=%llu", t->state_path,
                             (unsigned long long)c->iteration, (unsigned long long)t->total);
        meta_outer_load(t->outer, c->state);
        if (t->curriculum && meta_curriculum_load(t->curriculum, (const char *)c->state + meta_outer_bytes(t->outer), &why))
            return meta_fail(error, "%s: can't resume: %.300s", t->state_path, why.text);
        t->done = c->iteration;
        t->seen = c->seen;
        return 0;
    }
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

static int open_parts(struct meta_trainer *t, struct meta_checkpoint *c, struct meta_error *error)
{
    const struct meta_training *s = &t->settings;
    if (meta_model_load(&t->model, s->cfg, error) || meta_data_read(&t->data, s->data, error)) return -1;
    const struct meta_network *net = t->model->network;
    const struct meta_episode_settings *e = t->model->episode;
    if (!t->data->train) return meta_fail(error, "%s: has no train=: training needs a list of images", s->data);
    if (s->valid_asked && s->valid_every && !t->data->valid)
        return meta_fail(error, "%s: has no valid=, which -valid_every needs", s->data);
    if (s->max_batches) t->model->net.max_batches = s->max_batches;
    t->total = t->model->net.max_batches;
    t->images = (uint64_t)e->tasks * e->ways * (e->shots + e->queries);
    t->parameters = calloc(net->parameters + 1, sizeof *t->parameters);
    t->statistics = calloc(net->statistics + 1, sizeof *t->statistics);
    t->batches = calloc(e->tasks, sizeof *t->batches);
    if (!t->parameters || !t->statistics || !t->batches) return meta_fail(error, "out of memory for %zu parameters", net->parameters);
    if (name_files(t, error)) return -1;
    if (s->resume && meta_checkpoint_read(c, t->state_path, error)) return -1;
    if (s->weights && meta_weights_read(net, s->weights, t->parameters, t->statistics, &t->seen, error)) return -1;
    if (s->clear) t->seen = 0;
    if (meta_pool_create(&t->pool, s->threads, error)) return -1;
    if (meta_pool_create(&t->task_pool, s->threads < e->tasks ? s->threads : e->tasks, error)) return -1;
    if (meta_outer_create(&t->outer, t->model, s->backend, t->task_pool, s->seed, error)) return -1;
    if (load_lists(t, error) || open_curriculum(t, error)) return -1;
    t->state_size = meta_outer_bytes(t->outer) + (t->curriculum ? meta_curriculum_bytes(t->curriculum) : 0);
    t->state = calloc(1, t->state_size);
    if (!t->state) return meta_fail(error, "out of memory for the checkpoint");
    if (meta_fingerprint(&t->fingerprint, t->model, s->backend, s->seed, t->train, t->pool, error)) return -1;
    if (start(t, c, error)) return -1;
    int loaders = (s->threads + 1) / 2;
    if (meta_stream_create(&t->stream, t->sampler, t->train, e, &t->model->net, 1, s->seed, t->done + 1, e->tasks, 3 * e->tasks,
                           loaders, error)) return -1;
    for (int i = 1; t->curriculum && i <= META_CURRICULUM_LAG; i++)
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, t->done + i));
    if (check_folder(t, error)) return -1;
    if (meta_log_open(&t->log, t->log_path, t->done, t->total - t->done, error)) return -1;
    /* under the log's lock: what a killed run left */
    const char *written[] = { t->state_path, t->backup_path, t->final_path, t->chart_path };
    for (int i = 0; i < 4; i++) meta_checkpoint_sweep(written[i]);
    return 0;
}

int meta_trainer_open(struct meta_trainer **out, const struct meta_training *settings, struct meta_error *error)
{
    struct meta_checkpoint checkpoint = {0};
    struct meta_trainer *t = calloc(1, sizeof *t);
    if (!t) return meta_fail(error, "out of memory");
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
    *row = (struct meta_row){ .iteration = t->done + 1, .auc = NAN, .low = NAN, .high = NAN };
    row->waited = meta_stream_next(t->stream, t->batches);
    row->rate = meta_policy_rate(&t->model->net, row->iteration);
    if (meta_outer_step(t->outer, t->batches, row->iteration, row->rate, &r, error)) return -1;
    if (t->curriculum) {
        meta_curriculum_learn(t->curriculum, meta_outer_auc(t->outer));
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, row->iteration + META_CURRICULUM_LAG));
    }
    row->meta_loss = r.meta_loss;
    row->query_loss = r.query_loss;
    row->accuracy = r.accuracy;
    row->seconds = meta_now() - begun;
    t->waited += row->waited;
    t->done++;
    t->seen += t->images;
    return 0;
}

int meta_trainer_save_weights(struct meta_trainer *t, const char *path, struct meta_error *error)
{
    meta_outer_download(t->outer, t->parameters, t->statistics);
    return meta_weights_write(t->model->network, path, t->parameters, t->statistics, t->seen, error);
}

int meta_trainer_save(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_checkpoint c = { .iteration = t->done, .seen = t->seen, .settings = t->fingerprint,
                                 .state = t->state, .state_size = t->state_size };
    meta_log_sync(&t->log);
    meta_outer_save(t->outer, t->state);
    if (t->curriculum) meta_curriculum_save(t->curriculum, (char *)t->state + meta_outer_bytes(t->outer));
    if (meta_checkpoint_write(t->state_path, &c, error)) return -1;
    return meta_trainer_save_weights(t, t->backup_path, error);
}
