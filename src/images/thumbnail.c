/* Makes thumbnails by averaging over parts of an image. */
#include "thumbnail.h"

#include <string.h>

/* The first source pixel of a column or row, of n over `size`. */
static int begin(int at, int n, int size) { return (long long)at * size / n; }

/* Of red, green and blue as Rec. 601 weighs them, times 1000. */
static long brightness(const unsigned char *pixel, int c)
{
    return c == 1 ? 1000 * pixel[0] : 299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2];
}

static void shrink(const struct meta_image *image, int w, int h, unsigned char *out)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            long long sum = 0, count = 0;
            for (int sy = begin(y, h, image->h); sy < begin(y + 1, h, image->h); sy++)
                for (int sx = begin(x, w, image->w); sx < begin(x + 1, w, image->w); sx++, count++)
                    sum += brightness(image->pixels + ((size_t)sy * image->w + sx) * image->c,
                                      image->c);
            out[y * w + x] = (sum + 500 * count) / (1000 * count);
        }
}

void meta_thumbnail(const struct meta_image *image, struct meta_thumbnail *out)
{
    memset(out, 0, sizeof *out);
    if (image->w < META_THUMBNAIL || image->h < META_THUMBNAIL) return;
    shrink(image, META_THUMBNAIL, META_THUMBNAIL, out->square);
    long long longer = image->w > image->h ? image->w : image->h;
    long long most = longer < META_THUMBNAIL_LONGER ? longer : META_THUMBNAIL_LONGER;
    out->w = (image->w * most + longer / 2) / longer;
    out->h = (image->h * most + longer / 2) / longer;
    if (out->w < 1) out->w = 1;
    if (out->h < 1) out->h = 1;
    shrink(image, out->w, out->h, out->gray);
}
