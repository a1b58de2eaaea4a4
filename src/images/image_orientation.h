/* EXIF's orientation: which way up an image lies in its file. */
#ifndef META_IMAGE_ORIENTATION_H
#define META_IMAGE_ORIENTATION_H

#include <stdint.h>
#include "image.h"

/* The tag Orientation (0x112) of the first directory of EXIF data, which begin with TIFF's header
   (CIPA DC-008, 4.6.2 and 4.6.5): 1 to 8; 1, upright, where there is none or it can't be read. */
int meta_orientation(const unsigned char *exif, size_t size);

/* The first number of a tag of the first directory of TIFF data: 0, or -1 where there is none. It
   is 0 where it is neither SHORT nor LONG. */
int meta_tiff_number(const unsigned char *tiff, size_t size, int tag, uint32_t *value);

/* Turns the image in place so that it is upright. By orientation, the sides of the upright image on
   which the file's first row and its first column lie are: 1 top, left; 2 top, right; 3 bottom,
   right; 4 bottom, left; 5 left, top; 6 right, top; 7 right, bottom; 8 left, bottom. */
int meta_image_turn(struct meta_image *image, int orientation, struct meta_error *);

#endif
