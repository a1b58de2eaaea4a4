/* The figures of the page, and the data of those that take some arithmetic. */
#ifndef META_REPORT_FIGURES_H
#define META_REPORT_FIGURES_H

#include "base/error.h"
#include "base/json.h"
#include "figure.h"
#include "report_data.h"

/* What gnuplot can't draw is no error of these, but one that the figures keep. */

/* A ROC curve for each number of shots, a line a cell. */
int meta_report_roc(struct meta_figures *, const struct meta_report_table *, struct meta_error *);
/* Query loss and accuracy of the trainings by iteration. */
int meta_report_curves(struct meta_figures *, const struct meta_report_table *,
                       struct meta_error *);
/* The difficulty-aware loss of Eq. 3, as the plugin meta_loss computes
   it. */
int meta_report_difficulty(struct meta_figures *, struct meta_error *);
/* Loss and AUC of fine-tuning by epoch. */
int meta_report_finetuning(struct meta_figures *, const struct meta_report_table *,
                           struct meta_error *);

/* Fills points (META_ROC_POINTS of stats/roc.h, 4) with rows of the rate of false positives, the
   mean rate of true positives over the tasks of a result of `meta test`, and that mean's 95%
   interval cut to 0..1, which is all of 0..1 for one task. Returns the number of tasks that have
   ranks; when that is 0 the points are not written. -1: no memory. */
int meta_report_mean_roc(double (*points)[4], const cJSON *result, struct meta_error *);

#endif
