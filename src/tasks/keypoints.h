/* Points of an image that are found again when it is turned, enlarged or lit otherwise, and the
   nearest of many such points: OpenCV's SIFT and kd-trees, behind this header. */
#ifndef META_KEYPOINTS_H
#define META_KEYPOINTS_H

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    META_KEYPOINTS = 30,   /* an image, the strongest */
    META_DESCRIPTOR = 128, /* bytes */
    META_NEAREST = 6       /* that are looked up, of which one is the point itself */
};

struct meta_keypoint {
    float x, y, size; /* pixels of the image; 0, 0 is the middle of the first */
    float angle;      /* radians, from x to y */
};

/* Finds the keypoints of a gray image (h, w): their number, at most META_KEYPOINTS, or -1. out and
   descriptors (META_KEYPOINTS, META_DESCRIPTOR) are the caller's. (Lowe, Int. J. Comput. Vision 60,
   2004.) Thread-safe. */
int meta_keypoints_find(const unsigned char *gray, int w, int h, struct meta_keypoint *out,
                        unsigned char *descriptors, struct meta_error *);

struct meta_nearest;
/* Makes kd-trees of descriptors (count, META_DESCRIPTOR), which must stay as they are. The same
   descriptors make the same trees. The caller frees. */
int meta_nearest_make(struct meta_nearest **, const unsigned char *descriptors, int count,
                      struct meta_error *);
void meta_nearest_free(struct meta_nearest *); /* NULL is allowed */
/* Writes out (count, META_NEAREST): which of the descriptors are nearest to each of `count` others,
   as far as a search of a part of the trees finds them; -1 where there are fewer. Thread-safe. */
int meta_nearest_find(const struct meta_nearest *, const unsigned char *descriptors, int count,
                      int *out, struct meta_error *);

#ifdef __cplusplus
}
#endif
#endif
