/* How far the mean AUC over tasks would move if the images were others: the tasks of a test draw
   again and again from the same few groups (lesions, patients), for their query images and for the
   support images that they are learned from, so that any number of tasks says little about groups
   that were never in the list. */
#ifndef META_BY_GROUP_H
#define META_BY_GROUP_H

#include "base/error.h"
#include "stats/estimate.h"

/* Task t belongs to part t mod META_PARTS. Influences of different parts have errors that are
   independent of each other. */
enum { META_PARTS = 10 };

/* The groups that a test drew an image of, in the order of the list. An image in no group is a
   group of its own. Influences are derivatives of the mean AUC by the weight of the group's images
   among those of their class. */
struct meta_by_group {
    int tasks, count;
    int *item;        /* (count) the group's first image in the list */
    int *label;       /* (count) the class of that image */
    long long *asked; /* (count) how often an image of the group was a query image */
    double *query;    /* (count) the influence as query images, without the bias of a task's own
                         images being the middle that it is measured from; NaN when a class has one
                         query image a task */
    double *part;     /* (META_PARTS, count) the influence as query and as support images, from the
                         tasks of each part; over all parts they add up to that from all tasks */
};
/* What an interval of other groups in a file of JSON redraws. Version 1.0 redrew the groups of
   query images alone, and its files don't say so. */
#define META_REDRAWN "query and support"

void meta_by_group_clear(struct meta_by_group *);

/* The influence of a group as query and as support images. */
double meta_by_group_influence(const struct meta_by_group *, int group);

/* The standard error of the mean AUC when the groups of each class are drawn anew, as query and as
   support images, and tasks stay as they are: the infinitesimal jackknife, the root of the sum over
   groups of influence^2 G/(G-1), G being the number of groups of the class (as query images alone
   it is DeLong's: Biometrics 44, 1988; by groups Obuchowski, Biometrics 53, 1997; for samples drawn
   again and again: Efron, J. Am. Stat. Assoc. 109, 2014). The square of an influence that a finite
   number of tasks gives is too large by its variance (Wager, Hastie and Efron, J. Mach. Learn. Res.
   15, 2014), so that only products of two parts are taken. The error is never less than that of the
   query images alone, which is the surer one where tasks are few. For a paired difference,
   influences are differences of influences. NaN when a class has one group. Reads tasks, count,
   label, query and part. Fails without memory alone. */
int meta_by_group_error(double *out, const struct meta_by_group *, struct meta_error *);

/* An estimate over tasks, widened by that error: both tasks and groups are drawn anew. The interval
   is by Student's t of the fewest degrees: tasks less one, or groups less classes. In
   simulations (scripts/coverage.py) it holds the truth 94 times in 100 with 100 groups a class, 95
   with 400 and 92 with 15; that of a difference, to whose scatter pairs of groups add more, 99
   times with 100 and 97 with 400: the jackknife counts what pairs add twice (Efron and Stein, Ann.
   Stat. 9, 1981). Fails without memory alone. */
int meta_by_group_estimate(struct meta_estimate *out, struct meta_estimate tasks,
                           const struct meta_by_group *, struct meta_error *);

#endif
