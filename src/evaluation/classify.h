/* Classifiers of a few points: nearest neighbours and support vector machines. OpenCV's ml module
   stays behind this header. */
#ifndef META_CLASSIFY_H
#define META_CLASSIFY_H

#include "base/error.h"

/* Points to learn from: features (count, size) and labels (count), 0 to classes-1, each of which
   some point has. */
struct meta_points {
    int count, size, classes;
    const float *features;
    const int *labels;
};

/* Scores (n, classes) of the points (n, size): the share of each class among a point's `neighbours`
   nearest, by Euclidean distance, or among all points where there are fewer. Both functions are
   thread-safe. */
int meta_classify_knn(const struct meta_points *, int neighbours, const float *points, int n,
                      double *scores, struct meta_error *);

/* The same by linear support vector machines, each class against the rest, where `cost` is the
   price of a misclassification (the C of C-SVM). Scores are decision values: above 0 for the class,
   the distance to the plane times the length of the plane's normal. */
int meta_classify_svm(const struct meta_points *, double cost, const float *points, int n,
                      double *scores, struct meta_error *);

#endif
