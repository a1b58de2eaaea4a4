/* Paths, folders, lines of text, durations and checksums of base/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/checksum.h"
#include "base/duration.h"
#include "base/lines.h"
#include "base/path.h"
#include "base/plural.h"

static struct meta_error error;

static void write_text(const char *path, const char *text, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void names_are_split_from_folders(void **state)
{
    const struct { const char *path, *base, *stem, *folder; } rows[] = {
        { "cfg/daml-4conv.cfg", "daml-4conv.cfg", "daml-4conv", "cfg" },
        { "a.b/c", "c", "c", "a.b" },
        { "x.tar.gz", "x.tar.gz", "x.tar", "." },
        { "/a", "a", "a", "/" },
        { "a/.hidden", ".hidden", ".hidden", "a" },
        { "a/", "", "", "a" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *stem = meta_path_stem(rows[i].path), *folder = meta_path_folder(rows[i].path);
        assert_string_equal(meta_path_base(rows[i].path), rows[i].base);
        assert_string_equal(stem, rows[i].stem);
        assert_string_equal(folder, rows[i].folder);
        free(stem);
        free(folder);
    }
    char slashes[] = "a/b//", root[] = "//";
    meta_path_trim(slashes);
    meta_path_trim(root);
    assert_string_equal(slashes, "a/b");
    assert_string_equal(root, "/");
}

static void folders_are_made_with_their_parents(void **state)
{
    struct stat info;
    assert_int_equal(meta_path_make_folder("a/b/c", &error), 0);
    assert_int_equal(stat("a/b/c", &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(meta_path_make_folder("a/b/c", &error), 0);
    write_text("a/file", "", 0);
    assert_int_equal(meta_path_make_folder("a/file", &error), -1);
    assert_string_equal(error.text, "a/file: is not a folder");
    assert_int_equal(meta_path_make_folder("a/file/below", &error), -1);
    assert_string_equal(error.text, "a/file/below: can't make the folder: Not a directory");
    assert_int_equal(meta_path_make_folder("", &error), -1);
    assert_string_equal(error.text, ": can't make the folder: No such file or directory");
}

static void lines_lose_their_ends_marks_and_blanks(void **state)
{
    static const char text[] = "\xef\xbb\xbf one\r\n\n \t\ntwo";
    struct meta_lines lines;
    write_text("text", text, sizeof text - 1);
    assert_int_equal(meta_lines_read(&lines, "text", &error), 0);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.line[0], " one");
    assert_string_equal(lines.line[1], "two");
    assert_int_equal(lines.number[0], 1);
    assert_int_equal(lines.number[1], 4);
    meta_lines_free(&lines);
    write_text("text", "a\nb\0c\n", 6);
    assert_int_equal(meta_lines_read(&lines, "text", &error), -1);
    assert_string_equal(error.text, "text:2: has a zero byte: must be a text file");
}

static void sums_are_those_of_the_standard(void **state)
{
    uint32_t crc;
    size_t size;
    write_text("nine", "123456789", 9);
    assert_int_equal(meta_checksum_file("nine", &crc, &size, &error), 0);
    assert_int_equal(crc, 0xcbf43926); /* the check value of CRC-32 */
    assert_int_equal(size, 9);
    assert_int_equal(meta_checksum_add(meta_checksum_add(0, "1234", 4), "56789", 5), crc);
}

static void times_and_plurals_are_english(void **state)
{
    const struct { double seconds; const char *text; } rows[] = {
        { 9.3, "9.3 s" }, { 55, "55 s" }, { 2400, "40 min" }, { 8280, "2.3 h" }
    };
    char text[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        meta_format_time(text, sizeof text, rows[i].seconds);
        assert_string_equal(text, rows[i].text);
    }
    assert_string_equal(meta_plural(1), "");
    assert_string_equal(meta_plural(0), "s");
    assert_string_equal(meta_plural_es(2), "es");
}

static int enter_folder(void **state)
{
    const char *folder = getenv("TMP_TEST");
    return chdir(folder ? folder : "/tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_split_from_folders),
        cmocka_unit_test(folders_are_made_with_their_parents),
        cmocka_unit_test(lines_lose_their_ends_marks_and_blanks),
        cmocka_unit_test(sums_are_those_of_the_standard),
        cmocka_unit_test(times_and_plurals_are_english),
    };
    return cmocka_run_group_tests(tests, enter_folder, NULL);
}
