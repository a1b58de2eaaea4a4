/* Writes the images of an idx file pair (the format of MNIST) as PGM files in one folder a class.

       idx_images IMAGES.gz LABELS.gz OUT COUNT NAME...

   The first COUNT images of each label k go to OUT/NAME[k]/00000.pgm and on, in the order of the file; NAME "-" leaves a label
   out. The folders must be there. Prints each file's path, in the order of the file. idx: two zero bytes, the type (8:
   unsigned byte), the number of dimensions, each dimension as 4 bytes big-endian, then the values; plain or gzip. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct idx { const char *path; gzFile file; uint32_t size[3]; };

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "idx_images: %s: %s\n", path, what);
    return -1;
}

static int read_all(struct idx *f, void *to, unsigned bytes)
{
    int got = gzread(f->file, to, bytes), code;
    if (got == (int)bytes) return 0;
    const char *why = gzerror(f->file, &code);
    return complain(f->path, code == Z_OK || code == Z_BUF_ERROR ? "ends too early" : code == Z_ERRNO ? strerror(errno) : why);
}

static int idx_open(struct idx *f, const char *path, unsigned dimensions)
{
    unsigned char head[16];
    f->path = path;
    f->file = gzopen(path, "rb");
    if (!f->file) return complain(path, strerror(errno));
    if (read_all(f, head, 4 + 4 * dimensions) < 0) return -1;
    if (head[0] || head[1] || head[2] != 8 || head[3] != dimensions)
        return complain(path, dimensions == 3 ? "isn't an idx file of images" : "isn't an idx file of labels");
    for (unsigned i = 0; i < dimensions; i++) {
        const unsigned char *b = head + 4 + 4 * i;
        f->size[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    return 0;
}

static int idx_ends(struct idx *f)
{
    unsigned char more;
    return gzread(f->file, &more, 1) == 0 ? 0 : complain(f->path, "goes on after its last value, or is damaged there");
}

static int write_pgm(const char *path, const unsigned char *pixels, uint32_t width, uint32_t height)
{
    FILE *out = fopen(path, "wb");
    if (!out) return complain(path, strerror(errno));
    int bad = fprintf(out, "P5\n%u %u\n255\n", width, height) < 0;
    bad |= fwrite(pixels, 1, (size_t)width * height, out) != (size_t)width * height;
    bad |= fclose(out) != 0;
    return bad ? complain(path, strerror(errno)) : 0;
}

int main(int argc, char **argv)
{
    struct idx images = { 0 }, labels = { 0 };
    unsigned char *pixels = NULL;
    char path[4096], *end;
    int status = 1, classes = argc - 5;
    long limit = argc < 6 ? 0 : strtol(argv[4], &end, 10), written[256] = { 0 };

    if (argc < 6 || classes > 256 || *end || limit < 1) {
        fprintf(stderr, "usage: idx_images IMAGES LABELS OUT COUNT NAME...\n");
        return 1;
    }
    if (idx_open(&images, argv[1], 3) < 0 || idx_open(&labels, argv[2], 1) < 0) goto fail;
    if (images.size[0] != labels.size[0]) { complain(labels.path, "doesn't have as many labels as there are images"); goto fail; }
    if (!images.size[1] || !images.size[2] || images.size[1] > 4096 || images.size[2] > 4096) {
        complain(images.path, "image sides must be 1 to 4096");
        goto fail;
    }
    size_t bytes = (size_t)images.size[1] * images.size[2];
    pixels = malloc(bytes);
    if (!pixels) { complain(images.path, "out of memory"); goto fail; }

    for (uint32_t i = 0; i < images.size[0]; i++) {
        unsigned char label;
        if (read_all(&images, pixels, bytes) < 0 || read_all(&labels, &label, 1) < 0) goto fail;
        if (label >= classes) { complain(labels.path, "has a label without a name"); goto fail; }
        const char *name = argv[5 + label];
        if (!strcmp(name, "-") || written[label] == limit) continue;
        int length = snprintf(path, sizeof path, "%s/%s/%05ld.pgm", argv[3], name, written[label]++);
        if (length >= (int)sizeof path) { complain(argv[3], "path too long"); goto fail; }
        if (write_pgm(path, pixels, images.size[2], images.size[1]) < 0) goto fail;
        puts(path);
    }
    if (idx_ends(&images) < 0 || idx_ends(&labels) < 0) goto fail;
    for (int k = 0; k < classes; k++)
        if (strcmp(argv[5 + k], "-") && written[k] < limit) {
            fprintf(stderr, "idx_images: %s: %ld images of %s, fewer than %ld\n", argv[1], written[k], argv[5 + k], limit);
            goto fail;
        }
    status = 0;
fail:
    free(pixels);
    if (images.file) gzclose(images.file);
    if (labels.file) gzclose(labels.file);
    return fflush(stdout) ? 1 : status;
}
