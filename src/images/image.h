/* Images as bytes: read from a file, decoded, shrunk. OpenCV and libjpeg stay behind this header. */
#ifndef META_IMAGE_H
#define META_IMAGE_H

#include <stddef.h>
#include "base/error.h"

/* A larger file or image is refused before memory is taken for it. */
#define META_IMAGE_MOST_BYTES  (256u << 20)
#define META_IMAGE_MOST_PIXELS 100000000u

struct meta_image { int w, h, c; unsigned char *pixels; };     /* pixels (h, w, c): interleaved RGB, or gray, bytes */

/* Decodes a JPEG, PNG, BMP, or binary PGM or PPM file (its first bytes decide, not its name) to `channels`, 1 or 3. As in stock
   Darknet's loader, transparency is dropped and EXIF orientation is not applied; 16-bit samples keep their upper 8 bits.
   Whatever the file shows to be damaged is an error: bytes missing at the end, a PNG checksum, a JPEG decoder's warning.
   Messages do not name the file. On success the caller frees image->pixels. Thread-safe. */
int meta_image_decode(const void *data, size_t size, int channels, struct meta_image *image, struct meta_error *);

/* The same from a regular file, opened by its name alone: no name is ever a command, a pattern or an address.
   Messages begin with the path. */
int meta_image_read(const char *path, int channels, struct meta_image *image, struct meta_error *);

/* Shrinks in place to w x h, neither larger than before: each new pixel is the mean over the area it covers. */
int meta_image_shrink(struct meta_image *image, int w, int h, struct meta_error *);

/* Shrinks so that the shorter side has at most `shorter` pixels, in proportion; never enlarges. */
int meta_image_fit(struct meta_image *image, int shorter, struct meta_error *);

/* Colours an RGB image in place by heat (h, w), 0 (blue) to 1 (red), enlarged to it smoothly. */
int meta_image_heat(struct meta_image *image, const float *heat, int w, int h, struct meta_error *);

/* The image as a PNG file; the caller frees *data. */
int meta_image_png(const struct meta_image *image, unsigned char **data, size_t *size, struct meta_error *);

#endif
