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
    const struct meta_image_part all = { image->w, image->h };
    return table ? table->shrink(image, &all, w, h, error) : -1;
}

int meta_image_fit(struct meta_image *image, int shorter, struct meta_error *error)
{
    int w, h;
    if (!meta_image_fitted(image->w, image->h, shorter, &w, &h)) return 0;
    return meta_image_shrink(image, w, h, error);
}

int meta_image_fit_part(struct meta_image *image, const struct meta_image_header *header,
                        int shorter, struct meta_error *error)
{
    int w, h;
    meta_image_fitted(header->w, header->h, shorter, &w, &h);
    const struct meta_image_part part = { (double)header->w / header->part,
                                          (double)header->h / header->part };
    const struct meta_image_opencv *table = opencv(error);
    return table ? table->shrink(image, &part, w, h, error) : -1;
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
