/* Averages a training's weights and rolling statistics as it goes. */
#include "average.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learning/optimiser.h"
#include "network/rolling.h"

struct meta_average {
    const struct meta_network *network;
    const struct meta_backend *backend;
    double a;
    uint64_t count;     /* iterations that were added */
    void *vector;       /* (parameters) backend vector */
    double *statistics; /* (statistics) */
    float *corrected;   /* (statistics) those of the iteration that is added */
};

int meta_average_create(struct meta_average **out, const struct meta_network *net,
                        const struct meta_backend *backend, double a, struct meta_error *error)
{
    struct meta_average *v = calloc(1, sizeof *v);
    if (!v) return meta_fail_memory(error);
    v->network = net;
    v->backend = backend;
    v->a = a;
    v->vector = backend->allocate(net->parameters * backend->element);
    v->statistics = calloc(net->statistics + 1, sizeof *v->statistics);
    v->corrected = calloc(net->statistics + 1, sizeof *v->corrected);
    if (!v->vector || !v->statistics || !v->corrected) {
        meta_average_free(v);
        return meta_fail_memory(error);
    }
    backend->set(v->vector, net->parameters, 0);
    *out = v;
    return 0;
}

void meta_average_free(struct meta_average *v)
{
    if (!v) return;
    if (v->vector) v->backend->release(v->vector);
    free(v->statistics);
    free(v->corrected);
    free(v);
}

void meta_average_add(struct meta_average *v, const void *phi, const float *rolling,
                      uint32_t batches)
{
    const struct meta_network *net = v->network;
    double share = (1 - v->a) / (1 - pow(v->a, (double)++v->count));
    v->backend->scale(v->vector, net->parameters, 1 - share);
    v->backend->axpy(v->vector, net->parameters, share, phi);
    memcpy(v->corrected, rolling, net->statistics * sizeof *rolling);
    meta_rolling_correct(v->corrected, net->statistics, batches);
    for (size_t i = 0; i < net->statistics; i++)
        v->statistics[i] += share * (v->corrected[i] - v->statistics[i]);
}

void meta_average_download(const struct meta_average *v, float *parameters, float *statistics)
{
    v->backend->download(parameters, v->vector, v->network->parameters);
    for (size_t i = 0; i < v->network->statistics; i++) statistics[i] = (float)v->statistics[i];
}

uint64_t meta_average_count(const struct meta_average *v) { return v->count; }

/* The vector, filled up to a multiple of 16 bytes, the statistics, and the count. */
static size_t vector_bytes(const struct meta_average *v)
{
    return (v->network->parameters * v->backend->element + 15) / 16 * 16;
}

size_t meta_average_bytes(const struct meta_average *v)
{
    return (vector_bytes(v) + v->network->statistics * sizeof *v->statistics + sizeof v->count + 15)
        / 16 * 16;
}

void meta_average_save(const struct meta_average *v, void *out)
{
    size_t bytes = v->network->statistics * sizeof *v->statistics;
    char *at = out;
    memset(out, 0, meta_average_bytes(v));
    meta_vector_save(v->backend, v->vector, v->network->parameters, at);
    memcpy(at += vector_bytes(v), v->statistics, bytes);
    memcpy(at + bytes, &v->count, sizeof v->count);
}

void meta_average_load(struct meta_average *v, const void *in)
{
    size_t bytes = v->network->statistics * sizeof *v->statistics;
    const char *at = in;
    meta_vector_load(v->backend, v->vector, v->network->parameters, at);
    memcpy(v->statistics, at += vector_bytes(v), bytes);
    memcpy(&v->count, at + bytes, sizeof v->count);
}
