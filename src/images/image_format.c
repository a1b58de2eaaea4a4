/* Image formats: which one a file is, the size it says it has, and the damage that can be seen
   without decoding it. */
#include "image_format.h"
#include "image_orientation.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

static uint32_t big(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Fails where so many bytes of data can't hold the pixels that the header says: deflate makes of a
   byte at most 1032. */
static int check_data(const unsigned char *header, size_t bytes, struct meta_error *error)
{
    static const unsigned char samples[7] = { 1, 0, 3, 1, 2, 0, 4 }; /* by the type of colours */
    unsigned type = header[25];
    uint64_t w = big(header + 16), h = big(header + 20), bits = header[24];
    uint64_t need = w * h * bits * (type < sizeof samples ? samples[type] : 0) / 8;
    if (need / 1032 <= bytes) return 0;
    return meta_fail(error,
                     "corrupt PNG: its %zu bytes of data can't hold the %ux%u pixels that its "
                     "header says",
                     bytes, big(header + 16), big(header + 20));
}

/* Walks the chunks from IHDR to IEND. A chunk is its length, its type, its data, and a CRC of type
   and data. */
static int png(const unsigned char *data, size_t size, struct meta_image_header *header,
               struct meta_error *error)
{
    size_t at = 8, bytes = 0;
    if (size < 33 || memcmp(data + 12, "IHDR", 4))
        return meta_fail(error, "corrupt PNG: no header");
    if (meta_image_bounds(big(data + 16), big(data + 20), error)) return -1;
    *header = (struct meta_image_header){
        .w = (int)big(data + 16), .h = (int)big(data + 20), .deep = data[24] == 16, .orientation = 1
    };
    for (;;) {
        if (size - at < 12 || big(data + at) > size - at - 12)
            return meta_fail(error, "corrupt PNG: it ends at byte %zu, inside its data", size);
        uint32_t length = big(data + at);
        const unsigned char *type = data + at + 4;
        if (crc32(0, type, length + 4) != big(type + 4 + length))
            return meta_fail(error, "corrupt PNG: wrong checksum of the data at byte %zu", at);
        if (!memcmp(type, "eXIf", 4)) header->orientation = meta_orientation(type + 4, length);
        if (!memcmp(type, "IDAT", 4)) bytes += length;
        if (!memcmp(type, "IEND", 4)) return check_data(data, bytes, error);
        at += length + 12;
    }
}

static int is_blank(int c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/* The header is "P5 WIDTH HEIGHT MAXVAL" and one blank; comments go from # to the line's end. */
static int pnm(const unsigned char *data, size_t size, struct meta_image_header *header,
               struct meta_error *error)
{
    unsigned long long values[3];
    size_t at = 2;
    for (int i = 0; i < 3; i++) {
        int digits = 0;
        while (at < size && (is_blank(data[at]) || data[at] == '#')) {
            if (data[at] == '#')
                while (at < size && data[at] != '\n') at++;
            else at++;
        }
        for (values[i] = 0; at < size && data[at] >= '0' && data[at] <= '9' && digits < 10;
             digits++)
            values[i] = 10 * values[i] + data[at++] - '0';
        if (!digits || at >= size || !(is_blank(data[at]) || data[at] == '#'))
            return meta_fail(error, "corrupt PGM or PPM: no header");
    }
    if (meta_image_bounds(values[0], values[1], error)) return -1;
    if (!values[2] || values[2] > 65535)
        return meta_fail(error, "PGM or PPM with largest value %llu: must be 1 to 65535",
                         values[2]);
    unsigned long long need = values[0] * values[1] * (data[1] == '6' ? 3 : 1)
        * (values[2] > 255 ? 2 : 1);
    if (size - at - 1 < need)
        return meta_fail(error, "corrupt PGM or PPM: %zu bytes of pixels, but its header says %llu",
                         size - at - 1, need);
    int full = values[2] == 255 || values[2] == 65535;
    *header = (struct meta_image_header){ .w = (int)values[0],
                                          .h = (int)values[1],
                                          .deep = values[2] > 255,
                                          .white = full ? 0 : (int)values[2],
                                          .orientation = 1 };
    return 0;
}

static const struct meta_image_format formats[] = {
    { "PNG", "\x89PNG\r\n\x1a\n", 8, png },
    { "BMP", "BM", 2, meta_image_bmp },
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
