/* Results of `meta test` read for comparison: what is read, which files are refused, which two
   can't be paired, and the difference of two that can. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "evaluation/by_group.h"
#include "evaluation/scores.h"
#include "near.h"

/* The first 24 digits of every task's digest. */
#define DIGITS "89abcdef89abcdef89abcdef"
#define TASK0 "{\"auc_before\":0.5,\"auc_after\":0.75,\"images\":\"" DIGITS "0000000a\"}"
#define TASK1 "{\"auc_before\":0.25,\"auc_after\":1,\"images\":\"" DIGITS "ffffffff\"}"
#define TASK2 "{\"auc_before\":0,\"auc_after\":0.125,\"images\":\"" DIGITS "12345678\"}"
#define NONE "[0,0,0,0]"
#define GROUPS                                                                                     \
    "\"other_groups\":{\"image\":[\"x\",\"y\",\"z\",\"w\"],\"xxh3_128\":[\"1\",\"2\",\"3\",\"4\"],\"class\":[0,0,3,3],\"asked\":[4,5,4,"  \
    "5],"                                                                                          \
    "\"redrawn\":\"query and support\","                                                         \
    "\"influence\":[0.0625,-0.0625,0.125,null],"                                             \
    "\"parts\":[[0.5,-0.5,0.25,null]," NONE "," NONE "," NONE "," NONE "," NONE "," NONE "," NONE  \
    "," NONE "," NONE "]}"
#define RESULT                                                                                     \
    "{\"program\":\"darknet meta "                                                                 \
    "test\",\"format\":2,\"settings\":{\"seed\":\"5\",\"runs\":3,\"ways\":2,\"shots\":1,"          \
    "\"queries\":4,\"method\":\"knn\"},\"files\":{\"cfg\":{\"path\":\"n.cfg\"},\"weights\":{"      \
    "\"path\":\"n.weights\"}},"                                                                    \
    "\"tasks\":[" TASK0 "," TASK1 "," TASK2 "]," GROUPS "}"

/* A change of the result's text, and what is then said of it: "A" and "B" stand for the files'
   paths. */
struct change {
    const char *from, *to, *message;
};

static struct meta_error error;
static char folder[256], path_a[300], path_b[300];

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/scores.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(path_a, sizeof path_a, "%s/a.json", folder);
    snprintf(path_b, sizeof path_b, "%s/b.json", folder);
    return 0;
}

/* Writes the result with `from` replaced by `to`; NULL: as it is. */
static void write_result(const char *path, const char *from, const char *to)
{
    char text[2000];
    const char *at = from ? strstr(RESULT, from) : RESULT;
    if (!at) fail_msg("nothing to change: %s", from);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - RESULT), RESULT, from ? to : "",
             at + (from ? strlen(from) : 0));
    struct meta_chunk chunk = { text, strlen(text) };
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
}

static void read_result(struct meta_scores *s, const char *path)
{
    if (meta_scores_read(s, path, &error)) fail_msg("%s", error.text);
}

static void test_read(void **state)
{
    struct meta_scores s;
    write_result(path_a, NULL, NULL);
    read_result(&s, path_a);
    assert_string_equal(s.path, path_a);
    assert_string_equal(s.cfg, "n.cfg");
    assert_string_equal(s.weights, "n.weights");
    assert_string_equal(s.method, "knn");
    assert_string_equal(s.settings, "seed 5, 3 runs, 2 ways, 1 shots, 4 queries");
    assert_int_equal(s.count, 3);
    assert_true(s.before[0] == .5 && s.before[1] == .25 && s.before[2] == 0);
    assert_true(s.after[0] == .75 && s.after[1] == 1 && s.after[2] == .125);
    assert_true(s.images[0].high == 0x89abcdef89abcdef && s.images[0].low == 0x89abcdef0000000a);
    assert_true(s.images[1].low == 0x89abcdefffffffff && s.images[2].low == 0x89abcdef12345678);
    assert_false(s.by_path);
    const struct meta_by_group *g = &s.groups;
    assert_true(g->count == 4 && g->tasks == 3 && !s.query_alone);
    assert_true(g->label[1] == 0 && g->label[2] == 3 && g->query[1] == -.0625 && isnan(g->query[3]));
    assert_true(g->part[0] == .5 && g->part[2] == .25 && isnan(g->part[3]) && g->part[4] == 0);
    meta_scores_clear(&s);
    assert_null(s.path);
}

/* A file from before there were methods and groups. */
static void test_read_old(void **state)
{
    struct meta_scores s;
    write_result(path_a, "," GROUPS, "");
    read_result(&s, path_a);
    assert_true(!s.groups.count && !s.query_alone);
    meta_scores_clear(&s);
    write_result(path_a, "\"redrawn\":\"query and support\",", ""); /* of query images alone */
    read_result(&s, path_a);
    assert_true(!s.groups.count && s.query_alone);
    meta_scores_clear(&s);
    write_result(path_a, ",\"method\":\"knn\"", "");
    read_result(&s, path_a);
    assert_string_equal(s.method, "");
    meta_scores_clear(&s);
    write_result(path_a, "\"files\"", "\"nothing\"");
    read_result(&s, path_a);
    assert_string_equal(s.cfg, "");
    meta_scores_clear(&s);
}

static void assert_message(const char *expected)
{
    char text[2000] = "";
    for (const char *p = expected; *p; p++) {
        int name = (*p == 'A' || *p == 'B') && (p == expected || p[-1] == ' ')
            && (p[1] == ' ' || p[1] == ':');
        size_t used = strlen(text);
        if (name) snprintf(text + used, sizeof text - used, "%s", *p == 'A' ? path_a : path_b);
        else snprintf(text + used, sizeof text - used, "%c", *p);
    }
    assert_string_equal(error.text, text);
}

static void test_read_refusals(void **state)
{
    static const char not_a_result[] = "A: is not a result of `darknet meta test -out`, format 1 or 2",
                      lengths[] = "A: other_groups: has arrays of several lengths";
    const struct change changes[] = {
        { "darknet meta test", "darknet meta train", not_a_result },
        { "\"program\"", "\"programme\"", not_a_result },
        { "\"format\":2", "\"format\":3", not_a_result },
        { "\"format\":2", "\"format\":\"2\"", not_a_result },
        { TASK0 "," TASK1 "," TASK2, "", not_a_result },
        { "[" TASK0 "," TASK1 "," TASK2 "]", TASK0, not_a_result },
        { "\"auc_after\":0.75", "\"auc_after\":null",
          "A: task 0 has no auc_before, auc_after or images" },
        { "\"auc_before\":0,", "", "A: task 2 has no auc_before, auc_after or images" },
        { "ffffffff", "fffffff", "A: task 1 has no auc_before, auc_after or images" },
        { "ffffffff", "fffffffg", "A: task 1 has no auc_before, auc_after or images" },
        { "\"images\":\"" DIGITS "ffffffff\"", "\"images\":1",
          "A: tasks[1].images is 1: must be a text" },
        { "[\"1\",", "[", lengths },
        { "[0,0,3,3]", "[0,0,3]", lengths },
        { "[4,5,4,5]", "[4,5,4,5,6]", lengths },
        { "\"influence\"", "\"no_influence\"", lengths },
        { "," NONE "]", "]", lengths },
        { "0.25,null]", "0.25]", lengths },
        { "[0,0,3,3]", "[0,-1,3,3]",
          "A: other_groups.class[1] is -1: must be a whole number, 0 to 999999" },
        { "[0,0,3,3]", "[0,0,3,1000000]",
          "A: other_groups.class[3] is 1000000: must be a whole number, 0 to 999999" },
        { "\"3\"", "7", "A: other_groups.xxh3_128[2] is 7: must be a text" },
        { "[4,5,4,5]", "[null,5,4,5]",
          "A: other_groups.asked[0] is null: must be a whole number, 0 to 1000000000000000" },
        { "{\"program\"", "{program", "A:1: is not JSON" },
        { "\"auc_after\":0.75", "\"auc_after\":7.5",
          "A: tasks[0].auc_after is 7.5: must be a number, 0 to 1, or null" },
        { "\"auc_after\":0.75", "\"auc_after\":1e999",
          "A: tasks[0].auc_after is inf: must be a number, 0 to 1, or null" },
        { "\"runs\":3", "\"runs\":2.2e73",
          "A: settings.runs is 2.2e+73: must be a whole number, 0 to 2147483647" },
        { "\"runs\":3", "\"runs\":2.5",
          "A: settings.runs is 2.5: must be a whole number, 0 to 2147483647" },
        { "\"seed\":\"5\"", "\"seed\":5", "A: settings.seed is 5: must be a text" },
        { "[4,5,4,5]", "[4,5,1e99,5]",
          "A: other_groups.asked[2] is 9.9999999999999997e+98: must be a whole number, 0 to "
          "1000000000000000" },
        { "[4,5,4,5]", "{\"a\":4}", "A: other_groups.asked is an object: must be an array" },
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct meta_scores s;
        write_result(path_a, changes[i].from, changes[i].to);
        assert_int_equal(meta_scores_read(&s, path_a, &error), -1);
        assert_message(changes[i].message);
        assert_null(s.path);
    }
    struct meta_scores s;
    assert_int_equal(meta_scores_read(&s, "/no/such.json", &error), -1);
    assert_string_equal(error.text, "/no/such.json: No such file or directory");
}

static void test_pairing_refusals(void **state)
{
    static const char settings[] = "A and B can't be paired: seed 5, 3 runs, 2 ways, 1 shots, 4 "
                                   "queries against ";
    static const char others[] = "A and B can't be paired: their images are in other groups";
    const struct change changes[] = {
        { "\"seed\":\"5\"", "\"seed\":\"6\"", "seed 6, 3 runs, 2 ways, 1 shots, 4 queries" },
        { "\"runs\":3", "\"runs\":4", "seed 5, 4 runs, 2 ways, 1 shots, 4 queries" },
        { "\"ways\":2", "\"ways\":3", "seed 5, 3 runs, 3 ways, 1 shots, 4 queries" },
        { "\"shots\":1", "\"shots\":5", "seed 5, 3 runs, 2 ways, 5 shots, 4 queries" },
        { "\"queries\":4", "\"queries\":9", "seed 5, 3 runs, 2 ways, 1 shots, 9 queries" },
        { "," TASK2, "", "A and B can't be paired: 3 tasks against 2" },
        { "ffffffff", "fffffffe", "A and B can't be paired: task 1 has other images" },
        { "\"3\"", "\"33\"", others },
        { DIGITS "ffffffff", "89abcdef89abcdef89abcdeeffffffff",
          "A and B can't be paired: task 1 has other images" },
        { "[0,0,3,3]", "[0,0,3,4]", others },
        { "[4,5,4,5]", "[4,5,4,6]", others },
    };
    struct meta_scores a, b;
    struct meta_difference d;
    write_result(path_a, NULL, NULL);
    read_result(&a, path_a);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char message[500];
        int whole = changes[i].message[0] == 'A';
        snprintf(message, sizeof message, "%s%s", whole ? "" : settings, changes[i].message);
        write_result(path_b, changes[i].from, changes[i].to);
        read_result(&b, path_b);
        assert_int_equal(meta_scores_difference(&a, &b, &d, &error), -1);
        assert_message(message);
        meta_scores_clear(&b);
    }
    meta_scores_clear(&a);
}

/* Replaces every `from` in the file. */
static void replace(const char *path, const char *from, const char *to)
{
    char *text, *at;
    size_t size;
    if (meta_file_read(path, &text, &size, &error)) fail_msg("%s", error.text);
    assert_non_null(strstr(text, from));
    while ((at = strstr(text, from))) {
        char *made = malloc(strlen(text) + strlen(to) + 1);
        sprintf(made, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
        free(text);
        text = made;
    }
    struct meta_chunk chunk = { text, strlen(text) };
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
    free(text);
}

/* Differences of AUC: 0, -.5, +.5; of the influence of query images: 0, .125, 0, 0. */
static void test_difference(void **state)
{
    struct meta_scores a, b;
    struct meta_difference d, back;
    write_result(path_a, "null", "-0.125");
    replace(path_a, "null", "0");
    read_result(&a, path_a);
    write_result(path_b, TASK1 "," TASK2,
                 "{\"auc_before\":0.25,\"auc_after\":0.5,\"images\":\"" DIGITS "ffffffff\"},"
                 "{\"auc_before\":0,\"auc_after\":0.625,\"images\":\"" DIGITS "12345678\"}");
    replace(path_b, "null", "0");
    read_result(&b, path_b);
    b.groups.query[1] = .0625;
    b.groups.query[3] = -.125;
    if (meta_scores_difference(&a, &b, &d, &error)) fail_msg("%s", error.text);
    assert_near(d.tasks.mean, 0, 1e-15);
    assert_true(d.tasks.low < 0 && d.tasks.high > 0);
    double tasks = sqrt((.25 + .25) / 2 / 3), group = sqrt(.125 * .125 * 2); /* G/(G-1) = 2 */
    assert_near(d.other_groups.mean, 0, 1e-15);
    assert_near(d.other_groups.error, hypot(tasks, group), 1e-12);
    if (meta_scores_difference(&b, &a, &back, &error)) fail_msg("%s", error.text);
    assert_near(back.other_groups.error, d.other_groups.error, 1e-15);
    /* with three tasks in parts of one, pairs of different ones are two thirds */
    b.groups.part[0] += .25;
    b.groups.part[4] += .5;
    if (meta_scores_difference(&a, &b, &d, &error)) fail_msg("%s", error.text);
    assert_near(d.other_groups.error, hypot(tasks, sqrt(2 * .25 * .5 * 2 * 1.5)), 1e-12);
    b.after[0] += .375; /* the mean moves by a third of it */
    if (meta_scores_difference(&a, &b, &d, &error)) fail_msg("%s", error.text);
    assert_near(d.tasks.mean, .125, 1e-15);
    assert_near(d.other_groups.mean, .125, 1e-15);
    if (meta_scores_difference(&b, &a, &back, &error)) fail_msg("%s", error.text);
    assert_near(back.tasks.mean, -.125, 1e-15);
    meta_scores_clear(&a);
    meta_scores_clear(&b);
}

static void make_old(const char *path)
{
    replace(path, "\"format\":2", "\"format\":1");
    replace(path, DIGITS, "");
    replace(path, "\"xxh3_128\":[\"1\",\"2\",\"3\",\"4\"],", "");
}

/* Files of version 1.0 tell images by path: two of them are paired by that, but none with a file
   that tells them by content. */
static void test_files_by_path(void **state)
{
    struct meta_scores a, b;
    struct meta_difference d;
    write_result(path_a, NULL, NULL);
    make_old(path_a);
    read_result(&a, path_a);
    assert_true(a.by_path && a.images[0].low == 0xa && a.images[1].low == 0xffffffff);
    assert_int_equal(a.groups.count, 4);
    write_result(path_b, "\"y\"", "\"yy\"");
    read_result(&b, path_b);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(meta_scores_difference(i ? &b : &a, i ? &a : &b, &d, &error), -1);
        assert_non_null(strstr(error.text, "a.json tells images by their paths, as version 1.0"));
    }
    meta_scores_clear(&b);
    make_old(path_b);
    read_result(&b, path_b);
    assert_int_equal(meta_scores_difference(&a, &b, &d, &error), -1);
    assert_message("A and B can't be paired: their images are in other groups");
    meta_scores_clear(&b);
    replace(path_b, "\"yy\"", "\"y\"");
    read_result(&b, path_b);
    if (meta_scores_difference(&a, &b, &d, &error)) fail_msg("%s", error.text);
    assert_near(d.tasks.mean, 0, 0);
    meta_scores_clear(&b);
    replace(path_b, "ffffffff", "fffffffe");
    read_result(&b, path_b);
    assert_int_equal(meta_scores_difference(&a, &b, &d, &error), -1);
    assert_message("A and B can't be paired: task 1 has other images");
    meta_scores_clear(&b);
    meta_scores_clear(&a);
}

/* Groups that one file does not have are no reason to refuse. */
static void test_difference_without_groups(void **state)
{
    struct meta_scores a, b;
    struct meta_difference d;
    write_result(path_a, NULL, NULL);
    write_result(path_b, "," GROUPS, "");
    read_result(&a, path_a);
    read_result(&b, path_b);
    for (int i = 0; i < 2; i++) {
        if (meta_scores_difference(i ? &b : &a, i ? &a : &b, &d, &error))
            fail_msg("%s", error.text);
        assert_near(d.tasks.mean, 0, 0);
        assert_true(d.other_groups.mean == 0 && isnan(d.other_groups.low)
                    && isnan(d.other_groups.high));
    }
    meta_scores_clear(&a);
    meta_scores_clear(&b);
}

static void test_words_of_intervals(void **state)
{
    assert_string_equal(meta_paired_word(.01, .2), "better");
    assert_string_equal(meta_paired_word(-.2, -.01), "worse");
    assert_string_equal(meta_paired_word(-.1, .1), "no difference seen");
    assert_string_equal(meta_paired_word(0, .1), "no difference seen");
    assert_string_equal(meta_paired_word(-.1, 0), "no difference seen");
    assert_string_equal(meta_paired_word(NAN, NAN), "no difference seen");
    assert_string_equal(meta_difference_word(1, 2, "above", "below", "neither"), "above");
    assert_string_equal(meta_difference_word(-2, -1, "above", "below", "neither"), "below");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),          cmocka_unit_test(test_read_old),
        cmocka_unit_test(test_read_refusals), cmocka_unit_test(test_pairing_refusals),
        cmocka_unit_test(test_files_by_path),
        cmocka_unit_test(test_difference),    cmocka_unit_test(test_difference_without_groups),
        cmocka_unit_test(test_words_of_intervals),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
