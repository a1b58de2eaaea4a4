/* Names the decoders. libjpeg and OpenCV are those that the program was built with: the first tells
   no version of its own, and the second is not loaded before it is needed. */
#include "image_version.h"

#include <stdio.h>
#include <jpeglib.h>
#include <opencv2/core/version.hpp>
#include <png.h>

/* To be raised when the same bytes of a file give other pixels. */
#define DECODING 1

#ifndef LIBJPEG_TURBO_VERSION_NUMBER
#define LIBJPEG_TURBO_VERSION_NUMBER 0
#endif

void meta_image_decoders(char text[META_IMAGE_DECODERS])
{
    snprintf(text, META_IMAGE_DECODERS, "%d, jpeg %d turbo %d, png %u, opencv %d.%d.%d", DECODING,
             JPEG_LIB_VERSION, LIBJPEG_TURBO_VERSION_NUMBER, png_access_version_number(),
             CV_VERSION_MAJOR, CV_VERSION_MINOR, CV_VERSION_REVISION);
}
