/* Kinds of meta-gradients that plain ones make up: with query losses after every step it is the mean of those of fewer steps, and
   Reptile's is where the steps lead. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/rng.h"
#include "learning/inner_loop.h"
#include "learning/learned_rates.h"
#include "near.h"
#include "small_network.h"

#define STEPS 3
#define GAMMA .1
#define FADE 10

static struct meta_network *net;
static float *initial, images[2 * BATCH * 3 * 10 * 9];
static int labels[2 * BATCH];
static struct meta_task task;

static int set_up(void **state)
{
    struct meta_error error;
    net = build(0);
    initial = malloc(net->parameters * sizeof *initial);
    float statistics[net->statistics];
    meta_network_initialise(net, 3, initial, statistics);
    struct meta_rng rng = meta_rng_open(6, META_USE_CHECK, 0, 0, 0);
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) images[i] = meta_rng_uniform(&rng);
    for (int i = 0; i < 2 * BATCH; i++) labels[i] = i % 3;
    task = (struct meta_task){ images, labels, images + BATCH * 3 * 10 * 9, labels + BATCH, 3, 4, 5, NULL };
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

static void *numbers_of(const struct meta_backend *b, size_t n) { return b->allocate(n * b->element); }

static void *phi_of(const struct meta_backend *b)
{
    void *phi = numbers_of(b, net->parameters);
    b->upload(phi, initial, net->parameters);
    return phi;
}

static struct meta_inner plain(int order) { return (struct meta_inner){ .support = BATCH, .query = BATCH, .steps = STEPS, .learning_rate = GAMMA, .order = order }; }

static struct meta_worker *worker(const struct meta_backend *b, struct meta_inner inner)
{
    struct meta_worker *w;
    struct meta_error error;
    if (meta_worker_create(&w, net, b, inner, &error)) fail_msg("%s", error.text);
    return w;
}

static double distance(const struct meta_backend *b, const void *x, const void *y, size_t n)
{
    void *apart = numbers_of(b, n);
    b->copy(apart, x, n);
    b->axpy(apart, n, -1, y);
    double d = sqrt(b->dot(apart, apart, n) / b->dot(y, y, n));
    b->release(apart);
    return d;
}

static double square(void *context, double loss, double *meta_loss)
{
    *meta_loss = loss * loss;
    return 2 * loss;
}
static const struct meta_weigher weigher = { square, NULL };

static void shares_fade_to_the_last(void **state)
{
    struct meta_inner inner = plain(2);
    for (int s = 1; s <= STEPS; s++) assert_true(meta_inner_share(&inner, 1, STEPS, s) == (s == STEPS));
    inner.multi_step = FADE;
    for (uint64_t it = 0; it <= FADE + 3; it++) {
        double sum = 0;
        for (int s = 1; s <= STEPS; s++) sum += meta_inner_share(&inner, it, STEPS, s);
        assert_near(sum, 1, 1e-15);
        assert_near(meta_inner_share(&inner, it, STEPS, 1), it < 2 ? 1. / STEPS : it > FADE ? 0 : (FADE + 1. - it) / FADE / STEPS, 1e-15);
        assert_true(it <= FADE || meta_inner_share(&inner, it, STEPS, STEPS) == 1);
    }
    assert_true(meta_inner_share(&inner, 1, 0, 0) == 1 && meta_inner_share(&inner, 1, 1, 1) == 1);
}

static void draw(struct meta_program *p, uint32_t item)
{
    meta_program_dropout(p, (struct meta_dropout_key){ task.seed, task.iteration, task.task, item, 1 });
}

/* The meta-gradient of a head's steps by whole programs, which differentiate the layers below in each step. */
static void by_whole_programs(const struct meta_backend *b, const void *start, size_t first, void *v)
{
    struct meta_program *support = program(net, b, META_TANGENTS), *query = program(net, b, META_GRADIENT);
    size_t n = net->parameters, at = first * b->element;
    char *phi[STEPS + 1], *g = numbers_of(b, n), *moved = numbers_of(b, n);
    meta_program_load(support, task.support, task.support_labels);
    meta_program_load(query, task.query, task.query_labels);
    for (int s = 0; s <= STEPS; s++) {
        b->copy(phi[s] = numbers_of(b, n), s ? phi[s - 1] : start, n);
        if (s) b->axpy(phi[s] + at, n - first, -GAMMA, g + at);
        draw(support, s);
        meta_program_forward(support, phi[s], META_STATISTICS_BATCH, NULL);
        meta_program_gradient(support, phi[s], g);
    }
    draw(query, STEPS);
    meta_program_forward(query, phi[STEPS], META_STATISTICS_BATCH, NULL);
    meta_program_gradient(query, phi[STEPS], v);
    for (int s = STEPS - 1; s >= 0; s--) {
        draw(support, s);
        meta_program_forward(support, phi[s], META_STATISTICS_BATCH, NULL);
        meta_program_gradient(support, phi[s], g);
        b->axpy(moved, n, -1, moved);
        b->axpy(moved + at, n - first, GAMMA, (char *)v + at);
        meta_program_hessian_product(support, phi[s], moved, g);
        b->axpy(v, n, -1, g);
    }
    for (int s = 0; s <= STEPS; s++) b->release(phi[s]);
    b->release(g);
    b->release(moved);
    meta_program_free(support);
    meta_program_free(query);
}

/* ANIL's exact meta-gradient, for which the layers below the head are differentiated once, is that of steps each of which does so; it takes the
   memory of one step, whatever `keep` is, and a worker keeps nothing from one task to the next. */
static void head_by_whole_programs(const struct meta_backend *b)
{
    size_t n = net->parameters, first = meta_layer_first(&net->layers[net->count - 2]);
    void *phi = phi_of(b), *got = numbers_of(b, n), *again = numbers_of(b, n), *whole = numbers_of(b, n);
    struct meta_inner inner = plain(2);
    inner.keep = 1;
    struct meta_worker *all = worker(b, inner);
    inner.head = 1;
    struct meta_worker *one = worker(b, inner);
    inner.keep = 0;
    struct meta_worker *head = worker(b, inner);
    assert_true(meta_worker_bytes(head) == meta_worker_bytes(one) && meta_worker_bytes(head) <= meta_worker_bytes(all) + 2 * n * b->element);
    struct meta_task other = { task.query, task.query_labels, task.support, task.support_labels, 3, 4, 6, NULL };
    struct meta_task_result r = { .gradient = got }, next = { .gradient = again };
    meta_worker_gradient(head, phi, &task, STEPS, NULL, &r);
    by_whole_programs(b, phi, first, whole);
    assert_true(distance(b, got, whole, first) < (b->element == 8 ? 1e-12 : 1e-5));
    assert_true(distance(b, got, whole, n) < (b->element == 8 ? 1e-12 : 1e-5));
    meta_worker_gradient(head, phi, &other, STEPS - 1, NULL, &next);
    assert_true(distance(b, again, got, n) > .01);
    meta_worker_gradient(head, phi, &task, STEPS, NULL, &next);
    assert_memory_equal(again, got, n * b->element);
    struct meta_worker *workers[] = { all, one, head };
    for (int k = 0; k < 3; k++) meta_worker_free(workers[k]);
    void *vectors[] = { phi, got, again, whole };
    for (int k = 0; k < 4; k++) b->release(vectors[k]);
}

static void a_head_has_the_layers_below_in_common(void **state) { head_by_whole_programs(*state); }

/* So it has where dropout comes right before the head, other in each step; not where it comes earlier. */
static void dropout_before_a_head(void **state)
{
    const struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 7, .size = 3, .stride = 2, .padding = 1, .batch_normalize = 1, .activation = META_LEAKY },
                            drop = { .type = META_DROPOUT, .probability = .3 };
    struct meta_network *usual = net;
    struct meta_inner inner = plain(2);
    float *numbers = initial;
    struct meta_error error;
    inner.head = 1;
    for (int early = 0; early < 2; early++) {
        int where;
        if (meta_network_create(&net, (struct meta_shape){ 3, 10, 9 }, &error)) fail_msg("%s", error.text);
        layer(net, conv, 0, 0);
        if (early) layer(net, drop, 0, 0);
        layer(net, conv, 0, 0);
        if (!early) layer(net, drop, 0, 0);
        layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 3, .activation = META_LINEAR }, 0, 0);
        layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
        if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
        initial = malloc(net->parameters * sizeof *initial);
        float statistics[net->statistics];
        meta_network_initialise(net, 5, initial, statistics);
        assert_int_equal(meta_inner_keeps_steps(net, &inner), early);
        if (early) assert_int_equal(meta_inner_keeps_steps(usual, &inner), 0);
        else head_by_whole_programs(*state);
        free(initial);
        meta_network_free(net);
    }
    net = usual;
    initial = numbers;
}

/* By parameters and by rates, of both orders, with activations kept and computed again. */
static void mean_of_fewer_steps(const struct meta_backend *b, int head)
{
    struct meta_error error;
    size_t n = net->parameters;
    struct meta_learned_rates *l;
    if (meta_learned_create(&l, net, (struct meta_rates_how){ META_RATES_LAYER, STEPS, head }, b, &error)) fail_msg("%s", error.text);
    meta_learned_fill(l, GAMMA);
    size_t m = meta_learned_numbers(l);
    void *phi = phi_of(b), *got = numbers_of(b, n), *mean = numbers_of(b, n), *one = numbers_of(b, n);
    void *by = numbers_of(b, m), *mean_by = numbers_of(b, m), *one_by = numbers_of(b, m);
    for (int order = 1; order <= 2; order++)
        for (int keep = 0; keep < 2; keep++) {
            struct meta_inner inner = plain(order);
            inner.rates = meta_learned_rates(l);
            inner.keep = keep;
            struct meta_worker *few = worker(b, inner);
            inner.multi_step = FADE;
            struct meta_worker *many = worker(b, inner);
            struct meta_task_result r = { .gradient = got, .rates = by }, part = { .gradient = one, .rates = one_by };
            meta_worker_gradient(many, phi, &task, STEPS, &weigher, &r);
            double loss = 0;
            b->set(mean, n, 0);
            b->set(mean_by, m, 0);
            for (int s = 1; s <= STEPS; s++) {
                double share = meta_inner_share(&inner, task.iteration, STEPS, s);
                meta_worker_gradient(few, phi, &task, s, NULL, &part);
                loss += share * part.query_loss;
                b->axpy(mean, n, share, one);
                b->axpy(mean_by, m, share, one_by);
            }
            assert_near(r.loss, loss, 1e-6);
            assert_true(r.query_loss == part.query_loss && r.accuracy == part.accuracy);
            assert_near(r.weight, 2 * r.loss, 1e-12);
            assert_near(r.meta_loss, r.loss * r.loss, 1e-12);
            b->scale(mean, n, r.weight);
            b->scale(mean_by, m, r.weight);
            assert_true(distance(b, got, mean, n) < (b->element == 8 ? 1e-12 : 1e-4));
            assert_true(distance(b, by, mean_by, m) < (b->element == 8 ? 1e-12 : 1e-4));
            meta_worker_free(few);
            meta_worker_free(many);
        }
    void *all[] = { phi, got, mean, one, by, mean_by, one_by };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) b->release(all[i]);
    meta_learned_free(l);
}

static void is_the_mean_of_fewer_steps(void **state) { mean_of_fewer_steps(*state, 0); }

static void is_the_mean_of_a_heads_fewer_steps(void **state) { mean_of_fewer_steps(*state, 1); }

/* When the earlier losses have faded, the bits are those of the last step's alone. */
static void ends_as_the_last_alone(void **state)
{
    const struct meta_backend *b = *state;
    size_t n = net->parameters;
    void *phi = phi_of(b), *got = numbers_of(b, n), *wanted = numbers_of(b, n);
    struct meta_task late = task;
    late.iteration = FADE + 1;
    for (int order = 1; order <= 2; order++) {
        struct meta_inner inner = plain(order);
        struct meta_worker *w = worker(b, inner);
        inner.multi_step = FADE;
        struct meta_worker *many = worker(b, inner);
        struct meta_task_result r = { .gradient = wanted };
        meta_worker_gradient(w, phi, &late, STEPS, &weigher, &r);
        r.gradient = got;
        meta_worker_gradient(many, phi, &late, STEPS, &weigher, &r);
        assert_memory_equal(got, wanted, n * b->element);
        meta_worker_gradient(many, phi, &task, STEPS, &weigher, &r);
        assert_memory_not_equal(got, wanted, n * b->element);
        meta_worker_free(w);
        meta_worker_free(many);
    }
    b->release(phi);
    b->release(got);
    b->release(wanted);
}

/* w (phi - phi_S) / gamma, with the losses and scores of order 1. */
static void reptile_follows_the_steps(void **state)
{
    const struct meta_backend *b = *state;
    size_t n = net->parameters;
    void *phi = phi_of(b), *got = numbers_of(b, n), *wanted = numbers_of(b, n);
    struct meta_inner inner = plain(1);
    struct meta_worker *first = worker(b, inner);
    inner.reptile = 1;
    struct meta_worker *w = worker(b, inner);
    assert_true(meta_worker_bytes(w) <= meta_worker_bytes(first));
    double scores[2][BATCH * 3];
    struct meta_task_result r = { .gradient = got, .query_scores = scores[0] }, f = { .gradient = wanted, .query_scores = scores[1] };
    meta_worker_gradient(first, phi, &task, STEPS, &weigher, &f);
    meta_worker_gradient(w, phi, &task, STEPS, &weigher, &r);
    assert_true(r.query_loss == f.query_loss && r.weight == f.weight && r.meta_loss == f.meta_loss);
    assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
    b->copy(wanted, phi, n);
    b->axpy(wanted, n, -1, meta_worker_learn(w, phi, &task, STEPS, &f));
    b->scale(wanted, n, r.weight / GAMMA);
    assert_true(distance(b, got, wanted, n) < (b->element == 8 ? 1e-12 : 1e-4));
    b->release(phi);
    b->release(got);
    b->release(wanted);
    meta_worker_free(first);
    meta_worker_free(w);
}

/* Of a head that moves alone, the layers below it are computed once, and have no adjoints: the same bits, in less memory. Order 2 does
   without that. */
static void a_head_needs_its_body_once(void **state)
{
    const struct meta_backend *b = *state;
    size_t n = net->parameters;
    void *phi = phi_of(b), *got = numbers_of(b, n), *wanted = numbers_of(b, n);
    struct meta_worker *all = worker(b, plain(1));
    struct meta_inner inner = plain(1);
    inner.head = 1;
    struct meta_worker *w = worker(b, inner);
    assert_true(meta_worker_bytes(w) < meta_worker_bytes(all) + (b->element * n));
    inner.order = 2;
    inner.second_order_start = 1000;
    struct meta_worker *whole = worker(b, inner);
    double losses[2][STEPS], scores[2][BATCH * 3];
    float statistics[2][net->statistics];
    struct meta_task_result r = { .gradient = got, .support_loss = losses[0], .query_scores = scores[0], .statistics = statistics[0] },
                            f = { .gradient = wanted, .support_loss = losses[1], .query_scores = scores[1], .statistics = statistics[1] };
    for (int again = 0; again < 2; again++) {
        meta_worker_gradient(w, phi, &task, STEPS, &weigher, &r);
        meta_worker_gradient(whole, phi, &task, STEPS, &weigher, &f);
        assert_memory_equal(got, wanted, n * b->element);
        assert_memory_equal(losses[0], losses[1], sizeof losses[0]);
        assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
        assert_memory_equal(statistics[0], statistics[1], sizeof statistics[0]);
        assert_true(losses[0][0] != losses[0][STEPS - 1]);
        b->axpy(phi, n, .1, got);                    /* another body */
    }
    b->release(phi);
    b->release(got);
    b->release(wanted);
    meta_worker_free(all);
    meta_worker_free(w);
    meta_worker_free(whole);
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction run; } cases[] = {
        { "is the mean of fewer steps", is_the_mean_of_fewer_steps }, { "is the mean of a head's fewer steps", is_the_mean_of_a_heads_fewer_steps },
        { "a head has the layers below in common", a_head_has_the_layers_below_in_common }, { "dropout before a head", dropout_before_a_head },
        { "ends as the last alone", ends_as_the_last_alone },
        { "reptile follows the steps", reptile_follows_the_steps },
        { "a head needs its body once", a_head_needs_its_body_once },
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[2 * COUNT + 1];
    static char names[2 * COUNT][80];
    for (int i = 0; i < 2 * COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%s on %s", cases[i % COUNT].name, backends[i / COUNT]->name);
        tests[i] = (struct CMUnitTest){ names[i], cases[i % COUNT].run, NULL, NULL, (void *)backends[i / COUNT] };
    }
    tests[2 * COUNT] = (struct CMUnitTest){ "shares fade to the last", shares_fade_to_the_last, NULL, NULL, NULL };
    return _cmocka_run_group_tests("inner_kinds", tests, 2 * COUNT + 1, set_up, tear_down);
}
