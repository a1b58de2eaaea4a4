/* Images as bytes, which are read from files, decoded, shrunk and written. OpenCV and libjpeg stay
   behind this header. */
#ifndef META_IMAGE_H
#define META_IMAGE_H

#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

/* A file or an image that is larger than this is refused before memory is taken for it. */
#define META_IMAGE_MOST_BYTES (256u << 20)
#define META_IMAGE_MOST_PIXELS 100000000u

struct meta_image {
    int w, h, c;
    unsigned char *pixels;     /* (h, w, c) interleaved RGB, or gray, bytes */
    struct meta_digest digest; /* of the bytes that they were decoded from */
};

/* Decodes a JPEG, PNG, BMP, or binary PGM or PPM file to `channels`, 1 or 3; its first bytes say
   which it is. As in stock Darknet's loader, transparency is dropped and EXIF orientation is not
   applied; 16-bit samples keep their upper 8 bits. Damage that the file shows is an error: bytes
   missing at the end, a PNG checksum, a JPEG decoder's warning. Messages do not name the file. On
   success the caller frees image->pixels. Thread-safe. */
int meta_image_decode(const void *data, size_t size, int channels, struct meta_image *image,
                      struct meta_error *);

/* Decodes the file at `path`, which is opened by its name alone: no name is a command, a pattern or
   an address. Messages begin with the path. */
int meta_image_read(const char *path, int channels, struct meta_image *image, struct meta_error *);

/* Shrinks the image in place to w x h, neither of them larger than before. Each new pixel is the
   mean over the area that it covers. */
int meta_image_shrink(struct meta_image *image, int w, int h, struct meta_error *);

/* Shrinks the image in proportion until the shorter side has at most `shorter` pixels. Never
   enlarges it. */
int meta_image_fit(struct meta_image *image, int shorter, struct meta_error *);

/* Colours an RGB image in place by heat (h, w), from 0, blue, to 1, red, which is enlarged smoothly
   to the image's size. */
int meta_image_heat(struct meta_image *image, const float *heat, int w, int h, struct meta_error *);

/* Makes a PNG file of the image, in memory; the caller frees *data. */
int meta_image_png(const struct meta_image *image, unsigned char **data, size_t *size,
                   struct meta_error *);

#endif
