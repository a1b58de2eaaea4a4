/* Writes the pixels that the program reads of image files, for tests that compare them with those of
   other readers.

       image_values CHANNELS [stored] <LIST

   Each line of LIST has a file and, behind a tab, the PGM or PPM file to write. A file that can't be
   read is told on standard error, and the others follow; the status is then 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/image.h"

static int write_image(const char *path, const struct meta_image *image)
{
    FILE *f = fopen(path, "wb");
    size_t n = (size_t)image->w * image->h * image->c;
    if (!f) return -1;
    fprintf(f, "P%d\n%d %d\n255\n", image->c == 3 ? 6 : 5, image->w, image->h);
    int whole = fwrite(image->pixels, 1, n, f) == n;
    return fclose(f) || !whole ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct meta_image_reading reading = { .channels = argc > 1 ? atoi(argv[1]) : 3,
                                          .as_stored = argc > 2 && !strcmp(argv[2], "stored") };
    char line[2048];
    int status = 0;
    while (fgets(line, sizeof line, stdin)) {
        struct meta_error error;
        struct meta_image image;
        line[strcspn(line, "\n")] = 0;
        char *to = strchr(line, '\t');
        if (!to) return 2;
        *to++ = 0;
        if (meta_image_read(line, &reading, &image, &error)) {
            fprintf(stderr, "%s\n", error.text);
            status = 1;
            continue;
        }
        if (write_image(to, &image)) return 2;
        free(image.pixels);
    }
    return status;
}
