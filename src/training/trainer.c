/* Runs a training's iterations, looks at the valid list, and answers what others ask of it. */
#include "trainer_internal.h"

#include <math.h>

#include "base/clock.h"
#include "learning/policy.h"
#include "network/rolling.h"

int meta_trainer_step(struct meta_trainer *t, struct meta_row *row, struct meta_error *error)
{
    struct meta_outer_result r;
    double begun = meta_now();
    *row = (struct meta_row){
        .iteration = t->done + 1, .auc = NAN, .low = NAN, .high = NAN, .valid_loss = NAN
    };
    row->waited = meta_stream_next(t->stream, t->batches);
    row->rate = meta_policy_rate(&t->model->net, row->iteration);
    if (meta_outer_step(t->outer, t->batches, row->iteration, row->rate, &r, error)) return -1;
    if (t->curriculum) {
        uint64_t next = row->iteration + META_CURRICULUM_LAG;
        meta_curriculum_learn(t->curriculum, meta_outer_auc(t->outer));
        meta_stream_choose(t->stream, meta_curriculum_classes(t->curriculum, next));
    }
    if (r.weighed && !t->weighed) t->weighed = row->iteration;
    row->meta_loss = r.meta_loss;
    row->query_loss = r.query_loss;
    row->accuracy = r.accuracy;
    row->seconds = meta_now() - begun;
    t->waited += row->waited;
    t->done++;
    t->seen += t->images;
    t->updates = meta_rolling_add(t->updates, t->tasks);
    return 0;
}

int meta_trainer_watches(const struct meta_trainer *t) { return t->evaluator || t->holdout; }

int meta_trainer_valid_due(const struct meta_trainer *t)
{
    return meta_trainer_watches(t)
        && (t->done == t->total || t->done % t->settings.valid_every == 0);
}

int meta_trainer_valid_steps(const struct meta_trainer *t)
{
    return t->holdout ? meta_holdout_images(t->holdout) : t->settings.valid_runs;
}

struct meta_estimate meta_trainer_watch(struct meta_trainer *t, struct meta_row *row,
                                        void (*progress)(void *, int), void *context)
{
    struct meta_estimate e;
    const void *phi = meta_outer_parameters(t->outer);
    if (t->holdout) {
        meta_outer_download(t->outer, t->parameters, t->statistics);
        meta_rolling_correct(t->statistics, t->model->network->statistics, t->updates);
        struct meta_holdout_result r = meta_holdout_run(t->holdout, phi, t->statistics, progress,
                                                        context);
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

int meta_trainer_log(struct meta_trainer *t, const struct meta_row *row, struct meta_error *error)
{
    return meta_log_add(&t->log, row, error);
}

const struct meta_row *meta_trainer_rows(const struct meta_trainer *t, int *count)
{
    *count = t->log.count;
    return t->log.rows;
}

void meta_trainer_download(const struct meta_trainer *t, float *parameters, float *statistics)
{
    meta_outer_download(t->outer, parameters, statistics);
}

const struct meta_training_settings *meta_trainer_settings(const struct meta_trainer *t)
{
    return &t->settings;
}

const struct meta_model *meta_trainer_model(const struct meta_trainer *t) { return t->model; }

const struct meta_data *meta_trainer_data(const struct meta_trainer *t) { return t->data; }

const struct meta_dataset *meta_trainer_train_set(const struct meta_trainer *t) { return t->train; }

const struct meta_dataset *meta_trainer_valid_set(const struct meta_trainer *t) { return t->valid; }

const char *meta_trainer_path(const struct meta_trainer *t, enum meta_training_file file)
{
    return t->path[file];
}

uint64_t meta_trainer_done(const struct meta_trainer *t) { return t->done; }

uint64_t meta_trainer_total(const struct meta_trainer *t) { return t->total; }

double meta_trainer_waited(const struct meta_trainer *t) { return t->waited; }

int meta_trainer_layers_read(const struct meta_trainer *t) { return t->layers_read; }

uint64_t meta_trainer_aside_iteration(const struct meta_trainer *t) { return t->aside; }

int meta_trainer_instructions_changed(const struct meta_trainer *t, const char **was,
                                      const char **now)
{
    *was = t->was;
    *now = t->now;
    return *t->was != 0;
}
