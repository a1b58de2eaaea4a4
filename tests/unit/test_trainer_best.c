/* NAME_best.weights: which iteration's they are, over an unbroken training, one that is gone on with, and one that begins anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "toy_training.h"
#include "base/file.h"

static const char *path_of(const struct place *p, const char *name)
{
    static char path[500];
    snprintf(path, sizeof path, "%s/backup/%s", p->folder, name);
    return path;
}

/* Whether the two files have the same bytes. */
static int same(const struct place *a, const char *first, const struct place *b, const char *second)
{
    char *one, *two;
    size_t m, n;
    if (meta_file_read(path_of(a, first), &one, &m, &error) || meta_file_read(path_of(b, second), &two, &n, &error))
        fail_msg("%s", error.text);
    int equal = m == n && !memcmp(one, two, n);
    free(one);
    free(two);
    return equal;
}

/* Trains up to `last` as meta train does: saves before it watches, and keeps the weights of each iteration that it watches. */
static void watched(struct meta_trainer *t, uint64_t last)
{
    struct meta_row row;
    while (meta_trainer_done(t) < last) {
        if (meta_trainer_step(t, &row, &error)) fail_msg("%s", error.text);
        if (!meta_trainer_valid_due(t)) continue;
        if (meta_trainer_save(t, &error) || meta_trainer_save_numbered(t, &error)) fail_msg("%s", error.text);
        meta_trainer_watch(t, &row, NULL, NULL);
        if (meta_trainer_watch_status(t, &error)) fail_msg("%s", error.text);
    }
}

/* The first of the log's rows with the highest AUC, or accuracy and then lowest loss, of those after `from`; *rows: how many have one. */
static uint64_t best_of(const struct meta_trainer *t, uint64_t from, int *rows)
{
    int count;
    const struct meta_row *row = meta_trainer_rows(t, &count), *best = NULL;
    *rows = 0;
    for (int i = 0; i < count; i++) {
        if (isnan(row[i].auc) || row[i].iteration <= from) continue;
        ++*rows;
        if (!best || row[i].auc > best->auc + 1e-9 || (fabs(row[i].auc - best->auc) < 1e-9 && row[i].valid_loss < best->valid_loss)) best = &row[i];
    }
    return best ? best->iteration : 0;
}

static void assert_best(const struct meta_trainer *t, const struct place *p, uint64_t iteration)
{
    char name[40];
    assert_non_null(meta_trainer_best(t));
    assert_int_equal(meta_trainer_best(t)->iteration, iteration);
    snprintf(name, sizeof name, "toy_%d.weights", (int)iteration);
    assert_true(same(p, "toy_best.weights", p, name));
}

static struct meta_training_settings often(const struct place *p)
{
    struct meta_training_settings s = settings(p);
    s.valid_every = 1;
    return s;
}

/* 8 iterations in one go, and 5 and 3: the same file, that of the highest AUC. */
static void the_highest_auc(void **state)
{
    struct place p = make_place("best"), q = make_place("broken");
    struct meta_training_settings s = often(&p), r = often(&q);
    int rows;
    struct meta_trainer *t = opened(&s);
    assert_null(meta_trainer_best(t));
    for (int last = 1; last <= 8; last++) {
        watched(t, last);
        assert_best(t, &p, best_of(t, 0, &rows));
        assert_int_equal(rows, last);
    }
    uint64_t best = meta_trainer_best(t)->iteration;
    assert_in_range(best, 2, 7); /* else the test would say little */
    meta_trainer_free(t);
    for (int last = 5; last <= 8; last += 3) {
        t = opened(&r);
        watched(t, last);
        assert_best(t, &q, best_of(t, 0, &rows));
        meta_trainer_free(t);
        r.resume = 1;
    }
    assert_true(same(&p, "toy_best.weights", &q, "toy_best.weights"));
    s.resume = 1;
    t = opened(&s);
    assert_best(t, &p, best);
    meta_trainer_free(t);
    unlink(path_of(&p, "toy_best.weights")); /* then it is not known which is the best */
    t = opened(&s);
    assert_null(meta_trainer_best(t));
    meta_trainer_free(t);
}

/* Takes the figures of the last row off the log, as a kill between file and log leaves it. */
static void forget_last(const struct place *p)
{
    char *text;
    size_t size, end;
    if (meta_file_read(path_of(p, "toy.csv"), &text, &size, &error)) fail_msg("%s", error.text);
    for (end = size - 1; end && text[end - 1] != '\n'; end--) {}
    char *at = text + end;
    for (int commas = 0; commas < 7; at++) commas += *at == ',';
    strcpy(at, ",,\n");
    write_text(path_of(p, "toy.csv"), text);
    free(text);
}

static void killed_before_the_log(void **state)
{
    struct place p = make_place("killed");
    struct meta_training_settings s = often(&p);
    struct meta_row row;
    int rows;
    for (int last = 1; last <= 8; last++) {
        struct meta_trainer *t = opened(&s);
        watched(t, last);
        meta_trainer_free(t);
        forget_last(&p);
        s.resume = 1;
        t = opened(&s);
        assert_true(meta_trainer_valid_missed(t, &row));
        meta_trainer_watch(t, &row, NULL, NULL);
        assert_best(t, &p, best_of(t, 0, &rows));
        assert_int_equal(rows, last);
        meta_trainer_free(t);
    }
}

/* Of an earlier training of the name nothing is the best; its file goes with its others. */
static void of_this_training_alone(void **state)
{
    struct place p = make_place("anew"), q = make_place("fork");
    struct meta_training_settings s = often(&p);
    int rows;
    struct meta_trainer *t = opened(&s);
    watched(t, 4);
    uint64_t first = meta_trainer_best(t)->iteration;
    meta_trainer_free(t);

    struct meta_training_settings r = often(&q);
    r.fork = path_of(&p, "toy.state");
    char fork[500];
    snprintf(fork, sizeof fork, "%s", r.fork);
    r.fork = fork;
    t = opened(&r);
    assert_null(meta_trainer_best(t));
    watched(t, 8);
    assert_best(t, &q, best_of(t, 4, &rows));
    meta_trainer_free(t);

    char old[40];
    snprintf(old, sizeof old, "toy.1_%d.weights", (int)first);
    s.valid_every = 0;
    t = opened(&s);
    assert_null(meta_trainer_best(t));
    iterate(t, 1);
    close_saved(t);
    assert_false(exists(&p, "toy_best.weights"));
    assert_true(same(&p, "toy.1_best.weights", &p, old));
    write_text(path_of(&p, "toy_best.weights"), "of something else");
    s.overwrite = 1;
    meta_trainer_free(opened(&s));
    assert_false(exists(&p, "toy_best.weights"));
    assert_true(exists(&p, "toy.1_best.weights"));
}

/* What can't be written is told, the training goes on, and the next that is good enough is tried again. */
static void can_not_be_written(void **state)
{
    struct place p = make_place("unwritten");
    struct meta_training_settings s = often(&p);
    int rows;
    struct meta_trainer *t = opened(&s);
    mkdir(path_of(&p, "toy_best.weights"), 0777);
    watched(t, 2);
    assert_null(meta_trainer_best(t));
    assert_true(meta_trainer_best_failed(t, &error));
    if (!strstr(error.text, "toy_best.weights")) fail_msg("%s", error.text);
    assert_false(meta_trainer_best_failed(t, &error));
    rmdir(path_of(&p, "toy_best.weights"));
    watched(t, 8);
    assert_best(t, &p, best_of(t, 2, &rows));
    meta_trainer_free(t);
}

/* Goes on with as many tasks to watch, or others; the iteration that it goes on from is watched when it has no figure yet. */
static struct meta_trainer *goes_on(struct meta_training_settings s, int runs)
{
    struct meta_row row;
    s.valid_runs = runs;
    s.resume = 1;
    struct meta_trainer *t = opened(&s);
    if (!meta_trainer_valid_missed(t, &row)) return t;
    if (meta_trainer_save_new(t, NULL, &error)) fail_msg("%s", error.text);
    meta_trainer_watch(t, &row, NULL, NULL);
    return t;
}

/* Cut short before the valid list was watched, and gone on with other tasks: these are what the last iteration is watched by, and the
   next ones are compared with it. */
static void measured_anew(void **state)
{
    struct place p = make_place("measured");
    struct meta_training_settings s = often(&p);
    int rows;
    struct meta_trainer *t = opened(&s);
    watched(t, 4);
    meta_trainer_free(t);
    forget_last(&p);
    t = goes_on(s, 6);
    assert_non_null(meta_trainer_best_anew(t));
    assert_best(t, &p, 4);
    meta_trainer_free(t);
    t = goes_on(s, 6);
    assert_null(meta_trainer_best_anew(t));
    assert_best(t, &p, 4);
    watched(t, 8);
    assert_best(t, &p, best_of(t, 3, &rows));
    assert_int_equal(rows, 5);
    meta_trainer_free(t);
}

static void copy(const struct place *p, const char *from, const char *to)
{
    char *bytes;
    size_t size;
    if (meta_file_read(path_of(p, from), &bytes, &size, &error)) fail_msg("%s", error.text);
    write_file(path_of(p, to), (unsigned char *)bytes, size);
    free(bytes);
}

/* An earlier checkpoint than that of the best: the weights of the best until then are gone. */
static void older_than_the_best(void **state)
{
    struct place p = make_place("older"), q = make_place("whole");
    struct meta_training_settings s = often(&p), r = often(&q);
    struct meta_trainer *t = opened(&r);
    watched(t, 8);
    uint64_t best = meta_trainer_best(t)->iteration;
    meta_trainer_free(t);
    t = opened(&s);
    watched(t, best - 1);
    meta_trainer_free(t);
    copy(&p, "toy.state", "kept");
    t = goes_on(s, s.valid_runs);
    watched(t, best);
    assert_best(t, &p, best);
    meta_trainer_free(t);
    copy(&p, "kept", "toy.state");
    t = goes_on(s, s.valid_runs);
    assert_null(meta_trainer_best(t));
    if (!strstr(meta_trainer_best_anew(t), "toy_best.weights is of iteration ")) fail_msg("%s", meta_trainer_best_anew(t));
    watched(t, 8);
    assert_best(t, &p, best);
    meta_trainer_free(t);
}

/* The last row has no figure, and the iteration is not watched any more: another row's weights are not there. */
static void never_watched_again(void **state)
{
    struct place p = make_place("never");
    struct meta_training_settings s = often(&p);
    struct meta_trainer *t = opened(&s);
    watched(t, 1);
    int last = 1;
    while (meta_trainer_best(t)->iteration != (uint64_t)last || last == 1) watched(t, ++last);
    meta_trainer_free(t);
    forget_last(&p);
    s.valid_every = 100;
    t = goes_on(s, s.valid_runs);
    assert_null(meta_trainer_best(t));
    if (!strstr(meta_trainer_best_anew(t), "toy.csv lacks the figure of iteration ")) fail_msg("%s", meta_trainer_best_anew(t));
    meta_trainer_free(t);
}

/* The images of the two classes to watch are noise, so that AUCs rise and fall. */
static int make_noise(void **state)
{
    unsigned dice = 9;
    char name[32];
    make_images(state);
    for (int c = TRAINED; c < CLASSES; c++)
        for (int i = 0; i < IMAGES; i++) {
            unsigned char pixels[SIDE * SIDE];
            for (int k = 0; k < SIDE * SIDE; k++) pixels[k] = (dice = dice * 1664525 + 1013904223) >> 24;
            struct bytes b = make_png(SIDE, SIDE, 1, 8, pixels);
            snprintf(name, sizeof name, "_k%d_%d.png", c, i);
            write_file(scratch(name), b.data, b.size);
            free(b.data);
        }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_auc),
        cmocka_unit_test(killed_before_the_log),
        cmocka_unit_test(of_this_training_alone),
        cmocka_unit_test(can_not_be_written),
        cmocka_unit_test(measured_anew),
        cmocka_unit_test(older_than_the_best),
        cmocka_unit_test(never_watched_again),
    };
    return cmocka_run_group_tests(tests, make_noise, NULL);
}
