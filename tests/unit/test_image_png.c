/* PNG files of every kind: libpng, called by us, gives the pixels that OpenCV's reader gives, and its reason where it gives none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/opencv.h"
#include "image_files.h"
#include "images/image_internal.h"

static struct meta_error error;

/* A kind of file. extra: 1 gAMA, 2 gAMA and sRGB, 3 transparency, 4 sBIT */
struct kind {
    int type, depth, interlaced, extra, w, h;
};

static int channels_of(int type) { return type == 2 ? 3 : type == 4 ? 2 : type == 6 ? 4 : 1; }

/* Appends rows of random samples, each behind the number of a filter. */
static void put_rows(struct bytes *raw, int w, int h, int bits)
{
    size_t n = ((size_t)w * bits + 7) / 8;
    for (int y = 0; y < h; y++) {
        unsigned char filter = rand() % 5;
        put(raw, &filter, 1);
        for (size_t i = 0; i < n; i++) {
            unsigned char byte = rand();
            put(raw, &byte, 1);
        }
    }
}

/* The passes of Adam7 begin at x, y and take each dx-th pixel of each dy-th row. */
static void put_samples(struct bytes *raw, const struct kind *k)
{
    static const int passes[7][4] = { { 0, 0, 8, 8 }, { 4, 0, 8, 8 }, { 0, 4, 4, 8 }, { 2, 0, 4, 4 }, { 0, 2, 2, 4 }, { 1, 0, 2, 2 }, { 0, 1, 1, 2 } };
    int bits = k->depth * channels_of(k->type);
    if (!k->interlaced) {
        put_rows(raw, k->w, k->h, bits);
        return;
    }
    for (int i = 0; i < 7; i++) {
        const int *p = passes[i];
        int w = (k->w - p[0] + p[2] - 1) / p[2], h = (k->h - p[1] + p[3] - 1) / p[3];
        if (w > 0 && h > 0) put_rows(raw, w, h, bits);
    }
}

static void put_extras(struct bytes *b, const struct kind *k)
{
    static const unsigned char gamma[4] = { 0, 0, 0xb1, 0x8f }, zero[1], bits[4] = { 1, 1, 1, 1 }, clear[6] = { 0, 1, 0, 2, 0, 3 };
    unsigned char palette[3 * 256];
    for (size_t i = 0; i < sizeof palette; i++) palette[i] = rand();
    if (k->extra == 1 || k->extra == 2) png_chunk(b, "gAMA", gamma, 4);
    if (k->extra == 2) png_chunk(b, "sRGB", zero, 1);
    if (k->extra == 4) png_chunk(b, "sBIT", bits, k->type == 3 ? 3 : channels_of(k->type));
    if (k->type == 3) png_chunk(b, "PLTE", palette, 3u << k->depth);
    if (k->extra == 3 && k->type == 0) png_chunk(b, "tRNS", clear, 2);
    if (k->extra == 3 && k->type == 2) png_chunk(b, "tRNS", clear, 6);
    if (k->extra == 3 && k->type == 3) png_chunk(b, "tRNS", palette, 1u << k->depth);
}

static struct bytes make(const struct kind *k)
{
    struct bytes b = { 0 }, raw = { 0 }, header = { 0 };
    unsigned char form[5] = { k->depth, k->type, 0, 0, k->interlaced };
    put_samples(&raw, k);
    uLongf packed = compressBound(raw.size);
    unsigned char *to = malloc(packed);
    assert_int_equal(compress(to, &packed, raw.data, raw.size), Z_OK);
    put(&b, "\x89PNG\r\n\x1a\n", 8);
    put_big(&header, k->w);
    put_big(&header, k->h);
    put(&header, form, 5);
    png_chunk(&b, "IHDR", header.data, header.size);
    put_extras(&b, k);
    png_chunk(&b, "IDAT", to, packed);
    png_chunk(&b, "IEND", NULL, 0);
    free(to);
    free(raw.data);
    free(header.data);
    return b;
}

/* The gray of colours as Rec. 601 weighs them, whatever gamma a file has, in the place of the colours. */
static void weigh(void *samples, size_t n, int deep)
{
    unsigned char *bytes = samples;
    uint16_t *words = samples;
    for (size_t i = 0; i < n; i++) {
        unsigned sum = 500;
        for (int k = 0; k < 3; k++) sum += (k == 0 ? 299 : k == 1 ? 587 : 114) * (deep ? words[3 * i + k] : bytes[3 * i + k]);
        if (deep) words[i] = sum / 1000;
        else bytes[i] = sum / 1000;
    }
}

static void same_as_opencv(const struct kind *k, int channels)
{
    const struct meta_image_opencv *opencv = meta_opencv_table("meta_image_opencv", &error);
    struct bytes b = make(k);
    struct meta_image ours = { .w = k->w, .h = k->h, .c = channels }, theirs = ours;
    int deep = k->depth == 16, weighed = channels == 1 && k->type & 2;
    if (weighed) theirs.c = 3;
    if (!opencv || meta_image_png_decode(b.data, b.size, deep, &ours, &error) || opencv->decode(b.data, b.size, deep, "PNG", &theirs, &error))
        fail_msg("type %d, depth %d, extra %d: %s", k->type, k->depth, k->extra, error.text);
    if (weighed) weigh(theirs.pixels, (size_t)k->w * k->h, deep);
    if (memcmp(ours.pixels, theirs.pixels, (size_t)k->w * k->h * channels * (deep ? 2 : 1)))
        fail_msg("type %d, depth %d, interlaced %d, extra %d, %d channels: other pixels", k->type, k->depth, k->interlaced, k->extra, channels);
    free(ours.pixels);
    free(theirs.pixels);
    free(b.data);
}

static void every_kind(void **state)
{
    static const int kinds[][2] = { { 0, 1 }, { 0, 2 }, { 0, 4 }, { 0, 8 }, { 0, 16 }, { 2, 8 }, { 2, 16 }, { 3, 1 }, { 3, 2 }, { 3, 4 }, { 3, 8 }, { 4, 8 }, { 4, 16 }, { 6, 8 }, { 6, 16 } };
    static const int sizes[][2] = { { 1, 1 }, { 13, 9 }, { 3, 40 }, { 31, 5 }, { 16, 16 } };
    int seen = 0;
    srand(4);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int n = 0; n < 10; n++) {
            struct kind k = { kinds[i][0], kinds[i][1], n % 2, n / 2, sizes[n / 2][0], sizes[n / 2][1] };
            for (int channels = 1; channels <= 3; channels += 2, seen++) same_as_opencv(&k, channels);
        }
    assert_int_equal(seen, 300);
}

/* Damage that passes the checksums is told with libpng's reason. */
static void reasons(void **state)
{
    static const struct {
        size_t at; /* the byte of IDAT's data that is replaced */
        unsigned char byte;
        const char *reason;
    } cases[] = { { 0, 0, "corrupt PNG: IDAT: incorrect header check" }, { 0, 8, "corrupt PNG: IDAT: incorrect header check" },
                  { 2, 7, "corrupt PNG: IDAT: invalid block type" } };
    const struct kind k = { 2, 8, 0, 0, 5, 5 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = make(&k), fixed = { 0 };
        struct meta_image image;
        const struct meta_image_reading reading = { .channels = 3 };
        size_t idat = 8 + 25;
        uint32_t length = (uint32_t)b.data[idat + 2] << 8 | b.data[idat + 3];
        b.data[idat + 8 + cases[i].at] = cases[i].byte;
        put(&fixed, b.data, idat);
        png_chunk(&fixed, "IDAT", b.data + idat + 8, length);
        png_chunk(&fixed, "IEND", NULL, 0);
        assert_int_equal(meta_image_decode(fixed.data, fixed.size, &reading, &image, &error), -1);
        assert_string_equal(error.text, cases[i].reason);
        free(b.data);
        free(fixed.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kind), cmocka_unit_test(reasons) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
