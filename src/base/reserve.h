/* Memory that the program keeps back, so that a library that does not look whether it was given
   any can finish what it has begun. The program's hooks (commands/memory_hooks.cpp) give it up when
   an allocation finds nothing, and try once more; whoever calls such a library asks afterwards
   whether that happened, and tells. The address space alone is taken: the pages are never
   touched. */
#ifndef META_RESERVE_H
#define META_RESERVE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Once, before threads begin; without memory for it there is no reserve. */
void meta_reserve_open(void);
/* Gives the reserve back to the system. 1: so it was, and an allocation is worth another try; 0:
   there is none, or no more. Any thread may call. */
int meta_reserve_release(void);
/* Whether there is a reserve, and whether it has been released. */
int meta_reserve_kept(void);
int meta_reserve_used(void);

/* Whether as many bytes can be had at this moment. */
int meta_reserve_room(size_t bytes);
/* Has malloc keep 2 MB ready in the part of its heap that serves this thread, for small blocks:
   whoever takes all other memory meanwhile can't take these. NULL: there is no memory. free() of
   what is returned ends it. */
void *meta_reserve_small(void);

#ifdef __cplusplus
}
#endif

#endif
