/* What a table leaves in its folder: results and their differences to the reference, the plan, the
   images' notes and the lock. */
#define _GNU_SOURCE
#include "table_files.h"
#include <math.h>
#include "base/json.h"
#include "paper/table/table_images.h"
#include "paper/table/table_lock.h"
#include "paper/table/table_pairs.h"
#include "paper/table/table_plan.h"
#include "paper/table/table_result.h"

/* ---- results ---- */

/* The "table" of the cell's result. The caller deletes *root. */
static cJSON *table_of(const struct meta_cell *c, cJSON **root)
{
    if (meta_json_read(root, c->file, &error)) fail_msg("%s", error.text);
    return cJSON_GetObjectItemCaseSensitive(*root, "table");
}

static void a_result(void **state)
{
    cJSON *root;
    write_files(TWO);
    struct meta_table *t = read_table();
    const struct meta_cell *c = &t->cells[0];
    assert_int_equal(meta_cell_done(c, &error), 0);
    assert_string_equal(error.text, "");
    write_text(c->recipe->usage, "{\"memory_mb\":56}");
    finish(t, 0, .5, .6, .7, .8);
    assert_int_not_equal(access("written", F_OK), 0);
    assert_int_equal(meta_cell_done(c, &error), 1);
    cJSON *own = table_of(c, &root), *training = cJSON_GetObjectItemCaseSensitive(own, "training");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "tasks")), 4);
    assert_string_equal(meta_json_text(own, "key"), c->key);
    assert_string_equal(meta_json_text(own, "name"), "A table");
    assert_string_equal(meta_json_text(own, "row"), "M");
    assert_string_equal(meta_json_text(own, "method"), "maml");
    assert_string_equal(meta_json_text(own, "cfg"), "m.cfg");
    assert_true(meta_json_get(own, "id") == c->id);
    assert_true(meta_json_get(own, "paper") == .625);
    assert_true(meta_json_get(own, "test_seconds") == 12);
    assert_true(meta_json_get(own, "test_memory_mb") == 34);
    assert_string_equal(meta_json_text(training, "folder"), meta_path_base(c->recipe->folder));
    assert_true(meta_json_get(training, "seed") == 3);
    assert_true(meta_json_get(training, "iterations") == 12);
    assert_true(meta_json_get(training, "seconds") == 5);
    assert_true(meta_json_get(training, "memory_mb") == 56);
    char *curve = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(training, "curve"));
    assert_string_equal(curve, "[[1,1,3,0.5,null],[2,2,4,1,0.75]]");
    free(curve);
    cJSON_Delete(root);
    meta_table_free(t);
}

/* 601 iterations in at most 300 points: means of three, and of the one that is left. */
static void a_long_curve(void **state)
{
    cJSON *root;
    write_files(TWO);
    struct meta_table *t = read_table();
    const struct meta_cell *c = &t->cells[0];
    char *log = malloc(100 * 602), *to = stpcpy(log, HEAD);
    for (int i = 1; i <= 601; i++)
        to += sprintf(to, "%d,%d,1,0.5,0.01,1,0,%s,,\n", i, i, i == 2 ? "0.625" : "");
    write_text(c->recipe->csv, log);
    free(log);
    write_result("written", .5, .6, .7, .8);
    if (meta_cell_finish(t, c, "written", 12, 34, &error)) fail_msg("%s", error.text);
    cJSON *training = cJSON_GetObjectItemCaseSensitive(table_of(c, &root), "training");
    cJSON *curve = cJSON_GetObjectItemCaseSensitive(training, "curve");
    assert_int_equal(cJSON_GetArraySize(curve), 201);
    char *first = cJSON_PrintUnformatted(cJSON_GetArrayItem(curve, 0)),
         *last = cJSON_PrintUnformatted(cJSON_GetArrayItem(curve, 200));
    assert_string_equal(first, "[3,2,1,0.5,0.625]");
    assert_string_equal(last, "[601,601,1,0.5,null]");
    free(first);
    free(last);
    cJSON_Delete(root);
    meta_table_free(t);
}

static void results_that_do_not_hold(void **state)
{
    write_files(TWO);
    struct meta_table *t = read_table();
    finish(t, 0, .5, .6, .7, .8);
    meta_table_free(t);
    change("m.cfg", "filters=4", "filters=5");
    t = read_table();
    assert_int_equal(meta_cell_done(&t->cells[0], &error), 0);
    assert_string_equal(error.text, "[convolutional] filters (section 3) is 5, but was 4");
    assert_int_equal(meta_cell_done(&t->cells[0], NULL), 0);
    meta_table_free(t);
    change("m.cfg", "filters=5", "filters=4");
    change("m.cfg", "learning_rate=0.01", "learning_rate=0.010");
    t = read_table();
    assert_int_equal(meta_cell_done(&t->cells[0], &error), 0);
    assert_string_equal(error.text, "its settings are written in another way");
    write_text(t->cells[0].file, "{");
    assert_int_equal(meta_cell_done(&t->cells[0], &error), 0);
    assert_string_equal(error.text, "out/x-m-5.json:1: is not JSON");
    assert_int_equal(meta_cell_finish(t, &t->cells[0], "none", 1, 1, &error), -1);
    assert_string_equal(error.text, "none: No such file or directory");
    meta_table_free(t);
}

/* ---- pairs ---- */

static void differences(void **state)
{
    cJSON *root;
    write_files(TWO);
    struct meta_table *t = read_table();
    const struct meta_cell *m = &t->cells[0], *d = &t->cells[1];
    finish(t, 1, .75, .75, 1, 1);
    assert_int_equal(meta_table_compare(t, d, &error), 0); /* the reference is not there yet */
    assert_null(cJSON_GetObjectItemCaseSensitive(table_of(d, &root), "difference"));
    cJSON_Delete(root);
    finish(t, 0, .5, .5, .5, .75);
    assert_int_equal(meta_table_compare(t, m, &error), 0);
    cJSON *j = cJSON_GetObjectItemCaseSensitive(table_of(d, &root), "difference");
    assert_true(meta_json_get(j, "mean") == .3125); /* .25 .25 .5 .25 */
    assert_true(meta_json_get(j, "low") > 0 && meta_json_get(j, "low") < .3125
                && meta_json_get(j, "high") > .3125);
    assert_string_equal(meta_json_text(j, "word"), "better");
    assert_string_equal(meta_json_text(j, "reference"), "M");
    assert_true(meta_json_get(j, "id") == m->id);
    assert_true(meta_json_get(j, "format") == 3);
    cJSON_Delete(root);
    assert_null(cJSON_GetObjectItemCaseSensitive(table_of(m, &root), "difference"));
    cJSON_Delete(root);

    /* One that holds is left alone; one to other figures of the reference is made anew. */
    char *before = read_text(d->file);
    assert_int_equal(meta_table_compare(t, NULL, &error), 0);
    char *after = read_text(d->file);
    assert_string_equal(before, after);
    free(before);
    free(after);
    finish(t, 0, .75, .75, 1, 1);
    assert_int_equal(meta_table_compare(t, NULL, &error), 0);
    j = cJSON_GetObjectItemCaseSensitive(table_of(d, &root), "difference");
    assert_true(meta_json_get(j, "mean") == 0);
    assert_string_equal(meta_json_text(j, "word"), "no difference seen");
    cJSON_Delete(root);
    meta_table_free(t);

    /* What has no reference any more loses its difference. */
    change("x.table", "reference=M\n", "reference=D\n");
    t = read_table();
    assert_int_equal(meta_table_compare(t, NULL, &error), 0);
    assert_null(cJSON_GetObjectItemCaseSensitive(table_of(&t->cells[1], &root), "difference"));
    cJSON_Delete(root);
    assert_string_equal(meta_json_text(cJSON_GetObjectItemCaseSensitive(
                                           table_of(&t->cells[0], &root), "difference"),
                                       "reference"),
                        "D");
    cJSON_Delete(root);
    meta_table_free(t);
}

/* ---- plan, images, lock ---- */

static void plan(void **state)
{
    cJSON *root;
    write_files(TWO);
    struct meta_table *t = read_table();
    assert_int_equal(meta_path_make_folder("out", &error), 0);
    assert_false(meta_table_has_plan(t));
    assert_int_equal(meta_table_owns_plan(t, &error), 0);
    if (meta_table_write_plan(t, &error)) fail_msg("%s", error.text);
    assert_true(meta_table_has_plan(t));
    assert_int_equal(meta_table_owns_plan(t, &error), 0);
    if (meta_json_read(&root, "out/x.json", &error)) fail_msg("%s", error.text);
    assert_string_equal(meta_json_text(root, "program"), "darknet meta table");
    assert_true(meta_json_get(root, "format") == META_TABLE_PLAN);
    assert_string_equal(meta_json_text(root, "reference"), "M");
    assert_string_equal(meta_json_text(root, "needs"), "");
    const cJSON *cells = cJSON_GetObjectItemCaseSensitive(root, "cells"),
                *d = cJSON_GetArrayItem(cells, 1);
    assert_int_equal(cJSON_GetArraySize(cells), 2);
    assert_true(meta_json_get(d, "row") == 1);
    assert_true(meta_json_get(d, "shots") == 5);
    assert_true(meta_json_get(d, "seed") == 3);
    assert_true(isnan(meta_json_get(d, "paper")));
    assert_true(meta_json_get(d, "iterations") == 12);
    assert_true(meta_json_get(d, "train_shots") == 5);
    assert_string_equal(meta_json_text(d, "paired_with"), "M");
    assert_string_equal(meta_json_text(d, "result"), "x-d-5.json");
    assert_string_equal(meta_json_text(d, "log"), t->cells[1].recipe->csv + 4);
    cJSON_Delete(root);

    /* The path or the title tells that a table is the same. */
    change("out/x.json", "\"A table\"", "\"Another\"");
    assert_int_equal(meta_table_owns_plan(t, &error), 0);
    change("out/x.json", "\"x.table\"", "\"other/x.table\"");
    assert_int_equal(meta_table_owns_plan(t, &error), -1);
    assert_string_equal(error.text,
                        "out/x.json: is of another table, other/x.table: take another -out");
    change("out/x.json", "\"Another\"", "\"A table\"");
    assert_int_equal(meta_table_owns_plan(t, &error), 0);
    meta_table_free(t);
}

/* The shots of the training's tasks, beside those of the cell. */
static void plan_says_the_shots_of_trainings(void **state)
{
    cJSON *root;
    write_files(ROW_M "shots=1\neach=0\n\n[row]\nlabel=D\ncfg=d5.cfg\nshots=1\n");
    struct meta_table *t = read_table();
    assert_int_equal(meta_path_make_folder("out", &error), 0);
    if (meta_table_write_plan(t, &error)) fail_msg("%s", error.text);
    meta_table_free(t);
    if (meta_json_read(&root, "out/x.json", &error)) fail_msg("%s", error.text);
    const cJSON *cells = cJSON_GetObjectItemCaseSensitive(root, "cells"), *c;
    cJSON_ArrayForEach(c, cells)
    {
        assert_true(meta_json_get(c, "shots") == 1);
        assert_true(meta_json_get(c, "train_shots") == (meta_json_get(c, "row") == 0 ? 3 : 1));
    }
    cJSON_Delete(root);
}

static int images_of_table(int keep)
{
    struct meta_table *t = read_table();
    int status = meta_table_images(t, keep, &error);
    meta_table_free(t);
    return status;
}

static void images(void **state)
{
    static const char others[] = "x.data: the images of its test list are not those that the results "
                                 "in out are of: bring them back, or take another -out";
    write_files(TWO);
    assert_int_equal(meta_path_make_folder("out", &error), 0);
    write_text("one_2.png", "123");
    assert_int_equal(images_of_table(0), 0);
    assert_int_not_equal(access("out/images.json", F_OK), 0);
    assert_int_equal(images_of_table(1), 0);
    assert_int_equal(images_of_table(0), 0);
    write_text("one_2.png", "321"); /* of the same size */
    assert_int_equal(images_of_table(0), -1);
    assert_string_equal(error.text, others);
    assert_int_equal(images_of_table(1), -1);
    write_text("one_2.png", "123"); /* another file with the bytes of before */
    assert_int_equal(images_of_table(1), 0);
    change("test.list", "one_2.png\n", "two_1.png\n"); /* another list is another's */
    assert_int_equal(images_of_table(1), 0);
    change("test.list", "two_1.png\n", "one_2.png\n");
    change("one_2.png", "123", "321");
    assert_int_equal(images_of_table(1), -1);
    assert_string_equal(error.text, others);
}

/* While sizes and times of files are those noted, they are not read again. */
static void images_that_are_noted(void **state)
{
    char note[META_DIGEST_TEXT], other[META_DIGEST_TEXT];
    write_files(TWO);
    assert_int_equal(meta_path_make_folder("out", &error), 0);
    assert_int_equal(images_of_table(1), 0);
    struct meta_table *t = read_table();
    meta_digest_text(note, t->sources[0].lists[META_TABLE_TESTED].id.images);
    meta_table_free(t);
    strcpy(other, note);
    other[0] = note[0] == 'a' ? 'b' : 'a';
    change("out/images.json", note, other);
    t = read_table();
    meta_digest_text(note, t->sources[0].lists[META_TABLE_TESTED].id.images);
    assert_string_equal(note, other);
    meta_table_free(t);
}

static void images_noted_by_an_earlier_version(void **state)
{
    struct meta_table *t;
    write_files(TWO);
    write_text("out/images.json", "{\"list crc32:8f3e2b1a\":123}");
    assert_int_equal(meta_table_read(&t, "x.table", "out/", NULL, &error), -1);
    assert_string_equal(error.text,
                        "out/images.json: tells the images that the results there are of by the "
                        "sizes of their files, as version 1.0 of this program did: take another "
                        "-out");
}

/* What is wrong with the notes is told by their members, with what to do. */
static void notes_of_images_that_are_damaged(void **state)
{
    static const char *const damaged[][2] = {
        { "{", "1: is not JSON" },
        { "{}x", "1: has more behind its JSON" },
        { "{}", " format is missing: must be a whole number, 2" },
        { "[]", " the whole is an array: must be an object" },
        { "{\"format\":2,\"list x\":{\"count\":1e99}}",
          " list x.count is 9.9999999999999997e+98: must be a whole number, 0 to 2147483647" },
        { "{\"format\":2,\"list x\":{\"count\":1,\"xxh3_128\":\"12\"}}",
          " list x.xxh3_128 is \"12\": must be a text of 32 hexadecimal digits" },
        { "{\"format\":2,\"list x\":7}", " list x is 7: must be an object" },
    };
    struct meta_table *t;
    write_files(TWO);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        char expected[400];
        write_text("out/images.json", damaged[i][0]);
        snprintf(expected, sizeof expected,
                 "out/images.json:%s: remove it where no image has changed since the results there "
                 "were made, and it is made anew; else take another -out",
                 damaged[i][1]);
        assert_int_equal(meta_table_read(&t, "x.table", "out/", NULL, &error), -1);
        assert_string_equal(error.text, expected);
    }
}

static void lock(void **state)
{
    struct meta_lock first, second;
    write_files(TWO);
    struct meta_table *t = read_table();
    assert_int_equal(meta_table_lock(&first, t, &error), -1);
    assert_string_equal(error.text, "out/.lock: can't open: No such file or directory");
    assert_int_equal(first.fd, -1);
    assert_int_equal(meta_path_make_folder("out", &error), 0);
    if (meta_table_lock(&first, t, &error)) fail_msg("%s", error.text);
    assert_int_equal(meta_table_lock(&second, t, &error), -1);
    char host[65] = "", expected[200];
    gethostname(host, sizeof host - 1);
    snprintf(expected, sizeof expected, "out/.lock: a table is being run in that folder: process %d on %s: wait for it, or take another -out", (int)getpid(), host);
    assert_string_equal(error.text, expected);
    meta_lock_release(&second);
    meta_lock_release(&first);
    assert_int_equal(access("out/.lock", F_OK), -1);
    if (meta_table_lock(&second, t, &error)) fail_msg("%s", error.text);
    char *owner = read_text("out/.lock");
    assert_int_equal(atoi(owner + strlen("process ")), getpid());
    free(owner);
    meta_lock_release(&second);
    meta_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result),
        cmocka_unit_test(a_long_curve),
        cmocka_unit_test(results_that_do_not_hold),
        cmocka_unit_test(differences),
        cmocka_unit_test(plan),
        cmocka_unit_test(plan_says_the_shots_of_trainings),
        cmocka_unit_test(images),
        cmocka_unit_test(images_that_are_noted),
        cmocka_unit_test(images_noted_by_an_earlier_version),
        cmocka_unit_test(notes_of_images_that_are_damaged),
        cmocka_unit_test(lock),
    };
    return cmocka_run_group_tests_name("table_result", tests, set_up, tear_down);
}
