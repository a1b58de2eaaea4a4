/* Epilogues of the oneDNN backend on the fused sweeps. The state and its arithmetic per channel
   are here for the first layers (onednn_stem.c) too, whose sweeps are others. */
#ifndef META_ONEDNN_EPILOGUE_H
#define META_ONEDNN_EPILOGUE_H

#include "backends/fused/fused_kernels.h"
#include "backends/loops/epilogue_math.h"
#include "engine/backend.h"

extern const struct meta_kernel meta_onednn_epilogue;

/* Whether meta_onednn_epilogue can do this epilogue: it is piecewise linear, and without a pool
   or with Darknet's 2x2/2 one. */
int meta_onednn_epilogue_fits(const struct meta_op *);

/* z = y > 0 ? y : negative y, for the activations that the sweeps know. */
static inline float meta_negative(enum meta_activation a)
{
    return a == META_RELU ? 0 : a == META_LEAKY ? .1f : 1;
}

struct meta_epilogue {
    const struct meta_fused *fused;
    int c, block, blocks, batch; /* channels, channels a block, blocks an image, images */
    size_t pixels, outputs;      /* of one channel, before and after the pool */
    struct meta_map map;
    struct meta_channel *channels;   /* (c) */
    struct meta_constants all;       /* (padded channels) each; 0 for the padding, so that what the
                                        sweeps write there stays 0 */
    struct meta_constants *of_block; /* (blocks) where the constants of a block begin in `all` */
    double *sums;                    /* (blocks, 2, block) */
    uint8_t *marks;                  /* (batch, blocks, outputs, block); NULL without a pool */
    float *memory;                   /* what `all` points into */
};

int meta_epilogue_open(struct meta_epilogue *, const struct meta_op *, struct meta_error *);
void meta_epilogue_close(struct meta_epilogue *); /* frees what it holds, not itself */

/* One block of one image: where its pixels begin in an unpooled and in a pooled tensor, and the
   constants and sums of its channels. */
struct meta_block {
    size_t in, out;
    const struct meta_constants *constants;
    double *sums;
};

/* Block n of a batch of batch x blocks, image by image. */
static inline struct meta_block meta_epilogue_block(const struct meta_epilogue *e, int n)
{
    int k = n % e->blocks;
    return (struct meta_block){ n * e->pixels * e->block, n * e->outputs * e->block,
                                &e->of_block[k], e->sums + 2 * k * e->block };
}

static inline int meta_epilogue_blocks(const struct meta_epilogue *e)
{
    return e->batch * e->blocks;
}

void meta_epilogue_clear_sums(struct meta_epilogue *);

/* Where the sum `which`, 0 or 1, of channel k lies. */
static inline double *meta_epilogue_sum(const struct meta_epilogue *e, int k, int which)
{
    return &e->sums[(k / e->block * 2 + which) * e->block + k % e->block];
}

/* The passes but for their sweeps over pixels. Those that take sums find them in e->sums, as struct
   meta_fused describes them.
   forward:          e->channels are set; sets gain, centre, shift, r
   backward:         takes the sums over ybar (slopes); writes the gradient of scales and biases;
                     sets a, b
   forward_tangent:  takes sum(xdot) and sum(xdot (x - centre)) (products); sets p, q, s of zdot
   hats:             sets p, q, s of hatdot
   backward_tangent: takes the sums over ybar and ybardot (slope_tangents); writes the product's
   part of
                     scales and biases; sets a, b, d, u, v */
void meta_epilogue_forward(struct meta_epilogue *, const struct meta_op *, const float *theta);
void meta_epilogue_backward(struct meta_epilogue *, const struct meta_op *, const float *theta,
                            float *gradient);
void meta_epilogue_forward_tangent(struct meta_epilogue *, const struct meta_op *,
                                   const float *theta, const float *v);
void meta_epilogue_hats(struct meta_epilogue *, const struct meta_op *);
void meta_epilogue_backward_tangent(struct meta_epilogue *, const struct meta_op *,
                                    const float *theta, const float *v, float *product);

/* Batch mean and variance of the last forward, (channels) each. */
void meta_epilogue_statistics(const struct meta_epilogue *, float *mean, float *variance);

#endif
