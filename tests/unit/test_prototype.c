/* Prototypical networks: the plugin [prototype] against loops written here, its gradient in a network on both backends, and the
   [connected] layer that a support set is adapted to. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "near.h"
#include "adaptation/adapt.h"
#include "base/rng.h"
#include "config/plugins.h"
#include "engine/log_odds.h"
#include "learning/inner_loop.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

enum { WAYS = 3, SUPPORT = 6, QUERY = 4, SIDE = 9, IMAGE = 2 * SIDE * SIDE };
#define TEMPERATURE 30.
static const int support_labels[SUPPORT] = { 2, 0, 2, 1, 0, 2 }, query_labels[QUERY] = { 1, 2, 0, 1 };
static float images[(SUPPORT + QUERY) * IMAGE];
static struct meta_error error;
static struct meta_network *net;
static float *phi, *statistics;

static const struct meta_plugin *plugin_of(const char *name)
{
    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins) fail_msg("%s", error.text);
    const struct meta_plugin *p = meta_plugins_find(plugins, name);
    if (!p) fail_msg("no [%s] in %s", name, plugins->folders);
    return p;
}

static void add(struct meta_network *to, struct meta_layer l)
{
    if (meta_network_add(to, l, &error)) fail_msg("%s", error.text);
}

/* A normalised convolution to 5 maps of 9x9, pooled to 3x3; [prototype]; softmax */
static struct meta_network *make(const char *pairing)
{
    int where;
    struct meta_network *n;
    if (meta_network_create(&n, (struct meta_shape){ 2, SIDE, SIDE }, &error)) fail_msg("%s", error.text);
    add(n, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 5, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_LEAKY });
    add(n, (struct meta_layer){ .type = META_MAXPOOL, .size = 3, .stride = 3, .padding = 0 });
    add(n, (struct meta_layer){ .type = META_PAIRING, .plugin = plugin_of(pairing), .ways = WAYS });
    if (strcmp(pairing, "prototype")) add(n, (struct meta_layer){ .type = META_CONNECTED, .filters = 1 });
    add(n, (struct meta_layer){ .type = META_SOFTMAX, .temperature = TEMPERATURE });
    if (meta_network_finish(n, 1, &where, &error)) fail_msg("%s", error.text);
    return n;
}

static int set_up(void **state)
{
    struct meta_rng rng = meta_rng_open(4, META_USE_CHECK, 0, 0, 0);
    net = make("prototype");
    phi = malloc(net->parameters * sizeof *phi);
    statistics = malloc(net->statistics * sizeof *statistics);
    meta_network_initialise(net, 3, phi, statistics);
    for (size_t i = 0; i < net->parameters; i++) phi[i] += (float)(.1 * meta_rng_normal(&rng));
    for (size_t i = 0; i < net->statistics; i++) statistics[i] = .3f + meta_rng_uniform(&rng);
    for (int i = 0; i < (SUPPORT + QUERY) * IMAGE; i++) images[i] = meta_rng_uniform(&rng);
    return 0;
}

static int tear_down(void **state)
{
    meta_network_free(net);
    free(phi);
    free(statistics);
    return 0;
}

/* ---- the plugin by itself -------------------------------------------------------------------------------------------------- */

enum { N = 3 * 10 * 11 }; /* more than one of the plugin's blocks */
static const struct meta_shape in = { 3, 10, 11 };
static double x[(SUPPORT + QUERY) * N];

static void prototype_of(int class, double *mean)
{
    int count = 0;
    memset(mean, 0, N * sizeof *mean);
    for (int s = 0; s < SUPPORT; s++) {
        if (support_labels[s] != class) continue;
        count++;
        for (int i = 0; i < N; i++) mean[i] += x[s * N + i];
    }
    for (int i = 0; i < N; i++) mean[i] /= count;
}

static void draw_x(void)
{
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 0, 0);
    for (int i = 0; i < (SUPPORT + QUERY) * N; i++) x[i] = 2 + meta_rng_normal(&rng);
}

static const struct meta_set set = { WAYS, SUPPORT, QUERY, support_labels };

static void distances(void **state)
{
    const struct meta_pairing_functions *f = plugin_of("prototype")->pairing;
    static double y[QUERY * WAYS], mean[N];
    struct meta_shape out;
    draw_x();
    memset(y, 0x7f, sizeof y);
    assert_int_equal(f->shape(NULL, in, &out, &error), 0);
    assert_true(out.c == 1 && out.h == 1 && out.w == 1);
    f->forward(NULL, in, &set, x, y);
    for (int k = 0; k < WAYS; k++) {
        prototype_of(k, mean);
        for (int q = 0; q < QUERY; q++) {
            double sum = 0;
            for (int i = 0; i < N; i++) sum += pow(x[(SUPPORT + q) * N + i] - mean[i], 2);
            assert_near(y[q * WAYS + k], -sum, 1e-9);
        }
    }
}

static void backward_is_the_derivative(void **state)
{
    const struct meta_pairing_functions *f = plugin_of("prototype")->pairing;
    static double xbar[(SUPPORT + QUERY) * N], up[QUERY * WAYS], down[QUERY * WAYS], u[QUERY * WAYS];
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    draw_x();
    for (int i = 0; i < QUERY * WAYS; i++) u[i] = meta_rng_normal(&rng);
    memset(xbar, 0x7f, sizeof xbar);
    f->backward(NULL, in, &set, x, u, xbar);
    for (int i = 0; i < (SUPPORT + QUERY) * N; i += 37) { /* the distance is a square: differences are exact */
        double at = x[i], slope = 0;
        x[i] = at + .5;
        f->forward(NULL, in, &set, x, up);
        x[i] = at - .5;
        f->forward(NULL, in, &set, x, down);
        x[i] = at;
        for (int k = 0; k < QUERY * WAYS; k++) slope += u[k] * (up[k] - down[k]);
        assert_near(xbar[i], slope, 1e-8);
    }
}

static void linear_form(void **state)
{
    const struct meta_pairing_functions *f = plugin_of("prototype")->pairing;
    static double y[QUERY * WAYS], weights[WAYS * N], biases[WAYS];
    struct meta_set support = { WAYS, SUPPORT, 0, support_labels };
    draw_x();
    f->forward(NULL, in, &set, x, y);
    f->linear(NULL, in, &support, x, weights, biases);
    double largest = 0;
    for (int i = 0; i < WAYS * N; i++) largest = fmax(largest, fabs(weights[i]));
    assert_true(largest < 6); /* without what the classes have in common */
    for (int q = 0; q < QUERY; q++) {
        double shift = 0;
        for (int k = 0; k < WAYS; k++) {
            double logit = biases[k];
            for (int i = 0; i < N; i++) logit += weights[k * N + i] * x[(SUPPORT + q) * N + i];
            if (!k) shift = y[q * WAYS] - logit;
            assert_near(y[q * WAYS + k] - logit, shift, 1e-9);
        }
    }
}

/* ---- in a network ---------------------------------------------------------------------------------------------------------- */

static struct meta_worker *worker(const struct meta_backend *b, int steps, int order, enum meta_bn bn)
{
    struct meta_worker *w = NULL;
    struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .steps = steps, .learning_rate = .1, .order = order, .bn = bn, .running = statistics };
    return meta_worker_create(&w, net, b, inner, &error) ? NULL : w;
}

/* adapt=head is of no effect where no steps are taken, and takes no more memory. */
static void a_head_takes_no_memory(void **state)
{
    const struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_LEAKY };
    struct meta_network *deep;
    size_t bytes[2];
    int where;
    if (meta_network_create(&deep, (struct meta_shape){ 2, 16, 16 }, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < 6; i++) add(deep, conv);
    add(deep, (struct meta_layer){ .type = META_PAIRING, .plugin = plugin_of("prototype"), .ways = WAYS });
    add(deep, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(deep, 1, &where, &error)) fail_msg("%s", error.text);
    for (int head = 0; head < 2; head++) {
        struct meta_worker *w;
        struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .bn = META_BN_SUPPORT, .head = head };
        if (meta_worker_create(&w, deep, &meta_backend_onednn, inner, &error)) fail_msg("%s", error.text);
        bytes[head] = meta_worker_bytes(w);
        meta_worker_free(w);
    }
    meta_network_free(deep);
    assert_int_equal(bytes[0], bytes[1]);
}

static struct meta_task task(void)
{
    return (struct meta_task){ images, support_labels, images + SUPPORT * IMAGE, query_labels, 1, 1, 0, NULL };
}

/* Writes the log-odds of the query images; returns their loss. */
static double score(struct meta_worker *w, const struct meta_backend *b, const double *parameters, double *scores)
{
    struct meta_task t = task();
    struct meta_task_result result = { .query_scores = scores };
    void *vector = b->allocate(net->parameters * b->element);
    b->upload_double(vector, parameters, net->parameters);
    meta_worker_adapt(w, vector, &t, 0, &result);
    b->release(vector);
    return result.query_loss;
}

static double *gradient_of(const struct meta_backend *b, double *loss)
{
    size_t n = net->parameters;
    double *got = malloc(n * sizeof *got), scores[QUERY * WAYS];
    struct meta_worker *w = worker(b, 0, 1, META_BN_BATCH);
    void *vector = b->allocate(n * b->element), *out = b->allocate(n * b->element);
    struct meta_task t = task();
    struct meta_task_result result = { .gradient = out, .query_scores = scores };
    assert_non_null(w);
    b->upload(vector, phi, n);
    meta_worker_gradient(w, vector, &t, 0, NULL, &result);
    *loss = 0;
    for (int q = 0; q < QUERY; q++) *loss += meta_log_odds_loss(scores[q * WAYS + query_labels[q]]) / QUERY;
    assert_near(result.query_loss, *loss, b == &meta_backend_reference ? 1e-12 : 1e-5);
    assert_true(*loss > .2 && *loss < 3);
    b->download_double(got, out, n);
    b->release(vector);
    b->release(out);
    meta_worker_free(w);
    return got;
}

/* In double against differences of the loss, in float against that. */
static void gradient(void **state)
{
    const struct meta_backend *b = &meta_backend_reference;
    size_t n = net->parameters;
    double losses[2], *got = gradient_of(b, &losses[0]), *floats = gradient_of(&meta_backend_onednn, &losses[1]), *at = malloc(n * sizeof *at);
    double scores[QUERY * WAYS], apart = 0, apart_floats = 0, norm = 0;
    struct meta_worker *w = worker(b, 0, 0, META_BN_BATCH);
    assert_non_null(w);
    for (size_t i = 0; i < n; i++) at[i] = phi[i];
    for (size_t i = 0; i < n; i++) {
        double middle = at[i];
        at[i] = middle + 1e-6;
        double up = score(w, b, at, scores);
        at[i] = middle - 1e-6;
        double slope = (up - score(w, b, at, scores)) / 2e-6;
        at[i] = middle;
        apart += pow(slope - got[i], 2);
        apart_floats += pow(floats[i] - got[i], 2);
        norm += slope * slope;
    }
    assert_true(norm > 1e-4);
    assert_true(sqrt(apart / norm) < 1e-7);
    assert_near(losses[1], losses[0], 1e-5);
    assert_true(sqrt(apart_floats / norm) < 1e-4);
    free(at);
    free(got);
    free(floats);
    meta_worker_free(w);
}

/* ---- adapted --------------------------------------------------------------------------------------------------------------- */

static struct meta_base base_of(struct meta_network *n, const struct meta_backend *b)
{
    return (struct meta_base){ .filled = { n, phi, statistics }, .backend = b, .learning_rate = .1 };
}

/* Under the support set's statistics and under rolling ones an image's features are the same in a task and alone: so are the answers. */
static void answers_as_the_task(const struct meta_backend *b, struct meta_adapted *a, enum meta_bn bn)
{
    double of_task[QUERY * WAYS], alone[QUERY * WAYS], *at = malloc(net->parameters * sizeof *at);
    float probabilities[QUERY * WAYS];
    struct meta_worker *w = worker(b, 0, 0, bn);
    if (!w) fail_msg("%s", error.text);
    for (size_t i = 0; i < net->parameters; i++) at[i] = phi[i];
    score(w, b, at, of_task);
    struct meta_answer answer = { probabilities, alone };
    if (meta_adapted_predict(a, bn, images + SUPPORT * IMAGE, QUERY, answer, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < QUERY * WAYS; i++) {
        assert_near(alone[i], of_task[i], 2e-5);
        assert_near(probabilities[i], meta_log_odds_probability(of_task[i]), 1e-5);
    }
    meta_worker_free(w);
    free(at);
}

static void classifier_answers_as_the_task(void **state)
{
    const struct meta_backend *b = *state;
    struct meta_base base = base_of(net, b);
    struct meta_adapted *a;
    struct meta_support s = { images, support_labels, SUPPORT, WAYS, 0, 0 };
    if (meta_adapt(&a, &base, &s, 0, &error)) fail_msg("%s", error.text);
    answers_as_the_task(b, a, META_BN_RUNNING);
    answers_as_the_task(b, a, META_BN_SUPPORT);
    const struct meta_network *plain = a->filled.network;
    assert_int_equal(plain->count, 4);
    assert_int_equal(plain->ways, 0);
    assert_int_equal(plain->layers[2].type, META_CONNECTED);
    assert_near(plain->layers[3].temperature, TEMPERATURE, 0);
    /* what the support set's own statistics normalise has other prototypes */
    struct meta_filled own = meta_adapted_filled(a, META_BN_SUPPORT), running = meta_adapted_filled(a, META_BN_RUNNING);
    assert_ptr_equal(own.statistics, a->support);
    assert_true(own.parameters[plain->layers[2].weights] != running.parameters[plain->layers[2].weights]);
    assert_true(own.parameters[0] == running.parameters[0]);
    /* the support set's loss is that of the answers for its own images */
    double loss = 0, odds[SUPPORT * WAYS];
    if (meta_adapted_predict(a, META_BN_SUPPORT, images, SUPPORT, (struct meta_answer){ .log_odds = odds }, &error)) fail_msg("%s", error.text);
    int counts[WAYS] = { 2, 1, 3 };
    for (int i = 0; i < SUPPORT; i++) loss += meta_log_odds_loss(odds[i * WAYS + support_labels[i]]) / counts[support_labels[i]] / WAYS;
    assert_near(a->loss_after, loss, 1e-5);
    assert_near(a->loss_before, a->loss_after, 0);
    meta_adapted_free(a);
}

/* Any number of classes, also more than the tasks of the training had. */
static void any_number_of_classes(void **state)
{
    struct meta_base base = base_of(net, &meta_backend_reference);
    static const int labels[SUPPORT] = { 0, 1, 2, 3, 4, 4 };
    for (int classes = 2; classes <= 5; classes += 3) {
        struct meta_adapted *a;
        float p[5] = { 0 };
        struct meta_support s = { images, classes == 2 ? (const int[]){ 0, 1, 1, 0, 0, 1 } : labels, SUPPORT, classes, 0, 0 };
        if (meta_adapt(&a, &base, &s, 0, &error)) fail_msg("%s", error.text);
        if (meta_adapted_predict(a, META_BN_SUPPORT, images, 1, (struct meta_answer){ .probabilities = p }, &error)) fail_msg("%s", error.text);
        double sum = 0;
        for (int k = 0; k < classes; k++) sum += p[k];
        assert_near(sum, 1, 1e-6);
        for (int k = 1; k < classes; k++) assert_true(p[0] > p[k]); /* the image is of class 0 */
        meta_adapted_free(a);
    }
}

static void refusals(void **state)
{
    struct meta_adapted *a;
    struct meta_support s = { images, support_labels, SUPPORT, WAYS, 0, 0 };
    struct meta_base base = base_of(net, &meta_backend_reference);
    assert_int_equal(meta_adapt(&a, &base, &s, 2, &error), -1);
    assert_string_equal(error.text, "2 steps: must be 0: [prototype] takes no steps in a task");
    struct meta_network *relation = make("relation");
    base = base_of(relation, &meta_backend_reference);
    assert_int_equal(meta_adapt(&a, &base, &s, 0, &error), -1);
    assert_string_equal(error.text, "[relation]: compares a task's images, and has nothing to adapt: must be a network that ends in "
                                    "[softmax], right behind [prototype]");
    meta_network_free(relation);
    assert_null(worker(&meta_backend_reference, 1, 1, META_BN_BATCH));
    assert_string_equal(error.text, "steps=1, order=1: a network that pairs takes no steps in a task, and order=1");
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(backward_is_the_derivative),
        cmocka_unit_test(linear_form),
        cmocka_unit_test(gradient),
        cmocka_unit_test(a_head_takes_no_memory),
        { "classifier answers as the task, reference", classifier_answers_as_the_task, NULL, NULL, (void *)&meta_backend_reference },
        { "classifier answers as the task, onednn", classifier_answers_as_the_task, NULL, NULL, (void *)&meta_backend_onednn },
        cmocka_unit_test(any_number_of_classes),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
