/* Second moments of the patches that a 3x3 convolution with one pixel of zeros around sees. A convolution's outputs are linear in
   them, so that its batch statistics, and every part of its weights' gradient that batch normalisation spreads over all pixels,
   follow from these few numbers without the outputs. */
#ifndef META_PATCHES_H
#define META_PATCHES_H

#define META_PATCH 9                         /* pixels */
#define META_MOST_TAPS (3 * META_PATCH)      /* of three channels */

/* Tap (c, dy, dx) of the patch at (y, x) is image[c][y+dy-1][x+dx-1], 0 outside; its number is (c*3 + dy)*3 + dx. */
struct meta_patches {
    int taps;                                           /* 9 channels */
    double count;                                       /* patches: batch h w */
    double sum[META_MOST_TAPS];                         /* of a tap */
    double product[META_MOST_TAPS][META_MOST_TAPS];     /* of two taps */
    double deviation[META_MOST_TAPS][META_MOST_TAPS];   /* of two taps' deviations from their means */
};

/* images: (batch, channels, h, w) planar, channels 1 to 3. scratch: meta_patches_scratch doubles, the caller's. */
void meta_patches_measure(struct meta_patches *, const float *images, int batch, int channels, int h, int w, double *scratch);
unsigned long meta_patches_scratch(int channels, int h, int w);

/* Of the output w.patch (taps weights): the mean, and the sum of the products of the deviations from it of two outputs. */
double meta_patches_mean(const struct meta_patches *, const float *w);
double meta_patches_deviation(const struct meta_patches *, const float *w, const float *v);
/* out (taps) += a sum(patch) + b sum((w.patch - centre) patch) */
void meta_patches_add(const struct meta_patches *, double a, double b, const float *w, double centre, double *out);

#endif
