/* Decodes TIFF files by libtiff itself: gray and RGB of 8 or 16 bits sample by sample, every other
   kind through libtiff's own conversion to RGB. */
#include "image_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

/* A file in memory, read from `at` on, and the first thing that libtiff finds wrong with it. */
struct reader {
    const struct meta_image_file *file;
    uint64_t at;
    TIFF *tiff;
    int decoding; /* what it warns of is damage: before, it is about tags that no one reads here */
    char text[160];
};

static tmsize_t read_bytes(thandle_t handle, void *to, tmsize_t size)
{
    struct reader *r = handle;
    uint64_t left = r->at < r->file->size ? r->file->size - r->at : 0;
    if ((uint64_t)size > left) size = (tmsize_t)left;
    if (size > 0) memcpy(to, r->file->data + r->at, (size_t)size);
    r->at += (uint64_t)size;
    return size;
}

static tmsize_t write_bytes(thandle_t handle, void *from, tmsize_t size) { return 0; }

static uint64_t seek(thandle_t handle, uint64_t to, int whence)
{
    struct reader *r = handle;
    r->at = whence == SEEK_SET ? to : whence == SEEK_CUR ? r->at + to : r->file->size + to;
    return r->at;
}

static int close_file(thandle_t handle) { return 0; }

static uint64_t size_of(thandle_t handle) { return ((struct reader *)handle)->file->size; }

static void keep(struct reader *r, const char *format, va_list values)
{
    if (*r->text) return;
    vsnprintf(r->text, sizeof r->text, format, values);
    r->text[strcspn(r->text, "\r\n")] = 0;
}

static int on_error(TIFF *tiff, void *reader, const char *module, const char *format,
                    va_list values)
{
    keep(reader, format, values);
    return 1;
}

/* Whether a codec tells how old the file's compression is, which is read all the same. */
static int is_advice(const char *module)
{
    return !strcmp(module, "LZWPreDecode") || !strcmp(module, "OJPEGSetupDecode");
}

/* The codecs warn of data that they could not read, and put something in its place. */
static int on_warning(TIFF *tiff, void *reader, const char *module, const char *format,
                      va_list values)
{
    struct reader *r = reader;
    if (r->decoding && module && strcmp(module, "TIFF") && !is_advice(module))
        keep(r, format, values);
    return 1;
}

static TIFF *open_file(struct reader *r)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, META_IMAGE_MOST_DECODED);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, r);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, r);
    TIFF *tiff = TIFFClientOpenExt("TIFF", "rm", r, read_bytes, write_bytes, seek, close_file,
                                   size_of, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* ---- gray and RGB, sample by sample ---------------------------------------------------------- */

/* What a page says of its samples. */
struct page {
    uint32_t w, h;
    uint16_t bits, samples, planar, photometric, format, compression, orientation, extras;
    int alpha; /* the number of the sample that is alpha, not multiplied into the others; 0: none */
};

static void read_page(TIFF *tiff, struct page *p)
{
    uint16_t *kinds = NULL;
    *p = (struct page){ .photometric = PHOTOMETRIC_SEPARATED };
    TIFFGetFieldDefaulted(tiff, TIFFTAG_IMAGEWIDTH, &p->w);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_IMAGELENGTH, &p->h);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &p->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &p->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &p->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &p->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &p->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &p->orientation);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &p->photometric);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &p->extras, &kinds);
    for (int i = 0; i < p->extras && kinds && !p->alpha; i++)
        if (kinds[i] == EXTRASAMPLE_UNASSALPHA) p->alpha = p->samples - p->extras + i;
}

static int colours_of(const struct page *p) { return p->photometric == PHOTOMETRIC_RGB ? 3 : 1; }

/* A block is a tile or a strip: w x h pixels at x, y, of which some may lie outside of the image.
 */
struct block {
    uint32_t x, y, w, h;
    uint16_t plane;
};

/* Which sample of a block of `step` samples a pixel goes where in the raster. */
struct choice {
    int from, step, to;
};

static void copy_samples(const struct page *p, const struct block *b, const unsigned char *block,
                         const struct meta_image_raster *raster, struct choice c)
{
    size_t bytes = p->bits / 8u, out_step = (size_t)raster->channels * bytes,
           in_step = (size_t)c.step * bytes;
    uint32_t w = b->w < p->w - b->x ? b->w : p->w - b->x,
             h = b->h < p->h - b->y ? b->h : p->h - b->y;
    for (uint32_t y = 0; y < h; y++) {
        const unsigned char *in = block + (size_t)y * b->w * in_step + (size_t)c.from * bytes;
        unsigned char *out = (unsigned char *)raster->samples
            + ((size_t)(b->y + y) * p->w + b->x) * out_step + (size_t)c.to * bytes;
        for (uint32_t x = 0; x < w; x++, in += in_step, out += out_step) {
            out[0] = in[0];
            if (bytes == 2) out[1] = in[1];
        }
    }
}

/* Reads a block into `room` and copies what is wanted of it. */
static int read_block(struct reader *r, const struct page *p, const struct block *b,
                      unsigned char *room, tmsize_t size, const struct meta_image_raster *raster)
{
    int tiled = TIFFIsTiled(r->tiff), colours = colours_of(p);
    uint32_t number = tiled ? TIFFComputeTile(r->tiff, b->x, b->y, 0, b->plane)
                            : TIFFComputeStrip(r->tiff, b->y, b->plane);
    tmsize_t got = tiled ? TIFFReadEncodedTile(r->tiff, number, room, size)
                         : TIFFReadEncodedStrip(r->tiff, number, room, size);
    if (got < 0 || *r->text) return -1;
    if (p->planar == PLANARCONFIG_SEPARATE) {
        copy_samples(p, b, room, raster,
                     (struct choice){ 0, 1, b->plane < colours ? b->plane : colours });
        return 0;
    }
    for (int k = 0; k < raster->channels; k++)
        copy_samples(p, b, room, raster,
                     (struct choice){ k < colours ? k : p->alpha, p->samples, k });
    return 0;
}

static int read_blocks(struct reader *r, const struct page *p,
                       const struct meta_image_raster *raster)
{
    struct block b = { 0 };
    int tiled = TIFFIsTiled(r->tiff), status = 0;
    tmsize_t size = tiled ? TIFFTileSize(r->tiff) : TIFFStripSize(r->tiff);
    b.w = p->w;
    if (tiled) TIFFGetField(r->tiff, TIFFTAG_TILEWIDTH, &b.w);
    if (tiled) TIFFGetField(r->tiff, TIFFTAG_TILELENGTH, &b.h);
    else TIFFGetFieldDefaulted(r->tiff, TIFFTAG_ROWSPERSTRIP, &b.h);
    if (!b.w || !b.h || size <= 0 || size > META_IMAGE_MOST_DECODED) return -1;
    if (!tiled && b.h > p->h) b.h = p->h;
    unsigned char *room = malloc((size_t)size);
    if (!room) return -1;
    int planes = p->planar == PLANARCONFIG_SEPARATE ? p->samples : 1;
    for (int plane = 0; plane < planes && !status; plane++) {
        b.plane = (uint16_t)plane;
        if (planes > 1 && plane >= colours_of(p) && (!p->alpha || plane != p->alpha)) continue;
        for (b.y = 0; b.y < p->h && !status; b.y += b.h)
            for (b.x = 0; b.x < p->w && !status; b.x += b.w)
                status = read_block(r, p, &b, room, size, raster);
    }
    free(room);
    return status;
}

/* ---- a page ---------------------------------------------------------------------------------- */

/* libtiff's conversion, as the page lies: where alpha is not yet multiplied into the colours, it
   does so. */
static int read_converted(struct reader *r, const struct page *p, struct meta_image_raster *raster)
{
    size_t n = (size_t)p->w * p->h;
    unsigned char *out = raster->samples;
    if (!TIFFReadRGBAImageOriented(r->tiff, p->w, p->h, raster->samples, p->orientation, 1)
        || *r->text)
        return -1;
    for (size_t i = 0; i < n; i++) {
        uint32_t pixel;
        memcpy(&pixel, out + 4 * i, sizeof pixel);
        out[3 * i] = TIFFGetR(pixel);
        out[3 * i + 1] = TIFFGetG(pixel);
        out[3 * i + 2] = TIFFGetB(pixel);
    }
    raster->channels = 3;
    return 0;
}

static int is_plain(const struct page *p)
{
    return (p->bits == 8 || p->bits == 16)
        && (p->photometric == PHOTOMETRIC_MINISBLACK || p->photometric == PHOTOMETRIC_MINISWHITE
            || p->photometric == PHOTOMETRIC_RGB)
        && p->samples >= colours_of(p);
}

static int channels_of(const struct page *p)
{
    return is_plain(p) ? colours_of(p) + (p->alpha > 0) : 4;
}

static int bytes_of(const struct page *p) { return is_plain(p) ? p->bits / 8 : 1; }

static int check_bounds(const struct page *p, struct meta_error *error)
{
    return meta_image_decoded_bounds(p->w, p->h, channels_of(p), bytes_of(p), error);
}

/* Fails where the samples are of a kind whose black and white are not known, or that libtiff has no
   decoder for. */
static int check_page(struct reader *r, const struct page *p, struct meta_error *error)
{
    static const char *const formats[] = { [SAMPLEFORMAT_INT] = "signed",
                                           [SAMPLEFORMAT_IEEEFP] = "floating-point",
                                           [SAMPLEFORMAT_COMPLEXINT] = "complex",
                                           [SAMPLEFORMAT_COMPLEXIEEEFP] = "complex" };
    if (p->alpha && p->alpha < colours_of(p))
        return meta_fail(error,
                         "TIFF of %u samples, %u of them extra: must have %d colours besides",
                         p->samples, p->extras, colours_of(p));
    int light = p->photometric == PHOTOMETRIC_LOGL || p->photometric == PHOTOMETRIC_LOGLUV;
    if (!TIFFIsCODECConfigured(p->compression))
        return meta_fail(error, "TIFF of compression %u: libtiff here has no decoder for it",
                         p->compression);
    if (!light && p->format < sizeof formats / sizeof *formats && formats[p->format])
        return meta_fail(error,
                         "TIFF of %u-bit %s samples: must be of unsigned ones, since no file says "
                         "which of the others are black and white",
                         p->bits, formats[p->format]);
    if (p->photometric == PHOTOMETRIC_MINISWHITE && p->alpha)
        return meta_fail(error, "TIFF whose 0 is white, with alpha: must have one or the other");
    char why[1024] = "";
    if (is_plain(p) || TIFFRGBAImageOK(r->tiff, why)) return 0;
    return meta_fail(error, "TIFF of %u samples of %u bits a pixel: libtiff: %.100s", p->samples,
                     p->bits, why);
}

/* Adds to the message that a page is too large which one is the largest that is not: files of whole
   slides have their picture in several sizes. Always -1. */
static int name_smaller(struct reader *r, struct meta_error *error)
{
    enum { MOST_PAGES = 100 };
    uint32_t best_w = 0, best_h = 0;
    int best = -1;
    for (int i = 0; i < MOST_PAGES && TIFFSetDirectory(r->tiff, (tdir_t)i); i++) {
        struct meta_error ignored;
        struct page p;
        read_page(r->tiff, &p);
        if (check_bounds(&p, &ignored) || (uint64_t)p.w * p.h <= (uint64_t)best_w * best_h)
            continue;
        best = i;
        best_w = p.w;
        best_h = p.h;
    }
    if (best < 0) return -1;
    return meta_fail(error, "%s; [%d], page %d of it, has %ux%u", error->text, best, best, best_w,
                     best_h);
}

/* The page's samples, through one of the two ways. */
static int decode_page(struct reader *r, struct meta_image_raster *raster,
                       struct meta_image_header *header, struct meta_error *error)
{
    struct page p;
    read_page(r->tiff, &p);
    if (check_page(r, &p, error)) return -1;
    int plain = is_plain(&p), bytes = bytes_of(&p);
    raster->channels = channels_of(&p);
    if (check_bounds(&p, error)) return name_smaller(r, error);
    *header = (struct meta_image_header){ .w = (int)p.w,
                                          .h = (int)p.h,
                                          .deep = bytes == 2,
                                          .orientation = p.orientation,
                                          .inverted = plain
                                              && p.photometric == PHOTOMETRIC_MINISWHITE };
    raster->samples = malloc((size_t)p.w * p.h * (size_t)raster->channels * (size_t)bytes);
    if (!raster->samples) return meta_fail(error, "out of memory for %ux%u pixels", p.w, p.h);
    r->decoding = 1;
    if (!(plain ? read_blocks(r, &p, raster) : read_converted(r, &p, raster))) return 0;
    return meta_fail(error, "corrupt TIFF: %s", *r->text ? r->text : "can't be decoded");
}

/* Goes to the page that is wanted. */
static int find_page(struct reader *r, struct meta_error *error)
{
    int frame = r->file->frame;
    if (!frame || TIFFSetDirectory(r->tiff, (tdir_t)frame)) return 0;
    int pages = (int)TIFFNumberOfDirectories(r->tiff);
    if (frame < pages) return meta_fail(error, "corrupt TIFF: page %d: %s", frame, r->text);
    return meta_image_no_frame(frame, (unsigned long)pages, "page", error);
}

int meta_image_tiff(const struct meta_image_file *file, struct meta_image_raster *raster,
                    struct meta_image_header *header, struct meta_error *error)
{
    struct reader r = { .file = file };
    *raster = (struct meta_image_raster){ 0 };
    r.tiff = open_file(&r);
    if (!r.tiff) return meta_fail(error, "corrupt TIFF: %s", *r.text ? r.text : "no header");
    int status = find_page(&r, error) || decode_page(&r, raster, header, error) ? -1 : 0;
    TIFFClose(r.tiff);
    if (!status) return 0;
    free(raster->samples);
    raster->samples = NULL;
    return -1;
}
