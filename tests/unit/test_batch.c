/* What a network sees: the stock library's own augmentation is the reference; and streams of tasks, the same whatever makes them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "tasks/stream.h"
#include "tasks/view.h"
#include "image_files.h"
#include "base/rng.h"
#include "images/warp.h"

/* exported by libdarknet; planar floats */
typedef struct { int w, h, c; float *data; } stock_image;
extern stock_image rotate_crop_image(stock_image, float rad, float scale, int w, int h, float dx, float dy, float aspect);
extern void flip_image(stock_image), distort_image(stock_image, float hue, float saturation, float value), free_image(stock_image);

enum { SIDE = 20, IMAGES = 60 };
static struct meta_error error;
static unsigned char *pixels[IMAGES];
static int widths[IMAGES], heights[IMAGES], labels[IMAGES], groups[IMAGES];
static char *names[] = { "a", "b", "c" };
static struct meta_dataset set = { .count = IMAGES, .label = labels, .group = groups, .classes = 3, .names = names, .list = "x.list",
                                   .w = widths, .h = heights, .pixels = pixels };
static struct meta_net_settings net = { .width = SIDE, .height = SIDE, .min_crop = 18, .max_crop = 40, .flip = 1, .angle = 180,
                                        .aspect = 1.3, .hue = .2, .saturation = 1.5, .exposure = 1.7 };

static void fill(int channels)
{
    set.c = net.channels = channels;
    for (int i = 0; i < IMAGES; i++) {
        widths[i] = 25 + i % 7 * 4;
        heights[i] = 24 + i % 5 * 3;
        free(pixels[i]);
        pixels[i] = make_picture(widths[i], heights[i], channels, i);
        for (int k = 0; k < widths[i] * heights[i] * channels; k++) pixels[i][k] ^= (k * 2654435761u >> 24) & 31;     /* texture */
        labels[i] = i % 3;
        groups[i] = -1;
    }
}

static stock_image to_stock(int item)
{
    stock_image im = { widths[item], heights[item], set.c, malloc(sizeof(float) * widths[item] * heights[item] * set.c) };
    int area = im.w * im.h;
    for (int i = 0; i < area; i++)
        for (int k = 0; k < set.c; k++) im.data[k * area + i] = pixels[item][i * set.c + k] / 255.;
    return im;
}

static double factor(struct meta_rng *r, double most)
{
    double scale = meta_rng_between(r, 1, most);
    return meta_rng_below(r, 2) ? scale : 1 / scale;
}

/* The picture with its rim repeated outside of it, one pixel more on the left and at the top: the stock function puts the middle of
   an image at half its sides, which is then half a pixel further to the left and up in the picture, at the middle of its pixels. */
enum { PAD = 8 };
static stock_image padded(stock_image im)
{
    stock_image out = { im.w + 2 * PAD + 1, im.h + 2 * PAD + 1, im.c, malloc(sizeof(float) * (im.w + 2 * PAD + 1) * (im.h + 2 * PAD + 1) * im.c) };
    for (int k = 0; k < im.c; k++)
        for (int y = 0; y < out.h; y++)
            for (int x = 0; x < out.w; x++) {
                int from_x = x - PAD - 1, from_y = y - PAD - 1;
                from_x = from_x < 0 ? 0 : from_x >= im.w ? im.w - 1 : from_x;
                from_y = from_y < 0 ? 0 : from_y >= im.h ? im.h - 1 : from_y;
                out.data[(k * out.h + y) * out.w + x] = im.data[(k * im.h + from_y) * im.w + from_x];
            }
    return out;
}

/* How an output pixel lies to the picture: -1 outside, 1 inside, 0 across its edge (or so near that rounding may say either). */
static int lies(double x, double y, double reach_x, double reach_y, int w, int h)
{
    double in = fmin(fmin(x - reach_x + .5, w - .5 - x - reach_x), fmin(y - reach_y + .5, h - .5 - y - reach_y));
    double out = fmin(fmin(x + reach_x + .5, w - .5 - x + reach_x), fmin(y + reach_y + .5, h - .5 - y + reach_y));
    return in > 1e-4 ? 1 : out < -1e-4 ? -1 : 0;
}

/* The draws in the order that a checkpoint's future depends on, and the stock library's own functions; where our warp takes the
   mean of several samples a pixel, so does this, by moving the crop by parts of a pixel. The middle of a pixel is half a pixel in,
   here and there, where the stock function counts from the corners: without that a crop that shrinks lies to the left and above
   of where it was drawn, and leaves the picture there. where (SIDE, SIDE): `lies` of each output pixel. */
static void reference(int item, const struct meta_view *view, float *out, int *samples, int *where)
{
    struct meta_rng r = meta_rng_open(view->seed, META_USE_AUGMENT, view->iteration, view->task, view->position);
    stock_image im = to_stock(item), wide = padded(im);
    int n = SIDE * SIDE * set.c;
    double aspect = factor(&r, net.aspect), scale = 18 + (int)meta_rng_below(&r, 23);
    scale /= im.h < im.w * aspect ? im.h : im.w * aspect;
    double rad = meta_rng_between(&r, -1, 1) * 180 * M_PI / 180;
    double dx = meta_rng_between(&r, -1, 1) * (im.w * scale / aspect - SIDE) / 2;
    double dy = meta_rng_between(&r, -1, 1) * (im.h * scale - SIDE) / 2;
    int flip = meta_rng_below(&r, 2);
    double hue = meta_rng_between(&r, -1, 1) * .2, saturation = factor(&r, 1.5), exposure = factor(&r, 1.7);
    int nx = ceil(aspect / scale - .25), ny = ceil(1 / scale - .25);
    if (nx < 1) nx = 1;
    if (ny < 1) ny = 1;
    *samples = nx * ny;
    memset(out, 0, n * sizeof *out);
    for (int i = 0; i < nx; i++)
        for (int j = 0; j < ny; j++) {
            stock_image crop = rotate_crop_image(wide, rad, scale, SIDE, SIDE, dx + (i + .5) / nx, dy + (j + .5) / ny, aspect);
            for (int k = 0; k < n; k++) out[k] += crop.data[k] / (nx * ny);
            free_image(crop);
        }
    stock_image crop = { SIDE, SIDE, set.c, out };
    if (flip) flip_image(crop);
    double a = cos(rad) * aspect / scale, b = -sin(rad) / scale, d = sin(rad) * aspect / scale, e = cos(rad) / scale;
    for (int i = 0; i < SIDE * SIDE; i++) {
        double x = (flip ? SIDE - 1 - i % SIDE : i % SIDE) + .5 - SIDE / 2. + dx, y = i / SIDE + .5 - SIDE / 2. + dy;
        where[i] = lies(a * x + b * y + im.w / 2. - .5, d * x + e * y + im.h / 2. - .5, (fabs(a) + fabs(b)) / 2, (fabs(d) + fabs(e)) / 2,
                        im.w, im.h);
    }
    if (set.c == 3) distort_image(crop, hue, saturation, exposure);
    else for (int k = 0; k < n; k++) out[k] = fmin(out[k] * exposure, 1);
    free(im.data);
    free(wide.data);
}

static void augmentation(void **state)
{
    for (int channels = 1; channels <= 3; channels += 2) {
        fill(channels);
        int single = 0, several = 0, far = 0, n = SIDE * SIDE * channels, black = 0, across = 0;
        for (int i = 0; i < 400; i++) {
            float ours[SIDE * SIDE * 3], stock[SIDE * SIDE * 3];
            int samples, where[SIDE * SIDE];
            struct meta_view view = { &net, 1, 99, i / 7, i % 4, i % 11 };
            meta_view_image(&set, i % IMAGES, &view, ours);
            reference(i % IMAGES, &view, stock, &samples, where);
            if (samples == 1) single++;
            else several++;
            for (int k = 0; k < n; k++) {
                int lie = where[k % (SIDE * SIDE)];
                assert_true(ours[k] >= 0 && ours[k] <= 1);
                if (lie > 0) far += fabs(ours[k] - stock[k]) > 2e-4;            /* their coordinates are floats, ours doubles */
                else if (lie < 0) assert_true(ours[k] == 0);
                black += lie < 0;
                across += lie == 0;
            }
        }
        assert_true(single > 50 && several > 50 && black > 1000 && across > 1000);      /* each case is met */
        assert_in_range(far, 0, 400 * n / 5000);
    }
}

/* Each key of [net] acts on its own, and switched off leaves the rest as it was. */
static void keys_of_net_act_alone(void **state)
{
    struct meta_net_settings off = { .width = SIDE, .height = SIDE, .channels = 3, .min_crop = SIDE, .max_crop = SIDE, .aspect = 1,
                                     .saturation = 1, .exposure = 1 };
    float plain[SIDE * SIDE * 3], other[SIDE * SIDE * 3];
    fill(3);
    for (int key = 0; key < 8; key++) {
        int differ = 0;
        struct meta_net_settings on = off;
        if (key == 1) on.angle = 90;
        if (key == 2) on.flip = 1;
        if (key == 3) on.max_crop = 2 * SIDE;
        if (key == 4) on.aspect = 1.5;
        if (key == 5) on.hue = .1;
        if (key == 6) on.saturation = 2;
        if (key == 7) on.exposure = 2;
        for (int i = 0; i < 20; i++) {
            struct meta_view view = { &off, 1, 5, i, 0, 0 }, changed = { &on, 1, 5, i, 0, 0 };
            meta_view_image(&set, 3, &view, plain);
            meta_view_image(&set, 3, &changed, other);
            differ += memcmp(plain, other, sizeof plain) != 0;
        }
        assert_in_range(differ, key ? 5 : 0, key ? 20 : 0);
    }
    /* all off, the place along the longer side is still drawn, by iteration and position */
    struct meta_view view = { &off, 1, 5, 0, 0, 0 };
    widths[0] = 30;
    heights[0] = SIDE;
    meta_view_image(&set, 0, &view, plain);
    view.iteration = 1;
    meta_view_image(&set, 0, &view, other);
    assert_memory_not_equal(plain, other, sizeof plain);
    view.position = 1;
    meta_view_image(&set, 0, &view, plain);
    assert_memory_not_equal(plain, other, sizeof plain);
}

static void distortion(void **state)
{
    enum { N = 5000 };
    float *ours = malloc(3 * N * sizeof *ours), *stock = malloc(3 * N * sizeof *stock);
    struct meta_rng r = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    /* turns that don't bring a hue to exactly 1: there the stock library turns red to magenta */
    static const float cases[][3] = { { 0, 1, 1 }, { 0, 1.5, .6 }, { 0, .5, 2 }, { .093, 1, 1 }, { -.31, 1.4, 1.3 }, { .47, .7, .8 },
                                      { -.99, 2.5, 2.5 }, { .99, 1, 1 } };
    for (size_t t = 0; t < sizeof cases / sizeof *cases; t++) {
        for (int i = 0; i < 3 * N; i++) stock[i] = ours[i] = meta_rng_below(&r, 12) / 11.f;        /* ties, grays and black too */
        meta_distort(ours, 3, N, cases[t][0], cases[t][1], cases[t][2]);
        distort_image((stock_image){ N, 1, 3, stock }, cases[t][0], cases[t][1], cases[t][2]);
        for (int i = 0; i < 3 * N; i++) assert_true(fabs(ours[i] - stock[i]) < 1e-5);
    }
    for (int i = 0; i < N; i++) ours[i] = i / (float)N;
    meta_distort(ours, 1, N, .3, 2, 1.5);
    for (int i = 0; i < N; i++) assert_true(fabs(ours[i] - fmin(1, 1.5 * i / N)) < 1e-6);
    free(ours);
    free(stock);
}

/* Without augmentation: bytes / 255 where nothing has to be scaled, a centred crop of them where one side is longer; a picture
   whose bytes are a plane stays that plane when it is scaled, whatever the step. */
static void test_view(void **state)
{
    float out[SIDE * SIDE * 3];
    struct meta_view view = { &net, 0, 0, 0, 0, 0 };
    fill(3);
    free(pixels[0]);
    pixels[0] = make_picture(40, 40, 3, 0);
    for (int wide = 0; wide < 2; wide++)
        for (int extra = 0; extra < 12; extra++) {
            int w = widths[0] = SIDE + (wide ? extra : 0), h = heights[0] = SIDE + (wide ? 0 : extra);
            memset(out, 0xff, sizeof out);
            meta_view_image(&set, 0, &view, out);
            for (int k = 0; k < 3; k++)
                for (int y = 0; y < SIDE; y++)
                    for (int x = 0; x < SIDE; x++) {
                        int from = (y + (h - SIDE) / 2) * w + x + (w - SIDE) / 2;
                        assert_true(out[(k * SIDE + y) * SIDE + x] == pixels[0][3 * from + k] / 255.f);
                    }
        }
    static const int sizes[][2] = { { 40, 40 }, { 60, 47 }, { 33, 90 }, { 21, 20 }, { 12, 15 }, { 7, 7 }, { 1, 1 } };
    set.c = 1;
    for (size_t t = 0; t < sizeof sizes / sizeof *sizes; t++) {
        int w = widths[0] = sizes[t][0], h = heights[0] = sizes[t][1];
        free(pixels[0]);
        pixels[0] = malloc(w * h);
        for (int i = 0; i < w * h; i++) pixels[0][i] = i % w + i / w;
        meta_view_image(&set, 0, &view, out);
        double step = (w < h ? w : h) / (double)SIDE, half = step > 1 ? step / 2 : 0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                double a = (x + .5) * step + (w - SIDE * step) / 2 - .5, b = (y + .5) * step + (h - SIDE * step) / 2 - .5;
                float value = out[y * SIDE + x] * 255;
                if (a - half < 0 || b - half < 0 || a + half > w - 1 || b + half > h - 1) {      /* the rim repeats outside */
                    assert_true(fabs(value - (a + b)) <= 1 && value >= 0 && value <= w + h - 2);
                    continue;
                }
                assert_true(fabs(value - (a + b)) < (step == 1 ? 1 : 2e-3));
            }
    }
    /* a shrunk checkerboard of single pixels is gray: no aliasing */
    widths[0] = heights[0] = 2 * SIDE;
    free(pixels[0]);
    pixels[0] = malloc(4 * SIDE * SIDE);
    for (int i = 0; i < 4 * SIDE * SIDE; i++) pixels[0][i] = (i + i / (2 * SIDE)) % 2 ? 255 : 0;
    meta_view_image(&set, 0, &view, out);
    for (int i = 0; i < SIDE * SIDE; i++) assert_true(fabs(out[i] - .5) < 1e-3);
}

/* Width and height keep apart: a plane of bytes, x + 3y, seen through 24 x 10 pixels. */
static void not_square(void **state)
{
    enum { W = 24, H = 10 };
    static unsigned char plane[48 * 30];
    unsigned char *const only[] = { plane };
    int w[] = { 48 }, h[] = { 30 };
    float out[W * H];
    struct meta_net_settings flat = { .width = W, .height = H, .channels = 1, .min_crop = 30, .max_crop = 30, .aspect = 1,
                                      .saturation = 1, .exposure = 1 };
    struct meta_dataset one = { .count = 1, .c = 1, .w = w, .h = h, .pixels = (unsigned char **)only };
    struct meta_view view = { &flat, 0, 0, 0, 0, 0 };
    for (int i = 0; i < 48 * 30; i++) plane[i] = i % 48 + 3 * (i / 48);
    meta_view_image(&one, 0, &view, out);                      /* step 2 of both, rows 5..24 */
    for (int i = 0; i < W * H; i++) assert_true(fabs(out[i] * 255 - (2 * (i % W) + .5 + 3 * (5 + 2 * (i / W) + .5))) < 1e-3);
    double least = 1e9, most = 0;
    view.augment = 1;                                          /* scale 1, anywhere inside */
    for (; view.iteration < 200; view.iteration++) {
        meta_view_image(&one, 0, &view, out);
        for (int i = 0; i < W * H; i++) assert_true(fabs((out[i] - out[0]) * 255 - (i % W + 3 * (i / W))) < 1e-3);
        least = fmin(least, out[0] * 255);
        most = fmax(most, out[0] * 255);
    }
    assert_true(least < 8 && most > 76);                       /* of 0 .. 24 + 3*20 */
}

/* ---- streams --------------------------------------------------------------------------------------------------------------- */

enum { WAYS = 2, SHOTS = 2, QUERIES = 3, TASKS = 3 };
static struct meta_episode_settings settings = { .ways = WAYS, .shots = SHOTS, .queries = QUERIES, .tasks = TASKS };
static struct meta_sampler *sampler;

static struct meta_stream_settings stream_settings(int augment, uint64_t first, int ahead, int threads)
{
    return (struct meta_stream_settings){ .set = &set, .net = &net, .augment = augment, .seed = 77, .first = first,
                                          .tasks = TASKS, .ahead = ahead, .threads = threads };
}

static struct meta_stream *stream(int augment, uint64_t first, int ahead, int threads)
{
    struct meta_stream *s = NULL;
    struct meta_stream_settings how = stream_settings(augment, first, ahead, threads);
    assert_int_equal(meta_stream_create(&s, &how, sampler, &settings, &error), 0);
    return s;
}

static void same_as_alone(const struct meta_batch *b, int augment, uint64_t iteration, uint32_t task)
{
    float expected[SIDE * SIDE * 3];
    int image = SIDE * SIDE * set.c;
    struct meta_episode *e;
    assert_int_equal(meta_episode_create(&e, &settings, &error), 0);
    meta_episode_draw(sampler, 77, iteration, task, e);
    assert_memory_equal(b->episode->classes, e->classes, WAYS * sizeof(int));
    for (int i = 0; i < WAYS * (SHOTS + QUERIES); i++) {
        int query = i >= WAYS * SHOTS, at = query ? i - WAYS * SHOTS : i, item = query ? e->query[at] : e->support[at];
        struct meta_view view = { &net, augment, 77, iteration, task, i };
        meta_view_image(&set, item, &view, expected);
        assert_int_equal(query ? b->episode->query[at] : b->episode->support[at], item);
        assert_memory_equal((query ? b->query : b->support) + at * image, expected, image * sizeof(float));
        assert_int_equal(query ? b->query_labels[at] : b->support_labels[at], at / (query ? QUERIES : SHOTS));
        assert_int_equal(labels[item], e->classes[at / (query ? QUERIES : SHOTS)]);
    }
    meta_episode_free(e);
}

static void streams_agree(void **state)
{
    static const struct { int ahead, threads; } cases[] = { { 1, 1 }, { TASKS, 4 }, { 4 * TASKS - 1, 2 } };   /* 1, 1 and 4 iterations */
    fill(3);
    assert_int_equal(meta_sampler_create(&sampler, &set, &settings, &error), 0);
    for (int augment = 0; augment < 2; augment++)
        for (size_t t = 0; t < sizeof cases / sizeof *cases; t++)
            for (uint64_t first = 0; first < 10; first += 4) {
                struct meta_stream *s = stream(augment, first, cases[t].ahead, cases[t].threads);
                const struct meta_batch *batches[TASKS];
                for (uint64_t i = first; i < 12; i++) {
                    assert_true(meta_stream_next(s, batches) >= 0);
                    if (i % 3 == 0) usleep(3000);              /* loaders catch up, and must leave this iteration alone */
                    for (int k = 0; k < TASKS; k++) same_as_alone(batches[k], augment, i, k);
                }
                meta_stream_free(s);
            }
    meta_sampler_free(sampler);
}

/* Classes that the caller chooses, at most two iterations ahead: rising sets, of which each label gets its own. */
static void streams_follow_the_curriculum(void **state)
{
    static const int kinds[3][WAYS] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
    struct meta_episode_settings told = settings;
    told.sampler = META_CURRICULUM;
    fill(3);
    assert_int_equal(meta_sampler_create(&sampler, &set, &settings, &error), 0);
    assert_int_equal(meta_sampler_classes(sampler), 3);
    for (int ahead = 1; ahead <= 3 * TASKS; ahead += TASKS)
        for (int threads = 1; threads <= 4; threads += 3) {
            struct meta_stream *s = NULL;
            const struct meta_batch *batches[TASKS];
            struct meta_episode *e;
            int chosen[40][TASKS][WAYS], swapped = 0;
            assert_int_equal(meta_episode_create(&e, &settings, &error), 0);
            struct meta_stream_settings how = stream_settings(1, 5, ahead, threads);
            assert_int_equal(meta_stream_create(&s, &how, sampler, &told, &error), 0);
            for (int i = 0; i < 40; i++)
                for (int k = 0; k < TASKS; k++) memcpy(chosen[i][k], kinds[(i / 3 + k * i) % 3], sizeof *kinds);
            meta_stream_choose(s, chosen[0][0]);
            meta_stream_choose(s, chosen[1][0]);
            for (int i = 0; i < 30; i++) {
                meta_stream_next(s, batches);
                if (i % 5 == 0) usleep(2000);
                meta_stream_choose(s, chosen[i + 2][0]);
                for (int k = 0; k < TASKS; k++) {
                    const int *classes = batches[k]->episode->classes;
                    meta_episode_draw_kind(sampler, chosen[i][k], 77, 5 + i, k, e);
                    assert_memory_equal(classes, e->classes, sizeof *kinds);
                    assert_memory_equal(batches[k]->episode->support, e->support, WAYS * SHOTS * sizeof(int));
                    assert_memory_equal(batches[k]->episode->query, e->query, WAYS * QUERIES * sizeof(int));
                    assert_int_equal(classes[0] + classes[1], chosen[i][k][0] + chosen[i][k][1]);
                    assert_int_not_equal(classes[0], classes[1]);
                    swapped += classes[0] > classes[1];
                    for (int q = 0; q < WAYS * QUERIES; q++) assert_int_equal(labels[e->query[q]], classes[q / QUERIES]);
                }
            }
            assert_in_range(swapped, 20, 70);      /* of 90: which label a class gets is drawn too */
            meta_stream_free(s);                   /* loaders wait for classes that don't come */
            meta_episode_free(e);
        }
    meta_sampler_free(sampler);
}

static void streams_stop(void **state)
{
    fill(3);
    assert_int_equal(meta_sampler_create(&sampler, &set, &settings, &error), 0);
    for (int i = 0; i < 60; i++) {
        struct meta_stream *s = stream(1, i, 1 + i % 3, 1 + i % 4);
        const struct meta_batch *batches[TASKS];
        for (int k = 0; k < i % 5; k++) meta_stream_next(s, batches);
        if (i % 7 == 0) usleep(2000);
        meta_stream_free(s);
    }
    meta_stream_free(NULL);
    struct meta_stream *s = NULL;
    struct meta_stream_settings how = stream_settings(1, 0, 0, 1);
    assert_int_equal(meta_stream_create(&s, &how, sampler, &settings, &error), -1);
    assert_string_equal(error.text, "tasks=3, ahead=0, threads=1: must be at least 1");
    net.channels = 1;
    how.ahead = 1;
    assert_int_equal(meta_stream_create(&s, &how, sampler, &settings, &error), -1);
    assert_string_equal(error.text, "x.list: was loaded with 3 channels: must be the network's 1");
    meta_sampler_free(sampler);
}

static int clean(void **state)
{
    for (int i = 0; i < IMAGES; i++) free(pixels[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(augmentation), cmocka_unit_test(keys_of_net_act_alone), cmocka_unit_test(distortion), cmocka_unit_test(test_view), cmocka_unit_test(not_square),
        cmocka_unit_test(streams_agree), cmocka_unit_test(streams_follow_the_curriculum), cmocka_unit_test(streams_stop),
    };
    alarm(300);                        /* a lost wake-up hangs */
    return cmocka_run_group_tests(tests, NULL, clean);
}
