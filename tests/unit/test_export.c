/* Exported networks: the files read again give the same probabilities, with the numbers and keys that
   other programs read as Darknet does. What is rewritten for them is tested in test_portable.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "adaptation/adapt.h"
#include "backends/reference/reference.h"
#include "base/file.h"
#include "base/rng.h"
#include "config/model.h"
#include "network/export.h"
#include "network/weights.h"

enum { SIDE = 6, IMAGES = 5, CLASSES = 3, IMAGE = 3 * SIDE * SIDE };
static struct meta_filled network;
static float images[IMAGES * IMAGE];
static struct meta_error error;

static void add(struct meta_layer l)
{
    if (meta_filled_add(&network, l, &error)) fail_msg("%s", error.text);
}

static int make_network(void **state)
{
    const char *folder = getenv("TMP_TEST");
    struct meta_rng rng = meta_rng_open(7, META_USE_CHECK, 0, 0, 0);
    int where, *from = malloc(sizeof *from);
    if (chdir(folder ? folder : "/tmp")
        || meta_network_create(&network.network, (struct meta_shape){ 3, SIDE, SIDE }, &error))
        return -1;
    add((struct meta_layer){ .type = META_CONVOLUTIONAL,
                             .filters = 4,
                             .size = 3,
                             .stride = 1,
                             .padding = 1,
                             .batch_normalize = 1,
                             .activation = META_RELU });
    add((struct meta_layer){ .type = META_CONVOLUTIONAL,
                             .filters = 4,
                             .size = 3,
                             .stride = 1,
                             .padding = 1,
                             .activation = META_LEAKY });
    *from = 0;
    add((struct meta_layer){
        .type = META_SHORTCUT, .from_count = 1, .from = from, .alpha = 1, .beta = 1 });
    add((struct meta_layer){ .type = META_MAXPOOL, .size = 2, .stride = 2 });
    add((struct meta_layer){
        .type = META_CONNECTED, .filters = 5, .batch_normalize = 1, .activation = META_LOGISTIC });
    add((struct meta_layer){ .type = META_CONNECTED, .filters = CLASSES });
    add((struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 });
    if (meta_network_finish(network.network, 1, &where, &error)) return -1;
    for (size_t i = 0; i < network.network->parameters; i++)
        network.parameters[i] = .4 * meta_rng_normal(&rng);
    /* half of the variances are below the one that must be lifted */
    for (size_t i = 0; i < network.network->statistics; i++)
        network.statistics[i] = i % 2 ? .01 + .05 * meta_rng_uniform(&rng)
                                      : .3 + meta_rng_uniform(&rng);
    for (int i = 0; i < IMAGES * IMAGE; i++) images[i] = meta_rng_uniform(&rng);
    return 0;
}

static int clear_network(void **state)
{
    meta_filled_clear(&network);
    return 0;
}

static void predict(const struct meta_filled *f, float *probabilities)
{
    struct meta_predictor *p;
    if (meta_predictor_create(&p, f, f->statistics, &meta_backend_reference, IMAGES, &error))
        fail_msg("%s", error.text);
    assert_int_equal(meta_predictor_run(p, images, IMAGES, (struct meta_answer){ .probabilities = probabilities }, &error), 0);
    meta_predictor_free(p);
}

static int export_as(const char *name, const char *comment, enum meta_fold fold)
{
    struct meta_export how = { name, comment, fold, "orientation=stored\n" };
    char *otherwise = NULL;
    int status = meta_export(&network, &how, &otherwise, &error);
    assert_null(otherwise);
    return status;
}

static void files_give_the_same_probabilities(void **state)
{
    float before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    struct meta_model *model;
    struct meta_filled read = { 0 };
    char *text;
    size_t size;
    if (export_as("exported", "two lines\nof comment", META_FOLD_REST))
        fail_msg("%s", error.text);
    if (meta_model_load_for(&model, "exported.cfg", META_FOR_ANY, &error)
        || meta_weights_load(model->network, "exported.weights", &read.parameters, &read.statistics,
                             &error))
        fail_msg("%s", error.text);
    assert_int_equal(model->net.orientation, META_ORIENTATION_STORED);
    read.network = model->network;
    predict(&network, before);
    predict(&read, after);
    for (int i = 0; i < IMAGES * CLASSES; i++)
        if (fabsf(before[i] - after[i]) > 1e-5)
            fail_msg("probability %d: %g, not %g", i, after[i], before[i]);
    assert_int_equal(meta_file_read("exported.cfg", &text, &size, &error), 0);
    assert_int_equal(strncmp(text, "# two lines\n# of comment\n# weights ", 35), 0);
    /* the first layer keeps its normalisation, the [connected] does not; padding is half the size */
    const char *normalised = strstr(text, "batch_normalize=1");
    assert_non_null(normalised);
    assert_null(strstr(normalised + 1, "batch_normalize"));
    assert_true(normalised < strstr(text, "filters="));
    assert_non_null(strstr(text, "size=3\nstride=1\npad=1\n"));
    free(text);
    free(read.parameters);
    free(read.statistics);
    meta_model_free(model);
}

static char *read_text(const char *path, size_t *size)
{
    char *text;
    if (meta_file_read(path, &text, size, &error)) fail_msg("%s", error.text);
    return text;
}

/* A .cfg that can't be written, though the .weights can */
static void both_files_are_written_or_none(void **state)
{
    static char long_comment[100000];
    struct rlimit before, small;
    size_t sizes[4];
    memset(long_comment, 'x', sizeof long_comment - 1);
    assert_int_equal(export_as("pair", "the first", META_FOLD_REST), 0);
    char *cfg = read_text("pair.cfg", &sizes[0]), *weights = read_text("pair.weights", &sizes[1]);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = sizeof long_comment / 2;
    assert_true(sizes[1] < small.rlim_cur);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    network.parameters[network.network->layers[0].weights] += .1f;
    int again = export_as("pair", long_comment, META_FOLD_REST);
    int anew = export_as("anew", long_comment, META_FOLD_REST);
    network.parameters[network.network->layers[0].weights] -= .1f;
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(again, -1);
    assert_int_equal(anew, -1);
    assert_string_equal(error.text, "anew.cfg: can't write: File too large");
    assert_int_equal(access("anew.weights", F_OK), -1);
    char *cfg_now = read_text("pair.cfg", &sizes[2]),
         *weights_now = read_text("pair.weights", &sizes[3]);
    assert_memory_equal(sizes, sizes + 2, 2 * sizeof *sizes);
    assert_memory_equal(cfg, cfg_now, sizes[0]);
    assert_memory_equal(weights, weights_now, sizes[1]);
    free(cfg);
    free(weights);
    free(cfg_now);
    free(weights_now);
}

/* A reader adds 1e-6 to the deviation, or 1e-6 or 1e-5 to the variance: each channel has such units
   that all of them normalise a number alike. */
static void what_readers_add_to_a_variance_does_not_matter(void **state)
{
    struct meta_model *model;
    float *parameters, *statistics;
    assert_int_equal(export_as("units", NULL, META_FOLD_NONE), 0);
    assert_int_equal(meta_model_load_for(&model, "units.cfg", META_FOR_ANY, &error), 0);
    assert_int_equal(meta_weights_load(model->network, "units.weights", &parameters, &statistics,
                                       &error),
                     0);
    const struct meta_layer *now = &model->network->layers[0], *then = &network.network->layers[0];
    size_t row = then->weight_count / then->filters;
    for (int c = 0; c < now->filters; c++) {
        double x = 1.7, m = statistics[now->mean + c], v = statistics[now->variance + c],
               old = network.statistics[then->variance + c],
               unit = parameters[now->weights + c * row] / network.parameters[then->weights + c * row],
               above = parameters[now->scales + c] * (unit * x - m),
               wanted = network.parameters[then->scales + c]
            * (x - network.statistics[then->mean + c]) / (sqrt(old) + 1e-6),
               near = 1e-6 * fabs(wanted) + 1e-6;
        assert_true(fabs(above / (sqrt(v) + 1e-6) - wanted) < near);
        assert_true(fabs(above / sqrt(v + 1e-6) - wanted) < near);
        assert_true(fabs(above / sqrt(v + 1e-5) - wanted) < near);
    }
    free(parameters);
    free(statistics);
    meta_model_free(model);
}

/* A model with random numbers. The caller frees both with close_file. */
static struct meta_filled open_file(struct meta_model **model, const char *path)
{
    struct meta_rng rng = meta_rng_open(9, META_USE_CHECK, 0, 0, 0);
    struct meta_filled f = { 0 };
    if (meta_model_load_for(model, path, META_FOR_ANY, &error)) fail_msg("%s", error.text);
    f.network = (*model)->network;
    f.parameters = malloc(f.network->parameters * sizeof *f.parameters);
    f.statistics = malloc((f.network->statistics + 1) * sizeof *f.statistics);
    for (size_t i = 0; i < f.network->parameters; i++)
        f.parameters[i] = .4 * meta_rng_normal(&rng);
    for (size_t i = 0; i < f.network->statistics; i++)
        f.statistics[i] = .3 + meta_rng_uniform(&rng);
    return f;
}

static void close_file(struct meta_model *model, struct meta_filled *f)
{
    free(f->parameters);
    free(f->statistics);
    meta_model_free(model);
}

static void write_text(const char *path, const char *text)
{
    struct meta_chunk chunk = { text, strlen(text) };
    assert_int_equal(meta_file_write(path, &chunk, 1, &error), 0);
}

/* Groups, activations, [crop], [reorg] and [scale_channels] with all their options. */
static void kinds_of_stock_classifiers_are_written(void **state)
{
    float before[IMAGES * CLASSES], after[IMAGES * CLASSES];
    struct meta_model *model, *again;
    char *otherwise;
    write_text("kinds.cfg",
               "[net]\nwidth=6\nheight=6\nchannels=3\n[crop]\ncrop_width=4\ncrop_height=6\n"
               "[conv]\nfilters=12\nsize=3\npad=1\nactivation=mish\nbatch_normalize=1\n"
               "[conv]\nfilters=8\ngroups=4\nactivation=ramp\n[crop]\ncrop_width=4\n"
               "crop_height=4\nnoadjust=1\n[avg]\n[conv]\nfilters=8\nactivation=swish\n"
               "[scale_channels]\nfrom=3\n[reorg]\nstride=2\n[reorg]\nstride=2\nreverse=1\n"
               "[reorg]\nflatten=1\n[reorg]\nextra=2\n[conn]\noutput=3\n[softmax]\n");
    struct meta_filled made = open_file(&model, "kinds.cfg"), read = { 0 };
    if (meta_export(&made, &(struct meta_export){ .name = "kinds_out" }, &otherwise, &error))
        fail_msg("%s", error.text);
    if (meta_model_load_for(&again, "kinds_out.cfg", META_FOR_ANY, &error)) fail_msg("%s", error.text);
    /* mish is not in all Darknets, and [crop] not in OpenCV's importer */
    assert_non_null(otherwise);
    assert_non_null(strstr(otherwise, "stock Darknet (layer 1, [convolutional]: its activation"));
    assert_non_null(strstr(otherwise, "OpenCV (layer 0, [crop]: not known)"));
    assert_non_null(strstr(otherwise, "AlexeyAB's Darknet (layer 9, [reorg]: flatten and extra)"));
    assert_non_null(strstr(otherwise, "hank-ai's Darknet (layer 0, [crop]: not known)"));
    free(otherwise);
    read.network = again->network;
    if (meta_weights_load(again->network, "kinds_out.weights", &read.parameters, &read.statistics,
                          &error))
        fail_msg("%s", error.text);
    predict(&made, before);
    predict(&read, after);
    for (int i = 0; i < IMAGES * CLASSES; i++)
        if (!(fabsf(before[i] - after[i]) <= 1e-5))
            fail_msg("probability %d: %g, not %g", i, after[i], before[i]);
    close_file(model, &made);
    close_file(again, &read);
}

/* A network whose classes are the pixels of a map is taken as it is: its one filter is no class. */
static void a_map_of_classes_is_not_cut(void **state)
{
    struct meta_model *model;
    struct meta_filled kept;
    write_text("map.cfg", "[net]\nwidth=6\nheight=6\nchannels=3\n[conv]\nfilters=1\n[softmax]\n");
    struct meta_filled made = open_file(&model, "map.cfg");
    if (meta_filled_narrow(&kept, &made, 36, &error)) fail_msg("%s", error.text);
    assert_int_equal(meta_network_outputs(kept.network), 36);
    assert_int_equal(kept.network->parameters, 4);
    meta_filled_clear(&kept);
    assert_int_equal(meta_filled_narrow(&kept, &made, 35, &error), -1);
    close_file(model, &made);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    assert_int_equal(export_as("no/folder/name", NULL, META_FOLD_REST), -1);
    assert_non_null(strstr(error.text, "no/folder/name.weights: can't create"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_give_the_same_probabilities),
        cmocka_unit_test(both_files_are_written_or_none),
        cmocka_unit_test(what_readers_add_to_a_variance_does_not_matter),
        cmocka_unit_test(kinds_of_stock_classifiers_are_written),
        cmocka_unit_test(a_map_of_classes_is_not_cut),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_network, clear_network);
}
