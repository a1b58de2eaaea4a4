/* A training whose ranks are sites: what they settle before they begin, the checkpoints that they
   have in common, and how their parameters meet. */
#include "trainer_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network/rolling.h"

/* What the state of a site's checkpoint begins with. */
struct head {
    uint64_t met;     /* the iteration after which all sites had the same parameters last */
    uint64_t vectors; /* that have left the site */
};
_Static_assert(sizeof(struct head) % 16 == 0, "what follows it stays aligned");

#define NONE UINT64_MAX

size_t meta_trainer_site_bytes(const struct meta_trainer *t)
{
    return meta_trainer_federated(t) ? sizeof(struct head) : 0;
}

void meta_trainer_site_save(struct meta_trainer *t)
{
    if (!meta_trainer_federated(t)) return;
    if (!meta_trainer_averages(t)) t->met = t->done;
    const struct head h = { t->met, meta_trainer_vectors(t) };
    memcpy(t->state, &h, sizeof h);
}

static struct head head_of(const struct meta_checkpoint *c)
{
    struct head h = { NONE, 0 };
    if (c->state && c->state_size >= sizeof h) memcpy(&h, c->state, sizeof h);
    return h;
}

uint64_t meta_trainer_vectors(const struct meta_trainer *t)
{
    return t->sent ? meta_sent_vectors(t->sent) + t->unrecorded : 0;
}

uint64_t meta_trainer_vectors_left(const struct meta_trainer *t)
{
    uint64_t local = (uint64_t)t->settings.federation.local;
    if (!meta_trainer_averages(t)) return t->total - t->done;
    if (t->done == t->total) return t->done != t->met;
    uint64_t missed = t->done != t->met && t->done % local == 0;
    return (t->total + local - 1) / local - t->done / local + missed;
}

/* ---- what is refused ------------------------------------------------------------------------- */

int meta_trainer_check_sites(const struct meta_trainer *t, struct meta_error *error)
{
    const struct meta_training_settings *s = &t->settings;
    const struct meta_model *m = t->model;
    int sites = s->transport ? s->transport->size : 1, local = s->federation.local;
    if (!meta_trainer_federated(t)) return 0;
    if (sites > m->episode->tasks)
        return meta_fail(error,
                         "%d sites for %d tasks an iteration: must be at most as many; allowed: "
                         "fewer sites, or more tasks= in [episode]",
                         sites, m->episode->tasks);
    if (m->episode->sampler == META_CURRICULUM)
        return meta_fail(error,
                         "%s:%d: [episode] sampler=curriculum: sites would have to tell each other "
                         "how hard their classes are; allowed with -federated: uniform",
                         m->path, m->episode_line);
    if (s->fork && meta_federation_protects(&s->federation))
        return meta_fail(error,
                         "-fork with -clip_site: what the other training has sent would not "
                         "be counted; allowed: a training of its own");
    if (meta_trainer_averages(t) && t->data->valid && s->valid_every % local)
        return meta_fail(error,
                         "-valid_every %d: must be a multiple of -local %d: in between sites have "
                         "not the same weights",
                         s->valid_every, local);
    if (sites == 1)
        return meta_fail(error,
                         "-federated: there is one process: allowed: several sites, which "
                         "mpirun or srun starts");
    return 0;
}

/* ---- the start ------------------------------------------------------------------------------- */

int meta_trainer_read_site(struct meta_trainer *t, struct meta_checkpoint *c,
                           struct meta_error *error)
{
    const char *state = t->path[META_TRAINING_STATE], *before = t->path[META_TRAINING_BEFORE];
    /* a site that is killed between the two renames of a save has the earlier one alone */
    return meta_checkpoint_read(c, access(state, F_OK) && !access(before, F_OK) ? before : state,
                                error);
}

/* The iterations after which the checkpoints of a site had met. */
struct offer {
    uint64_t met[2];
};

static int offers(const struct offer *o, uint64_t met)
{
    return o->met[0] == met || o->met[1] == met;
}

/* The last meeting that every site has a checkpoint from; NONE: there is none. */
static uint64_t last_common(const struct offer *all, int sites)
{
    uint64_t best = NONE;
    for (int i = 0; i < 2; i++) {
        uint64_t met = all[0].met[i];
        int k = 1;
        while (k < sites && offers(&all[k], met)) k++;
        if (met != NONE && k == sites && (best == NONE || met > best)) best = met;
    }
    return best;
}

static int fail_common(const struct meta_transport *ranks, const struct offer *all,
                       struct meta_error *error)
{
    int other = 1;
    while (other < ranks->size - 1 && offers(&all[other], all[0].met[0])) other++;
    return meta_fail(error,
                     "the sites have no checkpoints that belong together: that of rank 0 (%s) has "
                     "the weights of iteration %lld, that of rank %d (%s) of %lld",
                     ranks->hosts[0], (long long)all[0].met[0], other, ranks->hosts[other],
                     (long long)all[other].met[0]);
}

/* Sites that were killed may have saved on either side of a meeting: all go on from the last one
   that they all know. Within a round a site needs no other, so each may be at its own iteration. */
static int settle(struct meta_trainer *t, struct meta_checkpoint *c, struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    const char *before = t->path[META_TRAINING_BEFORE];
    struct meta_checkpoint earlier = { 0 };
    struct meta_error ignored;
    struct offer *all = calloc((size_t)ranks->size, sizeof *all);
    if (!all) return meta_fail_memory(error);
    if (t->settings.resume && meta_checkpoint_read(&earlier, before, &ignored))
        meta_checkpoint_free(&earlier);
    all[ranks->rank] = (struct offer){ { head_of(c).met, head_of(&earlier).met } };
    int status = meta_transport_gather(ranks, all, (size_t)ranks->size, sizeof *all, error);
    uint64_t met = status ? NONE : last_common(all, ranks->size);
    if (!status && met == NONE) {
        ranks->open_words = 1;
        ranks->hushed = ranks->rank != 0;
        status = fail_common(ranks, all, error);
    }
    if (!status && head_of(c).met != met) {
        meta_checkpoint_free(c);
        *c = earlier;
        t->goes_back = 1;
    } else meta_checkpoint_free(&earlier);
    t->met = t->saved_met = met;
    t->vectors = head_of(c).vectors;
    free(all);
    return status;
}

int meta_trainer_share_sites(struct meta_trainer *t, struct meta_checkpoint *c,
                             struct meta_error *error)
{
    struct meta_transport *ranks = t->settings.transport;
    const struct meta_network *net = t->model->network;
    if (t->settings.resume || t->settings.fork) return settle(t, c, error);
    uint64_t start[] = { t->seen, t->updates, (uint64_t)t->layers_read };
    ranks->about = "weights to start from";
    if (meta_transport_broadcast(ranks, start, sizeof start, error)
        || meta_transport_broadcast(ranks, t->parameters, net->parameters * sizeof(float), error)
        || meta_transport_broadcast(ranks, t->statistics, net->statistics * sizeof(float), error)
        || meta_transport_broadcast(ranks, t->rates, t->rate_numbers * sizeof(float), error))
        return -1;
    ranks->about = NULL;
    t->seen = start[0];
    t->updates = (uint32_t)start[1];
    t->layers_read = (int)start[2];
    t->met = t->seen / t->images;
    t->saved_met = NONE;
    return 0;
}

uint64_t meta_trainer_odd_meeting(const struct meta_trainer *t, int *local)
{
    *local = t->settings.federation.local;
    int goes_on = t->settings.resume || t->settings.fork;
    /* without a vector sent the sites have not met yet, but started so */
    if (!goes_on || !meta_trainer_averages(t) || !t->vectors || t->met >= t->total) return 0;
    return t->met % (uint64_t)*local ? t->met : 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

int meta_trainer_go_back(const struct meta_trainer *t, struct meta_error *error)
{
    const char *state = t->path[META_TRAINING_STATE], *before = t->path[META_TRAINING_BEFORE];
    if (!t->goes_back || !rename(before, state)) return 0;
    return meta_fail(error, "%s: can't rename: %s", before, strerror(errno));
}

int meta_trainer_keep_before(struct meta_trainer *t, struct meta_error *error)
{
    const char *state = t->path[META_TRAINING_STATE], *before = t->path[META_TRAINING_BEFORE];
    if (!meta_trainer_federated(t)) return 0;
    meta_sent_sync(t->sent);
    uint64_t met = meta_trainer_averages(t) ? t->met : t->done;
    if (met == t->saved_met || access(state, F_OK)) {
        t->saved_met = met;
        return 0;
    }
    if (rename(state, before))
        return meta_fail(error, "%s: can't rename: %s", state, strerror(errno));
    t->saved_met = met;
    return 0;
}

int meta_trainer_open_record(struct meta_trainer *t, struct meta_error *error)
{
    if (!meta_trainer_federated(t)) return 0;
    if (meta_sent_open(t->sent, t->path[META_TRAINING_SENT], error)) return -1;
    uint64_t recorded = meta_sent_vectors(t->sent);
    t->unrecorded = t->vectors > recorded ? t->vectors - recorded : 0;
    return 0;
}

/* ---- meeting --------------------------------------------------------------------------------- */

int meta_trainer_meet(struct meta_trainer *t, struct meta_error *error)
{
    struct meta_error why;
    int word, due = t->done % (uint64_t)(t->settings.federation.local) == 0 || t->done == t->total;
    if (!due || t->met == t->done) return 0;
    meta_sent_iteration(t->sent, t->done);
    if (meta_outer_meet(t->outer, t->updates, &word, error)) {
        t->broken = 1;
        return -1;
    }
    if (word) t->asked = word;
    pthread_mutex_lock(&t->lock);
    int status = meta_outer_met(t->outer, &why);
    if (status < 0) {
        t->broken = 1;
        meta_fail(error, "iteration %llu: the mean of the sites: %s", (unsigned long long)t->done,
                  why.text);
    } else {
        if (status) t->updates = META_ROLLING_SETTLED;
        t->met = t->done;
        if (t->average) meta_trainer_add_to_average(t);
    }
    pthread_mutex_unlock(&t->lock);
    return status < 0 ? -1 : 0;
}
