/* .cfg files of other Darknets: what their classifiers have that the project's own do not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config/model.h"

static char file[300];
static enum meta_purpose purpose = META_FOR_TASKS;
static struct meta_error error;

static int name_file(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(file, sizeof file, "%s/stock.%d.cfg", tmp ? tmp : "/tmp", (int)getpid());
    return 0;
}

static int remove_file(void **state) { return unlink(file); }

static int load_text(struct meta_model **model, const char *text)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0 && !fclose(f));
    return meta_model_load_for(model, file, purpose, &error);
}

/* The caller frees. */
static struct meta_model *load(const char *text)
{
    struct meta_model *model;
    if (load_text(&model, text)) fail_msg("%s", error.text);
    return model;
}

static void refuses(const char *text, const char *expected)
{
    struct meta_model *model;
    if (!load_text(&model, text)) fail_msg("accepted; should say: %s", expected);
    if (strncmp(error.text, file, strlen(file)) || error.text[strlen(file)] != ':') fail_msg("%s", error.text);
    assert_string_equal(error.text + strlen(file) + 1, expected);
}

#define NET "[net]\nwidth=8\nheight=6\nchannels=3\n"                           /* lines 1 to 4 */
#define CONV "[conv]\nfilters=4\nsize=3\nactivation=relu\n"
#define HEAD "[conn]\noutput=2\nactivation=linear\n[softmax]\n"

/* A .cfg without [episode] has no ways that its outputs could differ from. */
static void ways_without_episode(void **state)
{
    struct meta_model *m = load(NET CONV "[conn]\noutput=3\n[softmax]\n");
    assert_int_equal(m->episode->ways, 3);
    assert_int_equal(m->episode->shots, 5);
    assert_int_equal(m->episode_line, 0);
    meta_model_free(m);
    purpose = META_FOR_ANY;           /* a classifier of three classes may be tested on tasks of two */
    m = load(NET CONV "[conn]\noutput=3\n[softmax]\n");
    purpose = META_FOR_TASKS;
    assert_int_equal(m->episode->ways, 2);
    meta_model_free(m);
}

/* Darknet's [cost] behind a [softmax] leaves the network as it is. */
static void cost_behind_softmax(void **state)
{
    struct meta_model *m = load(NET CONV HEAD "[cost]\ntype=sse\n[inner_loop]\n");
    assert_int_equal(m->network->count, 3);
    assert_int_equal(m->network->layers[2].type, META_SOFTMAX);
    meta_model_free(m);
    refuses(NET CONV HEAD "[cost]\ntype=smooth\n", "14: [cost] type=smooth: must be sse");
    refuses(NET CONV HEAD "[cost]\n[cost]\n", "14: [cost]: nothing can follow the softmax");
    refuses(NET CONV HEAD "[cost]\n[dropout]\n", "14: [dropout]: nothing can follow the softmax");
    refuses(NET CONV "[cost]\n" HEAD, "9: [cost]: scores pairs of query images and classes, which only [relation] and [prototype] make; allowed: [softmax]");
}

/* The options of Darknet's groups, crop, reorg and scale_channels, and the shapes that they give. */
static void layers_of_stock_classifiers(void **state)
{
    struct meta_model *m = load(NET "[crop]\ncrop_width=6\ncrop_height=4\nflip=1\nangle=0\nsaturation=1\nexposure=1\n"
                                "[conv]\nfilters=12\ngroups=3\nsize=3\npad=1\nactivation=mish\n[reorg]\nstride=2\n[avg]\n[conv]\nfilters=48\ngroups=48\n"
                                "[scale_channels]\nfrom=2\n[reorg]\nextra=2\n" HEAD);
    const struct meta_layer *l = m->network->layers;
    assert_true(l[0].type == META_CROP && l[0].adjust && l[0].out.c == 3 && l[0].out.h == 4 && l[0].out.w == 6);
    assert_true(l[1].groups == 3 && l[1].weight_count == 12 * 9 && l[1].activation == META_MISH);
    assert_true(l[2].type == META_REORG && l[2].out.c == 48 && l[2].out.h == 2 && l[2].out.w == 3);
    assert_int_equal(l[4].weight_count, 48);
    assert_true(l[5].type == META_SCALE_CHANNELS && l[5].from[0] == 2 && l[5].out.c == 48 && l[5].out.h == 2 && l[5].out.w == 3);
    assert_true(l[6].out.c == 48 * 6 + 2 && l[6].out.h == 1 && l[6].out.w == 1);
    meta_model_free(m);
    m = load(NET "[conv]\nfilters=8\n[reorg]\nstride=2\nreverse=1\n" HEAD);
    assert_true(m->network->layers[1].out.c == 2 && m->network->layers[1].out.h == 12 && m->network->layers[1].out.w == 16);
    meta_model_free(m);
    refuses(NET "[conv]\nfilters=6\ngroups=2\n" HEAD, "7: [conv] groups=2: must divide its 3 input channels and filters=6");
    refuses(NET "[conv]\nfilters=4\ngroups=3\n" HEAD, "7: [conv] groups=3: must divide its 3 input channels and filters=4");
    refuses(NET "[conv]\ngroups=0\n" HEAD, "6: [conv] groups=0: must be 1 to 65536");
    refuses(NET "[crop]\ncrop_width=9\ncrop_height=4\n" CONV HEAD, "6: [crop] crop_width=9 crop_height=4: must be at least 1 and at most its 8x6 input");
    refuses(NET "flip=0\n[crop]\nflip=1\n" CONV HEAD, "7: [crop] flip=1: [net] has flip=0: must be alike");
    refuses(NET CONV "[reorg]\nstride=3\n" HEAD, "10: [reorg] stride=3 does not fit its 6x4x4 input: must divide width and height, and its square the channels");
    refuses(NET CONV "[reorg]\nflatten=1\nextra=1\n" HEAD, "11: [reorg] extra=1: must be 0 with flatten=1");
    refuses(NET CONV "[scale_channels]\nfrom=0\n" HEAD, "9: [scale_channels]: its input is 6x4x4: must be 1x1x4, a factor for each channel of layer 0");
    refuses(NET CONV "[scale_channels]\n" HEAD, "9: [scale_channels]: from is missing: must be the layer of the maps, such as -3");
    refuses(NET CONV "[scale_channels]\nfrom=-1\nactivation=mish\n" HEAD, "11: [scale_channels] activation=mish: must be linear");
}

/* What other Darknets do in training matters to training alone. */
static void training_of_other_darknets(void **state)
{
    meta_model_free(load(NET "mosaic=0\nlabel_smooth_eps=0.0\n[crop]\ncrop_width=6\ncrop_height=6\nsaturation=1.0\nshift=0\n" CONV HEAD));
    refuses(NET "mosaic=1\n" CONV HEAD, "5: [net] mosaic=1: another Darknet's way to train: must be 0, or left out");
    refuses(NET "[crop]\nshift=0\nsaturation=.75\n" CONV HEAD, "7: [crop] saturation=.75: another Darknet's way to train: must be 1, or left out");
    refuses(NET CONV "shift=0\n" HEAD, "9: [conv] shift: unknown option; allowed: filters size stride pad padding batch_normalize groups dilation rotations activation");
    purpose = META_FOR_ANY;
    meta_model_free(load(NET "mosaic=1\ncutmix=1\nblur=1\n[crop]\ncrop_width=6\ncrop_height=6\nshift=.2\nangle=7\n" CONV HEAD));
    purpose = META_FOR_TASKS;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ways_without_episode), cmocka_unit_test(cost_behind_softmax),
                                        cmocka_unit_test(layers_of_stock_classifiers), cmocka_unit_test(training_of_other_darknets) };
    return cmocka_run_group_tests_name("stock_sections", tests, name_file, remove_file);
}
