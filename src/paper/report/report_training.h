/* The trainings of a table: which cells stand on one, and what its curve is called. */
#ifndef META_REPORT_TRAINING_H
#define META_REPORT_TRAINING_H

#include "report_data.h"

/* Number of points of the cell's training: of *curve, an array in the result, or, when that is
   NULL, of the log. */
int meta_report_curve(const struct meta_report_cell *, const cJSON **curve);
/* Whether two cells stand on one training. A plan that was written where its data are missing names
   no logs: the curves of the results tell it then. */
int meta_report_same_training(const struct meta_report_cell *, const struct meta_report_cell *);
/* The shots of the training's tasks for its label; 0: none are said. Of an older plan only cells
   that share no training tell them. */
int meta_report_training_shots(const struct meta_report_table *, const struct meta_report_cell *);
/* The rows that stand on the cell's training: three by their names, of more two and how many others
   there are. The caller frees. */
int meta_report_training_label(char **label, const struct meta_report_table *,
                               const struct meta_report_cell *, struct meta_error *);

#endif
