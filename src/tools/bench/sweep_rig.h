/* One convolution by itself, ready to be timed. */
#ifndef META_SWEEP_RIG_H
#define META_SWEEP_RIG_H

#include "engine/lower.h"
#include "sweep.h"

#define META_SWEEP_BATCH 4

struct meta_sweep_rig {
    const struct meta_backend *backend;
    struct meta_network *network;
    struct meta_lowered low;
    struct meta_op *op; /* the convolution */
    void *theta, *v, *gradient;
};

/* The caller zeroes the rig, and closes it also after a failure. */
int meta_sweep_open(struct meta_sweep_rig *, const struct meta_backend *, struct meta_sweep_shape,
                    struct meta_error *);
void meta_sweep_close(struct meta_sweep_rig *);

/* Runs forward and backward, or the two tangents, `runs` times on this thread. Returns seconds of
   processor time of one image. */
double meta_sweep_gradient(const struct meta_sweep_rig *, int runs);
double meta_sweep_product(const struct meta_sweep_rig *, int runs);

#endif
