/* A small model without files, its tasks, and an outer loop over them. Included after cmocka.h. */
#ifndef OUTER_RIG_H
#define OUTER_RIG_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "learning/outer_loop.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

enum { WAYS = 2, SHOTS = 3, QUERIES = 4, TASKS = 4, SIDE = 8, CHANNELS = 3 };

static struct meta_episode_settings episode = { .ways = WAYS, .shots = SHOTS, .queries = QUERIES, .tasks = TASKS };
static struct meta_inner_settings inner = { .steps = 2, .test_steps = 2, .learning_rate = .05, .order = 2 };

/* w and DA of Eq. 3 from iteration 4 on */
static double loss_value(const void *settings, double l, long i) { return i < 4 ? l : -pow(l, 3) * log(fmax(1e-3, 1 - l)); }
static double loss_weight(const void *settings, double l, long i)
{
    return i < 4 ? 1 : -3 * l * l * log(fmax(1e-3, 1 - l)) + (1 - l > 1e-3 ? l * l * l / (1 - l) : 0);
}
/* What a test sets: whether weights are divided by their mean; a weight of every task, unless NaN; and one taken off each. */
static int divided;
static double every = NAN, taken_off;
static double any_weight(const void *settings, double l, long i)
{
    return (isnan(every) ? loss_weight(settings, l, i) : every) - taken_off;
}
static int is_divided(const void *settings) { return divided; }
static const struct meta_loss_functions functions = { loss_value, any_weight, is_divided };
static const struct meta_plugin loss = { .name = "hard", .role = META_ROLE_META_LOSS, .loss = &functions };

static struct meta_model model = { .episode = &episode, .inner = &inner, .loss = &loss,
                                   .net = { .learning_rate = .01, .adam = 1, .B1 = .9, .B2 = .999, .eps = 1e-8, .decay = .0001 } };

static void add(struct meta_layer l)
{
    struct meta_error e;
    if (meta_network_add(model.network, l, &e)) fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct meta_error e;
    if (meta_network_create(&model.network, (struct meta_shape){ CHANNELS, SIDE, SIDE }, &e)) return -1;
    for (int i = 0; i < 2; i++) {
        add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                                 .activation = META_RELU });
        add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    }
    add((struct meta_layer){ .type = META_DROPOUT, .probability = .2 });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = WAYS, .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return 0;
}

static int tear_down(void **state) { meta_network_free(model.network); return 0; }

/* Tasks of an iteration: noise around a colour a class. */
struct tasks {
    struct meta_batch batches[TASKS];
    const struct meta_batch *list[TASKS];
    float support[TASKS][WAYS * SHOTS * CHANNELS * SIDE * SIDE], query[TASKS][WAYS * QUERIES * CHANNELS * SIDE * SIDE];
    int support_labels[WAYS * SHOTS], query_labels[WAYS * QUERIES];
};

static void draw(struct meta_rng *rng, float *out, int each)
{
    for (int i = 0; i < WAYS * each; i++)
        for (int c = 0; c < CHANNELS; c++)
            for (int p = 0; p < SIDE * SIDE; p++)
                *out++ = .5 + .2 * meta_rng_normal(rng) + (c == i / each ? .15 : 0);
}

static void make_tasks(struct tasks *t, uint64_t iteration)
{
    for (int i = 0; i < WAYS * SHOTS; i++) t->support_labels[i] = i / SHOTS;
    for (int i = 0; i < WAYS * QUERIES; i++) t->query_labels[i] = i / QUERIES;
    for (int k = 0; k < TASKS; k++) {
        struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, iteration, k, 0);
        draw(&rng, t->support[k], SHOTS);
        draw(&rng, t->query[k], QUERIES);
        t->batches[k] = (struct meta_batch){ NULL, t->support[k], t->support_labels, t->query[k], t->query_labels };
        t->list[k] = &t->batches[k];
    }
}

struct run { struct meta_pool *pool; struct meta_outer *outer; };

static struct run open_run(const struct meta_backend *b, int threads)
{
    struct meta_error e;
    struct run r;
    float parameters[model.network->parameters], statistics[model.network->statistics];
    if (meta_pool_create(&r.pool, threads, &e) || meta_outer_create(&r.outer, &(struct meta_outer_parts){ &model, b, r.pool, 9, NULL, NULL }, &e)) fail_msg("%s", e.text);
    meta_network_initialise(model.network, 4, parameters, statistics);
    meta_outer_upload(r.outer, parameters, statistics);
    return r;
}

static void close_run(struct run r)
{
    meta_outer_free(r.outer);
    meta_pool_free(r.pool);
}

static struct tasks tasks;

static struct meta_outer_result step(struct run r, uint64_t iteration)
{
    struct meta_error e;
    struct meta_outer_result result;
    make_tasks(&tasks, iteration);
    if (meta_outer_step(r.outer, tasks.list, iteration, .01, &result, &e)) fail_msg("%s", e.text);
    return result;
}

/* Under a sanitizer or Memcheck: fewer iterations of the same. */
static inline int quick(void)
{
    const char *variant = getenv("TEST_VARIANT");
    return variant && *variant && strcmp(variant, "release");
}

#endif
