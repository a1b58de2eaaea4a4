/* The doctor's findings on small made-up settings, lists and timings: each is said where it holds, and not beside the limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/pool.h"
#include "image_files.h"
#include "tools/doctor/doctor.h"

/* ---- what the doctor said -------------------------------------------------------------------- */

struct finding { enum meta_verdict verdict; char subject[16], text[400]; };
static struct finding findings[64];
static int count;

static void keep(void *context, enum meta_verdict verdict, const char *subject, const char *format, va_list arguments)
{
    assert_ptr_equal(context, findings);
    assert_true(count < (int)(sizeof findings / sizeof *findings));
    findings[count].verdict = verdict;
    snprintf(findings[count].subject, sizeof findings->subject, "%s", subject);
    vsnprintf(findings[count].text, sizeof findings->text, format, arguments);
    count++;
}

static void print_all(void)
{
    for (int i = 0; i < count; i++) print_error("    %d %s: %s\n", findings[i].verdict, findings[i].subject, findings[i].text);
}

/* Exactly one finding has this verdict, subject and part of the text. */
static void said(enum meta_verdict verdict, const char *subject, const char *part)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found += findings[i].verdict == verdict && !strcmp(findings[i].subject, subject) && strstr(findings[i].text, part) != NULL;
    if (found == 1) return;
    print_all();
    fail_msg("%d findings: %d %s: %s", found, verdict, subject, part);
}

static void said_in_all(int n)
{
    if (count == n) return;
    print_all();
    fail_msg("%d findings in place of %d", count, n);
}

/* ---- made-up settings ------------------------------------------------------------------------ */

static struct meta_episode_settings episode;
static struct meta_inner_settings inner;
static struct meta_network network;
static double steps[2];
static struct meta_model model;
static struct meta_doctor doctor;

/* The [meta_loss] of these tests: the settings are one whole number. */
static int start;
static const struct meta_option options[] = {
    { .name = "eta", .type = META_REAL }, { .name = "start", .type = META_INT, .offset = 0 }, { .name = NULL }
};
static const struct meta_plugin loss = { .name = "meta_loss", .options = options };

/* Settings with which nothing is wrong, and nothing said yet. */
static void begin(void)
{
    count = 0;
    start = 0;
    episode = (struct meta_episode_settings){ .ways = 2, .shots = 1, .queries = 1, .tasks = 3 };
    inner = (struct meta_inner_settings){ .steps = 2, .test_steps = 3, .order = 2 };
    network = (struct meta_network){ .parameters = 1000, .statistics = 10 };
    steps[0] = 10;
    steps[1] = 20;
    model = (struct meta_model){ .path = "made-up.cfg", .name = "made-up", .network = &network, .episode = &episode, .inner = &inner,
                                 .loss = &loss, .loss_settings = &start };
    model.net = (struct meta_net_settings){ .width = 8, .height = 8, .channels = 1, .max_batches = 30, .policy = META_POLICY_STEPS,
                                            .steps = { 2, steps } };
    doctor = (struct meta_doctor){ .print = keep, .context = findings, .model = &model, .threads = 2, .data_path = "x.data",
                                   .cfg_path = "x.cfg" };
}

/* The model is none that meta_model_free knows. */
static void end(void)
{
    doctor.model = NULL;
    meta_doctor_clear(&doctor);
    doctor = (struct meta_doctor){ 0 };
}

/* ---- the schedule ---------------------------------------------------------------------------- */

static void look_at_schedule(void) { count = 0; meta_doctor_schedule(&doctor); }

static void schedule(void **state)
{
    begin();
    look_at_schedule();
    said_in_all(0);

    start = 30;
    inner.second_order_start = 30;
    steps[1] = 29;
    look_at_schedule();
    said_in_all(0);

    start = 31;
    look_at_schedule();
    said(META_WARNING, "cfg", "[meta_loss] start=31 is past max_batches=30: tasks are never weighted");
    said_in_all(1);

    start = 0;
    inner.second_order_start = 31;
    look_at_schedule();
    said(META_WARNING, "cfg", "[inner_loop] second_order_start=31 is past max_batches=30");
    said_in_all(1);
    inner.order = 1;
    look_at_schedule();
    said_in_all(0);

    steps[1] = 30;
    look_at_schedule();
    said(META_WARNING, "cfg", "[net] steps=30 is past max_batches=30: the rate is never lowered there");
    said_in_all(1);
    model.net.policy = META_POLICY_POLY;
    look_at_schedule();
    said_in_all(0);

    model.net.max_batches = 0;
    start = 31;
    look_at_schedule();
    said(META_WRONG, "cfg", "[net] max_batches: is 0 or not there");
    said_in_all(1);
    assert_int_equal(doctor.count[META_WRONG], 1);
    assert_int_equal(doctor.count[META_WARNING], 3);

    model.loss = NULL;
    model.net.max_batches = 30;
    look_at_schedule();
    said_in_all(0);
    end();
}

static void exact_iterations(void **state)
{
    static const struct { int order, start, exact; } cases[] = {
        { 1, 0, 0 }, { 2, 0, 30 }, { 2, 1, 30 }, { 2, 2, 29 }, { 2, 30, 1 }, { 2, 31, 0 }
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        inner.order = cases[i].order;
        inner.second_order_start = cases[i].start;
        assert_int_equal(meta_dry_run_exact_iterations(&model), cases[i].exact);
    }
    end();
}

/* ---- the two files --------------------------------------------------------------------------- */

static void look_at_data(const char *text)
{
    write_text("x.data", text);
    begin();
    meta_doctor_data(&doctor);
}

static void data_file(void **state)
{
    look_at_data("classes=4\nlabels=four.labels\ntrain=t\nvalid=v\ntest=w\n");
    said(META_OK, "data", "x.data: 4 classes");
    said_in_all(1);
    assert_string_equal(doctor.list[META_LIST_VALID].name, "valid");
    assert_string_equal(doctor.list[META_LIST_VALID].path, "v");
    end();

    look_at_data("classes=4\nlabels=four.labels\n");
    said(META_WRONG, "data", "x.data: has no train=: training needs a list of images");
    said(META_WARNING, "data", "x.data: has no valid=: no AUC is watched while training");
    said(META_WARNING, "data", "x.data: has no test=: meta test needs it");
    said_in_all(4);
    end();

    look_at_data("classes=5\nlabels=four.labels\n");
    said(META_WRONG, "data", "four.labels");
    said_in_all(1);
    assert_null(doctor.data);
    end();
}

static void no_model(void **state)
{
    look_at_data("classes=4\nlabels=four.labels\ntrain=train.list\n");
    count = 0;
    doctor.model = NULL;
    doctor.cfg_path = "none.cfg";
    meta_doctor_cfg(&doctor);
    said(META_WRONG, "cfg", "none.cfg: ");
    said_in_all(1);
    assert_null(doctor.model);
    /* what needs the model says nothing */
    meta_doctor_lists(&doctor);
    meta_doctor_backup(&doctor);
    meta_doctor_cost(&doctor);
    said_in_all(1);
    end();
}

/* ---- the lists ------------------------------------------------------------------------------- */

/* Reads the .data file with this line more, and looks at the lists that were written. */
static void look_at_lists(const char *more)
{
    char text[200];
    snprintf(text, sizeof text, "classes=4\nlabels=four.labels\ntrain=train.list\nvalid=valid.list\ntest=test.list\n%s", more);
    look_at_data(text);
    count = 0;
    meta_doctor_lists(&doctor);
}

static void write_lists(const char *train, const char *valid, const char *test)
{
    write_text("train.list", train);
    write_text("valid.list", valid);
    write_text("test.list", test);
}

#define TRAIN "a_0.pgm\na_1.pgm\nb_0.pgm\nb_1.pgm\n"
#define VALID "a_2.pgm\na_3.pgm\nb_2.pgm\nb_3.pgm\n"
#define TEST  "c_0.pgm\nc_1.pgm\nd_0.pgm\nd_1.pgm\n"

static void good_lists(void **state)
{
    write_lists(TRAIN, VALID, TEST);
    look_at_lists("");
    said(META_OK, "train", "train.list: 4 images, all decoded, 0 MB in memory, ");
    said(META_OK, "valid", "valid.list: 4 images, all decoded");
    said(META_OK, "test", "test.list: 4 images, all decoded");
    said(META_OK, "classes", "train: a_ 2, b_ 2: enough for 1 + 1");
    said(META_OK, "classes", "test: c_ 2, d_ 2: enough for 1 + 1");
    said(META_OK, "groups", "none: x.data has no groups=");
    said(META_OK, "lists", "train and valid share nothing that they should not");
    said(META_OK, "lists", "valid and test share nothing that they should not");
    said_in_all(10);
    assert_int_equal(doctor.list[META_LIST_TRAIN].survey.bytes, 4 * 8 * 8);
    end();
}

/* Six lines of train are bad: five are named, then their number; of valid one is. */
static void bad_lines(void **state)
{
    write_lists(TRAIN "none_a_0.pgm\nnone_a_1.pgm\ncut_a_.pgm\nunknown.pgm\na_0.pgm\nnone_b_.pgm\n", VALID "none_a_.pgm\n", TEST);
    look_at_lists("");
    said(META_WRONG, "train", "train.list:5: none_a_0.pgm: ");
    said(META_WRONG, "train", "train.list:6: none_a_1.pgm: ");
    said(META_WRONG, "train", "train.list:7: cut_a_.pgm: ");
    said(META_WRONG, "train", "train.list:8: unknown.pgm: ");
    said(META_WRONG, "train", "train.list:9: a_0.pgm: ");
    said(META_WRONG, "train", "train.list: 1 lines more that can't be used");
    said(META_WRONG, "train", "train.list: 6 of 10 lines can't be used: mend or remove them");
    said(META_WRONG, "valid", "valid.list:5: none_a_.pgm: ");
    said(META_WRONG, "valid", "valid.list: 1 of 5 lines can't be used");
    assert_int_equal(doctor.count[META_WRONG], 9);
    said(META_OK, "classes", "train: a_ 2, b_ 2: enough for 1 + 1");       /* of the lines that are left */
    end();

    write_lists(TRAIN, VALID, TEST);
    unlink("valid.list");
    look_at_lists("");
    said(META_WRONG, "valid", "valid.list: ");
    assert_null(doctor.list[META_LIST_VALID].set);
    assert_int_equal(doctor.count[META_WRONG], 1);
    end();
}

static void sizes(void **state)
{
    write_lists("a_0.pgm\na_1.pgm\nb_0.pgm\nlarge_b_.pgm\n", VALID, TEST);
    look_at_lists("");
    assert_int_equal(doctor.count[META_WARNING], 0);
    assert_int_equal(doctor.list[META_LIST_TRAIN].survey.bytes, 4 * 8 * 8);
    end();

    /* images to train on are kept as large as max_crop, those of the other lists are not */
    write_text("valid.list", "a_2.pgm\na_3.pgm\nb_2.pgm\nlarge_b_2.pgm\n");
    look_at_data("classes=4\nlabels=four.labels\ntrain=train.list\nvalid=valid.list\n");
    model.net.max_crop = 9;
    meta_doctor_lists(&doctor);
    assert_int_equal(doctor.list[META_LIST_TRAIN].survey.bytes, 3 * 8 * 8 + 9 * 9);
    assert_int_equal(doctor.list[META_LIST_VALID].survey.bytes, 4 * 8 * 8);
    end();

    look_at_data("classes=4\nlabels=four.labels\ntrain=train.list\n");
    count = 0;
    model.net.width = 9;
    meta_doctor_lists(&doctor);
    said(META_WARNING, "train", "3 of 4 images are smaller than 9x8 and will be enlarged");
    end();
}

static void classes(void **state)
{
    write_lists("a_0.pgm\na_1.pgm\nb_0.pgm\n", VALID, "c_0.pgm\nc_1.pgm\nd_0.pgm\n");
    look_at_lists("");
    said(META_WRONG, "classes", "class b_ has 1 image: shots=1 and queries=1 need at least 2: add images or classes, or lower ways, shots");
    said(META_WARNING, "classes", "class d_ has 1 image: shots=1 and queries=1 need at least 2: add images or classes, or lower them: meta test");
    said(META_OK, "classes", "valid: a_ 2, b_ 2");
    end();

    write_lists("a_0.pgm\na_1.pgm\n", VALID, TEST);
    look_at_lists("");
    said(META_WRONG, "classes", "add images or classes, or lower ways, shots or queries in [episode]");
    end();
}

/* What groups.csv says of the lists of these tests. */
#define TRAIN_GROUPS "image,lesion\na_0,1\na_1,2\nb_0,3\nb_1,4\n"
#define TEST_GROUPS "c_0,7\nc_1,7\nc_2,8\nd_0,9\nd_1,10\n"

static void look_at_groups(const char *groups_csv)
{
    write_lists(TRAIN, VALID, "c_0.pgm\nc_1.pgm\nc_2.pgm\nd_0.pgm\nd_1.pgm\n");
    write_text("groups.csv", groups_csv);
    look_at_lists("groups=groups.csv\n");
}

static void groups(void **state)
{
    look_at_groups(TRAIN_GROUPS "a_2,11\na_3,12\nb_2,13\nb_3,14\n" TEST_GROUPS);
    said(META_OK, "groups", "train: 4 images in 4 groups, never on both sides of a task");
    said(META_OK, "groups", "test: 5 images in 4 groups");
    said(META_OK, "lists", "train and valid share nothing");
    assert_int_equal(doctor.count[META_WARNING], 0);
    assert_int_equal(doctor.count[META_WRONG], 0);
    end();

    /* groups 1 and 2 have images in two lists, and b_3 is in no group */
    look_at_groups(TRAIN_GROUPS "a_2,1\na_3,2\nb_2,13\n" TEST_GROUPS);
    said(META_WARNING, "lists", "2 groups have images in train and in valid, which makes the second's AUC too good");
    said(META_WARNING, "groups", "valid: groups.csv does not name 1 of 4 images, which count as unlike any other");
    said(META_OK, "lists", "train and test share nothing");
    assert_int_equal(doctor.count[META_WARNING], 2);
    end();

    look_at_groups(TRAIN_GROUPS "a_2,1\na_3,12\nb_2,13\nb_3,14\n" TEST_GROUPS);
    said(META_WARNING, "lists", "1 group has images in train and in valid");
    end();

    /* all images of one class in one group; a group across two classes */
    look_at_groups("image,lesion\na_0,1\na_1,1\nb_0,3\nb_1,4\na_2,11\na_3,12\nb_2,11\nb_3,12\n" TEST_GROUPS);
    said(META_WRONG, "classes", "train.list: class a_ has 2 images in 1 groups, the largest of 2: too few to have shots=1 and queries=1");
    said(META_WRONG, "classes", "valid.list: class a_ has 2 images in 2 groups, some shared with other classes, the largest of 1: too few");
    end();
}

static void shared(void **state)
{
    /* one image under another name; b stands in test too */
    write_lists(TRAIN, VALID "link_a_0.pgm\n", TEST "b_4.pgm\nb_5.pgm\n");
    look_at_lists("");
    said(META_WRONG, "lists", "1 image stands in train and in valid, link_a_0.pgm one of them: remove them from one list");
    said(META_WARNING, "lists", "1 class of test, b_ one of them, is in train too: meta test is meant for classes not seen before");
    said(META_WARNING, "lists", "1 class of test, b_ one of them, is in valid too");
    end();

    write_lists(TRAIN, VALID TRAIN, TEST "a_4.pgm\na_5.pgm\nb_4.pgm\nb_5.pgm\n");
    look_at_lists("");
    said(META_WRONG, "lists", "4 images stand in train and in valid");
    said(META_WARNING, "lists", "2 classes of test, a_ one of them, are in train too");
    end();
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void look_at_backup(const char *line)
{
    char text[200];
    snprintf(text, sizeof text, "classes=4\nlabels=four.labels\n%s", line);
    look_at_data(text);
    count = 0;
    meta_doctor_backup(&doctor);
}

static void backup(void **state)
{
    mkdir("made", 0777);
    look_at_backup("backup=made\n");
    said(META_OK, "backup", "made: ");
    said(META_OK, "backup", " GB free, a run writes 1 MB");
    said_in_all(1);
    end();

    look_at_backup("backup=made/not/yet\n");
    said(META_OK, "backup", "made/not/yet (to be made): ");
    end();

    look_at_backup("backup=four.labels\n");
    said(META_WRONG, "backup", "backup=four.labels: four.labels is not a folder");
    said_in_all(1);
    end();

    write_text("made/made-up.state", "no checkpoint");
    look_at_backup("backup=made\n");
    said(META_WARNING, "backup", "made/made-up.state: ");
    said(META_WARNING, "backup", ": -resume can't use it");
    said_in_all(2);
    end();
    unlink("made/made-up.state");

    /* 1e18 parameters: no disk has so much room */
    look_at_backup("backup=made\n");
    count = 0;
    network.parameters = (size_t)1e18;
    meta_doctor_backup(&doctor);
    said(META_WRONG, "backup", "that a run writes: make room, or name a folder on another disk");
    end();
}

/* ---- memory and hours ------------------------------------------------------------------------ */

/* The bytes of the images, of the process, of checkpoints and of decoding are added up, the libraries' on top. */
static void memory(void **state)
{
    const struct meta_dry_run run = { .peak = 3e9, .kept = .5e9 };
    double expected, images, threads, available;
    begin();
    doctor.list[META_LIST_TRAIN].survey.bytes = (size_t)2e9;
    doctor.list[META_LIST_VALID].survey.bytes = (size_t)1e9;
    doctor.reading = .25e9;
    meta_doctor_memory(&doctor, &run, 100e9);
    said_in_all(1);
    assert_int_equal(findings[0].verdict, META_OK);
    assert_string_equal(findings[0].subject, "memory");
    assert_int_equal(sscanf(findings[0].text, "%lf GB expected (images %lf, 2 threads %lf), %lf GB available", &expected, &images, &threads,
                            &available), 4);
    assert_true(fabs(images - 3) < .006 && fabs(available - 100) < .006);
    assert_true(fabs(expected - images - threads) < .011);
    assert_true(threads >= 3.75 - .006 && threads < 3.75 + .5);            /* the libraries of this test take less than that */
    assert_null(strstr(findings[0].text, "fewer -threads"));
    double need = 1e9 * expected;

    count = 0;
    meta_doctor_memory(&doctor, &run, need / .79);
    meta_doctor_memory(&doctor, &run, need / .81);
    meta_doctor_memory(&doctor, &run, need / .99);
    meta_doctor_memory(&doctor, &run, need / 1.01);
    assert_int_equal(findings[0].verdict, META_OK);
    assert_int_equal(findings[1].verdict, META_WARNING);
    assert_int_equal(findings[2].verdict, META_WARNING);
    assert_int_equal(findings[3].verdict, META_WRONG);
    assert_non_null(strstr(findings[1].text, ": fewer -threads, keep=1 or order=1 in [inner_loop]"));
    assert_non_null(strstr(findings[3].text, ": fewer -threads, keep=1 or order=1 in [inner_loop]"));
    doctor.threads = 1;
    meta_doctor_memory(&doctor, &run, 100e9);
    said(META_OK, "memory", ", 1 thread ");
    assert_true(meta_memory_available() > 0);
    end();
}

/* 30 iterations from the tenth on of order 2, and a valid AUC of 100 tasks at the end. */
static void hours(void **state)
{
    struct meta_dry_run run = { .first = { 1, .5, 2 }, .second = { 10, 8, 14 }, .valid = { .1, .05, .4 } };
    look_at_data("classes=4\nlabels=four.labels\ntrain=t\nvalid=v\n");
    inner.second_order_start = 10;
    doctor.list[META_LIST_TRAIN].seconds = 4;
    doctor.list[META_LIST_VALID].seconds = 2;
    count = 0;
    meta_doctor_time(&doctor, &run);
    /* 6 + 9 x 1 + 21 x 10 + 100 x .1 = 235 s; 183.5 s; 358 s */
    said(META_OK, "time", "4 min expected on 2 threads, 3 min to 6 min by the fastest and slowest fifth of a trial: 7.3 s an iteration");
    assert_null(strstr(findings[0].text, "busy"));
    doctor.load = 1.5;
    meta_doctor_time(&doctor, &run);
    said(META_OK, "time", "; other programs kept 1.5 of ");
    end();

    /* of order 1 and without a valid list the other two are not known, and not needed */
    look_at_data("classes=4\nlabels=four.labels\ntrain=t\n");
    inner.order = 1;
    run.second = run.valid = (struct meta_timing_range){ NAN, NAN, NAN };
    count = 0;
    meta_doctor_time(&doctor, &run);
    said(META_OK, "time", "30 s expected on 2 threads, 15 s to 60 s by");
    said(META_OK, "time", ": 1 s an iteration");
    end();
}

/* ---- the program and what is around it ------------------------------------------------------- */

static void programs(void **state)
{
    setenv("DARKNET_STOCK", "/nowhere", 1);
    setenv("PATH", "/nowhere", 1);
    begin();
    meta_doctor_programs(&doctor);
    said(META_OK, "libdarknet", ": struct layer of ");
    said(META_WARNING, "darknet", "; meta's own commands do without");
    said(META_OK, "plugins", " [inner_loop]");
    said(META_WARNING, "gnuplot", ": install the package gnuplot-nox");
    said_in_all(4);
    end();
}

static void pgm(const char *path, int side, int seed)
{
    char text[2000];
    int n = snprintf(text, sizeof text, "P5 %d %d 255\n", side, side);
    memset(text + n, 50 + seed, side * side);
    write_file(path, text, n + side * side);
}

static int prepare(void **state)
{
    if (chdir(scratch(""))) return -1;
    for (char class = 'a'; class <= 'd'; class++)
        for (int i = 0; i < 6; i++) {
            char path[] = { class, '_', '0' + i, '.', 'p', 'g', 'm', 0 };
            pgm(path, 8, 6 * class + i - 6 * 'a');
        }
    pgm("large_b_.pgm", 9, 0);
    pgm("large_b_2.pgm", 9, 0);
    pgm("unknown.pgm", 8, 0);
    write_text("cut_a_.pgm", "P5 8 8 255\n");
    write_text("four.labels", "a_\nb_\nc_\nd_\n");
    return link("a_0.pgm", "link_a_0.pgm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule), cmocka_unit_test(exact_iterations), cmocka_unit_test(data_file), cmocka_unit_test(no_model),
        cmocka_unit_test(good_lists), cmocka_unit_test(bad_lines), cmocka_unit_test(sizes), cmocka_unit_test(classes),
        cmocka_unit_test(groups), cmocka_unit_test(shared), cmocka_unit_test(backup), cmocka_unit_test(memory), cmocka_unit_test(hours),
        cmocka_unit_test(programs),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
