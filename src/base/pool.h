/* A pool of pthreads that runs one function over indices 0..count-1. */
#ifndef META_POOL_H
#define META_POOL_H

#include "error.h"

struct meta_pool;

/* `threads` >= 1 workers in all; with 1 the caller's own thread does the work. The caller frees. */
int  meta_pool_create(struct meta_pool **, int threads, struct meta_error *);
void meta_pool_free(struct meta_pool *);
int  meta_pool_threads(const struct meta_pool *);
int  meta_pool_cores(void);                        /* how many this process may run on */

/* Calls work(context, index, worker) once for each index, worker in 0..threads-1 and never the same one twice at a time;
   returns when all are done. Allocates nothing. Not to be called from inside `work`. */
void meta_pool_run(struct meta_pool *, int count, void (*work)(void *context, int index, int worker), void *context);

#endif
