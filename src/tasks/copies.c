/* Finds images of the same bytes, and of one file, by their digests, and puts them into one
   group. */
#define _GNU_SOURCE
#include "copies_internal.h"
#include "base/disjoint.h"
#include "images/image_place.h"
#include "list_place.h"

#include <stdlib.h>

/* Orders indices by digest, those of equal ones by place in the list. */
static int by_digest(const void *a, const void *b, void *digests)
{
    const struct meta_digest *d = digests;
    int i = *(const int *)a, k = *(const int *)b, order = meta_digest_order(&d[i], &d[k]);
    return order ? order : (i > k) - (i < k);
}

int meta_copies_tell(const struct meta_dataset *set, int i)
{
    return set->digests[i].bytes && !(set->plain && set->plain[i]);
}

int *meta_copies_order(const struct meta_dataset *set)
{
    int *order = malloc(((size_t)set->count + 1) * sizeof *order);
    for (int i = 0; order && i < set->count; i++) order[i] = i;
    if (order) qsort_r(order, set->count, sizeof *order, by_digest, set->digests);
    return order;
}

int meta_copies_find(const struct meta_dataset *set, int *copy_of, struct meta_error *error)
{
    int *order = meta_copies_order(set);
    if (!order) return meta_fail_memory_for(error, set->list);
    for (int i = 0, first = 0; i < set->count; i++) {
        if (!meta_digest_equal(set->digests[order[i]], set->digests[order[first]])) first = i;
        int known = i > first && meta_copies_tell(set, order[i]);
        copy_of[order[i]] = known ? order[first] : -1;
    }
    free(order);
    return 0;
}

int meta_copies_frames(const struct meta_dataset *set, const int *order, int first, int *end)
{
    const struct meta_digest *one = &set->digests[order[first]];
    int frames = 0;
    for (*end = first + 1; *end < set->count; ++*end) {
        const struct meta_digest *other = &set->digests[order[*end]];
        if (meta_image_file_order(one, other)) break;
        frames |= one->low != other->low;
    }
    return frames && one->bytes;
}

int meta_copies_clash(const struct meta_dataset *set, int i, int k, struct meta_error *error)
{
    return meta_fail(error,
                     "%s%s: is the same image as %s%s, which is of class %s, not %s: must be in "
                     "one "
                     "class",
                     meta_list_place(set->list, set->lines[i]).text, set->paths[i], set->paths[k],
                     meta_list_on_line(set->lines[k]).text, set->names[set->label[k]],
                     set->names[set->label[i]]);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* Puts images i and k into one group. An image in no group is number named + i at first. */
static void unite(struct meta_dataset *set, int *parent, int named, int i, int k)
{
    if (set->group[i] < 0) set->group[i] = named + i;
    if (set->group[k] < 0) set->group[k] = named + k;
    meta_disjoint_unite(parent, set->group[i], set->group[k]);
}

/* Likewise the pages or frames of one file. */
static void unite_frames(struct meta_dataset *set, int *parent, int named, const int *order)
{
    for (int first = 0, end; first < set->count; first = end)
        if (meta_copies_frames(set, order, first, &end))
            for (int i = first + 1; i < end; i++) unite(set, parent, named, order[first], order[i]);
}

int meta_copies_unite(struct meta_dataset *set, struct meta_error *error)
{
    int named = 0;
    if (meta_copies_find(set, set->copy_of, error)) return -1;
    for (int i = 0; i < set->count; i++) {
        set->group[i] = set->named_group[i];
        if (set->named_group[i] >= named) named = set->named_group[i] + 1;
    }
    int *order = meta_copies_order(set);
    int *parent = malloc(((size_t)named + set->count) * sizeof *parent);
    if (!parent || !order) {
        free(order);
        free(parent);
        return meta_fail_memory_for(error, set->list);
    }
    for (int i = 0; i < named + set->count; i++) parent[i] = i;
    for (int i = 0; i < set->count; i++)
        if (set->copy_of[i] >= 0) unite(set, parent, named, i, set->copy_of[i]);
    unite_frames(set, parent, named, order);
    for (int i = 0; i < set->count; i++)
        if (set->group[i] >= 0) set->group[i] = meta_disjoint_root(parent, set->group[i]);
    free(order);
    free(parent);
    return 0;
}
