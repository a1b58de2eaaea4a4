/* Options of Darknet's sections that libdarknet's parser takes unchecked. */
#include "guard.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/sections.h"

const char *meta_guard_text(const struct meta_section *s, const char *key)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->pairs[i].key, key)) return s->pairs[i].value;
    return NULL;
}

static int to_int(const char *text)
{
    long value = strtol(text, NULL, 10);
    return value > INT_MAX ? INT_MAX : value < INT_MIN ? INT_MIN : (int)value;
}

int meta_guard_int(const struct meta_section *s, const char *key, int fallback)
{
    const char *text = meta_guard_text(s, key);
    return text ? to_int(text) : fallback;
}

/* ---- numbers by themselves ------------------------------------------------------------------- */

/* Above this, products of two sizes and a square pass what an int holds. */
#define MOST (1 << 24)

static const struct rule {
    const char *section, *key;
    int least, most;
} rules[] = { { "net", "batch", 1, INT_MAX },
              { "net", "subdivisions", 1, INT_MAX },
              { "net", "time_steps", 1, INT_MAX },
              { "net", "width", 0, MOST },
              { "net", "height", 0, MOST },
              { "net", "channels", 0, MOST },
              { "net", "inputs", 1, INT_MAX },
              { "convolutional", "filters", 1, MOST },
              { "convolutional", "size", 1, MOST },
              { "convolutional", "stride", 1, MOST },
              { "convolutional", "padding", 0, MOST },
              { "convolutional", "groups", 1, MOST },
              { "deconvolutional", "filters", 1, MOST },
              { "deconvolutional", "size", 1, MOST },
              { "deconvolutional", "stride", 1, MOST },
              { "deconvolutional", "padding", 0, MOST },
              { "local", "filters", 1, MOST },
              { "local", "size", 1, MOST },
              { "local", "stride", 1, MOST },
              { "maxpool", "size", 1, MOST },
              { "maxpool", "stride", 1, MOST },
              { "maxpool", "padding", 0, MOST },
              { "connected", "output", 1, MOST },
              { "rnn", "output", 1, MOST },
              { "gru", "output", 1, MOST },
              { "lstm", "output", 1, MOST },
              { "crnn", "output_filters", 1, MOST },
              { "crnn", "hidden_filters", 1, MOST },
              { "crop", "crop_width", 1, MOST },
              { "crop", "crop_height", 1, MOST },
              { "reorg", "stride", 1, MOST },
              { "reorg", "extra", 0, MOST },
              { "softmax", "groups", 1, MOST },
              { "normalization", "size", 1, MOST },
              { "yolo", "classes", 0, MOST },
              { "yolo", "num", 1, MOST },
              { "region", "classes", 0, MOST },
              { "region", "coords", 0, MOST },
              { "region", "num", 1, MOST },
              { "iseg", "classes", 0, MOST },
              { "iseg", "ids", 0, MOST },
              { "detection", "classes", 0, MOST },
              { "detection", "coords", 0, MOST },
              { "detection", "num", 1, MOST },
              { "detection", "side", 1, MOST } };

static int check_rules(const struct meta_section *s, const char *type, struct meta_error *error)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *r = &rules[i];
        const char *text = strcmp(r->section, type) ? NULL : meta_guard_text(s, r->key);
        int value = text ? to_int(text) : r->least;
        if (value < r->least)
            return meta_fail(error, "%s=%.40s: must be at least %d", r->key, text, r->least);
        if (value > r->most)
            return meta_fail(error, "%s=%.40s: must be at most %d", r->key, text, r->most);
    }
    return 0;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static int count_list(const char *text)
{
    int count = 1;
    for (; *text; text++) count += *text == ',';
    return count;
}

static int check_steps(const struct meta_section *s, struct meta_error *error)
{
    const char *policy = meta_guard_text(s, "policy"), *steps = meta_guard_text(s, "steps"),
               *scales = meta_guard_text(s, "scales");
    if (!policy || strcmp(policy, "steps")) return 0;
    if (!steps || !scales)
        return meta_fail(error, "policy=steps: %s is missing: must be numbers separated by commas",
                         steps ? "scales" : "steps");
    if (count_list(scales) < count_list(steps))
        return meta_fail(error, "scales=%.60s: has %d numbers, but steps has %d: must be as many",
                         scales, count_list(scales), count_list(steps));
    return 0;
}

/* Each number of a list must be from 0 to `most`. */
static int check_members(const struct meta_section *s, const char *key, int most,
                         struct meta_error *error)
{
    const char *text = meta_guard_text(s, key);
    for (const char *at = text; at; at = strchr(at, ','), at += at != NULL) {
        int value = to_int(at);
        if (value < 0 || value > most)
            return meta_fail(error, "%s=%.60s: has %d: must be 0 to %d", key, text, value, most);
    }
    return 0;
}

static int check_anchors(const struct meta_section *s, struct meta_error *error)
{
    const char *anchors = meta_guard_text(s, "anchors");
    int num = meta_guard_int(s, "num", 1);
    if (anchors && count_list(anchors) > 2 * num)
        return meta_fail(error, "anchors=%.60s: has %d numbers: must be at most 2*num=%d", anchors,
                         count_list(anchors), 2 * num);
    return 0;
}

/* The layers that a route or a shortcut takes: indices, or counted back from here below 0. */
static int check_indices(const struct meta_section *s, const char *key, int index,
                         struct meta_error *error)
{
    const char *text = meta_guard_text(s, key);
    if (!text)
        return meta_fail(error, "%s is missing: must be %s", key,
                         strcmp(key, "from") ? "numbers of earlier layers" : "an earlier layer");
    for (const char *at = text; at; at = strchr(at, ','), at += at != NULL) {
        int value = to_int(at);
        if (value >= index || value < -index)
            return meta_fail(error, "%s=%.60s: %d is not an earlier layer; allowed: %d to %d", key,
                             text, value, -index, index - 1);
    }
    return 0;
}

/* ---- sections -------------------------------------------------------------------------------- */

static int check_net(const struct meta_section *s, struct meta_error *error)
{
    int w = meta_guard_int(s, "width", 0), h = meta_guard_int(s, "height", 0),
        c = meta_guard_int(s, "channels", 0), batch = meta_guard_int(s, "batch", 1),
        parts = meta_guard_int(s, "subdivisions", 1), steps = meta_guard_int(s, "time_steps", 1);
    double pixels = (double)w * h * c, inputs = meta_guard_int(s, "inputs", 0);
    if (!pixels && !inputs)
        return meta_fail(error,
                         "width, height and channels are not all there: must be at least 1, "
                         "or inputs");
    if (pixels && inputs && pixels != inputs)
        return meta_fail(error, "inputs=%.0f: must be width*height*channels=%.0f", inputs, pixels);
    if (batch < parts)
        return meta_fail(error, "subdivisions=%d: must be at most batch=%d", parts, batch);
    if ((pixels ? pixels : inputs) * (batch / parts) * steps > INT_MAX)
        return meta_fail(error, "batch=%d: has %.0f numbers an image: must be at most %d in all",
                         batch, pixels ? pixels : inputs, INT_MAX);
    return check_steps(s, error);
}

/* It takes the image itself for the columns of a 1x1 convolution, padding or not. */
static int check_padding(const struct meta_section *s, struct meta_error *error)
{
    int padding = meta_guard_int(s, "pad", 0) ? 0 : meta_guard_int(s, "padding", 0);
    if (meta_guard_int(s, "size", 1) > 1 || !padding) return 0;
    return meta_fail(error, "padding=%d: must be 0 with size=1", padding);
}

static int check(const struct meta_section *s, const char *type, int index,
                 struct meta_error *error)
{
    int num = meta_guard_int(s, "num", 1);
    if (check_rules(s, type, error)) return -1;
    if (!strcmp(type, "net")) return check_net(s, error);
    if (!index && !strcmp(type, "dropout")) return meta_fail(error, "there is no earlier layer");
    if (!strcmp(type, "shortcut") || !strcmp(type, "route")) {
        if (!index) return meta_fail(error, "there is no earlier layer");
        return check_indices(s, *type == 's' ? "from" : "layers", index, error);
    }
    if (!strcmp(type, "yolo"))
        return check_members(s, "mask", num - 1, error) || check_anchors(s, error) ? -1 : 0;
    if (!strcmp(type, "convolutional")) return check_padding(s, error);
    if (!strcmp(type, "region")) return check_anchors(s, error);
    if (!strcmp(type, "upsample") && !meta_guard_int(s, "stride", 2))
        return meta_fail(error, "stride=0: must not be 0");
    return 0;
}

int meta_guard_options(const struct meta_section *s, const char *path, int index,
                       struct meta_error *error)
{
    const struct meta_section_type *type = meta_section_find(s->name);
    if (!type || !check(s, type->name, index, error)) return 0;
    return meta_section_blame(s, path, error);
}

int meta_guard_cfg(const struct meta_cfg *cfg, struct meta_error *error)
{
    for (int i = 0; i < cfg->count; i++)
        if (meta_guard_options(&cfg->sections[i], cfg->path, i - 1, error)) return -1;
    return 0;
}
