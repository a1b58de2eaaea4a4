/* Makes thumbnails by averaging over parts of an image. */
#include "thumbnail.h"

#include <string.h>

/* The first source pixel of a thumbnail's column or row. */
static int begin(int at, int size) { return (long long)at * size / META_THUMBNAIL; }

/* Of red, green and blue as Rec. 601 weighs them, times 1000. */
static long brightness(const unsigned char *pixel, int c)
{
    return c == 1 ? 1000 * pixel[0] : 299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2];
}

void meta_thumbnail(const struct meta_image *image, unsigned char out[META_THUMBNAIL_PIXELS])
{
    memset(out, 0, META_THUMBNAIL_PIXELS);
    if (image->w < META_THUMBNAIL || image->h < META_THUMBNAIL) return;
    for (int y = 0; y < META_THUMBNAIL; y++)
        for (int x = 0; x < META_THUMBNAIL; x++) {
            long long sum = 0, count = 0;
            for (int sy = begin(y, image->h); sy < begin(y + 1, image->h); sy++)
                for (int sx = begin(x, image->w); sx < begin(x + 1, image->w); sx++, count++)
                    sum += brightness(image->pixels + ((size_t)sy * image->w + sx) * image->c,
                                      image->c);
            out[y * META_THUMBNAIL + x] = (sum + 500 * count) / (1000 * count);
        }
}
