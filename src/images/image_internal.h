/* The decoders behind image.h. They are given files whose first bytes are those of their format. */
#ifndef META_IMAGE_INTERNAL_H
#define META_IMAGE_INTERNAL_H

#include "image.h"
#include "image_format.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Decodes a JPEG file by libjpeg to 1 or 3 channels, as it lies. Fills all of `image`; the caller
   frees its pixels. Where the header's part is not 1, the image is 1/part of the size that the
   header says, and its last pixels stick out to the right and below where that is no whole number.
 */
int meta_image_jpeg(const unsigned char *data, size_t size, const struct meta_image_reading *,
                    struct meta_image *image, struct meta_image_header *header,
                    struct meta_error *);

/* Decodes a PNG file by libpng to image->c channels, as it lies; image->w and h are what its header
   says. deep: samples are uint16_t, else bytes. The caller frees image->pixels. libpng's reason is
   in the message. */
int meta_image_png_decode(const unsigned char *data, size_t size, int deep,
                          struct meta_image *image, struct meta_error *);

/* Makes bytes of what was decoded: 16-bit samples, if the header says `deep`, or bytes whose white
   is not 255. Sets image->largest. */
int meta_image_to_bytes(struct meta_image *image, const struct meta_image_header *,
                        const struct meta_image_reading *, struct meta_error *);

/* The width and height of an image's upper left part, in pixels, of which the last may be cut. */
struct meta_image_part {
    double w, h;
};

/* Shrinks a JPEG file's image that was decoded at 1/header->part of its size to what meta_image_fit
   makes of the size that the header says. */
int meta_image_fit_part(struct meta_image *image, const struct meta_image_header *, int shorter,
                        struct meta_error *);

/* What OpenCV does for images, in libdarknet-meta-opencv.so. No function of the table throws. */
struct meta_image_opencv {
    /* Decodes a file of the format `what`, a name for messages, to image->c channels, as it lies;
       image->w and h are what the file's header says. deep: samples are uint16_t, else bytes. The
       caller frees image->pixels. */
    int (*decode)(const unsigned char *data, size_t size, int deep, const char *what,
                  struct meta_image *image, struct meta_error *);
    /* meta_image_shrink of the upper left part of the image, where w <= part->w <= image->w, and so
       for h. */
    int (*shrink)(struct meta_image *image, const struct meta_image_part *part, int w, int h,
                  struct meta_error *);
    /* meta_image_heat and meta_image_png */
    int (*heat)(struct meta_image *image, const float *heat, int w, int h, struct meta_error *);
    int (*png)(const struct meta_image *image, unsigned char **data, size_t *size,
               struct meta_error *);
};

/* The table's name in that object. */
extern const struct meta_image_opencv meta_image_opencv __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif
#endif
