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

double meta_by_group_error(const struct meta_by_group *g)
{
    int classes, *groups = count_by_class(g, &classes);
    double both = 0, query = 0, share = pairs_share(g->tasks);
    for (int i = 0; i < g->count; i++) {
        double n = groups ? groups[g->label[i]] : 1, all = meta_by_group_influence(g, i), same = 0,
               more = n > 1 ? n / (n - 1) : NAN;
        for (int b = 0; b < META_PARTS; b++) {
            double part = g->part[(size_t)b * g->count + i];
            same += part * part;
        }
        both += (all * all - same) * share * more;
        query += g->query[i] * g->query[i] * more;
    }
    free(groups);
    if (!g->count || isnan(both) || isnan(query)) return NAN;
    return sqrt(fmax(both, query));
}

struct meta_estimate meta_by_group_estimate(struct meta_estimate tasks,
                                            const struct meta_by_group *g)
{
    int classes, *groups = count_by_class(g, &classes), degrees = g->count;
    for (int k = 0; groups && k < classes; k++) degrees -= groups[k] > 0;
    free(groups);
    double error = hypot(tasks.error, meta_by_group_error(g));
    return meta_estimate_with(tasks.mean, error, degrees < tasks.n - 1 ? degrees + 1 : tasks.n);
}
