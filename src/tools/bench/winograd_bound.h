/* What a 3x3 convolution with stride 1 costs at least by Winograd's F(m x m, 3x3): the bound that
   its speed is held against, beside the direct convolution's. */
#ifndef META_WINOGRAD_BOUND_H
#define META_WINOGRAD_BOUND_H

#include "network/network.h"

/* What a step does with a convolution y = W x. `active`: x depends on a parameter; without it xbar
   is not wanted and xdot is 0, and DATA costs nothing.

       FORWARD        y = W x
       WEIGHTS        Wbar = ybar x'
       DATA           xbar = W' ybar
       TANGENT        ydot = Wdot x + W xdot
       BACK_TANGENT   Wbardot = ybardot x' + ybar xdot', xbardot = W' ybardot + Wdot' ybar */
enum meta_bound_part {
    META_BOUND_FORWARD,
    META_BOUND_WEIGHTS,
    META_BOUND_DATA,
    META_BOUND_TANGENT,
    META_BOUND_BACK_TANGENT,
    META_BOUND_PARTS
};
/* "forward", "weights_gradient", "data_gradient", "forward_tangent", "backward_tangent" */
extern const char *const meta_bound_part_names[META_BOUND_PARTS];

struct meta_bound_convolution {
    int batch; /* images */
    struct meta_shape in, out;
    int active;
};

/* Floating-point operations; an addition, a subtraction and a multiplication count as one each, and
   a fused multiply-add as two. */
struct meta_winograd_bound {
    double product;    /* (m+2)^2 multiply-adds a tile, and pair of channels */
    double transforms; /* of tiles and of weights */
};

/* m is 4 or 6. A map is covered by ceil(h/m) x ceil(w/m) tiles, those at its edges whole. A step
   transforms each tensor once: x and W for FORWARD, xdot and Wdot for TANGENT, ybar and ybardot
   once as the input of DATA and once as tiles of WEIGHTS; the others take what is there. Two
   products that are added are one of twice the depth, with one transform of the result. */
struct meta_winograd_bound meta_winograd_bound(const struct meta_bound_convolution *, int m,
                                               enum meta_bound_part);

/* Bytes to and from memory when each tensor of floats that the part's formula names is read or
   written once, and nothing else is. */
double meta_bound_bytes(const struct meta_bound_convolution *, enum meta_bound_part);

/* Whether the bound is for this layer: a 3x3 convolution with stride 1 and one group. */
int meta_winograd_bound_fits(const struct meta_layer *);

#endif
