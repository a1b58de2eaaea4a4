/* A pool of pthreads that runs one function over indices 0..count-1. */
#ifndef META_POOL_H
#define META_POOL_H

#include "error.h"

struct meta_pool;

enum { META_POOL_MOST = 1024 }; /* threads of a pool */

/* Makes a pool of 1 to META_POOL_MOST workers, of which the caller's own thread is one. The caller
   frees. */
int meta_pool_create(struct meta_pool **, int threads, struct meta_error *);
void meta_pool_free(struct meta_pool *);
int meta_pool_threads(const struct meta_pool *);
int meta_pool_cores(void); /* the processors that this process may run on */

/* Calls work(context, index, worker) once for each index and returns when all calls are done.
   worker is 0..threads-1; no two calls at a time have the same one. Allocates nothing. `work` must
   not call it. */
void meta_pool_run(struct meta_pool *, int count,
                   void (*work)(void *context, int index, int worker), void *context);

#endif
