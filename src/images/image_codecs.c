/* Tells TIFF, WebP, JPEG 2000 and DICOM files, has them decoded, and makes of their samples the
   channels that are asked for. */
#include "image_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image_decoder.h"

static const struct meta_decoder_part codecs_part = { "libdarknet-meta-codecs.so",
                                                      "make builds it, the packages libtiff-dev, "
                                                      "libwebp-dev and libopenjp2-7-dev bring what "
                                                      "it needs" };
static const struct meta_decoder_part dicom_part = { "libdarknet-meta-dicom.so",
                                                     "make builds it where the package "
                                                     "libdcmtk-dev "
                                                     "is installed" };

/* ---- which one ------------------------------------------------------------------------------- */

static int begins(const struct meta_image_file *file, const char *bytes, size_t count, size_t at)
{
    return file->size >= at + count && !memcmp(file->data + at, bytes, count);
}

static int is_tiff(const struct meta_image_file *f)
{
    return begins(f, "II*\0", 4, 0) || begins(f, "MM\0*", 4, 0) || begins(f, "II+\0", 4, 0)
        || begins(f, "MM\0+", 4, 0);
}

static int is_webp(const struct meta_image_file *f)
{
    return begins(f, "RIFF", 4, 0) && begins(f, "WEBP", 4, 8);
}

static int is_jp2(const struct meta_image_file *f)
{
    return begins(f, "\0\0\0\x0cjP  \r\n\x87\n", 12, 0) || begins(f, "\xff\x4f\xff\x51", 4, 0);
}

/* Files without the 128 bytes and DICM begin with an element of group 2 or 8: its number, then the
   two letters of its type or, where types are implied, a length of four bytes. */
static int is_dicom(const struct meta_image_file *f)
{
    const unsigned char *d = f->data;
    if (begins(f, "DICM", 4, 128)) return 1;
    if (f->size < 132 || (d[0] != 2 && d[0] != 8) || d[1] || d[3]) return 0;
    int typed = d[4] >= 'A' && d[4] <= 'Z' && d[5] >= 'A' && d[5] <= 'Z';
    return typed || (d[4] <= 64 && d[4] % 2 == 0 && !d[5] && !d[6] && !d[7]);
}

/* ---- alpha and channels ---------------------------------------------------------------------- */

static unsigned get(const void *samples, size_t i, int deep)
{
    return deep ? ((const uint16_t *)samples)[i] : ((const unsigned char *)samples)[i];
}

static void set(void *samples, size_t i, int deep, unsigned value)
{
    if (deep) ((uint16_t *)samples)[i] = (uint16_t)value;
    else ((unsigned char *)samples)[i] = (unsigned char)value;
}

/* A pixel of `from` channels as one of `to`, 1 or 3: of the colours what alpha lets through, on
   black, and gray as Rec. 601 weighs it. */
static void convert(unsigned v[4], int from, int to, unsigned white)
{
    int colours = from > 2 ? 3 : 1;
    for (int k = 0; k < colours && colours < from; k++)
        v[k] = (unsigned)(((uint64_t)v[k] * v[colours] + white / 2) / white);
    if (colours == 1) v[1] = v[2] = v[0];
    else if (to == 1) v[0] = meta_image_gray(v[0], v[1], v[2]);
}

/* Moves the samples into image->pixels, with its channels. They are converted where they lie,
   forwards where they become fewer, else backwards: none is overwritten before it is read. */
static int fill(struct meta_image *image, const struct meta_image_raster *raster,
                const struct meta_image_header *header, struct meta_error *error)
{
    size_t n = (size_t)header->w * (size_t)header->h, bytes = header->deep ? 2 : 1;
    int from = raster->channels, to = image->c, deep = header->deep;
    unsigned white = header->white ? (unsigned)header->white : deep ? 65535 : 255;
    void *samples = raster->samples;
    if (to > from && !(samples = realloc(samples, n * (size_t)to * bytes))) {
        free(raster->samples);
        return meta_fail(error, "out of memory for %dx%d pixels", header->w, header->h);
    }
    for (size_t i = 0; from != to && i < n; i++) {
        size_t at = to > from ? n - 1 - i : i;
        unsigned v[4];
        for (int k = 0; k < from; k++) v[k] = get(samples, at * (size_t)from + (size_t)k, deep);
        convert(v, from, to, white);
        for (int k = 0; k < to; k++) set(samples, at * (size_t)to + (size_t)k, deep, v[k]);
    }
    void *shorter = to < from ? realloc(samples, n * (size_t)to * bytes) : NULL;
    image->pixels = shorter ? shorter : samples;
    image->w = header->w;
    image->h = header->h;
    return 0;
}

int meta_image_by_codec(const struct meta_image_file *file, struct meta_image *image,
                        struct meta_image_header *header, int *known, struct meta_error *error)
{
    struct meta_image_raster raster;
    int dicom = is_dicom(file),
        codec = dicom   ? META_CODEC_DICOM
        : is_tiff(file) ? META_CODEC_TIFF
        : is_webp(file) ? META_CODEC_WEBP
        : is_jp2(file)  ? META_CODEC_JP2
                        : META_CODECS;
    *known = codec < META_CODECS;
    if (!*known) return 0;
    const struct meta_decoder_part *part = dicom ? &dicom_part : &codecs_part;
    if (meta_image_decoder_ask(part, codec, file, &raster, header, error)) return -1;
    return fill(image, &raster, header, error);
}
