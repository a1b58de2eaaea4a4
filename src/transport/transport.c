/* What ranks do with exchanges, whatever the transport: gather, broadcast, agree. */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT 200 /* bytes of a text that is compared */

int meta_transport_close(struct meta_transport *t, struct meta_error *error)
{
    return t ? t->close(t, error) : 0;
}

int meta_transport_exchange(struct meta_transport *t, const struct meta_parcel *send,
                            const struct meta_parcel *receive, struct meta_error *error)
{
    size_t bytes = 0;
    for (int k = 0; k < t->size; k++)
        if (k != t->rank) bytes += send[k].size;
    if (t->record && bytes && t->record(t->recorder, t->about, bytes, error)) return -1;
    return t->exchange(t, send, receive, error);
}

const char *meta_transport_words(const struct meta_transport *t, const struct meta_error *error)
{
    return !t->discreet || t->open_words ? error->text : "failed: its own output there says why";
}

int meta_transport_gather(struct meta_transport *t, void *all, size_t count, size_t bytes,
                          struct meta_error *error)
{
    if (!meta_transport_many(t)) return 0;
    struct meta_parcel *parcels = calloc(2 * (size_t)t->size, sizeof *parcels);
    if (!parcels) return meta_fail_memory(error);
    char *at = all;
    for (int k = 0; k < t->size; k++) {
        struct meta_part part = meta_part(count, k, t->size);
        parcels[t->size + k] = (struct meta_parcel){ at + part.begin * bytes,
                                                     (part.end - part.begin) * bytes };
    }
    struct meta_parcel own = parcels[t->size + t->rank];
    for (int k = 0; k < t->size; k++)
        if (k != t->rank) parcels[k] = own;
    parcels[t->size + t->rank] = (struct meta_parcel){ 0 };
    int status = meta_transport_exchange(t, parcels, parcels + t->size, error);
    free(parcels);
    return status;
}

int meta_transport_broadcast(struct meta_transport *t, void *bytes, size_t size,
                             struct meta_error *error)
{
    if (!meta_transport_many(t)) return 0;
    struct meta_parcel *parcels = calloc(2 * (size_t)t->size, sizeof *parcels);
    if (!parcels) return meta_fail_memory(error);
    if (t->rank) parcels[t->size] = (struct meta_parcel){ bytes, size };
    else
        for (int k = 1; k < t->size; k++) parcels[k] = (struct meta_parcel){ bytes, size };
    int status = meta_transport_exchange(t, parcels, parcels + t->size, error);
    free(parcels);
    return status;
}

int meta_transport_barrier(struct meta_transport *t, struct meta_error *error)
{
    if (!meta_transport_many(t)) return 0;
    char *here = calloc((size_t)t->size, 1);
    if (!here) return meta_fail_memory(error);
    int status = meta_transport_gather(t, here, (size_t)t->size, 1, error);
    free(here);
    return status;
}

int meta_transport_agree(struct meta_transport *t, const char *what, const char *value,
                         struct meta_error *error)
{
    if (!meta_transport_many(t)) return 0;
    char(*texts)[MOST_TEXT] = calloc((size_t)t->size, sizeof *texts);
    if (!texts) return meta_fail_memory(error);
    strncpy(texts[t->rank], value, MOST_TEXT - 1);
    int status = meta_transport_gather(t, texts, (size_t)t->size, sizeof *texts, error);
    for (int k = 1; k < t->size && !status; k++)
        if (strcmp(texts[k], texts[0])) {
            t->hushed = t->rank != 0;
            t->open_words = 1;
            status = meta_fail(error, "%s differs: %s on rank 0 (%s), %s on rank %d (%s)", what,
                               texts[0], t->hosts[0], texts[k], k, t->hosts[k]);
        }
    free(texts);
    return status;
}

int meta_transport_share_status(struct meta_transport *t, int status, struct meta_error *error)
{
    if (!meta_transport_many(t)) return status;
    struct report {
        int failed;
        struct meta_error error;
    } *reports = calloc((size_t)t->size, sizeof *reports);
    struct meta_error why;
    if (!reports) return meta_fail_memory(error);
    if (status) {
        struct report *own = &reports[t->rank];
        own->failed = 1;
        /* the text alone: what lies behind it in memory is nobody's to see */
        snprintf(own->error.text, sizeof own->error.text, "%s", meta_transport_words(t, error));
    }
    int lost = meta_transport_gather(t, reports, (size_t)t->size, sizeof *reports, &why);
    if (lost && !status) *error = why;
    int first = 0;
    while (!lost && first < t->size && !reports[first].failed) first++;
    int failed = !lost && first < t->size;
    if (failed && !status) t->open_words = 1;
    if (failed && !status)
        meta_fail(error, "rank %d (%s): %s", first, t->hosts[first], reports[first].error.text);
    if (failed) t->hushed = first != t->rank;
    free(reports);
    return status || lost || failed ? -1 : 0;
}

static int is_first_here(const struct meta_transport *t)
{
    for (int k = 0; k < t->rank; k++)
        if (!strcmp(t->hosts[k], t->hosts[t->rank])) return 0;
    return 1;
}

int meta_transport_in_turn(struct meta_transport *t, int (*step)(void *, struct meta_error *),
                           void *context, struct meta_error *error)
{
    int first = is_first_here(t), status = first ? step(context, error) : 0;
    if (meta_transport_share_status(t, status, error)) return -1;
    status = first ? 0 : step(context, error);
    return meta_transport_share_status(t, status, error);
}
