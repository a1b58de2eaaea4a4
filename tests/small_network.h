/* For tests of programs: a small network in which tensors have several readers, its numbers, and a run of cases on every backend. Included after
   cmocka.h. */
#ifndef TESTS_SMALL_NETWORK_H
#define TESTS_SMALL_NETWORK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine/program_internal.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

#define BATCH 6

static const struct meta_backend *const backends[] = { &meta_backend_reference, &meta_backend_onednn };

static inline int layer(struct meta_network *net, struct meta_layer l, int from_a, int from_b)
{
    struct meta_error error;
    if (l.from_count) {
        l.from = malloc(2 * sizeof *l.from);
        l.from[0] = from_a;
        l.from[1] = from_b;
    }
    if (meta_network_add(net, l, &error)) fail_msg("%s", error.text);
    return net->count - 1;
}

/* A network whose layer 0 is pooled and is read by layer 1, a shortcut and a route. dropout is the
   probability of its [dropout], 0 for a network without one. */
static inline struct meta_network *build(double dropout)
{
    struct meta_network *net;
    struct meta_error error;
    int where;
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 6, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                               .activation = META_LEAKY }, small = conv;
    small.filters = 19;
    small.size = 1;
    small.padding = 0;
    small.activation = META_LOGISTIC;
    if (meta_network_create(&net, (struct meta_shape){ 3, 10, 9 }, &error)) fail_msg("%s", error.text);
    layer(net, conv, 0, 0);
    layer(net, conv, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SHORTCUT, .from_count = 1, .alpha = .8, .beta = 1.2, .activation = META_LEAKY }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_ROUTE, .from_count = 2 }, 2, 0);
    if (dropout > 0) layer(net, (struct meta_layer){ .type = META_DROPOUT, .probability = dropout }, 0, 0);
    layer(net, small, 0, 0);
    layer(net, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2, .padding = 1 }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 3, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1.3 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    return net;
}

static inline struct meta_program *program(const struct meta_network *net, const struct meta_backend *backend, enum meta_passes passes)
{
    struct meta_program *p;
    struct meta_error error;
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .query = BATCH, .passes = passes }, &error)) fail_msg("%s", error.text);
    assert_true(meta_program_bytes(p) > 0);
    return p;
}

static inline void load(struct meta_program *p, int item)
{
    struct meta_shape s = p->network->input;
    struct meta_rng rng = meta_rng_open(2, META_USE_CHECK, 0, 0, item);
    float images[BATCH * s.c * s.h * s.w];
    int labels[BATCH];
    for (int i = 0; i < BATCH * s.c * s.h * s.w; i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < BATCH; i++) labels[i] = meta_rng_below(&rng, 3);
    meta_program_load(p, images, labels);
}

/* A vector on the backend: initial weights (item 0), or random numbers. */
static inline void *vector(const struct meta_network *net, const struct meta_backend *backend, int item)
{
    void *p = backend->allocate(net->parameters * backend->element);
    float *x = malloc(net->parameters * sizeof *x), *statistics = malloc((net->statistics + 1) * sizeof *statistics);
    struct meta_rng rng = meta_rng_open(2, META_USE_CHECK, 0, 1, item);
    meta_network_initialise(net, 9, x, statistics);
    for (size_t i = 0; item && i < net->parameters; i++) x[i] = meta_rng_normal(&rng);
    backend->upload(p, x, net->parameters);
    free(x);
    free(statistics);
    return p;
}

static inline double *doubles(const struct meta_network *net, const struct meta_backend *backend, const void *v)
{
    double *x = malloc(net->parameters * sizeof *x);
    backend->download_double(x, v, net->parameters);
    return x;
}

static inline void assert_same(const struct meta_network *net, const struct meta_backend *backend, const void *a, const void *b)
{
    assert_memory_equal(a, b, net->parameters * backend->element);
}

struct small_case { const char *name; CMUnitTestFunction run; };

/* Runs `count` cases on each backend, which is a case's state, and then the others; returns what a
   cmocka program returns. */
static inline int run_small_cases(const char *group, const struct small_case *cases, int count, const struct small_case *others, int other_count)
{
    struct CMUnitTest tests[2 * count + other_count];
    char names[2 * count][80];
    struct meta_error error;
    for (int i = 0; i < 2 * count; i++) {
        const struct meta_backend *backend = backends[i / count];
        if (backend->open(&error)) return 1;
        snprintf(names[i], sizeof names[i], "%s on %s", cases[i % count].name, backend->name);
        tests[i] = (struct CMUnitTest){ names[i], cases[i % count].run, NULL, NULL, (void *)backend };
    }
    for (int i = 0; i < other_count; i++) tests[2 * count + i] = (struct CMUnitTest){ others[i].name, others[i].run, NULL, NULL, NULL };
    return _cmocka_run_group_tests(group, tests, 2 * count + other_count, NULL, NULL);
}

#endif
