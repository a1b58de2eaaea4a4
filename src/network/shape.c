/* Works out the output shape of each kind of layer, and says what does not fit. */
#include "shape.h"
#include "base/plugin_call.h"

static int shape_windowed(struct meta_layer *l, int pad_total, struct meta_error *error)
{
    if (l->size < 1 || l->stride < 1 || l->padding < 0)
        return meta_fail(error,
                         "size=%d stride=%d padding=%d: size and stride must be at least 1, "
                         "padding at least 0",
                         l->size, l->stride, l->padding);
    int extent = meta_layer_extent(l);
    int h = l->in.h + pad_total - extent, w = l->in.w + pad_total - extent;
    if ((h < 0 || w < 0) && extent > l->size)
        return meta_fail(error,
                         "dilation=%d: size=%d is then %d pixels wide, which do not fit its %dx%d "
                         "input",
                         l->dilation, l->size, extent, l->in.w, l->in.h);
    if (h < 0 || w < 0)
        return meta_fail(error, "size=%d does not fit its %dx%d input", l->size, l->in.w, l->in.h);
    l->out.h = h / l->stride + 1;
    l->out.w = w / l->stride + 1;
    return 0;
}

/* Items below a pairing layer are images, above it pairs: no layer above it may read one below
   it. */
static int check_reach(const struct meta_network *net, const char *key, int f,
                       struct meta_error *error)
{
    if (f < 0 || f >= net->count)
        return meta_fail(error, "%s: %d is not an earlier layer; allowed: 0 to %d", key, f,
                         net->count - 1);
    if (net->ways && f < net->pairing)
        return meta_fail(error,
                         "%s: layer %d is before [%s], which a branch can't pass; allowed: %d to "
                         "%d",
                         key, f, meta_layer_name(&net->layers[net->pairing]), net->pairing,
                         net->count - 1);
    return 0;
}

static int shape_route(const struct meta_network *net, struct meta_layer *l,
                       struct meta_error *error)
{
    if (l->from_count < 1) return meta_fail(error, "layers: must name at least one layer");
    l->out = (struct meta_shape){ 0 };
    for (int k = 0; k < l->from_count; k++) {
        int f = l->from[k];
        if (check_reach(net, "layers", f, error)) return -1;
        struct meta_shape s = net->layers[f].out;
        if (k && (s.h != l->out.h || s.w != l->out.w))
            return meta_fail(error,
                             "layers: layer %d gives %dx%d, layer %d gives %dx%d: width and height "
                             "must be equal",
                             l->from[0], l->out.w, l->out.h, f, s.w, s.h);
        if ((size_t)s.c + l->out.c > META_MOST_NUMBERS)
            return meta_fail(error, "layers: more than %zu channels side by side",
                             META_MOST_NUMBERS);
        l->out.h = s.h;
        l->out.w = s.w;
        l->out.c += s.c;
    }
    return 0;
}

/* Darknet's shortcut_cpu samples the larger map with a whole-numbered stride that is the same in
   both directions. */
static int shape_shortcut(const struct meta_network *net, struct meta_layer *l,
                          struct meta_error *error)
{
    int f = l->from_count == 1 ? l->from[0] : -1;
    if (check_reach(net, "from", f, error)) return -1;
    struct meta_shape a = net->layers[f].out, b = l->in;
    if (a.w / b.w != a.h / b.h || b.w / a.w != b.h / a.h)
        return meta_fail(error,
                         "from: layer %d gives %dx%d, here is %dx%d: one must be a whole multiple "
                         "of the other, "
                         "alike in width and height",
                         f, a.w, a.h, b.w, b.h);
    l->out = l->in;
    return 0;
}

static int shape_scale_channels(const struct meta_network *net, struct meta_layer *l,
                                struct meta_error *error)
{
    int f = l->from_count == 1 ? l->from[0] : -1;
    if (check_reach(net, "from", f, error)) return -1;
    struct meta_shape maps = net->layers[f].out;
    if (l->in.h != 1 || l->in.w != 1 || l->in.c != maps.c)
        return meta_fail(error,
                         "its input is %dx%dx%d: must be 1x1x%d, a factor for each channel of "
                         "layer "
                         "%d",
                         l->in.w, l->in.h, l->in.c, maps.c, f);
    l->out = maps;
    return 0;
}

static int shape_crop(struct meta_layer *l, struct meta_error *error)
{
    if (l->crop_width < 1 || l->crop_width > l->in.w || l->crop_height < 1
        || l->crop_height > l->in.h)
        return meta_fail(error,
                         "crop_width=%d crop_height=%d: must be at least 1 and at most its "
                         "%dx%d input",
                         l->crop_width, l->crop_height, l->in.w, l->in.h);
    l->out.w = l->crop_width;
    l->out.h = l->crop_height;
    return 0;
}

static int shape_reorg(struct meta_layer *l, struct meta_error *error)
{
    int s = l->stride, square = s * s;
    if (l->extra && l->flatten)
        return meta_fail(error, "extra=%d: must be 0 with flatten=1", l->extra);
    if (l->extra) {
        l->out = (struct meta_shape){ (int)meta_shape_numbers(l->in) + l->extra, 1, 1 };
        return 0;
    }
    if (l->in.c % square || (!l->reverse && (l->in.w % s || l->in.h % s)))
        return meta_fail(error,
                         "stride=%d does not fit its %dx%dx%d input: must divide width and height, "
                         "and its square the channels",
                         s, l->in.w, l->in.h, l->in.c);
    l->out = l->reverse ? (struct meta_shape){ l->in.c / square, l->in.h * s, l->in.w * s }
                        : (struct meta_shape){ l->in.c * square, l->in.h / s, l->in.w / s };
    return 0;
}

/* Darknet's local_layer.c counts the outputs of pad=1 as if windows were 3 pixels wide. */
static int shape_local(struct meta_layer *l, struct meta_error *error)
{
    if (l->filters < 1) return meta_fail(error, "filters=%d: must be at least 1", l->filters);
    if (l->padding && (l->padding != 1 || l->size != 3))
        return meta_fail(error, "pad=%d: must be 0 with size=%d: 1 is only for size=3", l->padding,
                         l->size);
    l->out.c = l->filters;
    return shape_windowed(l, 2 * l->padding, error);
}

static int shape_upsample(struct meta_layer *l, struct meta_error *error)
{
    size_t most = META_MOST_NUMBERS / meta_shape_numbers(l->in);
    if (l->stride < 1 || (size_t)l->stride > most / l->stride)
        return meta_fail(error, "stride=%d: more than %zu numbers of its %dx%dx%d input", l->stride,
                         META_MOST_NUMBERS, l->in.w, l->in.h, l->in.c);
    l->out.h = l->in.h * l->stride;
    l->out.w = l->in.w * l->stride;
    return 0;
}

static int shape_plugin(const struct meta_network *net, struct meta_layer *l,
                        struct meta_error *error)
{
    if (l->type == META_PAIRING && net->ways)
        return meta_fail(error, "stands after [%s]: a network pairs once",
                         meta_layer_name(&net->layers[net->pairing]));
    if (meta_plugin_shape(l->plugin, l->settings, l->in, META_MOST_NUMBERS, &l->out, error))
        return -1;
    l->array_count = meta_plugin_arrays(l->plugin, l->settings, l->in, META_MOST_NUMBERS, l->arrays,
                                        error);
    if (l->array_count < 0) return -1;
    l->weight_count = 0;
    for (int k = 0; k < l->array_count; k++) l->weight_count += l->arrays[k].count;
    return 0;
}

static int check_score(const struct meta_layer *l, struct meta_error *error)
{
    if (meta_shape_numbers(l->in) == 1) return 0;
    return meta_fail(error, "its input is %dx%dx%d: must be one number, the score of a pair",
                     l->in.w, l->in.h, l->in.c);
}

static int shape_softmax(const struct meta_network *net, struct meta_layer *l,
                         struct meta_error *error)
{
    l->out = (struct meta_shape){ (int)meta_shape_numbers(l->in), 1, 1 };
    if (net->ways && check_score(l, error)) return -1;
    if (l->temperature > 0) return 0;
    return meta_fail(error, "temperature=%g: must be more than 0", l->temperature);
}

static int shape_cost(const struct meta_network *net, struct meta_layer *l,
                      struct meta_error *error)
{
    if (!net->ways)
        return meta_fail(error,
                         "scores pairs of query images and classes, which only [relation] and "
                         "[prototype] make; allowed: [softmax]");
    if (check_score(l, error)) return -1;
    if (net->layers[net->count - 1].activation != META_LOGISTIC)
        return meta_fail(error,
                         "scores must be from 0 to 1: the layer before must have "
                         "activation=logistic, or [softmax] take the place of [cost]");
    return 0;
}

int meta_shape_infer(const struct meta_network *net, struct meta_layer *l, struct meta_error *error)
{
    l->out = l->in;
    switch (l->type) {
    case META_CONVOLUTIONAL:
        if (l->filters < 1) return meta_fail(error, "filters=%d: must be at least 1", l->filters);
        if (l->in.c % meta_layer_groups(l) || l->filters % meta_layer_groups(l))
            return meta_fail(error, "groups=%d: must divide its %d input channels and filters=%d",
                             l->groups, l->in.c, l->filters);
        l->out.c = l->filters;
        return shape_windowed(l, 2 * l->padding, error);
    case META_MAXPOOL:
        if (l->padding >= l->size)
            return meta_fail(error, "padding=%d: must be less than size=%d", l->padding, l->size);
        return shape_windowed(l, l->padding, error);
    case META_CONNECTED:
        if (l->filters < 1) return meta_fail(error, "output=%d: must be at least 1", l->filters);
        l->out = (struct meta_shape){ l->filters, 1, 1 };
        return 0;
    case META_AVGPOOL: l->out.h = l->out.w = 1; return 0;
    case META_SOFTMAX: return shape_softmax(net, l, error);
    case META_SHORTCUT: return shape_shortcut(net, l, error);
    case META_SCALE_CHANNELS: return shape_scale_channels(net, l, error);
    case META_CROP: return shape_crop(l, error);
    case META_REORG: return shape_reorg(l, error);
    case META_LOCAL: return shape_local(l, error);
    case META_UPSAMPLE: return shape_upsample(l, error);
    case META_ROUTE: return shape_route(net, l, error);
    case META_DROPOUT:
        if (!(l->probability >= 0 && l->probability < 1))
            return meta_fail(error, "probability=%g: must be at least 0 and less than 1",
                             l->probability);
        return 0;
    case META_ACTIVATION: return 0;
    case META_COST: return shape_cost(net, l, error);
    case META_PLUGIN:
    case META_PAIRING: return shape_plugin(net, l, error);
    }
    return meta_fail(error, "unknown layer type %d", l->type);
}
