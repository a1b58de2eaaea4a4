/* Supervised training: mini-batches, their step against one made by hand, held-out images, and networks cut to what a method takes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "evaluation/holdout.h"
#include "image_files.h"
#include "learning/outer_loop.h"
#include "tasks/stream.h"
#include "tasks/view.h"
#include "stats/auc.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/reference/reference.h"

enum { SIDE = 10, IMAGES = 37, CLASSES = 4, OUTPUTS = 3, PARTS = 2, EACH = 5, CHANNELS = 3, NUMBERS = CHANNELS * SIDE * SIDE };
static struct meta_error error;
static unsigned char *pixels[IMAGES];
static int sides[IMAGES], labels[IMAGES], groups[IMAGES];
static struct meta_dataset set = { .count = IMAGES, .label = labels, .group = groups, .classes = CLASSES, .list = "x.list", .w = sides, .h = sides, .pixels = pixels,
                                   .c = CHANNELS };
/* class 1 is not trained */
static const int outputs[CLASSES] = { 1, -1, 0, 2 };
static struct meta_episode_settings episode = { .ways = 2, .shots = 1, .queries = 1, .tasks = 1 };
static struct meta_inner_settings inner = { .steps = 5, .test_steps = 5, .learning_rate = .1, .order = 2 };
static struct meta_model model = { .purpose = META_FOR_IMAGES, .episode = &episode, .inner = &inner,
    .net = { .width = SIDE, .height = SIDE, .channels = CHANNELS, .batch = PARTS * EACH, .subdivisions = PARTS, .min_crop = 10, .max_crop = 13, .flip = 1,
             .aspect = 1, .saturation = 1.2, .exposure = 1.2, .eps = 1e-8, .B1 = .9, .B2 = .999 } };

static void add(struct meta_layer l)
{
    if (meta_network_add(model.network, l, &error)) fail_msg("%s", error.text);
}

static int set_up(void **state)
{
    for (int i = 0; i < IMAGES; i++) {
        sides[i] = 10 + i % 3;
        labels[i] = i % CLASSES;
        groups[i] = i % 3 ? i / 9 : -1;
        pixels[i] = make_picture(sides[i], sides[i], CHANNELS, i);
        /* as many colours as classes */
        for (int k = 0; k < sides[i] * sides[i] * CHANNELS; k++) pixels[i][k] = pixels[i][k] / 2 + (k % CHANNELS == labels[i] ? 100 : 20);
    }
    if (meta_network_create(&model.network, (struct meta_shape){ CHANNELS, SIDE, SIDE }, &error)) return -1;
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 8, .size = 3, .stride = 1, .padding = 1, .batch_normalize = 1,
                             .activation = META_RELU });
    add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    add((struct meta_layer){ .type = META_CONVOLUTIONAL, .filters = 17, .size = 3, .stride = 1, .padding = 1, .activation = META_LEAKY });
    int *from = malloc(2 * sizeof *from);
    from[0] = 1;
    from[1] = 2;
    add((struct meta_layer){ .type = META_ROUTE, .from_count = 2, .from = from });
    add((struct meta_layer){ .type = META_DROPOUT, .probability = .2 });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = OUTPUTS, .activation = META_LINEAR });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    return 0;
}

static int tear_down(void **state)
{
    for (int i = 0; i < IMAGES; i++) free(pixels[i]);
    meta_network_free(model.network);
    return 0;
}

static struct meta_stream *open_stream(uint64_t first, int ahead, int threads)
{
    struct meta_stream *s;
    struct meta_stream_settings how = { .set = &set, .net = &model.net, .augment = 1, .seed = 7, .first = first,
                                        .tasks = PARTS, .ahead = ahead, .threads = threads };
    if (meta_stream_create_images(&s, &how, outputs, EACH, &error)) fail_msg("%s", error.text);
    return s;
}

/* Each place of each part draws any image; what it shows and how it is labelled follow. Not from threads, rings or the first iteration. */
static void test_stream(void **state)
{
    int times[IMAGES] = { 0 };
    const struct { int ahead, threads; uint64_t first; } ways[] = { { 1, 1, 1 }, { 6, 3, 1 }, { 2, 2, 41 } };
    for (int k = 0; k < 3; k++) {
        struct meta_stream *s = open_stream(ways[k].first, ways[k].ahead, ways[k].threads);
        const struct meta_batch *batches[PARTS];
        for (uint64_t iteration = ways[k].first; iteration <= 50; iteration++) {
            meta_stream_next(s, batches);
            for (int part = 0; part < PARTS; part++) {
                struct meta_rng rng = meta_rng_open(7, META_USE_EPISODE, iteration, part, 0);
                for (int i = 0; i < EACH; i++) {
                    float expected[NUMBERS];
                    int item = meta_rng_below(&rng, IMAGES);
                    struct meta_view view = { &model.net, 1, 7, iteration, part, i };
                    meta_view_image(&set, item, &view, expected);
                    assert_memory_equal(batches[part]->query + i * NUMBERS, expected, sizeof expected);
                    assert_int_equal(batches[part]->query_labels[i], outputs[labels[item]]);
                    if (!k) times[item]++;
                }
            }
        }
        meta_stream_free(s);
    }
    for (int i = 0; i < IMAGES; i++) assert_in_range(times[i], 2, 35);          /* 500 draws: 13.5 each, deviation 3.6 */
}

struct bench { const struct meta_backend *b; float *parameters, *statistics; void *phi, *gradient; };

static struct bench open_bench(const struct meta_backend *b)
{
    size_t n = model.network->parameters, m = model.network->statistics;
    if (b->open(&error)) fail_msg("%s", error.text);
    struct bench x = { b, malloc(n * sizeof(float)), malloc(m * sizeof(float)), b->allocate(n * b->element), b->allocate(n * b->element) };
    meta_network_initialise(model.network, 3, x.parameters, x.statistics);
    b->upload(x.phi, x.parameters, n);
    return x;
}

static void close_bench(struct bench x)
{
    free(x.parameters);
    free(x.statistics);
    x.b->release(x.phi);
    x.b->release(x.gradient);
}

static struct meta_program *open_program(const struct bench *x, const struct meta_network *net, int batch)
{
    struct meta_program *p;
    if (meta_program_create(&p, net, x->b,
                            (struct meta_program_settings){ .query = batch, .passes = META_GRADIENT }, &error)) fail_msg("%s", error.text);
    meta_program_dropout(p, (struct meta_dropout_key){ .train = 0 });
    return p;
}

static int relabelled(int item) { return outputs[labels[item]] < 0 ? 0 : outputs[labels[item]]; }

/* p - rate * the mean over the parts of the gradient of each part's mean loss, by its own statistics; those into the rolling ones, in order. */
static void test_step(void **state)
{
    struct bench x = open_bench(&meta_backend_reference);
    size_t n = model.network->parameters, m = model.network->statistics;
    double expected[n], gradient[n], phi[n], loss = 0;
    float rolling[m], own[m], images[PARTS][EACH * NUMBERS], got[n], got_rolling[m];
    double scores[EACH * OUTPUTS];
    int own_labels[PARTS][EACH], right = 0;
    const struct meta_batch *list[PARTS];
    struct meta_batch batches[PARTS];
    struct meta_program *p = open_program(&x, model.network, EACH);
    for (size_t i = 0; i < n; i++) expected[i] = x.parameters[i];
    memset(rolling, 0, sizeof rolling);
    for (int part = 0; part < PARTS; part++) {
        for (int i = 0; i < EACH; i++) {
            struct meta_view view = { .net = &model.net };
            meta_view_image(&set, part * EACH + i, &view, images[part] + i * NUMBERS);
            own_labels[part][i] = relabelled(part * EACH + i);
        }
        batches[part] = (struct meta_batch){ .query = images[part], .query_labels = own_labels[part] };
        list[part] = &batches[part];
        meta_program_load(p, images[part], own_labels[part]);
        meta_program_dropout(p, (struct meta_dropout_key){ 9, 5, part, 0, 1 });
        loss += meta_program_forward(p, x.phi, META_STATISTICS_BATCH, NULL) / PARTS;
        meta_program_log_odds(p, scores);
        right += meta_accuracy(scores, own_labels[part], EACH, OUTPUTS) * EACH + .5;
        meta_program_gradient(p, x.phi, x.gradient);
        meta_program_batch_statistics(p, own);
        x.b->download_double(gradient, x.gradient, n);
        for (size_t i = 0; i < n; i++) expected[i] -= .05 * gradient[i] / PARTS;
        for (size_t i = 0; i < m; i++) rolling[i] = .99f * rolling[i] + .01f * own[i];
    }
    for (int threads = 1; threads <= 2; threads++) {
        struct meta_pool *pool;
        struct meta_outer *outer;
        struct meta_outer_result result;
        if (meta_pool_create(&pool, threads, &error) || meta_outer_create(&outer, &(struct meta_outer_parts){ &model, x.b, pool, 9, NULL, NULL }, &error)) fail_msg("%s", error.text);
        meta_outer_upload(outer, x.parameters, x.statistics);
        if (meta_outer_step(outer, list, 5, .05, &result, &error)) fail_msg("%s", error.text);
        x.b->download_double(phi, meta_outer_parameters(outer), n);
        for (size_t i = 0; i < n; i++) assert_near(phi[i], expected[i], 1e-12);
        meta_outer_download(outer, got, got_rolling);
        for (size_t i = 0; i < m; i++) assert_near(got_rolling[i], rolling[i], 1e-7);
        assert_near(result.query_loss, loss, 1e-12);
        assert_near(result.accuracy, right / (double)(PARTS * EACH), 1e-12);
        meta_outer_free(outer);
        meta_pool_free(pool);
    }
    meta_program_free(p);
    close_bench(x);
}

/* Every image of a trained class once, by the rolling statistics; the last pass is not full. */
static void test_holdout(void **state)
{
    struct bench x = open_bench(&meta_backend_onednn);
    float images[IMAGES * NUMBERS];
    double scores[IMAGES * OUTPUTS];
    int own[IMAGES], group[IMAGES], count = 0;
    unsigned char right[IMAGES];
    struct meta_holdout_result first = { .loss = 0 };
    for (size_t i = 0; i < model.network->statistics; i++) x.statistics[i] = .3 + .01 * i;
    for (int i = 0; i < IMAGES; i++) {
        struct meta_view view = { .net = &model.net };
        if (outputs[labels[i]] < 0) continue;
        group[count] = groups[i] < 0 ? IMAGES + i : groups[i]; /* an image in none is one of its own */
        own[count] = outputs[labels[i]];
        meta_view_image(&set, i, &view, images + count++ * NUMBERS);
    }
    struct meta_program *p = open_program(&x, model.network, count);
    meta_program_load(p, images, own);
    double loss = meta_program_forward(p, x.phi, META_STATISTICS_ROLLING, x.statistics);
    meta_program_log_odds(p, scores);
    for (int i = 0; i < count; i++) right[i] = meta_accuracy(scores + i * OUTPUTS, &own[i], 1, OUTPUTS) == 1;
    const struct meta_clusters clusters = { count, group, 2 * IMAGES };
    struct meta_interval share;
    if (meta_clustered_share(&share, &clusters, NULL, right, NULL, &error)) fail_msg("%s", error.text);
    assert_true(share.low < share.value && share.high > share.value);
    for (int threads = 1; threads <= 3; threads += 2) {
        struct meta_pool *pool;
        struct meta_holdout *h;
        if (meta_pool_create(&pool, threads, &error)) fail_msg("%s", error.text);
        struct meta_evaluation_parts parts = { &model, x.b, pool, &set, NULL };
        if (meta_holdout_create(&h, &parts, outputs, &error)) fail_msg("%s", error.text);
        struct meta_holdout_result r = meta_holdout_run(h, x.phi, x.statistics, NULL, NULL);
        assert_int_equal(meta_holdout_images(h), count);
        assert_near(r.loss, loss, 1e-5);
        assert_near(r.accuracy.value, meta_accuracy(scores, own, count, OUTPUTS), 1e-12);
        assert_near(r.accuracy.low, share.low, 1e-12);
        assert_near(r.accuracy.high, share.high, 1e-12);
        if (threads == 1) first = r;
        else assert_true(r.loss == first.loss && r.accuracy.value == first.accuracy.value && r.accuracy.error == first.accuracy.error);
        meta_holdout_free(h);
        meta_pool_free(pool);
    }
    static const int none[CLASSES] = { -1, -1, -1, -1 };
    struct meta_pool *pool;
    struct meta_holdout *h;
    if (meta_pool_create(&pool, 1, &error)) fail_msg("%s", error.text);
    struct meta_evaluation_parts parts = { &model, x.b, pool, &set, NULL };
    assert_int_equal(meta_holdout_create(&h, &parts, none, &error), -1);
    assert_string_equal(error.text, "x.list: has no image of the classes of the training list");
    meta_pool_free(pool);
    meta_program_free(p);
    close_bench(x);
}

/* With a head like the one taken off, a cut network is the whole one; without, its features are what that head reads. */
static void test_cut(void **state)
{
    const struct meta_backend *both[] = { &meta_backend_reference, &meta_backend_onednn };
    for (int k = 0; k < 2; k++) {
        struct bench x = open_bench(both[k]);
        struct meta_network *same, *features;
        const struct meta_layer *head = &model.network->layers[5];
        int size = 25 * 25;
        float images[4 * NUMBERS], got[4 * size], probabilities[4 * OUTPUTS];
        static const int own[] = { 0, 1, 2, 1 }, zeros[4];
        for (int i = 0; i < 4 * NUMBERS; i++) images[i] = (i * 37 % 101) / 100.;
        if (meta_network_cut(&same, model.network, 5, OUTPUTS, &error) || meta_network_cut(&features, model.network, 5, 0, &error))
            fail_msg("%s", error.text);
        assert_int_equal(same->parameters, model.network->parameters);
        assert_int_equal(same->layers[5].weights, head->weights);
        assert_int_equal(features->parameters, head->biases);
        struct meta_program *whole = open_program(&x, model.network, 4), *cut = open_program(&x, same, 4), *top = open_program(&x, features, 4);
        meta_program_load(whole, images, own);
        meta_program_load(cut, images, own);
        meta_program_load(top, images, zeros);
        double loss = meta_program_forward(whole, x.phi, META_STATISTICS_BATCH, NULL);
        assert_near(meta_program_forward(cut, x.phi, META_STATISTICS_BATCH, NULL), loss, 1e-12);
        meta_program_forward(top, x.phi, META_STATISTICS_BATCH, NULL);
        meta_program_features(top, got);
        meta_program_probabilities(whole, probabilities);
        for (int i = 0; i < 4; i++) {          /* log p_a - log p_b by the head's own weights */
            double logit[OUTPUTS];
            for (int o = 0; o < OUTPUTS; o++) {
                logit[o] = x.parameters[head->biases + o];
                for (int f = 0; f < size; f++) logit[o] += (double)x.parameters[head->weights + o * size + f] * got[i * size + f];
            }
            for (int o = 1; o < OUTPUTS; o++)
                assert_near(log(probabilities[i * OUTPUTS + o] / probabilities[i * OUTPUTS]), logit[o] - logit[0], 1e-4);
        }
        meta_program_free(whole);
        meta_program_free(cut);
        meta_program_free(top);
        meta_network_free(same);
        meta_network_free(features);
        close_bench(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stream), cmocka_unit_test(test_step), cmocka_unit_test(test_holdout),
                                        cmocka_unit_test(test_cut) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
