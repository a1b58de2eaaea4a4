/* Images of the same bytes: which earlier one each is of, the groups that they unite, and what two
   lists share. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"
#include "images/image_place.h"
#include "tasks/copies_internal.h"
#include "tasks/shared.h"

enum { IMAGES = 8 };

static struct meta_error error;
static struct meta_digest digests[IMAGES];
static int named_group[IMAGES], group[IMAGES], copy_of[IMAGES];
static struct meta_dataset set = { .count = IMAGES,
                                   .digests = digests,
                                   .named_group = named_group,
                                   .group = group,
                                   .copy_of = copy_of,
                                   .list = "x.list" };

/* Images of the same letter are copies. */
static void make_set(const char *letters, const int *groups)
{
    for (int i = 0; i < IMAGES; i++) {
        digests[i] = meta_digest(letters + i, 1);
        if (letters[i] == '-') digests[i] = (struct meta_digest){ 0 };
        named_group[i] = groups[i];
        group[i] = copy_of[i] = -7;
    }
    assert_int_equal(meta_copies_unite(&set, &error), 0);
}

static void assert_ints(const int *is, const int *expected)
{
    for (int i = 0; i < IMAGES; i++)
        if (is[i] != expected[i]) fail_msg("image %d: %d, not %d", i, is[i], expected[i]);
}

static void copies(void **state)
{
    const int none[] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    make_set("abcdefgh", none);
    assert_ints(copy_of, none);
    assert_ints(group, none);
    assert_int_equal(meta_dataset_copies(&set), 0);
    make_set("abacbagh", none);
    assert_ints(copy_of, (const int[]){ -1, -1, 0, -1, 1, 0, -1, -1 });
    assert_int_equal(meta_dataset_copies(&set), 3);
    /* What could not be read is nobody's copy. */
    make_set("--cd--gh", none);
    assert_ints(copy_of, none);
    /* Nor is an image of one colour. */
    unsigned char plain[IMAGES] = { 1, 1, 0, 0, 0, 0, 0, 1 };
    set.plain = plain;
    make_set("aacdefdd", none);
    set.plain = NULL;
    assert_ints(copy_of, (const int[]){ -1, -1, -1, -1, -1, -1, 3, -1 });
}

static void groups(void **state)
{
    const int named[] = { 2, -1, 0, 1, -1, 2, -1, 0 };
    make_set("abcdefgh", named);
    assert_ints(group, named);
    /* c and d: groups 0 and 1 are one; so are the images in none that are copies */
    make_set("abccbefg", named);
    assert_int_equal(group[2], group[3]);
    assert_int_equal(group[7], group[2]);
    assert_int_equal(group[0], group[5]);
    assert_int_equal(group[1], group[4]);
    assert_true(group[1] >= 0 && group[0] != group[1] && group[1] != group[2]);
    assert_true(group[0] != group[2]);
    assert_int_equal(group[6], -1);
    /* An image in no group joins its copy's; three groups are united by two copies. */
    make_set("aabcbcgh", named);
    assert_int_equal(group[1], group[0]);
    make_set("abadeegd", named);
    for (int i = 0; i < IMAGES; i++)
        if (i != 1 && i != 4 && i != 5 && i != 6) assert_int_equal(group[i], group[0]);
    assert_int_equal(group[4], group[5]);
    assert_int_equal(group[5], group[0]); /* both are in group 2 */
    assert_int_equal(group[1], -1);
    assert_ints(named_group, named);
}

/* Two files of the same bytes, three pages each, of which one is of one colour and so nobody's
   copy: all are one group, wherever that page stands in the order of digests. */
static void pages_of_copies(void **state)
{
    unsigned char plain[IMAGES] = { 0 };
    for (int i = 0; i < IMAGES; i++) named_group[i] = -1;
    for (int blank = 0; blank < 3; blank++) {
        for (int i = 0; i < IMAGES; i++) {
            digests[i] = meta_image_place_digest(meta_digest(i < 6 ? "f" : "g", 1), i % 3);
            plain[i] = i < 6 ? i % 3 == blank : 0;
        }
        digests[7] = digests[6]; /* both plain: copies of one page alone, which tells nothing */
        plain[6] = plain[7] = 1;
        set.plain = plain;
        assert_int_equal(meta_copies_unite(&set, &error), 0);
        set.plain = NULL;
        for (int i = 0; i < 6; i++) assert_int_equal(group[i], group[0]);
        assert_true(group[0] >= 0 && group[6] == -1 && group[7] == -1);
    }
}

static void shared(void **state)
{
    struct meta_shared s;
    struct meta_digest others[3] = { meta_digest("x", 1), meta_digest("g", 1), { 0 } };
    struct meta_dataset other = { .count = 3, .digests = others, .list = "y.list" };
    const int none[] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    make_set("-bcgefgh", none);
    assert_int_equal(meta_shared_find(&s, &set, &other, &error), 0);
    assert_true(s.count == 2 && s.image == 3 && s.twin == 1);
    assert_int_equal(meta_shared_find(&s, &other, &set, &error), 0);
    assert_int_equal(s.count, 1);
    others[1] = meta_digest("y", 1);
    assert_int_equal(meta_shared_find(&s, &set, &other, &error), 0);
    assert_int_equal(s.count, 0);
}

/* Pages of one file: the same page is told before another one, whatever the order of their digests. */
static void shared_pages(void **state)
{
    enum { PAGES = 8 };
    struct meta_shared s;
    struct meta_digest file = meta_digest("f", 1), mine[PAGES], others[PAGES];
    struct meta_dataset one = { .count = 1, .digests = mine, .list = "x.list" };
    struct meta_dataset other = { .count = PAGES, .digests = others, .list = "y.list" };
    unsigned char plain[PAGES] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    for (int k = 0; k < PAGES; k++) others[k] = meta_image_place_digest(file, k);
    for (int k = 0; k < PAGES; k++) {
        mine[0] = others[k];
        assert_int_equal(meta_shared_find(&s, &one, &other, &error), 0);
        assert_true(s.count == 1 && s.frames == 0 && s.image == 0 && s.twin == k);
        /* What is of one colour is not told by itself, but by the other pages. */
        one.plain = plain;
        assert_int_equal(meta_shared_find(&s, &one, &other, &error), 0);
        one.plain = NULL;
        assert_true(s.count == 1 && s.frames == 1 && s.twin != k);
    }
    mine[0] = meta_image_place_digest(file, PAGES);
    assert_int_equal(meta_shared_find(&s, &one, &other, &error), 0);
    assert_true(s.count == 1 && s.frames == 1);
}

static void write_text(const char *path, const char *text)
{
    struct meta_chunk chunk = { text, strlen(text) };
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
}

static void candidates(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    char folder[256], list[300], path[3][300], text[2000];
    struct meta_pool *pool;
    struct meta_dataset *other;
    const int none[] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    snprintf(folder, sizeof folder, "%s/copies.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) fail();
    for (int i = 0; i < 3; i++) snprintf(path[i], sizeof *path, "%s/%d", folder, i);
    write_text(path[0], "g");
    write_text(path[1], "gg"); /* of a length that no image of the set has */
    snprintf(list, sizeof list, "%s/y.list", folder);
    snprintf(text, sizeof text, "%s\n\n%s\n%s\n%s\n", path[1], folder, path[2], path[0]);
    write_text(list, text);
    if (meta_pool_create(&pool, 2, &error)) fail_msg("%s", error.text);
    make_set("abcdefgh", none);
    if (meta_shared_candidates(&other, &set, list, pool, &error)) fail_msg("%s", error.text);
    assert_int_equal(other->count, 1);
    assert_string_equal(other->paths[0], path[0]);
    assert_int_equal(other->lines[0], 5);
    assert_true(meta_digest_equal(other->digests[0], digests[6]));
    meta_dataset_free(other);
    unlink(list);
    assert_int_equal(meta_shared_candidates(&other, &set, list, pool, &error), -1);
    meta_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(groups),
        cmocka_unit_test(pages_of_copies),
        cmocka_unit_test(shared),
        cmocka_unit_test(shared_pages),
        cmocka_unit_test(candidates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
