/* Images that seem to show one and the same: thumbnails, and pairs found under light, shifts, turns
   and from elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "tasks/align.h"
#include "tasks/alike.h"

enum { SIDE = META_THUMBNAIL, MOST = 12, ROOM = SIDE + 16 };

static struct meta_error error;
static struct meta_thumbnail thumbnails[MOST];
static int known[MOST];

/* A picture of its own for each number: spots of several sizes on a ground, larger than a thumbnail
   so that a part of it can be cut out. */
static void paint(unsigned char out[ROOM][ROOM], unsigned number)
{
    unsigned state = number * 7919 + 1;
    memset(out, 150, ROOM * ROOM);
    for (int spot = 0; spot < 60; spot++) {
        int v[4];
        for (int k = 0; k < 4; k++) v[k] = (state = state * 1103515245 + 12345) >> 16 & 0x7fff;
        int y0 = v[0] % ROOM, x0 = v[1] % ROOM, radius = 2 + v[2] % 9, level = 30 + v[3] % 200;
        for (int y = 0; y < ROOM; y++)
            for (int x = 0; x < ROOM; x++)
                if ((y - y0) * (y - y0) + (x - x0) * (x - x0) < radius * radius) out[y][x] = level;
    }
}

/* Thumbnail `at`: the picture from (top, left) on, turned as bits say (1: left and right, 2: up and
   down, 4: rows and columns), its brightness times gain/100 plus offset. */
static void put(int at, unsigned number, int top, int left, int turn, int gain, int offset)
{
    unsigned char picture[ROOM][ROOM];
    paint(picture, number);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int sy = turn & 4 ? x : y, sx = turn & 4 ? y : x;
            if (turn & 1) sx = SIDE - 1 - sx;
            if (turn & 2) sy = SIDE - 1 - sy;
            thumbnails[at].square[y * SIDE + x] = picture[top + sy][left + sx] * gain / 100 + offset;
        }
    thumbnails[at].w = thumbnails[at].h = 0; /* without keypoints */
    known[at] = -1;
}

/* Thumbnail `at` in its proportions: the picture `number`, looked at from elsewhere: turned by
   `angle`, `scale` times as large and moved. */
static void look_at(int at, unsigned number, float angle, float scale, float dx, float dy)
{
    static unsigned char picture[ROOM][ROOM];
    struct meta_thumbnail *t = &thumbnails[at];
    paint(picture, number);
    t->w = META_THUMBNAIL_LONGER;
    t->h = 75;
    for (int y = 0; y < t->h; y++)
        for (int x = 0; x < t->w; x++) {
            float px = (x - 49.5f) / scale, py = (y - 37) / scale, c = cosf(angle), s = sinf(angle);
            float sx = c * px - s * py + ROOM / 2.f + dx, sy = s * px + c * py + ROOM / 2.f + dy;
            int left = floorf(sx), top = floorf(sy);
            float u = sx - left, v = sy - top, sum = 0;
            for (int k = 0; k < 4; k++) {
                int qx = left + k % 2, qy = top + k / 2;
                float pixel = qx >= 0 && qy >= 0 && qx < ROOM && qy < ROOM ? picture[qy][qx] : 150;
                sum += pixel * (k % 2 ? u : 1 - u) * (k / 2 ? v : 1 - v);
            }
            t->gray[y * t->w + x] = lrintf(sum);
        }
}

static int find(struct meta_alike **pairs, int n)
{
    struct meta_pool *pool;
    struct meta_look look = { n, thumbnails, known };
    int count;
    if (meta_pool_create(&pool, 2, &error)) fail_msg("%s", error.text);
    if (meta_alike_find(pairs, &count, &look, pool, &error)) fail_msg("%s", error.text);
    meta_pool_free(pool);
    return count;
}

static void assert_pair(unsigned turn, int dy, int dx, int gain, int offset)
{
    struct meta_alike *pairs;
    for (int i = 0; i < MOST; i++) put(i, i, 8, 8, 0, 100, 0);
    put(9, 3, 8 + dy, 8 + dx, turn, gain, offset);
    int count = find(&pairs, MOST);
    if (count != 1 || pairs->a != 3 || pairs->b != 9)
        fail_msg("turn %u, shift %d %d, gain %d: %d pairs", turn, dy, dx, gain, count);
    free(pairs);
}

static void one_photograph(void **state)
{
    for (unsigned turn = 0; turn < 8; turn++) assert_pair(turn, 0, 0, 100, 0);
    for (unsigned turn = 0; turn < 8; turn++) assert_pair(turn, 1, -2, 80, 20);
    assert_pair(0, -2, 1, 100, 0);
    assert_pair(0, 0, 0, 50, 90);
    assert_pair(0, 0, 0, 110, 0);
}

static void other_photographs(void **state)
{
    struct meta_alike *pairs;
    for (int i = 0; i < MOST; i++) put(i, i + 100, 8, 8, 0, 100, 0);
    assert_int_equal(find(&pairs, MOST), 0);
    free(pairs);
    for (int i = 0; i < MOST; i++) { /* of one colour: nothing to go by */
        memset(&thumbnails[i], 90, sizeof thumbnails[i]);
        thumbnails[i].w = thumbnails[i].h = META_THUMBNAIL_LONGER;
    }
    assert_int_equal(find(&pairs, MOST), 0);
    free(pairs);
    assert_int_equal(find(&pairs, 0), 0);
    free(pairs);
}

/* What is in one group already is not looked for; the most alike stand first. */
static void order_and_groups(void **state)
{
    struct meta_alike *pairs;
    for (int i = 0; i < MOST; i++) put(i, i, 8, 8, 0, 100, 0);
    put(5, 2, 9, 8, 0, 70, 30);
    put(7, 1, 8, 8, 0, 100, 0);
    assert_int_equal(find(&pairs, MOST), 2);
    assert_true(pairs[0].a == 1 && pairs[0].b == 7 && pairs[0].correlation > .999f);
    assert_true(pairs[1].a == 2 && pairs[1].b == 5);
    free(pairs);
    known[1] = known[7] = 4;
    known[2] = 4;
    known[5] = 3;
    assert_int_equal(find(&pairs, MOST), 1);
    assert_true(pairs[0].a == 2 && pairs[0].b == 5);
    free(pairs);
}

/* Of pictures seen from elsewhere, those of one are found, and no other. */
static void moved(void **state)
{
    static const struct {
        float angle, scale, dx, dy;
    } views[] = { { 0, 1, 9, -6 }, { 1.6f, 1.25f, -6, 4 }, { -.7f, .8f, 3, 5 }, { 3, 1.4f, 0, 2 } };
    for (size_t v = 0; v < sizeof views / sizeof *views; v++) {
        struct meta_alike *pairs;
        for (int i = 0; i < MOST; i++) {
            put(i, 0, 8, 8, 0, 0, 90); /* of one colour: for the other search nothing to go by */
            look_at(i, i, 0, 1, 0, 0);
        }
        look_at(9, 3, views[v].angle, views[v].scale, views[v].dx, views[v].dy);
        int count = find(&pairs, MOST);
        if (count != 1 || pairs->a != 3 || pairs->b != 9)
            fail_msg("view %zu: %d pairs", v, count);
        free(pairs);
        known[3] = known[9] = 2; /* as they are in one group */
        assert_int_equal(find(&pairs, MOST), 0);
        free(pairs);
    }
}

/* An alignment that is off is found, whichever way round, and details then agree. */
static void align(void **state)
{
    struct meta_alignment at;
    for (int k = 0; k < 2; k++) {
        look_at(k, 5, 0, 1, 0, 0);
        look_at(1 - k, 5, .9f, .75f, 2, -1);
        at = k ? (struct meta_alignment){ .8f, -logf(.7f), 51, 35 }
               : (struct meta_alignment){ -.8f, logf(.7f), 49, 37 };
        float r = meta_align(&thumbnails[0], &thumbnails[1], &at);
        assert_true(r > .8f);
    }
}

static void thumbnail(void **state)
{
    static struct meta_thumbnail out;
    unsigned char pixels[128 * 192 * 3];
    struct meta_image image = { .w = 192, .h = 128, .c = 1, .pixels = pixels };
    for (int y = 0; y < 128; y++)
        for (int x = 0; x < 192; x++) pixels[y * 192 + x] = x / 3 + (x % 3 - 1) + (y % 2 ? 5 : -5) + 10;
    meta_thumbnail(&image, &out);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) assert_int_equal(out.square[y * SIDE + x], x + 10);
    image = (struct meta_image){ .w = 200, .h = 100, .c = 1, .pixels = pixels };
    for (int y = 0; y < 100; y++)
        for (int x = 0; x < 200; x++) pixels[y * 200 + x] = x / 2 + y / 2 + (x % 2 ? 3 : -3) + 3;
    meta_thumbnail(&image, &out);
    assert_true(out.w == 100 && out.h == 50);
    for (int i = 0; i < 5000; i++) assert_int_equal(out.gray[i], i % 100 + i / 100 + 3);
    /* red, green, blue by Rec. 601 */
    image = (struct meta_image){ .w = SIDE, .h = SIDE, .c = 3, .pixels = pixels };
    memset(pixels, 0, sizeof pixels);
    for (int i = 0; i < META_THUMBNAIL_PIXELS; i++) pixels[3 * i + i % 3] = 255;
    meta_thumbnail(&image, &out);
    for (int k = 0; k < 2; k++) {
        const unsigned char *gray = k ? out.gray : out.square;
        assert_true(gray[0] == 76 && gray[1] == 150 && gray[2] == 29);
    }
    assert_true(out.w == SIDE && out.h == SIDE);
    image.w--; /* too small to be told by its details */
    meta_thumbnail(&image, &out);
    for (int i = 0; i < META_THUMBNAIL_PIXELS; i++) assert_int_equal(out.square[i], 0);
    assert_true(!out.w && !out.h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_photograph),
        cmocka_unit_test(other_photographs),
        cmocka_unit_test(order_and_groups),
        cmocka_unit_test(moved),
        cmocka_unit_test(align),
        cmocka_unit_test(thumbnail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
