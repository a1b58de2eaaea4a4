/* Data sets from a cache file: the same as without one, whatever has become of the file, the list or the images in between. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <glob.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/pool.h"
#include "image_files.h"
#include "tasks/cache.h"
#include "tasks/dataset.h"

enum { COUNT = 6, SIDE = 20 };
static struct meta_error error;
static struct meta_pool *pool;
static char data_text[200];
static int shared; /* loads are as those of several processes */

static void image(const char *path, int w, int h, int seed)
{
    unsigned char *p = make_picture(w, h, 3, seed);
    struct bytes b = !strcmp(path + strlen(path) - 4, ".jpg") ? make_jpeg(w, h, 3, p) : make_png(w, h, 3, 8, p);
    write_file(path, b.data, b.size);
    free(b.data);
    free(p);
}

/* What was written just now may not be told from what is written next: the cache does not keep it. */
static void wait_until_old(void) { nanosleep(&(struct timespec){ .tv_nsec = 30000000 }, NULL); }

static struct meta_dataset *load_as(int cache, int channels, int side)
{
    struct meta_data *data;
    struct meta_dataset *set;
    write_text("x.data", data_text);
    if (meta_data_read(&data, "x.data", &error)) fail_msg("%s", error.text);
    const struct meta_dataset_source source = { .data = data, .list = "x.list", .width = SIDE, .height = SIDE - 4, .channels = channels,
                                                .side = side, .cache = cache, .shared = shared };
    if (meta_dataset_load(&set, &source, pool, &error)) set = NULL;
    if (set) set->names = NULL;
    meta_data_free(data);
    return set;
}

static void expect_same(const struct meta_dataset *a, const struct meta_dataset *b)
{
    assert_true(a && b);
    assert_true(a->count == b->count && a->c == b->c);
    for (int i = 0; i < a->count; i++) {
        assert_true(a->w[i] == b->w[i] && a->h[i] == b->h[i] && a->label[i] == b->label[i] && a->largest[i] == b->largest[i]);
        assert_true(a->plain[i] == b->plain[i] && a->scaled[i] == b->scaled[i] && a->copy_of[i] == b->copy_of[i] && a->group[i] == b->group[i]);
        assert_memory_equal(&a->digests[i], &b->digests[i], sizeof a->digests[i]);
        assert_memory_equal(a->pixels[i], b->pixels[i], (size_t)a->w[i] * a->h[i] * a->c);
    }
}

/* Loads with the cache; all is as without it. held: the images that come out of the file; note: what the note holds, NULL: there is none. */
static void loads(int held, const char *note)
{
    struct meta_dataset *plain = load_as(0, 3, 0), *set = load_as(1, 3, 0);
    if (!plain || !set) fail_msg("%s", error.text);
    assert_null(plain->note);
    expect_same(plain, set);
    int count = 0;
    for (int i = 0; i < set->count; i++) count += meta_cache_holds(set->cache, set->pixels[i]);
    if (count != held) fail_msg("%d images of the file, not %d: %s", count, held, set->note ? set->note : "no note");
    if (!note != !set->note || (note && !strstr(set->note, note))) fail_msg("the note is: %s", set->note ? set->note : "none");
    meta_dataset_free(plain);
    meta_dataset_free(set);
}

#define CACHE "x.list.20x3.cache"

static int caches(void)
{
    glob_t found;
    int count = glob("*.cache*", 0, NULL, &found) ? 0 : (int)found.gl_pathc;
    globfree(&found);
    return count;
}

static int begin(void **state)
{
    const char *folder = scratch("cached");
    mkdir(folder, 0777);
    if (chdir(folder)) return -1;
    write_text("labels", "one_\ntwo_\n");
    strcpy(data_text, "classes=2\nlabels=labels\n");
    image("one_a.jpg", 90, 70, 1); /* scaled */
    image("one_b.png", 30, 51, 2);
    image("one_c.png", 20, 16, 3);
    image("two_a.png", 7, 50, 4);
    image("two_b.jpg", 40, 40, 5);
    image("two_c.png", 40, 40, 6);
    write_text("x.list", "one_a.jpg\none_b.png\none_c.png\ntwo_a.png\ntwo_b.jpg\ntwo_c.png\n");
    unlink(CACHE);
    wait_until_old();
    return meta_pool_create(&pool, 2, &error);
}

static int end(void **state)
{
    meta_pool_free(pool);
    pool = NULL;
    return 0;
}

static void written_once(void **state)
{
    struct stat first, second;
    loads(0, CACHE ": keeps the decoded images of x.list, 0.0 MB, for later starts");
    assert_int_equal(stat(CACHE, &first), 0);
    for (int i = 0; i < 3; i++) loads(COUNT, NULL);
    assert_int_equal(stat(CACHE, &second), 0);
    assert_true(first.st_ino == second.st_ino && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
    assert_int_equal(unlink(CACHE), 0); /* safe to remove */
    loads(0, "keeps the decoded images");
    loads(COUNT, NULL);
    assert_int_equal(caches(), 1);
}

/* What was decoded comes out of the file that was just written, and the note is still that of the decoding. */
static void shared_at_once(void **state)
{
    shared = 1;
    loads(COUNT, "keeps the decoded images");
    loads(COUNT, NULL);
    image("two_a.png", 7, 50, 9);
    wait_until_old();
    loads(COUNT, "1 of 6 images is new or changed");
    assert_int_equal(unlink(CACHE), 0);
    assert_int_equal(mkdir(CACHE, 0777), 0); /* it can't be written: they stay where they are */
    loads(0, "can't be written");
    rmdir(CACHE);
    shared = 0;
}

/* The note of an image that has changed in any way, and that all but it come out of the file. */
static void changed_images(void **state)
{
    struct stat was;
    struct timespec times[2];
    loads(0, "keeps");
    image("one_b.png", 33, 51, 2); /* another size */
    wait_until_old();
    loads(COUNT - 1, CACHE ": 1 of 6 images is new or changed: it was made anew");
    loads(COUNT, NULL);
    assert_int_equal(utimensat(AT_FDCWD, "one_b.png", (struct timespec[]){ { 5, 0 }, { 5, 0 } }, 0), 0); /* another time alone */
    wait_until_old();
    loads(COUNT - 1, "1 of 6 images is new or changed");
    /* of the same length and time of change, byte by byte and by renaming another over it */
    for (int renamed = 0; renamed < 2; renamed++) {
        FILE *f;
        assert_int_equal(stat("one_c.png", &was), 0);
        times[0] = times[1] = was.st_mtim;
        unsigned char *p = make_picture(20, 16, 3, 3);
        p[0] = (unsigned char)(100 + renamed);
        struct bytes b = { 0 };
        for (int seed = 0;; seed++) { /* another picture whose file is as long */
            p[30] = (unsigned char)seed;
            p[31] = (unsigned char)(seed >> 8);
            b = make_png(20, 16, 3, 8, p);
            if ((off_t)b.size == was.st_size) break;
            free(b.data);
        }
        const char *name = renamed ? "other" : "one_c.png";
        assert_non_null(f = fopen(name, renamed ? "wb" : "r+b"));
        assert_int_equal(fwrite(b.data, 1, b.size, f), b.size);
        fclose(f);
        assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
        if (renamed) assert_int_equal(rename(name, "one_c.png"), 0);
        free(b.data);
        free(p);
        wait_until_old();
        loads(COUNT - 1, "1 of 6 images is new or changed");
        loads(COUNT, NULL);
    }
    assert_int_equal(unlink("two_a.png"), 0); /* a missing image is the error that it always was */
    assert_null(load_as(1, 3, 0));
    assert_string_equal(error.text, "x.list:4: two_a.png: No such file or directory");
    write_text("two_a.png", "no image");
    assert_null(load_as(1, 3, 0));
    assert_non_null(strstr(error.text, "x.list:4: two_a.png: is no image"));
    image("two_a.png", 7, 50, 4);
    wait_until_old();
    loads(COUNT - 1, "1 of 6 images is new or changed");
    loads(COUNT, NULL);
}

static void changed_list(void **state)
{
    loads(0, "keeps");
    write_text("x.list", "two_c.png\n\none_a.jpg\none_c.png\ntwo_b.jpg\n"); /* fewer, in another order: all are there */
    loads(4, NULL);
    image("two_d.png", 20, 20, 9);
    image("one_d.png", 20, 20, 8);
    wait_until_old();
    write_text("x.list", "two_d.png\ntwo_c.png\none_a.jpg\none_d.png\none_b.png\none_c.png\ntwo_a.png\ntwo_b.jpg\n");
    loads(6, CACHE ": 2 of 8 images are new or changed: it was made anew");
    loads(8, NULL);
    write_text("x.list", "./two_d.png\none_a.jpg\n"); /* by another name */
    loads(1, "1 of 2 images is new or changed");
    write_text("x.list", "one_a.jpg\none_d.png\n"); /* what the file lost is decoded again */
    loads(1, "1 of 2 images is new or changed");
}

static void each_size_has_its_own(void **state)
{
    loads(0, "keeps");
    struct meta_dataset *set = load_as(1, 1, 0);
    assert_non_null(strstr(set->note, "x.list.20x1.cache: keeps"));
    meta_dataset_free(set);
    set = load_as(1, 3, 30);
    assert_non_null(strstr(set->note, "x.list.30x3.cache: keeps"));
    meta_dataset_free(set);
    strcpy(data_text, "classes=2\nlabels=labels\ndecode=full\n");
    loads(0, "x.list.20x3-full.cache: keeps");
    strcpy(data_text, "classes=2\nlabels=labels\nrange=4095\n");
    loads(0, "x.list.20x3-r4095.cache: keeps");
    strcpy(data_text, "classes=2\nlabels=labels\n");
    loads(COUNT, NULL);
    assert_int_equal(caches(), 5);
    /* a file of other pixels under this name is not believed */
    assert_int_equal(rename("x.list.20x3-full.cache", CACHE), 0);
    loads(0, CACHE ": was made by other means of decoding: it was made anew");
    loads(COUNT, NULL);
    unlink("x.list.20x1.cache");
    unlink("x.list.30x3.cache");
    unlink("x.list.20x3-r4095.cache");
}

/* Every byte of the file changed in turn, and the file cut there: the data set is what it is without the file, which is whole again. */
static void damage(void **state)
{
    loads(0, "keeps");
    FILE *f = fopen(CACHE, "rb");
    unsigned char *whole = malloc(1 << 18);
    size_t size = fread(whole, 1, 1 << 18, f);
    fclose(f);
    int notes = 0;
    for (size_t at = 0; at < size; at += at < 900 ? 13 : 311) {
        for (int is_cut = 0; is_cut < 2; is_cut++) {
            whole[at] ^= 16;
            write_file(CACHE, whole, is_cut ? at : size);
            whole[at] ^= 16;
            struct meta_dataset *plain = load_as(0, 3, 0), *set = load_as(1, 3, 0);
            expect_same(plain, set);
            if (set->note) {
                notes++;
                assert_non_null(strstr(set->note, ": it was made anew"));
            } else assert_false(is_cut);
            meta_dataset_free(plain);
            meta_dataset_free(set);
            if (is_cut) loads(COUNT, NULL);
        }
    }
    assert_true(notes > 60);
    whole[size - 1] ^= 1;
    write_file(CACHE, whole, size);
    loads(COUNT - 1, CACHE ": 1 of its images is damaged: it was made anew");
    free(whole);
}

static void where_it_lies(void **state)
{
    strcpy(data_text, "classes=2\nlabels=labels\ncache=off\n");
    loads(0, NULL);
    assert_int_equal(caches(), 0);
    strcpy(data_text, "classes=2\nlabels=labels\ncache=deep/er/\n");
    loads(0, "deep/er/" CACHE ": keeps the decoded images of x.list");
    loads(COUNT, NULL);
    assert_int_equal(caches(), 0);
    assert_int_equal(unlink("deep/er/" CACHE), 0);
    assert_int_equal(rmdir("deep/er"), 0);
    write_text("deep/er", "a file is there");
    loads(0, "deep/er/" CACHE);
    loads(0, "can't be written");
    unlink("deep/er");
    rmdir("deep");
    strcpy(data_text, "classes=2\nlabels=labels\n");
    assert_int_equal(mkdir(CACHE, 0777), 0); /* a folder of that name is left alone */
    loads(0, CACHE ": is not a regular file, can't be written: something else has its name: images are decoded at each start");
    assert_int_equal(rmdir(CACHE), 0);
    if (!geteuid()) {
        print_message("a folder that may not be written is not tried by root\n");
        return;
    }
    assert_int_equal(chmod(".", 0555), 0);
    loads(0, CACHE ": can't be written: Permission denied: images are decoded at each start");
    assert_int_equal(chmod(".", 0777), 0);
}

/* An image that was changed when it was read, or less than a step of the kernel's clock before, is not kept. */
static void too_new(void **state)
{
    struct meta_dataset *set = NULL;
    for (int try = 0; try < 50; try++) {
        image("one_c.png", 20, 16, 3);
        set = load_as(1, 3, 0);
        meta_dataset_free(set);
        set = load_as(1, 3, 0);
        int again = set->note && strstr(set->note, "1 of 6 images is new or changed");
        meta_dataset_free(set);
        if (again) return;
    }
    fail_msg("an image that was changed at once before is kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_once, begin, end), cmocka_unit_test_setup_teardown(changed_images, begin, end),
        cmocka_unit_test_setup_teardown(shared_at_once, begin, end), cmocka_unit_test_setup_teardown(changed_list, begin, end), cmocka_unit_test_setup_teardown(each_size_has_its_own, begin, end),
        cmocka_unit_test_setup_teardown(damage, begin, end), cmocka_unit_test_setup_teardown(where_it_lies, begin, end),
        cmocka_unit_test_setup_teardown(too_new, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
