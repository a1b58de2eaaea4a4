/* What an AUC owes to its query images: wins against their definition, influences against differences of weighted AUCs, and the error against the
   scatter that drawing the images anew really has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <math.h>
#include "evaluation/by_group.h"
#include "base/rng.h"
#include "stats/estimate.h"
#include "stats/auc.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WAYS = 3, MOST_QUERIES = 6, MOST_IMAGES = 300, TASKS = 40 };

struct task { int items[MOST_WAYS * MOST_QUERIES]; double scores[MOST_WAYS * MOST_QUERIES * MOST_WAYS]; };

/* Images of `ways` classes in groups of one to three. */
struct images { struct meta_dataset set; int label[MOST_IMAGES], group[MOST_IMAGES]; };

static void make_images(struct images *d, int ways, int groups, struct meta_rng *rng)
{
    int n = 0, group = 0;
    memset(&d->set, 0, sizeof d->set);
    for (int k = 0; k < ways; k++)
        for (int g = 0; g < groups; g++, group++)
            for (int i = 0, size = 1 + meta_rng_below(rng, 3); i < size; i++, n++) {
                d->label[n] = k;
                d->group[n] = size == 1 ? -1 : group;
            }
    assert_true(n <= MOST_IMAGES);
    d->set.count = n;
    d->set.label = d->label;
    d->set.group = d->group;
}

static void draw_items(int *items, const struct images *d, int ways, int queries, struct meta_rng *rng)
{
    char taken[MOST_IMAGES] = {0};
    for (int k = 0; k < ways; k++)
        for (int i = 0; i < queries; ) {
            int item = meta_rng_below(rng, d->set.count);
            if (d->label[item] != k || taken[item]++) continue;
            items[k * queries + i++] = item;
        }
}

static void make_labels(int *labels, int ways, int queries) { for (int i = 0; i < ways * queries; i++) labels[i] = i / queries; }

/* Few levels: many ties. Of two ways class 1's score is what counts. */
static void draw_scores(double *scores, int n, int ways, struct meta_rng *rng)
{
    for (int i = 0; i < n * ways; i++) scores[i] = meta_rng_below(rng, 7) / 7.;
}

static void test_wins(void **state)
{
    struct meta_rng rng = meta_rng_open(5, META_USE_CHECK, 0, 0, 0);
    double scores[MOST_WAYS * MOST_QUERIES * MOST_WAYS];
    int labels[MOST_WAYS * MOST_QUERIES], wins[MOST_WAYS * MOST_QUERIES];
    for (int trial = 0; trial < 300; trial++) {
        int ways = 2 + trial % 2, queries = 1 + meta_rng_below(&rng, MOST_QUERIES), n = ways * queries;
        long long all = 0, own[MOST_WAYS] = {0};
        make_labels(labels, ways, queries);
        draw_scores(scores, n, ways, &rng);
        if (trial % 10 > 7) scores[meta_rng_below(&rng, n) * ways + 1] = NAN;
        meta_auc_wins(wins, scores, labels, n, ways);
        for (int i = 0; i < n; i++) { all += wins[i]; own[labels[i]] += wins[i]; }
        double auc = meta_auc_task(scores, labels, n, ways), pairs = queries * queries;
        assert_near(all / (4 * pairs * (ways == 2 ? 1 : ways * (ways - 1))), auc, 1e-12);
        for (int k = 0; ways == 2 && k < 2; k++) assert_near(own[k] / (2 * pairs), auc, 1e-12);
    }
    /* by hand: class 1 scores {.3 .9} against {.3 .1}: a tie and three wins */
    int two[] = { 0, 0, 1, 1 };
    double p[] = { 0, .3, 0, .1, 0, .3, 0, .9 };
    meta_auc_wins(wins, p, two, 4, 2);
    assert_int_equal(wins[0], 3);
    assert_int_equal(wins[1], 4);
    assert_int_equal(wins[2], 3);
    assert_int_equal(wins[3], 4);
}

/* The AUC of a task whose images count as their weights say, each class's summing to 1. */
static double weighted_auc(const struct task *t, const double *weights, int ways, int queries)
{
    int n = ways * queries;
    double own[MOST_WAYS * MOST_QUERIES], sum = 0;
    for (int i = 0; i < n; i++) {
        double all = 0;
        for (int j = 0; j < queries; j++) all += weights[t->items[i / queries * queries + j]];
        own[i] = weights[t->items[i]] / all;
    }
    for (int k = ways == 2; k < ways; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double a = t->scores[i * ways + k], b = t->scores[j * ways + k];
                if (i / queries == k && j / queries != k) sum += own[i] * own[j] * ((a > b) + (a == b) / 2.) / (ways - 1);
            }
    return ways == 2 ? sum : sum / ways;
}

static double mean_auc(const struct task *tasks, const double *weights, int ways, int queries)
{
    double sum = 0;
    for (int t = 0; t < TASKS; t++) sum += weighted_auc(&tasks[t], weights, ways, queries);
    return sum / TASKS;
}

static void tally(struct meta_by_group *out, const struct images *d, const struct task *tasks, int ways, int queries)
{
    struct meta_tally *sums;
    struct meta_error error;
    int labels[MOST_WAYS * MOST_QUERIES], wins[MOST_WAYS * MOST_QUERIES];
    make_labels(labels, ways, queries);
    assert_int_equal(meta_tally_create(&sums, &d->set, ways, queries, &error), 0);
    for (int again = 0; again < 2; again++) {
        meta_tally_start(sums);
        for (int t = 0; t < TASKS; t++) {
            meta_auc_wins(wins, tasks[t].scores, labels, ways * queries, ways);
            meta_tally_add(sums, tasks[t].items, wins);
        }
    }
    assert_int_equal(meta_tally_read(out, sums, TASKS, &error), 0);
    meta_tally_free(sums);
}

static int same_group(const struct images *d, int a, int b) { return a == b || (d->group[a] >= 0 && d->group[a] == d->group[b]); }

static void test_influence(void **state)
{
    static struct task tasks[TASKS];
    struct images d;
    for (int ways = 2; ways <= 3; ways++) {
        struct meta_rng rng = meta_rng_open(7, META_USE_CHECK, ways, 0, 0);
        int queries = 4, asked = 0, groups = 0;
        struct meta_by_group g;
        make_images(&d, ways, 9, &rng);
        for (int t = 0; t < TASKS; t++) {
            draw_items(tasks[t].items, &d, ways, queries, &rng);
            draw_scores(tasks[t].scores, ways * queries, ways, &rng);
        }
        tally(&g, &d, tasks, ways, queries);
        for (int i = 0; i < d.set.count; i++) {
            int first = 1;
            for (int k = 0; k < i; k++) first &= !same_group(&d, k, i);
            groups += first;
        }
        assert_int_equal(g.count, groups);              /* 160 query images of a class: each is asked */
        double sums[MOST_WAYS] = {0};
        for (int i = 0; i < g.count; i++) {
            double weights[MOST_IMAGES], h = 1e-4, auc[2];
            for (int side = 0; side < 2; side++) {
                for (int k = 0; k < d.set.count; k++) weights[k] = same_group(&d, k, g.item[i]) ? 1 + (side ? h : -h) : 1;
                auc[side] = mean_auc(tasks, weights, ways, queries);
            }
            assert_near(g.influence[i] * (queries - 1) / queries, (auc[1] - auc[0]) / (2 * h), 1e-8);
            assert_int_equal(g.label[i], d.label[g.item[i]]);
            asked += g.asked[i];
            sums[g.label[i]] += g.influence[i];
        }
        assert_int_equal(asked, TASKS * ways * queries);
        for (int k = 0; k < ways; k++) assert_near(sums[k], 0, 1e-12);
        meta_by_group_clear(&g);
    }
}

static double normal(struct meta_rng *rng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += meta_rng_below(rng, 1 << 24) / (double)(1 << 24);
    return sum;
}

/* Pools of lesions, drawn again and again: how much the mean AUC over tasks really scatters from pool to pool. */
static void test_calibration(void **state)
{
    enum { POOLS = 400, QUERIES = 5 };
    static struct task tasks[TASKS];
    struct images d;
    double sum = 0, squares = 0, predicted = 0, by_tasks = 0, scores[MOST_IMAGES], aucs[TASKS], one[MOST_IMAGES];
    int held = 0;
    for (int i = 0; i < MOST_IMAGES; i++) one[i] = 1;
    for (int pool = 0; pool < POOLS; pool++) {
        struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, pool, 0, 0);
        struct meta_by_group g;
        make_images(&d, 2, 20, &rng);
        double lesion = 0;
        for (int i = 0; i < d.set.count; i++) {         /* images of a lesion have most of their score in common */
            if (!i || !same_group(&d, i, i - 1)) lesion = normal(&rng);
            scores[i] = d.label[i] + sqrt(.9) * lesion + sqrt(.1) * normal(&rng);
        }
        for (int t = 0; t < TASKS; t++) {
            draw_items(tasks[t].items, &d, 2, QUERIES, &rng);
            for (int i = 0; i < 2 * QUERIES; i++) tasks[t].scores[2 * i + 1] = scores[tasks[t].items[i]];
            aucs[t] = weighted_auc(&tasks[t], one, 2, QUERIES);
        }
        tally(&g, &d, tasks, 2, QUERIES);
        struct meta_estimate e = meta_estimate(aucs, sizeof *aucs, TASKS), wide = meta_by_group_estimate(e, g.label, g.influence, g.count);
        sum += e.mean;
        squares += e.mean * e.mean;
        predicted += wide.error * wide.error;
        by_tasks += e.error * e.error;
        held += wide.low <= .76025 && .76025 <= wide.high;      /* Phi(1/sqrt 2): the AUC of lesions without end */
        meta_by_group_clear(&g);
    }
    double variance = (squares - sum * sum / POOLS) / (POOLS - 1);
    assert_near(sum / POOLS, .76025, 4 * sqrt(variance / POOLS));
    assert_true(by_tasks / POOLS < variance / 3);                                       /* tasks alone tell too little */
    assert_true(predicted / POOLS > .9 * variance && predicted / POOLS < 1.4 * variance);
    assert_true(held > .92 * POOLS && held < .99 * POOLS);
}

static void test_error_over_groups(void **state)
{
    int label[] = { 3, 3, 1, 1, 1 }, alone[] = { 3, 3, 1 };
    double influence[] = { .1, -.1, .2, -.1, -.1 }, none[] = { NAN, NAN };
    assert_near(meta_by_group_error(label, influence, 5), sqrt(2 * .02 + 1.5 * .06), 1e-12);
    assert_true(isnan(meta_by_group_error(alone, influence, 3)));
    assert_true(isnan(meta_by_group_error(label, none, 2)));
    assert_true(isnan(meta_by_group_error(label, influence, 0)));
    /* three degrees: fewer than the tasks' 99; and with two tasks one */
    struct meta_estimate tasks = { .5, .3, 0, 1, 100 }, e = meta_by_group_estimate(tasks, label, influence, 5);
    assert_near(e.error, sqrt(.09 + .13), 1e-12);
    assert_near(e.high - .5, 3.1785 * e.error, 1e-3);
    assert_near(e.high + e.low, 1, 1e-12);
    tasks.n = 2;
    e = meta_by_group_estimate(tasks, label, influence, 5);
    assert_near(e.high - .5, 12.7062 * e.error, 1e-3);
    tasks = (struct meta_estimate){ .5, NAN, NAN, NAN, 1 };
    assert_true(isnan(meta_by_group_estimate(tasks, label, influence, 5).low));
}

/* With one query image a class nothing tells an image from its class. */
static void test_one_query(void **state)
{
    struct images d;
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    struct meta_tally *sums;
    struct meta_by_group g;
    struct meta_error error;
    int items[2] = { 0 }, wins[2] = { 2, 2 };
    make_images(&d, 2, 4, &rng);
    while (!d.label[items[1]]) items[1]++;
    assert_int_equal(meta_tally_create(&sums, &d.set, 2, 1, &error), 0);
    meta_tally_add(sums, items, wins);
    assert_int_equal(meta_tally_read(&g, sums, 1, &error), 0);
    assert_int_equal(g.count, 2);
    assert_true(isnan(g.influence[0]));
    meta_by_group_clear(&g);
    meta_tally_free(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wins), cmocka_unit_test(test_influence), cmocka_unit_test(test_calibration), cmocka_unit_test(test_error_over_groups),
        cmocka_unit_test(test_one_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
