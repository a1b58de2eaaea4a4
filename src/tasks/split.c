/* Splits labelled images by group, class by class. */
#define _GNU_SOURCE
#include "split.h"
#include "base/disjoint.h"
#include "copies_internal.h"

#include <stdlib.h>
#include <string.h>

struct splitting {
    const struct meta_labelled *l;
    const struct meta_split *how;
    int *part;
    int *unit;  /* (count) the first image of what stays together with an image */
    int *order; /* (count) of images that are first, units before one another by their keys */
    int units;
    struct meta_digest *key; /* (count) of units */
    int *images;             /* (count) of units: images of the class that is dealt out */
    int *total;              /* (classes) images */
};

static int find_units(struct splitting *s, const struct meta_dataset *set, struct meta_error *error)
{
    const struct meta_labelled *l = s->l;
    int *first = malloc(((size_t)l->groups + 1) * sizeof *first),
        *copy_of = malloc(((size_t)l->count + 1) * sizeof *copy_of),
        *order = meta_copies_order(set);
    int status = first && copy_of && order ? meta_copies_find(set, copy_of, error)
                                           : meta_fail_memory_for(error, l->from);
    for (int g = 0; g < l->groups && !status; g++) first[g] = -1;
    for (int i = 0; i < l->count; i++) s->unit[i] = i;
    for (int i = 0; i < l->count && !status; i++)
        if (copy_of[i] >= 0 && l->label[i] != l->label[copy_of[i]])
            status = meta_copies_clash(set, i, copy_of[i], error);
    for (int i = 0; i < l->count && !status; i++) {
        int g = l->group[i];
        if (copy_of[i] >= 0) meta_disjoint_unite(s->unit, i, copy_of[i]);
        if (g >= 0 && first[g] >= 0) meta_disjoint_unite(s->unit, i, first[g]);
        else if (g >= 0) first[g] = i;
    }
    for (int k = 0, end; k < l->count && !status; k = end)
        if (meta_copies_frames(set, order, k, &end))
            for (int i = k + 1; i < end; i++) meta_disjoint_unite(s->unit, order[k], order[i]);
    for (int i = 0; i < l->count; i++) s->unit[i] = meta_disjoint_root(s->unit, i);
    free(order);
    free(first);
    free(copy_of);
    return status;
}

static int by_key(const void *a, const void *b, void *context)
{
    const struct splitting *s = context;
    int i = *(const int *)a, k = *(const int *)b;
    int order = meta_digest_order(&s->key[i], &s->key[k]);
    return order ? order : (i > k) - (i < k);
}

/* A unit's key is the least of its images', whatever their order. */
static void order_units(struct splitting *s)
{
    const struct meta_labelled *l = s->l;
    const uint64_t seed = s->how->seed;
    for (int i = 0; i < l->count; i++) {
        const char *name = l->group[i] >= 0 ? l->group_names[l->group[i]]
                                            : meta_labelled_inside(l, i);
        struct meta_digest *key = &s->key[s->unit[i]],
                           own = meta_digest_add(meta_digest(&seed, sizeof seed), name,
                                                 strlen(name));
        own.bytes = 0;
        if (s->unit[i] == i || meta_digest_order(&own, key) < 0) *key = own;
        if (s->unit[i] == i) s->order[s->units++] = i;
    }
    qsort_r(s->order, (size_t)s->units, sizeof *s->order, by_key, s);
}

/* Deals units that are in no part yet out to one, while that brings its images of the class nearer
   to `share` of all. */
static void deal(struct splitting *s, int class, enum meta_part part, double share)
{
    const struct meta_labelled *l = s->l;
    double wanted = share * s->total[class];
    int have = 0;
    for (int i = 0; i < l->count; i++) have += l->label[i] == class && s->part[i] == (int)part;
    for (int u = 0; u < s->units; u++) {
        int unit = s->order[u], images = s->images[unit];
        if (!images || s->part[unit] != META_PART_NONE || have + images / 2. > wanted) continue;
        s->part[unit] = part;
        have += images;
    }
}

/* Counts the images of the class in each unit. */
static void count_images(struct splitting *s, int class)
{
    memset(s->images, 0, (size_t)s->l->count * sizeof *s->images);
    for (int i = 0; i < s->l->count; i++) s->images[s->unit[i]] += s->l->label[i] == class;
}

/* Images take the part of their unit's first image. */
static void spread(struct splitting *s)
{
    for (int i = 0; i < s->l->count; i++) s->part[i] = s->part[s->unit[i]];
}

/* The class with the fewest images that is not done; -1: all are. */
static int rarest(const struct splitting *s, const char *done)
{
    int best = -1;
    for (int k = 0; k < s->l->classes; k++)
        if (!done[k] && (best < 0 || s->total[k] < s->total[best])) best = k;
    return best;
}

static void deal_all(struct splitting *s, char *done)
{
    for (int k; (k = rarest(s, done)) >= 0; done[k] = 1) {
        count_images(s, k);
        deal(s, k, META_PART_TEST, s->how->test);
        deal(s, k, META_PART_VALID, s->how->valid);
        for (int u = 0; u < s->units; u++) {
            int unit = s->order[u];
            if (s->images[unit] && s->part[unit] == META_PART_NONE) s->part[unit] = META_PART_TRAIN;
        }
        spread(s);
    }
}

/* Puts the images of rare classes into test, and marks units that have one, so that their other
   images are dealt out to no part. */
static void set_rare_apart(struct splitting *s)
{
    const struct meta_labelled *l = s->l;
    char *with_rare = (char *)s->images; /* (count) of units */
    memset(with_rare, 0, (size_t)l->count);
    for (int i = 0; i < l->count; i++) with_rare[s->unit[i]] |= s->how->rare[l->label[i]];
    for (int i = 0; i < l->count; i++)
        if (with_rare[s->unit[i]])
            s->part[i] = s->how->rare[l->label[i]] ? META_PART_TEST : META_PART_NONE;
}

int meta_split(int *part, const struct meta_labelled *l, const struct meta_dataset *set,
               const struct meta_split *how, struct meta_error *error)
{
    size_t n = (size_t)l->count + 1;
    struct splitting s = { .l = l, .how = how, .part = part };
    char *done = calloc((size_t)l->classes + 1, sizeof *done);
    s.unit = malloc(n * sizeof *s.unit);
    s.order = malloc(n * sizeof *s.order);
    s.key = malloc(n * sizeof *s.key);
    s.images = malloc(n * sizeof *s.images);
    s.total = calloc((size_t)l->classes + 1, sizeof *s.total);
    int status = done && s.unit && s.order && s.key && s.images && s.total
        ? find_units(&s, set, error)
        : meta_fail_memory_for(error, l->from);
    if (!status) {
        for (int i = 0; i < l->count; i++) {
            part[i] = META_PART_NONE;
            s.total[l->label[i]]++;
        }
        order_units(&s);
        deal_all(&s, done);
        if (how->rare) set_rare_apart(&s);
    }
    free(done);
    free(s.unit);
    free(s.order);
    free(s.key);
    free(s.images);
    free(s.total);
    return status;
}
