/* Builds a graph of ONNX: nodes with their names and constants, and the forms of values. */
#include "graph.h"

#include <stdio.h>

struct meta_onnx_value meta_onnx_named(struct meta_onnx_graph *g, const char *operation,
                                       const char *name, struct meta_shape shape, int flat)
{
    struct meta_onnx_value value = { .shape = shape, .flat = flat };
    snprintf(value.name, sizeof value.name, "%s", name);
    g->part->node(g->model, operation, value.name);
    return value;
}

struct meta_onnx_value meta_onnx_node(struct meta_onnx_graph *g, const char *operation,
                                      struct meta_shape shape, int flat)
{
    char name[META_ONNX_NAME];
    snprintf(name, sizeof name, "%s/%d_%s", g->layer, ++g->step, operation);
    return meta_onnx_named(g, operation, name, shape, flat);
}

void meta_onnx_input(struct meta_onnx_graph *g, const struct meta_onnx_value *value)
{
    g->part->input(g->model, value->name);
}

/* "NODE/WHAT" */
struct constant_name {
    char text[META_ONNX_NAME + 24];
};

static struct constant_name constant_name(const struct meta_onnx_value *node, const char *what)
{
    struct constant_name name;
    snprintf(name.text, sizeof name.text, "%s/%.20s", node->name, what);
    return name;
}

void meta_onnx_reals(struct meta_onnx_graph *g, const struct meta_onnx_value *node,
                     const char *what, const float *values, const int64_t *dimensions, int count)
{
    struct constant_name name = constant_name(node, what);
    g->part->reals(g->model, (struct meta_onnx_tensor){ name.text, dimensions, count }, values);
    g->part->input(g->model, name.text);
}

void meta_onnx_wholes(struct meta_onnx_graph *g, const struct meta_onnx_value *node,
                      const char *what, const int64_t *values, int count)
{
    struct constant_name name = constant_name(node, what);
    g->part->wholes(g->model, name.text, values, count);
    g->part->input(g->model, name.text);
}

/* ---- forms ----------------------------------------------------------------------------------- */

struct meta_onnx_value meta_onnx_reshape(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                         const int64_t *dimensions, int count)
{
    int64_t all[5] = { -1 }; /* the images: what is left over */
    struct meta_shape shape = x.shape;
    for (int i = 0; i < count; i++) all[i + 1] = dimensions[i];
    if (count == 3)
        shape = (struct meta_shape){ (int)dimensions[0], (int)dimensions[1], (int)dimensions[2] };
    struct meta_onnx_value y = meta_onnx_node(g, "Reshape", shape, 0);
    meta_onnx_input(g, &x);
    meta_onnx_wholes(g, &y, "shape", all, count + 1);
    return y;
}

struct meta_onnx_value meta_onnx_as_map(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    return x.flat ? meta_onnx_reshape(g, x, (int64_t[]){ x.shape.c, 1, 1 }, 3) : x;
}

struct meta_onnx_value meta_onnx_as_row(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    if (x.flat) return x;
    struct meta_shape row = { (int)meta_shape_numbers(x.shape), 1, 1 };
    struct meta_onnx_value y = meta_onnx_node(g, "Flatten", row, 1);
    meta_onnx_input(g, &x);
    g->part->integer(g->model, "axis", 1);
    return y;
}

struct meta_onnx_value meta_onnx_pad(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                     int pixels)
{
    const int64_t pads[] = { 0, 0, pixels, pixels, 0, 0, pixels, pixels };
    struct meta_shape s = { x.shape.c, x.shape.h + 2 * pixels, x.shape.w + 2 * pixels };
    if (!pixels) return x;
    struct meta_onnx_value y = meta_onnx_node(g, "Pad", s, 0);
    meta_onnx_input(g, &x);
    g->part->ints(g->model, "pads", pads, 8);
    return y;
}

/* ---- number by number ------------------------------------------------------------------------ */

struct meta_onnx_value meta_onnx_unary(struct meta_onnx_graph *g, const char *operation,
                                       struct meta_onnx_value x)
{
    struct meta_onnx_value y = meta_onnx_node(g, operation, x.shape, x.flat);
    meta_onnx_input(g, &x);
    return y;
}

struct meta_onnx_value meta_onnx_binary(struct meta_onnx_graph *g, const char *operation,
                                        struct meta_onnx_value a, struct meta_onnx_value b)
{
    struct meta_onnx_value y = meta_onnx_node(g, operation, a.shape, a.flat);
    meta_onnx_input(g, &a);
    meta_onnx_input(g, &b);
    return y;
}

static struct meta_onnx_value with_constant(struct meta_onnx_graph *g, const char *operation,
                                            struct meta_onnx_value x, double constant)
{
    struct meta_onnx_value y = meta_onnx_unary(g, operation, x);
    meta_onnx_reals(g, &y, "by", &(float){ (float)constant }, &(int64_t){ 1 }, 1);
    return y;
}

struct meta_onnx_value meta_onnx_times(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                       double factor)
{
    return with_constant(g, "Mul", x, factor);
}

struct meta_onnx_value meta_onnx_plus(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                      double term)
{
    return with_constant(g, "Add", x, term);
}
