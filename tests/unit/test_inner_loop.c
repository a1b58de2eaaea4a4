/* One task: the inner loop against its definition, step by step on programs; its meta-gradient against differences; and what may
   not change a result: steps kept or computed again, a worker made for more steps, what it did before. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "tools/check/check.h"
#include "learning/inner_loop.h"
#include "near.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

#define SUPPORT 4
#define QUERY 6
#define STEPS 3
#define RATE .1

static const struct meta_backend *const backends[] = { &meta_backend_reference, &meta_backend_onednn };
static struct meta_network *net;
static size_t n;
static float images[(SUPPORT + QUERY) * 2 * 8 * 8], *initial;
static int labels[SUPPORT + QUERY];
static struct meta_task task;
static int head;                   /* whether the steps move the last layer alone */

static void layer(struct meta_layer l)
{
    struct meta_error error;
    if (meta_network_add(net, l, &error)) fail_msg("%s", error.text);
}

static int set_up(void **state)
{
    struct meta_error error;
    int where;
    if (meta_network_create(&net, (struct meta_shape){ 2, 8, 8 }, &error)) return -1;
    layer((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 5, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_LEAKY });
    layer((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    layer((struct meta_layer){ .type = META_DROPOUT, .probability = .2 });
    layer((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 4, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1, .activation = META_RELU });
    layer((struct meta_layer){ .type = META_CONNECTED, .filters = 2 });
    layer((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(net, 2, &where, &error)) return -1;
    n = net->parameters;
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < SUPPORT + QUERY; i++) labels[i] = i % 2;
    task = (struct meta_task){ images, labels, images + SUPPORT * 2 * 8 * 8, labels + SUPPORT, 3, 4, 5, NULL };
    float statistics[net->statistics];
    initial = malloc(n * sizeof *initial);
    meta_network_initialise(net, 8, initial, statistics);
    for (int k = 0; k < 2; k++)
        if (backends[k]->open(&error)) return -1;
    return 0;
}

static int tear_down(void **state)
{
    meta_network_free(net);
    free(initial);
    return 0;
}

static void *vector(const struct meta_backend *backend)
{
    void *p = backend->allocate(n * backend->element);
    assert_non_null(p);
    backend->upload(p, initial, n);
    return p;
}

static struct meta_worker *worker(const struct meta_backend *backend, int steps, int order, int keep)
{
    struct meta_worker *w;
    struct meta_error error;
    struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .steps = steps, .learning_rate = RATE, .order = order, .keep = keep, .head = head };
    if (meta_worker_create(&w, net, backend, inner, &error)) fail_msg("%s", error.text);
    assert_true(meta_worker_bytes(w) > 0);
    return w;
}

static double square(void *context, double loss, double *meta_loss)
{
    *meta_loss = loss * loss;
    return 2 * loss;
}
static const struct meta_weigher weigher = { square, NULL };

/* ---- against the definition -------------------------------------------------------------------------------------------------- */

struct expected { double support_loss[STEPS], query_loss; void *phi, *v; double scores[QUERY * 2]; float statistics[18]; };

static struct meta_program *program(const struct meta_backend *backend, int batch, enum meta_passes passes)
{
    struct meta_program *p;
    struct meta_error error;
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .query = batch, .passes = passes }, &error)) fail_msg("%s", error.text);
    return p;
}

static double pass(struct meta_program *p, const void *phi, int item, void *gradient)
{
    meta_program_dropout(p, (struct meta_dropout_key){ task.seed, task.iteration, task.task, item, 1 });
    double loss = meta_program_forward(p, phi, META_STATISTICS_BATCH, NULL);
    meta_program_gradient(p, phi, gradient);
    return loss;
}

static void *part(const struct meta_backend *backend, void *vector, size_t first) { return (char *)vector + first * backend->element; }

/* H R v into g, where R is RATE for the parameters from `first` on and 0 for those before */
static void product(const struct meta_backend *backend, struct meta_program *support, const void *phi, size_t first, const void *v, void *g)
{
    void *moved = vector(backend);
    backend->copy(moved, v, n);
    backend->set(moved, first, 0);
    backend->scale(moved, n, RATE);
    meta_program_hessian_product(support, phi, moved, g);
    backend->release(moved);
}

/* design: phi_{s+1} = phi_s - gamma grad L_support(phi_s), v_S = grad L_query(phi_S), v_s = v_{s+1} - gamma H_s v_{s+1} */
static void by_definition(const struct meta_backend *backend, int steps, int order, int query_item, struct expected *e)
{
    struct meta_program *support = program(backend, SUPPORT, META_TANGENTS), *query = program(backend, QUERY, META_GRADIENT);
    void *phi[STEPS + 1], *g = vector(backend);
    size_t first = head ? net->layers[4].biases : 0;
    meta_program_load(support, task.support, task.support_labels);
    meta_program_load(query, task.query, task.query_labels);
    phi[0] = vector(backend);
    for (int s = 0; s < steps; s++) {
        e->support_loss[s] = pass(support, phi[s], s, g);
        if (!s) meta_program_batch_statistics(support, e->statistics);
        phi[s + 1] = vector(backend);
        backend->copy(phi[s + 1], phi[s], n);
        backend->axpy(part(backend, phi[s + 1], first), n - first, -RATE, part(backend, g, first));
    }
    e->v = vector(backend);
    e->query_loss = pass(query, phi[steps], query_item, e->v);
    if (!steps) meta_program_batch_statistics(query, e->statistics);
    meta_program_log_odds(query, e->scores);
    for (int s = steps - 1; s >= 0 && order == 2; s--) {
        pass(support, phi[s], s, g);
        if (head) product(backend, support, phi[s], first, e->v, g);
        else meta_program_hessian_product(support, phi[s], e->v, g);
        backend->axpy(e->v, n, head ? -1 : -RATE, g);
    }
    backend->scale(e->v, n, 2 * e->query_loss);
    for (int s = 0; s <= steps; s++) backend->release(phi[s]);
    backend->release(g);
    meta_program_free(support);
    meta_program_free(query);
}

static void task_gradient(struct meta_worker *w, const void *phi, const struct meta_task *of, int steps,
                          void *out, struct meta_task_result *r)
{
    r->gradient = out;
    meta_worker_gradient(w, phi, of, steps, &weigher, r);
}

static void adapt(struct meta_worker *w, const void *phi, const struct meta_task *of, int steps, double *before,
                  double *after)
{
    struct meta_task_result r = { .scores_before = before, .query_scores = after };
    meta_worker_adapt(w, phi, of, steps, &r);
}

static void follows_its_definition(void **state)
{
    const struct meta_backend *backend = *state;
    for (int order = 1; order <= 2; order++)
        for (int steps = 0; steps <= STEPS; steps++) {
            struct expected e;
            double support_loss[STEPS];
            double scores[QUERY * 2];
            float statistics[18];
            assert_int_equal(net->statistics, 18);
            struct meta_task_result r = { .support_loss = support_loss, .query_scores = scores, .statistics = statistics };
            struct meta_worker *w = worker(backend, STEPS, order, 0);
            void *phi = vector(backend), *got = vector(backend);
            by_definition(backend, steps, order, STEPS, &e);
            task_gradient(w, phi, &task, steps, got, &r);
            for (int s = 0; s < steps; s++) assert_true(support_loss[s] == e.support_loss[s]);
            assert_true(r.query_loss == e.query_loss);
            assert_true(r.meta_loss == e.query_loss * e.query_loss && r.weight == 2 * e.query_loss);
            assert_memory_equal(scores, e.scores, sizeof scores);
            assert_memory_equal(statistics, e.statistics, sizeof statistics);
            assert_memory_equal(got, e.v, n * backend->element);
            int right = 0;
            for (int i = 0; i < QUERY; i++) right += (scores[2 * i + 1] > scores[2 * i]) == task.query_labels[i];
            assert_near(r.accuracy, right / (double)QUERY, 1e-12);
            backend->release(phi);
            backend->release(got);
            backend->release(e.v);
            meta_worker_free(w);
        }
}

static void follows_its_definition_with_a_head(void **state)
{
    head = 1;
    follows_its_definition(state);
    head = 0;
}

/* The steps of a head leave the layers before it as they are; the meta-gradient does not. */
static void a_head_moves_alone(void **state)
{
    const struct meta_backend *backend = *state;
    size_t first = net->layers[4].biases;
    head = 1;
    struct meta_worker *w = worker(backend, STEPS, 2, 0);
    head = 0;
    void *phi = vector(backend), *gradient = vector(backend);
    struct meta_task_result r = { .gradient = gradient };
    float *now = malloc(n * sizeof *now);
    backend->download(now, meta_worker_learn(w, phi, &task, STEPS, &r), n);
    assert_memory_equal(now, initial, first * sizeof *now);
    assert_memory_not_equal(now + first, initial + first, (n - first) * sizeof *now);
    meta_worker_gradient(w, phi, &task, STEPS, NULL, &r);
    assert_true(backend->dot(gradient, gradient, first) > 0);
    free(now);
    backend->release(phi);
    backend->release(gradient);
    meta_worker_free(w);
}

/* ---- what may not change a result ---------------------------------------------------------------------------------------------- */

static void steps_kept_or_computed_again(void **state)
{
    const struct meta_backend *backend = *state;
    void *phi = vector(backend), *all = vector(backend), *some = vector(backend);
    struct meta_task_result r = { 0 };
    struct meta_worker *w = worker(backend, STEPS, 2, 0);
    size_t bytes = meta_worker_bytes(w);
    task_gradient(w, phi, &task, STEPS, all, &r);
    meta_worker_free(w);
    for (int keep = 1; keep <= STEPS + 1; keep++) {
        w = worker(backend, STEPS, 2, keep);
        task_gradient(w, phi, &task, STEPS, some, &r);
        assert_memory_equal(some, all, n * backend->element);
        assert_true(keep >= STEPS ? meta_worker_bytes(w) == bytes : meta_worker_bytes(w) < bytes);
        meta_worker_free(w);
    }
    backend->release(phi);
    backend->release(all);
    backend->release(some);
}

/* second_order_start: the iterations before it are those of a worker of order 1, to the bit. */
static void second_order_from_an_iteration_on(void **state)
{
    const struct meta_backend *backend = *state;
    struct meta_error error;
    struct meta_inner inner = { .support = SUPPORT, .query = QUERY, .steps = STEPS, .learning_rate = RATE, .order = 2, .second_order_start = 5 };
    struct meta_worker *late, *first = worker(backend, STEPS, 1, 0), *second = worker(backend, STEPS, 2, 0);
    if (meta_worker_create(&late, net, backend, inner, &error)) fail_msg("%s", error.text);
    void *phi = vector(backend), *got = vector(backend), *expected = vector(backend), *other = vector(backend);
    struct meta_task t = task;
    for (t.iteration = 4; t.iteration <= 5; t.iteration++) {
        struct meta_task_result r = { 0 };
        task_gradient(late, phi, &t, STEPS, got, &r);
        task_gradient(t.iteration < 5 ? first : second, phi, &t, STEPS, expected, &r);
        task_gradient(t.iteration < 5 ? second : first, phi, &t, STEPS, other, &r);
        assert_memory_equal(got, expected, n * backend->element);
        assert_memory_not_equal(got, other, n * backend->element);
    }
    void *vectors[] = { phi, got, expected, other };
    for (int i = 0; i < 4; i++) backend->release(vectors[i]);
    meta_worker_free(late);
    meta_worker_free(first);
    meta_worker_free(second);
}

static void a_worker_keeps_nothing(void **state)
{
    const struct meta_backend *backend = *state;
    void *phi = vector(backend), *first = vector(backend), *again = vector(backend);
    double after[QUERY * 2];
    struct meta_task_result r = { 0 };
    struct meta_worker *w = worker(backend, STEPS + 2, 2, 0);
    struct meta_task other = { task.query, task.query_labels, images, labels, 1, 1, 1, NULL };
    task_gradient(w, phi, &task, STEPS, first, &r);
    double loss = r.query_loss;
    task_gradient(w, phi, &other, STEPS + 2, again, &r);
    assert_memory_not_equal(first, again, n * backend->element);
    adapt(w, phi, &other, 1, NULL, after);
    task_gradient(w, phi, &task, STEPS, again, &r);
    assert_memory_equal(first, again, n * backend->element);
    assert_true(r.query_loss == loss);
    float *now = malloc(n * sizeof *now);                        /* phi itself is as it was */
    backend->download(now, phi, n);
    assert_memory_equal(now, initial, n * sizeof *now);
    free(now);
    backend->release(phi);
    backend->release(first);
    backend->release(again);
    meta_worker_free(w);
}

/* Order 0 adapts as the others do; dropout acts in the steps, not on the query set. */
static void adapting_alone(void **state)
{
    const struct meta_backend *backend = *state;
    void *phi = vector(backend);
    double before[QUERY * 2], after[3][QUERY * 2], plain[QUERY * 2];
    for (int order = 0; order <= 2; order++) {
        struct meta_worker *w = worker(backend, STEPS, order, 0);
        adapt(w, phi, &task, STEPS, before, after[order]);
        assert_memory_equal(after[order], after[0], sizeof after[0]);
        adapt(w, phi, &task, 0, NULL, plain);
        assert_memory_equal(plain, before, sizeof before);
        assert_memory_not_equal(after[order], before, sizeof before);
        meta_worker_free(w);
    }
    struct meta_program *query = program(backend, QUERY, META_FORWARD);
    meta_program_load(query, task.query, task.query_labels);
    meta_program_dropout(query, (struct meta_dropout_key){ 0 });
    meta_program_forward(query, phi, META_STATISTICS_BATCH, NULL);
    meta_program_log_odds(query, plain);
    assert_memory_equal(plain, before, sizeof before);
    meta_program_free(query);
    backend->release(phi);
}

/* ---- shares of support images ----------------------------------------------------------------------------------------------------- */

/* One step with these shares from phi, less phi. */
static void step_by(const struct meta_backend *backend, struct meta_worker *w, const void *phi, const double *shares, float *out, double *loss)
{
    struct meta_task of = task;
    struct meta_task_result r = { .support_loss = loss };
    of.support_shares = shares;
    backend->download(out, meta_worker_learn(w, phi, &of, 1, &r), n);
    for (size_t i = 0; i < n; i++) out[i] -= initial[i];
}

/* Loss and gradient are linear in the shares; without them each image has 1. */
static void shares_are_weights_of_a_mean(void **state)
{
    static const double ones[] = { 1, 1, 1, 1 }, first[] = { 4, 0, 0, 0 }, rest[] = { 0, 4. / 3, 4. / 3, 4. / 3 }, uneven[] = { 2, 2. / 3, 2. / 3, 2. / 3 };
    const struct meta_backend *backend = *state;
    void *phi = vector(backend);
    struct meta_worker *w = worker(backend, 1, 2, 0);
    float *moved[5];
    double loss[5];
    const double *shares[] = { NULL, ones, first, rest, uneven };
    for (int k = 0; k < 5; k++) step_by(backend, w, phi, shares[k], moved[k] = malloc(n * sizeof **moved), &loss[k]);
    assert_memory_equal(moved[0], moved[1], n * sizeof **moved);
    assert_true(loss[0] == loss[1] && fabs(loss[2] - loss[3]) > 1e-3);
    assert_near(loss[0], loss[2] / 4 + 3 * loss[3] / 4, 1e-6);
    assert_near(loss[4], loss[2] / 2 + loss[3] / 2, 1e-6);
    for (size_t i = 0; i < n; i++) {
        assert_near(moved[0][i], moved[2][i] / 4 + 3 * moved[3][i] / 4, 1e-6);
        assert_near(moved[4][i], moved[2][i] / 2 + moved[3][i] / 2, 1e-6);
    }
    for (int k = 0; k < 5; k++) free(moved[k]);
    meta_worker_free(w);
    backend->release(phi);
}

/* The meta-gradient through steps with shares, in double, along a direction. */
static void differentiates_through_shares(void **state)
{
    static const double shares[] = { 2, 2. / 3, 2. / 3, 2. / 3 };
    const struct meta_backend *backend = backends[0];
    void *phi = vector(backend), *gradient = vector(backend), *v = vector(backend);
    struct meta_worker *w = worker(backend, STEPS, 2, 0);
    struct meta_task of = task;
    double loss[2], h = 1e-5;
    of.support_shares = shares;
    struct meta_task_result r = { .gradient = gradient };
    meta_worker_gradient(w, phi, &of, STEPS, NULL, &r);
    double exact = backend->dot(gradient, v, n);
    for (int k = 0; k < 2; k++) {
        void *moved = vector(backend), *unused = vector(backend);
        backend->axpy(moved, n, k ? h : -h, v);
        struct meta_task_result at = { .gradient = unused };
        meta_worker_gradient(w, moved, &of, STEPS, NULL, &at);
        loss[k] = at.query_loss;
        backend->release(moved);
        backend->release(unused);
    }
    assert_near((loss[1] - loss[0]) / (2 * h), exact, 1e-5 * fabs(exact));
    meta_worker_free(w);
    backend->release(phi);
    backend->release(gradient);
    backend->release(v);
}

/* ---- against differences --------------------------------------------------------------------------------------------------------- */

static double da_value(const void *settings, double loss, long iteration) { return loss < 1 ? -pow(loss, 3) * log(1 - loss) : 5 * pow(loss, 3); }
static double da_weight(const void *settings, double loss, long iteration)
{ return loss < 1 ? -3 * loss * loss * log(1 - loss) + pow(loss, 3) / (1 - loss) : 15 * loss * loss; }
static double wrong_weight(const void *settings, double loss, long iteration) { return 1.001 * da_weight(settings, loss, iteration); }

static void count_held(void *counts, const struct meta_identity *i) { ((int *)counts)[i->error <= i->limit]++; }

static void exact_and_known_to_be(void **state)
{
    static const struct meta_loss_functions right = { da_value, da_weight, NULL }, wrong = { da_value, wrong_weight, NULL };
    for (int order = 1; order <= 2; order++)
        for (int k = 0; k < 2; k++) {
            struct meta_plugin plugin = { .loss = k ? &wrong : &right };
            struct meta_inner_settings inner = { .steps = 2, .test_steps = 2, .learning_rate = RATE, .order = order };
            struct meta_model model = { .network = net, .inner = &inner, .loss = &plugin };
            struct meta_error error;
            int counts[2] = { 0, 0 };
            struct meta_check check = { &model, 1, count_held, counts };
            if (meta_check_task(&check, &error)) fail_msg("%s", error.text);
            /* of the wrong weight: that itself and, under order 2, the meta-gradient */
            assert_int_equal(counts[0], k ? order : 0);
            assert_int_equal(counts[0] + counts[1], 2);
        }
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction run; } cases[] = {
        { "follows its definition", follows_its_definition }, { "follows its definition with a head", follows_its_definition_with_a_head },
        { "a head moves alone", a_head_moves_alone }, { "steps kept or computed again", steps_kept_or_computed_again },
        { "second order from an iteration on", second_order_from_an_iteration_on },
        { "a worker keeps nothing", a_worker_keeps_nothing }, { "adapting alone", adapting_alone },
        { "shares are weights of a mean", shares_are_weights_of_a_mean },
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[2 * COUNT + 2];
    static char names[2 * COUNT][80];
    for (int i = 0; i < 2 * COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%s on %s", cases[i % COUNT].name, backends[i / COUNT]->name);
        tests[i] = (struct CMUnitTest){ names[i], cases[i % COUNT].run, NULL, NULL, (void *)backends[i / COUNT] };
    }
    tests[2 * COUNT] = (struct CMUnitTest){ "exact, and known to be", exact_and_known_to_be, NULL, NULL, NULL };
    tests[2 * COUNT + 1] = (struct CMUnitTest){ "differentiates through shares", differentiates_through_shares, NULL, NULL, NULL };
    return _cmocka_run_group_tests("inner_loop", tests, 2 * COUNT + 2, set_up, tear_down);
}
