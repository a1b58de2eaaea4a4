/* What the tables of Darknet's sections are written with, and the sections of sections_maps.c. */
#ifndef META_SECTIONS_INTERNAL_H
#define META_SECTIONS_INTERNAL_H

#include "sections.h"

#include <limits.h>
#include <stddef.h>

/* Keys that Darknet reads in every section and that have only one allowed value here. */
struct common {
    int fixed;
};
/* clang-format off */
#define ONLY(key, value) { #key, META_INT, value, value, value, NULL, 0, "" }
#define COMMON                                                                       \
    ONLY(truth, 0), ONLY(onlyforward, 0), ONLY(stopbackward, 0), ONLY(dontsave, 0),  \
    ONLY(dontload, 0), ONLY(numload, 0), ONLY(dontloadscales, 0),                    \
    ONLY(learning_rate, 1), ONLY(smooth, 0),                                         \
    { NULL, META_INT, 0, 0, 0, NULL, 0, NULL }

#define INT(of, key, fallback, least, most, help) \
    { #key, META_INT, fallback, least, most, NULL, offsetof(struct of, key), help }
#define REAL(of, key, fallback, least, most, help) \
    { #key, META_REAL, fallback, least, most, NULL, offsetof(struct of, key), help }
#define ACTIVATION(of, fallback)                                                         \
    { "activation", META_CHOICE, fallback, 0, 0,                                           \
      "linear|relu|leaky|logistic|relie|ramp|tanh|plse|elu|selu|loggy|stair|hardtan|lhtan" \
      "|relu6|swish|mish|hard_mish|gelu",                                                  \
      offsetof(struct of, activation), "applied to the output" }
#define ROTATIONS(of, help) \
    { "rotations", META_CHOICE, 0, 0, 0, "1|4", offsetof(struct of, rotations), help }
/* clang-format on */

/* Marks a default that depends on other options; the layer's function replaces it. */
#define DERIVED -1
#define MISSING INT_MIN
#define MOST 65536

/* ---- sections_maps.c ------------------------------------------------------------------------- */

struct shortcut {
    struct common common;
    int from, activation;
    double alpha, beta;
};
struct route {
    struct common common;
    struct meta_list layers;
};
struct scale_channels {
    struct common common;
    int from;
};
struct crop {
    struct common common;
    int crop_width, crop_height, flip, noadjust;
};
struct local {
    struct common common;
    int filters, size, stride, pad, activation;
};
struct upsample {
    struct common common;
    int stride;
    double scale;
};
struct reorg {
    struct common common;
    int stride, reverse, flatten, extra;
};

extern const struct meta_option meta_shortcut_options[], meta_route_options[],
    meta_scale_channels_options[], meta_crop_options[], meta_reorg_options[],
    meta_upsample_options[], meta_local_options[];
int meta_shortcut_layer(const void *settings, int index, struct meta_layer *out,
                        struct meta_error *);
int meta_route_layer(const void *settings, int index, struct meta_layer *out, struct meta_error *);
int meta_scale_channels_layer(const void *settings, int index, struct meta_layer *out,
                              struct meta_error *);
int meta_crop_layer(const void *settings, int index, struct meta_layer *out, struct meta_error *);
int meta_local_layer(const void *settings, int index, struct meta_layer *out, struct meta_error *);
int meta_upsample_layer(const void *settings, int index, struct meta_layer *out,
                        struct meta_error *);
int meta_reorg_layer(const void *settings, int index, struct meta_layer *out, struct meta_error *);

#endif
