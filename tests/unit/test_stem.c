/* First layers in one operation, against the reference backend's convolution, epilogue and pool; and the second moments of patches
   against patches cut one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "backends/onednn/onednn_stem.h"
#include "backends/onednn/patches.h"
#include "engine/program_internal.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

#define BATCH 3

struct stem_case { const char *name; int c, h, w, filters, normalise; enum meta_activation activation; };

static const struct stem_case cases[] = {
    { "rgb, even, relu", 3, 12, 12, 16, 1, META_RELU },       { "rgb, odd sides", 3, 13, 11, 16, 1, META_RELU },
    { "one channel", 1, 10, 14, 20, 1, META_LEAKY },          { "two channels", 2, 9, 8, 33, 1, META_LEAKY },
    { "linear", 3, 8, 8, 8, 1, META_LINEAR },                 { "without normalisation", 3, 10, 10, 16, 0, META_LEAKY },
    { "the paper's", 3, 84, 84, 64, 1, META_RELU },           { "as small as can be", 1, 2, 2, 4, 1, META_LEAKY },
    { "five filters", 3, 6, 16, 5, 1, META_RELU },            { "one window wide", 2, 7, 3, 16, 1, META_RELU },
};

static float *random_floats(uint32_t use, size_t n, double least, double most)
{
    struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, use, 0, 0);
    float *p = malloc((n + 1) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = meta_rng_between(&rng, least, most);
    return p;
}

static void add(struct meta_network *net, struct meta_layer layer)
{
    struct meta_error error;
    if (meta_network_add(net, layer, &error)) fail_msg("%s", error.text);
}

static struct meta_network *build(const struct stem_case *c)
{
    struct meta_network *net;
    struct meta_error error;
    if (meta_network_create(&net, (struct meta_shape){ c->c, c->h, c->w }, &error)) fail_msg("%s", error.text);
    add(net, (struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = c->filters, .size = 3, .stride = 1, .padding = 1,
                                  .batch_normalize = c->normalise, .activation = c->activation });
    add(net, (struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2, .padding = 0 });
    add(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR });
    add(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return net;
}

struct outcome { double loss; double *gradient, *product, *once_more; float *statistics, *probabilities, *rolling; };

static void measure(const struct meta_network *net, const struct meta_backend *backend, const float *const in[4], struct outcome *out)
{
    static const int labels[BATCH] = { 1, 0, 1 };
    struct meta_program *p;
    struct meta_error error;
    size_t n = net->parameters;
    if (meta_program_create(&p, net, backend,
                            (struct meta_program_settings){ .query = BATCH, .passes = META_TANGENTS }, &error)) fail_msg("%s", error.text);
    assert_true((p->low.ops[0].kind == META_OP_STEM) == (backend == &meta_backend_onednn));
    void *theta = backend->allocate(n * backend->element), *v = backend->allocate(n * backend->element);
    void *got = backend->allocate(n * backend->element);
    backend->upload(theta, in[1], n);
    backend->upload(v, in[2], n);
    meta_program_load(p, in[0], labels);
    out->probabilities = calloc(2 * BATCH, sizeof *out->probabilities);
    out->rolling = calloc(2 * BATCH, sizeof *out->rolling);
    out->statistics = calloc(net->statistics + 1, sizeof *out->statistics);
    meta_program_forward(p, theta, META_STATISTICS_ROLLING, in[3]);
    meta_program_probabilities(p, out->rolling);
    out->loss = meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
    meta_program_probabilities(p, out->probabilities);
    meta_program_batch_statistics(p, out->statistics);
    double **vectors[] = { &out->gradient, &out->product, &out->once_more };
    for (int k = 0; k < 3; k++) {
        if (k) meta_program_hessian_product(p, theta, v, got);
        else meta_program_gradient(p, theta, got);
        *vectors[k] = calloc(n, sizeof **vectors[k]);
        backend->download_double(*vectors[k], got, n);
    }
    backend->release(theta);
    backend->release(v);
    backend->release(got);
    meta_program_free(p);
}

static void assert_near_each(const char *what, const double *got, const double *wanted, size_t n, double limit)
{
    double apart = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        apart += (got[i] - wanted[i]) * (got[i] - wanted[i]);
        size += wanted[i] * wanted[i];
    }
    if (!(sqrt(apart) <= limit * sqrt(size) + 1e-12)) fail_msg("%s: %g apart, of %g", what, sqrt(apart), sqrt(size));
}

static void floats_near(const char *what, const float *got, const float *wanted, size_t n, double limit)
{
    double a[n + 1], b[n + 1];
    for (size_t i = 0; i < n; i++) a[i] = got[i], b[i] = wanted[i];
    assert_near_each(what, a, b, n, limit);
}

static void agrees_with_the_reference(void **state)
{
    struct meta_network *net = build(*state);
    const struct meta_backend *backends[2] = { &meta_backend_reference, &meta_backend_onednn };
    size_t n = net->parameters;
    struct outcome o[2];
    float *in[4] = { random_floats(0, BATCH * (size_t)net->input.c * net->input.h * net->input.w, 0, 1), random_floats(1, n, -1, 1),
                     random_floats(2, n, -1, 1), random_floats(3, net->statistics, .1, 1) };
    struct meta_error error;
    for (int k = 0; k < 2; k++) {
        if (backends[k]->open(&error)) fail_msg("%s", error.text);
        measure(net, backends[k], (const float *const *)in, &o[k]);
    }
    const struct meta_layer *l = net->layers;
    assert_true(fabs(o[1].loss - o[0].loss) < 1e-5 * (1 + o[0].loss));
    floats_near("rolling", o[1].rolling, o[0].rolling, 2 * BATCH, 1e-4);
    floats_near("probabilities", o[1].probabilities, o[0].probabilities, 2 * BATCH, 1e-4);
    floats_near("statistics", o[1].statistics, o[0].statistics, net->statistics, 1e-6);
    assert_near_each("gradient", o[1].gradient, o[0].gradient, n, 1e-5);
    assert_near_each("product", o[1].product, o[0].product, n, 1e-5);
    assert_near_each("gradient of the first weights", o[1].gradient + l->weights, o[0].gradient + l->weights, l->weight_count, 1e-5);
    assert_near_each("product's first weights", o[1].product + l->weights, o[0].product + l->weights, l->weight_count, 1e-5);
    assert_memory_equal(o[1].product, o[1].once_more, n * sizeof *o[1].product);
    for (int k = 0; k < 2; k++) {
        void *held[] = { o[k].gradient, o[k].product, o[k].once_more, o[k].statistics, o[k].probabilities, o[k].rolling };
        for (int i = 0; i < 6; i++) free(held[i]);
    }
    for (int k = 0; k < 4; k++) free(in[k]);
    meta_network_free(net);
}

/* The statistics of the stem at its batch, in a program that goes on. */
static void statistics_of(struct meta_program *p, const void *theta, float *out)
{
    meta_program_forward(p, theta, META_STATISTICS_BATCH, NULL);
    meta_program_batch_statistics(p, out);
}

static void moments_are_measured_once_a_load(void **state)
{
    static const int labels[BATCH] = { 1, 0, 1 };
    const struct meta_backend *b = &meta_backend_onednn;
    struct meta_network *net = build(&cases[1]);
    size_t images = BATCH * (size_t)net->input.c * net->input.h * net->input.w, size = net->statistics * sizeof(float);
    float *one = random_floats(0, images, 0, 1), *two = random_floats(7, images, 0, 1), *phi = random_floats(1, net->parameters, -1, 1);
    float *first = malloc(size), *second = malloc(size), *again = malloc(size);
    struct meta_program *p;
    struct meta_error error;
    if (b->open(&error) || meta_program_create(&p, net, b, (struct meta_program_settings){ .query = BATCH }, &error))
        fail_msg("%s", error.text);
    void *theta = b->allocate(net->parameters * b->element);
    b->upload(theta, phi, net->parameters);
    meta_program_load(p, one, labels);
    statistics_of(p, theta, first);
    /* what lies there now is not looked at for the moments, since it was not loaded */
    memcpy(p->planes[0].value, two, images * sizeof *two);
    statistics_of(p, theta, again);
    assert_memory_equal(again, first, size);
    meta_program_load(p, two, labels);
    statistics_of(p, theta, second);
    assert_memory_not_equal(second, first, size);
    /* a part of the batch counts as a load, too */
    size_t image = images / BATCH;
    for (int i = 0; i < BATCH; i++) meta_program_load_some(p, i, 1, one + i * image, labels + i);
    statistics_of(p, theta, again);
    assert_memory_equal(again, first, size);
    void *held[] = { one, two, phi, first, second, again };
    for (int i = 0; i < 6; i++) free(held[i]);
    b->release(theta);
    meta_program_free(p);
    meta_network_free(net);
}

/* ---- second moments of patches ---------------------------------------------------------------------------------------------- */

static void patches_one_by_one(void **state)
{
    static const int sizes[][2] = { { 1, 1 }, { 2, 2 }, { 1, 5 }, { 7, 1 }, { 3, 8 }, { 9, 13 }, { 16, 7 } };
    for (int channels = 1; channels <= 3; channels++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            int h = sizes[k][0], w = sizes[k][1], taps = 9 * channels;
            float *images = random_floats(5, 2 * (size_t)channels * h * w, -1, 1);
            double *scratch = malloc(meta_patches_scratch((struct meta_shape){ channels, h, w }) * sizeof *scratch);
            double sum[27] = { 0 }, product[27][27] = { { 0 } };
            struct meta_patches s;
            meta_patches_measure(&s, images, 2, (struct meta_shape){ channels, h, w }, scratch);
            assert_int_equal(s.taps, taps);
            assert_true(s.count == 2. * h * w);
            for (int b = 0; b < 2; b++)
                for (int at = 0; at < h * w; at++) {
                    double patch[27];
                    for (int i = 0; i < taps; i++) {
                        int y = at / w + i / 3 % 3 - 1, x = at % w + i % 3 - 1;
                        patch[i] = y < 0 || y >= h || x < 0 || x >= w ? 0 : images[((b * channels + i / 9) * h + y) * w + x];
                    }
                    for (int i = 0; i < taps; i++) {
                        sum[i] += patch[i];
                        for (int j = 0; j < taps; j++) product[i][j] += patch[i] * patch[j];
                    }
                }
            for (int i = 0; i < taps; i++) {
                assert_true(fabs(s.sum[i] - sum[i]) < 1e-12 * s.count);
                for (int j = 0; j < taps; j++)
                    if (!(fabs(s.product[i][j] - product[i][j]) < 1e-12 * s.count))
                        fail_msg("%dx%dx%d: %d %d: %g, not %g", channels, h, w, i, j, s.product[i][j], product[i][j]);
            }
            free(images);
            free(scratch);
        }
}

static void fits_what_it_can_do(void **state)
{
    struct meta_layer conv = { .type = META_CONVOLUTIONAL, .filters = 16, .size = 3, .stride = 1, .padding = 1, .activation = META_RELU,
                               .in = { 3, 8, 8 }, .out = { 16, 8, 8 } };
    struct meta_layer pool = { .type = META_MAXPOOL, .size = 2, .stride = 2, .out = { 16, 4, 4 } };
    assert_true(meta_onednn_stem_fits(&conv, &pool));
    struct meta_layer other[8];
    for (int i = 0; i < 8; i++) other[i] = conv;
    other[0].type = META_CONNECTED;
    other[1].size = 5;
    other[2].stride = 2;
    other[3].padding = 0;
    other[4].activation = META_LOGISTIC;
    other[5].in.c = 4;
    other[6].filters = 3;
    other[7].in.h = 7;
    for (int i = 0; i < 8; i++) assert_false(meta_onednn_stem_fits(&other[i], &pool));
    pool.stride = 1;
    assert_false(meta_onednn_stem_fits(&conv, &pool));
}

int main(void)
{
    enum { COUNT = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[COUNT + 3] = { { "patches one by one", patches_one_by_one, NULL, NULL, NULL },
                                           { "fits what it can do", fits_what_it_can_do, NULL, NULL, NULL },
                                           { "moments are measured once a load", moments_are_measured_once_a_load, NULL, NULL, NULL } };
    for (int i = 0; i < COUNT; i++)
        tests[i + 3] = (struct CMUnitTest){ cases[i].name, agrees_with_the_reference, NULL, NULL, (void *)&cases[i] };
    return _cmocka_run_group_tests("stem", tests, COUNT + 3, NULL, NULL);
}
