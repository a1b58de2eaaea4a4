/* What an outer loop does where ranks are sites: how they count, what they send, and how their
   parameters meet. */
#include <stdlib.h>
#include <string.h>

#include "network/rolling.h"
#include "outer_internal.h"

/* What a site tells beside its vector; its statistics lie behind it, unless it is protected. */
struct met {
    int64_t word;
};

int meta_outer_open_sites(struct meta_outer *o, struct meta_error *error)
{
    const struct meta_federation *f = o->federation;
    const struct meta_network *net = o->model->network;
    int averages = f && f->mode == META_FEDERATED_AVERAGE, protects = meta_federation_protects(f);
    if (!averages && !protects) return 0;
    size_t told = averages && !protects ? net->statistics * sizeof(float) : 0;
    o->known_begin = o->begin;
    o->known_end = o->end;
    o->met_record = (sizeof(struct met) + told + 7) / 8 * 8;
    o->met = calloc((size_t)o->transport->size, o->met_record);
    o->mean = calloc(net->statistics + 1, sizeof *o->mean);
    if (averages) o->start = o->backend->allocate(o->numbers * o->backend->element);
    if (!o->met || !o->mean || (averages && !o->start)) return meta_fail_memory(error);
    const struct meta_sites_parts parts = { o->backend, o->transport, *f, o->numbers, o->tasks };
    return meta_sites_create(&o->sites, &parts, error);
}

void meta_outer_close_sites(struct meta_outer *o)
{
    meta_sites_free(o->sites);
    if (o->start) o->backend->release(o->start);
    free(o->met);
    free(o->mean);
}

void meta_outer_share_gradients(struct meta_outer *o)
{
    double own = o->end - o->begin, counts;
    if (!o->federation || !o->federation->equal) return;
    counts = o->tasks / (own * o->transport->size);
    if (counts == 1) return;
    for (int i = o->begin; i < o->end; i++) o->backend->scale(o->gradient[i], o->numbers, counts);
}

static struct met *record(const struct meta_outer *o, int site)
{
    return (struct met *)(o->met + (size_t)site * o->met_record);
}

/* Tells all sites what is in this one's record, and finds the greatest word. */
static int gather_met(struct meta_outer *o, const char *about, int *word, struct meta_error *error)
{
    struct meta_transport *t = o->transport;
    record(o, t->rank)->word = o->word;
    t->about = about;
    if (meta_transport_gather(t, o->met, (size_t)t->size, o->met_record, error)) return -1;
    *word = 0;
    for (int k = 0; k < t->size; k++)
        if (record(o, k)->word > *word) *word = (int)record(o, k)->word;
    return 0;
}

int meta_outer_mean_of_sites(struct meta_outer *o, int *word, struct meta_error *error)
{
    const struct meta_backend *b = o->backend;
    *word = 0;
    if (o->begin) b->copy(o->gradient[0], o->gradient[o->begin], o->numbers);
    for (int i = o->begin + 1; i < o->end; i++)
        b->axpy(o->gradient[0], o->numbers, 1, o->gradient[i]);
    b->scale(o->gradient[0], o->numbers, 1. / (o->end - o->begin));
    if (o->federation->mode == META_FEDERATED_AVERAGE) return 0;
    if (gather_met(o, "word", word, error)) return -1;
    o->transport->about = META_SITES_GRADIENT;
    return meta_sites_mean(o->sites, o->gradient[0], error);
}

/* ---- parameters that meet -------------------------------------------------------------------- */

static void *behind(const struct meta_outer *o, void *vector)
{
    return (char *)vector + o->model->network->parameters * o->backend->element;
}

void meta_outer_begin(struct meta_outer *o)
{
    if (!o->start) return;
    o->backend->copy(o->start, o->phi, o->model->network->parameters);
    if (o->rates)
        o->backend->copy(behind(o, o->start), meta_learned_vector(o->rates),
                         meta_learned_numbers(o->rates));
}

/* Leaves the mean of the sites' statistics in o->mean. */
static void mean_statistics(struct meta_outer *o)
{
    size_t n = o->model->network->statistics;
    int sites = o->transport->size;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < sites; k++)
            sum += meta_sites_counts(o->sites, k) * ((const float *)(record(o, k) + 1))[i];
        o->mean[i] = (float)(sum / sites);
    }
}

int meta_outer_meet(struct meta_outer *o, uint32_t batches, int *word, struct meta_error *error)
{
    const struct meta_backend *b = o->backend;
    const struct meta_network *net = o->model->network;
    int protects = meta_federation_protects(o->federation);
    if (!protects) {
        float *own = (float *)(record(o, o->transport->rank) + 1);
        memcpy(own, o->rolling, net->statistics * sizeof *own);
        meta_rolling_correct(own, net->statistics, batches);
    }
    if (gather_met(o, protects ? "word" : "statistics", word, error)) return -1;
    if (!protects) mean_statistics(o);
    b->copy(o->gradient[0], o->phi, net->parameters);
    if (o->rates)
        b->copy(behind(o, o->gradient[0]), meta_learned_vector(o->rates),
                meta_learned_numbers(o->rates));
    b->axpy(o->gradient[0], o->numbers, -1, o->start);
    o->transport->about = META_SITES_CHANGE;
    return meta_sites_mean(o->sites, o->gradient[0], error);
}

int meta_outer_met(struct meta_outer *o, struct meta_error *error)
{
    const struct meta_backend *b = o->backend;
    const struct meta_network *net = o->model->network;
    int protects = meta_federation_protects(o->federation);
    b->axpy(o->start, o->numbers, 1, o->gradient[0]);
    b->copy(o->phi, o->start, net->parameters);
    if (o->rates) meta_learned_replace(o->rates, behind(o, o->start));
    if (!protects) memcpy(o->rolling, o->mean, net->statistics * sizeof *o->mean);
    return meta_outer_check(o, error) ? -1 : !protects;
}
