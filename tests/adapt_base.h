/* A small network with parameters, and images to adapt it to, for test programs of adaptation. Include it behind cmocka.h; set_up and
   tear_down are those of the program's group. */
#ifndef TESTS_ADAPT_BASE_H
#define TESTS_ADAPT_BASE_H

#include <stdlib.h>
#include "adaptation/adapt.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include "base/rng.h"
#include "engine/log_odds.h"
#include "near.h"

#define SIDE 8
#define IMAGE (2 * SIDE * SIDE)
#define SUPPORT 6
#define QUERY 7
#define OUTPUTS 3
#define STEPS 3
#define RATE .1

static const struct meta_backend *const backends[] = { &meta_backend_reference, &meta_backend_onednn };
static struct meta_filled base_filled;
static float images[(SUPPORT + QUERY) * IMAGE];
static int labels[SUPPORT + QUERY];

static void layer(struct meta_layer l)
{
    struct meta_error error;
    if (meta_filled_add(&base_filled, l, &error)) fail_msg("%s", error.text);
}

static int set_up(void **state)
{
    struct meta_error error;
    struct meta_network *net;
    int where;
    if (meta_network_create(&net, (struct meta_shape){ 2, SIDE, SIDE }, &error)) return -1;
    base_filled.network = net;
    layer((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 5, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_RELU });
    layer((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    layer((struct meta_layer){ .type = META_DROPOUT, .probability = .2 });
    layer((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 4, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_LEAKY });
    int *from = malloc(2 * sizeof *from);
    from[0] = 2;
    from[1] = 3;
    layer((struct meta_layer){ .type = META_ROUTE, .from_count = 2, .from = from });
    layer((struct meta_layer){ .type = META_CONNECTED, .filters = 6, .batch_normalize = 1, .activation = META_LEAKY });
    layer((struct meta_layer){ .type = META_CONNECTED, .filters = OUTPUTS });
    layer((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(net, 2, &where, &error)) return -1;
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    for (int i = 0; i < SUPPORT + QUERY; i++) {
        labels[i] = i % OUTPUTS;
        for (int k = 0; k < IMAGE; k++) images[i * IMAGE + k] = .3 * labels[i] + .4 * meta_rng_uniform(&rng);
    }
    meta_network_initialise(net, 8, base_filled.parameters, base_filled.statistics);
    for (size_t i = 0; i < net->parameters; i++) base_filled.parameters[i] += .1 * meta_rng_normal(&rng);
    for (size_t i = 0; i < net->statistics; i++) base_filled.statistics[i] = .2 + meta_rng_uniform(&rng);
    return 0;
}

static int tear_down(void **state)
{
    meta_filled_clear(&base_filled);
    return 0;
}

static struct meta_base base_of(const struct meta_backend *backend) { return (struct meta_base){ .filled = base_filled, .backend = backend, .learning_rate = RATE }; }

static void predict(const struct meta_adapted *a, enum meta_bn bn, const float *x, int n, float *p)
{
    struct meta_error error;
    if (meta_adapted_predict(a, bn, x, n, (struct meta_answer){ .probabilities = p }, &error)) fail_msg("%s", error.text);
}

static void near_odds(const float *probabilities, const double *log_odds, int n, double tolerance)
{
    for (int i = 0; i < n; i++) assert_near(probabilities[i], meta_log_odds_probability(log_odds[i]), tolerance);
}

#endif
