/* Classifiers of a few points: nearest neighbours and support vector machines. OpenCV's ml module stays behind this header. */
#ifndef META_CLASSIFY_H
#define META_CLASSIFY_H

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Points to learn from: features (count, size), and labels 0..classes-1, each there. */
struct meta_points { int count, size, classes; const float *features; const int *labels; };

/* For each of n points, (n, size), scores (n, classes): the share of each class among its nearest neighbours by Euclidean distance, so many of
   them as `neighbours` says, or all where there are fewer. Thread-safe, as is the other. */
int meta_classify_knn(const struct meta_points *, int neighbours, const float *points, int n, float *scores, struct meta_error *);

/* The same by linear support vector machines, a class against the rest, each misclassification at `cost` (the C of C-SVM): scores are their
   decision values, above 0 for the class, and the distance to the plane times its normal's length. */
int meta_classify_svm(const struct meta_points *, double cost, const float *points, int n, float *scores, struct meta_error *);

#ifdef __cplusplus
}
#endif
#endif
