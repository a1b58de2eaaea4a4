/* The warp: unbiased at all four edges, equal to OpenCV's area mean where that is defined, and black exactly where the source is left. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "images/image.h"
#include "images/warp.h"
#include "image_files.h"
#include "base/rng.h"
#include "tasks/view.h"

enum { MOST = 64 };
static struct meta_error error;
static struct meta_rng draw;

static double between(double a, double b) { return meta_rng_between(&draw, a, b); }

static void draws(uint64_t seed) { draw = meta_rng_open(seed, META_USE_CHECK, 0, 0, 0); }

/* Training views of a white image that lie inside it, at sizes that shrink and enlarge: white, at every pixel. */
static void white_stays_white(void **state)
{
    static unsigned char white[96 * 96];
    static const int sizes[][3] = { { 96, 72, 72 }, { 72, 96, 72 }, { 61, 47, 30 }, { 40, 40, 24 }, { 33, 32, 20 }, { 20, 20, 20 }, { 12, 9, 20 }, { 1, 1, 4 } };
    unsigned char *only[] = { white };
    memset(white, 255, sizeof white);
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++)
        for (int channels = 1; channels <= 3; channels += 2) {
            int w[] = { channels == 3 ? sizes[t][0] / 2 + 1 : sizes[t][0] }, h[] = { channels == 3 ? sizes[t][1] / 2 + 1 : sizes[t][1] }, side = 16;
            struct meta_net_settings net = { .width = side, .height = side, .channels = channels, .min_crop = side, .max_crop = side * 3,
                                             .aspect = 1, .saturation = 1, .exposure = 1, .flip = 1 };
            struct meta_dataset set = { .count = 1, .c = channels, .w = w, .h = h, .pixels = only };
            float out[16 * 16 * 3];
            for (int i = 0; i < 300; i++) {
                struct meta_view view = { &net, i > 0, 3, i, 0, 0 };
                meta_view_image(&set, 0, &view, out);
                for (int k = 0; k < side * side * channels; k++) assert_true(out[k] <= 1 && out[k] > 1 - 1e-6);
            }
        }
}

/* The whole source at a whole number of source pixels a pixel: the mean of each block, as OpenCV's INTER_AREA gives it, in bytes. */
static void area_mean(void **state)
{
    for (int step = 1; step <= 6; step++)
        for (int channels = 1; channels <= 3; channels += 2) {
            int w = 7 * step, h = 5 * step;
            float out[3 * 35];
            unsigned char *p = make_picture(w, h, channels, step);
            for (int i = 0; i < w * h * channels; i++) p[i] ^= (i * 2654435761u >> 24) & 63;
            struct meta_affine whole = { { step, 0, (step - 1) / 2., 0, step, (step - 1) / 2. } };
            for (enum meta_outside outside = META_OUTSIDE_NEAREST; outside <= META_OUTSIDE_BLACK; outside++) {
                meta_warp(&(struct meta_pixels){ p, w, h, channels }, &whole, outside, out, 7, 5);
                struct meta_image small = { .w = w, .h = h, .c = channels, .pixels = malloc(w * h * channels) };
                memcpy(small.pixels, p, w * h * channels);
                if (meta_image_shrink(&small, 7, 5, &error)) fail_msg("%s", error.text);
                for (int i = 0; i < 35; i++)
                    for (int k = 0; k < channels; k++) {
                        double mean = 0;
                        for (int j = 0; j < step * step; j++)
                            mean += p[((i / 7 * step + j / step) * w + i % 7 * step + j % step) * channels + k];
                        assert_true(fabs(out[k * 35 + i] * 255 - mean / step / step) < 1e-3);
                        assert_true(fabs(out[k * 35 + i] * 255 - small.pixels[i * channels + k]) < .502);
                    }
                free(small.pixels);
            }
            free(p);
        }
}

static void mirror(unsigned char *to, const unsigned char *from, int w, int h, int across)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) to[y * w + x] = across ? from[y * w + w - 1 - x] : from[(h - 1 - y) * w + x];
}

/* Left and right, top and bottom are alike: the mirrored source by the mirrored affine is the mirrored output, black rims included. */
static void mirrored(void **state)
{
    unsigned char source[MOST * MOST], turned[MOST * MOST];
    float out[20 * 14], other[20 * 14];
    int partly = 0;
    draws(5);
    for (int t = 0; t < 400; t++) {
        int w = 2 + meta_rng_below(&draw, MOST - 2), h = 2 + meta_rng_below(&draw, MOST - 2), across = t & 1;
        for (int i = 0; i < w * h; i++) source[i] = meta_rng_below(&draw, 256);
        double step = between(.3, 4), angle = t & 2 ? between(-4, 4) : 0, stretch = between(.7, 1.4);
        double a = cos(angle) * step * stretch, b = -sin(angle) * step, d = sin(angle) * step * stretch, e = cos(angle) * step;
        double x = between(-4, w), y = between(-4, h);
        struct meta_affine affine = { { a, b, x, d, e, y } }, back = affine;
        mirror(turned, source, w, h, across);
        /* output x is 19 - x, source column w - 1 - column; likewise for rows */
        if (across) back = (struct meta_affine){ { a, -b, w - 1 - x - 19 * a, -d, e, y + 19 * d } };
        else back = (struct meta_affine){ { a, -b, x + 13 * b, -d, e, h - 1 - y - 13 * e } };
        meta_warp(&(struct meta_pixels){ source, w, h, 1 }, &affine, META_OUTSIDE_BLACK, out, 20, 14);
        meta_warp(&(struct meta_pixels){ turned, w, h, 1 }, &back, META_OUTSIDE_BLACK, other, 20, 14);
        for (int i = 0; i < 20 * 14; i++) {
            int at = across ? i / 20 * 20 + 19 - i % 20 : (13 - i / 20) * 20 + i % 20;
            assert_true(fabs(out[i] - other[at]) < 1e-4);
            partly += out[i] > 0;
        }
    }
    assert_true(partly > 10000);
}

/* White, unturned: each pixel is as bright as the share of its area that lies in the source. Turned: 0 and 1 where its box is outside and
   inside, and all pixels together have the source's area. */
static void black_outside(void **state)
{
    unsigned char white[30 * 20];
    float out[60 * 60];
    memset(white, 255, sizeof white);
    draws(6);
    for (int t = 0; t < 200; t++) {
        double step = between(.4, 3), x = between(-5, 2), y = between(-5, 2);
        struct meta_affine affine = { { step, 0, x, 0, step, y } };
        meta_warp(&(struct meta_pixels){ white, 30, 20, 1 }, &affine, META_OUTSIDE_BLACK, out, 60, 60);
        for (int i = 0; i < 60 * 60; i++) {
            double left = fmax(-.5, x + (i % 60 - .5) * step), right = fmin(29.5, x + (i % 60 + .5) * step);
            double top = fmax(-.5, y + (i / 60 - .5) * step), bottom = fmin(19.5, y + (i / 60 + .5) * step);
            assert_true(fabs(out[i] - fmax(0, right - left) * fmax(0, bottom - top) / step / step) < 1e-5);
        }
    }
    for (int t = 0; t < 100; t++) {
        double step = between(.9, 2.5), angle = between(-4, 4), a = cos(angle) * step, b = sin(angle) * step, area = 0;
        struct meta_affine affine = { { a, -b, 14.5 - 29.5 * a + 29.5 * b, b, a, 9.5 - 29.5 * b - 29.5 * a } };
        meta_warp(&(struct meta_pixels){ white, 30, 20, 1 }, &affine, META_OUTSIDE_BLACK, out, 60, 60);
        for (int i = 0; i < 60 * 60; i++) area += out[i] * step * step;
        assert_true(fabs(area - 600) < 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(white_stays_white), cmocka_unit_test(area_mean), cmocka_unit_test(mirrored),
                                        cmocka_unit_test(black_outside) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
