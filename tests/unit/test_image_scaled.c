/* JPEG files that are decoded at a part of their size: which part, and that what is shrunk from there is what is shrunk from all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <unistd.h>
#include <cmocka.h>

#include "images/image.h"
#include "image_files.h"

static struct meta_error error;

/* Detail of many sizes in every direction, little of it of four pixels. */
static unsigned char *make_detail(int w, int h, int channels)
{
    unsigned char *p = make_picture(w, h, channels, 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < channels; k++) {
                unsigned char *v = p + ((size_t)y * w + x) * channels + k;
                double wave = 25 * sin(x * .08 + y * .05) + 8 * sin(x * .2 - y * .13 + k) + 4 * sin(y * 1.5 + x * .9);
                *v = (unsigned char)fmin(255, fmax(0, *v + wave));
            }
    return p;
}

static struct bytes with_orientation(struct bytes file, int orientation)
{
    struct bytes markers = { 0 };
    put_app1(&markers, "Exif\0\0", 6, make_exif(orientation, 3, 0));
    return insert(file, 2, markers);
}

static struct meta_image decoded(struct bytes file, struct meta_image_reading reading)
{
    struct meta_image image;
    strcpy(error.text, "no error");
    if (meta_image_decode(file.data, file.size, &reading, &image, &error)) fail_msg("%s", error.text);
    return image;
}

/* Mean absolute difference of two images, which it frees. */
static double difference(struct meta_image a, struct meta_image b)
{
    double sum = 0;
    assert_true(a.w == b.w && a.h == b.h && a.c == b.c);
    int n = a.w * a.h * a.c;
    for (int i = 0; i < n; i++) sum += abs(a.pixels[i] - b.pixels[i]);
    free(a.pixels);
    free(b.pixels);
    return sum / n;
}

/* Of what is decoded by `reading` to that from the full size. */
static double to_full(struct bytes file, struct meta_image_reading reading, int scaled)
{
    struct meta_image_reading full = reading;
    full.in_full = 1;
    struct meta_image a = decoded(file, reading), b = decoded(file, full);
    assert_int_equal(a.scaled, scaled);
    assert_int_equal(b.scaled, 0);
    return difference(a, b);
}

static void rough(struct jpeg_compress_struct *info) { jpeg_set_quality(info, 85, TRUE); }
static void progressive(struct jpeg_compress_struct *info) { jpeg_simple_progression(info); }
static void whole_colours(struct jpeg_compress_struct *info)
{
    jpeg_set_quality(info, 90, TRUE);
    for (int i = 0; i < 3; i++) info->comp_info[i].h_samp_factor = info->comp_info[i].v_samp_factor = 1;
}
/* Adobe's marker says that the three colours are red, green and blue. */
static void adobe(struct jpeg_compress_struct *info)
{
    jpeg_set_colorspace(info, JCS_RGB);
    jpeg_set_quality(info, 90, TRUE);
}
static void restarts(struct jpeg_compress_struct *info) { info->restart_interval = 3; }

static void sizes_and_kinds(void **state)
{
    static const struct { int w, h; } sizes[] = { { 600, 450 }, { 601, 451 }, { 607, 449 }, { 450, 600 }, { 343, 999 } };
    static void (*const kinds[])(struct jpeg_compress_struct *) = { rough, progressive, whole_colours, adobe, restarts };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            unsigned char *p = make_detail(sizes[s].w, sizes[s].h, 3);
            struct bytes file = make_jpeg_as(sizes[s].w, sizes[s].h, 3, p, kinds[k], NULL);
            for (int channels = 1; channels <= 3; channels += 2)
                for (int shorter = 40; shorter <= 84; shorter += 22) {
                    double d = to_full(file, (struct meta_image_reading){ .channels = channels, .shorter = shorter }, 1);
                    if (!(d > 0 && d < 2)) fail_msg("%dx%d, kind %zu, %d channels, to %d: %g", sizes[s].w, sizes[s].h, k, channels, shorter, d);
                }
            free(file.data);
            free(p);
        }
    unsigned char *p = make_detail(601, 451, 1);
    struct bytes file = make_jpeg_as(601, 451, 1, p, rough, NULL);
    for (int channels = 1; channels <= 3; channels += 2)
        assert_true(to_full(file, (struct meta_image_reading){ .channels = channels, .shorter = 84 }, 1) < 2);
    free(file.data);
    free(p);
}

/* 601 pixels are 75.125 at an eighth. Were they taken for 76, slow waves across them would lie a percent too far left at the right end, 8
   levels in the mean; turned by the orientation, at any end. */
static void no_shift(void **state)
{
    unsigned char *p = malloc(601 * 601);
    for (int i = 0; i < 601 * 601; i++) p[i] = 128 + 100 * sin((i % 601 + i / 601) * 2 * 2 * M_PI / 601);
    struct bytes plain = make_jpeg(601, 601, 1, p);
    free(p);
    for (int o = 1; o <= 8; o++) {
        struct bytes copy = { 0 };
        put(&copy, plain.data, plain.size);
        struct bytes file = with_orientation(copy, o);
        for (int as_stored = 0; as_stored < 2; as_stored++)
            assert_true(to_full(file, (struct meta_image_reading){ .channels = 1, .shorter = 70, .as_stored = as_stored }, 1) < 1);
        free(file.data);
    }
    free(plain.data);
}

/* The image that the full size gives is turned by each orientation; so is the other, in both proportions. */
static void orientations(void **state)
{
    unsigned char *p = make_detail(606, 403, 3);
    for (int o = 1; o <= 8; o++) {
        struct bytes file = with_orientation(make_jpeg_as(606, 403, 3, p, rough, NULL), o);
        assert_true(to_full(file, (struct meta_image_reading){ .channels = 3, .shorter = 48 }, 1) < 2);
        struct meta_image upright = decoded(file, (struct meta_image_reading){ .channels = 3, .shorter = 48 });
        assert_true(o < 5 ? upright.w == 72 && upright.h == 48 : upright.w == 48 && upright.h == 72);
        free(upright.pixels);
        free(file.data);
    }
    free(p);
}

static int is_scaled(struct bytes file, int shorter, int in_full)
{
    struct meta_image image = decoded(file, (struct meta_image_reading){ .channels = 3, .shorter = shorter, .in_full = in_full });
    free(image.pixels);
    return image.scaled;
}

/* Of 200x150 pixels a half is 75 high; nothing is scaled of what is to be higher, nor of what keeps its size. */
static void only_where_a_part_suffices(void **state)
{
    unsigned char *p = make_detail(200, 150, 3);
    struct bytes file = make_jpeg_as(200, 150, 3, p, rough, NULL);
    assert_int_equal(is_scaled(file, 75, 0), 1);
    assert_int_equal(is_scaled(file, 75, 1), 0);
    assert_int_equal(is_scaled(file, 76, 0), 0);
    assert_int_equal(is_scaled(file, 150, 0), 0);
    assert_int_equal(is_scaled(file, 1000, 0), 0);
    assert_int_equal(is_scaled(file, 0, 0), 0);
    for (int shorter = 76; shorter <= 151; shorter++) /* not a byte differs */
        assert_true(to_full(file, (struct meta_image_reading){ .channels = 3, .shorter = shorter }, 0) == 0);
    free(file.data);
    /* 201 pixels are 100.5 at a half; the longer side is to be 134 of 201 * 100 / 150 */
    free(p);
    p = make_detail(201, 301, 3);
    file = make_jpeg_as(201, 301, 3, p, rough, NULL);
    assert_int_equal(is_scaled(file, 100, 0), 1);
    assert_int_equal(is_scaled(file, 101, 0), 0);
    free(file.data);
    free(p);
    /* the same for formats that can't be scaled */
    p = make_detail(200, 150, 3);
    file = make_png(200, 150, 3, 8, p);
    assert_true(to_full(file, (struct meta_image_reading){ .channels = 3, .shorter = 20 }, 0) == 0);
    free(file.data);
    free(p);
}

/* Extreme proportions: the longer side may be a thousand times the shorter one, or the image one pixel. */
static void thin(void **state)
{
    static const struct { int w, h, shorter; } thin[] = { { 5000, 9, 1 }, { 9, 5000, 1 }, { 8, 8, 1 }, { 1, 1, 1 }, { 17, 16, 2 }, { 65500, 16, 8 } };
    for (size_t i = 0; i < sizeof thin / sizeof *thin; i++) {
        unsigned char *p = make_detail(thin[i].w, thin[i].h, 1);
        struct bytes file = make_jpeg(thin[i].w, thin[i].h, 1, p);
        struct meta_image_reading reading = { .channels = 1, .shorter = thin[i].shorter };
        assert_true(to_full(file, reading, thin[i].w > 1) < 3);
        free(file.data);
        free(p);
    }
}

static void refused(struct bytes file, const char *reason)
{
    struct meta_image image;
    const struct meta_image_reading reading = { .channels = 3, .shorter = 4 };
    assert_int_equal(meta_image_decode(file.data, file.size, &reading, &image, &error), -1);
    assert_null(image.pixels);
    assert_non_null(strstr(error.text, reason));
    free(file.data);
}

/* Whatever a full size is refused for, a part is refused for. */
static void damage(void **state)
{
    unsigned char *p = make_detail(64, 64, 4);
    refused(make_jpeg(64, 64, 4, p), "JPEG with 4 colours a pixel: must be gray or RGB");
    struct bytes one = make_jpeg(64, 64, 1, p), cut = { 0 };
    put(&cut, one.data, one.size - 40);
    refused(cut, "corrupt JPEG");
    refused(make_scans(one), "5000x4000 pixels in 40 scans: must be at most 500000000, scan by scan");
    free(one.data);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sizes_and_kinds), cmocka_unit_test(no_shift), cmocka_unit_test(orientations),
                                        cmocka_unit_test(only_where_a_part_suffices), cmocka_unit_test(thin), cmocka_unit_test(damage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
