/* .weights files against the stock library's own save_weights and load_weights, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "network/weights.h"
#include "near.h"
#include <darknet.h>

static const char cfg[] =
    "[net]\nbatch=1\nwidth=9\nheight=9\nchannels=3\n"
    "[convolutional]\nfilters=5\nsize=3\nstride=1\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[maxpool]\nsize=2\nstride=2\n"
    "[convolutional]\nfilters=4\nsize=1\nstride=1\nactivation=relu\n"
    "[connected]\noutput=7\nbatch_normalize=1\nactivation=relu\n"
    "[connected]\noutput=2\nactivation=linear\n"
    "[softmax]\n";

static char path[256], cfg_path[300];
static struct meta_network *net;
static float *parameters, *statistics;

static void add(struct meta_layer l)
{
    struct meta_error e;
    if (meta_network_add(net, l, &e)) fail_msg("%s", e.text);
}

static int set_up(void **state)
{
    struct meta_error e;
    const char *tmp = getenv("TMP_TEST");
    snprintf(path, sizeof path, "%s/weights.%d", tmp ? tmp : "/tmp", (int)getpid());
    snprintf(cfg_path, sizeof cfg_path, "%s.cfg", path);
    struct meta_chunk chunk = { cfg, sizeof cfg - 1 };
    if (meta_file_write(cfg_path, &chunk, 1, &e) || meta_network_create(&net, (struct meta_shape){ 3, 9, 9 }, &e)) return -1;
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 5, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                             .activation = META_LEAKY });
    add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2, .padding = 1 });
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 4, .size = 1, .stride = 1, .activation = META_RELU });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 7, .batch_normalize = 1, .activation = META_RELU });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    parameters = calloc(net->parameters, sizeof(float));
    statistics = calloc(net->statistics, sizeof(float));
    for (size_t i = 0; i < net->parameters; i++) parameters[i] = 1 + .001f * i;
    for (size_t i = 0; i < net->statistics; i++) statistics[i] = 100 + .001f * i;
    return 0;
}

static int tear_down(void **state)
{
    unlink(path);
    unlink(cfg_path);
    meta_network_free(net);
    free(parameters);
    free(statistics);
    return 0;
}

static void write_young(uint64_t seen, uint32_t batches)
{
    struct meta_error e;
    if (meta_weights_write(net, path, parameters, statistics, (struct meta_weights_head){ .seen = seen, .updates = batches }, &e)) fail_msg("%s", e.text);
}

static void write_ours(uint64_t seen) { write_young(seen, META_ROLLING_SETTLED); }

static void assert_array(const float *stock, const float *ours, size_t n) { assert_memory_equal(stock, ours, n * sizeof *ours); }

static void test_stock_reads_ours(void **state)
{
    write_ours(123456789012345ULL);
    network *stock = load_network(cfg_path, path, 0);
    assert_int_equal(*stock->seen, 123456789012345ULL);
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        layer s = stock->layers[i];
        if (l->weights == META_NONE) continue;
        assert_int_equal(s.outputs, l->out.c * l->out.h * l->out.w);
        assert_array(s.biases, parameters + l->biases, l->filters);
        assert_array(s.weights, parameters + l->weights, l->weight_count);
        if (!l->batch_normalize) continue;
        assert_array(s.scales, parameters + l->scales, l->filters);
        assert_array(s.rolling_mean, statistics + l->mean, l->filters);
        assert_array(s.rolling_variance, statistics + l->variance, l->filters);
    }
    free_network(stock);
}

static void test_we_read_stock(void **state)
{
    struct meta_error e;
    write_ours(77);
    network *stock = load_network(cfg_path, path, 0);
    unlink(path);
    save_weights(stock, path);
    free_network(stock);
    float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
    struct meta_weights_head head;
    if (meta_weights_read(net, path, p, s, &head, &e)) fail_msg("%s", e.text);
    assert_array(p, parameters, net->parameters);
    assert_array(s, statistics, net->statistics);
    assert_int_equal(head.seen, 77);
    assert_int_equal(head.updates, META_ROLLING_SETTLED);
    free(p);
    free(s);
}

static char *bytes(size_t *size)
{
    struct meta_error e;
    char *raw;
    write_ours(5);
    if (meta_file_read(path, &raw, size, &e)) fail_msg("%s", e.text);
    return raw;
}

static void put(const char *raw, size_t size)
{
    struct meta_error e;
    struct meta_chunk chunk = { raw, size };
    if (meta_file_write(path, &chunk, 1, &e)) fail_msg("%s", e.text);
}

static void test_old_header(void **state)
{
    struct meta_error e;
    size_t size;
    char *raw = bytes(&size);
    int32_t old[] = { 0, 1, 0, 4242 };
    memcpy(raw + 4, old, sizeof old);       /* the header shrinks by 4 bytes */
    put(raw + 4, size - 4);
    float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
    struct meta_weights_head head;
    if (meta_weights_read(net, path, p, s, &head, &e)) fail_msg("%s", e.text);
    assert_array(p, parameters, net->parameters);
    assert_int_equal(head.seen, 4242);
    free(p);
    free(s);
    free(raw);
}

/* Whether the file's third number is `revision`, the program reads `batches` from it, and normalises
   by the statistics divided by `share`. */
static void assert_age(int32_t revision, uint32_t batches, double share)
{
    struct meta_error e;
    struct meta_weights_head head;
    char *raw;
    size_t size;
    int32_t third;
    float *p, *s;
    if (meta_file_read(path, &raw, &size, &e)) fail_msg("%s", e.text);
    memcpy(&third, raw + 8, sizeof third);
    free(raw);
    assert_int_equal(third, revision);
    p = malloc(net->parameters * sizeof *p);
    s = malloc(net->statistics * sizeof *s);
    if (meta_weights_read(net, path, p, s, &head, &e)) fail_msg("%s", e.text);
    assert_int_equal(head.updates, batches);
    assert_array(s, statistics, net->statistics);
    free(p);
    free(s);
    if (meta_weights_load(net, path, &p, &s, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < net->statistics; i++) assert_near(s[i], statistics[i] / share, 1e-6 * fabs(statistics[i] / share));
    assert_array(p, parameters, net->parameters);
    free(p);
    free(s);
}

/* Stock Darknet reads such a file as any other, and writes the number that it has itself. */
static void test_young_statistics(void **state)
{
    write_young(640, 40);
    assert_age(0x4d4c0028, 40, 1 - pow(.99, 40));
    network *stock = load_network(cfg_path, path, 0);
    assert_int_equal(*stock->seen, 640);
    assert_array(stock->layers[0].rolling_mean, statistics + net->layers[0].mean, net->layers[0].filters);
    save_weights(stock, path);
    free_network(stock);
    assert_age(0, META_ROLLING_SETTLED, 1);
    write_young(0, 1);
    assert_age(0x4d4c0001, 1, .01);
    write_young(0, META_ROLLING_SETTLED - 1);
    assert_age(0x4d4c07ff, META_ROLLING_SETTLED - 1, 1);
    write_young(0, META_ROLLING_SETTLED);
    assert_age(0, META_ROLLING_SETTLED, 1);
}

/* Statistics that are all 0 have not been moved, whatever a file says of it. */
static void test_statistics_of_zero(void **state)
{
    float *kept = malloc(net->statistics * sizeof *kept);
    memcpy(kept, statistics, net->statistics * sizeof *kept);
    memset(statistics, 0, net->statistics * sizeof *statistics);
    write_young(5, META_ROLLING_SETTLED);
    assert_age(0, 0, 1);
    memcpy(statistics, kept, net->statistics * sizeof *kept);
    free(kept);
}

/* A mean of the batches: constant statistics come out as they are after any number of batches. */
static void test_rolling(void **state)
{
    float batch[2] = { 3, -.5 }, rolling[2] = { 0 };
    uint32_t batches = 0;
    for (int i = 1; i <= 400; i++) {
        float now[2];
        meta_rolling_move(rolling, batch, 2);
        batches = meta_rolling_add(batches, 1);
        assert_int_equal(batches, i);
        memcpy(now, rolling, sizeof now);
        meta_rolling_correct(now, 2, batches);
        for (int k = 0; k < 2; k++) assert_near(now[k], batch[k], 1e-5);
    }
    assert_near(rolling[0], 3 * (1 - pow(.99, 400)), 1e-4);
    assert_int_equal(meta_rolling_add(META_ROLLING_SETTLED - 3, 2), META_ROLLING_SETTLED - 1);
    assert_int_equal(meta_rolling_add(META_ROLLING_SETTLED - 3, 3), META_ROLLING_SETTLED);
    assert_int_equal(meta_rolling_add(META_ROLLING_SETTLED, 7), META_ROLLING_SETTLED);
}

/* ---- files that have the first layers alone, and old ones --------------------------------------------- */

/* What was read must be the stock library's numbers, and what was not must be as it was. */
static void assert_first_layers(const network *stock, const float *p, const float *s, int layers)
{
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->weights == META_NONE) continue;
        const layer *theirs = &stock->layers[i];
        for (size_t k = 0; k < l->weight_count; k++)
            assert_true(p[l->weights + k] == (i < layers ? theirs->weights[k] : -7));
        for (int k = 0; k < l->filters; k++) {
            assert_true(p[l->biases + k] == (i < layers ? theirs->biases[k] : -7));
            if (!l->batch_normalize) continue;
            assert_true(p[l->scales + k] == (i < layers ? theirs->scales[k] : -7));
            assert_true(s[l->mean + k] == (i < layers ? theirs->rolling_mean[k] : -7));
            assert_true(s[l->variance + k] == (i < layers ? theirs->rolling_variance[k] : -7));
        }
    }
}

/* Reads the file here and by the stock library. Returns the layers that were read, or -1. */
static int read_first(uint64_t wanted)
{
    struct meta_error e;
    float *p = malloc(net->parameters * sizeof *p), *s = malloc(net->statistics * sizeof *s);
    struct meta_weights_head head = { .seen = 1, .updates = 1, .layers = -1 };
    for (size_t i = 0; i < net->parameters; i++) p[i] = -7;
    for (size_t i = 0; i < net->statistics; i++) s[i] = -7;
    int status = meta_weights_read_first(net, path, p, s, &head, &e);
    network *stock = load_network(cfg_path, path, 0);
    if (!status) {
        assert_first_layers(stock, p, s, head.layers);
        assert_int_equal(head.seen, wanted);
        assert_int_equal(*stock->seen, wanted);
    } else {
        for (size_t i = 0; i < net->parameters; i++) assert_true(p[i] == -7);
        if (strchr(e.text, '\n')) fail_msg("more than one line");
    }
    free_network(stock);
    free(p);
    free(s);
    return status ? -1 : head.layers;
}

/* `darknet partial` writes the layers before a number. Layers without weights leave no trace. */
static void test_partial(void **state)
{
    static const int layers[] = { -1, 2, 2, 3, 4, 6, 6 };
    for (int cut = 0; cut <= net->count; cut++) {
        write_ours(77);
        network *stock = load_network(cfg_path, path, 0);
        save_weights_upto(stock, path, cut);
        free_network(stock);
        assert_int_equal(read_first(77), layers[cut]);
        struct meta_weights_head head;
        struct meta_error e = { "" };
        float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
        assert_int_equal(meta_weights_read(net, path, p, s, &head, &e), cut < 5 ? -1 : 0);
        free(p);
        free(s);
    }
}

static void test_cut_elsewhere(void **state)
{
    struct meta_error e;
    size_t size, first = 20 + 4 * (5 * 4 + 5 * 27), ends[] = { first - 4, first + 4, first + 1, 20, 24 };
    char *raw = bytes(&size);
    float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
    struct meta_weights_head head;
    put(raw, first);
    assert_int_equal(read_first(5), 2);
    for (int k = 0; k < 5; k++) {
        put(raw, ends[k]);
        assert_int_equal(meta_weights_read_first(net, path, p, s, &head, &e), -1);
        assert_non_null(strstr(e.text, "nor does it end behind one of its layers"));
    }
    float nan = NAN;
    memcpy(raw + 20, &nan, sizeof nan);
    put(raw, first);
    assert_int_equal(meta_weights_read_first(net, path, p, s, &head, &e), -1);
    assert_non_null(strstr(e.text, "number 0 of 155 is not finite"));
    for (size_t i = 0; i < net->parameters; i++) assert_true(p[i] == 0);
    free(p);
    free(s);
    free(raw);
}

/* A header of 16 bytes: version 0.1, or three rates from before there were versions, when [connected]
   was written input by input. */
static void test_old_headers_of_whole_and_partial_files(void **state)
{
    const int32_t version[] = { 0, 1, 0, 4242 };
    const float rates[] = { .0005f, .9f, .0005f };
    size_t size, first = 4 * (5 * 4 + 5 * 27);
    char *raw = bytes(&size);
    for (int old = 0; old < 2; old++) {
        memcpy(raw + 4, version, sizeof version);
        if (old) memcpy(raw + 4, rates, sizeof rates);
        put(raw + 4, size - 4);
        assert_int_equal(read_first(4242), net->count);
        put(raw + 4, 16 + first);
        assert_int_equal(read_first(4242), 2);
    }
    free(raw);
}

static void refused(const char *text, ...)
{
    struct meta_error e = {""};
    struct meta_weights_head head;
    float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
    assert_int_equal(meta_weights_read(net, path, p, s, &head, &e), -1);
    for (size_t i = 0; i < net->parameters; i++) assert_true(p[i] == 0);
    va_list more;
    va_start(more, text);
    for (; text; text = va_arg(more, const char *))
        if (!strstr(e.text, text)) fail_msg("\"%s\" does not say \"%s\"", e.text, text);
    va_end(more);
    if (strchr(e.text, '\n')) fail_msg("more than one line");
    free(p);
    free(s);
}

static void test_refusals(void **state)
{
    size_t size;
    char *raw = bytes(&size), ours[32], other[32];
    snprintf(ours, sizeof ours, "%zu", size);
    put(raw, size - 1);
    snprintf(other, sizeof other, "%zu bytes", size - 1);
    refused(path, ours, other, NULL);
    char *longer = calloc(1, size + 4);
    memcpy(longer, raw, size);
    put(longer, size + 4);
    snprintf(other, sizeof other, "%zu bytes", size + 4);
    refused(path, ours, other, NULL);
    put(raw, 0);
    refused(path, ours, "0 bytes", "too short", NULL);
    put(raw, 15);
    refused(path, ours, "15 bytes", "too short", NULL);
    memset(longer, 0x5a, size);
    put(longer, size);
    refused(path, ours, "version", NULL);
    float nan = NAN;
    memcpy(raw + 20 + 40, &nan, sizeof nan);
    put(raw, size);
    refused(path, "number 10", "not finite", NULL);
    unlink(path);
    refused(path, "No such file", NULL);
    free(longer);
    free(raw);
}

/* What `meta grad` writes is no start of anything, with either form of `seen`. */
static void test_gradient(void **state)
{
    struct meta_error e;
    size_t size;
    const int32_t old[] = { 0, 1, 0x4d470000 };
    if (meta_weights_write(net, path, parameters, statistics, (struct meta_weights_head){ .gradient = 1 }, &e)) fail_msg("%s", e.text);
    char *raw;
    if (meta_file_read(path, &raw, &size, &e)) fail_msg("%s", e.text);
    assert_int_equal(meta_weights_gradient(path), 1);
    refused(path, ": is a gradient that `meta grad` wrote, no weights", NULL);
    assert_int_equal(read_first(0), -1);
    memcpy(raw + 4, old, sizeof old);
    put(raw + 4, size - 4);
    refused(path, ": is a gradient that `meta grad` wrote, no weights", NULL);
    write_ours(0);
    assert_int_equal(meta_weights_gradient(path), 0);
    free(raw);
}

/* What no reader takes is not written, and the file that was there stays. */
static void test_not_finite(void **state)
{
    struct meta_error e;
    float *p = calloc(net->parameters, sizeof *p), *s = calloc(net->statistics, sizeof *s);
    float *both[] = { p, s };
    size_t counts[] = { net->parameters, net->statistics }, size;
    assert_int_equal(meta_weights_write(net, path, p, s, (struct meta_weights_head){ .seen = 7 }, &e), 0);
    char *good = bytes(&size);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            both[i][counts[i] - 1] = k ? NAN : INFINITY;
            assert_int_equal(meta_weights_write(net, path, p, s, (struct meta_weights_head){ .seen = 8 }, &e), -1);
            assert_non_null(strstr(e.text, "the weights are not finite: nothing was written"));
            both[i][counts[i] - 1] = 0;
            size_t now;
            char *kept = bytes(&now);
            assert_int_equal(now, size);
            assert_memory_equal(kept, good, size);
            free(kept);
        }
    free(good);
    free(p);
    free(s);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_not_finite), cmocka_unit_test(test_stock_reads_ours), cmocka_unit_test(test_we_read_stock),
                                        cmocka_unit_test(test_old_header), cmocka_unit_test(test_young_statistics), cmocka_unit_test(test_statistics_of_zero), cmocka_unit_test(test_rolling), cmocka_unit_test(test_partial), cmocka_unit_test(test_cut_elsewhere),
                                        cmocka_unit_test(test_old_headers_of_whole_and_partial_files), cmocka_unit_test(test_refusals), cmocka_unit_test(test_gradient) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
