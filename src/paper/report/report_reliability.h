/* The reliability diagram of the page: how often answers are right, by how sure they are. */
#ifndef META_REPORT_RELIABILITY_H
#define META_REPORT_RELIABILITY_H

#include "figure.h"
#include "report_data.h"

/* A diagram for each number of shots, a line a cell whose method has probabilities. What gnuplot
   can't draw is no error of this, but one that the figures keep. */
int meta_report_reliability(struct meta_figures *, const struct meta_report_table *,
                            struct meta_error *);

/* Fills points (META_CALIBRATION_BINS of stats/calibration.h, 4) with a row for each bin of a
   result of `meta test` that has images: their mean top probability, and the share that is right.
   Returns how many there are; 0 where the result has no bins. */
int meta_report_bins(double (*points)[4], const cJSON *result);

#endif
