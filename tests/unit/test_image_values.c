/* Which way up an image lies, and which value of a file is white: EXIF orientation, samples of 16 bits and of other ranges, and BMPs of
   16 bits a pixel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/image.h"
#include "image_files.h"

static struct meta_error error;
static struct meta_image image;

/* Decodes b, which it frees, in a block of its own, so that reading past the end shows. */
static int decode(struct bytes b, int channels, int as_stored, int white)
{
    const struct meta_image_reading reading = { .channels = channels, .as_stored = as_stored, .white = white };
    unsigned char *copy = malloc(b.size ? b.size : 1);
    memcpy(copy, b.data, b.size);
    strcpy(error.text, "no error");
    int status = meta_image_decode(copy, b.size, &reading, &image, &error);
    free(copy);
    free(b.data);
    if (status) assert_null(image.pixels);
    return status;
}

static void expect(int w, int h, int c, const unsigned char *expected)
{
    assert_int_equal(image.w, w);
    assert_int_equal(image.h, h);
    assert_int_equal(image.c, c);
    for (int i = 0; i < w * h * c; i++) assert_int_equal(image.pixels[i], expected[i]);
    free(image.pixels);
}

static void refused(struct bytes b, int white, const char *reason)
{
    assert_int_equal(decode(b, 1, 0, white), -1);
    assert_string_equal(error.text, reason);
}

/* ---- orientation ----------------------------------------------------------------------------------------------------------- */

/* late: behind the pixels */
static struct bytes png_with(struct bytes exif, int late)
{
    static const unsigned char gray[6] = { 10, 20, 30, 40, 50, 60 };       /* 3 x 2 */
    struct bytes file = make_png(3, 2, 1, 8, gray), chunk = { 0 };
    png_chunk(&chunk, "eXIf", exif.data, exif.size);
    free(exif.data);
    return insert(file, late ? file.size - 12 : 33, chunk);
}

static struct bytes jpeg_with(struct bytes exif, int xmp)
{
    unsigned char *p = malloc(32 * 16);
    struct bytes markers = { 0 };
    for (int i = 0; i < 32 * 16; i++) p[i] = i % 32 * 4 + i / 32 * 8;
    struct bytes file = make_jpeg(32, 16, 1, p);
    free(p);
    if (xmp) put_app1(&markers, "http://ns.adobe.com/xap/1.0/\0", 29, make_exif(3, 3, 0));
    put_app1(&markers, "Exif\0\0", 6, exif);
    return insert(file, 2, markers);
}

/* The eight ways that 10 20 30 / 40 50 60 can lie, by the standard's words for where its first row and column belong. */
static void all_orientations(void **state)
{
    static const unsigned char upright[9][6] = {
        { 10, 20, 30, 40, 50, 60 }, { 10, 20, 30, 40, 50, 60 }, { 30, 20, 10, 60, 50, 40 }, { 60, 50, 40, 30, 20, 10 }, { 40, 50, 60, 10, 20, 30 },
        { 10, 40, 20, 50, 30, 60 }, { 40, 10, 50, 20, 60, 30 }, { 60, 30, 50, 20, 40, 10 }, { 30, 60, 20, 50, 10, 40 } };
    for (int o = 0; o <= 8; o++)
        for (int kind = 0; kind < 8; kind++) {
            int big = kind & 1, type = kind & 2 ? 4 : 3, late = kind >> 2, across = o >= 5;
            assert_int_equal(decode(png_with(make_exif(o, type, big), late), 1, 0, 0), 0);
            expect(across ? 2 : 3, across ? 3 : 2, 1, upright[o]);
            assert_int_equal(decode(png_with(make_exif(o, type, big), late), 1, 1, 0), 0);
            expect(3, 2, 1, upright[1]);
            /* a JPEG's corners, in the picture 4x + 8y */
            assert_int_equal(decode(jpeg_with(make_exif(o, type, big), late), 3, 0, 0), 0);
            int w = across ? 16 : 32, h = across ? 32 : 16;
            assert_true(image.w == w && image.h == h && image.c == 3);
            for (int corner = 0; corner < 4; corner++) {
                int right = corner & 1, below = corner >> 1, from = upright[o][below * (across ? 4 : 3) + right * (across ? 1 : 2)];
                int expected = (from == 30 || from == 60 ? 31 * 4 : 0) + (from >= 40 ? 15 * 8 : 0);
                assert_in_range(image.pixels[((below ? h - 1 : 0) * w + (right ? w - 1 : 0)) * 3] + 10, expected + 4, expected + 16);
            }
            free(image.pixels);
        }
}

/* Orientations that do not exist, and EXIF data that end anywhere or lie about their lengths: the image stays as it is. */
static void damaged_exif(void **state)
{
    static const unsigned char as_is[6] = { 10, 20, 30, 40, 50, 60 };
    static const int bad[] = { 0, 9, 255, 65535 };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(decode(png_with(make_exif(bad[i], 3, i & 1), 0), 1, 0, 0), 0);
        expect(3, 2, 1, as_is);
    }
    struct bytes whole = make_exif(6, 3, 0);
    for (size_t n = 0; n < 10 + 2 * 12; n++) {                      /* up to the orientation's last byte */
        struct bytes cut = { 0 };
        put(&cut, whole.data, n);
        assert_int_equal(decode(png_with(cut, 0), 1, 0, 0), 0);
        expect(3, 2, 1, as_is);
    }
    for (size_t i = 0; i < whole.size; i++)
        for (int value = 0; value < 256; value += 51) {
            struct bytes changed = { 0 };
            put(&changed, whole.data, whole.size);
            changed.data[i] = value;
            assert_int_equal(decode(png_with(changed, 0), 1, 0, 0), 0);
            free(image.pixels);
        }
    free(whole.data);
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

static struct bytes pnm(const char *header, const unsigned char *samples, size_t size)
{
    struct bytes b = { 0 };
    put(&b, header, strlen(header));
    put(&b, samples, size);
    return b;
}

/* One picture of 12 bits in each format: as bright as its 8-bit copy, to the last bit. */
static void twelve_bits(void **state)
{
    unsigned char deep[2 * 12], bytes[12], thrice[36];
    for (int i = 0; i < 12; i++) {
        int value = i == 11 ? 4095 : i * 373 % 4096;
        deep[2 * i] = value >> 8;
        deep[2 * i + 1] = value;
        bytes[i] = (value * 255 + 2047) / 4095;
        for (int k = 0; k < 3; k++) thrice[3 * i + k] = bytes[i];
    }
    assert_int_equal(decode(make_png(4, 3, 1, 16, deep), 1, 0, 4095), 0);
    assert_int_equal(image.largest, 4095);
    expect(4, 3, 1, bytes);
    assert_int_equal(decode(make_png(4, 3, 1, 16, deep), 3, 0, 4095), 0);
    expect(4, 3, 3, thrice);
    assert_int_equal(decode(make_png(2, 2, 3, 16, deep), 3, 0, 4095), 0);
    expect(2, 2, 3, bytes);
    assert_int_equal(decode(pnm("P5 4 3 65535\n", deep, 24), 1, 0, 4095), 0);
    assert_int_equal(image.largest, 4095);
    expect(4, 3, 1, bytes);
    for (int white = 0; white <= 65535; white += 65535) {          /* the file's own word is enough, and goes first */
        assert_int_equal(decode(pnm("P5 4 3 4095\n", deep, 24), 1, 0, white), 0);
        assert_int_equal(image.largest, 0);
        expect(4, 3, 1, bytes);
        assert_int_equal(decode(pnm("P6 2 2 4095\n", deep, 24), 3, 0, white), 0);
        expect(2, 2, 3, bytes);
    }
    assert_int_equal(decode(pnm("P5 3 1 15\n", (unsigned char[]){ 0, 5, 15 }, 3), 1, 0, 0), 0);
    expect(3, 1, 1, (unsigned char[]){ 0, 85, 255 });
    assert_int_equal(decode(pnm("P5 3 1 1\n", (unsigned char[]){ 0, 1, 0 }, 3), 1, 0, 0), 0);
    expect(3, 1, 1, (unsigned char[]){ 0, 255, 0 });
    refused(make_png(4, 3, 1, 16, deep), 1023, "a value of 4095, above range=1023: range must be the value of white");
    refused(pnm("P5 4 3 1000\n", deep, 24), 0, "corrupt PGM or PPM: a value of 4095, but its header says 1000 at most");
    refused(pnm("P5 1 1 9\n", (unsigned char[]){ 10 }, 1), 0, "corrupt PGM or PPM: a value of 10, but its header says 9 at most");
}

/* Files of the whole range, and 8-bit ones whatever is said of 16-bit ones, are what they were: the upper byte, the byte. */
static void full_range(void **state)
{
    unsigned char deep[2 * 12], upper[12];
    for (int i = 0; i < 24; i++) deep[i] = i ? i * 97 + 200 : 255;
    for (int i = 0; i < 12; i++) upper[i] = deep[2 * i];
    for (int white = 0; white <= 65535; white += 65535) {
        assert_int_equal(decode(make_png(4, 3, 1, 16, deep), 1, 0, white), 0);
        assert_int_equal(image.largest >> 8, 255);
        expect(4, 3, 1, upper);
        assert_int_equal(decode(make_png(2, 2, 3, 16, deep), 3, 0, white), 0);
        expect(2, 2, 3, upper);
        assert_int_equal(decode(pnm("P5 4 3 65535\n", deep, 24), 1, 0, white), 0);
        expect(4, 3, 1, upper);
    }
    assert_int_equal(decode(make_png(4, 3, 1, 8, upper), 1, 0, 4095), 0);
    assert_int_equal(image.largest, 0);
    expect(4, 3, 1, upper);
}

/* ---- BMP of 16 bits a pixel ------------------------------------------------------------------------------------------------ */

/* 3 x 2 pixels, rows from the bottom; header: bytes of its header, masks behind it where it has 40 */
static struct bytes bmp(int header, int bits, int packed, const uint32_t *masks, const uint32_t *pixels)
{
    struct bytes b = { 0 };
    int each = bits / 8, row = (3 * each + 3) / 4 * 4, extra = packed && header == 40 ? 12 : 0, from = 14 + header + extra;
    put(&b, "BM", 2);
    put_little(&b, from + 2 * row, 4);
    put_little(&b, 0, 4);
    put_little(&b, from, 4);
    put_little(&b, header, 4);
    put_little(&b, 3, 4);
    put_little(&b, 2, 4);
    put_little(&b, 1, 2);
    put_little(&b, bits, 2);
    put_little(&b, packed, 4);
    for (int i = 0; i < 5; i++) put_little(&b, 0, 4);
    for (int i = 0; i < 3 && (extra || header > 40); i++) put_little(&b, packed ? masks[i] : 0, 4);
    while ((int)b.size < from) put_little(&b, 0, 4);
    for (int y = 1; y >= 0; y--) {
        for (int x = 0; x < 3; x++) put_little(&b, pixels[3 * y + x], each);
        for (int i = 3 * each; i < row; i++) put_little(&b, 0, 1);
    }
    return b;
}

static void bmp_of_16_bits(void **state)
{
    static const uint32_t m565[] = { 0xf800, 0x7e0, 0x1f }, m555[] = { 0x7c00, 0x3e0, 0x1f }, m444[] = { 0xf00, 0xf0, 0xf },
                          m888[] = { 0xff0000, 0xff00, 0xff }, swapped[] = { 0xff, 0xff00, 0xff0000 };
    static const uint32_t p565[] = { 0xf800, 0x7e0, 0x1f, 0xffff, 0, 0x8410 }, p555[] = { 0x7c00, 0x3e0, 0x1f, 0x7fff, 0, 0x4210 };
    static const uint32_t p888[] = { 0xff0000, 0xff00, 0xff, 0xffffff, 0, 0x808080 };
    static const int headers[] = { 40, 52, 56, 108, 124 };
    /* red, green, blue; white, black, gray: what OpenCV makes of 5 bits is their upper end */
    static const unsigned char most565[] = { 248, 0, 0, 0, 252, 0, 0, 0, 248, 248, 252, 248, 0, 0, 0, 128, 128, 128 },
                               most555[] = { 248, 0, 0, 0, 248, 0, 0, 0, 248, 248, 248, 248, 0, 0, 0, 128, 128, 128 },
                               most888[] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 128, 128, 128 };
    for (int i = 0; i < 5; i++) {
        assert_int_equal(decode(bmp(headers[i], 16, 3, m565, p565), 3, 0, 0), 0);
        expect(3, 2, 3, most565);
        assert_int_equal(decode(bmp(headers[i], 16, 3, m555, p555), 3, 0, 0), 0);
        expect(3, 2, 3, most555);
        assert_int_equal(decode(bmp(headers[i], 16, 0, NULL, p555), 3, 0, 0), 0);
        expect(3, 2, 3, most555);
        assert_int_equal(decode(bmp(headers[i], 32, 3, m888, p888), 3, 0, 0), 0);
        expect(3, 2, 3, most888);
        refused(bmp(headers[i], 16, 3, m444, p565), 0,
                "BMP of 16 bits with colour masks f00, f0, f: must be of 16 bits with 7c00, 3e0, 1f or f800, 7e0, 1f, or of 32 bits with ff0000, ff00, ff");
        refused(bmp(headers[i], 32, 3, swapped, p888), 0,
                "BMP of 32 bits with colour masks ff, ff00, ff0000: must be of 16 bits with 7c00, 3e0, 1f or f800, 7e0, 1f, or of 32 bits with ff0000, ff00, ff");
        struct bytes whole = bmp(headers[i], 16, 3, m565, p565);
        for (size_t n = 0; n < whole.size; n++) {
            struct bytes cut = { 0 };
            put(&cut, whole.data, n);
            assert_int_equal(decode(cut, 3, 0, 0), -1);
        }
        free(whole.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_orientations), cmocka_unit_test(damaged_exif), cmocka_unit_test(twelve_bits),
                                        cmocka_unit_test(full_range), cmocka_unit_test(bmp_of_16_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
