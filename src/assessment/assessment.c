/* Computes the figures of a classifier from its answers to labelled images. */
#include "assessment.h"
#include "engine/log_odds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW = 10 }; /* groups, or images, of a class that a threshold is chosen on */

int meta_assess_answer(const double *log_odds, int classes)
{
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (log_odds[k] > log_odds[best]) best = k;
    return best;
}

int meta_threshold_few(const struct meta_threshold *t, int grouped)
{
    return (grouped ? t->groups : t->images) < FEW;
}

double meta_assess_probability(double log_odds) { return meta_log_odds_probability(log_odds); }

char *meta_assess_threshold_text(double log_odds, char text[META_THRESHOLD_TEXT])
{
    double threshold = meta_assess_probability(log_odds);
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, META_THRESHOLD_TEXT, "%.*g", digits, threshold);
        if (strtod(text, NULL) <= threshold) break;
    }
    return text;
}

/* What is worked with: a byte an image each. */
struct work {
    const struct meta_assessed *a;
    unsigned char *asked, *right;
};

static const double *row(const struct meta_assessed *a, int image)
{
    return a->log_odds + (size_t)image * a->classes;
}

/* ---- the answers ----------------------------------------------------------------------------- */

/* Accuracy, recalls and their mean. */
static int assess_answers(struct meta_assessment *out, struct work *w, struct meta_error *error)
{
    const struct meta_assessed *a = w->a;
    struct meta_influence mean;
    for (int i = 0; i < a->clusters.count; i++) {
        int answer = meta_assess_answer(row(a, i), a->classes);
        w->right[i] = answer == a->labels[i];
        out->confusion[a->labels[i] * a->classes + answer]++;
    }
    int status = meta_influence_start(&mean, a->clusters.groups, error);
    if (!status)
        status = meta_clustered_share(&out->accuracy, &a->clusters, NULL, w->right, NULL, error);
    for (int k = 0; k < a->classes && !status; k++) {
        for (int i = 0; i < a->clusters.count; i++) w->asked[i] = a->labels[i] == k;
        status = meta_clustered_share(&out->class[k].recall, &a->clusters, w->asked, w->right,
                                      &mean, error);
    }
    if (!status) out->balanced = meta_clustered_share_mean(&mean);
    if (out->present == 1 && a->classes > 1)
        out->balanced = (struct meta_interval){ NAN, NAN, NAN, NAN, META_CLUSTERED_ALONE };
    meta_influence_clear(&mean);
    return status;
}

/* Sensitivity and specificity of one class. */
static int assess_threshold(struct meta_class_figures *out, struct work *w, int class,
                            const struct meta_threshold *t, struct meta_error *error)
{
    const struct meta_assessed *a = w->a;
    for (int positive = 0; positive < 2; positive++) {
        struct meta_interval *share = positive ? &out->sensitivity : &out->specificity;
        *share = (struct meta_interval){ NAN, NAN, NAN, NAN, t->why };
        if (t->why) continue;
        for (int i = 0; i < a->clusters.count; i++) {
            w->asked[i] = (a->labels[i] == class) == positive;
            w->right[i] = (row(a, i)[class] >= t->log_odds) == positive;
        }
        if (meta_clustered_share(share, &a->clusters, w->asked, w->right, NULL, error)) return -1;
    }
    return 0;
}

/* ---- ranks ----------------------------------------------------------------------------------- */

static int assess_ranks(struct meta_assessment *out, const struct meta_assessed *a,
                        struct meta_error *error)
{
    struct meta_influence mean;
    int status = meta_influence_start(&mean, a->clusters.groups, error);
    for (int k = 0; k < a->classes && !status; k++) {
        const struct meta_scored s = { a->log_odds + k, a->classes, a->labels, k, -1 };
        status = meta_clustered_auc(&out->class[k].auc, &a->clusters, &s, &mean, error);
    }
    /* The two of two classes are one curve. */
    if (!status) out->auc = a->classes == 2 ? out->class[1].auc : meta_clustered_auc_mean(&mean);
    meta_influence_clear(&mean);
    return status;
}

static int assess_pair(struct meta_assessment *out, const struct meta_assessed *a, int first,
                       int second, struct meta_error *error)
{
    const struct meta_scored one = { a->log_odds + first, a->classes, a->labels, first, second },
                             other = { a->log_odds + second, a->classes, a->labels, second, first };
    return meta_clustered_auc_pair(&out->pairs[first * a->classes + second], &a->clusters, &one,
                                   &other, error);
}

/* ---- calibration ----------------------------------------------------------------------------- */

/* logs: (classes) room; x: (2, count); each: (groups). */
static void calibrate(struct meta_assessment *out, const struct meta_assessed *a, double *logs,
                      double *x, struct meta_calibration *each)
{
    int n = a->clusters.count;
    for (int i = 0; i < n; i++) {
        struct meta_calibration one;
        for (int k = 0; k < a->classes; k++) logs[k] = -meta_log_odds_loss(row(a, i)[k]);
        meta_calibration_task(&one, logs, &a->labels[i], 1, a->classes);
        x[i] = one.nll;
        x[n + i] = one.brier;
        meta_calibration_add(each[a->clusters.group[i]].bins, one.bins);
        meta_calibration_add(out->bins, one.bins);
    }
}

static int assess_calibration(struct meta_assessment *out, const struct meta_assessed *a,
                              struct meta_error *error)
{
    int n = a->clusters.count, groups = a->clusters.groups;
    double *logs = malloc(((size_t)a->classes + 1) * sizeof *logs),
           *x = malloc(((size_t)n + 1) * 2 * sizeof *x);
    struct meta_calibration *each = calloc((size_t)groups + 1, sizeof *each);
    int status = logs && x && each ? 0 : meta_fail_memory(error);
    if (!status) {
        calibrate(out, a, logs, x, each);
        status = meta_clustered_mean(&out->nll, &a->clusters, x, INFINITY, error)
            || meta_clustered_mean(&out->brier, &a->clusters, x + n,
                                   meta_calibration_worst(a->classes), error)
            || meta_calibration_estimate(&out->ece, each, sizeof *each, groups, error);
    }
    free(logs);
    free(x);
    free(each);
    return status ? -1 : 0;
}

/* ---- images and groups of a class ------------------------------------------------------------ */

/* (groups) the class that was last counted in a group. The caller frees; NULL: no memory. */
static int *start_groups(const struct meta_assessed *a, struct meta_error *error)
{
    int *last = malloc(((size_t)a->clusters.groups + 1) * sizeof *last);
    for (int g = 0; last && g < a->clusters.groups; g++) last[g] = -1;
    if (!last) meta_fail_memory(error);
    return last;
}

static int count_class(const struct meta_assessed *a, int class, int *last, int *groups)
{
    int images = 0;
    *groups = 0;
    for (int i = 0; i < a->clusters.count; i++) {
        int *seen = &last[a->clusters.group[i]];
        if (a->labels[i] != class) continue;
        images++;
        *groups += *seen != class;
        *seen = class;
    }
    return images;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int count_classes(struct meta_assessment *out, const struct meta_assessed *a,
                         struct meta_error *error)
{
    int *last = start_groups(a, error);
    if (!last) return -1;
    for (int k = 0; k < a->classes; k++)
        out->class[k].images = count_class(a, k, last, &out->class[k].groups);
    for (int k = 0; k < a->classes; k++) out->present += out->class[k].images > 0;
    free(last);
    return 0;
}

int meta_assess(struct meta_assessment *out, const struct meta_assessed *a,
                const struct meta_threshold *thresholds, struct meta_error *error)
{
    size_t n = (size_t)a->clusters.count + 1, classes = (size_t)a->classes;
    struct work w = { a, malloc(n), malloc(n) };
    *out = (struct meta_assessment){ .classes = a->classes };
    out->confusion = calloc(classes * classes, sizeof *out->confusion);
    out->class = calloc(classes, sizeof *out->class);
    out->pairs = calloc(classes * classes, sizeof *out->pairs);
    int status = w.asked && w.right && out->confusion && out->class && out->pairs
        ? 0
        : meta_fail_memory(error);
    if (!status)
        status = count_classes(out, a, error) || assess_answers(out, &w, error)
                || assess_ranks(out, a, error) || assess_calibration(out, a, error)
            ? -1
            : 0;
    for (int k = 0; k < a->classes && !status; k++) {
        for (int other = k + 1; other < a->classes && !status; other++)
            status = assess_pair(out, a, k, other, error);
        if (!status && thresholds)
            status = assess_threshold(&out->class[k], &w, k, &thresholds[k], error);
    }
    free(w.asked);
    free(w.right);
    return status;
}

void meta_assessment_clear(struct meta_assessment *a)
{
    free(a->confusion);
    free(a->class);
    free(a->pairs);
    *a = (struct meta_assessment){ 0 };
}

/* ---- thresholds and curves ------------------------------------------------------------------- */

static int falling(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p < q) - (p > q);
}

int meta_assess_thresholds(struct meta_threshold *out, const struct meta_assessed *a,
                           double sensitivity, struct meta_error *error)
{
    double *own = malloc(((size_t)a->clusters.count + 1) * sizeof *own);
    int *last = own ? start_groups(a, error) : NULL;
    if (!last) {
        free(own);
        return meta_fail_memory(error);
    }
    for (int k = 0; k < a->classes; k++) {
        int n = 0;
        for (int i = 0; i < a->clusters.count; i++)
            if (a->labels[i] == k) own[n++] = row(a, i)[k];
        qsort(own, (size_t)n, sizeof *own, falling);
        int found = (int)ceil(sensitivity * n - 1e-9);
        if (found < 1) found = 1;
        out[k] = (struct meta_threshold){ .log_odds = n ? own[found - 1] : NAN,
                                          .why = n ? NULL
                                                   : "no image of the class to choose it on" };
        out[k].images = count_class(a, k, last, &out[k].groups);
    }
    free(own);
    free(last);
    return 0;
}

/* Whether a point lies far enough from the last to be drawn. */
static int is_apart(const double a[2], const double b[2])
{
    return fabs(a[0] - b[0]) + fabs(a[1] - b[1]) >= .002;
}

int meta_assess_curve(double (**points)[2], int *count, const struct meta_assessed *a, int class,
                      struct meta_error *error)
{
    int n = a->clusters.count, of[2] = { 0 }, above[2] = { 0 };
    double(*sorted)[2] = malloc(((size_t)n + 1) * sizeof *sorted);
    *points = malloc(((size_t)n + 3) * sizeof **points);
    *count = 0;
    if (!sorted || !*points) {
        free(sorted);
        free(*points);
        *points = NULL;
        return meta_fail_memory(error);
    }
    for (int i = 0; i < n; i++) {
        sorted[i][0] = row(a, i)[class];
        sorted[i][1] = a->labels[i] == class;
        of[a->labels[i] == class]++;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, falling);
    double last[2] = { 0, 0 };
    if (of[0] && of[1]) memcpy((*points)[(*count)++], last, sizeof last);
    for (int i = 0; i < n && *count; i++) {
        above[sorted[i][1] > 0]++;
        if (i + 1 < n && sorted[i + 1][0] == sorted[i][0]) continue;
        double at[2] = { (double)above[0] / of[0], (double)above[1] / of[1] };
        if (i + 1 < n && !is_apart(at, last)) continue;
        memcpy((*points)[(*count)++], at, sizeof at);
        memcpy(last, at, sizeof last);
    }
    free(sorted);
    return 0;
}
