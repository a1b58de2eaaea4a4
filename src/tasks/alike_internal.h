/* The two searches behind alike.h. */
#ifndef META_ALIKE_INTERNAL_H
#define META_ALIKE_INTERNAL_H

#include <pthread.h>

#include "alike.h"

/* Pairs as they are found, by several threads. */
struct meta_alike_list {
    pthread_mutex_t mutex; /* guards the rest */
    struct meta_alike *pairs;
    int count, room, failed; /* failed: there was no memory */
};
void meta_alike_add(struct meta_alike_list *, struct meta_alike);

/* Finds images that are the same but for light, a small shift, a flip or a quarter turn. */
int meta_alike_same(struct meta_alike_list *, const struct meta_look *, struct meta_pool *,
                    struct meta_error *);
/* Finds images that show the same from elsewhere: shifted, turned by any angle, from half to twice
   as large. */
int meta_alike_moved(struct meta_alike_list *, const struct meta_look *, struct meta_pool *,
                     struct meta_error *);

#endif
