/* Every operation by itself. On the reference backend: its four functions against each other and against differences (check.h).
   On oneDNN: all that the four functions write, against the reference's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/check/check.h"
#include "engine/lower.h"
#include "base/rng.h"
#include "backends/onednn/onednn.h"
#include "backends/onednn/onednn_winograd.h"
#include "backends/reference/reference.h"

#define BATCH 5
#define MOST_LAYERS 8
#define LIMIT 2e-6                    /* of each result's norm: float against double */
#define LIMIT_TILES 5e-6              /* of what tiles of 6 compute, which is all of a convolution by tiles but its value */

/* y = x^3: a layer that only a plugin has */
static int cube_shape(const void *s, struct meta_shape in, struct meta_shape *out, struct meta_error *error) { *out = in; return 0; }
static size_t cube_count(const struct meta_call *c) { return (size_t)c->batch * c->in.c * c->in.h * c->in.w; }
static void cube_forward(const void *s, const struct meta_call *c)
{ for (size_t i = 0; i < cube_count(c); i++) c->y.value[i] = c->x.value[i] * c->x.value[i] * c->x.value[i]; }
static void cube_backward(const void *s, const struct meta_call *c)
{ for (size_t i = 0; i < cube_count(c); i++) c->x.bar[i] = 3 * c->x.value[i] * c->x.value[i] * c->y.bar[i]; }
static void cube_forward_tangent(const void *s, const struct meta_call *c)
{ for (size_t i = 0; i < cube_count(c); i++) c->y.dot[i] = 3 * c->x.value[i] * c->x.value[i] * c->x.dot[i]; }
static void cube_backward_tangent(const void *s, const struct meta_call *c)
{
    const double *x = c->x.value;
    for (size_t i = 0; i < cube_count(c); i++) c->x.bardot[i] = 3 * x[i] * (x[i] * c->y.bardot[i] + 2 * c->x.dot[i] * c->y.bar[i]);
}
static const struct meta_layer_functions cube = { .shape = cube_shape, .forward = cube_forward, .backward = cube_backward,
                                                  .forward_tangent = cube_forward_tangent, .backward_tangent = cube_backward_tangent };
static const struct meta_plugin cube_plugin = { .abi = META_PLUGIN_ABI, .size = sizeof cube_plugin, .name = "cube", .role = META_ROLE_LAYER, .layer = &cube };

struct layer_case { const char *name; struct meta_shape input; struct meta_layer layers[MOST_LAYERS]; int from[MOST_LAYERS][4]; };

#define CONV(f, s, t, p, bn, a) { .type = META_CONVOLUTIONAL, .filters = f, .size = s, .stride = t, .padding = p, .batch_normalize = bn, .activation = META_##a }
#define GROUPS(f, s, t, p, bn, a, g) { .type = META_CONVOLUTIONAL, .filters = f, .size = s, .stride = t, .padding = p, .batch_normalize = bn, .groups = g, .activation = META_##a }
#define DILATED(f, s, t, p, bn, a, d, g) { .type = META_CONVOLUTIONAL, .filters = f, .size = s, .stride = t, .padding = p, .batch_normalize = bn, .dilation = d, .groups = g, .activation = META_##a }
#define UPSAMPLE(s, a) { .type = META_UPSAMPLE, .stride = s, .alpha = a }
#define LOCAL(f, s, t, p, a) { .type = META_LOCAL, .filters = f, .size = s, .stride = t, .padding = p, .activation = META_##a }
#define FULL(n, bn, a) { .type = META_CONNECTED, .filters = n, .batch_normalize = bn, .activation = META_##a }
#define POOL(s, t, p) { .type = META_MAXPOOL, .size = s, .stride = t, .padding = p }
#define AVERAGE { .type = META_AVGPOOL }
#define SOFTMAX(t) { .type = META_SOFTMAX, .temperature = t }
#define SHORTCUT(a, b, act) { .type = META_SHORTCUT, .alpha = a, .beta = b, .from_count = 1, .activation = META_##act }
#define ROUTE(n) { .type = META_ROUTE, .from_count = n }
#define DROPOUT(p) { .type = META_DROPOUT, .probability = p }
#define ACTIVATION(a) { .type = META_ACTIVATION, .activation = META_##a }
#define CROP(w, h, a) { .type = META_CROP, .crop_width = w, .crop_height = h, .adjust = a }
#define REORG(s, r, f, e) { .type = META_REORG, .stride = s, .reverse = r, .flatten = f, .extra = e }
#define SCALE { .type = META_SCALE_CHANNELS, .from_count = 1 }
#define CUBE { .type = META_PLUGIN, .plugin = &cube_plugin }
#define TAIL FULL(2, 0, LINEAR), SOFTMAX(1)

static const struct layer_case cases[] = {
    { "convolution 3x3, 3 to 16", { 3, 9, 11 }, { CONV(16, 3, 1, 1, 1, RELU), TAIL }, { { 0 } } },
    { "convolution 3x3, 16 to 64", { 16, 12, 12 }, { CONV(64, 3, 1, 1, 1, RELU), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "convolution 3x3, 64 to 64", { 64, 21, 21 }, { CONV(64, 3, 1, 1, 1, RELU), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "convolution 3x3, 17 to 33", { 17, 7, 6 }, { CONV(33, 3, 1, 1, 1, LEAKY), TAIL }, { { 0 } } },
    { "convolution 3x3, 1 to 1", { 1, 8, 8 }, { CONV(1, 3, 1, 1, 1, LEAKY), TAIL }, { { 0 } } },
    { "convolution 5x5, stride 2, no padding", { 5, 11, 12 }, { CONV(7, 5, 2, 0, 0, LOGISTIC), TAIL }, { { 0 } } },
    { "convolution 1x1, stride 3", { 5, 11, 12 }, { CONV(8, 1, 3, 0, 0, LINEAR), TAIL }, { { 0 } } },
    { "convolution 4x4, padding 3", { 3, 6, 5 }, { CONV(9, 4, 1, 3, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution as large as the image", { 6, 5, 4 }, { CONV(9, 4, 1, 0, 1, RELU), TAIL }, { { 0 } } },
    /* forms that oneDNN has a fast implementation for only after a copy */
    { "convolution 5x5, 1 to 20 to 50", { 1, 8, 8 }, { CONV(20, 5, 1, 2, 0, RELU), CONV(50, 5, 1, 2, 0, RELU), TAIL }, { { 0 } } },
    { "convolution 3x3, 2 to 12 to 12", { 2, 9, 8 }, { CONV(12, 3, 1, 1, 1, RELU), CONV(12, 3, 1, 1, 1, LOGISTIC), TAIL }, { { 0 } } },
    { "convolution 1x1, 17 to 2 to 3 to 4", { 3, 6, 5 }, { CONV(17, 3, 1, 1, 1, LEAKY), CONV(2, 1, 1, 0, 0, LINEAR), CONV(3, 3, 1, 1, 0, LOGISTIC),
                                                             CONV(4, 2, 1, 0, 0, LINEAR), TAIL }, { { 0 } } },
    { "convolution 7x7, padding 6", { 2, 6, 5 }, { CONV(9, 7, 1, 6, 0, LOGISTIC), CONV(20, 7, 1, 5, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution 7x7, no padding", { 3, 9, 11 }, { CONV(6, 3, 1, 1, 0, LEAKY), CONV(20, 7, 1, 0, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution 9x9, padding 4 and 9", { 3, 7, 6 }, { CONV(12, 9, 1, 4, 0, LEAKY), CONV(5, 9, 1, 9, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution 3x3, padding 4, stride 2", { 3, 7, 6 }, { CONV(12, 3, 1, 1, 0, LEAKY), CONV(5, 3, 2, 4, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution 2x2, stride 3, padding 2", { 3, 14, 12 }, { CONV(2, 3, 1, 1, 0, LEAKY), CONV(5, 2, 3, 2, 0, LEAKY), TAIL }, { { 0 } } },
    { "convolution 1x1, 3 to 2 to 3 to 1 to 20", { 3, 9, 7 }, { CONV(2, 1, 1, 0, 0, LINEAR), CONV(3, 1, 1, 0, 1, LEAKY), CONV(1, 1, 1, 0, 0, LOGISTIC),
      CONV(20, 1, 1, 0, 0, LINEAR), TAIL }, { { 0 } } },
    { "convolution 1x1, 2 to 33 to 1 to 3", { 2, 5, 5 }, { CONV(33, 1, 1, 0, 1, RELU), CONV(1, 1, 1, 0, 0, LINEAR), CONV(3, 1, 1, 0, 0, LEAKY),
      TAIL }, { { 0 } } },
    { "convolution 1x1, stride 3, padding 1", { 3, 10, 9 }, { CONV(20, 3, 1, 1, 0, LEAKY), CONV(17, 1, 3, 1, 0, LEAKY), TAIL }, { { 0 } } },
    { "two convolutions", { 3, 9, 9 }, { CONV(20, 3, 1, 1, 1, RELU), CONV(20, 3, 2, 1, 1, RELU), TAIL }, { { 0 } } },
    { "pool 2/2, padding 1", { 3, 9, 11 }, { CONV(6, 3, 1, 1, 1, RELU), POOL(2, 2, 1), TAIL }, { { 0 } } },
    { "pool 3/2, padding 2", { 3, 10, 11 }, { CONV(17, 3, 1, 1, 1, LEAKY), POOL(3, 2, 2), TAIL }, { { 0 } } },
    { "pool 3/1 without a norm", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 0, LOGISTIC), POOL(3, 1, 2), TAIL }, { { 0 } } },
    { "pool 2/2 of 16 channels, odd size", { 3, 9, 9 }, { CONV(16, 3, 1, 1, 1, RELU), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "pool alone", { 3, 9, 9 }, { CONV(6, 3, 1, 1, 1, LINEAR), ACTIVATION(LEAKY), POOL(3, 3, 0), TAIL }, { { 0 } } },
    { "average", { 3, 9, 9 }, { CONV(21, 3, 2, 1, 1, LEAKY), AVERAGE, TAIL }, { { 0 } } },
    { "connected, normalised", { 3, 6, 5 }, { FULL(19, 1, LEAKY), FULL(16, 1, LOGISTIC), TAIL }, { { 0 } } },
    { "connected, of more outputs than images, after a map", { 3, 6, 5 }, { CONV(18, 3, 1, 1, 1, RELU), FULL(21, 0, RELU), FULL(17, 0, LEAKY), TAIL }, { { 0 } } },
    { "connected, of more outputs than images, of the images", { 9, 3, 5 }, { FULL(16, 0, LEAKY), FULL(33, 1, RELU), TAIL }, { { 0 } } },
    { "connected after a map", { 3, 6, 5 }, { CONV(18, 3, 1, 1, 1, RELU), FULL(5, 0, RELU), TAIL }, { { 0 } } },
    { "activations", { 3, 6, 5 }, { CONV(5, 3, 1, 1, 0, LINEAR), ACTIVATION(RELU), ACTIVATION(LOGISTIC), TAIL }, { { 0 } } },
    { "softmax of a map, temperature", { 3, 6, 5 }, { CONV(3, 5, 1, 0, 0, LINEAR), SOFTMAX(1.7) }, { { 0 } } },
    { "softmax of one channel", { 3, 6, 5 }, { CONV(1, 3, 1, 0, 0, LINEAR), SOFTMAX(.5) }, { { 0 } } },
    { "shortcut", { 3, 8, 6 }, { CONV(6, 3, 1, 1, 1, LEAKY), CONV(6, 3, 1, 1, 1, LINEAR), SHORTCUT(.7, 1.3, LEAKY), TAIL }, { [2] = { 0 } } },
    { "shortcut down", { 3, 8, 6 }, { CONV(18, 3, 1, 1, 1, LEAKY), CONV(6, 3, 2, 1, 1, LINEAR), SHORTCUT(.7, 1.3, LOGISTIC), TAIL }, { [2] = { 0 } } },
    { "shortcut up", { 3, 8, 6 }, { CONV(6, 3, 1, 1, 1, LEAKY), CONV(18, 3, 2, 1, 1, LINEAR), ROUTE(1), SHORTCUT(1, 2, LINEAR), TAIL }, { [2] = { 0 }, [3] = { 1 } } },
    { "shortcut with itself", { 3, 8, 6 }, { CONV(6, 3, 1, 1, 1, LEAKY), SHORTCUT(.7, 1.3, LINEAR), TAIL }, { [1] = { 0 } } },
    { "route", { 3, 8, 6 }, { CONV(5, 3, 1, 1, 1, LEAKY), CONV(16, 3, 1, 1, 1, LEAKY), CONV(3, 3, 1, 1, 1, LEAKY), ROUTE(3), TAIL }, { [3] = { 2, 0, 1 } } },
    { "route of whole blocks", { 3, 8, 6 }, { CONV(16, 3, 1, 1, 1, LEAKY), CONV(32, 3, 1, 1, 1, LEAKY), CONV(5, 3, 1, 1, 1, LEAKY), ROUTE(3), TAIL },
      { [3] = { 1, 0, 2 } } },
    { "route of one layer twice", { 3, 8, 6 }, { CONV(5, 3, 1, 1, 1, LEAKY), ROUTE(2), TAIL }, { [1] = { 0, 0 } } },
    { "dropout", { 3, 8, 6 }, { CONV(5, 3, 1, 1, 1, LEAKY), DROPOUT(.4), TAIL }, { { 0 } } },
    { "groups of 4 channels, 3x3", { 3, 9, 8 }, { CONV(32, 1, 1, 0, 0, LINEAR), GROUPS(32, 3, 1, 1, 1, RELU, 8), TAIL }, { { 0 } } },
    { "groups of 2 to 3 channels, stride 2", { 3, 9, 8 }, { CONV(10, 1, 1, 0, 0, LINEAR), GROUPS(15, 3, 2, 1, 0, LINEAR, 5), TAIL }, { { 0 } } },
    { "groups of 20 channels, 5x5", { 3, 9, 8 }, { CONV(60, 1, 1, 0, 0, LINEAR), GROUPS(60, 5, 1, 2, 0, LINEAR, 3), TAIL }, { { 0 } } },
    { "a group a channel, 3x3", { 3, 9, 8 }, { CONV(48, 1, 1, 0, 0, LINEAR), GROUPS(48, 3, 1, 1, 1, SWISH, 48), TAIL }, { { 0 } } },
    { "a group a channel, 17 channels, 3x3/2", { 3, 9, 8 }, { CONV(17, 1, 1, 0, 0, LINEAR), GROUPS(17, 3, 2, 1, 0, LINEAR, 17), TAIL }, { { 0 } } },
    { "a group a colour", { 3, 9, 8 }, { GROUPS(48, 3, 1, 1, 1, RELU, 3), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "groups of 16 to 8 channels, 1x1", { 3, 9, 8 }, { CONV(32, 3, 1, 1, 0, LINEAR), GROUPS(16, 1, 1, 0, 0, LINEAR, 2), TAIL }, { { 0 } } },
    { "an activation that falls, before a pool", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, MISH), POOL(2, 2, 1), TAIL }, { { 0 } } },
    { "an activation that bends, on a shortcut", { 3, 8, 6 }, { CONV(17, 3, 1, 1, 1, GELU), CONV(17, 3, 1, 1, 1, ELU), SHORTCUT(.7, 1.3, SWISH), TAIL }, { [2] = { 0 } } },
    { "crop", { 3, 9, 8 }, { CROP(5, 6, 1), CONV(5, 3, 1, 1, 1, LEAKY), TAIL }, { { 0 } } },
    { "crop of maps", { 3, 9, 8 }, { CONV(17, 3, 1, 1, 1, LEAKY), CROP(8, 1, 0), TAIL }, { { 0 } } },
    { "reorg", { 3, 8, 6 }, { CONV(20, 3, 1, 1, 1, LEAKY), REORG(2, 0, 0, 0), TAIL }, { { 0 } } },
    { "reorg, reverse", { 3, 8, 6 }, { CONV(20, 3, 1, 1, 1, LEAKY), REORG(2, 1, 0, 0), TAIL }, { { 0 } } },
    { "reorg, flatten", { 3, 8, 6 }, { CONV(20, 3, 1, 1, 1, LEAKY), REORG(2, 0, 1, 0), TAIL }, { { 0 } } },
    { "reorg, flatten, reverse", { 3, 8, 6 }, { CONV(20, 3, 1, 1, 1, LEAKY), REORG(1, 1, 1, 0), TAIL }, { { 0 } } },
    { "reorg, extra", { 3, 8, 6 }, { CONV(1, 3, 1, 1, 1, LEAKY), REORG(1, 0, 0, 3), SOFTMAX(1) }, { { 0 } } },
    { "scale_channels", { 3, 8, 6 }, { CONV(18, 3, 1, 1, 1, LEAKY), AVERAGE, CONV(18, 1, 1, 0, 0, LOGISTIC), SCALE, TAIL }, { [3] = { 0 } } },
    { "scale_channels of two channels, by themselves", { 3, 8, 6 }, { CONV(2, 3, 1, 1, 1, LEAKY), AVERAGE, SCALE, TAIL }, { [2] = { 1 } } },
    { "dilation 2, 3x3, 3 to 16 to 16", { 3, 9, 11 }, { DILATED(16, 3, 1, 2, 1, RELU, 2, 1), DILATED(16, 3, 1, 2, 1, LEAKY, 2, 1), TAIL }, { { 0 } } },
    { "dilation 3, 3x3, 16 to 32, padding 0, 4 and 7", { 16, 14, 13 }, { DILATED(32, 3, 1, 0, 1, RELU, 3, 1), DILATED(32, 3, 1, 4, 0, LEAKY, 3, 1),
      DILATED(17, 3, 1, 7, 0, LEAKY, 3, 1), TAIL }, { { 0 } } },
    { "dilation 2, 3x3, stride 2", { 5, 12, 11 }, { CONV(18, 3, 1, 1, 1, LEAKY), DILATED(20, 3, 2, 2, 0, LOGISTIC, 2, 1), TAIL }, { { 0 } } },
    { "dilation 2, 4x4, 1 to 5", { 1, 10, 9 }, { DILATED(5, 4, 1, 3, 0, LEAKY, 2, 1), TAIL }, { { 0 } } },
    { "dilation 2, groups of 4, and a group a channel", { 3, 9, 8 }, { CONV(32, 1, 1, 0, 0, LINEAR), DILATED(32, 3, 1, 2, 1, RELU, 2, 8), DILATED(32, 3, 1, 4, 0, LINEAR, 4, 32), TAIL }, { { 0 } } },
    { "dilation 2 of the image, before a pool", { 3, 12, 10 }, { DILATED(16, 3, 1, 2, 1, RELU, 2, 1), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "upsample", { 3, 4, 5 }, { CONV(18, 3, 1, 1, 1, LEAKY), UPSAMPLE(2, 1), CONV(5, 3, 2, 1, 1, LEAKY), TAIL }, { { 0 } } },
    { "upsample by 3, scale", { 2, 3, 2 }, { UPSAMPLE(3, -.7), CONV(5, 3, 1, 1, 1, LEAKY), UPSAMPLE(1, 2), TAIL }, { { 0 } } },
    { "local 3x3, 3 to 5 to 17", { 3, 5, 4 }, { LOCAL(5, 3, 1, 1, LEAKY), LOCAL(17, 3, 1, 1, LINEAR), TAIL }, { { 0 } } },
    { "local 2x2, stride 2, then a norm and a pool", { 2, 7, 6 }, { CONV(18, 3, 1, 1, 1, LEAKY), LOCAL(4, 2, 2, 0, MISH), CONV(5, 3, 1, 1, 1, RELU), POOL(2, 2, 0), TAIL }, { { 0 } } },
    { "relie", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, RELIE), POOL(3, 2, 1), ACTIVATION(RELIE), TAIL }, { { 0 } } },
    { "ramp", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, RAMP), POOL(3, 2, 1), ACTIVATION(RAMP), TAIL }, { { 0 } } },
    { "tanh", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, TANH), POOL(3, 2, 1), ACTIVATION(TANH), TAIL }, { { 0 } } },
    { "plse", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, PLSE), POOL(3, 2, 1), ACTIVATION(PLSE), TAIL }, { { 0 } } },
    { "elu", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, ELU), POOL(3, 2, 1), ACTIVATION(ELU), TAIL }, { { 0 } } },
    { "selu", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, SELU), POOL(3, 2, 1), ACTIVATION(SELU), TAIL }, { { 0 } } },
    { "loggy", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, LOGGY), POOL(3, 2, 1), ACTIVATION(LOGGY), TAIL }, { { 0 } } },
    { "stair", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, STAIR), POOL(3, 2, 1), ACTIVATION(STAIR), TAIL }, { { 0 } } },
    { "hardtan", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, HARDTAN), POOL(3, 2, 1), ACTIVATION(HARDTAN), TAIL }, { { 0 } } },
    { "lhtan", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, LHTAN), POOL(3, 2, 1), ACTIVATION(LHTAN), TAIL }, { { 0 } } },
    { "relu6", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, RELU6), POOL(3, 2, 1), ACTIVATION(RELU6), TAIL }, { { 0 } } },
    { "swish", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, SWISH), POOL(3, 2, 1), ACTIVATION(SWISH), TAIL }, { { 0 } } },
    { "mish", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, MISH), POOL(3, 2, 1), ACTIVATION(MISH), TAIL }, { { 0 } } },
    { "hard_mish", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, HARD_MISH), POOL(3, 2, 1), ACTIVATION(HARD_MISH), TAIL }, { { 0 } } },
    { "gelu", { 3, 8, 7 }, { CONV(5, 3, 1, 1, 1, GELU), POOL(3, 2, 1), ACTIVATION(GELU), TAIL }, { { 0 } } },
    { "a plugin's layer", { 3, 8, 6 }, { CONV(19, 3, 1, 1, 1, LINEAR), CUBE, CONV(4, 1, 1, 0, 1, LINEAR), CUBE, TAIL }, { { 0 } } },
};

static struct meta_network *build(const struct layer_case *c)
{
    struct meta_network *net;
    struct meta_error error;
    int where;
    if (meta_network_create(&net, c->input, &error)) fail_msg("%s", error.text);
    for (int i = 0; !net->count || net->layers[net->count - 1].type != META_SOFTMAX; i++) {
        struct meta_layer l = c->layers[i];
        l.from = l.from_count ? malloc(l.from_count * sizeof *l.from) : NULL;
        for (int k = 0; k < l.from_count; k++) l.from[k] = c->from[i][k];
        if (meta_network_add(net, l, &error)) fail_msg("%s", error.text);
    }
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    return net;
}

/* ---- identities, in double ---------------------------------------------------------------------------------------------- */

static void assert_holds(void *count, const struct meta_identity *i)
{
    ++*(int *)count;
    if (!(i->error <= i->limit)) fail_msg("layer %d, %s: %s: apart by %.1e", i->layer, i->type, i->text, i->error);
}

static void identities_hold(void **state)
{
    struct meta_network *net = build(*state);
    struct meta_model model = { .network = net };
    struct meta_error error;
    int count = 0;
    struct meta_check check = { &model, 3, assert_holds, &count };
    if (meta_check_operations(&check, &error)) fail_msg("%s", error.text);
    assert_true(count >= 3 * net->count - 4);
    meta_network_free(net);
}

/* ---- oneDNN against the reference ---------------------------------------------------------------------------------------- */

struct side {
    const struct meta_backend *backend;
    struct meta_lowered low;
    void *theta, *v, *gradient, *product;
};

static void *vector(const struct side *s, const struct meta_network *net, const float *values)
{
    void *p = s->backend->allocate(net->parameters * s->backend->element);
    assert_non_null(p);
    s->backend->upload(p, values, net->parameters);
    return p;
}

/* Random floats; (seed, item) keys them, so that both sides get the same. */
static float *draw(int item, size_t n)
{
    struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, 0, 0, item);
    float *x = malloc((n + 1) * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = meta_rng_normal(&rng);
    return x;
}

static size_t numbers(const struct meta_op *op, struct meta_shape s) { return (size_t)op->batch * s.c * s.h * s.w; }

static void *tensor(const struct side *s, const struct meta_op *op, struct meta_shape shape, int item)
{
    void *p = s->backend->allocate(op->batch * s->backend->image(shape) * s->backend->element);
    float *x = draw(item, numbers(op, shape));
    assert_non_null(p);
    s->backend->tensor_in(p, x, op->batch, shape);
    free(x);
    return p;
}

static void open_op(const struct side *s, struct meta_op *op, int inactive)
{
    const struct meta_kernel *kernel = s->backend->kernel(op);
    struct meta_error error;
    static float mask[1 << 16];
    static int labels[BATCH];
    for (int k = 0; k < op->inputs; k++) {
        op->x[k] = (struct meta_planes){ .value = tensor(s, op, op->in[k], 10 * k) };
        if (inactive) continue;
        op->x[k].dot = tensor(s, op, op->in[k], 10 * k + 1);
        op->x[k].bar = tensor(s, op, op->in[k], 10 * k + 2);        /* what is there must be overwritten */
        op->x[k].bardot = tensor(s, op, op->in[k], 10 * k + 3);
    }
    op->y = (struct meta_planes){ 0 };
    if (op->kind != META_OP_LOSS)
        op->y = (struct meta_planes){ tensor(s, op, op->out, 100), tensor(s, op, op->out, 101),
                                      tensor(s, op, op->out, 102), tensor(s, op, op->out, 103) };
    for (size_t i = 0; op->kind == META_OP_DROPOUT && i < numbers(op, op->out); i++) mask[i] = i * 7 % 5 < 3 ? 1 / .6 : 0;
    op->mask = mask;
    for (int i = 0; i < BATCH; i++) labels[i] = i % op->out.c;
    op->labels = labels;
    if (kernel->create && kernel->create(op, 1, &error)) fail_msg("%s", error.text);
    op->scratch = s->backend->allocate(op->scratch_bytes);
}

static void close_op(const struct side *s, struct meta_op *op)
{
    const struct meta_kernel *kernel = s->backend->kernel(op);
    if (kernel->destroy) kernel->destroy(op);
    s->backend->release(op->scratch);
    for (int k = 0; k <= op->inputs; k++) {
        struct meta_planes *p = k < op->inputs ? &op->x[k] : &op->y;
        void *planes[] = { p->value, p->bar, p->dot, p->bardot };
        for (int i = 0; i < 4; i++)
            if (planes[i]) s->backend->release(planes[i]);
    }
}

static void run_op(const struct side *s, struct meta_op *op)
{
    const struct meta_kernel *kernel = s->backend->kernel(op);
    kernel->forward(op, s->theta);
    kernel->backward(op, s->theta, s->gradient);
    kernel->forward_tangent(op, s->theta, s->v);
    kernel->backward_tangent(op, s->theta, s->v, s->product);
}

static void assert_close(const char *what, const struct meta_op *op, const double *got, const double *wanted, size_t n)
{
    double distance = meta_check_distance(got, wanted, n);
    int by_tiles = op->kind == META_OP_CONV && strcmp(what, "y") && meta_onednn_winograd_fits(op);
    if (!(distance <= (by_tiles ? LIMIT_TILES : LIMIT))) fail_msg("operation of kind %d, %s: apart by %.1e", op->kind, what, distance);
}

static void compare_tensor(const char *what, const struct side sides[2], const struct meta_op *op, struct meta_shape shape, void *a, void *b)
{
    size_t n = numbers(op, shape);
    float *narrow = malloc(n * sizeof *narrow);
    double *wide = malloc(2 * n * sizeof *wide);
    if (!a != !b) fail_msg("%s: on one side only", what);
    for (int k = 0; a && k < 2; k++) {
        sides[k].backend->tensor_out(narrow, k ? b : a, op->batch, shape);
        for (size_t i = 0; i < n; i++) wide[k * n + i] = narrow[i];
    }
    if (a) assert_close(what, op, wide + n, wide, n);
    free(narrow);
    free(wide);
}

/* The op's own parts of two parameter vectors, which began equal and must stay equal elsewhere. */
static void compare_vector(const char *what, const struct side sides[2], const struct meta_network *net, const struct meta_op *op,
                           void *a, void *b, const float *before)
{
    size_t n = net->parameters, offsets[] = { op->weights, op->biases, op->scales }, counts[] = { op->weight_count, op->out.c, op->out.c };
    if (op->kind == META_OP_LOCAL) counts[1] = meta_shape_numbers(op->out);
    double *x = malloc(2 * n * sizeof *x), *y = x + n;
    sides[0].backend->download_double(x, a, n);
    sides[1].backend->download_double(y, b, n);
    for (int k = 0; k < 3; k++) {
        if (offsets[k] == META_NONE) continue;
        assert_close(what, op, y + offsets[k], x + offsets[k], counts[k]);
        for (size_t i = 0; i < counts[k]; i++) x[offsets[k] + i] = y[offsets[k] + i] = before[offsets[k] + i];
    }
    for (size_t i = 0; i < n; i++)
        if (x[i] != before[i] || y[i] != before[i]) fail_msg("%s: wrote outside its part", what);
    free(x);
}

static void compare_op(struct side sides[2], const struct meta_network *net, int index, int inactive)
{
    float *before[4];
    struct meta_op *a = &sides[0].low.ops[index], *b = &sides[1].low.ops[index];
    for (int i = 0; i < 4; i++) before[i] = draw(1000 + i, net->parameters);
    for (size_t i = 0; i < net->parameters; i++) before[0][i] *= .3f;
    for (int k = 0; k < 2; k++) {
        struct side *s = &sides[k];
        s->theta = vector(s, net, before[0]);
        s->v = vector(s, net, before[1]);
        s->gradient = vector(s, net, before[2]);
        s->product = vector(s, net, before[3]);
        open_op(s, &s->low.ops[index], inactive);
        run_op(s, &s->low.ops[index]);
    }
    compare_tensor("y", sides, a, a->out, a->y.value, b->y.value);
    compare_tensor("ydot", sides, a, a->out, a->y.dot, b->y.dot);
    for (int k = 0; k < a->inputs; k++) {
        compare_tensor("xbar", sides, a, a->in[k], a->x[k].bar, b->x[k].bar);
        compare_tensor("xbardot", sides, a, a->in[k], a->x[k].bardot, b->x[k].bardot);
    }
    compare_vector("gradient", sides, net, a, sides[0].gradient, sides[1].gradient, before[2]);
    compare_vector("product", sides, net, a, sides[0].product, sides[1].product, before[3]);
    if (a->kind == META_OP_LOSS) assert_close("loss", a, &b->loss, &a->loss, 1);
    for (int k = 0; k < 2; k++) {
        void *vectors[] = { sides[k].theta, sides[k].v, sides[k].gradient, sides[k].product };
        close_op(&sides[k], &sides[k].low.ops[index]);
        for (int i = 0; i < 4; i++) sides[k].backend->release(vectors[i]);
    }
    for (int i = 0; i < 4; i++) free(before[i]);
}

static void onednn_agrees(void **state)
{
    struct meta_network *net = build(*state);
    struct side sides[2] = { { .backend = &meta_backend_reference }, { .backend = &meta_backend_onednn } };
    struct meta_error error;
    for (int k = 0; k < 2; k++) {
        if (sides[k].backend->open(&error)) fail_msg("%s", error.text);
        /* the same operations on both: no stem, which test_stem.c looks at */
        if (meta_lower(&sides[k].low, net, &meta_backend_reference, 0, BATCH, &error)) fail_msg("%s", error.text);
    }
    for (int i = 0; i < sides[0].low.op_count; i++) {
        const struct meta_op *op = &sides[0].low.ops[i];
        compare_op(sides, net, i, 0);
        /* of the images: neither an adjoint nor a tangent */
        if (op->kind == META_OP_CONV || op->kind == META_OP_CONNECTED) compare_op(sides, net, i, 1);
    }
    for (int k = 0; k < 2; k++) meta_lowered_free(&sides[k].low);
    meta_network_free(net);
}

int main(void)
{
    enum { COUNT = sizeof cases / sizeof *cases };
    struct CMUnitTest tests[2 * COUNT];
    static char names[2 * COUNT][80];
    for (int i = 0; i < 2 * COUNT; i++) {
        const struct layer_case *c = &cases[i % COUNT];
        snprintf(names[i], sizeof names[i], "%s: %s", i < COUNT ? "identities" : "onednn", c->name);
        tests[i] = (struct CMUnitTest){ names[i], i < COUNT ? identities_hold : onednn_agrees, NULL, NULL, (void *)c };
    }
    return _cmocka_run_group_tests("layers", tests, 2 * COUNT, NULL, NULL);
}
