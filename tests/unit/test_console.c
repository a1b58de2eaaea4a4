/* The status line of a run: what it says, and what it leaves out where there is no room. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "commands/console.h"

static const struct meta_status half = { .done = 1500, .total = 3000, .query_loss = .50951, .meta_loss = .4127, .accuracy = .7333,
                                         .rate = .001, .remaining = 842, .auc = .72304, .low = .7011, .high = .7449 };

static const char *line(int width, const struct meta_status *s)
{
    static char text[256];
    memset(text, '#', sizeof text);
    int n = meta_format_status(text, sizeof text, width, s);
    assert_int_equal(n, strlen(text));
    assert_true(n <= width);
    return text;
}

static void line_with_every_part(void **state)
{
    assert_string_equal(line(200, &half), "[===================>                    ]  1500/3000 50%  14 min left  loss 0.510  "
                        "AUC 0.723 (0.701 to 0.745)  rate 0.001  meta-loss 0.413  73.3% right");
}

static void bar_first_to_shrink(void **state)
{
    const char *parts = "1500/3000 50%  14 min left  loss 0.510  AUC 0.723 (0.701 to 0.745)  rate 0.001  meta-loss 0.413  73.3% right";
    int n = strlen(parts);
    assert_string_equal(line(n, &half), parts);
    assert_string_equal(line(n + 13, &half), parts);
    assert_memory_equal(line(n + 14, &half), "[====>     ]  ", 14);
    assert_string_equal(line(n + 14, &half) + 14, parts);
}

static void least_part_first_to_go(void **state)
{
    assert_string_equal(line(80, &half), "1500/3000 50%  14 min left  loss 0.510  AUC 0.723 (0.701 to 0.745)  rate 0.001");
    assert_string_equal(line(45, &half), "1500/3000 50%  14 min left  loss 0.510");
    assert_string_equal(line(5, &half), "");
    for (int width = 0; width < 200; width++) line(width, &half);
}

static void line_before_an_auc(void **state)
{
    struct meta_status s = half;
    s.auc = s.low = s.high = NAN;
    assert_null(strstr(line(200, &s), "AUC"));
    s.auc = .5;
    assert_non_null(strstr(line(200, &s), "  AUC 0.500  rate"));
}

static void lines_at_start_and_end(void **state)
{
    struct meta_status s = half;
    s.done = s.total;
    assert_non_null(strstr(line(200, &s), "=]  3000/3000 100%"));
    s.done = 0;
    assert_non_null(strstr(line(200, &s), "[                                        ]  0/3000 0%"));
}

/* The clock that the console looks at. */
static double seconds;
int clock_gettime(clockid_t clock, struct timespec *t)
{
    *t = (struct timespec){ .tv_sec = seconds };
    return 0;
}

static FILE *kept;
static int out;

static void keep_output(void)
{
    kept = tmpfile();
    fflush(stdout);
    out = dup(STDOUT_FILENO);
    dup2(fileno(kept), STDOUT_FILENO);
}

/* What was printed since. */
static const char *kept_output(void)
{
    static char text[256];
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    rewind(kept);
    text[fread(text, 1, sizeof text - 1, kept)] = 0;
    fclose(kept);
    return text;
}

/* Images are counted in steps, and the tasks of a rank behind those of the others. */
static void first_calls_past_one(void **state)
{
    keep_output();
    seconds = 5000;
    meta_print_bar(16, 64); /* the first of the process */
    seconds = 5600;
    meta_print_bar(32, 64);
    seconds = 9000;
    meta_print_bar(16, 64);
    seconds = 9599;
    meta_print_bar(48, 64);
    seconds = 9600;
    meta_print_bar(64, 64);
    seconds = 20000;
    meta_print_bar(64, 64); /* the rank's only task */
    meta_print_bar(70, 80); /* and another test */
    seconds = 20600;
    meta_print_bar(75, 80);
    assert_string_equal(kept_output(), "32 of 64, 20 min left\n64 of 64, 0.0 s left\n75 of 80, 10 min left\n");
}

static void lines_where_there_is_no_terminal(void **state)
{
    keep_output();
    seconds = 1000;
    meta_print_bar(1, 100);
    seconds = 1599;
    meta_print_bar(2, 100);
    seconds = 1600;
    meta_print_bar(20, 100);
    seconds = 2199;
    meta_print_bar(30, 100);
    seconds = 2200;
    meta_print_bar(60, 100);
    meta_print_bar(1, 7);              /* another one */
    seconds = 2799;
    meta_print_bar(6, 7);
    meta_clear_bar();
    assert_string_equal(kept_output(), "20 of 100, 42 min left\n60 of 100, 14 min left\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_with_every_part), cmocka_unit_test(bar_first_to_shrink), cmocka_unit_test(least_part_first_to_go),
        cmocka_unit_test(line_before_an_auc), cmocka_unit_test(lines_at_start_and_end), cmocka_unit_test(first_calls_past_one), cmocka_unit_test(lines_where_there_is_no_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
