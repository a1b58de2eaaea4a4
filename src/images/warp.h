/* Bytes to planar floats in one pass: an affine warp, and Darknet's colour distortion. Neither allocates. */
#ifndef META_WARP_H
#define META_WARP_H

#include <stddef.h>

/* Where the output's pixel (x, y) is taken from: column m[0] x + m[1] y + m[2] and row m[3] x + m[4] y + m[5] of the source,
   whole numbers being pixels, as in Darknet's rotate_crop_image. */
struct meta_affine { double m[6]; };

/* out (c, height, width) = the source (h, w, c) at those places / 255, interpolated bilinearly. Outside the source is black,
   as in Darknet, or with `extend` the nearest pixel. Where an output pixel is wider than 1.25 source pixels it is the mean of
   a grid of such samples over it, so that shrinking does not alias (Darknet takes one sample). c is 1 or 3. */
void meta_warp(const unsigned char *source, int w, int h, int c, const struct meta_affine *, int extend,
               float *out, int width, int height);

/* In place, Darknet's distort_image on n pixels of planar RGB (3, n): hue turned by `hue` (1: a full turn), saturation and value
   multiplied, the result cut to [0,1]. With c = 1 only the value has a meaning. */
void meta_distort(float *image, int c, size_t n, float hue, float saturation, float exposure);

#endif
