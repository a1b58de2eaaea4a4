/* Decodes JPEG files by libjpeg itself, because OpenCV's reader takes a file that ends halfway for
   a whole one, and prints what libjpeg has to say. */
#include "image_internal.h"
#include "image_orientation.h"

#include <setjmp.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <jpeglib.h>
#include <jerror.h>

/* libjpeg's error handler, with the way out of it and the message that was last written. */
struct watch {
    struct jpeg_error_mgr base;
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
};

static void fatal(j_common_ptr info)
{
    struct watch *w = (struct watch *)info->err;
    w->base.format_message(info, w->text);
    longjmp(w->escape, 1);
}

/* A warning means that the decoder guessed what it could not read, and is an error here. Two of
   them are about the header's version and the colours that it names, and change nothing. */
static void message(j_common_ptr info, int level)
{
    struct watch *w = (struct watch *)info->err;
    if (level < 0 && w->base.msg_code != JWRN_JFIF_MAJOR && w->base.msg_code != JWRN_ADOBE_XFORM)
        fatal(info);
}

/* EXIF's orientation, of the first APP1 marker that has EXIF data: others are XMP's. */
static int find_orientation(const struct jpeg_decompress_struct *info)
{
    static const char exif[] = "Exif\0"; /* ends in two zero bytes */
    for (jpeg_saved_marker_ptr m = info->marker_list; m; m = m->next)
        if (m->data_length >= sizeof exif && !memcmp(m->data, exif, sizeof exif))
            return meta_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
    return 1;
}

/* The scans of a file, by its markers: FF and a byte, most with a length and so many bytes behind
   it. In a scan's own data a zero follows FF, or it is a mark to begin anew. */
static unsigned count_scans(const unsigned char *data, size_t size)
{
    unsigned scans = 0;
    for (size_t at = 2; at + 4 <= size;) {
        unsigned char mark = data[at + 1];
        if (data[at] != 0xff || mark == 0xff || mark <= 1 || (mark >= 0xd0 && mark <= 0xd8)) {
            at++;
            continue;
        }
        if (mark == 0xd9) break;
        scans += mark == 0xda;
        at += 2 + (size_t)(data[at + 2] << 8 | data[at + 3]);
    }
    return scans;
}

/* Fails where the pixels that the header says are more than the data can hold, or more than its
   scans leave time for. Without arithmetic coding a block of 8x8 pixels takes a bit at least. */
static int check_size(const struct jpeg_decompress_struct *info, const unsigned char *data,
                      size_t size, struct meta_error *error)
{
    unsigned long long w = info->image_width, h = info->image_height;
    unsigned scans = count_scans(data, size);
    if (meta_image_bounds(w, h, error)) return -1;
    if (w * h * scans > META_IMAGE_MOST_SCANNED)
        return meta_fail(error, "%llux%llu pixels in %u scans: must be at most %u, scan by scan", w,
                         h, scans, META_IMAGE_MOST_SCANNED);
    if (!info->arith_code && w * h / 64 / 8 > size)
        return meta_fail(error,
                         "corrupt JPEG: its %zu bytes can't hold the %llux%llu pixels that its "
                         "header says",
                         size, w, h);
    return 0;
}

/* The part of the size to decode at: 8, 4, 2, or 1, the largest at which neither side is below what
   the image is shrunk to. */
static int choose_part(const struct jpeg_decompress_struct *info,
                       const struct meta_image_reading *reading)
{
    int w = (int)info->image_width, h = (int)info->image_height, part = 1, to_w, to_h;
    if (!reading->shorter || reading->in_full
        || !meta_image_fitted(w, h, reading->shorter, &to_w, &to_h))
        return 1;
    while (part < 8 && 2 * part * to_w <= w && 2 * part * to_h <= h) part *= 2;
    return part;
}

int meta_image_jpeg(const unsigned char *data, size_t size,
                    const struct meta_image_reading *reading, struct meta_image *image,
                    struct meta_image_header *header, struct meta_error *error)
{
    struct jpeg_decompress_struct info;
    struct watch watch;
    unsigned char *volatile pixels = NULL;
    info.err = jpeg_std_error(&watch.base);
    watch.base.error_exit = fatal;
    watch.base.emit_message = message;
    if (setjmp(watch.escape)) {
        int prefixed = !strncmp(watch.text, "Corrupt JPEG data: ", 19);
        meta_fail(error, "%s: %s",
                  watch.base.msg_code == JERR_OUT_OF_MEMORY ? "out of memory" : "corrupt JPEG",
                  watch.text + (prefixed ? 19 : 0));
        goto fail;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, data, size);
    jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(&info, TRUE);
    if (check_size(&info, data, size, error)) goto fail;
    if (info.num_components != 1 && info.num_components != 3) {
        meta_fail(error, "JPEG with %d colours a pixel: must be gray or RGB", info.num_components);
        goto fail;
    }
    *header = (struct meta_image_header){ .w = (int)info.image_width,
                                          .h = (int)info.image_height,
                                          .orientation = find_orientation(&info),
                                          .part = choose_part(&info, reading) };
    info.scale_num = 1;
    info.scale_denom = (unsigned)header->part;
    info.out_color_space = reading->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_start_decompress(&info);
    size_t row = (size_t)info.output_width * (size_t)reading->channels;
    pixels = malloc(row * info.output_height);
    if (!pixels) {
        meta_fail(error, "out of memory for %ux%u pixels", info.output_width, info.output_height);
        goto fail;
    }
    while (info.output_scanline < info.output_height) {
        JSAMPROW line = pixels + row * info.output_scanline;
        jpeg_read_scanlines(&info, &line, 1);
    }
    jpeg_finish_decompress(&info);
    *image = (struct meta_image){ .w = (int)info.output_width,
                                  .h = (int)info.output_height,
                                  .c = reading->channels,
                                  .pixels = pixels,
                                  .scaled = header->part > 1 };
    jpeg_destroy_decompress(&info);
    return 0;
fail:
    jpeg_destroy_decompress(&info);
    free(pixels);
    return -1;
}
