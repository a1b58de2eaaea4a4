/* Messages that do not fit: what is cut, and what stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/error.h"

static struct meta_error error;

static char *word(size_t n, char c)
{
    char *text = malloc(n + 1);
    memset(text, c, n);
    text[n] = 0;
    return text;
}

static void short_messages_stay(void **state)
{
    assert_int_equal(meta_fail(&error, "%s:%d: %s", "a", 5, "is wrong"), -1);
    assert_string_equal(error.text, "a:5: is wrong");
    for (size_t n = 470; n < 480; n++) {
        char *text = word(n, 'x');
        meta_fail(&error, "%s", text);
        assert_int_equal(strlen(error.text), n);
        assert_null(strchr(error.text, '['));
        free(text);
    }
}

static void paths_are_cut_in_the_middle(void **state)
{
    static const size_t lengths[] = { 450, 480, 1000, 4096, 9000000 };
    for (int i = 0; i < 5; i++) {
        char *folder = word(lengths[i], 'd');
        meta_fail(&error, "begin/%s/end.pgm:12: is corrupt: must be an image of at least 8x8 pixels", folder);
        assert_true(strlen(error.text) < sizeof error.text);
        assert_ptr_equal(strstr(error.text, "begin/ddd"), error.text);
        assert_non_null(strstr(error.text, "dd/end.pgm:12: is corrupt: must be an image of at least 8x8 pixels"));
        if (lengths[i] > 450) assert_non_null(strstr(error.text, "d[...]d"));
        free(folder);
    }
}

static void two_long_paths_leave_the_words_between_them(void **state)
{
    char *a = word(3000, 'a'), *b = word(2000, 'b');
    meta_fail(&error, "-out %s: would be written over %s, which is read: must be another file", a, b);
    assert_non_null(strstr(error.text, "-out aaaa"));
    assert_non_null(strstr(error.text, "aaaa: would be written over bbbb"));
    assert_non_null(strstr(error.text, "bbbb, which is read: must be another file"));
    assert_true(strlen(error.text) < sizeof error.text);
    free(a);
    free(b);
}

/* A message within a message is an argument that may lie in the error itself. */
static void a_message_within_a_message_keeps_both_ends(void **state)
{
    char *path = word(460, 'p');
    meta_fail(&error, "%s: 3 images: must be 5", path);
    meta_fail(&error, "x.data:2: train: %s", error.text);
    meta_fail(&error, "x.table:7: %s", error.text);
    assert_ptr_equal(strstr(error.text, "x.table:7: x.data:2: train: ppp"), error.text);
    assert_non_null(strstr(error.text, "ppp: 3 images: must be 5"));
    free(path);
}

static void characters_stay_whole(void **state)
{
    char path[2001];
    for (int i = 0; i < 1000; i++) memcpy(path + 2 * i, "\xc3\xa9", 3);
    for (int shift = 0; shift < 2; shift++) {
        meta_fail(&error, "%s%s: is corrupt", shift ? "x" : "", path);
        const char *p = error.text + shift;
        for (; !strncmp(p, "\xc3\xa9", 2); p += 2) {}
        assert_memory_equal(p, "[...]", 5);
        for (p += 5; !strncmp(p, "\xc3\xa9", 2); p += 2) {}
        assert_string_equal(p, ": is corrupt");
    }
}

static void words_without_a_long_one_are_cut_in_the_middle_of_all(void **state)
{
    char text[1200];
    for (int i = 0; i < 300; i++) memcpy(text + 4 * i, "abc ", 4);
    text[1199] = 0;
    meta_fail(&error, "begin %s end", text);
    assert_ptr_equal(strstr(error.text, "begin abc"), error.text);
    assert_non_null(strstr(error.text, "[...]"));
    assert_string_equal(error.text + strlen(error.text) - 8, " abc end");
    assert_true(strlen(error.text) < sizeof error.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_messages_stay),
        cmocka_unit_test(paths_are_cut_in_the_middle),
        cmocka_unit_test(two_long_paths_leave_the_words_between_them),
        cmocka_unit_test(a_message_within_a_message_keeps_both_ends),
        cmocka_unit_test(characters_stay_whole),
        cmocka_unit_test(words_without_a_long_one_are_cut_in_the_middle_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
