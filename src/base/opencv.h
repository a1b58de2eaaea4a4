/* OpenCV links some 260 shared libraries, so that it is kept in a shared object of its own, which
   is opened by what first needs it. */
#ifndef META_OPENCV_H
#define META_OPENCV_H

#include "error.h"

/* A table of functions, by the name that libdarknet-meta-opencv.so exports it under. The first call
   opens that object, for good. NULL with the message: it is not there, or a library that it needs
   is not. Thread-safe. */
const void *meta_opencv_table(const char *name, struct meta_error *);

#endif
