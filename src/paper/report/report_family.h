/* Families of a table: rows that differ in the seed of their training alone, as so many trainings
   of one method. */
#ifndef META_REPORT_FAMILY_H
#define META_REPORT_FAMILY_H

#include "report_data.h"
#include "stats/estimate.h"

struct meta_report_family {
    const char *name; /* a text of the table */
    int shots;
    int count; /* trainings, with a result or without */
    /* Over the trainings that have a result, and over those that have a paired difference: their
       number is the estimate's n. Differences to one and the same training share the luck of that
       training: their interval is NaN. */
    struct meta_estimate auc, difference;
    const char *beside; /* what the differences are to, where that is not the reference; else "" */
    /* Of the differences' mean over the tasks, each task's being the mean over the trainings: these
       trainings, on other tasks. NaN where fewer than two trainings have a difference. */
    struct meta_bootstrap tasks;
};

/* The families of the table, by number of shots, in the order of their first cells. The caller
   frees. NULL with *count 0 when there is none, with *count -1 when there is no memory. */
struct meta_report_family *meta_report_families(const struct meta_report_table *, int *count);

#endif
