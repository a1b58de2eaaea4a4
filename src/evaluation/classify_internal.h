/* The classifiers behind classify.h. */
#ifndef META_CLASSIFY_INTERNAL_H
#define META_CLASSIFY_INTERNAL_H

#include "classify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What OpenCV does for classify.h, in libdarknet-meta-opencv.so. No function throws. */
struct meta_classify_opencv {
    int (*knn)(const struct meta_points *, int neighbours, const float *points, int n,
               double *scores, struct meta_error *);
    int (*svm)(const struct meta_points *, double cost, const float *points, int n, double *scores,
               struct meta_error *);
};

/* The table's name in that object. */
extern __attribute__((visibility("default")))
const struct meta_classify_opencv meta_classify_opencv;

#ifdef __cplusplus
}
#endif
#endif
