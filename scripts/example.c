/* A classifier from a handful of images, with libdarknet-meta alone:

       cc example.c -o example $(pkg-config --cflags --libs darknet-meta)
       ./example CFG WEIGHTS first/1.ppm first/2.ppm -- second/1.ppm second/2.ppm -- asked.ppm...

   Each group before a -- holds the images of one class, the last group those to be told apart. Images are binary PPM or PGM, as
   `convert x.jpg x.ppm` writes them: any decoder will do in their place. */
#include <darknet_meta.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "example: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return 1;
}

/* P6 is red, green, blue; P5 gray. The caller frees the pixels. */
static int read_image(const char *path, darknet_meta_image *image)
{
    char kind;
    int most;
    unsigned char *pixels = NULL;
    FILE *f = fopen(path, "rb");
    if (!f) return fail(path, "can't be opened");
    if (fscanf(f, "P%c %d %d %d", &kind, &image->width, &image->height, &most) != 4 || (kind != '5' && kind != '6') || most != 255
        || image->width < 1 || image->height < 1 || image->width > 20000 || image->height > 20000) goto fail;
    image->kind = DARKNET_META_BYTES;
    image->channels = kind == '6' ? 3 : 1;
    size_t bytes = (size_t)image->width * image->height * image->channels;
    fgetc(f);
    pixels = malloc(bytes);
    if (!pixels || fread(pixels, 1, bytes, f) != bytes) goto fail;
    image->pixels = pixels;
    fclose(f);
    return 0;
fail:
    free(pixels);
    fclose(f);
    return fail(path, "is not a whole binary PPM or PGM of 8 bits");
}

int main(int argc, char **argv)
{
    darknet_meta_image image[MOST] = { { 0 } };
    int label[MOST], count = 0, classes = 0, status = 1;
    darknet_meta_model *model = NULL;
    darknet_meta_classifier *classifier = NULL;
    darknet_meta_error error;
    float *probabilities = NULL;
    double before, after;
    if (argc < 8 || argc > MOST) return fail("CFG WEIGHTS IMAGE... -- IMAGE... -- IMAGE...", NULL);
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "--")) { classes++; continue; }
        if (read_image(argv[i], &image[count])) goto end;
        label[count++] = classes;
    }
    int known = 0;
    while (known < count && label[known] < classes) known++;
    darknet_meta_support support = { image, label, known, classes };
    if (darknet_meta_load(&model, argv[1], argv[2], &error)
        || darknet_meta_adapt(&classifier, model, &support, DARKNET_META_STEPS, &error)) { fail(error.text, NULL); goto end; }
    darknet_meta_losses(classifier, &before, &after);
    printf("adapted to %d images of %d classes: loss %.4f, then %.4f\n", known, classes, before, after);
    probabilities = malloc((size_t)(count - known + 1) * classes * sizeof *probabilities);
    if (!probabilities) { fail("out of memory", NULL); goto end; }
    if (darknet_meta_predict(classifier, image + known, count - known, DARKNET_META_SUPPORT, probabilities, &error)) { fail(error.text, NULL); goto end; }
    for (int i = 0; i < count - known; i++) {
        printf("%s:", argv[argc - (count - known) + i]);
        for (int k = 0; k < classes; k++) printf(" %.4f", probabilities[i * classes + k]);
        putchar('\n');
    }
    status = 0;
end:
    for (int i = 0; i < count; i++) free((void *)image[i].pixels);
    free(probabilities);
    darknet_meta_classifier_free(classifier);
    darknet_meta_free(model);
    return status;
}
