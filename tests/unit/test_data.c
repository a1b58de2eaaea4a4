/* .data files, lists, groups and the images in memory: what is read, and what is said of what can't be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/net_section.h"
#include "tasks/depth.h"
#include "tasks/view.h"
#include "images/image.h"
#include "image_files.h"
#include "base/pool.h"

static struct meta_error error;
static struct meta_data *data;

static int read_data(const char *text)
{
    write_text("x.data", text);
    data = NULL;
    strcpy(error.text, "no error");
    int status = meta_data_read(&data, "x.data", &error);
    if (status) assert_null(data);
    return status;
}

static void refused(const char *text, const char *reason)
{
    assert_int_equal(read_data(text), -1);
    assert_string_equal(error.text, reason);
}

static void data_file(void **state)
{
    write_text("three.labels", "\xef\xbb\xbf""MEL/\r\nNV/\r\n\r\nDF/");
    write_text("three.names", "melanoma\nnevus of the skin\ndermatofibroma\n");
    assert_int_equal(read_data("# ISIC\r\nclasses = 3\r\nlabels=three.labels   # paths\r\n\r\ntrain = common.list\r\ntop=2\r\n"
                               "backup=backup\r\ngroups = groups.csv\r\n"), 0);
    assert_int_equal(data->classes, 3);
    assert_string_equal(data->path, "x.data");
    assert_string_equal(data->labels[0], "MEL/");
    assert_string_equal(data->labels[2], "DF/");
    assert_string_equal(data->names[2], "DF/");
    assert_string_equal(data->train, "common.list");
    assert_string_equal(data->backup, "backup");
    assert_string_equal(data->groups, "groups.csv");
    assert_null(data->valid);
    assert_null(data->test);
    assert_int_equal(data->decode, META_DECODE_SCALED);
    meta_data_free(data);
    assert_int_equal(read_data("classes=3\nlabels=three.labels\nnames=three.names\nvalid=v\ntest=t\n"), 0);
    assert_string_equal(data->names[1], "nevus of the skin");
    assert_string_equal(data->valid, "v");
    assert_string_equal(data->test, "t");
    meta_data_free(data);
    meta_data_free(NULL);
}

static void names_are(const char *first, const char *second, const char *third)
{
    assert_int_equal(read_data("classes=3\nlabels=three.labels\nnames=equal.names\n"), 0);
    assert_string_equal(data->names[0], first);
    assert_string_equal(data->names[1], second);
    assert_string_equal(data->names[2], third);
    meta_data_free(data);
}

static void equal_names_have_numbers(void **state)
{
    write_text("equal.names", "crane\nheron\ncrane\n");
    names_are("crane (class 0)", "heron", "crane (class 2)");
    write_text("equal.names", "crane\ncrane (class 0)\ncrane\n");
    names_are("crane (class 0) (class 0)", "crane (class 0) (class 1)", "crane (class 2) (class 2)");
    write_text("same.labels", "a\na\n");
    assert_int_equal(read_data("classes=2\nlabels=same.labels\n"), 0);
    assert_string_equal(data->names[1], "a (class 1)");
    assert_string_equal(data->labels[1], "a");
    meta_data_free(data);
}

static void data_file_errors(void **state)
{
    write_text("two.names", "a\nb\n");
    write_file("zero.labels", "a\0b\n", 4);
    refused("labels=three.labels\n", "x.data: classes is missing: must be the number of classes");
    refused("classes=3\n", "x.data: labels is missing: must name a file with one label a line, each a part of the paths of its class");
    refused("labels=three.labels\nclasses=4\n", "x.data:2: classes=4, but three.labels has 3 labels: must be the same number");
    refused("classes=3\nlabels=three.labels\nnames=two.names\n",
            "x.data:1: classes=3, but two.names has 2 names: must be the same number");
    refused("classes=3\n\nlabels=none.labels\n", "x.data:3: labels: none.labels: No such file or directory");
    refused("classes=3\nlabels=zero.labels\n", "x.data:2: labels: zero.labels:1: has a zero byte: must be a text file");
    assert_int_equal(read_data("classes=0\nlabels=three.labels\n"), -1);
    assert_non_null(strstr(error.text, "x.data:1: "));
    assert_non_null(strstr(error.text, "classes=0"));
    assert_int_equal(read_data("classes=3\nlabels=three.labels\nresults=r\n"), -1);
    assert_non_null(strstr(error.text, "x.data:3: "));
    assert_non_null(strstr(error.text, "results"));
    assert_int_equal(read_data("classes=3\nlabels=three.labels\ntrain=a\ntrain=b\n"), -1);
    assert_non_null(strstr(error.text, "x.data:4: "));
    assert_non_null(strstr(error.text, "train"));
    assert_int_equal(meta_data_read(&data, "none.data", &error), -1);
    assert_non_null(strstr(error.text, "none.data: "));
}

/* ---- data sets ------------------------------------------------------------------------------------------------------------- */

static void image(const char *path, int w, int h, int seed)
{
    unsigned char *p = make_picture(w, h, 3, seed);
    struct bytes b = !strcmp(path + strlen(path) - 4, ".jpg") ? make_jpeg(w, h, 3, p) : make_png(w, h, 3, 8, p);
    write_file(path, b.data, b.size);
    free(b.data);
    free(p);
}

static struct meta_dataset *set;

static int load(const char *list, int channels, int side, int threads)
{
    struct meta_pool *pool;
    set = NULL;
    strcpy(error.text, "no error");
    assert_int_equal(meta_pool_create(&pool, threads, &error), 0);
    struct meta_dataset_source source = { data, list, 20, 16, channels, side, META_ORIENTATION_EXIF, 0, 0 };
    int status = meta_dataset_load(&set, &source, pool, &error);
    meta_pool_free(pool);
    if (status) assert_null(set);
    return status;
}

static void list_refused(const char *list, const char *reason)
{
    write_text("bad.list", list);
    assert_int_equal(load("bad.list", 3, 0, 2), -1);
    assert_string_equal(error.text, reason);
}

static void dataset(void **state)
{
    image("MEL/a.png", 60, 40, 1);
    image("NV/b.b.jpg", 30, 51, 2);
    image("DF/c d.png", 20, 16, 3);
    image("DF/e.png", 7, 50, 4);
    write_text("x.list", "\r\nMEL/a.png\r\nNV/b.b.jpg\r\n   \r\nDF/c d.png\r\nDF/e.png");
    write_text("groups.csv", "image,lesion_id,how\r\na,L2,x\r\nother,L3,\r\n\r\n b.b , L1 ,y\r\ne,L2");
    assert_int_equal(read_data("classes=3\nlabels=three.labels\nnames=three.names\ngroups=groups.csv\n"), 0);
    for (int threads = 1; threads <= 3; threads++) {
        static const int lines[] = { 2, 3, 5, 6 }, label[] = { 0, 1, 2, 2 }, w[] = { 30, 20, 20, 7 }, h[] = { 20, 34, 16, 50 };
        assert_int_equal(load("x.list", 3, 0, threads), 0);
        assert_true(set->count == 4 && set->c == 3 && set->classes == 3);
        assert_string_equal(set->list, "x.list");
        assert_string_equal(set->names[2], "dermatofibroma");
        assert_string_equal(set->paths[2], "DF/c d.png");
        for (int i = 0; i < 4; i++) {
            assert_int_equal(set->lines[i], lines[i]);
            assert_int_equal(set->label[i], label[i]);
            assert_int_equal(set->w[i], w[i]);
            assert_int_equal(set->h[i], h[i]);
        }
        assert_true(set->group[0] == set->group[3] && set->group[0] != set->group[1] && set->group[1] >= 0 && set->group[0] >= 0);
        assert_int_equal(set->group[2], -1);
        unsigned char *p = make_picture(20, 16, 3, 3);         /* already at the working size: byte for byte */
        assert_memory_equal(set->pixels[2], p, 20 * 16 * 3);
        free(p);
        p = make_picture(60, 40, 3, 1);                        /* halved: means of four */
        for (int y = 0; y < 20; y++)
            for (int x = 0; x < 90; x++) {
                const unsigned char *q = p + (2 * y * 60 + x / 3 * 2) * 3 + x % 3;
                assert_in_range(4 * set->pixels[0][y * 90 + x] + 4 - (q[0] + q[3] + q[180] + q[183]), 1, 7);
            }
        free(p);
        meta_dataset_free(set);
    }
    assert_int_equal(load("x.list", 1, 30, 2), 0);
    assert_true(set->c == 1 && set->w[0] == 45 && set->h[0] == 30 && set->w[1] == 30 && set->h[1] == 51);
    meta_dataset_free(set);
    assert_int_equal(load("x.list", 2, 0, 1), -1);
    assert_string_equal(error.text, "channels=2: must be 1 or 3");
    meta_data_free(data);
    meta_dataset_free(NULL);
}

static void list_errors(void **state)
{
    assert_int_equal(read_data("classes=3\nlabels=three.labels\n"), 0);
    list_refused("", "bad.list: has no images: must have a path on each line");
    list_refused("\n \r\n", "bad.list: has no images: must have a path on each line");
    list_refused("MEL/a.png\n\nBCC/a.png\n", "bad.list:3: BCC/a.png: has no label in its path: must have one of MEL/, NV/, DF/");
    list_refused("x/MEL/DF/a.png\n", "bad.list:1: x/MEL/DF/a.png: has labels MEL/ and DF/ in its path: must have exactly one");
    image("x/DF/e.png", 20, 20, 1);
    list_refused("x/MEL/a.png\nx/DF/e.png\nx/NV/b\nx/DF/e.png\nx/MEL/a.png\nx/DF/e.png",
                 "bad.list:4: x/DF/e.png: is on line 2 already: must be there once");
    list_refused("x/DF/e.png\nx/MEL/a.png\nx/./DF/e.png\n",
                 "bad.list:3: x/./DF/e.png: is the file of line 1, x/DF/e.png, by another name: must be there once");
    assert_int_equal(symlink("a.png", "x/MEL/twin.png"), 0);
    list_refused("x/MEL/a.png\nx/MEL/twin.png\n",
                 "bad.list:2: x/MEL/twin.png: is the file of line 1, x/MEL/a.png, by another name: must be there once");
    list_refused("x/MEL/a.png\nx/MEL/none.png\n", "bad.list:2: x/MEL/none.png: No such file or directory");
    list_refused("x/MEL/\n", "bad.list:1: x/MEL/: is not a regular file");
    assert_int_equal(load("none.list", 3, 0, 1), -1);
    assert_string_equal(error.text, "none.list: No such file or directory");

    write_text("x/NV/text.png", "hello");
    write_text("x/NV/empty.jpg", "");
    struct bytes b = make_png(60000, 60000, 3, 8, NULL);
    write_file("x/NV/huge.png", b.data, b.size);
    free(b.data);
    list_refused("x/MEL/a.png\nx/NV/text.png\n",
                 "bad.list:2: x/NV/text.png: is no image: must be a JPEG, PNG, BMP, binary PGM or PPM, TIFF, WebP, JPEG 2000 or DICOM file");
    list_refused("x/NV/empty.jpg\n", "bad.list:1: x/NV/empty.jpg: is empty");
    list_refused("x/NV/huge.png\n", "bad.list:1: x/NV/huge.png: 60000x60000 pixels: must be at most 100000000 in all");
    meta_data_free(data);
}

/* Two thirds of a long list can't be read; to find that out takes longest for the first of them, or for the second. */
static void first_error(void **state)
{
    static char list[2][20000];
    char *end[2] = { list[0], list[1] };
    unsigned char *p = make_picture(1500, 1500, 3, 1);
    struct bytes b = make_jpeg(1500, 1500, 3, p);
    write_file("x/MEL/cut.jpg", b.data, b.size - 3000);
    free(b.data);
    free(p);
    for (int i = 0; i < 200; i++) {
        char path[32];
        snprintf(path, sizeof path, "x/DF/%d.png", i);
        if (i < 60) image(path, 8, 8, i);
        for (int k = 0; k < 2; k++) end[k] += sprintf(end[k], "%s\n", i == 60 + k ? "x/MEL/cut.jpg" : path);
    }
    assert_int_equal(read_data("classes=3\nlabels=three.labels\n"), 0);
    for (int i = 0; i < 24; i++) {
        write_text("long.list", list[i % 2]);
        assert_int_equal(load("long.list", 3, 0, 1 + i / 2 % 4), -1);
        assert_non_null(strstr(error.text, i % 2 ? "long.list:61: x/DF/60.png: No such" : "long.list:61: x/MEL/cut.jpg: corrupt JPEG: "));
    }
    meta_data_free(data);
}

static void group_errors(void **state)
{
    static const char *const cases[][2] = {
        { "a,1\nb\n", "groups.csv:2: has one field: must be image,group" },
        { "a,1\n\nb, \n", "groups.csv:3: no group: must be image,group" },
        { ",1\n", "groups.csv:1: no image: must be image,group" },
        { "\"a\" b,1\n", "groups.csv:1: has text behind a closing quotation mark: must be a field's end, and a quotation mark inside a field two" },
        { "a,1\nb,\"2\nc,3\n", "groups.csv:2: has a quotation mark that is never closed" },
        { "a,1\nMEL/,2\n", "groups.csv:2: MEL/: is a folder: must be an image" },
        { "a,1\nc,4\nb,2\na,3\n", "groups.csv:4: a is in group 3, but on line 1 in group 1: must be in one" },
    };
    write_text("one.list", "MEL/a.png\n");
    assert_int_equal(read_data("classes=3\nlabels=three.labels\ngroups=groups.csv\n"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_text("groups.csv", cases[i][0]);
        assert_int_equal(load("one.list", 3, 0, 1), -1);
        assert_string_equal(error.text, cases[i][1]);
    }
    write_text("groups.csv", "aa,1\nA,2\n a.pn,3\n");           /* none of them is a, or a.png */
    assert_int_equal(load("one.list", 3, 0, 1), -1);
    assert_string_equal(error.text, "groups.csv: names none of the 1 images of one.list, such as MEL/a.png: must be image,group, an image by its "
                        "path or the end of it, down to the file's name; one that belongs to no other in a group of its own");
    write_text("groups.csv", "aa,1\nA,2\n a.png,3\n");          /* as a file is called */
    assert_int_equal(load("one.list", 3, 0, 1), 0);
    assert_int_equal(set->group[0], 2);
    meta_dataset_free(set);
    write_text("groups.csv", "a,1\na,1\n");                     /* the same twice is no contradiction */
    assert_int_equal(load("one.list", 3, 0, 1), 0);
    assert_int_equal(set->group[0], 0);
    meta_dataset_free(set);
    image("MEL/image.png", 20, 20, 1);
    write_text("one.list", "MEL/image.png\nMEL/a.png\n");
    write_text("groups.csv", "image,group\na,1\n");             /* a header is no image */
    assert_int_equal(load("one.list", 3, 0, 1), 0);
    assert_true(set->group[0] == -1 && set->group[1] == 0);
    meta_dataset_free(set);
    unlink("groups.csv");
    assert_int_equal(load("one.list", 3, 0, 1), -1);
    assert_non_null(strstr(error.text, "data:3: groups: groups.csv: No such file or directory"));
    meta_data_free(data);
}

/* A 20 x 16 PNG of 16 bits, gray: values 0 to `most`. */
static void deep_image(const char *path, int most)
{
    unsigned char samples[20 * 16 * 2];
    for (int i = 0; i < 20 * 16; i++) {
        int value = i == 0 ? most : i * 7919 % (most + 1);
        samples[2 * i] = value >> 8;
        samples[2 * i + 1] = value;
    }
    struct bytes b = make_png(20, 16, 1, 16, samples);
    write_file(path, b.data, b.size);
    free(b.data);
}

/* A list of 12-bit files is refused until its range is said; a dark file among others is not taken for one. */
static void depth(void **state)
{
    deep_image("MEL/d1.png", 4000);
    deep_image("NV/d2.png", 900);
    deep_image("DF/d3.png", 65000);
    deep_image("DF/d4.png", 40000);
    image("DF/e.png", 20, 16, 4);
    write_text("12.list", "MEL/d1.png\nNV/d2.png\nDF/e.png\n");
    write_text("16.list", "MEL/d1.png\nDF/d3.png\nDF/e.png\n");
    assert_int_equal(read_data("classes=3\nlabels=three.labels\n"), 0);
    assert_int_equal(load("12.list", 1, 0, 2), -1);
    assert_string_equal(error.text, "12.list: the largest value of 2 of its 2 16-bit files is 4000: x.data needs range=4095 if that is their white, "
                                    "or range=65535 if they are as dark as that");
    assert_int_equal(load("16.list", 1, 0, 2), 0);
    struct meta_depth d = meta_depth_of(set);
    assert_true(d.files == 2 && d.largest == 65000 && d.dark == 1 && d.dark_largest == 4000);
    assert_int_equal(set->pixels[0][0], 4000 >> 8);
    meta_dataset_free(set);
    assert_int_equal(meta_depth_check_file(900, data, &error), -1);
    assert_string_equal(error.text, "the largest of its 16-bit values is 900: x.data needs range=1023 if that is white, or range=65535 if the image "
                                    "is as dark as that");
    assert_int_equal(meta_depth_check_file(0, data, &error), 0);
    assert_int_equal(meta_depth_check_file(32768, data, &error), 0);
    meta_data_free(data);

    assert_int_equal(read_data("classes=3\nlabels=three.labels\nrange=65535\n"), 0);
    assert_int_equal(load("12.list", 1, 0, 2), 0);
    assert_int_equal(set->pixels[1][0], 900 >> 8);
    meta_dataset_free(set);
    meta_data_free(data);
    assert_int_equal(read_data("classes=3\nlabels=three.labels\nrange=4095\n"), 0);
    assert_int_equal(load("12.list", 1, 0, 2), 0);
    assert_int_equal(set->pixels[0][0], 249);              /* 4000 of 4095 */
    assert_int_equal(set->pixels[1][0], 56);
    meta_dataset_free(set);
    write_text("16.list", "MEL/d1.png\nDF/d3.png\n");
    assert_int_equal(load("16.list", 1, 0, 2), -1);
    assert_string_equal(error.text, "16.list:2: DF/d3.png: a value of 65000, above range=4095: range must be the value of white");
    meta_data_free(data);
    refused("classes=3\nlabels=three.labels\nrange=65536\n", "x.data:3: range=65536: must be 1 to 65535");
}

/* Names alone are enough for what reads no list. */
static void without_labels(void **state)
{
    assert_int_equal(read_data("classes=3\nnames=three.names\n"), 0);
    assert_string_equal(data->names[2], "dermatofibroma");
    assert_int_equal(load("x.list", 3, 0, 2), -1);
    assert_string_equal(error.text, "x.data: labels is missing: must name a file with one label a line, each a part of the paths of its class");
    meta_data_free(data);
}

static int prepare(void **state)
{
    static const char *const folders[] = { "MEL", "NV", "DF", "x", "x/MEL", "x/NV", "x/DF" };
    /* labels are looked for in the whole path: away from where the project happens to lie */
    if (chdir(scratch(""))) return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) mkdir(folders[i], 0777);
    write_text("three.labels", "MEL/\nNV/\nDF/\n");
    image("x/MEL/a.png", 20, 20, 1);
    return 0;
}

static void pixels_of(const char *decode, unsigned char *out, int *scaled)
{
    char text[100];
    sprintf(text, "classes=3\nlabels=three.labels\n%s", decode);
    assert_int_equal(read_data(text), 0);
    if (load("large.list", 3, 0, 2)) fail_msg("%s", error.text);
    assert_true(set->w[0] == 27 && set->h[0] == 20 && set->w[1] == 26 && set->h[1] == 20);
    *scaled = meta_dataset_scaled(set);
    memcpy(out, set->pixels[0], 27 * 20 * 3);
    meta_dataset_free(set);
    meta_data_free(data);
}

/* A JPEG of 160x120 for a network of 20 pixels is decoded at a quarter, 40x30, unless the .data file says otherwise; one of 50x39 is not. */
static void decoding(void **state)
{
    unsigned char scaled[27 * 20 * 3], full[27 * 20 * 3], named[27 * 20 * 3], one[27 * 20 * 3];
    int count[3];
    image("MEL/large.jpg", 160, 120, 5);
    image("NV/small.jpg", 50, 39, 6);
    write_text("large.list", "MEL/large.jpg\nNV/small.jpg\n");
    pixels_of("", scaled, &count[0]);
    pixels_of("decode=scaled\n", named, &count[1]);
    pixels_of("decode=full\n", full, &count[2]);
    assert_true(count[0] == 1 && count[1] == 1 && count[2] == 0);
    assert_memory_equal(scaled, named, sizeof scaled);
    /* what predict sees of the file is what a training sees */
    struct meta_net_settings net = { .width = 20, .height = 20, .channels = 3 };
    float view[3 * 20 * 20];
    for (int in_full = 0; in_full < 2; in_full++) {
        char text[100];
        const unsigned char *kept = in_full ? full : scaled;
        sprintf(text, "classes=3\nlabels=three.labels\ndecode=%s\n", in_full ? "full" : "scaled");
        assert_int_equal(read_data(text), 0);
        assert_int_equal(meta_view_file("MEL/large.jpg", data, &net, view, &error), 0);
        for (int y = 0; y < 20; y++)
            for (int x = 0; x < 20; x++)
                assert_true(view[400 + y * 20 + x] == kept[(y * 27 + 3 + x) * 3 + 1] / 255.f);
        meta_data_free(data);
    }
    double sum = 0;
    for (size_t i = 0; i < sizeof full; i++) sum += abs(scaled[i] - full[i]);
    assert_true(sum > 0 && sum / sizeof full < 1);
    struct meta_image exact; /* what the full size gives is what it always gave */
    const struct meta_image_reading reading = { .channels = 3 };
    assert_int_equal(meta_image_read("MEL/large.jpg", &reading, &exact, &error), 0);
    assert_int_equal(meta_image_fit(&exact, 20, &error), 0);
    memcpy(one, exact.pixels, sizeof one);
    free(exact.pixels);
    assert_memory_equal(full, one, sizeof full);
    refused("classes=3\nlabels=three.labels\ndecode=half\n", "x.data:3: decode=half: must be scaled or full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_file), cmocka_unit_test(data_file_errors), cmocka_unit_test(equal_names_have_numbers), cmocka_unit_test(dataset), cmocka_unit_test(list_errors),
        cmocka_unit_test(first_error), cmocka_unit_test(group_errors), cmocka_unit_test(depth), cmocka_unit_test(decoding), cmocka_unit_test(without_labels),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
