/* Counted arithmetic: against figures worked out by hand and against loops over every pixel and tap. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include "evaluation/methods.h"
#include "learning/flops.h"
#include "base/rng.h"

static struct meta_network *network_of(struct meta_shape input, const struct meta_layer *layers, int count)
{
    struct meta_network *net;
    struct meta_error error;
    if (meta_network_create(&net, input, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < count; i++) {
        struct meta_layer l = layers[i];
        if (l.from_count) {
            l.from = malloc(sizeof *l.from);
            *l.from = layers[i].line;           /* which layer: no .cfg here has lines */
        }
        if (meta_network_add(net, l, &error)) fail_msg("layer %d: %s", i, error.text);
    }
    return net;
}

/* Of tasks of three support and four query images; head: whether steps move the last layer alone. */
static struct meta_flops count_for(const struct meta_network *net, int head)
{
    struct meta_flops f;
    struct meta_error error;
    const struct meta_inner inner = { .support = 3, .query = 4, .head = head };
    if (meta_flops_count(&f, net, &inner, &error)) fail_msg("%s", error.text);
    assert_int_equal(f.layers, net->count);
    for (int pass = 0; pass < META_PASS_COUNT; pass++) {
        double sum = 0;
        for (int i = 0; i < f.layers; i++) sum += f.layer[i][pass];
        assert_true(sum == f.pass[pass]);
    }
    return f;
}

static struct meta_flops count(const struct meta_network *net) { return count_for(net, 0); }

static void assert_layer(const struct meta_flops *f, int layer, double multiply_adds, const int times[META_PASS_COUNT])
{
    for (int pass = 0; pass < META_PASS_COUNT; pass++)
        if (f->layer[layer][pass] != 2 * multiply_adds * times[pass])
            fail_msg("layer %d, pass %d: %g, not %g", layer, pass, f->layer[layer][pass], 2 * multiply_adds * times[pass]);
}

static const int first[META_PASS_COUNT] = { 1, 1, 1, 1 }, later[META_PASS_COUNT] = { 1, 2, 2, 4 }, nothing[META_PASS_COUNT] = { 0 };

#define CONV(f, s, t, p) { .type = META_CONVOLUTIONAL, .filters = f, .size = s, .stride = t, .padding = p, .batch_normalize = 1, .activation = META_RELU }
#define POOL(s, t, p) { .type = META_MAXPOOL, .size = s, .stride = t, .padding = p }
#define CONNECTED(n) { .type = META_CONNECTED, .filters = n }
#define SOFTMAX { .type = META_SOFTMAX, .temperature = 1 }
#define BUILD(w, h, c, layers) network_of((struct meta_shape){ c, h, w }, layers, sizeof layers / sizeof *layers)

/* 28x28x1, blocks of 32 filters: of 28 outputs the first and the last have two taps, the others three */
static void by_hand(void **state)
{
    static const struct meta_layer layers[] = { CONV(32, 3, 1, 1), POOL(2, 2, 0), CONV(32, 3, 1, 1), POOL(2, 2, 0), CONV(32, 3, 1, 1), POOL(2, 2, 0),
                                                CONNECTED(2), SOFTMAX };
    struct meta_network *net = BUILD(28, 28, 1, layers);
    struct meta_flops f = count(net);
    assert_layer(&f, 0, 82. * 82 * 32, first);
    assert_layer(&f, 1, 1, nothing);
    assert_layer(&f, 2, 40. * 40 * 32 * 32, later);
    assert_layer(&f, 4, 19. * 19 * 32 * 32, later);
    assert_layer(&f, 6, 288 * 2, later);
    assert_layer(&f, 7, 1, nothing);
    assert_true(f.pass[META_PASS_FORWARD] == 4447616);
    double rest = f.pass[META_PASS_FORWARD] - f.layer[0][META_PASS_FORWARD], one = f.layer[0][META_PASS_FORWARD];
    assert_true(meta_flops_gradient(&f) == 2 * one + 3 * rest);
    assert_true(meta_flops_product(&f) == 2 * one + 6 * rest);
    meta_flops_clear(&f);
    meta_network_free(net);
}

static double pixel_by_pixel(const struct meta_layer *l)
{
    double count = 0;
    for (int y = 0; y < l->out.h; y++)
        for (int x = 0; x < l->out.w; x++)
            for (int i = 0; i < l->size; i++)
                for (int k = 0; k < l->size; k++) {
                    int v = y * l->stride + i - l->padding, u = x * l->stride + k - l->padding;
                    if (v >= 0 && v < l->in.h && u >= 0 && u < l->in.w) count += (double)l->in.c * l->out.c;
                }
    return count;
}

static void any_convolution(void **state)
{
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    for (int round = 0; round < 300; round++) {
        int size = 1 + meta_rng_below(&rng, 7);
        struct meta_layer layers[] = { CONV(3, 1, 1, 0), CONV((int)(1 + meta_rng_below(&rng, 9)), size, (int)(1 + meta_rng_below(&rng, 3)),
                                                              (int)meta_rng_below(&rng, size + 2)), CONNECTED(2), SOFTMAX };
        struct meta_network *net = BUILD(7 + (int)meta_rng_below(&rng, 9), 7 + (int)meta_rng_below(&rng, 9), 3, layers);
        struct meta_flops f = count(net);
        assert_layer(&f, 1, pixel_by_pixel(&net->layers[1]), later);
        meta_flops_clear(&f);
        meta_network_free(net);
    }
}

/* Each output channel meets the channels of its group alone. */
static void groups(void **state)
{
    static const struct meta_layer layers[] = { CONV(12, 1, 1, 0), { .type = META_CONVOLUTIONAL, .filters = 8, .size = 3, .stride = 2, .groups = 4 }, SOFTMAX };
    struct meta_network *net = BUILD(9, 7, 3, layers);
    struct meta_flops f = count(net);
    assert_layer(&f, 1, 3 * 4 * 9 * 3 * 8, later);
    meta_flops_clear(&f);
    meta_network_free(net);
}

/* What has no parameter below it has no adjoint, whatever stands in between. */
static void inactive_inputs(void **state)
{
    static const struct meta_layer layers[] = { POOL(2, 2, 0), CONV(4, 1, 1, 0), { .type = META_ROUTE, .from_count = 1, .line = 0 }, CONV(4, 1, 1, 0),
                                                { .type = META_SHORTCUT, .from_count = 1, .line = 1, .alpha = 1, .beta = 1 }, CONV(5, 1, 1, 0),
                                                { .type = META_AVGPOOL }, SOFTMAX };
    struct meta_network *net = BUILD(8, 8, 3, layers);
    struct meta_flops f = count(net);
    assert_layer(&f, 1, 16 * 3 * 4, first);
    assert_layer(&f, 3, 16 * 3 * 4, first);
    assert_layer(&f, 5, 16 * 4 * 5, later);
    meta_flops_clear(&f);
    meta_network_free(net);
}

static void whole_tasks(void **state)
{
    static const struct meta_layer layers[] = { CONNECTED(6), CONNECTED(2), SOFTMAX };
    struct meta_network *net = BUILD(5, 1, 1, layers);
    struct meta_flops f = count(net);
    double gradient = 2 * (2 * 30 + 3 * 12), product = 2 * (2 * 30 + 6 * 12);
    assert_true(meta_flops_gradient(&f) == gradient && meta_flops_product(&f) == product);
    struct meta_inner inner = { .support = 10, .query = 30, .steps = 5, .order = 1 };
    assert_true(meta_flops_task(&f, &inner) == 50 * gradient + 30 * gradient);
    inner.order = 2;
    assert_true(meta_flops_task(&f, &inner) == 50 * (gradient + product) + 30 * gradient);
    inner.keep = 1;
    assert_true(meta_flops_task(&f, &inner) == 50 * (gradient + product) + 30 * gradient);
    inner.steps = 0;
    assert_true(meta_flops_task(&f, &inner) == 30 * gradient);
    meta_flops_clear(&f);
    meta_network_free(net);
}

/* ANIL: the layers below the head are passed once, or with dropout in each step, and the head alone has a gradient and, without dropout, products. */
static void head_alone(void **state)
{
    static const struct meta_layer layers[] = { CONNECTED(6), CONNECTED(2), SOFTMAX };
    static const struct meta_layer last[] = { CONNECTED(6), { .type = META_DROPOUT, .probability = .5f }, CONNECTED(2), SOFTMAX };
    static const struct meta_layer drawn[] = { { .type = META_DROPOUT, .probability = .5f }, CONNECTED(6), CONNECTED(2), SOFTMAX };
    static const struct meta_layer one[] = { CONNECTED(2), SOFTMAX };
    double gradient = 2 * (2 * 30 + 3 * 12), product = 2 * (2 * 30 + 6 * 12), body = 2 * 30, head = 2 * 2 * 12;
    struct meta_inner inner = { .support = 10, .query = 30, .steps = 5, .order = 1, .head = 1 };
    struct meta_network *net = BUILD(5, 1, 1, layers);
    struct meta_flops f = count_for(net, 1);
    assert_true(meta_flops_steps(&f, 5) == body + 5 * head && meta_flops_steps(&f, 0) == 0);
    assert_true(meta_flops_task(&f, &inner) == 10 * (body + 5 * head) + 30 * gradient);
    inner.order = 2; /* a backward of the body, and of the head ydot = Wdot x, ybardot x', W' ybardot and Wdot' ybar */
    assert_true(meta_flops_task(&f, &inner) == 10 * (2 * body + 5 * (head + 2 * 4 * 12)) + 30 * gradient);
    inner.steps = 0;
    assert_true(meta_flops_task(&f, &inner) == 30 * gradient);
    inner.steps = 5;
    meta_flops_clear(&f);
    meta_network_free(net);
    net = BUILD(5, 1, 1, last); /* dropout behind all that the steps have in common */
    f = count_for(net, 1);
    assert_true(meta_flops_steps(&f, 5) == body + 5 * head);
    assert_true(meta_flops_task(&f, &inner) == 10 * (2 * body + 5 * (head + 2 * 4 * 12)) + 30 * gradient);
    meta_flops_clear(&f);
    meta_network_free(net);
    net = BUILD(5, 1, 1, drawn);
    f = count_for(net, 1);
    assert_true(meta_flops_steps(&f, 5) == 5 * (body + head));
    assert_true(meta_flops_task(&f, &inner) == 50 * (gradient + product) + 30 * gradient);
    meta_flops_clear(&f);
    meta_network_free(net);
    net = BUILD(5, 1, 1, one);
    f = count_for(net, 1);
    assert_true(meta_flops_steps(&f, 5) == 5 * meta_flops_gradient(&f));
    meta_flops_clear(&f);
    meta_network_free(net);
}

/* Fine-tuning scores the query images at each point of its curve: before the first epoch and 25 times since. */
static void fine_tuning_counts_its_curve(void **state)
{
    const struct meta_flops one = { .pass = { [META_PASS_FORWARD] = 1, [META_PASS_BACKWARD] = 2 } };
    struct meta_model model = { .net = { .learning_rate = .001 } };
    struct meta_evaluation e = { .episode = { .ways = 2, .shots = 5, .queries = 15 }, .method = meta_method_find("finetune") };
    struct meta_error error;
    void *settings;
    assert_non_null(e.method);
    if (meta_method_settings(&settings, e.method, &model, &e.episode, &error)) fail_msg("%s", error.text);
    e.settings = settings;
    assert_true(meta_method_flops(&one, &e) == 50 * 10 * 3 + 26 * 30);
    free(settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand), cmocka_unit_test(any_convolution), cmocka_unit_test(groups), cmocka_unit_test(inactive_inputs),
                                        cmocka_unit_test(whole_tasks), cmocka_unit_test(head_alone), cmocka_unit_test(fine_tuning_counts_its_curve) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
