/* Compiled once an instruction set, with -DISA=base, avx2 or avx512; see fused_kernels.h. Sums run in floats over a strip of
   pixels and in doubles over strips. */
#include "fused_kernels.h"

#define STRIP 64    /* pixels a float sum runs over */

typedef const float *restrict in_t;
typedef float *restrict out_t;
typedef const float *from_t;          /* its pixels may be overwritten, each after its last reading, by: */
typedef float *over_t;
typedef double *restrict sums_t;
typedef const uint8_t *restrict winners_t;

#define LANES 8
#include "fused_body.h"
#undef LANES
#define LANES 16
#include "fused_body.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)
#define SET(lanes) { moments##lanes, products##lanes, slopes##lanes, slope_tangents##lanes, forward##lanes, \
                     forward_pool##lanes, backward##lanes, backward_pool##lanes, tangent##lanes, tangent_pool##lanes, \
                     backward_tangent##lanes, backward_tangent_pool##lanes }

const struct meta_fused_set JOIN(meta_fused_, ISA) = { TEXT(ISA), SET(8), SET(16) };
