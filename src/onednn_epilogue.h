/* What an epilogue of the oneDNN backend keeps, and its arithmetic a channel; shared with the first layers (onednn_stem.c), whose
   sweeps are others. */
#ifndef META_ONEDNN_EPILOGUE_H
#define META_ONEDNN_EPILOGUE_H

#include "backend.h"
#include "epilogue_math.h"
#include "fused_kernels.h"

/* Per-channel constants, (padded) floats each; 0 for the padding, which so stays 0. */
enum { META_GAIN, META_CENTRE, META_SHIFT, META_UNIT /* r */, META_P, META_Q, META_S, META_A, META_B, META_D, META_U, META_V, META_ROWS };

struct meta_epilogue {
    const struct meta_fused *fused;
    int c, block, blocks, batch;      /* blocks of an image: padded channels / block */
    float negative;
    size_t pixels, outputs;           /* of one image */
    struct meta_map map;
    struct meta_channel *channels;    /* (c) */
    float *row[META_ROWS];
    double *sums;                     /* (blocks, 2, block) */
    float *kept, *keptdot;            /* (batch, blocks, outputs, block) x and xdot of the winners; NULL without a pool */
    uint8_t *winner;                  /* likewise */
    void *constants;
};

int  meta_epilogue_open(struct meta_epilogue *, const struct meta_op *, int tangents, struct meta_error *);
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

/* The four passes but for their sweeps over pixels. at, atdot: x and xdot where adjoints reach, (batch, blocks, outputs, block).
   forward:          e->channels are set; sets gain, centre, shift, unit
   backward:         sums over zbar; writes the gradient of scales and biases; sets a, b
   forward_tangent:  takes sum(xdot) and sum(xdot (x - centre)) from e->sums; sets p, q, s
   backward_tangent: sums over zbar and zbardot; writes its part of the product; sets a, b, d, u, v */
void meta_epilogue_forward(struct meta_epilogue *, const struct meta_op *, const float *theta);
void meta_epilogue_backward(struct meta_epilogue *, const struct meta_op *, const float *theta, const float *at, float *gradient);
void meta_epilogue_forward_tangent(struct meta_epilogue *, const struct meta_op *, const float *theta, const float *v);
void meta_epilogue_backward_tangent(struct meta_epilogue *, const struct meta_op *, const float *theta, const float *v,
                                    const float *at, const float *atdot, float *product);

/* Batch mean and variance of the last forward, (channels) each. */
void meta_epilogue_statistics(const struct meta_epilogue *, float *mean, float *variance);

#endif
