/* Runs a training's iterations, looks at the valid list, and answers what others ask of it. */
#include "trainer_internal.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "learning/policy.h"
#include "network/rolling.h"

int meta_trainer_writes(const struct meta_trainer *t)
{
    return !t->settings.transport || !t->settings.transport->rank || meta_trainer_federated(t);
}

/* Moves everything that a checkpoint holds by one iteration; the caller holds the lock. */
static int update(struct meta_trainer *t, struct meta_outer_result *r, double rate,
                  struct meta_error *error)
{
    if (meta_outer_update(t->outer, rate, r, error)) {
        struct meta_transport *ranks = t->settings.transport;
        t->broken = 1;
        /* where all ranks have the same, they fail alike */
        if (ranks && ranks->rank && meta_outer_known(t->outer) == t->tasks) ranks->hushed = 1;
        return -1;
    }
    t->done++;
    t->seen += t->images;
    t->updates = meta_rolling_add(t->updates, (uint32_t)meta_outer_known(t->outer));
    if (t->average && !meta_trainer_averages(t)) meta_trainer_add_to_average(t);
    if (r->weighed && !t->weighed) t->weighed = t->done;
    if (!t->curriculum) return 0;
    meta_curriculum_learn(t->curriculum, meta_outer_auc(t->outer));
    meta_stream_choose(t->stream,
                       meta_curriculum_classes(t->curriculum, t->done + META_CURRICULUM_LAG));
    return 0;
}

static void add_row(struct meta_trainer *t, const struct meta_row *row)
{
    struct meta_error error;
    if (!meta_trainer_writes(t)) return;
    int failed = t->lines.path && meta_log_add(&t->lines, row, &error);
    if (!meta_log_add(&t->log, row, &error) && !failed) return;
    t->log_failed = 1;
    t->log_error = error;
}

int meta_trainer_step(struct meta_trainer *t, struct meta_row *row, struct meta_error *error)
{
    struct meta_outer_result r;
    if (meta_lock_keep(&t->running, error)) {
        t->broken = 1;
        return -1;
    }
    double begun = meta_now();
    *row = (struct meta_row){
        .iteration = t->done + 1, .auc = NAN, .low = NAN, .high = NAN, .valid_loss = NAN
    };
    if (t->sent) meta_sent_iteration(t->sent, row->iteration);
    row->waited = meta_stream_next(t->stream, t->batches);
    row->rate = meta_policy_rate(&t->model->net, row->iteration);
    if (meta_outer_gradient(t->outer, t->batches, row->iteration, &r, error)) {
        t->broken = 1;
        return -1;
    }
    if (r.word) t->asked = r.word;
    row->meta_loss = r.meta_loss;
    row->query_loss = r.query_loss;
    row->accuracy = r.accuracy;
    t->waited += row->waited;
    pthread_mutex_lock(&t->lock);
    int status = update(t, &r, row->rate, error);
    row->seconds = meta_now() - begun;
    if (!status) add_row(t, row);
    pthread_mutex_unlock(&t->lock);
    return status ? status : meta_trainer_catch_up(t, error);
}

int meta_trainer_catch_up(struct meta_trainer *t, struct meta_error *error)
{
    return meta_trainer_averages(t) && t->done ? meta_trainer_meet(t, error) : 0;
}

int meta_trainer_log_failed(struct meta_trainer *t, struct meta_error *error)
{
    int failed = t->log_failed;
    if (failed) *error = t->log_error;
    t->log_failed = 0;
    return failed;
}

int meta_trainer_watches(const struct meta_trainer *t) { return t->evaluator || t->holdout; }

int meta_trainer_valid_due(const struct meta_trainer *t)
{
    return meta_trainer_watches(t)
        && (t->done == t->total || t->done % t->settings.valid_every == 0);
}

int meta_trainer_valid_missed(const struct meta_trainer *t, struct meta_row *row)
{
    if (!meta_trainer_writes(t)) {
        *row = (struct meta_row){ .iteration = t->done };
        return t->valid_missed;
    }
    const struct meta_row *last = t->log.count ? &t->log.rows[t->log.count - 1] : NULL;
    if (!last || last->iteration != t->done || !isnan(last->auc)) return 0;
    *row = *last;
    return meta_trainer_valid_due(t);
}

int meta_trainer_valid_steps(const struct meta_trainer *t)
{
    return t->holdout ? meta_holdout_images(t->holdout) : t->settings.valid_runs;
}

int meta_trainer_watch_status(const struct meta_trainer *t, struct meta_error *error)
{
    if (t->holdout && !meta_trainer_writes(t)) return 0;
    return t->holdout ? meta_holdout_status(t->holdout, error)
                      : meta_evaluator_status(t->evaluator, error);
}

struct meta_estimate meta_trainer_watch(struct meta_trainer *t, struct meta_row *row,
                                        void (*progress)(void *, int), void *context)
{
    struct meta_estimate e = { 0 };
    if (t->holdout && !meta_trainer_writes(t)) return e;
    const void *phi = meta_outer_parameters(t->outer);
    if (t->holdout) {
        size_t n = t->model->network->statistics;
        memcpy(t->watched, meta_outer_statistics(t->outer), n * sizeof *t->watched);
        meta_rolling_correct(t->watched, n, t->updates);
        struct meta_holdout_result r = meta_holdout_run(t->holdout, phi, t->watched, progress,
                                                        context);
        row->valid_loss = r.loss;
        const struct meta_interval *a = &r.accuracy;
        e = (struct meta_estimate){ a->value, a->error, a->low, a->high,
                                    meta_holdout_images(t->holdout) };
    } else {
        const struct meta_run *runs = meta_evaluator_run(t->evaluator, phi, progress, context);
        e = meta_estimate_share(&runs->auc_after, sizeof *runs, t->settings.valid_runs);
    }
    struct meta_error unused;
    if (meta_trainer_watch_status(t, &unused) || !meta_trainer_writes(t)) return e;
    row->auc = e.mean;
    row->low = e.low;
    row->high = e.high;
    meta_trainer_keep_best(t, row);
    pthread_mutex_lock(&t->lock);
    meta_log_amend(&t->log, row);
    if (t->lines.path) meta_log_amend(&t->lines, row);
    pthread_mutex_unlock(&t->lock);
    return e;
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

uint64_t meta_trainer_averaged(const struct meta_trainer *t)
{
    return t->average ? meta_average_count(t->average) : 0;
}

uint64_t meta_trainer_total(const struct meta_trainer *t) { return t->total; }

int meta_trainer_slow_layer(const struct meta_trainer *t, const char **implementation)
{
    return meta_outer_slow_layer(t->outer, implementation);
}

double meta_trainer_waited(const struct meta_trainer *t) { return t->waited; }

int meta_trainer_classes(const struct meta_trainer *t)
{
    return t->sampler ? meta_sampler_classes(t->sampler) : 0;
}

int meta_trainer_layers_read(const struct meta_trainer *t) { return t->layers_read; }

const char *meta_trainer_name(const struct meta_trainer *t) { return t->name; }

const char *meta_trainer_kept(const struct meta_trainer *t, uint64_t *iteration)
{
    *iteration = t->kept_iteration;
    return t->kept;
}

int meta_trainer_instructions_changed(const struct meta_trainer *t, const char **was,
                                      const char **now)
{
    *was = t->was;
    *now = t->now;
    return *t->was != 0;
}
