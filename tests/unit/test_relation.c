/* Networks that pair query images with classes: [relation] and [cost] against loops written here, on both backends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "near.h"
#include "learning/inner_loop.h"
#include "engine/log_odds.h"
#include "engine/lower.h"
#include "config/plugins.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

enum { WAYS = 3, SUPPORT = 5, QUERY = 4, PAIRS = QUERY * WAYS, C = 2, SIDE = 5, MAPS = 17, HIDDEN = 4 };
static const int support_labels[SUPPORT] = { 2, 0, 2, 1, 0 }, query_labels[QUERY] = { 1, 2, 0, 1 };
static float images[SUPPORT + QUERY][C * SIDE * SIDE];
static struct meta_error error;
static struct meta_network *net;
static double phi[20000];

static const struct meta_plugin *relation(void)
{
    const struct meta_plugins *plugins = meta_plugins_load(&error);
    if (!plugins) fail_msg("%s", error.text);
    const struct meta_plugin *p = meta_plugins_find(plugins, "relation");
    if (!p) fail_msg("no [relation] in %s", plugins->folders);
    return p;
}

static void add(struct meta_layer l)
{
    if (meta_network_add(net, l, &error)) fail_msg("%s", error.text);
}

/* 3x3 convolution to 17 maps, leaky; relation; connected to 4, leaky; connected to 1, logistic; cost */
static int set_up(void **state)
{
    int where;
    struct meta_rng rng = meta_rng_open(4, META_USE_CHECK, 0, 0, 0);
    if (meta_network_create(&net, (struct meta_shape){ C, SIDE, SIDE }, &error)) return -1;
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = MAPS, .size = 3, .stride = 1, .padding = 0, .activation = META_LEAKY });
    add((struct meta_layer){ .type = META_PAIRING, .plugin = relation(), .ways = WAYS });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = HIDDEN, .activation = META_LEAKY });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 1, .activation = META_LOGISTIC });
    add((struct meta_layer){ .type = META_COST });
    if (meta_network_finish(net, 1, &where, &error)) fail_msg("%s", error.text);
    for (size_t i = 0; i < net->parameters; i++) phi[i] = (float)(.25 * meta_rng_normal(&rng));
    for (int i = 0; i < SUPPORT + QUERY; i++)
        for (int k = 0; k < C * SIDE * SIDE; k++) images[i][k] = meta_rng_uniform(&rng);
    return 0;
}

static int tear_down(void **state) { meta_network_free(net); return 0; }

/* ---- the reference -------------------------------------------------------------------------------------------------------- */

static double leaky(double x) { return x > 0 ? x : .1 * x; }

static double maps[SUPPORT + QUERY][MAPS][SIDE - 2][SIDE - 2];

static void make_maps(const double *p)
{
    const double *w = p + net->layers[0].weights;
    for (int image = 0; image < SUPPORT + QUERY; image++)
        for (int m = 0; m < MAPS; m++)
            for (int y = 0; y < SIDE - 2; y++)
                for (int x = 0; x < SIDE - 2; x++) {
                    double sum = p[net->layers[0].biases + m];
                    for (int c = 0; c < C; c++)
                        for (int i = 0; i < 3; i++)
                            for (int j = 0; j < 3; j++) sum += w[((m * C + c) * 3 + i) * 3 + j] * images[image][(c * SIDE + y + i) * SIDE + x + j];
                    maps[image][m][y][x] = leaky(sum);
                }
}

/* The map of one pair: channels 0..16 the class's, 17..33 the query image's. */
static double pair_at(int query, int class, int m, int y, int x)
{
    if (m >= MAPS) return maps[SUPPORT + query][m - MAPS][y][x];
    double sum = 0;
    for (int s = 0; s < SUPPORT; s++)
        if (support_labels[s] == class) sum += maps[s][m][y][x];
    return sum;
}

/* What the last logistic function is of; of the maps that were made last. */
static double argument(const double *p, int query, int class)
{
    const struct meta_layer *hidden = &net->layers[2], *last = &net->layers[3];
    double out = p[last->biases];
    for (int h = 0; h < HIDDEN; h++) {
        double sum = p[hidden->biases + h];
        for (int m = 0, at = 0; m < 2 * MAPS; m++)
            for (int y = 0; y < SIDE - 2; y++)
                for (int x = 0; x < SIDE - 2; x++, at++)
                    sum += p[hidden->weights + h * (2 * MAPS * (SIDE - 2) * (SIDE - 2)) + at] * pair_at(query, class, m, y, x);
        out += p[last->weights + h] * leaky(sum);
    }
    return out;
}

static double score(const double *p, int query, int class) { return 1 / (1 + exp(-argument(p, query, class))); }

static double loss_of(const double *p)
{
    double sum = 0;
    make_maps(p);
    for (int q = 0; q < QUERY; q++)
        for (int k = 0; k < WAYS; k++) sum += pow(score(p, q, k) - (query_labels[q] == k), 2);
    return sum / PAIRS;
}

/* ---- the engine ----------------------------------------------------------------------------------------------------------- */

struct run { const struct meta_backend *backend; double exact, rough; };
static struct run runs[] = { { &meta_backend_reference, 1e-6, 1e-6 }, { &meta_backend_onednn, 1e-6, 1e-4 } };    /* probabilities are floats */

static struct meta_task task(void)
{
    return (struct meta_task){ images[0], support_labels, images[SUPPORT], query_labels, 1, 1, 0, NULL };
}

static struct meta_worker *worker(const struct meta_backend *b, int steps, int order)
{
    struct meta_worker *w = NULL;
    struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .steps = steps, .learning_rate = .1, .order = order };
    return meta_worker_create(&w, net, b, inner, &error) ? NULL : w;
}

static void gradient_and_scores(void **state)
{
    const struct run *r = *state;
    const struct meta_backend *b = r->backend;
    struct meta_worker *w = worker(b, 0, 1);
    assert_non_null(w);
    void *parameters = b->allocate(net->parameters * b->element), *gradient = b->allocate(net->parameters * b->element);
    double *got = malloc(net->parameters * sizeof *got);
    double scores[PAIRS];
    struct meta_task t = task();
    struct meta_task_result result = { .gradient = gradient, .query_scores = scores };
    b->upload_double(parameters, phi, net->parameters);
    meta_worker_gradient(w, parameters, &t, 0, NULL, &result);
    assert_near(result.query_loss, loss_of(phi), b == &meta_backend_reference ? 1e-12 : r->exact);
    int right = 0;
    for (int q = 0; q < QUERY; q++) {
        double sum = 0;
        int best = 0;
        for (int k = 0; k < WAYS; k++) sum += score(phi, q, k);
        for (int k = 0; k < WAYS; k++) {
            assert_near(meta_log_odds_probability(scores[q * WAYS + k]), score(phi, q, k) / sum, r->exact);
            if (score(phi, q, k) > score(phi, q, best)) best = k;
        }
        right += best == query_labels[q];
    }
    assert_near(result.accuracy, right / (double)QUERY, 1e-12);
    /* every parameter: the gradient against differences of the loops' loss */
    b->download_double(got, gradient, net->parameters);
    double apart = 0, norm = 0;
    for (size_t i = 0; i < net->parameters; i++) {
        double at = phi[i];
        phi[i] = at + 1e-6;
        double up = loss_of(phi);
        phi[i] = at - 1e-6;
        double slope = (up - loss_of(phi)) / 2e-6;
        phi[i] = at;
        apart += pow(slope - got[i], 2);
        norm += slope * slope;
    }
    assert_true(norm > 1e-4);
    assert_true(sqrt(apart / norm) < r->rough);
    free(got);
    b->release(parameters);
    b->release(gradient);
    meta_worker_free(w);
}

static void scoring_alone(void **state)
{
    const struct run *r = *state;
    const struct meta_backend *b = r->backend;
    struct meta_worker *w = worker(b, 0, 0);
    assert_non_null(w);
    void *parameters = b->allocate(net->parameters * b->element);
    double before[PAIRS], after[PAIRS];
    struct meta_task t = task();
    struct meta_task_result result = { .scores_before = before, .query_scores = after };
    b->upload_double(parameters, phi, net->parameters);
    meta_worker_adapt(w, parameters, &t, 0, &result);
    result.scores_before = NULL;
    assert_memory_equal(before, after, sizeof before);
    assert_near(result.query_loss, loss_of(phi), r->exact);
    for (int q = 0; q < QUERY; q++) {
        double sum = 0;
        for (int k = 0; k < WAYS; k++) sum += meta_log_odds_probability(after[q * WAYS + k]);
        assert_near(sum, 1, 1e-12);
    }
    /* scores that are 0 in float: far below 0 the logistic function is the exponential one, and their shares are a softmax */
    double bias = phi[net->layers[3].biases];
    phi[net->layers[3].biases] = -200;
    b->upload_double(parameters, phi, net->parameters);
    meta_worker_adapt(w, parameters, &t, 0, &result);
    for (int q = 0; q < QUERY; q++)
        for (int k = 0; k < WAYS; k++) {
            double others = 0;
            for (int j = 0; j < WAYS; j++) if (j != k) others += exp(argument(phi, q, j) - argument(phi, q, k));
            assert_near(after[q * WAYS + k], -log(others), 1e-4);
        }
    phi[net->layers[3].biases] = NAN;
    b->upload_double(parameters, phi, net->parameters);
    meta_worker_adapt(w, parameters, &t, 0, &result);
    for (int i = 0; i < PAIRS; i++) assert_true(isnan(after[i]));
    phi[net->layers[3].biases] = bias;
    b->release(parameters);
    meta_worker_free(w);
}

/* What else a network that pairs can't be asked. */
static void refusals(void **state)
{
    assert_null(worker(&meta_backend_reference, 1, 1));
    assert_string_equal(error.text, "steps=1, order=1: a network that pairs takes no steps in a task, and order=1");
    assert_null(worker(&meta_backend_reference, 0, 2));
    assert_string_equal(error.text, "steps=0, order=2: a network that pairs takes no steps in a task, and order=1");
    assert_int_equal(meta_network_outputs(net), WAYS);
}

/* The plugin by itself: <u, f(x)> = <f'(u), x> for a linear f, and f as it is defined. */
static void plugin(void **state)
{
    const struct meta_pairing_functions *f = relation()->pairing;
    struct meta_shape in = { 3, 2, 4 }, out;
    enum { N = 3 * 2 * 4 };
    struct meta_set set = { WAYS, SUPPORT, QUERY, support_labels };
    static double x[(SUPPORT + QUERY) * N], xbar[(SUPPORT + QUERY) * N], y[PAIRS * 2 * N], u[PAIRS * 2 * N];
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 0, 0);
    double left = 0, right = 0;
    for (int i = 0; i < (SUPPORT + QUERY) * N; i++) x[i] = meta_rng_normal(&rng);
    for (int i = 0; i < PAIRS * 2 * N; i++) u[i] = meta_rng_normal(&rng);
    memset(y, 0x7f, sizeof y);
    memset(xbar, 0x7f, sizeof xbar);
    assert_int_equal(f->shape(NULL, in, &out, &error), 0);
    assert_true(out.c == 6 && out.h == 2 && out.w == 4);
    f->forward(NULL, in, &set, x, y);
    f->backward(NULL, in, &set, x, u, xbar);
    for (int q = 0; q < QUERY; q++)
        for (int k = 0; k < WAYS; k++)
            for (int i = 0; i < N; i++) {
                double sum = 0;
                for (int s = 0; s < SUPPORT; s++) sum += support_labels[s] == k ? x[s * N + i] : 0;
                assert_near(y[(q * WAYS + k) * 2 * N + i], sum, 1e-12);
                assert_near(y[(q * WAYS + k) * 2 * N + N + i], x[(SUPPORT + q) * N + i], 0);
            }
    for (int i = 0; i < PAIRS * 2 * N; i++) left += u[i] * y[i];
    for (int i = 0; i < (SUPPORT + QUERY) * N; i++) right += xbar[i] * x[i];
    assert_near(left, right, 1e-9);
}

static float *poisoned(size_t n)
{
    float *p = meta_backend_onednn.allocate(n * sizeof *p);
    for (size_t i = 0; i < n; i++) p[i] = NAN;
    return p;
}

/* Channels that fill a block up are 0 in whatever oneDNN's pairing writes. */
static void padding(void **state)
{
    const struct meta_backend *b = &meta_backend_onednn;
    struct meta_lowered low;
    assert_int_equal(b->open(&error), 0);
    assert_int_equal(meta_lower(&low, net, b, SUPPORT, QUERY, &error), 0);
    struct meta_op *op = low.ops;
    while (op->kind != META_OP_PAIRING) op++;
    const struct meta_kernel *kernel = b->kernel(op);
    size_t in = op->batch * b->image(*op->in), out = op->out_batch * b->image(op->out);
    assert_true(op->batch == SUPPORT + QUERY && op->out_batch == PAIRS && in > (size_t)op->batch * MAPS * 9);
    op->labels = support_labels;
    op->x[0] = (struct meta_planes){ .value = b->allocate(in * sizeof(float)), .bar = poisoned(in) };
    op->y = (struct meta_planes){ .value = poisoned(out), .bar = b->allocate(out * sizeof(float)) };
    b->set(op->x->value, in, 1);
    b->set(op->y.bar, out, 1);
    assert_int_equal(kernel->create(op, 0, &error), 0);
    kernel->forward(op, NULL);
    kernel->backward(op, NULL, NULL);
    double sum = 0, barsum = 0;
    for (size_t i = 0; i < out; i++) sum += ((float *)op->y.value)[i];
    for (size_t i = 0; i < in; i++) barsum += ((float *)op->x->bar)[i];
    assert_near(sum, 9 * MAPS * QUERY * (SUPPORT + WAYS), 1e-9);              /* each support image once a query, the query WAYS times */
    assert_near(barsum, 9 * MAPS * QUERY * (SUPPORT + WAYS), 1e-9);
    kernel->destroy(op);
    void *planes[] = { op->x->value, op->x->bar, op->y.value, op->y.bar };
    for (int i = 0; i < 4; i++) b->release(planes[i]);
    meta_lowered_free(&low);
}

int main(void)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(plugin),
        { "gradient and scores, reference", gradient_and_scores, NULL, NULL, &runs[0] },
        { "gradient and scores, onednn", gradient_and_scores, NULL, NULL, &runs[1] },
        { "scoring alone, reference", scoring_alone, NULL, NULL, &runs[0] },
        { "scoring alone, onednn", scoring_alone, NULL, NULL, &runs[1] },
        cmocka_unit_test(padding), cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
