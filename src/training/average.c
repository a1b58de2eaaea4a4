/* Averages a training's weights, rolling statistics and learned rates as it goes. */
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
    uint64_t count;   /* iterations that were added */
    void *vector;     /* (parameters) backend vector */
    size_t rates;     /* learned inner rates */
    double *numbers;  /* (statistics + rates) */
    float *corrected; /* (statistics) those of the iteration that is added */
};

int meta_average_create(struct meta_average **out, const struct meta_network *net,
                        const struct meta_backend *backend, double a, size_t rates,
                        struct meta_error *error)
{
    struct meta_average *v = calloc(1, sizeof *v);
    if (!v) return meta_fail_memory(error);
    v->network = net;
    v->backend = backend;
    v->a = a;
    v->rates = rates;
    v->vector = backend->allocate(net->parameters * backend->element);
    v->numbers = calloc(net->statistics + rates + 1, sizeof *v->numbers);
    v->corrected = calloc(net->statistics + 1, sizeof *v->corrected);
    if (!v->vector || !v->numbers || !v->corrected) {
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
    free(v->numbers);
    free(v->corrected);
    free(v);
}

static void move(double *average, const float *x, size_t n, double share)
{
    for (size_t i = 0; i < n; i++) average[i] += share * (x[i] - average[i]);
}

void meta_average_add(struct meta_average *v, const struct meta_left *left)
{
    const struct meta_network *net = v->network;
    double share = (1 - v->a) / (1 - pow(v->a, (double)++v->count));
    v->backend->scale(v->vector, net->parameters, 1 - share);
    v->backend->axpy(v->vector, net->parameters, share, left->phi);
    memcpy(v->corrected, left->rolling, net->statistics * sizeof *left->rolling);
    meta_rolling_correct(v->corrected, net->statistics, left->batches);
    move(v->numbers, v->corrected, net->statistics, share);
    move(v->numbers + net->statistics, left->rates, v->rates, share);
}

void meta_average_download(const struct meta_average *v, float *parameters, float *statistics,
                           float *rates)
{
    size_t n = v->network->statistics;
    v->backend->download(parameters, v->vector, v->network->parameters);
    for (size_t i = 0; i < n; i++) statistics[i] = (float)v->numbers[i];
    for (size_t i = 0; i < v->rates && rates; i++) rates[i] = (float)v->numbers[n + i];
}

uint64_t meta_average_count(const struct meta_average *v) { return v->count; }

/* The vector, filled up to a multiple of 16 bytes, the other numbers, and the count. */
static size_t vector_bytes(const struct meta_average *v)
{
    return (v->network->parameters * v->backend->element + 15) / 16 * 16;
}

static size_t number_bytes(const struct meta_average *v)
{
    return (v->network->statistics + v->rates) * sizeof *v->numbers;
}

size_t meta_average_bytes(const struct meta_average *v)
{
    return (vector_bytes(v) + number_bytes(v) + sizeof v->count + 15) / 16 * 16;
}

void meta_average_save(const struct meta_average *v, void *out)
{
    char *at = out;
    memset(out, 0, meta_average_bytes(v));
    meta_vector_save(v->backend, v->vector, v->network->parameters, at);
    memcpy(at += vector_bytes(v), v->numbers, number_bytes(v));
    memcpy(at + number_bytes(v), &v->count, sizeof v->count);
}

void meta_average_load(struct meta_average *v, const void *in)
{
    const char *at = in;
    meta_vector_load(v->backend, v->vector, v->network->parameters, at);
    memcpy(v->numbers, at += vector_bytes(v), number_bytes(v));
    memcpy(&v->count, at + number_bytes(v), sizeof v->count);
}
