/* Finds images that two lists have, or files that they have images of, by their digests. */
#include "shared.h"
#include "copies_internal.h"
#include "labelled.h"
#include "base/lines.h"
#include "file_id.h"
#include "images/image_place.h"

#include <stdlib.h>
#include <string.h>

/* Of the other's images of one file, others[at] being the first, the one that is the same image, or
   else the first of another page or frame; -1: there is neither. */
static int find_twin(const struct meta_dataset *set, int image, const struct meta_dataset *other,
                     const int *others, int at)
{
    const struct meta_digest *own = &set->digests[image];
    int twin = -1;
    for (; own->bytes && at < other->count; at++) {
        const struct meta_digest *d = &other->digests[others[at]];
        if (meta_image_file_order(own, d)) break;
        if (own->low == d->low && meta_copies_tell(set, image)) return others[at];
        if (own->low != d->low && twin < 0) twin = others[at];
    }
    return twin;
}

int meta_shared_find(struct meta_shared *shared, const struct meta_dataset *set,
                     const struct meta_dataset *other, struct meta_error *error)
{
    int *mine = meta_copies_order(set), *others = meta_copies_order(other);
    *shared = (struct meta_shared){ .image = set->count };
    for (int i = 0, k = 0; mine && others && i < set->count && k < other->count;) {
        const struct meta_digest *a = &set->digests[mine[i]];
        int order = meta_image_file_order(a, &other->digests[others[k]]),
            twin = order ? -1 : find_twin(set, mine[i], other, others, k);
        if (twin >= 0) {
            shared->count++;
            shared->frames += a->low != other->digests[twin].low;
            if (mine[i] < shared->image) {
                shared->image = mine[i];
                shared->twin = twin;
            }
        }
        i += order <= 0;
        k += order > 0;
    }
    int status = mine && others ? 0 : meta_fail_memory_for(error, set->list);
    free(mine);
    free(others);
    return status;
}

/* The number that the other data's groups have for group g of `data`; -1: none. Both are ascending
   by their names. */
static int number_of(const struct meta_data *data, int g, const struct meta_data *other)
{
    if (!data->labelled) return g;
    int low = 0, high = other->labelled->groups;
    const char *name = data->labelled->group_names[g];
    while (low < high) {
        int middle = (low + high) / 2, order = strcmp(other->labelled->group_names[middle], name);
        if (!order) return middle;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return -1;
}

int meta_shared_groups(const struct meta_data *data, const struct meta_dataset *set,
                       const struct meta_data *of_other, const struct meta_dataset *other)
{
    int most = -1, count = 0;
    if (data->labelled ? !of_other->labelled : data != of_other) return 0;
    for (int i = 0; i < other->count; i++)
        if (other->named_group[i] > most) most = other->named_group[i];
    char *in = calloc((size_t)most + 2, 1);
    if (!in) return -1;
    for (int i = 0; i < other->count; i++)
        if (other->named_group[i] >= 0) in[other->named_group[i]] = 1;
    for (int i = 0; i < set->count; i++) {
        int g = set->named_group[i] < 0 ? -1 : number_of(data, set->named_group[i], of_other);
        if (g < 0 || g > most || !in[g]) continue;
        count++;
        in[g] = 0;
    }
    free(in);
    return count;
}

static int by_size(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
    return (p > q) - (p < q);
}

/* Leaves of the lines in `lines` those whose files have one of the sizes (count), ascending. */
static void keep_sizes(struct meta_lines *lines, const uint64_t *sizes, int count)
{
    int kept = 0;
    for (int i = 0; i < lines->count; i++) {
        struct meta_file_state s;
        if (meta_file_state_image(&s, lines->line[i]) || !s.bytes) continue;
        uint64_t size = (uint64_t)s.bytes;
        if (!bsearch(&size, sizes, count, sizeof *sizes, by_size)) continue;
        lines->line[kept] = lines->line[i];
        lines->number[kept++] = lines->number[i];
    }
    lines->count = kept;
}

int meta_shared_candidates(struct meta_dataset **out, const struct meta_dataset *set,
                           const char *list, struct meta_pool *pool, struct meta_error *error)
{
    struct meta_lines lines;
    uint64_t *sizes = malloc(((size_t)set->count + 1) * sizeof *sizes);
    struct meta_dataset *other = calloc(1, sizeof *other);
    if (!sizes || !other) goto memory;
    for (int i = 0; i < set->count; i++) sizes[i] = set->digests[i].bytes;
    qsort(sizes, set->count, sizeof *sizes, by_size);
    if (meta_lines_read(&lines, list, error)) goto fail;
    keep_sizes(&lines, sizes, set->count);
    free(sizes);
    sizes = NULL;
    other->count = lines.count;
    other->paths = lines.line; /* handed over */
    other->lines = lines.number;
    other->arena = lines.text;
    other->list = strdup(list);
    other->digests = calloc((size_t)lines.count + 1, sizeof *other->digests);
    if (!other->list || !other->digests) goto memory;
    if (meta_dataset_digest(other, pool, error)) goto fail;
    *out = other;
    return 0;
memory:
    meta_fail_memory_for(error, list);
fail:
    free(sizes);
    meta_dataset_free(other);
    return -1;
}
