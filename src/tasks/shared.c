/* Finds images that two lists have, or files that they have images of, by their digests. */
#include "shared.h"
#include "copies_internal.h"
#include "labelled.h"
#include "base/lines.h"
#include "file_id.h"
#include "groups.h"
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

const char *meta_shared_words(const struct meta_shared *s)
{
    if (!s->frames) return "";
    return s->frames < s->count ? ", or another image of the same file is"
                                : ", by another image of the same file";
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
            int frame = a->low != other->digests[twin].low, first = shared->frames < shared->count;
            shared->count++;
            shared->frames += frame;
            /* the same image comes before another of its file */
            if ((!frame && !first) || (frame != first && mine[i] < shared->image)) {
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

/* The names of the groups, ascending, by the numbers that the images have. */
struct names {
    char *const *name; /* (count) */
    int count;
    struct meta_groups read; /* of a .data file */
};

static int read_names(struct names *n, const struct meta_data *data, struct meta_error *error)
{
    *n = (struct names){ 0 };
    if (data->labelled) {
        n->name = data->labelled->group_names;
        n->count = data->labelled->groups;
        return 0;
    }
    if (!data->groups) return 0;
    if (meta_groups_read(&n->read, data, error)) return -1;
    n->name = n->read.name;
    n->count = n->read.names;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Marks in `in` (names of the groups) those that have an image of the data set. */
static void mark(unsigned char *in, const struct meta_dataset *set)
{
    for (int i = 0; i < set->count; i++)
        if (set->named_group[i] >= 0) in[set->named_group[i]] = 1;
}

/* Of groups that both name, those with images of both. */
static int count_shared(int *count, const struct names *n, const struct meta_dataset *set,
                        const struct names *m, const struct meta_dataset *other)
{
    unsigned char *own = calloc((size_t)n->count + 1, 1), *theirs = calloc((size_t)m->count + 1, 1);
    int status = own && theirs ? 0 : -1;
    if (!status) {
        mark(own, set);
        mark(theirs, other);
    }
    for (int g = 0; g < n->count && m->count && !status; g++) {
        char *const *twin = own[g]
            ? bsearch(&n->name[g], m->name, (size_t)m->count, sizeof *m->name, by_name)
            : NULL;
        *count += twin && theirs[twin - m->name];
    }
    free(own);
    free(theirs);
    return status;
}

int meta_shared_groups(int *count, const struct meta_data *data, const struct meta_dataset *set,
                       const struct meta_data *of_other, const struct meta_dataset *other,
                       struct meta_error *error)
{
    struct names n, m;
    *count = 0;
    if (read_names(&n, data, error)) return -1;
    int status = read_names(&m, of_other, error);
    if (!status && count_shared(count, &n, set, &m, other)) status = meta_fail_memory(error);
    meta_groups_free(&n.read);
    meta_groups_free(&m.read);
    return status;
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
