/* The first signal that asks for an end is heard by a thread of its own; a second ends the
   program. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/signals.h"

static struct meta_error error;
static atomic_int heard, elsewhere;
static pthread_t caller;

static void moment(void) { nanosleep(&(struct timespec){ 0, 1000000 }, NULL); }

static void asked(void *context, int number)
{
    elsewhere = !pthread_equal(pthread_self(), caller);
    heard = number + *(int *)context;
}

static void each_signal_is_heard(void **state)
{
    int numbers[] = { SIGINT, SIGTERM, SIGHUP }, context = 100;
    caller = pthread_self();
    for (int i = 0; i < 3; i++) {
        struct meta_signals *s;
        heard = elsewhere = 0;
        assert_int_equal(meta_signals_start(&s, asked, &context, &error), 0);
        kill(getpid(), numbers[i]);
        while (!heard) moment();
        meta_signals_end(s);
        assert_int_equal(heard, numbers[i] + 100);
        assert_true(elsewhere);
    }
}

static void a_program_that_is_not_asked_goes_on(void **state)
{
    struct meta_signals *s;
    sigset_t before, after;
    int context = 0;
    heard = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    assert_int_equal(meta_signals_start(&s, asked, &context, &error), 0);
    meta_signals_end(s);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_int_equal(heard, 0);
    for (int i = 1; i < 32; i++) assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

static void wait_long(void *context, int number)
{
    heard = 1;
    for (;;) moment();
}

/* The status of a child that runs body(). */
static int status_of(void (*body)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

static void ask_twice(void)
{
    struct meta_signals *s;
    heard = 0;
    if (meta_signals_start(&s, wait_long, NULL, &error)) return;
    kill(getpid(), SIGTERM);
    while (!heard) moment();
    kill(getpid(), SIGINT);
    for (int i = 0; i < 10000; i++) moment();
}

static void ask_after_the_end(void)
{
    struct meta_signals *s;
    int context = 0;
    if (meta_signals_start(&s, asked, &context, &error)) return;
    meta_signals_end(s);
    kill(getpid(), SIGTERM);
}

/* As under nohup. */
static void ask_what_is_ignored(void)
{
    struct meta_signals *s;
    int context = 0;
    heard = 0;
    signal(SIGHUP, SIG_IGN);
    if (meta_signals_start(&s, asked, &context, &error)) return;
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGTERM);
    while (!heard) moment();
    meta_signals_end(s);
    _exit(heard == SIGTERM ? 7 : 8);
}

static void what_a_signal_does_else(void **state)
{
    int status = status_of(ask_twice);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    status = status_of(ask_after_the_end);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    status = status_of(ask_what_is_ignored);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_signal_is_heard),
                                        cmocka_unit_test(a_program_that_is_not_asked_goes_on),
                                        cmocka_unit_test(what_a_signal_does_else) };
    return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
