/* The Winograd kernels of one instruction set: compiled with -DISA=avx2 or avx512. */
#include "winograd_kernels.h"

#include <string.h>

/* No vector crosses a call, as all functions that take or return one are inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

/* F(m x m, 3 x 3) follows from the m + 1 points that its polynomials are evaluated at: 0, infinity
   and pairs p, -p. Rounding errors grow with the points' powers and differences; these lose the
   least of those tried: a convolution of 64 channels errs by 7e-7 of the result with tiles of 4,
   and by 3e-6 with tiles of 6, where sums of floats err by 3e-7. */
struct points {
    float at[3];        /* p */
    float others[3][3]; /* the product of (t - q q) over the other pairs: its coefficients, of 1
                           first */
    float all[4];       /* the product over all pairs */
    float norm[3];      /* the product of p - q over all other points: 2 p p others(p p) */
    float norm_zero;
};
#define ROOT_HALF .70710678f
static const struct points points4 = { .at = { ROOT_HALF, 2 * ROOT_HALF },
                                       .others = { { -2, 1 }, { -.5f, 1 } },
                                       .all = { 1, -2.5f, 1 },
                                       .norm = { -1.5f, 6 },
                                       .norm_zero = 1 };
static const struct points points6 = {
    .at = { .5f, 1, 2 },
    .others = { { 4, -5, 1 }, { 1, -4.25f, 1 }, { .25f, -1.25f, 1 } },
    .all = { -1, 5.25f, -5.25f, 1 },
    .norm = { 1.40625f, -4.5f, 90 },
    .norm_zero = -1
};

#define LANES 8
#include "winograd_lanes.h"
#undef LANES
#define LANES 16
#include "winograd_lanes.h"

#define SET(m, lanes)                                                                              \
    {                                                                                              \
        .tile = m, .panel = panel_##lanes, .take_inputs = take_inputs_##lanes##_##m,               \
        .take_outputs = take_outputs_##lanes##_##m, .put_outputs = put_outputs_##lanes##_##m,      \
        .add_inputs = add_inputs_##lanes##_##m, .weights = weights_##lanes##_##m,                  \
        .weights_back = weights_back_##lanes##_##m, .weights_bar = weights_bar_##lanes##_##m,      \
        .product = product_##lanes                                                                 \
    }
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
const struct meta_winograd_set JOIN(meta_winograd_, ISA) = {
    .name = TEXT(ISA), .lanes8 = { SET(4, 8), SET(6, 8) }, .lanes16 = { SET(4, 16), SET(6, 16) }
};
