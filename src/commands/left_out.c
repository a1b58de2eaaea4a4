/* Prints what leave-one-out says: over the classes, of each class, and of each image that was taken
   for another. */
#include "left_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adaptation/support_check.h"
#include "base/plural.h"
#include "stats/auc.h"
#include "stats/clustered.h"
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

/* What is known of the images, to be counted by group. */
struct counted {
    struct meta_clusters clusters;
    int *group;                   /* (n) */
    unsigned char *right, *asked; /* (n) asked: of one class */
};

static void clear(struct counted *c)
{
    free(c->group);
    free(c->right);
    free(c->asked);
}

static int count(struct counted *c, const struct meta_left_out *l, struct meta_error *error)
{
    const struct meta_dataset *d = l->dataset;
    size_t n = (size_t)d->count;
    c->group = malloc((n + 1) * sizeof *c->group);
    c->right = calloc(n + 1, 1);
    c->asked = calloc(n + 1, 1);
    if (!c->group || !c->right || !c->asked) return meta_fail_memory(error);
    c->clusters.count = d->count;
    c->clusters.group = c->group;
    if (meta_dataset_clusters(d, c->group, &c->clusters.groups, error)) return -1;
    for (int i = 0; i < d->count; i++) c->right[i] = l->predicted[i] && answer(l, i) == d->label[i];
    return 0;
}

/* Images of one group are not independent: the mean over the classes with its interval over groups.
 */
static int share_of_groups(struct meta_interval *share, int *groups, const struct meta_left_out *l,
                           struct meta_error *error)
{
    const struct meta_dataset *d = l->dataset;
    struct counted c = { 0 };
    struct meta_interval of_class;
    struct meta_influence all = { 0 };
    int status = count(&c, l, error) || meta_influence_start(&all, c.clusters.groups, error);
    for (int k = 0; k < d->classes && !status; k++) {
        for (int i = 0; i < d->count; i++) c.asked[i] = l->predicted[i] && d->label[i] == k;
        status = meta_clustered_share(&of_class, &c.clusters, c.asked, c.right, &all, error);
    }
    if (!status) *share = meta_clustered_share_mean(&all);
    for (int g = 0; g < all.groups && !status; g++) *groups += all.in[g];
    meta_influence_clear(&all);
    clear(&c);
    return status ? -1 : 0;
}

static int has_groups(const struct meta_dataset *d)
{
    for (int i = 0; i < d->count; i++)
        if (d->group[i] >= 0) return 1;
    return 0;
}

/* The mean over the classes, and *groups: that have the images, or 0 where there are none. Images
   of a group each are as independent as those without. */
static int find_share(struct meta_interval *share, int *groups, const struct meta_left_out *l,
                      const int *right, const int *asked, struct meta_error *error)
{
    double cases;
    int images = 0;
    *groups = 0;
    for (int k = 0; k < l->dataset->classes; k++) images += asked[k];
    if (has_groups(l->dataset)) {
        if (share_of_groups(share, groups, l, error)) return -1;
        if (*groups < images) return 0;
    }
    *share = (struct meta_interval){ 0 };
    share->value = meta_mean_over_classes(right, asked, l->dataset->classes, &cases);
    meta_share_interval(share->value, cases, &share->low, &share->high);
    return 0;
}

/* right, asked (classes) */
static int print_share(const struct meta_left_out *l, const int *right, const int *asked,
                       double auc, struct meta_error *error)
{
    int all = 0, good = 0, classes = 0, groups;
    struct meta_interval share;
    if (find_share(&share, &groups, l, right, asked, error)) return -1;
    for (int k = 0; k < l->dataset->classes; k++) {
        all += asked[k];
        good += right[k];
        classes += asked[k] > 0;
    }
    printf("leave-one-out: %.0f%% right, the mean over %d class%s, %d of %d images",
           100 * share.value, classes, meta_plural_es(classes), good, all);
    if (groups) printf(" of %d group%s", groups, meta_plural(groups));
    if (isnan(share.low)) printf(": %s", share.why);
    else
        printf(": with so few the truth may be anything from %.0f%% to %.0f%%", 100 * share.low,
               100 * share.high);
    if (auc == auc) printf("; AUC %.2f, as uncertain", auc);
    printf("\n");
    return 0;
}

static int print_all(const struct meta_left_out *l, int *right, int *asked, double auc,
                     struct meta_error *error)
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
        return 0;
    }
    if (print_share(l, right, asked, auc, error)) return -1;
    for (int k = 0; k < d->classes; k++) print_class(d, k, right[k], asked[k]);
    print_mistakes(l);
    return 0;
}

int meta_print_left_out(const struct meta_left_out *l, struct meta_error *error)
{
    int n = l->dataset->count, classes = l->dataset->classes;
    double *log_odds = malloc((size_t)n * classes * sizeof *log_odds);
    int *labels = malloc(n * sizeof *labels), *right = calloc(classes, sizeof *right),
        *asked = calloc(classes, sizeof *asked), ready = log_odds && labels && right && asked;
    int status = ready ? print_all(l, right, asked, auc(l, log_odds, labels), error)
                       : meta_fail(error, "out of memory for %d images", n);
    free(log_odds);
    free(labels);
    free(right);
    free(asked);
    return status;
}
