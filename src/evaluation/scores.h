/* What comparing two results of `meta test` needs of their files. */
#ifndef META_SCORES_H
#define META_SCORES_H

#include <stdint.h>
#include "stats/estimate.h"
#include "base/error.h"

struct meta_scores {
    char *path, *cfg, *weights;    /* the file, and the names in it */
    char *method;                  /* "" in a file from before there was more than one */
    char *settings;                /* what the tasks depend on, in words */
    int count;
    double *before, *after;        /* (count) AUC of each task */
    uint32_t *images;              /* (count) which images it has */
    int group_count;               /* of query images, as in struct meta_by_group; 0 in a file from before they were told */
    int *label;                    /* (group_count) */
    double *influence;             /* (group_count) */
    uint32_t groups;               /* which they are: a CRC-32 of their images, classes and how often they were asked */
};
/* Refuses what is not such a file. The caller frees with meta_scores_clear. */
int  meta_scores_read(struct meta_scores *, const char *path, struct meta_error *);
void meta_scores_clear(struct meta_scores *);
/* Bootstrap samples of a difference. */
#define META_RESAMPLES 10000
/* b's AUC after adaptation less a's, over their tasks, which have to be the same: with the bootstrap's interval, and with that of query images
   in groups drawn anew, too (meta_by_group_estimate; NaN when either file has no groups). */
struct meta_difference { struct meta_bootstrap tasks; struct meta_estimate other_groups; };
int  meta_scores_difference(const struct meta_scores *a, const struct meta_scores *b, struct meta_difference *, struct meta_error *);
/* What such an interval says of b, in words for it: above 0, below, or neither. */
const char *meta_difference_word(double low, double high, const char *above, const char *below, const char *neither);
/* Of a difference to a table's reference: "better", "worse" or "no difference seen". */
const char *meta_paired_word(double low, double high);

#endif
