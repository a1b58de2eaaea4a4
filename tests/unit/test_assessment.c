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
    says(&a.class[1].auc, 2. / 3, "a class has fewer than two groups"); /* one positive image */
    says(&a.class[0].auc, 2. / 3, "a class has fewer than two groups");
    says(&a.balanced, 5. / 6, "a class has fewer than two groups");
    assert_string_equal(a.class[1].recall.why, "fewer than two groups: no interval");
    assert_null(a.accuracy.why);
    assert_true(a.accuracy.low > 0 && a.accuracy.high < 1);
    meta_assessment_clear(&a);

    a = assess((int[]){ 0, 0, 0 }, (int[]){ 0, 1, 2 }, (double[]){ -1, -2, -3 }, 3); /* none of a class */
    says(&a.class[1].auc, NAN, "no image of the class");
    says(&a.class[0].auc, NAN, "no image of another class");
    says(&a.class[1].recall, NAN, "no images");
    says(&a.pairs[1], NAN, "no image of one of the two");
    says(&a.balanced, NAN, "no class has an image beside others");
    assert_int_equal(a.present, 1);
    assert_near(a.accuracy.low, 3 / (3 + 4.302652729749464 * 4.302652729749464), 1e-6); /* Wilson of three, by Student's t of three */
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

/* n / (n + t^2) is where (p - 1)^2 = t^2 p (1 - p) / n, by which Wilson's interval of a share of 1 ends. */
static void shares_of_all_and_none_are_by_students_t(void **state)
{
    static const struct { int n; double t; } known[] = { { 40, 2.022690920036762 }, { 5, 2.7764451051977987 } };
    static unsigned char right[40];
    int group[40];
    struct meta_interval i;
    for (int g = 0; g < 40; g++) group[g] = g;
    for (int c = 0; c < 4; c++) {
        int n = known[c / 2].n, all = c % 2;
        double t = known[c / 2].t, end = n / (n + t * t);
        const struct meta_clusters clusters = { n, group, n };
        memset(right, all, sizeof right);
        assert_int_equal(meta_clustered_share(&i, &clusters, NULL, right, NULL, &error), 0);
        assert_near(i.low, all ? end : 0, 1e-6);
        assert_near(i.high, all ? 1 : 1 - end, 1e-6);
    }
}

/* The bad answers are of one group, so that the mean's factor is large. */
static void a_brier_score_ends_at_its_largest_value(void **state)
{
    struct meta_assessment a = assess((int[]){ 0, 0, 1 }, (int[]){ 0, 1, 1 }, (double[]){ -9, 9, -9 }, 3);
    assert_true(a.brier.value > .6 && a.brier.low > 0);
    assert_near(a.brier.high, 1, 0);
    assert_true(a.nll.high > 100);
    meta_assessment_clear(&a);
    assert_near(meta_calibration_worst(3), 2, 0);
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

enum { AUC, ACCURACY, BALANCED, SENSITIVITY, NLL, BRIER, FIGURES, RUNS = 4000, ECE_RUNS = 120 };

/* -log of the probability that log-odds are of, for an image of the class. */
static double loss_of(double odds) { return odds < 0 ? log1p(exp(odds)) - odds : log1p(exp(-odds)); }

/* The figures of images in a hundred groups, whose log-odds are `distance` times the values; without the ECE, which takes long. */
static void find_figures(struct meta_interval figures[FIGURES], const int *own, const int *group, const double *values, int n, double distance)
{
    static double nll[MOST], brier[MOST];
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
    for (int i = 0; i < n; i++) {
        nll[i] = loss_of(distance * (own[i] ? values[i] : -values[i]));
        brier[i] = pow(-expm1(-nll[i]), 2);
    }
    assert_int_equal(meta_clustered_mean(&figures[NLL], &clusters, nll, INFINITY, &error), 0);
    assert_int_equal(meta_clustered_mean(&figures[BRIER], &clusters, brier, 1, &error), 0);
    figures[BALANCED] = meta_clustered_share_mean(&mean);
    meta_influence_clear(&mean);
}

struct simulation { double distance, alike; int mixed; };

/* The true NLL and Brier score of log-odds `slope * distance` times the values, by the trapezium rule. */
static void losses(double *nll, double *brier, double distance, double slope)
{
    const double step = 1. / 256;
    *nll = *brier = 0;
    for (double z = -9; z <= 9; z += step) {
        double loss = loss_of(slope * distance * (z + distance / 2)), share = exp(-z * z / 2) / sqrt(2 * M_PI) * step;
        *nll += loss * share;
        *brier += pow(-expm1(-loss), 2) * share;
    }
}

/* 50 groups a class of one to five images, whose scores are normal and correlated by `alike` within a group; the classes are `distance` apart and
   the border lies between them. mixed: a hundred groups of one to three images of both. Returns the images. */
static int draw(struct meta_rng *rng, const struct simulation *s, int *own, int *group, double *values)
{
    int n = 0;
    for (int g = 0; g < 100; g++) {
        double common = meta_rng_normal(rng) * sqrt(s->alike);
        for (int images = 1 + (int)meta_rng_below(rng, s->mixed ? 3 : 5); images > 0 && n < MOST; images--, n++) {
            own[n] = s->mixed ? (int)meta_rng_below(rng, 2) : g % 2;
            group[n] = g;
            values[n] = common + meta_rng_normal(rng) * sqrt(1 - s->alike) + (own[n] - .5) * s->distance;
        }
    }
    return n;
}

/* How often of RUNS, in percent, the intervals hold the truth. */
static void cover(double held[FIGURES], double auc, double alike, int mixed)
{
    static int own[MOST], group[MOST];
    static double values[MOST];
    const struct simulation s = { quantile(auc) * sqrt(2), alike, mixed };
    double right = erfc(-s.distance / 2 / sqrt(2)) / 2, truth[FIGURES] = { auc, right, right, right };
    losses(&truth[NLL], &truth[BRIER], s.distance, 1);
    for (int k = 0; k < FIGURES; k++) held[k] = 0;
    for (int run = 0; run < RUNS; run++) {
        struct meta_rng rng = meta_rng_open(9, META_USE_CHECK, (uint64_t)run, (uint32_t)(1000 * auc), (uint32_t)(100 * alike) + 1000 * mixed);
        int n = draw(&rng, &s, own, group, values);
        struct meta_interval figures[FIGURES];
        find_figures(figures, own, group, values, n, s.distance);
        for (int k = 0; k < FIGURES; k++) held[k] += figures[k].low <= truth[k] && truth[k] <= figures[k].high;
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
            print_message("AUC %g%s: AUC %.1f, accuracy %.1f, balanced accuracy %.1f, sensitivity %.1f, NLL %.1f, Brier score %.1f\n", aucs[i],
                          mixed ? ", mixed groups" : "", held[AUC], held[ACCURACY], held[BALANCED], held[SENSITIVITY], held[NLL], held[BRIER]);
            for (int k = 0; k < FIGURES; k++) assert_true(held[k] >= 93 && held[k] <= 97);
        }
}

/* The ECE of so many images that no bin is left to chance. */
static double true_ece(const struct simulation *s, double slope)
{
    struct meta_calibration_bin bins[META_CALIBRATION_BINS] = { { 0 } };
    struct meta_rng rng = meta_rng_open(10, META_USE_CHECK, 0, (uint32_t)(100 * slope), 0);
    static int own[MOST], group[MOST];
    static double values[MOST];
    for (int run = 0; run < 4000; run++)
        for (int i = 0, n = draw(&rng, s, own, group, values); i < n; i++) {
            double logs[2] = { -loss_of(-slope * s->distance * values[i]), -loss_of(slope * s->distance * values[i]) };
            struct meta_calibration one;
            meta_calibration_task(&one, logs, &own[i], 1, 2);
            meta_calibration_add(bins, one.bins);
        }
    return meta_calibration_error(bins);
}

/* An ECE of few images is too large; its interval makes up for that, and is rather too wide. */
static void interval_of_the_ece_holds_the_truth(void **state)
{
    static int own[MOST], group[MOST];
    static double values[MOST], odds[2 * MOST];
    static const double slopes[] = { .5, 1, 2 };
    const struct simulation s = { quantile(.85) * sqrt(2), .6, 0 };
    for (int k = 0; k < 3; k++) {
        double truth = true_ece(&s, slopes[k]), held = 0;
        for (int run = 0; run < ECE_RUNS; run++) {
            struct meta_rng rng = meta_rng_open(11, META_USE_CHECK, (uint64_t)run, (uint32_t)k, 0);
            int n = draw(&rng, &s, own, group, values);
            for (int i = 0; i < n; i++) odds[2 * i] = -(odds[2 * i + 1] = slopes[k] * s.distance * values[i]);
            const struct meta_assessed a = { { n, group, 100 }, 2, own, odds };
            struct meta_assessment out;
            assert_int_equal(meta_assess(&out, &a, NULL, &error), 0);
            held += 100. / ECE_RUNS * (out.ece.low <= truth && truth <= out.ece.high);
            meta_assessment_clear(&out);
        }
        print_message("log-odds times %g, ECE %.4f: held %.1f\n", slopes[k], truth, held);
        assert_true(held >= 90);
    }
}

/* An image with just the printed probability is at the threshold or above. */
static void printed_threshold(void **state)
{
    char text[META_THRESHOLD_TEXT];
    for (double odds = -30; odds < 30; odds += .00137) {
        double threshold = meta_assess_probability(odds), printed = strtod(meta_assess_threshold_text(odds, text), NULL);
        assert_true(printed <= threshold && printed >= threshold * (1 - 1e-5));
    }
    assert_string_equal(meta_assess_threshold_text(0, text), "0.5");
    assert_string_not_equal(meta_assess_threshold_text(log(1e7 - 1), text), "1"); /* six digits are */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_scikit_learn),
        cmocka_unit_test(the_point_of_students_t),
        cmocka_unit_test(what_small_lists_lack_is_said),
        cmocka_unit_test(shares_of_all_and_none_are_by_students_t),
        cmocka_unit_test(a_brier_score_ends_at_its_largest_value),
        cmocka_unit_test(curves_begin_and_end_in_the_corners),
        cmocka_unit_test(intervals_hold_the_truth_93_to_97_times_in_100),
        cmocka_unit_test(interval_of_the_ece_holds_the_truth),
        cmocka_unit_test(printed_threshold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
