/* What is told of an assessment, in whatever form. */
#ifndef META_ASSESSMENT_REPORT_H
#define META_ASSESSMENT_REPORT_H

#include "assessment.h"

/* All is borrowed. */
struct meta_assessment_report {
    const char *cfg, *weights, *images;    /* as they were named; images: the list, folder or CSV */
    const char *chosen_on;                 /* the list of the thresholds; NULL: there are none */
    double sensitivity;                    /* that they were chosen for */
    char *const *chosen_told;              /* (chosen_told_count) warnings about that list */
    int chosen_told_count, chosen_grouped; /* grouped: as below, of that list */
    char *const *names;                    /* (classes) */
    char *const *paths;                    /* (count) */
    int grouped;                           /* 1: the data say which images belong together */
    int groupless;                         /* images that the data name in no group */
    int copies;                            /* of each image, whose answers are averaged */
    const struct meta_assessed *assessed;
    const struct meta_assessment *figures;
    const struct meta_threshold *thresholds; /* (classes); NULL: there are none */
    const unsigned char *learned; /* (count) 1: the classifier has learned from the image */
    int learned_count;
    int beside;          /* other images of a group that it has learned from, or of its files */
    char *const *untold; /* (untold_count) warnings about networks whose images are not known */
    int untold_count;
};

/* The class whose want of images is why there is no `mean` over the classes; NULL: none alone is.
 */
const char *meta_report_lacking(const struct meta_assessment_report *,
                                const struct meta_interval *mean);

#endif
