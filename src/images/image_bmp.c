/* BMP files: their headers, and what OpenCV does not see of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image_format.h"

/* Bytes of the two headers in front of the masks, which lie at one place in every kind of file: at
   the end of a header of 40 bytes and in longer ones. */
enum { FILE_HEADER = 14, PLAIN_HEADER = 40, MASKS = FILE_HEADER + PLAIN_HEADER, MASK_BYTES = 12 };

static uint32_t little(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static int has_masks(const unsigned char *data, size_t size)
{
    return size >= MASKS && little(data + 14) >= PLAIN_HEADER && little(data + 30) == 3;
}

/* Refuses masks by which OpenCV 4.6 would take one colour for another, or nothing. */
static int check_masks(const unsigned char *data, size_t size, struct meta_error *error)
{
    static const uint32_t known[][4] = { { 16, 0x7c00, 0x3e0, 0x1f },
                                         { 16, 0xf800, 0x7e0, 0x1f },
                                         { 32, 0xff0000, 0xff00, 0xff } };
    if (size < MASKS + MASK_BYTES) return meta_fail(error, "corrupt BMP: no colour masks");
    uint32_t bits = data[28], red = little(data + MASKS), green = little(data + MASKS + 4),
             blue = little(data + MASKS + 8);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (bits == known[i][0] && red == known[i][1] && green == known[i][2]
            && blue == known[i][3])
            return 0;
    return meta_fail(error,
                     "BMP of %u bits with colour masks %x, %x, %x: must be of 16 bits with 7c00, "
                     "3e0, 1f or f800, 7e0, 1f, or of 32 bits with ff0000, ff00, ff",
                     bits, red, green, blue);
}

/* What stands in a BMP file in front of its pixels. */
struct bmp {
    uint32_t w, h, offset;
    int bits,
        packed; /* packed: 0 plain, 1 runs of bytes, 2 runs of half bytes, 3 plain with masks */
};

/* Whether runs of pixels end before the file does: in the last row, where a run leaves its row,
   which OpenCV refuses itself, or in their own mark. OpenCV 4.6 takes that mark for the end of a
   row where runs are of half bytes, and then leaves out no rows either. Pixels that are left out
   wrap. */
static int runs_end(const unsigned char *data, size_t size, const struct bmp *b)
{
    uint64_t x = 0, y = 0;
    int half = b->bits == 4;
    for (size_t at = b->offset; at + 2 <= size;) {
        unsigned count = data[at], code = data[at + 1];
        at += 2;
        if (count) {
            x += count;
            if (x == b->w && !half) { /* The row's own mark may follow. */
                if (at + 2 <= size && !data[at] && !data[at + 1]) at += 2;
                x = 0;
                y++;
            }
        } else if (code > 2) {
            at += half ? (code + 3) / 4 * 2 : (code + 1) / 2 * 2;
            if (at > size) return 0;
            x += code;
        } else if (code == 2) {
            if (at + 2 > size) return 0;
            x += data[at] + (half ? 0 : (uint64_t)data[at + 1] * b->w);
            y += x / b->w;
            x %= b->w;
            at += 2;
        } else if (code == 1 && !half) return 1;
        else {
            x = 0;
            y++;
        }
        if (x > b->w || y >= b->h) return 1;
    }
    return 0;
}

/* Refuses headers at which OpenCV writes a line of its own to standard error. */
static int check_header(const unsigned char *data, size_t size, const struct bmp *b,
                        struct meta_error *error)
{
    uint32_t length = little(data + 14), colours = length == 12 ? 0 : little(data + 46);
    if (length == 12) return 0;
    if (!length || length > INT32_MAX)
        return meta_fail(error, "corrupt BMP: a header of %u bytes", length);
    if (b->packed < 0 || b->packed > 3)
        return meta_fail(error, "BMP with compression %d: must be 0 to 3", b->packed);
    if (b->bits > 8) return 0;
    if (colours > 256) return meta_fail(error, "corrupt BMP: a palette of %u colours", colours);
    if (!colours) colours = 1u << b->bits;
    if (length > size - FILE_HEADER || size - FILE_HEADER - length < 4 * colours)
        return meta_fail(error, "corrupt BMP: it ends inside its palette");
    if ((b->packed == 1 || b->packed == 2) && (b->offset > size || !runs_end(data, size, b)))
        return meta_fail(error, "corrupt BMP: its runs end before its last row");
    return 0;
}

int meta_image_bmp(const unsigned char *data, size_t size, struct meta_image_header *header,
                   struct meta_error *error)
{
    if (size < 26 || (little(data + 14) != 12 && size < MASKS))
        return meta_fail(error, "corrupt BMP: no header");
    uint32_t w = little(data + 18), h = little(data + 22);
    int old = little(data + 14) == 12; /* OS/2's header has 16-bit sizes. */
    if (old) {
        h = w >> 16;
        w &= 0xffff;
    } else if (h > INT32_MAX) h = -h; /* The rows go from the top down. */
    if (meta_image_bounds(w, h, error)) return -1;
    int bits = data[old ? 24 : 28], packed = old ? 0 : (int)little(data + 30);
    const struct bmp b = { w, h, little(data + 10), bits, packed };
    if (check_header(data, size, &b, error)) return -1;
    unsigned long long need = little(data + 10) + (w * (unsigned long long)bits + 31) / 32 * 4 * h;
    if ((!packed || packed == 3) && size < need) /* 3 means plain pixels with masks. */
        return meta_fail(error, "corrupt BMP: %zu bytes, but its header says %llu", size, need);
    if (has_masks(data, size) && check_masks(data, size, error)) return -1;
    *header = (struct meta_image_header){ .w = (int)w, .h = (int)h, .orientation = 1 };
    return 0;
}

int meta_image_bmp_masks_behind(unsigned char **out, size_t *out_size, const unsigned char *data,
                                size_t size, struct meta_error *error)
{
    *out = NULL;
    if (size < 2 || memcmp(data, "BM", 2) || !has_masks(data, size) || data[28] != 16
        || little(data + 14) == PLAIN_HEADER)
        return 0;
    size_t from = little(data + 10), to = MASKS + MASK_BYTES, pixels = size - from;
    if (!(*out = malloc(to + pixels))) return meta_fail_memory(error);
    memcpy(*out, data, to);
    memset(*out + 10, 0, 4);
    (*out)[10] = MASKS + MASK_BYTES;
    memset(*out + 14, 0, 4);
    (*out)[14] = PLAIN_HEADER;
    memcpy(*out + to, data + from, pixels);
    *out_size = to + pixels;
    return 0;
}
