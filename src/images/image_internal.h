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

/* The gray of a colour of bytes or of 16-bit samples, as Rec. 601 weighs it. */
static inline unsigned meta_image_gray(unsigned red, unsigned green, unsigned blue)
{
    return (299 * red + 587 * green + 114 * blue + 500) / 1000;
}

/* Makes bytes of what was decoded: 16-bit samples, if the header says `deep`, or bytes whose white
   is not 255. Sets image->largest. */
int meta_image_to_bytes(struct meta_image *image, const struct meta_image_header *,
                        const struct meta_image_reading *, struct meta_error *);

/* An image file in memory, and the number of the image in it that is wanted. */
struct meta_image_file {
    const unsigned char *data;
    size_t size;
    int frame; /* from 0 */
};

/* Samples as a codec gives them: bytes, or uint16_t with the header's `deep`. */
struct meta_image_raster {
    int channels;  /* 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha, which is not yet multiplied
                      into the colours */
    void *samples; /* (header's h, w, channels); malloc's */
};

/* Decodes an image as it lies. Fills in the header and, on success, the raster. */
typedef int meta_image_codec(const struct meta_image_file *, struct meta_image_raster *,
                             struct meta_image_header *, struct meta_error *);

/* What libdarknet-meta-codecs.so, and libdarknet-meta-dicom.so, export: their codecs, which do not
   throw. darknet-meta-decoder opens them, in a process of its own (image_decoder.h), which may take
   so many bytes and, for a file, so many seconds of processor time. */
enum { META_CODEC_TIFF, META_CODEC_WEBP, META_CODEC_JP2, META_CODECS, META_CODEC_DICOM = 0 };
struct meta_image_codecs {
    size_t size; /* of this struct, which tells builds apart */
    meta_image_codec *codec[META_CODECS];
};
extern const struct meta_image_codecs meta_image_codecs __attribute__((visibility("default")));
meta_image_codec meta_image_tiff, meta_image_webp, meta_image_jp2;
#define META_IMAGE_DECODER_MEMORY ((rlim_t)4 << 30)
enum { META_IMAGE_DECODER_SECONDS = 60 };

/* Decodes a TIFF, WebP, JPEG 2000 or DICOM file by its part of the program to image->c channels, as
   it lies; alpha is composed onto black. *known is 0, and nothing is done, where the file is none
   of them. The caller frees image->pixels. */
int meta_image_by_codec(const struct meta_image_file *, struct meta_image *,
                        struct meta_image_header *, int *known, struct meta_error *);

/* Fails where the file is of a kind that is known and not read, with that kind and the command that
   makes a file that is read. path: of the file, for that command; NULL: it is not known. */
int meta_image_refuse(const unsigned char *data, size_t size, const char *path,
                      struct meta_error *);

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
