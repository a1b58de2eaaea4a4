/* Names the kind of a file that is not read, and the command that makes one of it that is. The
   commands are those of Debian's packages. */
#define _GNU_SOURCE
#include "image_internal.h"
#include "image_orientation.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"

/* In a command, @ stands for the file and % for its path without the extension; NULL: there is
   none. */
struct kind {
    const char *name, *command, *package;
};

static const struct kind
    heif = { "a HEIF image", "heif-convert @ %.png", "libheif-examples" },
    avif = { "an AVIF image", "avifdec @ %.png", "libavif-bin" },
    jxl = { "a JPEG XL image", "djxl @ %.png", "libjxl-tools" },
    gif = { "a GIF image", "convert @[0] %.png", "imagemagick" },
    layers = { "an image in layers (PSD or XCF)", "convert @[0] %.png", "imagemagick" },
    other = { "an image", "convert @ %.png", "imagemagick" },
    pdf = { "a PDF document", "pdftoppm -png -singlefile @ %", "poppler-utils" },
    svg = { "an SVG drawing", "rsvg-convert -o %.png @", "librsvg2-bin" },
    ps = { "a PostScript document", "gs -q -o %.png -sDEVICE=png16m -r150 @", "ghostscript" },
    djvu = { "a DjVu document", "ddjvu -format=tiff @ %.tif", "djvulibre-bin" },
    raw = { "a camera's raw picture", "dcraw -T @", "dcraw" },
    cr3 = { "a camera's raw picture (CR3)", NULL, NULL },
    nifti = { "a NIfTI volume", "medcon -f @ -c png -o %", "medcon" },
    volume = { "a volume (NRRD or MetaImage)", NULL, NULL },
    numbers = { "a file of numbers (HDF5, NumPy, MATLAB or FITS)", NULL, NULL },
    bright = { "an image of brightness without a white (OpenEXR or Radiance)", NULL, NULL },
    video = { "a video", "ffmpeg -i @ -frames:v 1 %.png", "ffmpeg" },
    gz = { "a gzip file", "gunzip -k @", "gzip" }, zip = { "a ZIP archive", "unzip @", "unzip" },
    page = { "a web page", NULL, NULL },
    lfs = { "a pointer of Git LFS, not the file itself", "git lfs pull", "git-lfs" };

static const struct {
    const struct kind *kind;
    unsigned at, length;
    const char *bytes;
} magics[] = {
    { &avif, 4, 8, "ftypavif" },
    { &avif, 4, 8, "ftypavis" },
    { &heif, 4, 8, "ftypheic" },
    { &heif, 4, 8, "ftypheix" },
    { &heif, 4, 8, "ftyphevc" },
    { &heif, 4, 8, "ftyphevx" },
    { &heif, 4, 8, "ftypmif1" },
    { &heif, 4, 8, "ftypmsf1" },
    { &cr3, 4, 8, "ftypcrx " },
    { &video, 4, 4, "ftyp" },
    { &video, 8, 4, "AVI " },
    { &video, 0, 4, "\x1a\x45\xdf\xa3" },
    { &jxl, 0, 2, "\xff\x0a" },
    { &jxl, 0, 12, "\0\0\0\x0cJXL \r\n\x87\n" },
    { &gif, 0, 4, "GIF8" },
    { &layers, 0, 4, "8BPS" },
    { &layers, 0, 9, "gimp xcf " },
    { &pdf, 0, 5, "%PDF-" },
    { &ps, 0, 4, "%!PS" },
    { &djvu, 0, 8, "AT&TFORM" },
    { &svg, 0, 4, "<svg" },
    { &raw, 0, 15, "FUJIFILMCCD-RAW" },
    { &raw, 0, 4, "IIRO" },
    { &raw, 0, 4, "IIRS" },
    { &raw, 0, 4, "IIU\0" },
    { &raw, 4, 8, "\x10\0\0\0CR\2\0" }, /* Canon's: its pages begin at byte 16 */
    { &nifti, 344, 4, "n+1\0" },
    { &nifti, 4, 8, "n+2\0\r\n\x1a\n" },
    { &volume, 0, 5, "NRRD0" },
    { &volume, 0, 10, "ObjectType" },
    { &numbers, 0, 4, "\x89HDF" },
    { &numbers, 0, 6, "\x93NUMPY" },
    { &numbers, 0, 10, "MATLAB 5.0" },
    { &numbers, 0, 9, "SIMPLE  =" },
    { &bright, 0, 4, "\x76\x2f\x31\x01" },
    { &bright, 0, 10, "#?RADIANCE" },
    { &other, 0, 3, "P1\n" },
    { &other, 0, 3, "P2\n" },
    { &other, 0, 3, "P3\n" },
    { &other, 0, 3, "P4\n" },
    { &other, 0, 3, "P7\n" },
    { &other, 0, 4, "\0\0\1\0" },
    { &gz, 0, 2, "\x1f\x8b" },
    { &zip, 0, 4, "PK\3\4" },
    { &page, 0, 9, "<!DOCTYPE" },
    { &page, 0, 9, "<!doctype" },
    { &page, 0, 5, "<html" },
    { &page, 0, 5, "<HTML" },
    { &lfs, 0, 24, "version https://git-lfs." },
};

/* XML is a drawing where it soon has the element svg. */
static int is_svg(const unsigned char *data, size_t size)
{
    size_t look = size < 4096 ? size : 4096;
    return size > 5 && !memcmp(data, "<?xml", 5) && memmem(data, look, "<svg", 4);
}

/* Cameras write raw pictures as TIFF files whose first page is a small preview, or which have the
   tag DNGVersion: read as TIFF, the preview would be taken for the picture. */
static int is_raw(const unsigned char *data, size_t size)
{
    enum { SUBFILE = 0xfe, SUB_PAGES = 0x14a, DNG = 0xc612 };
    uint32_t value, pages;
    if (!meta_tiff_number(data, size, DNG, &value)) return 1;
    return !meta_tiff_number(data, size, SUBFILE, &value) && (value & 1)
        && !meta_tiff_number(data, size, SUB_PAGES, &pages);
}

static const struct kind *find(const unsigned char *data, size_t size)
{
    int tiff = size > 4 && (!memcmp(data, "II*\0", 4) || !memcmp(data, "MM\0*", 4));
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const size_t at = magics[i].at, length = magics[i].length;
        if (magics[i].kind == &raw && at && !tiff) continue;
        if (size >= at + length && !memcmp(data + at, magics[i].bytes, length))
            return magics[i].kind;
    }
    return is_svg(data, size) ? &svg : is_raw(data, size) ? &raw : NULL;
}

/* A name as a shell takes it. */
static void put_name(FILE *out, const char *name, size_t length)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./+:@,=-";
    if (strspn(name, plain) >= length) {
        fprintf(out, "%.*s", (int)length, name);
        return;
    }
    fputc('\'', out);
    for (size_t i = 0; i < length; i++)
        fputs(name[i] == '\'' ? "'\\''" : (char[]){ name[i], 0 }, out);
    fputc('\'', out);
}

/* The command for the file; the caller frees. NULL: no memory. */
static char *command_for(const struct kind *kind, const char *path)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out) return NULL;
    for (const char *c = kind->command; *c; c++) {
        if (*c == '@') put_name(out, path, strlen(path));
        else if (*c == '%')
            put_name(out, path,
                     (size_t)(meta_path_base(path) - path) + meta_path_stem_length(path));
        else fputc(*c, out);
    }
    if (fclose(out)) {
        free(text);
        return NULL;
    }
    return text;
}

int meta_image_refuse(const unsigned char *data, size_t size, const char *path,
                      struct meta_error *error)
{
    const struct kind *kind = find(data, size);
    if (!kind) return 0;
    if (!kind->command) return meta_fail(error, "is %s: must be %s", kind->name, META_IMAGE_KINDS);
    char *command = command_for(kind, path ? path : "FILE");
    if (!command) return meta_fail_memory(error);
    meta_fail(error, "is %s: %s (Debian's %s) makes one that is read", kind->name, command,
              kind->package);
    free(command);
    return -1;
}
