/* A training without its command: the names of its files, what it does where a training of its name
   has been, and resuming and forking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "toy_training.h"

/* ---- files ----------------------------------------------------------------------------------- */

static void files_are_named_after_the_cfg(void **state)
{
    static const char *const names[META_TRAINING_FILES] = { "toy.state", "toy.backup",
                                                            "toy_final.weights",
                                                            "toy_best.weights",
                                                            "toy_average.weights", "toy.csv",
                                                            "toy.jsonl", "chart_toy.png",
                                                            "toy_before.state", "toy_sent.csv" };
    char *path, expected[500];
    assert_int_equal(meta_training_numbered(&path, "a/b", "net", 1000, &error), 0);
    assert_string_equal(path, "a/b/net_1000.weights");
    free(path);
    assert_int_equal(meta_training_numbered(&path, "a/b", "net", 0, &error), 0);
    assert_string_equal(path, "a/b/net_");
    free(path);
    assert_int_equal(meta_training_log_of(&path, "x/net.state", &error), 0);
    assert_string_equal(path, "x/net.csv");
    free(path);
    assert_int_equal(meta_training_log_of(&path, "x/net.point", &error), 0);
    assert_null(path);

    struct place p = make_place("names");
    struct meta_training_settings s = settings(&p);
    struct meta_trainer *t = opened(&s);
    for (int file = 0; file < META_TRAINING_FILES; file++) {
        snprintf(expected, sizeof expected, "%s/backup/%s", p.folder, names[file]);
        assert_string_equal(meta_trainer_path(t, file), expected);
    }
    iterate(t, 2);
    assert_int_equal(meta_trainer_save_numbered(t, &error), 0);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    assert_int_equal(exists(&p, "toy.state"), 0);
    close_saved(t);
    static const char *const saved[] = { "toy_2.weights", "toy_final.weights", "toy.state",
                                         "toy.backup", "toy.csv" };
    for (int i = 0; i < 5; i++)
        if (!exists(&p, saved[i])) fail_msg("%s is not there", saved[i]);
}

static void an_error_leaves_no_file(void **state)
{
    struct place p = make_place("errors");
    struct meta_training_settings s = settings(&p);
    s.resume = 1;
    refused(&s, "backup/toy.state: No such file");
    s.resume = 0;
    write_cfg(&p, "", "sampler=elsewhere\n", "");
    refused(&s, "sampler=elsewhere");
    char backup[420];
    snprintf(backup, sizeof backup, "%s/backup", p.folder);
    assert_int_equal(access(backup, F_OK), -1);
}

static void one_training_of_a_name_at_a_time(void **state)
{
    struct place p = make_place("locked");
    struct meta_training_settings s = settings(&p);
    struct meta_trainer *t = opened(&s);
    refused(&s, "toy.lock: another training of this name is running here: process ");
    meta_trainer_free(t);
    meta_trainer_free(opened(&s));
}

/* Each of several trainings of one name is there afterwards, whole, and can be gone on with. */
static void every_training_is_kept(void **state)
{
    struct place p = make_place("kept");
    struct meta_training_settings s = settings(&p);
    static const char *const behind[] = { ".state", ".backup", "_final.weights", ".csv",
                                          "_2.weights" };
    const int last[] = { 4, 2, 3, 6, 1 };
    char name[32], kept[500];
    uint64_t iteration;
    for (int i = 0; i < 5; i++) {
        struct meta_trainer *t = opened(&s);
        snprintf(kept, sizeof kept, "%s/backup/toy.%d", p.folder, i);
        if (i) assert_string_equal(meta_trainer_kept(t, &iteration), kept);
        else assert_null(meta_trainer_kept(t, &iteration));
        assert_int_equal(iteration, i ? last[i - 1] : 0);
        for (int k = 1; k <= last[i]; k++) {
            iterate(t, k);
            if (k == 2) assert_int_equal(meta_trainer_save_numbered(t, &error), 0);
        }
        assert_int_equal(meta_trainer_save_final(t, &error), 0);
        close_saved(t);
    }
    s.resume = 1;
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, i < 4 ? "toy.%d" : "toy", i + 1);
        for (int k = 0; k < 5; k++) {
            char file[80];
            snprintf(file, sizeof file, "%s%s", name, behind[k]);
            if (!exists(&p, file) && (k < 4 || last[i] >= 2)) fail_msg("%s is not there", file);
        }
        s.name = name;
        struct meta_trainer *t = opened(&s);
        int rows;
        assert_int_equal(meta_trainer_done(t), last[i]);
        meta_trainer_rows(t, &rows);
        assert_int_equal(rows, last[i]);
        meta_trainer_free(t);
    }
}

static void a_training_is_dropped_when_asked(void **state)
{
    struct place p = make_place("dropped");
    struct meta_training_settings s = settings(&p);
    uint64_t iteration;
    struct meta_trainer *t = opened(&s);
    iterate(t, 2);
    assert_int_equal(meta_trainer_save_numbered(t, &error), 0);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    close_saved(t);
    s.overwrite = 1;
    t = opened(&s);
    assert_null(meta_trainer_kept(t, &iteration));
    static const char *const gone[] = { "toy.state", "toy.backup", "toy_final.weights",
                                        "toy_2.weights", "toy.1.state", "toy.1.csv" };
    for (int i = 0; i < 6; i++)
        if (exists(&p, gone[i])) fail_msg("%s is there", gone[i]);
    meta_trainer_free(t);
    char log[500];
    snprintf(log, sizeof log, "%s/backup/toy.csv", p.folder);
    write_text(log, "image,group\nc0,1\n");
    refused(&s, "toy.csv:1: is not the header of a training's log");
}

static void trainings_have_names(void **state)
{
    char *name = meta_training_name("a/b.c/net.v2.cfg", 1, &error);
    assert_string_equal(name, "net.v2");
    free(name);
    name = meta_training_name("net.cfg", 9007199254740993, &error);
    assert_string_equal(name, "net-seed9007199254740993");
    free(name);
    struct place p = make_place("named");
    struct meta_training_settings s = settings(&p);
    s.name = NULL;
    struct meta_trainer *t = opened(&s);
    assert_string_equal(meta_trainer_name(t), "toy-seed5");
    meta_trainer_free(t);
    s.seed = 1;
    t = opened(&s);
    assert_string_equal(meta_trainer_name(t), "toy");
    meta_trainer_free(t);
    char longest[300] = "";
    memset(longest, 'n', 196);
    s.name = longest;
    refused(&s, "is too long for the files of a training: 196 bytes, 195 allowed");
    longest[195] = 0;
    t = opened(&s);
    iterate(t, 1);
    assert_int_equal(meta_trainer_save_final(t, &error), 0);
    close_saved(t);
    static const char *const bad[] = { "", "a/b", ".a" };
    for (int i = 0; i < 3; i++) {
        s.name = bad[i];
        refused(&s, "must be the name of a training");
    }
}

/* ---- going on -------------------------------------------------------------------------------- */

/* In three parts of other threads each, against the whole. */
static void resumes_as(struct place *parted, struct place *whole, enum meta_training_kind kind,
                       const struct meta_backend *backend)
{
    struct meta_training_settings a = settings(whole), b = settings(parted);
    a.kind = b.kind = kind;
    a.backend = b.backend = backend;
    struct meta_trainer *unbroken = opened(&a);
    iterate(unbroken, 8);
    b.threads = 1;
    train(&b, 3);
    b.resume = 1;
    b.threads = 3;
    b.max_batches = 6;
    train(&b, 6);
    b.max_batches = 8;
    struct meta_trainer *t = opened(&b);
    assert_int_equal(meta_trainer_done(t), 6);
    iterate(t, 8);
    assert_same(t, unbroken);
    meta_trainer_free(t);
    meta_trainer_free(unbroken);
}

static void a_resumed_training_is_the_unbroken_one(void **state)
{
    struct place parted = make_place("parted"), whole = make_place("whole");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_default());
    parted = make_place("parted_double");
    whole = make_place("whole_double");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_exact());
}

static void a_curriculum_is_resumed(void **state)
{
    struct place parted = make_place("parted_kinds"), whole = make_place("whole_kinds");
    write_cfg(&parted, "", "sampler=curriculum\n", "");
    write_cfg(&whole, "", "sampler=curriculum\n", "");
    resumes_as(&parted, &whole, META_TRAINING_TASKS, meta_backend_default());
}

static void supervised_training_is_resumed(void **state)
{
    struct place parted = make_place("parted_images"), whole = make_place("whole_images");
    char text[2000];
    snprintf(text, sizeof text,
             "%sbatch=6\nsubdivisions=2\n%s[connected]\noutput=%d\nactivation=linear\n[softmax]\n",
             head, layers, TRAINED);
    write_text(parted.cfg, text);
    write_text(whole.cfg, text);
    resumes_as(&parted, &whole, META_TRAINING_IMAGES, meta_backend_default());
}

static void what_changed_is_not_resumed(void **state)
{
    struct place p = make_place("changed");
    struct meta_training_settings s = settings(&p);
    train(&s, 2);
    s.resume = 1;
    s.seed = 6;
    refused(&s, "toy.state: can't resume: -seed is 6, but was 5 in the checkpoint");
    s.seed = 5;
    write_cfg(&p, "B1=.8\n", "", difficulty);
    refused(&s, "toy.state: can't resume: [net] B1");
    write_cfg(&p, "", "", difficulty);
    struct meta_trainer *t = opened(&s);
    assert_int_equal(meta_trainer_done(t), 2);
    uint64_t iteration;
    assert_null(meta_trainer_kept(t, &iteration));
    meta_trainer_free(t);
}

static void write_decode(const struct place *p, const char *decode)
{
    char text[2000];
    snprintf(text, sizeof text, "classes=%d\nlabels=%s\ntrain=%s\nbackup=%s/backup\n%s", CLASSES,
             scratch("labels"), scratch("large.list"), p->folder, decode);
    write_text(p->data, text);
}

/* Images of 48 pixels are decoded at a half for a training that keeps 15. */
static void another_decoding_is_not_resumed(void **state)
{
    struct place p = make_place("decoded");
    struct meta_training_settings s = settings(&p);
    char list[8192] = "";
    for (int i = 0; i < 2 * IMAGES; i++) {
        char name[32];
        unsigned char *pixels = make_picture(48, 48, 1, i);
        struct bytes b = make_jpeg(48, 48, 1, pixels);
        snprintf(name, sizeof name, "_k%d_large%d.jpg", i % 2, i);
        write_file(scratch(name), b.data, b.size);
        sprintf(list + strlen(list), "%s\n", scratch(name));
        free(b.data);
        free(pixels);
    }
    write_text(scratch("large.list"), list);
    write_decode(&p, "");
    train(&s, 2);
    s.resume = 1;
    write_decode(&p, "decode=full\n");
    refused(&s, "toy.state: can't resume: decode in the .data file was scaled in the checkpoint "
                "and is not set now");
    write_decode(&p, "decode=scaled\n");
    train(&s, 3);
    s.resume = 0;
    s.name = "full";
    write_decode(&p, "decode=full\n");
    train(&s, 2);
    s.resume = 1;
    train(&s, 3);
    write_decode(&p, "");
    refused(&s, "full.state: can't resume: decode in the .data file is scaled and was not set in "
                "the checkpoint");
}

/* A training of the mean up to iteration 4 is the beginning of one that weighs tasks from 5 on. */
static void forks_where_meta_loss_begins_to_weigh(void **state)
{
    struct place mean = make_place("mean"), whole = make_place("unforked"),
                 fork = make_place("fork");
    struct meta_training_settings m = settings(&mean), w = settings(&whole), f = settings(&fork);
    char point[420];
    snprintf(point, sizeof point, "%s/backup/toy.state", mean.folder);
    write_cfg(&mean, "", "", "");
    train(&m, 4);
    struct meta_trainer *unbroken = opened(&w);
    iterate(unbroken, 8);
    f.fork = point;
    struct meta_trainer *t = opened(&f);
    assert_int_equal(meta_trainer_done(t), 4);
    iterate(t, 8);
    assert_same(t, unbroken);
    close_saved(t);
    close_saved(unbroken);

    f.seed = 6;
    refused(&f, "toy.state: can't fork: -seed is 6, but was 5 in the checkpoint");
    f.seed = 5;
    m.resume = 1;
    train(&m, 5);
    refused(&f, "toy.state: can't fork: it is at iteration 5, and [meta_loss] of ");
    snprintf(point, sizeof point, "%s/backup/toy.state", whole.folder);
    refused(&f, "toy.state: can't fork: its [meta_loss] weighs tasks since iteration 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_named_after_the_cfg),
        cmocka_unit_test(an_error_leaves_no_file),
        cmocka_unit_test(one_training_of_a_name_at_a_time),
        cmocka_unit_test(every_training_is_kept),
        cmocka_unit_test(a_training_is_dropped_when_asked),
        cmocka_unit_test(trainings_have_names),
        cmocka_unit_test(a_resumed_training_is_the_unbroken_one),
        cmocka_unit_test(a_curriculum_is_resumed),
        cmocka_unit_test(supervised_training_is_resumed),
        cmocka_unit_test(what_changed_is_not_resumed),
        cmocka_unit_test(another_decoding_is_not_resumed),
        cmocka_unit_test(forks_where_meta_loss_begins_to_weigh),
    };
    return cmocka_run_group_tests(tests, make_images, NULL);
}
