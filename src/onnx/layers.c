/* Darknet's layers in operations of ONNX: those with weights, pools, and [route]. */
#include "layers.h"

#include <stdio.h>

struct layer {
    struct meta_onnx_graph *graph;
    const struct meta_layer *l;
    const float *parameters;
    struct meta_onnx_value *before; /* of the earlier layers */
    int last;
};

/* OpenCV 5 gives other numbers for a 1x1 convolution with padding of its own. */
static struct meta_onnx_value convolutional(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_graph *g = a->graph;
    const struct meta_layer *l = a->l;
    int groups = meta_layer_groups(l), apart = l->size == 1 && l->padding,
        padding = apart ? 0 : l->padding;
    const int64_t shape[] = { l->filters, l->in.c / groups, l->size, l->size },
                  pads[] = { padding, padding, padding, padding },
                  strides[] = { l->stride, l->stride },
                  dilations[] = { meta_layer_dilation(l), meta_layer_dilation(l) };
    x = meta_onnx_as_map(g, x);
    if (apart) x = meta_onnx_pad(g, x, l->padding);
    struct meta_onnx_value y = meta_onnx_node(g, "Conv", l->out, 0);
    meta_onnx_input(g, &x);
    meta_onnx_reals(g, &y, "weights", a->parameters + l->weights, shape, 4);
    meta_onnx_reals(g, &y, "biases", a->parameters + l->biases, shape, 1);
    g->part->ints(g->model, "kernel_shape", shape + 2, 2);
    g->part->ints(g->model, "strides", strides, 2);
    g->part->ints(g->model, "pads", pads, 4);
    if (dilations[0] > 1) g->part->ints(g->model, "dilations", dilations, 2);
    g->part->integer(g->model, "group", groups);
    return y;
}

static struct meta_onnx_value connected(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_graph *g = a->graph;
    const struct meta_layer *l = a->l;
    const int64_t shape[] = { l->filters, (int64_t)meta_shape_numbers(l->in) };
    x = meta_onnx_as_row(g, x);
    struct meta_onnx_value y = meta_onnx_node(g, "Gemm", l->out, 1);
    meta_onnx_input(g, &x);
    meta_onnx_reals(g, &y, "weights", a->parameters + l->weights, shape, 2);
    meta_onnx_reals(g, &y, "biases", a->parameters + l->biases, shape, 1);
    g->part->integer(g->model, "transB", 1);
    return y;
}

/* Darknet's padding is of both sides together: the first has the smaller half. */
static struct meta_onnx_value maxpool(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_graph *g = a->graph;
    const struct meta_layer *l = a->l;
    const int first = l->padding / 2, second = l->padding - first;
    const int64_t kernel[] = { l->size, l->size }, strides[] = { l->stride, l->stride },
                  pads[] = { first, first, second, second };
    x = meta_onnx_as_map(g, x);
    struct meta_onnx_value y = meta_onnx_node(g, "MaxPool", l->out, 0);
    meta_onnx_input(g, &x);
    g->part->ints(g->model, "kernel_shape", kernel, 2);
    g->part->ints(g->model, "strides", strides, 2);
    g->part->ints(g->model, "pads", pads, 4);
    return y;
}

/* A row, since ncnn's is one: where a map is wanted next, it is made one. */
static struct meta_onnx_value avgpool(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_value y, map = meta_onnx_as_map(a->graph, x);
    y = meta_onnx_unary(a->graph, "GlobalAveragePool", map);
    y.shape = a->l->out;
    return meta_onnx_as_row(a->graph, y);
}

static struct meta_onnx_value softmax(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_graph *g = a->graph;
    const struct meta_layer *l = a->l;
    x = meta_onnx_as_row(g, x);
    if (l->temperature != 1) x = meta_onnx_times(g, x, 1 / l->temperature);
    struct meta_onnx_value y = a->last
        ? meta_onnx_named(g, "Softmax", META_ONNX_OUTPUT_NAME, l->out, 1)
        : meta_onnx_node(g, "Softmax", l->out, 1);
    meta_onnx_input(g, &x);
    g->part->integer(g->model, "axis", 1);
    return y;
}

/* Rows stand beside rows; maps beside maps, also of one pixel. */
static struct meta_onnx_value route(const struct layer *a)
{
    struct meta_onnx_graph *g = a->graph;
    const struct meta_layer *l = a->l;
    int rows = 0;
    if (l->from_count == 1) return a->before[l->from[0]];
    for (int k = 0; k < l->from_count; k++) rows += a->before[l->from[k]].flat;
    for (int k = 0; k < l->from_count && rows < l->from_count; k++)
        a->before[l->from[k]] = meta_onnx_as_map(g, a->before[l->from[k]]);
    struct meta_onnx_value y = meta_onnx_node(g, "Concat", l->out, rows == l->from_count);
    for (int k = 0; k < l->from_count; k++) meta_onnx_input(g, &a->before[l->from[k]]);
    g->part->integer(g->model, "axis", 1);
    return y;
}

/* OpenCV 4.6 multiplies no maps by single numbers while the number of images is free. */
static struct meta_onnx_value scale_channels(const struct layer *a, struct meta_onnx_value x)
{
    struct meta_onnx_graph *g = a->graph;
    struct meta_onnx_value maps = meta_onnx_as_map(g, a->before[a->l->from[0]]),
                           factors = meta_onnx_spread(g, meta_onnx_as_map(g, x), maps.shape);
    return meta_onnx_binary(g, "Mul", maps, factors);
}

static struct meta_onnx_value compute(const struct layer *a, struct meta_onnx_value x)
{
    switch (a->l->type) {
    case META_CONVOLUTIONAL: return convolutional(a, x);
    case META_CONNECTED: return connected(a, x);
    case META_MAXPOOL: return maxpool(a, x);
    case META_AVGPOOL: return avgpool(a, x);
    case META_SOFTMAX: return softmax(a, x);
    case META_ROUTE: return route(a);
    case META_SCALE_CHANNELS: return scale_channels(a, x);
    case META_SHORTCUT: return meta_onnx_shortcut(a->graph, a->l, x, a->before[a->l->from[0]]);
    case META_CROP: return meta_onnx_crop(a->graph, a->l, x);
    case META_UPSAMPLE: return meta_onnx_upsample(a->graph, a->l, x);
    case META_LOCAL: return meta_onnx_local(a->graph, a->l, a->parameters, x);
    case META_REORG: return meta_onnx_reorg(a->graph, a->l, x);
    case META_ACTIVATION:
    case META_DROPOUT:
    case META_COST:
    case META_PLUGIN:
    case META_PAIRING: break;
    }
    return x;
}

struct meta_onnx_value meta_onnx_layer(struct meta_onnx_graph *g, const struct meta_filled *f,
                                       int i, struct meta_onnx_value *values,
                                       const struct meta_onnx_value *image)
{
    const struct layer a = { g, &f->network->layers[i], f->parameters, values,
                             i == f->network->count - 1 };
    g->step = 0;
    snprintf(g->layer, sizeof g->layer, "%d_%s", i, meta_layer_name(a.l));
    struct meta_onnx_value y = compute(&a, i ? values[i - 1] : *image);
    y.shape = a.l->out;
    return meta_onnx_activate(g, y, a.l->activation);
}
