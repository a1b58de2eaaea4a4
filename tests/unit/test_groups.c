/* The CSV of groups: what spreadsheets write, and which row is an image's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/file.h"
#include "tasks/groups.h"

static struct meta_error error;
static char path[300];
static const char *train; /* a list of the .data file; NULL: it has none */
static struct meta_groups groups;

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    char folder[256];
    snprintf(folder, sizeof folder, "%s/groups.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/g.csv", folder);
    return 0;
}

static int read_groups(const char *text)
{
    struct meta_chunk chunk = { text, strlen(text) };
    static struct meta_data data;
    data = (struct meta_data){ .groups = path, .train = (char *)train };
    if (meta_file_write(path, &chunk, 1, &error)) fail_msg("%s", error.text);
    return meta_groups_read(&groups, &data, &error);
}

/* ---- the file ---- */

/* Reads the text as rows "image|group" in the order of the file, joined by spaces. */
static void reads(const char *text, const char *expected)
{
    char all[500] = "";
    if (read_groups(text)) fail_msg("%s", error.text);
    for (int line = 0; line < 20; line++)
        for (int i = 0; i < groups.count; i++)
            if (groups.rows[i].line == line)
                sprintf(all + strlen(all), "%s%s|%s", *all ? " " : "", groups.rows[i].image,
                        groups.rows[i].group);
    assert_string_equal(all, expected);
    meta_groups_free(&groups);
}

static void what_spreadsheets_write(void **state)
{
    reads("a,1\nb,2\n", "a|1 b|2");
    reads("image,group\na,1\n", "a|1");
    reads("\xef\xbb\xbf\"Image\",\"lesion\"\r\n\"a\",\"1\"\r\n", "a|1");
    reads("image;group\r\na;1\r\nb;2", "a|1 b|2");
    reads("image;group;age\na,b;1;3,5\n", "a,b|1");
    reads("image\tgroup\na\t1\tx\n", "a|1");
    reads("a;1\nb;2\n", "a|1 b|2");
    reads("a\t1\nb\t2\n", "a|1 b|2");
    reads("a;\"1,2\"\nb;3\n", "a|1,2 b|3");
    reads("a;1,2\nb;3,4\n", "a;1|2 b;3|4"); /* a comma in the first line is the separator */
    reads("\n\n  a , 1 \n\n\tb,2\n", "a|1 b|2");
    reads("\"a,b\",\"x \"\"y\"\"\"\nc,d\n", "a,b|x \"y\" c|d");
}

static void several_lines_in_a_field(void **state)
{
    if (read_groups("a,1,\"two\nlines\"\nb,\"2\"\nc\n") == 0) fail();
    assert_non_null(strstr(error.text, "g.csv:4: has one field: must be image,group"));
    if (read_groups("a,1,\"two\r\nlines\"\r\nb,2\r\n")) fail_msg("%s", error.text);
    assert_int_equal(groups.count, 2);
    assert_int_equal(groups.rows[1].line, 3);
    meta_groups_free(&groups);
}

static void numbers_of_groups(void **state)
{
    if (read_groups("x,b\ny,a\nz,b\nw,c\n")) fail_msg("%s", error.text);
    assert_int_equal(groups.names, 3);
    assert_string_equal(groups.name[0], "a");
    assert_string_equal(groups.name[2], "c");
    for (int i = 0; i < groups.count; i++)
        assert_string_equal(groups.name[groups.rows[i].number], groups.rows[i].group);
    meta_groups_free(&groups);
}

/* ---- rows of images ---- */

enum { MOST = 8 };
static char *paths[MOST];
static const int lines[MOST] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static int found[MOST];

/* The paths of the images stand between blanks. */
static int find(const char *text, const char *images)
{
    static char copy[500];
    struct meta_listed l = { "x.list", paths, lines, 0 };
    strcpy(copy, images);
    for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) paths[l.count++] = p;
    if (read_groups(text)) fail_msg("%s", error.text);
    int status = meta_groups_find(&groups, &l, found, &error);
    meta_groups_free(&groups);
    return status;
}

/* expected: the group's number of each image, "-" for none. */
static void finds(const char *text, const char *images, const char *expected)
{
    if (find(text, images)) fail_msg("%s", error.text);
    for (int i = 0; expected[i]; i++)
        if (found[i] != (expected[i] == '-' ? -1 : expected[i] - '0'))
            fail_msg("%s: %s: %d, not %c", text, paths[i], found[i], expected[i]);
}

static void rows_of_images(void **state)
{
    finds("k1/0.png,a\nk2/0.png,b\n", "d/k1/0.png d/k2/0.png d/k3/0.png", "01-");
    finds("k1/0,a\nk2/0,b\n", "d/k1/0.png d/k2/0.jpg", "01");
    finds("0,a\n1.png,b\n", "d/k1/0.png d/k2/1.png d/k2/10.png", "01-");
    finds("d/k1/0.png,a\n", "./d/k1/0.png", "0");
    finds("./d/k1/0.png,a\n", "d/k1/0.png", "0");
    finds("/x/d/k1/0.png,a\n/x/d/k2/0.png,b\n", "d/k1/0.png d/k2/0.png", "01");
    finds("k1/0.png,a\n1/0.png,b\n", "/x/k1/0.png /x/1/0.png", "01");
    finds("e/k1/0.png,a\nx,b\n", "d/k1/0.png x", "-1"); /* of another folder */
    finds("scan.001,a\n", "scan.001.png scan.002.png", "0-");
    /* the row with more folders is the image's */
    finds("0.png,a\nk1/0.png,b\nd/k2/0.png,c\n", "d/k1/0.png d/k2/0.png d/k3/0.png", "120");
    finds("0,a\nk1/0.png,b\n", "d/k2/0.png d/k1/0.png", "01");
    /* one row of two files of a folder */
    finds("k1/0,a\n", "k1/0.png k1/0.jpg", "00");
    finds("0.png,a\n0,a\n", "k1/0.png", "0");
}

/* A row of the whole name comes before one that lacks an extension; digits alone are none. */
static void whole_names_first(void **state)
{
    finds("x.jpg,a\nx.jpg.png,b\n", "x.jpg x.jpg.png", "01");
    finds("x.jpg,a\nx.jpg.png,b\n", "d/x.jpg.png d/x.jpg", "10");
    finds("d/x.jpg,a\nx.jpg.png,b\n", "d/x.jpg d/x.jpg.png", "01");
    finds("0.png,a\n0,b\n", "k1/0.png", "0");
    finds("0.png,a\n0,b\n", "k1/0.png k1/0.jpg", "01");
    finds("1.2.3,a\n1.2.3.4,b\n", "1.2.3 1.2.3.4 1.2.3.4.5", "01-");
    finds("1.2.3,a\n", "1.2.3 1.2.3.4 1.2.3.4[1] 1.2.3[1]", "0--0");
    finds("1.2.3,a\n1.2,b\n", "1.2.3.dcm 1.2.dcm", "01");
    finds("x.tif[1],a\nx.tif,b\nx,c\n", "x.tif[0] x.tif[1] x.png", "102");
    finds("x.,a\n", "x. x", "0-");
}

static void refuses(const char *text, const char *images, const char *said)
{
    assert_int_equal(find(text, images), -1);
    if (!strstr(error.text, said)) fail_msg("%s", error.text);
}

static void ambiguous_rows(void **state)
{
    refuses("x,9\n0.png,a\n", "k1/0.png k2/0.png",
            "g.csv:2: 0.png is the name of k1/0.png and of k2/0.png, lines 1 and 2 of x.list: must "
            "have their folders, such as k2/0.png");
    refuses("k1/0.png,a\n0,b\n", "k1/0.png k2/0.png k3/0.png",
            "g.csv:2: 0 is the name of k2/0.png and of k3/0.png, lines 2 and 3 of x.list");
    refuses("k1/0.png,a\nk2/0.png,b\n", "0.png",
            "k1/0.png on line 1 in group a: must be in one, or have more of its folders");
    refuses("k1/0,a\nd/k1/0,b\n", "0.png", "k1/0 is 0.png of line 1 of x.list in group a, and so is d/k1/0 on line 2 in group b");
    refuses("k1/0.png,a\n", "k2/0.png k3/0.png", "names none of the 2 images of x.list");
}

static void heads_without_image(void **state)
{
    static const char said[] = "g.csv:1: is no image of x.list, and names no column image: must be "
                               "image,group, and with more columns a first line with these words";
    refuses("file,class,group\na.png,nevus,1\n", "d/a.png", said);
    refuses("filename,site,patient\na.png,x,1\n", "d/a.png", said);
    refuses("group,file\n1,a.png\n", "d/a.png", said);
    refuses("file;GROUP\na.png;1\n", "d/a.png", said);
    finds("a.png,1,x\nb.png,2,x\n", "d/a.png d/b.png", "01"); /* no head */
    finds("b,1,x\na,2,x\n", "d/a.png d/b.png", "10");
    finds("a.png,group\nb.png,2\n", "d/a.png d/b.png", "10"); /* a group of that name */
    finds("file,patient\na.png,1\n", "d/a.png", "0");
    /* the first row is an image of another list */
    char list[320];
    struct meta_chunk chunk = { "e/c.png\nd/f.png\n", 16 };
    snprintf(list, sizeof list, "%s.list", path);
    if (meta_file_write(list, &chunk, 1, &error)) fail_msg("%s", error.text);
    train = list;
    finds("f,1,x\na,2,x\n", "d/a.png", "1");
    refuses("file,1,x\na,2,x\n", "d/a.png", said);
    train = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_spreadsheets_write), cmocka_unit_test(several_lines_in_a_field),
        cmocka_unit_test(numbers_of_groups),       cmocka_unit_test(rows_of_images),
        cmocka_unit_test(ambiguous_rows),          cmocka_unit_test(heads_without_image),
        cmocka_unit_test(whole_names_first),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
