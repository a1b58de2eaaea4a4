/* Images as pixels: shrunk, coloured and written, by OpenCV. */
#include "image_internal.h"

#include "base/opencv.h"

static const struct meta_image_opencv *opencv(struct meta_error *error)
{
    return meta_opencv_table("meta_image_opencv", error);
}

int meta_image_shrink(struct meta_image *image, int w, int h, struct meta_error *error)
{
    if (w < 1 || h < 1 || w > image->w || h > image->h)
        return meta_fail(error, "can't shrink %dx%d pixels to %dx%d", image->w, image->h, w, h);
    if (w == image->w && h == image->h) return 0;
    const struct meta_image_opencv *table = opencv(error);
    return table ? table->shrink(image, w, h, error) : -1;
}

int meta_image_fit(struct meta_image *image, int shorter, struct meta_error *error)
{
    long long least = image->w < image->h ? image->w : image->h;
    if (least <= shorter) return 0;
    return meta_image_shrink(image, (image->w * (long long)shorter + least / 2) / least,
                             (image->h * (long long)shorter + least / 2) / least, error);
}

int meta_image_heat(struct meta_image *image, const float *heat, int w, int h,
                    struct meta_error *error)
{
    const struct meta_image_opencv *table = opencv(error);
    return table ? table->heat(image, heat, w, h, error) : -1;
}

int meta_image_png(const struct meta_image *image, unsigned char **data, size_t *size,
                   struct meta_error *error)
{
    const struct meta_image_opencv *table = opencv(error);
    return table ? table->png(image, data, size, error) : -1;
}
