/* Darknet's [shortcut], [crop], [reorg] and [upsample] in operations of ONNX. What samples, spreads
   or moves numbers is a convolution with fixed weights, most of them 0: every program has that, and
   hardly any has Darknet's own ways of sampling. */
#include "layers.h"

#include <stdlib.h>

static int smaller(int a, int b) { return a < b ? a : b; }

/* ---- convolutions with fixed weights --------------------------------------------------------- */

/* A convolution from maps to maps, or a transposed one, with `groups` and the stride in both
   directions; its kernel is what just fits. */
struct fixed_conv {
    struct meta_shape in, out;
    int transposed, groups, stride, h, w;
    float *weights; /* (out.c, in.c / groups, h, w); transposed: (in.c, out.c / groups, h, w) */
};

/* Makes the weights, which are 0 and belong to the caller. 0: no memory, which the graph notes. */
static int begin(struct meta_onnx_graph *g, struct fixed_conv *o)
{
    struct meta_shape coarse = o->transposed ? o->in : o->out,
                      fine = o->transposed ? o->out : o->in;
    o->h = fine.h - (coarse.h - 1) * o->stride;
    o->w = fine.w - (coarse.w - 1) * o->stride;
    o->weights = calloc((size_t)o->in.c * o->out.c / o->groups,
                        (size_t)o->h * o->w * sizeof *o->weights);
    if (!o->weights) g->lost = 1;
    return o->weights != NULL;
}

/* Adds it, and frees the weights. */
static struct meta_onnx_value end(struct meta_onnx_graph *g, struct fixed_conv *o,
                                  struct meta_onnx_value x)
{
    int rows = o->transposed ? o->in.c : o->out.c, columns = o->transposed ? o->out.c : o->in.c;
    const int64_t shape[] = { rows, columns / o->groups, o->h, o->w },
                  strides[] = { o->stride, o->stride };
    struct meta_onnx_value y = meta_onnx_node(g, o->transposed ? "ConvTranspose" : "Conv", o->out,
                                              0);
    meta_onnx_input(g, &x);
    meta_onnx_reals(g, &y, "weights", o->weights, shape, 4);
    g->part->ints(g->model, "kernel_shape", shape + 2, 2);
    g->part->ints(g->model, "strides", strides, 2);
    g->part->integer(g->model, "group", o->groups);
    free(o->weights);
    return y;
}

struct meta_onnx_value meta_onnx_spread(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                        struct meta_shape shape)
{
    struct fixed_conv o = { x.shape, shape, .transposed = 1, .groups = shape.c, .stride = 1 };
    if (meta_shape_pixels(shape) == 1 || !begin(g, &o)) return x;
    for (size_t i = 0; i < meta_shape_numbers(shape); i++) o.weights[i] = 1;
    return end(g, &o, x);
}

struct meta_onnx_value meta_onnx_upsample(struct meta_onnx_graph *g, const struct meta_layer *l,
                                          struct meta_onnx_value x)
{
    struct fixed_conv o = { l->in, l->out, .transposed = 1, .groups = l->in.c,
                            .stride = l->stride };
    if (!begin(g, &o)) return x;
    for (size_t i = 0; i < (size_t)l->in.c * o.h * o.w; i++) o.weights[i] = (float)l->alpha;
    return end(g, &o, meta_onnx_as_map(g, x));
}

/* ---- [shortcut] ------------------------------------------------------------------------------ */

/* Channel k of the input, times `factor`, becomes channel k of the output, as far as both have it
   and k < channels: of each window the upper left pixel, or from there with zeros beside it. */
static struct meta_onnx_value sample(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                     struct fixed_conv o, int channels, double factor)
{
    o.in = x.shape;
    o.groups = o.in.c == o.out.c ? o.in.c : 1;
    if (!begin(g, &o)) return x;
    size_t kernel = (size_t)o.h * o.w, columns = o.groups > 1 ? 1 : o.transposed ? o.out.c : o.in.c;
    for (int k = 0; k < smaller(channels, smaller(o.in.c, o.out.c)); k++)
        o.weights[(k * columns + (columns > 1 ? k : 0)) * kernel] = (float)factor;
    return end(g, &o, x);
}

/* What Darknet's shortcut_cpu touches: (c, h, w) numbers, `apart` in `here`, `stride` in `from`. */
struct touched {
    int c, h, w, apart, stride, all;
};

static struct touched find_touched(struct meta_shape here, struct meta_shape from)
{
    struct touched t = { smaller(here.c, from.c), smaller(here.h, from.h), smaller(here.w, from.w),
                         here.w / from.w,         from.w / here.w,         0 };
    t.apart += !t.apart;
    t.stride += !t.stride;
    t.all = t.c == here.c && t.h == here.h && t.w == here.w;
    return t;
}

/* What is added to the numbers touched, (here.c, t.h, t.w). */
static struct meta_onnx_value addend(struct meta_onnx_graph *g, const struct meta_layer *l,
                                     const struct touched *t, struct meta_onnx_value from)
{
    struct meta_shape out = { l->in.c, t->h, t->w };
    if (from.shape.c == out.c && from.shape.h == out.h && from.shape.w == out.w)
        return l->beta == 1 ? from : meta_onnx_times(g, from, l->beta);
    return sample(g, from, (struct fixed_conv){ .out = out, .stride = t->stride }, t->c, l->beta);
}

/* here + beta from, and where not every number is touched here + (alpha - 1) here + beta from at
   those that are. */
struct meta_onnx_value meta_onnx_shortcut(struct meta_onnx_graph *g, const struct meta_layer *l,
                                          struct meta_onnx_value here, struct meta_onnx_value from)
{
    struct touched t = find_touched(here.shape, from.shape);
    if (!here.flat || !from.flat || here.shape.c != from.shape.c) {
        here = meta_onnx_as_map(g, here);
        from = meta_onnx_as_map(g, from);
    }
    struct meta_onnx_value added = addend(g, l, &t, from);
    if (l->alpha != 1 && t.all) here = meta_onnx_times(g, here, l->alpha);
    else if (l->alpha != 1) {
        struct fixed_conv grid = { .out = { l->in.c, t.h, t.w }, .stride = t.apart };
        added = meta_onnx_binary(g, "Add", added, sample(g, here, grid, t.c, l->alpha - 1));
    }
    if (t.h != l->in.h || t.w != l->in.w)
        added = sample(g, added,
                       (struct fixed_conv){ .out = l->in, .transposed = 1, .stride = t.apart }, t.c,
                       1);
    return meta_onnx_binary(g, "Add", here, added);
}

/* ---- [crop] and [reorg] ---------------------------------------------------------------------- */

struct meta_onnx_value meta_onnx_crop(struct meta_onnx_graph *g, const struct meta_layer *l,
                                      struct meta_onnx_value x)
{
    int top = (l->in.h - l->out.h) / 2, left = (l->in.w - l->out.w) / 2;
    const int64_t starts[] = { top, left }, ends[] = { top + l->out.h, left + l->out.w },
                  axes[] = { 2, 3 };
    x = meta_onnx_as_map(g, x);
    if (l->in.h != l->out.h || l->in.w != l->out.w) {
        struct meta_onnx_value y = meta_onnx_node(g, "Slice", l->out, 0);
        meta_onnx_input(g, &x);
        meta_onnx_wholes(g, &y, "starts", starts, 2);
        meta_onnx_wholes(g, &y, "ends", ends, 2);
        meta_onnx_wholes(g, &y, "axes", axes, 2);
        x = y;
    }
    return l->adjust ? meta_onnx_plus(g, meta_onnx_times(g, x, 2), -1) : x;
}

/* Rows of numbers as columns, or back. */
static struct meta_onnx_value turn(struct meta_onnx_graph *g, const struct meta_layer *l,
                                   struct meta_onnx_value x)
{
    const int64_t area = meta_shape_pixels(l->in), c = l->in.c,
                  shape[] = { l->reverse ? area : c, l->reverse ? c : area }, order[] = { 0, 2, 1 };
    x = meta_onnx_reshape(g, x, shape, 2);
    struct meta_onnx_value y = meta_onnx_unary(g, "Transpose", x);
    g->part->ints(g->model, "perm", order, 3);
    return meta_onnx_reshape(g, y, (int64_t[]){ l->out.c, l->out.h, l->out.w }, 3);
}

/* As many zeros behind the numbers as the layer says. */
static struct meta_onnx_value extend(struct meta_onnx_graph *g, const struct meta_layer *l,
                                     struct meta_onnx_value x)
{
    const int64_t pads[] = { 0, 0, 0, l->extra };
    x = meta_onnx_as_row(g, x);
    struct meta_onnx_value y = meta_onnx_node(g, "Pad", l->out, 1);
    meta_onnx_input(g, &x);
    g->part->ints(g->model, "pads", pads, 4);
    return y;
}

/* pick.c of src/network has the order. Darknet takes the input's shape for that of the coarse maps
   in both directions: on the way down it reads its input as finer maps of fewer channels. */
struct meta_onnx_value meta_onnx_reorg(struct meta_onnx_graph *g, const struct meta_layer *l,
                                       struct meta_onnx_value x)
{
    if (l->flatten) return turn(g, l, x);
    if (l->extra) return extend(g, l, x);
    int s = l->stride, maps = l->in.c / (s * s);
    struct meta_shape fine = { maps, l->in.h * s, l->in.w * s };
    struct fixed_conv o = { l->reverse ? l->in : fine, l->reverse ? fine : l->in,
                            .transposed = l->reverse, .groups = 1, .stride = s };
    if (!begin(g, &o)) return x;
    for (int k = 0; k < l->in.c; k++) {
        size_t pixel = k / maps, map = k % maps;
        o.weights[(k * maps + map) * s * s + pixel] = 1;
    }
    if (!l->reverse) x = meta_onnx_reshape(g, x, (int64_t[]){ maps, fine.h, fine.w }, 3);
    x = end(g, &o, meta_onnx_as_map(g, x));
    return l->reverse ? x : meta_onnx_reshape(g, x, (int64_t[]){ l->out.c, l->out.h, l->out.w }, 3);
}
