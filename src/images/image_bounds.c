/* How large an image may be, and what is kept of it. */
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

int meta_image_decoded_bounds(unsigned long long w, unsigned long long h, int channels, int bytes,
                              struct meta_error *error)
{
    if (meta_image_bounds(w, h, error)) return -1;
    unsigned long long all = w * h * (unsigned)channels * (unsigned)bytes;
    if (all <= META_IMAGE_MOST_DECODED) return 0;
    return meta_fail(error, "%llux%llu pixels take %llu bytes to decode: must be at most %u", w, h,
                     all, META_IMAGE_MOST_DECODED);
}

int meta_image_no_frame(int frame, unsigned long count, const char *what, struct meta_error *error)
{
    if (count <= 1) return meta_fail(error, "has one %s, whose number is 0, not %d", what, frame);
    return meta_fail(error, "has no %s %d: must be 0 to %lu, of %lu", what, frame, count - 1,
                     count);
}

int meta_image_fitted(int w, int h, int shorter, int *to_w, int *to_h)
{
    long long least = w < h ? w : h;
    *to_w = w;
    *to_h = h;
    if (least <= shorter) return 0;
    *to_w = (int)((w * (long long)shorter + least / 2) / least);
    *to_h = (int)((h * (long long)shorter + least / 2) / least);
    return 1;
}
