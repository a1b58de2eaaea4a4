/* The table that libdarknet-meta-codecs.so exports for image_internal.h. */
#include "image_internal.h"

const struct meta_image_codecs meta_image_codecs = {
    sizeof meta_image_codecs, { meta_image_tiff, meta_image_webp, meta_image_jp2 }
};
