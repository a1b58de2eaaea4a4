/* How good a classifier is on labelled images: every figure of `meta evaluate`, from its answers.
 */
#ifndef META_ASSESSMENT_H
#define META_ASSESSMENT_H

#include "stats/calibration.h"
#include "stats/clustered.h"

/* Answers to labelled images. All is borrowed. */
struct meta_assessed {
    struct meta_clusters clusters;
    int classes;
    const int *labels;      /* (count) 0..classes-1 */
    const double *log_odds; /* (count, classes) finite, as engine/log_odds.h has them */
};

/* The log-odds from which on an image is taken for the class. */
struct meta_threshold {
    double log_odds;
    const char *why;    /* why there is none; NULL: there is one */
    int images, groups; /* of the class, that it is chosen on */
};
/* Whether others of the class may give quite another threshold: it is chosen on fewer than 10
   groups, or, where nothing says which images belong together, on fewer than 10 images. */
int meta_threshold_few(const struct meta_threshold *, int grouped);

struct meta_class_figures {
    int images, groups;
    struct meta_interval auc;    /* the class's log-odds against all other classes */
    struct meta_interval recall; /* the share of its images whose answer is the class */
    struct meta_interval sensitivity, specificity; /* at the threshold */
};

struct meta_assessment {
    int classes;
    int *confusion;                   /* (classes, classes) images of a class by their answer */
    struct meta_class_figures *class; /* (classes) */
    struct meta_interval *pairs;      /* (classes, classes) the AUC of two classes, above the
                                         diagonal: the mean of those of both's log-odds */
    struct meta_interval accuracy;
    int present;                   /* classes that have images; the next two are their means */
    struct meta_interval balanced; /* of `recall`; none where there is one class alone */
    struct meta_interval auc;      /* of `auc` */
    struct meta_interval nll, brier;
    struct meta_estimate ece; /* its interval by drawing groups anew */
    struct meta_calibration_bin bins[META_CALIBRATION_BINS];
};

/* thresholds: (classes), or NULL: none are asked for. The answer to an image is the class of its
   largest log-odds, the first of equal ones. Fails without memory alone. The caller clears. */
int meta_assess(struct meta_assessment *, const struct meta_assessed *,
                const struct meta_threshold *thresholds, struct meta_error *);
void meta_assessment_clear(struct meta_assessment *);

/* The probability that log-odds are of. */
double meta_assess_probability(double log_odds);
/* Writes a threshold's probability for people, with six digits or as many more as it takes to be
   none above it: an image that has just this probability is found. Returns text. */
#define META_THRESHOLD_TEXT 32
char *meta_assess_threshold_text(double log_odds, char text[META_THRESHOLD_TEXT]);

/* Fills thresholds (classes): of each class the highest log-odds from which on at least the share
   `sensitivity` of the class's images is found. These images must be others than those that are
   assessed. */
int meta_assess_thresholds(struct meta_threshold *, const struct meta_assessed *,
                           double sensitivity, struct meta_error *);

/* The answer to an image: log_odds (classes). */
int meta_assess_answer(const double *log_odds, int classes);

/* Points of the ROC curve of a class against all others, from (0, 0) to (1, 1): shares of false and
   of true positives. Those that lie close to the one before are left out. The caller frees *points
   (*count, 2); *count is 0 where the class has no curve. */
int meta_assess_curve(double (**points)[2], int *count, const struct meta_assessed *, int class,
                      struct meta_error *);

#endif
