/* The dot plots of a report: which lines they have, where their dots and intervals are on the axis,
   the numbers beside them, and what stands in place of those that are missing. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "report_folder.h"
#include "paper/report/dots.h"
#include "paper/report/report_dots.h"

typedef int plot(FILE *, const struct meta_report_table *, struct meta_error *);

static char *draw(plot *of)
{
    char *text;
    size_t size;
    struct meta_error error;
    FILE *f = open_memstream(&text, &size);
    assert_int_equal(of(f, table, &error), 0);
    fclose(f);
    return text;
}

/* The line of a method at a number of shots: from its <tr> to its end. The caller frees. */
static char *line_of(const char *html, const char *label, int shots)
{
    char head[100], row[100];
    snprintf(head, sizeof head, ">%s", label);
    snprintf(row, sizeof row, "<title>%s, %d shot%s: ", label, shots, shots == 1 ? "" : "s");
    const char *title = strstr(html, row), *end = title ? strstr(title, "</tr>") : NULL;
    if (!end) fail_msg("no line of %s, %d shots", label, shots);
    return strndup(title, end - title);
}

static void assert_has(const char *line, const char *text)
{
    if (!strstr(line, text)) fail_msg("'%s' is not in: %s", text, line);
}

static void assert_lacks(const char *line, const char *text)
{
    if (strstr(line, text)) fail_msg("'%s' is in: %s", text, line);
}

/* The axis holds 30.73, the least end of an interval, to 100, what an AUC can be: 30 to 100. */
static const char *at(double x)
{
    static char text[4][32];
    static int k;
    k = (k + 1) % 4;
    snprintf(text[k], sizeof *text, "\"%.2f%%\"", 2 + 96 * (fmin(x, 100) - 30) / 70);
    return text[k];
}

static void auc_lines(void **state)
{
    static const struct { const char *label; int shots; double mean, low, high; const char *numbers; } expected[] = {
        { "A*B|C", 5, 81, 78, 84, "<b>81.00</b></td><td class=\"n\" data-column=\"95%\">78.00&ndash;84.00</td>" },
        { "base", 5, 72, 46.587591, 97.412409, "<b>72.00</b></td><td class=\"n\" data-column=\"95%\">46.59&ndash;97.41</td>" },
        { "plain", 5, 79, 40.881387, 100, "<b>79.00</b></td><td class=\"n\" data-column=\"95%\">40.88&ndash;100.00</td>" },
        { "aug", 1, 62.5, 30.734488, 94.265512, "<b>62.50</b></td>" },
        { "base", 1, 62, 59, 65, "<b>62.00</b></td>" },            /* its only training there: over its tasks */
    };
    char *html = draw(meta_report_auc_dots);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *line = line_of(html, expected[i].label, expected[i].shots), mark[100];
        snprintf(mark, sizeof mark, "class=\"%d\" x=%s", expected[i].shots == 5, at(expected[i].mean));
        assert_has(line, mark);
        snprintf(mark, sizeof mark, "class=\"interval\" x1=%s x2=%s", at(expected[i].low), at(expected[i].high));
        assert_has(line, mark);
        assert_has(line, expected[i].numbers);
        free(line);
    }
    free(html);
}

static void what_else_a_line_has(void **state)
{
    char *html = draw(meta_report_auc_dots), text[100];
    char *line = line_of(html, "A*B|C", 5);
    snprintf(text, sizeof text, "class=\"other\" x1=%s x2=%s", at(72), at(90));
    assert_has(line, text);
    snprintf(text, sizeof text, "class=\"cited\" x=%s", at(80));
    assert_has(line, text);
    assert_has(line, "<desc>of other groups 72.00 to 90.00; paper 80.00</desc>");
    assert_lacks(line, "class=\"each\"");
    free(line);
    line = line_of(html, "A*B|C", 1);                              /* in training, but not in the paper */
    assert_has(line, "<td class=\"none\" colspan=\"3\">in training: iteration 3 of 10</td>");
    assert_lacks(line, "class=\"interval\"");
    snprintf(text, sizeof text, "class=\"cited\" x=%s", at(75));
    assert_has(line, text);
    free(line);
    line = line_of(html, "plain", 5);                              /* a dot a training that has a result */
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "class=\"each\" x=%s", at(i ? 82 : 76));
        assert_has(line, text);
    }
    free(line);
    assert_has(html, "rowspan=\"1\">plain</th>");
    assert_has(html, "plain</th><th class=\"shots\" scope=\"row\">5 shots <small>2 of 3 trainings</small></th>");
    assert_has(html, "rowspan=\"2\">A*B|C</th>");
    assert_lacks(html, "seed 1");
    free(html);
}

static void difference_lines(void **state)
{
    char *html = draw(meta_report_difference_dots);
    char *line = line_of(html, "A*B|C", 5);
    assert_has(line, "<b>+11.00</b></td><td class=\"n above\" data-column=\"95%\">+10.50 to +11.50</td>"
                     "<td class=\"n\" data-column=\"other groups\">-1.00 to +23.00</td><td class=\"word\">better, beside base, seed 1</td>");
    assert_has(line, "<desc>better, beside base, seed 1; of other groups");
    free(line);
    line = line_of(html, "A*B|C", 1);
    assert_has(line, "no reference of as many shots");
    free(line);
    line = line_of(html, "plain", 5);
    assert_has(line, "<b>+7.00</b></td><td class=\"n\" data-column=\"95%\">-5.71 to +19.71</td>");
    assert_has(line, "<td class=\"word\">no difference seen</td>");
    free(line);
    line = line_of(html, "aug", 5);                                /* both to one training of the reference */
    assert_has(line, "<b>+2.00</b></td><td class=\"n none\">&ndash;</td>");
    assert_has(line, "<td class=\"word\">no interval</td>");
    assert_lacks(line, "class=\"interval\"");
    free(line);
    assert_lacks(html, "<title>base");
    assert_has(html, "AUC less that of base, or the row that a line is beside, on the same tasks");
    assert_has(html, "right of 0 is better than base, or the row that a line is beside<");
    free(html);
}

static void set_pairs(const char *reference, const char *a, const char *b)
{
    struct meta_report_table *t = report->tables;
    t->reference = reference;
    for (int i = 4; i < 6; i++) {                                  /* the two of plain that have differences */
        t->cells[i].paired_with = i == 4 ? a : b;
        cJSON *d = cJSON_GetObjectItem(t->cells[i].own, "difference");
        cJSON_SetValuestring(cJSON_GetObjectItem(d, "reference"), t->cells[i].paired_with);
    }
}

/* A mean over trainings names the family that these are paired with, where it is not the reference. */
static void what_stands_in_the_reference_s_place(void **state)
{
    const char *reference = table->reference, *a = table->cells[4].paired_with, *b = table->cells[5].paired_with;
    set_pairs("A*B|C", a, b);
    char *html = draw(meta_report_difference_dots), *line = line_of(html, "plain", 5);
    assert_has(line, "<td class=\"word\">no difference seen, beside base</td>");
    free(line);
    free(html);
    set_pairs(a, a, b);                                            /* one of the two is to the reference */
    html = draw(meta_report_difference_dots);
    line = line_of(html, "plain", 5);
    assert_has(line, "<td class=\"word\">no difference seen, beside several rows</td>");
    free(line);
    free(html);
    set_pairs(reference, a, b);
    html = draw(meta_report_difference_dots);
    line = line_of(html, "plain", 5);
    assert_has(line, "<td class=\"word\">no difference seen</td>");
    free(line);
    free(html);
}

static void no_reference(void **state)
{
    struct meta_report_table *t = report->tables;
    const char *reference = t->reference;
    t->reference = "";
    char *html = draw(meta_report_difference_dots);
    assert_string_equal(html, "");
    free(html);
    t->reference = reference;
}

/* Words of the table's file. */
static void words(void **state)
{
    struct meta_report_table *t = report->tables, kept = *t;
    t->authors = "A & B 2020";
    t->groups = "lesions";
    char *html = draw(meta_report_auc_dots);
    assert_has(html, "the same with other lesions</li>");
    assert_has(html, "data-column=\"A &amp; B 2020\">80.00</td>");
    assert_has(html, "of other lesions 72.00 to 90.00; A &amp; B 2020 80.00");
    assert_lacks(html, "groups");
    free(html);
    *t = kept;
}

/* A plot of a line in each of `columns` columns, from `low` to `high`. The caller frees. */
static char *plot_of(double low, double high, int is_difference, int columns)
{
    struct meta_dot dots[20];
    int shots[20];
    char *html;
    size_t size;
    for (int i = 0; i < columns; i++) {
        shots[i] = i + 1;
        dots[i] = (struct meta_dot){ .label = "a", .shots = i + 1, .column = i, .mean = low, .low = low, .high = high,
                                     .other_low = NAN, .other_high = NAN, .paper = NAN, .word = "" };
    }
    struct meta_dots d = { .title = "t", .axis = "a", .interval = "i", .paper = "p", .groups = "g", .is_difference = is_difference,
                           .columns = columns, .shots = shots, .count = columns, .lines = dots };
    FILE *f = open_memstream(&html, &size);
    meta_dots_write(f, &d);
    fclose(f);
    return html;
}

/* Ticks are round numbers, less than nine, from below the least number to above the greatest. */
static void axes(void **state)
{
    static const struct { double low, high; int is_difference; const char *first, *last; int ticks; } cases[] = {
        { 50, 90.2, 0, ">50<", ">100<", 6 }, { 83.1, 83.4, 0, ">83.1<", ">83.4<", 4 }, { -14.7, 2.8, 1, ">-15<", ">+5<", 5 },
        { 3, 8, 1, ">0<", ">+8<", 9 }, { -500, 500, 1, ">-100<", ">+100<", 5 }, { 97, 130, 0, ">97<", ">100<", 7 },
        { 80, 80, 0, ">80<", ">80.1<", 2 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = 0;
        char *html = plot_of(cases[i].low, cases[i].high, cases[i].is_difference, 1);
        const char *axis = strstr(html, "class=\"axis\""), *end = strstr(axis, "</svg>"), *p = axis;
        while ((p = strstr(p, "<text")) && p < end) n++, p++;
        if (n != cases[i].ticks) fail_msg("case %zu: %d ticks: %.500s", i, n, axis);
        assert_has(axis, cases[i].first);
        assert_has(axis, cases[i].last);
        free(html);
    }
}

/* Chance, or no difference, is a line where the legend has it, whether a tick is there or not. */
static void the_middle(void **state)
{
    static const struct { double low, high; int is_difference; double at; } cases[] = {
        { 3, 98, 0, 50 },          /* 0 to 100 in steps of 20 */
        { 49.9, 50.3, 0, 26 },     /* in steps of .1, which add up to nearly 50 */
        { 50, 90.2, 0, 2 }, { -14.7, 2.8, 1, 74 }, { 80, 90, 0, -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *html = plot_of(cases[i].low, cases[i].high, cases[i].is_difference, 1), line[100];
        const char *strip = strstr(html, "class=\"strip"), *first = strstr(strip, "class=\"middle\"");
        snprintf(line, sizeof line, "class=\"middle\" x1=\"%.2f%%\"", cases[i].at);
        if (cases[i].at < 0) {
            assert_lacks(html, "class=\"middle\"");
            assert_lacks(html, "chance");
        } else {
            assert_has(strip, line);
            assert_null(strstr(first + 1, "class=\"middle\""));
            snprintf(line, sizeof line, "class=\"tick\" x1=\"%.2f%%\"", cases[i].at);
            assert_lacks(strip, line);
            assert_has(html, cases[i].is_difference ? ">no difference</li>" : ">chance</li>");
        }
        free(html);
    }
}

/* Columns differ in mark or colour, in the legend as in the lines. */
static void columns_are_told_apart(void **state)
{
    char *html = plot_of(60, 70, 0, 20), *seen[20];
    for (int i = 0; i < 20; i++) {
        char text[200];
        const char *p = strstr(html, "<li class=\"c");
        for (int k = 0; k < i; k++) p = strstr(p + 1, "<li class=\"c");
        int colour, mark;
        assert_int_equal(sscanf(p, "<li class=\"c%d\"><svg class=\"sample\" aria-hidden=\"true\"><use href=\"#mark-%d\"", &colour, &mark), 2);
        if (asprintf(&seen[i], "c%d %d", colour, mark) < 0) fail();
        for (int k = 0; k < i; k++)
            if (!strcmp(seen[i], seen[k])) fail_msg("columns %d and %d are both %s", k, i, seen[i]);
        snprintf(text, sizeof text, "<title>a, %d shot", i + 1);
        const char *line = strstr(html, text);
        snprintf(text, sizeof text, "<svg class=\"strip c%d\" role=\"img\"><title>a, %d shot", colour, i + 1);
        assert_has(html, text);
        snprintf(text, sizeof text, "#mark-%d\" class=\"%d\" x", mark, mark);
        const char *end = strstr(line, "</svg>"), *found = strstr(line, text);
        assert_true(found && found < end);
    }
    for (int i = 0; i < 20; i++) free(seen[i]);
    free(html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auc_lines), cmocka_unit_test(what_else_a_line_has),
        cmocka_unit_test(difference_lines), cmocka_unit_test(what_stands_in_the_reference_s_place),
        cmocka_unit_test(no_reference),
        cmocka_unit_test(words), cmocka_unit_test(axes), cmocka_unit_test(the_middle), cmocka_unit_test(columns_are_told_apart) };
    return cmocka_run_group_tests(tests, make_report, remove_report);
}
