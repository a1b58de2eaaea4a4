/* Image files for tests, made in memory: PNG by zlib, JPEG by libjpeg, and the means to damage them. */
#ifndef TESTS_IMAGE_FILES_H
#define TESTS_IMAGE_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <jpeglib.h>
#include <zlib.h>

struct bytes { unsigned char *data; size_t size; };            /* free(data) */

static void put(struct bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size + 1);
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_big(struct bytes *b, uint32_t x)
{
    put(b, (unsigned char[]){ x >> 24, x >> 16, x >> 8, x }, 4);
}

static __attribute__((unused)) void put_little(struct bytes *b, uint32_t x, int count)
{
    put(b, (unsigned char[]){ x, x >> 8, x >> 16, x >> 24 }, count);
}

static void png_chunk(struct bytes *b, const char *type, const void *data, size_t size)
{
    put_big(b, size);
    size_t at = b->size;
    put(b, type, 4);
    put(b, data, size);
    put_big(b, crc32(0, b->data + at, b->size - at));
}

/* samples: (h, w, channels) of depth 8, or of depth 16 with the upper byte first. channels 1: gray, 3: RGB, 4: RGB and alpha. */
static __attribute__((unused)) struct bytes make_png(uint32_t w, uint32_t h, int channels, int depth, const unsigned char *samples)
{
    struct bytes b = { 0 }, header = { 0 }, raw = { 0 };
    size_t row = (size_t)w * channels * depth / 8;
    put_big(&header, w);
    put_big(&header, h);
    put(&header, (unsigned char[]){ depth, channels == 1 ? 0 : channels == 3 ? 2 : 6, 0, 0, 0 }, 5);
    for (uint32_t y = 0; samples && y < h; y++) {
        put(&raw, "", 1);
        put(&raw, samples + y * row, row);
    }
    uLongf packed = compressBound(raw.size);
    unsigned char *to = malloc(packed);
    compress(to, &packed, raw.data, raw.size);
    put(&b, "\x89PNG\r\n\x1a\n", 8);
    png_chunk(&b, "IHDR", header.data, header.size);
    png_chunk(&b, "IDAT", to, packed);
    png_chunk(&b, "IEND", NULL, 0);
    free(to);
    free(raw.data);
    free(header.data);
    return b;
}

/* prepare: sets what is not as usual, or NULL; behind: writes markers behind the header, or NULL. */
static struct bytes make_jpeg_as(int w, int h, int channels, const unsigned char *samples,
                                 void (*prepare)(struct jpeg_compress_struct *), void (*behind)(struct jpeg_compress_struct *))
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL;
    unsigned long size = 0;
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &data, &size);
    info.image_width = w;
    info.image_height = h;
    info.input_components = channels;
    info.in_color_space = channels == 3 ? JCS_RGB : channels == 1 ? JCS_GRAYSCALE : JCS_CMYK;
    jpeg_set_defaults(&info);
    if (prepare) prepare(&info);
    jpeg_start_compress(&info, TRUE);
    if (behind) behind(&info);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)samples + (size_t)y * w * channels;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return (struct bytes){ data, size };
}

static void set_high_quality(struct jpeg_compress_struct *info) { jpeg_set_quality(info, 95, TRUE); }

static __attribute__((unused)) struct bytes make_jpeg(int w, int h, int channels, const unsigned char *samples)
{
    return make_jpeg_as(w, h, channels, samples, set_high_quality, NULL);
}

/* A JPEG file of one channel, with 40 scans and a header that says 5000x4000 pixels. */
static __attribute__((unused)) struct bytes make_scans(struct bytes one)
{
    static const unsigned char scan[] = { 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0, 0x55, 0xff, 0, 0xff, 0xd0 };
    struct bytes many = { 0 };
    put(&many, one.data, one.size - 2);
    for (int i = 0; i < 39; i++) put(&many, scan, sizeof scan);
    put(&many, one.data + one.size - 2, 2);
    for (size_t i = 0; i + 9 < many.size; i++)
        if (many.data[i] == 0xff && many.data[i + 1] == 0xc0)
            memcpy(many.data + i + 5, (unsigned char[]){ 4000 >> 8, 4000 & 255, 5000 >> 8, 5000 & 255 }, 4);
    return many;
}

static __attribute__((unused)) void put_number(struct bytes *b, uint32_t x, int bytes, int big)
{
    for (int i = 0; i < bytes; i++) put(b, (unsigned char[]){ x >> 8 * (big ? bytes - 1 - i : i) }, 1);
}

/* EXIF data with another tag, the orientation as SHORT (type 3) or LONG (4), and a third tag. */
static __attribute__((unused)) struct bytes make_exif(int orientation, int type, int big)
{
    struct bytes b = { 0 };
    put(&b, big ? "MM" : "II", 2);
    put_number(&b, 42, 2, big);
    put_number(&b, 8, 4, big);
    put_number(&b, 3, 2, big);
    for (int tag = 0x100; tag <= 0x124; tag += 0x12) {
        put_number(&b, tag, 2, big);
        put_number(&b, tag == 0x112 ? type : 4, 2, big);
        put_number(&b, 1, 4, big);
        put_number(&b, tag == 0x112 ? orientation : 7, tag == 0x112 && type == 3 ? 2 : 4, big);
        if (tag == 0x112 && type == 3) put_number(&b, 0, 2, big);
    }
    put_number(&b, 0, 4, big);
    return b;
}

/* Puts `what` into `file` at byte `at`; frees both. */
static __attribute__((unused)) struct bytes insert(struct bytes file, size_t at, struct bytes what)
{
    struct bytes b = { 0 };
    put(&b, file.data, at);
    put(&b, what.data, what.size);
    put(&b, file.data + at, file.size - at);
    free(file.data);
    free(what.data);
    return b;
}

static __attribute__((unused)) void put_app1(struct bytes *b, const char *name, size_t length, struct bytes content)
{
    put(b, "\xff\xe1", 2);
    put_number(b, 2 + length + content.size, 2, 1);
    put(b, name, length);
    put(b, content.data, content.size);
    free(content.data);
}

/* A smooth picture that depends on `seed`: (h, w, channels), the caller frees. */
static __attribute__((unused)) unsigned char *make_picture(int w, int h, int channels, int seed)
{
    unsigned char *p = malloc((size_t)w * h * channels);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < channels; k++) {
                double u = (double)x / w, v = (double)y / h;
                int value = 128 + 60 * (u - .5) * (k + 1) + 80 * (v - .5) * (1 - 2 * u) + (seed * 37 + k * 11) % 50 - 25;
                p[((size_t)y * w + x) * channels + k] = value < 0 ? 0 : value > 255 ? 255 : value;
            }
    return p;
}

static __attribute__((unused)) void write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f)) { perror(path); abort(); }
}

static __attribute__((unused)) void write_text(const char *path, const char *text) { write_file(path, text, strlen(text)); }

/* The test's scratch folder, with `name` in it; four are alive at a time. */
static __attribute__((unused, returns_nonnull)) const char *scratch(const char *name)
{
    static char paths[4][512], made[256];
    static int next;
    if (!*made) {
        const char *given = getenv("TMP_TEST");
        snprintf(made, sizeof made, "%s", given ? given : "/tmp/darknet-meta-test.XXXXXX");
        if (!given && !mkdtemp(made)) { perror(made); abort(); }
    }
    next = (next + 1) % 4;
    snprintf(paths[next], sizeof *paths, "%s/%s", made, name);
    return paths[next];
}

#endif
