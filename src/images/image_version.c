/* Names the decoders. All but libpng are those that the program was built with, whatever has
   replaced them since: libjpeg tells no version of its own, and the others are not loaded before
   they are needed. The headers of libwebp have no version, but a number of its interface. */
#include "image_version.h"

#include <stdio.h>
#include <jpeglib.h>
#include <opencv2/core/version.hpp>
#include <openjpeg.h>
#include <png.h>
#include <tiffvers.h>
#include <webp/decode.h>

/* To be raised when the same bytes of a file give other pixels. */
#define DECODING 3

#ifndef LIBJPEG_TURBO_VERSION_NUMBER
#define LIBJPEG_TURBO_VERSION_NUMBER 0
#endif

#ifndef META_DCMTK
#define META_DCMTK "none"
#endif

void meta_image_decoders(char text[META_IMAGE_DECODERS])
{
    snprintf(text, META_IMAGE_DECODERS,
             "%d, jpeg %d turbo %d, png %u, opencv %d.%d.%d, tiff %d, webp %x, jp2 %d.%d.%d, "
             "dicom " META_DCMTK,
             DECODING, JPEG_LIB_VERSION, LIBJPEG_TURBO_VERSION_NUMBER, png_access_version_number(),
             CV_VERSION_MAJOR, CV_VERSION_MINOR, CV_VERSION_REVISION, TIFFLIB_VERSION,
             WEBP_DECODER_ABI_VERSION, OPJ_VERSION_MAJOR, OPJ_VERSION_MINOR, OPJ_VERSION_BUILD);
}
