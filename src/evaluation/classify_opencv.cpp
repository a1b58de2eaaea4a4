/* What OpenCV does for classifiers: the table that libdarknet-meta-opencv.so exports for
   classify_internal.h. No exception leaves this file. */
#include "classify_internal.h"
#include "base/opencv.hpp"

#include <cstring>
#include <exception>
#include <new>
#include <opencv2/ml.hpp>

static cv::Mat rows(const float *features, int count, int size)
{
    return cv::Mat(count, size, CV_32F, const_cast<float *>(features));
}

/* The length of the first line of what OpenCV says. */
static int first_line(const std::exception &e)
{
    return static_cast<int>(std::strcspn(e.what(), "\n"));
}

static int knn(const struct meta_points *p, int neighbours, const float *points, int n,
               double *scores, struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat labels(p->count, 1, CV_32S, const_cast<int *>(p->labels));
    const int k = neighbours < p->count ? neighbours : p->count;
    cv::Mat chosen, found;
    cv::Ptr<cv::ml::KNearest> model = cv::ml::KNearest::create();
    model->train(rows(p->features, p->count, p->size), cv::ml::ROW_SAMPLE, labels);
    model->findNearest(rows(points, n, p->size), k, chosen, found);
    for (int i = 0; i < n; i++) {
        double *own = scores + static_cast<size_t>(i) * p->classes;
        for (int c = 0; c < p->classes; c++) own[c] = 0;
        for (int j = 0; j < k; j++) own[static_cast<int>(found.at<float>(i, j))] += 1;
        for (int c = 0; c < p->classes; c++) own[c] /= k;
    }
    return 0;
} catch (const std::bad_alloc &) {
    return meta_fail(error, "no memory for the nearest neighbours of %d points of %d numbers", n,
                     p->size);
} catch (const std::exception &e) {
    return meta_fail(error, "the nearest neighbours of %d points of %d numbers: %.*s", n, p->size,
                     first_line(e), e.what());
}

/* OpenCV's decision value is above 0 for the smaller of two labels, which the class is given. */
static int svm(const struct meta_points *p, double cost, const float *points, int n, double *scores,
               struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat features = rows(p->features, p->count, p->size);
    cv::Mat labels(p->count, 1, CV_32S), values;
    cv::Ptr<cv::ml::SVM> model = cv::ml::SVM::create();
    model->setType(cv::ml::SVM::C_SVC);
    model->setKernel(cv::ml::SVM::LINEAR);
    model->setC(cost);
    model->setTermCriteria(
        cv::TermCriteria(cv::TermCriteria::MAX_ITER + cv::TermCriteria::EPS, 10000, 1e-6));
    for (int c = 0; c < p->classes; c++) {
        for (int i = 0; i < p->count; i++) labels.at<int>(i) = p->labels[i] == c ? 0 : 1;
        model->train(features, cv::ml::ROW_SAMPLE, labels);
        model->predict(rows(points, n, p->size), values, cv::ml::StatModel::RAW_OUTPUT);
        for (int i = 0; i < n; i++)
            scores[static_cast<size_t>(i) * p->classes + c] = values.at<float>(i);
    }
    return 0;
} catch (const std::bad_alloc &) {
    return meta_fail(error, "no memory for a support vector machine on %d points of %d numbers",
                     p->count, p->size);
} catch (const std::exception &e) {
    return meta_fail(error, "a support vector machine on %d points of %d numbers: %.*s", p->count,
                     p->size, first_line(e), e.what());
}

const struct meta_classify_opencv meta_classify_opencv = { knn, svm };
