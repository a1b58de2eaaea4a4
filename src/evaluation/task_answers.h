/* The answers to the query images of a test, as CSV: one method's can be averaged with another's on
   the same tasks, whatever their networks are. */
#ifndef META_TASK_ANSWERS_H
#define META_TASK_ANSWERS_H

#include "method.h"

/* Whether the file begins as those of meta_task_answers_write do. */
int meta_task_answers_is(const char *path);
/* A line for each query image and class of its task: runs (evaluation->runs) with their log_odds.
   Writes the whole file or none. */
int meta_task_answers_write(const char *path, const struct meta_run *runs,
                            const struct meta_evaluation *, const struct meta_dataset *,
                            struct meta_error *);
/* *log_odds (evaluation->runs, ways*queries, ways) of a file of as many tasks or more, which must
   be those that the evaluation draws from the data set: the same images, in order. Fails with the
   file's line. The caller frees. */
int meta_task_answers_read(double **log_odds, const char *path, const struct meta_evaluation *,
                           const struct meta_dataset *, struct meta_error *);

#endif
