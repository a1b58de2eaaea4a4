/* A small folder of `meta table` as a report: what is read of it, the means over trainings, the
   Markdown cell by cell, and the data of the ROC figure. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include "report_folder.h"
#include <sys/stat.h>
#include "base/json.h"
#include "paper/report/report_family.h"
#include "paper/report/report_figures.h"
#include "paper/report/report_markdown.h"
#include "stats/roc.h"

/* Student's t of 1 and of 2 degrees of freedom: the 97.5% point */
#define T1 12.706204736
#define T2 4.302652730

/* ---- data ---- */

static void reads_the_folder(void **state)
{
    assert_int_equal(report->count, 1);
    assert_int_equal(table->cell_count, CELLS);
    assert_int_equal(table->runs, 4);
    assert_int_equal(table->first, 2);
    const struct meta_report_cell *c = meta_report_at(table, 0, 5);
    assert_ptr_equal(c, &table->cells[1]);
    assert_null(meta_report_at(table, 1, 1));
    assert_string_equal(c->label, "A*B|C");
    assert_near(c->first.mean, .81, 1e-12);
    assert_int_equal(c->first.n, 2);
    assert_null(table->cells[STALE].result);
    assert_true(table->cells[STALE].stale);
    assert_int_equal(table->cells[0].log_count, 3);
}

static void difference_is_of_this_reference(void **state)
{
    assert_near(meta_json_get(meta_report_difference(table, &table->cells[4]), "mean"), .06, 1e-12);
    assert_null(meta_report_difference(table, &table->cells[2]));      /* it is a reference */
    assert_null(meta_report_difference(table, &table->cells[10]));     /* of another result */
}

static void less_the_paper(void **state)
{
    struct meta_estimate d = meta_report_less_paper(&table->cells[1]);
    assert_near(d.mean, .01, 1e-12);
    assert_near(d.error, .01 * sqrt(1 + 4 / 2.), 1e-12);   /* ours of 4 tasks, the paper's of 2 */
    assert_string_equal(meta_report_beside_paper(d), "no difference seen");
    d.low = .001;
    assert_string_equal(meta_report_beside_paper(d), "above");
    d.low = -.2;
    d.high = -.1;
    assert_string_equal(meta_report_beside_paper(d), "below");
}

static void other_groups(void **state)
{
    static const struct { const char *json; int there; } cases[] = {
        { "{}", 0 },
        { "{\"other_groups\": {\"low\": null, \"high\": null}}", 0 },
        { "{\"other_groups\": {\"low\": 0.1, \"high\": 0.2}}", 0 },        /* of query images alone */
        { "{\"other_groups\": {\"redrawn\": \"query and support\", \"low\": 0.1, \"high\": 0.2}}", 1 },
    };
    assert_null(meta_report_other_groups(NULL));
    for (int i = 0; i < 4; i++) {
        cJSON *of = cJSON_Parse(cases[i].json);
        const cJSON *o = meta_report_other_groups(of);
        assert_int_equal(o != NULL, cases[i].there);
        if (o) assert_near(meta_json_get(o, "high"), .2, 0);
        cJSON_Delete(of);
    }
}

static void progress(void **state)
{
    struct meta_row rows[] = { { .iteration = 7 }, { .iteration = 8 } };
    static const struct { int stale, rows, iterations; const char *text; } cases[] = {
        { 0, 0, 10, "not yet run" },
        { 0, 2, 10, "in training: iteration 8 of 10" },
        { 0, 2, 8, "trained, not yet tested" },
        { 1, 2, 10, "its settings have changed: to be run again" },
    };
    for (int i = 0; i < 4; i++) {
        struct meta_report_cell c = { .stale = cases[i].stale, .iterations = cases[i].iterations,
                                      .log_rows = rows, .log_count = cases[i].rows };
        char text[80];
        meta_report_progress(text, sizeof text, &c);
        assert_string_equal(text, cases[i].text);
    }
}

/* ---- order, and one of several ---- */

/* Writes a plan with one cell, which is not run. place: a member of the plan, or "". */
static void write_small_plan(const char *file, const char *name, const char *place)
{
    char text[600];
    snprintf(text, sizeof text, "{\"program\": \"darknet meta table\", \"format\": 2, \"name\": \"%s\", %s"
             "\"file\": \"x.table\", \"data\": \"x.data\", \"runs\": 4, \"first\": 2, \"columns\": [5], \"rows\": [\"a\"], "
             "\"cells\": [{\"row\": 0, \"shots\": 5, \"result\": \"none.json\", \"id\": 1}]}", name, place);
    write_file(file, text);
}

/* The names of the report's tables, with blanks between. */
static void assert_tables(const char *only, const char *expected)
{
    struct meta_report *r;
    struct meta_error error;
    char names[200] = "";
    if (meta_report_read(&r, folder, only, &error)) fail_msg("%s", error.text);
    for (int i = 0; i < r->count; i++) sprintf(names + strlen(names), "%s%s", i ? " " : "", r->tables[i].name);
    assert_string_equal(names, expected);
    meta_report_free(r);
}

static void order_of_tables(void **state)
{
    char kept[256];
    struct meta_report *r;
    struct meta_error error;
    strcpy(kept, folder);
    strcat(folder, "/several");
    assert_int_equal(mkdir(folder, 0700), 0);
    write_small_plan("a.json", "Alpha", "");
    write_small_plan("b.v1.json", "Beta", "\"place\": 7, \"caption\": \"What it is\", \"authors\": \"Who\", \"groups\": \"lesions\", ");
    write_small_plan("c.json", "Gamma", "\"place\": 2, ");
    write_small_plan("d.json", "Delta", "");
    write_small_plan("e.json", "Epsilon", "\"place\": 7, ");
    write_file("images.json", "{\"format\": 2}");
    assert_tables(NULL, "Gamma Beta Epsilon Alpha Delta");
    assert_tables("Delta", "Delta");
    assert_tables("b.v1", "Beta");
    assert_int_equal(meta_report_read(&r, folder, "b", &error), -1);
    assert_non_null(strstr(error.text, "-only b: must be a table of "));
    assert_non_null(strstr(error.text, ": a (Alpha), b.v1 (Beta), c (Gamma), d (Delta), e (Epsilon)"));
    assert_int_equal(meta_report_read(&r, folder, NULL, &error), 0);
    assert_string_equal(r->tables[1].caption, "What it is");
    assert_string_equal(r->tables[1].authors, "Who");
    assert_string_equal(r->tables[1].groups, "lesions");
    assert_string_equal(r->tables[0].caption, "");
    assert_string_equal(r->tables[0].authors, "paper");
    assert_string_equal(r->tables[0].groups, "groups");
    meta_report_free(r);
    /* what another table's plan has wrong is not in the way */
    write_small_plan("c.json", "Gamma", "\"place\": 0, ");
    assert_int_equal(meta_report_read(&r, folder, NULL, &error), -1);
    assert_non_null(strstr(error.text, "c.json: place is 0: must be a whole number, 1 to "));
    assert_tables("a", "Alpha");
    strcpy(folder, kept);
}

/* ---- families ---- */

static void assert_estimate(struct meta_estimate e, double mean, double error, double t, int n)
{
    assert_int_equal(e.n, n);
    assert_near(e.mean, mean, 1e-12);
    assert_near(e.error, error, 1e-12);
    assert_near(e.low, mean - t * error, 1e-8);
    assert_near(e.high, fmin(mean + t * error, 1), 1e-8);
}

static char *write_markdown(void);

static void families(void **state)
{
    static const struct { const char *name; int shots, count; } expected[] = {
        { "base", 5, 2 }, { "plain", 5, 3 }, { "aug", 5, 2 }, { "aug", 1, 2 },
        { "base", 1, 1 } };
    int count;
    struct meta_report_family *all = meta_report_families(table, &count);
    assert_int_equal(count, 5);
    for (int i = 0; i < count; i++) {
        assert_string_equal(all[i].name, expected[i].name);
        assert_int_equal(all[i].shots, expected[i].shots);
        assert_int_equal(all[i].count, expected[i].count);
    }
    assert_estimate(all[0].auc, .72, .02, T1, 2);
    assert_int_equal(all[0].difference.n, 0);
    assert_estimate(all[1].auc, .79, .03, T1, 2);
    assert_estimate(all[1].difference, .07, .01, T1, 2);
    assert_estimate(all[2].auc, .72, .01, T1, 2);
    assert_near(all[2].difference.mean, .02, 1e-12);       /* both from one training of base */
    assert_int_equal(all[2].difference.n, 2);
    assert_true(isnan(all[2].difference.low) && isnan(all[2].difference.high));
    assert_int_equal(all[3].difference.n, 0);              /* of another result */
    assert_string_equal(all[1].beside, "");
    assert_string_equal(all[0].beside, "");
    free(all);
    const char *reference = table->reference;              /* paired with rows beside the reference */
    report->tables->reference = "A*B|C";
    all = meta_report_families(table, &count);
    assert_string_equal(all[1].beside, "base");
    free(all);
    char *text = write_markdown();
    assert_non_null(strstr(text, "+7.00 (-5.71 to +19.71), no difference seen (beside base)"));
    assert_non_null(strstr(text, "| plain | 5 | +6.00 (+5.50 to +6.50), better (beside base, seed 1) |"));
    free(text);
    report->tables->reference = reference;
}

/* Each task's difference is its mean over the trainings; their mean has the bootstrap's interval. */
static void families_over_tasks(void **state)
{
    int count;
    struct meta_error error;
    struct meta_bootstrap expected;
    double means[] = { .09, .07, .07, .07 };
    cJSON *task = cJSON_GetObjectItem(table->cells[4].result, "tasks")->child,
          *auc = cJSON_GetObjectItem(task, "auc_after");
    cJSON_SetNumberValue(auc, auc->valuedouble + .04);     /* of one training in two */
    struct meta_report_family *all = meta_report_families(table, &count);
    assert_int_equal(meta_bootstrap(&expected, means, 4, 10000, 1, &error), 0);
    assert_true(expected.high > expected.low + .001);
    assert_string_equal(all[1].name, "plain");
    assert_near(all[1].tasks.mean, .075, 1e-12);
    assert_near(all[1].tasks.low, expected.low, 1e-9);
    assert_near(all[1].tasks.high, expected.high, 1e-9);
    assert_near(all[2].tasks.mean, .02, 1e-12);
    assert_true(isnan(all[0].tasks.low) && isnan(all[3].tasks.low));    /* the reference, and of another result */
    free(all);
    cJSON_SetNumberValue(auc, auc->valuedouble - .04);
    cJSON *lost = cJSON_DetachItemFromArray(cJSON_GetObjectItem(table->cells[4].result, "tasks"), 3);
    all = meta_report_families(table, &count);
    assert_true(isnan(all[1].tasks.mean));                 /* not of as many tasks as the reference */
    free(all);
    cJSON_AddItemToArray(cJSON_GetObjectItem(table->cells[4].result, "tasks"), lost);
}

static void no_families(void **state)
{
    struct meta_report_table one = *table;
    int count = 7;
    one.cell_count = 2;
    assert_null(meta_report_families(&one, &count));
    assert_int_equal(count, 0);
}

/* ---- Markdown ---- */

enum { COLUMNS = 10 };

/* Cuts a row of a table into its cells, without the blanks around them. Returns their number. */
static int cut(char *line, char **cell)
{
    int n = 0;
    if (*line != '|') return 0;
    for (char *p = line + 1; *p && n < COLUMNS; n++) {
        char *end = p;
        while (*end && (*end != '|' || end[-1] == '\\')) end++;
        if (!*end) break;
        cell[n] = p + strspn(p, " ");
        p = end + 1;
        while (end > cell[n] && end[-1] == ' ') end--;
        *end = 0;
    }
    return n;
}

/* Checks the row whose first two cells are the first two expected ones. */
static void assert_row(const char *markdown, const char *const *expected, int count)
{
    char *copy = strdup(markdown), *rest = copy, *line, *cell[COLUMNS];
    while ((line = strsep(&rest, "\n"))) {
        int n = cut(line, cell);
        if (n != count || strcmp(cell[0], expected[0]) || strcmp(cell[1], expected[1])) continue;
        for (int i = 0; i < n; i++)
            if (strcmp(cell[i], expected[i]))
                fail_msg("%s, %s: cell %d is '%s', not '%s'", cell[0], cell[1], i, cell[i],
                         expected[i]);
        break;
    }
    if (!line) fail_msg("no row of %s, %s with %d cells", expected[0], expected[1], count);
    free(copy);
}

static char *write_markdown(void)
{
    char *text;
    size_t size;
    struct meta_error error;
    FILE *f = open_memstream(&text, &size);
    assert_int_equal(meta_report_markdown(f, report, &error), 0);
    fclose(f);
    return text;
}

static void markdown_cells(void **state)
{
    static const char *const expected[][COLUMNS] = {
        { "method", "shots", "AUC, 4 tasks", "other groups", "first 2", "paper", "ours - paper",
          "paired with base", "other groups", "accuracy" },
        { "A\\*B\\|C", "1", "in training: iteration 3 of 10", "", "", "75.00", "", "", "", "" },
        /* first: 79 and 83 make 81 +- 2 T1; less the paper: 1 +- t of 3 degrees times sqrt(3) */
        { "A\\*B\\|C", "5", "81.00 (78.00 to 84.00)", "72.00 to 90.00", "81.00 (55.59 to 100.00)",
          "80.00", "+1.00 (-4.51 to +6.51), no difference seen",
          "+11.00 (+10.50 to +11.50), better (beside base, seed 1)", "-1.00 to +23.00, no difference seen",
          "75.00 (70.00 to 80.00)" },
        { "base, seed 1", "5", "70.00 (67.00 to 73.00)", "-", "70.00 (44.59 to 95.41)", "", "", "-",
          "-", "-" },
        { "plain, seed 2", "5", "82.00 (79.00 to 85.00)", "-", "82.00 (56.59 to 100.00)", "", "",
          "+8.00 (+7.50 to +8.50), better", "-", "-" },
        { "plain, seed 3", "5", "its settings have changed: to be run again", "", "", "", "", "",
          "", "" },
        { "aug, seed 2", "1", "65.00 (62.00 to 68.00)", "-", "65.00 (39.59 to 90.41)", "", "",
          "the reference is to be run", "-", "-" },
    };
    char *text = write_markdown();
    assert_true(strstr(text, "### Small & \"fine\" \\<b\\>\n") == text);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_row(text, expected[i], COLUMNS);
    free(text);
}

/* A table whose file gives no figure of a paper does not speak of one. */
static void without_a_paper(void **state)
{
    static const char *const expected[][8] = {
        { "method", "shots", "AUC, 4 tasks", "other groups", "first 2", "paired with base", "other groups", "accuracy" },
        { "A\\*B\\|C", "5", "81.00 (78.00 to 84.00)", "72.00 to 90.00", "81.00 (55.59 to 100.00)",
          "+11.00 (+10.50 to +11.50), better (beside base, seed 1)", "-1.00 to +23.00, no difference seen", "75.00 (70.00 to 80.00)" },
        { "plain, seed 3", "5", "its settings have changed: to be run again", "", "", "", "", "" },
    };
    double paper[20];
    for (int i = 0; i < table->cell_count; i++) { paper[i] = table->cells[i].paper; table->cells[i].paper = NAN; }
    char *text = write_markdown();
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) assert_row(text, expected[i], 8);
    assert_null(strstr(text, "paper"));
    for (int i = 0; i < table->cell_count; i++) table->cells[i].paper = paper[i];
    free(text);
}

static void markdown_families(void **state)
{
    static const char *const expected[][7] = {
        { "method", "shots", "trainings", "AUC, over trainings", "deviation", "paired with base", "these trainings, over the tasks" },
        { "base", "5", "2 of 2", "72.00 (46.59 to 97.41)", "2.83", "-", "-" },
        { "plain", "5", "2 of 3", "79.00 (40.88 to 100.00)", "4.24",
          "+7.00 (-5.71 to +19.71), no difference seen", "+7.00 to +7.00, better" },
        { "aug", "5", "2 of 2", "72.00 (59.29 to 84.71)", "1.41",
          "+2.00, of one training of it: no interval", "+2.00 to +2.00, better" },
        { "aug", "1", "2 of 2", "62.50 (30.73 to 94.27)", "3.54", "-", "-" },
        { "base", "1", "1 of 1", "-", "-", "-", "-" },
    };
    char *text = write_markdown();
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_row(text, expected[i], 7);
    free(text);
}

/* ---- the ROC figure ---- */

static int mean_roc(double (*points)[4], const char *json)
{
    cJSON *result = cJSON_Parse(json);
    assert_non_null(result);
    struct meta_error error;
    int n = meta_report_mean_roc(points, result, &error);
    cJSON_Delete(result);
    return n;
}

static void roc_data(void **state)
{
    double points[META_ROC_POINTS][4] = { { 7, 7, 7, 7 } };
    assert_int_equal(mean_roc(points, "{\"tasks\": [{}, {\"ranks\": \"11\"}]}"), 0);
    assert_near(points[0][1], 7, 0);
    /* two tasks of chance (y = x), one without a fault (y = 1), one without ranks */
    assert_int_equal(mean_roc(points, "{\"tasks\": [{\"ranks\": \"(0011)\"}, "
                              "{\"ranks\": \"10\"}, {}, {\"ranks\": \"(01)\"}]}"), 3);
    for (int i = 0; i < META_ROC_POINTS; i++) {
        double x = i / 100., mean = (2 * x + 1) / 3, error = (1 - x) * sqrt(2 / 3. / 2 / 3);
        assert_near(points[i][0], x, 1e-12);
        assert_near(points[i][1], mean, 1e-12);
        assert_near(points[i][2], fmax(0, mean - T2 * error), 1e-8);
        assert_near(points[i][3], fmin(1, mean + T2 * error), 1e-8);
    }
    assert_true(points[0][2] == 0 && points[0][3] == 1 && points[90][2] > .78);
    /* of more than two classes the result has the curve: here y = sqrt(x) with a band that leaves 0 to 1 */
    char text[8000] = "{\"tasks\": [{}], \"roc\": [";
    for (int i = 0; i < META_ROC_POINTS; i++)
        sprintf(text + strlen(text), "%s[%g, %.7g, %.7g, %.7g]", i ? ", " : "", i / 100., sqrt(i / 100.), sqrt(i / 100.) - .2, sqrt(i / 100.) + .2);
    strcat(text, "]}");
    assert_int_equal(mean_roc(points, text), META_ROC_POINTS);
    assert_near(points[25][0], .25, 1e-7);
    assert_near(points[25][1], .5, 1e-7);
    assert_near(points[25][2], .3, 1e-7);
    assert_near(points[25][3], .7, 1e-7);
    assert_true(points[0][2] == 0 && points[100][3] == 1);
    assert_int_equal(mean_roc(points, "{\"roc\": [[0, 0, 0, 0]]}"), 0);
    assert_int_equal(mean_roc(points, "{\"tasks\": [{\"ranks\": \"(01)\"}]}"), 1);
    assert_near(points[50][1], .5, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_folder), cmocka_unit_test(difference_is_of_this_reference),
        cmocka_unit_test(less_the_paper), cmocka_unit_test(other_groups),
        cmocka_unit_test(progress), cmocka_unit_test(order_of_tables), cmocka_unit_test(families), cmocka_unit_test(families_over_tasks), cmocka_unit_test(no_families),
        cmocka_unit_test(markdown_cells), cmocka_unit_test(without_a_paper), cmocka_unit_test(markdown_families),
        cmocka_unit_test(roc_data) };
    return cmocka_run_group_tests(tests, make_report, remove_report);
}
