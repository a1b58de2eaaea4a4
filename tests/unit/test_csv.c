/* CSV: which separator a file has, fields in quotes, and texts that end where they may not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

/* A copy that ends with the text, so that whoever reads behind it is seen under a sanitizer. */
static struct meta_csv start(const char *text, char **copy)
{
    *copy = strdup(text);
    assert_non_null(*copy);
    return meta_csv_start("x.csv", *copy, "image");
}

static void separator(void **state)
{
    static const struct {
        const char *text;
        char separator;
    } cases[] = {
        { "image,group\na,1\n", ',' },     { "image;group\n", ';' },     { "\"Image\"; group\n", ';' },
        { "\"image\"\tgroup\n", '\t' },    { " \nimage , a;b\n", ',' },  { "a;1\n", ';' },
        { "\"a;b\",1\n", ',' },            { "a\t1\n", '\t' },           { "image", '\t' },
        { "\"image\"", '\t' },             { "\"image", '\t' },          { "\"imag", '\t' },
        { "\"image;group\"\n", '\t' },     { "", '\t' },                 { "\"", '\t' },
        { "sep=;\r\nimage,group\n", ';' },  { "Sep=\t\na,b\n", '\t' },   { "sep=x,1\n", ',' },
        { "sep=;", ';' },                   { "sep=,", ',' },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy;
        struct meta_csv csv = start(cases[i].text, &copy);
        if (csv.separator != cases[i].separator) fail_msg("'%s': '%c'", cases[i].text, csv.separator);
        free(copy);
    }
}

static void records(void **state)
{
    char *copy, *field[3];
    int count, line;
    struct meta_error error;
    struct meta_csv csv = start("image;a;b\r\n\r\n \"x \"\"y\"\"\" ; 2;3;4\n\"l\n;m\";5", &copy);
    assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
    assert_true(count == 3 && line == 1 && !strcmp(field[2], "b"));
    assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
    assert_true(count == 4 && line == 3);
    assert_string_equal(field[0], "x \"y\"");
    assert_string_equal(field[1], "2");
    assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
    assert_true(count == 2 && line == 4);
    assert_string_equal(field[0], "l\n;m");
    assert_string_equal(field[1], "5");
    assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
    assert_int_equal(count, 0);
    free(copy);
}

/* What spreadsheets leave around a table: the line that names the separator, rows of empty fields. */
static void spreadsheet(void **state)
{
    static const char *const texts[] = { "sep=;\r\na;1\r\n;;\r\n ; \r\nb;2\r\n;;\r\n", "\n,,\n\na,1\n,,\nb,2\n,," };
    static const int lines[][2] = { { 2, 5 }, { 4, 6 } };
    for (int i = 0; i < 2; i++) {
        char *copy, *field[3];
        int count, line;
        struct meta_error error;
        struct meta_csv csv = start(texts[i], &copy);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
            assert_int_equal(count, 2);
            assert_int_equal(line, lines[i][k]);
            assert_string_equal(field[0], k ? "b" : "a");
            assert_string_equal(field[1], k ? "2" : "1");
        }
        assert_int_equal(meta_csv_next(&csv, field, 3, &count, &line, &error), 0);
        assert_int_equal(count, 0);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(separator), cmocka_unit_test(records), cmocka_unit_test(spreadsheet) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
