/* What a benchmark stands on: turns and rounds, medians, the peak, the seconds of each operation, and processes that answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/child.h"
#include "base/clock.h"
#include "tools/bench/peak.h"
#include "tools/bench/timing.h"

static struct meta_pool *pool(int threads)
{
    struct meta_pool *p;
    struct meta_error error;
    if (meta_pool_create(&p, threads, &error)) fail_msg("%s", error.text);
    return p;
}

/* ---- spread ---- */

static void medians(void **state)
{
    const double odd[] = { 5, 1, 3 }, even[] = { 8, 1, 3, 4 }, by[] = { 2, 1, 3, 8 };
    struct meta_spread s = meta_spread(odd, 3);
    assert_true(s.median == 3 && s.least == 1 && s.most == 5);
    s = meta_spread(even, 4);
    assert_true(s.median == 3.5 && s.least == 1 && s.most == 8);
    s = meta_spread_of_ratios(even, by, 4);            /* 4, 1, 1, .5 */
    assert_true(s.median == 1 && s.least == .5 && s.most == 4);
    assert_true(odd[0] == 5 && even[0] == 8);          /* sorted elsewhere */
    assert_true(isnan(meta_spread(odd, 0).median));
}

/* ---- turns ---- */

struct log { char turns[4000]; int count, fail_at; };
struct player { struct log *log; char name; double sleeps; };

static int play(void *context, double *processor, struct meta_error *error)
{
    struct player *p = context;
    struct log *log = p->log;
    if (log->count == log->fail_at) return meta_fail(error, "%c had enough", p->name);
    if (log->count < (int)sizeof log->turns - 1) log->turns[log->count] = p->name;
    log->count++;
    *processor = .25;
    if (p->sleeps > 0) usleep(1e6 * p->sleeps);
    return 0;
}

static void takes_turns(void **state)
{
    struct meta_pool *one = pool(1);
    struct meta_error error;
    struct log log = { .fail_at = -1 };
    struct player a = { &log, 'a', .02 }, b = { &log, 'b', .01 };
    struct meta_timed timed[] = { { .run = play, .context = &a, .pool = one }, { .run = play, .context = &b, .pool = one } };
    if (meta_time(timed, 2, .01, &error)) fail_msg("%s", error.text);
    assert_string_equal(log.turns, "ab" "ababababab");           /* warming up, then five rounds */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(timed[i].rounds, 5);
        for (int r = 0; r < 5; r++) {
            assert_true(timed[i].seconds[r] >= (i ? .01 : .02) && timed[i].seconds[r] < 10);
            assert_true(timed[i].processor[r] == .25 && timed[i].peak[r] > 0 && timed[i].processor_peak[r] > 0);
        }
        meta_timed_clear(&timed[i]);
    }
    meta_pool_free(one);
}

/* Short things are run many times a round, and for as long as was asked. */
static void fills_the_time(void **state)
{
    struct meta_pool *one = pool(1);
    struct meta_error error;
    struct log log = { .fail_at = -1 };
    struct player a = { &log, 'a', 0 };
    struct meta_timed timed = { .run = play, .context = &a, .pool = one };
    double sum = 0;
    if (meta_time(&timed, 1, .4, &error)) fail_msg("%s", error.text);
    /* Memcheck stops for longer than a round to translate what is run first, so that a round is one run */
    const char *variant = getenv("TEST_VARIANT");
    int steady = !variant || strcmp(variant, "valgrind");
    assert_true(timed.rounds >= 5 && (!steady || (timed.rounds < 1000 && log.count > 10 * timed.rounds)));
    for (int r = 0; r < timed.rounds; r++) {
        assert_true(timed.seconds[r] > 0 && timed.seconds[r] < .1 && timed.processor[r] == .25);         /* of one run */
        sum += timed.seconds[r];
    }
    assert_true(!steady || sum / timed.rounds * log.count > .399);
    meta_timed_clear(&timed);
    meta_pool_free(one);
}

static void fails_on_the_way(void **state)
{
    struct meta_pool *one = pool(1);
    struct meta_error error;
    for (int at = 0; at < 8; at += 3) {
        struct log log = { .fail_at = at };
        struct player a = { &log, 'a', 0 }, b = { &log, 'b', .01 };
        struct meta_timed timed[] = { { .run = play, .context = &a, .pool = one }, { .run = play, .context = &b, .pool = one } };
        assert_int_equal(meta_time(timed, 2, .001, &error), -1);
        assert_non_null(strstr(error.text, "had enough"));
        assert_null(timed[0].seconds);
    }
    meta_pool_free(one);
}

/* ---- peak ---- */

static void threads_race_together(void **state)
{
    struct meta_pool *one = pool(1), *three = pool(3);
    double begun = meta_now();
    struct meta_peak a = meta_peak(one, .05);
    assert_true(meta_now() - begun >= .05);
    struct meta_peak b = meta_peak(three, .02);
    assert_true(a.rate > 1e6 && a.processor_rate >= .9 * a.rate);        /* a slow emulator has more */
    assert_true(b.rate > 1e6 && b.processor_rate > 1e6);
    meta_pool_free(one);
    meta_pool_free(three);
}

/* ---- children ---- */

struct job { int calls, fail_at, die_at; };

static int serve(void *context, double *numbers, struct meta_error *error)
{
    struct job *j = context;
    j->calls++;
    if (j->calls == j->fail_at) return meta_fail(error, "call %d is refused", j->calls);
    if (j->calls == j->die_at) _exit(7);
    numbers[0] = j->calls;
    numbers[META_CHILD_NUMBERS - 1] = getpid();
    return 0;
}

static struct meta_child *child(struct job *job)
{
    struct meta_child *c;
    struct meta_error error;
    if (meta_child_start(&c, serve, job, &error)) fail_msg("%s", error.text);
    return c;
}

static void children_answer(void **state)
{
    struct job job = { 0, 3, 5 };
    struct meta_error error;
    double numbers[META_CHILD_NUMBERS];
    struct meta_child *a = child(&job), *b = child(&job);
    for (int call = 1; call <= 5; call++) {
        int status = meta_child_ask(a, "the child", numbers, &error);
        if (call == 3) {
            assert_int_equal(status, -1);
            assert_string_equal(error.text, "the child: call 3 is refused");
        } else if (call == 5) {
            assert_int_equal(status, -1);
            assert_string_equal(error.text, "the child: ended by itself, with status 7");
        } else {
            assert_int_equal(status, 0);
            assert_true(numbers[0] == call && numbers[META_CHILD_NUMBERS - 1] > 0 && numbers[META_CHILD_NUMBERS - 1] != getpid());
        }
    }
    assert_int_equal(meta_child_ask(b, "b", numbers, &error), 0);
    assert_true(numbers[0] == 1);                      /* each has its own memory, and so have we */
    assert_int_equal(job.calls, 0);
    meta_child_free(a);                                /* a before b, though b began with a's socket open */
    meta_child_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians), cmocka_unit_test(takes_turns), cmocka_unit_test(fills_the_time), cmocka_unit_test(fails_on_the_way),
        cmocka_unit_test(children_answer), cmocka_unit_test(threads_race_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
