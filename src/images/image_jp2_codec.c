/* Decodes JPEG 2000 files, JP2 and bare codestreams, by OpenJPEG. */
#include "image_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <openjpeg.h>

/* Every tile has a block of memory of its own before the first one is decoded. */
enum { MOST_TILES = 4096, MOST_COMPONENTS = 5 };

/* A file in memory, read from `at` on, and the first thing that OpenJPEG finds wrong with it. */
struct reader {
    const struct meta_image_file *file;
    size_t at;
    char text[160];
};

static OPJ_SIZE_T read_bytes(void *to, OPJ_SIZE_T size, void *reader)
{
    struct reader *r = reader;
    size_t left = r->file->size - r->at;
    if (!left) return (OPJ_SIZE_T)-1;
    if (size > left) size = left;
    memcpy(to, r->file->data + r->at, size);
    r->at += size;
    return size;
}

static OPJ_OFF_T skip(OPJ_OFF_T by, void *reader)
{
    struct reader *r = reader;
    if (by < 0) return -1;
    size_t left = r->file->size - r->at;
    if ((uint64_t)by > left) by = (OPJ_OFF_T)left;
    r->at += (size_t)by;
    return by;
}

static OPJ_BOOL seek(OPJ_OFF_T to, void *reader)
{
    struct reader *r = reader;
    if (to < 0 || (uint64_t)to > r->file->size) return OPJ_FALSE;
    r->at = (size_t)to;
    return OPJ_TRUE;
}

static void on_error(const char *text, void *reader)
{
    struct reader *r = reader;
    if (*r->text) return;
    size_t length = strcspn(text, "\r\n");
    if (length >= sizeof r->text) length = sizeof r->text - 1;
    memcpy(r->text, text, length);
}

static void ignore(const char *text, void *reader) {}

/* ---- before OpenJPEG sees it ----------------------------------------------------------------- */

static uint32_t big(const unsigned char *p, int bytes)
{
    uint32_t x = 0;
    for (int i = 0; i < bytes; i++) x = x << 8 | p[i];
    return x;
}

/* Where the codestream begins: in a JP2 file, in its box jp2c. A box has its length, with what
   stands before it, and its name; 1 means that eight bytes of length follow, 0 all the rest. */
static const unsigned char *find_stream(const struct meta_image_file *file, size_t *left)
{
    const unsigned char *data = file->data;
    size_t at = 0, size = file->size, head = 8;
    while (*data != 0xff) {
        if (size - at < 16) return NULL;
        uint64_t length = big(data + at, 4);
        head = length == 1 ? 16 : 8;
        if (length == 1) length = (uint64_t)big(data + at + 8, 4) << 32 | big(data + at + 12, 4);
        if (!memcmp(data + at + 4, "jp2c", 4)) {
            at += head;
            break;
        }
        if (length < head || length > size - at) return NULL;
        at += (size_t)length;
    }
    *left = size - at;
    return data + at;
}

/* Looks at the marker SIZ, which has the sizes of image and tiles, from a common origin. */
static int check_sizes(const struct meta_image_file *file, struct meta_error *error)
{
    size_t left = 0;
    const unsigned char *at = find_stream(file, &left);
    if (left < 42 || memcmp(at, "\xff\x4f\xff\x51", 4))
        return meta_fail(error, "corrupt JPEG 2000: no header");
    uint32_t n[8];
    for (int i = 0; i < 8; i++) n[i] = big(at + 8 + 4 * i, 4);
    uint32_t channels = big(at + 40, 2);
    if (n[2] >= n[0] || n[3] >= n[1] || !n[4] || !n[5] || n[6] >= n[0] || n[7] >= n[1])
        return meta_fail(error, "corrupt JPEG 2000: no header");
    if (!channels || channels > MOST_COMPONENTS)
        return meta_fail(error, "JPEG 2000 of %u components a pixel: must be at most %d", channels,
                         MOST_COMPONENTS);
    uint64_t across = ((uint64_t)n[0] - n[6] + n[4] - 1) / n[4],
             down = ((uint64_t)n[1] - n[7] + n[5] - 1) / n[5];
    if (across > MOST_TILES || down > MOST_TILES || across * down > MOST_TILES)
        return meta_fail(error, "JPEG 2000 in %llu x %llu tiles: must be at most %d",
                         (unsigned long long)across, (unsigned long long)down, MOST_TILES);
    return meta_image_decoded_bounds(n[0] - n[2], n[1] - n[3], (int)channels, 4, error);
}

/* ---- colours --------------------------------------------------------------------------------- */

/* What is to be made of the decoded components. */
struct plan {
    int colours; /* 1 or 3: components 0 to 2 */
    int alpha;   /* the number of the component that is alpha; 0: none */
    int video;   /* luma and two differences, in place of red, green and blue */
};

static int make_plan(const opj_image_t *image, struct plan *p, struct meta_error *error)
{
    const opj_image_comp_t *c = image->comps;
    unsigned n = image->numcomps;
    if (image->color_space == OPJ_CLRSPC_CMYK || image->color_space == OPJ_CLRSPC_EYCC)
        return meta_fail(error, "JPEG 2000 in %s: must be gray, RGB or sYCC",
                         image->color_space == OPJ_CLRSPC_CMYK ? "CMYK" : "e-YCC");
    *p = (struct plan){ .colours = n >= 3 && image->color_space != OPJ_CLRSPC_GRAY ? 3 : 1 };
    for (unsigned i = (unsigned)p->colours; i < n; i++)
        if (c[i].alpha == 1 && !p->alpha) p->alpha = (int)i;
    p->video = p->colours == 3
        && (image->color_space == OPJ_CLRSPC_SYCC || (c[0].dx == c[0].dy && c[1].dx != 1));
    for (int i = 0; i <= p->colours; i++) {
        const opj_image_comp_t *own = &c[i < p->colours ? i : p->alpha];
        if (own->prec < 1 || own->prec > 16 || own->prec != c[0].prec)
            return meta_fail(error, "JPEG 2000 of %u and %u bits: must be one number, at most 16",
                             c[0].prec, own->prec);
        if (!own->data || !own->w || !own->h)
            return meta_fail(error, "corrupt JPEG 2000: can't be decoded");
    }
    return 0;
}

/* A component's value for a pixel of the first one, from 0. A component may have fewer samples. */
static int value_of(const opj_image_comp_t *c, const opj_image_comp_t *first, uint32_t x,
                    uint32_t y)
{
    if (c->dx != first->dx || c->dy != first->dy) {
        x = (uint32_t)((uint64_t)x * first->dx / c->dx);
        y = (uint32_t)((uint64_t)y * first->dy / c->dy);
    }
    if (x >= c->w) x = c->w - 1;
    if (y >= c->h) y = c->h - 1;
    int most = (1 << c->prec) - 1,
        value = c->data[(size_t)y * c->w + x] + (c->sgnd ? 1 << (c->prec - 1) : 0);
    return value < 0 ? 0 : value > most ? most : value;
}

/* Of luma and two differences, IEC 61966-2-1, annex G. */
static void to_rgb(int v[4], int most)
{
    int middle = (most + 1) / 2;
    double y = v[0], b = v[1] - middle, r = v[2] - middle;
    double rgb[3] = { y + 1.402 * r, y - .344136 * b - .714136 * r, y + 1.772 * b };
    for (int k = 0; k < 3; k++) v[k] = rgb[k] <= 0 ? 0 : rgb[k] >= most ? most : (int)(rgb[k] + .5);
}

static int make_raster(const opj_image_t *image, struct meta_image_raster *raster,
                       struct meta_image_header *header, struct meta_error *error)
{
    const opj_image_comp_t *first = image->comps;
    struct plan p = { 0 };
    if (make_plan(image, &p, error)) return -1;
    int n = raster->channels = p.colours + (p.alpha > 0), most = (1 << first->prec) - 1;
    *header = (struct meta_image_header){ .w = (int)first->w,
                                          .h = (int)first->h,
                                          .deep = first->prec > 8,
                                          .white = first->prec == 8 || first->prec == 16 ? 0 : most,
                                          .orientation = 1 };
    size_t bytes = header->deep ? 2 : 1;
    if (meta_image_decoded_bounds(first->w, first->h, n, (int)bytes, error)) return -1;
    unsigned char *out = raster->samples = malloc((size_t)first->w * first->h * (size_t)n * bytes);
    if (!out) return meta_fail(error, "out of memory for %ux%u pixels", first->w, first->h);
    for (uint32_t y = 0; y < first->h; y++)
        for (uint32_t x = 0; x < first->w; x++) {
            int v[4];
            for (int k = 0; k < n; k++)
                v[k] = value_of(&image->comps[k < p.colours ? k : p.alpha], first, x, y);
            if (p.video) to_rgb(v, most);
            for (int k = 0; k < n; k++, out += bytes) {
                uint16_t deep = (uint16_t)v[k];
                if (header->deep) memcpy(out, &deep, 2);
                else *out = (unsigned char)v[k];
            }
        }
    return 0;
}

/* ---- a file ---------------------------------------------------------------------------------- */

static opj_stream_t *open_stream(struct reader *r)
{
    opj_stream_t *stream = opj_stream_default_create(OPJ_TRUE);
    if (!stream) return NULL;
    opj_stream_set_user_data(stream, r, NULL);
    opj_stream_set_user_data_length(stream, r->file->size);
    opj_stream_set_read_function(stream, read_bytes);
    opj_stream_set_skip_function(stream, skip);
    opj_stream_set_seek_function(stream, seek);
    return stream;
}

/* The decoded image; NULL: it is damaged. */
static opj_image_t *decode(struct reader *r, opj_stream_t *stream, opj_codec_t *codec)
{
    opj_dparameters_t parameters;
    opj_image_t *image = NULL;
    opj_set_default_decoder_parameters(&parameters);
    opj_set_error_handler(codec, on_error, r);
    opj_set_warning_handler(codec, ignore, NULL);
    opj_set_info_handler(codec, ignore, NULL);
    if (opj_setup_decoder(codec, &parameters) && opj_decoder_set_strict_mode(codec, OPJ_TRUE)
        && opj_read_header(stream, codec, &image) && opj_decode(codec, stream, image)
        && opj_end_decompress(codec, stream) && !*r->text)
        return image;
    opj_image_destroy(image);
    return NULL;
}

int meta_image_jp2(const struct meta_image_file *file, struct meta_image_raster *raster,
                   struct meta_image_header *header, struct meta_error *error)
{
    struct reader r = { .file = file };
    *raster = (struct meta_image_raster){ 0 };
    if (file->frame) return meta_image_no_frame(file->frame, 1, "image", error);
    if (check_sizes(file, error)) return -1;
    int bare = *file->data == 0xff;
    opj_stream_t *stream = open_stream(&r);
    opj_codec_t *codec = opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    opj_image_t *image = stream && codec ? decode(&r, stream, codec) : NULL;
    int status = -1;
    if (image) status = make_raster(image, raster, header, error);
    else if (!stream || !codec) meta_fail_memory(error);
    else meta_fail(error, "corrupt JPEG 2000: %s", *r.text ? r.text : "can't be decoded");
    if (image) opj_image_destroy(image);
    if (codec) opj_destroy_codec(codec);
    if (stream) opj_stream_destroy(stream);
    if (!status) return 0;
    free(raster->samples);
    raster->samples = NULL;
    return -1;
}
