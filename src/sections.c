#include "sections.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SIDE 8192

/* ---- [net] -------------------------------------------------------------------------------------------------------- */

struct net { struct meta_net_settings s; int batch, subdivisions, time_steps, notruth, random, center, inputs; double ratio[2]; };

#define NET(name, type, fallback, least, most, help) \
    { #name, type, fallback, least, most, NULL, offsetof(struct net, s.name), help }
#define IGNORED(name, type, field, fallback, least, most) \
    { name, type, fallback, least, most, NULL, offsetof(struct net, field), "Darknet's; means nothing to meta-learning" }

static const struct meta_option net_table[] = {
    NET(width, META_INT, 0, 0, MOST_SIDE, "pixels"),
    NET(height, META_INT, 0, 0, MOST_SIDE, "pixels"),
    NET(channels, META_INT, 0, 0, 3, "1 (grey) or 3 (colour)"),
    NET(learning_rate, META_REAL, .001, 0, 1000, "of the meta-parameters"),
    NET(momentum, META_REAL, .9, 0, 1, "of SGD, when adam=0"),
    NET(decay, META_REAL, .0001, 0, 1, "weight decay"),
    { "policy", META_CHOICE, META_POLICY_CONSTANT, 0, 0, "constant|step|exp|poly|steps|sigmoid", offsetof(struct net, s.policy),
      "how the learning rate moves" },
    NET(step, META_INT, 1, 1, 1000000000, "policy=step, sigmoid: iterations"),
    NET(scale, META_REAL, 1, 0, 1000, "policy=step: factor"),
    NET(gamma, META_REAL, 1, 0, 1000, "policy=exp, sigmoid"),
    NET(power, META_REAL, 4, 0, 1000, "policy=poly and burn_in"),
    NET(burn_in, META_INT, 0, 0, 1000000000, "iterations over which the rate rises"),
    NET(steps, META_INTS, 0, 0, 1000000000, "policy=steps: iterations"),
    NET(scales, META_REALS, 0, 0, 1000, "policy=steps: a factor at each"),
    NET(max_batches, META_INT, 0, 0, 1000000000, "meta-iterations"),
    NET(adam, META_INT, 0, 0, 1, "1: Adam; 0: SGD with momentum"),
    NET(B1, META_REAL, .9, 0, .999999, "Adam"),
    NET(B2, META_REAL, .999, 0, .99999999, "Adam"),
    NET(eps, META_REAL, 1e-7, 0, 1, "Adam"),
    NET(clip, META_REAL, 0, 0, 1e9, "largest norm of the meta-gradient; 0: any"),
    NET(min_crop, META_INT, 0, 0, MOST_SIDE, "augmentation: least shorter side in pixels; default width"),
    NET(max_crop, META_INT, 0, 0, MOST_SIDE, "augmentation: most; default 2*width"),
    NET(flip, META_INT, 1, 0, 1, "augmentation: mirror at random"),
    NET(angle, META_REAL, 0, 0, 180, "augmentation: rotation by up to so many degrees either way"),
    NET(aspect, META_REAL, 1, 1, 10, "augmentation: stretch by up to this factor"),
    NET(hue, META_REAL, 0, 0, 1, "augmentation: turn of the colour circle"),
    NET(saturation, META_REAL, 1, 1, 100, "augmentation: factor"),
    NET(exposure, META_REAL, 1, 1, 100, "augmentation: factor"),
    IGNORED("batch", META_INT, batch, 1, 1, 1e6), IGNORED("subdivisions", META_INT, subdivisions, 1, 1, 1e6),
    IGNORED("time_steps", META_INT, time_steps, 1, 1, 1e6), IGNORED("notruth", META_INT, notruth, 0, 0, 1),
    IGNORED("random", META_INT, random, 0, 0, 1), IGNORED("center", META_INT, center, 0, 0, 1),
    IGNORED("inputs", META_INT, inputs, 0, 0, 1e9), IGNORED("max_ratio", META_REAL, ratio[0], 1, 0, 1000),
    IGNORED("min_ratio", META_REAL, ratio[1], 1, 0, 1000),
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

/* The line of an option, or of its section where it is absent. */
static int line_of(const struct meta_section *section, const char *key)
{
    for (int i = 0; i < section->count; i++)
        if (!strcmp(section->pairs[i].key, key)) return section->pairs[i].line;
    return section->line;
}

static int check_net(struct meta_net_settings *s, const struct meta_section *section, const char *path, struct meta_error *error)
{
    static const char *needed[] = { "width", "height", "channels" };
    int value[] = { s->width, s->height, s->channels };
    for (int i = 0; i < 3; i++)
        if (value[i] < 1)
            return meta_fail(error, "%s:%d: [%s] %s=%d: must be %s", path, line_of(section, needed[i]), section->name, needed[i],
                             value[i], i < 2 ? "1 to 8192" : "1 or 3");
    if (s->channels == 2)
        return meta_fail(error, "%s:%d: [%s] channels=2: must be 1 or 3", path, line_of(section, "channels"), section->name);
    if (s->steps.count != s->scales.count)
        return meta_fail(error, "%s:%d: [%s] steps has %d values, scales has %d: must be the same number", path,
                         line_of(section, s->scales.count ? "scales" : "steps"), section->name, s->steps.count, s->scales.count);
    for (int i = 1; i < s->steps.count; i++)
        if (s->steps.values[i] <= s->steps.values[i - 1])
            return meta_fail(error, "%s:%d: [%s] steps: %g after %g: must rise", path, line_of(section, "steps"), section->name,
                             s->steps.values[i], s->steps.values[i - 1]);
    if (!s->min_crop) s->min_crop = s->width;
    if (!s->max_crop) s->max_crop = 2 * s->width > s->min_crop ? 2 * s->width : s->min_crop;
    if (s->max_crop < s->min_crop)
        return meta_fail(error, "%s:%d: [%s] max_crop=%d: must be at least min_crop=%d", path, line_of(section, "max_crop"),
                         section->name, s->max_crop, s->min_crop);
    return 0;
}

int meta_net_parse(struct meta_net_settings *settings, const struct meta_section *section, const char *path, struct meta_error *error)
{
    struct net net = { 0 };
    if (meta_options_parse(net_table, section, path, &net, error) || check_net(&net.s, section, path, error)) {
        meta_net_clear(&net.s);
        return -1;
    }
    *settings = net.s;
    return 0;
}

void meta_net_clear(struct meta_net_settings *settings)
{
    free(settings->steps.values);
    free(settings->scales.values);
    settings->steps = settings->scales = (struct meta_list){ 0 };
}

/* ---- layers -------------------------------------------------------------------------------------------------------- */

/* Every option of every layer, as Darknet's parse_* functions name them. */
struct options {
    int filters, size, stride, pad, padding, batch_normalize, activation, groups, xnor, binary, flipped, dot, output;
    int spatial, from;
    double probability, temperature, alpha, beta;
    char *tree;
    struct meta_list layers;
};

#define OPTION(name, type, fallback, least, most, help) \
    { #name, type, fallback, least, most, NULL, offsetof(struct options, name), help }
#define ACTIVATION(fallback) { "activation", META_CHOICE, fallback, 0, 0, "linear|relu|leaky|logistic", \
                               offsetof(struct options, activation), "after the layer" }
#define NORMALIZE OPTION(batch_normalize, META_INT, 0, 0, 1, "1: batch normalisation")
#define END { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
#define ABSENT -1000000

static const struct meta_option convolutional[] = {
    OPTION(filters, META_INT, 1, 1, 65536, "output channels"), OPTION(size, META_INT, 1, 1, 1024, "side of the kernel"),
    OPTION(stride, META_INT, 1, 1, 1024, "pixels"), OPTION(pad, META_INT, 0, 0, 1, "1: padding = size/2"),
    OPTION(padding, META_INT, 0, 0, 1024, "pixels on every side, when pad=0"), NORMALIZE, ACTIVATION(META_LOGISTIC),
    OPTION(groups, META_INT, 1, 1, 1, "1 only: grouped convolutions are not supported"),
    OPTION(xnor, META_INT, 0, 0, 0, "0 only: has no derivative"), OPTION(binary, META_INT, 0, 0, 0, "0 only: has no derivative"),
    OPTION(flipped, META_INT, 0, 0, 0, "0 only"), OPTION(dot, META_INT, 0, 0, 0, "0 only"), END
};
static const struct meta_option connected[] = {
    OPTION(output, META_INT, 1, 1, 1000000, "outputs"), NORMALIZE, ACTIVATION(META_LOGISTIC), OPTION(flipped, META_INT, 0, 0, 0, "0 only"), END
};
static const struct meta_option maxpool[] = {
    OPTION(size, META_INT, ABSENT, 1, 1024, "side of the window; default stride"), OPTION(stride, META_INT, 1, 1, 1024, "pixels"),
    OPTION(padding, META_INT, ABSENT, 0, 1024, "pixels in total; default size-1"), END
};
static const struct meta_option avgpool[] = { END };
static const struct meta_option softmax[] = {
    OPTION(groups, META_INT, 1, 1, 1, "1 only"), OPTION(temperature, META_REAL, 1, 1e-3, 1e3, "divides the inputs"),
    OPTION(spatial, META_INT, 0, 0, 0, "0 only"), OPTION(tree, META_TEXT, 0, 0, 0, "not supported"), END
};
static const struct meta_option shortcut[] = {
    OPTION(from, META_INT, ABSENT, -10000, 10000, "layer to add: counted back from here when negative"), ACTIVATION(META_LINEAR),
    OPTION(alpha, META_REAL, 1, -1000, 1000, "factor of what is here"), OPTION(beta, META_REAL, 1, -1000, 1000, "factor of `from`"), END
};
static const struct meta_option route[] = {
    OPTION(layers, META_INTS, 0, -10000, 10000, "layers to join: counted back from here when negative"), END
};
static const struct meta_option dropout[] = { OPTION(probability, META_REAL, .5, 0, .999, "of an input to be dropped"), END };
static const struct meta_option activation[] = { ACTIVATION(META_LINEAR), END };

static const struct row { const char *name, *alias; enum meta_layer_type type; const struct meta_option *table; } rows[] = {
    { "convolutional", "conv", META_CONVOLUTIONAL, convolutional }, { "maxpool", "max", META_MAXPOOL, maxpool },
    { "avgpool", "avg", META_AVGPOOL, avgpool }, { "connected", "conn", META_CONNECTED, connected },
    { "softmax", "soft", META_SOFTMAX, softmax }, { "shortcut", NULL, META_SHORTCUT, shortcut },
    { "route", NULL, META_ROUTE, route }, { "dropout", NULL, META_DROPOUT, dropout },
    { "activation", NULL, META_ACTIVATION, activation }
};
#define ROWS (int)(sizeof rows / sizeof *rows)

int meta_sections_is_stock(const char *name)
{
    static const char *others[] = {
        "net", "network", "crop", "cost", "detection", "region", "yolo", "iseg", "local", "deconv", "deconvolutional", "rnn", "gru",
        "lstm", "crnn", "lrn", "normalization", "batchnorm", "reorg", "upsample", "logistic", "l2norm"
    };
    for (int i = 0; i < ROWS; i++)
        if (!strcmp(rows[i].name, name) || (rows[i].alias && !strcmp(rows[i].alias, name))) return 1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i], name)) return 1;
    return 0;
}

const char *meta_sections_layers(void)
{
    return "convolutional maxpool avgpool connected softmax shortcut route dropout activation";
}

const struct meta_option *meta_sections_table(int i, const char **name)
{
    if (i < 0 || i > ROWS) return NULL;
    *name = i ? rows[i - 1].name : "net";
    return i ? rows[i - 1].table : net_table;
}

/* Layer numbers, as Darknet counts them, to numbers from 0. */
static int resolve(struct meta_layer *l, const double *values, int count, int here)
{
    l->from = malloc(count * sizeof *l->from);
    if (!l->from) return -1;
    l->from_count = count;
    for (int k = 0; k < count; k++) l->from[k] = values[k] < 0 ? here + (int)values[k] : (int)values[k];
    return 0;
}

static int build(struct meta_layer *l, const struct options *o, int here, struct meta_error *error)
{
    double from = o->from;
    l->filters = l->type == META_CONNECTED ? o->output : o->filters;
    l->size = o->size;
    l->stride = o->stride;
    l->padding = o->padding;
    l->batch_normalize = o->batch_normalize;
    l->activation = o->activation;
    l->probability = o->probability;
    l->temperature = o->temperature;
    l->alpha = o->alpha;
    l->beta = o->beta;
    switch (l->type) {
    case META_CONVOLUTIONAL:
        if (o->pad) l->padding = l->size / 2;
        return 0;
    case META_MAXPOOL:
        if (l->size == ABSENT) l->size = l->stride;
        if (l->padding == ABSENT) l->padding = l->size - 1;
        return 0;
    case META_SOFTMAX:
        return o->tree ? meta_fail(error, "tree=%.60s: not supported", o->tree) : 0;
    case META_SHORTCUT:
        if (o->from == ABSENT) return meta_fail(error, "from=: must be given");
        return resolve(l, &from, 1, here) ? meta_fail(error, "out of memory") : 0;
    case META_ROUTE:
        if (!o->layers.count) return meta_fail(error, "layers=: must be given");
        return resolve(l, o->layers.values, o->layers.count, here) ? meta_fail(error, "out of memory") : 0;
    default:
        return 0;
    }
}

int meta_sections_add(struct meta_network *net, const struct meta_section *section, const char *path, struct meta_error *error)
{
    const struct row *row = rows;
    while (row < rows + ROWS && strcmp(row->name, section->name) && !(row->alias && !strcmp(row->alias, section->name))) row++;
    if (row == rows + ROWS)
        return meta_fail(error, "%s:%d: [%s]: meta-learning can't differentiate this layer; allowed: %s", path, section->line,
                         section->name, meta_sections_layers());
    struct options o = { 0 };
    struct meta_layer layer = { .type = row->type, .line = section->line };
    struct meta_error why;
    int failed = meta_options_parse(row->table, section, path, &o, error);
    if (!failed && (build(&layer, &o, net->count, &why) || meta_network_add(net, layer, &why)))
        failed = meta_fail(error, "%s:%d: [%s] %s", path, section->line, section->name, why.text);
    meta_options_clear(row->table, &o);
    return failed;
}
