/* The figures of meta evaluate against scikit-learn and NumPy (tests/oracle/evaluation.txt), where there are few or equal answers, and
   how often their intervals hold the truth. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "assessment/assessment.h"
#include "base/rng.h"
#include "engine/log_odds.h"
#include "near.h"
#include "stats/auc.h"
#include "stats/student.h"

enum { MOST = 400, CLASSES = 4 };

static struct meta_error error;
static double log_odds[MOST * CLASSES], other_odds[MOST * CLASSES];
static int labels[MOST], groups[MOST], other_labels[MOST];

/* ---- the oracle ---- */

struct oracle {
    int classes, images, groups, others;
    double sensitivity;
    struct meta_assessed assessed, other;
    struct meta_threshold thresholds[CLASSES];
    struct meta_assessment figures;
};

static void near(double a, double b, const char *what)
{
    if (isnan(a) && isnan(b)) return;
    if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b)))) fail_msg("%s: %.17g is not %.17g", what, a, b);
}

static double number(FILE *f)
{
    char word[64];
    assert_int_equal(fscanf(f, " %63s", word), 1);
    return strtod(word, NULL);
}

static void expect(FILE *f, const char *name, double value, const struct meta_interval *i)
{
    char word[64];
    assert_int_equal(fscanf(f, " %63s", word), 1);
    assert_string_equal(word, name);
    near(value, number(f), name);
    double known[3] = { number(f), number(f), number(f) };
    if (!i) return;
    near(i->error, known[0], name);
    near(i->low, known[1], name);
    near(i->high, known[2], name);
    assert_int_equal(i->why != NULL, isnan(known[1])); /* words where there is no number */
}

static void take(const struct meta_interval *i, FILE *f, const char *name) { expect(f, name, i->value, i); }

static void read_images(FILE *f, struct oracle *o)
{
    double row[CLASSES];
    for (int i = 0; i < o->images + o->others; i++) {
        int other = i >= o->images, at = other ? i - o->images : i;
        char word[16];
        assert_int_equal(fscanf(f, " %15s", word), 1);
        (other ? other_labels : labels)[at] = (int)number(f);
        if (!other) groups[at] = (int)number(f);
        for (int k = 0; k < o->classes; k++) row[k] = number(f);
        meta_log_odds(row, o->classes, (other ? other_odds : log_odds) + (size_t)at * o->classes);
    }
}

/* Goes to the images, computes, and comes back to the figures. */
static int open_case(FILE *f, struct oracle *o)
{
    static int own[MOST];
    char line[4096];
    if (fscanf(f, " case %d %d %d %d %lf\n", &o->classes, &o->images, &o->groups, &o->others, &o->sensitivity) != 5) return 0;
    assert_true(o->images <= MOST && o->others <= MOST && o->classes <= CLASSES);
    long figures = ftell(f), images = figures;
    while (fgets(line, sizeof line, f) && strncmp(line, "image", 5)) images = ftell(f);
    fseek(f, images, SEEK_SET);
    read_images(f, o);
    for (int i = 0; i < o->others; i++) own[i] = i;
    o->assessed = (struct meta_assessed){ { o->images, groups, o->groups }, o->classes, labels, log_odds };
    o->other = (struct meta_assessed){ { o->others, own, o->others }, o->classes, other_labels, other_odds };
    assert_int_equal(meta_assess_thresholds(o->thresholds, &o->other, o->sensitivity, &error), 0);
    assert_int_equal(meta_assess(&o->figures, &o->assessed, o->thresholds, &error), 0);
    fseek(f, figures, SEEK_SET);
    return 1;
}

static void compare_case(FILE *f, const struct oracle *o)
{
    const struct meta_assessment *a = &o->figures;
    take(&a->accuracy, f, "accuracy");
    for (int k = 0; k < o->classes; k++) {
        take(&a->class[k].recall, f, "recall");
        take(&a->class[k].auc, f, "auc");
        take(&a->class[k].sensitivity, f, "sensitivity");
        take(&a->class[k].specificity, f, "specificity");
    }
    take(&a->balanced, f, "balanced");
    take(&a->auc, f, "auc_mean");
    for (int k = 0; k < o->classes; k++)
        for (int other = k + 1; other < o->classes; other++) take(&a->pairs[k * o->classes + other], f, "pair");
    take(&a->nll, f, "nll");
    take(&a->brier, f, "brier");
    expect(f, "ece", a->ece.mean, NULL);
    assert_int_equal(fscanf(f, " confusion"), 0);
    for (int i = 0; i < o->classes * o->classes; i++) assert_int_equal(a->confusion[i], (int)number(f));
    assert_int_equal(fscanf(f, " thresholds"), 0);
    for (int k = 0; k < o->classes; k++) near(o->thresholds[k].log_odds, number(f), "threshold");
}

static void figures_are_those_of_scikit_learn(void **state)
{
    struct oracle o;
    int cases = 0;
    FILE *f = fopen("tests/oracle/evaluation.txt", "r");
    if (!f) fail_msg("tests/oracle/evaluation.txt can't be read");
    for (; open_case(f, &o); cases++) {
        compare_case(f, &o);
        for (int k = 0; k < o.classes; k++)
            near(o.figures.class[k].auc.value, meta_auc(log_odds + k, o.classes, labels, o.images, k, -1), "meta_auc");
        meta_assessment_clear(&o.figures);
        read_images(f, &o);
    }
    assert_int_equal(cases, 4);
    fclose(f);
}

static void the_point_of_students_t(void **state)
{
    static const struct {
        int degrees;
        double point;
    } known[] = { { 1, 12.706204736174707 }, { 2, 4.302652729749464 }, { 3, 3.182446305283712 }, { 4, 2.776445105197793 }, { 10, 2.228138851986275 },
                  { 49, 2.009575237129239 }, { 1000, 1.962339080826246 } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) assert_near(meta_student_point(known[i].degrees), known[i].point, 1e-10);
}

/* ---- words ---- */

/* Assesses n images of two classes; the log-odds of the second are values (n). */
static struct meta_assessment assess(const int *own, const int *group, const double *values, int n)
{
    struct meta_assessment out;
    int count = 0;
    for (int i = 0; i < n; i++) {
        log_odds[2 * i] = -values[i];
        log_odds[2 * i + 1] = values[i];
        if (group[i] >= count) count = group[i] + 1;
    }
    const struct meta_assessed a = { { n, group, count }, 2, own, log_odds };
    assert_int_equal(meta_assess(&out, &a, NULL, &error), 0);
    return out;
}

static void says(const struct meta_interval *i, double value, const char *why)
{
    near(i->value, value, why);
    assert_true(isnan(i->low) && isnan(i->high));
    assert_non_null(i->why);
    if (!strstr(i->why, why)) fail_msg("'%s' lacks '%s'", i->why, why);
}

static void what_small_lists_lack_is_said(void **state)
{
    struct meta_assessment a = assess((int[]){ 0, 0, 0, 1 }, (int[]){ 0, 1, 2, 3 }, (double[]){ -1, 2, 0, 1 }, 4);
    says(&a.class[1].auc, 2. / 3, "fewer than two groups"); /* one positive image */
    says(&a.class[1].recall, 1, "fewer than two groups");
    assert_null(a.accuracy.why);
    assert_true(a.accuracy.low > 0 && a.accuracy.high < 1);
    meta_assessment_clear(&a);

    a = assess((int[]){ 0, 0, 0 }, (int[]){ 0, 1, 2 }, (double[]){ -1, -2, -3 }, 3); /* none of a class */
    says(&a.class[1].auc, NAN, "no image of the class");
    says(&a.class[0].auc, NAN, "no image of another class");
    says(&a.class[1].recall, NAN, "no images");
    says(&a.pairs[1], NAN, "no image of one of the two");
    assert_near(a.balanced.value, 1, 0);
    assert_true(a.balanced.low > .3 && a.balanced.low < .5); /* Wilson of three */
    meta_assessment_clear(&a);

    a = assess((int[]){ 0, 1, 0, 1 }, (int[]){ 0, 1, 2, 3 }, (double[]){ 1, 1, 1, 1 }, 4); /* all the same */
    says(&a.class[1].auc, .5, "groups do not differ");
    assert_near(a.accuracy.value, .5, 0);
    assert_int_equal(a.confusion[1], 2);
    meta_assessment_clear(&a);

    a = assess((int[]){ 0, 1, 0, 1 }, (int[]){ 0, 1, 2, 3 }, (double[]){ 1, 3, 2, 4 }, 4);
    says(&a.class[1].auc, 1, "every positive is above every negative");
    meta_assessment_clear(&a);
    a = assess((int[]){ 0, 1, 0, 1 }, (int[]){ 0, 1, 2, 3 }, (double[]){ 4, 2, 3, 1 }, 4);
    says(&a.class[1].auc, 0, "every positive is below every negative");
    assert_near(a.accuracy.value, .5, 0);
    meta_assessment_clear(&a);

    a = assess((int[]){ 0, 1, 1 }, (int[]){ 0, 0, 0 }, (double[]){ 1, 0, 2 }, 3); /* one group */
    says(&a.class[1].auc, .5, "fewer than two groups");
    says(&a.accuracy, 1. / 3, "fewer than two groups");
    says(&a.nll, a.nll.value, "fewer than two groups");
    meta_assessment_clear(&a);

    const struct meta_assessed none = { { 2, (int[]){ 0, 1 }, 2 }, 2, (int[]){ 0, 0 }, log_odds };
    struct meta_threshold t[2];
    assert_int_equal(meta_assess_thresholds(t, &none, .95, &error), 0);
    assert_null(t[0].why);
    assert_string_equal(t[1].why, "no image of the class to choose it on");
    assert_int_equal(meta_assess(&a, &none, t, &error), 0);
    says(&a.class[1].sensitivity, NAN, "to choose it on");
    meta_assessment_clear(&a);
}

static void curves_begin_and_end_in_the_corners(void **state)
{
    const struct meta_assessed a = { { 4, (int[]){ 0, 1, 2, 3 }, 4 }, 2, (int[]){ 0, 1, 0, 1 }, (double[]){ 0, 1, 0, 2, 0, 2, 0, 3 } };
    static const double known[][2] = { { 0, 0 }, { 0, .5 }, { .5, 1 }, { 1, 1 } };
    double(*points)[2];
    int count;
    assert_int_equal(meta_assess_curve(&points, &count, &a, 1, &error), 0);
    assert_int_equal(count, 4);
    assert_memory_equal(points, known, sizeof known);
    free(points);
}

/* ---- coverage ---- */

/* Standard normal quantile by bisection. */
static double quantile(double p)
{
    double low = -9, high = 9;
    for (int i = 0; i < 80; i++) {
        double middle = (low + high) / 2;
        if (erfc(-middle / sqrt(2)) / 2 < p) low = middle;
        else high = middle;
    }
    return low;
}

enum { AUC, ACCURACY, BALANCED, SENSITIVITY, FIGURES, RUNS = 4000 };

/* The figures of images in a hundred groups, without those of calibration, which take long. */
static void find_figures(struct meta_interval figures[FIGURES], const int *own, const int *group, const double *values, int n)
{
    static unsigned char asked[MOST], right[MOST];
    struct meta_influence mean;
    struct meta_interval recall;
    const struct meta_clusters clusters = { n, group, 100 };
    const struct meta_scored scored = { values, 1, own, 1, -1 };
    assert_int_equal(meta_influence_start(&mean, 100, &error), 0);
    assert_int_equal(meta_clustered_auc(&figures[AUC], &clusters, &scored, NULL, &error), 0);
    for (int i = 0; i < n; i++) right[i] = (values[i] > 0) == own[i];
    assert_int_equal(meta_clustered_share(&figures[ACCURACY], &clusters, NULL, right, NULL, &error), 0);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < n; i++) asked[i] = own[i] == k;
        assert_int_equal(meta_clustered_share(&recall, &clusters, asked, right, &mean, &error), 0);
    }
    figures[SENSITIVITY] = recall;
    figures[BALANCED] = meta_clustered_share_mean(&mean);
    meta_influence_clear(&mean);
}

/* How often of RUNS the intervals hold the truth: 50 groups a class of one to five images, whose scores are normal and correlated by `alike` within
   a group; the classes are `distance` apart and the border lies between them. mixed: a hundred groups that have images of both. */
static void cover(double held[FIGURES], double auc, double alike, int mixed)
{
    static int own[MOST], group[MOST];
    static double values[MOST];
    double distance = quantile(auc) * sqrt(2), right = erfc(-distance / 2 / sqrt(2)) / 2;
    for (int k = 0; k < FIGURES; k++) held[k] = 0;
    for (int run = 0; run < RUNS; run++) {
        struct meta_rng rng = meta_rng_open(9, META_USE_CHECK, (uint64_t)run, (uint32_t)(1000 * auc), (uint32_t)(100 * alike) + 1000 * mixed);
        int n = 0;
        for (int g = 0; g < 100; g++) {
            double common = meta_rng_normal(&rng) * sqrt(alike);
            for (int images = 1 + (int)meta_rng_below(&rng, mixed ? 3 : 5); images > 0 && n < MOST; images--, n++) {
                own[n] = mixed ? (int)meta_rng_below(&rng, 2) : g % 2;
                group[n] = g;
                values[n] = common + meta_rng_normal(&rng) * sqrt(1 - alike) + (own[n] - .5) * distance;
            }
        }
        struct meta_interval figures[FIGURES];
        find_figures(figures, own, group, values, n);
        for (int k = 0; k < FIGURES; k++) {
            double truth = k == AUC ? auc : right;
            held[k] += figures[k].low <= truth && truth <= figures[k].high;
        }
    }
    for (int k = 0; k < FIGURES; k++) held[k] *= 100. / RUNS;
}

static void intervals_hold_the_truth_93_to_97_times_in_100(void **state)
{
    static const double aucs[] = { .6, .75, .85, .9, .95 };
    double held[FIGURES];
    for (int mixed = 0; mixed < 2; mixed++)
        for (size_t i = 0; i < sizeof aucs / sizeof *aucs; i++) {
            cover(held, aucs[i], mixed ? .3 : .6, mixed);
            print_message("AUC %g%s: AUC %.1f, accuracy %.1f, balanced accuracy %.1f, sensitivity %.1f\n", aucs[i], mixed ? ", mixed groups" : "",
                          held[AUC], held[ACCURACY], held[BALANCED], held[SENSITIVITY]);
            for (int k = 0; k < FIGURES; k++) assert_true(held[k] >= 93 && held[k] <= 97);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_scikit_learn),
        cmocka_unit_test(the_point_of_students_t),
        cmocka_unit_test(what_small_lists_lack_is_said),
        cmocka_unit_test(curves_begin_and_end_in_the_corners),
        cmocka_unit_test(intervals_hold_the_truth_93_to_97_times_in_100),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
