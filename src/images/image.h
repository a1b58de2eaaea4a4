/* Images as bytes, which are read from files, decoded, shrunk and written. OpenCV, libjpeg and
   libpng stay behind this header, and print nothing. */
#ifndef META_IMAGE_H
#define META_IMAGE_H

#include <stddef.h>
#include "base/digest.h"
#include "base/error.h"

/* A file or an image that is larger than this is refused before memory is taken for it. */
#define META_IMAGE_MOST_BYTES (256u << 20)
#define META_IMAGE_MOST_PIXELS 100000000u
#define META_IMAGE_MOST_SIDE 1048576u      /* what OpenCV takes */
#define META_IMAGE_MOST_DECODED 600000000u /* what a codec may decode an image to */
/* A JPEG file may come in many scans, each of which goes over all of the image. */
#define META_IMAGE_MOST_SCANNED 500000000u /* pixels times scans */

/* What is read, in messages. */
#define META_IMAGE_KINDS "a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file"

struct meta_image {
    int w, h, c;
    unsigned char *pixels;     /* (h, w, c) interleaved RGB, or gray, bytes */
    struct meta_digest digest; /* of the bytes that they were decoded from */
    int largest; /* value in a file of 16-bit samples that does not say which value is white; 0: the
                    file has 8-bit samples, or says it */
    int scaled;  /* 1: a JPEG file that was decoded at a part of its size */
};

/* How a file is to be read. */
struct meta_image_reading {
    int channels;  /* of the image: 1 or 3 */
    int as_stored; /* 1: pixels lie as in the file; 0: the image is turned upright, as the EXIF
                      orientation of a JPEG, PNG or WebP file, or a TIFF file's own, says */
    int white;     /* value of white in files of 16-bit samples that don't say it themselves; 0: not
                      known, and taken for 65535 */
    int shorter;   /* the image is shrunk by meta_image_fit to this; 0: it keeps its size */
    int frame;     /* which image of a TIFF or DICOM file, from 0; meta_image_read takes it from the
                    * path
                    */
    const char *path; /* of the file, for a message; NULL: not known. meta_image_read sets it */
    int in_full; /* 1: a JPEG file that is to be shrunk is decoded in its full size first; 0: at a
                    half, a quarter or an eighth of it, where that is not below what is needed */
};

/* Decodes an image file of one of META_IMAGE_KINDS; its first bytes say which. As in stock
   Darknet's loader (OpenCV's), a PNG's transparency is dropped and the EXIF orientation applied; of
   TIFF, WebP and JPEG 2000 files what alpha lets through is put onto black. Samples become bytes in
   proportion to white: the upper 8 bits where white is 65535. A PGM or PPM file whose largest value
   is not 65535, and a JPEG 2000 file of fewer than 16 bits, say their white themselves. The gray
   values of a DICOM file are those of its first window, its first VOI table, or the span of the
   frame's. Damage that the file shows is an error: bytes missing at the end, a PNG checksum, a JPEG
   decoder's warning, a sample above white; an orientation that can't be read is none. Messages do
   not name the file. On success the caller frees image->pixels. Thread-safe.

   TIFF, WebP, JPEG 2000 and DICOM files are decoded by a process of its own: image_decoder.h.

   libjpeg decodes at a part of the size by leaving out the higher frequencies of each block. What
   is shrunk from there is, on photographs, half a level of 255 from what is shrunk from the full
   size, in the mean over pixels, and takes a third of the time at 600x450, a tenth at 4000x3000.
   libjpeg-turbo's other parts, of eighths, take longer than the full size does, so that they are
   not used. */
int meta_image_decode(const void *data, size_t size, const struct meta_image_reading *,
                      struct meta_image *image, struct meta_error *);

/* Decodes the image at `path` (image_place.h), whose file is opened by its name alone: no name is a
   command, a pattern or an address. Messages begin with the path. */
int meta_image_read(const char *path, const struct meta_image_reading *, struct meta_image *image,
                    struct meta_error *);

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
