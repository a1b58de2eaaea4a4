/* Darknet's section types: the options of each, and the layer that they describe. sections_maps.c
   has those that join maps or move them about. */
#include "sections_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- [convolutional] ------------------------------------------------------------------------- */

struct convolutional {
    struct common common;
    int filters, size, stride, pad, padding, batch_normalize, groups, dilation, rotations,
        activation;
};

static const struct meta_option convolutional_options[] = {
    INT(convolutional, filters, 1, 1, MOST, "output channels"),
    INT(convolutional, size, 1, 1, 1024, "of the kernel's side"),
    INT(convolutional, stride, 1, 1, 1024, "pixels between outputs"),
    INT(convolutional, pad, 0, 0, 1, "1: padding=size/2"),
    INT(convolutional, padding, 0, 0, 1024, "zeros around the input, in pixels, with pad=0"),
    INT(convolutional, batch_normalize, 0, 0, 1,
        "1: normalised over batch, height and width, scaled, shifted"),
    INT(convolutional, groups, 1, 1, MOST,
        "parts of the channels in and out, each with its own kernels"),
    INT(convolutional, dilation, 1, 1, 1024,
        "pixels from one tap of the kernel to the next; AlexeyAB's, where padding is so many times "
        "as wide"),
    ROTATIONS(convolutional, "4: each filter stands there in its four quarter turns, learned once"),
    ACTIVATION(convolutional, META_LOGISTIC),
    ONLY(binary, 0),
    ONLY(xnor, 0),
    ONLY(flipped, 0),
    ONLY(dot, 0),
    COMMON
};

static int convolutional_layer(const void *settings, int index, struct meta_layer *out,
                               struct meta_error *error)
{
    const struct convolutional *s = settings;
    int dilation = s->size > 1 ? s->dilation : 1;
    *out = (struct meta_layer){ .type = META_CONVOLUTIONAL,
                                .filters = s->filters,
                                .size = s->size,
                                .stride = s->stride,
                                .padding = (s->pad ? s->size / 2 : s->padding) * dilation,
                                .batch_normalize = s->batch_normalize,
                                .groups = s->groups,
                                .dilation = dilation,
                                .rotations = s->rotations ? 4 : 0,
                                .activation = (enum meta_activation)s->activation };
    return 0;
}

/* ---- [connected] ----------------------------------------------------------------------------- */

struct connected {
    struct common common;
    int output, batch_normalize, rotations, activation;
};

static const struct meta_option connected_options[] = {
    INT(connected, output, 1, 1, 1 << 24, "outputs"),
    INT(connected, batch_normalize, 0, 0, 1, "1: normalised over the batch, scaled, shifted"),
    ROTATIONS(connected, "4: the outputs stay as they are when the image turns by a quarter"),
    ACTIVATION(connected, META_LOGISTIC), COMMON
};

static int connected_layer(const void *settings, int index, struct meta_layer *out,
                           struct meta_error *error)
{
    const struct connected *s = settings;
    *out = (struct meta_layer){ .type = META_CONNECTED,
                                .filters = s->output,
                                .batch_normalize = s->batch_normalize,
                                .rotations = s->rotations ? 4 : 0,
                                .activation = (enum meta_activation)s->activation };
    return 0;
}

/* ---- pools ----------------------------------------------------------------------------------- */

struct maxpool {
    struct common common;
    int size, stride, padding;
};

static const struct meta_option maxpool_options[] = {
    INT(maxpool, stride, 1, 1, 1024, "pixels between outputs"),
    INT(maxpool, size, DERIVED, 1, 1024, "of the window's side (stride)"),
    INT(maxpool, padding, DERIVED, 0, 1024,
        "pixels around the input, both sides together (size-1)"),
    COMMON
};

static int maxpool_layer(const void *settings, int index, struct meta_layer *out,
                         struct meta_error *error)
{
    const struct maxpool *s = settings;
    int size = s->size == DERIVED ? s->stride : s->size;
    *out = (struct meta_layer){ .type = META_MAXPOOL,
                                .size = size,
                                .stride = s->stride,
                                .padding = s->padding == DERIVED ? size - 1 : s->padding };
    return 0;
}

static const struct meta_option avgpool_options[] = { COMMON };

static int avgpool_layer(const void *settings, int index, struct meta_layer *out,
                         struct meta_error *error)
{
    *out = (struct meta_layer){ .type = META_AVGPOOL };
    return 0;
}

/* ---- [softmax] ------------------------------------------------------------------------------- */

struct softmax {
    struct common common;
    double temperature;
    char *tree;
};

static const struct meta_option softmax_options[] = {
    REAL(softmax, temperature, 1, 1e-6, 1e6, "the inputs are divided by it"),
    { "tree", META_TEXT, 0, 0, 0, NULL, offsetof(struct softmax, tree), "not supported" },
    ONLY(groups, 1),
    ONLY(spatial, 0),
    ONLY(noloss, 0),
    COMMON
};

static int softmax_layer(const void *settings, int index, struct meta_layer *out,
                         struct meta_error *error)
{
    const struct softmax *s = settings;
    if (s->tree)
        return meta_fail(error,
                         "tree=%s: meta-learning can't differentiate a tree of classes: leave it "
                         "out",
                         s->tree);
    *out = (struct meta_layer){ .type = META_SOFTMAX, .temperature = s->temperature };
    return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

struct dropout {
    struct common common;
    double probability;
};

static const struct meta_option dropout_options[] = { REAL(dropout, probability, .5, 0, .999999,
                                                           "share of the inputs set to 0 in "
                                                           "training, and in the inner steps of "
                                                           "test, adapt and grad"),
                                                      COMMON };

static int dropout_layer(const void *settings, int index, struct meta_layer *out,
                         struct meta_error *error)
{
    *out = (struct meta_layer){ .type = META_DROPOUT,
                                .probability = ((const struct dropout *)settings)->probability };
    return 0;
}

struct activation {
    struct common common;
    int activation;
};

static const struct meta_option activation_options[] = { ACTIVATION(activation, META_LINEAR),
                                                         COMMON };

static int activation_layer(const void *settings, int index, struct meta_layer *out,
                            struct meta_error *error)
{
    *out = (struct meta_layer){
        .type = META_ACTIVATION,
        .activation = (enum meta_activation)((const struct activation *)settings)->activation
    };
    return 0;
}

/* ---- the squared error of scores ------------------------------------------------------------- */

struct cost {
    struct common common;
    int type;
};

static const struct meta_option cost_options[] = { { "type", META_CHOICE, 0, 0, 0, "sse",
                                                     offsetof(struct cost, type), "squared error" },
                                                   ONLY(scale, 1),
                                                   ONLY(ratio, 0),
                                                   ONLY(noobj, 1),
                                                   ONLY(thresh, 0),
                                                   COMMON };

static int cost_layer(const void *settings, int index, struct meta_layer *out,
                      struct meta_error *error)
{
    *out = (struct meta_layer){ .type = META_COST };
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* clang-format off */
#define LAYER(type, alias, net, summary) \
    { #type, alias, "parse_" #type, net, summary, sizeof(struct type), type##_options, \
      type##_layer }
#define MAPS(type, net, summary)                                        \
    { #type, NULL, "parse_" #type, net, summary, sizeof(struct type),    \
      meta_##type##_options, meta_##type##_layer }
#define STOCK(name, alias, parser, net) { name, alias, parser, net, NULL, 0, NULL, NULL }
/* clang-format on */

const struct meta_section_type meta_section_types[] = {
    { "net", "network", NULL, 0, "input, outer loop and augmentation; the first section", 0, NULL,
      NULL },
    LAYER(convolutional, "conv", 0, "convolution, with or without batch normalisation"),
    LAYER(connected, "conn", 0, "every output from every input"),
    LAYER(maxpool, "max", 0, "largest value of each window"),
    { "avgpool", "avg", "parse_avgpool", 0, "mean of each channel", sizeof(struct common),
      avgpool_options, avgpool_layer },
    LAYER(softmax, "soft", 0, "probabilities, and the cross-entropy loss; the last layer"),
    MAPS(shortcut, 1, "adds an earlier layer"),
    MAPS(route, 1, "puts the channels of earlier layers together"),
    LAYER(dropout, NULL, 0, "sets inputs to 0 at random in training"),
    LAYER(activation, NULL, 0, "a function of each number"),
    LAYER(cost, NULL, 0, "squared error of the scores of pairs; the last layer after [relation]"),
    MAPS(crop, 0, "the middle of the images"),
    MAPS(reorg, 0, "pixels to channels, or channels to pixels"),
    MAPS(scale_channels, 1, "a factor for each channel of an earlier layer; AlexeyAB's"),
    MAPS(local, 0, "a convolution with kernels of its own for every pixel"),
    MAPS(upsample, 1, "each pixel as a square of pixels"),
    STOCK("deconvolutional", "deconv", "parse_deconvolutional", 0),
    STOCK("batchnorm", NULL, "parse_batchnorm", 0),
    STOCK("normalization", "lrn", "parse_normalization", 0),
    STOCK("l2norm", NULL, "parse_l2norm", 0),
    STOCK("logistic", NULL, "parse_logistic", 0),
    STOCK("detection", NULL, "parse_detection", 0),
    STOCK("region", NULL, "parse_region", 0),
    STOCK("yolo", NULL, "parse_yolo", 0),
    STOCK("iseg", NULL, "parse_iseg", 0),
    STOCK("rnn", NULL, "parse_rnn", 0),
    STOCK("gru", NULL, "parse_gru", 0),
    STOCK("lstm", NULL, "parse_lstm", 0),
    STOCK("crnn", NULL, "parse_crnn", 0),
    { NULL, NULL, NULL, 0, NULL, 0, NULL, NULL }
};

const struct meta_section_type *meta_section_find(const char *name)
{
    for (const struct meta_section_type *t = meta_section_types; t->name; t++)
        if (!strcmp(t->name, name) || (t->alias && !strcmp(t->alias, name))) return t;
    return NULL;
}
