/* A list of pairs that several threads add to. */
#include "alike_internal.h"

#include <stdlib.h>

void meta_alike_add(struct meta_alike_list *list, struct meta_alike pair)
{
    pthread_mutex_lock(&list->mutex);
    if (list->count == list->room && !list->failed) {
        int room = list->room ? 2 * list->room : 256;
        struct meta_alike *grown = realloc(list->pairs, room * sizeof *grown);
        list->failed = !grown;
        if (grown) {
            list->pairs = grown;
            list->room = room;
        }
    }
    if (!list->failed) list->pairs[list->count++] = pair;
    pthread_mutex_unlock(&list->mutex);
}
