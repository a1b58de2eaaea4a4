/* The decoders behind image.h. Sizes are known and bounded before any of them runs. */
#ifndef META_IMAGE_INTERNAL_H
#define META_IMAGE_INTERNAL_H

#include "image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fails unless 1 <= w, 1 <= h and w*h <= META_IMAGE_MOST_PIXELS. */
int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *);

/* libjpeg */
int meta_image_jpeg(const unsigned char *data, size_t size, int channels, struct meta_image *, struct meta_error *);
/* OpenCV; `what` names the format in messages. image->w and h are what the header says. */
int meta_image_opencv(const unsigned char *data, size_t size, int channels, const char *what,
                      struct meta_image *, struct meta_error *);

#ifdef __cplusplus
}
#endif
#endif
