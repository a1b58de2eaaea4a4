/* Keypoints and the nearest of them, through the table of libdarknet-meta-opencv.so. */
#include "keypoints_internal.h"

#include "base/opencv.h"

static const struct meta_keypoints_opencv *opencv(struct meta_error *error)
{
    return meta_opencv_table("meta_keypoints_opencv", error);
}

int meta_keypoints_find(const unsigned char *gray, int w, int h, struct meta_keypoint *out,
                        unsigned char *descriptors, struct meta_error *error)
{
    const struct meta_keypoints_opencv *table = opencv(error);
    return table ? table->find(gray, w, h, out, descriptors, error) : -1;
}

int meta_nearest_make(struct meta_nearest **nearest, const unsigned char *descriptors, int count,
                      struct meta_error *error)
{
    const struct meta_keypoints_opencv *table = opencv(error);
    return table ? table->make(nearest, descriptors, count, error) : -1;
}

void meta_nearest_free(struct meta_nearest *nearest)
{
    struct meta_error none;
    const struct meta_keypoints_opencv *table = nearest ? opencv(&none) : NULL;
    if (table) table->free(nearest);
}

int meta_nearest_find(const struct meta_nearest *nearest, const unsigned char *descriptors,
                      int count, int *out, struct meta_error *error)
{
    const struct meta_keypoints_opencv *table = opencv(error);
    return table ? table->nearest(nearest, descriptors, count, out, error) : -1;
}
