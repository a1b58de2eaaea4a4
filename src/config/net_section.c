/* Reads [net]: Darknet's keys and defaults (parser.c, parse_net_options). */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "sections.h"

#define MOST_SIDE 65536

/* All keys of [net]; some are only checked. */
struct net_options {
    struct meta_net_settings net;
    int inputs, fixed;
    double min_ratio, max_ratio;
};

#define OF(field) offsetof(struct net_options, field)
/* clang-format off */
#define INT(key, fallback, least, most, help) \
    { #key, META_INT, fallback, least, most, NULL, OF(net.key), help }
#define REAL(key, fallback, least, most, help) \
    { #key, META_REAL, fallback, least, most, NULL, OF(net.key), help }
#define ONLY(key, value) { #key, META_INT, value, value, value, NULL, OF(fixed), "" }
/* clang-format on */
/* Marks a default that depends on other options; meta_net_read replaces it. */
#define DERIVED -1

const struct meta_option meta_net_table[] = {
    INT(width, 0, 1, MOST_SIDE, "of the network's input, in pixels"),
    INT(height, 0, 1, MOST_SIDE, "of the network's input, in pixels"),
    INT(channels, 0, 1, 3, "3: colour, 1: grey"),
    REAL(learning_rate, .001, 0, 1000, "alpha of the outer loop"),
    { "policy", META_CHOICE, META_POLICY_CONSTANT, 0, 0,
      "constant|step|exp|poly|steps|sigmoid|cosine", OF(net.policy),
      "how learning_rate changes with the meta-iterations" },
    INT(step, 1, 1, INT_MAX,
        "policy=step: iterations between changes; policy=sigmoid: where it begins, as in "
        "Darknet: before it the rate is 0, or with gamma below 0 whole"),
    REAL(scale, 1, 0, 1e9, "policy=step: factor of each change"),
    { "steps", META_INTS, 0, 0, INT_MAX, NULL, OF(net.steps),
      "policy=steps: iterations of the changes" },
    { "scales", META_REALS, 0, 0, 1e9, NULL, OF(net.scales),
      "policy=steps: factor of each change" },
    REAL(gamma, 1, -1e9, 1e9, "policy=exp, policy=sigmoid"),
    REAL(power, 4, 0, 1000, "policy=poly and burn_in"),
    INT(burn_in, 0, 0, INT_MAX, "iterations over which the rate grows from 0"),
    INT(max_batches, 0, 0, META_MOST_ITERATIONS, "meta-iterations"),
    INT(adam, 0, 0, 1, "1: Adam; 0: gradient descent with momentum"),
    REAL(B1, .9, 0, .999999, "Adam's decay of the mean"),
    REAL(B2, .999, 0, .999999, "Adam's decay of the mean square"),
    REAL(eps, 1e-7, 0, 1, "Adam's smallest divisor"),
    REAL(momentum, .9, 0, .999999, "with adam=0"),
    REAL(decay, .0001, 0, 1, "weight decay"),
    REAL(clip, 0, 0, 1e9, "largest norm of the meta-gradient; 0: any"),
    REAL(average, 0, 0, .999999,
         "NAME_average.weights: what average=a keeps of the average each iteration; 0: none"),
    REAL(angle, 0, 0, 360, "augmentation: rotation by up to so many degrees either way"),
    INT(flip, 1, 0, 1, "augmentation: mirrored at random, as Darknet's classifier does"),
    INT(min_crop, DERIVED, 1, MOST_SIDE,
        "augmentation: least pixels of the shorter side before cropping (width); below the "
        "network's size views have black edges"),
    INT(max_crop, DERIVED, 1, MOST_SIDE,
        "augmentation: most pixels of the shorter side before cropping (2*width)"),
    { "min_ratio", META_REAL, DERIVED, 1e-3, 1000, NULL, OF(min_ratio),
      "min_crop as a multiple of width" },
    { "max_ratio", META_REAL, DERIVED, 1e-3, 1000, NULL, OF(max_ratio),
      "max_crop as a multiple of width" },
    REAL(aspect, 1, .01, 100, "augmentation: stretched by up to this factor either way"),
    REAL(hue, 0, 0, 1, "augmentation: turned by up to so many turns either way"),
    REAL(saturation, 1, .01, 100, "augmentation: changed by up to this factor either way"),
    REAL(exposure, 1, .01, 100, "augmentation: changed by up to this factor either way"),
    { "orientation", META_CHOICE, META_ORIENTATION_EXIF, 0, 0, "exif|stored", OF(net.orientation),
      "images are turned upright as their EXIF data say, or taken as their pixels are stored" },
    INT(batch, 1, 1, 1000000,
        "pretrain: images an iteration; a meta-iteration's size is [episode]'s"),
    INT(subdivisions, 1, 1, 1000000,
        "pretrain: parts of the batch, each normalised by its own statistics"),
    { "inputs", META_INT, DERIVED, 1, INT_MAX, NULL, OF(inputs), "width*height*channels" },
    ONLY(time_steps, 1),
    ONLY(notruth, 0),
    ONLY(random, 0),
    ONLY(center, 0),
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }
};

static const struct meta_pair *find(const struct meta_section *section, const char *key)
{
    for (int i = 0; i < section->count; i++)
        if (!strcmp(section->pairs[i].key, key)) return &section->pairs[i];
    return NULL;
}

/* The options that only some policies read. */
static const struct {
    const char *key;
    unsigned policies;
    const char *allowed;
} readers[] = {
    { "step", 1u << META_POLICY_STEP | 1u << META_POLICY_SIGMOID,
      "policy=step and policy=sigmoid" },
    { "scale", 1u << META_POLICY_STEP, "policy=step" },
    { "steps", 1u << META_POLICY_STEPS, "policy=steps" },
    { "scales", 1u << META_POLICY_STEPS, "policy=steps" },
    { "gamma", 1u << META_POLICY_EXP | 1u << META_POLICY_SIGMOID, "policy=exp and policy=sigmoid" },
};

/* Refuses options that the policy does not read, since they would have no effect. */
static int check_policy(const struct meta_section *section, const char *path,
                        const struct meta_net_settings *net, struct meta_error *error)
{
    const struct meta_pair *policy = find(section, "policy"), *steps = find(section, "steps"),
                           *scales = find(section, "scales");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const struct meta_pair *pair = find(section, readers[i].key);
        if (pair && !(readers[i].policies & 1u << net->policy))
            return meta_fail(error, "%s:%d: [%s] %s: policy=%s does not read it; allowed with %s",
                             path, pair->line, section->name, pair->key,
                             policy ? policy->value : "constant", readers[i].allowed);
    }
    if (net->policy != META_POLICY_STEPS) return 0;
    if (!steps || !scales)
        return meta_fail(error,
                         "%s:%d: [%s] policy=steps: %s is missing: must be numbers separated by "
                         "commas",
                         path, policy->line, section->name, steps ? "scales" : "steps");
    if (net->steps.count != net->scales.count)
        return meta_fail(error,
                         "%s:%d: [%s] scales: has %d numbers, but steps has %d: must be as many",
                         path, scales->line, section->name, net->scales.count, net->steps.count);
    for (int i = 1; i < net->steps.count; i++)
        if (net->steps.values[i] <= net->steps.values[i - 1])
            return meta_fail(error, "%s:%d: [%s] steps: %.0f follows %.0f: must increase", path,
                             steps->line, section->name, net->steps.values[i],
                             net->steps.values[i - 1]);
    return 0;
}

static int check_shape(const struct meta_section *section, const char *path,
                       const struct net_options *o, struct meta_error *error)
{
    const char *names[] = { "width", "height", "channels" };
    double inputs = (double)o->net.width * o->net.height * o->net.channels;
    const struct meta_pair *pair;
    for (int i = 0; i < 3; i++)
        if (!find(section, names[i]))
            return meta_fail(error, "%s:%d: [%s]: %s is missing: must be at least 1", path,
                             section->line, section->name, names[i]);
    if (o->net.channels == 2)
        return meta_fail(error, "%s:%d: [%s] channels=2: must be 1 or 3", path,
                         find(section, "channels")->line, section->name);
    if ((pair = find(section, "inputs")) && o->inputs != inputs)
        return meta_fail(error, "%s:%d: [%s] inputs=%d: must be width*height*channels=%.0f", path,
                         pair->line, section->name, o->inputs, inputs);
    return 0;
}

/* The two ratios, where they are given, override the two numbers of pixels, as in Darknet. */
static void set_crops(struct net_options *o)
{
    struct meta_net_settings *net = &o->net;
    if (net->min_crop == DERIVED) net->min_crop = net->width;
    if (net->max_crop == DERIVED) net->max_crop = 2 * net->width;
    if (o->min_ratio != DERIVED) net->min_crop = (int)fmax(1, o->min_ratio * net->width);
    if (o->max_ratio != DERIVED) net->max_crop = (int)fmax(1, o->max_ratio * net->width);
}

int meta_net_read(const struct meta_section *section, const char *path,
                  struct meta_net_settings *net, struct meta_error *error)
{
    struct net_options o;
    memset(&o, 0, sizeof o);
    int status = meta_options_parse(meta_net_table, section, path, &o, error)
            || check_shape(section, path, &o, error) || check_policy(section, path, &o.net, error)
        ? -1
        : 0;
    set_crops(&o);
    *net = o.net;
    return status;
}

const char *meta_net_exported(const struct meta_net_settings *net)
{
    return net->orientation == META_ORIENTATION_STORED ? "orientation=stored\n" : NULL;
}
