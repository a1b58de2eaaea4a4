/* The model of an iteration on several ranks, against cases worked out by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include "tools/bench/ranks_model.h"

/* 4 tasks of 10 s, a step of 1 s, gradients of 1000 bytes, 50 bytes told of a task; messages take 2 s, the next one 0.5 s more, 100 bytes a
   second */
static const struct meta_ranks_costs costs = { .task = 10, .step = 1, .handling = .001, .latency = 2, .start = 6, .gap = .5, .bandwidth = 100 };
static const struct meta_ranks_load load = { .tasks = 4, .threads = 1, .gradient = 1000, .result = 50 };

static void is_near(double x, double y)
{
    if (!(fabs(x - y) < 1e-9)) fail_msg("%.12g, not %.12g", x, y);
}

static void one_rank(void **state)
{
    struct meta_ranks_times t = meta_ranks_predict(&costs, &load, 1);
    is_near(t.computing, 41);
    is_near(t.waiting, 0);
    is_near(t.exchange, 4); /* 4000 bytes are added up, none is sent */
    is_near(t.whole, 45);
}

static void two_ranks(void **state)
{
    struct meta_ranks_times t = meta_ranks_predict(&costs, &load, 2);
    is_near(t.computing, 21);
    is_near(t.waiting, 0);
    /* results of 2 tasks: 2 + 100/100; half of 2 gradients each way: 2 + 1000/100; half of the mean: 2 + 500/100; laid out 2000 bytes and
       added up 2000 */
    is_near(t.exchange, 3 + 12 + 7 + 4);
    is_near(t.whole, 21 + 26);
}

/* 2 tasks on the first, one on the others: these wait */
static void uneven_ranks(void **state)
{
    struct meta_ranks_times t = meta_ranks_predict(&costs, &load, 3);
    is_near(t.computing, 21);
    is_near(t.waiting, 10);
    /* two messages each: 2.5 s before the bytes. Sent 2*2*1000/3 and received 3*1000/3: the first is more */
    is_near(t.exchange, (2.5 + 2) + (2.5 + 4000. / 3 / 100) + (2.5 + 2000. / 3 / 100) + (2000 + 4000. / 3) * .001);
}

static void threads_take_tasks_in_turn(void **state)
{
    struct meta_ranks_load l = load;
    l.threads = 2;
    is_near(meta_ranks_predict(&costs, &l, 1).computing, 21);
    is_near(meta_ranks_predict(&costs, &l, 2).computing, 11);
    is_near(meta_ranks_predict(&costs, &l, 3).computing, 11); /* 2, 1 and 1 tasks: one turn each */
    is_near(meta_ranks_predict(&costs, &l, 3).waiting, 0);
}

static void large_messages_start_later(void **state)
{
    struct meta_ranks_load l = load;
    l.gradient = 2 * META_RANKS_LARGE;
    /* both the slices of two tasks and that of the mean are large, the results are not */
    double bytes = 100 + l.gradient + l.gradient / 2;
    is_near(meta_ranks_predict(&costs, &l, 2).exchange, 2 + 6 + 6 + bytes / 100 + (2 * l.gradient + 4 * l.gradient / 2) * .001);
}

static void many_ranks(void **state)
{
    const struct meta_ranks_costs c = { .task = 10, .latency = .001, .start = .001, .gap = .00001, .bandwidth = 1e6 };
    const struct meta_ranks_load l = { .tasks = 512, .threads = 1, .gradient = 512000 };
    struct meta_ranks_times t = meta_ranks_predict(&c, &l, 512);
    /* one task each; three exchanges of 511 messages; of slices of 1000 bytes 511 are sent and 511 received, and so of the mean */
    is_near(t.computing, 10);
    is_near(t.exchange, 3 * (.001 + 510 * .00001) + 2 * .511);
}

static void where_it_stops_paying(void **state)
{
    struct meta_ranks_costs c = costs;
    assert_int_equal(meta_ranks_best(&c, &load), 4);   /* 45 s alone; 11 s and an exchange of 27.5 s */
    c.bandwidth = 50;
    assert_int_equal(meta_ranks_best(&c, &load), 1);   /* that of four ranks is 44 s, that of two 42 s */
    c.bandwidth = 1e6;
    c.latency = c.start = c.gap = c.handling = 0;
    assert_int_equal(meta_ranks_best(&c, &load), 4);
    struct meta_ranks_load l = load;
    l.tasks = 6;
    l.threads = 2;
    assert_int_equal(meta_ranks_best(&c, &l), 3);      /* one turn: no more ranks can be faster */
    l.tasks = 5;
    l.threads = 1;
    assert_int_equal(meta_ranks_best(&c, &l), 5);      /* 3 and 4 ranks have two turns */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank), cmocka_unit_test(two_ranks), cmocka_unit_test(uneven_ranks), cmocka_unit_test(threads_take_tasks_in_turn),
        cmocka_unit_test(large_messages_start_later), cmocka_unit_test(many_ranks), cmocka_unit_test(where_it_stops_paying)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
