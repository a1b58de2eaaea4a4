/* The JSON file of `meta test`: settings, the files' check sums, figures, and every task, so that two methods can be paired. */
#ifndef META_RESULTS_H
#define META_RESULTS_H

#include "evaluate.h"
#include "stats/estimate.h"

#define META_RESULTS_FORMAT 1

/* One row of the table by pairs of classes: a < b, over the tasks that have both. */
struct meta_pair_row { int a, b; struct meta_estimate before, after; };
/* The caller frees *rows. */
int meta_results_pairs(struct meta_pair_row **rows, int *count, const struct meta_run *, const struct meta_evaluation *,
                       struct meta_error *);

struct meta_results {
    const char *data, *cfg, *weights, *list_name, *backend;
    const struct meta_model *model;
    const struct meta_dataset *dataset;
    const struct meta_evaluation *evaluation;
    const struct meta_by_group *groups;
    struct meta_estimate other_groups;     /* what they make of auc_after */
    const struct meta_run *runs;       /* the curves of one follow those of the one before: the evaluator's */
};
/* Whole or not at all. */
int meta_results_write(const struct meta_results *, const char *path, struct meta_error *);

#endif
