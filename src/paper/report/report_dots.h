/* The two dot plots that a table's section opens with: AUCs, and paired differences. */
#ifndef META_REPORT_DOTS_H
#define META_REPORT_DOTS_H

#include <stdio.h>
#include "base/error.h"
#include "report_data.h"

/* A line a method and number of shots. Rows that differ in the seed of their training alone are one
   method: its dot is the mean over its trainings, with Student's t over them, and each training has
   a small dot. */
int meta_report_auc_dots(FILE *, const struct meta_report_table *, struct meta_error *);
/* The same of the differences to the table's reference; nothing where there is none. */
int meta_report_difference_dots(FILE *, const struct meta_report_table *, struct meta_error *);

#endif
