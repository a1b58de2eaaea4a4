/* Makes a classifier out of a network that pairs, such as a prototypical network: its features and
   the linear form of its pairing layer for a support set. */
#include "adapt_pairing.h"

#include <stdlib.h>
#include <string.h>

/* What turns the support images into the last layer. */
struct maker {
    const struct meta_layer *pairing;
    struct meta_network *features; /* the layers before the pairing one */
    struct meta_program *program;  /* of `features` and all support images */
    void *parameters;              /* a backend vector */
    int *zeros;                    /* (n) labels of the program's loss, which nobody reads */
    float *planar;                 /* (n, numbers) features */
    double *x;                     /* (n, numbers) */
    double *weights, *biases;      /* (classes, numbers), (classes) */
};

static void clear(struct maker *m, const struct meta_backend *backend)
{
    meta_program_free(m->program);
    meta_network_free(m->features);
    if (m->parameters) backend->release(m->parameters);
    free(m->zeros);
    free(m->planar);
    free(m->x);
    free(m->weights);
    free(m->biases);
}

static int prepare(struct maker *m, const struct meta_base *base, const struct meta_support *s,
                   struct meta_error *error)
{
    const struct meta_network *net = base->filled.network;
    const struct meta_backend *backend = base->backend;
    size_t numbers = meta_shape_numbers(net->layers[net->pairing].in);
    struct meta_program_settings all = { .query = s->n, .passes = META_FORWARD };
    if (meta_network_cut(&m->features, net, net->pairing, 0, error)
        || meta_network_check_batch(m->features, s->n, error)
        || meta_program_create(&m->program, m->features, backend, all, error))
        return -1;
    m->parameters = backend->allocate(m->features->parameters * backend->element);
    m->zeros = calloc(s->n, sizeof *m->zeros);
    m->planar = malloc(s->n * numbers * sizeof *m->planar);
    m->x = malloc(s->n * numbers * sizeof *m->x);
    m->weights = malloc(s->classes * numbers * sizeof *m->weights);
    m->biases = malloc(s->classes * sizeof *m->biases);
    if (!m->parameters || !m->zeros || !m->planar || !m->x || !m->weights || !m->biases)
        return meta_fail(error, "out of memory for %d images", s->n);
    backend->upload(m->parameters, base->filled.parameters, m->features->parameters);
    return 0;
}

/* Writes the last layer for features under the support set's own statistics or, where they are
   given, these. */
static int make(struct maker *m, const struct meta_support *s, const float *statistics,
                const struct meta_layer *head, float *parameters, struct meta_error *error)
{
    const struct meta_layer *pairing = m->pairing;
    size_t numbers = meta_shape_numbers(pairing->in);
    struct meta_set set = { s->classes, s->n, 0, s->labels };
    meta_program_load(m->program, s->images, m->zeros);
    meta_program_forward(m->program, m->parameters,
                         statistics ? META_STATISTICS_ROLLING : META_STATISTICS_BATCH, statistics);
    if (meta_program_failed(m->program, error)) return -1;
    meta_program_features(m->program, m->planar);
    for (size_t i = 0; i < s->n * numbers; i++) m->x[i] = m->planar[i];
    pairing->plugin->pairing->linear(pairing->settings, pairing->in, &set, m->x, m->weights,
                                     m->biases);
    for (size_t i = 0; i < s->classes * numbers; i++) parameters[head->weights + i] = m->weights[i];
    for (int k = 0; k < s->classes; k++) parameters[head->biases + k] = m->biases[k];
    return 0;
}

int meta_adapt_pairing(struct meta_adapted *a, const struct meta_base *base,
                       const struct meta_support *s, struct meta_error *error)
{
    const struct meta_network *net = base->filled.network;
    struct meta_filled *f = &a->filled;
    struct maker m = { .pairing = &net->layers[net->pairing] };
    int status = -1;
    if (prepare(&m, base, s, error)
        || meta_network_cut(&f->network, net, net->pairing, s->classes, error))
        goto fail;
    const struct meta_layer *head = &f->network->layers[net->pairing];
    f->network->layers[net->pairing + 1].temperature = net->layers[net->count - 1].temperature;
    f->parameters = calloc(f->network->parameters + 1, sizeof *f->parameters);
    f->statistics = calloc(f->network->statistics + 1, sizeof *f->statistics);
    a->running = calloc(f->network->parameters + 1, sizeof *a->running);
    if (!f->parameters || !f->statistics || !a->running) {
        meta_fail(error, "out of memory for %zu parameters", f->network->parameters);
        goto fail;
    }
    size_t before = m.features->parameters * sizeof(float);
    memcpy(f->parameters, base->filled.parameters, before);
    memcpy(a->running, base->filled.parameters, before);
    memcpy(f->statistics, base->filled.statistics, f->network->statistics * sizeof(float));
    if (make(&m, s, NULL, head, f->parameters, error)
        || make(&m, s, f->statistics, head, a->running, error))
        goto fail;
    status = 0;
fail:
    clear(&m, base->backend);
    return status;
}
