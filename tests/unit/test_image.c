/* Decoding: what each format gives, and that whatever is damaged, too large or no image at all is refused with its reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include <dirent.h>
#include <malloc.h>
#include <signal.h>

#include "images/image.h"
#include "image_files.h"

static struct meta_error error;
static struct meta_image image;
static struct meta_image_reading reading = { .channels = 3 };

/* Decodes b, which it frees. */
static int decode(struct bytes b, int channels)
{
    strcpy(error.text, "no error");
    /* its own block, so that reading past the end shows */
    unsigned char *copy = malloc(b.size ? b.size : 1);
    memcpy(copy, b.data, b.size);
    reading.channels = channels;
    int status = meta_image_decode(copy, b.size, &reading, &image, &error);
    free(copy);
    free(b.data);
    if (status) assert_null(image.pixels);
    return status;
}

static void expect_pixels(int w, int h, int c, const unsigned char *expected)
{
    assert_int_equal(image.w, w);
    assert_int_equal(image.h, h);
    assert_int_equal(image.c, c);
    assert_memory_equal(image.pixels, expected, (size_t)w * h * c);
    free(image.pixels);
}

static void refused(struct bytes b, const char *reason)
{
    assert_int_equal(decode(b, 3), -1);
    assert_string_equal(error.text, reason);
}

static struct bytes text(const char *s, size_t size)
{
    struct bytes b = { 0 };
    put(&b, s, size);
    return b;
}

static void png(void **state)
{
    static const unsigned char rgb[12] = { 1, 2, 3, 40, 50, 60, 200, 100, 0, 255, 255, 255 }, gray[4] = { 0, 9, 99, 255 };
    static const unsigned char thrice[12] = { 0, 0, 0, 9, 9, 9, 99, 99, 99, 255, 255, 255 };
    static const unsigned char alpha[16] = { 1, 2, 3, 0, 40, 50, 60, 128, 200, 100, 0, 255, 255, 255, 255, 1 };
    static const unsigned char luma[4] = { 2, 48, 118, 255 };
    unsigned char deep[24];
    for (int i = 0; i < 12; i++) { deep[2 * i] = rgb[i]; deep[2 * i + 1] = 255 - rgb[i]; }
    assert_int_equal(decode(make_png(2, 2, 3, 8, rgb), 3), 0);
    expect_pixels(2, 2, 3, rgb);
    assert_int_equal(decode(make_png(4, 1, 1, 8, gray), 1), 0);
    expect_pixels(4, 1, 1, gray);
    assert_int_equal(decode(make_png(1, 4, 1, 8, gray), 3), 0);
    expect_pixels(1, 4, 3, thrice);
    assert_int_equal(decode(make_png(2, 2, 4, 8, alpha), 3), 0);
    expect_pixels(2, 2, 3, rgb);
    assert_int_equal(decode(make_png(2, 2, 3, 16, deep), 3), 0);
    expect_pixels(2, 2, 3, rgb);
    assert_int_equal(decode(make_png(2, 2, 3, 8, rgb), 1), 0);
    for (int i = 0; i < 4; i++) assert_in_range(image.pixels[i], luma[i] - (luma[i] > 0), luma[i] + 1);
    free(image.pixels);
}

static void jpeg(void **state)
{
    for (int from = 1; from <= 3; from += 2)
        for (int to = 1; to <= 3; to += 2) {
            unsigned char *p = make_picture(37, 23, from, 1);
            assert_int_equal(decode(make_jpeg(37, 23, from, p), to), 0);
            assert_true(image.w == 37 && image.h == 23 && image.c == to);
            for (int i = 0; i < 37 * 23; i++) {
                const unsigned char *q = p + i * from;
                double y = from == 1 ? q[0] : .299 * q[0] + .587 * q[1] + .114 * q[2];
                for (int k = 0; k < to; k++) {
                    double expected = from == 3 && to == 3 ? q[k] : y;
                    assert_true(abs((int)(image.pixels[i * to + k] - expected)) <= 10);      /* what JPEG loses at 95% */
                }
            }
            free(p);
            free(image.pixels);
        }
}

/* bits 24; rows from the bottom, or with height < 0 from the top; header 40 or, OS/2's, 12 bytes */
static struct bytes make_bmp(int32_t w, int32_t h, int header, const unsigned char *bgr, size_t size)
{
    struct bytes b = { 0 };
    int old = header == 12;
    put(&b, "BM", 2);
    put_little(&b, 14 + header + size, 4);
    put_little(&b, 0, 4);
    put_little(&b, 14 + header, 4);
    put_little(&b, header, 4);
    put_little(&b, w, old ? 2 : 4);
    put_little(&b, h, old ? 2 : 4);
    put_little(&b, 1, 2);
    put_little(&b, 24, 2);
    for (int i = 0; !old && i < 6; i++) put_little(&b, 0, 4);
    put(&b, bgr, size);
    return b;
}

static void bmp_and_pnm(void **state)
{
    static const unsigned char rows[16] = { 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0 };      /* padded to 4 bytes */
    static const unsigned char up[12] = { 9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4 }, down[12] = { 3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10 };
    assert_int_equal(decode(make_bmp(2, 2, 40, rows, 16), 3), 0);
    expect_pixels(2, 2, 3, up);
    assert_int_equal(decode(make_bmp(2, -2, 40, rows, 16), 3), 0);
    expect_pixels(2, 2, 3, down);
    assert_int_equal(decode(make_bmp(2, 2, 12, rows, 16), 3), 0);
    expect_pixels(2, 2, 3, up);
    refused(make_bmp(2, 2, 40, rows, 11), "corrupt BMP: 65 bytes, but its header says 70");
    refused(make_bmp(2, 0, 40, rows, 16), "2x0 pixels: must be at least 1x1");
    refused(make_bmp(60000, -60000, 40, rows, 16), "60000x60000 pixels: must be at most 100000000 in all");
    refused(text("BM", 2), "corrupt BMP: no header");

    assert_int_equal(decode(text("P5\n# made by hand\n3\t1 255\n\1\2\377", 29), 1), 0);
    expect_pixels(3, 1, 1, (const unsigned char *)"\1\2\377");
    assert_int_equal(decode(text("P6 1 1 255 \1\2\3", 14), 3), 0);
    expect_pixels(1, 1, 3, (const unsigned char *)"\1\2\3");
    assert_int_equal(decode(text("P5 1 1 65535\n\200\1", 15), 1), 0);
    expect_pixels(1, 1, 1, (const unsigned char *)"\200");
    refused(text("P5 2 2 255\n\1\2\3", 14), "corrupt PGM or PPM: 3 bytes of pixels, but its header says 4");
    refused(text("P5 2 2", 6), "corrupt PGM or PPM: no header");
    refused(text("P6 x 1 255\n", 11), "corrupt PGM or PPM: no header");
    refused(text("P5 1 1 0\n\1", 10), "PGM or PPM with largest value 0: must be 1 to 65535");
    refused(text("P5 1 1 65536\n\1\1\1", 16), "PGM or PPM with largest value 65536: must be 1 to 65535");
    refused(text("P5 60000 60000 255\n\1", 20), "60000x60000 pixels: must be at most 100000000 in all");
    refused(text("P5 9999999999 9999999999 255\n\1", 30), "9999999999x9999999999 pixels: must be at most 100000000 in all");
}

/* A header says a size; the bytes behind it must be able to have so many pixels. */
static void sizes_that_the_data_can_not_have(void **state)
{
    unsigned char gray[64] = { 0 };
    refused(text("P5 1048577 1 255\n\1", 18), "1048577x1 pixels: must be at most 1048576 a side");
    refused(text("P5 1 100000000 255\n\1", 20), "1x100000000 pixels: must be at most 1048576 a side");
    refused(make_png(10000, 10000, 3, 8, NULL),
            "corrupt PNG: its 8 bytes of data can't hold the 10000x10000 pixels that its header says");
    struct bytes wide = make_jpeg(8, 8, 1, gray);
    for (size_t i = 0; i + 9 < wide.size; i++)
        if (wide.data[i] == 0xff && wide.data[i + 1] == 0xc0) /* SOF: length, bits, height, width */
            memcpy(wide.data + i + 5, (unsigned char[]){ 10000 >> 8, 10000 & 255, 10000 >> 8, 10000 & 255 }, 4);
    char expected[200];
    snprintf(expected, sizeof expected, "corrupt JPEG: its %zu bytes can't hold the 10000x10000 pixels that its header says", wide.size);
    refused(wide, expected);
}

/* 5000x4000 pixels in ten scans are a photograph; in forty they are refused before the first. */
static void scans(void **state)
{
    unsigned char *p = make_picture(24, 24, 1, 2);
    struct bytes one = make_jpeg(24, 24, 1, p);
    refused(make_scans(one), "5000x4000 pixels in 40 scans: must be at most 500000000, scan by scan");
    free(one.data);
    free(p);
}

static void not_an_image(void **state)
{
    refused(text("", 0), "is empty");
    refused(text("hello", 5), "is no image: must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file");
    refused(text("GIF89a", 6), "is a GIF image: convert FILE[0] FILE.png (Debian's imagemagick) makes one that is read");
    refused(text("<VRTDataset rasterXSize=\"1\">", 28), "is no image: must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file");
    assert_int_equal(decode(text("P5 1 1 255\n\1", 12), 2), -1);
    assert_string_equal(error.text, "channels=2: must be 1 or 3");
    refused(make_png(60000, 60000, 3, 8, NULL), "60000x60000 pixels: must be at most 100000000 in all");
    refused(make_png(0, 5, 3, 8, NULL), "0x5 pixels: must be at least 1x1");
    unsigned char *p = make_picture(8, 8, 4, 1);
    refused(make_jpeg(8, 8, 4, p), "JPEG with 4 colours a pixel: must be gray or RGB");
    free(p);
}

/* Every shortened file, and every file with one byte changed where that must show, is refused. */
static void damage(void **state)
{
    unsigned char *p = make_picture(24, 24, 3, 2);
    struct bytes png = make_png(24, 24, 3, 8, p), jpg = make_jpeg(24, 24, 3, p);
    for (size_t n = 1; n < png.size; n++) assert_int_equal(decode(text((char *)png.data, n), 3), -1);
    for (size_t n = 1; n + 2 < jpg.size; n++) assert_int_equal(decode(text((char *)jpg.data, n), 3), -1);
    for (size_t i = 0; i < png.size; i++) {
        struct bytes b = text((char *)png.data, png.size);
        b.data[i] ^= 0x10;
        assert_int_equal(decode(b, 3), -1);
    }
    struct bytes b = text((char *)png.data, png.size);
    b.data[50] ^= 1;
    refused(b, "corrupt PNG: wrong checksum of the data at byte 33");
    b = text((char *)jpg.data, jpg.size);
    size_t middle = jpg.size - 200;
    memset(b.data + middle, 0xa5, 100);
    assert_int_equal(decode(b, 3), -1);
    assert_non_null(strstr(error.text, "corrupt JPEG: "));
    free(png.data);
    free(jpg.data);
    free(p);
}

static void files(void **state)
{
    unsigned char *p = make_picture(5, 4, 3, 3);
    struct bytes png = make_png(5, 4, 3, 8, p);
    char *name = strdup(scratch("$(touch pwned) ; touch pwned; `touch pwned` %d *.png")), expected[700];
    write_file(name, png.data, png.size);
    assert_int_equal(meta_image_read(name, &reading, &image, &error), 0);
    expect_pixels(5, 4, 3, p);
    unlink(name);
    assert_int_equal(meta_image_read(name, &reading, &image, &error), -1);
    snprintf(expected, sizeof expected, "%s: No such file or directory", name);
    assert_string_equal(error.text, expected);
    assert_int_equal(access("pwned", F_OK), -1);
    free(name);

    const char *path = scratch("empty.jpg");
    write_text(path, "");
    assert_int_equal(meta_image_read(path, &reading, &image, &error), -1);
    snprintf(expected, sizeof expected, "%s: is empty", path);
    assert_string_equal(error.text, expected);
    path = scratch("sparse.png");
    write_file(path, png.data, png.size);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);                    /* a hole: takes no room on the disk */
    assert_int_equal(meta_image_read(path, &reading, &image, &error), -1);
    assert_non_null(strstr(error.text, "/sparse.png: is 1099511627776 bytes: must be at most 268435456"));
    unlink(path);
    assert_int_equal(meta_image_read("/dev/zero", &reading, &image, &error), -1);
    assert_int_equal(meta_image_read(scratch(""), &reading, &image, &error), -1);
    free(png.data);
    free(p);
}

/* A TIFF file of side x side pixels in so many channels, 1 or 3, whose samples are all `value`. */
static struct bytes tiff(int side, int channels, unsigned char value)
{
    const unsigned size = side * side * channels, at = 8 + (size + 1) / 2 * 2;
    const unsigned tags[][2] = { { 256, side }, { 257, side }, { 258, 8 }, { 259, 1 }, { 262, channels == 3 ? 2 : 1 }, { 273, 8 }, { 277, channels }, { 278, side }, { 279, size } };
    struct bytes b = { 0 };
    const uint16_t count = sizeof tags / sizeof *tags, depth[] = { 8, 8, 8 };
    put(&b, "II*\0", 4);
    put(&b, &at, 4);
    for (unsigned i = 0; i < at - 8; i++) put(&b, &value, 1);
    put(&b, &count, 2);
    for (int i = 0; i < count; i++) {
        const uint16_t tag = tags[i][0], type = 3 + (tag != 258);
        const uint32_t n = tag == 258 ? channels : 1, number = n > 1 ? at + 2 + 12 * count + 4 : tags[i][1];
        put(&b, &tag, 2);
        put(&b, &type, 2);
        put(&b, &n, 4);
        put(&b, &number, 4);
    }
    put(&b, "\0\0\0", 4);
    put(&b, depth, sizeof depth);
    return b;
}

/* What the colours took is given back where gray is asked for: the images of a list stay in memory. */
static void no_more_memory_than_pixels(void **state)
{
    if (decode(tiff(64, 3, 7), 1)) fail_msg("%s", error.text);
    assert_true(image.w == 64 && image.h == 64 && image.c == 1 && image.pixels[4095] == 7);
    assert_in_range(malloc_usable_size(image.pixels), 4096, 8191);
    free(image.pixels);
}

/* Kills the processes that this one has started. Returns how many there were. */
static int kill_children(void)
{
    DIR *processes = opendir("/proc");
    int killed = 0;
    for (struct dirent *e; processes && (e = readdir(processes));) {
        char path[300], line[300] = "";
        int pid = atoi(e->d_name), parent = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *f = pid > 0 ? fopen(path, "r") : NULL;
        if (!f) continue;
        char *end = fgets(line, sizeof line, f) ? strrchr(line, ')') : NULL;
        fclose(f);
        if (end && sscanf(end, ") %*c %d", &parent) == 1 && parent == getpid() && !kill(pid, SIGKILL)) killed++;
    }
    closedir(processes);
    return killed;
}

/* A decoder that is killed while no file is with it takes none with it. */
static void decoders_that_are_killed(void **state)
{
    for (int i = 0; i < 3; i++) {
        if (decode(tiff(1, 1, 0x2a), 1)) fail_msg("%s", error.text);
        expect_pixels(1, 1, 1, (const unsigned char[]){ 0x2a });
        assert_int_equal(kill_children(), 1);
    }
}

static void shrink(void **state)
{
    static const unsigned char from[24] = { 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110,
                                            8, 18, 28, 38, 48, 58, 68, 78, 88, 98, 108, 118 };
    static const unsigned char halved[6] = { 19, 29, 39, 79, 89, 99 };          /* (4, 2, 3) to (2, 1, 3): means of four */
    image = (struct meta_image){ .w = 4, .h = 2, .c = 3, .pixels = malloc(24) };
    memcpy(image.pixels, from, 24);
    assert_int_equal(meta_image_shrink(&image, 4, 2, &error), 0);
    assert_memory_equal(image.pixels, from, 24);
    assert_int_equal(meta_image_shrink(&image, 5, 1, &error), -1);
    assert_string_equal(error.text, "can't shrink 4x2 pixels to 5x1");
    assert_int_equal(meta_image_shrink(&image, 2, 1, &error), 0);
    expect_pixels(2, 1, 3, halved);

    image = (struct meta_image){ .w = 3, .h = 1, .c = 1, .pixels = malloc(3) };
    memcpy(image.pixels, (unsigned char[]){ 0, 90, 210 }, 3);
    assert_int_equal(meta_image_shrink(&image, 2, 1, &error), 0);                /* (0 + 45)/1.5, (45 + 210)/1.5 */
    expect_pixels(2, 1, 1, (const unsigned char[]){ 30, 170 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png), cmocka_unit_test(jpeg), cmocka_unit_test(bmp_and_pnm), cmocka_unit_test(sizes_that_the_data_can_not_have), cmocka_unit_test(scans), cmocka_unit_test(not_an_image),
        cmocka_unit_test(damage), cmocka_unit_test(files), cmocka_unit_test(no_more_memory_than_pixels), cmocka_unit_test(decoders_that_are_killed), cmocka_unit_test(shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
