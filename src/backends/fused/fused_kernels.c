/* Compiled once an instruction set, with -DISA=base, avx2 or avx512; see fused_kernels.h. Sums run in floats over a strip of
   pixels and in doubles over strips. */
#include "fused_kernels.h"

#define STRIP 64    /* pixels a float sum runs over */

typedef const float *restrict in_t;
typedef float *restrict out_t;
typedef const float *from_t;          /* its pixels may be overwritten, each after its last reading, by: */
typedef float *over_t;
typedef double *restrict sums_t;
typedef const uint8_t *restrict marks_t;

#define LANES 8
#include "fused_body.h"
#undef LANES
#define LANES 16
#include "fused_body.h"

/* out[l] += the sum over rows and x of p[x] q[x + l]. */
static void lag_products(const double *restrict p, const double *restrict q, int rows, size_t stride, int n, double out[5])
{
    typedef double D __attribute__((vector_size(64), aligned(8), may_alias));
    D sum[5] = { {0}, {0}, {0}, {0}, {0} };
    for (int r = 0; r < rows; r++, p += stride, q += stride)
        for (int x = 0; x < n; x += 8) {
            D a = *(const D *)(p + x);
#pragma GCC unroll 5
            for (int l = 0; l < 5; l++) sum[l] += a * *(const D *)(q + x + l);
        }
    for (int l = 0; l < 5; l++)
        for (int i = 0; i < 8; i++) out[l] += sum[l][i];
}

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define SET(lanes) { moments##lanes, products##lanes, slopes##lanes, slopes_pool##lanes, slope_tangents##lanes, slope_tangents_pool##lanes, \
                     forward##lanes, forward_pool##lanes, backward##lanes, backward_pool##lanes, tangent##lanes, tangent_pool##lanes, \
                     backward_tangent##lanes, backward_tangent_pool##lanes, join##lanes, join_tangent##lanes, part##lanes, \
                     stem##lanes, stem_tangent##lanes, stem_weights##lanes }

const struct meta_fused_set JOIN(meta_fused_, ISA) = { TEXT(ISA), SET(8), SET(16), lag_products };
