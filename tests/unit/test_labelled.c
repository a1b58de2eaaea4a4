/* Folders of classes and CSVs of labelled images: what is read of them, and how they are split. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/path.h"
#include "images/image_place.h"
#include "tasks/class_labels.h"
#include "tasks/labelled.h"
#include "tasks/split.h"

static struct meta_error error;
static char top[256];
static struct meta_labelled *l;

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(top, sizeof top, "%s/labelled.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(top) ? 0 : -1;
}

/* A file below `top`, in folders that are made. */
static void put(const char *name, const char *text)
{
    char path[600], *folder;
    struct meta_chunk chunk = { text, strlen(text) };
    snprintf(path, sizeof path, "%s/%s", top, name);
    folder = meta_path_folder(path);
    if (meta_path_make_folder(folder, &error) || meta_file_write(path, &chunk, 1, &error))
        fail_msg("%s", error.text);
    free(folder);
}

static int read_of(const char *name, const char *groups)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", top, name);
    l = NULL;
    return meta_labelled_read(&l, path, groups, &error);
}

/* Expects "path|class|group ..." of the images, the paths below the root. */
static void reads(const char *name, const char *groups, const char *expected)
{
    char all[2000] = "";
    if (read_of(name, groups)) fail_msg("%s", error.text);
    for (int i = 0; i < l->count; i++)
        sprintf(all + strlen(all), "%s%s|%s|%s", i ? " " : "", meta_labelled_inside(l, i),
                l->names[l->label[i]], l->group[i] < 0 ? "-" : l->group_names[l->group[i]]);
    assert_string_equal(all, expected);
}

static void refuses(const char *name, const char *groups, const char *expected)
{
    if (!read_of(name, groups)) fail_msg("%s was read", name);
    if (!strstr(error.text, expected)) fail_msg("%s: lacks '%s'", error.text, expected);
}

/* ---- CSVs ---- */

static void csv_as_spreadsheets_write_it(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "a.jpg,x,1\nb.jpg,y,2\n", "a.jpg|x|1 b.jpg|y|2" },
        { "a.jpg,x\nb.jpg,y\n", "a.jpg|x|- b.jpg|y|-" },
        { "image,class,group\na.jpg,x,\nb.jpg,y,2\n", "a.jpg|x|- b.jpg|y|2" },
        { "\xef\xbb\xbf\"Image\";\"Class\"\r\n\"a b.jpg\";\"x, \"\"odd\"\"\"\r\n",
          "a b.jpg|x, \"odd\"|-" },
        { "age,class,group,image\n3,x,g,sub/a.jpg\n", "sub/a.jpg|x|g" },
        { "class\timage\nx\t./a.jpg\n", "a.jpg|x|-" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("t.csv", cases[i].text);
        reads("t.csv", NULL, cases[i].expected);
        assert_int_equal(l->paths[0][0], '/'); /* relative to the CSV, which lies in `top` */
        meta_labelled_free(l);
    }
    put("t.csv", "image,class\n/abs/a.jpg,x\n");
    reads("t.csv", NULL, "/abs/a.jpg|x|-");
    assert_int_equal(l->lines[0], 2);
    meta_labelled_free(l);
    /* A folder whose name begins as that of the CSV's does is another one. */
    char text[900], beside[300];
    snprintf(beside, sizeof beside, "%s2/a.jpg", top);
    snprintf(text, sizeof text, "%s,x\n%s/b.jpg,x\n", beside, top);
    put("t.csv", text);
    assert_int_equal(read_of("t.csv", NULL), 0);
    assert_string_equal(meta_labelled_inside(l, 0), beside);
    assert_string_equal(meta_labelled_inside(l, 1), "b.jpg");
    meta_labelled_free(l);
}

static void csv_mistakes(void **state)
{
    put("t.csv", "image,kind\na.jpg,x\n");
    refuses("t.csv", NULL, "t.csv:1: names no column class: must name image and class");
    put("t.csv", "image,class\na.jpg,x\nb.jpg\n");
    refuses("t.csv", NULL, "t.csv:3: no class: must have an image and its class");
    put("t.csv", "image,class\n,x\n");
    refuses("t.csv", NULL, "t.csv:2: no image");
    put("t.csv", "image,class\n");
    refuses("t.csv", NULL, "t.csv: has no images");
    put("t.csv", "image,class\na.jpg,\"x\ny\"\n");
    refuses("t.csv", NULL, "must be a name that can stand on a line");
    put("t.csv", "image,class,group\na.jpg,x,g\n");
    refuses("t.csv", "g.csv", "has a column group of its own");
    refuses("t.csv", "folders", "-groups folders: is for a folder");
    put("t.csv", "image,class\na.jpg,x\n");
    refuses("t.csv", "folders", "t.csv, a column group says them");
}

/* ---- folders ---- */

static void folder_of_classes(void **state)
{
    put("f/b \xc3\xa4/2.JPG", "1");
    put("f/b \xc3\xa4/1.jpg", "2");
    put("f/a/p1/deep/3.png", "3");
    put("f/a/p1/4.png", "4");
    put("f/a/.hidden.png", "5");
    put("f/a/notes.txt", "6");
    put("f/b \xc3\xa4/Thumbs.db", "7");
    put("f/.git/x.png", "8");
    put("f/loose.png", "9");
    reads("f", NULL,
          "a/p1/4.png|a|- a/p1/deep/3.png|a|- b \xc3\xa4/1.jpg|b \xc3\xa4|- b "
          "\xc3\xa4/2.JPG|b \xc3\xa4|-");
    assert_int_equal(l->others, 2);
    assert_non_null(strstr(l->other, "a/notes.txt"));
    assert_int_equal(l->loose, 1);
    assert_int_equal(l->nested, 2);
    assert_int_equal(l->grouped, 0);
    meta_labelled_free(l);
    reads("f", META_GROUPS_FOLDERS,
          "a/p1/4.png|a|p1 a/p1/deep/3.png|a|p1 b \xc3\xa4/1.jpg|b \xc3\xa4|- b "
          "\xc3\xa4/2.JPG|b \xc3\xa4|-");
    meta_labelled_free(l);
    put("g.csv", "image,group\n1.jpg,one\na/p1/4.png,one\n");
    char groups[600];
    snprintf(groups, sizeof groups, "%s/g.csv", top);
    reads("f", groups,
          "a/p1/4.png|a|one a/p1/deep/3.png|a|- b \xc3\xa4/1.jpg|b \xc3\xa4|one b "
          "\xc3\xa4/2.JPG|b \xc3\xa4|-");
    meta_labelled_free(l);
}

/* CLASS/patient/study/series: however deep, one group a patient, whatever the class. */
static void patients_of_studies(void **state)
{
    put("t/a/p1/s1/right/1.png", "1");
    put("t/a/p1/s2/left/2.png", "2");
    put("t/a/p10/s1/3.png", "3");
    put("t/b/p1/s3/4.png", "4");
    put("t/b/p2/5.png", "5");
    put("t/b/6.png", "6");
    reads("t", META_GROUPS_FOLDERS,
          "a/p1/s1/right/1.png|a|p1 a/p1/s2/left/2.png|a|p1 a/p10/s1/3.png|a|p10 b/6.png|b|- "
          "b/p1/s3/4.png|b|p1 b/p2/5.png|b|p2");
    assert_int_equal(l->groups, 3);
    assert_int_equal(l->nested, 5);
    meta_labelled_free(l);
}

static void folder_mistakes(void **state)
{
    char from[600], to[600];
    put("e/a/1.png", "1");
    put("e/b/notes.txt", "2");
    refuses("e", NULL, "e/b: has no image: each folder of ");
    put("n/1.png", "1");
    refuses("n", NULL, "n: has no folders: must have one a class");
    put("s/a/1.png", "1");
    snprintf(from, sizeof from, "%s/s/a/back", top);
    snprintf(to, sizeof to, "%s/s", top);
    assert_int_equal(symlink(to, from), 0);
    refuses("s", NULL, "s/a/back: is a link that leads back to ");
    refuses("none", NULL, "No such file");
}

static void csv_with_other_words(void **state)
{
    put("w.csv", "Bild;Klasse\na.jpg;x\nb.jpg;y\n");
    refuses("w.csv", NULL, "/Bild: No such file or directory: must be an image, or a first line that calls the columns image and class");
    put("word", "an image");
    put("w.csv", "word;x\nb.jpg;y\n");
    reads("w.csv", NULL, "word|x|- b.jpg|y|-");
    meta_labelled_free(l);
}

static void classes_by_the_names_of_a_classifier(void **state)
{
    char *names[] = { "y", "z", "x" };
    put("t.csv", "a.jpg,x\nb.jpg,y\n");
    reads("t.csv", NULL, "a.jpg|x|- b.jpg|y|-");
    assert_int_equal(meta_labelled_match(l, names, 3, "k.data", &error), 0);
    assert_int_equal(l->label[0], 2);
    assert_int_equal(l->label[1], 0);
    assert_int_equal(l->classes, 3);
    names[0] = "w";
    assert_int_equal(meta_labelled_match(l, names, 3, "k.data", &error), -1);
    assert_non_null(strstr(error.text, "has a class y, which is none of the 3 of k.data"));
    meta_labelled_free(l);
}

/* ---- labels ---- */

static void labels_are_of_one_class_alone(void **state)
{
    char *folders[] = { "a", "b" }, **labels;
    char *plain[] = { "top/a/1.jpg", "top/b/2.jpg" };
    char *inside[] = { "top/a/1.jpg", "top/b/a/2.jpg" };
    char *hopeless[] = { "top/a/1.jpg", "top/b/top/a/2.jpg" };
    const int label[] = { 0, 1 };
    struct meta_classed c = { 2, 2, plain, label, folders, "top" };
    assert_int_equal(meta_class_labels(&labels, &c, &error), 0);
    assert_string_equal(labels[0], "/a/");
    meta_class_labels_free(labels, 2);
    c.paths = inside;
    assert_int_equal(meta_class_labels(&labels, &c, &error), 0);
    assert_string_equal(labels[0], "top/a/");
    meta_class_labels_free(labels, 2);
    c.paths = hopeless;
    assert_int_equal(meta_class_labels(&labels, &c, &error), 0);
    assert_null(labels);
}

/* ---- splits ---- */

enum { IMAGES = 400, GROUPS = 100, COPY = 7 };

/* A CSV of 400 images of two classes, four a group, the last group of both; the classes are 3 to
   1. */
static void make_images(struct meta_dataset *set, int backwards)
{
    static struct meta_digest digests[IMAGES];
    static int lines[IMAGES];
    char *text = malloc(IMAGES * 60), *at = text;
    for (int k = 0; k < IMAGES; k++) {
        int i = backwards ? IMAGES - 1 - k : k, group = i / 4;
        at += sprintf(at, "%d.jpg,%s,g%d\n", i, group % 4 && i != IMAGES - 3 ? "x" : "y", group);
    }
    put("s.csv", text);
    free(text);
    if (read_of("s.csv", NULL)) fail_msg("%s", error.text);
    for (int i = 0; i < IMAGES; i++)
        digests[i] = (struct meta_digest){ 1, (uint64_t)atoi(meta_labelled_inside(l, i)) + 1, 0 };
    *set = (struct meta_dataset){ .count = IMAGES,
                                  .digests = digests,
                                  .lines = lines,
                                  .label = l->label,
                                  .paths = l->paths,
                                  .names = l->names,
                                  .classes = 2,
                                  .list = l->from };
}

static void groups_stay_together_and_shares_are_kept(void **state)
{
    struct meta_dataset set;
    struct meta_split how = { .valid = .2, .test = .1, .seed = 5 };
    int part[IMAGES], again[IMAGES], images[2][META_PARTS] = { { 0 } };
    make_images(&set, 0);
    set.digests[COPY] = set.digests[COPY + 101]; /* the same file in two groups of one class */
    assert_int_equal(meta_split(part, l, &set, &how, &error), 0);
    for (int i = 0; i < IMAGES; i++) {
        images[l->label[i]][part[i]]++;
        for (int k = 0; k < i; k++)
            if (l->group[i] == l->group[k]) assert_int_equal(part[i], part[k]);
    }
    assert_int_equal(part[COPY], part[COPY + 101]);
    for (int class = 0; class < 2; class++) {
        int all = images[class][0] + images[class][1] + images[class][2];
        assert_in_range(images[class][META_PART_VALID], all / 5 - 4, all / 5 + 4);
        assert_in_range(images[class][META_PART_TEST], all / 10 - 4, all / 10 + 4);
    }
    meta_labelled_free(l);
    make_images(&set, 1); /* the order of the images does not matter */
    set.digests[IMAGES - 1 - COPY] = set.digests[IMAGES - 1 - COPY - 101];
    assert_int_equal(meta_split(again, l, &set, &how, &error), 0);
    for (int i = 0; i < IMAGES; i++) assert_int_equal(again[IMAGES - 1 - i], part[i]);
    how.seed = 6;
    assert_int_equal(meta_split(part, l, &set, &how, &error), 0);
    assert_int_not_equal(memcmp(part, again, sizeof part), 0);
    set.digests[0] = set.digests[IMAGES - 1]; /* of group 99, class x, and of group 0, class y */
    assert_int_equal(meta_split(part, l, &set, &how, &error), -1);
    assert_non_null(strstr(error.text, "is the same image as"));
    meta_labelled_free(l);
}

static void pages_of_a_file_stay_together(void **state)
{
    enum { FILES = 40, PAGES = 5 };
    struct meta_split how = { .valid = .3, .test = .3, .seed = 5 };
    struct meta_digest digests[FILES * PAGES];
    char text[FILES * PAGES * 24] = "", *at = text;
    int part[FILES * PAGES], parts = 0;
    for (int i = 0; i < FILES * PAGES; i++) {
        at += sprintf(at, "%d.tif[%d],x\n", i % FILES, i / FILES);
        digests[i] = meta_image_place_digest(
            (struct meta_digest){ 9, (uint64_t)(i % FILES) + 1, 7 }, i / FILES);
    }
    put("p.csv", text);
    if (read_of("p.csv", NULL)) fail_msg("%s", error.text);
    const struct meta_dataset set = { .count = FILES * PAGES,
                                      .digests = digests,
                                      .lines = l->lines,
                                      .label = l->label,
                                      .paths = l->paths,
                                      .names = l->names,
                                      .classes = 1,
                                      .list = l->from };
    assert_int_equal(meta_split(part, l, &set, &how, &error), 0);
    for (int i = 0; i < FILES * PAGES; i++) {
        assert_int_equal(part[i], part[i % FILES]);
        parts |= 1 << part[i];
    }
    assert_int_equal(parts, 1 << META_PART_TRAIN | 1 << META_PART_VALID | 1 << META_PART_TEST);
    meta_labelled_free(l);
}

static void rare_classes_are_the_test(void **state)
{
    struct meta_dataset set;
    const unsigned char rare[] = { 0, 1 };
    struct meta_split how = { .valid = .2, .seed = 5, .rare = rare };
    int part[IMAGES], none = 0;
    make_images(&set, 0);
    assert_int_equal(meta_split(part, l, &set, &how, &error), 0);
    for (int i = 0; i < IMAGES; i++) {
        assert_int_equal(part[i] == META_PART_TEST, l->label[i] == 1);
        none += part[i] == META_PART_NONE;
    }
    assert_int_equal(none, 3); /* the others of the group with both */
    meta_labelled_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_as_spreadsheets_write_it),
        cmocka_unit_test(csv_mistakes),
        cmocka_unit_test(folder_of_classes),
        cmocka_unit_test(patients_of_studies),
        cmocka_unit_test(folder_mistakes),
        cmocka_unit_test(csv_with_other_words),
        cmocka_unit_test(classes_by_the_names_of_a_classifier),
        cmocka_unit_test(labels_are_of_one_class_alone),
        cmocka_unit_test(groups_stay_together_and_shares_are_kept),
        cmocka_unit_test(pages_of_a_file_stay_together),
        cmocka_unit_test(rare_classes_are_the_test),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
