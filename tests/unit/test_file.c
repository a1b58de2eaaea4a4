/* Files are written whole or not at all, and what fails is said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"

#define BIG (1 << 18)
#define TRAPS 300          /* more names than the tests before them have written files */

static char folder[256], shared[512];

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMP_TEST");
    snprintf(folder, sizeof folder, "%s/file.XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    while (readdir(d)) n++;
    closedir(d);
    return n - 2;
}

static int remove_folder(void **state)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void write_text(const char *path, const char *text)
{
    struct meta_error e;
    struct meta_chunk chunk = { text, strlen(text) };
    assert_int_equal(meta_file_write(path, &chunk, 1, &e), 0);
}

static void assert_text(const char *path, const char *text)
{
    struct meta_error e;
    char *data;
    size_t size;
    assert_int_equal(meta_file_read(path, &data, &size, &e), 0);
    assert_string_equal(data, text);
    assert_int_equal(size, strlen(text));
    free(data);
}

static void test_round_trip(void **state)
{
    struct meta_error e;
    struct meta_chunk chunks[] = { { "one ", 4 }, { NULL, 0 }, { "two", 3 } };
    const char *path = in_folder("a");
    assert_int_equal(meta_file_write(path, chunks, 3, &e), 0);
    assert_text(path, "one two");
    write_text(path, "");
    assert_text(path, "");
    assert_int_equal(count_files(), 1);
    unlink(path);
}

static void test_large(void **state)
{
    struct meta_error e;
    size_t size = 5 << 20, got;
    char *data = malloc(size), *back;
    for (size_t i = 0; i < size; i++) data[i] = i * 2654435761u >> 13;
    struct meta_chunk chunk = { data, size };
    const char *path = in_folder("large");
    assert_int_equal(meta_file_write(path, &chunk, 1, &e), 0);
    assert_int_equal(meta_file_read(path, &back, &got, &e), 0);
    assert_int_equal(got, size);
    assert_memory_equal(back, data, size);
    unlink(path);
    free(data);
    free(back);
}

/* A limit on the size of files stands for a full disk: write fails in the same place. */
static void test_full(void **state)
{
    struct meta_error e;
    struct rlimit old, small;
    char big[20000];
    memset(big, 'x', sizeof big);
    struct meta_chunk chunk = { big, sizeof big };
    const char *path = in_folder("kept");
    write_text(path, "earlier");
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){ 4096, old.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = meta_file_write(path, &chunk, 1, &e);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, -1);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, strerror(EFBIG)));
    assert_text(path, "earlier");
    assert_int_equal(count_files(), 1);
    unlink(path);
}

/* Threads that write one file: whoever reads it finds one of them whole. */
static void *write_often(void *argument)
{
    const char *text = argument;
    struct meta_error e;
    char *data = calloc(1, BIG);
    struct meta_chunk chunk = { data, BIG };
    long failed = !data;
    for (int i = 0; data && i < BIG; i++) data[i] = *text;
    for (int i = 0; !failed && i < 40; i++) failed += meta_file_write(shared, &chunk, 1, &e) != 0;
    free(data);
    return (void *)failed;
}

static void test_threads(void **state)
{
    pthread_t threads[2];
    void *failed;
    struct meta_error e;
    char *data;
    size_t size;
    int wrong = 0;
    snprintf(shared, sizeof shared, "%s", in_folder("shared"));
    write_text(shared, "");
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, write_often, i ? "a" : "b"), 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(meta_file_read(shared, &data, &size, &e), 0);
        wrong += size && (size != BIG || strspn(data, data[0] == 'a' ? "a" : "b") != BIG);
        free(data);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(wrong, 0);
    unlink(shared);
    assert_int_equal(count_files(), 0);
}

/* What a link points to is replaced and keeps its mode; a link at the temporary file's name is not followed. */
static void test_links(void **state)
{
    struct meta_error e;
    struct stat info;
    char link_path[512], trap[600], aim[512];
    snprintf(link_path, sizeof link_path, "%s", in_folder("link"));
    snprintf(aim, sizeof aim, "%s", in_folder("aim"));
    const char *real = in_folder("real");
    write_text(real, "earlier");
    assert_int_equal(chmod(real, 0640), 0);
    assert_int_equal(symlink("real", link_path), 0);
    write_text(aim, "of somebody else");
    for (int i = 0; i < TRAPS; i++) {
        snprintf(trap, sizeof trap, "%s.tmp.%ld.%d", real, (long)getpid(), i);
        assert_int_equal(symlink("aim", trap), 0);
    }
    write_text(link_path, "now");
    assert_int_equal(lstat(link_path, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_text(in_folder("real"), "now");
    assert_int_equal(stat(link_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_text(aim, "of somebody else");
    int sprung = 0;
    for (int i = 0; i < TRAPS; i++) {
        snprintf(trap, sizeof trap, "%s.tmp.%ld.%d", real, (long)getpid(), i);
        sprung += unlink(trap) != 0;
    }
    assert_int_equal(sprung, 1);
    assert_int_equal(meta_file_check(link_path, &e), 0);
    unlink(link_path);
    unlink(aim);
    unlink(in_folder("real"));
    assert_int_equal(count_files(), 0);
}

static void make_link(const char *to, const char *name)
{
    unlink(in_folder(name));
    assert_int_equal(symlink(to, in_folder(name)), 0);
}

static void assert_link(const char *name)
{
    struct stat info;
    assert_int_equal(lstat(in_folder(name), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

/* Where nothing is yet that a link points to, it is made, and the link stays. */
static void test_links_to_nothing(void **state)
{
    struct meta_error e;
    char absolute[600];
    struct meta_chunk chunk = { "x", 1 };
    assert_int_equal(mkdir(in_folder("below"), 0700), 0);
    snprintf(absolute, sizeof absolute, "%s/absolute", folder);
    const char *const to[] = { "plain", "below/one", absolute, "below/back" };
    const char *const made[] = { "plain", "below/one", "absolute", "beside" };
    make_link("../beside", "below/back");        /* a link to a link, each relative to its own folder */
    for (int i = 0; i < 4; i++) {
        make_link(to[i], "link");
        assert_int_equal(meta_file_check(in_folder("link"), &e), 0);
        for (int again = 0; again < 2; again++) write_text(in_folder("link"), again ? "second" : "first");
        assert_link("link");
        assert_text(in_folder(made[i]), "second");
        unlink(in_folder(made[i]));
    }
    assert_link("below/back");
    assert_int_equal(count_files(), 2);
    /* what can't be made is said, and the link stays */
    make_link("none/a", "link");
    assert_int_equal(meta_file_check(in_folder("link"), &e), -1);
    assert_non_null(strstr(e.text, "link: can't write there: No such file"));
    assert_int_equal(meta_file_write(in_folder("link"), &chunk, 1, &e), -1);
    assert_link("link");
    make_link("link", "link");
    assert_int_equal(meta_file_check(in_folder("link"), &e), -1);
    assert_non_null(strstr(e.text, strerror(ELOOP)));
    assert_int_equal(meta_file_write(in_folder("link"), &chunk, 1, &e), -1);
    assert_non_null(strstr(e.text, strerror(ELOOP)));
    assert_link("link");
    unlink(in_folder("link"));
    unlink(in_folder("below/back"));
    assert_int_equal(rmdir(in_folder("below")), 0);
    assert_int_equal(count_files(), 0);
}

static void test_refusals(void **state)
{
    struct meta_error e;
    char *data;
    size_t size;
    struct meta_chunk chunk = { "x", 1 };
    assert_int_equal(meta_file_write(in_folder("none/a"), &chunk, 1, &e), -1);
    assert_non_null(strstr(e.text, "none/a"));
    assert_non_null(strstr(e.text, strerror(ENOENT)));
    assert_int_equal(meta_file_check(in_folder("none/a"), &e), -1);
    assert_non_null(strstr(e.text, strerror(ENOENT)));
    assert_int_equal(meta_file_check(folder, &e), -1);
    assert_int_equal(meta_file_check(in_folder("a"), &e), 0);
    assert_int_equal(meta_file_write(folder, &chunk, 1, &e), -1);
    const char *pipe_path = in_folder("pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(meta_file_write(pipe_path, &chunk, 1, &e), -1);
    assert_non_null(strstr(e.text, "not a regular file"));
    assert_int_equal(meta_file_read(pipe_path, &data, &size, &e), -1);
    assert_non_null(strstr(e.text, "not a regular file"));
    struct stat info;
    assert_int_equal(stat(pipe_path, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    unlink(pipe_path);
    assert_int_equal(meta_file_read(in_folder("none"), &data, &size, &e), -1);
    assert_non_null(strstr(e.text, "none: "));
    assert_int_equal(meta_file_read(folder, &data, &size, &e), -1);
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round_trip), cmocka_unit_test(test_large), cmocka_unit_test(test_full),
                                        cmocka_unit_test(test_threads), cmocka_unit_test(test_links), cmocka_unit_test(test_links_to_nothing), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
