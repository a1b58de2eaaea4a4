/* What comparing two results of `meta test` needs of their files. */
#ifndef META_SCORES_H
#define META_SCORES_H

#include "base/digest.h"
#include "base/error.h"
#include "by_group.h"
#include "stats/estimate.h"

struct meta_scores {
    char *path, *cfg, *weights; /* of the file, and the names in it */
    char *method;               /* "" in a file from before there was more than one */
    int weights_count, copies;  /* how many answer together, from how many copies of an image */
    int with;                   /* answers of other tests that are averaged with */
    char temper[64];            /* at which temperatures, "1, 6", the own first; "" where at none */
    char *settings;             /* what the tasks depend on, in words */
    int count;                  /* tasks */
    int diverged;               /* of them: their outputs are no numbers, their AUC is chance */
    double *before, *after;     /* (count) AUC of each task */
    double *accuracy;           /* (count) after adaptation; NaN where the file lacks it */
    int by_path; /* whether the file is from before results told images by their content: then
                    `images` and `same_groups` stand for paths */
    struct meta_digest *images; /* (count) which images the task has */
    /* Without item and asked. None in a file from before results had groups, or had the influence
       of support images, too; the latter is `query_alone`. */
    struct meta_by_group groups;
    int query_alone;
    struct meta_digest same_groups; /* of the groups' images, classes and numbers of queries */
};
/* Refuses what is not such a file. The caller frees with meta_scores_clear; after a failure there
   is nothing to free. */
int meta_scores_read(struct meta_scores *, const char *path, struct meta_error *);
void meta_scores_clear(struct meta_scores *);

/* Bootstrap samples of a difference. */
#define META_RESAMPLES 10000
/* An AUC after adaptation less another over the same tasks: with the bootstrap's interval, and with
   that of groups that are drawn anew, too (meta_by_group_estimate; NaN when either file has no
   groups). */
struct meta_difference {
    struct meta_bootstrap tasks;
    struct meta_bootstrap accuracy; /* the same of accuracies; NaN where a task lacks one */
    struct meta_estimate other_groups;
};
/* Takes b less a. Refuses results of other tasks, and of files one of which tells images by path.
 */
int meta_scores_difference(const struct meta_scores *a, const struct meta_scores *b,
                           struct meta_difference *, struct meta_error *);

/* The word for a difference with this interval: `above` 0, `below` 0, or `neither`. */
const char *meta_difference_word(double low, double high, const char *above, const char *below,
                                 const char *neither);
/* The word for a difference to a table's reference: "better", "worse" or "no difference seen". */
const char *meta_paired_word(double low, double high);

#endif
