/* What an AUC owes to its images: wins against their definition, influences of query images against differences of weighted AUCs and of support images
   against all tasks there are, and the error against the scatter that drawing the images anew really has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "near.h"
#include <math.h>
#include "evaluation/by_group.h"
#include "evaluation/tally.h"
#include "base/rng.h"
#include "stats/estimate.h"
#include "stats/auc.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WAYS = 3, MOST_SHOTS = 3, MOST_QUERIES = 6, MOST_IMAGES = 300, TASKS = 40 };

struct task { int support[MOST_WAYS * MOST_SHOTS], items[MOST_WAYS * MOST_QUERIES]; double scores[MOST_WAYS * MOST_QUERIES * MOST_WAYS]; };

/* Images of `ways` classes in groups of one to three. */
struct images { struct meta_dataset set; int label[MOST_IMAGES], group[MOST_IMAGES]; };

static double error_of(const struct meta_by_group *g)
{
    struct meta_error error;
    double out;
    if (meta_by_group_error(&out, g, &error)) fail_msg("%s", error.text);
    return out;
}

static struct meta_estimate estimate_of(struct meta_estimate tasks, const struct meta_by_group *g)
{
    struct meta_error error;
    struct meta_estimate out;
    if (meta_by_group_estimate(&out, tasks, g, &error)) fail_msg("%s", error.text);
    return out;
}

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

static int same_group(const struct images *d, int a, int b) { return a == b || (d->group[a] >= 0 && d->group[a] == d->group[b]); }

/* `each` images a class, none twice and none of a group of `barred` (count). */
static void draw_items(int *items, const struct images *d, int ways, int each, const int *barred, int count, struct meta_rng *rng)
{
    char taken[MOST_IMAGES] = {0};
    for (int k = 0; k < ways; k++)
        for (int i = 0; i < each; ) {
            int item = meta_rng_below(rng, d->set.count), bad = d->label[item] != k;
            for (int j = 0; j < count; j++) bad |= same_group(d, item, barred[j]);
            if (bad || taken[item]++) continue;
            items[k * each + i++] = item;
        }
}

static void draw_task(struct task *t, const struct images *d, int ways, int shots, int queries, struct meta_rng *rng)
{
    draw_items(t->support, d, ways, shots, NULL, 0, rng);
    draw_items(t->items, d, ways, queries, t->support, ways * shots, rng);
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

static void tally(struct meta_by_group *out, const struct images *d, const struct task *tasks, int count, struct meta_episode_settings e)
{
    struct meta_tally *sums;
    struct meta_error error;
    int labels[MOST_WAYS * MOST_QUERIES], wins[MOST_WAYS * MOST_QUERIES];
    make_labels(labels, e.ways, e.queries);
    assert_int_equal(meta_tally_create(&sums, &d->set, &e, &error), 0);
    for (int t = 0; t < count; t++) {
        meta_auc_wins(wins, tasks[t].scores, labels, e.ways * e.queries, e.ways);
        meta_tally_add(sums, &(struct meta_tallied){ tasks[t].support, tasks[t].items, wins,
                                                     meta_auc_task(tasks[t].scores, labels, e.ways * e.queries, e.ways) });
    }
    assert_int_equal(meta_tally_read(out, sums, &error), 0);
    assert_int_equal(out->tasks, count);
    meta_tally_free(sums);
}

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
            draw_task(&tasks[t], &d, ways, 2, queries, &rng);
            draw_scores(tasks[t].scores, ways * queries, ways, &rng);
        }
        tally(&g, &d, tasks, TASKS, (struct meta_episode_settings){ .ways = ways, .shots = 2, .queries = queries });
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
            assert_near(g.query[i] * (queries - 1) / queries, (auc[1] - auc[0]) / (2 * h), 1e-8);
            assert_int_equal(g.label[i], d.label[g.item[i]]);
            asked += g.asked[i];
            sums[g.label[i]] += g.query[i];
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

/* Every task of two classes there is, of two support images of six a class, with an AUC that is the sum of what its support images
   add. */
static void test_support_influence(void **state)
{
    enum { EACH = 6, PAIRS = 15 };
    static const double adds[2][EACH] = { { .01, -.02, .03, 0, .05, -.01 }, { .02, .02, -.04, .01, 0, .03 } };
    struct meta_tally *sums;
    struct meta_by_group g;
    struct meta_error error;
    int label[2 * EACH], group[2 * EACH], wins[4] = { 2, 2, 2, 2 };
    struct meta_dataset set = { .count = 2 * EACH, .label = label, .group = group };
    for (int i = 0; i < 2 * EACH; i++) { label[i] = i / EACH; group[i] = -1; }
    struct meta_episode_settings e = { .ways = 2, .shots = 2, .queries = 2 };
    assert_int_equal(meta_tally_create(&sums, &set, &e, &error), 0);
    int pairs[PAIRS][2], n = 0;
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < i; j++) { pairs[n][0] = j; pairs[n++][1] = i; }
    for (int a = 0; a < PAIRS; a++)
        for (int b = 0; b < PAIRS; b++) {
            int support[4] = { pairs[a][0], pairs[a][1], EACH + pairs[b][0], EACH + pairs[b][1] }, query[4] = { 0 };
            double auc = .7;
            for (int i = 0; i < 4; i++) auc += adds[support[i] / EACH][support[i] % EACH];
            for (int k = 0; k < 2; k++)                     /* the first two that are not on the other side */
                for (int i = 0, found = 0; found < 2; i++) {
                    int item = k * EACH + i;
                    if (item != support[2 * k] && item != support[2 * k + 1]) query[2 * k + found++] = item;
                }
            meta_tally_add(sums, &(struct meta_tallied){ support, query, wins, auc });
        }
    assert_int_equal(meta_tally_read(&g, sums, &error), 0);
    assert_int_equal(g.count, 2 * EACH);
    for (int i = 0; i < g.count; i++) {
        double mean = 0;
        for (int j = 0; j < EACH; j++) mean += adds[g.label[i]][j] / EACH;
        assert_near(g.query[i], 0, 0);
        /* an image is in a third of the tasks; 225 tasks have 224 degrees */
        assert_near(meta_by_group_influence(&g, i), (adds[g.label[i]][g.item[i] % EACH] - mean) / 3 * 225 / 224, 1e-12);
    }
    meta_by_group_clear(&g);
    meta_tally_free(sums);
}

/* A group that has images of two classes is one, and adds up what either does. */
static void test_group_of_two_classes(void **state)
{
    int label[] = { 0, 0, 1, 1, 0, 1, 0, 1 }, group[] = { 5, -1, 5, -1, -1, -1, -1, -1 }, wins[4] = { 2, 2, 2, 2 };
    int tasks[][8] = { { 0, 3, 1, 4, 5, 7 }, { 1, 2, 4, 6, 3, 5 }, { 4, 3, 1, 6, 5, 7 }, { 1, 5, 4, 6, 3, 7 } };
    double aucs[] = { .9, .6, .5, .4 };
    struct meta_dataset set = { .count = 8, .label = label, .group = group };
    struct meta_tally *sums;
    struct meta_by_group g;
    struct meta_error error;
    struct meta_episode_settings e = { .ways = 2, .shots = 1, .queries = 2 };
    assert_int_equal(meta_tally_create(&sums, &set, &e, &error), 0);
    for (int t = 0; t < 4; t++) meta_tally_add(sums, &(struct meta_tallied){ tasks[t], tasks[t] + 2, wins, aucs[t] });
    assert_int_equal(meta_tally_read(&g, sums, &error), 0);
    assert_int_equal(g.count, 7);
    assert_int_equal(g.item[0], 0);
    /* class 0 has four groups, one in a task: in task 0, .3 above the mean of .6; class 1 as many: in task 1, at the mean */
    assert_near(meta_by_group_influence(&g, 0), (.3 + 0) / 4 * (3 / 3.) * 4 / 3, 1e-12);
    meta_by_group_clear(&g);
    meta_tally_free(sums);
}

/* Pools of lesions, drawn again and again, and tasks that are learned by the nearest mean: how much the mean AUC over tasks really scatters from pool to
   pool, and how often the interval holds the mean over all pools, which is the truth. */
static void test_calibration(void **state)
{
    enum { POOLS = 400, SHOTS = 3, QUERIES = 5, SIZE = 4, MANY = 120 };
    static struct task tasks[MANY];
    static double low[POOLS], high[POOLS];
    struct images d;
    struct meta_episode_settings e = { .ways = 2, .shots = SHOTS, .queries = QUERIES };
    double sum = 0, squares = 0, predicted = 0, by_query = 0, by_tasks = 0, x[MOST_IMAGES][SIZE], aucs[MANY], one[MOST_IMAGES];
    int held = 0;
    for (int i = 0; i < MOST_IMAGES; i++) one[i] = 1;
    for (int pool = 0; pool < POOLS; pool++) {
        struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, pool, 0, 0);
        struct meta_by_group g;
        make_images(&d, 2, 25, &rng);
        double lesion[SIZE];
        for (int i = 0; i < d.set.count; i++) {         /* images of a lesion have most in common */
            for (int k = 0; k < SIZE && (!i || !same_group(&d, i, i - 1)); k++) lesion[k] = normal(&rng);
            for (int k = 0; k < SIZE; k++) x[i][k] = (k ? 0 : 1.2 * d.label[i]) + sqrt(.8) * lesion[k] + sqrt(.2) * normal(&rng);
        }
        for (int t = 0; t < MANY; t++) {
            double slope[SIZE] = {0};
            draw_task(&tasks[t], &d, 2, SHOTS, QUERIES, &rng);
            for (int i = 0; i < 2 * SHOTS; i++)
                for (int k = 0; k < SIZE; k++) slope[k] += (i < SHOTS ? -1 : 1) * x[tasks[t].support[i]][k];
            for (int i = 0; i < 2 * QUERIES; i++) {
                double score = 0;
                for (int k = 0; k < SIZE; k++) score += slope[k] * x[tasks[t].items[i]][k];
                tasks[t].scores[2 * i + 1] = score;
            }
            aucs[t] = weighted_auc(&tasks[t], one, 2, QUERIES);
        }
        tally(&g, &d, tasks, MANY, e);
        struct meta_estimate over = meta_estimate(aucs, sizeof *aucs, MANY), wide = estimate_of(over, &g);
        for (int i = 0; i < g.count; i++) by_query += g.query[i] * g.query[i];
        low[pool] = wide.low;
        high[pool] = wide.high;
        sum += wide.mean;
        squares += wide.mean * wide.mean;
        predicted += wide.error * wide.error;
        by_tasks += over.error * over.error;
        meta_by_group_clear(&g);
    }
    double variance = (squares - sum * sum / POOLS) / (POOLS - 1);
    for (int pool = 0; pool < POOLS; pool++) held += low[pool] <= sum / POOLS && sum / POOLS <= high[pool];
    assert_true((by_tasks + by_query) / POOLS < .6 * variance);                 /* tasks and query images alone tell too little */
    assert_true(predicted / POOLS > .85 * variance && predicted / POOLS < 1.3 * variance);
    if (held < .9 * POOLS || held > .975 * POOLS)          /* 25 groups a class are few */ fail_msg("%d of %d intervals hold the mean", held, POOLS);
}

/* Two groups of class 3 and three of class 1; part 0 and 1 have a group's influence `own`, the others none. */
static void test_error_over_groups(void **state)
{
    int label[] = { 3, 3, 1, 1, 1 }, alone[] = { 3, 3, 1 };
    double query[] = { .1, -.1, .2, -.1, -.1 }, part[META_PARTS * 5] = {0}, none[] = { NAN, NAN };
    struct meta_by_group g = { .tasks = 100, .count = 5, .label = label, .query = query, .part = part };
    /* the parts say nothing: the query images' error is the least */
    assert_near(error_of(&g), sqrt(2 * .02 + 1.5 * .06), 1e-12);
    for (int i = 0; i < 5; i++) part[i] = part[5 + i] = 3 * query[i];
    /* of the two parts' products there are 2 of 9 each; in 10 parts of 10 tasks one pair in ten is of the same part */
    assert_near(error_of(&g), sqrt((2 * .02 + 1.5 * .06) * 18 / .9), 1e-12);
    g.tasks = 15;               /* five parts of two, five of one: 225 - 25 pairs */
    assert_near(error_of(&g), sqrt((2 * .02 + 1.5 * .06) * 18 * 225 / 200), 1e-12);
    for (int i = 0; i < 5; i++) part[5 + i] = 0;        /* one part alone has no product */
    assert_near(error_of(&g), sqrt(2 * .02 + 1.5 * .06), 1e-12);
    g.tasks = 1;
    assert_true(isnan(error_of(&g)));
    g.tasks = 100;
    /* three degrees: fewer than the tasks' 99; and with two tasks one */
    struct meta_estimate tasks = { .5, .3, 0, 1, 100 }, e = estimate_of(tasks, &g);
    assert_near(e.error, sqrt(.09 + .13), 1e-12);
    assert_near(e.high - .5, 3.18244630528371 * e.error, 1e-9); /* Student's t of 3 degrees */
    assert_near(e.high + e.low, 1, 1e-12);
    tasks.n = 2;
    e = estimate_of(tasks, &g);
    assert_near(e.high - .5, 12.7062047361747 * e.error, 1e-9);
    tasks = (struct meta_estimate){ .5, NAN, NAN, NAN, 1 };
    assert_true(isnan(estimate_of(tasks, &g).low));
    g.label = alone;
    g.count = 3;
    assert_true(isnan(error_of(&g)));
    g.label = label;
    g.query = none;
    g.count = 2;
    assert_true(isnan(error_of(&g)));
    g.count = 0;
    assert_true(isnan(error_of(&g)));
}

/* With one query image a class nothing tells an image from its class. */
static void test_one_query(void **state)
{
    struct images d;
    struct meta_rng rng = meta_rng_open(1, META_USE_CHECK, 0, 0, 0);
    struct meta_tally *sums;
    struct meta_by_group g;
    struct meta_error error;
    struct task task;
    struct meta_episode_settings e = { .ways = 2, .shots = 1, .queries = 1 };
    int wins[2] = { 2, 2 };
    make_images(&d, 2, 4, &rng);
    draw_task(&task, &d, 2, 1, 1, &rng);
    assert_int_equal(meta_tally_create(&sums, &d.set, &e, &error), 0);
    meta_tally_add(sums, &(struct meta_tallied){ task.support, task.items, wins, .5 });
    assert_int_equal(meta_tally_read(&g, sums, &error), 0);
    assert_int_equal(g.count, 4);           /* two as query images, two as support images */
    assert_true(isnan(g.query[0]));
    assert_true(isnan(error_of(&g)));
    meta_by_group_clear(&g);
    meta_tally_free(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wins), cmocka_unit_test(test_influence), cmocka_unit_test(test_support_influence), cmocka_unit_test(test_group_of_two_classes), cmocka_unit_test(test_calibration), cmocka_unit_test(test_error_over_groups),
        cmocka_unit_test(test_one_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
