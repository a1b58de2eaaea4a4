/* A parameter that is no number makes every answer none, whatever activation, pool and backend stand between: a task whose steps have left
   one must not be scored. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "learning/inner_loop.h"
#include "small_network.h"

enum { SUPPORT = 4, QUERY = 6, PIXELS = 8 * 8 };

static const enum meta_activation kinds[] = { META_RELU, META_LEAKY, META_HARD_MISH, META_RELU6 };

static struct meta_network *network(enum meta_activation kind, int normalised)
{
    struct meta_network *net;
    struct meta_error error;
    int where;
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 4, .size = 3, .stride = 1, .padding = 1,
                               .batch_normalize = normalised, .activation = kind };
    if (meta_network_create(&net, (struct meta_shape){ 2, 8, 8 }, &error)) fail_msg("%s", error.text);
    layer(net, conv, 0, 0);
    layer(net, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 }, 0, 0);
    layer(net, conv, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 2 }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("%s", error.text);
    return net;
}

static void score_each(const struct meta_backend *backend, const struct meta_network *net)
{
    struct meta_error error;
    struct meta_worker *w;
    const struct meta_inner inner = { .support = SUPPORT, .query = QUERY };
    float images[(SUPPORT + QUERY) * 2 * PIXELS], phi[net->parameters], statistics[net->statistics + 1];
    double scores[QUERY * 2];
    const int labels[SUPPORT + QUERY] = { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 };
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) images[i] = meta_rng_uniform(&rng);
    const struct meta_task task = { images, labels, images + SUPPORT * 2 * PIXELS, labels + SUPPORT, 3, 4, 5, NULL };
    struct meta_task_result result = { .query_scores = scores };
    meta_network_initialise(net, 8, phi, statistics);
    if (backend->open(&error) || meta_worker_create(&w, net, backend, inner, &error)) fail_msg("%s", error.text);
    void *p = backend->allocate(net->parameters * backend->element);
    for (size_t i = 0; i < 2 * net->parameters; i++) {
        float *one = &phi[i / 2], kept = *one;
        *one = NAN;
        backend->upload(p, phi, net->parameters);
        *one = kept;
        if (i % 2) meta_worker_score(w, p, &task, scores);
        else meta_worker_adapt(w, p, &task, 0, &result);
        for (int k = 0; k < QUERY * 2; k++)
            if (!isnan(scores[k]))
                fail_msg("%s, %s, parameter %zu of %zu: score %g", backend->name, meta_activation_name(net->layers->activation), i / 2,
                         net->parameters, scores[k]);
    }
    backend->release(p);
    meta_worker_free(w);
}

static void no_answer(void **state)
{
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int normalised = 0; normalised < 2; normalised++) {
            struct meta_network *net = network(kinds[k], normalised);
            score_each(*state, net);
            meta_network_free(net);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { { "on the reference backend", no_answer, NULL, NULL, (void *)&meta_backend_reference },
                                        { "on oneDNN", no_answer, NULL, NULL, (void *)&meta_backend_onednn } };
    return cmocka_run_group_tests_name("no_number", tests, NULL, NULL);
}
