/* The oneDNN backend: blocked floats, one thread a program, as tasks run side by side instead.
   Here is its table, and which kernel runs which operation. */
#include "onednn.h"
#include "onednn_connected.h"
#include "onednn_conv.h"
#include "onednn_engine.h"
#include "onednn_epilogue.h"
#include "onednn_groups.h"
#include "onednn_guard.h"
#include "onednn_narrow.h"
#include "onednn_plain.h"
#include "onednn_shortcut.h"
#include "onednn_stem.h"
#include "onednn_wide.h"
#include "onednn_winograd.h"

#define REAL float
#define AT(b, k, p, C, P) meta_onednn_at(b, k, p, C, P)
#define IMAGE(s) meta_onednn_image(s)
#define NAME(x) onednn_##x
#include "backends/loops/tensors.h"
#include "backends/loops/vectors.h"

/* oneDNN's own convolutions, and kernels for what it has none for, or slow ones. */
static const struct meta_kernel *kernel_alone(const struct meta_op *op)
{
    static const struct meta_kernel *const kernels[META_OP_KINDS] = {
        [META_OP_CONV] = &meta_onednn_conv,        [META_OP_CONNECTED] = &meta_onednn_connected,
        [META_OP_LOCAL] = &meta_plain_local,       [META_OP_EPILOGUE] = &meta_plain_epilogue,
        [META_OP_STEM] = &meta_onednn_stem,        [META_OP_AVGPOOL] = &meta_plain_avgpool,
        [META_OP_SHORTCUT] = &meta_plain_shortcut, [META_OP_ROUTE] = &meta_plain_route,
        [META_OP_DROPOUT] = &meta_plain_dropout,   [META_OP_PICK] = &meta_plain_pick,
        [META_OP_SCALE] = &meta_plain_scale,       [META_OP_PLUGIN] = &meta_plain_plugin,
        [META_OP_LOSS] = &meta_plain_loss,         [META_OP_PAIRING] = &meta_plain_pairing,
        [META_OP_SQUARES] = &meta_plain_squares
    };
    if (op->kind == META_OP_CONV && meta_onednn_narrow_fits(op)) return &meta_onednn_narrow;
    if (op->kind == META_OP_CONNECTED && meta_onednn_wide_fits(op)) return &meta_onednn_wide;
    if (op->kind == META_OP_CONV && meta_layer_groups(op->layer) > 1) return &meta_onednn_groups;
    if (op->kind == META_OP_EPILOGUE && meta_onednn_epilogue_fits(op)) return &meta_onednn_epilogue;
    if (op->kind == META_OP_SHORTCUT && meta_onednn_shortcut_fits(op)) return &meta_onednn_shortcut;
    return kernels[op->kind];
}

static const struct meta_kernel *kernel_of(const struct meta_op *op)
{
    if (op->kind == META_OP_CONV && meta_onednn_winograd_fits(op)) return &meta_onednn_winograd;
    return kernel_alone(op);
}

/* As loops/adam.h does it, to the bit, in vectors. */
static void fused_adam(void *p, const void *gradient, void *m, void *v, size_t n, double rate,
                       double b1, double b2, double eps, double decay, long t)
{
    struct meta_fused_adam a = {
        rate, b1, b2, eps, decay, 1 / (1 - pow(b1, t)), 1 / (1 - pow(b2, t))
    };
    meta_fused()->adam(&a, p, gradient, m, v, n);
}

static const char *instructions(void) { return meta_fused()->name; }

/* The other set computes other last digits. */
static const char *instructions_alone(void)
{
    return meta_fused() == &meta_fused_avx512 ? "avx512, kernels onednn"
        : meta_fused() == &meta_fused_avx2    ? "avx2, kernels onednn"
                                              : meta_fused()->name;
}

#define TABLE(its_kernels, its_instructions)                                                       \
    {                                                                                              \
        .name = "onednn", .element = sizeof(float), .open = meta_onednn_open,                      \
        .instructions = its_instructions, .allocate = onednn_allocate, .release = free,            \
        .set = onednn_set, .copy = onednn_copy, .axpy = onednn_axpy, .scale = onednn_scale,        \
        .multiply = onednn_multiply, .dot = onednn_dot, .gather = onednn_gather,                   \
        .scatter = onednn_scatter, .upload = onednn_upload, .download = onednn_download,           \
        .upload_double = onednn_upload_double, .download_double = onednn_download_double,          \
        .stem = meta_onednn_stem_fits, .image = onednn_image, .tensor_in = onednn_tensor_in,       \
        .tensor_out = onednn_tensor_out, .adam = fused_adam, .momentum = onednn_momentum,          \
        .kernel = its_kernels, .failed = meta_onednn_failed                                        \
    }
const struct meta_backend meta_backend_onednn = TABLE(kernel_of, instructions);
const struct meta_backend meta_backend_onednn_alone = TABLE(kernel_alone, instructions_alone);
