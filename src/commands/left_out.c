/* Prints what leave-one-out says: over the classes, of each class, and of each image that was taken
   for another. */
#include "left_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adaptation/support_check.h"
#include "base/plural.h"
#include "stats/auc.h"
#include "stats/share.h"
#include "engine/log_odds.h"

static int answer(const struct meta_left_out *l, int i)
{
    int classes = l->dataset->classes, best = 0;
    const double *row = l->log_odds + (size_t)i * classes;
    for (int k = 1; k < classes; k++)
        if (row[k] > row[best]) best = k;
    return best;
}

/* Of all images that were asked about, copied to the front of log_odds (n, classes) and labels
   (n). */
static double auc(const struct meta_left_out *l, double *log_odds, int *labels)
{
    int classes = l->dataset->classes, n = 0;
    for (int i = 0; i < l->dataset->count; i++) {
        if (!l->predicted[i]) continue;
        memcpy(log_odds + (size_t)n * classes, l->log_odds + (size_t)i * classes,
               classes * sizeof *log_odds);
        labels[n++] = l->dataset->label[i];
    }
    return meta_auc_task(log_odds, labels, n, classes);
}

static int images_of(const struct meta_dataset *d, int class)
{
    int n = 0;
    for (int i = 0; i < d->count; i++) n += d->label[i] == class;
    return n;
}

static void print_class(const struct meta_dataset *d, int class, int right, int asked)
{
    int images = images_of(d, class);
    printf("    %s: ", d->names[class]);
    if (asked) printf("%d of %d right, %.0f%%\n", right, asked, 100. * right / asked);
    else if (images == 1) printf("could not be asked about: it has one image\n");
    else
        printf("could not be asked about: without any of its %d images, and the rest of the "
               "image's group, a class would be empty\n",
               images);
}

static void print_mistakes(const struct meta_left_out *l)
{
    const struct meta_dataset *d = l->dataset;
    for (int i = 0; i < d->count; i++) {
        int best = l->predicted[i] ? answer(l, i) : d->label[i];
        if (best == d->label[i]) continue;
        printf("    %s: %s, taken for %s, %.0f%%\n", d->paths[i], d->names[d->label[i]],
               d->names[best],
               100 * meta_log_odds_probability(l->log_odds[(size_t)i * d->classes + best]));
    }
}

/* right, asked (classes) */
static void print_share(const struct meta_left_out *l, const int *right, const int *asked,
                        double auc)
{
    int all = 0, good = 0, classes = 0;
    double cases, low, high;
    for (int k = 0; k < l->dataset->classes; k++) {
        all += asked[k];
        good += right[k];
        classes += asked[k] > 0;
    }
    double share = meta_mean_over_classes(right, asked, l->dataset->classes, &cases);
    meta_share_interval(share, cases, &low, &high);
    printf("leave-one-out: %.0f%% right, the mean over %d class%s, %d of %d images: with so few "
           "the truth may be anything from %.0f%% to %.0f%%",
           100 * share, classes, meta_plural_es(classes), good, all, 100 * low, 100 * high);
    if (auc == auc) printf("; AUC %.2f, as uncertain", auc);
    printf("\n");
}

static void print_all(const struct meta_left_out *l, int *right, int *asked, double auc)
{
    const struct meta_dataset *d = l->dataset;
    int all = 0;
    for (int i = 0; i < d->count; i++) {
        if (!l->predicted[i]) continue;
        asked[d->label[i]]++;
        right[d->label[i]] += answer(l, i) == d->label[i];
        all++;
    }
    if (!all) {
        printf("leave-one-out: needs two images of a class, of two groups where there are "
               "groups\n");
        return;
    }
    print_share(l, right, asked, auc);
    for (int k = 0; k < d->classes; k++) print_class(d, k, right[k], asked[k]);
    print_mistakes(l);
}

int meta_print_left_out(const struct meta_left_out *l, struct meta_error *error)
{
    int n = l->dataset->count, classes = l->dataset->classes;
    double *log_odds = malloc((size_t)n * classes * sizeof *log_odds);
    int *labels = malloc(n * sizeof *labels), *right = calloc(classes, sizeof *right),
        *asked = calloc(classes, sizeof *asked), ready = log_odds && labels && right && asked;
    if (ready) print_all(l, right, asked, auc(l, log_odds, labels));
    free(log_odds);
    free(labels);
    free(right);
    free(asked);
    return ready ? 0 : meta_fail(error, "out of memory for %d images", n);
}
