/* Second moments of the patches that a 3x3 convolution with one pixel of zeros around sees. The
   outputs of a convolution are linear in the patches, so that its batch statistics, and every
   part of its weights' gradient that batch normalisation spreads over all pixels, follow from
   these few numbers without the outputs. */
#ifndef META_PATCHES_H
#define META_PATCHES_H

#include "engine/backend.h"

#define META_PATCH 9                    /* pixels */
#define META_MOST_TAPS (3 * META_PATCH) /* of three channels */

/* Tap (c, dy, dx) of the patch at (y, x) is image[c][y+dy-1][x+dx-1], and 0 outside the image;
   its number is (c*3 + dy)*3 + dx. */
struct meta_patches {
    int taps;                                         /* 9 channels */
    double count;                                     /* patches: batch h w */
    double sum[META_MOST_TAPS];                       /* of a tap */
    double product[META_MOST_TAPS][META_MOST_TAPS];   /* of two taps */
    double deviation[META_MOST_TAPS][META_MOST_TAPS]; /* of two taps less their means */
};

/* images: (batch, c, h, w) planar, of one to three channels. scratch: meta_patches_scratch
   doubles of the caller. */
void meta_patches_measure(struct meta_patches *, const float *images, int batch, struct meta_shape,
                          double *scratch);
size_t meta_patches_scratch(struct meta_shape);

/* The mean of the output w.patch, w being (taps) weights. */
double meta_patches_mean(const struct meta_patches *, const float *w);
/* The sum over patches of (w.patch - its mean) (v.patch - its mean). */
double meta_patches_deviation(const struct meta_patches *, const float *w, const float *v);

/* What the weights of an output get that pulls at every pixel with a + b (w.patch - centre). */
struct meta_pull {
    double a, b;
    const float *w;
    double centre;
};

/* out (taps) += a sum(patch) + b sum((w.patch - centre) patch) */
void meta_patches_add(const struct meta_patches *, const struct meta_pull *, double *out);

#endif
