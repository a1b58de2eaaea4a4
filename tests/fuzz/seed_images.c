/* Writes small images of every kind that is read into a folder: what fuzz_image begins from. */
#include "image_files.h"

static void write_bytes(const char *folder, const char *name, struct bytes b)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    write_file(path, b.data, b.size);
    free(b.data);
}

static void set_scans(struct jpeg_compress_struct *info)
{
    jpeg_simple_progression(info);
    info->restart_interval = 1;
}

static void write_exif(struct jpeg_compress_struct *info)
{
    static const unsigned char exif[] = "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0";
    jpeg_write_marker(info, JPEG_APP0 + 1, exif, sizeof exif - 1);
}

/* A JPEG file in scans, with EXIF data that turn it. */
static struct bytes make_progressive(int w, int h, const unsigned char *samples)
{
    return make_jpeg_as(w, h, 3, samples, set_scans, write_exif);
}

/* A BMP file of w x h pixels. masks: the words of a header of 56 bytes behind the plain one. */
static struct bytes make_bmp(int w, int h, int bits, const uint32_t *masks)
{
    struct bytes b = { 0 };
    uint32_t header = masks ? 56 : 40, row = (w * bits + 31) / 32 * 4, palette = bits == 8 ? 1024 : 0;
    put(&b, "BM", 2);
    put_little(&b, 14 + header + palette + row * h, 4);
    put_little(&b, 0, 4);
    put_little(&b, 14 + header + palette, 4);
    const uint32_t words[] = { header, w, h, 1 | (uint32_t)bits << 16, masks ? 3 : 0, row * h, 0, 0, 0, 0 };
    for (int i = 0; i < 10; i++) put_little(&b, words[i], 4);
    for (int i = 0; masks && i < 4; i++) put_little(&b, masks[i], 4);
    for (uint32_t i = 0; i < palette / 4; i++) put_little(&b, 0x10101 * i, 4);
    for (uint32_t i = 0; i < row * h; i++) put_little(&b, 37 * i, 1);
    return b;
}

static struct bytes make_pnm(const char *head, const unsigned char *samples, size_t size)
{
    struct bytes b = { 0 };
    put(&b, head, strlen(head));
    put(&b, samples, size);
    return b;
}

int main(int argc, char **argv)
{
    static const uint32_t masks565[] = { 0xf800, 0x7e0, 0x1f, 0 }, masks32[] = { 0xff0000, 0xff00, 0xff, 0 };
    unsigned char *p = make_picture(9, 7, 4, 1), *large = make_picture(70, 66, 3, 2);
    const char *to = argv[argc - 1];
    if (argc != 2) return 1;
    write_bytes(to, "gray.png", make_png(9, 7, 1, 8, p));
    write_bytes(to, "rgb.png", make_png(9, 7, 3, 8, p));
    write_bytes(to, "rgba.png", make_png(9, 7, 4, 8, p));
    write_bytes(to, "deep.png", make_png(9, 7, 1, 16, p));
    write_bytes(to, "large.png", make_png(70, 66, 3, 8, large));
    write_bytes(to, "gray.jpg", make_jpeg(9, 7, 1, p));
    write_bytes(to, "rgb.jpg", make_jpeg(9, 7, 3, p));
    write_bytes(to, "cmyk.jpg", make_jpeg(9, 7, 4, p));
    write_bytes(to, "scans.jpg", make_progressive(9, 7, p));
    write_bytes(to, "large.jpg", make_progressive(70, 66, large));
    write_bytes(to, "8.bmp", make_bmp(9, 7, 8, NULL));
    write_bytes(to, "24.bmp", make_bmp(9, 7, 24, NULL));
    write_bytes(to, "565.bmp", make_bmp(9, 7, 16, masks565));
    write_bytes(to, "32.bmp", make_bmp(9, 7, 32, masks32));
    write_bytes(to, "gray.pgm", make_pnm("P5 9 7 255\n", p, 63));
    write_bytes(to, "12.pgm", make_pnm("P5\n# 12 bits\n3 7 4095\n", p, 42));
    write_bytes(to, "rgb.ppm", make_pnm("P6 9 7 255\n", p, 189));
    write_bytes(to, "rgb16.ppm", make_pnm("P6 3 7 65535\n", p, 126));
    free(p);
    free(large);
    return 0;
}
