/* The page of a report: text is escaped, the page is well-formed HTML, and its style sheet is
   page.css. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "report_folder.h"
#include "paper/report/figure.h"
#include "paper/report/html.h"
#include "paper/report/report_page.h"

static void escapes(void **state)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    meta_html_text(f, "a<b> & \"c\" 'd'\n\x01\t\xc3\xa9");
    fclose(f);
    assert_string_equal(text, "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;   \xc3\xa9");
    free(text);
}

#define NAME "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
enum { DEEPEST = 64 };
struct open_tags { const char *name[DEEPEST]; int length[DEEPEST], count; };

/* Steps over the attributes of a tag to its '>'. NULL when a value is not quoted or has a '<'. */
static const char *skip_attributes(const char *p)
{
    while (*p && *p != '>') {
        p += strspn(p, " \t\n/");
        if (*p == '>') break;
        size_t n = strspn(p, NAME ":_");
        if (!n) return NULL;
        p += n + strspn(p + n, " ");
        if (*p != '=') continue;
        p += 1 + strspn(p + 1, " ");
        const char quote = *p, ends[] = { quote, '<', 0 };
        if (quote != '"' && quote != '\'') return NULL;
        p += 1 + strcspn(p + 1, ends);
        if (*p++ != quote) return NULL;
    }
    return *p ? p : NULL;
}

/* Steps over a tag, and opens or closes it. NULL when it closes another tag than the last one
   opened. */
static const char *read_tag(const char *p, struct open_tags *open)
{
    static const char *const empty[] = { "meta", "br" };
    int closes = p[1] == '/', n;
    const char *name = p + 1 + closes, *end;
    n = strspn(name, NAME);
    end = skip_attributes(name + n);
    if (!n || !end) return NULL;
    if (closes) {
        if (!open->count--) return NULL;
        if (open->length[open->count] != n) return NULL;
        if (strncmp(open->name[open->count], name, n)) return NULL;
    } else if (end[-1] != '/') {
        for (int i = 0; i < 2; i++)
            if ((int)strlen(empty[i]) == n && !strncmp(empty[i], name, n)) return end + 1;
        if (open->count == DEEPEST) return NULL;
        open->name[open->count] = name;
        open->length[open->count++] = n;
        if (n == 5 && !strncmp(name, "style", n)) return strstr(end, "</style>");
    }
    return end + 1;
}

/* Where the text stops being HTML whose every tag is closed in order, whose attributes are quoted,
   and whose every & begins an entity; NULL when it does not. */
static const char *fault_of(const char *html)
{
    struct open_tags open = { .count = 0 };
    const char *p = html;
    if (!strncmp(p, "<!DOCTYPE html>", 15)) p += 15;
    while (*p) {
        const char *before = p;
        if (*p == '<') p = read_tag(p, &open);
        else if (*p == '&') {
            p++;
            p += *p == '#';
            size_t n = strspn(p, NAME);
            p = n && p[n] == ';' ? p + n + 1 : NULL;
        } else p = *p == '>' ? NULL : p + 1;
        if (!p) return before;
    }
    return open.count ? p : NULL;
}

static void faults_are_found(void **state)
{
    const char *bad[] = { "<p>", "</p>", "<p><b></p></b>", "<p class=x></p>", "<p title=\"<\"></p>",
                          "a & b", "&;", "a > b", "a < b", "<p class=\"x></p>",
                          "<p class=\"x'></p>", "<p" };
    assert_null(fault_of("<!DOCTYPE html><p class=\"x\" id = 'y' open>a &amp; &#39;<br><i/></p>"));
    assert_null(fault_of("<style>a>b{c:\"<\"}</style>"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!fault_of(bad[i])) fail_msg("no fault in %s", bad[i]);
}

static char *write_page(void)
{
    char *text;
    size_t size;
    struct meta_error lacks, error;
    FILE *f = open_memstream(&text, &size);
    if (meta_report_page(f, report, &lacks, &error)) fail_msg("%s", error.text);
    fclose(f);
    return text;
}

static void page_is_well_formed(void **state)
{
    static const char *const expected[] = {
        "<section id=\"table-1\"><p>10 of 12 cells are run.",
        "in training: iteration 3 of 10<br><small>paper 75.00</small>",
        "x&lt;y &ndash; z",
        "ROC at 5 shots: mean over the tasks with its 95% band</figcaption>" };
    char *page = write_page();
    const char *fault = fault_of(page);
    if (fault) fail_msg("not well-formed: %.80s", fault);
    for (int i = 0; i < 4; i++)
        if (!strstr(page, expected[i])) fail_msg("the page lacks %s", expected[i]);
    if (!strstr(page, "<br><small>accuracy 75.00 <span class=\"interval\">70.00&ndash;80.00</span>")) fail_msg("the page lacks the accuracy");
    if (!strstr(page, "<h1>Small &amp; &quot;fine&quot; &lt;b&gt;</h1>")) fail_msg("the page lacks the table's name as its own");
    if (strstr(page, "two rare")) fail_msg("the page speaks of two rare classes");
    free(page);
    struct meta_report_table *t = report->tables;
    double paper[20];
    for (int i = 0; i < t->cell_count; i++) { paper[i] = t->cells[i].paper; t->cells[i].paper = NAN; }
    page = write_page();
    for (int i = 0; i < t->cell_count; i++) t->cells[i].paper = paper[i];
    if (strstr(page, "paper")) fail_msg("without figures of a paper the page speaks of one: %.80s", strstr(page, "paper"));
    free(page);
}

/* A curve is named by the rows that stand on its training and by the shots of its tasks. */
static void trainings_have_their_own_names(void **state)
{
    struct meta_report_cell *c = report->tables->cells, kept[7];
    static const struct { int sharing, shots; const char *train, *label; } cases[] = {
        { 0, 1, "train", "A*B|C, 1 shot" },
        { 0, 3, "train", "A*B|C, 3 shots" },
        { 0, -1, "train", "A*B|C, 1 shot" },               /* an older plan */
        { 1, 3, "train", "A*B|C and plain, seed 1, 3 shots" },
        { 1, -1, "train", "A*B|C and plain, seed 1" },
        { 1, 0, "pretrain", "A*B|C and plain, seed 1" },
        { 0, -1, "pretrain", "A*B|C" },
        { 2, 3, "train", "A*B|C, plain, seed 1 and plain, seed 2, 3 shots" },
        { 3, 3, "train", "A*B|C, plain, seed 1 and 2 more rows, 3 shots" },
    };
    memcpy(kept, c, sizeof kept);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char item[100];
        c[0].train_shots = cases[i].shots;
        c[0].train = cases[i].train;
        for (int k = 0; k < cases[i].sharing; k++) c[4 + k].log = c[0].log;
        char *page = write_page();
        snprintf(item, sizeof item, "</svg>%s</li>", cases[i].label);
        if (!strstr(page, item)) fail_msg("case %zu: no curve is called %s", i, cases[i].label);
        free(page);
        memcpy(c, kept, sizeof kept);
    }
}

static int count(const char *text, const char *end, const char *word)
{
    int n = 0;
    for (const char *p = text; (p = strstr(p, word)) && (!end || p < end); p++) n++;
    return n;
}

/* Lines of one colour differ in their dashes, and the key has them as the drawing does; what can't be told apart is in another figure. */
static void many_lines(void **state)
{
    static const struct { const char *key, *drawn; } dashes[] = {
        { "stroke-dasharray=\"6,4\"", "stroke-dasharray='6.0,4.0'" },
        { "stroke-dasharray=\"2,3\"", "stroke-dasharray='2.0,3.0'" },
        { "stroke-dasharray=\"9,4,2,4\"", "stroke-dasharray='9.0,4.0,2.0,4.0'" },
        { "stroke-dasharray=\"9,3,2,3,2,3\"", "stroke-dasharray='9.0,3.0,2.0,3.0,2.0,3.0'" },
    };
    enum { LINES = 61 };
    double points[2][4] = { { 0, 0 }, { 1, 1 } };
    struct meta_line lines[LINES];
    char *text;
    size_t size;
    for (int i = 0; i < LINES; i++) lines[i] = (struct meta_line){ "a & b", 2, 0, points };
    struct meta_figure g = { "All <lines>", "x", "y", 0, 1, 0, 1, 0, LINES, lines };
    struct meta_figures figures = { .page = open_memstream(&text, &size) };
    meta_figure_draw(&figures, &g);
    fclose(figures.page);
    assert_false(figures.failed);
    const char *second = strstr(text + 1, "<figure>");
    assert_non_null(strstr(text, "<figcaption>All &lt;lines&gt; (1 of 2)</figcaption>"));
    assert_non_null(strstr(second, "<figcaption>All &lt;lines&gt; (2 of 2)</figcaption>"));
    assert_int_equal(count(text, second, "<li>"), 50);
    assert_int_equal(count(second, NULL, "<li>"), 11);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(count(text, second, dashes[i].key), 10);
        assert_int_equal(count(text, second, dashes[i].drawn), 10);
        assert_int_equal(count(second, NULL, dashes[i].key), i == 0);
        assert_int_equal(count(second, NULL, dashes[i].drawn), i == 0);
    }
    assert_null(fault_of(text));
    free(text);
}

static void style_sheet_is_the_file(void **state)
{
    char *page = write_page(), *css;
    size_t size;
    struct meta_error error;
    assert_int_equal(meta_file_read("src/paper/report/page.css", &css, &size, &error), 0);
    const char *style = strstr(page, "<style>\n");
    assert_non_null(style);
    assert_memory_equal(style + 8, css, size);
    assert_memory_equal(style + 8 + size, "</style>", 8);
    free(css);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes), cmocka_unit_test(faults_are_found),
        cmocka_unit_test(page_is_well_formed), cmocka_unit_test(trainings_have_their_own_names), cmocka_unit_test(many_lines), cmocka_unit_test(style_sheet_is_the_file) };
    return cmocka_run_group_tests(tests, make_report, remove_report);
}
