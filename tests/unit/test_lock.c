/* Locks: who is refused and what is said, what a killed process leaves, and what another machine's lock is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/file.h"
#include "base/lock.h"

static const struct meta_lock_words words = { "it is taken", "take another" };
static struct meta_error error;
static const char path[] = "x.lock";

static void put(const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static int there(void) { return !access(path, F_OK); }

__attribute__((noinline)) static char *content(void)
{
    char *text;
    size_t size;
    if (meta_file_read(path, &text, &size, &error)) fail_msg("%s", error.text);
    return text;
}

static void take(struct meta_lock *l)
{
    if (meta_lock_take(l, path, 0, words, &error)) fail_msg("%s", error.text);
}

static void refused(const char *how)
{
    struct meta_lock l;
    assert_int_equal(meta_lock_take(&l, path, 0, words, &error), -1);
    assert_int_equal(l.fd, -1);
    if (!strstr(error.text, how)) fail_msg("%s: not in: %s", how, error.text);
    assert_int_equal(meta_lock_look(path, words, &error), -1);
    if (!strstr(error.text, how)) fail_msg("%s: not in: %s", how, error.text);
}

/* A process that takes the lock, and does so until it is killed; keep: with a note. */
static pid_t holder(const char *note)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct meta_lock l;
        if (meta_lock_take(&l, path, 0, words, &error)) _exit(1);
        if (note) meta_lock_write_note(&l, note, &error);
        if (write(ends[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return child;
}

static void end(pid_t child, int number)
{
    kill(child, number);
    waitpid(child, NULL, 0);
}

static void one_at_a_time(void **state)
{
    struct meta_lock l;
    char host[65] = "", expected[200];
    gethostname(host, sizeof host - 1);
    pid_t child = holder(NULL);
    snprintf(expected, sizeof expected, "x.lock: it is taken: process %d on %s: take another", (int)child, host);
    refused(expected);
    end(child, SIGKILL);
    assert_true(there());
    assert_int_equal(meta_lock_look(path, words, &error), 0);
    take(&l);
    snprintf(expected, sizeof expected, "process %d\n", (int)getpid());
    char *text = content();
    assert_memory_equal(text, expected, strlen(expected));
    free(text);
    meta_lock_release(&l);
    meta_lock_release(&l);
    assert_false(there());
}

/* Numbers of processes are used again, and a lock's file may hold anything. */
static void what_is_left_stops_nobody(void **state)
{
    static const char *const left[] = { "", "\n", "process 0\n", "process -5\nhost x\n", "process 1\nbegun 3\n", "\n\n\n", "process 99999999999999999999\n" };
    char *text, host[65] = "", rebooted[300], whole[600];
    struct meta_lock l;
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        take(&l);
        text = content();
        meta_lock_release(&l);
        const char *rest = strstr(text, "\nhost");
        snprintf(whole, sizeof whole, "%s%s", left[i], rest);
        put(strstr(left[i], "process 1\n") ? whole : left[i]);
        take(&l);
        meta_lock_release(&l);
        free(text);
    }
    gethostname(host, sizeof host - 1);
    snprintf(rebooted, sizeof rebooted, "process 1\nhost %s\nboot 00000000-1111-2222-3333-444444444444\n", host);
    put(rebooted);
    take(&l);
    meta_lock_release(&l);
    assert_false(there());
}

static void what_is_no_lock_stays(void **state)
{
    static const char *const left[] = { "junk", "# Lock file of another program\nprocess 1\n", "{}", "processes:\n  web: x\n", "\n\nx" };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        put(left[i]);
        refused("x.lock: is there and is no lock of this program: must be moved away, or another name be given");
        char *now = content();
        assert_string_equal(now, left[i]);
        free(now);
    }
    unlink("x.lock");
}

static void another_machine_is_named(void **state)
{
    static const char text[] = "process 77\nbegun 5\nhost ward-7\nboot 00000000-1111-2222-3333-444444444444\n";
    put(text);
    refused("x.lock: it is taken: process 77 on ward-7, another machine, as far as can be told from here: take another, or remove this file if that process has ended");
    char *now = content();
    assert_string_equal(now, text);
    free(now);
    unlink(path);
}

static void a_note_is_found_by_the_next(void **state)
{
    struct meta_lock l;
    end(holder("moving 7 files"), SIGKILL);
    take(&l);
    assert_string_equal(l.note, "moving 7 files");
    meta_lock_release(&l);
    assert_true(there());
    take(&l);
    assert_string_equal(l.note, "moving 7 files");
    assert_int_equal(meta_lock_write_note(&l, "", &error), 0);
    meta_lock_release(&l);
    assert_false(there());
}

static void a_lock_that_is_removed_is_made_again(void **state)
{
    struct meta_lock l, other;
    take(&l);
    unlink(path);
    assert_int_equal(meta_lock_keep(&l, &error), 0);
    assert_true(there());
    assert_int_equal(meta_lock_take(&other, path, 0, words, &error), -1);
    unlink(path);
    take(&other);
    assert_int_equal(meta_lock_keep(&l, &error), -1);
    assert_string_equal(error.text, "x.lock: was removed, and another run has its place now");
    meta_lock_release(&l);
    assert_true(there()); /* the other's */
    meta_lock_release(&other);
    assert_false(there());
}

/* Held by a process that a killed one has started, a shared lock is waited for; by one that lives it is not. */
static void a_shared_lock_outlives_its_process(void **state)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        struct meta_lock l;
        if (meta_lock_take(&l, path, 1, words, &error)) _exit(1);
        if (!fork()) {
            if (write(ends[1], "x", 1) != 1) _exit(1);
            usleep(700000);
            _exit(0);
        }
        for (;;) pause();
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    end(child, SIGKILL);
    struct meta_lock l;
    assert_int_equal(meta_lock_take(&l, path, 0, words, &error), -1);
    if (meta_lock_take(&l, path, 1, words, &error)) fail_msg("%s", error.text);
    meta_lock_release(&l);
}

static void signals_remove_a_guarded_lock(void **state)
{
    const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    for (int i = 0; i < 4; i++) {
        int status;
        pid_t child = fork();
        if (!child) {
            struct meta_lock l;
            if (meta_lock_take(&l, path, 0, words, &error)) _exit(1);
            meta_lock_guard(&l);
            raise(numbers[i]);
            _exit(2);
        }
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i]);
        assert_false(there());
    }
}

static void a_folder_that_is_missing_is_told(void **state)
{
    struct meta_lock l;
    assert_int_equal(meta_lock_take(&l, "none/x.lock", 0, words, &error), -1);
    assert_string_equal(error.text, "none/x.lock: can't open: No such file or directory");
    assert_int_equal(meta_lock_look("none/x.lock", words, &error), 0);
}

static int enter_folder(void **state)
{
    const char *folder = getenv("TMP_TEST");
    return chdir(folder ? folder : "/tmp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(what_is_left_stops_nobody),
        cmocka_unit_test(what_is_no_lock_stays),
        cmocka_unit_test(another_machine_is_named),
        cmocka_unit_test(a_note_is_found_by_the_next),
        cmocka_unit_test(a_lock_that_is_removed_is_made_again),
        cmocka_unit_test(a_shared_lock_outlives_its_process),
        cmocka_unit_test(signals_remove_a_guarded_lock),
        cmocka_unit_test(a_folder_that_is_missing_is_told),
    };
    return cmocka_run_group_tests(tests, enter_folder, NULL);
}
