/* What the C++ files share that call OpenCV. */
#ifndef META_OPENCV_HPP
#define META_OPENCV_HPP

#include <opencv2/core.hpp>

/* Keeps OpenCV from starting threads, since the project's own threads call it, each for itself.
   Every function calls this before OpenCV does any work; the first call is the one that counts. */
inline void meta_opencv_one_thread()
{
    static const bool done = (cv::setNumThreads(1), true);
    (void)done;
}

#endif
