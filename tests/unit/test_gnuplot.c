/* gnuplot is started with an environment of ours, waited for so long, and ended with what it
   started. The gnuplot of these tests is a script that says what it got. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/gnuplot.h"

static char folder[256], said[300];

static void be_gnuplot(const char *script)
{
    char path[300];
    struct meta_error error;
    snprintf(path, sizeof path, "%s/gnuplot", folder);
    if (meta_file_write(path, &(struct meta_chunk){ script, strlen(script) }, 1, &error)
        || chmod(path, 0755))
        fail_msg("%s", error.text);
}

static void write_nothing(FILE *f, const void *context) { fputs("# nothing\n", f); }

static pid_t start(void)
{
    struct meta_error error;
    pid_t child;
    int out = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int status = meta_gnuplot_start(&child, write_nothing, NULL, out, &error);
    close(out);
    if (status) fail_msg("%s", error.text);
    return child;
}

static char *text_said(void)
{
    struct meta_error error;
    char *text;
    size_t size;
    if (meta_file_read(said, &text, &size, &error)) fail_msg("%s", error.text);
    return text;
}

static int set_up(void **state)
{
    const char *scratch = getenv("TMP_TEST");
    char path[4096];
    snprintf(folder, sizeof folder, "%s/gnuplot.XXXXXX", scratch ? scratch : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(said, sizeof said, "%s/said", folder);
    snprintf(path, sizeof path, "%s:%s", folder, getenv("PATH"));
    return setenv("PATH", path, 1);
}

static void environment_is_ours(void **state)
{
    static const char *const not_passed[] = { "GNUTERM=qt",      "GNUPLOT_LIB=/nowhere",
                                              "GDFONTPATH=/x",   "FIT_SCRIPT=/x",
                                              "DISPLAY=:99",     "LC_NUMERIC=de_DE.UTF-8",
                                              "LANG=de_DE.UTF-8", "PATHS=/x" };
    enum { COUNT = sizeof not_passed / sizeof *not_passed };
    struct meta_error error;
    char name[64];
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(not_passed[i], "="), not_passed[i]);
        setenv(name, strchr(not_passed[i], '=') + 1, 1);
    }
    setenv("HOME", folder, 1);
    be_gnuplot("#!/bin/sh\nenv\ncat\n");
    pid_t child = start();
    assert_int_equal(meta_gnuplot_wait(&child, 30, &error), 1);
    assert_int_equal(child, 0);
    char *text = text_said();
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "\n%s\n", not_passed[i]);
        if (strstr(text, name)) fail_msg("gnuplot gets %s", not_passed[i]);
    }
    assert_non_null(strstr(text, "LC_ALL=C.UTF-8\n"));
    assert_non_null(strstr(text, "# nothing\n"));
    snprintf(name, sizeof name, "HOME=%.40s", folder);
    assert_non_null(strstr(text, name));
    free(text);
}

static void failure_is_told(void **state)
{
    struct meta_error error;
    be_gnuplot("#!/bin/sh\nexit 1\n");
    pid_t child = start();
    assert_int_equal(meta_gnuplot_wait(&child, 30, &error), -1);
    assert_string_equal(error.text, "gnuplot failed");
    assert_int_equal(child, 0);
}

/* A script that waits for a process of its own: killing the script alone would leave that. */
static void one_that_hangs_is_ended(void **state)
{
    struct meta_error error;
    be_gnuplot("#!/bin/sh\nsleep 300 & echo $!\nwait\n");
    pid_t child = start(), sleeper = 0;
    for (int i = 0; !sleeper && i < 1000; i++) {
        assert_int_equal(meta_gnuplot_wait(&child, .01, &error), 0);
        char *text = text_said();
        if (strchr(text, '\n')) sleeper = atol(text);
        free(text);
    }
    assert_true(sleeper > 0);
    assert_int_equal(kill(sleeper, 0), 0);
    meta_gnuplot_end(&child);
    assert_int_equal(child, 0);
    char path[64], *text;
    size_t size;
    int runs = 1;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)sleeper);
    for (int i = 0; runs && i < 1000; i++, usleep(1000)) { /* gone, or a zombie of init's */
        runs = !meta_file_read(path, &text, &size, &error);
        if (!runs) break;
        runs = !strstr(text, ") Z ");
        free(text);
    }
    assert_false(runs);
}

static void absence_is_told(void **state)
{
    struct meta_error error;
    pid_t child;
#ifdef __SANITIZE_THREAD__
    skip(); /* its vfork is a fork, which can't tell */
#endif
    char *path = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    assert_int_equal(meta_gnuplot_start(&child, write_nothing, NULL, -1, &error), -1);
    setenv("PATH", path, 1);
    free(path);
    assert_string_equal(error.text, "gnuplot is not installed");
    assert_int_equal(child, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(environment_is_ours),
                                        cmocka_unit_test(failure_is_told),
                                        cmocka_unit_test(one_that_hangs_is_ended),
                                        cmocka_unit_test(absence_is_told) };
    return cmocka_run_group_tests_name("gnuplot", tests, set_up, NULL);
}
