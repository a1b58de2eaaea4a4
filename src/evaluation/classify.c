/* Classifiers of a few points, through the table of libdarknet-meta-opencv.so. */
#include "classify_internal.h"

#include "base/opencv.h"

static const struct meta_classify_opencv *opencv(struct meta_error *error)
{
    return meta_opencv_table("meta_classify_opencv", error);
}

int meta_classify_knn(const struct meta_points *p, int neighbours, const float *points, int n,
                      double *scores, struct meta_error *error)
{
    const struct meta_classify_opencv *table = opencv(error);
    return table ? table->knn(p, neighbours, points, n, scores, error) : -1;
}

int meta_classify_svm(const struct meta_points *p, double cost, const float *points, int n,
                      double *scores, struct meta_error *error)
{
    const struct meta_classify_opencv *table = opencv(error);
    return table ? table->svm(p, cost, points, n, scores, error) : -1;
}
