/* The standard error of a mean AUC over tasks when the groups of images are drawn anew, from the
   influence of each group. */
#include "by_group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void meta_by_group_clear(struct meta_by_group *g)
{
    free(g->item);
    free(g->label);
    free(g->asked);
    free(g->query);
    free(g->part);
    memset(g, 0, sizeof *g);
}

double meta_by_group_influence(const struct meta_by_group *g, int group)
{
    double sum = 0;
    for (int b = 0; b < META_PARTS; b++) sum += g->part[(size_t)b * g->count + group];
    return sum;
}

/* (classes) how many groups each class has; NULL without memory. The caller frees. */
static int *count_by_class(const struct meta_by_group *g, int *classes)
{
    *classes = 0;
    for (int i = 0; i < g->count; i++)
        if (g->label[i] >= *classes) *classes = g->label[i] + 1;
    int *groups = calloc(*classes + 1, sizeof *groups);
    for (int i = 0; groups && i < g->count; i++) groups[g->label[i]]++;
    return groups;
}

/* All pairs of tasks over the pairs that are in different parts. */
static double pairs_share(int tasks)
{
    double same = 0, n = tasks;
    for (int b = 0; b < META_PARTS; b++) {
        double size = tasks / META_PARTS + (b < tasks % META_PARTS);
        same += size * size;
    }
    return tasks > 1 ? n * n / (n * n - same) : NAN;
}

int meta_by_group_error(double *out, const struct meta_by_group *g, struct meta_error *error)
{
    int classes, *groups = count_by_class(g, &classes);
    double both = 0, query = 0, share = pairs_share(g->tasks);
    if (!groups) return meta_fail_memory(error);
    for (int i = 0; i < g->count; i++) {
        double n = groups[g->label[i]], all = meta_by_group_influence(g, i), same = 0,
               more = n > 1 ? n / (n - 1) : NAN;
        for (int b = 0; b < META_PARTS; b++) {
            double part = g->part[(size_t)b * g->count + i];
            same += part * part;
        }
        both += (all * all - same) * share * more;
        query += g->query[i] * g->query[i] * more;
    }
    free(groups);
    *out = !g->count || isnan(both) || isnan(query) ? NAN : sqrt(fmax(both, query));
    return 0;
}

int meta_by_group_estimate(struct meta_estimate *out, struct meta_estimate tasks,
                           const struct meta_by_group *g, struct meta_error *error)
{
    int classes, *groups = count_by_class(g, &classes), degrees = g->count;
    double own;
    if (!groups) return meta_fail_memory(error);
    for (int k = 0; k < classes; k++) degrees -= groups[k] > 0;
    free(groups);
    if (meta_by_group_error(&own, g, error)) return -1;
    *out = meta_estimate_with(tasks.mean, hypot(tasks.error, own),
                              degrees < tasks.n - 1 ? degrees + 1 : tasks.n);
    return 0;
}
