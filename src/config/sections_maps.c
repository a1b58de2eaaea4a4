/* Darknet's sections that join maps of other layers or move numbers about: the options of each, and
   the layer that they describe. */
#include "sections_internal.h"

#include <stdlib.h>

/* ---- layers that refer to others ------------------------------------------------------------- */

/* Layer numbers as in Darknet: from 0, [net] not counted; a number below 0 counts back from
   here. */
static int resolve(const char *key, int number, int index, int *out, struct meta_error *error)
{
    *out = number < 0 ? index + number : number;
    if (!index) return meta_fail(error, "%s=%d: there is no earlier layer", key, number);
    if (*out >= 0 && *out < index) return 0;
    return meta_fail(error,
                     "%s=%d: must be -%d to -1, back from here, or 0 to %d, from the first layer",
                     key, number, index, index - 1);
}

/* Sets the one layer that `out` refers to. */
static int set_from(int from, int index, struct meta_layer *out, struct meta_error *error)
{
    int layer;
    if (from == MISSING)
        return meta_fail(error, "from is missing: must be %s, such as -3",
                         out->type == META_SHORTCUT ? "the layer to add" : "the layer of the maps");
    if (resolve("from", from, index, &layer, error)) return -1;
    out->from_count = 1;
    out->from = malloc(sizeof *out->from);
    if (!out->from) return meta_fail_memory(error);
    *out->from = layer;
    return 0;
}

const struct meta_option meta_shortcut_options[] = {
    INT(shortcut, from, MISSING, -MOST, MOST,
        "the layer to add: below 0, so many back; else its number"),
    REAL(shortcut, alpha, 1, -1e9, 1e9, "factor of this place's input"),
    REAL(shortcut, beta, 1, -1e9, 1e9, "factor of the other layer's output"),
    ACTIVATION(shortcut, META_LINEAR), COMMON
};

int meta_shortcut_layer(const void *settings, int index, struct meta_layer *out,
                        struct meta_error *error)
{
    const struct shortcut *s = settings;
    *out = (struct meta_layer){ .type = META_SHORTCUT,
                                .alpha = s->alpha,
                                .beta = s->beta,
                                .activation = (enum meta_activation)s->activation };
    return set_from(s->from, index, out, error);
}

const struct meta_option meta_route_options[] = { { "layers", META_INTS, 0, -MOST, MOST, NULL,
                                                    offsetof(struct route, layers),
                                                    "the layers whose channels are put together: "
                                                    "below 0, so many back; else their numbers" },
                                                  COMMON };

int meta_route_layer(const void *settings, int index, struct meta_layer *out,
                     struct meta_error *error)
{
    const struct route *s = settings;
    if (!s->layers.count)
        return meta_fail(error, "layers is missing: must name earlier layers, such as -1,-4");
    *out = (struct meta_layer){ .type = META_ROUTE,
                                .from_count = s->layers.count,
                                .from = malloc((size_t)s->layers.count * sizeof *out->from) };
    if (!out->from) return meta_fail_memory(error);
    for (int i = 0; i < s->layers.count; i++)
        if (resolve("layers", (int)s->layers.values[i], index, &out->from[i], error)) {
            free(out->from);
            out->from = NULL;
            return -1;
        }
    return 0;
}

const struct meta_option meta_scale_channels_options[] = {
    INT(scale_channels, from, MISSING, -MOST, MOST,
        "the layer of the maps: below 0, so many back; else its number"),
    ONLY(scale_wh, 0),
    { "activation", META_CHOICE, 0, 0, 0, "linear", offsetof(struct scale_channels, common),
      "applied to the output" },
    COMMON
};

int meta_scale_channels_layer(const void *settings, int index, struct meta_layer *out,
                              struct meta_error *error)
{
    *out = (struct meta_layer){ .type = META_SCALE_CHANNELS };
    return set_from(((const struct scale_channels *)settings)->from, index, out, error);
}

/* ---- layers that move numbers about ---------------------------------------------------------- */

const struct meta_option meta_crop_options[] = {
    INT(crop, crop_width, 1, 1, MOST, "of the middle that is left, in pixels"),
    INT(crop, crop_height, 1, 1, MOST, "of the middle that is left, in pixels"),
    INT(crop, flip, 0, 0, 1, "mirrored at random in training, as [net] flip does it"),
    INT(crop, noadjust, 0, 0, 1, "0: numbers from 0 to 1 become numbers from -1 to 1"), COMMON
};

int meta_crop_layer(const void *settings, int index, struct meta_layer *out,
                    struct meta_error *error)
{
    const struct crop *s = settings;
    *out = (struct meta_layer){ .type = META_CROP,
                                .crop_width = s->crop_width,
                                .crop_height = s->crop_height,
                                .flip = s->flip,
                                .adjust = !s->noadjust };
    return 0;
}

const struct meta_option meta_reorg_options[] = {
    INT(reorg, stride, 1, 1, 1024, "pixels of a cell's side, which become channels"),
    INT(reorg, reverse, 0, 0, 1, "1: channels become the pixels of cells"),
    INT(reorg, flatten, 0, 0, 1, "1: the channels of a pixel stand side by side instead"),
    INT(reorg, extra, 0, 0, MOST, "instead: so many zeros behind the numbers, which stay in place"),
    COMMON
};

int meta_reorg_layer(const void *settings, int index, struct meta_layer *out,
                     struct meta_error *error)
{
    const struct reorg *s = settings;
    *out = (struct meta_layer){ .type = META_REORG,
                                .stride = s->stride,
                                .reverse = s->reverse,
                                .flatten = s->flatten,
                                .extra = s->extra };
    return 0;
}

const struct meta_option meta_upsample_options[] = {
    INT(upsample, stride, 2, 1, 1024, "pixels of a square's side"),
    REAL(upsample, scale, 1, -1e9, 1e9, "factor of the numbers"), COMMON
};

int meta_upsample_layer(const void *settings, int index, struct meta_layer *out,
                        struct meta_error *error)
{
    const struct upsample *s = settings;
    *out = (struct meta_layer){ .type = META_UPSAMPLE, .stride = s->stride, .alpha = s->scale };
    return 0;
}

const struct meta_option meta_local_options[] = {
    INT(local, filters, 1, 1, MOST, "output channels"),
    INT(local, size, 1, 1, 1024, "of the kernels' side"),
    INT(local, stride, 1, 1, 1024, "pixels between outputs"),
    INT(local, pad, 0, 0, 1, "1: a pixel of zeros around the input, with size=3"),
    ACTIVATION(local, META_LOGISTIC),
    COMMON
};

int meta_local_layer(const void *settings, int index, struct meta_layer *out,
                     struct meta_error *error)
{
    const struct local *s = settings;
    *out = (struct meta_layer){ .type = META_LOCAL,
                                .filters = s->filters,
                                .size = s->size,
                                .stride = s->stride,
                                .padding = s->pad,
                                .activation = (enum meta_activation)s->activation };
    return 0;
}
