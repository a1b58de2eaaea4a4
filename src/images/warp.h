/* Turns bytes into planar floats in one pass, by an affine warp, and distorts colours as Darknet
   does. Neither function allocates. */
#ifndef META_WARP_H
#define META_WARP_H

#include <stddef.h>

/* Pixels to read: (h, w, c) interleaved bytes; c is 1 or 3. */
struct meta_pixels {
    const unsigned char *pixels;
    int w, h, c;
};

/* Says where the middle of the output's pixel (x, y) is taken from: column m[0] x + m[1] y + m[2]
   and row m[3] x + m[4] y + m[5] of the source. Whole numbers are the middles of pixels, so the
   source reaches from -1/2 to w - 1/2 and from -1/2 to h - 1/2. */
struct meta_affine {
    double m[6];
};

/* What an output pixel shows of what lies outside the source. */
enum meta_outside {
    META_OUTSIDE_NEAREST, /* the nearest pixel */
    META_OUTSIDE_BLACK    /* black, as in Darknet: the pixel is as bright as the share of it that
                             lies inside */
};

/* Writes out (c, height, width): the source at those places, divided by 255 and interpolated
   bilinearly among its own pixels. An output pixel that is wider than 1.25 source pixels is the
   mean of a grid of such samples over it, so that shrinking does not alias (Darknet takes one
   sample). A pixel that lies inside the source, up to its very edge, holds nothing of the outside.
 */
void meta_warp(const struct meta_pixels *source, const struct meta_affine *, enum meta_outside,
               float *out, int width, int height);

/* Does what Darknet's distort_image does to n pixels of planar RGB (3, n), in place: turns the hue
   by `hue`, where 1 is a full turn, multiplies saturation and value, and cuts the result to [0,1].
   A gray image, c = 1, has a value alone. */
void meta_distort(float *image, int c, size_t n, float hue, float saturation, float exposure);

#endif
