/* Adds images up by group, and makes errors and intervals of the sums. */
#include "clustered.h"
#include "share.h"
#include "student.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char one_group[] = "fewer than two groups: no interval";
static const char one_of_class[] = "a class has fewer than two groups: no interval";
static const char no_spread[] = "groups do not differ: no interval";

/* Of a figure's square: a variance below it is of rounding alone. */
#define LEAST 1e-24

static struct meta_interval lacks(double value, const char *why)
{
    return (struct meta_interval){ value, NAN, NAN, NAN, why };
}

/* ---- influence ------------------------------------------------------------------------------- */

int meta_influence_start(struct meta_influence *i, int groups, struct meta_error *error)
{
    *i = (struct meta_influence){ .groups = groups };
    i->of = calloc((size_t)groups + 1, sizeof *i->of);
    i->in = calloc((size_t)groups + 1, sizeof *i->in);
    return i->of && i->in ? 0 : meta_fail_memory(error);
}

void meta_influence_clear(struct meta_influence *i)
{
    free(i->of);
    free(i->in);
    *i = (struct meta_influence){ 0 };
}

static void count_figure(struct meta_influence *i, double value, int groups)
{
    i->sum += value;
    if (!i->figures++ || groups < i->fewest) i->fewest = groups;
}

/* What a group's influence on a mean over so many groups is multiplied by, so that its squares add
   up to the variance: the mean is theirs, which takes a degree of freedom. */
static double freed(int groups) { return groups > 1 ? sqrt(groups / (groups - 1.)) : 1; }

/* The variance of the mean of the figures. */
static double mean_variance(const struct meta_influence *i)
{
    double squares = 0;
    for (int g = 0; g < i->groups; g++) squares += i->of[g] * i->of[g];
    return squares / i->figures / i->figures;
}

/* ---- AUCs ------------------------------------------------------------------------------------ */

/* The interval of log(A / (1 - A)), whose error is that of A over A (1 - A). */
static struct meta_interval auc_interval(double auc, double variance, int groups)
{
    if (groups < 2) return lacks(auc, one_of_class);
    if (auc <= 0 || auc >= 1)
        return lacks(auc,
                     auc > .5 ? "every positive is above every negative: no interval"
                              : "every positive is below every negative: no interval");
    if (!(variance > LEAST * auc * auc)) return lacks(auc, no_spread);
    double error = sqrt(variance), middle = log(auc / (1 - auc)),
           half = meta_student_point(groups - 1) * error / (auc * (1 - auc));
    return (struct meta_interval){ auc, error, 1 / (1 + exp(half - middle)),
                                   1 / (1 + exp(-half - middle)), NULL };
}

struct meta_interval meta_clustered_auc_mean(const struct meta_influence *i)
{
    if (!i->figures) return lacks(NAN, META_CLUSTERED_ALONE);
    return auc_interval(i->sum / i->figures, mean_variance(i), i->fewest);
}

/* An image of the curve. */
struct entry {
    double value;
    int image, positive;
};

static int by_value(const void *a, const void *b)
{
    double p = ((const struct entry *)a)->value, q = ((const struct entry *)b)->value;
    return (p > q) - (p < q);
}

/* A curve's images, in the order of their scores, and what is summed up of them by group. */
struct curve {
    struct entry *entries;
    int count, positives, negatives;
    /* (groups) the sum over a group's positives of the share of negatives that each is above, less
       the AUC; likewise of its negatives; and how many it has of both */
    double *above, *below;
    int *own[2];
};

static int open_curve(struct curve *c, const struct meta_clusters *k, const struct meta_scored *s,
                      struct meta_error *error)
{
    size_t groups = (size_t)k->groups + 1;
    *c = (struct curve){ 0 };
    c->entries = malloc(((size_t)k->count + 1) * sizeof *c->entries);
    c->above = calloc(groups, sizeof *c->above);
    c->below = calloc(groups, sizeof *c->below);
    for (int p = 0; p < 2; p++) c->own[p] = calloc(groups, sizeof *c->own[p]);
    if (!c->entries || !c->above || !c->below || !c->own[0] || !c->own[1])
        return meta_fail_memory(error);
    for (int i = 0; i < k->count; i++) {
        int positive = s->labels[i] == s->positive;
        if (!positive && s->negative >= 0 && s->labels[i] != s->negative) continue;
        c->entries[c->count++] = (struct entry){ s->values[(size_t)i * s->stride], i, positive };
        c->positives += positive;
        c->own[positive][k->group[i]]++;
    }
    c->negatives = c->count - c->positives;
    qsort(c->entries, (size_t)c->count, sizeof *c->entries, by_value);
    return 0;
}

static void close_curve(struct curve *c)
{
    free(c->entries);
    free(c->above);
    free(c->below);
    free(c->own[0]);
    free(c->own[1]);
}

/* Sums the shares up by group; returns the AUC, which is of whole numbers. */
static double place(struct curve *c, const struct meta_clusters *k)
{
    long long twice = 0;
    int below[2] = { 0 }; /* negatives and positives before the block of one score */
    for (int first = 0, last; first < c->count; first = last) {
        int own[2] = { 0 };
        for (last = first; last < c->count && c->entries[last].value == c->entries[first].value;)
            own[c->entries[last++].positive]++;
        for (int i = first; i < last; i++) {
            int group = k->group[c->entries[i].image];
            if (c->entries[i].positive) {
                c->above[group] += (below[0] + own[0] / 2.) / c->negatives;
                twice += 2LL * below[0] + own[0];
            } else c->below[group] += (c->positives - below[1] - own[1] / 2.) / c->positives;
        }
        below[0] += own[0];
        below[1] += own[1];
    }
    double auc = twice / (2. * c->positives * c->negatives);
    for (int g = 0; g < k->groups; g++) {
        c->above[g] -= c->own[1][g] * auc;
        c->below[g] -= c->own[0][g] * auc;
    }
    return auc;
}

/* Obuchowski's variance; with: groups of negatives and of positives, *fewest: the smaller number.
 */
static double auc_variance(const struct curve *c, int groups, int with[2], int *fewest)
{
    double m = c->positives, n = c->negatives, positive = 0, negative = 0, both = 0;
    int with_any = 0;
    with[0] = with[1] = 0;
    for (int g = 0; g < groups; g++) {
        positive += c->above[g] * c->above[g];
        negative += c->below[g] * c->below[g];
        both += c->above[g] * c->below[g];
        for (int p = 0; p < 2; p++) with[p] += c->own[p][g] > 0;
        with_any += c->own[0][g] + c->own[1][g] > 0;
    }
    *fewest = with[0] < with[1] ? with[0] : with[1];
    if (*fewest < 2) return NAN;
    double s10 = with[1] / ((with[1] - 1) * m) * positive,
           s01 = with[0] / ((with[0] - 1) * n) * negative, s11 = with_any / (with_any - 1.) * both;
    return s10 / m + s01 / n + 2 * s11 / (m * n);
}

static void add_influence(struct meta_influence *i, const struct curve *c, double auc,
                          const int with[2], int fewest)
{
    double above = freed(with[1]) / c->positives, below = freed(with[0]) / c->negatives;
    count_figure(i, auc, fewest);
    for (int g = 0; g < i->groups; g++) {
        i->of[g] += c->above[g] * above + c->below[g] * below;
        i->in[g] |= c->own[0][g] + c->own[1][g] > 0;
    }
}

int meta_clustered_auc(struct meta_interval *out, const struct meta_clusters *k,
                       const struct meta_scored *s, struct meta_influence *influence,
                       struct meta_error *error)
{
    struct curve c;
    int with[2], fewest, status = open_curve(&c, k, s, error);
    if (!status && c.positives && c.negatives) {
        double auc = place(&c, k), variance = auc_variance(&c, k->groups, with, &fewest);
        *out = auc_interval(auc, variance, fewest);
        if (influence) add_influence(influence, &c, auc, with, fewest);
    } else *out = lacks(NAN, c.positives ? "no image of another class" : "no image of the class");
    close_curve(&c);
    return status;
}

int meta_clustered_auc_pair(struct meta_interval *out, const struct meta_clusters *k,
                            const struct meta_scored *s, const struct meta_scored *other,
                            struct meta_error *error)
{
    struct curve c, d;
    int with[2], fewest, status = open_curve(&c, k, s, error);
    if (open_curve(&d, k, other, error)) status = -1;
    *out = lacks(NAN, "no image of one of the two");
    if (!status && c.positives && c.negatives) {
        double auc = (place(&c, k) + place(&d, k)) / 2;
        for (int g = 0; g < k->groups; g++) {
            c.above[g] = (c.above[g] + d.below[g]) / 2;
            c.below[g] = (c.below[g] + d.above[g]) / 2;
        }
        double variance = auc_variance(&c, k->groups, with, &fewest);
        *out = auc_interval(auc, variance, fewest);
    }
    close_curve(&c);
    close_curve(&d);
    return status;
}

/* ---- shares ---------------------------------------------------------------------------------- */

/* Wilson's interval of as many cases as have this variance, fewer by the square of the normal
   distribution's point over Student's, since the variance is of so few groups (Korn and Graubard,
   Survey Methodology 24, 1998); a share of 0 or 1 has no variance, and its groups are the cases. */
static struct meta_interval share_interval(double share, double variance, double images, int groups)
{
    struct meta_interval out = { share, sqrt(variance), NAN, NAN, NULL };
    double cases = groups, ratio = 1.959963984540054 / meta_student_point(groups - 1);
    if (share > 0 && share < 1 && variance > LEAST * share * share)
        cases = fmin(share * (1 - share) / variance, images);
    meta_share_interval(share, cases * ratio * ratio, &out.low, &out.high);
    return out;
}

struct meta_interval meta_clustered_share_mean(const struct meta_influence *i)
{
    double share = i->sum / i->figures;
    if (!i->figures) return lacks(NAN, "no images");
    if (i->fewest < 2) return lacks(share, one_of_class);
    return share_interval(share, mean_variance(i), INFINITY, i->fewest);
}

int meta_clustered_share(struct meta_interval *out, const struct meta_clusters *k,
                         const unsigned char *asked, const unsigned char *right,
                         struct meta_influence *influence, struct meta_error *error)
{
    double *sum = calloc((size_t)k->groups + 1, sizeof *sum), good = 0, squares = 0;
    int *images = calloc((size_t)k->groups + 1, sizeof *images), all = 0, groups = 0;
    int status = sum && images ? 0 : meta_fail_memory(error);
    for (int i = 0; i < k->count && !status; i++) {
        if (asked && !asked[i]) continue;
        images[k->group[i]]++;
        sum[k->group[i]] += right[i];
        good += right[i];
        all++;
    }
    double share = good / all;
    for (int g = 0; g < k->groups && !status; g++) {
        if (!images[g]) continue;
        sum[g] = (sum[g] - images[g] * share) / all; /* what the group moves the share */
        squares += sum[g] * sum[g];
        groups++;
    }
    for (int g = 0; influence && g < k->groups && !status; g++) {
        if (!images[g]) continue;
        influence->of[g] += sum[g] * freed(groups);
        influence->in[g] = 1;
    }
    if (!all) *out = lacks(NAN, "no images");
    else if (groups < 2) *out = lacks(share, one_group);
    else *out = share_interval(share, squares * groups / (groups - 1.), all, groups);
    if (influence && all && !status) count_figure(influence, share, groups);
    free(sum);
    free(images);
    return status;
}

/* ---- means ----------------------------------------------------------------------------------- */

int meta_clustered_mean(struct meta_interval *out, const struct meta_clusters *k, const double *x,
                        double most, struct meta_error *error)
{
    double *sum = calloc((size_t)k->groups + 1, sizeof *sum), mean = 0, squares = 0;
    if (!sum) return meta_fail_memory(error);
    for (int i = 0; i < k->count; i++) mean += x[i];
    mean /= k->count;
    for (int i = 0; i < k->count; i++) sum[k->group[i]] += x[i] - mean;
    for (int g = 0; g < k->groups; g++) squares += sum[g] * sum[g];
    free(sum);
    *out = lacks(mean, k->count ? one_group : "no images");
    if (k->groups < 2) return 0;
    double error_of_mean = sqrt(squares * k->groups / (k->groups - 1.)) / k->count,
           half = mean > 0 ? meta_student_point(k->groups - 1) * error_of_mean / mean : 0;
    if (!isfinite(mean)) *out = lacks(mean, "a loss is no number: no interval");
    else if (!(error_of_mean * error_of_mean > LEAST * mean * mean)) *out = lacks(mean, no_spread);
    else
        *out = (struct meta_interval){ mean, error_of_mean, mean * exp(-half),
                                       fmin(mean * exp(half), most), NULL };
    return 0;
}
