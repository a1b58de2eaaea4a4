/* What a file is, by its first bytes, and the size that its header says. */
#ifndef META_IMAGE_FORMAT_H
#define META_IMAGE_FORMAT_H

#include "image.h"

/* A format that OpenCV decodes. */
struct meta_image_format {
    const char *name,
        *magic; /* the name is for messages; the file begins with the `length` bytes of `magic` */
    size_t length;
    /* Sets image->w and h to what the header says, once it has found no damage that a decoder could
       overlook. */
    int (*header)(const unsigned char *data, size_t size, struct meta_image *image,
                  struct meta_error *);
};

/* PNG, BMP, PGM or PPM; NULL where the file is none of them. */
const struct meta_image_format *meta_image_format(const unsigned char *data, size_t size);

/* Fails unless 1 <= w, 1 <= h and w*h <= META_IMAGE_MOST_PIXELS. */
int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *);

#endif
