/* Tallies, while tasks are tested, what each group of query images does to the AUC, and turns that
   into a standard error. */
#include "by_group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct meta_tally {
    const struct meta_dataset *dataset;
    int ways, queries, count;
    int *group;       /* (images) which of the `count` groups the image is in */
    int *first;       /* (count) the first image of the group in the list */
    long long *asked; /* (count) how often an image of the group was a query image */
    long long *sum;   /* (count) queries*wins less the wins of all query images of the class */
};

void meta_by_group_clear(struct meta_by_group *g)
{
    free(g->item);
    free(g->label);
    free(g->asked);
    free(g->influence);
    memset(g, 0, sizeof *g);
}

/* (classes) how many groups each class has; NULL without memory. The caller frees. */
static int *count_by_class(const int *label, int count, int *classes)
{
    *classes = 0;
    for (int i = 0; i < count; i++)
        if (label[i] >= *classes) *classes = label[i] + 1;
    int *groups = calloc(*classes + 1, sizeof *groups);
    for (int i = 0; groups && i < count; i++) groups[label[i]]++;
    return groups;
}

double meta_by_group_error(const int *label, const double *influence, int count)
{
    int classes, *groups = count_by_class(label, count, &classes);
    double sum = 0;
    for (int i = 0; i < count; i++) {
        double n = groups ? groups[label[i]] : 1;
        sum += n > 1 ? influence[i] * influence[i] * n / (n - 1) : NAN;
    }
    free(groups);
    return count ? sqrt(sum) : NAN;
}

struct meta_estimate meta_by_group_estimate(struct meta_estimate tasks, const int *label,
                                            const double *influence, int count)
{
    int classes, *groups = count_by_class(label, count, &classes), degrees = count;
    for (int k = 0; groups && k < classes; k++) degrees -= groups[k] > 0;
    free(groups);
    double error = hypot(tasks.error, meta_by_group_error(label, influence, count));
    return meta_estimate_with(tasks.mean, error, degrees < tasks.n - 1 ? degrees + 1 : tasks.n);
}

/* An image in no group is a group of its own. */
static int find_groups(struct meta_tally *t)
{
    const struct meta_dataset *d = t->dataset;
    int most = 0;
    for (int i = 0; i < d->count; i++)
        if (d->group[i] >= most) most = d->group[i] + 1;
    int *known = malloc((most + 1) * sizeof *known);
    for (int i = 0; known && i < most; i++) known[i] = -1;
    for (int i = 0; known && i < d->count; i++) {
        int *own = d->group[i] < 0 ? NULL : &known[d->group[i]];
        if (!own || *own < 0) {
            t->first[t->count] = i;
            if (own) *own = t->count;
            t->group[i] = t->count++;
        } else t->group[i] = *own;
    }
    free(known);
    return known ? 0 : -1;
}

int meta_tally_create(struct meta_tally **out, const struct meta_dataset *dataset, int ways,
                      int queries, struct meta_error *error)
{
    struct meta_tally *t = calloc(1, sizeof *t);
    size_t n = dataset->count + 1;
    if (!t) return meta_fail_memory(error);
    t->dataset = dataset;
    t->ways = ways;
    t->queries = queries;
    t->group = malloc(n * sizeof *t->group);
    t->first = malloc(n * sizeof *t->first);
    t->asked = calloc(n, sizeof *t->asked);
    t->sum = calloc(n, sizeof *t->sum);
    if (!t->group || !t->first || !t->asked || !t->sum || find_groups(t)) {
        meta_tally_free(t);
        return meta_fail_memory(error);
    }
    *out = t;
    return 0;
}

void meta_tally_free(struct meta_tally *t)
{
    if (!t) return;
    free(t->group);
    free(t->first);
    free(t->asked);
    free(t->sum);
    free(t);
}

void meta_tally_start(struct meta_tally *t)
{
    memset(t->asked, 0, t->count * sizeof *t->asked);
    memset(t->sum, 0, t->count * sizeof *t->sum);
}

void meta_tally_add(struct meta_tally *t, const int *items, const int *wins)
{
    for (int k = 0; k < t->ways; k++, items += t->queries, wins += t->queries) {
        long long all = 0;
        for (int i = 0; i < t->queries; i++) all += wins[i];
        for (int i = 0; i < t->queries; i++) {
            int g = t->group[items[i]];
            t->asked[g]++;
            t->sum[g] += (long long)t->queries * wins[i] - all;
        }
    }
}

/* The AUC of a task is the sum over the query images of any one class of wins / (2 queries^2). With
   more than two ways it is the mean over classes, each against the rest, of such sums over the
   (ways-1) queries^2 of the others. The wins of an image are measured from the mean of its class in
   that task, which includes the image itself: hence queries-1. */
int meta_tally_read(struct meta_by_group *out, const struct meta_tally *t, int tasks,
                    struct meta_error *error)
{
    double n = t->queries, curves = t->ways == 2 ? 1 : (double)t->ways * (t->ways - 1);
    double unit = tasks * 2 * n * n * curves * (n - 1);
    size_t room = t->count + 1;
    out->count = 0;
    out->item = malloc(room * sizeof *out->item);
    out->label = malloc(room * sizeof *out->label);
    out->asked = malloc(room * sizeof *out->asked);
    out->influence = malloc(room * sizeof *out->influence);
    if (!out->item || !out->label || !out->asked || !out->influence) {
        meta_by_group_clear(out);
        return meta_fail_memory(error);
    }
    for (int g = 0; g < t->count; g++) {
        if (!t->asked[g]) continue;
        int i = out->count++;
        out->item[i] = t->first[g];
        out->label[i] = t->dataset->label[t->first[g]];
        out->asked[i] = t->asked[g];
        out->influence[i] = n > 1 ? t->sum[g] / unit : NAN;
    }
    return 0;
}
