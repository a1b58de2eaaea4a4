/* Decodes WebP files by libwebp. */
#include "image_internal.h"
#include "image_orientation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

static uint32_t little(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The chunks of a RIFF file: a name of four letters, a length, so many bytes, and one more where
   that is odd. Fails where they end after the file does. */
static int walk_chunks(const struct meta_image_file *file, struct meta_image_header *header,
                       struct meta_error *error)
{
    const unsigned char *data = file->data;
    size_t size = file->size, end = 8 + (size_t)little(data + 4);
    if (end > size)
        return meta_fail(error, "corrupt WebP: %zu bytes, but its header says %zu", size, end);
    for (size_t at = 12; at < end;) {
        if (end - at < 8 || little(data + at + 4) > end - at - 8)
            return meta_fail(error, "corrupt WebP: it ends at byte %zu, inside its data", end);
        size_t length = little(data + at + 4);
        const unsigned char *content = data + at + 8;
        if (!memcmp(data + at, "EXIF", 4)) {
            size_t head = length >= 6 && !memcmp(content, "Exif\0", 6) ? 6 : 0;
            header->orientation = meta_orientation(content + head, length - head);
        }
        at += 8 + length + (length & 1);
    }
    return 0;
}

int meta_image_webp(const struct meta_image_file *file, struct meta_image_raster *raster,
                    struct meta_image_header *header, struct meta_error *error)
{
    WebPBitstreamFeatures about;
    *raster = (struct meta_image_raster){ 0 };
    *header = (struct meta_image_header){ .orientation = 1 };
    if (file->frame) return meta_image_no_frame(file->frame, 1, "image", error);
    if (walk_chunks(file, header, error)) return -1;
    if (WebPGetFeatures(file->data, file->size, &about) != VP8_STATUS_OK)
        return meta_fail(error, "corrupt WebP: no header");
    if (about.has_animation)
        return meta_fail(error,
                         "an animated WebP: must be one image; webpmux -get frame 1 (Debian's "
                         "webp) takes one out");
    raster->channels = about.has_alpha ? 4 : 3;
    if (meta_image_decoded_bounds((unsigned)about.width, (unsigned)about.height, raster->channels,
                                  1, error))
        return -1;
    header->w = about.width;
    header->h = about.height;
    size_t row = (size_t)about.width * (size_t)raster->channels, size = row * (size_t)about.height;
    uint8_t *samples = malloc(size);
    if (!samples)
        return meta_fail(error, "out of memory for %dx%d pixels", about.width, about.height);
    const uint8_t *whole = about.has_alpha
        ? WebPDecodeRGBAInto(file->data, file->size, samples, size, (int)row)
        : WebPDecodeRGBInto(file->data, file->size, samples, size, (int)row);
    raster->samples = samples;
    if (whole) return 0;
    free(samples);
    raster->samples = NULL;
    return meta_fail(error, "corrupt WebP: can't be decoded");
}
