/* JSON of texts that are not UTF-8: what is written is UTF-8, and is read as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <iconv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "base/json_check.h"
#include "base/utf8.h"

static struct meta_error error;
static char path[300];

static int name_file(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(path, sizeof path, "%s/test_json.%d.json", tmp ? tmp : "/tmp", (int)getpid());
    return 0;
}

static int remove_file(void **state) { return remove(path); }

/* The C library's opinion. */
static int is_utf8(iconv_t to_utf32, const char *text)
{
    char *in = (char *)text;
    uint32_t characters[64];
    char *out = (char *)characters;
    size_t left = strlen(text), room = sizeof characters;
    iconv(to_utf32, NULL, NULL, NULL, NULL);
    return iconv(to_utf32, &in, &left, &out, &room) == 0 && !left;
}

static int has_private(const char *text)
{
    for (; *text; text++)
        if (!strncmp(text, "\xee\xbe", 2) || !strncmp(text, "\xee\xbf", 2)) return 1;
    return 0;
}

static void check_text(iconv_t to_utf32, const char *text)
{
    char *escaped = meta_utf8_escape(text);
    if (!is_utf8(to_utf32, escaped)) fail_msg("%02hhx %02hhx: escaped is not UTF-8", text[0], text[1]);
    if (is_utf8(to_utf32, text) && !has_private(text)) assert_string_equal(escaped, text);
    meta_utf8_restore(escaped);
    assert_string_equal(escaped, text);
    free(escaped);
}

/* All texts of two bytes, and texts of five around the bounds of UTF-8's ranges. */
static void texts_of_any_bytes_become_utf8_and_come_back(void **state)
{
    static const unsigned char bounds[] = { 'a',  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0,
                                            0xc1, 0xc2, 0xdf, 0xe0, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf3,
                                            0xf4, 0xf5, 0xff };
    enum { N = sizeof bounds };
    iconv_t to_utf32 = iconv_open("UTF-32LE", "UTF-8");
    assert_true(to_utf32 != (iconv_t)-1);
    for (int i = 0; i < 256 * 256; i++) check_text(to_utf32, (char[]){ (char)(i / 256), (char)i, 0 });
    for (int i = 0; i < N * N * N * N; i++)
        check_text(to_utf32, (char[]){ (char)bounds[i % N], (char)bounds[i / N % N],
                                       (char)bounds[i / N / N % N], (char)bounds[i / N / N / N], 'z', 0 });
    iconv_close(to_utf32);
}

static void bytes_have_one_character_each(void **state)
{
    char *escaped = meta_utf8_escape("l\xe4sion \xc3\xa4 \x80.jpg");
    assert_string_equal(escaped, "l\xee\xbf\xa4sion \xc3\xa4 \xee\xbe\x80.jpg"); /* U+EFE4, U+EF80 */
    free(escaped);
    escaped = meta_utf8_escape("\xee\xbf\xa4"); /* not to be taken for the byte e4 */
    assert_string_equal(escaped, "\xee\xbf\xae\xee\xbe\xbf\xee\xbe\xa4");
    free(escaped);
}

static void names_and_texts_are_read_as_they_were(void **state)
{
    cJSON *root = cJSON_CreateObject(), *again, *list = cJSON_AddArrayToObject(root, "list");
    cJSON_AddStringToObject(root, "l\xe4sion", "n\xe6vus \"\t\x01");
    cJSON_AddStringToObject(root, "l\xe5sion", "\xee\xbf\xa4");
    cJSON_AddItemToArray(list, cJSON_CreateString("\xff"));
    cJSON_AddItemToArray(list, cJSON_CreateNumber(3));
    assert_int_equal(meta_json_write(path, root, &error), 0);
    assert_int_equal(meta_json_read(&again, path, &error), 0);
    assert_true(cJSON_Compare(root, again, 1));
    assert_string_equal(meta_json_text(again, "l\xe4sion"), "n\xe6vus \"\t\x01");
    char *text = meta_json_print(root);
    iconv_t to_utf32 = iconv_open("UTF-32LE", "UTF-8");
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) assert_true(is_utf8(to_utf32, line));
    iconv_close(to_utf32);
    free(text);
    cJSON_Delete(root);
    cJSON_Delete(again);
}

static void write_bytes(const char *text, size_t size)
{
    struct meta_chunk chunk = { text, size };
    assert_int_equal(meta_file_write(path, &chunk, 1, &error), 0);
}

static void nothing_stands_behind_the_json(void **state)
{
    static const char *const bad[] = { "{} x", "{}\n{}", "{}\n\n}", "[1]2" };
    static const int line[] = { 1, 2, 3, 1 };
    char expected[400];
    cJSON *root;
    for (int i = 0; i < 4; i++) {
        write_bytes(bad[i], strlen(bad[i]));
        snprintf(expected, sizeof expected, "%s:%d: has more behind its JSON", path, line[i]);
        assert_int_equal(meta_json_read(&root, path, &error), -1);
        assert_string_equal(error.text, expected);
        assert_null(root);
    }
    write_bytes("{}\0{}", 5);
    assert_int_equal(meta_json_read(&root, path, &error), -1);
    write_bytes("\n{\n\"a\": nan}", 12);
    assert_int_equal(meta_json_read(&root, path, &error), -1);
    snprintf(expected, sizeof expected, "%s:3: is not JSON", path);
    assert_string_equal(error.text, expected);
    write_bytes("{} \r\n\t\n", 7);
    assert_int_equal(meta_json_read(&root, path, &error), 0);
    cJSON_Delete(root);
}

static void members_are_held_to_rules(void **state)
{
    static const struct meta_json_rule rules[] = {
        { "text", META_JSON_TEXT, 0, 0, META_JSON_NEEDED },
        { "in.half", META_JSON_NUMBER, -.5, INFINITY, META_JSON_OR_NULL },
        { "in.needed", META_JSON_WHOLE, 0, 3, META_JSON_NEEDED },
        { "rows[][]", META_JSON_NUMBER, -INFINITY, INFINITY, 0 },
        { "rows of*[].n", META_JSON_WHOLE, 1, 2, 0 },
        { 0 },
    };
    static const char *const good[] = {
        "{\"text\":\"\"}", "{\"text\":\"\",\"in\":{\"half\":null,\"needed\":3,\"more\":[]}}",
        "{\"text\":\"\",\"rows\":[[],[1,-1e300]],\"rows of x\":[{\"n\":1},{}],\"rows of y\":[]}" };
    static const char *const bad[][2] = {
        { "{}", "text is missing: must be a text" },
        { "3", "the whole is 3: must be an object" },
        { "{\"text\":true}", "text is true: must be a text" },
        { "{\"text\":\"\",\"in\":{}}", "in.needed is missing: must be a whole number, 0 to 3" },
        { "{\"text\":\"\",\"in\":null}", "in is null: must be an object" },
        { "{\"text\":\"\",\"in\":{\"half\":-0.75}}", "in.half is -0.75: must be a number, at least -0.5, or null" },
        { "{\"text\":\"\",\"in\":{\"half\":1e999}}", "in.half is inf: must be a number, at least -0.5, or null" },
        { "{\"text\":\"\",\"in\":{\"needed\":1.5}}", "in.needed is 1.5: must be a whole number, 0 to 3" },
        { "{\"text\":\"\",\"rows\":[[],[1,\"x\"]]}", "rows[1][1] is \"x\": must be a number" },
        { "{\"text\":\"\",\"rows\":[[],{}]}", "rows[1] is an object: must be an array" },
        { "{\"text\":\"\",\"rows of x\":[{\"n\":1},{\"n\":3}]}", "rows of x[1].n is 3: must be a whole number, 1 to 2" },
    };
    char expected[400];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cJSON *root = cJSON_Parse(good[i]);
        if (meta_json_check(root, "x.json", rules, &error)) fail_msg("%s", error.text);
        cJSON_Delete(root);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cJSON *root = cJSON_Parse(bad[i][0]);
        assert_int_equal(meta_json_check(root, "x.json", rules, &error), -1);
        snprintf(expected, sizeof expected, "x.json: %s", bad[i][1]);
        assert_string_equal(error.text, expected);
        cJSON_Delete(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_any_bytes_become_utf8_and_come_back),
        cmocka_unit_test(bytes_have_one_character_each),
        cmocka_unit_test(names_and_texts_are_read_as_they_were),
        cmocka_unit_test(nothing_stands_behind_the_json),
        cmocka_unit_test(members_are_held_to_rules),
    };
    return cmocka_run_group_tests(tests, name_file, remove_file);
}
