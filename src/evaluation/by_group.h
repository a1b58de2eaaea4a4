/* How far the mean AUC over tasks would move were its query images others: the tasks of a test draw again and again from the same few
   groups (lesions, patients), so that any number of them tells little about those that were never in the list. */
#ifndef META_BY_GROUP_H
#define META_BY_GROUP_H

#include "stats/estimate.h"
#include "tasks/data_file.h"
#include "base/error.h"

/* Groups that were asked, in the order of the list. */
struct meta_by_group {
    int count;
    int *item;                 /* (count) an image of each: its first in the list */
    int *label;                /* (count) that one's class */
    long long *asked;          /* (count) how often one of its images was a query image */
    double *influence;         /* (count) the derivative of the mean AUC by the weight of its images among those of their class, without the bias of a
                                  task's own images being the middle that it is measured from; NaN when a class has one query image a task */
};
void meta_by_group_clear(struct meta_by_group *);

/* The standard error of the mean AUC when groups are drawn anew, those of each class apart, support images and tasks staying as they are: the
   root of the sum over groups of influence^2 G/(G-1), G of its class (DeLong et al., Biometrics 44, 1988; by groups: Obuchowski, Biometrics
   53, 1997; its infinitesimal jackknife). Of a paired difference: with the differences of influences. NaN when a class has one group. */
double meta_by_group_error(const int *label, const double *influence, int count);

/* An estimate over tasks, widened by that error: both drawn anew. Errors on the side of too wide, since what query images add to a task's own
   scatter counts twice. Its interval is by Student's t of the fewest degrees: tasks less one, or groups less classes. */
struct meta_estimate meta_by_group_estimate(struct meta_estimate tasks, const int *label, const double *influence, int count);

/* ---- while tasks are tested ---- */

struct meta_tally;
/* Of a data set, which outlives it. The caller frees. */
int  meta_tally_create(struct meta_tally **, const struct meta_dataset *, int ways, int queries, struct meta_error *);
void meta_tally_free(struct meta_tally *);
void meta_tally_start(struct meta_tally *);                                                /* forgets all tasks */
/* A task's query images, label by label, and what meta_auc_wins says of them. Sums are whole numbers: the order of tasks has no say. One
   thread at a time. */
void meta_tally_add(struct meta_tally *, const int *items, const int *wins);
/* Of the tasks since start. The caller clears. */
int  meta_tally_read(struct meta_by_group *, const struct meta_tally *, int tasks, struct meta_error *);

#endif
