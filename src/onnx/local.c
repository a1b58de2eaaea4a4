/* Darknet's [local] in operations of ONNX: a convolution cuts the patches of all pixels out, and
   one of as many groups as pixels multiplies each by the kernels of its own. */
#include "layers.h"

#include <stdlib.h>

/* The numbers (rows, columns) of each image as (columns, rows). */
static struct meta_onnx_value turned(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                     int64_t rows, int64_t columns)
{
    x = meta_onnx_reshape(g, x, (int64_t[]){ rows, columns }, 2);
    struct meta_onnx_value y = meta_onnx_unary(g, "Transpose", x);
    g->part->ints(g->model, "perm", (int64_t[]){ 0, 2, 1 }, 3);
    return y;
}

/* Maps (c * size * size, h, w): at each pixel the patch that its kernels meet. */
static struct meta_onnx_value patches(struct meta_onnx_graph *g, const struct meta_layer *l,
                                      struct meta_onnx_value x)
{
    int area = l->size * l->size, c = l->in.c;
    const int64_t shape[] = { (int64_t)c * area, 1, l->size, l->size },
                  strides[] = { l->stride, l->stride };
    struct meta_shape out = { c * area, l->out.h, l->out.w };
    float *weights = calloc((size_t)c * area, area * sizeof *weights);
    if (!weights) {
        g->lost = 1;
        return x;
    }
    for (int k = 0; k < c * area; k++) weights[(size_t)k * area + k % area] = 1;
    x = meta_onnx_pad(g, meta_onnx_as_map(g, x), l->padding);
    struct meta_onnx_value y = meta_onnx_node(g, "Conv", out, 0);
    meta_onnx_input(g, &x);
    meta_onnx_reals(g, &y, "weights", weights, shape, 4);
    g->part->ints(g->model, "kernel_shape", shape + 2, 2);
    g->part->ints(g->model, "strides", strides, 2);
    g->part->integer(g->model, "group", c);
    free(weights);
    return y;
}

/* parameters: the network's; weights (pixel, filter, patch), biases (filter, pixel). */
struct meta_onnx_value meta_onnx_local(struct meta_onnx_graph *g, const struct meta_layer *l,
                                       const float *parameters, struct meta_onnx_value x)
{
    int64_t pixels = meta_shape_pixels(l->out), patch = (int64_t)l->in.c * l->size * l->size,
            all = pixels * l->filters;
    const int64_t shape[] = { all, patch, 1, 1 };
    float *biases = malloc(all * sizeof *biases);
    if (!biases) {
        g->lost = 1;
        return x;
    }
    for (int64_t p = 0; p < pixels; p++)
        for (int64_t o = 0; o < l->filters; o++)
            biases[p * l->filters + o] = parameters[l->biases + o * pixels + p];
    x = turned(g, patches(g, l, x), patch, pixels);
    x = meta_onnx_reshape(g, x, (int64_t[]){ pixels * patch, 1, 1 }, 3);
    struct meta_onnx_value y = meta_onnx_node(g, "Conv", (struct meta_shape){ (int)all, 1, 1 }, 0);
    meta_onnx_input(g, &x);
    meta_onnx_reals(g, &y, "weights", parameters + l->weights, shape, 4);
    meta_onnx_reals(g, &y, "biases", biases, shape, 1);
    g->part->ints(g->model, "kernel_shape", shape + 2, 2);
    g->part->integer(g->model, "group", pixels);
    free(biases);
    y = turned(g, y, pixels, l->filters);
    return meta_onnx_reshape(g, y, (int64_t[]){ l->out.c, l->out.h, l->out.w }, 3);
}
