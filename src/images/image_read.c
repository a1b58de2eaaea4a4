/* Formats, sizes and damage, looked at before a decoder sees the bytes. Only formats known here reach OpenCV: its full list has
   decoders that open other files, or addresses, named inside the data. */
#include "image_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "base/file.h"

int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *error)
{
    if (!w || !h) return meta_fail(error, "%llux%llu pixels: must be at least 1x1", w, h);
    if (w > META_IMAGE_MOST_PIXELS || h > META_IMAGE_MOST_PIXELS / w)
        return meta_fail(error, "%llux%llu pixels: must be at most %u in all", w, h, META_IMAGE_MOST_PIXELS);
    return 0;
}

static uint32_t big(const unsigned char *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint32_t little(const unsigned char *p) { return (uint32_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0]; }

/* Walks the chunks (length, type, data, CRC of type and data) from IHDR to IEND. */
static int png(const unsigned char *data, size_t size, struct meta_image *image, struct meta_error *error)
{
    size_t at = 8;
    if (size < 33 || memcmp(data + 12, "IHDR", 4)) return meta_fail(error, "corrupt PNG: no header");
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

static int bmp(const unsigned char *data, size_t size, struct meta_image *image, struct meta_error *error)
{
    if (size < 26 || (little(data + 14) != 12 && size < 54)) return meta_fail(error, "corrupt BMP: no header");
    uint32_t w = little(data + 18), h = little(data + 22);
    if (little(data + 14) == 12) { h = w >> 16; w &= 0xffff; }     /* OS/2's header has 16-bit sizes */
    else if (h > INT32_MAX) h = -h;                                /* rows from the top */
    if (meta_image_bounds(w, h, error)) return -1;
    int old = little(data + 14) == 12, bits = data[old ? 24 : 28], packed = old ? 0 : data[30];
    unsigned long long need = little(data + 10) + (w * (unsigned long long)bits + 31) / 32 * 4 * h;
    if ((!packed || packed == 3) && size < need)                   /* 3: plain pixels, with masks */
        return meta_fail(error, "corrupt BMP: %zu bytes, but its header says %llu", size, need);
    image->w = w;
    image->h = h;
    return 0;
}

/* "P5 WIDTH HEIGHT MAXVAL" and one blank; comments run from # to the end of a line. */
static int pnm(const unsigned char *data, size_t size, struct meta_image *image, struct meta_error *error)
{
    unsigned long long values[3];
    size_t at = 2;
    for (int i = 0; i < 3; i++) {
        int digits = 0;
        while (at < size && (strchr(" \t\r\n", data[at]) || data[at] == '#')) {
            if (data[at] == '#') while (at < size && data[at] != '\n') at++;
            else at++;
        }
        for (values[i] = 0; at < size && data[at] >= '0' && data[at] <= '9' && digits < 10; digits++)
            values[i] = 10 * values[i] + data[at++] - '0';
        if (!digits || at >= size || !data[at] || !strchr(" \t\r\n#", data[at])) return meta_fail(error, "corrupt PGM or PPM: no header");
    }
    if (meta_image_bounds(values[0], values[1], error)) return -1;
    if (values[2] != 255 && values[2] != 65535) return meta_fail(error, "PGM or PPM with largest value %llu: must be 255 or 65535", values[2]);
    unsigned long long need = values[0] * values[1] * (data[1] == '6' ? 3 : 1) * (values[2] > 255 ? 2 : 1);
    if (size - at - 1 < need) return meta_fail(error, "corrupt PGM or PPM: %zu bytes of pixels, but its header says %llu", size - at - 1, need);
    image->w = values[0];
    image->h = values[1];
    return 0;
}

int meta_image_decode(const void *data, size_t size, int channels, struct meta_image *image, struct meta_error *error)
{
    static const struct {
        const char *name, *magic; size_t length;
        int (*header)(const unsigned char *, size_t, struct meta_image *, struct meta_error *);
    } formats[] = {
        { "PNG", "\x89PNG\r\n\x1a\n", 8, png }, { "BMP", "BM", 2, bmp }, { "PGM", "P5", 2, pnm }, { "PPM", "P6", 2, pnm },
    };
    *image = (struct meta_image){ .c = channels };
    if (channels != 1 && channels != 3) return meta_fail(error, "channels=%d: must be 1 or 3", channels);
    if (!size) return meta_fail(error, "is empty");
    if (size > META_IMAGE_MOST_BYTES) return meta_fail(error, "is %zu bytes: must be at most %u", size, META_IMAGE_MOST_BYTES);
    if (size >= 3 && !memcmp(data, "\xff\xd8\xff", 3)) return meta_image_jpeg(data, size, channels, image, error);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (size >= formats[i].length && !memcmp(data, formats[i].magic, formats[i].length)) {
            if (formats[i].header(data, size, image, error)) return -1;
            return meta_image_opencv(data, size, channels, formats[i].name, image, error);
        }
    return meta_fail(error, "is no image: must be a JPEG, PNG, BMP, or binary PGM or PPM file");
}

int meta_image_read(const char *path, int channels, struct meta_image *image, struct meta_error *error)
{
    struct meta_error why;
    struct stat info;
    char *data = NULL;
    size_t size = 0;
    *image = (struct meta_image){ 0 };
    if (!stat(path, &info) && S_ISREG(info.st_mode) && info.st_size > (off_t)META_IMAGE_MOST_BYTES)
        return meta_fail(error, "%s: is %lld bytes: must be at most %u", path, (long long)info.st_size, META_IMAGE_MOST_BYTES);
    if (meta_file_read(path, &data, &size, error)) return -1;
    int status = meta_image_decode(data, size, channels, image, &why);
    free(data);
    return status ? meta_fail(error, "%s: %s", path, why.text) : 0;
}

int meta_image_fit(struct meta_image *image, int shorter, struct meta_error *error)
{
    long long least = image->w < image->h ? image->w : image->h;
    if (least <= shorter) return 0;
    return meta_image_shrink(image, (image->w * (long long)shorter + least / 2) / least,
                             (image->h * (long long)shorter + least / 2) / least, error);
}
