/* Darknet's activations in operations of ONNX, those that OpenCV and ncnn know, too: pieces of
   lines are sums of clipped values. activation.h of src/backends/loops has the formulas. */
#include "graph.h"

static struct meta_onnx_value clip(struct meta_onnx_graph *g, struct meta_onnx_value x, float least,
                                   float most)
{
    struct meta_onnx_value y = meta_onnx_unary(g, "Clip", x);
    g->part->real(g->model, "min", least);
    g->part->real(g->model, "max", most);
    return y;
}

static struct meta_onnx_value with_alpha(struct meta_onnx_graph *g, const char *operation,
                                         struct meta_onnx_value x, float alpha)
{
    struct meta_onnx_value y = meta_onnx_unary(g, operation, x);
    g->part->real(g->model, "alpha", alpha);
    return y;
}

/* steep * clip(x, least, most) + slope * x */
static struct meta_onnx_value bent(struct meta_onnx_graph *g, struct meta_onnx_value x, float least,
                                   float most, double steep, double slope)
{
    struct meta_onnx_value clipped = meta_onnx_times(g, clip(g, x, least, most), steep);
    return meta_onnx_binary(g, "Add", clipped, meta_onnx_times(g, x, slope));
}

static struct meta_onnx_value square(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    return meta_onnx_binary(g, "Mul", x, x);
}

/* Half of x rounded down, n, and where x is rounded down to 2n + 1 what is left of x, too. */
static struct meta_onnx_value stair(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    struct meta_onnx_value whole = meta_onnx_unary(g, "Floor", x);
    struct meta_onnx_value half = meta_onnx_unary(g, "Floor", meta_onnx_times(g, x, .5));
    struct meta_onnx_value odd = meta_onnx_binary(g, "Sub", whole, meta_onnx_times(g, half, 2));
    struct meta_onnx_value left = meta_onnx_binary(g, "Sub", x, whole);
    return meta_onnx_binary(g, "Add", half, meta_onnx_binary(g, "Mul", odd, left));
}

static struct meta_onnx_value swish(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    return meta_onnx_binary(g, "Mul", x, meta_onnx_unary(g, "Sigmoid", x));
}

static struct meta_onnx_value mish(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    struct meta_onnx_value gate = meta_onnx_unary(g, "Tanh", meta_onnx_unary(g, "Softplus", x));
    return meta_onnx_binary(g, "Mul", x, gate);
}

/* x above 0, and c * c / 2 + c of c = clip(x, -2, 0) */
static struct meta_onnx_value hard_mish(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    struct meta_onnx_value c = clip(g, x, -2, 0);
    struct meta_onnx_value curve = meta_onnx_binary(g, "Add", meta_onnx_times(g, square(g, c), .5),
                                                    c);
    return meta_onnx_binary(g, "Add", meta_onnx_unary(g, "Relu", x), curve);
}

/* x / 2 + x / 2 * tanh(GELU_LINEAR x + GELU_CUBIC x^3) */
static struct meta_onnx_value gelu(struct meta_onnx_graph *g, struct meta_onnx_value x)
{
    struct meta_onnx_value factor = meta_onnx_plus(g, meta_onnx_times(g, square(g, x), .035677),
                                                   .797885);
    struct meta_onnx_value gate = meta_onnx_unary(g, "Tanh", meta_onnx_binary(g, "Mul", factor, x));
    struct meta_onnx_value half = meta_onnx_times(g, x, .5);
    return meta_onnx_binary(g, "Add", half, meta_onnx_binary(g, "Mul", half, gate));
}

struct meta_onnx_value meta_onnx_activate(struct meta_onnx_graph *g, struct meta_onnx_value x,
                                          enum meta_activation kind)
{
    switch (kind) {
    case META_LINEAR: break;
    case META_RELU: return meta_onnx_unary(g, "Relu", x);
    case META_LEAKY: return with_alpha(g, "LeakyRelu", x, .1f);
    case META_LOGISTIC: return meta_onnx_unary(g, "Sigmoid", x);
    case META_RELIE: return with_alpha(g, "LeakyRelu", x, .01f);
    case META_RAMP: return meta_onnx_times(g, with_alpha(g, "LeakyRelu", x, 1.f / 11), 1.1);
    case META_TANH: return meta_onnx_unary(g, "Tanh", x);
    case META_PLSE: return meta_onnx_plus(g, bent(g, x, -4, 4, .115, .01), .5);
    case META_ELU: return with_alpha(g, "Elu", x, 1);
    case META_SELU: return meta_onnx_times(g, with_alpha(g, "Elu", x, 1.6732f), 1.0507);
    case META_LOGGY: return meta_onnx_unary(g, "Tanh", meta_onnx_times(g, x, .5));
    case META_STAIR: return stair(g, x);
    case META_HARDTAN: return clip(g, x, -1, 1);
    case META_LHTAN: return bent(g, x, 0, 1, .999, .001);
    case META_RELU6: return clip(g, x, 0, 6);
    case META_SWISH: return swish(g, x);
    case META_MISH: return mish(g, x);
    case META_HARD_MISH: return hard_mish(g, x);
    case META_GELU: return gelu(g, x);
    }
    return x;
}
