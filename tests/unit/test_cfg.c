/* What of a .cfg or .data file is read, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config/cfg.h"

static char file[300];
static struct meta_error error;

static int make_file(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(file, sizeof file, "%s/cfg.XXXXXX", tmp ? tmp : "/tmp");
    int fd = mkstemp(file);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) { return unlink(file); }

typedef int reader(struct meta_cfg **, const char *, struct meta_error *);

static struct meta_cfg *read_bytes(reader *read, const char *bytes, size_t size)
{
    struct meta_cfg *cfg;
    FILE *f = fopen(file, "w");
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
    return read(&cfg, file, &error) ? NULL : cfg;
}

static struct meta_cfg *read_text(reader *read, const char *text) { return read_bytes(read, text, strlen(text)); }

static void assert_pair(const struct meta_section *s, int i, const char *key, const char *value, int line)
{
    assert_true(i < s->count);
    assert_string_equal(s->pairs[i].key, key);
    assert_string_equal(s->pairs[i].value, value);
    assert_int_equal(s->pairs[i].line, line);
}

/* "FILE" in the expected message stands for the file's path. */
static void refuses(reader *read, const char *text, const char *expected)
{
    char full[800];
    const char *rest = expected + strlen("FILE");
    assert_null(read_text(read, text));
    snprintf(full, sizeof full, "%s%s", file, rest);
    assert_string_equal(error.text, full);
}

static void sections_and_lines(void **state)
{
    struct meta_cfg *cfg = read_text(meta_cfg_read, "# first\n\n[net]\nwidth=84\n   height = 42\n; note\n[conv]\n\n[route]\nlayers=-1,-4");
    assert_non_null(cfg);
    assert_string_equal(cfg->path, file);
    assert_int_equal(cfg->count, 3);
    assert_string_equal(cfg->sections[0].name, "net");
    assert_int_equal(cfg->sections[0].line, 3);
    assert_int_equal(cfg->sections[0].count, 2);
    assert_pair(&cfg->sections[0], 0, "width", "84", 4);
    assert_pair(&cfg->sections[0], 1, "height", "42", 5);
    assert_string_equal(cfg->sections[1].name, "conv");
    assert_int_equal(cfg->sections[1].count, 0);
    assert_int_equal(cfg->sections[2].line, 9);
    assert_pair(&cfg->sections[2], 0, "layers", "-1,-4", 10);
    meta_cfg_free(cfg);
}

static void foreign_line_ends_and_comments(void **state)
{
    const char *texts[] = { "[net]\r\nwidth=84\r\nsteps=1,2\r\n", "\xef\xbb\xbf[net]\nwidth=84\nsteps=1,2\n", "[net]\nwidth=84\nsteps=1,2",
                            "[net] # the input\nwidth=84;pixels\nsteps=1,2#two\n", "  [ net ]\t\r\n\twidth\t=\t84\n steps = 1, 2 # two\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct meta_cfg *cfg = read_text(meta_cfg_read, texts[i]);
        assert_non_null(cfg);
        assert_int_equal(cfg->count, 1);
        assert_string_equal(cfg->sections[0].name, "net");
        assert_int_equal(cfg->sections[0].count, 2);
        assert_pair(&cfg->sections[0], 0, "width", "84", 2);
        assert_pair(&cfg->sections[0], 1, "steps", "1,2", 3);
        meta_cfg_free(cfg);
    }
}

static void the_first_equals_sign_divides(void **state)
{
    struct meta_cfg *cfg = read_text(meta_cfg_read, "[net]\na=b=c\n");
    assert_non_null(cfg);
    assert_pair(&cfg->sections[0], 0, "a", "b=c", 2);
    meta_cfg_free(cfg);
}

static void lines_that_are_nothing(void **state)
{
    refuses(meta_cfg_read, "[net]\nwidth\n", "FILE:2: 'width': must be [section], key=value or a comment");
    refuses(meta_cfg_read, "[net]\n=84\n", "FILE:2: '=84': must be [section], key=value or a comment");
    refuses(meta_cfg_read, "[net]\n\nwidth= # 84\n", "FILE:3: width: has no value");
    refuses(meta_cfg_read, "[net\n", "FILE:1: '[net': must be [section]");
    refuses(meta_cfg_read, "[]\n", "FILE:1: '[]': must be [section]");
    refuses(meta_cfg_read, "[net]x\n", "FILE:1: '[net]x': must be [section]");
    refuses(meta_cfg_read, "[a][b]\n", "FILE:1: '[a][b]': must be [section]");
    refuses(meta_cfg_read, "[n\x01t]\n", "FILE:1: '[n?t]': must be [section]");
    refuses(meta_cfg_read, "width=84\n[net]\n", "FILE:1: width: stands before the first section: must be inside one");
    refuses(meta_cfg_read, "[net]\n\x80\x07 an unprintable line that is longer than what is shown of it\n",
            "FILE:2: '??anunprintablelinethatislongerthanwhati...': must be [section], key=value or a comment");
}

static void zero_bytes(void **state)
{
    char expected[400];
    assert_null(read_bytes(meta_cfg_read, "[net]\nwi\0dth=1\n", 15));
    snprintf(expected, sizeof expected, "%s:2: has a zero byte: must be a text file", file);
    assert_string_equal(error.text, expected);
}

static void empty_files(void **state)
{
    const char *texts[] = { "", "\n\r\n  \n", "# nothing\n", "\xef\xbb\xbf" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct meta_cfg *cfg = read_text(meta_cfg_read, texts[i]);
        assert_non_null(cfg);
        assert_int_equal(cfg->count, 0);
        meta_cfg_free(cfg);
    }
}

static void long_lines_and_many_sections(void **state)
{
    enum { LONG = 100000 };
    char *text = malloc(3 * LONG + 100), *p = text;
    p += sprintf(p, "[net]\nsteps=");
    memset(p, '7', LONG);
    p += LONG;
    p += sprintf(p, "\n#");
    memset(p, 'x', LONG);
    p += LONG;
    p += sprintf(p, "\nwidth=84\n");
    struct meta_cfg *cfg = read_bytes(meta_cfg_read, text, p - text);
    assert_non_null(cfg);
    assert_int_equal(strlen(cfg->sections[0].pairs[0].value), LONG);
    assert_pair(&cfg->sections[0], 1, "width", "84", 4);
    meta_cfg_free(cfg);

    p = text;
    for (int i = 0; i < 10000; i++) p += sprintf(p, "[conv]\na=%d\n", i);
    cfg = read_bytes(meta_cfg_read, text, p - text);
    assert_non_null(cfg);
    assert_int_equal(cfg->count, 10000);
    assert_int_equal(cfg->sections[9999].line, 19999);
    assert_pair(&cfg->sections[9999], 0, "a", "9999", 20000);
    meta_cfg_free(cfg);
    free(text);
}

/* Paths may have blanks, # and ; of their own. */
static void data_files(void **state)
{
    struct meta_cfg *cfg = read_text(meta_data_file_read,
        "classes= 7  \r\ntrain  = data/my lists/a#1;b.list # note\n\n#names = x\nnames=data/x.names ; note\nbackup = b");
    assert_non_null(cfg);
    assert_int_equal(cfg->count, 1);
    assert_string_equal(cfg->sections[0].name, "");
    assert_int_equal(cfg->sections[0].line, 0);
    assert_int_equal(cfg->sections[0].count, 4);
    assert_pair(&cfg->sections[0], 0, "classes", "7", 1);
    assert_pair(&cfg->sections[0], 1, "train", "data/my lists/a#1;b.list", 2);
    assert_pair(&cfg->sections[0], 2, "names", "data/x.names", 5);
    assert_pair(&cfg->sections[0], 3, "backup", "b", 6);
    meta_cfg_free(cfg);
    cfg = read_text(meta_data_file_read, "");
    assert_non_null(cfg);
    assert_int_equal(cfg->count, 1);
    meta_cfg_free(cfg);
    refuses(meta_data_file_read, "classes\n", "FILE:1: 'classes': must be key=value or a comment");
    refuses(meta_data_file_read, "classes=7\n[net]\n", "FILE:2: '[net]': must be key=value or a comment");
}

static void table_files(void **state)
{
    struct meta_cfg *cfg = read_text(meta_table_file_read, "[table]\nname = Table 1: a#b  # c\n[row]\r\nlabel=eta=1, no x;y ; z\n");
    assert_non_null(cfg);
    assert_int_equal(cfg->count, 2);
    assert_string_equal(cfg->sections[1].name, "row");
    assert_pair(&cfg->sections[0], 0, "name", "Table 1: a#b", 2);
    assert_pair(&cfg->sections[1], 0, "label", "eta=1, no x;y", 4);
    meta_cfg_free(cfg);
    refuses(meta_table_file_read, "name=x\n", "FILE:1: name: stands before the first section: must be inside one");
}

static void missing_files_and_folders(void **state)
{
    struct meta_cfg *cfg;
    assert_int_equal(meta_cfg_read(&cfg, "/nowhere/x.cfg", &error), -1);
    assert_string_equal(error.text, "/nowhere/x.cfg: No such file or directory");
    assert_int_equal(meta_cfg_read(&cfg, "/tmp", &error), -1);
    assert_string_equal(error.text, "/tmp: is not a regular file");
    assert_int_equal(meta_cfg_read(&cfg, "", &error), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_lines), cmocka_unit_test(foreign_line_ends_and_comments),
        cmocka_unit_test(the_first_equals_sign_divides), cmocka_unit_test(lines_that_are_nothing), cmocka_unit_test(zero_bytes),
        cmocka_unit_test(empty_files), cmocka_unit_test(long_lines_and_many_sections), cmocka_unit_test(data_files), cmocka_unit_test(table_files),
        cmocka_unit_test(missing_files_and_folders),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
