/* The doctor's look at lists of images: bad lines, sizes, classes, groups, and images in two lists. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "doctor_rig.h"

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
    said(META_WRONG, "classes", "train.list: class a_ has 2 images in 1 group, the largest of 2: too few to have shots=1 and queries=1");
    said(META_WRONG, "classes", "valid.list: class a_ has 2 images in 2 groups, some shared with other classes, the largest of 1: too few");
    end();
}

static void shared(void **state)
{
    /* one image under another name; b stands in test too */
    write_lists(TRAIN, VALID "link_a_0.pgm\n", TEST "b_4.pgm\nb_5.pgm\n");
    look_at_lists("");
    said(META_WRONG, "lists", "1 image of valid is the same as one of train, such as valid.list:5: link_a_0.pgm and train.list:1: a_0.pgm: remove them from one list");
    said(META_WARNING, "lists", "1 class of test, b_ one of them, is in train too: meta test is meant for classes not seen before");
    said(META_WARNING, "lists", "1 class of test, b_ one of them, is in valid too");
    end();

    write_lists(TRAIN, VALID TRAIN, TEST "a_4.pgm\na_5.pgm\nb_4.pgm\nb_5.pgm\n");
    look_at_lists("");
    said(META_WRONG, "lists", "4 images of valid are the same as one of train, such as valid.list:5: a_0.pgm and train.list:1: a_0.pgm: ");
    said(META_WARNING, "lists", "2 classes of test, a_ one of them, are in train too");
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lists),
        cmocka_unit_test(bad_lines),
        cmocka_unit_test(sizes),
        cmocka_unit_test(classes),
        cmocka_unit_test(groups),
        cmocka_unit_test(shared),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
