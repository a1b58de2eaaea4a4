/* What an epilogue of the oneDNN backend keeps, and its arithmetic a channel; shared with the first layers (onednn_stem.c), whose
   sweeps are others. */
#ifndef META_ONEDNN_EPILOGUE_H
#define META_ONEDNN_EPILOGUE_H

#include "engine/backend.h"
#include "backends/loops/epilogue_math.h"
#include "backends/fused/fused_kernels.h"

/* Per-channel constants, (padded) floats each; 0 for the padding, which so stays 0. */
enum { META_GAIN, META_CENTRE, META_SHIFT, META_UNIT /* r */, META_P, META_Q, META_S, META_A, META_B, META_D, META_U, META_V, META_ROWS };

/* z = y > 0 ? y : negative y, of the activations that the sweeps know. */
static inline float meta_negative(enum meta_activation a) { return a == META_RELU ? 0 : a == META_LEAKY ? .1f : 1; }

struct meta_epilogue {
    const struct meta_fused *fused;
    int c, block, blocks, batch;      /* blocks of an image: padded channels / block */
    float negative;
    size_t pixels, outputs;           /* of one image */
    struct meta_map map;
    struct meta_channel *channels;    /* (c) */
    float *row[META_ROWS];
    double *sums;                     /* (blocks, 2, block) */
    uint8_t *marks;                   /* (batch, blocks, outputs, block) what the pool took; NULL without one */
    void *constants;
};

int  meta_epilogue_open(struct meta_epilogue *, const struct meta_op *, struct meta_error *);
void meta_epilogue_close(struct meta_epilogue *);        /* frees what it holds, not itself */

/* Runs `call`, one of e->fused, for each block of each image: `in` and `out` are where its pixels begin in an unpooled and a pooled
   tensor; META_R(row) and META_SUMS are its channels' constants and sums. */
#define META_EACH_BLOCK(e, call)                                                         \
    for (int n_ = 0; n_ < (e)->batch * (e)->blocks; n_++) {                              \
        size_t in = n_ * (e)->pixels * (e)->block, out = n_ * (e)->outputs * (e)->block; \
        int first_ = n_ % (e)->blocks * (e)->block;                                      \
        (void)in, (void)out, (void)first_;                                               \
        (e)->fused->call;                                                                \
    }
#define META_R(name) (e->row[META_##name] + first_)
#define META_SUMS (e->sums + 2 * first_)
#define META_AFFINE META_R(GAIN), META_R(CENTRE), META_R(SHIFT), e->negative

void meta_epilogue_clear_sums(struct meta_epilogue *);

/* The passes but for their sweeps over pixels; those that take sums find them in e->sums, as struct meta_fused says.
   forward:          e->channels are set; sets gain, centre, shift, unit
   backward:         takes the sums over ybar (slopes); writes the gradient of scales and biases; sets a, b
   forward_tangent:  takes sum(xdot) and sum(xdot (x - centre)); sets p, q, s of zdot
   hats:             sets p, q, s of hatdot
   backward_tangent: takes the sums over ybar and ybardot (slope_tangents); writes its part of the product; sets a, b, d, u, v */
void meta_epilogue_forward(struct meta_epilogue *, const struct meta_op *, const float *theta);
void meta_epilogue_backward(struct meta_epilogue *, const struct meta_op *, const float *theta, float *gradient);
void meta_epilogue_forward_tangent(struct meta_epilogue *, const struct meta_op *, const float *theta, const float *v);
void meta_epilogue_hats(struct meta_epilogue *, const struct meta_op *);
void meta_epilogue_backward_tangent(struct meta_epilogue *, const struct meta_op *, const float *theta, const float *v, float *product);

/* The two sums of channel k, where they lie */
static inline double *meta_epilogue_sum(const struct meta_epilogue *e, int k, int which)
{
    return &e->sums[(k / e->block * 2 + which) * e->block + k % e->block];
}

/* Batch mean and variance of the last forward, (channels) each. */
void meta_epilogue_statistics(const struct meta_epilogue *, float *mean, float *variance);

#endif
