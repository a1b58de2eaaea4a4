/* Heat maps against their definition, by hand: one 1x1 convolution, and behind it a linear layer
   whose weights are the derivatives of the scores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "adaptation/heat.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"
#include "base/rng.h"

enum { SIDE = 5, AREA = SIDE * SIDE, IN = 2, MAPS = 3, CLASSES = 4 };
static const struct meta_backend *const backends[] = { &meta_backend_reference,
                                                       &meta_backend_onednn };
static struct meta_error error;

static void add(struct meta_filled *f, struct meta_layer l)
{
    if (meta_filled_add(f, l, &error)) fail_msg("%s", error.text);
}

/* Random numbers everywhere; variances are positive. */
static struct meta_filled make_network(int normalise)
{
    struct meta_filled f = { 0 };
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, 0, 0, normalise);
    int where;
    if (meta_network_create(&f.network, (struct meta_shape){ IN, SIDE, SIDE }, &error))
        fail_msg("%s", error.text);
    add(&f,
        (struct meta_layer){ .type = META_CONVOLUTIONAL,
                             .filters = MAPS,
                             .size = 1,
                             .stride = 1,
                             .batch_normalize = normalise,
                             .activation = META_LEAKY });
    add(&f, (struct meta_layer){ .type = META_CONNECTED, .filters = CLASSES });
    add(&f, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1.5 });
    if (meta_network_finish(f.network, 1, &where, &error)) fail_msg("%s", error.text);
    for (size_t i = 0; i < f.network->parameters; i++) f.parameters[i] = meta_rng_normal(&rng);
    /* small scores: a map is exact in the limit of a high temperature of the softmax (heat.c) */
    const struct meta_layer *linear = &f.network->layers[1];
    for (size_t i = 0; i < linear->weight_count; i++) f.parameters[linear->weights + i] *= .01;
    for (int k = 0; k < CLASSES; k++) f.parameters[linear->biases + k] = 0;
    for (size_t i = 0; i < f.network->statistics; i++)
        f.statistics[i] = .2 + meta_rng_uniform(&rng);
    return f;
}

/* maps (MAPS, AREA): the activated output of the convolution. */
static void convolve(const struct meta_filled *f, const float *image, double *maps)
{
    const struct meta_layer *l = &f->network->layers[0];
    const float *p = f->parameters, *s = f->statistics;
    for (int c = 0; c < MAPS; c++)
        for (int i = 0; i < AREA; i++) {
            double y = 0;
            for (int k = 0; k < IN; k++) y += p[l->weights + c * IN + k] * image[k * AREA + i];
            if (l->scales != META_NONE)
                y = p[l->scales + c] * (y - s[l->mean + c]) / (sqrt(s[l->variance + c]) + 1e-6);
            y += p[l->biases + c];
            maps[c * AREA + i] = y > 0 ? y : .1 * y;
        }
}

static void expected_map(const struct meta_filled *f, const double *maps, int class, double *map)
{
    const float *weights = f->parameters + f->network->layers[1].weights; /* (CLASSES, MAPS*AREA) */
    double most = 0;
    memset(map, 0, AREA * sizeof *map);
    for (int c = 0; c < MAPS; c++) {
        double alpha = 0;
        for (int i = 0; i < AREA; i++) {
            double mean = 0;
            for (int k = 0; k < CLASSES; k++)
                mean += weights[(k * MAPS + c) * AREA + i] / (double)CLASSES;
            alpha += (weights[(class * MAPS + c) * AREA + i] - mean) / AREA;
        }
        for (int i = 0; i < AREA; i++) map[i] += alpha * maps[c * AREA + i];
    }
    for (int i = 0; i < AREA; i++) most = fmax(most, map[i]);
    for (int i = 0; i < AREA; i++) map[i] = most > 0 ? fmax(0, map[i]) / most : 0;
}

static void a_map_is_as_defined(void **state)
{
    for (int normalise = 0; normalise < 2; normalise++) {
        struct meta_filled f = make_network(normalise);
        struct meta_rng rng = meta_rng_open(4, META_USE_CHECK, 0, 0, 0);
        float image[IN * AREA], map[AREA];
        double maps[MAPS * AREA], expected[AREA], weight = 0;
        for (int i = 0; i < IN * AREA; i++) image[i] = meta_rng_uniform(&rng);
        convolve(&f, image, maps);
        for (int k = 0; k < 2 * CLASSES; k++) {
            struct meta_heat *heat;
            int w, h;
            if (meta_heat_create(&heat, &f, backends[k % 2], &error)) fail_msg("%s", error.text);
            meta_heat_size(heat, &w, &h);
            assert_int_equal(w, SIDE);
            assert_int_equal(h, SIDE);
            assert_int_equal(meta_heat_map(heat, image, k / 2, map, &error), 0);
            expected_map(&f, maps, k / 2, expected);
            for (int i = 0; i < AREA; i++) {
                if (fabs(map[i] - expected[i]) > 2e-3)
                    fail_msg("class %d, pixel %d: %g, not %g", k / 2, i, map[i], expected[i]);
                weight += expected[i];
            }
            meta_heat_free(heat);
        }
        assert_true(weight > 1); /* not all maps are empty */
        meta_filled_clear(&f);
    }
}

/* A convolution behind a mean over the map sees no place in the image. */
static void the_last_convolution_that_gives_a_map_is_taken(void **state)
{
    struct meta_filled f = { 0 };
    struct meta_heat *heat;
    int where, w, h;
    assert_int_equal(meta_network_create(&f.network, (struct meta_shape){ IN, SIDE, SIDE }, &error),
                     0);
    struct meta_layer convolution = {
        .type = META_CONVOLUTIONAL, .filters = CLASSES, .size = 1, .stride = 1
    };
    add(&f, convolution);
    add(&f, (struct meta_layer){ .type = META_AVGPOOL });
    add(&f, convolution);
    add(&f, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    assert_int_equal(meta_network_finish(f.network, 1, &where, &error), 0);
    if (meta_heat_create(&heat, &f, backends[0], &error)) fail_msg("%s", error.text);
    meta_heat_size(heat, &w, &h);
    assert_int_equal(w, SIDE);
    assert_int_equal(h, SIDE);
    meta_heat_free(heat);
    meta_filled_clear(&f);
}

static void without_a_convolution_there_is_no_map(void **state)
{
    struct meta_filled f = { 0 };
    struct meta_heat *heat;
    int where;
    assert_int_equal(meta_network_create(&f.network, (struct meta_shape){ 1, 2, 2 }, &error), 0);
    add(&f, (struct meta_layer){ .type = META_CONNECTED, .filters = 2 });
    add(&f, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    assert_int_equal(meta_network_finish(f.network, 1, &where, &error), 0);
    assert_int_equal(meta_heat_create(&heat, &f, backends[0], &error), -1);
    assert_string_equal(error.text,
                        "a heat map needs a network with a [convolutional] that ends in [softmax]");
    meta_filled_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_is_as_defined),
        cmocka_unit_test(the_last_convolution_that_gives_a_map_is_taken),
        cmocka_unit_test(without_a_convolution_there_is_no_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
