/* The JSON file of `meta test`: settings, the files' check sums, figures, and every task, so that two methods can be paired. */
#ifndef META_RESULTS_H
#define META_RESULTS_H

#include "evaluate.h"

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
    const struct meta_run *runs;       /* the curves of one follow those of the one before: the evaluator's */
};
/* Whole or not at all. */
int meta_results_write(const struct meta_results *, const char *path, struct meta_error *);

/* What comparing needs of such a file. */
struct meta_scores {
    char *path, *cfg, *weights;    /* the file, and the names in it */
    char *method;                  /* "" in a file from before there was more than one */
    char *settings;                /* what the tasks depend on, in words */
    int count;
    double *before, *after;        /* (count) AUC of each task */
    uint32_t *images;              /* (count) which images it has */
};
/* Refuses what is not such a file. The caller frees with meta_scores_clear. */
int  meta_scores_read(struct meta_scores *, const char *path, struct meta_error *);
void meta_scores_clear(struct meta_scores *);
/* b's AUC after adaptation less a's, over their tasks, which have to be the same. */
int  meta_scores_difference(const struct meta_scores *a, const struct meta_scores *b, int resamples, struct meta_bootstrap *,
                            struct meta_error *);

#endif
