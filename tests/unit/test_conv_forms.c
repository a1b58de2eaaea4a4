/* No pass of a convolution is left to one of oneDNN's reference loops, whatever its channels, size, stride and padding. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "backends/onednn/onednn.h"
#include "engine/lower.h"
#include "small_network.h"

/* Two convolutions, of which the second has a tangent and an adjoint of its input. */
static struct meta_network *two_convolutions(struct meta_shape input, struct meta_layer second, int between)
{
    struct meta_network *net;
    struct meta_error error;
    struct meta_layer first = { .type = META_CONVOLUTIONAL, .filters = between, .size = 1, .stride = 1, .activation = META_LINEAR };
    int where;
    if (meta_network_create(&net, input, &error)) fail_msg("%s", error.text);
    second.type = META_CONVOLUTIONAL;
    second.activation = META_LINEAR;
    layer(net, between ? first : second, 0, 0);
    if (between) layer(net, second, 0, 0);
    layer(net, (struct meta_layer){ .type = META_CONNECTED, .filters = 2, .activation = META_LINEAR }, 0, 0);
    layer(net, (struct meta_layer){ .type = META_SOFTMAX, .temperature = 1 }, 0, 0);
    if (meta_network_finish(net, 2, &where, &error)) fail_msg("layer %d: %s", where, error.text);
    return net;
}

/* Creates the last convolution's operation, as a program would, and asks it. `between` 0: it is the
   first layer, whose input has no adjoint. */
static void assert_fast(int channels, struct meta_layer l, int size, int between)
{
    struct meta_network *net = two_convolutions((struct meta_shape){ .c = between ? 3 : channels, .h = size, .w = size }, l, between);
    struct meta_lowered low;
    struct meta_error error;
    static float somewhere[1];
    if (meta_lower(&low, net, &meta_backend_onednn, 0, 4, &error)) fail_msg("%s", error.text);
    struct meta_op *op = &low.ops[between ? 2 : 0];
    const struct meta_kernel *kernel = meta_backend_onednn.kernel(op);
    assert_int_equal(op->kind, META_OP_CONV);
    op->x->bar = between ? somewhere : NULL;
    if (kernel->create(op, 1, &error)) fail_msg("%s", error.text);
    if (kernel->slow && kernel->slow(op))
        fail_msg("%s: %d to %d channels, %dx%d, stride %d, padding %d, of %dx%d, %s", kernel->slow(op), channels, l.filters, l.size,
                 l.size, l.stride, l.padding, size, size, between ? "not first" : "first");
    kernel->destroy(op);
    meta_lowered_free(&low);
    meta_network_free(net);
}

static int has_vectors(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

/* Every pair of these channels, at sizes of kernels in turn. */
static void channels_are_fast(void **state)
{
    static const int some[] = { 1, 2, 3, 4, 7, 12, 16, 20, 33, 40 };
    enum { SOME = sizeof some / sizeof *some };
    if (!has_vectors()) skip();
    for (int i = 0; i < SOME * SOME; i++) {
        struct meta_layer l = { .filters = some[i / SOME], .size = 1 + i % 7, .stride = 1, .padding = (1 + i % 7) / 2 };
        assert_fast(some[i % SOME], l, 10, 0);
        assert_fast(some[i % SOME], l, 10, some[i % SOME]);
    }
}

/* Every padding up to one more than the size, with every stride up to 3. */
static void paddings_are_fast(void **state)
{
    static const int sizes[] = { 1, 2, 3, 5, 7, 9 };
    if (!has_vectors()) skip();
    for (int i = 0; i < 6; i++)
        for (int padding = 0; padding <= sizes[i] + 1; padding++)
            for (int stride = 1; stride <= 3; stride++) {
                struct meta_layer l = { .filters = 12, .size = sizes[i], .stride = stride, .padding = padding };
                assert_fast(5, l, 14, 5);
                l.filters = 2;
                assert_fast(1, l, 9, 0);
            }
}

int main(void)
{
    struct meta_error error;
    if (meta_backend_onednn.open(&error)) return 1;
    const struct CMUnitTest tests[] = { { "no pair of channels is left to a reference loop", channels_are_fast, NULL, NULL, NULL },
                                        { "no padding is left to a reference loop", paddings_are_fast, NULL, NULL, NULL } };
    return _cmocka_run_group_tests("conv_forms", tests, sizeof tests / sizeof *tests, NULL, NULL);
}
