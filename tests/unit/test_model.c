/* A .cfg as a whole: what it becomes, what is refused and in which words, and that no file of any content does harm.
   The plugins [episode], [inner_loop] and [meta_loss] are found by DARKNET_PLUGIN_PATH. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <glob.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config/cfg.h"
#include "base/file.h"
#include "config/model.h"
#include "config/plugins.h"

static char folder[256], file[300];
static struct meta_error error;

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/model.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/my.net.cfg", folder);
    return 0;
}

static int remove_folder(void **state)
{
    unlink(file);
    return rmdir(folder);
}

static enum meta_purpose purpose = META_FOR_TASKS;

static int load_bytes(struct meta_model **model, const char *bytes, size_t size)
{
    unlink(file);                          /* ext4 syncs a file that is truncated and written again */
    FILE *f = fopen(file, "w");
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
    return meta_model_load_for(model, file, purpose, &error);
}

/* The caller frees. */
static struct meta_model *load(const char *text)
{
    struct meta_model *model;
    if (load_bytes(&model, text, strlen(text))) fail_msg("%s", error.text);
    return model;
}

static void refuses(const char *text, const char *expected)
{
    struct meta_model *model;
    char full[900];
    if (!load_bytes(&model, text, strlen(text))) fail_msg("accepted; should say: %s", expected);
    snprintf(full, sizeof full, "%s:%s", file, expected);
    assert_string_equal(error.text, full);
}

#define NET "[net]\nwidth=8\nheight=6\nchannels=3\n"                           /* lines 1 to 4 */
#define CONV "[conv]\nfilters=4\nsize=3\nactivation=relu\n"
#define HEAD "[conn]\noutput=2\nactivation=linear\n[softmax]\n"

/* ---- what is read -------------------------------------------------------------------------------- */

static void whole_cfg_is_read(void **state)
{
    struct meta_model *m = load("[net]\nwidth=42\nheight=40\nchannels=1\nlearning_rate=.01\npolicy=steps\nsteps=10,20\nscales=.1,.5\n"
        "max_batches=30\nadam=1\nB1=.5\neps=1e-3\nangle=90\nflip=0\nmin_crop=40\nmax_crop=50\naspect=.75\nhue=.1\nclip=10\n"
        "[episode]\nways=3\nshots=1\n"
        "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\nbatch_normalize=1\nactivation=leaky\n"
        "[maxpool]\nsize=2\nstride=2\n[dropout]\n[conv]\nfilters=4\nsize=3\npadding=1\nactivation=linear\n"
        "[shortcut]\nfrom=-2\nactivation=relu\n[route]\nlayers=-1,1\n[activation]\nactivation=logistic\n[avg]\n"
        "[connected]\noutput=3\n[soft]\ntemperature=2\n"
        "[inner_loop]\nsteps=1\norder=1\n[meta_loss]\neta=3\nstart=7\n");
    assert_string_equal(m->name, "my.net");
    assert_string_equal(m->path, file);
    assert_int_equal(m->net.width, 42);
    assert_int_equal(m->net.policy, META_POLICY_STEPS);
    assert_int_equal(m->net.steps.count, 2);
    assert_true(m->net.scales.values[1] == .5 && m->net.learning_rate == .01);
    assert_true(m->net.adam && m->net.B1 == .5 && m->net.B2 == .999 && m->net.eps == 1e-3 && m->net.clip == 10);
    assert_true(m->net.angle == 90 && !m->net.flip && m->net.min_crop == 40 && m->net.max_crop == 50 && m->net.aspect == .75);
    assert_true(m->net.hue == .1 && m->net.saturation == 1 && m->net.exposure == 1);
    assert_int_equal(m->episode->ways, 3);
    assert_int_equal(m->episode->shots, 1);
    assert_int_equal(m->episode->queries, 15);
    assert_int_equal(m->inner->steps, 1);
    assert_int_equal(m->inner->order, 1);
    assert_string_equal(m->loss->name, "meta_loss");
    assert_true(m->loss->loss->weight(m->loss_settings, .5, 6) == 1);
    assert_true(m->loss->loss->weight(m->loss_settings, .5, 7) != 1);

    const struct meta_layer *l = m->network->layers;
    const enum meta_layer_type types[] = { META_CONVOLUTIONAL, META_MAXPOOL, META_DROPOUT, META_CONVOLUTIONAL, META_SHORTCUT,
                                           META_ROUTE, META_ACTIVATION, META_AVGPOOL, META_CONNECTED, META_SOFTMAX };
    assert_int_equal(m->network->count, 10);
    for (int i = 0; i < 10; i++) assert_int_equal(l[i].type, types[i]);
    assert_true(l[0].filters == 4 && l[0].stride == 2 && l[0].padding == 1 && l[0].batch_normalize && l[0].activation == META_LEAKY);
    assert_int_equal(l[0].line, 23);
    assert_true(l[1].padding == 1 && l[1].size == 2);                      /* Darknet's size-1 */
    assert_true(l[2].probability == .5);
    assert_true(l[3].padding == 1 && l[3].activation == META_LINEAR && !l[3].batch_normalize);
    assert_true(l[4].from[0] == 2 && l[4].alpha == 1 && l[4].beta == 1 && l[4].activation == META_RELU);
    assert_true(l[5].from_count == 2 && l[5].from[0] == 4 && l[5].from[1] == 1 && l[5].out.c == 8);
    assert_true(l[6].activation == META_LOGISTIC);
    assert_true(l[8].filters == 3 && l[8].activation == META_LOGISTIC);    /* Darknet's default */
    assert_true(l[9].temperature == 2);
    meta_model_free(m);
}

/* Darknet's defaults of [net]; the plugins' own where a section is absent; MAML's loss without [meta_loss]. */
static void defaults(void **state)
{
    struct meta_model *m = load(NET CONV HEAD);
    const struct meta_net_settings *n = &m->net;
    assert_true(n->learning_rate == .001 && n->momentum == .9 && n->decay == .0001 && n->policy == META_POLICY_CONSTANT);
    assert_true(n->adam == 0 && n->B1 == .9 && n->B2 == .999 && n->eps == 1e-7 && n->clip == 0 && n->burn_in == 0 && n->power == 4);
    assert_true(n->min_crop == 8 && n->max_crop == 16 && n->flip == 1 && n->angle == 0 && n->aspect == 1 && n->hue == 0);
    assert_true(n->saturation == 1 && n->exposure == 1 && n->max_batches == 0 && n->step == 1 && n->scale == 1 && n->gamma == 1);
    assert_true(m->episode->ways == 2 && m->episode->shots == 5 && m->episode->queries == 15 && m->episode->tasks == 4);
    assert_true(m->inner->steps == 5 && m->inner->test_steps == 10 && m->inner->learning_rate == .01 && m->inner->order == 2);
    assert_true(m->loss->loss->value(m->loss_settings, .5, 0) == .5 && m->loss->loss->weight(m->loss_settings, .5, 0) == 1);
    meta_model_free(m);
    m = load(NET CONV HEAD "[meta_loss]\n");
    assert_true(m->loss->loss->weight(m->loss_settings, .5, 0) != 1);
    meta_model_free(m);
}

static void keys_of_darknet_that_are_accepted(void **state)
{
    struct meta_model *m = load(NET "batch=16\nsubdivisions=2\ntime_steps=1\ninputs=144\nmin_ratio=.5\nmax_ratio=3\nburn_in=10\n"
                                "policy=poly\nmax_batches=5\n" CONV "stopbackward=0\ngroups=1\nlearning_rate=1\n" HEAD);
    assert_true(m->net.min_crop == 4 && m->net.max_crop == 24 && m->net.burn_in == 10 && m->net.policy == META_POLICY_POLY);
    meta_model_free(m);
}

static void name_without_cfg(void **state)
{
    const char *paths[] = { "a.cfg", "b", ".cfg", "c.d.cfg" }, *expected[] = { "a", "b", ".cfg", "c.d" };
    for (int i = 0; i < 4; i++) {
        struct meta_model *m;
        char path[400];
        snprintf(path, sizeof path, "%s/%s", folder, paths[i]);
        FILE *f = fopen(path, "w");
        fputs(NET CONV HEAD, f);
        fclose(f);
        assert_int_equal(meta_model_load(&m, path, &error), 0);
        assert_string_equal(m->name, expected[i]);
        meta_model_free(m);
        unlink(path);
    }
}

/* ---- what is refused ----------------------------------------------------------------------------- */

static void values_out_of_range(void **state)
{
    refuses(NET "[episode]\nshots=0\n" CONV HEAD, "6: [episode] shots=0: must be 1 to 1000");
    refuses(NET "[episode]\nways=1\n" CONV HEAD, "6: [episode] ways=1: must be 2 to 1000");
    refuses(NET "[episode]\nshot=5\n" CONV HEAD, "6: [episode] shot: unknown option; allowed: ways shots queries tasks sampler window explore");
    refuses(NET "[episode]\nshots=5\n\nshots=5\n" CONV HEAD, "8: [episode] shots: repeated; first on line 6");
    refuses(NET CONV HEAD "[inner_loop]\norder=3\n", "14: [inner_loop] order=3: must be 0 to 2");
    refuses(NET CONV HEAD "[inner_loop]\nlearning_rate=11\n", "14: [inner_loop] learning_rate=11: must be 0 to 10");
    refuses(NET CONV HEAD "[meta_loss]\ntype=median\n", "14: [meta_loss] type=median: must be difficulty or mean");
    refuses(NET CONV HEAD "[meta_loss]\nepsilon=0\n", "14: [meta_loss] epsilon=0: must be 1e-12 to 0.5");
    refuses(NET "max_batches=-1\n", "5: [net] max_batches=-1: must be 0 to 100000000");
    refuses(NET "max_batches=2147483647\n", "5: [net] max_batches=2147483647: must be 0 to 100000000");
    refuses(NET "max_batches=2147483648\n", "5: [net] max_batches=2147483648: must be 0 to 100000000");
    refuses(NET "burn_in=2147483648\n", "5: [net] burn_in=2147483648: must be 0 to 2147483647");
    refuses(NET "angle=361\n", "5: [net] angle=361: must be 0 to 360");
    refuses(NET "width=9\n", "5: [net] width: repeated; first on line 2");
    refuses(NET "widht=9\n", "5: [net] widht: unknown option; allowed: width height channels learning_rate policy step scale steps scales gamma "
            "power burn_in max_batches adam B1 B2 eps momentum decay clip average angle flip min_crop max_crop min_ratio max_ratio aspect hue "
            "saturation exposure orientation batch subdivisions inputs");
    refuses(NET CONV "padding=x\n" HEAD, "9: [conv] padding=x: must be a whole number, 0 to 1024");
    refuses(NET "[conv]\nactivation=sine\n", "6: [conv] activation=sine: must be linear, relu, leaky, logistic, relie, ramp, tanh, plse, elu, selu, loggy, stair, hardtan,"
            " lhtan, relu6, swish, mish, hard_mish or gelu");
    refuses(NET "[dropout]\nprobability=1\n", "6: [dropout] probability=1: must be 0 to 0.999999");
}

static void what_cannot_be_differentiated(void **state)
{
    const char *keys[] = { "xnor=1", "binary=1", "flipped=1", "stopbackward=1", "dontload=1", "dot=1" };
    const char *only[] = { "0", "0", "0", "0", "0", "0" };
    for (int i = 0; i < 6; i++) {
        char text[200], expected[200];
        snprintf(text, sizeof text, NET "[convolutional]\n%s\n", keys[i]);
        snprintf(expected, sizeof expected, "6: [convolutional] %s: must be %s", keys[i], only[i]);
        refuses(text, expected);
    }
    refuses(NET CONV "[yolo]\n", "9: [yolo]: meta-learning can't differentiate this layer; allowed: convolutional connected maxpool avgpool "
            "softmax shortcut route dropout activation cost crop reorg scale_channels local upsample affine film prelu prototype relation");
    refuses(NET CONV "[lstm]\noutput=3\n", "9: [lstm]: meta-learning can't differentiate this layer; allowed: convolutional connected "
            "maxpool avgpool softmax shortcut route dropout activation cost crop reorg scale_channels local upsample affine film prelu prototype relation");
    refuses(NET CONV "[conn]\noutput=2\n[softmax]\ntree=x.tree\n", "12: [softmax] tree=x.tree: meta-learning can't differentiate a tree of "
            "classes: leave it out");
}

static void unknown_sections(void **state)
{
    refuses(NET "[foo]\n", "5: [foo]: unknown section; known: net convolutional connected maxpool avgpool softmax shortcut route dropout "
            "activation cost crop reorg scale_channels local upsample affine episode film inner_loop meta_loss momentum prelu prototype relation");
    refuses(NET CONV HEAD "[Meta_loss]\n", "13: [Meta_loss]: unknown section; known: net convolutional connected maxpool avgpool softmax "
            "shortcut route dropout activation cost crop reorg scale_channels local upsample affine episode film inner_loop meta_loss momentum prelu prototype relation");
}

static void places_of_sections(void **state)
{
    refuses("[conv]\n", "1: [conv]: the first section must be [net]");
    refuses("[episode]\n" NET, "1: [episode]: the first section must be [net]");
    refuses(NET "[network]\n", "5: [network]: a second section of this kind; first on line 1");
    refuses(NET CONV "[episode]\n" HEAD, "9: [episode]: stands after [conv] of line 5: must be right after [net]");
    refuses(NET "[episode]\n[episode]\n", "6: [episode]: a second section of this kind; first on line 5");
    refuses(NET "[inner_loop]\n" CONV HEAD, "5: [inner_loop]: stands before any layer: must be after the last layer");
    refuses(NET "[meta_loss]\n" CONV HEAD, "5: [meta_loss]: stands before any layer: must be last");
    refuses(NET CONV "[inner_loop]\n" HEAD, "10: [conn]: stands after [inner_loop] of line 9: must be between [net] and [inner_loop]");
    refuses(NET CONV HEAD "[meta_loss]\n[inner_loop]\n", "14: [inner_loop]: stands after [meta_loss] of line 13: must be after the last layer");
    refuses(NET CONV HEAD "[meta_loss]\n[meta_loss]\n", "14: [meta_loss]: a second section of this kind; first on line 13");
}

static void shapes(void **state)
{
    refuses("[net]\nwidth=8\nheight=8\n" CONV HEAD, "1: [net]: channels is missing: must be at least 1");
    refuses("[net]\nwidth=0\nheight=8\nchannels=3\n" CONV HEAD, "2: [net] width=0: must be 1 to 65536");
    refuses("[net]\nwidth=8\nheight=-8\nchannels=3\n" CONV HEAD, "3: [net] height=-8: must be 1 to 65536");
    refuses("[net]\nwidth=8\nheight=8\nchannels=4\n" CONV HEAD, "4: [net] channels=4: must be 1 to 3");
    refuses("[net]\nwidth=8\nheight=8\nchannels=2\n" CONV HEAD, "4: [net] channels=2: must be 1 or 3");
    refuses(NET "inputs=145\n" CONV HEAD, "5: [net] inputs=145: must be width*height*channels=144");
    refuses(NET "[conv]\nsize=9\n" HEAD, "6: [conv] size=9 does not fit its 8x6 input");
    refuses(NET "[max]\nsize=7\npadding=0\n" HEAD, "6: [max] size=7 does not fit its 8x6 input");
    refuses(NET "[max]\nsize=2\npadding=2\n" HEAD, "7: [max] padding=2: must be less than size=2");
    refuses(NET CONV "[conn]\noutput=1\n[softmax]\n", "11: [softmax]: gives 1 probability: must be at least 2");
    refuses(NET "[episode]\n" CONV "[conn]\noutput=3\n[softmax]\n", "12: [softmax]: gives 3 probabilities, but [episode] has ways=2: must be equal");
    refuses(NET "[episode]\nways=5\n" CONV HEAD, "14: [softmax]: gives 2 probabilities, but [episode] has ways=5: must be equal");
    refuses(NET, "1: [net]: the network has no layers");
    refuses(NET CONV, "5: [convolutional]: the network must end with [softmax], not [convolutional]");
    refuses(NET HEAD HEAD, "9: [conn]: nothing can follow the softmax");
}

static void references_to_layers(void **state)
{
    refuses(NET "[shortcut]\nfrom=-1\n", "6: [shortcut] from=-1: there is no earlier layer");
    refuses(NET CONV "[shortcut]\n" HEAD, "9: [shortcut]: from is missing: must be the layer to add, such as -3");
    refuses(NET CONV CONV "[shortcut]\nfrom=-3\n" HEAD, "14: [shortcut] from=-3: must be -2 to -1, back from here, or 0 to 1, from the first layer");
    refuses(NET CONV CONV "[shortcut]\nfrom=2\n" HEAD, "14: [shortcut] from=2: must be -2 to -1, back from here, or 0 to 1, from the first layer");
    refuses(NET CONV "[route]\n" HEAD, "9: [route]: layers is missing: must name earlier layers, such as -1,-4");
    refuses(NET CONV "[route]\nlayers=-1,-2\n" HEAD, "10: [route] layers=-2: must be -1 to -1, back from here, or 0 to 0, from the first layer");
    refuses(NET CONV CONV "[route]\nlayers=-2\n" HEAD, "9: [convolutional]: nothing uses this layer's output");
}

static void policies(void **state)
{
    refuses(NET "policy=sgdr\n", "5: [net] policy=sgdr: must be constant, step, exp, poly, steps, sigmoid or cosine");
    refuses(NET "policy=steps\nsteps=1,2\n", "5: [net] policy=steps: scales is missing: must be numbers separated by commas");
    refuses(NET "policy=steps\nscales=1,2\n", "5: [net] policy=steps: steps is missing: must be numbers separated by commas");
    refuses(NET "policy=steps\nsteps=1,2\nscales=.1\n", "7: [net] scales: has 1 numbers, but steps has 2: must be as many");
    refuses(NET "policy=steps\nsteps=2,2\nscales=.1,.1\n", "6: [net] steps: 2 follows 2: must increase");
    refuses(NET "steps=1,2\nscales=.1,.1\n", "5: [net] steps: policy=constant does not read it; allowed with policy=steps");
    refuses(NET "policy=cosine\nscale=.1\n", "6: [net] scale: policy=cosine does not read it; allowed with policy=step");
    refuses(NET "policy=step\ngamma=.1\n", "6: [net] gamma: policy=step does not read it; allowed with policy=exp and policy=sigmoid");
}

static void files_that_are_no_cfg(void **state)
{
    struct meta_model *model;
    char expected[400];
    assert_int_equal(meta_model_load(&model, "/nowhere/x.cfg", &error), -1);
    assert_string_equal(error.text, "/nowhere/x.cfg: No such file or directory");
    assert_int_equal(meta_model_load(&model, folder, &error), -1);
    snprintf(expected, sizeof expected, "%s: is not a regular file", folder);
    assert_string_equal(error.text, expected);
    refuses("", " has no sections: the first must be [net]");
    refuses("# nothing\r\n\r\n", " has no sections: the first must be [net]");
    refuses("[net]\nwidth=8\nheight", "3: 'height': must be [section], key=value or a comment");
}

/* ---- the plugins' functions ---------------------------------------------------------------------- */

static void difficulty(void **state)
{
    const double etas[] = { 0, .5, 1, 3, 5, 100 }, losses[] = { 0, 1e-300, 1e-9, .1, .5, .9, 1 - 1e-5, 1, 1.5, 3 };
    for (int i = 0; i < 6; i++) {
        char text[300];
        snprintf(text, sizeof text, NET CONV HEAD "[meta_loss]\neta=%g\nepsilon=1e-6\n", etas[i]);
        struct meta_model *m = load(text);
        const struct meta_loss_functions *f = m->loss->loss;
        for (int k = 0; k < 10; k++) {
            double L = losses[k], value = f->value(m->loss_settings, L, 0), weight = f->weight(m->loss_settings, L, 0);
            double direct = -pow(L, etas[i]) * log(fmax(1e-6, 1 - L));
            assert_true(isfinite(value) && isfinite(weight));
            assert_true(fabs(value - direct) <= 1e-9 * fabs(direct) + 1e-15);
            if (L < .05 || fabs(L - 1) < 1e-4) continue;                   /* where differences say nothing */
            double h = 1e-6, slope = (f->value(m->loss_settings, L + h, 0) - f->value(m->loss_settings, L - h, 0)) / (2 * h);
            assert_true(fabs(weight - slope) <= 1e-5 * fabs(slope) + 1e-9);
        }
        assert_true(f->weight(m->loss_settings, 0, 0) == (etas[i] == 0 ? 1 : 0));
        meta_model_free(m);
    }
}

/* ---- threads and hostile files ------------------------------------------------------------------- */

static void *load_plugins(void *out)
{
    struct meta_error own;
    *(const struct meta_plugins **)out = meta_plugins_load(&own);
    return NULL;
}

static void plugins_are_loaded_once(void **state)
{
    const struct meta_plugins *seen[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, load_plugins, &seen[i]), 0);
    for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
    assert_non_null(seen[0]);
    for (int i = 1; i < 8; i++) assert_ptr_equal(seen[i], seen[0]);
    static const char *const names[] = { "affine", "episode", "film", "inner_loop", "meta_loss", "momentum", "prelu", "prototype", "relation" };
    assert_int_equal(seen[0]->count, 9);
    for (int i = 0; i < 9; i++) assert_string_equal(seen[0]->entries[i].plugin->name, names[i]);
}

static unsigned random_state = 1;
static unsigned below(unsigned n) { return (random_state = random_state * 1664525u + 1013904223u) / 65536u % n; }

/* Bytes changed, dropped and doubled, lines swapped in from elsewhere, numbers replaced by bad ones. */
static size_t mutate(char *text, size_t size, size_t room)
{
    static const char *bad[] = { "-1", "0", "999999999999", "1e308", "nan", ",", "=", "[", "]", "\n[softmax]\n", "\n[route]\nlayers=-1\n",
                                 "\n[max]\nsize=1000\n", "65536", "\r\n", "#", "\n[conn]\noutput=16777216\n" };
    for (unsigned edits = 1 + below(4); edits; edits--) {
        size_t at = below(size), n = 1 + below(12);
        const char *word = bad[below(sizeof bad / sizeof *bad)];
        switch (below(4)) {
        case 0: text[at] = below(256); break;
        case 1: if (at + n < size) { memmove(text + at, text + at + n, size - at - n); size -= n; } break;
        case 2: if (size + n < room) { memmove(text + at + n, text + at, size - at); size += n; } break;
        case 3:
            if (size + strlen(word) >= room) break;
            memmove(text + at + strlen(word), text + at, size - at);
            memcpy(text + at, word, strlen(word));
            size += strlen(word);
        }
    }
    return size;
}

/* Either a model or a message of one line. */
static void any_bytes(void **state)
{
    glob_t paths;
    assert_int_equal(glob("cfg/*.cfg", 0, NULL, &paths), 0);
    int loaded = 0, refused = 0;
    for (int i = 0; i < 4000; i++) {
        struct meta_model *model;
        char *text, room[16384];
        size_t size;
        assert_int_equal(meta_file_read(paths.gl_pathv[i % paths.gl_pathc], &text, &size, &error), 0);
        assert_true(size < sizeof room - 256);
        memcpy(room, text, size);
        free(text);
        size = mutate(room, size, sizeof room);
        purpose = i / paths.gl_pathc % 3;
        if (!load_bytes(&model, room, size)) {
            loaded++;
            meta_model_free(model);
            continue;
        }
        refused++;
        assert_null(strchr(error.text, '\n'));
        assert_int_equal(strncmp(error.text, file, strlen(file)), 0);
    }
    globfree(&paths);
    purpose = META_FOR_TASKS;
    assert_true(loaded > 50 && refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plugins_are_loaded_once), cmocka_unit_test(whole_cfg_is_read), cmocka_unit_test(defaults),
        cmocka_unit_test(keys_of_darknet_that_are_accepted), cmocka_unit_test(name_without_cfg), cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(what_cannot_be_differentiated), cmocka_unit_test(unknown_sections), cmocka_unit_test(places_of_sections),
        cmocka_unit_test(shapes), cmocka_unit_test(references_to_layers), cmocka_unit_test(policies), cmocka_unit_test(files_that_are_no_cfg),
        cmocka_unit_test(difficulty), cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
