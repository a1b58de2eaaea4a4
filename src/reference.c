/* The reference backend: plain loops in double over planar tensors, Darknet's own layout. Slow and simple on purpose: tests
   and `darknet meta check` run whole networks on it. */
#include "backend.h"

#define REAL double
#define AT(b, k, p, C, P) (((size_t)(b) * (C) + (k)) * (P) + (p))
#define IMAGE(s) ((size_t)(s).c * (s).h * (s).w)
#define NAME(x) reference_##x
#include "host_kernels.h"

/* y = W * x over one image: the sum that all four convolution passes share, in three arrangements. */
struct reach { int C, H, W, O, OH, OW, size, stride, pad; };

static struct reach conv_reach(const struct meta_op *op)
{
    return (struct reach){ op->in->c, op->in->h, op->in->w, op->out.c, op->out.h, op->out.w,
                           op->layer->size, op->layer->stride, op->layer->padding };
}

/* Calls for each (output pixel, input pixel, weight) triple of output channel o, input channel c. */
#define CONV_EACH(r, o, c, statement)                                                             \
    for (int n = 0; n < (r).size; n++)                                                            \
        for (int m = 0; m < (r).size; m++) {                                                      \
            size_t wi = ((size_t)(o) * (r).C + (c)) * (r).size * (r).size + n * (r).size + m;     \
            for (int i = 0; i < (r).OH; i++) {                                                    \
                int yy = i * (r).stride + n - (r).pad;                                            \
                if (yy < 0 || yy >= (r).H) continue;                                              \
                for (int j = 0; j < (r).OW; j++) {                                                \
                    int xx = j * (r).stride + m - (r).pad;                                        \
                    if (xx < 0 || xx >= (r).W) continue;                                          \
                    size_t yi = (size_t)(o) * (r).OH * (r).OW + (size_t)i * (r).OW + j;           \
                    size_t xi = (size_t)(c) * (r).H * (r).W + (size_t)yy * (r).W + xx;            \
                    statement;                                                                    \
                }                                                                                 \
            }                                                                                     \
        }

static void conv_outputs(const struct meta_op *op, const double *x, const double *w, double *y, int add)
{
    struct reach r = conv_reach(op);
    size_t ins = (size_t)r.C * r.H * r.W, outs = (size_t)r.O * r.OH * r.OW;
    if (!add) memset(y, 0, op->batch * outs * sizeof *y);
    for (int b = 0; x && b < op->batch; b++)
        for (int o = 0; o < r.O; o++)
            for (int c = 0; c < r.C; c++)
                CONV_EACH(r, o, c, y[b * outs + yi] += w[wi] * x[b * ins + xi])
}

static void conv_inputs(const struct meta_op *op, const double *ybar, const double *w, double *xbar, int add)
{
    struct reach r = conv_reach(op);
    size_t ins = (size_t)r.C * r.H * r.W, outs = (size_t)r.O * r.OH * r.OW;
    if (!add) memset(xbar, 0, op->batch * ins * sizeof *xbar);
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < r.O; o++)
            for (int c = 0; c < r.C; c++)
                CONV_EACH(r, o, c, xbar[b * ins + xi] += w[wi] * ybar[b * outs + yi])
}

static void conv_weights(const struct meta_op *op, const double *x, const double *ybar, double *wbar, int add)
{
    struct reach r = conv_reach(op);
    size_t ins = (size_t)r.C * r.H * r.W, outs = (size_t)r.O * r.OH * r.OW;
    if (!add) memset(wbar, 0, op->weight_count * sizeof *wbar);
    for (int b = 0; x && b < op->batch; b++)
        for (int o = 0; o < r.O; o++)
            for (int c = 0; c < r.C; c++)
                CONV_EACH(r, o, c, wbar[wi] += ybar[b * outs + yi] * x[b * ins + xi])
}

static void full_outputs(const struct meta_op *op, const double *x, const double *w, double *y, int add)
{
    size_t n = op->weight_count / op->out.c;
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++) {
            double sum = add ? y[(size_t)b * op->out.c + o] : 0;
            for (size_t i = 0; x && i < n; i++) sum += w[o * n + i] * x[b * n + i];
            y[(size_t)b * op->out.c + o] = sum;
        }
}

static void full_inputs(const struct meta_op *op, const double *ybar, const double *w, double *xbar, int add)
{
    size_t n = op->weight_count / op->out.c;
    if (!add) memset(xbar, 0, op->batch * n * sizeof *xbar);
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++)
            for (size_t i = 0; i < n; i++) xbar[b * n + i] += w[o * n + i] * ybar[(size_t)b * op->out.c + o];
}

static void full_weights(const struct meta_op *op, const double *x, const double *ybar, double *wbar, int add)
{
    size_t n = op->weight_count / op->out.c;
    if (!add) memset(wbar, 0, op->weight_count * sizeof *wbar);
    for (int b = 0; x && b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++)
            for (size_t i = 0; i < n; i++) wbar[o * n + i] += ybar[(size_t)b * op->out.c + o] * x[b * n + i];
}

/* Both are bilinear in (x, W), so their four passes differ in the three products alone. */
#define BILINEAR_KERNEL(kind)                                                                                       \
static void kind##_forward(struct meta_op *op, const void *theta)                                                   \
{                                                                                                                   \
    kind##_outputs(op, op->x->value, (const double *)theta + op->weights, op->y.value, 0);                          \
}                                                                                                                   \
static void kind##_backward(struct meta_op *op, const void *theta, void *gradient)                                  \
{                                                                                                                   \
    kind##_weights(op, op->x->value, op->y.bar, (double *)gradient + op->weights, 0);                               \
    if (op->x->bar) kind##_inputs(op, op->y.bar, (const double *)theta + op->weights, op->x->bar, 0);               \
}                                                                                                                   \
static void kind##_forward_tangent(struct meta_op *op, const void *theta, const void *v)                            \
{                                                                                                                   \
    kind##_outputs(op, op->x->value, (const double *)v + op->weights, op->y.dot, 0);                                \
    kind##_outputs(op, op->x->dot, (const double *)theta + op->weights, op->y.dot, 1);                              \
}                                                                                                                   \
static void kind##_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)            \
{                                                                                                                   \
    kind##_weights(op, op->x->value, op->y.bardot, (double *)product + op->weights, 0);                             \
    kind##_weights(op, op->x->dot, op->y.bar, (double *)product + op->weights, 1);                                  \
    if (!op->x->bardot) return;                                                                                     \
    kind##_inputs(op, op->y.bardot, (const double *)theta + op->weights, op->x->bardot, 0);                         \
    kind##_inputs(op, op->y.bar, (const double *)v + op->weights, op->x->bardot, 1);                                \
}                                                                                                                   \
static const struct meta_kernel kind##_kernel = {                                                                   \
    NULL, NULL, kind##_forward, kind##_backward, kind##_forward_tangent, kind##_backward_tangent                    \
};

BILINEAR_KERNEL(conv)
BILINEAR_KERNEL(full)

static int reference_open(struct meta_error *error) { return 0; }

static void reference_batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    const struct reference_epilogue *e = op->state;
    for (int k = 0; k < op->out.c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

const struct meta_backend meta_backend_reference = {
    .name = "reference", .element = sizeof(double), .open = reference_open,
    .allocate = reference_allocate, .release = free,
    .set = reference_set, .copy = reference_copy, .axpy = reference_axpy, .scale = reference_scale, .dot = reference_dot,
    .upload = reference_upload, .download = reference_download,
    .upload_double = reference_upload_double, .download_double = reference_download_double,
    .image = reference_image, .tensor_in = reference_tensor_in, .tensor_out = reference_tensor_out,
    .adam = reference_adam, .momentum = reference_momentum,
    .batch_statistics = reference_batch_statistics, .probabilities = reference_probabilities,
    .kernels = { [META_OP_CONV] = &conv_kernel, [META_OP_CONNECTED] = &full_kernel,
                 [META_OP_EPILOGUE] = &reference_epilogue_kernel, [META_OP_AVGPOOL] = &reference_avgpool_kernel,
                 [META_OP_SHORTCUT] = &reference_shortcut_kernel, [META_OP_ROUTE] = &reference_route_kernel,
                 [META_OP_DROPOUT] = &reference_dropout_kernel, [META_OP_PLUGIN] = &reference_plugin_kernel,
                 [META_OP_LOSS] = &reference_loss_kernel }
};
