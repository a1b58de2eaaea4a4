/* The oneDNN backend: blocked floats, one thread a program (tasks run side by side instead). */
#include "onednn_epilogue.h"
#include "onednn_internal.h"

#include <omp.h>
#include <pthread.h>

#define REAL float
#define AT(b, k, p, C, P) meta_onednn_at(b, k, p, C, P)
#define IMAGE(s) meta_onednn_image(s)
#define NAME(x) plain_##x
#include "backends/loops/kernels.h"
#include "backends/loops/vectors.h"
#include "backends/loops/pairing.h"

static dnnl_engine_t engine;
int meta_onednn_shift = 3;

dnnl_engine_t meta_onednn_engine(void) { return engine; }

static void create_engine(void)
{
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    if ((isa & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core) meta_onednn_shift = 4;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) engine = NULL;
}

/* A primitive is made for as many threads as its maker may use, so that this must come before the first one. */
static int onednn_open(struct meta_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    omp_set_num_threads(1);
    pthread_once(&once, create_engine);
    return engine ? 0 : meta_fail(error, "oneDNN has no CPU engine here");
}

/* ---- the plain loops leave a block's padding as it was: put its zeros back ---------------------------------------------- */

static void zero_padding(void *tensor, int batch, struct meta_shape shape)
{
    float *t = tensor;
    size_t block = (size_t)1 << meta_onednn_shift, P = (size_t)shape.h * shape.w;
    size_t used = shape.c & (block - 1), last = (meta_onednn_padded(shape.c) - block) * P;
    if (!t || !used || meta_onednn_planar(shape.c)) return;
    for (int b = 0; b < batch; b++)
        for (size_t p = 0; p < P; p++)
            memset(t + b * meta_onednn_image(shape) + last + p * block + used, 0, (block - used) * sizeof *t);
}

#define EACH_INPUT(op, plane) for (int i = 0; i < (op)->inputs; i++) zero_padding((op)->x[i].plane, (op)->batch, (op)->in[i])
#define PADDED_KERNEL(kind)                                                                                         \
static void kind##_forward(struct meta_op *op, const void *theta)                                                   \
{ plain_##kind##_forward(op, theta); zero_padding(op->y.value, op->batch, op->out); }                               \
static void kind##_backward(struct meta_op *op, const void *theta, void *gradient)                                  \
{ plain_##kind##_backward(op, theta, gradient); EACH_INPUT(op, bar); }                                              \
static void kind##_forward_tangent(struct meta_op *op, const void *theta, const void *v)                            \
{ plain_##kind##_forward_tangent(op, theta, v); zero_padding(op->y.dot, op->batch, op->out); }                      \
static void kind##_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)            \
{ plain_##kind##_backward_tangent(op, theta, v, product); EACH_INPUT(op, bardot); }

PADDED_KERNEL(epilogue)
static void epilogue_forward_tangent_again(struct meta_op *op, const void *theta, const void *v)
{ epilogue_forward_tangent(op, theta, v); zero_padding(op->y.value, op->batch, op->out); }
PADDED_KERNEL(avgpool)
PADDED_KERNEL(shortcut)
PADDED_KERNEL(dropout)
PADDED_KERNEL(plugin)

/* ---- route: where every part but the last is of whole blocks, an image's blocks follow each other ------------------------- */

static int whole_blocks(const struct meta_op *op)
{
    int block = 1 << meta_onednn_shift;
    for (int i = 0; i < op->inputs; i++)
        if (meta_onednn_planar(op->in[i].c) || (i < op->inputs - 1 && op->in[i].c % block)) return 0;
    return 1;
}

/* join: the parts to the whole; else the other way. A part without such a plane is zeros, or not wanted. */
static void move_blocks(const struct meta_op *op, int join, float *whole, size_t plane)
{
    size_t image = meta_onednn_image(op->out), first = 0;
    for (int i = 0; i < op->inputs; i++) {
        float *part = *(float *const *)((const char *)&op->x[i] + plane);
        size_t n = meta_onednn_image(op->in[i]);
        for (int b = 0; b < op->batch; b++) {
            float *at = whole + b * image + first;
            if (join && part) memcpy(at, part + b * n, n * sizeof *at);
            else if (join) memset(at, 0, n * sizeof *at);
            else if (part) memcpy(part + b * n, at, n * sizeof *at);
        }
        first += n;
    }
}

static void route_forward(struct meta_op *op, const void *theta)
{
    if (whole_blocks(op)) { move_blocks(op, 1, op->y.value, offsetof(struct meta_planes, value)); return; }
    plain_route_forward(op, theta);
    zero_padding(op->y.value, op->batch, op->out);
}

static void route_backward(struct meta_op *op, const void *theta, void *gradient)
{
    if (whole_blocks(op)) { move_blocks(op, 0, op->y.bar, offsetof(struct meta_planes, bar)); return; }
    plain_route_backward(op, theta, gradient);
    EACH_INPUT(op, bar);
}

static void route_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{
    if (whole_blocks(op)) { move_blocks(op, 1, op->y.dot, offsetof(struct meta_planes, dot)); return; }
    plain_route_forward_tangent(op, theta, v);
    zero_padding(op->y.dot, op->batch, op->out);
}

static void route_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{
    if (whole_blocks(op)) { move_blocks(op, 0, op->y.bardot, offsetof(struct meta_planes, bardot)); return; }
    plain_route_backward_tangent(op, theta, v, product);
    EACH_INPUT(op, bardot);
}

/* ---- pairing and loss ------------------------------------------------------------------------------------------------------ */

static void pairing_forward(struct meta_op *op, const void *theta)
{ plain_pairing_forward(op, theta); zero_padding(op->y.value, op->out_batch, op->out); }
static void pairing_backward(struct meta_op *op, const void *theta, void *gradient)
{ plain_pairing_backward(op, theta, gradient); EACH_INPUT(op, bar); }

/* The loss has no output tensor. */
static void loss_backward(struct meta_op *op, const void *theta, void *gradient)
{ plain_loss_backward(op, theta, gradient); EACH_INPUT(op, bar); }
static void loss_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{ plain_loss_backward_tangent(op, theta, v, product); EACH_INPUT(op, bardot); }

/* ---- epilogue and shortcut: fused sweeps where they apply, else the plain loops ------------------------------------------------ */

static int fusible(const struct meta_op *op)
{
    return op->activation != META_LOGISTIC && !meta_onednn_planar(op->out.c)
        && (!op->pool_size || (op->pool_size == 2 && op->pool_stride == 2 && op->pool_padding < 2));
}

static const struct meta_kernel *epilogue_of(const struct meta_op *op)
{
    static const struct meta_kernel plain = { plain_epilogue_create, plain_epilogue_destroy, epilogue_forward, epilogue_backward,
                                              epilogue_forward_tangent_again, epilogue_backward_tangent };
    return fusible(op) ? &meta_onednn_epilogue : &plain;
}

static const struct meta_kernel *shortcut_of(const struct meta_op *op)
{
    static const struct meta_kernel plain = { plain_shortcut_create, plain_shortcut_destroy, shortcut_forward, shortcut_backward,
                                              shortcut_forward_tangent, shortcut_backward_tangent };
    return meta_onednn_shortcut_fits(op) ? &meta_onednn_shortcut : &plain;
}

/* kind_kernel: for each operation the one that kind_of says. */
#define CHOSEN_KERNEL(kind)                                                                                         \
static int any_##kind##_create(struct meta_op *op, int tangents, struct meta_error *error)                          \
{ return kind##_of(op)->create(op, tangents, error); }                                                              \
static void any_##kind##_destroy(struct meta_op *op)                                                                \
{ kind##_of(op)->destroy(op); }                                                                                     \
static void any_##kind##_forward(struct meta_op *op, const void *theta)                                             \
{ kind##_of(op)->forward(op, theta); }                                                                              \
static void any_##kind##_backward(struct meta_op *op, const void *theta, void *gradient)                            \
{ kind##_of(op)->backward(op, theta, gradient); }                                                                   \
static void any_##kind##_forward_tangent(struct meta_op *op, const void *theta, const void *v)                      \
{ kind##_of(op)->forward_tangent(op, theta, v); }                                                                   \
static void any_##kind##_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)      \
{ kind##_of(op)->backward_tangent(op, theta, v, product); }                                                         \
static const struct meta_kernel kind##_kernel = { any_##kind##_create, any_##kind##_destroy, any_##kind##_forward, \
    any_##kind##_backward, any_##kind##_forward_tangent, any_##kind##_backward_tangent };

CHOSEN_KERNEL(epilogue)
CHOSEN_KERNEL(shortcut)
static const struct meta_kernel avgpool_kernel = { NULL, NULL, avgpool_forward, avgpool_backward,
                                                   avgpool_forward_tangent, avgpool_backward_tangent };
static const struct meta_kernel route_kernel = { NULL, NULL, route_forward, route_backward,
                                                 route_forward_tangent, route_backward_tangent };
static const struct meta_kernel dropout_kernel = { NULL, NULL, dropout_forward, dropout_backward,
                                                   dropout_forward_tangent, dropout_backward_tangent };
static const struct meta_kernel plugin_kernel = { plain_plugin_create, plain_plugin_destroy, plugin_forward, plugin_backward,
                                                  plugin_forward_tangent, plugin_backward_tangent };
static const struct meta_kernel loss_kernel = { plain_loss_create, plain_loss_destroy, plain_loss_forward, loss_backward,
                                                plain_loss_forward_tangent, loss_backward_tangent };

static const struct meta_kernel pairing_kernel = { plain_pairing_create, plain_pairing_destroy, pairing_forward, pairing_backward, NULL, NULL };

static void batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    if (op->kind == META_OP_STEM || fusible(op)) {
        meta_epilogue_statistics(op->state, mean, variance);      /* a stem's state begins with its epilogue's */
        return;
    }
    const struct plain_epilogue *e = op->state;
    for (int k = 0; k < op->out.c; k++) {
        mean[k] = e->channels[k].mean;
        variance[k] = e->channels[k].variance;
    }
}

const struct meta_backend meta_backend_onednn = {
    .name = "onednn", .element = sizeof(float), .open = onednn_open,
    .allocate = plain_allocate, .release = free,
    .set = plain_set, .copy = plain_copy, .axpy = plain_axpy, .scale = plain_scale, .dot = plain_dot,
    .upload = plain_upload, .download = plain_download,
    .upload_double = plain_upload_double, .download_double = plain_download_double,
    .stem = meta_onednn_stem_fits, .image = plain_image, .tensor_in = plain_tensor_in, .tensor_out = plain_tensor_out,
    .adam = plain_adam, .momentum = plain_momentum,
    .batch_statistics = batch_statistics, .probabilities = plain_probabilities,
    .kernels = { [META_OP_CONV] = &meta_onednn_conv, [META_OP_CONNECTED] = &meta_onednn_connected,
                 [META_OP_EPILOGUE] = &epilogue_kernel, [META_OP_STEM] = &meta_onednn_stem, [META_OP_AVGPOOL] = &avgpool_kernel,
                 [META_OP_SHORTCUT] = &shortcut_kernel, [META_OP_ROUTE] = &route_kernel,
                 [META_OP_DROPOUT] = &dropout_kernel, [META_OP_PLUGIN] = &plugin_kernel,
                 [META_OP_LOSS] = &loss_kernel, [META_OP_PAIRING] = &pairing_kernel,
                 [META_OP_SQUARES] = &plain_squares_kernel }
};
