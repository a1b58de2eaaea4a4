/* Places buffers with known lifetimes in one arena, so that buffers that are never alive together
   share memory. */
#ifndef META_ARENA_H
#define META_ARENA_H

#include <stddef.h>

/* A buffer that is alive at the moments first..last, both included. `offset` is the answer; a
   buffer of size 0 gets none. */
struct meta_interval {
    size_t size;
    int first, last;
    size_t offset;
};

/* Rounds the sizes up to multiples of `align` and sets the offsets, which are multiples too.
   Returns the arena's size, or (size_t)-1 when there is no memory. */
size_t meta_plan(struct meta_interval *intervals, int count, size_t align);

#endif
