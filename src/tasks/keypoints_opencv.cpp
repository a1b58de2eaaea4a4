/* What OpenCV does for keypoints: the table that libdarknet-meta-opencv.so exports for
   keypoints_internal.h. No exception leaves this file. */
#include "keypoints_internal.h"
#include "base/opencv.hpp"

#include <cmath>
#include <cstring>
#include <exception>
#include <new>
#include <vector>
#include <opencv2/features2d.hpp>
#include <opencv2/flann.hpp>

namespace {
/* SIFT's own settings but for the contrast, which skin has little of. */
constexpr double CONTRAST = .01, EDGE = 10, SIGMA = 1.6;
constexpr int LAYERS = 3, TREES = 4, CHECKS = 64;

using trees = cv::flann::GenericIndex<cvflann::L2<unsigned char>>;
}    // namespace

/* The descriptors' memory is the caller's, which FLANN only reads. */
static cv::Mat rows(const unsigned char *descriptors, int count)
{
    return cv::Mat(count, META_DESCRIPTOR, CV_8U, const_cast<unsigned char *>(descriptors));
}

struct meta_nearest {
    int count;
    trees index;
    meta_nearest(const unsigned char *descriptors, int n)
        : count(n), index(rows(descriptors, n), cvflann::KDTreeIndexParams(TREES))
    {}
};

/* The first line of what OpenCV says. */
static int fail(struct meta_error *error, const std::exception &e)
{
    if (dynamic_cast<const std::bad_alloc *>(&e)) return meta_fail_memory(error);
    return meta_fail(error, "OpenCV: %.*s", static_cast<int>(std::strcspn(e.what(), "\n")),
                     e.what());
}

static int find(const unsigned char *gray, int w, int h, struct meta_keypoint *out,
                unsigned char *descriptors, struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat image(h, w, CV_8U, const_cast<unsigned char *>(gray));
    cv::Ptr<cv::SIFT> sift = cv::SIFT::create(META_KEYPOINTS, LAYERS, CONTRAST, EDGE, SIGMA, CV_8U);
    std::vector<cv::KeyPoint> points;
    cv::Mat found;
    sift->detectAndCompute(image, cv::noArray(), points, found);
    int count = 0; /* equally strong ones may be more than were asked for */
    for (; count < found.rows && count < META_KEYPOINTS; count++) {
        const cv::KeyPoint &p = points[count];
        out[count] = { p.pt.x, p.pt.y, p.size, static_cast<float>(p.angle * CV_PI / 180) };
        std::memcpy(descriptors + static_cast<size_t>(count) * META_DESCRIPTOR, found.ptr(count),
                    META_DESCRIPTOR);
    }
    return count;
} catch (const std::exception &e) {
    return fail(error, e);
}

static int make(struct meta_nearest **nearest, const unsigned char *descriptors, int count,
                struct meta_error *error)
try {
    meta_opencv_one_thread();
    cvflann::seed_random(1);
    *nearest = new struct meta_nearest(descriptors, count);
    return 0;
} catch (const std::exception &e) {
    return fail(error, e);
}

static void free_nearest(struct meta_nearest *nearest) { delete nearest; }

static int nearest(const struct meta_nearest *n, const unsigned char *descriptors, int count,
                   int *out, struct meta_error *error)
try {
    const int k = n->count < META_NEAREST ? n->count : META_NEAREST;
    cv::Mat found(count, k, CV_32S), distances(count, k, CV_32F);
    const_cast<trees &>(n->index).knnSearch(rows(descriptors, count), found, distances, k,
                                            cvflann::SearchParams(CHECKS));
    for (int i = 0; i < count; i++)
        for (int j = 0; j < META_NEAREST; j++)
            out[i * META_NEAREST + j] = j < k ? found.at<int>(i, j) : -1;
    return 0;
} catch (const std::exception &e) {
    return fail(error, e);
}

const struct meta_keypoints_opencv meta_keypoints_opencv = { find, make, free_nearest, nearest };
