/* The JSON file of `meta test`: settings, the files' check sums, figures, and every task, so that
   two methods can be paired. */
#ifndef META_RESULTS_H
#define META_RESULTS_H

#include "by_group.h"
#include "method.h"
#include "stats/estimate.h"

/* Results of format 1 told images by their paths: nothing in them shows what the files held. */
#define META_RESULTS_FORMAT 2
#define META_RESULTS_BY_PATH 1

/* One row of the table by pairs of classes: a < b, over the tasks that have both. */
struct meta_pair_row {
    int a, b;
    struct meta_estimate before, after;
};
/* Rows by rising classes. The caller frees *rows. */
int meta_results_pairs(struct meta_pair_row **rows, int *count, const struct meta_run *,
                       const struct meta_evaluation *, struct meta_error *);

struct meta_results {
    const char *data, *cfg, *weights; /* paths; weights: NULL of a method without */
    char *const *more_weights;        /* (1 + evaluation->more) with several weights: their paths */
    char *const *with;       /* (evaluation->with_count) paths of answers that are averaged with */
    const char *temperature; /* path of the temperatures; NULL: none was taken */
    const char *list_name, *backend; /* "test", "onednn" */
    const struct meta_model *model;
    const struct meta_dataset *dataset;
    const struct meta_evaluation *evaluation; /* its `method` and `settings` are not NULL */
    const struct meta_by_group *groups;
    /* auc_after, with an interval for other groups of images */
    struct meta_estimate other_groups;
    struct meta_estimate ece;    /* of a method whose scores are probabilities: calibration.h */
    const struct meta_run *runs; /* (evaluation->runs) of an evaluator: the curves of all runs lie
                                    one after the other, and so do their ROC curves */
};
/* Adds to an object what the file says of a test but for its files and figures; of *r only
   list_name, backend, model, dataset and evaluation are read. */
void meta_results_settings(cJSON *to, const struct meta_results *r);
/* Writes the whole file or none. */
int meta_results_write(const struct meta_results *, const char *path, struct meta_error *);

#endif
