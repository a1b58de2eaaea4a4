/* What the ranks of a training have in common: the start, which rank 0 reads, and the settings,
   which are compared before the first iteration. */
#include "trainer_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learning/same_build.h"

void meta_trainer_ask(struct meta_trainer *t, int number)
{
    meta_outer_say(t->outer, number);
    if (!meta_transport_many(t->settings.transport)) t->asked = number;
}

int meta_trainer_asked(const struct meta_trainer *t) { return t->asked; }

/* ---- the start ------------------------------------------------------------------------------- */

/* The numbers of a start. */
struct start {
    uint64_t iteration, seen, weighed, updates;   /* of a checkpoint */
    uint64_t settings_size, state_size;           /* bytes; of the settings with their 0 */
    uint64_t images_seen, images_updates, layers; /* of weights */
};

/* Gives another rank the bytes of rank 0's checkpoint. */
static int share_checkpoint(struct meta_transport *ranks, struct meta_checkpoint *c,
                            const struct start *s, struct meta_error *error)
{
    size_t settings = s->settings_size, before = (settings + 15) / 16 * 16;
    if (!settings) return 0;
    if (ranks->rank) {
        char *owned = aligned_alloc(16, (before + s->state_size + 16) / 16 * 16);
        if (!owned) return meta_fail_memory(error);
        *c = (struct meta_checkpoint){ .iteration = s->iteration,
                                       .seen = s->seen,
                                       .weighed = s->weighed,
                                       .updates = s->updates,
                                       .settings = owned,
                                       .state = owned + before,
                                       .state_size = s->state_size,
                                       .owned = owned };
    }
    return meta_transport_broadcast(ranks, (void *)c->settings, settings, error)
            || meta_transport_broadcast(ranks, (void *)c->state, s->state_size, error)
        ? -1
        : 0;
}

/* What decides which messages follow: ranks that differ in it would wait for each other. */
static int agree_on_start(const struct meta_trainer *t, struct meta_error *error)
{
    static const char *const modes[] = { "not set", "gradients", "average" };
    const struct meta_training_settings *s = &t->settings;
    const char *start = s->resume ? "-resume"
        : s->fork                 ? "-fork"
        : s->weights              ? "WEIGHTS"
                                  : "new weights";
    return meta_transport_agree(s->transport, "-federated", modes[s->federation.mode], error)
            || meta_transport_agree(s->transport, "what the training starts from", start, error)
        ? -1
        : 0;
}

int meta_trainer_share_start(struct meta_trainer *t, struct meta_checkpoint *c, int status,
                             struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    if (!meta_transport_many(ranks)) return status;
    if (meta_transport_share_status(ranks, status, error) || agree_on_start(t, error)) return -1;
    ranks->about = NULL;
    const struct meta_network *net = t->model->network;
    uint64_t sizes[] = { net->parameters, net->statistics, t->rate_numbers }, own[3];
    memcpy(own, sizes, sizeof own);
    if (meta_transport_broadcast(ranks, sizes, sizeof sizes, error)) return -1;
    if (memcmp(sizes, own, sizeof own))
        status = meta_fail(error,
                           "%s: has %llu parameters and %llu learned rates, but %llu and %llu on "
                           "rank 0 (%s)",
                           t->model->path, (unsigned long long)own[0], (unsigned long long)own[2],
                           (unsigned long long)sizes[0], (unsigned long long)sizes[2],
                           ranks->hosts[0]);
    if (meta_transport_share_status(ranks, status, error)) return -1;
    if (meta_trainer_federated(t)) return meta_trainer_share_sites(t, c, error);
    struct start s = { .iteration = c->iteration,
                       .seen = c->seen,
                       .weighed = c->weighed,
                       .updates = c->updates,
                       .settings_size = c->settings ? strlen(c->settings) + 1 : 0,
                       .state_size = c->state_size,
                       .images_seen = t->seen,
                       .images_updates = t->updates,
                       .layers = (uint64_t)t->layers_read };
    if (meta_transport_broadcast(ranks, &s, sizeof s, error)
        || share_checkpoint(ranks, c, &s, error)
        || meta_transport_broadcast(ranks, t->parameters, own[0] * sizeof(float), error)
        || meta_transport_broadcast(ranks, t->statistics, own[1] * sizeof(float), error)
        || meta_transport_broadcast(ranks, t->rates, own[2] * sizeof(float), error))
        return -1;
    t->seen = s.images_seen;
    t->updates = (uint32_t)s.images_updates;
    t->layers_read = (int)s.layers;
    return 0;
}

/* ---- what must be the same ------------------------------------------------------------------- */

/* Of sites, what is the same for all, which may be told to all. */
static int compare_sites(const struct meta_trainer *t, struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    int status = meta_fingerprint_ranks(ranks, t->common, error);
    ranks->open_words = status != 0;
    return status;
}

/* Ranks that are no sites watch the valid list together. Images are watched by the first alone. */
static int agree_on_watch(const struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    char watch[80] = "never";
    if (meta_trainer_federated(t)) return 0;
    if (t->evaluator)
        snprintf(watch, sizeof watch, "every %d iterations by %d tasks", s->valid_every,
                 s->valid_runs);
    if (meta_transport_agree(s->transport, "when the valid list is watched", watch, error))
        return -1;
    return t->evaluator ? meta_same_images(s->transport, t->valid, "the valid list's ", error) : 0;
}

int meta_trainer_compare_ranks(struct meta_trainer *t, int status, struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    if (!meta_transport_many(ranks)) return status;
    char total[24];
    snprintf(total, sizeof total, "%llu", (unsigned long long)t->total);
    if (meta_transport_share_status(ranks, status, error) || meta_same_build(ranks, error)
        || meta_transport_agree(ranks, "max_batches", total, error) || agree_on_watch(t, error))
        return -1;
    status = meta_trainer_federated(t) ? compare_sites(t, error)
                                       : meta_fingerprint_ranks(ranks, t->fingerprint, error);
    return meta_transport_share_status(ranks, status, error);
}

int meta_trainer_share_open(struct meta_trainer *t, int status, struct meta_error *error)
{
    struct meta_row row;
    struct meta_transport *ranks = t->settings.transport;
    if (!meta_transport_many(ranks)) return status;
    if (meta_transport_share_status(ranks, status, error)) return -1;
    if (meta_trainer_federated(t)) return 0;
    t->valid_missed = !ranks->rank && meta_trainer_valid_missed(t, &row);
    return meta_transport_broadcast(ranks, &t->valid_missed, sizeof t->valid_missed, error);
}
