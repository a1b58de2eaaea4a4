/* How large an image may be. */
#include "image_format.h"

int meta_image_bounds(unsigned long long w, unsigned long long h, struct meta_error *error)
{
    if (!w || !h) return meta_fail(error, "%llux%llu pixels: must be at least 1x1", w, h);
    if (w > META_IMAGE_MOST_PIXELS || h > META_IMAGE_MOST_PIXELS / w)
        return meta_fail(error, "%llux%llu pixels: must be at most %u in all", w, h,
                         META_IMAGE_MOST_PIXELS);
    if (w > META_IMAGE_MOST_SIDE || h > META_IMAGE_MOST_SIDE)
        return meta_fail(error, "%llux%llu pixels: must be at most %u a side", w, h,
                         META_IMAGE_MOST_SIDE);
    return 0;
}
