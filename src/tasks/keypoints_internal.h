/* What stands behind keypoints.h. */
#ifndef META_KEYPOINTS_INTERNAL_H
#define META_KEYPOINTS_INTERNAL_H

#include "keypoints.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What OpenCV does for keypoints.h, in libdarknet-meta-opencv.so. No function throws. */
struct meta_keypoints_opencv {
    int (*find)(const unsigned char *gray, int w, int h, struct meta_keypoint *out,
                unsigned char *descriptors, struct meta_error *);
    int (*make)(struct meta_nearest **, const unsigned char *descriptors, int count,
                struct meta_error *);
    void (*free)(struct meta_nearest *);
    int (*nearest)(const struct meta_nearest *, const unsigned char *descriptors, int count,
                   int *out, struct meta_error *);
};

/* The table's name in that object. */
extern __attribute__((visibility("default")))
const struct meta_keypoints_opencv meta_keypoints_opencv;

#ifdef __cplusplus
}
#endif
#endif
