/* What OpenCV does for images: the table that libdarknet-meta-opencv.so exports for
   image_internal.h. No exception leaves this file. */
#include "image_internal.h"
#include "base/opencv.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <vector>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

static int decode(const unsigned char *data, size_t size, int deep, const char *what,
                  struct meta_image *image, struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat bytes(1, static_cast<int>(size), CV_8UC1, const_cast<unsigned char *>(data));
    const int channels = image->c, type = CV_MAKETYPE(deep ? CV_16U : CV_8U, channels);
    const int colours = channels == 3 ? cv::IMREAD_COLOR : cv::IMREAD_GRAYSCALE;
    cv::Mat decoded = cv::imdecode(bytes,
                                   colours | cv::IMREAD_IGNORE_ORIENTATION
                                       | (deep ? cv::IMREAD_ANYDEPTH : 0));
    if (decoded.empty()) return meta_fail(error, "corrupt %s: can't be decoded", what);
    if (decoded.cols != image->w || decoded.rows != image->h || decoded.type() != type)
        return meta_fail(error, "corrupt %s: decoded to %dx%d, but its header says %dx%d", what,
                         decoded.cols, decoded.rows, image->w, image->h);
    size_t area = static_cast<size_t>(image->w) * image->h;
    image->pixels = static_cast<unsigned char *>(std::malloc(area * decoded.elemSize()));
    if (!image->pixels)
        return meta_fail(error, "out of memory for %dx%d pixels", image->w, image->h);
    cv::Mat out(image->h, image->w, type, image->pixels);
    if (channels == 3) cv::cvtColor(decoded, out, cv::COLOR_BGR2RGB);
    else decoded.copyTo(out);
    return 0;
} catch (const std::exception &e) {
    std::free(image->pixels);
    image->pixels = nullptr;
    const auto *own = dynamic_cast<const cv::Exception *>(&e);
    if (own ? own->code == cv::Error::StsNoMem
            : dynamic_cast<const std::bad_alloc *>(&e) != nullptr)
        return meta_fail(error, "out of memory for %dx%d pixels", image->w, image->h);
    return meta_fail(error, "corrupt %s: can't be decoded", what);
}

/* By how much the part is to be shrunk is told to OpenCV, so that an output pixel covers as much of
   it as any other; the image, which is larger by less than a pixel, may then give one more. */
static void shrink_part(const cv::Mat &from, const struct meta_image_part *part, cv::Mat *to)
{
    cv::Mat larger;
    cv::resize(from, larger, cv::Size(), to->cols / part->w, to->rows / part->h, cv::INTER_AREA);
    larger(cv::Rect(0, 0, to->cols, to->rows)).copyTo(*to);
}

static int shrink(struct meta_image *image, const struct meta_image_part *part, int w, int h,
                  struct meta_error *error)
{
    unsigned char *pixels = static_cast<unsigned char *>(
        std::malloc(static_cast<size_t>(w) * h * image->c));
    if (!pixels) return meta_fail(error, "out of memory for %dx%d pixels", w, h);
    try {
        meta_opencv_one_thread();
        const cv::Mat from(image->h, image->w, CV_8UC(image->c), image->pixels);
        cv::Mat to(h, w, CV_8UC(image->c), pixels);
        if (part->w == image->w && part->h == image->h)
            cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
        else shrink_part(from, part, &to);
    } catch (const std::exception &) {
        std::free(pixels);
        return meta_fail(error, "out of memory to shrink %dx%d pixels", image->w, image->h);
    }
    std::free(image->pixels);
    image->pixels = pixels;
    image->w = w;
    image->h = h;
    return 0;
}

static int heat(struct meta_image *image, const float *values, int w, int h,
                struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat small(h, w, CV_32FC1, const_cast<float *>(values));
    cv::Mat large, bytes, colours, pixels(image->h, image->w, CV_8UC3, image->pixels);
    cv::resize(small, large, pixels.size(), 0, 0, cv::INTER_CUBIC);
    large.convertTo(bytes, CV_8UC1, 255);
    cv::applyColorMap(bytes, colours, cv::COLORMAP_JET);
    cv::cvtColor(colours, colours, cv::COLOR_BGR2RGB);
    cv::addWeighted(pixels, .6, colours, .4, 0, pixels);
    return 0;
} catch (const std::exception &) {
    return meta_fail(error, "out of memory to colour %dx%d pixels", image->w, image->h);
}

static int png(const struct meta_image *image, unsigned char **data, size_t *size,
               struct meta_error *error)
try {
    meta_opencv_one_thread();
    const cv::Mat own(image->h, image->w, CV_8UC(image->c), image->pixels);
    cv::Mat pixels;
    std::vector<unsigned char> bytes;
    if (image->c == 3) cv::cvtColor(own, pixels, cv::COLOR_RGB2BGR);
    else pixels = own;
    cv::imencode(".png", pixels, bytes);
    *data = static_cast<unsigned char *>(std::malloc(bytes.size()));
    if (!*data) return meta_fail(error, "out of memory for a PNG of %zu bytes", bytes.size());
    std::memcpy(*data, bytes.data(), bytes.size());
    *size = bytes.size();
    return 0;
} catch (const std::exception &) {
    return meta_fail(error, "out of memory for a PNG of %dx%d pixels", image->w, image->h);
}

const struct meta_image_opencv meta_image_opencv = { decode, shrink, heat, png };
