/* Networks rewritten for other readers: the outputs stay the same, and what only some programs know is
   gone or is named. tests/exported.py asks the programs themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "adaptation/adapt.h"
#include "backends/reference/reference.h"
#include "base/file.h"
#include "base/rng.h"
#include "config/model.h"
#include "network/portable.h"
#include "network/readers.h"

enum { IMAGES = 3 };
static struct meta_error error;

struct portable_case {
    const char *name, *cfg;
    const char *otherwise; /* what meta_readers_differ says of the rewritten network; NULL: nothing */
};

#define NET(w, h, c) "[net]\nwidth=" #w "\nheight=" #h "\nchannels=" #c "\n"
#define CONV(filters, size, rest) \
    "[convolutional]\nactivation=leaky\nfilters=" #filters "\nsize=" #size "\n" rest
#define LINEAR(filters, rest) \
    "[convolutional]\nactivation=linear\npad=1\nsize=3\nfilters=" #filters "\n" rest
#define CONNECTED(n, rest) "[connected]\noutput=" #n "\nactivation=linear\n" rest
#define BN "batch_normalize=1\n"
#define END CONNECTED(3, "") "[softmax]\n"

static const struct portable_case cases[] = {
    { "1x1 with a stride", NET(7, 5, 3) CONV(4, 1, "stride=2\n" BN) END, NULL },
    { "1x1 with padding", NET(7, 5, 3) CONV(4, 1, "padding=2\n") END, NULL },
    { "temperature of a linear layer", NET(7, 5, 3) CONV(4, 3, "") CONNECTED(3, BN) "[softmax]\ntemperature=.3\n", NULL },
    { "temperature behind pools", NET(9, 9, 3) CONV(3, 3, BN) "[maxpool]\nstride=2\n[dropout]\n[avgpool]\n[softmax]\ntemperature=3\n", NULL },
    { "temperature of a logistic layer", NET(7, 5, 3) "[connected]\noutput=3\n[softmax]\ntemperature=.3\n", NULL },
    { "softmax of a map", NET(4, 3, 1) LINEAR(2, "") "[softmax]\ntemperature=.3\n", NULL },
    { "shortcut with factors", NET(7, 5, 3) CONV(4, 3, "pad=1\n" BN) LINEAR(4, BN) "[shortcut]\nfrom=0\nalpha=.7\nbeta=-1.3\nactivation=relu\n" END, NULL },
    { "shortcut with alpha of what else is read", NET(7, 5, 3) LINEAR(4, "") LINEAR(4, "") "[shortcut]\nfrom=0\nalpha=.7\n[route]\nlayers=0,1,2\n" END, NULL },
    { "shortcuts from one layer", NET(7, 5, 3) LINEAR(4, "") LINEAR(4, "") "[shortcut]\nfrom=0\nbeta=.7\n" LINEAR(4, "") "[shortcut]\nfrom=0\nbeta=.4\n" END, NULL },
    { "shortcut from itself", NET(7, 5, 3) LINEAR(4, "") "[shortcut]\nfrom=-1\nalpha=.7\nbeta=2\n" END, NULL },
    { "shortcut with fewer channels", NET(7, 5, 3) LINEAR(3, "") LINEAR(5, "") "[shortcut]\nfrom=0\nalpha=.7\nbeta=2\n" END, NULL },
    { "shortcut with more channels", NET(7, 5, 3) LINEAR(5, "") LINEAR(3, "") "[shortcut]\nfrom=0\nalpha=.7\nbeta=2\n" END, NULL },
    { "shortcut from a larger map", NET(9, 9, 3) CONV(4, 3, "pad=1\n") CONV(5, 3, "stride=2\n") "[shortcut]\nfrom=0\nalpha=.5\n[avgpool]\n" END, NULL },
    { "shortcut from three times the map", NET(9, 9, 3) CONV(4, 3, "pad=1\n") CONV(4, 3, "stride=3\n") "[shortcut]\nfrom=0\n" END, NULL },
    { "shortcut from a smaller map", NET(8, 8, 3) CONV(4, 3, "pad=1\n") CONV(4, 3, "stride=2\npad=1\n") "[route]\nlayers=0\n[shortcut]\nfrom=1\nalpha=2\n[avgpool]\n" END,
      "read otherwise by OpenCV (layer 3, [shortcut]: alpha and beta), AlexeyAB's Darknet (layer 3, [shortcut]: alpha and beta), "
      "hank-ai's Darknet (layer 3, [shortcut]: alpha and beta)" },
    { "shortcut of vectors", NET(7, 5, 3) CONNECTED(4, "") CONNECTED(4, "") "[shortcut]\nfrom=0\nalpha=2\nbeta=3\n" END, NULL },
    { "activations", NET(7, 5, 3) LINEAR(4, BN) "[activation]\nactivation=relu\n[activation]\nactivation=logistic\n" END, NULL },
    { "activation of the image", NET(7, 5, 3) "[activation]\nactivation=logistic\n" CONV(4, 3, "") END, NULL },
    { "linear activation", NET(7, 5, 3) CONV(4, 3, "") "[activation]\nactivation=linear\n[shortcut]\nfrom=-1\n" END, NULL },
    { "activation of what else is read", NET(7, 5, 3) LINEAR(4, "") "[activation]\nactivation=relu\n[shortcut]\nfrom=0\n" END, NULL },
    { "dropout of the image", NET(7, 5, 3) "[dropout]\n" CONV(3, 3, "pad=1\n") "[shortcut]\nfrom=0\n" END, NULL },
    { "no map", NET(4, 4, 3) CONNECTED(5, BN) "[activation]\nactivation=leaky\n" END, NULL },
    { "a column", NET(1, 9, 3) CONV(4, 1, "") END,
      "read otherwise by OpenCV (layer 1, [connected]: its inputs, which it counts otherwise), "
      "AlexeyAB's Darknet (layer 2, [softmax]: no map of more than a row or a column), "
      "hank-ai's Darknet (layer 2, [softmax]: no map of more than a row or a column)" },
    { "convolution of a vector", NET(4, 4, 3) CONNECTED(5, "") LINEAR(4, BN) END, NULL },
    { "connected behind a route", NET(8, 8, 3) CONV(4, 3, "pad=1\n") CONV(4, 3, "stride=2\npad=1\n") "[route]\nlayers=-2\n[shortcut]\nfrom=0\n"
      CONV(4, 3, "stride=2\npad=1\n") "[route]\nlayers=1,-1\n" CONNECTED(4, BN) "[softmax]\n", NULL },
    { "max-pool of stride 1", NET(16, 4, 3) CONV(4, 3, "pad=1\n") "[maxpool]\nsize=3\nstride=1\n" END,
      "read otherwise by AlexeyAB's Darknet (layer 1, [maxpool]: padding with stride=1, where built with AVX=1), "
      "hank-ai's Darknet (layer 1, [maxpool]: padding with stride=1)" },
    { "two normalised convolutions", NET(7, 5, 3) CONV(4, 3, BN) CONV(4, 3, BN) END, NULL },
};

/* ---- a case ---------------------------------------------------------------------------------- */

struct prepared {
    struct meta_model *model;
    struct meta_filled filled; /* of the model's network */
    float *images;
};

static void draw(struct prepared *p)
{
    const struct meta_network *net = p->model->network;
    struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, 0, 0, 0);
    size_t numbers = IMAGES * meta_shape_numbers(net->input);
    p->filled = (struct meta_filled){ p->model->network, calloc(net->parameters, sizeof(float)),
                                      calloc(net->statistics + 1, sizeof(float)) };
    p->images = malloc(numbers * sizeof *p->images);
    for (size_t i = 0; i < net->parameters; i++)
        p->filled.parameters[i] = .5 * meta_rng_normal(&rng);
    for (size_t i = 0; i < net->statistics; i++)
        p->filled.statistics[i] = .1 + meta_rng_uniform(&rng);
    for (size_t i = 0; i < numbers; i++) p->images[i] = meta_rng_uniform(&rng);
}

static void prepare(struct prepared *p, const char *cfg)
{
    struct meta_chunk text = { cfg, strlen(cfg) };
    if (meta_file_write("portable.cfg", &text, 1, &error)
        || meta_model_load_for(&p->model, "portable.cfg", META_FOR_ANY, &error))
        fail_msg("%s", error.text);
    draw(p);
}

static void clear(struct prepared *p)
{
    free(p->filled.parameters);
    free(p->filled.statistics);
    free(p->images);
    meta_model_free(p->model);
}

/* Returns (IMAGES, outputs) probabilities; the caller frees. */
static float *predict(const struct meta_filled *f, const float *images)
{
    struct meta_predictor *p;
    float *out = malloc(IMAGES * meta_network_outputs(f->network) * sizeof *out);
    if (meta_predictor_create(&p, f, f->statistics, &meta_backend_reference, IMAGES, &error)
        || meta_predictor_run(p, images, IMAGES, (struct meta_answer){ out, NULL }, &error))
        fail_msg("%s", error.text);
    meta_predictor_free(p);
    return out;
}

static void compare(const struct portable_case *c, const struct prepared *p, enum meta_fold fold)
{
    struct meta_filled portable;
    char *otherwise;
    if (meta_portable(&portable, &p->filled, fold, &error)
        || meta_readers_differ(portable.network, &otherwise, &error))
        fail_msg("%s: %s", c->name, error.text);
    if (strcmp(otherwise ? otherwise : "", c->otherwise ? c->otherwise : ""))
        fail_msg("%s: \"%s\", not \"%s\"", c->name, otherwise, c->otherwise);
    free(otherwise);
    int outputs = meta_network_outputs(p->model->network), normalised = 0;
    assert_int_equal(meta_network_outputs(portable.network), outputs);
    for (int i = 0; i < portable.network->count; i++)
        normalised += portable.network->layers[i].batch_normalize;
    if (fold == META_FOLD_ALL || (fold == META_FOLD_REST && normalised))
        assert_int_equal(normalised, fold == META_FOLD_REST);
    float *before = predict(&p->filled, p->images), *after = predict(&portable, p->images);
    float least = 1, most = 0;
    for (int i = 0; i < IMAGES * outputs; i++) {
        if (!(fabsf(before[i] - after[i]) < 2e-6))
            fail_msg("%s: probability %d: %g, not %g", c->name, i, after[i], before[i]);
        least = fminf(least, before[i]);
        most = fmaxf(most, before[i]);
    }
    if (most - least < .05) fail_msg("%s: nothing to compare", c->name);
    free(before);
    free(after);
    meta_filled_clear(&portable);
}

static void outputs_stay_the_same(void **state)
{
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct prepared p;
        prepare(&p, cases[k].cfg);
        for (enum meta_fold fold = META_FOLD_REST; fold <= META_FOLD_NONE; fold++)
            compare(&cases[k], &p, fold);
        clear(&p);
    }
}

/* What is rewritten must have been worth it: without it readers are named. */
static void readers_of_the_network_itself_are_named(void **state)
{
    static const struct {
        const char *cfg, *otherwise;
    } named[] = {
        { NET(7, 5, 3) CONV(4, 1, "stride=2\n") END,
          "read otherwise by stock Darknet (layer 0, [convolutional]: stride of size=1)" },
        { NET(7, 5, 3) CONV(4, 3, "") CONNECTED(3, "") "[softmax]\ntemperature=.3\n",
          "read otherwise by OpenCV (layer 2, [softmax]: temperature)" },
        { NET(7, 5, 3) LINEAR(4, "") "[activation]\nactivation=relu\n" END,
          "read otherwise by OpenCV (layer 1, [activation]: not known), hank-ai's Darknet (layer 1, "
          "[activation]: not known)" },
        { NET(7, 5, 3) CONV(4, 3, BN) END, NULL },
    };
    for (size_t k = 0; k < sizeof named / sizeof *named; k++) {
        struct prepared p;
        char *otherwise;
        prepare(&p, named[k].cfg);
        assert_int_equal(meta_readers_differ(p.model->network, &otherwise, &error), 0);
        assert_string_equal(otherwise ? otherwise : "", named[k].otherwise ? named[k].otherwise : "");
        free(otherwise);
        clear(&p);
    }
}

/* A network whose outputs are a map's numbers is copied whole, also where it is not cut. */
static void networks_that_end_in_a_map_are_copied(void **state)
{
    struct prepared p;
    struct meta_filled copy;
    prepare(&p, NET(7, 5, 3) LINEAR(2, "") "[softmax]\n");
    int outputs = meta_network_outputs(p.model->network);
    assert_int_equal(outputs, 70);
    assert_int_equal(meta_filled_narrow(&copy, &p.filled, outputs, &error), 0);
    assert_int_equal(meta_network_outputs(copy.network), outputs);
    assert_memory_equal(copy.parameters, p.filled.parameters,
                        p.model->network->parameters * sizeof(float));
    meta_filled_clear(&copy);
    clear(&p);
}

static int go_to_folder(void **state)
{
    const char *folder = getenv("TMP_TEST");
    return chdir(folder ? folder : "/tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_stay_the_same),
        cmocka_unit_test(readers_of_the_network_itself_are_named),
        cmocka_unit_test(networks_that_end_in_a_map_are_copied),
    };
    return cmocka_run_group_tests(tests, go_to_folder, NULL);
}
