/* Has files decoded by darknet-meta-decoder, which is started when the first one is met. */
#ifndef META_IMAGE_DECODER_H
#define META_IMAGE_DECODER_H

#include "image_internal.h"

/* A shared object with codecs. */
struct meta_decoder_part {
    const char *file; /* such as libdarknet-meta-codecs.so */
    const char *hint; /* what is to be done where it is missing */
};

/* Decodes by codec number `codec` of the part. A decoder that dies of a file is an error of that
   file, unless it has decoded others and a new one does not die of it. Thread-safe: each thread
   that decodes has a decoder of its own, which is kept for the next file. */
int meta_image_decoder_ask(const struct meta_decoder_part *, int codec,
                           const struct meta_image_file *, struct meta_image_raster *,
                           struct meta_image_header *, struct meta_error *);

#endif
