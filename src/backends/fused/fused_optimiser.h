/* The update of Adam in vectors: fused_optimiser.c is compiled once an instruction set, as
   fused_kernels.c is. */
#ifndef META_FUSED_OPTIMISER_H
#define META_FUSED_OPTIMISER_H

#include <stddef.h>

struct meta_fused_adam {
    double rate, b1, b2, eps, decay;
    double first, second; /* 1/(1 - b1^t) and 1/(1 - b2^t), t being the number of the update */
};

/* One update of n weights w by the gradient g; m and v are its moments. The arithmetic is that of
   backends/loops/adam.h, in double, to the bit. */
typedef void meta_fused_adam_step(const struct meta_fused_adam *, float *w, const float *g,
                                  float *m, float *v, size_t n);

meta_fused_adam_step meta_fused_adam_base, meta_fused_adam_avx2, meta_fused_adam_avx512;

#endif
