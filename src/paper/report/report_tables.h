/* The tables of the page, each written whole with its caption. A table without content writes
   nothing. */
#ifndef META_REPORT_TABLES_H
#define META_REPORT_TABLES_H

#include <stdio.h>
#include "base/error.h"
#include "report_data.h"

/* AUCs by method and number of shots, beside the paper's. */
void meta_report_figures_table(FILE *, const struct meta_report_table *);
/* Paired differences to the table's reference. */
void meta_report_differences(FILE *, const struct meta_report_table *);
/* Families: means over trainings. */
int meta_report_trainings(FILE *, const struct meta_report_table *, struct meta_error *);
/* AUCs by pair of classes. */
void meta_report_pairs(FILE *, const struct meta_report_table *);
/* Time and memory. */
void meta_report_costs(FILE *, const struct meta_report_table *);
/* What each cell is made with. */
void meta_report_settings(FILE *, const struct meta_report_table *);

#endif
