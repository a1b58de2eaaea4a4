/* The curriculum against a second telling of its rules, with lists instead of rings; and its limits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tasks/curriculum.h"
#include "base/rng.h"

enum { MOST_KINDS = 64, MOST_TASKS = 5, MOST_WAYS = 3, ITERATIONS = 120 };
static struct meta_error error;

static struct meta_curriculum *create(const struct meta_episode_settings *s, int classes, uint64_t seed, uint64_t first)
{
    struct meta_curriculum *c = NULL;
    if (meta_curriculum_create(&c, classes, s, seed, first, &error)) fail_msg("%s", error.text);
    return c;
}

/* ---- the reference -------------------------------------------------------------------------------------------------------- */

struct kind { int classes[MOST_WAYS]; double rewards[16]; int held; double last; int met; };

struct reference {
    const struct meta_episode_settings *s;
    uint64_t seed;
    struct kind kinds[MOST_KINDS];
    int count;
    int drawn[ITERATIONS + 8][MOST_TASKS];
};

static void add_kinds(struct reference *r, int classes, const int *begun, int n)
{
    int set[MOST_WAYS];
    memcpy(set, begun, n * sizeof *set);
    if (n == r->s->ways) {
        memcpy(r->kinds[r->count++].classes, set, sizeof set);
        return;
    }
    for (set[n] = n ? set[n - 1] + 1 : 0; set[n] < classes; set[n]++) add_kinds(r, classes, set, n + 1);
}

static int reference_draw(const struct reference *r, uint64_t iteration, int task)
{
    struct meta_rng rng = meta_rng_open(r->seed, META_USE_CURRICULUM, iteration, task, 0);
    double picks[MOST_KINDS], most = -10;
    int winners[MOST_KINDS], n = 0;
    if (meta_rng_uniform(&rng) < r->s->explore) return meta_rng_below(&rng, r->count);
    for (int k = 0; k < r->count; k++) {
        picks[k] = r->kinds[k].held ? r->kinds[k].rewards[meta_rng_below(&rng, r->kinds[k].held)] : 1;
        if (picks[k] > most) most = picks[k];
    }
    for (int k = 0; k < r->count; k++)
        if (picks[k] == most) winners[n++] = k;
    return winners[meta_rng_below(&rng, n)];
}

static void reference_learn(struct reference *r, uint64_t iteration, const double *auc)
{
    for (int k = 0; k < r->count; k++) {
        struct kind *kind = &r->kinds[k];
        double sum = 0;
        int n = 0;
        for (int t = 0; t < r->s->tasks; t++)
            if (r->drawn[iteration][t] == k) { sum += auc[t]; n++; }
        if (!n) continue;
        if (kind->met) {
            if (kind->held == r->s->window) memmove(kind->rewards, kind->rewards + 1, --kind->held * sizeof(double));
            kind->rewards[kind->held++] = sum / n - kind->last;
        }
        kind->met = 1;
        kind->last = sum / n;
    }
}

static void draw_all(struct reference *r, uint64_t iteration)
{
    for (int t = 0; t < r->s->tasks; t++) r->drawn[iteration][t] = reference_draw(r, iteration, t);
}

static void same_classes(const struct meta_curriculum *c, const struct reference *r, uint64_t iteration)
{
    const int *drawn = meta_curriculum_classes(c, iteration);
    for (int t = 0; t < r->s->tasks; t++)
        assert_memory_equal(drawn + t * r->s->ways, r->kinds[r->drawn[iteration][t]].classes, r->s->ways * sizeof *drawn);
}

/* Some AUC that a network might have had: of few values, so that rewards tie. */
static void make_auc(uint64_t iteration, int tasks, double *auc)
{
    struct meta_rng rng = meta_rng_open(3, META_USE_CHECK, iteration, 0, 0);
    for (int t = 0; t < tasks; t++) auc[t] = .5 + meta_rng_below(&rng, 8) / 16.;
}

static void follows_the_rules(void **state)
{
    static const struct { struct meta_episode_settings s; int classes; } cases[] = {
        { { .ways = 2, .tasks = 4, .window = 10, .explore = .1 }, 4 }, { { .ways = 2, .tasks = 4, .window = 3, .explore = 0 }, 4 },
        { { .ways = 3, .tasks = 5, .window = 1, .explore = .3 }, 6 }, { { .ways = 2, .tasks = 1, .window = 2, .explore = 0 }, 3 },
        { { .ways = 2, .tasks = 2, .window = 2, .explore = 1 }, 7 }, { { .ways = 3, .tasks = 3, .window = 10, .explore = .1 }, 3 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t first = 1; first < 4; first += 2) {
            static struct reference r;
            int start[MOST_WAYS] = { 0 };
            uint64_t t = first;
            double auc[MOST_TASKS];
            struct meta_curriculum *c = create(&cases[i].s, cases[i].classes, 11 + i, first);
            r = (struct reference){ .s = &cases[i].s, .seed = 11 + i };
            add_kinds(&r, cases[i].classes, start, 0);
            draw_all(&r, t);
            draw_all(&r, t + 1);
            for (; t < ITERATIONS; t++) {
                same_classes(c, &r, t);
                same_classes(c, &r, t + 1);
                make_auc(t, cases[i].s.tasks, auc);
                meta_curriculum_learn(c, auc);
                reference_learn(&r, t, auc);
                draw_all(&r, t + META_CURRICULUM_LAG);        /* from rewards up to t */
            }
            meta_curriculum_free(c);
        }
}

/* Two of three classes, one task: kinds 01, 02, 12. Windows of 1, nothing by chance. */
static void by_hand(void **state)
{
    static const struct meta_episode_settings s = { .ways = 2, .tasks = 1, .window = 1, .explore = 0 };
    static const int kinds[][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
    struct meta_curriculum *c = create(&s, 3, 1, 1);
    /* each kind's AUC goes up by its own amount at each draw: .02, .04, .01 */
    double auc[] = { .6, .5, .7 };
    static const double step[] = { .02, .04, .01 };
    int drawn[3] = { 0, 0, 0 }, late = 0;
    for (int t = 1; t <= 60; t++) {
        const int *now = meta_curriculum_classes(c, t);
        int k = 0;
        while (kinds[k][0] != now[0] || kinds[k][1] != now[1]) k++;
        if (t > 40 && k != 1) late++;
        drawn[k]++;
        auc[k] += step[k];
        meta_curriculum_learn(c, &auc[k]);
    }
    /* an empty window is 1 and needs two draws: each kind has at least two, and after that the one with the largest reward goes on */
    assert_true(drawn[0] >= 2 && drawn[2] >= 2);
    assert_int_equal(late, 0);
    meta_curriculum_free(c);
}

/* Equal chances among equals, and for whatever is drawn by chance. */
static void chances(void **state)
{
    for (int explore = 0; explore < 2; explore++) {
        const struct meta_episode_settings s = { .ways = 2, .tasks = 5, .window = 10, .explore = explore };
        int count[16] = { 0 };
        for (int seed = 0; seed < 2000; seed++) {
            struct meta_curriculum *c = create(&s, 4, seed, 1);       /* six kinds, all windows empty */
            for (int i = 1; i <= 2; i++)
                for (int t = 0; t < 5; t++) {
                    const int *k = meta_curriculum_classes(c, i) + 2 * t;
                    assert_true(0 <= k[0] && k[0] < k[1] && k[1] < 4);
                    count[4 * k[0] + k[1]]++;
                }
            meta_curriculum_free(c);
        }
        double chi = 0;
        for (int a = 0; a < 4; a++)
            for (int b = a + 1; b < 4; b++) chi += pow(count[4 * a + b] - 20000 / 6., 2) / (20000 / 6.);
        assert_true(chi < 20.5);       /* 5 degrees of freedom: one in a thousand */
    }
}

static void goes_on_from_its_state(void **state)
{
    static const struct meta_episode_settings s = { .ways = 2, .tasks = 3, .window = 4, .explore = .2 };
    struct meta_curriculum *whole = create(&s, 5, 8, 1), *part = create(&s, 5, 8, 1);
    size_t bytes = meta_curriculum_bytes(whole);
    char *a = malloc(bytes + 1), *b = malloc(bytes + 1);
    for (uint64_t t = 1; t < 60; t++) {
        double auc[3];
        make_auc(t, 3, auc);
        if (t % 7 == 0) {
            meta_curriculum_save(part, a + 1);         /* the place needs no alignment */
            meta_curriculum_free(part);
            part = create(&s, 5, 8, 1);
            assert_int_equal(meta_curriculum_load(part, a + 1, &error), 0);
        }
        for (int i = 0; i < META_CURRICULUM_LAG; i++)
            assert_memory_equal(meta_curriculum_classes(whole, t + i), meta_curriculum_classes(part, t + i), 6 * sizeof(int));
        meta_curriculum_learn(whole, auc);
        meta_curriculum_learn(part, auc);
        meta_curriculum_save(whole, a);
        meta_curriculum_save(part, b);
        assert_memory_equal(a, b, bytes);
    }
    memset(a, 0x7f, bytes);
    assert_int_equal(meta_curriculum_load(part, a, &error), -1);
    assert_string_equal(error.text, "the curriculum's state has kind 9187201950435737471: must be less than 10");
    meta_curriculum_free(whole);
    meta_curriculum_free(part);
    meta_curriculum_free(NULL);
    free(a);
    free(b);
}

static void too_many(void **state)
{
    struct meta_episode_settings s = { .ways = 2, .tasks = 1, .window = 1 };
    struct meta_curriculum *c;
    meta_curriculum_free(create(&s, 141, 1, 1));       /* 9870 */
    assert_int_equal(meta_curriculum_create(&c, 142, &s, 1, 1, &error), -1);
    assert_string_equal(error.text, "sampler=curriculum: 2 of 142 classes make more than 10000 kinds of task: must be fewer ways or classes, "
                        "or sampler=uniform");
    s.ways = 500;
    assert_int_equal(meta_curriculum_create(&c, 1000, &s, 1, 1, &error), -1);
    meta_curriculum_free(create(&s, 500, 1, 1));
    meta_curriculum_free(create(&s, 501, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_rules), cmocka_unit_test(by_hand), cmocka_unit_test(chances),
        cmocka_unit_test(goes_on_from_its_state), cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
