/* The reliability diagrams of a report: their points, their labels, and results without bins. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "near.h"
#include "paper/report/report_reliability.h"
#include "stats/calibration.h"

static struct meta_error error;

static cJSON *parse(const char *text)
{
    cJSON *j = cJSON_Parse(text);
    assert_non_null(j);
    return j;
}

static void test_points(void **state)
{
    double points[META_CALIBRATION_BINS][4];
    cJSON *j = parse("{\"bins\": [{\"count\": 0, \"confidence\": 0, \"correct\": 0}, {\"count\": 4, \"confidence\": 3, \"correct\": 1},"
                     "{\"count\": 10, \"confidence\": 9.5, \"correct\": 9}]}");
    assert_int_equal(meta_report_bins(points, j), 2);
    assert_near(points[0][0], .75, 0);
    assert_near(points[0][1], .25, 0);
    assert_near(points[1][0], .95, 0);
    assert_near(points[1][1], .9, 0);
    cJSON_Delete(j);
    j = parse("{\"tasks\": []}");
    assert_int_equal(meta_report_bins(points, j), 0);
    cJSON_Delete(j);
    /* more bins than there can be are not written behind the end */
    char text[4000] = "{\"bins\": [{}";
    for (int i = 0; i < 20; i++) strcat(text, ", {\"count\": 1, \"confidence\": 1, \"correct\": 1}");
    strcat(text, "]}");
    j = parse(text);
    assert_int_equal(meta_report_bins(points, j), META_CALIBRATION_BINS);
    cJSON_Delete(j);
}

static void test_diagrams(void **state)
{
    static const char with[] = "{\"settings\": {\"temperature\": 1.84}, \"ece\": {\"mean\": 0.0312, \"tasks\": 3},"
                               "\"bins\": [{\"count\": 4, \"confidence\": 3, \"correct\": 1}, {\"count\": 4, \"confidence\": 4, \"correct\": 4}]}",
                      raw[] = "{\"settings\": {}, \"ece\": {\"mean\": 0.25, \"tasks\": 3}, \"bins\": [{\"count\": 4, \"confidence\": 3, \"correct\": 1}]}";
    struct meta_report_cell cells[] = { { .label = "A<b>", .shots = 5, .result = parse(with) }, { .label = "B", .shots = 5, .result = parse(raw) },
                                        { .label = "C", .shots = 5, .result = parse("{}") }, { .label = "D", .shots = 1 } };
    int columns[] = { 1, 5 };
    struct meta_report_table t = { .columns = columns, .column_count = 2, .cells = cells, .cell_count = 4 };
    char *text;
    size_t size;
    struct meta_figures figures = { .page = open_memstream(&text, &size) };
    if (meta_report_reliability(&figures, &t, &error)) fail_msg("%s", error.text);
    fclose(figures.page);
    if (!figures.failed) { /* gnuplot is there */
        assert_non_null(strstr(text, "Reliability at 5 shots"));
        assert_non_null(strstr(text, "A&lt;b&gt;, ECE 3.1%, at temperature 1.84</li>"));
        assert_non_null(strstr(text, "B, ECE 25.0%</li>"));
    }
    assert_null(strstr(text, "Reliability at 1 shot")); /* no cell has bins there */
    assert_null(strstr(text, "C, ECE"));
    free(text);
    for (int i = 0; i < 4; i++) cJSON_Delete(cells[i].result);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_points), cmocka_unit_test(test_diagrams) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
