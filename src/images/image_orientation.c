/* Reads EXIF's orientation, and turns images by it. */
#include "image_orientation.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of EXIF data, whose byte order is that of their header. */
static uint32_t number(const unsigned char *p, int bytes, int big)
{
    uint32_t x = 0;
    for (int i = 0; i < bytes; i++) x |= (uint32_t)p[i] << 8 * (big ? bytes - 1 - i : i);
    return x;
}

enum { ORIENTATION = 0x112, SHORT = 3, LONG = 4, IFD = 13, ENTRY = 12 };

int meta_tiff_number(const unsigned char *tiff, size_t size, int tag, uint32_t *value)
{
    if (size < 10 || (memcmp(tiff, "II*\0", 4) && memcmp(tiff, "MM\0*", 4))) return -1;
    int big = *tiff == 'M';
    size_t at = number(tiff + 4, 4, big);
    if (at > size - 2) return -1;
    int count = number(tiff + at, 2, big);
    for (at += 2; count > 0 && size - at >= ENTRY; count--, at += ENTRY) {
        const unsigned char *entry = tiff + at;
        uint32_t type = number(entry + 2, 2, big);
        if ((int)number(entry, 2, big) != tag) continue;
        *value = type == SHORT            ? number(entry + 8, 2, big)
            : type == LONG || type == IFD ? number(entry + 8, 4, big)
                                          : 0;
        return 0;
    }
    return -1;
}

int meta_orientation(const unsigned char *exif, size_t size)
{
    uint32_t value;
    if (meta_tiff_number(exif, size, ORIENTATION, &value)) return 1;
    return value >= 1 && value <= 8 ? (int)value : 1;
}

int meta_image_turn(struct meta_image *image, int orientation, struct meta_error *error)
{
    if (orientation < 2 || orientation > 8) return 0;
    /* From 5 on, the file's rows are columns of the upright image. A row of the file runs backwards
       in 2, 3, 7 and 8, and the rows follow each other backwards in 3, 4, 6 and 7. */
    int across = orientation >= 5, c = image->c,
        back_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8,
        back_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    int w = across ? image->h : image->w, h = across ? image->w : image->h;
    unsigned char *to = malloc((size_t)w * h * c);
    if (!to) return meta_fail(error, "out of memory for %dx%d pixels", w, h);
    for (int y = 0; y < image->h; y++)
        for (int x = 0; x < image->w; x++) {
            int i = back_x ? image->w - 1 - x : x, j = back_y ? image->h - 1 - y : y;
            unsigned char *pixel = to + ((size_t)(across ? i : j) * w + (across ? j : i)) * c;
            const unsigned char *from = image->pixels + ((size_t)y * image->w + x) * c;
            for (int k = 0; k < c; k++) pixel[k] = from[k];
        }
    free(image->pixels);
    image->pixels = to;
    image->w = w;
    image->h = h;
    return 0;
}
