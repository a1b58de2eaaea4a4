/* The oneDNN backend: channels-last floats, one thread a program (tasks run side by side instead). */
#include "onednn_internal.h"

#include <omp.h>
#include <pthread.h>

#define REAL float
#define AT(b, k, p, C, P) (((size_t)(b) * (P) + (p)) * (C) + (k))
#define NAME(x) plain_##x
#include "host_kernels.h"

static dnnl_engine_t engine;

dnnl_engine_t meta_onednn_engine(void) { return engine; }

static void create_engine(void)
{
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

/* ---- epilogue: the fused sweeps where they apply, else the plain loops ---------------------------------------------- */

static int fusible(const struct meta_op *op)
{
    return op->activation != META_LOGISTIC
        && (!op->pool_size || (op->pool_size == 2 && op->pool_stride == 2 && op->pool_padding < 2));
}

static const struct meta_kernel *epilogue_of(const struct meta_op *op)
{
    return fusible(op) ? &meta_onednn_epilogue : &plain_epilogue_kernel;
}

static int epilogue_create(struct meta_op *op, int tangents, struct meta_error *error)
{ return epilogue_of(op)->create(op, tangents, error); }
static void epilogue_destroy(struct meta_op *op)
{ epilogue_of(op)->destroy(op); }
static void epilogue_forward(struct meta_op *op, const void *theta)
{ epilogue_of(op)->forward(op, theta); }
static void epilogue_backward(struct meta_op *op, const void *theta, void *gradient)
{ epilogue_of(op)->backward(op, theta, gradient); }
static void epilogue_forward_tangent(struct meta_op *op, const void *theta, const void *v)
{ epilogue_of(op)->forward_tangent(op, theta, v); }
static void epilogue_backward_tangent(struct meta_op *op, const void *theta, const void *v, void *product)
{ epilogue_of(op)->backward_tangent(op, theta, v, product); }

static const struct meta_kernel epilogue_kernel = {
    epilogue_create, epilogue_destroy, epilogue_forward, epilogue_backward,
    epilogue_forward_tangent, epilogue_backward_tangent
};

static void batch_statistics(const struct meta_op *op, float *mean, float *variance)
{
    if (fusible(op)) {
        meta_onednn_batch_statistics(op, mean, variance);
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
    .tensor_in = plain_tensor_in, .tensor_out = plain_tensor_out,
    .adam = plain_adam, .momentum = plain_momentum,
    .batch_statistics = batch_statistics, .probabilities = plain_probabilities,
    .kernels = { [META_OP_CONV] = &meta_onednn_conv, [META_OP_CONNECTED] = &meta_onednn_connected,
                 [META_OP_EPILOGUE] = &epilogue_kernel, [META_OP_AVGPOOL] = &plain_avgpool_kernel,
                 [META_OP_SHORTCUT] = &plain_shortcut_kernel, [META_OP_ROUTE] = &plain_route_kernel,
                 [META_OP_DROPOUT] = &plain_dropout_kernel, [META_OP_PLUGIN] = &plain_plugin_kernel,
                 [META_OP_LOSS] = &plain_loss_kernel }
};
