/* Episodes into AUCs: draws tasks from a list, learns each by a method, and scores its query
   images. */
#ifndef META_EVALUATE_H
#define META_EVALUATE_H

#include "by_group.h"
#include "method.h"
#include "parts.h"

struct meta_evaluator;
/* Allocates all that running needs, one workspace a thread of the pool; the evaluation is copied,
   what it points to is not. Fails when a class is too small for the tasks. The caller frees. */
int meta_evaluator_create(struct meta_evaluator **, const struct meta_evaluation_parts *,
                          const struct meta_evaluation *, struct meta_error *);
void meta_evaluator_free(struct meta_evaluator *);

/* Runs every task with meta-parameters phi, a backend vector. Returns the results (runs), valid
   until the next call. `progress` may be NULL; it is called from the caller's thread or others',
   one at a time, with the number of tasks done. */
const struct meta_run *meta_evaluator_run(struct meta_evaluator *, const void *phi,
                                          void (*progress)(void *context, int done), void *context);
/* Which images, by groups, the AUCs after adaptation of the last run rest on. The caller clears. */
int meta_evaluator_groups(struct meta_by_group *, struct meta_evaluator *, struct meta_error *);
/* 0, or -1 with the message of the first task of the last run that its method had no memory for:
   then the results are of no use. */
int meta_evaluator_status(const struct meta_evaluator *, struct meta_error *);

#endif
