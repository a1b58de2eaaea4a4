/* libdarknet-meta: how well scores tell two classes apart. */
#include "darknet_meta_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats/clustered.h"

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Numbers the groups from 0; without `given` each image is one. The caller frees c->group. */
static int number_groups(struct meta_clusters *c, const int *given, int count,
                         struct meta_error *error)
{
    int *group = malloc(2 * (size_t)count * sizeof *group), *sorted = group + count, kinds = 0;
    *c = (struct meta_clusters){ count, group, count };
    if (!group) return meta_fail(error, "out of memory for %d images", count);
    for (int i = 0; i < count; i++) group[i] = i;
    if (!given) return 0;
    memcpy(sorted, given, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, by_number);
    for (int i = 0; i < count; i++)
        if (!i || sorted[i] != sorted[kinds - 1]) sorted[kinds++] = sorted[i];
    for (int i = 0; i < count; i++)
        group[i] = (int)((const int *)bsearch(&given[i], sorted, (size_t)kinds, sizeof *sorted,
                                              by_number)
                         - sorted);
    c->groups = kinds;
    return 0;
}

/* Refuses labels that leave nothing to be told apart, and scores that tell nothing. */
static int check_curve(const double *scores, const int *labels, int count, struct meta_error *error)
{
    int images[2] = { 0, 0 };
    for (int i = 0; i < count; i++) {
        if (labels[i] != 0 && labels[i] != 1) continue;
        if (isnan(scores[i])) return meta_fail(error, "score %d is not a number", i);
        images[labels[i]]++;
    }
    if (images[0] && images[1]) return 0;
    return meta_fail(error,
                     "%d scores labelled 1 and %d labelled 0: must be at least one of each, which "
                     "they tell apart",
                     images[1], images[0]);
}

int darknet_meta_auc(const double *scores, const int *labels, const int *groups, int count,
                     darknet_meta_interval *auc, darknet_meta_error *why)
{
    struct meta_error error;
    struct meta_clusters clusters = { 0 };
    struct meta_interval found;
    const struct meta_scored curve = { scores, 1, labels, 1, 0 };
    int status = meta_call_needs(NEEDED({ "the array of scores", scores },
                                        { "the array of labels", labels },
                                        { "the place of the result", auc }),
                                 &error)
        || check_curve(scores, labels, count, &error)
        || number_groups(&clusters, groups, count, &error)
        || meta_clustered_auc(&found, &clusters, &curve, NULL, &error);
    if (!status) *auc = (darknet_meta_interval){ found.value, found.low, found.high };
    free((void *)clusters.group);
    return status ? meta_call_fail(why, &error) : 0;
}
