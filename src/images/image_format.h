/* What a file is, by its first bytes, and the size that its header says. */
#ifndef META_IMAGE_FORMAT_H
#define META_IMAGE_FORMAT_H

#include "image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a file says of its pixels before they are decoded. */
struct meta_image_header {
    int w, h;
    int deep;        /* samples have 16 bits, not 8 or fewer */
    int white;       /* the value of white; 0: the file does not say it */
    int orientation; /* EXIF's, 1 to 8: see image_orientation.h */
    int inverted;    /* the samples' 0 is white, and their white black */
    int part;        /* of a JPEG file: the image was decoded at 1/part of w x h; else 0 */
};

/* A format that libpng or OpenCV decodes. */
struct meta_image_format {
    const char *name,
        *magic; /* the name is for messages; the file begins with the `length` bytes of `magic` */
    size_t length;
    /* Reads the header, once it has found no damage that a decoder could overlook. */
    int (*header)(const unsigned char *data, size_t size, struct meta_image_header *,
                  struct meta_error *);
};

/* PNG, BMP, PGM or PPM; NULL where the file is none of them. */
const struct meta_image_format *meta_image_format(const unsigned char *data, size_t size);

/* The header of a BMP file. */
int meta_image_bmp(const unsigned char *data, size_t size, struct meta_image_header *,
                   struct meta_error *);
/* Makes of a BMP file of 16 bits a pixel, whose header is longer than 40 bytes and has the colour
   masks in it, one with the masks behind a header of 40 bytes, where OpenCV 4.6 looks for them. The
   caller frees *out, which is NULL for other files. */
int meta_image_bmp_masks_behind(unsigned char **out, size_t *out_size, const unsigned char *data,
                                size_t size, struct meta_error *);

/* The size that meta_image_fit gives an image of w x h; 0: it has that size. */
int meta_image_fitted(int w, int h, int shorter, int *to_w, int *to_h);

/* Fails where so many samples, all channels together, would take more than
   META_IMAGE_MOST_DECODED bytes. */
int meta_image_decoded_bounds(unsigned long long w, unsigned long long h, int channels, int bytes,
                              struct meta_error *);

/* Says that a file of `count` pages or frames (`what`) has no number `frame`; -1. */
int meta_image_no_frame(int frame, unsigned long count, const char *what, struct meta_error *);

/* Fails unless 1 <= w, 1 <= h, both <= META_IMAGE_MOST_SIDE, and w*h <= META_IMAGE_MOST_PIXELS. */
int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *);

#ifdef __cplusplus
}
#endif

#endif
