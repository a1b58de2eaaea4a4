/* The update of Adam, of one instruction set: compiled with -DISA=base, avx2 or avx512, and without
   the fusion of multiplications and additions, so that every set gives the bits that plain loops
   give. */
#include "fused_optimiser.h"

#include <math.h>

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

void JOIN(meta_fused_adam_, ISA)(const struct meta_fused_adam *a, float *restrict w,
                                 const float *restrict g, float *restrict m, float *restrict v,
                                 size_t n)
{
    double rate = a->rate, b1 = a->b1, b2 = a->b2, eps = a->eps, decay = a->decay;
    double first = a->first, second = a->second;
    for (size_t i = 0; i < n; i++) {
        double d = g[i] + decay * w[i];
        float mean = b1 * m[i] + (1 - b1) * d, square = b2 * v[i] + (1 - b2) * d * d;
        m[i] = mean;
        v[i] = square;
        w[i] -= rate * (mean * first) / (sqrt(square * second) + eps);
    }
}
