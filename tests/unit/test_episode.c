/* Tasks: no image twice, no group on both sides, equal chances, one task a key, and a check that is neither too strict nor too lax. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tasks/episode.h"

enum { MOST = 4000 };

static struct meta_error error;
static int labels[MOST], groups[MOST];
static char *names[] = { "MEL", "NV", "BCC", "BKL", "DF" };
static struct meta_dataset set = { .label = labels, .group = groups, .classes = 5, .names = names, .list = "x.list" };

static void add(int class, int group, int images)
{
    for (int i = 0; i < images; i++) {
        labels[set.count] = class;
        groups[set.count++] = group;
    }
}

static int sampler(struct meta_sampler **s, int ways, int shots, int queries)
{
    struct meta_episode_settings settings = { .ways = ways, .shots = shots, .queries = queries, .tasks = 1 };
    *s = NULL;
    strcpy(error.text, "no error");
    return meta_sampler_create(s, &set, &settings, &error);
}

static struct meta_episode *episode(int ways, int shots, int queries)
{
    struct meta_episode_settings settings = { .ways = ways, .shots = shots, .queries = queries, .tasks = 1 };
    struct meta_episode *e = NULL;
    assert_int_equal(meta_episode_create(&e, &settings, &error), 0);
    return e;
}

/* Holds for every task, whatever the data. */
static void check(const struct meta_episode *e)
{
    static char side[MOST], group_side[MOST];      /* 1 support, 2 query; as found so far */
    int n = e->ways * (e->shots + e->queries);
    for (int k = 0; k < e->ways; k++)
        for (int j = 0; j < k; j++) assert_int_not_equal(e->classes[k], e->classes[j]);
    for (int i = 0; i < n; i++) {
        int query = i >= e->ways * e->shots, at = query ? i - e->ways * e->shots : i;
        int image = query ? e->query[at] : e->support[at], label = at / (query ? e->queries : e->shots);
        assert_in_range(image, 0, set.count - 1);
        assert_int_equal(labels[image], e->classes[label]);
        assert_int_equal(side[image], 0);
        side[image] = 1 + query;
        if (groups[image] < 0) continue;
        assert_true(!group_side[groups[image]] || group_side[groups[image]] == 1 + query);
        group_side[groups[image]] = 1 + query;
    }
    memset(side, 0, sizeof side);
    memset(group_side, 0, sizeof group_side);
}

/* Chi-square of counts that should be equal, in standard deviations from its mean. */
static double chi(const int *counts, int n)
{
    double sum = 0, expected = 0;
    for (int i = 0; i < n; i++) expected += counts[i] / (double)n;
    for (int i = 0; i < n; i++) sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return (sum - (n - 1)) / sqrt(2. * (n - 1));
}

/* 10^4 tasks on classes like ISIC's: many lesions of one image, some of up to six. */
static void no_overlap(void **state)
{
    set.count = 0;
    int group = 0;
    for (int class = 0; class < 4; class++)
        for (int i = 0; i < 60 + 40 * class; i++) add(class, i % 5 ? group++ : -1, i % 7 ? 1 + (i % 3 == 0) : 1 + i % 6);
    struct meta_sampler *s;
    assert_int_equal(sampler(&s, 2, 5, 15), 0);
    struct meta_episode *e = episode(2, 5, 15);
    for (int i = 0; i < 10000; i++) {
        meta_episode_draw(s, 3, i / 4, i % 4, e);
        check(e);
    }
    meta_episode_free(e);
    meta_sampler_free(s);
}

static void equal_chances(void **state)
{
    enum { N = 20000 };
    set.count = 0;
    add(1, -1, 30);
    add(2, -1, 12);
    add(4, -1, 50);
    add(0, -1, 25);
    struct meta_sampler *s;
    assert_int_equal(sampler(&s, 2, 3, 6), 0);
    struct meta_episode *e = episode(2, 3, 6);
    static int pairs[25], support[3][MOST], query[6][MOST], both[12 * 12];
    static const int others[] = { 0, 1, 2, 4 }, first[] = { 92, 0, 30, 0, 42 };        /* each class's first image */
    int order[12], orders = 0;
    for (int i = 0; i < N; i++) {
        meta_episode_draw(s, 8, i, 0, e);
        check(e);
        pairs[e->classes[0] * 5 + e->classes[1]]++;
        for (int k = 0; k < 2; k++) {
            for (int j = 0; j < 3; j++) support[j][e->support[3 * k + j]]++;
            for (int j = 0; j < 6; j++) query[j][e->query[6 * k + j]]++;
            if (e->classes[k] != 2) continue;
            for (int j = 0; j < 6; j++)        /* which two images meet: support 0 with each query */
                both[(e->support[3 * k] - first[2]) * 12 + e->query[6 * k + j] - first[2]]++;
        }
    }
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            if (a != b) order[orders++] = pairs[others[a] * 5 + others[b]];
    assert_int_equal(orders, 12);
    assert_true(fabs(chi(order, 12)) < 5);
    static const int sizes[] = { 25, 30, 12, 0, 50 };
    for (int class = 0; class < 5; class++) {
        if (!sizes[class]) continue;
        for (int j = 0; j < 3; j++) assert_true(fabs(chi(&support[j][first[class]], sizes[class])) < 5);
        for (int j = 0; j < 6; j++) assert_true(fabs(chi(&query[j][first[class]], sizes[class])) < 5);
    }
    for (int a = 0; a < 12; a++) {                                         /* the diagonal is empty, the rest is even */
        int row[11], n = 0;
        for (int b = 0; b < 12; b++)
            if (b != a) row[n++] = both[a * 12 + b];
        assert_int_equal(both[a * 13], 0);
        assert_true(fabs(chi(row, 11)) < 5);
    }
    meta_episode_free(e);
    meta_sampler_free(s);
}

/* A class of groups as small as can be: the first pick has equal chances among what leaves a task, also through the count that
   follows when tries fail (four images in sixty may start a support side here). */
static void tight_chances(void **state)
{
    struct meta_sampler *s;
    set.count = 0;
    add(0, 1, 56);
    add(0, 2, 2);
    add(0, 3, 2);                          /* support of 2, query of 58: both of group 2, or both of group 3 */
    assert_int_equal(sampler(&s, 1, 2, 58), 0);
    struct meta_episode *e = episode(1, 2, 58);
    int counts[4] = { 0 };
    for (int i = 0; i < 4000; i++) {
        meta_episode_draw(s, 1, i, 0, e);
        check(e);
        assert_in_range(e->support[0], 56, 59);
        assert_int_equal(e->support[1], e->support[0] ^ 1);
        counts[e->support[0] - 56]++;
    }
    assert_true(fabs(chi(counts, 4)) < 5);
    meta_episode_free(e);
    meta_sampler_free(s);
}

/* Random small classes against every choice of whole groups for the support side: accepted exactly when one works, and then
   drawn from without getting stuck. */
static void exact_check(void **state)
{
    unsigned x = 1;
    int accepted = 0, refused = 0;
    for (int trial = 0; trial < 3000; trial++) {
        int clusters = 1 + (x = x * 1664525 + 1013904223) / 429496730, size[10], shots, queries, possible = 0;     /* 1..10 */
        set.count = 0;
        for (int k = 0; k < clusters; k++) {
            size[k] = 1 + (x = x * 1664525 + 1013904223) / 613566757;      /* 1..7 */
            add(0, k, size[k]);
        }
        shots = 1 + (x = x * 1664525 + 1013904223) / 477218589;            /* 1..9 */
        queries = set.count - shots - (int)((x = x * 1664525 + 1013904223) / 1073741824);     /* 0..3 to spare */
        if (queries < 1) continue;
        for (int chosen = 0; chosen < 1 << clusters && !possible; chosen++) {
            int sum = 0;
            for (int k = 0; k < clusters; k++)
                if (chosen >> k & 1) sum += size[k];
            possible = sum >= shots && set.count - sum >= queries;
        }
        struct meta_sampler *s;
        assert_int_equal(sampler(&s, 1, shots, queries), possible ? 0 : -1);
        if (!possible) { refused++; continue; }
        accepted++;
        struct meta_episode *e = episode(1, shots, queries);
        for (int i = 0; i < 5; i++) {
            meta_episode_draw(s, trial, i, 0, e);
            check(e);
        }
        meta_episode_free(e);
        meta_sampler_free(s);
    }
    assert_true(accepted > 1000 && refused > 200);
}

/* Patients with images of several classes: the rule holds across the task. */
static void shared_groups(void **state)
{
    struct meta_sampler *s;
    set.count = 0;
    for (int i = 0; i < 12; i++)
        for (int class = 0; class < 3; class++) add(class, i, 2);
    assert_int_equal(sampler(&s, 3, 2, 12), 0);            /* 6 support images touch at most 6 of 12 patients */
    struct meta_episode *e = episode(3, 2, 12);
    for (int i = 0; i < 2000; i++) {
        meta_episode_draw(s, 5, i, 0, e);
        check(e);
    }
    meta_episode_free(e);
    meta_sampler_free(s);
    assert_int_equal(sampler(&s, 3, 2, 13), -1);
    assert_string_equal(error.text, "x.list: class MEL has 24 images in 12 groups, some shared with other classes, the largest of 2: "
                        "too few to have shots=2 and queries=13 in different groups");
    assert_int_equal(sampler(&s, 1, 2, 20), 0);            /* alone in a task, the others don't matter */
    meta_sampler_free(s);

    set.count = 0;
    for (int i = 0; i < 12; i++)
        for (int class = 0; class < 2; class++) add(class, i, i % 6 ? 1 : 6);
    assert_int_equal(sampler(&s, 2, 1, 10), 0);            /* the two large groups may be on the other side */
    e = episode(2, 1, 10);
    for (int i = 0; i < 2000; i++) {
        meta_episode_draw(s, 5, i, 0, e);
        check(e);
    }
    meta_episode_free(e);
    meta_sampler_free(s);
    assert_int_equal(sampler(&s, 2, 1, 11), -1);
}

static void refusals(void **state)
{
    struct meta_sampler *s;
    set.count = 0;
    add(0, -1, 40);
    add(3, -1, 19);
    assert_int_equal(sampler(&s, 2, 5, 15), -1);
    assert_string_equal(error.text, "x.list: class BKL has 19 images: shots=5 and queries=15 need at least 20");
    add(3, -1, 1);
    assert_int_equal(sampler(&s, 2, 5, 15), 0);            /* just enough; classes without images don't count */
    struct meta_episode *e = episode(2, 5, 15);
    meta_episode_draw(s, 0, 0, 0, e);
    check(e);
    meta_episode_free(e);
    meta_sampler_free(s);
    assert_int_equal(sampler(&s, 3, 1, 1), -1);
    assert_string_equal(error.text, "x.list: has images of 2 classes: ways=3 needs at least 3");
    add(4, -1, 1);
    assert_int_equal(sampler(&s, 2, 1, 1), -1);
    assert_string_equal(error.text, "x.list: class DF has 1 image: shots=1 and queries=1 need at least 2");
    set.count = 0;
    add(0, 7, 30);
    assert_int_equal(sampler(&s, 1, 5, 15), -1);
    assert_string_equal(error.text, "x.list: class MEL has 30 images in 1 group, the largest of 30: "
                        "too few to have shots=5 and queries=15 in different groups");
    assert_int_equal(sampler(&s, 1, 0, 15), -1);
    assert_string_equal(error.text, "ways=1, shots=0, queries=15: must be at least 1");
}

/* A task depends on its key alone: not on what the episode held, nor on who draws beside it. */
struct drawer { const struct meta_sampler *sampler; int from; int drawn[200][2 + 10 + 30]; };

static void *draw_all(void *argument)
{
    struct drawer *d = argument;
    struct meta_episode *e = episode(2, 5, 15);
    for (int i = 0; i < 200; i++) {
        int at = (i + d->from) % 200;
        meta_episode_draw(d->sampler, 11, at / 4, at % 4, e);
        memcpy(d->drawn[at], e->classes, 2 * sizeof(int));
        memcpy(d->drawn[at] + 2, e->support, 10 * sizeof(int));
        memcpy(d->drawn[at] + 12, e->query, 30 * sizeof(int));
    }
    meta_episode_free(e);
    return NULL;
}

static void threads_agree(void **state)
{
    static struct drawer drawers[4];
    pthread_t threads[4];
    struct meta_sampler *s;
    set.count = 0;
    for (int class = 0; class < 5; class++)
        for (int i = 0; i < 20; i++) add(class, class * 20 + i, 1 + i % 4);
    assert_int_equal(sampler(&s, 2, 5, 15), 0);
    for (int i = 0; i < 4; i++) {
        drawers[i].sampler = s;
        drawers[i].from = i * 57;
        pthread_create(&threads[i], NULL, draw_all, &drawers[i]);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 1; i < 4; i++) assert_memory_equal(drawers[i].drawn, drawers[0].drawn, sizeof drawers->drawn);
    int same = 0;
    for (int i = 1; i < 200; i++) same += !memcmp(drawers->drawn[i], drawers->drawn[0], sizeof *drawers->drawn);
    assert_int_equal(same, 0);

    struct meta_episode *a = episode(2, 5, 15), *b = episode(2, 5, 15);
    meta_episode_draw(s, 11, 7, 2, a);
    meta_episode_draw(s, 12, 7, 2, b);
    assert_memory_not_equal(a->support, b->support, 10 * sizeof(int));
    meta_episode_free(a);
    meta_episode_free(b);
    meta_sampler_free(s);
}

/* A checkpoint's future: the tasks of a seed stay what they are. */
static void fixed_task(void **state)
{
    struct meta_sampler *s;
    set.count = 0;
    for (int class = 0; class < 3; class++) add(class, -1, 10);
    assert_int_equal(sampler(&s, 2, 2, 3), 0);
    struct meta_episode *e = episode(2, 2, 3);
    meta_episode_draw(s, 42, 1000, 3, e);
    static const int classes[] = { 0, 1 }, support[] = { 2, 6, 10, 19 }, query[] = { 9, 8, 1, 17, 14, 13 };
    assert_memory_equal(e->classes, classes, sizeof classes);
    assert_memory_equal(e->support, support, sizeof support);
    assert_memory_equal(e->query, query, sizeof query);
    meta_episode_free(e);
    meta_sampler_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_overlap), cmocka_unit_test(equal_chances), cmocka_unit_test(tight_chances), cmocka_unit_test(exact_check),
        cmocka_unit_test(shared_groups), cmocka_unit_test(refusals), cmocka_unit_test(threads_agree), cmocka_unit_test(fixed_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
