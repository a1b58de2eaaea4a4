/* The file of decoded images: what is written is read, and nothing of a file that is cut, changed or made up is believed. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tasks/cache_internal.h"
#include "image_files.h"

enum { COUNT = 4 };
static struct meta_error error;
static const struct meta_cache_kind kind = { { 7, 8, 9 }, 3 };
static struct meta_cache_image images[COUNT];
static char folder[300], path[400];

/* In place of libc's: some file systems know no files without a name. */
static int only_named;
int open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
    va_end(arguments);
    if (!only_named || (flags & O_TMPFILE) != O_TMPFILE) return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
    errno = EOPNOTSUPP;
    return -1;
}

static int make_images(void **state)
{
    static const struct { const char *path; int w, h; } what[COUNT] = { { "b/two.jpg", 12, 9 }, { "a/one.jpg", 1, 1 }, { "c", 31, 5 }, { "a/one.png", 20, 20 } };
    for (int i = 0; i < COUNT; i++) {
        unsigned char *pixels = make_picture(what[i].w, what[i].h, 3, i);
        images[i] = (struct meta_cache_image){ .path = what[i].path, .state = { i + 1, 100 + i, 5, 6, 7, 8 }, .digest = { 100 + i, 11 * i, 22 * i },
                                               .w = what[i].w, .h = what[i].h, .largest = 1000 * i, .plain = i == 1, .scaled = i == 2,
                                               .pixels = pixels, .sum = meta_cache_sum(pixels, (size_t)what[i].w * what[i].h * 3) };
    }
    snprintf(folder, sizeof folder, "%s", scratch("cache"));
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/x.cache", folder);
    return 0;
}

static int free_images(void **state)
{
    for (int i = 0; i < COUNT; i++) free((void *)images[i].pixels);
    return 0;
}

static void write_cache(int count)
{
    size_t bytes;
    if (meta_cache_write(path, &kind, images, count, &bytes, &error)) fail_msg("%s", error.text);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, bytes);
}

/* The names in the folder, one behind the other. */
static const char *listing(void)
{
    static char names[1000];
    DIR *d = opendir(folder);
    *names = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (*e->d_name != '.') strcat(strcat(names, e->d_name), " ");
    closedir(d);
    return names;
}

static int is_whole(const struct meta_cache_image *i)
{
    return meta_cache_sum(i->pixels, (size_t)i->w * i->h * 3) == i->sum;
}

static void expect_images(const struct meta_cache *c, int count)
{
    assert_int_equal(meta_cache_count(c), count);
    for (int i = 0; i < count; i++) {
        struct meta_cache_image is = meta_cache_image(c, i), was = images[i];
        assert_string_equal(is.path, was.path);
        assert_memory_equal(&is.state, &was.state, sizeof is.state);
        assert_memory_equal(&is.digest, &was.digest, sizeof is.digest);
        assert_true(is.w == was.w && is.h == was.h && is.largest == was.largest && is.plain == was.plain && is.scaled == was.scaled);
        assert_true(is.sum == was.sum && is_whole(&is));
        assert_memory_equal(is.pixels, was.pixels, (size_t)was.w * was.h * 3);
        assert_true(meta_cache_holds(c, is.pixels) && !meta_cache_holds(c, was.pixels));
    }
}

static void round_trip(void **state)
{
    struct meta_cache *c;
    assert_int_equal(meta_cache_open(&c, path, &kind, &error), 0);
    assert_true(!c || only_named); /* there is none */
    meta_cache_close(c);
    for (int count = 1; count <= COUNT; count++) {
        write_cache(count);
        assert_int_equal(meta_cache_open(&c, path, &kind, &error), 0);
        expect_images(c, count);
        meta_cache_close(c);
        assert_string_equal(listing(), "x.cache ");
    }
    assert_int_equal(meta_cache_open(&c, path, &kind, &error), 0);
    char *same[] = { "b/two.jpg", "a/one.jpg", "c", "a/one.png" }, *other[] = { "a/one.png", "none", "c", "b/two.jpg", "a/one.jpg", "" };
    static const int numbers[] = { 3, -1, 2, 0, 1, -1 };
    int found[6];
    assert_int_equal(meta_cache_find(c, same, COUNT, found), 0);
    for (int i = 0; i < COUNT; i++) assert_int_equal(found[i], i);
    assert_int_equal(meta_cache_find(c, other, 6, found), 0);
    assert_memory_equal(found, numbers, sizeof numbers);
    meta_cache_close(c);
    meta_cache_close(NULL);
    assert_false(meta_cache_holds(NULL, path));
}

static void refused(const void *data, size_t size, const struct meta_cache_kind *asked, const char *reason)
{
    struct meta_cache *c;
    void *copy = malloc(size ? size : 1); /* a block of its own, so that reading past the end shows */
    memcpy(copy, data, size);
    if (!meta_cache_parse(&c, copy, size, asked, &error)) fail_msg("not refused: %s", reason ? reason : "");
    assert_null(c);
    if (reason) assert_string_equal(error.text, reason);
    free(copy);
}

static unsigned char *contents(size_t *size)
{
    write_cache(COUNT);
    FILE *f = fopen(path, "rb");
    unsigned char *data = malloc(1 << 16);
    *size = fread(data, 1, 1 << 16, f);
    fclose(f);
    return data;
}

static void cut(void **state)
{
    size_t size;
    unsigned char *data = contents(&size);
    for (size_t n = 0; n < size; n++) refused(data, n, &kind, "is cut short");
    refused(data, size + 1, &kind, "has bytes behind its end");
    free(data);
    struct meta_cache *c; /* as a file, too */
    for (int n = 200; n >= 0; n -= 25) {
        assert_int_equal(truncate(path, n), 0);
        assert_int_equal(meta_cache_open(&c, path, &kind, &error), -1);
        assert_string_equal(error.text, "is cut short");
    }
}

/* A changed byte of header, list or paths is found at once; one of the pixels by their check sum, in that image alone. */
static void changed_bytes(void **state)
{
    size_t size, harmless = 0;
    unsigned char *data = contents(&size);
    const struct meta_cache_header *h = (void *)data;
    size_t index = sizeof *h + COUNT * sizeof(struct meta_cache_entry) + h->names;
    for (size_t at = 0; at < size; at++) {
        unsigned char was = data[at];
        data[at] ^= (unsigned char)(1 << at % 8);
        struct meta_cache *c = NULL;
        if (at < index) refused(data, size, &kind, NULL);
        else {
            int damaged = 0;
            assert_int_equal(meta_cache_parse(&c, data, size, &kind, &error), 0);
            for (int i = 0; i < COUNT; i++) {
                struct meta_cache_image image = meta_cache_image(c, i);
                damaged += !is_whole(&image);
            }
            assert_true(damaged <= 1);
            harmless += !damaged; /* between two images */
        }
        meta_cache_close(c);
        data[at] = was;
    }
    size_t pixels = 0;
    for (int i = 0; i < COUNT; i++) pixels += (size_t)images[i].w * images[i].h * 3;
    assert_int_equal(harmless, size - index - pixels);
    free(data);
}

/* Gives a file that was tampered with the digests that it should have. */
static void seal(unsigned char *data)
{
    struct meta_cache_header *h = (void *)data;
    h->index = meta_digest(h + 1, COUNT * sizeof(struct meta_cache_entry) + h->names);
    h->header = meta_digest(h, offsetof(struct meta_cache_header, header));
}

#define LIE(what, to)                                               \
    do {                                                            \
        unsigned char *copy = malloc(size);                         \
        memcpy(copy, data, size);                                   \
        struct meta_cache_header *h = (void *)copy;                 \
        struct meta_cache_entry *e = (void *)(h + 1);               \
        (void)e;                                                    \
        what = to;                                                  \
        if (h->names < size) seal(copy);                            \
        else h->header = meta_digest(h, offsetof(struct meta_cache_header, header)); \
        refused(copy, size, &kind, NULL);                           \
        free(copy);                                                 \
    } while (0)

/* Nothing that lies outside of the file is reached, whatever the numbers in it say and however well it is sealed. */
static void made_up(void **state)
{
    size_t size;
    unsigned char *data = contents(&size);
    LIE(h->count, 0);
    LIE(h->count, UINT32_MAX);
    LIE(h->count, COUNT + 1);
    LIE(h->names, 0);
    LIE(h->names, UINT64_MAX);
    LIE(h->names, size);
    LIE(h->names, h->names - 1);
    LIE(h->bytes, size + 1);
    LIE(h->bytes, UINT64_MAX);
    LIE(h->channels, 1);
    LIE(h->version, META_CACHE_VERSION + 1);
    LIE(h->order, 0x04030201);
    LIE(e[3].pixels, UINT64_MAX);
    LIE(e[3].pixels, size);
    LIE(e[3].pixels, e[3].pixels + 1);
    LIE(e[0].w, 0);
    LIE(e[0].w, -1);
    LIE(e[0].w, INT32_MAX);
    LIE(e[0].h, INT32_MAX);
    LIE(e[0].h, INT32_MIN);
    LIE(e[3].w, e[3].w + 1);
    LIE(e[1].name, h->names);
    LIE(e[1].name, UINT64_MAX);
    LIE(e[1].largest, -1);
    LIE(e[1].plain, 2);
    LIE(e[1].scaled, 200);
    struct meta_cache_kind other = kind;
    other.key.low++;
    refused(data, size, &other, "was made by other means of decoding");
    other = kind;
    other.channels = 1;
    refused(data, size, &other, "was made by other means of decoding");
    free(data);
}

static void not_a_file(void **state)
{
    struct meta_cache *c;
    size_t bytes;
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(meta_cache_open(&c, path, &kind, &error), -1);
    assert_string_equal(error.text, "is not a regular file");
    assert_int_equal(meta_cache_write(path, &kind, images, COUNT, &bytes, &error), -1);
    assert_string_equal(error.text, "something else has its name");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0777), 0);
    assert_int_equal(meta_cache_open(&c, path, &kind, &error), -1);
    assert_int_equal(meta_cache_write(path, &kind, images, COUNT, &bytes, &error), -1);
    assert_int_equal(unlink(path), 0);
    char nowhere[500];
    snprintf(nowhere, sizeof nowhere, "%s/none/x.cache", folder);
    assert_int_equal(meta_cache_write(nowhere, &kind, images, COUNT, &bytes, &error), -1);
    assert_string_equal(error.text, "No such file or directory");
    /* the file that a link points to is made or replaced, the link stays */
    char target[500];
    struct stat info;
    snprintf(target, sizeof target, "%s/y.cache", folder);
    assert_int_equal(symlink("y.cache", path), 0);
    for (int old = 0; old < 2; old++) {
        if (old) write_text(target, "old");
        write_cache(COUNT);
        assert_int_equal(lstat(path, &info), 0);
        assert_true(S_ISLNK(info.st_mode));
        assert_int_equal(meta_cache_open(&c, target, &kind, &error), 0);
        expect_images(c, COUNT);
        meta_cache_close(c);
        unlink(target);
    }
    unlink(path);
}

/* A file that can't become as long as it should leaves the one before as it was, and nothing else. */
static void no_room(void **state)
{
    struct meta_cache *c;
    size_t bytes;
    struct rlimit old, small;
    write_cache(2);
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    for (rlim_t limit = 0; limit < 2800; limit += 600) {
        small.rlim_cur = limit;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &small);
        int status = meta_cache_write(path, &kind, images, COUNT, &bytes, &error);
        setrlimit(RLIMIT_FSIZE, &old);
        assert_int_equal(status, -1);
        assert_string_equal(error.text, "File too large");
        assert_string_equal(listing(), "x.cache ");
        assert_int_equal(meta_cache_open(&c, path, &kind, &error), 0);
        expect_images(c, 2);
        meta_cache_close(c);
    }
}

/* Two processes write, and are killed, while this one reads: what it finds is none or whole. */
static void many_at_once(void **state)
{
    struct meta_cache *c;
    size_t bytes;
    int seen = 0;
    for (int round = 0; round < 20; round++) {
        pid_t child[2];
        for (int k = 0; k < 2; k++)
            if (!(child[k] = fork()))
                for (;;) meta_cache_write(path, &kind, images, COUNT - k, &bytes, &error);
        for (int i = 0, found = seen; i < 30 || (seen == found && i < 20000); i++) {
            if (meta_cache_open(&c, path, &kind, &error)) fail_msg("%s", error.text);
            if (!c) continue;
            seen++;
            expect_images(c, meta_cache_count(c));
            meta_cache_close(c);
        }
        for (int k = 0; k < 2; k++) {
            kill(child[k], SIGKILL);
            waitpid(child[k], NULL, 0);
        }
        const char *left = listing();
        if (!only_named && strcmp(left, "") && strcmp(left, "x.cache ")) fail_msg("left: %s", left);
    }
    assert_true(seen > 0);
    write_cache(COUNT);
    assert_string_equal(listing(), "x.cache ");
}

static int use_names(void **state) { return !(only_named = 1); }
static int use_none(void **state) { return only_named = 0; }

/* What a killed run left under a name goes; what a run is writing, which holds a lock, stays. */
static void left_files(void **state)
{
    char left[500], alive[500];
    snprintf(left, sizeof left, "%s.tmp.999999999", path);
    snprintf(alive, sizeof alive, "%s.tmp.999999998", path);
    write_text(left, "half");
    write_text(alive, "half");
    int fd = open(alive, O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    write_cache(COUNT);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(alive, F_OK), 0);
    close(fd);
    write_cache(COUNT);
    assert_string_equal(listing(), "x.cache ");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(cut), cmocka_unit_test(changed_bytes),
                                        cmocka_unit_test(made_up), cmocka_unit_test(not_a_file), cmocka_unit_test(no_room),
                                        cmocka_unit_test(many_at_once), cmocka_unit_test_setup_teardown(round_trip, use_names, use_none),
                                        cmocka_unit_test_setup_teardown(left_files, use_names, use_none),
                                        cmocka_unit_test_setup_teardown(no_room, use_names, use_none),
                                        cmocka_unit_test_setup_teardown(many_at_once, use_names, use_none) };
    return cmocka_run_group_tests(tests, make_images, free_images);
}
