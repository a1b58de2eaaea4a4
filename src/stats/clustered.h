/* Statistics of scored images that come in groups, such as the photographs of one patient, which
   are not independent of each other: AUCs, shares and means with 95% intervals over groups. */
#ifndef META_CLUSTERED_H
#define META_CLUSTERED_H

#include "base/error.h"

/* A figure with its standard error and 95% interval. What there is none of is NaN, and `why` says
   in words why; NULL: all are there. */
struct meta_interval {
    double value, error, low, high;
    const char *why;
};

/* Images and their groups. */
struct meta_clusters {
    int count;
    const int
        *group; /* (count) 0..groups-1; an image that belongs to no other has one of its own */
    int groups;
};

/* What several figures of the same images have in common, for their mean: how far each group moves
   it. The caller clears it. */
struct meta_influence {
    int groups;
    double *of;        /* (groups) sums over the figures, each of a degree of freedom less */
    unsigned char *in; /* (groups) 1: the group has an image that a figure is of */
    double sum;        /* of the figures */
    int figures;
    int fewest; /* groups of the class, among those of all figures, that has fewest */
};
int meta_influence_start(struct meta_influence *, int groups, struct meta_error *);
void meta_influence_clear(struct meta_influence *);

/* One ROC curve: image i scores values[i*stride], which is not NaN; it is positive when labels[i]
   == positive, and negative when labels[i] == negative or, with negative = -1, when it is not
   positive. */
struct meta_scored {
    const double *values;
    int stride;
    const int *labels; /* (count) */
    int positive, negative;
};

/* The AUC of the curve, as meta_auc (auc.h) has it, with the error of Obuchowski (Biometrics 53,
   1997): that of DeLong et al. (Biometrics 44, 1988) with the images of a group taken together, to
   which it reduces where each has one. The interval is that of the log-odds of the AUC by Student's
   t, of one degree of freedom less than the class with fewer groups has of them. It is added to
   `influence`, unless that is NULL or the figure has no value. Fails without memory alone. */
int meta_clustered_auc(struct meta_interval *, const struct meta_clusters *,
                       const struct meta_scored *, struct meta_influence *, struct meta_error *);
/* The mean of the AUCs of two curves, of which the positives of one are the negatives of the other:
   two classes, each by its own score. */
int meta_clustered_auc_pair(struct meta_interval *, const struct meta_clusters *,
                            const struct meta_scored *, const struct meta_scored *other,
                            struct meta_error *);
/* Why there is no mean over classes where a single one has images. */
#define META_CLUSTERED_ALONE "no class has an image beside others"
/* The mean of the AUCs that were added, with such an interval. */
struct meta_interval meta_clustered_auc_mean(const struct meta_influence *);

/* The share of images that are `right` (count), among those that are `asked` (count; NULL: all).
   The interval is Wilson's of as many cases as would have the share's error over groups, of at most
   as many as there are images, fewer by what Student's t of the groups is wider than the normal
   distribution; where all or none are right, of as many as there are groups, likewise fewer. */
int meta_clustered_share(struct meta_interval *, const struct meta_clusters *,
                         const unsigned char *asked, const unsigned char *right,
                         struct meta_influence *, struct meta_error *);
/* The mean of the shares that were added, with such an interval. */
struct meta_interval meta_clustered_share_mean(const struct meta_influence *);

/* The mean of x (count), losses of 0 to `most`, with an interval by Student's t over groups of its
   logarithm: losses are skewed, and that of the mean itself holds the truth less often. It ends at
   `most`. */
int meta_clustered_mean(struct meta_interval *, const struct meta_clusters *, const double *x,
                        double most, struct meta_error *);

#endif
