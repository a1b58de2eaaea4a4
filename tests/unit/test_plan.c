/* The memory planner: buffers alive together never overlap, and buffers that are not do share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "engine/arena.h"
#include "base/rng.h"

static int overlap(const struct meta_interval *a, const struct meta_interval *b)
{
    return a->size && b->size && a->first <= b->last && b->first <= a->last
        && a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static void never_overlaps(void **state)
{
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    for (int round = 0; round < 200; round++) {
        struct meta_interval at[40];
        int count = 1 + meta_rng_below(&rng, 40);
        size_t total = 0;
        for (int i = 0; i < count; i++) {
            int first = meta_rng_below(&rng, 30);
            at[i] = (struct meta_interval){ meta_rng_below(&rng, 5) ? 1 + meta_rng_below(&rng, 10000) : 0,
                                            first, first + (int)meta_rng_below(&rng, 10), 12345 };
        }
        size_t top = meta_plan(at, count, 64);
        for (int i = 0; i < count; i++) {
            if (!at[i].size) continue;
            total += at[i].size;
            assert_int_equal(at[i].offset % 64, 0);
            assert_true(at[i].offset + at[i].size <= top);
            for (int j = 0; j < i; j++) assert_false(overlap(&at[i], &at[j]));
        }
        assert_true(top <= total);
    }
}

static void shares_a_chain(void **state)
{
    struct meta_interval at[10];
    for (int i = 0; i < 10; i++) at[i] = (struct meta_interval){ 4096, i, i + 1, 0 };
    assert_int_equal(meta_plan(at, 10, 4096), 2 * 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(never_overlaps), cmocka_unit_test(shares_a_chain) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
