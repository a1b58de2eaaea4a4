/* Shapes, the parameter block's layout and the initial weights, against Darknet's rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "network/network.h"

static struct meta_error error;

static struct meta_network *network(int c, int h, int w)
{
    struct meta_network *net;
    assert_int_equal(meta_network_create(&net, (struct meta_shape){ c, h, w }, &error), 0);
    return net;
}

static struct meta_layer conv(int filters, int size, int stride, int padding, int bn)
{
    return (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = filters, .size = size, .stride = stride,
                                .padding = padding, .batch_normalize = bn };
}

static struct meta_layer pool(int size, int stride, int padding)
{
    return (struct meta_layer){ .type = META_MAXPOOL, .size = size, .stride = stride, .padding = padding };
}

static struct meta_layer joined(enum meta_layer_type type, int count, int a, int b)
{
    struct meta_layer l = { .type = type, .from_count = count, .alpha = 1, .beta = 1 };
    l.from = malloc(2 * sizeof *l.from);
    l.from[0] = a;
    l.from[1] = b;
    return l;
}

static void assert_shape(const struct meta_network *net, int c, int h, int w)
{
    struct meta_shape s = net->layers[net->count - 1].out;
    assert_int_equal(s.c, c);
    assert_int_equal(s.h, h);
    assert_int_equal(s.w, w);
}

/* Each layer more makes the plan of a program's memory slower. */
static void no_more_layers_than_can_be_planned(void **state)
{
    struct meta_network *net = network(1, 1, 1);
    const struct meta_layer layer = { .type = META_ACTIVATION, .activation = META_RELU };
    for (int i = 0; i < 10000; i++) assert_int_equal(meta_network_add(net, layer, &error), 0);
    assert_int_equal(meta_network_add(net, layer, &error), -1);
    assert_string_equal(error.text, "is layer 10001: a network must have at most 10000");
    meta_network_free(net);
}

static void pools_like_darknet(void **state)
{
    struct meta_network *net = network(3, 84, 84);
    int expected[] = { 42, 21, 10, 5 };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(meta_network_add(net, conv(64, 3, 1, 1, 1), &error), 0);
        assert_int_equal(meta_network_add(net, pool(2, 2, 0), &error), 0);
        assert_shape(net, 64, expected[i], expected[i]);
    }
    meta_network_free(net);
    net = network(1, 21, 21);
    assert_int_equal(meta_network_add(net, pool(2, 2, 1), &error), 0);   /* Darknet's default: padding = size - 1 */
    assert_shape(net, 1, 11, 11);
    assert_int_equal(meta_network_add(net, pool(2, 2, 2), &error), -1);
    assert_string_equal(error.text, "padding=2: must be less than size=2");
    meta_network_free(net);
}

static void places_parameters_in_file_order(void **state)
{
    struct meta_network *net = network(2, 8, 8);
    struct meta_layer full = { .type = META_CONNECTED, .filters = 5, .batch_normalize = 1 };
    struct meta_layer soft = { .type = META_SOFTMAX, .temperature = 1 };
    int where;
    assert_int_equal(meta_network_add(net, conv(3, 3, 2, 0, 1), &error), 0);
    assert_shape(net, 3, 3, 3);
    assert_int_equal(meta_network_add(net, full, &error), 0);
    assert_int_equal(meta_network_add(net, soft, &error), 0);
    assert_int_equal(meta_network_finish(net, 2, &where, &error), 0);
    const struct meta_layer *c = &net->layers[0], *f = &net->layers[1];
    assert_int_equal(c->biases, 0);
    assert_int_equal(c->scales, 3);
    assert_int_equal(c->weights, 6);
    assert_int_equal(c->weight_count, 3 * 2 * 9);
    assert_int_equal(f->biases, 60);
    assert_int_equal(f->weights, 65);
    assert_int_equal(f->scales, 65 + 27 * 5);
    assert_int_equal(net->parameters, 65 + 27 * 5 + 5);
    assert_int_equal(c->mean, 0);
    assert_int_equal(c->variance, 3);
    assert_int_equal(f->mean, 6);
    assert_int_equal(net->statistics, 16);
    meta_network_free(net);
}

static void refuses_what_does_not_fit(void **state)
{
    struct meta_network *net = network(1, 6, 6);
    int where;
    assert_int_equal(meta_network_finish(net, 1, &where, &error), -1);
    assert_int_equal(meta_network_add(net, conv(2, 7, 1, 0, 0), &error), -1);
    assert_string_equal(error.text, "size=7 does not fit its 6x6 input");
    assert_int_equal(meta_network_add(net, conv(2, 3, 1, 1, 0), &error), 0);
    assert_int_equal(meta_network_add(net, pool(2, 2, 0), &error), 0);
    assert_int_equal(meta_network_add(net, joined(META_ROUTE, 2, 0, 1), &error), -1);
    assert_non_null(strstr(error.text, "layer 0 gives 6x6, layer 1 gives 3x3"));
    assert_int_equal(meta_network_add(net, joined(META_ROUTE, 1, 7, 0), &error), -1);
    assert_int_equal(meta_network_finish(net, 1, &where, &error), -1);
    assert_int_equal(where, 1);
    assert_non_null(strstr(error.text, "[softmax]"));
    assert_int_equal(meta_network_add(net, joined(META_ROUTE, 1, 0, 0), &error), 0);
    struct meta_layer soft = { .type = META_SOFTMAX, .temperature = 1 };
    assert_int_equal(meta_network_add(net, soft, &error), 0);
    assert_int_equal(meta_network_finish(net, 1, &where, &error), -1);
    assert_int_equal(where, 1);
    assert_string_equal(error.text, "nothing uses this layer's output");
    assert_int_equal(meta_network_add(net, pool(2, 2, 0), &error), -1);
    meta_network_free(net);
}

static void finds_few_values(void **state)
{
    struct meta_network *net = network(3, 6, 6);
    assert_int_equal(meta_network_add(net, conv(4, 3, 1, 1, 1), &error), 0);
    assert_int_equal(meta_network_add(net, (struct meta_layer){ .type = META_AVGPOOL }, &error), 0);
    assert_int_equal(meta_network_add(net, conv(5, 1, 1, 0, 0), &error), 0);
    assert_null(meta_network_few_values(net, 1, 1)); /* the first map is larger, the last is not normalised */
    assert_int_equal(meta_network_add(net, conv(5, 1, 1, 0, 1), &error), 0);
    assert_ptr_equal(meta_network_few_values(net, 1, 1), &net->layers[3]);
    assert_null(meta_network_few_values(net, 2, 1));
    assert_ptr_equal(meta_network_few_values(net, 2, 2), &net->layers[3]);
    assert_null(meta_network_few_values(net, 1, 2));
    assert_null(meta_network_few_values(net, 3, 2));
    assert_int_equal(meta_network_check_batch(net, 2, &error), 0);
    assert_int_equal(meta_network_check_batch(net, 1, &error), -1);
    assert_non_null(strstr(error.text, "must be at least 2, better 3: of 2 only their order is left"));
    meta_network_free(net);
    net = network(3, 1, 2);
    assert_int_equal(meta_network_add(net, conv(4, 1, 1, 0, 1), &error), 0);
    assert_ptr_equal(meta_network_few_values(net, 1, 2), net->layers);
    assert_null(meta_network_few_values(net, 2, 2));
    meta_network_free(net);
}

/* The four turns of a filter are normalised together, those of a [connected] are one number. */
static void counts_the_values_of_turns(void **state)
{
    struct meta_network *net = network(3, 3, 3);
    struct meta_layer turned = conv(8, 3, 1, 0, 1), full = { .type = META_CONNECTED, .filters = 4, .batch_normalize = 1, .rotations = 4 };
    turned.rotations = 4;
    assert_int_equal(meta_network_add(net, turned, &error), 0);
    assert_shape(net, 8, 1, 1);
    for (int values = 1; values < 4; values++) assert_null(meta_network_few_values(net, 1, values));
    assert_ptr_equal(meta_network_few_values(net, 1, 4), net->layers);
    assert_int_equal(meta_network_check_batch(net, 1, &error), 0);
    assert_int_equal(meta_network_add(net, full, &error), 0);
    assert_ptr_equal(meta_network_few_values(net, 1, 1), &net->layers[1]);
    assert_int_equal(meta_network_check_batch(net, 1, &error), -1);
    meta_network_free(net);
}

static void joins_shapes(void **state)
{
    struct meta_network *net = network(3, 8, 8);
    assert_int_equal(meta_network_add(net, conv(4, 3, 1, 1, 1), &error), 0);
    assert_int_equal(meta_network_add(net, conv(6, 3, 1, 1, 1), &error), 0);
    assert_int_equal(meta_network_add(net, joined(META_ROUTE, 2, 0, 1), &error), 0);
    assert_shape(net, 10, 8, 8);
    assert_int_equal(meta_network_add(net, conv(6, 3, 2, 1, 1), &error), 0);
    assert_int_equal(meta_network_add(net, joined(META_SHORTCUT, 1, 0, 0), &error), 0);   /* 8x8x4 onto 4x4x6 */
    assert_shape(net, 6, 4, 4);
    struct meta_layer average = { .type = META_AVGPOOL };
    assert_int_equal(meta_network_add(net, average, &error), 0);
    assert_shape(net, 6, 1, 1);
    meta_network_free(net);
}

static void draws_darknets_initial_weights(void **state)
{
    struct meta_network *net = network(16, 8, 8);
    struct meta_layer full = { .type = META_CONNECTED, .filters = 40 };
    assert_int_equal(meta_network_add(net, conv(64, 3, 1, 1, 1), &error), 0);
    assert_int_equal(meta_network_add(net, full, &error), 0);
    float *p = calloc(net->parameters, sizeof *p), *q = calloc(net->parameters, sizeof *q), *s = calloc(net->statistics, sizeof *s);
    meta_network_initialise(net, 7, p, s);
    const struct meta_layer *c = &net->layers[0], *f = &net->layers[1];
    double sum = 0, squares = 0, most = 0;
    for (size_t i = 0; i < c->weight_count; i++) {
        sum += p[c->weights + i];
        squares += p[c->weights + i] * p[c->weights + i];
    }
    assert_true(fabs(squares / c->weight_count * 16 * 9 / 2 - 1) < .05);
    assert_true(fabs(sum / c->weight_count) < .005);
    for (size_t i = 0; i < f->weight_count; i++) most = fmax(most, fabs(p[f->weights + i]));
    assert_true(most <= sqrt(2. / 4096) && most > .99 * sqrt(2. / 4096));
    for (int k = 0; k < 64; k++) {
        assert_true(p[c->scales + k] == 1);
        assert_true(p[c->biases + k] == 0);
    }
    meta_network_initialise(net, 7, q, s);
    assert_memory_equal(p, q, net->parameters * sizeof *p);
    meta_network_initialise(net, 8, q, s);
    assert_true(memcmp(p, q, net->parameters * sizeof *p));
    free(p);
    free(q);
    free(s);
    meta_network_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_layers_than_can_be_planned), cmocka_unit_test(pools_like_darknet), cmocka_unit_test(places_parameters_in_file_order),
        cmocka_unit_test(refuses_what_does_not_fit), cmocka_unit_test(joins_shapes), cmocka_unit_test(finds_few_values),
        cmocka_unit_test(counts_the_values_of_turns),
        cmocka_unit_test(draws_darknets_initial_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
