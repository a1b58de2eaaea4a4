/* Images that look like photographs of one thing, by two searches. */
#include "alike_internal.h"

#include <stdlib.h>

static int by_images(const struct meta_alike *p, const struct meta_alike *q)
{
    return p->a != q->a ? p->a - q->a : p->b - q->b;
}

static int most_alike(const void *x, const void *y)
{
    const struct meta_alike *p = x, *q = y;
    if (p->correlation != q->correlation) return p->correlation < q->correlation ? 1 : -1;
    return by_images(p, q);
}

static int most_alike_of_images(const void *x, const void *y)
{
    int order = by_images(x, y);
    return order ? order : most_alike(x, y);
}

/* Sorts the pairs, and leaves out what the other search has found too. */
static void sort(struct meta_alike_list *list)
{
    int kept = 0;
    if (!list->count) return;
    qsort(list->pairs, list->count, sizeof *list->pairs, most_alike_of_images);
    for (int i = 0; i < list->count; i++)
        if (!i || by_images(&list->pairs[i], &list->pairs[kept - 1]))
            list->pairs[kept++] = list->pairs[i];
    list->count = kept;
    qsort(list->pairs, list->count, sizeof *list->pairs, most_alike);
}

int meta_alike_find(struct meta_alike **pairs, int *count, const struct meta_look *look,
                    struct meta_pool *pool, struct meta_error *error)
{
    struct meta_alike_list list = { 0 };
    pthread_mutex_init(&list.mutex, NULL);
    int status = meta_alike_same(&list, look, pool, error);
    if (!status) status = meta_alike_moved(&list, look, pool, error);
    pthread_mutex_destroy(&list.mutex);
    if (!status && list.failed)
        status = meta_fail(error, "out of memory for %d pairs of images", list.count);
    if (status) free(list.pairs);
    else sort(&list);
    *pairs = status ? NULL : list.pairs;
    *count = list.count;
    return status;
}
