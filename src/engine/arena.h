/* Places buffers with known lifetimes in one arena, so that those never alive together share memory. */
#ifndef META_PLAN_H
#define META_PLAN_H

#include <stddef.h>

/* Alive at the moments first..last, both included; `offset` is the answer. A size of 0 is not placed. */
struct meta_interval { size_t size; int first, last; size_t offset; };

/* First fit, largest first; offsets are multiples of `align`. Returns the arena's size, or (size_t)-1 without memory. */
size_t meta_plan(struct meta_interval *intervals, int count, size_t align);

#endif
