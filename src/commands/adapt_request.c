/* Reads the command line of `meta adapt`, and checks it. */
#include "adapt_request.h"
#include "base/plural.h"
#include "base/pool.h"
#include "flags.h"
#include "images/turns.h"
#include "onnx/onnx.h"
#include "onnx_file.h"
#include "tasks/class_names.h"
#include "tasks/labelled.h"
#include "tell_labelled.h"
#include "temperature_flag.h"

#include <stdlib.h>
#include <string.h>

/* The values of the flags, as they were written. */
struct texts {
    const char *out, *steps, *bn, *balance, *several, *augment, *temperature, *groups, *range,
        *threads, *backend;
    int fold, no_fold, onnx;
};

/* ---- without the network --------------------------------------------------------------------- */

/* Takes the flags out of argv; returns the number of words. */
static int take_flags(struct texts *t, struct meta_syntax *syntax, int argc, char **argv)
{
    const struct meta_flag flags[] = {
        { "-out", "NAME",
          "writes NAME.cfg and NAME.weights, of a folder or a CSV NAME.data and NAME.names, too",
          &t->out, NULL },
        { "-steps", "N", "steps of the inner loop ([inner_loop] test_steps)", &t->steps, NULL },
        { "-bn", "KIND",
          "support or running (support): whose statistics normalise an image, those of these or of "
          "the meta-training",
          &t->bn, NULL },
        { "-fold", NULL,
          "folds the first layer's batch normalisation into its weights too, as it does the "
          "others'",
          NULL, &t->fold },
        { "-no_fold", NULL, "keeps the batch normalisation of every convolution", NULL,
          &t->no_fold },
        { "-balance", "KIND",
          "classes or none (classes): whether each class counts the same in the loss of the steps, "
          "or each image",
          &t->balance, NULL },
        { "-weights", "A,B,C", "is refused: adapt each, and `meta predict -weights` averages",
          &t->several, NULL },
        { "-augment", "N", "learns from N flips and quarter turns of each image, 1 to 8 (1)",
          &t->augment, NULL },
        { "-temperature", "KIND", META_TEMPERATURE_HELP, &t->temperature, NULL },
        { "-onnx", NULL, "also writes NAME.onnx, " META_ONNX_HELP, NULL, &t->onnx },
        { "-groups", "CSV", META_GROUPS_HELP, &t->groups, NULL },
        { "-range", "N", META_RANGE_HELP, &t->range, NULL },
        { "-threads", "N", "worker threads of leave-one-out (the cores)", &t->threads, NULL },
        { "-backend", "NAME", "onednn or reference (onednn)", &t->backend, NULL },
    };
    syntax->flags = flags;
    syntax->count = sizeof flags / sizeof *flags;
    return meta_flags_parse(argc, argv, syntax);
}

/* Several weights can't be exported: the error says what can be done. */
static int check_words(const char *weights, const char *several, const char *usage,
                       struct meta_error *error)
{
    if (several)
        return meta_fail(error,
                         "-weights: a .cfg of stock sections holds one network: adapt each "
                         "by itself, and give what comes of them to `meta predict -weights`");
    return weights ? 0
                   : meta_fail(error, "usage: darknet meta %s [flags]; -h explains them", usage);
}

static int check_files(struct meta_adapt_request *r, struct meta_error *error)
{
    if (meta_adapt_files_check(r->out, r->cfg, r->weights, &r->files, error)) return -1;
    if (!r->files.onnx) return 0;
    const char *const inputs[] = { r->cfg, r->weights };
    r->onnx = meta_adapt_files_onnx(r->out, error);
    return !r->onnx || meta_onnx_check(error)
            || meta_flag_out_of("-onnx", r->onnx, inputs, 2, error)
        ? -1
        : 0;
}

static int check_kinds(struct meta_adapt_request *r, const struct texts *t,
                       struct meta_error *error)
{
    if (t->fold && t->no_fold) return meta_fail(error, "-fold and -no_fold: must be one of them");
    if (!r->out || !*r->out)
        return meta_fail(error,
                         "-out is missing: must be the name of the .cfg and the .weights to write");
    r->plain = !strcmp(t->balance, "none");
    if (!r->plain && strcmp(t->balance, "classes"))
        return meta_fail(error, "-balance %s: must be classes or none", t->balance);
    if (meta_bn_find(&r->bn, t->bn, error)) return -1;
    if (r->bn == META_BN_BATCH)
        return meta_fail(error,
                         "-bn batch: a file can't hold it, as a single image has no batch to be "
                         "normalised by: must be support or running");
    r->fold = t->fold ? META_FOLD_ALL : t->no_fold ? META_FOLD_NONE : META_FOLD_REST;
    return 0;
}

int meta_adapt_request_read(struct meta_adapt_request *r, int argc, char **argv,
                            struct meta_error *error)
{
    struct texts t = { .bn = "support", .balance = "classes" };
    struct meta_syntax syntax = { "adapt DATA|FOLDER|CSV CFG WEIGHTS -out NAME", 2, 3, NULL, 0 };
    int words = take_flags(&t, &syntax, argc, argv);
    *r = (struct meta_adapt_request){ .data = argv[0],
                                      .cfg = argv[1],
                                      .weights = words > 2 ? argv[2] : NULL,
                                      .out = t.out,
                                      .temperature = t.temperature,
                                      .steps_text = t.steps,
                                      .copies_text = t.augment };
    r->files.named = meta_labelled_is(r->data)
        || (r->out && meta_adapt_files_named(r->out, r->data));
    r->files.onnx = t.onnx;
    r->said.groups = t.groups;
    r->said.range = (int)meta_flag_int("-range", t.range, 0, 1, 65535);
    r->workers = (int)meta_flag_int("-threads", t.threads, meta_pool_cores(), 1, META_POOL_MOST);
    r->backend = meta_flag_backend(t.backend, "onednn");
    return check_words(r->weights, t.several, syntax.usage, error) || check_kinds(r, &t, error)
            || check_files(r, error)
        ? -1
        : 0;
}

void meta_adapt_request_clear(struct meta_adapt_request *r)
{
    free(r->onnx);
    r->onnx = NULL;
}

/* ---- with it --------------------------------------------------------------------------------- */

static int check_copies(const struct meta_adapt_request *r, const struct meta_net_settings *net,
                        struct meta_error *error)
{
    int most = meta_turns(net->height, net->width);
    if (r->copies <= most) return 0;
    return meta_fail(error, "-augment %d: must be 1 to %d, %s of %dx%d pixels", r->copies, most,
                     most > 4 ? "the flips and quarter turns" : "the flips", net->width,
                     net->height);
}

static int check_classes(const struct meta_adapt_request *r, int most, const struct meta_data *data,
                         struct meta_error *error)
{
    int classes = data->classes, pair[2];
    char words[META_ADAPT_WORDS];
    if (classes >= 2 && classes <= most) return 0;
    if (data->labelled && meta_class_names_alike(pair, data->names, classes))
        return meta_fail(error,
                         "%s: has %d classes, of which %s and %s differ in capitals alone: must be "
                         "%s, which %s tells apart",
                         r->data, classes, data->names[pair[0]], data->names[pair[1]],
                         meta_adapt_classes(words, most), r->cfg);
    if (data->labelled)
        return meta_fail(error, "%s: has %d class%s, such as %s: must be %s, which %s tells apart",
                         r->data, classes, meta_plural_es(classes), data->names[0],
                         meta_adapt_classes(words, most), r->cfg);
    return meta_fail(error, "%s: classes=%d: must be %s, which %s tells apart", r->data, classes,
                     meta_adapt_classes(words, most), r->cfg);
}

int meta_adapt_request_check(struct meta_adapt_request *r, const struct meta_model *model,
                             const struct meta_data *data, struct meta_error *error)
{
    r->steps = (int)meta_flag_int("-steps", r->steps_text, model->inner->test_steps, 0, 1000);
    r->copies = (int)meta_flag_int("-augment", r->copies_text, 1, 1, 1000);
    if (r->plain && !r->steps)
        return meta_fail(error, "-balance none: is of the loss of the steps, and none is taken");
    if (check_copies(r, &model->net, error)) return -1;
    if (!data->train)
        return meta_fail(error, "%s: has no train=: must be the list of the labelled images",
                         r->data);
    return check_classes(r, meta_adapt_most_classes(model->network), data, error);
}
