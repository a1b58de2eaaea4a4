/* Image files of every format, gray and in colour; what could be read is shrunk. The checksums of a PNG's chunks are made
   right first: else hardly a changed file would be looked at. */
#define _GNU_SOURCE
#include "fuzz.h"
#include "base/opencv.h"
#include "images/image.h"
#include "images/thumbnail.h"
#include <zlib.h>

static struct meta_error error;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_begin();
    FUZZ_NEED(meta_opencv_table("meta_image_opencv", &error)); /* loading it takes seconds here, which are no input's */
    return 0;
}

static uint32_t big(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }

static void mend_check_sums(uint8_t *png, size_t size)
{
    for (size_t at = 8; size >= at + 12 && big(png + at) <= size - at - 12; at += 12 + big(png + at)) {
        uint32_t length = big(png + at), crc = crc32(0, png + at + 4, length + 4);
        uint8_t *to = png + at + 8 + length;
        for (int i = 0; i < 4; i++) to[i] = crc >> (24 - 8 * i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *file = malloc(size + 1);
    struct meta_thumbnail *small = malloc(sizeof *small);
    FUZZ_NEED(file && small);
    memcpy(file, data, size);
    if (size > 8 && !memcmp(file, "\x89PNG\r\n\x1a\n", 8)) mend_check_sums(file, size);
    for (int channels = 1; channels <= 3; channels += 2) {
        const struct meta_image_reading reading = { .channels = channels, .as_stored = size % 2, .white = size % 3 ? 4095 : 0 };
        struct meta_image image;
        if (meta_image_decode(file, size, &reading, &image, &error)) continue;
        meta_thumbnail(&image, small);
        meta_image_fit(&image, 3, &error);
        free(image.pixels);
    }
    free(file);
    free(small);
    return 0;
}
