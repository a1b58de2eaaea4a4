/* The reference backend: plain loops in double over planar tensors, which is Darknet's own
   layout. It is slow and simple on purpose: tests and `darknet meta check` run whole networks on
   it. */
#include "reference.h"

#define REAL double
#define AT(b, k, p, C, P) (((size_t)(b) * (C) + (k)) * (P) + (p))
#define IMAGE(s) meta_shape_numbers(s)
#define BLOCK(C) 1
#define NAME(x) reference_##x
#include "backends/loops/kernels.h"
#include "backends/loops/tensors.h"
#include "backends/loops/adam.h"
#include "backends/loops/vectors.h"

/* The three products of a convolution are one loop nest over (image, output channel, input channel
   of its group, weight, output row), with an inner loop along the row: y += w x, x += w y or w +=
   x.y. */

/* One weight w, n outputs y side by side, and the n inputs x, `stride` apart, that w meets
   there. */
struct row {
    double *y, *x, *w;
    int n, stride;
};

static void each_row(const struct meta_op *op, double *y, double *x, double *w,
                     void (*call)(const struct row *))
{
    const struct meta_layer *l = op->layer;
    int C = op->in->c, H = op->in->h, W = op->in->w, K = l->size, S = l->stride;
    int D = meta_layer_dilation(l);
    int O = op->out.c, OH = op->out.h, OW = op->out.w;
    int part = C / meta_layer_groups(l), outs = O / meta_layer_groups(l);
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < O; o++) {
            int from = o / outs * part; /* the first input channel of o's group */
            for (int c = 0; c < part; c++)
                for (int n = 0; n < K; n++)
                    for (int m = 0; m < K; m++) {
                        /* the outputs j whose input column j S + m D - pad is inside */
                        int left = l->padding - m * D, first = left > 0 ? (left + S - 1) / S : 0;
                        int last = (W - 1 + left) / S < OW - 1 ? (W - 1 + left) / S : OW - 1;
                        if (W - 1 + left < 0 || last < first) continue;
                        for (int i = 0; i < OH; i++) {
                            int at = i * S + n * D - l->padding;
                            if (at < 0 || at >= H) continue;
                            call(
                                &(struct row){ .y = y + (((size_t)b * O + o) * OH + i) * OW + first,
                                               .x = x + (((size_t)b * C + from + c) * H + at) * W
                                                   + first * S - left,
                                               .w = w + (((size_t)o * part + c) * K + n) * K + m,
                                               .n = last - first + 1,
                                               .stride = S });
                        }
                    }
        }
}

/* Two-lane SSE2 is all that every x86-64 has, and the compiler finds it in these loops. */
static void row_outputs(const struct row *r)
{
    double w = *r->w, *restrict y = r->y;
    const double *restrict x = r->x;
    if (r->stride == 1)
        for (int j = 0; j < r->n; j++) y[j] += w * x[j];
    else
        for (int j = 0; j < r->n; j++) y[j] += w * x[j * r->stride];
}

static void row_inputs(const struct row *r)
{
    double w = *r->w, *restrict x = r->x;
    const double *restrict y = r->y;
    if (r->stride == 1)
        for (int j = 0; j < r->n; j++) x[j] += w * y[j];
    else
        for (int j = 0; j < r->n; j++) x[j * r->stride] += w * y[j];
}

static void row_weights(const struct row *r)
{
    double even = 0, odd = 0;
    int j = 0;
    for (; j + 1 < r->n; j += 2) {
        even += r->y[j] * r->x[j * r->stride];
        odd += r->y[j + 1] * r->x[(j + 1) * r->stride];
    }
    if (j < r->n) even += r->y[j] * r->x[j * r->stride];
    *r->w += even + odd;
}

static size_t in_numbers(const struct meta_op *op) { return op->batch * IMAGE(*op->in); }
static size_t out_numbers(const struct meta_op *op) { return op->batch * IMAGE(op->out); }

static void conv_outputs(const struct meta_op *op, const double *x, const double *w, double *y,
                         int add)
{
    if (!add) memset(y, 0, out_numbers(op) * sizeof *y);
    if (x) each_row(op, y, (double *)x, (double *)w, row_outputs);
}

static void conv_inputs(const struct meta_op *op, const double *ybar, const double *w, double *xbar,
                        int add)
{
    if (!add) memset(xbar, 0, in_numbers(op) * sizeof *xbar);
    each_row(op, (double *)ybar, xbar, (double *)w, row_inputs);
}

static void conv_weights(const struct meta_op *op, const double *x, const double *ybar,
                         double *wbar, int add)
{
    if (!add) memset(wbar, 0, op->weight_count * sizeof *wbar);
    if (x) each_row(op, (double *)ybar, (double *)x, wbar, row_weights);
}

static void full_outputs(const struct meta_op *op, const double *x, const double *w, double *y,
                         int add)
{
    size_t n = op->weight_count / op->out.c;
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++) {
            double sum = add ? y[(size_t)b * op->out.c + o] : 0;
            for (size_t i = 0; x && i < n; i++) sum += w[o * n + i] * x[b * n + i];
            y[(size_t)b * op->out.c + o] = sum;
        }
}

static void full_inputs(const struct meta_op *op, const double *ybar, const double *w, double *xbar,
                        int add)
{
    size_t n = op->weight_count / op->out.c;
    if (!add) memset(xbar, 0, op->batch * n * sizeof *xbar);
    for (int b = 0; b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++)
            for (size_t i = 0; i < n; i++)
                xbar[b * n + i] += w[o * n + i] * ybar[(size_t)b * op->out.c + o];
}

static void full_weights(const struct meta_op *op, const double *x, const double *ybar,
                         double *wbar, int add)
{
    size_t n = op->weight_count / op->out.c;
    if (!add) memset(wbar, 0, op->weight_count * sizeof *wbar);
    for (int b = 0; x && b < op->batch; b++)
        for (int o = 0; o < op->out.c; o++)
            for (size_t i = 0; i < n; i++)
                wbar[o * n + i] += ybar[(size_t)b * op->out.c + o] * x[b * n + i];
}

/* Both are bilinear in (x, W), so that their four passes differ in the three products alone. */
#define BILINEAR_KERNEL(kind)                                                                      \
    static void kind##_forward(struct meta_op *op, const void *theta)                              \
    {                                                                                              \
        kind##_outputs(op, op->x->value, (const double *)theta + op->weights, op->y.value, 0);     \
    }                                                                                              \
    static void kind##_backward(struct meta_op *op, const void *theta, void *gradient)             \
    {                                                                                              \
        const double *w = (const double *)theta + op->weights;                                     \
        kind##_weights(op, op->x->value, op->y.bar, (double *)gradient + op->weights, 0);          \
        if (op->x->bar) kind##_inputs(op, op->y.bar, w, op->x->bar, 0);                            \
    }                                                                                              \
    static void kind##_forward_tangent(struct meta_op *op, const void *theta, const void *v)       \
    {                                                                                              \
        kind##_outputs(op, op->x->value, (const double *)v + op->weights, op->y.dot, 0);           \
        kind##_outputs(op, op->x->dot, (const double *)theta + op->weights, op->y.dot, 1);         \
    }                                                                                              \
    static void kind##_backward_tangent(struct meta_op *op, const void *theta, const void *v,      \
                                        void *product)                                             \
    {                                                                                              \
        kind##_weights(op, op->x->value, op->y.bardot, (double *)product + op->weights, 0);        \
        kind##_weights(op, op->x->dot, op->y.bar, (double *)product + op->weights, 1);             \
        if (!op->x->bardot) return;                                                                \
        kind##_inputs(op, op->y.bardot, (const double *)theta + op->weights, op->x->bardot, 0);    \
        kind##_inputs(op, op->y.bar, (const double *)v + op->weights, op->x->bardot, 1);           \
    }                                                                                              \
    static const struct meta_kernel kind##_kernel = { .forward = kind##_forward,                   \
                                                      .backward = kind##_backward,                 \
                                                      .forward_tangent = kind##_forward_tangent,   \
                                                      .backward_tangent =                          \
                                                          kind##_backward_tangent };

BILINEAR_KERNEL(conv)
BILINEAR_KERNEL(full)

static int open_nothing(struct meta_error *error) { return 0; }

static const struct meta_kernel *kernel_of(const struct meta_op *op)
{
    static const struct meta_kernel *const kernels[META_OP_KINDS] = {
        [META_OP_CONV] = &conv_kernel,
        [META_OP_CONNECTED] = &full_kernel,
        [META_OP_LOCAL] = &reference_local_kernel,
        [META_OP_EPILOGUE] = &reference_epilogue_kernel,
        [META_OP_AVGPOOL] = &reference_avgpool_kernel,
        [META_OP_SHORTCUT] = &reference_shortcut_kernel,
        [META_OP_ROUTE] = &reference_route_kernel,
        [META_OP_DROPOUT] = &reference_dropout_kernel,
        [META_OP_PICK] = &reference_pick_kernel,
        [META_OP_SCALE] = &reference_scale_kernel,
        [META_OP_PLUGIN] = &reference_plugin_kernel,
        [META_OP_LOSS] = &reference_loss_kernel,
        [META_OP_PAIRING] = &reference_pairing_kernel,
        [META_OP_SQUARES] = &reference_squares_kernel
    };
    return kernels[op->kind];
}

const struct meta_backend meta_backend_reference = { .name = "reference",
                                                     .element = sizeof(double),
                                                     .open = open_nothing,
                                                     .allocate = reference_allocate,
                                                     .release = free,
                                                     .set = reference_set,
                                                     .copy = reference_copy,
                                                     .axpy = reference_axpy,
                                                     .scale = reference_scale,
                                                     .multiply = reference_multiply,
                                                     .dot = reference_dot,
                                                     .gather = reference_gather,
                                                     .scatter = reference_scatter,
                                                     .upload = reference_upload,
                                                     .download = reference_download,
                                                     .upload_double = reference_upload_double,
                                                     .download_double = reference_download_double,
                                                     .image = reference_image,
                                                     .tensor_in = reference_tensor_in,
                                                     .tensor_out = reference_tensor_out,
                                                     .adam = reference_adam,
                                                     .momentum = reference_momentum,
                                                     .kernel = kernel_of };
