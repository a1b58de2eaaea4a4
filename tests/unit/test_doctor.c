/* The doctor's findings on small made-up settings, lists and timings: each is said where it holds, and not beside the limit. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "doctor_rig.h"

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
    said(META_WARNING, "cfg", "made-up.cfg: [meta_loss] start=31 is past max_batches=30: tasks are never weighted");
    said_in_all(1);

    /* a type that weighs nothing reads no start, past the end or before it */
    weighs = 0;
    for (start = 5; start < 60; start += 50) {
        look_at_schedule();
        said(META_WARNING, "cfg", "made-up.cfg: [meta_loss] start=");
        said(META_WARNING, "cfg", "has no effect: its type weighs all tasks alike from the beginning");
        said_in_all(1);
    }
    weighs = 1;

    start = 0;
    inner.second_order_start = 31;
    look_at_schedule();
    said(META_WARNING, "cfg", "[inner_loop] second_order_start=31 is past max_batches=30");
    said_in_all(1);
    inner.order = 1;
    look_at_schedule();
    said(META_WARNING, "cfg", "[inner_loop] second_order_start=31 has no effect with order=1");
    said_in_all(1);
    inner.second_order_start = 0;

    steps[1] = 30;
    look_at_schedule();
    said_in_all(0); /* it lowers the rate of the last iteration */
    steps[1] = 31;
    look_at_schedule();
    said(META_WARNING, "cfg", "[net] steps=31 is past max_batches=30: the rate is never lowered there");
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
    assert_int_equal(doctor.count[META_WARNING], 6);

    model.loss = NULL;
    model.net.max_batches = 30;
    look_at_schedule();
    said_in_all(0);
    end();
}

/* Of 30 iterations, by order, second_order_start, multi_step and how many are done: those of order 1 and of order 2 past multi_step, and inside. */
static void iterations(void **state)
{
    static const struct { int order, from, multi, done, count[META_ITERATION_KINDS], first[META_ITERATION_KINDS]; } cases[] = {
        { 1, 0, 0, 0, { 30 }, { 1 } }, { 2, 0, 0, 0, { 0, 30 }, { 0, 1 } }, { 2, 1, 0, 0, { 0, 30 }, { 0, 1 } }, { 2, 2, 0, 0, { 1, 29 }, { 1, 2 } },
        { 2, 30, 0, 0, { 29, 1 }, { 1, 30 } }, { 2, 31, 0, 0, { 30 }, { 1 } }, { 1, 0, 0, 5, { 25 }, { 6 } }, { 2, 0, 0, 5, { 0, 25 }, { 0, 6 } },
        { 2, 6, 0, 5, { 0, 25 }, { 0, 6 } }, { 2, 7, 0, 5, { 1, 24 }, { 6, 7 } }, { 2, 31, 0, 29, { 1 }, { 30 } }, { 2, 9, 0, 30, { 0 }, { 0 } },
        { 1, 0, 12, 0, { 18, 0, 12, 0 }, { 13, 0, 1, 0 } }, { 2, 0, 12, 0, { 0, 18, 0, 12 }, { 0, 13, 0, 1 } },
        { 2, 10, 12, 0, { 0, 18, 9, 3 }, { 0, 13, 1, 10 } }, { 2, 20, 12, 0, { 7, 11, 12, 0 }, { 13, 20, 1, 0 } },
        { 2, 20, 12, 12, { 7, 11 }, { 13, 20 } }, { 2, 10, 12, 10, { 0, 18, 0, 2 }, { 0, 13, 0, 11 } },
        { 2, 0, 1000000000, 0, { 0, 0, 0, 30 }, { 0, 0, 0, 1 } }, { 0, 0, 0, 0, { 30 }, { 1 } }
    };
    begin();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        inner.order = cases[i].order;
        inner.second_order_start = cases[i].from;
        inner.multi_step = cases[i].multi;
        const struct meta_iterations all = meta_dry_run_iterations(&model, cases[i].done);
        assert_memory_equal(all.count, cases[i].count, sizeof all.count);
        assert_memory_equal(all.first, cases[i].first, sizeof all.first);
    }
    /* one step has none before the last */
    inner.order = 1;
    inner.steps = 1;
    inner.multi_step = 12;
    assert_int_equal(meta_dry_run_iterations(&model, 0).count[0], 30);
    end();
}

/* ---- the two files --------------------------------------------------------------------------- */

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
    assert_non_null(strstr(findings[3].text, ": fewer -threads, keep=1 or order=1 in [inner_loop], or smaller images"));
    inner.keep = 1;
    meta_doctor_memory(&doctor, &run, need / .99);
    said(META_WARNING, "memory", ": fewer -threads, order=1 in [inner_loop], or smaller images");
    inner.order = 1;
    meta_doctor_memory(&doctor, &run, need / .99);
    said(META_WARNING, "memory", ": fewer -threads or smaller images");
    doctor.threads = 1;
    meta_doctor_memory(&doctor, &run, 100e9);
    said(META_OK, "memory", ", 1 thread ");
    assert_true(meta_memory_available() > 0);
    end();
}

/* 30 iterations from the tenth on of order 2, and a valid AUC of 100 tasks at the end. */
static void hours(void **state)
{
    struct meta_dry_run run = { .iteration = { { 1, .5, 2 }, { 10, 8, 14 }, { 3, 3, 3 }, { 20, 20, 20 } }, .valid = { .1, .05, .4 } };
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

    /* the weights are at iteration 6: 6 + 3 x 1 + 21 x 10 + 100 x .1 = 229 s; and at 20 it is 6 + 10 x 10 + 10 = 116 s */
    count = 0;
    doctor.load = 0;
    doctor.done = 6;
    meta_doctor_time(&doctor, &run);
    said(META_OK, "time", "4 min expected on 2 threads, 3 min to 6 min by the fastest and slowest fifth of a trial: 8.88 s an iteration");
    count = 0;
    doctor.done = 20;
    meta_doctor_time(&doctor, &run);
    said(META_OK, "time", "2 min expected on 2 threads, 91 s to 3 min by the fastest and slowest fifth of a trial: 10 s an iteration");

    /* of multi_step=12: 6 + 9 x 3 + 3 x 20 + 18 x 10 + 10 = 283 s */
    count = 0;
    doctor.done = 0;
    inner.multi_step = 12;
    meta_doctor_time(&doctor, &run);
    said(META_OK, "time", "5 min expected on 2 threads, 4 min to 6 min by the fastest and slowest fifth of a trial: 8.9 s an iteration");
    end();

    /* of order 1 and without a valid list the other two are not known, and not needed */
    look_at_data("classes=4\nlabels=four.labels\ntrain=t\n");
    inner.order = 1;
    for (int k = 1; k < META_ITERATION_KINDS; k++) run.iteration[k] = (struct meta_timing_range){ NAN, NAN, NAN };
    run.valid = run.iteration[1];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule),
        cmocka_unit_test(iterations),
        cmocka_unit_test(data_file),
        cmocka_unit_test(no_model),
        cmocka_unit_test(backup),
        cmocka_unit_test(memory),
        cmocka_unit_test(hours),
        cmocka_unit_test(programs),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
