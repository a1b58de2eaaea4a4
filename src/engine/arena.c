/* Gives each buffer an offset, first fit and largest first. */
#include "arena.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b)
{
    const struct meta_interval *x = *(struct meta_interval *const *)a,
                               *y = *(struct meta_interval *const *)b;
    if (x->size != y->size) return x->size < y->size ? 1 : -1;
    return x < y ? -1 : x > y;
}

static int meet(const struct meta_interval *a, const struct meta_interval *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Returns the lowest offset at which `one` overlaps no placed buffer that is alive at the same
   time. */
static size_t lowest_gap(const struct meta_interval *one, struct meta_interval **placed, int count)
{
    size_t offset = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (int i = 0; i < count; i++) {
            const struct meta_interval *other = placed[i];
            if (meet(one, other) && offset < other->offset + other->size
                && other->offset < offset + one->size) {
                offset = other->offset + other->size;
                moved = 1;
            }
        }
    }
    return offset;
}

size_t meta_plan(struct meta_interval *intervals, int count, size_t align)
{
    struct meta_interval **order = malloc((count + 1) * sizeof *order);
    if (!order) return (size_t)-1;
    int used = 0;
    for (int i = 0; i < count; i++) {
        if (!intervals[i].size) continue;
        intervals[i].size = (intervals[i].size + align - 1) / align * align;
        order[used++] = &intervals[i];
    }
    qsort(order, used, sizeof *order, larger_first);
    size_t top = 0;
    for (int i = 0; i < used; i++) {
        order[i]->offset = lowest_gap(order[i], order, i);
        if (order[i]->offset + order[i]->size > top) top = order[i]->offset + order[i]->size;
    }
    free(order);
    return top;
}
