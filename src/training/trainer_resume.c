/* Starts a training from Darknet's initial weights, a .weights file or a checkpoint, and saves
   it. */
#include "trainer_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "learning/weigh.h"
#include "learning/rates_file.h"
#include "network/weights.h"

static const char *state_to_read(const struct meta_trainer *t)
{
    return t->settings.fork ? t->settings.fork : t->path[META_TRAINING_STATE];
}

/* Whether a normalised layer is drawn, whose rolling statistics begin at 0. Those of the layers
   that are read then begin there too: one number says how young all of them are. */
static int draws_normalised(const struct meta_trainer *t)
{
    const struct meta_network *net = t->model->network;
    for (int i = t->layers_read; i < net->count; i++)
        if (net->layers[i].mean != META_NONE) return 1;
    return 0;
}

/* Weights that a training starts from may have learned rates beside them; else these begin at
   learning_rate. */
static int read_rates(struct meta_trainer *t, struct meta_error *error)
{
    const char *weights = t->settings.weights;
    for (size_t i = 0; i < t->rate_numbers; i++)
        t->rates[i] = (float)t->model->inner->learning_rate;
    if (!t->rates || !weights || !meta_rates_exist(weights)) return 0;
    free(t->rates);
    return meta_rates_load(t->model->network, meta_rates_how_of(t->model->inner), weights,
                           &t->rates, error);
}

/* Only the state of a site's checkpoint says when sites have met. */
static int check_site(const struct meta_trainer *t, const struct meta_checkpoint *c,
                      struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    if (!meta_trainer_federated(t) || (!s->resume && !s->fork)) return 0;
    if (c->settings && strstr(c->settings, "\n-federated=")) return 0;
    return meta_fail(error, "%s: can't %s: it is no checkpoint of a site, of -federated",
                     state_to_read(t), s->fork ? "fork" : "resume");
}

int meta_trainer_read_start(struct meta_trainer *t, struct meta_checkpoint *c,
                            struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    const struct meta_network *net = t->model->network;
    int federated = meta_trainer_federated(t);
    if (!meta_trainer_writes(t)) return 0;
    if (s->resume && federated
            ? meta_trainer_read_site(t, c, error)
            : (s->resume || s->fork) && meta_checkpoint_read(c, state_to_read(t), error))
        return -1;
    if (check_site(t, c, error)) return -1;
    if (federated && s->transport->rank) return 0; /* rank 0 has what all start from */
    struct meta_weights_head head = { 0 };
    meta_network_initialise(net, s->seed, t->parameters, t->statistics);
    if (s->weights
        && meta_weights_read_first(net, s->weights, t->parameters, t->statistics, &head, error))
        return -1;
    if (read_rates(t, error)) return -1;
    t->seen = s->clear ? 0 : head.seen;
    t->updates = head.updates;
    t->layers_read = head.layers;
    if (s->weights && draws_normalised(t)) {
        memset(t->statistics, 0, net->statistics * sizeof *t->statistics);
        t->updates = 0;
    }
    return 0;
}

/* Whether this training would have come to the checkpoint itself: both weighed every task so far by
   1. */
static int check_fork(const struct meta_trainer *t, const struct meta_checkpoint *c,
                      struct meta_error *error)
{
    const struct meta_model *m = t->model;
    if (meta_fingerprint_compare_unweighed(c->settings, t->fingerprint, error)) return -1;
    if (c->weighed)
        return meta_fail(error,
                         "its [meta_loss] weighs tasks since iteration %llu: allowed: a checkpoint "
                         "from before",
                         (unsigned long long)c->weighed);
    if (meta_weighs(m, c->iteration))
        return meta_fail(error,
                         "it is at iteration %llu, and [meta_loss] of %s weighs tasks by then: "
                         "allowed: an "
                         "earlier checkpoint",
                         (unsigned long long)c->iteration, m->path);
    return 0;
}

/* What t->state begins with. */
static size_t front_bytes(const struct meta_trainer *t)
{
    return meta_trainer_site_bytes(t) + (t->average ? meta_average_bytes(t->average) : 0);
}

size_t meta_trainer_state_bytes(const struct meta_trainer *t)
{
    return front_bytes(t) + meta_outer_bytes(t->outer)
        + (t->curriculum ? meta_curriculum_bytes(t->curriculum) : 0);
}

static int load_checkpoint(struct meta_trainer *t, const struct meta_checkpoint *c,
                           struct meta_error *error)
{
    const char *path = state_to_read(t), *what = t->settings.fork ? "fork" : "resume";
    struct meta_error why;
    if (t->settings.fork ? check_fork(t, c, &why)
                         : meta_fingerprint_compare(c->settings, t->fingerprint, &why))
        return meta_fail(error, "%s: can't %s: %s", path, what, why.text);
    if (c->state_size != t->state_size)
        return meta_fail(error, "%s: can't %s: its %zu bytes of state are not this network's %zu",
                         path, what, c->state_size, t->state_size);
    if (c->iteration > t->total)
        return meta_fail(error, "%s: is at iteration %llu, past max_batches=%llu", path,
                         (unsigned long long)c->iteration, (unsigned long long)t->total);
    const char *state = (const char *)c->state + front_bytes(t), *site = c->state;
    if (t->average) meta_average_load(t->average, site + meta_trainer_site_bytes(t));
    meta_outer_load(t->outer, state);
    if (meta_outer_check(t->outer, &why))
        return meta_fail(error, "%s: can't %s: %s; its training diverged", path, what, why.text);
    const char *curriculum = state + meta_outer_bytes(t->outer);
    if (t->curriculum && meta_curriculum_load(t->curriculum, curriculum, &why))
        return meta_fail(error, "%s: can't %s: %s", path, what, why.text);
    meta_fingerprint_moved(c->settings, t->fingerprint, t->was, t->now);
    if (!t->settings.fork) t->measured = meta_fingerprint_measure(c->settings);
    t->done = c->iteration;
    t->seen = c->seen;
    t->weighed = c->weighed;
    uint64_t updates = c->updates || !c->iteration ? c->updates : META_ROLLING_SETTLED;
    t->updates = updates < META_ROLLING_SETTLED ? (uint32_t)updates : META_ROLLING_SETTLED;
    return 0;
}

int meta_trainer_start(struct meta_trainer *t, const struct meta_checkpoint *c,
                       struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    if (s->resume || s->fork) return load_checkpoint(t, c, error);
    if (s->weights) {
        t->done = t->seen / t->images;
        if (t->done >= t->total)
            return meta_fail(error,
                             "%s: has seen %llu images, iteration %llu of %llu: nothing is left to "
                             "train; "
                             "allowed: -clear to count from 0, or a larger -max_batches",
                             s->weights, (unsigned long long)t->seen, (unsigned long long)t->done,
                             (unsigned long long)t->total);
    }
    meta_outer_upload(t->outer, t->parameters, t->statistics);
    if (t->rates) meta_learned_set(meta_outer_rates(t->outer), t->rates);
    meta_outer_begin(t->outer);
    return 0;
}

static void fill_state(struct meta_trainer *t)
{
    char *at = (char *)t->state + front_bytes(t), *site = t->state;
    meta_trainer_site_save(t);
    if (t->average) meta_average_save(t->average, site + meta_trainer_site_bytes(t));
    meta_outer_save(t->outer, at);
    if (t->curriculum) meta_curriculum_save(t->curriculum, at + meta_outer_bytes(t->outer));
}

/* The caller holds the lock. */
static int save(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_checkpoint c = { .iteration = t->done,
                                 .seen = t->seen,
                                 .weighed = t->weighed,
                                 .updates = t->updates,
                                 .settings = t->fingerprint,
                                 .state = t->state,
                                 .state_size = t->state_size };
    if (meta_lock_keep(&t->running, error)) return -1;
    meta_log_sync(&t->log);
    if (t->lines.path) meta_log_sync(&t->lines);
    fill_state(t);
    if (meta_trainer_keep_before(t, error)
        || meta_checkpoint_write(t->path[META_TRAINING_STATE], &c, error)
        || meta_trainer_write_weights(t, t->path[META_TRAINING_BACKUP], error)
        || meta_trainer_write_average(t, error))
        return -1;
    if (t->old_final && t->done < t->total) {
        t->old_final = unlink(t->path[META_TRAINING_FINAL]) != 0;
        if (!t->old_final) meta_trainer_remove_temperatures(t->path[META_TRAINING_FINAL]);
    }
    t->saved = t->done;
    return 0;
}

int meta_trainer_save(struct meta_trainer *t, struct meta_error *error)
{
    pthread_mutex_lock(&t->lock);
    int status = save(t, error);
    pthread_mutex_unlock(&t->lock);
    return status;
}

int meta_trainer_save_new(struct meta_trainer *t, uint64_t *done, struct meta_error *error)
{
    int status = 0;
    pthread_mutex_lock(&t->lock);
    if (meta_trainer_writes(t) && !t->broken && t->done != t->saved
        && (t->done != t->first || t->done == t->total || t->remeasured))
        status = save(t, error);
    if (done) *done = t->done;
    pthread_mutex_unlock(&t->lock);
    return status;
}

int meta_trainer_save_numbered(struct meta_trainer *t, struct meta_error *error)
{
    char *path;
    if (!meta_trainer_writes(t)) return 0;
    pthread_mutex_lock(&t->lock);
    int status = meta_training_numbered(&path, t->folder, t->name, t->done, error)
            || meta_trainer_write_weights(t, path, error)
        ? -1
        : 0;
    pthread_mutex_unlock(&t->lock);
    free(path);
    return status;
}

int meta_trainer_save_final(struct meta_trainer *t, struct meta_error *error)
{
    if (!meta_trainer_writes(t)) return 0;
    pthread_mutex_lock(&t->lock);
    t->old_final = 0;
    int status = meta_trainer_write_weights(t, t->path[META_TRAINING_FINAL], error);
    if (!status && t->done != t->first)
        meta_trainer_remove_temperatures(t->path[META_TRAINING_FINAL]);
    pthread_mutex_unlock(&t->lock);
    return status;
}
