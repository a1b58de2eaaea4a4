/* The trainings and beginnings that a table's cells share, their folders, and the keys, which
   change with what results depend on and with nothing else. */
#define _GNU_SOURCE
#include "table_files.h"
#include <dirent.h>
#include "config/plugins.h"
#include "paper/table/table_beginning.h"
#include "paper/table/table_key.h"
#include "paper/table/table_recipe.h"

/* ---- trainings ---- */

static int trainings(const char *rows)
{
    write_files(rows);
    struct meta_table *t = read_table();
    int count = 0;
    for (int i = 0; i < t->recipe_count; i++) count += !t->recipes[i].is_beginning;
    meta_table_free(t);
    return count;
}

static void shared_trainings(void **state)
{
    assert_int_equal(trainings(ROW_M "shots=5,1\n"), 2);
    assert_int_equal(trainings(ROW_M "shots=5,1\neach=0\n"), 1);
    assert_int_equal(trainings(ROW_M "shots=5,1\neach=0\n\n[row]\nlabel=Same\ncfg=m.cfg\nshots="
                                     "3\n"),
                     1); /* the .cfg's */
    assert_int_equal(trainings(ROW_M "shots=5,1\n\n[row]\nlabel=Same\ncfg=m.cfg\nshots=1,5\n"), 2);
    assert_int_equal(trainings(ROW_M "shots=5\n\n[row]\nlabel=Seed\ncfg=m.cfg\nseed=3\nshots=5\n"),
                     1); /* the table's */
    assert_int_equal(trainings(ROW_M "shots=5\n\n[row]\nlabel=Seed\ncfg=m.cfg\nseed=4\nshots=5\n"),
                     2);
    assert_int_equal(trainings(ROW_M "shots=5\n" ROW_D "shots=5\n"), 2);
}

static const struct meta_recipe *beginning_of(const struct meta_table *t, const char *label)
{
    return cell_of(t, label, 5)->recipe->beginning;
}

#define THREE ROW_M "shots=5\n" ROW_D "shots=5\n\n[row]\nlabel=E\ncfg=d9.cfg\nshots=5\n"

static void beginnings(void **state)
{
    write_files(THREE);
    struct meta_table *t = read_table();
    const struct meta_recipe *b4 = beginning_of(t, "D"), *b8 = beginning_of(t, "E");
    assert_int_equal(t->recipe_count, 5);
    assert_non_null(b4);
    assert_int_equal(b4->total, 4);
    assert_int_equal(b8->total, 8);
    assert_ptr_equal(b8->beginning, b4);
    assert_ptr_equal(beginning_of(t, "M"), b8);
    assert_null(b4->beginning);
    assert_true(b4->is_beginning && b8->is_beginning);
    assert_int_equal(b4->seed, 3);
    assert_int_equal(b4->shots, 5);
    assert_int_equal(cell_of(t, "M", 5)->recipe->unweighed, 12);
    assert_int_equal(cell_of(t, "D", 5)->recipe->unweighed, 4);
    char name[100];
    snprintf(name, sizeof name, "out/trainings/beginning-of-m-%08x", meta_table_id(b8->key));
    assert_string_equal(b8->folder, name);

    /* What is next for M: the shortest beginning that is missing; its own state or end makes any
     * needless. */
    struct meta_recipe *m = cell_of(t, "M", 5)->recipe;
    assert_ptr_equal(meta_recipe_next(m), b4);
    write_text(b4->final, "");
    assert_ptr_equal(meta_recipe_next(m), b8);
    write_text(b8->final, "");
    assert_ptr_equal(meta_recipe_next(m), m);
    unlink(b8->final);
    write_text(m->state, "");
    assert_ptr_equal(meta_recipe_next(m), m);
    unlink(m->state);
    write_text(m->final, "");
    assert_ptr_equal(meta_recipe_next(m), m);
    meta_table_free(t);
}

static int beginning_count(const char *file, const char *before, const char *now)
{
    int count = 0;
    write_files(THREE);
    change(file, before, now);
    struct meta_table *t = read_table();
    for (int i = 0; i < t->recipe_count; i++) count += t->recipes[i].is_beginning;
    meta_table_free(t);
    return count;
}

static void what_shares_no_beginning(void **state)
{
    assert_int_equal(beginning_count("d5.cfg", "learning_rate=0.01", "learning_rate=0.02"), 1);
    assert_int_equal(beginning_count("d9.cfg", "start=9", "start=5"), 1);
    assert_int_equal(beginning_count("d9.cfg", "start=9", "start=1"), 1);
    assert_int_equal(beginning_count("d9.cfg", "max_batches=12", "max_batches=12\npolicy=poly"), 1);
    assert_int_equal(beginning_count("x.table", "label=E\n", "label=E\nseed=8\n"), 1);
    assert_int_equal(beginning_count("m.cfg", "filters=4", "filters=5"), 1);
    assert_int_equal(beginning_count("d5.cfg", "eta=2", "eta=3"), 2);
}

/* Their rates depend on where a training ends. */
static void poly_and_cosine_share_no_beginning(void **state)
{
    static const char *const cfgs[] = { "m.cfg", "d5.cfg", "d9.cfg" };
    static const char *const nets[] = { "max_batches=12\npolicy=poly", "max_batches=12\npolicy=cosine" };
    for (int k = 0; k < 2; k++) {
        write_files(THREE);
        for (int i = 0; i < 3; i++) change(cfgs[i], "max_batches=12", nets[k]);
        struct meta_table *t = read_table();
        assert_int_equal(t->recipe_count, 3);
        for (int i = 0; i < 3; i++) assert_null(t->recipes[i].beginning);
        meta_table_free(t);
    }
}

/* ---- keys ---- */

#define KEYED                                                                                      \
    "\n[row]\nlabel=M\ncfg=m.cfg\nshots=5\n\n[row]\nlabel=F\ncfg=d5.cfg\nmethod=finetune\nepochs=" \
    "6\nshots=5\npaper=50\n"

/* Whether, after the change, the training of F has another key, and so has its test. */
static void changes(const char *file, const char *before, const char *now, int training, int test)
{
    write_files(KEYED);
    struct meta_table *was = read_table();
    change(file, before, now);
    struct meta_table *is = read_table();
    const struct meta_cell *a = &was->cells[1], *b = &is->cells[1];
    int other_training = strcmp(a->recipe->key, b->recipe->key) != 0,
        other_test = strcmp(a->key, b->key) != 0;
    if (other_training != training)
        fail_msg("%s, %s: the training's key is %s", file, now, training ? "the same" : "another");
    if (other_test != test)
        fail_msg("%s, %s: the test's key is %s", file, now, test ? "the same" : "another");
    assert_int_equal(a->id != b->id, test);
    assert_int_equal(!!strcmp(a->recipe->folder, b->recipe->folder), training);
    meta_table_free(was);
    meta_table_free(is);
}

/* Plugins of the project have no line in a key: each folder of plugins/ must be one of them. */
static void plugins_of_the_project(void **state)
{
    char path[5000];
    int count = 0;
    snprintf(path, sizeof path, "%s/plugins", start);
    DIR *all = opendir(path);
    assert_non_null(all);
    for (struct dirent *d; (d = readdir(all));) {
        if (strchr(d->d_name, '.') || !strcmp(d->d_name, "template")) continue;
        if (!meta_plugins_are_ours(d->d_name)) fail_msg("[%s] is none of ours", d->d_name);
        count++;
    }
    closedir(all);
    assert_true(count > 8);
    assert_false(meta_plugins_are_ours("template") || meta_plugins_are_ours("aff"));
}

static void keys(void **state)
{
    changes("x.table", "label=F", "label=G", 0, 0);
    changes("x.table", "name=A table", "name=Another", 0, 0);
    changes("x.table", "reference=M", "reference=F", 0, 0);
    changes("x.table", "paper=50", "paper=51", 0, 0);
    changes("x.table", "first=2", "first=3", 0, 0);
    changes("x.table", "reference=M", "reference=M\nvalid_every=5", 0, 0);
    changes("x.data", "backup=backup", "backup=another", 0, 0);
    changes("x.data", "backup=backup", "backup=backup\ndecode=scaled", 0, 0);
    changes("x.data", "backup=backup", "backup=backup\ndecode=full", 1, 1);
    changes("d5.cfg", "[softmax]", "# a comment\n[softmax]", 0, 0);
    changes("m.cfg", "filters=4", "filters=5", 0, 0);
    changes("x.table", "runs=4", "runs=5", 0, 1);
    changes("x.table", "epochs=6", "epochs=7", 0, 1);
    changes("x.table", "method=finetune\nepochs=6\n", "", 0, 1);
    changes("test.list", "one_2.png", "one_3.png", 0, 1);
    changes("x.table", "label=F", "label=F\nseed=5", 1, 1);
    changes("x.table", "seed=3", "seed=5", 1, 1);
    changes("x.table", "label=F", "label=F\neach=0", 1, 1);
    changes("d5.cfg", "learning_rate=0.01", "learning_rate=0.02", 1, 1);
    changes("d5.cfg", "eta=2", "eta=3", 1, 1);
    changes("d5.cfg", "max_batches=12", "max_batches=13", 1, 1);
    changes("d5.cfg", "test_steps=3", "test_steps=4", 1, 1);
    changes("train.list", "one_1.png", "one_0.png", 1, 1);
    changes("groups.csv", "one_1,1", "one_1,9", 0, 0); /* another name */
    changes("groups.csv", "one_1,1", "one_1,2", 1, 1);
    changes("groups.csv", "one_2,3", "one_2,4", 0, 1);
    changes("labels", "one_\ntwo_", "two_\none_", 1, 1);
    changes("two_1.png", "two", "owt", 1, 1);
    changes("two_2.png", "two", "owt", 0, 1);
    changes("train.list", "one_1.png", "./one_1.png", 0, 0);
}

static int begins_with(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* A test's key begins with its training's; a beginning's has no [meta_loss]. */
static void key_text(void **state)
{
    char *key = NULL, *whole = NULL;
    write_files(KEYED);
    struct meta_table *t = read_table();
    const struct meta_cell *c = &t->cells[1];
    assert_true(begins_with(c->key, c->recipe->key));
    assert_non_null(
        strstr(c->key, "\nmethod=finetune\nshots=5\ntasks=4\nseed of the tasks=3\nepochs=6\n"));
    assert_true(begins_with(c->recipe->key,
                            "format=2\ntraining=train\nseed of the training=3\n"
                            "shots in place of the .cfg's=5\nnumber of sections="));
    char text[META_DIGEST_TEXT], line[100];
    struct meta_digest images = { 0 }, one = meta_digest("one_1.png", 9),
                       two = meta_digest("two_1.png", 9);
    images = meta_digest_add(images, &one, sizeof one);
    meta_digest_text(text, meta_digest_add(images, &two, sizeof two));
    snprintf(line, sizeof line, "\ndigest of the images of the train list=xxh3-128:%s\n", text);
    assert_non_null(strstr(c->recipe->key, line));
    struct meta_recipe whole_shots = *c->recipe;
    whole_shots.shots = 0;
    assert_int_equal(meta_table_recipe_key(&key, t, &whole_shots, &error), 0);
    assert_null(strstr(key, "in place of"));
    free(key);
    assert_int_equal(meta_table_beginning_key(&key, c->recipe, 4, &error), 0);
    assert_true(begins_with(key, "iterations of this beginning=4\nformat=2\n"));
    assert_null(strstr(key, "\n[meta_loss] "));
    assert_non_null(strstr(c->recipe->key, "\n[meta_loss] "));
    assert_int_equal(meta_table_beginning_key(&whole, t->cells[0].recipe, 4, &error), 0);
    assert_string_equal(key, whole); /* M's [meta_loss] is another, all else is the same */
    free(key);
    free(whole);
    meta_table_free(t);
}

static void changed_while_it_runs(void **state)
{
    static const char said[] = "d5.cfg, the lists or the images have been changed since this table "
                               "was begun: run it again";
    write_files(THREE);
    struct meta_table *t = read_table();
    const struct meta_cell *c = cell_of(t, "D", 5);
    const struct meta_recipe *b = c->recipe->beginning;
    assert_int_equal(meta_cell_unchanged(t, c, &error), 0);
    assert_int_equal(meta_recipe_unchanged(t, c->recipe, &error), 0);
    assert_int_equal(meta_recipe_unchanged(t, b, &error), 0);
    change("d5.cfg", "eta=2", "eta=3");
    assert_int_equal(meta_recipe_unchanged(t, c->recipe, &error), -1);
    assert_string_equal(error.text, said);
    assert_int_equal(meta_cell_unchanged(t, c, &error), 0); /* by its training's key as it was */
    change("m.cfg", "filters=4", "filters=5");
    assert_int_equal(meta_recipe_unchanged(t, b, &error),
                     -1); /* a beginning is made by the first row's .cfg */
    change("test.list", "one_2", "one_3");
    assert_int_equal(meta_cell_unchanged(t, c, &error), -1);
    assert_string_equal(error.text, said);
    change("test.list", "one_3", "one_2");
    assert_int_equal(meta_cell_unchanged(t, c, &error), 0);
    change("one_2.png", "one", "eno");
    assert_int_equal(meta_cell_unchanged(t, c, &error), -1);
    assert_string_equal(error.text, said);
    meta_table_free(t);
}

/* ---- the folder of a training ---- */

static void prepared(const char *cfg, const char *before, const char *now)
{
    struct meta_table *t = read_table();
    const struct meta_recipe *r = t->cells[0].recipe;
    if (meta_recipe_prepare(t, r, &error)) fail_msg("%s", error.text);
    char *copy = read_text(r->cfg);
    if (before) change(cfg, before, now);
    char *expected = read_text(cfg);
    assert_string_equal(copy, expected);
    free(copy);
    free(expected);
    char data[1000];
    copy = read_text(r->data);
    snprintf(data, sizeof data,
             "classes = 2\nlabels = labels\ntrain = train.list\ntest = test.list\ngroups = "
             "groups.csv\nbackup = %s\n",
             r->folder);
    assert_string_equal(copy, data);
    free(copy);
    meta_table_free(t);
}

static void folder_of_a_training(void **state)
{
    write_files(ROW_M "shots=7\n");
    prepared("m.cfg", "shots=3\n", "shots=7\n");
    write_files(ROW_M "shots=7\n");
    change("m.cfg", "shots=3\n", "");
    prepared("m.cfg", "[episode]\n", "[episode]\nshots=7\n");
    write_files(ROW_M "shots=7\n");
    change("m.cfg", "[episode]\nways=2\nshots=3\nqueries=4\ntasks=5\n\n", "");
    struct meta_table *t = read_table();
    assert_int_equal(meta_recipe_prepare(t, t->cells[0].recipe, &error), -1);
    assert_string_equal(error.text,
                        "m.cfg: has no [episode], where shots stand: give it one, or the [row] "
                        "each=0");
    meta_table_free(t);
    change("x.table", "label=M", "label=M\neach=0");
    prepared("m.cfg", NULL, NULL);
}

static void progress(void **state)
{
    char log[4000] = "iteration,meta_loss,query_loss,accuracy,rate,seconds,waited,valid_auc,valid_"
                     "low,valid_high\n";
    double seconds = 1;
    write_files(ROW_M "shots=5\n");
    struct meta_table *t = read_table();
    const struct meta_recipe *r = t->cells[0].recipe;
    assert_int_equal(meta_recipe_progress(r, &seconds), 0);
    assert_true(seconds == 0);
    for (int i = 1; i <= 60; i++) /* the last 50 take 2 seconds each, those before 9 */
        sprintf(log + strlen(log), "%d,1,1,.5,.01,%d,0,,,\n", i, i > 10 ? 2 : 9);
    write_text(r->csv, log);
    assert_int_equal(meta_recipe_progress(r, &seconds), 60);
    assert_true(seconds == 2);
    assert_false(meta_recipe_done(r));
    write_text(r->final, "");
    assert_true(meta_recipe_done(r));
    assert_int_equal(meta_recipe_add_usage(r, 3, 50, &error), 0);
    assert_int_equal(meta_recipe_add_usage(r, 4, 40, &error), 0);
    char *usage = read_text(r->usage);
    assert_string_equal(usage,
                        "{\n\t\"processor_seconds\":\t7,\n\t\"memory_mb\":\t50,\n\t\"processes\":"
                        "\t2\n}\n");
    free(usage);
    meta_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_trainings),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(what_shares_no_beginning),
        cmocka_unit_test(poly_and_cosine_share_no_beginning),
        cmocka_unit_test(keys), cmocka_unit_test(plugins_of_the_project),
        cmocka_unit_test(key_text),
        cmocka_unit_test(changed_while_it_runs),
        cmocka_unit_test(folder_of_a_training),
        cmocka_unit_test(progress),
    };
    return cmocka_run_group_tests_name("table_key", tests, set_up, tear_down);
}
