/* Images into tensors and back, in plain loops: a backend's source includes this file once, with
   AT, IMAGE, REAL and NAME as kernels.h describes them. */
#include "pixels.h"

#include <string.h>

static size_t NAME(image)(struct meta_shape shape) { return IMAGE(shape); }

static void NAME(tensor_in)(void *tensor, const float *planar, int batch, struct meta_shape shape)
{
    REAL *to = tensor;
    size_t P = meta_pixels(shape);
    memset(to, 0, batch * IMAGE(shape) * sizeof *to);
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) to[AT(b, k, p, shape.c, P)] = *planar++;
}

static void NAME(tensor_out)(float *planar, const void *tensor, int batch, struct meta_shape shape)
{
    const REAL *from = tensor;
    size_t P = meta_pixels(shape);
    for (int b = 0; b < batch; b++)
        for (int k = 0; k < shape.c; k++)
            for (size_t p = 0; p < P; p++) *planar++ = from[AT(b, k, p, shape.c, P)];
}
