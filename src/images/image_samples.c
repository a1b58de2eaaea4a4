/* Samples whose white is not 255, as bytes. */
#include "image_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int largest_of(const struct meta_image *image, int deep)
{
    size_t n = (size_t)image->w * image->h * image->c;
    const uint16_t *values = (const uint16_t *)image->pixels;
    int most = 0;
    if (deep)
        for (size_t i = 0; i < n; i++) most = values[i] > most ? values[i] : most;
    else
        for (size_t i = 0; i < n; i++) most = image->pixels[i] > most ? image->pixels[i] : most;
    return most;
}

/* Bytes are written where the samples lie, the first first: none is overwritten before it is read.
 */
static void narrow(struct meta_image *image, int white)
{
    size_t n = (size_t)image->w * image->h * image->c;
    unsigned char *bytes = image->pixels;
    float scale = 255.f / white;
    for (size_t i = 0; i < n; i++) {
        uint16_t value;
        memcpy(&value, bytes + 2 * i, sizeof value);
        bytes[i] = white == 65535 ? value >> 8 : (int)(value * scale + .5f);
    }
    unsigned char *shorter = realloc(bytes, n);
    if (shorter) image->pixels = shorter;
}

/* Makes black of the white of files in which 0 is white. Always 0. */
static int invert(struct meta_image *image, const struct meta_image_header *header)
{
    size_t n = header->inverted ? (size_t)image->w * image->h * image->c : 0;
    for (size_t i = 0; i < n; i++) image->pixels[i] = 255 - image->pixels[i];
    return 0;
}

int meta_image_to_bytes(struct meta_image *image, const struct meta_image_header *header,
                        const struct meta_image_reading *reading, struct meta_error *error)
{
    if (!header->deep && !header->white) return invert(image, header);
    int most = largest_of(image, header->deep),
        white = header->white ? header->white
        : reading->white      ? reading->white
                              : 65535;
    if (most > white)
        return header->white
            ? meta_fail(error, "corrupt PGM or PPM: a value of %d, but its header says %d at most",
                        most, white)
            : meta_fail(error, "a value of %d, above range=%d: range must be the value of white",
                        most, white);
    image->largest = header->white ? 0 : most;
    if (header->deep) narrow(image, white);
    else
        for (size_t i = 0; i < (size_t)image->w * image->h * image->c; i++)
            image->pixels[i] = (image->pixels[i] * 510 + white) / (2 * white);
    return invert(image, header);
}
