/* How far the mean AUC over tasks would move if the query images were others: the tasks of a test
   draw again and again from the same few groups (lesions, patients), so that any number of tasks
   says little about groups that were never in the list. */
#ifndef META_BY_GROUP_H
#define META_BY_GROUP_H

#include "base/error.h"
#include "stats/estimate.h"
#include "tasks/dataset.h"

/* The groups that had a query image in a test, in the order of the list. An image in no group is a
   group of its own. */
struct meta_by_group {
    int count;
    int *item;         /* (count) the group's first image in the list */
    int *label;        /* (count) the class of that image */
    long long *asked;  /* (count) how often an image of the group was a query image */
    double *influence; /* (count) the derivative of the mean AUC by the weight of the group's images
                          among those of their class, without the bias of a task's own images being
                          the middle that it is measured from; NaN when a class has one query image
                          a task */
};
void meta_by_group_clear(struct meta_by_group *);

/* The standard error of the mean AUC when groups are drawn anew, those of each class apart, while
   support images and tasks stay as they are: the root of the sum over groups of influence^2
   G/(G-1), G being the number of groups of the class (DeLong et al., Biometrics 44, 1988; by
   groups: Obuchowski, Biometrics 53, 1997; its infinitesimal jackknife). For a paired difference,
   influence is the difference of influences. NaN when a class has one group. label, influence:
   (count). */
double meta_by_group_error(const int *label, const double *influence, int count);

/* An estimate over tasks, widened by that error: both tasks and groups are drawn anew. It errs on
   the side of too wide, since what query images add to a task's own scatter counts twice. The
   interval is by Student's t of the fewest degrees: tasks less one, or groups less classes. */
struct meta_estimate meta_by_group_estimate(struct meta_estimate tasks, const int *label,
                                            const double *influence, int count);

/* ---- while tasks are tested ------------------------------------------------------------------ */

struct meta_tally;
/* The data set outlives the tally. The caller frees. */
int meta_tally_create(struct meta_tally **, const struct meta_dataset *, int ways, int queries,
                      struct meta_error *);
void meta_tally_free(struct meta_tally *);
/* Forgets all tasks. */
void meta_tally_start(struct meta_tally *);
/* Adds a task: items and wins (meta_auc_wins) of its query images, (ways, queries). Sums are whole
   numbers: the order of tasks does not matter. One thread at a time. */
void meta_tally_add(struct meta_tally *, const int *items, const int *wins);
/* The groups of the tasks since start, of which there were `tasks`. The caller clears. */
int meta_tally_read(struct meta_by_group *, const struct meta_tally *, int tasks,
                    struct meta_error *);

#endif
