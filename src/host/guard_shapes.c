/* Layers of libdarknet whose options do not fit their input, which its parser takes unchecked. */
#include "guard.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/sections.h"

/* A layer to be made: its section, its type, its input. */
struct made {
    const struct meta_section *s;
    const char *type;
    const struct meta_size_params *at;
    struct meta_error *error;
};

static int option(const struct made *m, const char *key, int fallback)
{
    return meta_guard_int(m->s, key, fallback);
}

static int is(const struct made *m, const char *type) { return !strcmp(m->type, type); }

/* Fails where an output of so many numbers, or so many weights, are none or pass what an int
 * counts.
 */
static int check_counts(const struct made *m, double outputs, double weights)
{
    if (outputs < 1)
        return meta_fail(m->error, "its output is empty: its input is %dx%dx%d", m->at->w, m->at->h,
                         m->at->c);
    if (outputs * m->at->batch > INT_MAX || weights > INT_MAX)
        return meta_fail(m->error, "%s of %.0f numbers: must be at most %d",
                         weights > INT_MAX ? "weights" : "an output",
                         weights > INT_MAX ? weights : outputs * m->at->batch, INT_MAX);
    return 0;
}

static int check_convolution(const struct made *m)
{
    int n = option(m, "filters", 1), size = option(m, "size", 1), stride = option(m, "stride", 1),
        pad = option(m, "pad", 0) ? size / 2 : option(m, "padding", 0),
        groups = option(m, "groups", 1), c = m->at->c;
    double square = (double)size * size;
    if (is(m, "deconvolutional")) {
        double h = (m->at->h - 1.) * stride + size - 2. * pad,
               w = (m->at->w - 1.) * stride + size - 2. * pad;
        return check_counts(m, h < 1 || w < 1 ? 0 : h * w * n, square * c * n);
    }
    if (c % groups || n % groups)
        return meta_fail(m->error, "groups=%d: must divide its %d input channels and filters=%d",
                         groups, c, n);
    int64_t h = ((int64_t)m->at->h + 2 * pad - size) / stride + 1,
            w = ((int64_t)m->at->w + 2 * pad - size) / stride + 1;
    return check_counts(m, h < 1 || w < 1 ? 0 : (double)h * w * n, square * (c / groups) * n);
}

static int check_local(const struct made *m)
{
    int n = option(m, "filters", 1), size = option(m, "size", 1), stride = option(m, "stride", 1),
        less = option(m, "pad", 0) ? 1 : size, h = m->at->h - less, w = m->at->w - less;
    double places = h < 0 || w < 0 ? 0 : (h / stride + 1.) * (w / stride + 1.);
    return check_counts(m, places * n, places * n * m->at->c * size * size);
}

/* Whether one of `out` windows has no pixel of a map of `in`: it begins at the first one less
   padding/2, and its largest number has no place then. */
static int is_beside(int in, int64_t out, int size, int stride, int padding)
{
    return padding / 2 >= size || (out - 1) * stride - padding / 2 >= in;
}

static int check_maxpool(const struct made *m)
{
    int stride = option(m, "stride", 1), size = option(m, "size", stride),
        padding = option(m, "padding", size - 1);
    int64_t h = ((int64_t)m->at->h + padding - size) / stride + 1,
            w = ((int64_t)m->at->w + padding - size) / stride + 1;
    if (is_beside(m->at->h, h, size, stride, padding)
        || is_beside(m->at->w, w, size, stride, padding))
        return meta_fail(m->error, "padding=%d: windows of size=%d lie beside its %dx%d input",
                         padding, size, m->at->w, m->at->h);
    return check_counts(m, h < 1 || w < 1 ? 0 : (double)h * w * m->at->c, 0);
}

static int check_crop(const struct made *m)
{
    int w = option(m, "crop_width", 1), h = option(m, "crop_height", 1);
    if (w <= m->at->w && h <= m->at->h) return 0;
    return meta_fail(m->error, "%s=%d: must be at most its %dx%d input",
                     w > m->at->w ? "crop_width" : "crop_height", w > m->at->w ? w : h, m->at->w,
                     m->at->h);
}

static int check_reorg(const struct made *m)
{
    int stride = option(m, "stride", 1), reverse = option(m, "reverse", 0);
    /* It divides by the channels of the other direction, in both. */
    if (m->at->c < (double)stride * stride
        || (!reverse && (m->at->w < stride || m->at->h < stride)))
        return meta_fail(m->error, "stride=%d: does not fit its %dx%dx%d input", stride, m->at->w,
                         m->at->h, m->at->c);
    return check_counts(m, (double)m->at->inputs + option(m, "extra", 0), 0);
}

static int check_upsample(const struct made *m)
{
    double stride = option(m, "stride", 2), by = stride < 0 ? -1 / stride : stride,
           h = (int64_t)(m->at->h * by), w = (int64_t)(m->at->w * by);
    return check_counts(m, h * w * m->at->c, 0);
}

/* Layers of detectors, whose numbers an image must be those that come in. */
static int check_detector(const struct made *m)
{
    const char *mask = meta_guard_text(m->s, "mask");
    double places = (double)m->at->w * m->at->h, num = option(m, "num", 1), needed;
    if (is(m, "yolo")) {
        if (mask)
            for (num = 1; (mask = strchr(mask, ',')); mask++) num++;
        needed = places * num * (option(m, "classes", 20) + 5.);
    } else if (is(m, "region"))
        needed = places * num * (option(m, "classes", 20) + option(m, "coords", 4) + 1.);
    else if (is(m, "iseg"))
        needed = places * ((double)option(m, "classes", 20) + option(m, "ids", 32));
    else {
        double side = option(m, "side", 7);
        needed = side * side * ((1. + option(m, "coords", 1)) * num + option(m, "classes", 1));
    }
    if (needed == m->at->inputs) return 0;
    return meta_fail(m->error,
                     "its options make %.0f numbers an image, but %d come in: must be "
                     "equal",
                     needed, m->at->inputs);
}

/* shortcut_cpu takes one of the two maps at a stride, which must be one number in both directions.
 */
static int check_shortcut(const struct made *m)
{
    int from = option(m, "from", 0);
    const layer *l = &m->at->net->layers[from < 0 ? m->at->index + from : from];
    int w = m->at->w, h = m->at->h;
    if (w > 0 && h > 0 && l->out_w > 0 && l->out_h > 0 && l->out_w / w == l->out_h / h
        && w / l->out_w == h / l->out_h)
        return 0;
    return meta_fail(m->error,
                     "from=%d: gives %dx%d, here is %dx%d: one must be a whole multiple of the "
                     "other, alike in width and height",
                     from, l->out_w, l->out_h, w, h);
}

static int check(const struct made *m)
{
    static const char *const of_images[] = { "convolutional", "deconvolutional", "local",
                                             "maxpool",       "avgpool",         "crop",
                                             "reorg",         "upsample",        "normalization" };
    const struct meta_size_params *at = m->at;
    for (size_t i = 0; i < sizeof of_images / sizeof *of_images; i++)
        if (is(m, of_images[i]) && (at->w < 1 || at->h < 1 || at->c < 1))
            return meta_fail(m->error, "needs an image, and its input is %d numbers", at->inputs);
    if (is(m, "convolutional") || is(m, "deconvolutional")) return check_convolution(m);
    if (is(m, "local")) return check_local(m);
    if (is(m, "maxpool")) return check_maxpool(m);
    if (is(m, "connected"))
        return check_counts(m, option(m, "output", 1), (double)at->inputs * option(m, "output", 1));
    if (is(m, "crop")) return check_crop(m);
    if (is(m, "reorg")) return check_reorg(m);
    if (is(m, "upsample")) return check_upsample(m);
    if (is(m, "yolo") || is(m, "region") || is(m, "iseg") || is(m, "detection"))
        return check_detector(m);
    if (is(m, "shortcut")) return check_shortcut(m);
    if (is(m, "softmax") && at->inputs % option(m, "groups", 1))
        return meta_fail(m->error, "groups=%d: must divide its %d inputs", option(m, "groups", 1),
                         at->inputs);
    return 0;
}

int meta_guard_shape(const struct meta_section *s, const char *path,
                     const struct meta_size_params *at, struct meta_error *error)
{
    const struct made m = { s, meta_section_find(s->name)->name, at, error };
    return check(&m) ? meta_section_blame(s, path, error) : 0;
}
