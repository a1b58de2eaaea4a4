/* The plan of one convolution by Winograd's tiles: which tiles, how a batch is cut, and where
   things lie in the scratch memory. */
#ifndef META_ONEDNN_WINOGRAD_PLAN_H
#define META_ONEDNN_WINOGRAD_PLAN_H

#include "engine/backend.h"
#include "backends/winograd/winograd_kernels.h"

/* How one kind of pass goes through the maps. */
struct meta_winograd_cut {
    const struct meta_winograd *kernels;
    int places; /* of a tile */
    struct meta_winograd_maps x, y;
    struct meta_winograd_maps sum; /* of xbar, as far as the tiles reach */
    struct meta_winograd_weights weights;
    int group, block;        /* images, and tiles of a group that go through at once; at most */
    size_t x_row, y_row;     /* numbers of a tile at one place */
    size_t x_place, y_place; /* from one place to the next, of a block */
};

/* The forward's values decide which side of its kink an activation is on and which pixel wins in a
   pool, and an error there makes the gradient another one: they come from the more accurate tiles
   of 4. What the other passes compute is linear in what they are given. */
struct meta_winograd_plan {
    struct meta_winograd_cut forward, others;

    /* in the scratch memory, in bytes: transformed weights and their tangent, their gradient, tiles
       of a block, those of a product, and xbar of a group */
    size_t u_at, udot_at, wbar_at;
    size_t x_at, xdot_at, y_at, ydot_at;
    size_t product_at;
    size_t sum_at;
};

/* Makes the plan, the state of the operation, and says how much scratch memory it takes. */
int meta_winograd_plan_create(struct meta_op *, int tangents, struct meta_error *);
void meta_winograd_plan_destroy(struct meta_op *);

#endif
