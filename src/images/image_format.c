/* Image formats: which one a file is, the size it says it has, and the damage that can be seen
   without decoding it. */
#include "image_format.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *error)
{
    if (!w || !h) return meta_fail(error, "%llux%llu pixels: must be at least 1x1", w, h);
    if (w > META_IMAGE_MOST_PIXELS || h > META_IMAGE_MOST_PIXELS / w)
        return meta_fail(error, "%llux%llu pixels: must be at most %u in all", w, h,
                         META_IMAGE_MOST_PIXELS);
    return 0;
}

static uint32_t big(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}
static uint32_t little(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

/* Walks the chunks from IHDR to IEND. A chunk is its length, its type, its data, and a CRC of type
   and data. */
static int png(const unsigned char *data, size_t size, struct meta_image *image,
               struct meta_error *error)
{
    size_t at = 8;
    if (size < 33 || memcmp(data + 12, "IHDR", 4))
        return meta_fail(error, "corrupt PNG: no header");
    if (meta_image_bounds(big(data + 16), big(data + 20), error)) return -1;
    image->w = big(data + 16);
    image->h = big(data + 20);
    for (;;) {
        if (size - at < 12 || big(data + at) > size - at - 12)
            return meta_fail(error, "corrupt PNG: it ends at byte %zu, inside its data", size);
        uint32_t length = big(data + at);
        const unsigned char *type = data + at + 4;
        if (crc32(0, type, length + 4) != big(type + 4 + length))
            return meta_fail(error, "corrupt PNG: wrong checksum of the data at byte %zu", at);
        if (!memcmp(type, "IEND", 4)) return 0;
        at += length + 12;
    }
}

static int bmp(const unsigned char *data, size_t size, struct meta_image *image,
               struct meta_error *error)
{
    if (size < 26 || (little(data + 14) != 12 && size < 54))
        return meta_fail(error, "corrupt BMP: no header");
    uint32_t w = little(data + 18), h = little(data + 22);
    if (little(data + 14) == 12) {
        h = w >> 16;
        w &= 0xffff;
    } /* OS/2's header has 16-bit sizes. */
    else if (h > INT32_MAX)
        h = -h; /* The rows go from the top down. */
    if (meta_image_bounds(w, h, error)) return -1;
    int old = little(data + 14) == 12, bits = data[old ? 24 : 28], packed = old ? 0 : data[30];
    unsigned long long need = little(data + 10) + (w * (unsigned long long)bits + 31) / 32 * 4 * h;
    if ((!packed || packed == 3) && size < need) /* 3 means plain pixels with masks. */
        return meta_fail(error, "corrupt BMP: %zu bytes, but its header says %llu", size, need);
    image->w = w;
    image->h = h;
    return 0;
}

/* The header is "P5 WIDTH HEIGHT MAXVAL" and one blank; comments go from # to the line's end. */
static int pnm(const unsigned char *data, size_t size, struct meta_image *image,
               struct meta_error *error)
{
    unsigned long long values[3];
    size_t at = 2;
    for (int i = 0; i < 3; i++) {
        int digits = 0;
        while (at < size && (strchr(" \t\r\n", data[at]) || data[at] == '#')) {
            if (data[at] == '#')
                while (at < size && data[at] != '\n') at++;
            else at++;
        }
        for (values[i] = 0; at < size && data[at] >= '0' && data[at] <= '9' && digits < 10;
             digits++)
            values[i] = 10 * values[i] + data[at++] - '0';
        if (!digits || at >= size || !data[at] || !strchr(" \t\r\n#", data[at]))
            return meta_fail(error, "corrupt PGM or PPM: no header");
    }
    if (meta_image_bounds(values[0], values[1], error)) return -1;
    if (values[2] != 255 && values[2] != 65535)
        return meta_fail(error, "PGM or PPM with largest value %llu: must be 255 or 65535",
                         values[2]);
    unsigned long long need = values[0] * values[1] * (data[1] == '6' ? 3 : 1)
        * (values[2] > 255 ? 2 : 1);
    if (size - at - 1 < need)
        return meta_fail(error, "corrupt PGM or PPM: %zu bytes of pixels, but its header says %llu",
                         size - at - 1, need);
    image->w = values[0];
    image->h = values[1];
    return 0;
}

static const struct meta_image_format formats[] = {
    { "PNG", "\x89PNG\r\n\x1a\n", 8, png },
    { "BMP", "BM", 2, bmp },
    { "PGM", "P5", 2, pnm },
    { "PPM", "P6", 2, pnm },
};

const struct meta_image_format *meta_image_format(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (size >= formats[i].length && !memcmp(data, formats[i].magic, formats[i].length))
            return &formats[i];
    return NULL;
}
