/* Digests of bytes: the values that xxh128sum prints, order, text, and digests of several things. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "tasks/identity.h"

static struct meta_error error;

static void assert_text(struct meta_digest d, const char *expected)
{
    char text[META_DIGEST_TEXT];
    meta_digest_text(text, d);
    assert_string_equal(text, expected);
}

/* As `printf ... | xxh128sum` of Debian's xxhash 0.8.1 prints them. */
static void values(void **state)
{
    assert_text(meta_digest("", 0), "99aa06d3014798d86001c324468d497f");
    assert_text(meta_digest("123456789", 9), "33119477ede5dcd5e9716427681d5860");
    assert_int_equal(meta_digest("123456789", 9).bytes, 9);
}

static void order(void **state)
{
    struct meta_digest a = { 1, 9, 9 }, b = { 2, 0, 0 }, c = { 2, 0, 1 }, d = { 2, 1, 0 };
    assert_true(meta_digest_order(&a, &b) < 0 && meta_digest_order(&b, &a) > 0);
    assert_true(meta_digest_order(&b, &c) < 0 && meta_digest_order(&c, &d) < 0);
    assert_true(meta_digest_equal(d, d));
    assert_false(meta_digest_equal(c, d));
}

static void texts(void **state)
{
    struct meta_digest d;
    assert_int_equal(meta_digest_parse(&d, "0123456789abcdef00000000000000ff"), 0);
    assert_true(d.high == 0x0123456789abcdef && d.low == 0xff && !d.bytes);
    assert_text(d, "0123456789abcdef00000000000000ff");
    assert_int_equal(meta_digest_parse(&d, ""), -1);
    assert_int_equal(meta_digest_parse(&d, "0123456789abcdef00000000000000f"), -1);
    assert_int_equal(meta_digest_parse(&d, "0123456789abcdef00000000000000fff"), -1);
    assert_int_equal(meta_digest_parse(&d, "0123456789abcdef00000000000000fg"), -1);
}

static void several(void **state)
{
    struct meta_digest none = { 0 }, ab = meta_digest_add(meta_digest_add(none, "a", 1), "b", 1);
    assert_false(meta_digest_equal(ab, meta_digest_add(meta_digest_add(none, "b", 1), "a", 1)));
    assert_false(meta_digest_equal(ab, meta_digest_add(none, "ab", 2)));
    assert_true(meta_digest_equal(ab, meta_digest_add(meta_digest_add(none, "a", 1), "b", 1)));
}

/* Of a list: groups are the same under other numbers; images, classes and groups each count. */
static void of_a_list(void **state)
{
    struct meta_digest digests[4] = { { 1, 1, 1 }, { 1, 1, 2 }, { 1, 1, 3 }, { 1, 1, 4 } };
    int label[] = { 0, 0, 1, 1 }, group[] = { 5, -1, 5, 2 };
    struct meta_dataset set = { .count = 4, .digests = digests, .label = label, .group = group };
    struct meta_identity was, is;
    assert_int_equal(meta_identity(&was, &set, &error), 0);
    group[0] = group[2] = 0;
    group[3] = 7;
    assert_int_equal(meta_identity(&is, &set, &error), 0);
    assert_true(meta_digest_equal(was.groups, is.groups));
    group[1] = 7;
    assert_int_equal(meta_identity(&is, &set, &error), 0);
    assert_false(meta_digest_equal(was.groups, is.groups));
    assert_true(meta_digest_equal(was.images, is.images));
    assert_true(meta_digest_equal(was.classes, is.classes));
    label[1] = 1;
    digests[3].low = 5;
    assert_int_equal(meta_identity(&is, &set, &error), 0);
    assert_false(meta_digest_equal(was.images, is.images));
    assert_false(meta_digest_equal(was.classes, is.classes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),  cmocka_unit_test(order),     cmocka_unit_test(texts),
        cmocka_unit_test(several), cmocka_unit_test(of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
