/* Decodes PNG files by libpng itself, because OpenCV's reader lets libpng write what it has to say
   to standard error, also of files that are good. */
#include "image_internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file in memory, read from `at` on, and the way out of libpng with its message. */
struct reader {
    png_structp png;
    png_infop info;
    const unsigned char *data;
    size_t size, at;
    jmp_buf escape;
    char text[160];
};

static void fatal(png_structp png, png_const_charp text)
{
    struct reader *r = png_get_error_ptr(png);
    snprintf(r->text, sizeof r->text, "%s", text);
    longjmp(r->escape, 1);
}

/* Warnings are about data beside the pixels, such as a colour profile, which no one reads here. */
static void ignore(png_structp png, png_const_charp text) {}

static void read_bytes(png_structp png, png_bytep to, size_t size)
{
    struct reader *r = png_get_io_ptr(png);
    if (size > r->size - r->at) png_error(png, "it ends inside its data");
    memcpy(to, r->data + r->at, size);
    r->at += size;
}

/* Lets libpng hand out 1 or 3 channels of bytes, or with `deep` of 16-bit numbers in the machine's
   order: transparency is dropped. Colours stay colours, because libpng's gray of them depends on
   whether the file tells its gamma. Returns the channels. */
static int transform(png_structp png, png_infop info, int channels, int deep)
{
    int colours = png_get_color_type(png, info), bits = png_get_bit_depth(png, info);
    const png_uint_16 one = 1;
    if (bits == 16 && !deep) png_set_strip_16(png);
    else if (*(const unsigned char *)&one) png_set_swap(png);
    png_set_strip_alpha(png);
    if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (!(colours & PNG_COLOR_MASK_COLOR) && bits < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (colours & PNG_COLOR_MASK_COLOR) return 3;
    if (channels == 3) png_set_gray_to_rgb(png);
    return channels;
}

/* Makes gray of n pixels of colours, where they lie, as Rec. 601 weighs them. */
static void make_gray(void *samples, size_t n, int deep)
{
    unsigned char *bytes = samples;
    uint16_t *words = samples;
    for (size_t i = 0; i < n; i++)
        if (deep)
            words[i] = (uint16_t)meta_image_gray(words[3 * i], words[3 * i + 1], words[3 * i + 2]);
        else
            bytes[i] = (unsigned char)meta_image_gray(bytes[3 * i], bytes[3 * i + 1],
                                                      bytes[3 * i + 2]);
}

static void read_rows(png_structp png, unsigned char *pixels, int rows, size_t row, int passes)
{
    for (; passes > 0; passes--)
        for (int y = 0; y < rows; y++) png_read_row(png, pixels + y * row, NULL);
    png_read_end(png, NULL);
}

/* Reads all of the file. An error leaves it by reader->escape, and what it has made then stays. */
static int read_file(struct reader *r, int deep, struct meta_image *image, struct meta_error *error)
{
    if (!(r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, fatal, ignore))
        || !(r->info = png_create_info_struct(r->png)))
        return meta_fail_memory(error);
    png_set_read_fn(r->png, r, read_bytes);
    png_read_info(r->png, r->info);
    int from = transform(r->png, r->info, image->c, deep);
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    size_t row = (size_t)image->w * from * (deep ? 2 : 1);
    if (png_get_image_height(r->png, r->info) != (unsigned)image->h
        || png_get_rowbytes(r->png, r->info) != row)
        return meta_fail(error, "corrupt PNG: its rows are not those of its header");
    if (!(image->pixels = malloc(row * image->h)))
        return meta_fail(error, "out of memory for %dx%d pixels", image->w, image->h);
    read_rows(r->png, image->pixels, image->h, row, passes);
    if (from > image->c) make_gray(image->pixels, (size_t)image->w * image->h, deep);
    return 0;
}

int meta_image_png_decode(const unsigned char *data, size_t size, int deep,
                          struct meta_image *image, struct meta_error *error)
{
    struct reader reader = { .data = data, .size = size };
    volatile int status = -1; /* kept across longjmp */
    if (!setjmp(reader.escape)) status = read_file(&reader, deep, image, error);
    else
        meta_fail(error,
                  strstr(reader.text, "emory") ? "out of memory for a PNG: %s" : "corrupt PNG: %s",
                  reader.text);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    if (!status) return 0;
    free(image->pixels);
    image->pixels = NULL;
    return -1;
}
