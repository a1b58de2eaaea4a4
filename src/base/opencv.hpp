/* For the C++ files that OpenCV stays behind. */
#ifndef META_OPENCV_HPP
#define META_OPENCV_HPP

#include <opencv2/core.hpp>

/* OpenCV is called by threads of our own, one each: it starts none. Once a process; before any work of it. */
inline void meta_opencv_one_thread()
{
    static const bool done = (cv::setNumThreads(1), true);
    (void)done;
}

#endif
