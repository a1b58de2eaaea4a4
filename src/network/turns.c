/* Which layers turn with the image, and how the turned weights follow from those that are learned.

   A quarter turn is counter-clockwise: pixel (y, x) of the turned map is (x, n-1-y) of the map.
   With rotations=4 output channel 4f+r of a convolution has base filter f turned r times. The turns
   of a filter over maps that already come in turns are turned and shifted: input channel 4g+s of it
   is base channel 4g + (s-r mod 4), turned r times. A turned image then has each map of 4f+r turned
   at 4f + (r+1 mod 4). A connected layer has at channel 4g+s base channel g turned s times, and
   sums over all: its outputs stay as they are. */
#include "turns.h"

#include <string.h>

static int turns_before(const struct meta_network *net)
{
    return net->count ? net->layers[net->count - 1].turns : 1;
}

/* What maps that are put together have in common. */
static int turns_of_all(const struct meta_network *net, const struct meta_layer *l, int turns)
{
    for (int k = 0; k < l->from_count; k++)
        if (net->layers[l->from[k]].turns != turns) return 0;
    return turns;
}

static int turns_of(const struct meta_network *net, const struct meta_layer *l)
{
    int before = turns_before(net);
    switch (l->type) {
    case META_CONVOLUTIONAL:
        if (l->rotations == 4) return 4;
        return before == 1 && l->size == 1 ? 1 : 0;
    case META_CONNECTED:
        if (l->rotations == 4) return 1;
        return before == 1 && meta_shape_pixels(l->in) == 1 ? 1 : 0;
    case META_ROUTE: return turns_of_all(net, l, net->layers[l->from[0]].turns);
    case META_SHORTCUT:
    case META_SCALE_CHANNELS: return turns_of_all(net, l, before);
    case META_REORG:
    case META_LOCAL:
    case META_PLUGIN:
    case META_PAIRING: return 0;
    default: return before;
    }
}

static int refuse_lost(const struct meta_network *net, struct meta_error *error)
{
    int i = net->count - 1;
    while (i > 0 && !net->layers[i - 1].turns) i--;
    return meta_fail(error,
                     "rotations=4: stands after [%s] of line %d, whose maps do not turn with the "
                     "image: must be with rotations=4, from the first convolution on",
                     meta_layer_name(&net->layers[i]), net->layers[i].line);
}

int meta_turns_infer(const struct meta_network *net, struct meta_layer *l, struct meta_error *error)
{
    int before = turns_before(net);
    if (l->rotations == 4 && l->type == META_CONVOLUTIONAL) {
        l->turned_in = before == 4;
        if (l->filters % 4)
            return meta_fail(error,
                             "rotations=4: filters=%d: must be a multiple of 4, a filter's turns",
                             l->filters);
        if (meta_layer_groups(l) > 1)
            return meta_fail(error, "rotations=4: groups=%d: must be 1", l->groups);
        if (!before) return refuse_lost(net, error);
    }
    if (l->rotations == 4 && l->type == META_CONNECTED) {
        if (!before) return refuse_lost(net, error);
        if (before != 4)
            return meta_fail(error,
                             "rotations=4: no [convolutional] with rotations=4 stands before it");
        if (l->in.h != l->in.w)
            return meta_fail(error, "rotations=4: its input is %dx%d: must be a square", l->in.w,
                             l->in.h);
    }
    l->turns = turns_of(net, l);
    return 0;
}

size_t meta_turns_source(const struct meta_layer *l, size_t at)
{
    int convolutional = l->type == META_CONVOLUTIONAL, side = convolutional ? l->size : l->in.h;
    int x = (int)(at % side), y = (int)(at / side % side);
    size_t map = at / side / side, channels = l->in.c;
    int c = (int)(map % channels), turned = convolutional ? (int)(map / channels % 4) : c % 4;
    size_t filter = map / channels;
    if (convolutional) {
        filter /= 4;
        if (l->turned_in) c = c / 4 * 4 + (c + 4 - turned) % 4;
    } else {
        c /= 4;
        channels /= 4;
    }
    for (int r = 0; r < turned; r++) {
        int from = side - 1 - y;
        y = x;
        x = from;
    }
    return ((filter * channels + c) * side + y) * side + x;
}

/* Whether windows of `size` every `stride` pixels, `before` pixels ahead of the first, end as far
   from the last pixel as they begin before the first. */
static int is_even(int in, int out, int size, int stride, int before)
{
    return (out - 1) * stride + size - before - in == before;
}

/* Of maps of two sizes a shortcut takes the larger one's pixels at equal steps, from the first on.
 */
static int samples_evenly(int a, int b)
{
    int larger = a > b ? a : b, smaller = a > b ? b : a;
    return is_even(larger, smaller, 1, larger / smaller, 0);
}

static int is_lopsided(const struct meta_network *net, const struct meta_layer *l)
{
    int extent = meta_layer_extent(l), h = l->in.h - l->out.h, w = l->in.w - l->out.w;
    int before = l->type == META_MAXPOOL ? l->padding / 2 : l->padding;
    struct meta_shape from = l->type == META_SHORTCUT ? net->layers[l->from[0]].out : l->in;
    switch (l->type) {
    case META_MAXPOOL:
    case META_CONVOLUTIONAL:
        return !is_even(l->in.h, l->out.h, extent, l->stride, before)
            || !is_even(l->in.w, l->out.w, extent, l->stride, before);
    case META_SHORTCUT: return !samples_evenly(from.h, l->in.h) || !samples_evenly(from.w, l->in.w);
    case META_CROP: return h % 2 || w % 2 || h != w;
    default: return 0;
    }
}

const struct meta_layer *meta_turns_lopsided(const struct meta_network *net)
{
    for (int i = 0; i < net->count; i++) {
        const struct meta_layer *l = &net->layers[i];
        if (l->turns && is_lopsided(net, l)) return l;
    }
    return NULL;
}
