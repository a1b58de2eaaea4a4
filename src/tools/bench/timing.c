/* How things are timed in turn, and medians of what that gives. */
#include "timing.h"
#include "base/clock.h"
#include "peak.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_ROUNDS 5
#define MOST_RUNS 1000000 /* of a round */

static int reserve(struct meta_timed *t)
{
    t->rounds = 0;
    t->seconds = calloc(META_MOST_ROUNDS, sizeof *t->seconds);
    t->processor = calloc(META_MOST_ROUNDS, sizeof *t->processor);
    t->peak = calloc(META_MOST_ROUNDS, sizeof *t->peak);
    t->processor_peak = calloc(META_MOST_ROUNDS, sizeof *t->processor_peak);
    return t->seconds && t->processor && t->peak && t->processor_peak ? 0 : -1;
}

void meta_timed_clear(struct meta_timed *t)
{
    free(t->seconds);
    free(t->processor);
    free(t->peak);
    free(t->processor_peak);
    t->seconds = t->processor = t->peak = t->processor_peak = NULL;
}

/* How many runs make a round of `block` seconds: twice as many until they take half of it, since
   the first are cold. */
static int runs_needed(struct meta_timed *t, double block, int *runs, struct meta_error *error)
{
    double processor, elapsed = 0;
    int many = 1;
    for (;; many *= 2) {
        double begun = meta_now();
        for (int i = 0; i < many; i++)
            if (t->run(t->context, &processor, error)) return -1;
        elapsed = meta_now() - begun;
        if (elapsed >= block / 2 || many > MOST_RUNS / 2) break;
    }
    double needed = ceil(many * block / elapsed);
    *runs = needed > MOST_RUNS ? MOST_RUNS : needed > 1 ? (int)needed : 1;
    return 0;
}

static int time_round(struct meta_timed *t, int runs, double yardstick, double *elapsed,
                      struct meta_error *error)
{
    struct meta_peak before = meta_peak(t->pool, yardstick);
    double processor = 0, begun = meta_now();
    for (int i = 0; i < runs; i++) {
        double more;
        if (t->run(t->context, &more, error)) return -1;
        processor += more;
    }
    *elapsed = meta_now() - begun;
    struct meta_peak after = meta_peak(t->pool, yardstick);
    t->seconds[t->rounds] = *elapsed / runs;
    t->processor[t->rounds] = processor / runs;
    t->peak[t->rounds] = (before.rate + after.rate) / 2;
    t->processor_peak[t->rounds] = (before.processor_rate + after.processor_rate) / 2;
    t->rounds++;
    return 0;
}

int meta_time(struct meta_timed *t, int count, double seconds, struct meta_error *error)
{
    double block = seconds / 20, yardstick = block / 5, spent = 0;
    for (int i = 0; i < count; i++)
        t[i].seconds = t[i].processor = t[i].peak = t[i].processor_peak = NULL;
    for (int i = 0; i < count; i++) {
        if (reserve(&t[i])) {
            meta_fail_memory(error);
            goto fail;
        }
        if (runs_needed(&t[i], block, &t[i].runs, error)) goto fail;
    }
    for (int round = 0;
         round < META_MOST_ROUNDS && (round < LEAST_ROUNDS || spent < count * seconds); round++)
        for (int i = 0; i < count; i++) {
            double elapsed;
            if (time_round(&t[i], t[i].runs, yardstick, &elapsed, error)) goto fail;
            spent += elapsed;
        }
    return 0;
fail:
    for (int i = 0; i < count; i++) meta_timed_clear(&t[i]);
    return -1;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct meta_spread spread_in_place(double *x, int n)
{
    if (!n) return (struct meta_spread){ NAN, NAN, NAN };
    qsort(x, n, sizeof *x, ascending);
    return (struct meta_spread){ (x[(n - 1) / 2] + x[n / 2]) / 2, x[0], x[n - 1] };
}

struct meta_spread meta_spread(const double *x, int n)
{
    double sorted[META_MOST_ROUNDS + 1];
    memcpy(sorted, x, n * sizeof *x);
    return spread_in_place(sorted, n);
}

struct meta_spread meta_spread_of_ratios(const double *a, const double *b, int n)
{
    double ratios[META_MOST_ROUNDS + 1];
    for (int i = 0; i < n; i++) ratios[i] = a[i] / b[i];
    return spread_in_place(ratios, n);
}
