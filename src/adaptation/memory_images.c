/* Checks images in a program's memory, and makes of them what the network takes. */
#define _GNU_SOURCE
#include "memory_images.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "images/image.h"
#include "tasks/view.h"

static size_t image_size(const struct meta_net_settings *net)
{
    return (size_t)net->channels * net->height * net->width;
}

static int view_bytes(const darknet_meta_image *image, const struct meta_net_settings *net,
                      float *out, struct meta_error *error)
{
    size_t bytes = (size_t)image->width * image->height * image->channels;
    struct meta_image copy = {
        .w = image->width, .h = image->height, .c = image->channels, .pixels = malloc(bytes)
    };
    if (!copy.pixels)
        return meta_fail(error, "out of memory for %dx%d pixels", image->width, image->height);
    memcpy(copy.pixels, image->pixels, bytes);
    int status = meta_view_pixels(&copy, net, out, error);
    free(copy.pixels);
    return status;
}

static int view_floats(const darknet_meta_image *image, const struct meta_net_settings *net,
                       float *out, struct meta_error *error)
{
    const float *pixels = image->pixels;
    if (image->width != net->width || image->height != net->height)
        return meta_fail(error, "%dx%d floats: must be the network's %dx%d", image->width,
                         image->height, net->width, net->height);
    for (size_t i = 0; i < image_size(net); i++)
        if (!(pixels[i] >= 0 && pixels[i] <= 1))
            return meta_fail(error, "has the value %.9g: must be 0 to 1", pixels[i]);
    memcpy(out, pixels, image_size(net) * sizeof *out);
    return 0;
}

static int view(const darknet_meta_image *image, const struct meta_net_settings *net, float *out,
                struct meta_error *error)
{
    if (!image->pixels || image->width < 1 || image->height < 1
        || (double)image->width * image->height > META_IMAGE_MOST_PIXELS)
        return meta_fail(error, "%dx%d pixels%s: must have 1 to %u", image->width, image->height,
                         image->pixels ? "" : " at NULL", META_IMAGE_MOST_PIXELS);
    if (image->channels != net->channels)
        return meta_fail(error, "%d channels: must be the network's %d", image->channels,
                         net->channels);
    switch (image->kind) {
    case DARKNET_META_BYTES: return view_bytes(image, net, out, error);
    case DARKNET_META_FLOATS: return view_floats(image, net, out, error);
    }
    return meta_fail(error, "kind %d: must be DARKNET_META_BYTES or DARKNET_META_FLOATS",
                     image->kind);
}

float *meta_memory_images(const darknet_meta_image *images, int count,
                          const struct meta_net_settings *net, struct meta_error *error)
{
    struct meta_error why;
    float *out = reallocarray(NULL, count, image_size(net) * sizeof *out);
    if (!out) meta_fail(error, "out of memory for %d images", count);
    for (int i = 0; out && i < count; i++)
        if (view(&images[i], net, out + i * image_size(net), &why)) {
            meta_fail(error, "image %d: %s", i, why.text);
            free(out);
            out = NULL;
        }
    return out;
}

int meta_memory_images_agree(const float *seen, size_t numbers, const int *labels, int count,
                             struct meta_error *error)
{
    int status = 0;
    struct meta_digest *digest = malloc(count * sizeof *digest);
    if (!digest) return meta_fail_memory(error);
    for (int i = 0; i < count && !status; i++) {
        digest[i] = meta_digest(seen + i * numbers, numbers * sizeof *seen);
        for (int k = 0; k < i && !status; k++)
            if (labels[k] != labels[i] && meta_digest_equal(digest[k], digest[i]))
                status = meta_fail(error,
                                   "images %d and %d are the same, of classes %d and %d: must be "
                                   "of one",
                                   k, i, labels[k], labels[i]);
    }
    free(digest);
    return status;
}
